// SPDX-License-Identifier: GPL-3.0-or-later
/* What is fetched ahead, how much of it, and what is held until its reader comes. */
#include "read-ahead-private.h"

/* One command asks for so much; several are in flight. */
#define COMMAND_OCTETS   (1024 * 1024)
#define COMMAND_MESSAGES 128
/* A message larger than this has a command for itself: the server answers by UID, and small ones that the
 * reader wants first must not wait for it. */
#define LARGE_OCTETS (256 * 1024)
/* What a reader in no order may have unread, as a multiple of what it read, until it is sure that it
 * wants all of the folder. That is kept on the disk, not in memory. */
#define TRIAL_SHARE 4

/* A content fetched for a reader that has not come yet. */
typedef struct
{
  MmContent *content; /* owned ref; NULL: the cache holds it */
  MmContentCache *cache; /* borrowed */
  MmContentKey key;
  guint64 octets;      /* asked for */
  MmAheadTally *tally; /* owned ref: of what came */
} Held;

/* ---- what is held ---- */

static void
free_held (gpointer data)
{
  Held *held = data;
  if (held->content == NULL)
    mm_content_cache_release (held->cache, held->key);
  g_clear_pointer (&held->content, mm_content_unref);
  mm_ahead_tally_unref (held->tally);
  g_free (held);
}

GHashTable *
mm_ahead_new_held (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_held);
}

static void
uncount (MmReadAhead *ahead, MmAheadStream *stream, const Held *held)
{
  stream->unread_octets -= held->octets;
  if (held->content == NULL)
    {
      ahead->kept_octets -= held->octets;
      return;
    }
  stream->held_octets -= held->octets;
  ahead->held_octets -= held->octets;
}

void
mm_ahead_release (MmReadAhead *ahead, MmAheadStream *stream, guint64 number)
{
  const Held *held = g_hash_table_lookup (stream->held, &number);

  if (held == NULL)
    return;
  uncount (ahead, stream, held);
  mm_ahead_tally_end (held->tally, TRUE);
  g_hash_table_remove (stream->held, &number);
}

void
mm_ahead_release_all (MmReadAhead *ahead, MmAheadStream *stream)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, stream->held);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    mm_ahead_tally_end (((const Held *) value)->tally, FALSE);
  ahead->held_octets -= stream->held_octets;
  ahead->kept_octets -= stream->unread_octets - stream->held_octets;
  stream->held_octets = 0;
  stream->unread_octets = 0;
  g_hash_table_remove_all (stream->held);
}

/* A reader in order comes for it soon: it stays in memory. For others it stays in the cache. What comes of
 * it is to be counted in what is returned. (transfer none) */
static MmAheadTally *
hold (MmReadAhead *ahead, MmAheadStream *stream, guint64 number, MmContent *content, guint64 octets)
{
  gboolean in_memory = mm_read_stream_get_order (stream->way) != MM_ORDER_ANY;
  Held *held = g_new (Held, 1);

  held->content = in_memory ? mm_content_ref (content) : NULL;
  held->cache = ahead->context->cache;
  held->key = mm_content_get_key (content);
  held->octets = octets;
  held->tally = mm_ahead_tally_new (ahead->context->statistics);
  stream->unread_octets += octets;
  if (in_memory)
    {
      stream->held_octets += octets;
      ahead->held_octets += octets;
    }
  else
    {
      ahead->kept_octets += octets;
      mm_content_cache_hold (held->cache, held->key);
    }
  g_hash_table_insert (stream->held, g_memdup2 (&number, sizeof number), held);
  return held->tally;
}

/* What the reader passed without opening it, it will not open any more. */
void
mm_ahead_release_passed (MmReadAhead *ahead, MmAheadStream *stream)
{
  GHashTableIter iter;
  gpointer key;
  gpointer value;

  g_hash_table_iter_init (&iter, stream->held);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      if (!mm_read_stream_is_passed (stream->way, *(guint64 *) key))
        continue;
      uncount (ahead, stream, value);
      mm_ahead_tally_end (((const Held *) value)->tally, FALSE);
      g_hash_table_iter_remove (&iter);
    }
}

/* ---- fetching ahead ---- */

/* Adds the next message of the stream to the command; FALSE when there is none, or no room in the
 * budget. */
static gboolean
collect_next (MmReadAhead *ahead, MmAheadStream *stream, GPtrArray *contents, GArray *asks)
{
  guint64 number = mm_read_stream_next (stream->way);
  MmMessage message;
  MmContentAsk ask;

  if (number == 0)
    return FALSE;
  if (g_hash_table_contains (stream->held, &number)
      || !mm_mailbox_get_message (stream->mailbox, number, &message) || message.is_stored)
    return TRUE;
  /* Until a message was read beyond its beginning, nothing says that large ones will be. */
  gboolean only_head = !stream->reads_whole || stream->is_guess;
  MmContent *content = mm_content_table_open (ahead->contents, stream->mailbox, number);
  if (mm_content_mark_ahead (content, only_head, &ask))
    {
      guint64 octets = ask.is_whole ? message.size : ask.length;
      ask.tally = hold (ahead, stream, number, content, octets);
      g_ptr_array_add (contents, content);
      g_array_append_val (asks, ask);
    }
  else
    mm_content_unref (content);
  return TRUE;
}

/* A command was answered. */
typedef struct
{
  MmReadAhead *ahead;
  MmMailbox *mailbox;
  guint64 octets;
} Flight;

static void
on_flight_done (gpointer user_data)
{
  g_autofree Flight *flight = user_data;
  mm_ahead_note_fetched (flight->ahead, flight->mailbox, flight->octets);
}

static void
send_part (MmReadAhead *ahead, MmAheadStream *stream, const GPtrArray *contents,
           const GArray *asks, guint first, guint n, guint64 octets)
{
  Flight *flight = g_new (Flight, 1);

  *flight = (Flight){ ahead, stream->mailbox, octets };
  ahead->flying_octets += octets;
  mm_content_start_fetches (stream->mailbox, (MmContent *const *) contents->pdata + first,
                            (MmContentAsk *) asks->data + first, n, on_flight_done, flight);
}

/* Sends one command's worth, a large message at its end as a command of its own; FALSE when there is
 * nothing to send. */
static gboolean
send_command (MmReadAhead *ahead, MmAheadStream *stream, guint64 room_octets)
{
  g_autoptr (GPtrArray) contents
      = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_content_unref);
  g_autoptr (GArray) asks = g_array_new (FALSE, FALSE, sizeof (MmContentAsk));
  guint64 before = stream->unread_octets;
  guint64 limit = MIN (room_octets, COMMAND_OCTETS);
  gboolean in_order = mm_read_stream_get_order (stream->way) != MM_ORDER_ANY;
  guint window = mm_read_stream_get_window (stream->way);
  guint64 last_octets = 0;

  while (contents->len < COMMAND_MESSAGES && stream->unread_octets - before < limit
         && last_octets <= LARGE_OCTETS
         && (!in_order || g_hash_table_size (stream->held) < window))
    {
      guint64 until_now = stream->unread_octets;
      if (!collect_next (ahead, stream, contents, asks))
        break;
      last_octets = stream->unread_octets - until_now;
    }
  if (contents->len == 0)
    return FALSE;
  guint n_large = last_octets > LARGE_OCTETS ? 1 : 0;
  guint n_small = contents->len - n_large;
  guint64 small_octets = stream->unread_octets - before - (n_large > 0 ? last_octets : 0);
  if (n_small > 0)
    send_part (ahead, stream, contents, asks, 0, n_small, small_octets);
  if (n_large > 0)
    send_part (ahead, stream, contents, asks, n_small, 1, last_octets);
  return TRUE;
}

static guint64
subtract (guint64 from, guint64 what)
{
  return what < from ? from - what : 0;
}

/* Those who read in no order and are not sure share a try: what it may bring unread is a multiple of
 * what they read. */
static guint64
get_trial_room (const MmReadAhead *ahead)
{
  GHashTableIter iter;
  gpointer value;
  guint64 read = 0;
  guint64 unread = 0;

  g_hash_table_iter_init (&iter, ahead->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const MmAheadStream *stream = value;
      if (mm_read_stream_get_order (stream->way) != MM_ORDER_ANY)
        continue;
      read += stream->read_octets;
      if (!mm_read_stream_is_sure (stream->way))
        unread += stream->unread_octets;
    }
  return subtract (MAX (MM_AHEAD_BUDGET_OCTETS, TRIAL_SHARE * read), unread);
}

/* Room for another command of a reader in no order: what flies and is not stored yet is in memory;
 * how much may lie unread on the disk depends on how sure it is. */
static guint64
get_sweep_room (const MmReadAhead *ahead, const MmAheadStream *stream)
{
  guint64 flying
      = ahead->flying_octets + ahead->held_octets + (guint64) ahead->context->unstored_octets;
  guint64 room = subtract (MM_AHEAD_BUDGET_OCTETS, flying);

  if (!mm_read_stream_is_sure (stream->way))
    room = MIN (room, get_trial_room (ahead));
  /* The other half is for what is read. */
  room = MIN (room, subtract (mm_content_cache_get_size (ahead->context->cache) / 2,
                              ahead->kept_octets));
  return room >= COMMAND_OCTETS ? room : 0;
}

/* Room for another command, or 0: small ones are not worth their round trip while others are on
 * their way. */
guint64
mm_ahead_get_room (const MmReadAhead *ahead, const MmAheadStream *stream)
{
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_ANY)
    return get_sweep_room (ahead, stream);
  guint64 used = MAX (stream->held_octets + MM_AHEAD_BUDGET_OCTETS - stream->share_octets,
                      ahead->held_octets + (guint64) ahead->context->unstored_octets);
  guint64 room = subtract (MM_AHEAD_BUDGET_OCTETS, used);
  gboolean is_worth_it = room >= MIN (COMMAND_OCTETS, stream->share_octets / 4)
                         && g_hash_table_size (stream->held) * 2
                                <= mm_read_stream_get_window (stream->way);
  return is_worth_it ? room : 0;
}

void
mm_ahead_fill (MmReadAhead *ahead, MmAheadStream *stream)
{
  for (;;)
    {
      guint64 room = mm_ahead_get_room (ahead, stream);
      if (room == 0 || !send_command (ahead, stream, room))
        break;
    }
}
