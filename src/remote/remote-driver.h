// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a protocol provides to be a remote: IMAP today, POP3 later. A driver's remote embeds
 * MmRemote as its first member; remote.c dispatches the public functions to it.
 */
#pragma once

#include <mailmount/remote-status.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean (*connect) (MmRemote *remote, GError **error);
  void (*close) (MmRemote *remote); /* frees */
  MmRemoteJob *(*list_mailboxes) (MmRemote *remote, const MmRemoteListSink *sink,
                                  gpointer user_data);
  MmRemoteJob *(*sync_mailbox) (MmRemote *remote, const MmRemoteSyncRequest *request,
                                const MmRemoteSyncSink *sink, gpointer user_data);
  MmRemoteJob *(*fetch) (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                         const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                         const MmRemoteFetchSink *sink, gpointer user_data);
  void (*get_status) (MmRemote *remote, MmRemoteStatus *out);
  MmRemoteJob *(*watch) (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                         gpointer user_data);
  void (*set_change_func) (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data);
  void (*set_known_uid_func) (MmRemote *remote, MmRemoteKnownUidFunc func,
                              gpointer user_data); /* NULL: the server's UIDs last */
  void (*set_online_func) (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data);
  void (*set_spent) (MmRemote *remote, const MmRemoteTraffic *hours, gsize n);
  void (*set_spend_func) (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data);
} MmRemoteDriver;

struct MmRemote
{
  const MmRemoteDriver *driver;
};

G_END_DECLS
