// SPDX-License-Identifier: GPL-3.0-or-later
#include "read-ahead-private.h"

#include <malloc.h>

#include <mailmount/clock.h>

/* A stream begins with this much of it and doubles its share with every open in order. */
#define SHARE_OCTETS_MIN (512 * 1024)
/* That of a process that walks the tree and opens the first message of a folder: enough to go on with
 * until the next answer comes. It copies or searches, and reads messages to their ends. */
#define SHARE_OCTETS_WALK (4 * 1024 * 1024)
/* Of what a line carries within this time, where its rate is limited: others wait for it too. */
#define SHARE_SECONDS 2
/* A reader that opened nothing for so long is gone. */
#define GONE_US (10 * G_USEC_PER_SEC)
/* So many messages in a row of which only the beginning was read: only beginnings are fetched. */
#define HEADS_IN_A_ROW 2
/* Folders that were listed and not yet read, remembered in the order of their listing. */
#define LISTED_MAX 4096
/* The next folder's turn comes when no more than this is held. */
#define GO_ON_OCTETS (MM_AHEAD_BUDGET_OCTETS / 4 * 3)
/* Of a folder that will be read next only if the walk goes on so, this much is fetched. */
#define GUESS_OCTETS (128 * 1024)
/* So many opens in no order within this time, whichever the folder, are no accident. */
#define BUSY_OPENS 48
#define BUSY_US    (5 * G_USEC_PER_SEC)
/* What was passed over is looked for this often while the budget is used up. */
#define RELEASE_PASSED_US (50 * 1000)
/* Who a thread belongs to is asked again after this. */
#define READER_US (G_USEC_PER_SEC)
/* Between notes that come by the thousand the thread naps, so that each need not wake it: what is on
 * its way lasts much longer. */
#define NAP_US 1000

typedef enum
{
  NOTE_LIST,
  NOTE_OPEN,
  NOTE_CLOSE,
  NOTE_FETCHED,
  NOTE_GONE,
  NOTE_END,
} NoteKind;

typedef struct
{
  NoteKind kind;
  MmMailbox *mailbox; /* borrowed */
  guint64 number;
  guint thread_id;
  guint64 read_octets;
  guint64 size;
} Note;

static void
push (MmReadAhead *ahead, Note note)
{
  g_async_queue_push (ahead->queue, g_memdup2 (&note, sizeof note));
}

void
mm_ahead_note_fetched (MmReadAhead *ahead, MmMailbox *mailbox, guint64 octets)
{
  push (ahead, (Note){ .kind = NOTE_FETCHED, .mailbox = mailbox, .size = octets });
}

/* ---- streams ---- */

static void
free_stream (gpointer data)
{
  MmAheadStream *stream = data;
  mm_read_stream_free (stream->way);
  g_hash_table_unref (stream->held);
  g_free (stream);
}

MmAheadStream *
mm_ahead_get_stream (MmReadAhead *ahead, MmMailbox *mailbox)
{
  MmAheadStream *stream = g_hash_table_lookup (ahead->streams, mailbox);

  if (stream == NULL)
    {
      stream = g_new0 (MmAheadStream, 1);
      stream->mailbox = mailbox;
      stream->way = mm_read_stream_new (mailbox, !ahead->context->want_subject);
      stream->held = mm_ahead_new_held ();
      stream->share_octets = SHARE_OCTETS_MIN;
      g_hash_table_insert (ahead->streams, mailbox, stream);
    }
  return stream;
}

/* Takes the budget back from readers that are gone. */
static void
release_from_the_gone (MmReadAhead *ahead, const MmAheadStream *except, gint64 now_us)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, ahead->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      MmAheadStream *stream = value;
      if (stream != except
          && now_us - mm_read_stream_get_last_open_us (stream->way) > GONE_US)
        {
          mm_ahead_release_all (ahead, stream);
          mm_read_stream_reset (stream->way);
          stream->share_octets = SHARE_OCTETS_MIN;
        }
    }
}

static MmReader
find_reader (MmReadAhead *ahead, guint thread_id)
{
  gint64 now_us = mm_clock_monotonic_us ();

  if (thread_id != ahead->reader_thread_id || now_us - ahead->reader_found_us > READER_US)
    {
      ahead->reader = mm_reader_find (thread_id);
      ahead->reader_thread_id = thread_id;
      ahead->reader_found_us = now_us;
    }
  return ahead->reader;
}

/* The folder that @reader will read after @mailbox: the one that it listed next, or, while it walks
 * the tree, the next in the tree. NULL when that is not known, or not listed yet. */
static MmMailbox *
find_next_folder (MmReadAhead *ahead, MmMailbox *mailbox, const MmReader *reader,
                  gboolean *out_is_guess)
{
  MmMailbox *next = NULL;

  for (GList *link = ahead->listed.head; link != NULL && next == NULL; link = link->next)
    if (mm_reader_is_served_by (reader, mm_ahead_get_stream (ahead, link->data)->lister))
      next = link->data;
  *out_is_guess = next == NULL;
  if (next == NULL && mm_ahead_walk_is_by (&ahead->walk, reader))
    next = ahead->next_mailbox (mailbox, ahead->next_mailbox_data);
  return next != NULL && mm_mailbox_is_complete (next) ? next : NULL;
}

static gboolean
can_sweep (const MmReadAhead *ahead, const MmAheadStream *stream)
{
  return mm_read_stream_get_order (stream->way) == MM_ORDER_ANY
         && !mm_read_stream_is_at_end (stream->way) && mm_ahead_get_room (ahead, stream) > 0;
}

/* Readers in no order: goes on with the mailbox begun, then with those that have room. */
static void
sweep (MmReadAhead *ahead)
{
  GHashTableIter iter;
  gpointer value;

  if (ahead->sweep != NULL && can_sweep (ahead, ahead->sweep))
    mm_ahead_fill (ahead, ahead->sweep);
  g_hash_table_iter_init (&iter, ahead->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (can_sweep (ahead, value))
      {
        ahead->sweep = value;
        mm_ahead_fill (ahead, ahead->sweep);
      }
}

/* When all of a folder is on its way, the next one's turn comes. */
static void
go_on_with_next_folder (MmReadAhead *ahead, const MmAheadStream *stream, guint thread_id)
{
  MmReadOrder order = mm_read_stream_get_order (stream->way);
  MmReader reader = find_reader (ahead, thread_id);

  while (order != MM_ORDER_UNKNOWN && ahead->held_octets < GO_ON_OCTETS)
    {
      gboolean is_guess = FALSE;
      MmMailbox *mailbox = find_next_folder (ahead, stream->mailbox, &reader, &is_guess);
      if (mailbox == NULL)
        return;
      MmAheadStream *next = mm_ahead_get_stream (ahead, mailbox);
      if (mm_read_stream_get_order (next->way) == MM_ORDER_UNKNOWN)
        {
          mm_read_stream_begin (next->way, order, stream->way);
          next->reads_whole = stream->reads_whole;
          next->is_guess = is_guess;
          next->share_octets = is_guess ? GUESS_OCTETS : stream->share_octets;
        }
      mm_ahead_fill (ahead, next);
      if (next->is_guess || !mm_read_stream_is_at_end (next->way))
        return;
      g_queue_remove (&ahead->listed, mailbox);
      stream = next;
    }
}

static guint64
get_share_max (const MmReadAhead *ahead)
{
  guint64 bandwidth = ahead->context->bandwidth;

  return bandwidth == 0 ? MM_AHEAD_BUDGET_OCTETS
                        : CLAMP (bandwidth * SHARE_SECONDS, SHARE_OCTETS_MIN, MM_AHEAD_BUDGET_OCTETS);
}

/* The reader came to the folder that was guessed. */
static void
confirm (MmReadAhead *ahead, MmAheadStream *stream)
{
  if (!stream->is_guess)
    return;
  stream->is_guess = FALSE;
  stream->share_octets = get_share_max (ahead);
  mm_ahead_fill (ahead, stream);
}

/* ---- notes ---- */

static void
on_list (MmReadAhead *ahead, const Note *note)
{
  guint lister = find_reader (ahead, note->thread_id).id;

  if (!mm_ahead_walk_note_list (&ahead->walk, note->mailbox, lister))
    return;
  if (note->mailbox == NULL)
    return;
  MmAheadStream *stream = mm_ahead_get_stream (ahead, note->mailbox);
  stream->lister = lister;
  confirm (ahead, stream);
  mm_ahead_walk_on (ahead);
  if (g_queue_find (&ahead->listed, note->mailbox) == NULL
      && ahead->listed.length < LISTED_MAX)
    g_queue_push_tail (&ahead->listed, note->mailbox);
}

/* An open in no order, in whichever folder. TRUE when there were many lately. */
static gboolean
count_unordered (MmReadAhead *ahead, gint64 now_us)
{
  if (now_us - ahead->unordered_since_us > BUSY_US)
    {
      ahead->unordered_since_us = now_us;
      ahead->n_unordered = 0;
    }
  return ++ahead->n_unordered >= BUSY_OPENS;
}

static void
on_open (MmReadAhead *ahead, const Note *note)
{
  MmAheadStream *stream = mm_ahead_get_stream (ahead, note->mailbox);
  gint64 now_us = mm_clock_monotonic_us ();
  gboolean is_new = mm_read_stream_get_order (stream->way) == MM_ORDER_UNKNOWN;
  MmReader reader = is_new ? find_reader (ahead, note->thread_id) : (MmReader){ 0, 0 };

  g_queue_remove (&ahead->listed, note->mailbox);
  mm_ahead_walk_note_open (ahead, now_us);
  stream->is_guess = FALSE;
  mm_ahead_release (ahead, stream, note->number);
  mm_read_stream_note_open (stream->way, note->number,
                            mm_reader_is_served_by (&reader, stream->lister),
                            is_new && count_unordered (ahead, now_us), now_us);
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_UNKNOWN)
    {
      mm_ahead_release_all (ahead, stream);
      stream->share_octets = SHARE_OCTETS_MIN;
      stream->read_octets = 0;
      return;
    }
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_ANY)
    {
      sweep (ahead);
      return;
    }
  if (is_new && mm_ahead_walk_is_sure (&ahead->walk, &reader)
      && get_share_max (ahead) >= SHARE_OCTETS_WALK)
    {
      mm_read_stream_widen (stream->way);
      stream->share_octets = MAX (stream->share_octets, SHARE_OCTETS_WALK / 2);
      stream->reads_whole |= stream->n_heads == 0;
    }
  stream->share_octets = MIN (stream->share_octets * 2, get_share_max (ahead));
  if (mm_ahead_get_room (ahead, stream) == 0 && now_us - ahead->released_us > RELEASE_PASSED_US)
    {
      ahead->released_us = now_us;
      mm_ahead_release_passed (ahead, stream);
      release_from_the_gone (ahead, stream, now_us);
    }
  mm_ahead_fill (ahead, stream);
  if (mm_read_stream_is_at_end (stream->way) && ahead->held_octets < GO_ON_OCTETS)
    go_on_with_next_folder (ahead, stream, note->thread_id);
}

static void
on_close (MmReadAhead *ahead, const Note *note)
{
  MmAheadStream *stream = mm_ahead_get_stream (ahead, note->mailbox);

  stream->read_octets += MIN (note->read_octets, note->size);
  if (note->read_octets == MM_READ_UNKNOWN)
    {
      /* Nobody reads less of a short one. Of others it says nothing. */
      if (note->size <= MM_CONTENT_FIRST_RANGE_OCTETS && stream->n_heads == 0)
        stream->reads_whole = TRUE;
    }
  else if (note->read_octets > MM_CONTENT_FIRST_RANGE_OCTETS)
    {
      stream->reads_whole = TRUE;
      stream->n_heads = 0;
    }
  else if (note->size > MM_CONTENT_FIRST_RANGE_OCTETS && ++stream->n_heads >= HEADS_IN_A_ROW)
    stream->reads_whole = FALSE;
  else if (note->read_octets >= note->size && stream->n_heads == 0)
    stream->reads_whole = TRUE;
}

static void
on_fetched (MmReadAhead *ahead, const Note *note)
{
  ahead->flying_octets -= note->size;
  /* A reader in order asks for more by opening. In no order it would open what is not here yet. */
  sweep (ahead);
}

static void
on_gone (MmReadAhead *ahead, MmMailbox *mailbox)
{
  MmAheadStream *stream = g_hash_table_lookup (ahead->streams, mailbox);

  g_queue_remove (&ahead->listed, mailbox);
  if (stream == NULL)
    return;
  mm_ahead_release_all (ahead, stream);
  if (ahead->sweep == stream)
    ahead->sweep = NULL;
  g_hash_table_remove (ahead->streams, mailbox);
}

/* The next note; NULL when none came for a long time. */
static Note *
pop (MmReadAhead *ahead)
{
  Note *note = g_async_queue_try_pop (ahead->queue);

  if (note == NULL)
    {
      g_usleep (NAP_US);
      note = g_async_queue_try_pop (ahead->queue);
    }
  return note != NULL ? note : g_async_queue_timeout_pop (ahead->queue, GONE_US);
}

static gpointer
work (gpointer data)
{
  MmReadAhead *ahead = data;
  gboolean is_tidy = TRUE;

  for (;;)
    {
      g_autofree Note *note = pop (ahead);

      if (note == NULL)
        {
          release_from_the_gone (ahead, NULL, mm_clock_monotonic_us ());
          /* What was read has left holes all over the heap: they go back to the system. */
          if (!is_tidy)
            malloc_trim (0);
          is_tidy = TRUE;
          continue;
        }
      is_tidy = FALSE;
      switch (note->kind)
        {
        case NOTE_LIST:
          on_list (ahead, note);
          break;
        case NOTE_OPEN:
          on_open (ahead, note);
          break;
        case NOTE_CLOSE:
          on_close (ahead, note);
          break;
        case NOTE_FETCHED:
          on_fetched (ahead, note);
          break;
        case NOTE_GONE:
          on_gone (ahead, note->mailbox);
          break;
        case NOTE_END:
          return NULL;
        }
    }
}

/* ---- the outside ---- */

MmReadAhead *
mm_read_ahead_new (MmContentTable *contents, MmMailContext *context,
                   MmNextMailboxFunc next_mailbox, gpointer user_data)
{
  MmReadAhead *ahead = g_new0 (MmReadAhead, 1);

  ahead->contents = contents;
  ahead->context = context;
  ahead->next_mailbox = next_mailbox;
  ahead->next_mailbox_data = user_data;
  ahead->streams = g_hash_table_new_full (NULL, NULL, NULL, free_stream);
  g_queue_init (&ahead->listed);
  ahead->queue = g_async_queue_new_full (g_free);
  ahead->thread = g_thread_new ("mm-read-ahead", work, ahead);
  return ahead;
}

void
mm_read_ahead_stop (MmReadAhead *ahead)
{
  push (ahead, (Note){ .kind = NOTE_END });
  g_thread_join (ahead->thread);
  /* The contents held are the account's to wait for. */
  ahead->sweep = NULL;
  g_hash_table_remove_all (ahead->streams);
}

void
mm_read_ahead_free (MmReadAhead *ahead)
{
  if (ahead == NULL)
    return;
  g_async_queue_unref (ahead->queue);
  g_hash_table_unref (ahead->streams);
  g_queue_clear (&ahead->listed);
  g_free (ahead);
}

void
mm_read_ahead_note_list (MmReadAhead *ahead, MmMailbox *mailbox, guint thread_id)
{
  push (ahead, (Note){ .kind = NOTE_LIST, .mailbox = mailbox, .thread_id = thread_id });
}

void
mm_read_ahead_note_gone (MmReadAhead *ahead, MmMailbox *mailbox)
{
  push (ahead, (Note){ .kind = NOTE_GONE, .mailbox = mailbox });
}

void
mm_read_ahead_note_open (MmReadAhead *ahead, MmMailbox *mailbox, guint64 number, guint thread_id)
{
  push (ahead, (Note){ .kind = NOTE_OPEN, .mailbox = mailbox, .number = number,
                       .thread_id = thread_id });
}

void
mm_read_ahead_note_close (MmReadAhead *ahead, MmMailbox *mailbox, guint64 number,
                          guint64 read_octets, guint64 size)
{
  push (ahead, (Note){ .kind = NOTE_CLOSE, .mailbox = mailbox, .number = number,
                       .read_octets = read_octets, .size = size });
}
