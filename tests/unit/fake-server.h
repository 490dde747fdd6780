// SPDX-License-Identifier: GPL-3.0-or-later
/* The inside of the fake server: its model, as the jobs of its remotes see it. */
#pragma once

#include "fake-remote.h"

typedef struct
{
  guint32 uid;
  GBytes *body;
  guint64 told_size;
  gint64 internaldate;
  MmMessageFlags flags;
  gchar *keywords;
  gchar *subject; /* nullable */
  gchar *message_id; /* "": none */
  gchar *object_id;  /* nullable */
  gboolean is_object_shared;
  GBytes *last_words; /* nullable: the answer with which it goes */
  gboolean has_no_parts; /* header and text alone cannot be had */
  GQueue *answers; /* Queue<nullable GBytes in a one-place array> */
} FakeMessage;

typedef struct
{
  gchar *name;
  MmMailboxFlags flags;
  gchar *mailbox_id; /* nullable */
  guint64 uidvalidity;
  gboolean uid_not_sticky;
  guint64 uidnext;
  guint64 highestmodseq;
  GPtrArray *messages; /* Array<FakeMessage>, by UID */
  guint32 *order;      /* nullable; 0 at the end */
} FakeMailbox;

struct FakeServer
{
  GMutex lock; /* guards all below */
  GCond changed;
  GPtrArray *mailboxes; /* Array<FakeMailbox> */
  GPtrArray *log;       /* Array<gchar *> */
  gboolean hides_states;
  gboolean hides_modseqs;
  gboolean has_dear_ranges;
  gboolean is_away;
  guint cut_list_after, n_cut_lists;
  guint cut_sync_after, n_cut_syncs;
  MmError fetch_error;
  guint n_failing_fetches;
  gboolean pauses_syncs;
  guint pause_sync_after;
  gboolean holds_fetches;
  guint n_paused;
  guint n_releases;
  gboolean tells_vanished;
  FakeWatches watches;
  guint n_watch_cuts;
  MmRemoteChangeFunc change_func; /* of the last remote */
  gpointer change_data;
};

void fake_message_free (gpointer message);
void fake_mailbox_free (gpointer mailbox);
FakeMailbox *fake_server_find_locked (FakeServer *server, const gchar *name);
FakeMessage *fake_mailbox_find (const FakeMailbox *mailbox, guint32 uid);

/* Stands still until the server is released or *@is_closing. */
void fake_server_pause_locked (FakeServer *server, const gboolean *is_closing);
void fake_server_note_locked (FakeServer *server, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
