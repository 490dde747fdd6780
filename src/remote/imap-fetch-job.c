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

#include <mailmount/log.h>

#include "imap-connection.h"
#include "imap-response.h"

/* Command lines beyond 8 KiB are refused by some servers (RFC 7162 4). */
#define BATCH_ITEMS_MAX 1000
#define BATCH_RANGES_MAX 300

#define CONTEXT_NOOP G_MAXUINT

typedef enum
{
  ITEM_WAITING,
  ITEM_BEGUN, /* the sink was told octets, or will be */
  ITEM_DONE,
} ItemState;

typedef struct
{
  MmFetchItem want;
  ItemState state;
  gboolean has_main;       /* all octets asked for were told */
  MmProbeResult probe;
  gboolean is_odd;         /* the server answered with something else */
} Item;

typedef struct
{
  GArray *indexes; /* of gsize into the items, ascending by UID, no UID twice */
  gboolean is_sent;
  gboolean is_answered;
  gboolean is_fresh; /* the server looked at the mailbox anew for this job before this command */
} Batch;

typedef enum
{
  ROLE_NONE,
  ROLE_MAIN,
  ROLE_PROBE,
} Role;

typedef struct
{
  MmRemoteJob base;
  guint64 uidvalidity;
  MmRemoteFetchSink sink;
  gpointer user_data;

  Item *items;
  gsize n_items;
  gsize n_left;       /* items not DONE */
  GPtrArray *batches; /* of Batch; a command's context is its place */
  guint n_in_flight;
  gsize n_left_at_start; /* when this connection took the job */
  gboolean is_one_by_one; /* a connection broke while answering */

  /* As far as the current connection goes. */
  gboolean is_fresh;      /* see Batch */
  gboolean is_fetch_mine; /* this FETCH response answers one of our items */
  Item *body_item;        /* whose body comes now */
  Role body_role;
} FetchJob;

/* ---- batches ---- */

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  g_array_unref (batch->indexes);
  g_free (batch);
}

/* The probe is a second partial only where the range itself does not reach over the end. */
static gboolean
needs_probe (const MmFetchItem *want)
{
  return want->kind == MM_FETCH_RANGE && want->probe_size > 0
         && !(want->offset < want->probe_size
              && want->offset + want->length > want->probe_size);
}

static int
compare_numbers (guint64 a, guint64 b)
{
  return (a > b) - (a < b);
}

static int
compare_wants (const MmFetchItem *a, const MmFetchItem *b)
{
  int order = compare_numbers (a->kind, b->kind);

  if (order != 0 || a->kind != MM_FETCH_RANGE)
    return order;
  if ((order = compare_numbers (a->offset, b->offset)) != 0
      || (order = compare_numbers (a->length, b->length)) != 0)
    return order;
  return compare_numbers (needs_probe (a) ? a->probe_size : 0, needs_probe (b) ? b->probe_size : 0);
}

static gint
compare_indexes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const FetchJob *job = user_data;
  gsize index_a = *(const gsize *) a, index_b = *(const gsize *) b;
  const MmFetchItem *want_a = &job->items[index_a].want, *want_b = &job->items[index_b].want;
  int order = compare_wants (want_a, want_b);

  if (order == 0)
    order = compare_numbers (want_a->uid, want_b->uid);
  return order != 0 ? order : compare_numbers (index_a, index_b);
}

static Batch *
add_batch (FetchJob *job)
{
  Batch *batch = g_new0 (Batch, 1);

  batch->indexes = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_ptr_array_add (job->batches, batch);
  return batch;
}

static const Item *
last_item (const FetchJob *job, const Batch *batch)
{
  return &job->items[g_array_index (batch->indexes, gsize, batch->indexes->len - 1)];
}

static const Item *
first_item (const FetchJob *job, const Batch *batch)
{
  return &job->items[g_array_index (batch->indexes, gsize, 0)];
}

/* Groups @indexes (reordered) into new batches. */
static void
add_batches (FetchJob *job, GArray *indexes)
{
  Batch *batch = NULL;
  guint n_ranges = 0;

  g_array_sort_with_data (indexes, compare_indexes, job);
  for (guint i = 0; i < indexes->len; i++)
    {
      gsize index = g_array_index (indexes, gsize, i);
      const MmFetchItem *want = &job->items[index].want;
      const MmFetchItem *last = batch != NULL ? &last_item (job, batch)->want : NULL;

      if (last == NULL || job->is_one_by_one || compare_wants (last, want) != 0 || last->uid == want->uid
          || batch->indexes->len == BATCH_ITEMS_MAX || n_ranges == BATCH_RANGES_MAX)
        {
          batch = add_batch (job);
          n_ranges = 0;
          last = NULL;
        }
      if (last == NULL || last->uid + 1 != want->uid)
        n_ranges++;
      g_array_append_val (batch->indexes, index);
    }
}

/* All that is not done, from the start. */
static void
make_batches (FetchJob *job)
{
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (gsize));

  g_ptr_array_set_size (job->batches, 0);
  for (gsize i = 0; i < job->n_items; i++)
    if (job->items[i].state != ITEM_DONE)
      g_array_append_val (indexes, i);
  add_batches (job, indexes);
}

static Item *
find_in_batch (FetchJob *job, const Batch *batch, guint32 uid)
{
  guint low = 0, high = batch->indexes->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      Item *item = &job->items[g_array_index (batch->indexes, gsize, middle)];

      if (item->want.uid == uid)
        return item;
      if (item->want.uid < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

/* ---- sending ---- */

static gboolean
is_origin_of (const MmFetchItem *want, guint64 offset)
{
  return offset == want->offset || (needs_probe (want) && offset == want->probe_size - 1);
}

static gboolean
shares_uid (FetchJob *job, const Batch *batch, FetchJob *other_job, const Batch *other)
{
  for (guint i = 0; i < batch->indexes->len; i++)
    if (find_in_batch (other_job, other,
                       job->items[g_array_index (batch->indexes, gsize, i)].want.uid)
        != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
may_be_confused (FetchJob *job, const Batch *batch, FetchJob *other_job, const Batch *other)
{
  const MmFetchItem *a = &last_item (job, batch)->want;
  const MmFetchItem *b = &last_item (other_job, other)->want;

  if (a->kind != b->kind)
    return FALSE;
  if (a->kind == MM_FETCH_RANGE && !is_origin_of (a, b->offset)
      && !(needs_probe (b) && is_origin_of (a, b->probe_size - 1)))
    return FALSE;
  if (a->uid < first_item (other_job, other)->want.uid
      || b->uid < first_item (job, batch)->want.uid)
    return FALSE;
  return shares_uid (job, batch, other_job, other);
}

static const MmImapJobClass fetch_job_class;

static gboolean
is_like_one_in_flight (FetchJob *job, MmImapConnection *connection, const Batch *batch)
{
  GPtrArray *jobs = mm_imap_connection_get_jobs (connection);

  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *candidate = g_ptr_array_index (jobs, i);
      FetchJob *other_job = (FetchJob *) candidate;

      if (candidate->klass != &fetch_job_class.base || other_job->n_in_flight == 0)
        continue;
      for (guint j = 0; j < other_job->batches->len; j++)
        {
          const Batch *other = g_ptr_array_index (other_job->batches, j);
          if (other->is_sent && !other->is_answered
              && may_be_confused (job, batch, other_job, other))
            return TRUE;
        }
    }
  return FALSE;
}

static MmImapCommand *
make_command (FetchJob *job, const Batch *batch)
{
  const MmFetchItem *want = &last_item (job, batch)->want;
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();
  MmImapPartial partials[2] = { { .offset = want->offset, .length = want->length } };
  MmImapFetchRequest request = { 0 };

  for (guint i = 0; i < batch->indexes->len; i++)
    mm_uid_set_add (uids, job->items[g_array_index (batch->indexes, gsize, i)].want.uid);
  switch (want->kind)
    {
    case MM_FETCH_WHOLE:
      request.whole_body = TRUE;
      break;
    case MM_FETCH_RANGE:
      request.partials = partials;
      request.n_partials = 1;
      if (needs_probe (want))
        partials[request.n_partials++]
            = (MmImapPartial){ .offset = want->probe_size - 1, .length = 2 };
      break;
    case MM_FETCH_MESSAGE_ID:
      request.header_fields = "MESSAGE-ID";
      break;
    case MM_FETCH_SIZE:
      request.items = MM_IMAP_FETCH_RFC822_SIZE;
      break;
    }
  return mm_imap_command_uid_fetch (uids, &request);
}

static MmImapJobFate
fetch_job_send_next (MmRemoteJob *base, MmImapConnection *connection, gboolean *out_sent)
{
  FetchJob *job = (FetchJob *) base;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < job->batches->len; i++)
    {
      Batch *batch = g_ptr_array_index (job->batches, i);

      if (batch->is_sent || is_like_one_in_flight (job, connection, batch))
        continue;
      if (job->is_one_by_one && job->n_in_flight > 0)
        break;
      if (!mm_imap_connection_submit (connection, base, make_command (job, batch), i, &error))
        return mm_imap_connection_end_job (connection, base, error);
      batch->is_sent = TRUE;
      batch->is_fresh = job->is_fresh;
      job->n_in_flight++;
      *out_sent = TRUE;
      break;
    }
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- the mailbox ---- */

static MmImapJobFate
check_uidvalidity (FetchJob *job, MmImapConnection *connection)
{
  const MmImapSelection *selection = mm_imap_connection_get_selection (connection);

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

  if (job->n_left == 0)
    return mm_imap_connection_end_job (connection, base, NULL);
  if (mm_imap_connection_select (connection, base, FALSE))
    return check_uidvalidity (job, connection);
  job->is_fresh = TRUE;
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
fetch_job_selected (MmRemoteJob *base, MmImapConnection *connection, const GError *error)
{
  if (error != NULL)
    return mm_imap_connection_end_job (connection, base, error);
  return check_uidvalidity ((FetchJob *) base, connection);
}

/* ---- answers ---- */

static void
finish_item (FetchJob *job, Item *item, const GError *error)
{
  item->state = ITEM_DONE;
  job->n_left--;
  job->sink.item_done ((gsize) (item - job->items), error == NULL ? item->probe : MM_PROBE_NONE,
                       error, job->user_data);
}

static void G_GNUC_PRINTF (4, 5)
fail_item (FetchJob *job, Item *item, MmError code, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autoptr (GError) error = g_error_new_valist (MM_ERROR, (gint) code, format, arguments);
  va_end (arguments);

  finish_item (job, item, error);
}

/* Which part of @item a body of this section and origin is. */
static Role
role_of (const Item *item, const MmImapBody *body)
{
  const MmFetchItem *want = &item->want;
  gboolean is_body = body->section == MM_IMAP_SECTION_BODY;

  switch (want->kind)
    {
    case MM_FETCH_WHOLE:
      return is_body && !body->is_partial ? ROLE_MAIN : ROLE_NONE;
    case MM_FETCH_MESSAGE_ID:
      return body->section == MM_IMAP_SECTION_HEADER_FIELDS ? ROLE_MAIN : ROLE_NONE;
    case MM_FETCH_RANGE:
      if (!is_body || !body->is_partial)
        return ROLE_NONE;
      if (body->offset == want->offset)
        return ROLE_MAIN;
      return needs_probe (want) && body->offset == want->probe_size - 1 ? ROLE_PROBE : ROLE_NONE;
    case MM_FETCH_SIZE:
      break;
    }
  return ROLE_NONE;
}

/* The item that waits for this body, among the commands in flight. */
static Item *
find_item (FetchJob *job, guint32 uid, const MmImapBody *body, Role *out_role)
{
  for (guint i = 0; i < job->batches->len; i++)
    {
      const Batch *batch = g_ptr_array_index (job->batches, i);
      Item *item = batch->is_sent && !batch->is_answered ? find_in_batch (job, batch, uid) : NULL;

      if (item == NULL || item->state == ITEM_DONE)
        continue;
      *out_role = role_of (item, body);
      if (*out_role == ROLE_MAIN && item->state == ITEM_WAITING)
        return item;
      if (*out_role == ROLE_PROBE && item->probe == MM_PROBE_NONE)
        return item;
      if (*out_role == ROLE_NONE && item->want.kind != MM_FETCH_SIZE)
        item->is_odd = TRUE;
    }
  *out_role = ROLE_NONE;
  return NULL;
}

static void
begin_body (FetchJob *job, const MmImapEvent *event, gboolean *out_is_mine)
{
  Role role;
  Item *item = find_item (job, event->fetch->uid, &event->body, &role);
  const MmImapBody *body = &event->body;

  job->body_item = NULL;
  if (item == NULL)
    return;
  job->is_fetch_mine = *out_is_mine = TRUE;
  if (role == ROLE_PROBE)
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
      item->state = ITEM_BEGUN;
      job->sink.begin ((gsize) (item - job->items), body->length, job->user_data);
      /* The range reaches over the expected end: where it ends is what the probe asks. */
      if (item->want.kind == MM_FETCH_RANGE && item->want.probe_size > 0
          && !needs_probe (&item->want))
        item->probe = item->want.offset + body->length == item->want.probe_size
                          ? MM_PROBE_PROVED
                          : MM_PROBE_DISPROVED;
    }
  job->body_item = item;
  job->body_role = role;
}

static void
finish_item_if_complete (FetchJob *job, Item *item)
{
  if (item->state == ITEM_BEGUN && item->has_main
      && (item->probe != MM_PROBE_NONE || !needs_probe (&item->want)))
    finish_item (job, item, NULL);
}

static void
end_body (FetchJob *job)
{
  Item *item = job->body_item;

  job->body_item = NULL;
  if (item == NULL)
    return;
  if (job->body_role == ROLE_MAIN)
    item->has_main = TRUE;
  finish_item_if_complete (job, item);
}

static void
take_size (FetchJob *job, const MmImapFetch *fetch)
{
  for (guint i = 0; i < job->batches->len; i++)
    {
      const Batch *batch = g_ptr_array_index (job->batches, i);
      Item *item = batch->is_sent && !batch->is_answered
                       ? find_in_batch (job, batch, fetch->uid)
                       : NULL;

      if (item == NULL || item->state != ITEM_WAITING || item->want.kind != MM_FETCH_SIZE)
        continue;
      job->is_fetch_mine = TRUE;
      job->sink.begin ((gsize) (item - job->items), fetch->size, job->user_data);
      finish_item (job, item, NULL);
      return;
    }
}

static MmImapJobFate
fetch_job_event (MmRemoteJob *base, MmImapConnection *connection, const MmImapEvent *event,
                 gboolean *out_is_mine)
{
  FetchJob *job = (FetchJob *) base;

  /* Until EXAMINE was answered the server speaks of another mailbox. */
  if (mm_imap_connection_get_selection (connection)->state != MM_IMAP_SELECTION_OPEN)
    return MM_IMAP_JOB_CONTINUES;
  switch (event->type)
    {
    case MM_IMAP_EVENT_FETCH_BEGIN:
      job->is_fetch_mine = FALSE;
      break;
    case MM_IMAP_EVENT_BODY_BEGIN:
      begin_body (job, event, out_is_mine);
      break;
    case MM_IMAP_EVENT_BODY_DATA:
      if (job->body_item != NULL && job->body_role == ROLE_MAIN)
        job->sink.data ((gsize) (job->body_item - job->items), event->data, event->length,
                        job->user_data);
      break;
    case MM_IMAP_EVENT_BODY_END:
      end_body (job);
      break;
    case MM_IMAP_EVENT_FETCH_END:
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
fail_refused_item (FetchJob *job, Item *item, const MmImapEvent *answer)
{
  g_autofree gchar *what = g_strdup_printf ("fetching message %u", item->want.uid);
  g_autoptr (GError) error = mm_imap_response_error (answer, what, MM_ERROR_MESSAGE_BAD);

  /* RFC 2180 4.1.2: a NO may be all the server says about a message that was expunged. */
  if (g_error_matches (error, MM_ERROR, MM_ERROR_MAILBOX_GONE)
      || (answer->code_text != NULL
          && g_ascii_strcasecmp (answer->code_text, "EXPUNGEISSUED") == 0))
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
judge_unanswered (FetchJob *job, const Batch *batch, Item *item, const MmImapEvent *answer)
{
  if (item->has_main)
    {
      item->probe = MM_PROBE_DISPROVED;
      finish_item (job, item, NULL);
    }
  else if (item->state == ITEM_BEGUN || item->is_odd)
    fail_item (job, item, MM_ERROR_MESSAGE_BAD,
               "the server answered with other octets of message %u than were asked for",
               item->want.uid);
  else if (answer->status != MM_IMAP_STATUS_OK && batch->indexes->len > 1)
    return UNANSWERED_ALONE;
  else if (answer->status != MM_IMAP_STATUS_OK)
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
ask_again (FetchJob *job, MmImapConnection *connection, GArray *indexes)
{
  g_autoptr (GError) error = NULL;

  add_batches (job, indexes);
  job->is_fresh = TRUE;
  if (!mm_imap_connection_submit (connection, &job->base, mm_imap_command_noop (), CONTEXT_NOOP,
                                  &error))
    return mm_imap_connection_end_job (connection, &job->base, error);
  job->n_in_flight++;
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
fetch_job_answered (MmRemoteJob *base, MmImapConnection *connection, guint context,
                    const MmImapEvent *answer)
{
  FetchJob *job = (FetchJob *) base;
  g_autoptr (GArray) again = g_array_new (FALSE, FALSE, sizeof (gsize));

  job->n_in_flight--;
  if (context != CONTEXT_NOOP)
    {
      Batch *batch = g_ptr_array_index (job->batches, context);
      batch->is_answered = TRUE;
      for (guint i = 0; i < batch->indexes->len; i++)
        {
          gsize index = g_array_index (batch->indexes, gsize, i);
          Item *item = &job->items[index];
          Unanswered verdict = item->state == ITEM_DONE
                                   ? UNANSWERED_ENDED
                                   : judge_unanswered (job, batch, item, answer);

          if (verdict == UNANSWERED_REFRESH)
            g_array_append_val (again, index);
          else if (verdict == UNANSWERED_ALONE)
            g_array_append_val (add_batch (job)->indexes, index);
        }
    }
  if (again->len > 0)
    return ask_again (job, connection, again);
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
  for (guint i = 0; i < job->batches->len; i++)
    {
      const Batch *batch = g_ptr_array_index (job->batches, i);

      if (!batch->is_sent || batch->is_answered)
        continue;
      Item *item = &job->items[g_array_index (batch->indexes, gsize, 0)];
      if (item->state != ITEM_DONE)
        finish_item (job, item, error);
      return;
    }
}

/* A message that breaks the connection must not take its neighbours with it: after the first time
 * they are fetched one by one. */
static MmRemoteRepeat
fetch_job_lost (MmRemoteJob *base, const GError *error)
{
  FetchJob *job = (FetchJob *) base;
  gboolean got_on = job->n_left < job->n_left_at_start;
  /* A connection may be lost by chance once; nonsense is an answer. */
  gboolean is_nonsense = g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
                         || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT);
  gboolean is_lost = g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);

  if (job->is_one_by_one && (is_nonsense || (is_lost && !got_on)))
    blame_item (job, error);

  for (gsize i = 0; i < job->n_items; i++)
    {
      Item *item = &job->items[i];

      /* An item's data is one answer's: what has begun cannot be begun again. */
      if (item->state == ITEM_BEGUN)
        finish_item (job, item, error);
      else if (item->state == ITEM_WAITING)
        {
          item->probe = MM_PROBE_NONE;
          item->is_odd = FALSE;
        }
    }
  job->is_fresh = job->is_fetch_mine = FALSE;
  job->body_item = NULL;
  job->is_one_by_one = job->n_in_flight > 0;
  job->n_in_flight = 0;
  job->n_left_at_start = job->n_left;
  make_batches (job);
  if (job->n_left == 0)
    return MM_REMOTE_REPEAT_NOT;
  return got_on ? MM_REMOTE_REPEAT_FREELY : MM_REMOTE_REPEAT;
}

static void
fetch_job_finish (MmRemoteJob *base, const GError *error)
{
  FetchJob *job = (FetchJob *) base;
  /* An error that hit single items only was told with those. */
  gboolean is_all_told
      = job->n_left == 0 && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED);

  for (gsize i = 0; i < job->n_items; i++)
    if (job->items[i].state != ITEM_DONE)
      finish_item (job, &job->items[i], error);
  job->sink.done (is_all_told ? NULL : error, job->user_data);
}

static void
fetch_job_free (MmRemoteJob *base)
{
  FetchJob *job = (FetchJob *) base;

  g_ptr_array_unref (job->batches);
  g_free (job->items);
  g_free (job);
}

static const MmImapJobClass fetch_job_class = {
  .base = { .finish = fetch_job_finish, .free = fetch_job_free },
  .start = fetch_job_start,
  .selected = fetch_job_selected,
  .send_next = fetch_job_send_next,
  .event = fetch_job_event,
  .answered = fetch_job_answered,
  .lost = fetch_job_lost,
};

MmRemoteJob *
mm_imap_fetch_job_new (const gchar *mailbox, guint64 uidvalidity, const MmFetchItem *items,
                       gsize n_items, MmRemotePriority priority, const MmRemoteFetchSink *sink,
                       gpointer user_data)
{
  FetchJob *job = g_new0 (FetchJob, 1);

  mm_remote_job_init (&job->base, &fetch_job_class.base, mailbox, priority, FALSE);
  job->uidvalidity = uidvalidity;
  job->sink = *sink;
  job->user_data = user_data;
  job->items = g_new0 (Item, n_items);
  job->n_items = job->n_left = job->n_left_at_start = n_items;
  for (gsize i = 0; i < n_items; i++)
    job->items[i].want = items[i];
  job->batches = g_ptr_array_new_with_free_func (batch_free);
  make_batches (job);
  return &job->base;
}
