// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/utf7.h>

#include "imap-connection.h"
#include "imap-remote.h"

/* A mailbox of which nobody told how large it is may be a large one. */
#define UNKNOWN_MESSAGES 10000

void
mm_imap_remote_set_hint (MmImapRemote *remote, const gchar *mailbox, guint64 messages)
{
  g_mutex_lock (&remote->hint_lock);
  g_hash_table_replace (remote->n_messages, g_strdup (mailbox),
                        g_memdup2 (&messages, sizeof messages));
  g_mutex_unlock (&remote->hint_lock);
}

gboolean
mm_imap_remote_get_hint (MmImapRemote *remote, const gchar *mailbox, guint64 *out_messages)
{
  g_mutex_lock (&remote->hint_lock);
  const guint64 *messages = g_hash_table_lookup (remote->n_messages, mailbox);
  if (messages != NULL)
    *out_messages = *messages;
  g_mutex_unlock (&remote->hint_lock);
  return messages != NULL;
}

void
mm_imap_remote_set_capabilities (MmImapRemote *remote, MmImapCapabilities capabilities)
{
  g_mutex_lock (&remote->hint_lock);
  remote->capabilities = capabilities;
  g_mutex_unlock (&remote->hint_lock);
}

MmImapCapabilities
mm_imap_remote_get_capabilities (MmImapRemote *remote)
{
  g_mutex_lock (&remote->hint_lock);
  MmImapCapabilities capabilities = remote->capabilities;
  g_mutex_unlock (&remote->hint_lock);
  return capabilities;
}

gchar *
mm_imap_name_from_wire (const MmImapSession *session, const gchar *name)
{
  gchar *converted = mm_imap_session_is_utf8 (session) ? mm_utf7_from_utf8 (name, -1) : NULL;

  return converted != NULL ? converted : g_strdup (name);
}

gchar *
mm_imap_name_to_wire (const MmImapSession *session, const gchar *name)
{
  gchar *converted = mm_imap_session_is_utf8 (session) ? mm_utf7_to_utf8 (name, -1) : NULL;

  return converted != NULL ? converted : g_strdup (name);
}

gchar *
mm_imap_name_for_people (const gchar *name)
{
  gchar *decoded = mm_utf7_to_utf8 (name, -1);

  return decoded != NULL ? decoded : g_strdup (name);
}

/* ---- the driver ---- */

static gboolean
imap_connect (MmRemote *remote, GError **error)
{
  return mm_remote_pool_connect (((MmImapRemote *) remote)->pool, error);
}

static void
imap_close (MmRemote *remote)
{
  MmImapRemote *self = (MmImapRemote *) remote;

  mm_remote_pool_close (self->pool);
  mm_remote_pool_unref (self->pool);
  mm_endpoint_clear (&self->config.endpoint);
  g_free ((gchar *) self->config.user);
  g_free ((gchar *) self->config.mechanism);
  mm_sign_in_free (self->sign_in);
  g_mutex_clear (&self->hint_lock);
  g_hash_table_unref (self->n_messages);
  g_free (self);
}

static MmRemoteJob *
push (MmRemote *remote, MmRemoteJob *job)
{
  mm_remote_pool_push (((MmImapRemote *) remote)->pool, job);
  return job;
}

static MmRemoteJob *
imap_list_mailboxes (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  return push (remote, mm_imap_list_job_new (sink, user_data));
}

static MmRemoteJob *
imap_sync_mailbox (MmRemote *remote, const MmRemoteSyncRequest *request,
                   const MmRemoteSyncSink *sink, gpointer user_data)
{
  guint64 n_messages = 0;

  if (mm_imap_remote_get_hint ((MmImapRemote *) remote, request->mailbox, &n_messages))
    n_messages -= MIN (n_messages, request->known.messages);
  else if (request->known.uidvalidity == 0)
    n_messages = UNKNOWN_MESSAGES;
  return push (remote, mm_imap_sync_job_new (request, n_messages, sink, user_data));
}

static MmRemoteJob *
imap_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity, const MmFetchItem *items,
            gsize n_items, MmRemotePriority priority, const MmRemoteFetchSink *sink,
            gpointer user_data)
{
  return push (remote, mm_imap_fetch_job_new (mailbox, uidvalidity, items, n_items, priority, sink,
                                              user_data));
}

static MmRemoteJob *
imap_watch (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
            gpointer user_data)
{
  return push (remote, mm_imap_watch_job_new (mailbox, sink, user_data));
}

static void
imap_get_status (MmRemote *remote, MmRemoteStatus *out)
{
  mm_remote_pool_get_status (((MmImapRemote *) remote)->pool, out);
  for (guint i = 0; i < out->connections->len; i++)
    {
      MmRemoteConnectionStatus *connection
          = &g_array_index (out->connections, MmRemoteConnectionStatus, i);
      g_autofree gchar *name = g_steal_pointer (&connection->mailbox);
      connection->mailbox = name != NULL ? mm_imap_name_for_people (name) : NULL;
    }
}

static void
imap_set_change_func (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data)
{
  MmImapRemote *self = (MmImapRemote *) remote;

  self->change_func = func;
  self->change_data = user_data;
}

static void
imap_set_online_func (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data)
{
  mm_remote_pool_set_online_func (((MmImapRemote *) remote)->pool, func, user_data);
}

static void
imap_set_spent (MmRemote *remote, const MmRemoteTraffic *hours, gsize n)
{
  MmRemoteBudget *budget = mm_remote_pool_get_budget (((MmImapRemote *) remote)->pool);

  if (budget != NULL)
    mm_remote_budget_set_spent (budget, hours, n);
}

static void
imap_set_spend_func (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data)
{
  MmRemoteBudget *budget = mm_remote_pool_get_budget (((MmImapRemote *) remote)->pool);

  if (budget != NULL)
    mm_remote_budget_set_spend_func (budget, func, user_data);
}

static const MmRemoteDriver imap_driver = {
  .connect = imap_connect,
  .close = imap_close,
  .list_mailboxes = imap_list_mailboxes,
  .sync_mailbox = imap_sync_mailbox,
  .fetch = imap_fetch,
  .get_status = imap_get_status,
  .watch = imap_watch,
  .set_change_func = imap_set_change_func,
  .set_online_func = imap_set_online_func,
  .set_spent = imap_set_spent,
  .set_spend_func = imap_set_spend_func,
};

MmRemote *
mm_remote_new_imap (const MmRemoteConfig *config)
{
  MmImapRemote *self = g_new0 (MmImapRemote, 1);

  self->base.driver = &imap_driver;
  self->config = *config;
  mm_endpoint_copy (&config->endpoint, &self->config.endpoint);
  self->config.user = g_strdup (config->user);
  self->config.mechanism = g_strdup (config->mechanism);
  self->sign_in = mm_sign_in_new (&self->config, "imap");
  /* What the kernel takes in advance has come over the line: no more than a quarter of a second. */
  if (config->bandwidth > 0)
    self->config.endpoint.receive_octets = (guint) CLAMP (config->bandwidth / 4, 16384, G_MAXINT32);
  g_mutex_init (&self->hint_lock);
  self->n_messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->pool = mm_remote_pool_new (config->connections, config->answer_timeout_ms,
                                   mm_imap_connection_run, self);
  if (config->daily_octets > 0)
    mm_remote_pool_limit_day (self->pool, config->daily_octets);
  if (config->bandwidth > 0)
    mm_remote_pool_limit_bandwidth (self->pool, config->bandwidth);
  if (config->is_offline)
    mm_remote_pool_turn_off (self->pool);
  return &self->base;
}
