// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A synchronisation: what the session has, compared with what the caller knows. Only messages that are
 * new cost anything: TOP tells the header of each, for its date and subject. Where none of the known
 * messages is left, the server may have given all of them other unique ids, so that they are listed
 * anew and recognised by what they are.
 */
#include <mailmount/log.h>
#include <mailmount/message-header.h>

#include "pop3-connection.h"
#include "pop3-response.h"

/* A header is held up to this; what is behind it has neither date nor subject that anybody sees. */
#define HEADER_OCTETS_MAX (256 * 1024)
#define HEADER_OCTETS_GUESSED 2048

typedef struct
{
  MmRemoteJob base;
  MmMailboxState known;
  gboolean want_subject;
  MmRemoteSyncSink sink;
  gpointer user_data;

  gboolean has_begun;    /* the sink was told something */
  GArray *new_uids;      /* of guint32: to be told, ascending */
  guint n_sent;          /* of them; a flight's context is the place */
  guint n_told;          /* or gone meanwhile */
  GByteArray *header;    /* being received */
  MmMailboxState result;
} SyncJob;

/* ---- what is known ---- */

static gint
compare_uids (gconstpointer a, gconstpointer b)
{
  const guint32 *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static void
add_range (GArray *ranges, guint32 uid)
{
  MmRemoteUidRange *last
      = ranges->len > 0 ? &g_array_index (ranges, MmRemoteUidRange, ranges->len - 1) : NULL;
  MmRemoteUidRange range = { uid, uid };

  if (last != NULL && last->last + 1 == uid)
    last->last = uid;
  else
    g_array_append_val (ranges, range);
}

/* Divides the messages into those known, @ranges, and job->new_uids. */
static guint64
sort_out (SyncJob *job, const MmPop3Maildrop *maildrop, guint64 below, GArray *ranges)
{
  g_autoptr (GArray) known = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint i = 0; i < mm_pop3_maildrop_get_length (maildrop); i++)
    {
      guint32 uid = mm_pop3_maildrop_at (maildrop, i)->uid;
      g_array_append_val (uid < below ? known : job->new_uids, uid);
    }
  g_array_sort (known, compare_uids);
  g_array_sort (job->new_uids, compare_uids);
  for (guint i = 0; i < known->len; i++)
    add_range (ranges, g_array_index (known, guint32, i));
  return known->len;
}

static gboolean
begin (SyncJob *job, MmPop3Connection *connection, GError **error)
{
  MmPop3Remote *remote = mm_pop3_connection_get_remote (connection);
  MmPop3Maildrop *maildrop = remote->maildrop;
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (MmRemoteUidRange));
  gboolean is_comparing = job->known.uidvalidity == MM_POP3_UIDVALIDITY;

  mm_pop3_maildrop_ask_uids (maildrop, remote->known_uid_func, remote->known_uid_data);
  remote->next_uid = MAX (remote->next_uid, MAX (job->known.uidnext, 1));
  if (!mm_pop3_maildrop_give_uids (maildrop, &remote->next_uid, error))
    return FALSE;
  guint64 n_known = sort_out (job, maildrop, is_comparing ? job->known.uidnext : 0, ranges);
  gboolean is_restart
      = is_comparing && n_known == 0 && job->known.messages > 0 && job->new_uids->len > 0;

  job->has_begun = TRUE;
  job->result = mm_pop3_remote_get_state (remote);
  if (is_restart)
    mm_log_info ("the server gives all messages other unique ids than before");
  job->sink.opened (&job->result, is_restart, job->user_data);
  if (is_comparing && !is_restart && n_known != job->known.messages)
    job->sink.present ((const MmRemoteUidRange *) ranges->data, ranges->len, job->user_data);
  return TRUE;
}

/* ---- what is new ---- */

static void
tell (SyncJob *job, const MmPop3Entry *entry, const gchar *header, gsize length)
{
  gsize subject_length = 0;
  const gchar *subject
      = job->want_subject ? mm_message_header_find (header, length, "Subject", &subject_length)
                          : NULL;
  MmRemoteMessage message = {
    .uid = entry->uid,
    .size = entry->is_measured ? entry->true_size : entry->told_size,
    .has_size = TRUE,
    .internaldate = mm_message_header_get_date (header, length),
    .keywords = "",
    .subject_header = subject,
    .subject_length = subject_length,
    .object_id = entry->unique_id,
  };

  job->sink.message (&message, job->user_data);
}

/* NULL: the session was begun anew meanwhile, and it is no more. */
static const MmPop3Entry *
find_new (const SyncJob *job, MmPop3Connection *connection, guint place)
{
  return mm_pop3_maildrop_find (mm_pop3_connection_get_remote (connection)->maildrop,
                                g_array_index (job->new_uids, guint32, place));
}

static MmPop3Advance
end_if_complete (SyncJob *job, MmPop3Connection *connection)
{
  if (job->n_told < job->new_uids->len)
    return MM_POP3_ADVANCE_WAIT;
  mm_pop3_connection_end_job (connection, &job->base, NULL);
  return MM_POP3_ADVANCE_ENDED;
}

static MmPop3Advance
sync_job_advance (MmRemoteJob *base, MmPop3Connection *connection)
{
  SyncJob *job = (SyncJob *) base;
  const MmPop3Remote *remote = mm_pop3_connection_get_remote (connection);
  g_autoptr (GError) error = NULL;

  if (g_ascii_strcasecmp (base->mailbox, MM_POP3_MAILBOX) != 0)
    return mm_pop3_connection_fail_job (
        connection, base,
        g_error_new (MM_ERROR, MM_ERROR_MAILBOX_GONE, "POP3 has no folder '%s'", base->mailbox));
  if (!job->has_begun && !mm_pop3_connection_is_fresh (connection, base))
    return MM_POP3_ADVANCE_WAIT;
  if (!job->has_begun && !begin (job, connection, &error))
    return mm_pop3_connection_fail_job (connection, base, g_steal_pointer (&error));
  for (; job->n_sent < job->new_uids->len; job->n_sent++)
    {
      const MmPop3Entry *entry = find_new (job, connection, job->n_sent);

      if (entry != NULL && !remote->has_no_top)
        {
          mm_pop3_connection_send_top (connection, base, job->n_sent++, entry->number, 0,
                                       HEADER_OCTETS_GUESSED);
          return MM_POP3_ADVANCE_SENT;
        }
      if (entry != NULL)
        tell (job, entry, "", 0);
      job->n_told++;
    }
  return end_if_complete (job, connection);
}

static void
sync_job_event (MmRemoteJob *base, MmPop3Connection *connection, guint context,
                const MmPop3Event *event)
{
  SyncJob *job = (SyncJob *) base;
  const MmPop3Entry *entry = find_new (job, connection, context);
  g_autoptr (GError) error = NULL;

  switch (event->type)
    {
    case MM_POP3_EVENT_BEGIN:
      g_byte_array_set_size (job->header, 0);
      return;
    case MM_POP3_EVENT_DATA:
      g_byte_array_append (job->header, event->data,
                           (guint) MIN (event->length, HEADER_OCTETS_MAX - job->header->len));
      return;
    case MM_POP3_EVENT_DONE:
      break;
    case MM_POP3_EVENT_GREETING:
    case MM_POP3_EVENT_ENTRY:
    case MM_POP3_EVENT_FAREWELL:
      return;
    }
  if (!event->is_ok)
    {
      error = mm_pop3_response_error (event, "reading a header", MM_ERROR_MESSAGE_BAD);
      if (!g_error_matches (error, MM_ERROR, MM_ERROR_MESSAGE_BAD))
        {
          mm_pop3_connection_end_job (connection, base, error);
          return;
        }
      mm_log_warning ("message %u is listed without date and subject: %s", entry->number,
                      error->message);
      g_byte_array_set_size (job->header, 0);
    }
  tell (job, entry, (const gchar *) job->header->data, job->header->len);
  job->n_told++;
  end_if_complete (job, connection);
}

/* ---- the end ---- */

static MmRemoteRepeat
sync_job_lost (MmRemoteJob *base, gboolean is_to_blame, const GError *error)
{
  return ((SyncJob *) base)->has_begun ? MM_REMOTE_REPEAT_NOT : MM_REMOTE_REPEAT;
}

static void
sync_job_finish (MmRemoteJob *base, const GError *error)
{
  SyncJob *job = (SyncJob *) base;

  job->sink.done (&job->result, error, job->user_data);
}

static void
sync_job_free (MmRemoteJob *base)
{
  SyncJob *job = (SyncJob *) base;

  g_array_unref (job->new_uids);
  g_byte_array_unref (job->header);
  g_free (job);
}

static const MmPop3JobClass sync_job_class = {
  .base = { .finish = sync_job_finish, .free = sync_job_free },
  .advance = sync_job_advance,
  .event = sync_job_event,
  .lost = sync_job_lost,
};

MmRemoteJob *
mm_pop3_sync_job_new (const MmRemoteSyncRequest *request, const MmRemoteSyncSink *sink,
                      gpointer user_data)
{
  SyncJob *job = g_new0 (SyncJob, 1);

  mm_remote_job_init (&job->base, &sync_job_class.base, request->mailbox, request->priority, FALSE);
  job->known = request->known;
  job->want_subject = request->want_subject;
  job->sink = *sink;
  job->user_data = user_data;
  job->new_uids = g_array_new (FALSE, FALSE, sizeof (guint32));
  job->header = g_byte_array_new ();
  return &job->base;
}
