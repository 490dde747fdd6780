// SPDX-License-Identifier: GPL-3.0-or-later
#include "pop3-remote.h"

#include "pop3-connection.h"

MmMailboxState
mm_pop3_remote_get_state (const MmPop3Remote *remote)
{
  return (MmMailboxState){
    .uidvalidity = MM_POP3_UIDVALIDITY,
    .uidnext = mm_pop3_maildrop_has_all_uids (remote->maildrop) ? remote->next_uid : 0,
    .messages = mm_pop3_maildrop_get_length (remote->maildrop),
    .has_messages = TRUE,
  };
}

static void
pop3_free (MmRemote *remote)
{
  MmPop3Remote *self = (MmPop3Remote *) remote;

  g_clear_pointer (&self->maildrop, mm_pop3_maildrop_free);
  g_free (self);
}

static MmRemoteJob *
pop3_new_list_job (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  return mm_pop3_list_job_new (sink, user_data);
}

static MmRemoteJob *
pop3_new_sync_job (MmRemote *remote, const MmRemoteSyncRequest *request,
                   const MmRemoteSyncSink *sink, gpointer user_data)
{
  return mm_pop3_sync_job_new (request, sink, user_data);
}

static MmRemoteJob *
pop3_new_fetch_job (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                    const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                    const MmRemoteFetchSink *sink, gpointer user_data)
{
  return mm_pop3_fetch_job_new ((MmPop3Remote *) remote, mailbox, uidvalidity, items, n_items,
                                priority, sink, user_data);
}

static MmRemoteJob *
pop3_new_watch_job (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                    gpointer user_data)
{
  return mm_pop3_watch_job_new (mailbox, sink, user_data);
}

static gchar *
pop3_name_for_people (const gchar *mailbox)
{
  return g_strdup (mailbox);
}

static void
pop3_set_known_uid_func (MmRemote *remote, MmRemoteKnownUidFunc func, gpointer user_data)
{
  MmPop3Remote *self = (MmPop3Remote *) remote;

  self->known_uid_func = func;
  self->known_uid_data = user_data;
}

static const MmRemoteDriver pop3_driver = {
  .service = "pop",
  .are_ranges_dear = TRUE,
  .free = pop3_free,
  .new_list_job = pop3_new_list_job,
  .new_sync_job = pop3_new_sync_job,
  .new_fetch_job = pop3_new_fetch_job,
  .new_watch_job = pop3_new_watch_job,
  .name_for_people = pop3_name_for_people,
  .set_known_uid_func = pop3_set_known_uid_func,
};

MmRemote *
mm_remote_new_pop3 (const MmRemoteConfig *config)
{
  MmPop3Remote *self = g_new0 (MmPop3Remote, 1);

  mm_remote_init (&self->base, &pop3_driver, config, 1, mm_pop3_connection_run);
  return &self->base;
}
