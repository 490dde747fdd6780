// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server tells ahead of its answer to EXAMINE with QRESYNC (RFC 7162 3.2.5): which UIDs
 * vanished and which flags are others since the state given. It is kept until the answer says that it
 * was told of the mailbox that was meant. One thread.
 */
#pragma once

#include <mailmount/imap-session.h>
#include <mailmount/remote.h>

G_BEGIN_DECLS

typedef struct MmImapSyncChanges MmImapSyncChanges;

MmImapSyncChanges *mm_imap_sync_changes_new (void);
void mm_imap_sync_changes_free (MmImapSyncChanges *changes);

/* Untagged data. */
void mm_imap_sync_changes_note (MmImapSyncChanges *changes, const MmImapEvent *event);

/* Tells @sink what vanished and which flags changed of the UIDs below @below. Returns what the sink
 * said: how many messages are left. */
guint64 mm_imap_sync_changes_tell (const MmImapSyncChanges *changes, guint64 below,
                                   const MmRemoteSyncSink *sink, gpointer user_data);

/* The UIDs below @below, of MmRemoteUidRange. (transfer full) */
GArray *mm_imap_uids_below (const MmUidSet *uids, guint64 below);

/* The flags of a FETCH, which are the same bits on both sides. */
MmMessageFlags mm_imap_flags_to_remote (MmImapFlags flags);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapSyncChanges, mm_imap_sync_changes_free)

G_END_DECLS
