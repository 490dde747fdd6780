// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-driver.h"
#include "remote-pool.h"

gboolean
mm_remote_connect (MmRemote *remote, GError **error)
{
  return remote->driver->connect (remote, error);
}

void
mm_remote_close (MmRemote *remote)
{
  remote->driver->close (remote);
}

MmRemoteJob *
mm_remote_list_mailboxes (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  return remote->driver->list_mailboxes (remote, sink, user_data);
}

MmRemoteJob *
mm_remote_sync_mailbox (MmRemote *remote, const MmRemoteSyncRequest *request,
                        const MmRemoteSyncSink *sink, gpointer user_data)
{
  return remote->driver->sync_mailbox (remote, request, sink, user_data);
}

MmRemoteJob *
mm_remote_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                 const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                 const MmRemoteFetchSink *sink, gpointer user_data)
{
  return remote->driver->fetch (remote, mailbox, uidvalidity, items, n_items, priority, sink,
                                user_data);
}

void
mm_remote_set_change_func (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data)
{
  remote->driver->set_change_func (remote, func, user_data);
}

void
mm_remote_set_known_uid_func (MmRemote *remote, MmRemoteKnownUidFunc func, gpointer user_data)
{
  if (remote->driver->set_known_uid_func != NULL)
    remote->driver->set_known_uid_func (remote, func, user_data);
}

MmRemoteJob *
mm_remote_watch (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                 gpointer user_data)
{
  return remote->driver->watch (remote, mailbox, sink, user_data);
}

void
mm_remote_set_online_func (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data)
{
  remote->driver->set_online_func (remote, func, user_data);
}

void
mm_remote_set_spent (MmRemote *remote, const MmRemoteTraffic *hours, gsize n)
{
  remote->driver->set_spent (remote, hours, n);
}

void
mm_remote_set_spend_func (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data)
{
  remote->driver->set_spend_func (remote, func, user_data);
}

void
mm_remote_job_cancel (MmRemoteJob *job)
{
  mm_remote_pool_cancel (job);
}

void
mm_remote_job_make_demand (MmRemoteJob *job)
{
  mm_remote_pool_make_demand (job);
}

MmRemoteJob *
mm_remote_job_ref (MmRemoteJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  return job;
}

void
mm_remote_job_unref (MmRemoteJob *job)
{
  if (!g_atomic_ref_count_dec (&job->refs))
    return;
  MmRemotePool *pool = job->pool;
  g_free (job->mailbox);
  job->klass->free (job);
  if (pool != NULL)
    mm_remote_pool_unref (pool);
}
