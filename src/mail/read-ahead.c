// SPDX-License-Identifier: GPL-3.0-or-later
#include "read-ahead.h"

#include <mailmount/clock.h>

#include "read-ahead-stream.h"
#include "reader.h"

/* All that is fetched, or on its way, and not yet read, or not yet on the disk: about what the fastest wire holds in a round
 * trip of 50 ms, and within what a small machine can spare. */
#define BUDGET_OCTETS (16 * 1024 * 1024)
/* A stream begins with this much of it and doubles its share with every open in order. */
#define SHARE_OCTETS_MIN (512 * 1024)
/* One command asks for so much; several are in flight. */
#define COMMAND_OCTETS   (1024 * 1024)
#define COMMAND_MESSAGES 128
/* What a reader in no order may have unread, as a multiple of what it read, until it is sure that it
 * wants all of the folder. That is kept on the disk, not in memory. */
#define TRIAL_SHARE 4
/* A reader that opened nothing for so long is gone. */
#define GONE_US (10 * G_USEC_PER_SEC)
/* So many messages in a row of which only the beginning was read: only beginnings are fetched. */
#define HEADS_IN_A_ROW 2
/* Folders that were listed and not yet read, remembered in the order of their listing. */
#define LISTED_MAX 4096
/* A process that listed so many folders one after another walks the tree: the next ones are listed
 * before it comes to them. */
#define WALK_FOLDERS_MIN 2
#define WALK_AHEAD_MAX   8
/* Of a folder that will be read next only if the walk goes on so, this much is fetched. */
#define GUESS_OCTETS (128 * 1024)

typedef enum
{
  NOTE_LIST,
  NOTE_OPEN,
  NOTE_CLOSE,
  NOTE_FETCHED,
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

/* A content fetched for a reader that has not come yet. */
typedef struct
{
  MmContent *content; /* owned ref; NULL: it will be found on the disk */
  guint64 octets;
} Held;

typedef struct
{
  MmMailbox *mailbox;  /* borrowed */
  MmReadStream *way;
  GHashTable *held;    /* Map<number *, Held *>: unread */
  guint64 held_octets;  /* of it, in memory */
  guint64 unread_octets;
  guint64 read_octets;  /* while in no order */
  guint64 share_octets; /* of the budget */
  guint n_heads;       /* messages in a row of which only the beginning was read */
  gboolean reads_whole; /* one was read beyond its beginning */
  gboolean is_guess;   /* begun before its reader listed the folder */
  guint lister;        /* process that listed the directory last; 0: not known */
} Stream;

struct MmReadAhead
{
  MmContentTable *contents; /* borrowed */
  MmMailContext *context;   /* borrowed */
  MmNextMailboxFunc next_mailbox;
  gpointer next_mailbox_data;
  GThread *thread;
  GAsyncQueue *queue; /* Queue<Note> */

  /* The thread's own. */
  GHashTable *streams; /* Map<MmMailbox, Stream *> */
  GQueue listed;       /* Queue<MmMailbox>: listed and not read since */
  guint64 held_octets;
  guint64 flying_octets; /* asked for and not answered yet */
  Stream *sweep;       /* nullable; the one in no order that is being fetched: one mailbox at a time,
                          because changing it costs a round trip */
  guint walker;        /* the process that listed last */
  guint n_walked;      /* folders it listed in a row */
};

static void
push (MmReadAhead *ahead, Note note)
{
  g_async_queue_push (ahead->queue, g_memdup2 (&note, sizeof note));
}

/* ---- what is held ---- */

static void
free_held (gpointer data)
{
  Held *held = data;
  g_clear_pointer (&held->content, mm_content_unref);
  g_free (held);
}

static void
uncount (MmReadAhead *ahead, Stream *stream, const Held *held)
{
  stream->unread_octets -= held->octets;
  if (held->content == NULL)
    return;
  stream->held_octets -= held->octets;
  ahead->held_octets -= held->octets;
}

static void
release (MmReadAhead *ahead, Stream *stream, guint64 number)
{
  const Held *held = g_hash_table_lookup (stream->held, &number);

  if (held == NULL)
    return;
  uncount (ahead, stream, held);
  g_hash_table_remove (stream->held, &number);
}

static void
release_all (MmReadAhead *ahead, Stream *stream)
{
  ahead->held_octets -= stream->held_octets;
  stream->held_octets = 0;
  stream->unread_octets = 0;
  g_hash_table_remove_all (stream->held);
}

/* A reader in order comes for it soon: it stays in memory. */
static void
hold (MmReadAhead *ahead, Stream *stream, MmContent *content, guint64 octets)
{
  gboolean in_memory = mm_read_stream_get_order (stream->way) != MM_ORDER_ANY;
  Held *held = g_new (Held, 1);

  held->content = in_memory ? mm_content_ref (content) : NULL;
  held->octets = octets;
  stream->unread_octets += octets;
  if (in_memory)
    {
      stream->held_octets += octets;
      ahead->held_octets += octets;
    }
  g_hash_table_insert (stream->held, g_memdup2 (&content->number, sizeof content->number), held);
}

/* What the reader passed without opening it, it will not open any more. */
static void
release_passed (MmReadAhead *ahead, Stream *stream)
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
      g_hash_table_iter_remove (&iter);
    }
}

/* ---- streams ---- */

static void
free_stream (gpointer data)
{
  Stream *stream = data;
  mm_read_stream_free (stream->way);
  g_hash_table_unref (stream->held);
  g_free (stream);
}

static Stream *
ensure_stream (MmReadAhead *ahead, MmMailbox *mailbox)
{
  Stream *stream = g_hash_table_lookup (ahead->streams, mailbox);

  if (stream == NULL)
    {
      stream = g_new0 (Stream, 1);
      stream->mailbox = mailbox;
      stream->way = mm_read_stream_new (mailbox, !ahead->context->want_subject);
      stream->held = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_held);
      stream->share_octets = SHARE_OCTETS_MIN;
      g_hash_table_insert (ahead->streams, mailbox, stream);
    }
  return stream;
}

/* Takes the budget back from readers that are gone. */
static void
release_from_the_gone (MmReadAhead *ahead, const Stream *except, gint64 now_us)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, ahead->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Stream *stream = value;
      if (stream != except
          && now_us - mm_read_stream_get_last_open_us (stream->way) > GONE_US)
        {
          release_all (ahead, stream);
          mm_read_stream_reset (stream->way);
          stream->share_octets = SHARE_OCTETS_MIN;
        }
    }
}

/* ---- fetching ahead ---- */

/* Adds the next message of the stream to the command; FALSE when there is none, or no room in the
 * budget. */
static gboolean
collect_next (MmReadAhead *ahead, Stream *stream, GPtrArray *contents, GArray *asks)
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
      hold (ahead, stream, content, octets);
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
  push (flight->ahead, (Note){ .kind = NOTE_FETCHED, .mailbox = flight->mailbox,
                               .size = flight->octets });
}

/* Sends one command's worth; FALSE when there is nothing to send. */
static gboolean
send_command (MmReadAhead *ahead, Stream *stream, guint64 room_octets)
{
  g_autoptr (GPtrArray) contents
      = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_content_unref);
  g_autoptr (GArray) asks = g_array_new (FALSE, FALSE, sizeof (MmContentAsk));
  guint64 before = stream->unread_octets;
  guint64 limit = MIN (room_octets, COMMAND_OCTETS);
  gboolean in_order = mm_read_stream_get_order (stream->way) != MM_ORDER_ANY;
  guint window = mm_read_stream_get_window (stream->way);

  while (contents->len < COMMAND_MESSAGES && stream->unread_octets - before < limit
         && (!in_order || g_hash_table_size (stream->held) < window)
         && collect_next (ahead, stream, contents, asks))
    ;
  if (contents->len == 0)
    return FALSE;
  Flight *flight = g_new (Flight, 1);
  *flight = (Flight){ ahead, stream->mailbox, stream->unread_octets - before };
  ahead->flying_octets += flight->octets;
  mm_content_start_fetches ((MmContent *const *) contents->pdata, (MmContentAsk *) asks->data,
                            contents->len, on_flight_done, flight);
  return TRUE;
}

static guint64
subtract (guint64 from, guint64 what)
{
  return what < from ? from - what : 0;
}

/* Room for another command of a reader in no order: what flies and is not stored yet is in memory;
 * how much may lie unread on the disk depends on how sure it is. */
static guint64
get_sweep_room (const MmReadAhead *ahead, const Stream *stream)
{
  guint64 flying
      = ahead->flying_octets + ahead->held_octets + (guint64) ahead->context->unstored_octets;
  guint64 room = subtract (BUDGET_OCTETS, flying);

  if (!mm_read_stream_is_sure (stream->way))
    room = MIN (room, subtract (MAX (BUDGET_OCTETS, TRIAL_SHARE * stream->read_octets),
                                stream->unread_octets));
  return room >= COMMAND_OCTETS ? room : 0;
}

/* Room for another command, or 0: small ones are not worth their round trip while others are on
 * their way. */
static guint64
get_room (const MmReadAhead *ahead, const Stream *stream)
{
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_ANY)
    return get_sweep_room (ahead, stream);
  guint64 used = MAX (stream->held_octets + BUDGET_OCTETS - stream->share_octets,
                      ahead->held_octets + (guint64) ahead->context->unstored_octets);
  guint64 room = subtract (BUDGET_OCTETS, used);
  gboolean is_worth_it = room >= MIN (COMMAND_OCTETS, stream->share_octets / 4)
                         && g_hash_table_size (stream->held) * 2
                                <= mm_read_stream_get_window (stream->way);
  return is_worth_it ? room : 0;
}

static void
fill (MmReadAhead *ahead, Stream *stream)
{
  for (;;)
    {
      guint64 room = get_room (ahead, stream);
      if (room == 0 || !send_command (ahead, stream, room))
        break;
    }
}

/* The folder that @reader will read after @mailbox: the one that it listed next, or, while it walks
 * the tree, the next in the tree. NULL when that is not known, or not listed yet. */
static MmMailbox *
find_next_folder (MmReadAhead *ahead, MmMailbox *mailbox, const MmReader *reader,
                  gboolean *out_is_guess)
{
  MmMailbox *next = NULL;

  for (GList *link = ahead->listed.head; link != NULL && next == NULL; link = link->next)
    if (mm_reader_is_served_by (reader, ensure_stream (ahead, link->data)->lister))
      next = link->data;
  *out_is_guess = next == NULL;
  if (next == NULL && ahead->n_walked >= WALK_FOLDERS_MIN
      && mm_reader_is_served_by (reader, ahead->walker))
    next = ahead->next_mailbox (mailbox, ahead->next_mailbox_data);
  return next != NULL && mm_mailbox_is_complete (next) ? next : NULL;
}

static gboolean
can_sweep (const MmReadAhead *ahead, const Stream *stream)
{
  return mm_read_stream_get_order (stream->way) == MM_ORDER_ANY
         && !mm_read_stream_is_at_end (stream->way) && get_room (ahead, stream) > 0;
}

/* Readers in no order: goes on with the mailbox begun, then with those that have room. */
static void
sweep (MmReadAhead *ahead)
{
  GHashTableIter iter;
  gpointer value;

  if (ahead->sweep != NULL && can_sweep (ahead, ahead->sweep))
    fill (ahead, ahead->sweep);
  g_hash_table_iter_init (&iter, ahead->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (can_sweep (ahead, value))
      {
        ahead->sweep = value;
        fill (ahead, ahead->sweep);
      }
}

/* When all of a folder is on its way, the next one's turn comes. */
static void
go_on_with_next_folder (MmReadAhead *ahead, const Stream *stream, guint thread_id)
{
  MmReadOrder order = mm_read_stream_get_order (stream->way);
  MmReader reader = mm_reader_find (thread_id);

  while (order != MM_ORDER_UNKNOWN && ahead->held_octets < BUDGET_OCTETS / 2)
    {
      gboolean is_guess = FALSE;
      MmMailbox *mailbox = find_next_folder (ahead, stream->mailbox, &reader, &is_guess);
      if (mailbox == NULL)
        return;
      Stream *next = ensure_stream (ahead, mailbox);
      if (mm_read_stream_get_order (next->way) == MM_ORDER_UNKNOWN)
        {
          mm_read_stream_begin (next->way, order, stream->way);
          next->reads_whole = stream->reads_whole;
          next->is_guess = is_guess;
          next->share_octets = is_guess ? GUESS_OCTETS : stream->share_octets;
        }
      fill (ahead, next);
      if (next->is_guess || !mm_read_stream_is_at_end (next->way))
        return;
      g_queue_remove (&ahead->listed, mailbox);
      stream = next;
    }
}

/* The reader came to the folder that was guessed. */
static void
confirm (MmReadAhead *ahead, Stream *stream)
{
  if (!stream->is_guess)
    return;
  stream->is_guess = FALSE;
  stream->share_octets = BUDGET_OCTETS;
  fill (ahead, stream);
}

/* Lists the next folders of the walk: more of them the longer it goes on. */
static void
list_next_folders (MmReadAhead *ahead, MmMailbox *mailbox)
{
  guint n_doublings = MIN (ahead->n_walked - WALK_FOLDERS_MIN, 8);
  guint n_ahead = MIN (1u << n_doublings, WALK_AHEAD_MAX);

  for (guint i = 0; i < n_ahead && mailbox != NULL; i++)
    {
      mailbox = ahead->next_mailbox (mailbox, ahead->next_mailbox_data);
      if (mailbox != NULL)
        mm_mailbox_list_ahead (mailbox);
    }
}

/* ---- notes ---- */

static void
on_list (MmReadAhead *ahead, const Note *note)
{
  guint lister = mm_reader_find (note->thread_id).id;

  ahead->n_walked = lister != 0 && lister == ahead->walker ? ahead->n_walked + 1 : 1;
  ahead->walker = lister;
  if (note->mailbox == NULL)
    return;
  Stream *stream = ensure_stream (ahead, note->mailbox);
  stream->lister = lister;
  confirm (ahead, stream);
  if (ahead->n_walked >= WALK_FOLDERS_MIN)
    list_next_folders (ahead, note->mailbox);
  if (g_queue_find (&ahead->listed, note->mailbox) == NULL
      && ahead->listed.length < LISTED_MAX)
    g_queue_push_tail (&ahead->listed, note->mailbox);
}

static void
on_open (MmReadAhead *ahead, const Note *note)
{
  Stream *stream = ensure_stream (ahead, note->mailbox);
  gint64 now_us = mm_clock_monotonic_us ();
  gboolean is_new = mm_read_stream_get_order (stream->way) == MM_ORDER_UNKNOWN;
  MmReader reader = is_new ? mm_reader_find (note->thread_id) : (MmReader){ 0, 0 };

  g_queue_remove (&ahead->listed, note->mailbox);
  stream->is_guess = FALSE;
  release (ahead, stream, note->number);
  mm_read_stream_note_open (stream->way, note->number,
                            mm_reader_is_served_by (&reader, stream->lister), now_us);
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_UNKNOWN)
    {
      release_all (ahead, stream);
      stream->share_octets = SHARE_OCTETS_MIN;
      stream->read_octets = 0;
      return;
    }
  if (mm_read_stream_get_order (stream->way) == MM_ORDER_ANY)
    {
      sweep (ahead);
      return;
    }
  stream->share_octets = MIN (stream->share_octets * 2, BUDGET_OCTETS);
  if (get_room (ahead, stream) == 0)
    {
      release_passed (ahead, stream);
      release_from_the_gone (ahead, stream, now_us);
    }
  fill (ahead, stream);
  if (mm_read_stream_is_at_end (stream->way))
    go_on_with_next_folder (ahead, stream, note->thread_id);
}

static void
on_close (MmReadAhead *ahead, const Note *note)
{
  Stream *stream = ensure_stream (ahead, note->mailbox);

  stream->read_octets += note->read_octets;
  if (note->read_octets > MM_CONTENT_FIRST_RANGE_OCTETS)
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

static gpointer
work (gpointer data)
{
  MmReadAhead *ahead = data;

  for (;;)
    {
      g_autofree Note *note = g_async_queue_timeout_pop (ahead->queue, GONE_US);

      if (note == NULL)
        {
          release_from_the_gone (ahead, NULL, mm_clock_monotonic_us ());
          continue;
        }
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
