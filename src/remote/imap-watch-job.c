// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Has the server tell what changes: IDLE in one mailbox (RFC 2177), or NOTIFY for all of them
 * (RFC 5465) and IDLE in whichever is open, so that the server tells at once and not with the next
 * answer. What it tells of the open mailbox is the connection's to hear; STATUS and LIST are taken
 * here.
 *
 * Whatever comes to the connection goes first: the session sends DONE ahead of any command, and
 * here IDLE begins anew when nothing was to do for a moment. A command that comes between IDLE and
 * the server's "+" has to wait for that; so between two reads in a row there is no IDLE.
 */
#include <mailmount/clock.h>

#include "imap-connection.h"
#include "imap-response.h"

/* Without other jobs for so long, or after an IDLE that the server ended, IDLE begins again. */
#define QUIET_US (G_USEC_PER_SEC / 2)
/* IDLE is begun anew after this: a server may log out who is silent for half an hour (RFC 2177 3),
 * many a router forgets a connection after ten minutes, and a server that is gone is noticed by no
 * answer to DONE. */
#define RENEW_US (9 * 60 * (gint64)G_USEC_PER_SEC)

typedef enum
{
  ASKED_NOTIFY = 1,
  ASKED_IDLE,
} Asked;

typedef struct
{
  MmRemoteJob base;
  MmRemoteWatchSink sink;
  gpointer user_data;

  gboolean is_ready;    /* the set-up is over, and NOTIFY answered where that is the watch */
  gboolean is_sent;     /* IDLE, and not answered */
  gboolean has_idled;   /* ... and the server took it */
  gboolean was_busy;    /* others used the connection, or may be about to, since IDLE ended */
  guint told_selection; /* the serial of the one that `begun` told of */
  gint64 quiet_us;      /* monotonic: no IDLE before */
  gint64 renew_us;      /* monotonic: when IDLE ends by itself */
} WatchJob;

/* ---- asking ---- */

static MmImapJobFate
fail_unsupported (WatchJob *job, MmImapConnection *connection, const gchar *what)
{
  return mm_imap_connection_fail_job (
      connection, &job->base,
      g_error_new (MM_ERROR, MM_ERROR_UNSUPPORTED, "the server does not offer %s", what));
}

static MmImapJobFate
begin (WatchJob *job, MmImapConnection *connection)
{
  GError *error = NULL;

  if (!mm_imap_connection_has (connection, MM_IMAP_CAP_IDLE))
    return fail_unsupported (job, connection, "IDLE");
  if (job->base.mailbox != NULL)
    {
      job->is_ready = TRUE;
      return MM_IMAP_JOB_CONTINUES;
    }
  if (!mm_imap_connection_has (connection, MM_IMAP_CAP_NOTIFY))
    return fail_unsupported (job, connection, "NOTIFY");
  if (!mm_imap_connection_submit (connection, &job->base, mm_imap_command_notify (), ASKED_NOTIFY,
                                  &error))
    return mm_imap_connection_fail_job (connection, &job->base, error);
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
watch_job_start (MmRemoteJob *base, MmImapConnection *connection)
{
  if (!mm_imap_connection_is_set_up (connection))
    return MM_IMAP_JOB_CONTINUES;
  return begin ((WatchJob *)base, connection);
}

static MmImapJobFate
watch_job_set_up (MmRemoteJob *base, MmImapConnection *connection)
{
  return begin ((WatchJob *)base, connection);
}

static gboolean
is_alone (MmImapConnection *connection)
{
  return mm_imap_connection_get_jobs (connection)->len == 1;
}

/* Whether IDLE may begin now; when that is a question of time alone the connection asks again. */
static gboolean
may_idle (WatchJob *job, MmImapConnection *connection)
{
  gint64 now_us = mm_clock_monotonic_us ();

  if (!is_alone (connection))
    job->was_busy = TRUE;
  if (!job->is_ready || job->is_sent || !is_alone (connection))
    return FALSE;
  if (job->was_busy)
    job->quiet_us = now_us + QUIET_US;
  job->was_busy = FALSE;
  if (now_us >= job->quiet_us)
    return TRUE;
  mm_imap_connection_set_watch_alarm (connection, job->quiet_us);
  return FALSE;
}

static gboolean
watch_job_has_next (MmRemoteJob *base, MmImapConnection *connection)
{
  return may_idle ((WatchJob *)base, connection);
}

static MmImapJobFate
watch_job_turn (MmRemoteJob *base G_GNUC_UNUSED, MmImapConnection *connection G_GNUC_UNUSED)
{
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
watch_job_selected (MmRemoteJob *base, MmImapConnection *connection, const GError *error)
{
  return error != NULL ? mm_imap_connection_end_job (connection, base, error)
                       : MM_IMAP_JOB_CONTINUES;
}

/* IDLE goes on until its time has come. */
static void
renew (WatchJob *job, MmImapConnection *connection)
{
  if (mm_clock_monotonic_us () >= job->renew_us)
    mm_imap_connection_end_idle (connection);
  else
    mm_imap_connection_set_watch_alarm (connection, job->renew_us);
}

static gboolean
is_mailbox_open (const WatchJob *job, MmImapConnection *connection)
{
  return job->base.mailbox == NULL
         || mm_imap_connection_get_last_selection (connection)->state == MM_IMAP_SELECTION_OPEN;
}

static MmImapJobFate
watch_job_send_next (MmRemoteJob *base, MmImapConnection *connection, gboolean *out_sent)
{
  WatchJob *job = (WatchJob *)base;
  GError *error = NULL;

  if (job->is_sent)
    renew (job, connection);
  if (!may_idle (job, connection) || !is_mailbox_open (job, connection))
    return MM_IMAP_JOB_CONTINUES;
  if (!mm_imap_connection_submit (connection, base, mm_imap_command_idle (), ASKED_IDLE, &error))
    return mm_imap_connection_fail_job (connection, base, error);
  *out_sent = TRUE;
  job->is_sent = TRUE;
  job->has_idled = FALSE;
  job->renew_us = mm_clock_monotonic_us () + RENEW_US;
  mm_imap_connection_set_watch_alarm (connection, job->renew_us);
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- what the server tells ---- */

/* Of a mailbox that was opened since the last time, what EXAMINE told, unless that was told to have
 * changed since. */
static void
note_idling (WatchJob *job, MmImapConnection *connection)
{
  const MmImapSelection *selection = mm_imap_connection_get_selection (connection);
  gboolean is_fresh = selection->serial != job->told_selection && selection->n_exists == 0
                      && selection->n_expunged == 0;

  if (!job->is_sent)
    return;
  job->has_idled = TRUE;
  /* NOTIFY holds beyond IDLE. */
  if (job->base.mailbox == NULL)
    return;
  job->told_selection = selection->serial;
  job->sink.begun (is_fresh ? &selection->box : NULL, job->user_data);
}

static void
tell_mailbox (MmImapConnection *connection, const MmImapMailbox *mailbox)
{
  MmImapRemote *remote = mm_imap_connection_get_remote (connection);
  gboolean is_inbox = g_ascii_strcasecmp (mailbox->name, "INBOX") == 0;
  g_autofree gchar *name = mm_imap_name_from_wire (mm_imap_connection_get_session (connection),
                                                   is_inbox ? "INBOX" : mailbox->name);
  const MmMailboxState state = {
    .uidvalidity = mailbox->has_uidvalidity ? mailbox->uidvalidity : 0,
    .uidnext = mailbox->has_uidnext ? mailbox->uidnext : 0,
    .highestmodseq = mailbox->has_highestmodseq ? mailbox->highestmodseq : 0,
    .messages = mailbox->messages,
    .has_messages = mailbox->has_messages,
  };

  if (remote->base.change_func != NULL)
    remote->base.change_func (name, &state, remote->base.change_data);
}

/* What a list asked for is no news. */
static gboolean
is_listing (MmImapConnection *connection)
{
  const GPtrArray *jobs = mm_imap_connection_get_jobs (connection);

  for (guint i = 0; i < jobs->len; i++)
    {
      const MmRemoteJob *other = g_ptr_array_index (jobs, i);

      if (other->mailbox == NULL && !mm_remote_job_is_watch (other))
        return TRUE;
    }
  return FALSE;
}

static void
note_news (MmImapConnection *connection, const MmImapEvent *event)
{
  MmImapRemote *remote = mm_imap_connection_get_remote (connection);

  if (event->type == MM_IMAP_EVENT_MAILBOX_STATUS)
    tell_mailbox (connection, &event->mailbox);
  else if (remote->base.change_func != NULL)
    remote->base.change_func (NULL, NULL, remote->base.change_data);
}

/* The server tells nothing more (RFC 5465 5.8). */
static gboolean
is_overflow (const WatchJob *job, const MmImapEvent *event)
{
  return job->base.mailbox == NULL && event->type == MM_IMAP_EVENT_UNTAGGED
         && g_strcmp0 (event->code_text, "NOTIFICATIONOVERFLOW") == 0;
}

static MmImapJobFate
watch_job_event (MmRemoteJob *base, MmImapConnection *connection, const MmImapEvent *event,
                 gboolean *out_is_mine)
{
  gboolean is_news = event->type == MM_IMAP_EVENT_MAILBOX_STATUS
                     || (event->type == MM_IMAP_EVENT_LIST && !event->mailbox.is_lsub);

  *out_is_mine = FALSE;
  if (is_overflow ((WatchJob *)base, event))
    return mm_imap_connection_fail_job (
        connection, base,
        g_error_new_literal (MM_ERROR, MM_ERROR_LIMIT,
                             "more changes at once than the server can tell"));
  if (event->type == MM_IMAP_EVENT_IDLING)
    note_idling ((WatchJob *)base, connection);
  else if (is_news && base->mailbox == NULL && !is_listing (connection))
    {
      *out_is_mine = TRUE;
      note_news (connection, event);
    }
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- answers ---- */

/* A server that refuses what it offered cannot do it, unless it says that this is for now. */
static MmImapJobFate
fail_refused (WatchJob *job, MmImapConnection *connection, const MmImapEvent *answer)
{
  GError *error = mm_imap_response_error (answer, "watching for changes", MM_ERROR_UNSUPPORTED);

  if (g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL))
    error->code = MM_ERROR_UNSUPPORTED;
  return mm_imap_connection_fail_job (connection, &job->base, error);
}

static MmImapJobFate
watch_job_answered (MmRemoteJob *base, MmImapConnection *connection, guint context,
                    const MmImapEvent *answer)
{
  WatchJob *job = (WatchJob *)base;

  if (answer->status != MM_IMAP_STATUS_OK && !(context == ASKED_IDLE && job->has_idled))
    return fail_refused (job, connection, answer);
  if (context == ASKED_NOTIFY)
    {
      job->is_ready = TRUE;
      job->sink.begun (NULL, job->user_data);
    }
  else
    {
      job->is_sent = FALSE;
      job->was_busy = TRUE;
    }
  return MM_IMAP_JOB_CONTINUES;
}

static MmRemoteRepeat
watch_job_lost (MmRemoteJob *base G_GNUC_UNUSED, gboolean is_to_blame G_GNUC_UNUSED,
                const GError *error G_GNUC_UNUSED)
{
  return MM_REMOTE_REPEAT_NOT;
}

static void
watch_job_finish (MmRemoteJob *base, const GError *error)
{
  WatchJob *job = (WatchJob *)base;

  job->sink.done (error, job->user_data);
}

static void
watch_job_free (MmRemoteJob *base)
{
  g_free (base);
}

static const MmImapJobClass watch_job_class = {
  .base = { .finish = watch_job_finish, .free = watch_job_free },
  .start = watch_job_start,
  .set_up = watch_job_set_up,
  .has_next = watch_job_has_next,
  .turn = watch_job_turn,
  .selected = watch_job_selected,
  .send_next = watch_job_send_next,
  .event = watch_job_event,
  .answered = watch_job_answered,
  .lost = watch_job_lost,
};

MmRemoteJob *
mm_imap_watch_job_new (const gchar *mailbox, const MmRemoteWatchSink *sink, gpointer user_data)
{
  WatchJob *job = g_new0 (WatchJob, 1);

  mm_remote_job_init (&job->base, &watch_job_class.base, mailbox, MM_REMOTE_PRIORITY_WATCH, FALSE);
  job->sink = *sink;
  job->user_data = user_data;
  job->was_busy = TRUE;
  return &job->base;
}
