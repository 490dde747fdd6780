// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A content and the server. What arrives is the message's only if its size agrees with what was
 * known. Where it does not, the server is asked whether the message still exists, and for the bytes a
 * second time, in another form: as header and text. Where these are the same, from a message that
 * exists, the size given in the listing was wrong (Exchange, Gmail and others lie in both directions).
 * A server that does not tell them in that form is asked in the same one again, and so is one that tells
 * others: then only bytes of the size given can be right. After an expunge by another session servers
 * answer OK with nothing, NIL, or even another text.
 */
#include "content-private.h"

#include <stdatomic.h>
#include <string.h>

#include <mailmount/limits.h>
#include <mailmount/log.h>

#include "content-identity.h"

/* Room made at once for a literal of known length; a longer one grows as it arrives. */
#define RESERVED_OCTETS_MAX (16 * 1024 * 1024)

typedef enum
{
  STEP_FIRST,  /* the bytes */
  STEP_EXISTS, /* their size is a surprise: does the message still exist? */
  STEP_HEADER, /* the bytes once more, in another form */
  STEP_TEXT,
  STEP_AGAIN, /* the bytes once more */
} Step;

typedef struct
{
  MmContent *content; /* owned ref */
  MmContentAsk ask;
  MmMailbox *mailbox;     /* borrowed: that it is fetched from */
  GPtrArray *avoided;     /* nullable; Array<MmMailbox>: in which it turned out not to be */
  MmFetchTarget target;
  Step step;
  guint64 told_size;      /* STEP_EXISTS: what the server says now */
  guint64 announced;      /* octets that the running literal will bring */
  gint64 held_octets;     /* all that this fetch holds, as counted in the context */
  gint64 arriving_octets; /* of them for the running literal */
  gboolean is_too_much;   /* the running literal is not held: there was no room */
  GByteArray *arriving;   /* the running literal */
  GBytes *first;          /* nullable: the bytes of STEP_FIRST, to compare with */
  gsize header_octets;    /* of them, as STEP_HEADER found */
  gboolean is_denied;     /* in the other form the bytes were others */
  gboolean is_gone;       /* the first answer had no body at all */
  MmProbeResult probe;
  guint n_repeats;        /* after connections were lost */
  guint n_relists;        /* after the mailbox turned out to have other UIDs */
  gboolean was_doubted;   /* the mailbox was listed again because of what came */
  GError *error;          /* of the item */
  MmAheadTally *tally;    /* owned ref; NULL: it was not begun ahead of a reader */
} Fetch;

/* Several messages of one mailbox in one job. */
typedef struct
{
  Fetch **fetches; /* Array of @n; NULL where the item has ended */
  gsize n;
  void (*done) (gpointer user_data); /* nullable */
  gpointer user_data;
} Batch;

static void send_fetches (Fetch **fetches, gsize n, MmRemotePriority priority,
                          void (*done) (gpointer user_data), gpointer user_data);

/* The next step of one message. Somebody waits for it, whoever asked first. */
static void
send_again (Fetch *fetch)
{
  send_fetches (&fetch, 1, MM_REMOTE_PRIORITY_DEMAND, NULL, NULL);
}

/* ---- memory, over all fetches ---- */

/* FALSE: that would be more than all fetches together may hold. */
static gboolean
hold_arriving (Fetch *fetch, guint64 octets)
{
  MmMailContext *context = fetch->content->context;

  if (octets > mm_limits_default.arriving_octets)
    return FALSE;
  gint64 total = atomic_fetch_add (&context->arriving_octets, (gint64) octets) + (gint64) octets;
  if (total > (gint64) mm_limits_default.arriving_octets)
    {
      context->arriving_octets -= (gint64) octets;
      return FALSE;
    }
  fetch->held_octets += (gint64) octets;
  fetch->arriving_octets = (gint64) octets;
  return TRUE;
}

static void
let_go (Fetch *fetch, gint64 octets)
{
  fetch->content->context->arriving_octets -= octets;
  fetch->held_octets -= octets;
  fetch->arriving_octets = 0;
}

static void
free_fetch (Fetch *fetch)
{
  let_go (fetch, fetch->held_octets);
  mm_fetch_target_clear (&fetch->target);
  g_clear_pointer (&fetch->avoided, g_ptr_array_unref);
  g_byte_array_unref (fetch->arriving);
  g_clear_pointer (&fetch->first, g_bytes_unref);
  g_clear_pointer (&fetch->tally, mm_ahead_tally_unref);
  g_clear_error (&fetch->error);
  mm_content_unref (fetch->content);
  g_free (fetch);
}

/* ---- the end of a fetch ---- */

static void
unmark_locked (MmContent *content, const MmContentAsk *ask)
{
  if (ask->is_whole)
    {
      content->is_fetching_whole = FALSE;
      return;
    }
  for (guint i = 0; i < content->spans->len; i++)
    if (g_array_index (content->spans, MmContentSpan, i).offset == ask->offset)
      {
        g_array_remove_index_fast (content->spans, i);
        return;
      }
}

static gboolean
is_of_the_mailbox (const GError *error)
{
  return g_error_matches (error, MM_ERROR, MM_ERROR_MESSAGE_GONE)
         || g_error_matches (error, MM_ERROR, MM_ERROR_MAILBOX_CHANGED)
         || g_error_matches (error, MM_ERROR, MM_ERROR_MAILBOX_GONE);
}

static void
take_target (Fetch *fetch, const MmFetchTarget *target)
{
  mm_fetch_target_clear (&fetch->target);
  fetch->target = *target;
  fetch->step = STEP_FIRST;
  fetch->is_gone = fetch->is_denied = FALSE;
  let_go (fetch, fetch->held_octets);
  g_clear_pointer (&fetch->first, g_bytes_unref);
}

/* Of a message that is in other mailboxes too: it is asked for in the next one. */
static gboolean
go_elsewhere (Fetch *fetch)
{
  MmFetchTarget target;

  if (fetch->content->link == 0 || fetch->mailbox == NULL)
    return FALSE;
  if (fetch->avoided == NULL)
    fetch->avoided = g_ptr_array_new ();
  g_ptr_array_add (fetch->avoided, fetch->mailbox);
  if (!mm_content_find_target (fetch->content, NULL, fetch->avoided, &fetch->mailbox, &target))
    return FALSE;
  take_target (fetch, &target);
  send_again (fetch);
  return TRUE;
}

static void
fail (Fetch *fetch, const GError *error)
{
  MmContent *content = fetch->content;

  if (is_of_the_mailbox (error))
    {
      mm_mailbox_set_stale (fetch->mailbox != NULL ? fetch->mailbox : content->mailbox);
      if (go_elsewhere (fetch))
        return;
    }
  g_mutex_lock (&content->lock);
  unmark_locked (content, &fetch->ask);
  GPtrArray *waiters = mm_wait_list_take_locked (content->waits);
  g_mutex_unlock (&content->lock);

  /* Being offline is told once, not for each message. */
  if (!is_of_the_mailbox (error) && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED)
           && !g_error_matches (error, MM_ERROR, MM_ERROR_OFFLINE))
    {
      /* One that was only asked for ahead may have failed because of others in its command. */
      if (waiters != NULL)
        mm_statistics_note_failed (content->context->statistics,
                                   mm_mailbox_get_folder_id (content->mailbox),
                                   content->mailbox->path, content->number, error);
      mm_log_warning ("message %" G_GUINT64_FORMAT " of '%s' on %s could not be fetched: %s",
                      content->number, content->mailbox->path, content->context->name,
                      error->message);
    }
  mm_waiters_fire (waiters, error);
  free_fetch (fetch);
}

G_GNUC_PRINTF (3, 4)
static void
fail_with (Fetch *fetch, MmError code, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autoptr (GError) error = g_error_new_valist (MM_ERROR, (gint) code, format, arguments);
  va_end (arguments);
  fail (fetch, error);
}

static void
insert_piece_locked (MmContent *content, guint64 offset, GBytes *octets)
{
  MmContentPiece piece = { offset, g_bytes_ref (octets) };
  guint position = 0;

  while (position < content->pieces->len
         && g_array_index (content->pieces, MmContentPiece, position).offset < offset)
    position++;
  g_array_insert_val (content->pieces, position, piece);
}

/* The octets are right: readers may have them, and the disk. @size: exact, of the message. */
static void
accept (Fetch *fetch, GBytes *octets, guint64 size)
{
  MmContent *content = fetch->content;
  const MmMailContext *context = content->context;

  g_mutex_lock (&content->lock);
  unmark_locked (content, &fetch->ask);
  content->size_is_known = TRUE;
  content->size = size;
  /* What a range brought before is in it, too. */
  if (fetch->ask.is_whole)
    g_array_set_size (content->pieces, 0);
  insert_piece_locked (content, fetch->ask.offset, octets);
  GPtrArray *waiters = mm_wait_list_take_locked (content->waits);
  g_mutex_unlock (&content->lock);

  /* The kernel drops the wrong size before the open that waits for it is answered. */
  mm_content_tell_size (content, size);
  if (fetch->tally != NULL)
    mm_ahead_tally_note_received (fetch->tally, g_bytes_get_size (octets));
  mm_statistics_note_fetched (context->statistics, mm_mailbox_get_folder_id (content->mailbox),
                              content->number);
  mm_content_store (content, fetch->ask.offset, octets);
  mm_waiters_fire (waiters, NULL);
  free_fetch (fetch);
}

/* ---- other UIDs ---- */

static void take_new_target (Fetch *fetch);

static void
on_relisted (const GError *error, gpointer user_data)
{
  if (error != NULL)
    fail (user_data, error);
  else
    take_new_target (user_data);
}

static void
start_anew (Fetch *fetch)
{
  MmContent *content = fetch->content;
  MmFetchTarget target = { 0 };

  if (!mm_content_table_readopt (content)
      || !mm_content_find_target (content, fetch->mailbox, fetch->avoided, &fetch->mailbox,
                                  &target))
    {
      fail_with (fetch, MM_ERROR_MESSAGE_GONE,
                 "message %" G_GUINT64_FORMAT " of '%s' is not what it was", content->number,
                 content->mailbox->path);
      return;
    }
  take_target (fetch, &target);
  send_again (fetch);
}

/* Once the mailbox was listed again: the message may have another UID now, or be gone. */
static void
take_new_target (Fetch *fetch)
{
  MmWaiter *waiter = mm_waiter_new (on_relisted, fetch);
  g_autoptr (GError) error = NULL;

  switch (mm_mailbox_try_listed (fetch->mailbox, TRUE, waiter, &error))
    {
    case MM_TRY_WAIT:
      break;
    case MM_TRY_DONE:
      start_anew (fetch);
      break;
    case MM_TRY_FAILED:
      fail (fetch, error);
      break;
    }
  mm_waiter_unref (waiter);
}

/* TRUE when the mailbox is to be listed, and the message asked for again: somebody waits for it, and
 * that was not tried too often. */
static gboolean
is_worth_relisting (Fetch *fetch)
{
  MmContent *content = fetch->content;

  if (fetch->n_relists == mm_limits_default.relists)
    return FALSE;
  g_mutex_lock (&content->lock);
  gboolean is_wanted = mm_wait_list_is_wanted_locked (content->waits);
  g_mutex_unlock (&content->lock);
  return is_wanted;
}

/* What came has the header of another message: the server may have numbered its messages anew without
 * a word. If it then tells the same of this UID as before, its listing and its octets just differ,
 * unless its UIDs say nothing, or the size speaks against it, too. TRUE when that was seen to. */
static gboolean
is_another_message (Fetch *fetch, GBytes *octets)
{
  MmContent *content = fetch->content;

  if (mm_content_identity_fits (&fetch->target, octets, fetch->ask.is_whole)
      || (fetch->was_doubted && !fetch->target.is_distrusted
          && (!fetch->ask.is_whole || g_bytes_get_size (octets) == fetch->target.size)))
    return FALSE;
  if (fetch->was_doubted)
    {
      fail_with (fetch, MM_ERROR_MESSAGE_BAD, "the server sends another message in its place");
      return TRUE;
    }
  mm_log_info ("what the server sends as message %" G_GUINT64_FORMAT
               " of '%s' on %s is another message: the folder is listed anew",
               content->number, content->mailbox->path, content->context->name);
  mm_mailbox_set_doubted (fetch->mailbox, fetch->target.numbering);
  fetch->was_doubted = TRUE;
  take_new_target (fetch);
  return TRUE;
}

/* ---- judging what came ---- */

static gboolean
is_doubtful (const Fetch *fetch)
{
  return fetch->target.is_distrusted || fetch->target.is_doubtful;
}

static void
judge_range (Fetch *fetch, GBytes *octets)
{
  MmContent *content = fetch->content;
  gsize length = g_bytes_get_size (octets);
  g_mutex_lock (&content->lock);
  guint64 size = fetch->ask.probe_size != 0 ? fetch->ask.probe_size : content->size;
  g_mutex_unlock (&content->lock);

  if (fetch->ask.probe_size != 0 && fetch->probe != MM_PROBE_PROVED)
    {
      /* The size given is wrong, so only a whole literal can tell the right one. */
      g_mutex_lock (&content->lock);
      unmark_locked (content, &fetch->ask);
      content->is_whole_only = TRUE;
      gboolean is_marked = content->is_fetching_whole;
      content->is_fetching_whole = TRUE;
      g_mutex_unlock (&content->lock);
      if (is_marked)
        {
          free_fetch (fetch);
          return;
        }
      fetch->ask = (MmContentAsk){ .is_whole = TRUE };
      send_again (fetch);
      return;
    }
  if (size < fetch->ask.offset
      || length != MIN ((guint64) fetch->ask.length, size - fetch->ask.offset))
    fail_with (fetch, MM_ERROR_MESSAGE_BAD,
               "the server sent %" G_GSIZE_FORMAT " octets from %" G_GUINT64_FORMAT
               " on where there must be %u",
               length, fetch->ask.offset, fetch->ask.length);
  else if (!(fetch->ask.offset == 0 && is_doubtful (fetch) && is_another_message (fetch, octets)))
    accept (fetch, octets, size);
}

/* The bytes came twice, though in another size than was told. */
static void
accept_other_size (Fetch *fetch)
{
  g_autoptr (GBytes) octets = g_bytes_ref (fetch->first);
  gsize length = g_bytes_get_size (octets);

  if (is_another_message (fetch, octets))
    return;
  mm_log_info ("message %" G_GUINT64_FORMAT " of '%s' on %s has %" G_GSIZE_FORMAT
               " octets, not %" G_GUINT64_FORMAT " as the server had said",
               fetch->content->number, fetch->content->mailbox->path,
               fetch->content->context->name, length, fetch->target.size);
  accept (fetch, octets, length);
}

/* TRUE when @octets are those of the first answer from @offset on. */
static gboolean
repeats_first (const Fetch *fetch, GBytes *octets, gsize offset)
{
  gsize length = g_bytes_get_size (octets);
  gsize first_length = 0;
  const guint8 *first = g_bytes_get_data (fetch->first, &first_length);

  return length <= first_length - offset
         && (length == 0 || memcmp (first + offset, g_bytes_get_data (octets, NULL), length) == 0);
}

static void
ask_again (Fetch *fetch, gboolean is_denied)
{
  fetch->is_denied = is_denied;
  fetch->step = STEP_AGAIN;
  send_again (fetch);
}

static void
judge_part (Fetch *fetch, GBytes *octets)
{
  gsize offset = fetch->step == STEP_TEXT ? fetch->header_octets : 0;
  gsize end = offset + g_bytes_get_size (octets);

  if (!repeats_first (fetch, octets, offset)
      || (fetch->step == STEP_TEXT && end != g_bytes_get_size (fetch->first)))
    ask_again (fetch, TRUE);
  else if (fetch->step == STEP_TEXT)
    accept_other_size (fetch);
  else
    {
      fetch->header_octets = end;
      fetch->step = STEP_TEXT;
      send_again (fetch);
    }
}

/* Nothing speaks for an empty answer from a server that says that the message is none. */
static gboolean
is_confirmed (const Fetch *fetch, GBytes *octets)
{
  return !fetch->is_denied && g_bytes_get_size (octets) > 0 && g_bytes_equal (fetch->first, octets);
}

static void
judge_whole (Fetch *fetch, GBytes *octets)
{
  gsize length = g_bytes_get_size (octets);

  if (length != fetch->target.size && fetch->step == STEP_AGAIN)
    {
      if (fetch->first != NULL && is_confirmed (fetch, octets))
        accept_other_size (fetch);
      else
        fail_with (fetch, MM_ERROR_MESSAGE_BAD,
                   "what the server sends differs from what it says of this message, or from one time to "
                   "the next");
    }
  else if (length == fetch->target.size)
    {
      if (!(is_doubtful (fetch) && is_another_message (fetch, octets)))
        accept (fetch, octets, length);
    }
  else
    {
      fetch->first = g_bytes_ref (octets);
      fetch->arriving_octets = 0; /* they stay */
      fetch->step = STEP_EXISTS;
      send_again (fetch);
    }
}

/* The server answered without a body. Only a message known to be empty may look like that. */
static void
judge_missing (Fetch *fetch)
{
  if (fetch->step == STEP_FIRST && fetch->ask.is_whole && fetch->target.size == 0)
    {
      fetch->is_gone = TRUE;
      fetch->step = STEP_EXISTS;
      send_again (fetch);
    }
  else
    fail (fetch, fetch->error);
}

static void
judge_existence (Fetch *fetch)
{
  if (fetch->is_gone && fetch->told_size == 0)
    {
      g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
      accept (fetch, empty, 0);
      return;
    }
  if (fetch->first != NULL && g_bytes_get_size (fetch->first) > 0)
    {
      fetch->step = STEP_HEADER;
      send_again (fetch);
    }
  else
    ask_again (fetch, FALSE);
}

/* The server does not tell this part of the message: it can prove nothing. */
static gboolean
is_part_refused (const Fetch *fetch)
{
  return (fetch->step == STEP_HEADER || fetch->step == STEP_TEXT)
         && (g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MESSAGE_GONE)
             || g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MESSAGE_BAD)
             || g_error_matches (fetch->error, MM_ERROR, MM_ERROR_UNSUPPORTED));
}

/* How often to try again after that. Nonsense and silence are seldom chance. */
static guint
get_repeats_max (const GError *error)
{
  if (g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST))
    return mm_limits_default.refetches;
  return g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
                 || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT)
                 || g_error_matches (error, MM_ERROR, MM_ERROR_TIMEOUT)
             ? MIN (1, mm_limits_default.refetches)
             : 0;
}

/* The remote repeats a job that had not told anything yet. One that broke off half way, perhaps
 * because of many other messages in it, is repeated here for those who wait. */
static gboolean
is_worth_repeating (Fetch *fetch)
{
  MmContent *content = fetch->content;

  if (fetch->n_repeats >= get_repeats_max (fetch->error))
    return FALSE;
  g_mutex_lock (&content->lock);
  gboolean is_wanted = mm_wait_list_is_wanted_locked (content->waits);
  g_mutex_unlock (&content->lock);
  fetch->n_repeats++;
  return is_wanted;
}

static void
judge (Fetch *fetch)
{
  if (is_part_refused (fetch))
    ask_again (fetch, FALSE);
  else if (g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MESSAGE_GONE))
    judge_missing (fetch);
  else if (is_worth_repeating (fetch))
    send_again (fetch);
  else if (g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MAILBOX_CHANGED)
           && is_worth_relisting (fetch))
    {
      fetch->n_relists++;
      mm_mailbox_set_stale (fetch->mailbox);
      take_new_target (fetch);
    }
  else if (fetch->error != NULL)
    fail (fetch, fetch->error);
  else if (fetch->step == STEP_EXISTS)
    judge_existence (fetch);
  else if (fetch->is_too_much)
    fail_with (fetch, MM_ERROR_LIMIT,
               "its %" G_GUINT64_FORMAT " octets, which must be held to be checked, are beyond the "
               "memory in total, %" G_GSIZE_FORMAT " octets",
               fetch->announced, mm_limits_default.arriving_octets);
  else
    {
      g_autoptr (GBytes) octets = g_byte_array_free_to_bytes (fetch->arriving);
      fetch->arriving = g_byte_array_new ();
      if (fetch->step == STEP_HEADER || fetch->step == STEP_TEXT)
        judge_part (fetch, octets);
      else if (fetch->ask.is_whole)
        judge_whole (fetch, octets);
      else
        judge_range (fetch, octets);
    }
}

/* ---- the sink ---- */

static void
on_begin (gsize index, guint64 length, gpointer user_data)
{
  Fetch *fetch = ((Batch *) user_data)->fetches[index];

  fetch->announced = length;
  fetch->told_size = length;
  g_byte_array_unref (fetch->arriving);
  let_go (fetch, fetch->arriving_octets);
  fetch->is_too_much = fetch->step != STEP_EXISTS && !hold_arriving (fetch, length);
  fetch->arriving = fetch->step == STEP_EXISTS || fetch->is_too_much
                        ? g_byte_array_new ()
                        : g_byte_array_sized_new ((guint) MIN (length, RESERVED_OCTETS_MAX));
}

static void
on_data (gsize index, const guint8 *data, gsize length, gpointer user_data)
{
  Fetch *fetch = ((Batch *) user_data)->fetches[index];

  if (!fetch->is_too_much)
    g_byte_array_append (fetch->arriving, data, (guint) length);
}

static void
on_item_done (gsize index, MmProbeResult probe, const GError *error, gpointer user_data)
{
  Fetch *fetch = g_steal_pointer (&((Batch *) user_data)->fetches[index]);

  fetch->probe = probe;
  fetch->error = error != NULL ? g_error_copy (error) : NULL;
  judge (fetch);
}

static void
on_done (const GError *error, gpointer user_data)
{
  Batch *batch = user_data;

  if (batch->done != NULL)
    batch->done (batch->user_data);
  g_free (batch->fetches);
  g_free (batch);
}

/* ---- sending ---- */

static MmFetchItem
describe_item (const Fetch *fetch)
{
  MmFetchItem item = { .uid = fetch->target.uid };

  if (fetch->step == STEP_EXISTS)
    item.kind = MM_FETCH_SIZE;
  else if (fetch->step == STEP_HEADER)
    item.kind = MM_FETCH_HEADER;
  else if (fetch->step == STEP_TEXT)
    item.kind = MM_FETCH_TEXT;
  else if (fetch->ask.is_whole)
    item.kind = MM_FETCH_WHOLE;
  else
    {
      item.kind = MM_FETCH_RANGE;
      item.offset = fetch->ask.offset;
      item.length = fetch->ask.length;
      item.probe_size = fetch->ask.probe_size;
    }
  return item;
}

/* @fetches: of one mailbox; the pointers are copied. */
static void
send_fetches (Fetch **fetches, gsize n, MmRemotePriority priority,
              void (*done) (gpointer user_data), gpointer user_data)
{
  static const MmRemoteFetchSink sink = {
    .begin = on_begin,
    .data = on_data,
    .item_done = on_item_done,
    .done = on_done,
  };
  const MmFetchTarget *target = &fetches[0]->target;
  MmRemote *remote = fetches[0]->content->context->remote;
  g_autofree MmFetchItem *items = g_new0 (MmFetchItem, n);
  g_autofree gchar *mailbox_name = g_strdup (target->mailbox_name);
  Batch *batch = g_new (Batch, 1);

  batch->n = n;
  batch->done = done;
  batch->user_data = user_data;
  batch->fetches = g_memdup2 (fetches, n * sizeof (Fetch *));
  for (gsize i = 0; i < n; i++)
    {
      items[i] = describe_item (fetches[i]);
      g_clear_error (&fetches[i]->error);
      fetches[i]->is_too_much = FALSE;
      fetches[i]->probe = MM_PROBE_NONE;
      fetches[i]->announced = 0;
    }
  g_autoptr (MmRemoteJob) job = mm_remote_fetch (remote, mailbox_name, target->uidvalidity, items,
                                                 n, priority, &sink, batch);
}

/* @preferred: nullable. */
static Fetch *
new_fetch (MmContent *content, MmMailbox *preferred, const MmContentAsk *ask)
{
  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->content = mm_content_ref (content);
  fetch->ask = *ask;
  fetch->tally = ask->tally != NULL ? mm_ahead_tally_ref (ask->tally) : NULL;
  fetch->arriving = g_byte_array_new ();
  if (mm_content_find_target (content, preferred, NULL, &fetch->mailbox, &fetch->target))
    return fetch;
  fail_with (fetch, MM_ERROR_MESSAGE_GONE, "message %" G_GUINT64_FORMAT " of '%s' was expunged",
             content->number, content->mailbox->path);
  return NULL;
}

void
mm_content_start_fetch (MmContent *content, const MmContentAsk *ask)
{
  Fetch *fetch = new_fetch (content, content->mailbox, ask);

  if (ask->is_whole || ask->offset == 0)
    mm_statistics_note_miss (content->context->statistics);
  if (fetch != NULL)
    send_fetches (&fetch, 1, MM_REMOTE_PRIORITY_DEMAND, NULL, NULL);
}

void
mm_content_start_fetches (MmMailbox *mailbox, MmContent *const *contents, const MmContentAsk *asks, gsize n,
                          void (*done) (gpointer user_data), gpointer user_data)
{
  g_autoptr (GPtrArray) fetches = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    {
      Fetch *fetch = new_fetch (contents[i], mailbox, &asks[i]);
      if (fetch == NULL)
        continue;
      if (fetch->mailbox == mailbox)
        g_ptr_array_add (fetches, fetch);
      else /* it left the mailbox this moment */
        send_again (fetch);
    }
  if (fetches->len > 0)
    send_fetches ((Fetch **) fetches->pdata, fetches->len, MM_REMOTE_PRIORITY_READ_AHEAD, done,
                  user_data);
  else
    done (user_data);
}
