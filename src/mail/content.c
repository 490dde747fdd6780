// SPDX-License-Identifier: GPL-3.0-or-later
#include "content-private.h"

#include <string.h>

#include <mailmount/log.h>

#include "message-id.h"

/* A header longer than this is not searched for its Message-ID. */
#define HEADER_OCTETS_MAX (64 * 1024)
/* Ranges asked for at once, ahead of a reader. */
#define ASKS_AHEAD_MAX 8

/* ---- what is here ---- */

/* The piece in memory that holds the octet at @offset; NULL when none does. */
static const MmContentPiece *
find_piece_locked (const MmContent *content, guint64 offset)
{
  for (guint i = 0; i < content->pieces->len; i++)
    {
      const MmContentPiece *piece = &g_array_index (content->pieces, MmContentPiece, i);
      if (piece->offset <= offset && offset - piece->offset < g_bytes_get_size (piece->octets))
        return piece;
    }
  return NULL;
}

/* How many octets from @offset on, at most @length, can be read without a gap. */
static guint64
count_readable_locked (const MmContent *content, guint64 offset, guint64 length)
{
  guint64 end = offset + length;
  guint64 position = offset;

  while (position < end)
    {
      const MmContentPiece *piece = find_piece_locked (content, position);
      guint64 next = position;
      if (piece != NULL)
        next = piece->offset + g_bytes_get_size (piece->octets);
      else if (content->file != NULL)
        {
          next = mm_content_file_has_range (content->file, position, 1)
                     ? mm_content_file_get_first_gap (content->file, position)
                     : position;
        }
      if (next == position)
        break;
      position = next;
    }
  return MIN (position, end) - offset;
}

/* Copies [offset, offset + size), which is known to be readable. Memory first: what is in a piece
 * may be on its way to the file. */
static gboolean
copy_locked (MmContent *content, guint8 *buffer, gsize size, guint64 offset, GError **error)
{
  while (size > 0)
    {
      const MmContentPiece *piece = find_piece_locked (content, offset);
      gsize copied;

      if (piece != NULL)
        {
          gsize length = 0;
          const guint8 *data = g_bytes_get_data (piece->octets, &length);
          gsize skipped = offset - piece->offset;
          copied = MIN (size, length - skipped);
          memcpy (buffer, data + skipped, copied);
        }
      else
        {
          guint64 here = mm_content_file_get_first_gap (content->file, offset) - offset;
          gssize n = mm_content_file_pread (content->file, buffer, MIN (size, here), offset, error);
          if (n <= 0)
            {
              if (n == 0)
                g_set_error_literal (error, MM_ERROR, MM_ERROR_CACHE,
                                     "the cached file is shorter than it was");
              return FALSE;
            }
          copied = (gsize) n;
        }
      buffer += copied;
      offset += copied;
      size -= copied;
    }
  return TRUE;
}

/* [offset, offset + size), which is known to be readable: a view of the piece that holds all of it,
 * or a copy. What the cache lost, or somebody took from it, comes from the server again: NULL. */
static GBytes *
get_octets_or_drop_file_locked (MmContent *content, gsize size, guint64 offset)
{
  const MmContentPiece *piece = find_piece_locked (content, offset);
  g_autoptr (GError) error = NULL;

  if (piece != NULL && offset + size <= piece->offset + g_bytes_get_size (piece->octets))
    return g_bytes_new_from_bytes (piece->octets, offset - piece->offset, size);

  g_autofree guint8 *buffer = g_malloc (MAX (size, 1));
  if (copy_locked (content, buffer, size, offset, &error))
    return g_bytes_new_take (g_steal_pointer (&buffer), size);
  mm_log_warning ("%s: a message in the cache cannot be read and is fetched again: %s",
                  content->context->name, error->message);
  g_clear_pointer (&content->file, mm_content_file_unref);
  return NULL;
}

/* ---- what is to be asked for ---- */

static gboolean
is_on_its_way_locked (const MmContent *content, guint64 offset)
{
  if (content->is_fetching_whole)
    return TRUE;
  for (guint i = 0; i < content->spans->len; i++)
    {
      const MmContentSpan *span = &g_array_index (content->spans, MmContentSpan, i);
      if (span->offset <= offset && offset - span->offset < span->length)
        return TRUE;
    }
  return FALSE;
}

static gboolean
mark_whole_locked (MmContent *content, MmContentAsk *out_ask)
{
  if (content->is_fetching_whole)
    return FALSE;
  content->is_fetching_whole = TRUE;
  *out_ask = (MmContentAsk){ .is_whole = TRUE };
  return TRUE;
}

static gboolean
mark_range_locked (MmContent *content, guint64 offset, guint64 length, guint64 probe_size,
                   MmContentAsk *out_ask)
{
  MmContentSpan span = { offset, length };

  if (is_on_its_way_locked (content, offset))
    return FALSE;
  g_array_append_val (content->spans, span);
  *out_ask = (MmContentAsk){ .offset = offset, .length = (guint32) length,
                             .probe_size = probe_size };
  return TRUE;
}

/* Asks for what proves the size, and with it the first octets: @hint is the size the server gave. */
static gboolean
mark_for_size_locked (MmContent *content, guint64 hint, MmContentAsk *out_ask)
{
  if (content->is_whole_only || hint <= MM_CONTENT_WHOLE_OCTETS_MAX)
    return mark_whole_locked (content, out_ask);
  return mark_range_locked (content, 0, MM_CONTENT_FIRST_RANGE_OCTETS, hint, out_ask);
}

/* The first octet from @offset on that is neither here nor on its way. */
static guint64
find_unasked_locked (const MmContent *content, guint64 offset)
{
  for (;;)
    {
      guint64 next = offset + count_readable_locked (content, offset, content->size - offset);

      for (guint i = 0; i < content->spans->len; i++)
        {
          const MmContentSpan *span = &g_array_index (content->spans, MmContentSpan, i);
          if (span->offset <= next && next - span->offset < span->length)
            next = span->offset + span->length;
        }
      if (next == offset || next >= content->size)
        return MIN (next, content->size);
      offset = next;
    }
}

/* Asks for what a read of @length at @offset lacks and nobody asked for yet. */
static gboolean
mark_for_read_locked (MmContent *content, guint64 offset, guint64 length, MmContentAsk *out_ask)
{
  if (content->is_whole_only || content->size <= MM_CONTENT_WHOLE_OCTETS_MAX)
    return mark_whole_locked (content, out_ask);

  guint64 first = find_unasked_locked (content, offset);
  if (first >= offset + length || first >= content->size)
    return FALSE;
  if (first > 0 && mm_remote_are_ranges_dear (content->context->remote))
    return mark_whole_locked (content, out_ask);
  return mark_range_locked (content, first, MIN (offset + length, content->size) - first, 0,
                            out_ask);
}

/* ---- what readers ask ---- */

static void
start_lookup_or_park_locked (MmContent *content, MmWaiter *waiter, gboolean *out_look_up)
{
  *out_look_up = content->lookup == MM_CONTENT_NOT_LOOKED_UP;
  if (*out_look_up)
    content->lookup = MM_CONTENT_LOOKING_UP;
  mm_wait_list_add_locked (content->waits, waiter);
}

static GError *
new_gone_error (const MmContent *content)
{
  return g_error_new (MM_ERROR, MM_ERROR_MESSAGE_GONE,
                      "message %" G_GUINT64_FORMAT " of '%s' on %s was expunged", content->number,
                      content->mailbox->path, content->context->name);
}

MmTry
mm_content_try_size (MmContent *content, guint64 *out_size, MmWaiter *waiter, GError **error)
{
  MmTry result = MM_TRY_WAIT;
  gboolean look_up = FALSE;
  gboolean fetch = FALSE;
  MmContentAsk ask = { 0 };
  MmMessage message;

  g_mutex_lock (&content->lock);
  if (content->size_is_known)
    result = MM_TRY_DONE;
  else if (!mm_content_get_message (content, &message))
    {
      g_propagate_error (error, new_gone_error (content));
      result = MM_TRY_FAILED;
    }
  /* A size that was proved before needs no look at the disk: often the kernel has the octets, and
   * no read will come. */
  else if (message.size_is_proved)
    {
      content->size_is_known = TRUE;
      content->size = message.size;
      result = MM_TRY_DONE;
    }
  else if (content->lookup != MM_CONTENT_LOOKED_UP)
    start_lookup_or_park_locked (content, waiter, &look_up);
  else
    {
      mm_wait_list_add_locked (content->waits, waiter);
      fetch = mark_for_size_locked (content, message.size, &ask);
    }
  *out_size = content->size;
  g_mutex_unlock (&content->lock);

  if (look_up)
    mm_content_start_lookup (content);
  if (fetch)
    mm_content_start_fetch (content, &ask);
  return result;
}

gboolean
mm_content_has_size (MmContent *content, guint64 size)
{
  g_mutex_lock (&content->lock);
  gboolean has_size = content->size_is_known && content->size == size;
  g_mutex_unlock (&content->lock);
  return has_size;
}

/* Whether the reader goes through the message in order. Requests come several at a time, and those
 * that waited are tried again, so the furthest end counts. */
static gboolean
note_read_locked (MmContent *content, guint64 offset, guint64 size)
{
  guint64 end = offset + size;

  if (offset == content->sequential_end)
    content->is_sequential = TRUE;
  else if (offset > content->sequential_end)
    {
      content->is_sequential = FALSE;
      content->window_octets = MM_CONTENT_WINDOW_OCTETS_MIN;
    }
  else
    return end == content->sequential_end && content->is_sequential;
  content->sequential_end = end;
  return content->is_sequential;
}

/* The next ranges, asked for while the last ones are being read: as far ahead as the window reaches. A
 * small read at the very beginning (`head`) is no sign that more will follow. */
static gsize
mark_ahead_locked (MmContent *content, guint64 offset, guint64 end,
                   MmContentAsk asks[ASKS_AHEAD_MAX])
{
  gsize n = 0;

  if (content->is_whole_only || (offset == 0 && end <= MM_CONTENT_FIRST_RANGE_OCTETS)
      || mm_remote_are_ranges_dear (content->context->remote))
    return 0;
  guint64 limit = MIN (end + content->window_octets, content->size);
  for (guint64 next = find_unasked_locked (content, end); n < ASKS_AHEAD_MAX && next < limit;
       next = find_unasked_locked (content, next))
    {
      guint64 length = MIN (MM_CONTENT_RANGE_OCTETS_MAX, content->size - next);
      if (!mark_range_locked (content, next, MIN (length, content->window_octets), 0, &asks[n]))
        break;
      n++;
    }
  if (n > 0)
    content->window_octets = MIN (content->window_octets * 2, MM_CONTENT_WINDOW_OCTETS_MAX);
  return n;
}

MmTry
mm_content_try_read (MmContent *content, gsize size, guint64 offset, GBytes **out_octets,
                     MmWaiter *waiter, GError **error)
{
  guint64 exact_size = 0;
  MmTry result = mm_content_try_size (content, &exact_size, waiter, error);
  MmContentAsk asks[1 + ASKS_AHEAD_MAX];
  gsize n_asks = 0;

  *out_octets = NULL;
  if (result != MM_TRY_DONE)
    return result;
  if (offset >= exact_size)
    {
      *out_octets = g_bytes_new_static ("", 0);
      return MM_TRY_DONE;
    }
  size = MIN (size, exact_size - offset);

  gboolean look_up = FALSE;
  g_mutex_lock (&content->lock);
  gboolean is_sequential = note_read_locked (content, offset, size);
  if (content->lookup != MM_CONTENT_LOOKED_UP && content->pieces->len == 0)
    {
      start_lookup_or_park_locked (content, waiter, &look_up);
      result = MM_TRY_WAIT;
    }
  else if (count_readable_locked (content, offset, size) == size
           && (*out_octets = get_octets_or_drop_file_locked (content, size, offset)) != NULL)
    {
      if (is_sequential)
        n_asks = mark_ahead_locked (content, offset, offset + size, asks);
    }
  else
    {
      mm_wait_list_add_locked (content->waits, waiter);
      n_asks = mark_for_read_locked (content, offset, size, &asks[0]) ? 1 : 0;
      if (is_sequential)
        n_asks += mark_ahead_locked (content, offset, offset + size, asks + n_asks);
      result = MM_TRY_WAIT;
    }
  g_mutex_unlock (&content->lock);

  if (look_up)
    mm_content_start_lookup (content);
  for (gsize i = 0; i < n_asks; i++)
    mm_content_start_fetch (content, &asks[i]);
  return result;
}

void
mm_content_add_reader (MmContent *content)
{
  g_mutex_lock (&content->lock);
  content->n_readers++;
  g_mutex_unlock (&content->lock);
}

void
mm_content_remove_reader (MmContent *content)
{
  g_mutex_lock (&content->lock);
  content->n_readers--;
  g_mutex_unlock (&content->lock);
}

GBytes *
mm_content_take_whole (MmContent *content)
{
  GBytes *whole = NULL;

  g_mutex_lock (&content->lock);
  /* What is as short as this is asked for whole by any read. */
  gboolean is_wanted = content->is_wanted_whole ? content->size <= MM_CONTENT_WHOLE_OCTETS_MAX
                                                : content->size <= MM_CONTENT_FIRST_RANGE_OCTETS;
  if (is_wanted && content->n_readers == 1 && content->size_is_known && content->pieces->len == 1)
    {
      GBytes *octets = g_array_index (content->pieces, MmContentPiece, 0).octets;
      if (g_bytes_get_size (octets) == content->size)
        whole = g_bytes_ref (octets);
    }
  g_mutex_unlock (&content->lock);
  return whole;
}

gboolean
mm_content_mark_ahead (MmContent *content, gboolean only_head, MmContentAsk *out_ask)
{
  MmMessage message;
  gboolean is_marked = FALSE;

  /* Looking up verifies, which is the reader's business when the message is here. */
  if (mm_content_cache_has_complete (content->context->cache, mm_content_get_key (content)))
    {
      mm_content_tell_stored (content, TRUE);
      return FALSE;
    }
  g_mutex_lock (&content->lock);
  gboolean look_up = content->lookup == MM_CONTENT_NOT_LOOKED_UP;
  if (look_up)
    content->lookup = MM_CONTENT_LOOKING_UP;
  g_mutex_unlock (&content->lock);
  if (look_up)
    mm_content_look_up (content);

  if (!mm_content_get_message (content, &message))
    return FALSE;
  g_mutex_lock (&content->lock);
  gboolean is_untouched = content->lookup == MM_CONTENT_LOOKED_UP && content->file == NULL
                          && content->pieces->len == 0 && content->spans->len == 0;
  content->is_wanted_whole |= !only_head;
  if (is_untouched && only_head && message.size > MM_CONTENT_WHOLE_OCTETS_MAX)
    is_marked = mark_for_size_locked (content, message.size, out_ask);
  else if (is_untouched
           && (content->is_whole_only || message.size <= MM_CONTENT_AHEAD_OCTETS_MAX))
    is_marked = mark_whole_locked (content, out_ask);
  else if (is_untouched)
    is_marked = mark_range_locked (content, 0, MM_CONTENT_RANGE_OCTETS_MAX, message.size, out_ask);
  g_mutex_unlock (&content->lock);
  return is_marked;
}

gchar *
mm_content_peek_message_id (MmContent *content)
{
  g_autofree gchar *header = g_malloc (HEADER_OCTETS_MAX);
  gchar *id = NULL;

  g_mutex_lock (&content->lock);
  if (content->size_is_known)
    {
      gsize length = count_readable_locked (content, 0, MIN (content->size, HEADER_OCTETS_MAX));
      if (length > 0 && copy_locked (content, (guint8 *) header, length, 0, NULL))
        id = mm_message_id_find (header, length, length == content->size);
    }
  g_mutex_unlock (&content->lock);
  return id;
}
