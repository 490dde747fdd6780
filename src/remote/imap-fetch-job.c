// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fetching octets. Items become batches, one UID FETCH command each: items that ask for the same
 * of several messages share one. An answer is an item's only when UID, section and origin are those
 * asked for by a command that is in flight; everything else is ignored, and what was not answered
 * when the command was, is gone or bad, never guessed.
 *
 * Two commands that ask for the same section and origin of one message could be taken for each
 * other, whichever job's they are; the second waits until the first was answered.
 */
#include <string.h>

#include <mailmount/imap-backoff.h>
#include <mailmount/log.h>

#include "imap-connection.h"
#include "imap-fetch-plan.h"
#include "imap-quirks.h"
#include "imap-response.h"

#define CONTEXT_NOOP G_MAXUINT

#define WHOLE_OCTETS_GUESSED 16384
#define LINE_OCTETS_GUESSED  150

typedef struct
{
  MmRemoteJob base;
  guint64 uidvalidity;
  MmRemoteFetchSink sink;
  gpointer user_data;

  MmImapFetchPlan plan; /* a command's context is the place of its batch */
  gsize n_left;         /* items not done */
  guint n_in_flight;
  gsize n_left_at_start; /* when this connection took the job */

  /* As far as the current connection goes. */
  gboolean is_fresh;         /* see MmImapFetchBatch */
  gboolean wants_noop;       /* before anything else */
  gboolean was_put_off;      /* the server asked to wait */
  gboolean is_fetch_mine;    /* this FETCH response answers one of our items */
  MmImapPlanItem *body_item; /* whose body comes now */
  MmImapItemRole body_role;
  GPtrArray *arrived; /* of MmImapPlanItem, borrowed: those that this FETCH response has bodies of */
} FetchJob;

/* ---- sending ---- */

static const MmImapJobClass fetch_job_class;

static gboolean
is_like_one_in_flight (FetchJob *job, MmImapConnection *connection, const MmImapFetchBatch *batch)
{
  GPtrArray *jobs = mm_imap_connection_get_jobs (connection);

  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *candidate = g_ptr_array_index (jobs, i);
      FetchJob *other_job = (FetchJob *) candidate;

      if (candidate->klass != &fetch_job_class.base || other_job->n_in_flight == 0
          || !g_str_equal (candidate->mailbox, job->base.mailbox))
        continue;
      for (guint j = 0; j < other_job->plan.batches->len; j++)
        {
          const MmImapFetchBatch *other = g_ptr_array_index (other_job->plan.batches, j);
          if (other->is_sent && !other->is_answered
              && mm_imap_fetch_plan_may_be_confused (&job->plan, batch, &other_job->plan, other))
            return TRUE;
        }
    }
  return FALSE;
}

/* The place of the batch to be sent next; FALSE: none can be sent now. */
static gboolean
find_next_batch (FetchJob *job, MmImapConnection *connection, guint *out_place)
{
  if (job->plan.is_one_by_one && job->n_in_flight > 0)
    return FALSE;
  for (guint i = 0; i < job->plan.batches->len; i++)
    {
      const MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, i);

      *out_place = i;
      if (!batch->is_sent && !is_like_one_in_flight (job, connection, batch))
        return TRUE;
    }
  return FALSE;
}

static gboolean
fetch_job_has_next (MmRemoteJob *base, MmImapConnection *connection)
{
  FetchJob *job = (FetchJob *) base;
  guint place;

  return job->wants_noop || find_next_batch (job, connection, &place);
}

static MmImapJobFate
send (FetchJob *job, MmImapConnection *connection, MmImapCommand *command, guint context,
      gboolean *out_sent)
{
  g_autoptr (GError) error = NULL;

  if (!mm_imap_connection_submit (connection, &job->base, command, context, &error))
    return mm_imap_connection_end_job (connection, &job->base, error);
  job->n_in_flight++;
  *out_sent = TRUE;
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
fetch_job_send_next (MmRemoteJob *base, MmImapConnection *connection, gboolean *out_sent)
{
  FetchJob *job = (FetchJob *) base;
  guint place;

  if (job->wants_noop)
    {
      job->wants_noop = FALSE;
      return send (job, connection, mm_imap_command_noop (), CONTEXT_NOOP, out_sent);
    }
  if (!find_next_batch (job, connection, &place))
    return MM_IMAP_JOB_CONTINUES;
  MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, place);
  batch->is_sent = TRUE;
  batch->is_fresh = job->is_fresh;
  return send (job, connection, mm_imap_fetch_plan_make_command (&job->plan, batch), place,
               out_sent);
}

/* ---- the mailbox ---- */

static MmImapJobFate
check_uidvalidity (FetchJob *job, MmImapConnection *connection, const MmImapSelection *selection)
{
  if (job->uidvalidity == 0 || selection->box.uidvalidity == job->uidvalidity)
    return MM_IMAP_JOB_CONTINUES;
  return mm_imap_connection_fail_job (
      connection, &job->base,
      g_error_new (MM_ERROR, MM_ERROR_MAILBOX_CHANGED,
                   "the folder '%s' is another one now (UIDVALIDITY %" G_GUINT64_FORMAT
                   ", was %" G_GUINT64_FORMAT ")",
                   job->base.mailbox, selection->box.uidvalidity, job->uidvalidity));
}

static MmImapJobFate
fetch_job_start (MmRemoteJob *base, MmImapConnection *connection)
{
  FetchJob *job = (FetchJob *) base;

  return job->n_left > 0 ? MM_IMAP_JOB_CONTINUES
                         : mm_imap_connection_end_job (connection, base, NULL);
}

static MmImapJobFate
fetch_job_turn (MmRemoteJob *base, MmImapConnection *connection)
{
  FetchJob *job = (FetchJob *) base;
  const MmImapSelection *selection = mm_imap_connection_get_last_selection (connection);

  if (selection->state == MM_IMAP_SELECTION_OPEN)
    return check_uidvalidity (job, connection, selection);
  job->is_fresh = TRUE;
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
fetch_job_selected (MmRemoteJob *base, MmImapConnection *connection, const GError *error)
{
  if (error != NULL)
    return mm_imap_connection_end_job (connection, base, error);
  return check_uidvalidity ((FetchJob *) base, connection,
                            mm_imap_connection_get_selection (connection));
}

/* ---- answers ---- */

static void
finish_item (FetchJob *job, MmImapPlanItem *item, const GError *error)
{
  item->state = MM_IMAP_ITEM_DONE;
  job->n_left--;
  job->sink.item_done ((gsize) (item - job->plan.items),
                       error == NULL ? item->probe : MM_PROBE_NONE, error, job->user_data);
}

static void G_GNUC_PRINTF (4, 5)
    fail_item (FetchJob *job, MmImapPlanItem *item, MmError code, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autoptr (GError) error = g_error_new_valist (MM_ERROR, (gint) code, format, arguments);
  va_end (arguments);

  finish_item (job, item, error);
}

/* The item that waits for this body, among the commands in flight. */
static MmImapPlanItem *
find_item (FetchJob *job, guint32 uid, const MmImapBody *body, MmImapItemRole *out_role)
{
  for (guint i = 0; i < job->plan.batches->len; i++)
    {
      const MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, i);
      MmImapPlanItem *item = batch->is_sent && !batch->is_answered
                                 ? mm_imap_fetch_plan_find (&job->plan, batch, uid)
                                 : NULL;

      if (item == NULL || item->state == MM_IMAP_ITEM_DONE)
        continue;
      *out_role = mm_imap_fetch_plan_role_of (item, body);
      if (*out_role == MM_IMAP_ROLE_MAIN && item->state == MM_IMAP_ITEM_WAITING)
        return item;
      if (*out_role == MM_IMAP_ROLE_PROBE && item->probe == MM_PROBE_NONE)
        return item;
      if (*out_role == MM_IMAP_ROLE_NONE && item->want.kind != MM_FETCH_SIZE)
        item->is_odd = TRUE;
    }
  *out_role = MM_IMAP_ROLE_NONE;
  return NULL;
}

static void
begin_body (FetchJob *job, const MmImapEvent *event, gboolean *out_is_mine)
{
  MmImapItemRole role;
  MmImapPlanItem *item = find_item (job, event->fetch->uid, &event->body, &role);
  const MmImapBody *body = &event->body;

  job->body_item = NULL;
  if (item == NULL)
    return;
  job->is_fetch_mine = *out_is_mine = TRUE;
  if (role == MM_IMAP_ROLE_PROBE)
    item->probe = !body->is_nil && body->length == 1 ? MM_PROBE_PROVED : MM_PROBE_DISPROVED;
  else if (body->is_nil)
    {
      fail_item (job, item, MM_ERROR_MESSAGE_GONE, "message %u is gone (the server has no body)",
                 item->want.uid);
      return;
    }
  else if (item->want.kind == MM_FETCH_RANGE && body->length > item->want.length)
    {
      item->is_odd = TRUE;
      return;
    }
  else
    {
      item->state = MM_IMAP_ITEM_BEGUN;
      job->sink.begin ((gsize) (item - job->plan.items), body->length, job->user_data);
      /* The range reaches over the expected end: where it ends is what the probe asks. */
      if (item->want.kind == MM_FETCH_RANGE && item->want.probe_size > 0
          && !mm_imap_fetch_plan_needs_probe (&item->want))
        item->probe = item->want.offset + body->length == item->want.probe_size
                          ? MM_PROBE_PROVED
                          : MM_PROBE_DISPROVED;
    }
  job->body_item = item;
  job->body_role = role;
}

static void
end_body (FetchJob *job)
{
  MmImapPlanItem *item = job->body_item;

  job->body_item = NULL;
  if (item == NULL)
    return;
  if (job->body_role == MM_IMAP_ROLE_MAIN)
    item->has_main = TRUE;
  g_ptr_array_add (job->arrived, item);
}

/* Only now is it sure that the literals were as long as they said: behind a wrong length there is no
 * end of a FETCH response. */
static void
finish_arrived_items (FetchJob *job)
{
  for (guint i = 0; i < job->arrived->len; i++)
    {
      MmImapPlanItem *item = g_ptr_array_index (job->arrived, i);

      if (item->state == MM_IMAP_ITEM_BEGUN && item->has_main
          && (item->probe != MM_PROBE_NONE || !mm_imap_fetch_plan_needs_probe (&item->want)))
        finish_item (job, item, NULL);
    }
  g_ptr_array_set_size (job->arrived, 0);
}

static void
take_size (FetchJob *job, const MmImapFetch *fetch)
{
  for (guint i = 0; i < job->plan.batches->len; i++)
    {
      const MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, i);
      MmImapPlanItem *item = batch->is_sent && !batch->is_answered
                                 ? mm_imap_fetch_plan_find (&job->plan, batch, fetch->uid)
                                 : NULL;

      if (item == NULL || item->state != MM_IMAP_ITEM_WAITING || item->want.kind != MM_FETCH_SIZE)
        continue;
      job->is_fetch_mine = TRUE;
      job->sink.begin ((gsize) (item - job->plan.items), fetch->size, job->user_data);
      finish_item (job, item, NULL);
      return;
    }
}

static MmImapJobFate
fetch_job_event (MmRemoteJob *base, MmImapConnection *connection, const MmImapEvent *event,
                 gboolean *out_is_mine)
{
  FetchJob *job = (FetchJob *) base;

  switch (event->type)
    {
    case MM_IMAP_EVENT_FETCH_BEGIN:
      job->is_fetch_mine = FALSE;
      g_ptr_array_set_size (job->arrived, 0);
      break;
    case MM_IMAP_EVENT_BODY_BEGIN:
      begin_body (job, event, out_is_mine);
      break;
    case MM_IMAP_EVENT_BODY_DATA:
      if (job->body_item != NULL && job->body_role == MM_IMAP_ROLE_MAIN)
        job->sink.data ((gsize) (job->body_item - job->plan.items), event->data, event->length,
                        job->user_data);
      break;
    case MM_IMAP_EVENT_BODY_END:
      end_body (job);
      break;
    case MM_IMAP_EVENT_FETCH_END:
      finish_arrived_items (job);
      if (event->fetch->has_size && event->fetch->uid != 0)
        take_size (job, event->fetch);
      *out_is_mine = job->is_fetch_mine;
      job->is_fetch_mine = FALSE;
      break;
    default:
      break;
    }
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- the end of a command ---- */

static void
fail_refused_item (FetchJob *job, MmImapPlanItem *item, const MmImapEvent *answer)
{
  g_autofree gchar *what = g_strdup_printf ("fetching message %u", item->want.uid);
  g_autoptr (GError) error = mm_imap_response_error (answer, what, MM_ERROR_MESSAGE_BAD);

  if (g_error_matches (error, MM_ERROR, MM_ERROR_MAILBOX_GONE))
    error->code = MM_ERROR_MESSAGE_GONE;
  else if (error->code == MM_ERROR_PROTOCOL)
    error->code = MM_ERROR_MESSAGE_BAD;
  finish_item (job, item, error);
}

typedef enum
{
  UNANSWERED_ENDED,
  UNANSWERED_REFRESH, /* ask again after the server looked at the mailbox anew */
  UNANSWERED_ALONE,   /* ask again without its neighbours */
} Unanswered;

/* The command is over and @item got no answer, or half of one. */
static Unanswered
judge_unanswered (FetchJob *job, const MmImapFetchBatch *batch, MmImapPlanItem *item,
                  const MmImapEvent *answer)
{
  if (item->has_main)
    {
      if (item->probe == MM_PROBE_NONE && mm_imap_fetch_plan_needs_probe (&item->want))
        item->probe = MM_PROBE_DISPROVED;
      finish_item (job, item, NULL);
    }
  else if (item->state == MM_IMAP_ITEM_BEGUN || item->is_odd)
    fail_item (job, item, MM_ERROR_MESSAGE_BAD,
               "the server answered with other octets of message %u than were asked for",
               item->want.uid);
  else if (answer->status != MM_IMAP_STATUS_OK && batch->indexes->len > 1)
    return UNANSWERED_ALONE;
  else if (answer->status != MM_IMAP_STATUS_OK && !mm_imap_quirks_refuses_gone (answer))
    fail_refused_item (job, item, answer);
  else if (!batch->is_fresh)
    return UNANSWERED_REFRESH;
  else
    fail_item (job, item, MM_ERROR_MESSAGE_GONE, "message %u is gone", item->want.uid);
  return UNANSWERED_ENDED;
}

/* The mailbox may have got the message since this connection last looked: NOOP shows it what is
 * new (RFC 9051 5.2), and only then a missing message is gone. */
static MmImapJobFate
ask_again (FetchJob *job, GArray *indexes)
{
  mm_imap_fetch_plan_add (&job->plan, indexes);
  job->is_fresh = job->wants_noop = TRUE;
  return MM_IMAP_JOB_CONTINUES;
}

/* A server that asks to wait is waited for. Where it asks for that again it may be one message of several
 * that it means: they are asked for alone, and only that one fails. */
static gboolean
is_put_off (FetchJob *job, const GError *error)
{
  if (error == NULL || !mm_imap_response_asks_to_wait (error))
    return FALSE;
  gboolean may_mean_one = job->was_put_off && job->plan.n_items > 1
                          && mm_imap_find_backoff_ms (error->message) == 0;
  job->was_put_off = TRUE;
  return !may_mean_one;
}

static MmImapJobFate
fetch_job_answered (MmRemoteJob *base, MmImapConnection *connection, guint context,
                    const MmImapEvent *answer)
{
  FetchJob *job = (FetchJob *) base;
  g_autoptr (GArray) again = g_array_new (FALSE, FALSE, sizeof (gsize));

  job->n_in_flight--;
  g_autoptr (GError) wait = answer->status == MM_IMAP_STATUS_OK
                                ? NULL
                                : mm_imap_response_error (answer, "fetching", MM_ERROR_MESSAGE_BAD);
  if (is_put_off (job, wait))
    return mm_imap_connection_end_job (connection, base, wait);
  if (context != CONTEXT_NOOP)
    {
      MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, context);
      batch->is_answered = TRUE;
      for (guint i = 0; i < batch->indexes->len; i++)
        {
          gsize index = g_array_index (batch->indexes, gsize, i);
          MmImapPlanItem *item = &job->plan.items[index];
          Unanswered verdict = item->state == MM_IMAP_ITEM_DONE
                                   ? UNANSWERED_ENDED
                                   : judge_unanswered (job, batch, item, answer);

          if (verdict == UNANSWERED_REFRESH)
            g_array_append_val (again, index);
          else if (verdict == UNANSWERED_ALONE)
            mm_imap_fetch_plan_add_alone (&job->plan, index);
        }
    }
  if (again->len > 0)
    return ask_again (job, again);
  if (job->n_left == 0 && job->n_in_flight == 0)
    return mm_imap_connection_end_job (connection, base, NULL);
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- the end ---- */

/* Fetching one by one, the item whose command was to be answered next is what the connection broke
 * at. */
static void
blame_item (FetchJob *job, const GError *error)
{
  for (guint i = 0; i < job->plan.batches->len; i++)
    {
      const MmImapFetchBatch *batch = g_ptr_array_index (job->plan.batches, i);

      if (!batch->is_sent || batch->is_answered)
        continue;
      MmImapPlanItem *item = &job->plan.items[g_array_index (batch->indexes, gsize, 0)];
      if (item->state != MM_IMAP_ITEM_DONE)
        finish_item (job, item, error);
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
  /* A connection may be lost by chance once; nonsense is an answer. */
  gboolean is_nonsense = g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
                         || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT);
  gboolean is_lost = g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);

  if (is_to_blame && job->plan.is_one_by_one && (is_nonsense || (is_lost && !got_on)))
    blame_item (job, error);

  for (gsize i = 0; i < job->plan.n_items; i++)
    {
      MmImapPlanItem *item = &job->plan.items[i];

      /* An item's data is one answer's: what has begun cannot be begun again. */
      if (item->state == MM_IMAP_ITEM_BEGUN)
        finish_item (job, item, error);
      else if (item->state == MM_IMAP_ITEM_WAITING)
        {
          item->probe = MM_PROBE_NONE;
          item->is_odd = FALSE;
        }
    }
  job->is_fresh = job->wants_noop = job->is_fetch_mine = FALSE;
  job->body_item = NULL;
  g_ptr_array_set_size (job->arrived, 0);
  job->plan.is_one_by_one = is_to_blame && job->n_in_flight > 0;
  job->n_in_flight = 0;
  job->n_left_at_start = job->n_left;
  mm_imap_fetch_plan_start_over (&job->plan);
  if (job->n_left == 0)
    return MM_REMOTE_REPEAT_NOT;
  return got_on ? MM_REMOTE_REPEAT_FREELY : MM_REMOTE_REPEAT;
}

static void
fetch_job_finish (MmRemoteJob *base, const GError *error)
{
  FetchJob *job = (FetchJob *) base;
  /* An error that hit single items only was told with those. */
  gboolean is_all_told = job->n_left == 0 && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED);

  for (gsize i = 0; i < job->plan.n_items; i++)
    if (job->plan.items[i].state != MM_IMAP_ITEM_DONE)
      finish_item (job, &job->plan.items[i], error);
  job->sink.done (is_all_told ? NULL : error, job->user_data);
}

static void
fetch_job_free (MmRemoteJob *base)
{
  FetchJob *job = (FetchJob *) base;

  mm_imap_fetch_plan_clear (&job->plan);
  g_ptr_array_unref (job->arrived);
  g_free (job);
}

static const MmImapJobClass fetch_job_class = {
  .base = { .finish = fetch_job_finish, .free = fetch_job_free },
  .start = fetch_job_start,
  .has_next = fetch_job_has_next,
  .turn = fetch_job_turn,
  .selected = fetch_job_selected,
  .send_next = fetch_job_send_next,
  .event = fetch_job_event,
  .answered = fetch_job_answered,
  .lost = fetch_job_lost,
};

/* About what an item brings; how long a whole message is nobody told. */
static guint64
guess_octets (const MmFetchItem *item)
{
  switch (item->kind)
    {
    case MM_FETCH_WHOLE:
    case MM_FETCH_HEADER:
    case MM_FETCH_TEXT:
      return WHOLE_OCTETS_GUESSED;
    case MM_FETCH_RANGE:
      return item->length;
    case MM_FETCH_MESSAGE_ID:
    case MM_FETCH_SIZE:
      break;
    }
  return LINE_OCTETS_GUESSED;
}

MmRemoteJob *
mm_imap_fetch_job_new (const gchar *mailbox, guint64 uidvalidity, const MmFetchItem *items,
                       gsize n_items, MmRemotePriority priority, const MmRemoteFetchSink *sink,
                       gpointer user_data)
{
  FetchJob *job = g_new0 (FetchJob, 1);

  mm_remote_job_init (&job->base, &fetch_job_class.base, mailbox, priority, FALSE);
  job->base.is_bulk = TRUE;
  job->uidvalidity = uidvalidity;
  job->sink = *sink;
  job->user_data = user_data;
  job->n_left = job->n_left_at_start = n_items;
  for (gsize i = 0; i < n_items; i++)
    job->base.due_octets += guess_octets (&items[i]);
  mm_imap_fetch_plan_init (&job->plan, items, n_items);
  job->arrived = g_ptr_array_new ();
  return &job->base;
}
