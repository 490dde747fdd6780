// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of reading ahead, shared by read-ahead.c (what readers do, and what follows from it),
 * read-ahead-fetch.c (what is fetched, and how much of it) and read-ahead-walk.c (which folders are
 * listed). All of it runs on the read-ahead's thread.
 */
#pragma once

#include "read-ahead-stream.h"
#include "read-ahead.h"
#include "reader.h"

/* All that is fetched, or on its way, and not yet read, or not yet on the disk: what a fast wire
 * holds in a round trip of 50 ms, and a small machine can spare. */
#define MM_AHEAD_BUDGET_OCTETS (24 * 1024 * 1024)

/* What is known of the readers of one mailbox. */
typedef struct
{
  MmMailbox *mailbox;  /* borrowed */
  MmReadStream *way;
  GHashTable *held;    /* Map<number *, Held *>: fetched, or on its way, and unread */
  guint64 held_octets;  /* of it, in memory */
  guint64 unread_octets;
  guint64 read_octets;  /* while in no order */
  guint64 share_octets; /* of the budget */
  guint n_heads;       /* messages in a row of which only the beginning was read */
  gboolean reads_whole; /* one was read beyond its beginning */
  gboolean was_listed_ahead; /* tried, once */
  gboolean is_guess;   /* begun before its reader listed the folder */
  guint lister;        /* process that listed the directory last; 0: not known */
} MmAheadStream;

/* The way of a process through the tree of folders. */
typedef struct
{
  guint walker;       /* the process that listed last; 0: none */
  MmMailbox *walked;  /* what it listed last; NULL: a folder without one */
  guint n_walked;     /* folders it listed in a row … */
  gboolean is_read;   /* … and messages were opened meanwhile */
  gint64 noted_us;    /* when it did */
  gint64 listed_us;   /* when the next folders were last listed ahead */
} MmAheadWalk;

struct MmReadAhead
{
  MmContentTable *contents; /* borrowed */
  MmMailContext *context;   /* borrowed */
  MmNextMailboxFunc next_mailbox;
  gpointer next_mailbox_data;
  GThread *thread;
  GAsyncQueue *queue; /* Queue<Note> */

  /* The thread's own. */
  GHashTable *streams; /* Map<MmMailbox, MmAheadStream *> */
  GQueue listed;       /* Queue<MmMailbox>: listed and not read since */
  guint64 held_octets;
  guint64 kept_octets;   /* fetched onto the disk and unread: the cache holds them */
  guint64 flying_octets; /* asked for and not answered yet */
  MmAheadStream *sweep; /* nullable; the one in no order that is being fetched: one mailbox at a
                           time, because changing it costs a round trip */
  guint n_unordered;   /* opens in no order … */
  gint64 unordered_since_us; /* … since then */
  MmReader reader;     /* the last one found, of @reader_thread_id */
  guint reader_thread_id;
  gint64 reader_found_us;
  gint64 released_us;  /* when what was passed over was last looked for */
  MmAheadWalk walk;
};

/* ---- read-ahead.c ---- */

/* The one of @mailbox, made when there is none. */
MmAheadStream *mm_ahead_get_stream (MmReadAhead *ahead, MmMailbox *mailbox);

/* Tells the thread that @octets that were on their way are not any more. Any thread. */
void mm_ahead_note_fetched (MmReadAhead *ahead, MmMailbox *mailbox, guint64 octets);

/* ---- read-ahead-fetch.c ---- */

/* A map for MmAheadStream.held. (transfer full) */
GHashTable *mm_ahead_new_held (void);

/* The reader came for @number, or will not come for anything, or not for what it passed. */
void mm_ahead_release (MmReadAhead *ahead, MmAheadStream *stream, guint64 number);
void mm_ahead_release_all (MmReadAhead *ahead, MmAheadStream *stream);
void mm_ahead_release_passed (MmReadAhead *ahead, MmAheadStream *stream);

/* Room in the budget for another command, in octets; 0 when there is none, or not enough. */
guint64 mm_ahead_get_room (const MmReadAhead *ahead, const MmAheadStream *stream);
/* Sends commands for what comes next in @stream as long as there is room. */
void mm_ahead_fill (MmReadAhead *ahead, MmAheadStream *stream);

/* ---- read-ahead-walk.c ---- */

/* @lister opened the directory of @mailbox (nullable). FALSE when it had done so already. */
gboolean mm_ahead_walk_note_list (MmAheadWalk *walk, MmMailbox *mailbox, guint lister);
/* A message was opened. */
void mm_ahead_walk_note_open (MmReadAhead *ahead, gint64 now_us);
/* Lists the folders that the walk comes to next, if there is one. */
void mm_ahead_walk_on (MmReadAhead *ahead);
/* @reader, or its parent, walks the tree; beyond doubt. */
gboolean mm_ahead_walk_is_by (const MmAheadWalk *walk, const MmReader *reader);
gboolean mm_ahead_walk_is_sure (const MmAheadWalk *walk, const MmReader *reader);
