// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fetching octets: RETR for messages, TOP for their beginnings and headers, one command an item, many
 * on their way.
 *
 * The beginning of a large message comes with the question how long it is, which no command answers:
 * LIST's word is taken where the server was seen to be exact. Where nothing was seen yet, the smallest
 * message is brought first, to see it.
 */
#include "pop3-connection.h"
#include "pop3-fetch-item.h"
#include "pop3-response.h"

#define CONTEXT_SAMPLE G_MAXUINT
/* A maildrop that has only larger ones is not sampled. */
#define SAMPLE_OCTETS_MAX (256 * 1024)

#define HEADER_OCTETS_GUESSED 2048

typedef struct
{
  MmRemoteJob base;
  MmPop3Remote *remote; /* borrowed */
  guint64 uidvalidity;
  MmRemoteFetchSink sink;
  gpointer user_data;

  MmPop3Item *items; /* owned; a flight's context is the place */
  gsize n_items;
  gsize n_left;
  gsize n_first_done; /* of the first items, in a row */
  gsize n_left_at_start; /* when this connection took the job */
  guint n_in_flight;
  gboolean is_one_by_one; /* the connection was lost over one of them */

  MmPop3Answer answer;    /* that comes now */
  guint32 sample;         /* the number of the message that is brought to be measured; 0: none */
  gboolean has_sampled;
} FetchJob;

static MmPop3ItemSink
sink_of (const FetchJob *job, const MmPop3Item *item)
{
  return (MmPop3ItemSink){ &job->sink, job->user_data, (gsize) (item - job->items) };
}

static void
finish_item (FetchJob *job, MmPop3Item *item, MmProbeResult probe, const GError *error)
{
  item->state = MM_POP3_ITEM_DONE;
  job->n_left--;
  job->sink.item_done ((gsize) (item - job->items), error == NULL ? probe : MM_PROBE_NONE, error,
                       job->user_data);
}

static void
fail_item (FetchJob *job, MmPop3Item *item, GError *error)
{
  finish_item (job, item, MM_PROBE_NONE, error);
  g_error_free (error);
}

static MmPop3Entry *
find_entry (const FetchJob *job, MmPop3Connection *connection, const MmPop3Item *item)
{
  MmPop3Remote *remote = mm_pop3_connection_get_remote (connection);
  MmPop3Entry *entry = mm_pop3_maildrop_find (remote->maildrop, item->want.uid);

  /* The session may have begun before the caller knew what it knows. */
  if (entry == NULL && !mm_pop3_maildrop_has_all_uids (remote->maildrop))
    {
      mm_pop3_maildrop_ask_uids (remote->maildrop, remote->known_uid_func, remote->known_uid_data);
      entry = mm_pop3_maildrop_find (remote->maildrop, item->want.uid);
    }
  return entry;
}

/* ---- sending ---- */

static gboolean
needs_sample (const FetchJob *job, const MmPop3Remote *remote, const MmPop3Item *item,
              const MmPop3Entry *entry)
{
  guint32 lines;

  return item->want.kind == MM_FETCH_RANGE && item->want.probe_size > 0 && !entry->is_measured
         && remote->sizes == MM_POP3_SIZES_UNKNOWN && !job->has_sampled
         && mm_pop3_item_choose (item, entry, !remote->has_no_top, &lines) == MM_POP3_ASK_TOP;
}

/* FALSE: there is none. */
static gboolean
send_sample (FetchJob *job, MmPop3Connection *connection)
{
  const MmPop3Maildrop *maildrop = mm_pop3_connection_get_remote (connection)->maildrop;
  const MmPop3Entry *smallest = NULL;

  job->has_sampled = job->remote->is_sampling = TRUE;
  for (guint i = 0; i < mm_pop3_maildrop_get_length (maildrop); i++)
    {
      const MmPop3Entry *entry = mm_pop3_maildrop_at (maildrop, i);

      if (entry->told_size <= SAMPLE_OCTETS_MAX
          && (smallest == NULL || entry->told_size < smallest->told_size))
        smallest = entry;
    }
  if (smallest == NULL)
    {
      job->remote->is_sampling = FALSE;
      return FALSE;
    }
  job->sample = smallest->number;
  mm_pop3_connection_send_retr (connection, &job->base, CONTEXT_SAMPLE, smallest->number,
                                smallest->told_size);
  job->n_in_flight++;
  return TRUE;
}

static void
send_item (FetchJob *job, MmPop3Connection *connection, MmPop3Item *item,
           const MmPop3Entry *entry)
{
  gboolean has_top = !mm_pop3_connection_get_remote (connection)->has_no_top;
  guint context = (guint) (item - job->items);
  guint32 lines = 0;

  item->state = MM_POP3_ITEM_SENT;
  job->n_in_flight++;
  if (mm_pop3_item_choose (item, entry, has_top, &lines) == MM_POP3_ASK_RETR)
    mm_pop3_connection_send_retr (connection, &job->base, context, entry->number,
                                  entry->told_size);
  else
    mm_pop3_connection_send_top (connection, &job->base, context, entry->number, lines,
                                 HEADER_OCTETS_GUESSED + item->want.length);
}

static void
tell_size (FetchJob *job, MmPop3Item *item, const MmPop3Entry *entry)
{
  job->sink.begin ((gsize) (item - job->items),
                   entry->is_measured ? entry->true_size : entry->told_size, job->user_data);
  finish_item (job, item, MM_PROBE_NONE, NULL);
}

/* TRUE: a command was sent. FALSE: the item ended, or waits for another job's sample. */
static gboolean
ask_for (FetchJob *job, MmPop3Connection *connection, MmPop3Item *item)
{
  MmPop3Remote *remote = mm_pop3_connection_get_remote (connection);
  const MmPop3Entry *entry = find_entry (job, connection, item);

  if (entry == NULL)
    {
      fail_item (job, item, g_error_new (MM_ERROR, MM_ERROR_MESSAGE_GONE, "message %u is gone",
                                         item->want.uid));
      return FALSE;
    }
  if (item->want.kind == MM_FETCH_SIZE)
    {
      tell_size (job, item, entry);
      return FALSE;
    }
  if (item->want.kind == MM_FETCH_HEADER || item->want.kind == MM_FETCH_TEXT)
    {
      fail_item (job, item, g_error_new_literal (MM_ERROR, MM_ERROR_UNSUPPORTED,
                                                 "POP3 has no parts of messages"));
      return FALSE;
    }
  if (needs_sample (job, remote, item, entry))
    {
      if (remote->is_sampling)
        return FALSE;
      if (send_sample (job, connection))
        return TRUE;
    }
  send_item (job, connection, item, entry);
  return TRUE;
}

static GError *
check_mailbox (const FetchJob *job)
{
  if (g_ascii_strcasecmp (job->base.mailbox, MM_POP3_MAILBOX) != 0)
    return g_error_new (MM_ERROR, MM_ERROR_MAILBOX_GONE, "POP3 has no folder '%s'",
                        job->base.mailbox);
  if (job->uidvalidity != 0 && job->uidvalidity != MM_POP3_UIDVALIDITY)
    return g_error_new (MM_ERROR, MM_ERROR_MAILBOX_CHANGED,
                        "the folder '%s' is another one now: it was not POP3's",
                        job->base.mailbox);
  return NULL;
}

static MmPop3Advance
fetch_job_advance (MmRemoteJob *base, MmPop3Connection *connection)
{
  FetchJob *job = (FetchJob *) base;
  GError *error = check_mailbox (job);

  if (error != NULL)
    return mm_pop3_connection_fail_job (connection, base, error);
  if (job->sample != 0 || (job->is_one_by_one && job->n_in_flight > 0))
    return MM_POP3_ADVANCE_WAIT;
  while (job->n_first_done < job->n_items
         && job->items[job->n_first_done].state == MM_POP3_ITEM_DONE)
    job->n_first_done++;
  for (gsize i = job->n_first_done; i < job->n_items; i++)
    if (job->items[i].state == MM_POP3_ITEM_WAITING && ask_for (job, connection, &job->items[i]))
      return MM_POP3_ADVANCE_SENT;
  if (job->n_left > 0)
    return MM_POP3_ADVANCE_WAIT;
  mm_pop3_connection_end_job (connection, base, NULL);
  return MM_POP3_ADVANCE_ENDED;
}

/* ---- answers ---- */

static void
forget_sample (FetchJob *job)
{
  if (job->sample != 0)
    job->remote->is_sampling = FALSE;
  job->sample = 0;
}

static void
take_sample (FetchJob *job, MmPop3Connection *connection, const MmPop3Event *event)
{
  MmPop3Remote *remote = mm_pop3_connection_get_remote (connection);

  if (event->type == MM_POP3_EVENT_BEGIN)
    job->answer.received = 0;
  else if (event->type == MM_POP3_EVENT_DATA)
    mm_pop3_answer_count (&job->answer, event->data, event->length);
  if (event->type != MM_POP3_EVENT_DONE)
    return;
  job->n_in_flight--;
  for (guint i = 0; event->is_ok && i < mm_pop3_maildrop_get_length (remote->maildrop); i++)
    {
      MmPop3Entry *entry = mm_pop3_maildrop_at (remote->maildrop, i);

      if (entry->number == job->sample)
        mm_pop3_note_measured (remote, entry, mm_pop3_measure (&job->answer, entry));
    }
  forget_sample (job);
}

/* "-ERR": the session may be too old to know better; a second one would. TRUE: the job is gone. */
static gboolean
take_refusal (FetchJob *job, MmPop3Connection *connection, MmPop3Item *item,
              const MmPop3Event *event)
{
  g_autofree gchar *what = g_strdup_printf ("fetching message %u", item->want.uid);
  g_autoptr (GError) error = mm_pop3_response_error (event, what, MM_ERROR_MESSAGE_BAD);

  if (mm_pop3_response_asks_to_wait (error))
    {
      item->state = MM_POP3_ITEM_WAITING;
      mm_pop3_connection_end_job (connection, &job->base, error);
      return TRUE;
    }
  if (item->n_refused++ == 0)
    {
      item->state = MM_POP3_ITEM_WAITING;
      mm_pop3_connection_renew (connection);
    }
  else
    finish_item (job, item, MM_PROBE_NONE, error);
  return FALSE;
}

static void
end_answer (FetchJob *job, MmPop3Connection *connection, MmPop3Item *item, MmPop3Entry *entry)
{
  MmPop3ItemSink to = sink_of (job, item);
  MmProbeResult probe = MM_PROBE_NONE;
  g_autoptr (GError) error = NULL;

  if (mm_pop3_answer_end (&job->answer, item, entry, mm_pop3_connection_get_remote (connection),
                          &to, &probe, &error)
      == MM_POP3_ANSWER_SHORT)
    item->state = MM_POP3_ITEM_WAITING;
  else
    finish_item (job, item, probe, error);
}

static void
fetch_job_event (MmRemoteJob *base, MmPop3Connection *connection, guint context,
                 const MmPop3Event *event)
{
  FetchJob *job = (FetchJob *) base;
  guint32 lines;

  if (context == CONTEXT_SAMPLE)
    {
      take_sample (job, connection, event);
      return;
    }
  MmPop3Item *item = &job->items[context];
  /* Nothing is on its way while the session is renewed, so that the entry is there. */
  MmPop3Entry *entry = find_entry (job, connection, item);
  MmPop3ItemSink to = sink_of (job, item);
  gboolean has_top = !mm_pop3_connection_get_remote (connection)->has_no_top;

  switch (event->type)
    {
    case MM_POP3_EVENT_BEGIN:
      mm_pop3_answer_begin (&job->answer, item, entry,
                            mm_pop3_item_choose (item, entry, has_top, &lines), &to);
      return;
    case MM_POP3_EVENT_DATA:
      mm_pop3_answer_add (&job->answer, item, event->data, event->length, &to);
      return;
    case MM_POP3_EVENT_DONE:
      break;
    case MM_POP3_EVENT_GREETING:
    case MM_POP3_EVENT_ENTRY:
    case MM_POP3_EVENT_FAREWELL:
      return;
    }
  job->n_in_flight--;
  if (event->is_ok)
    end_answer (job, connection, item, entry);
  else if (take_refusal (job, connection, item, event))
    return;
  if (job->n_left == 0 && job->n_in_flight == 0)
    mm_pop3_connection_end_job (connection, base, NULL);
}

/* ---- the end ---- */

/* The item whose answer the connection broke at; answers come in the order of the items. */
static void
blame_item (FetchJob *job, const GError *error)
{
  for (gsize i = 0; i < job->n_items; i++)
    if (job->items[i].state == MM_POP3_ITEM_SENT || job->items[i].state == MM_POP3_ITEM_BEGUN)
      {
        finish_item (job, &job->items[i], MM_PROBE_NONE, error);
        return;
      }
}

/* A message that breaks the connection must not take its neighbours with it: after the first time
 * they are fetched one by one. */
static MmRemoteRepeat
fetch_job_lost (MmRemoteJob *base, gboolean is_to_blame, const GError *error)
{
  FetchJob *job = (FetchJob *) base;
  gboolean got_on = job->n_left < job->n_left_at_start;
  gboolean is_nonsense = g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
                         || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT);
  gboolean is_lost = g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);

  if (is_to_blame && job->is_one_by_one && (is_nonsense || (is_lost && !got_on)))
    blame_item (job, error);
  for (gsize i = 0; i < job->n_items; i++)
    {
      MmPop3Item *item = &job->items[i];

      /* An item's data is one answer's: what has begun cannot be begun again. */
      if (item->state == MM_POP3_ITEM_BEGUN)
        finish_item (job, item, MM_PROBE_NONE, error);
      else if (item->state == MM_POP3_ITEM_SENT)
        item->state = MM_POP3_ITEM_WAITING;
    }
  job->is_one_by_one = is_to_blame && job->n_in_flight > 0;
  job->n_in_flight = 0;
  job->n_left_at_start = job->n_left;
  forget_sample (job);
  job->has_sampled = FALSE;
  if (job->n_left == 0)
    return MM_REMOTE_REPEAT_NOT;
  return got_on ? MM_REMOTE_REPEAT_FREELY : MM_REMOTE_REPEAT;
}

static void
fetch_job_finish (MmRemoteJob *base, const GError *error)
{
  FetchJob *job = (FetchJob *) base;
  forget_sample (job);
  gboolean is_all_told = job->n_left == 0 && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED);

  for (gsize i = 0; i < job->n_items; i++)
    if (job->items[i].state != MM_POP3_ITEM_DONE)
      finish_item (job, &job->items[i], MM_PROBE_NONE, error);
  job->sink.done (is_all_told ? NULL : error, job->user_data);
}

static void
fetch_job_free (MmRemoteJob *base)
{
  FetchJob *job = (FetchJob *) base;

  mm_pop3_answer_clear (&job->answer);
  g_free (job->items);
  g_free (job);
}

static const MmPop3JobClass fetch_job_class = {
  .base = { .finish = fetch_job_finish, .free = fetch_job_free },
  .advance = fetch_job_advance,
  .event = fetch_job_event,
  .lost = fetch_job_lost,
};

MmRemoteJob *
mm_pop3_fetch_job_new (MmPop3Remote *remote, const gchar *mailbox, guint64 uidvalidity,
                       const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                       const MmRemoteFetchSink *sink, gpointer user_data)
{
  FetchJob *job = g_new0 (FetchJob, 1);

  mm_remote_job_init (&job->base, &fetch_job_class.base, mailbox, priority, FALSE);
  job->base.is_bulk = TRUE;
  job->remote = remote;
  job->uidvalidity = uidvalidity;
  job->sink = *sink;
  job->user_data = user_data;
  job->items = g_new0 (MmPop3Item, n_items);
  job->n_items = job->n_left = job->n_left_at_start = n_items;
  for (gsize i = 0; i < n_items; i++)
    {
      job->items[i].want = items[i];
      job->base.due_octets += items[i].kind == MM_FETCH_RANGE ? items[i].length : HEADER_OCTETS_GUESSED;
    }
  mm_pop3_answer_init (&job->answer);
  return &job->base;
}
