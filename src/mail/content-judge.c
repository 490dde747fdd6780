// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether what the server sent is the message. What arrives is the message's only if its size
 * agrees with what was known. Where it does not, the server is asked whether the message still
 * exists, and for the bytes a second time, in another form: as header and text. Where these are the
 * same, from a message that exists, the size given in the listing was wrong (Exchange, Gmail and
 * others lie in both directions). A server that does not tell them in that form is asked in the
 * same one again, and so is one that tells others: then only bytes of the size given can be right.
 * After an expunge by another session servers answer OK with nothing, NIL, or even another text.
 */
#include "content-fetch-private.h"

#include <string.h>

#include <mailmount/limits.h>
#include <mailmount/log.h>

#include "content-identity.h"

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
take_target (MmContentFetch *fetch, const MmFetchTarget *target)
{
  mm_fetch_target_clear (&fetch->target);
  fetch->target = *target;
  fetch->step = MM_FETCH_STEP_FIRST;
  fetch->is_gone = fetch->is_denied = FALSE;
  mm_content_fetch_let_go (fetch, fetch->held_octets);
  g_clear_pointer (&fetch->first, g_bytes_unref);
}

/* Of a message that is in other mailboxes too: it is asked for in the next one. */
static gboolean
go_elsewhere (MmContentFetch *fetch)
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
  mm_content_fetch_send_again (fetch);
  return TRUE;
}

static void
fail (MmContentFetch *fetch, const GError *error)
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
  mm_content_fetch_free (fetch);
}

void
mm_content_fetch_fail (MmContentFetch *fetch, MmError code, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autoptr (GError) error = g_error_new_valist (MM_ERROR, (gint)code, format, arguments);
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
accept (MmContentFetch *fetch, GBytes *octets, guint64 size)
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
  mm_content_fetch_free (fetch);
}

/* ---- other UIDs ---- */

static void take_new_target (MmContentFetch *fetch);

static void
on_relisted (const GError *error, gpointer user_data)
{
  if (error != NULL)
    fail (user_data, error);
  else
    take_new_target (user_data);
}

static void
start_anew (MmContentFetch *fetch)
{
  MmContent *content = fetch->content;
  MmFetchTarget target = { 0 };

  if (!mm_content_table_readopt (content)
      || !mm_content_find_target (content, fetch->mailbox, fetch->avoided, &fetch->mailbox,
                                  &target))
    {
      mm_content_fetch_fail (fetch, MM_ERROR_MESSAGE_GONE,
                             "message %" G_GUINT64_FORMAT " of '%s' is not what it was",
                             content->number, content->mailbox->path);
      return;
    }
  take_target (fetch, &target);
  mm_content_fetch_send_again (fetch);
}

/* Once the mailbox was listed again: the message may have another UID now, or be gone. */
static void
take_new_target (MmContentFetch *fetch)
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

/* TRUE when the mailbox is to be listed, and the message asked for again: somebody waits for it,
 * and that was not tried too often. */
static gboolean
is_worth_relisting (MmContentFetch *fetch)
{
  MmContent *content = fetch->content;

  if (fetch->n_relists == mm_limits_default.relists)
    return FALSE;
  g_mutex_lock (&content->lock);
  gboolean is_wanted = mm_wait_list_is_wanted_locked (content->waits);
  g_mutex_unlock (&content->lock);
  return is_wanted;
}

/* What came has the header of another message: the server may have numbered its messages anew
 * without a word. If it then tells the same of this UID as before, its listing and its octets just
 * differ, unless its UIDs say nothing, or the size speaks against it, too. TRUE when that was seen
 * to. */
static gboolean
is_another_message (MmContentFetch *fetch, GBytes *octets)
{
  MmContent *content = fetch->content;

  if (mm_content_identity_fits (&fetch->target, octets, fetch->ask.is_whole)
      || (fetch->was_doubted && !fetch->target.is_distrusted
          && (!fetch->ask.is_whole || g_bytes_get_size (octets) == fetch->target.size)))
    return FALSE;
  if (fetch->was_doubted)
    {
      mm_content_fetch_fail (fetch, MM_ERROR_MESSAGE_BAD,
                             "the server sends another message in its place");
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
is_doubtful (const MmContentFetch *fetch)
{
  return fetch->target.is_distrusted || fetch->target.is_doubtful;
}

static void
judge_range (MmContentFetch *fetch, GBytes *octets)
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
          mm_content_fetch_free (fetch);
          return;
        }
      fetch->ask = (MmContentAsk){ .is_whole = TRUE };
      mm_content_fetch_send_again (fetch);
      return;
    }
  if (size < fetch->ask.offset
      || length != MIN ((guint64)fetch->ask.length, size - fetch->ask.offset))
    mm_content_fetch_fail (fetch, MM_ERROR_MESSAGE_BAD,
                           "the server sent %" G_GSIZE_FORMAT " octets from %" G_GUINT64_FORMAT
                           " on where there must be %u",
                           length, fetch->ask.offset, fetch->ask.length);
  else if (!(fetch->ask.offset == 0 && is_doubtful (fetch) && is_another_message (fetch, octets)))
    accept (fetch, octets, size);
}

/* The bytes came twice, though in another size than was told. */
static void
accept_other_size (MmContentFetch *fetch)
{
  g_autoptr (GBytes) octets = g_bytes_ref (fetch->first);
  gsize length = g_bytes_get_size (octets);

  if (is_another_message (fetch, octets))
    return;
  mm_log_info ("message %" G_GUINT64_FORMAT " of '%s' on %s has %" G_GSIZE_FORMAT
               " octets, not %" G_GUINT64_FORMAT " as the server had said",
               fetch->content->number, fetch->content->mailbox->path, fetch->content->context->name,
               length, fetch->target.size);
  accept (fetch, octets, length);
}

/* TRUE when @octets are those of the first answer from @offset on. */
static gboolean
repeats_first (const MmContentFetch *fetch, GBytes *octets, gsize offset)
{
  gsize length = g_bytes_get_size (octets);
  gsize first_length = 0;
  const guint8 *first = g_bytes_get_data (fetch->first, &first_length);

  return length <= first_length - offset
         && (length == 0 || memcmp (first + offset, g_bytes_get_data (octets, NULL), length) == 0);
}

static void
ask_again (MmContentFetch *fetch, gboolean is_denied)
{
  fetch->is_denied = is_denied;
  fetch->step = MM_FETCH_STEP_AGAIN;
  mm_content_fetch_send_again (fetch);
}

static void
judge_part (MmContentFetch *fetch, GBytes *octets)
{
  gsize offset = fetch->step == MM_FETCH_STEP_TEXT ? fetch->header_octets : 0;
  gsize end = offset + g_bytes_get_size (octets);

  if (!repeats_first (fetch, octets, offset)
      || (fetch->step == MM_FETCH_STEP_TEXT && end != g_bytes_get_size (fetch->first)))
    ask_again (fetch, TRUE);
  else if (fetch->step == MM_FETCH_STEP_TEXT)
    accept_other_size (fetch);
  else
    {
      fetch->header_octets = end;
      fetch->step = MM_FETCH_STEP_TEXT;
      mm_content_fetch_send_again (fetch);
    }
}

/* Nothing speaks for an empty answer from a server that says that the message is none. */
static gboolean
is_confirmed (const MmContentFetch *fetch, GBytes *octets)
{
  return !fetch->is_denied && g_bytes_get_size (octets) > 0 && g_bytes_equal (fetch->first, octets);
}

static void
judge_whole (MmContentFetch *fetch, GBytes *octets)
{
  gsize length = g_bytes_get_size (octets);

  if (length != fetch->target.size && fetch->step == MM_FETCH_STEP_AGAIN)
    {
      if (fetch->first != NULL && is_confirmed (fetch, octets))
        accept_other_size (fetch);
      else
        mm_content_fetch_fail (
            fetch, MM_ERROR_MESSAGE_BAD,
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
      fetch->step = MM_FETCH_STEP_EXISTS;
      mm_content_fetch_send_again (fetch);
    }
}

/* The server answered without a body. Only a message known to be empty may look like that. */
static void
judge_missing (MmContentFetch *fetch)
{
  if (fetch->step == MM_FETCH_STEP_FIRST && fetch->ask.is_whole && fetch->target.size == 0)
    {
      fetch->is_gone = TRUE;
      fetch->step = MM_FETCH_STEP_EXISTS;
      mm_content_fetch_send_again (fetch);
    }
  else
    fail (fetch, fetch->error);
}

static void
judge_existence (MmContentFetch *fetch)
{
  if (fetch->is_gone && fetch->told_size == 0)
    {
      g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
      accept (fetch, empty, 0);
      return;
    }
  if (fetch->first != NULL && g_bytes_get_size (fetch->first) > 0)
    {
      fetch->step = MM_FETCH_STEP_HEADER;
      mm_content_fetch_send_again (fetch);
    }
  else
    ask_again (fetch, FALSE);
}

/* The server does not tell this part of the message: it can prove nothing. */
static gboolean
is_part_refused (const MmContentFetch *fetch)
{
  return (fetch->step == MM_FETCH_STEP_HEADER || fetch->step == MM_FETCH_STEP_TEXT)
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
is_worth_repeating (MmContentFetch *fetch)
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

void
mm_content_fetch_judge (MmContentFetch *fetch)
{
  if (is_part_refused (fetch))
    ask_again (fetch, FALSE);
  else if (g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MESSAGE_GONE))
    judge_missing (fetch);
  else if (is_worth_repeating (fetch))
    mm_content_fetch_send_again (fetch);
  else if (g_error_matches (fetch->error, MM_ERROR, MM_ERROR_MAILBOX_CHANGED)
           && is_worth_relisting (fetch))
    {
      fetch->n_relists++;
      mm_mailbox_set_stale (fetch->mailbox);
      take_new_target (fetch);
    }
  else if (fetch->error != NULL)
    fail (fetch, fetch->error);
  else if (fetch->step == MM_FETCH_STEP_EXISTS)
    judge_existence (fetch);
  else if (fetch->is_too_much)
    mm_content_fetch_fail (fetch, MM_ERROR_LIMIT,
                           "its %" G_GUINT64_FORMAT
                           " octets, which must be held to be checked, are beyond the "
                           "memory in total, %" G_GSIZE_FORMAT " octets",
                           fetch->announced, mm_limits_default.arriving_octets);
  else
    {
      g_autoptr (GBytes) octets = g_byte_array_free_to_bytes (fetch->arriving);
      fetch->arriving = g_byte_array_new ();
      if (fetch->step == MM_FETCH_STEP_HEADER || fetch->step == MM_FETCH_STEP_TEXT)
        judge_part (fetch, octets);
      else if (fetch->ask.is_whole)
        judge_whole (fetch, octets);
      else
        judge_range (fetch, octets);
    }
}
