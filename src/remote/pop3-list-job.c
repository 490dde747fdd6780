// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The list of mailboxes, which is always the same, with the state of the only one; and the watch that
 * there is not.
 */
#include "pop3-connection.h"

typedef struct
{
  MmRemoteJob base;
  MmRemoteListSink sink;
  gpointer user_data;
} ListJob;

static MmPop3Advance
list_job_advance (MmRemoteJob *base, MmPop3Connection *connection)
{
  ListJob *job = (ListJob *) base;

  if (!mm_pop3_connection_is_fresh (connection, base))
    return MM_POP3_ADVANCE_WAIT;
  MmRemoteMailbox mailbox = {
    .name = MM_POP3_MAILBOX,
    .state = mm_pop3_remote_get_state (mm_pop3_connection_get_remote (connection)),
  };
  job->sink.mailbox (&mailbox, job->user_data);
  mm_pop3_connection_end_job (connection, base, NULL);
  return MM_POP3_ADVANCE_ENDED;
}

static void
ignore_event (MmRemoteJob *base, MmPop3Connection *connection, guint context,
              const MmPop3Event *event)
{
}

static MmRemoteRepeat
repeat_when_lost (MmRemoteJob *base, gboolean is_to_blame, const GError *error)
{
  return MM_REMOTE_REPEAT;
}

static void
list_job_finish (MmRemoteJob *base, const GError *error)
{
  ListJob *job = (ListJob *) base;

  job->sink.done (error, job->user_data);
}

static void
free_job (MmRemoteJob *base)
{
  g_free (base);
}

static const MmPop3JobClass list_job_class = {
  .base = { .finish = list_job_finish, .free = free_job },
  .advance = list_job_advance,
  .event = ignore_event,
  .lost = repeat_when_lost,
};

MmRemoteJob *
mm_pop3_list_job_new (const MmRemoteListSink *sink, gpointer user_data)
{
  ListJob *job = g_new0 (ListJob, 1);

  mm_remote_job_init (&job->base, &list_job_class.base, NULL, MM_REMOTE_PRIORITY_DEMAND, FALSE);
  job->sink = *sink;
  job->user_data = user_data;
  return &job->base;
}

/* ---- the watch ---- */

typedef struct
{
  MmRemoteJob base;
  MmRemoteWatchSink sink;
  gpointer user_data;
} WatchJob;

static MmPop3Advance
watch_job_advance (MmRemoteJob *base, MmPop3Connection *connection)
{
  return mm_pop3_connection_fail_job (
      connection, base,
      g_error_new_literal (MM_ERROR, MM_ERROR_UNSUPPORTED,
                           "a POP3 server does not tell what changes"));
}

static void
watch_job_finish (MmRemoteJob *base, const GError *error)
{
  WatchJob *job = (WatchJob *) base;

  job->sink.done (error, job->user_data);
}

static const MmPop3JobClass watch_job_class = {
  .base = { .finish = watch_job_finish, .free = free_job },
  .advance = watch_job_advance,
  .event = ignore_event,
  .lost = repeat_when_lost,
};

MmRemoteJob *
mm_pop3_watch_job_new (const gchar *mailbox, const MmRemoteWatchSink *sink, gpointer user_data)
{
  WatchJob *job = g_new0 (WatchJob, 1);

  mm_remote_job_init (&job->base, &watch_job_class.base, mailbox, MM_REMOTE_PRIORITY_WATCH, FALSE);
  job->sink = *sink;
  job->user_data = user_data;
  return &job->base;
}
