// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The IMAP driver's account: what all its connections share.
 */
#pragma once

#include <mailmount/imap-session.h>

#include "imap-quirks.h"
#include "remote-driver.h"

G_BEGIN_DECLS

typedef struct
{
  MmRemote base;

  GMutex hint_lock;       /* a leaf; guards: */
  GHashTable *n_messages; /* Map<gchar *mailbox, guint64 *messages> as the last list told */
  MmImapCapabilities capabilities; /* after the last login; 0: there was none */
  MmImapQuirks quirks;
} MmImapRemote;

/* What the last list told about a mailbox: a hint whether a first listing will find anything. */
void mm_imap_remote_set_hint (MmImapRemote *remote, const gchar *mailbox, guint64 messages);
gboolean mm_imap_remote_get_hint (MmImapRemote *remote, const gchar *mailbox,
                                  guint64 *out_messages);

/* What the server offered behind the last login; 0: nobody logged in yet. */
void mm_imap_remote_set_capabilities (MmImapRemote *remote, MmImapCapabilities capabilities);
MmImapCapabilities mm_imap_remote_get_capabilities (MmImapRemote *remote);

void mm_imap_remote_set_quirks (MmImapRemote *remote, MmImapQuirks quirks);
gboolean mm_imap_remote_has_quirk (MmImapRemote *remote, MmImapQuirks quirk);

/* Mailbox names cross remote.h in modified UTF-7, whatever this connection speaks, so that a name
 * stays the same when a server gains or loses UTF8=ACCEPT. What cannot be converted is left as it
 * is. (transfer full) */
gchar *mm_imap_name_from_wire (const MmImapSession *session, const gchar *name);
gchar *mm_imap_name_to_wire (const MmImapSession *session, const gchar *name);

/* @name decoded, for messages. (transfer full) */
gchar *mm_imap_name_for_people (const gchar *name);

/* ---- jobs (imap-list-job.c, imap-sync-job.c, imap-fetch-job.c,
 * imap-watch-job.c); (transfer full) ---- */

MmRemoteJob *mm_imap_list_job_new (const MmRemoteListSink *sink, gpointer user_data);
/* @n_messages: about how many messages will be told. */
MmRemoteJob *mm_imap_sync_job_new (const MmRemoteSyncRequest *request, guint64 n_messages,
                                   const MmRemoteSyncSink *sink, gpointer user_data);
MmRemoteJob *mm_imap_fetch_job_new (const gchar *mailbox, guint64 uidvalidity,
                                    const MmFetchItem *items, gsize n_items,
                                    MmRemotePriority priority, const MmRemoteFetchSink *sink,
                                    gpointer user_data);

/* @mailbox NULL: all of them. */
MmRemoteJob *mm_imap_watch_job_new (const gchar *mailbox, const MmRemoteWatchSink *sink,
                                    gpointer user_data);

G_END_DECLS
