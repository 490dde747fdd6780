// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The POP3 driver's account: what outlives a session. There is one connection at a time, because a
 * session locks the maildrop; what is not marked otherwise belongs to its thread, and the pool's lock
 * hands it on to the next one's.
 */
#pragma once

#include "pop3-maildrop.h"
#include "remote-driver.h"

G_BEGIN_DECLS

/* UIDs are ours and never void; above MM_UIDVALIDITY_DOUBTFUL_MAX. In ASCII it reads "POP3". */
#define MM_POP3_UIDVALIDITY G_GUINT64_CONSTANT (0x504f5033)

/* Whether LIST tells the octets that RETR brings, as RFC 1939 11 wants: known when one message was
 * brought, and doubted for ever when one was another. */
typedef enum
{
  MM_POP3_SIZES_UNKNOWN,
  MM_POP3_SIZES_EXACT,
  MM_POP3_SIZES_GUESSED,
} MmPop3Sizes;

typedef struct
{
  MmRemote base;
  MmRemoteKnownUidFunc known_uid_func; /* nullable; set before the first job */
  gpointer known_uid_data;

  MmPop3Maildrop *maildrop; /* nullable: of the last session */
  guint64 next_uid;         /* from here on none was given; 0: nobody said how many are known */
  MmPop3Sizes sizes;
  gboolean is_sampling;       /* a message is on its way to learn that */
  gboolean has_no_top;        /* the server said so */
  gint64 signed_in_us;        /* monotonic: the last time */
  guint login_delay_seconds;  /* how long it wants to be left alone after that; 0: not told */
} MmPop3Remote;

/* The state as far as the last session showed it; UIDNEXT only where every message has its UID. */
MmMailboxState mm_pop3_remote_get_state (const MmPop3Remote *remote);

/* ---- jobs (pop3-list-job.c, pop3-sync-job.c, pop3-fetch-job.c); (transfer full) ---- */

MmRemoteJob *mm_pop3_list_job_new (const MmRemoteListSink *sink, gpointer user_data);
/* A job that ends in MM_ERROR_UNSUPPORTED: a session shows nothing new. */
MmRemoteJob *mm_pop3_watch_job_new (const gchar *mailbox, const MmRemoteWatchSink *sink,
                                    gpointer user_data);
MmRemoteJob *mm_pop3_sync_job_new (const MmRemoteSyncRequest *request,
                                   const MmRemoteSyncSink *sink, gpointer user_data);
MmRemoteJob *mm_pop3_fetch_job_new (MmPop3Remote *remote, const gchar *mailbox,
                                    guint64 uidvalidity, const MmFetchItem *items, gsize n_items,
                                    MmRemotePriority priority, const MmRemoteFetchSink *sink,
                                    gpointer user_data);

G_END_DECLS
