// SPDX-License-Identifier: GPL-3.0-or-later
#include "read-ahead-stream.h"

#include <string.h>

#define WINDOW_MIN  4
#define WINDOW_WALK 512
#define WINDOW_MAX  8192

/* A reader that goes on with an interrupted copy leaves out what it has; it is still in order when it
 * goes forward by no more than this beyond what was fetched for it. */
#define SKIP_MAX 64

/* Opens within this time count towards the eighth of a folder. */
#define SWEEP_US (60 * G_USEC_PER_SEC)
#define SWEEP_SHARE 8
#define SWEEP_OPENS_MIN 16
/* So many opens in so short a time are worth a try, or, while other folders are read like that too,
 * so few. */
#define SWEEP_TRY_OPENS      24
#define SWEEP_TRY_OPENS_BUSY 4
#define SWEEP_TRY_US         (5 * G_USEC_PER_SEC)

#define NOT_FOUND G_MAXSIZE

/* The messages of a mailbox in both orders. */
typedef struct
{
  GArray *by_number;  /* Array<guint64 number>, ascending */
  GArray *by_name;    /* Array<guint64 number>, as the names sort */
  guint32 *name_ranks; /* the place in @by_name of each place in @by_number */
  guint generation;   /* of the mailbox when they were made */
  gboolean is_whole;  /* its listing was complete then */
} Orders;

struct MmReadStream
{
  MmMailbox *mailbox; /* borrowed */
  gboolean names_by_number;
  MmReadOrder order;
  Orders orders;       /* empty until the first open */
  gsize cursor;        /* behind the last message opened, in @order */
  gsize front;         /* behind the last message given out */
  guint window;
  guint64 last_number; /* opened last; 0: none */
  gint64 last_open_us;
  guint n_opens;       /* in no order, since @sweep_start_us */
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

static void
clear_orders (Orders *orders)
{
  g_clear_pointer (&orders->by_number, g_array_unref);
  g_clear_pointer (&orders->by_name, g_array_unref);
  g_clear_pointer (&orders->name_ranks, g_free);
}

void
mm_read_stream_reset (MmReadStream *stream)
{
  clear_orders (&stream->orders);
  stream->order = MM_ORDER_UNKNOWN;
  stream->window = WINDOW_MIN;
  stream->last_number = 0;
  stream->n_opens = 0;
}

void
mm_read_stream_free (MmReadStream *stream)
{
  if (stream == NULL)
    return;
  clear_orders (&stream->orders);
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

/* The place of @number in the ascending @numbers; NOT_FOUND when it is not there. */
static gsize
find_number (const GArray *numbers, guint64 number)
{
  gsize low = 0;
  gsize high = numbers->len;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      if (g_array_index (numbers, guint64, middle) < number)
        low = middle + 1;
      else
        high = middle;
    }
  return low < numbers->len && g_array_index (numbers, guint64, low) == number ? low : NOT_FOUND;
}

static GArray *
take_numbers (const GArray *messages)
{
  GArray *numbers = g_array_sized_new (FALSE, FALSE, sizeof (guint64), messages->len);

  for (guint i = 0; i < messages->len; i++)
    g_array_append_val (numbers, g_array_index (messages, MmMessage, i).number);
  return numbers;
}

/* Makes the orders anew when the mailbox has other messages than when they were made. TRUE when it
 * did: places in them mean nothing any more. */
static gboolean
refresh_orders (MmReadStream *stream)
{
  Orders *orders = &stream->orders;
  guint generation = mm_mailbox_get_generation (stream->mailbox);
  gboolean is_whole = mm_mailbox_is_complete (stream->mailbox);

  if (orders->by_number != NULL && orders->generation == generation
      && orders->is_whole == is_whole)
    return FALSE;
  clear_orders (orders);
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (stream->mailbox);
  g_autoptr (GArray) messages = mm_mailbox_dup_messages (stream->mailbox);
  orders->generation = generation;
  orders->is_whole = is_whole;
  orders->by_number = take_numbers (messages);
  g_array_sort (messages, stream->names_by_number ? compare_numbers_as_text : compare_names);
  orders->by_name = take_numbers (messages);
  orders->name_ranks = g_new (guint32, MAX (messages->len, 1));
  for (guint i = 0; i < orders->by_name->len; i++)
    {
      gsize place = find_number (orders->by_number, g_array_index (orders->by_name, guint64, i));
      orders->name_ranks[place] = i;
    }
  return TRUE;
}

static const GArray *
get_sequence (const MmReadStream *stream)
{
  return stream->order == MM_ORDER_NAME ? stream->orders.by_name : stream->orders.by_number;
}

static gsize
find_rank (const MmReadStream *stream, MmReadOrder order, guint64 number)
{
  gsize place = find_number (stream->orders.by_number, number);

  return place != NOT_FOUND && order == MM_ORDER_NAME ? stream->orders.name_ranks[place] : place;
}

static void
take_order (MmReadStream *stream, MmReadOrder order, gsize cursor)
{
  stream->order = order;
  stream->cursor = cursor;
  stream->front = cursor;
}

void
mm_read_stream_begin (MmReadStream *stream, MmReadOrder order, const MmReadStream *previous)
{
  refresh_orders (stream);
  take_order (stream, order, 0);
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
      gsize rank = find_rank (stream, orders[i], number);
      gsize last = stream->last_number != 0 ? find_rank (stream, orders[i], stream->last_number)
                                            : NOT_FOUND;
      if (rank != NOT_FOUND
          && ((is_lister && rank == 0) || (last != NOT_FOUND && rank == last + 1)))
        {
          take_order (stream, orders[i], rank + 1);
          return;
        }
    }
}

static gboolean
advance (MmReadStream *stream, guint64 number)
{
  gsize rank = find_rank (stream, stream->order, number);

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

/* An open in no known order: now the share of the folder that was opened counts. */
static void
count_sweep (MmReadStream *stream, gboolean is_busy, gint64 now_us)
{
  guint try_opens = is_busy ? SWEEP_TRY_OPENS_BUSY : SWEEP_TRY_OPENS;

  if (now_us - stream->sweep_start_us > SWEEP_US)
    {
      stream->sweep_start_us = now_us;
      stream->n_opens = 0;
    }
  stream->n_opens++;
  gboolean is_worth_a_try = stream->n_opens >= try_opens
                            && now_us - stream->sweep_start_us <= SWEEP_TRY_US;
  if (!is_worth_a_try && !mm_read_stream_is_sure (stream))
    return;
  take_order (stream, MM_ORDER_ANY, 0);
  stream->window = WINDOW_MAX;
}

gboolean
mm_read_stream_is_sure (const MmReadStream *stream)
{
  return stream->n_opens >= SWEEP_OPENS_MIN
         && (guint64) stream->n_opens * SWEEP_SHARE >= stream->orders.by_number->len;
}

/* The messages are others than before, or more: the reader goes on behind the last one it opened. */
static void
find_place_again (MmReadStream *stream)
{
  if (stream->order == MM_ORDER_ANY)
    take_order (stream, MM_ORDER_ANY, 0);
  if (stream->order != MM_ORDER_NAME && stream->order != MM_ORDER_NUMBER)
    return;
  gsize rank = find_rank (stream, stream->order, stream->last_number);
  if (rank == NOT_FOUND)
    stream->order = MM_ORDER_UNKNOWN;
  else
    take_order (stream, stream->order, rank + 1);
}

void
mm_read_stream_note_open (MmReadStream *stream, guint64 number, gboolean is_lister,
                          gboolean is_busy, gint64 now_us)
{
  if (refresh_orders (stream))
    find_place_again (stream);

  if (stream->order == MM_ORDER_ANY)
    stream->n_opens++;
  else if (stream->order == MM_ORDER_UNKNOWN || !advance (stream, number))
    {
      if (stream->order != MM_ORDER_UNKNOWN)
        {
          stream->order = MM_ORDER_UNKNOWN;
          stream->window = MAX (stream->window / 2, WINDOW_MIN);
        }
      guess_order (stream, number, is_lister);
      if (stream->order == MM_ORDER_UNKNOWN)
        count_sweep (stream, is_busy, now_us);
    }
  stream->last_number = number;
  stream->last_open_us = now_us;
}

void
mm_read_stream_widen (MmReadStream *stream)
{
  stream->window = MAX (stream->window, WINDOW_WALK);
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
  if (mm_read_stream_is_at_end (stream))
    return 0;
  return g_array_index (get_sequence (stream), guint64, stream->front++);
}

gboolean
mm_read_stream_is_at_end (const MmReadStream *stream)
{
  return stream->order == MM_ORDER_UNKNOWN || stream->front >= get_sequence (stream)->len;
}

gboolean
mm_read_stream_is_passed (const MmReadStream *stream, guint64 number)
{
  if (stream->order == MM_ORDER_ANY)
    return FALSE;
  if (stream->order == MM_ORDER_UNKNOWN)
    return TRUE;
  gsize rank = find_rank (stream, stream->order, number);
  return rank == NOT_FOUND || rank + SKIP_MAX < stream->cursor;
}
