// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a protocol provides to be a remote, and what all remotes have: the configuration, the pool of
 * connections, and who is to be told of changes. A driver's remote embeds MmRemote as its first
 * member; remote.c dispatches the public functions to it.
 */
#pragma once

#include <mailmount/remote-status.h>

#include "remote-pool.h"
#include "sign-in.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *service;     /* "imap", "pop", as Kerberos knows it */
  gboolean are_ranges_dear; /* mm_remote_are_ranges_dear() */
  void (*free) (MmRemote *remote); /* when the pool is closed */
  /* New jobs, which remote.c gives to the pool. (transfer full) */
  MmRemoteJob *(*new_list_job) (MmRemote *remote, const MmRemoteListSink *sink,
                                gpointer user_data);
  MmRemoteJob *(*new_sync_job) (MmRemote *remote, const MmRemoteSyncRequest *request,
                                const MmRemoteSyncSink *sink, gpointer user_data);
  MmRemoteJob *(*new_fetch_job) (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                                 const MmFetchItem *items, gsize n_items,
                                 MmRemotePriority priority, const MmRemoteFetchSink *sink,
                                 gpointer user_data);
  MmRemoteJob *(*new_watch_job) (MmRemote *remote, const gchar *mailbox,
                                 const MmRemoteWatchSink *sink, gpointer user_data);
  gchar *(*name_for_people) (const gchar *mailbox); /* (transfer full) */
  void (*set_known_uid_func) (MmRemote *remote, MmRemoteKnownUidFunc func,
                              gpointer user_data); /* NULL: the server's UIDs last */
} MmRemoteDriver;

struct MmRemote
{
  const MmRemoteDriver *driver;
  MmRemotePool *pool;             /* immutable */
  MmSignIn *sign_in;              /* immutable */
  MmRemoteConfig config;          /* strings owned; immutable */
  MmRemoteChangeFunc change_func; /* nullable; set before the first job */
  gpointer change_data;
};

/* @connections: at most so many, whatever @config says. @run: with @remote as its data. */
void mm_remote_init (MmRemote *remote, const MmRemoteDriver *driver, const MmRemoteConfig *config,
                     guint connections, MmRemoteSlotFunc run);

G_END_DECLS
