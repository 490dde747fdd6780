// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-driver.h"

void
mm_remote_init (MmRemote *remote, const MmRemoteDriver *driver, const MmRemoteConfig *config,
                guint connections, MmRemoteSlotFunc run)
{
  remote->driver = driver;
  remote->config = *config;
  mm_endpoint_copy (&config->endpoint, &remote->config.endpoint);
  remote->config.user = g_strdup (config->user);
  remote->config.mechanism = g_strdup (config->mechanism);
  remote->config.secret_hint = g_strdup (config->secret_hint);
  remote->sign_in = mm_sign_in_new (&remote->config, driver->service);
  /* What the kernel takes in advance has come over the line: no more than a quarter of a second. */
  if (config->bandwidth > 0)
    remote->config.endpoint.receive_octets
        = (guint) CLAMP (config->bandwidth / 4, 16384, G_MAXINT32);
  remote->pool = mm_remote_pool_new (connections, config->answer_timeout_ms, run, remote);
  if (config->limits != NULL)
    mm_remote_pool_set_limits (remote->pool, config->limits);
  remote->config.limits = NULL;
  if (config->daily_octets > 0)
    mm_remote_pool_limit_day (remote->pool, config->daily_octets);
  if (config->bandwidth > 0)
    mm_remote_pool_limit_bandwidth (remote->pool, config->bandwidth);
  if (config->is_offline)
    mm_remote_pool_turn_off (remote->pool);
}

gboolean
mm_remote_are_ranges_dear (const MmRemote *remote)
{
  return remote->driver->are_ranges_dear;
}

gboolean
mm_remote_is_offline (const MmRemote *remote)
{
  return remote->config.is_offline;
}

gboolean
mm_remote_connect (MmRemote *remote, GError **error)
{
  return mm_remote_pool_connect (remote->pool, error);
}

void
mm_remote_close (MmRemote *remote)
{
  mm_remote_pool_close (remote->pool);
  mm_remote_pool_unref (remote->pool);
  mm_endpoint_clear (&remote->config.endpoint);
  mm_sign_in_free (remote->sign_in);
  g_free ((gchar *) remote->config.user);
  g_free ((gchar *) remote->config.mechanism);
  g_free ((gchar *) remote->config.secret_hint);
  remote->driver->free (remote);
}

static MmRemoteJob *
push (MmRemote *remote, MmRemoteJob *job)
{
  mm_remote_pool_push (remote->pool, job);
  return job;
}

MmRemoteJob *
mm_remote_list_mailboxes (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  return push (remote, remote->driver->new_list_job (remote, sink, user_data));
}

MmRemoteJob *
mm_remote_sync_mailbox (MmRemote *remote, const MmRemoteSyncRequest *request,
                        const MmRemoteSyncSink *sink, gpointer user_data)
{
  return push (remote, remote->driver->new_sync_job (remote, request, sink, user_data));
}

MmRemoteJob *
mm_remote_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                 const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                 const MmRemoteFetchSink *sink, gpointer user_data)
{
  return push (remote, remote->driver->new_fetch_job (remote, mailbox, uidvalidity, items, n_items,
                                                      priority, sink, user_data));
}

MmRemoteJob *
mm_remote_watch (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                 gpointer user_data)
{
  return push (remote, remote->driver->new_watch_job (remote, mailbox, sink, user_data));
}

void
mm_remote_set_change_func (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data)
{
  remote->change_func = func;
  remote->change_data = user_data;
}

void
mm_remote_set_known_uid_func (MmRemote *remote, MmRemoteKnownUidFunc func, gpointer user_data)
{
  if (remote->driver->set_known_uid_func != NULL)
    remote->driver->set_known_uid_func (remote, func, user_data);
}

void
mm_remote_set_online_func (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data)
{
  mm_remote_pool_set_online_func (remote->pool, func, user_data);
}

void
mm_remote_set_spent (MmRemote *remote, const MmRemoteTraffic *hours, gsize n)
{
  MmRemoteBudget *budget = mm_remote_pool_get_budget (remote->pool);

  if (budget != NULL)
    mm_remote_budget_set_spent (budget, hours, n);
}

void
mm_remote_set_spend_func (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data)
{
  MmRemoteBudget *budget = mm_remote_pool_get_budget (remote->pool);

  if (budget != NULL)
    mm_remote_budget_set_spend_func (budget, func, user_data);
}

void
mm_remote_get_status (MmRemote *remote, MmRemoteStatus *out)
{
  mm_remote_pool_get_status (remote->pool, out);
  for (guint i = 0; i < out->connections->len; i++)
    {
      MmRemoteConnectionStatus *connection
          = &g_array_index (out->connections, MmRemoteConnectionStatus, i);
      g_autofree gchar *name = g_steal_pointer (&connection->mailbox);

      connection->mailbox = name != NULL ? remote->driver->name_for_people (name) : NULL;
      g_autofree gchar *watched = connection->watched;
      connection->watched = watched != NULL ? remote->driver->name_for_people (watched) : NULL;
    }
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
