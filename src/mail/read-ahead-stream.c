// SPDX-License-Identifier: GPL-3.0-or-later
#include "read-ahead-stream.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_MIN 4
#define WINDOW_MAX 8192

/* A reader that goes on with an interrupted copy leaves out what it has; it is still in order when it
 * goes forward by no more than this beyond what was fetched for it. */
#define SKIP_MAX 64

/* Opens within this time count towards the eighth of a folder. */
#define SWEEP_US (60 * G_USEC_PER_SEC)
#define SWEEP_SHARE 8
#define SWEEP_OPENS_MIN 16

#define NOT_FOUND G_MAXSIZE

struct MmReadStream
{
  MmMailbox *mailbox; /* borrowed */
  gboolean names_by_number;
  MmReadOrder order;
  GArray *sequence;     /* nullable; Array<guint64 number> in @order */
  guint generation;     /* of the mailbox when @sequence was made */
  gsize cursor;         /* behind the last message opened */
  gsize front;          /* behind the last message given out */
  guint window;
  guint64 last_number;  /* opened last; 0: none */
  gint64 last_open_us;
  guint n_opens;        /* in no order, since @sweep_start_us */
  gint64 sweep_start_us;
};

MmReadStream *
mm_read_stream_new (MmMailbox *mailbox, gboolean names_by_number)
{
  MmReadStream *stream = g_new0 (MmReadStream, 1);

  stream->mailbox = mailbox;
  stream->names_by_number = names_by_number;
  stream->window = WINDOW_MIN;
  return stream;
}

void
mm_read_stream_free (MmReadStream *stream)
{
  if (stream == NULL)
    return;
  g_clear_pointer (&stream->sequence, g_array_unref);
  g_free (stream);
}

/* ---- orders ---- */

static gint
compare_numbers_as_text (gconstpointer a, gconstpointer b)
{
  gchar first[24];
  gchar second[24];

  g_snprintf (first, sizeof first, "%" G_GUINT64_FORMAT ".", ((const MmMessage *) a)->number);
  g_snprintf (second, sizeof second, "%" G_GUINT64_FORMAT ".", ((const MmMessage *) b)->number);
  return strcmp (first, second);
}

static gint64
get_day (const MmMessage *message)
{
  gint64 seconds = message->internaldate;
  return (seconds - (seconds < 0 ? 86399 : 0)) / 86400;
}

/* As the names YYYY-MM-DD_stem_NUMBER.eml sort, without building them where the day decides. */
static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const MmMessage *first = a;
  const MmMessage *second = b;
  gint64 first_day = get_day (first);
  gint64 second_day = get_day (second);

  if (first_day != second_day)
    return first_day < second_day ? -1 : 1;
  gchar first_rest[320];
  gchar second_rest[320];
  g_snprintf (first_rest, sizeof first_rest, "%s%s%" G_GUINT64_FORMAT ".",
              first->stem != NULL ? first->stem : "", first->stem != NULL ? "_" : "",
              first->number);
  g_snprintf (second_rest, sizeof second_rest, "%s%s%" G_GUINT64_FORMAT ".",
              second->stem != NULL ? second->stem : "", second->stem != NULL ? "_" : "",
              second->number);
  return strcmp (first_rest, second_rest);
}

static GArray *
make_sequence (const MmReadStream *stream, MmReadOrder order)
{
  g_autoptr (GArray) messages = mm_mailbox_dup_messages (stream->mailbox);
  GArray *sequence = g_array_sized_new (FALSE, FALSE, sizeof (guint64), messages->len);

  if (order == MM_ORDER_NAME)
    g_array_sort (messages, stream->names_by_number ? compare_numbers_as_text : compare_names);
  for (guint i = 0; i < messages->len; i++)
    g_array_append_val (sequence, g_array_index (messages, MmMessage, i).number);
  return sequence;
}

static gsize
find_in (const GArray *sequence, guint64 number, gsize near)
{
  /* Nearly always the reader is where it was expected. */
  for (gsize i = near; i < sequence->len; i++)
    if (g_array_index (sequence, guint64, i) == number)
      return i;
  for (gsize i = MIN (near, sequence->len); i-- > 0;)
    if (g_array_index (sequence, guint64, i) == number)
      return i;
  return NOT_FOUND;
}

static void
take_order (MmReadStream *stream, MmReadOrder order, GArray *sequence, gsize cursor)
{
  g_clear_pointer (&stream->sequence, g_array_unref);
  stream->order = order;
  stream->sequence = sequence;
  stream->generation = mm_mailbox_get_generation (stream->mailbox);
  stream->cursor = cursor;
  stream->front = cursor;
}

void
mm_read_stream_begin (MmReadStream *stream, MmReadOrder order, const MmReadStream *previous)
{
  take_order (stream, order, make_sequence (stream, order), 0);
  stream->window = previous->window;
  stream->last_open_us = previous->last_open_us;
}

/* ---- opens ---- */

/* A first open tells an order when it is the order's first message, or when the reader goes on behind
 * the last one. Where both orders fit, the name's is taken: in most mailboxes they are the same. */
static void
guess_order (MmReadStream *stream, guint64 number, gboolean is_lister)
{
  static const MmReadOrder orders[] = { MM_ORDER_NAME, MM_ORDER_NUMBER };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      GArray *sequence = make_sequence (stream, orders[i]);
      gsize rank = find_in (sequence, number, 0);
      gsize last = stream->last_number != 0 ? find_in (sequence, stream->last_number, rank)
                                            : NOT_FOUND;
      gboolean fits = rank != NOT_FOUND
                      && ((is_lister && rank == 0) || (last != NOT_FOUND && rank == last + 1));
      if (fits)
        {
          take_order (stream, orders[i], sequence, rank + 1);
          return;
        }
      g_array_unref (sequence);
    }
}

static gboolean
advance (MmReadStream *stream, guint64 number)
{
  gsize rank = find_in (stream->sequence, number, stream->cursor);

  if (rank == NOT_FOUND)
    return FALSE;
  /* Several readers side by side open slightly out of order. */
  if (rank < stream->cursor)
    return stream->cursor - rank <= SKIP_MAX;
  if (rank > MAX (stream->front, stream->cursor) + SKIP_MAX)
    return FALSE;
  stream->cursor = rank + 1;
  stream->front = MAX (stream->front, stream->cursor);
  stream->window = MIN (stream->window * 2, WINDOW_MAX);
  return TRUE;
}

/* The first in no known order, which is when the share of the folder that was opened counts. */
static void
count_sweep (MmReadStream *stream, gint64 now_us)
{
  if (now_us - stream->sweep_start_us > SWEEP_US)
    {
      stream->sweep_start_us = now_us;
      stream->n_opens = 0;
    }
  stream->n_opens++;
  if (stream->n_opens < SWEEP_OPENS_MIN)
    return;
  guint64 n_messages = 0;
  guint64 octets = 0;
  mm_mailbox_get_totals (stream->mailbox, &n_messages, &octets);
  if ((guint64) stream->n_opens * SWEEP_SHARE < n_messages)
    return;
  take_order (stream, MM_ORDER_ANY, make_sequence (stream, MM_ORDER_NUMBER), 0);
  stream->window = WINDOW_MAX;
}

void
mm_read_stream_note_open (MmReadStream *stream, guint64 number, gboolean is_lister, gint64 now_us)
{
  if (stream->sequence != NULL && stream->order != MM_ORDER_ANY
      && stream->generation != mm_mailbox_get_generation (stream->mailbox))
    stream->order = MM_ORDER_UNKNOWN;

  if (stream->order == MM_ORDER_ANY)
    stream->cursor = stream->front;
  else if (stream->order == MM_ORDER_UNKNOWN || !advance (stream, number))
    {
      if (stream->order != MM_ORDER_UNKNOWN)
        {
          stream->order = MM_ORDER_UNKNOWN;
          stream->window = MAX (stream->window / 2, WINDOW_MIN);
        }
      guess_order (stream, number, is_lister);
      if (stream->order == MM_ORDER_UNKNOWN)
        count_sweep (stream, now_us);
    }
  stream->last_number = number;
  stream->last_open_us = now_us;
}

MmReadOrder
mm_read_stream_get_order (const MmReadStream *stream)
{
  return stream->order;
}

gint64
mm_read_stream_get_last_open_us (const MmReadStream *stream)
{
  return stream->last_open_us;
}

guint
mm_read_stream_get_window (const MmReadStream *stream)
{
  return stream->window;
}

guint64
mm_read_stream_next (MmReadStream *stream)
{
  if (stream->order == MM_ORDER_UNKNOWN || mm_read_stream_is_at_end (stream))
    return 0;
  return g_array_index (stream->sequence, guint64, stream->front++);
}

gboolean
mm_read_stream_is_at_end (const MmReadStream *stream)
{
  return stream->sequence == NULL || stream->front >= stream->sequence->len;
}

gboolean
mm_read_stream_is_passed (const MmReadStream *stream, guint64 number)
{
  if (stream->order == MM_ORDER_ANY)
    return FALSE;
  if (stream->order == MM_ORDER_UNKNOWN)
    return TRUE;
  gsize rank = find_in (stream->sequence, number, stream->cursor);
  return rank == NOT_FOUND || rank + SKIP_MAX < stream->cursor;
}
