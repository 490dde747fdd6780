// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of a content, shared by content.c (what readers ask), content-fetch.c (from the
 * server), content-disk.c (from and to the cache) and content-table.c (who has it open).
 *
 * Life: a content is made when a message is opened and lives while anyone holds a reference: open
 * handles, running fetches, queued disk jobs.
 */
#pragma once

#include <mailmount/content.h>

#include "mail-context.h"
#include "mailbox-private.h"

/* A message up to this many octets is fetched whole, a larger one by ranges. */
#define MM_CONTENT_WHOLE_OCTETS_MAX (128 * 1024)
/* The first range of a large message, fetched with the proof of its size: `head` needs no more. */
#define MM_CONTENT_FIRST_RANGE_OCTETS (16 * 1024)
/* A message up to this is fetched whole when it is fetched ahead of its reader. */
#define MM_CONTENT_AHEAD_OCTETS_MAX (8 * 1024 * 1024)
/* While reading is sequential, what is asked for ahead of the reader doubles between these, in ranges
 * of at most so much each. */
#define MM_CONTENT_WINDOW_OCTETS_MIN (256 * 1024)
#define MM_CONTENT_WINDOW_OCTETS_MAX (8 * 1024 * 1024)
#define MM_CONTENT_RANGE_OCTETS_MAX  (1024 * 1024)

typedef struct MmContentTable MmContentTable;

typedef enum
{
  MM_CONTENT_NOT_LOOKED_UP,
  MM_CONTENT_LOOKING_UP,
  MM_CONTENT_LOOKED_UP,
} MmContentLookup;

/* Octets in memory that are on their way to the disk, or could not be stored. */
typedef struct
{
  guint64 offset;
  GBytes *octets; /* owned */
} MmContentPiece;

/* A range on its way from the server. */
typedef struct
{
  guint64 offset;
  guint64 length;
} MmContentSpan;

struct MmContent
{
  /* Immutable. */
  MmContentTable *table;  /* borrowed */
  MmMailContext *context; /* borrowed */
  MmMailbox *mailbox;     /* borrowed: where it was opened first ... */
  guint64 number;
  guint64 link;           /* ... 0: its only place; else it may be in others too, and not here any more */

  guint refs; /* guarded by the table's lock */
  _Atomic guint32 origin; /* of the cache's key; changed by mm_content_table_readopt() alone */

  GMutex lock; /* guards all below; the mailbox's lock may be taken under it */
  MmContentLookup lookup;
  gboolean size_is_known;
  guint64 size;            /* octets, exact once known */
  guint n_readers;
  gboolean is_wanted_whole; /* its reader is known to read messages to their ends */
  gboolean is_whole_only;  /* ranges cannot be trusted: the size given was wrong */
  MmContentFile *file;     /* nullable: what the cache has, verified */
  GArray *pieces;          /* Array<MmContentPiece>, by offset, disjoint */
  GArray *spans;           /* Array<MmContentSpan> */
  gboolean is_fetching_whole;
  guint64 sequential_end;  /* where the furthest read ended … */
  gboolean is_sequential;  /* … and whether it went on from the one before */
  guint64 window_octets;   /* how far ahead to ask while reading goes on there */
  guint64 unflushed_octets; /* written to a partial file since its extents were */
  MmWaitList *waits;
};

MmContentKey mm_content_get_key (const MmContent *content);

/* ---- content-table.c ---- */

MmContentTable *mm_content_table_new (MmMailContext *context);
/* No content may be left. */
void mm_content_table_free (MmContentTable *table);
/* The content of a message, made when it is not there. (transfer full) */
MmContent *mm_content_table_open (MmContentTable *table, MmMailbox *mailbox, guint64 number);
/* After the mailbox got other UIDs: TRUE when @content is still that of the message with its number. One
 * of which no octet was had is so under whatever origin that message has now. */
gboolean mm_content_table_readopt (MmContent *content);
/* Blocks until the last content is freed, which takes the disk threads: what is stored last may
 * hold the last reference, and leaves them one thing more to do. Every handle must be closed and
 * the remote have ended. */
void mm_content_table_wait_empty (MmContentTable *table);

/* ---- content-place.c ---- */

/* The message, wherever it is now; FALSE when it is nowhere. */
gboolean mm_content_get_message (MmContent *content, MmMessage *out);
/* Where to fetch it from: in @preferred (nullable) if it is there, and in none of @avoided (nullable;
 * Array<MmMailbox>). FALSE: nowhere. */
gboolean mm_content_find_target (MmContent *content, MmMailbox *preferred, GPtrArray *avoided,
                                 MmMailbox **out_mailbox, MmFetchTarget *out);
/* Its size is exactly this, or it is in the cache or not: tells its places, and the observer where stat
 * showed another size. */
void mm_content_tell_size (MmContent *content, guint64 size);
void mm_content_tell_stored (MmContent *content, gboolean is_stored);

/* ---- content.c ---- */

/* What is to be asked of the server: all of a message, or a range. */
typedef struct
{
  gboolean is_whole;
  guint64 offset;
  guint32 length;
  guint64 probe_size; /* 0: no probe */
  MmAheadTally *tally; /* borrowed; NULL: somebody waits for it */
} MmContentAsk;

/* Marks what is to be fetched before anyone reads: all of the message, or, when @only_head, the first
 * range of a large one. FALSE when there is nothing to do: it is in the cache, on its way, or gone.
 * Blocks on the disk. */
gboolean mm_content_mark_ahead (MmContent *content, gboolean only_head, MmContentAsk *out_ask);

/* ---- content-disk.c ---- */

/* Looks the message up in the cache; the state was just set to LOOKING_UP. No lock held. The first
 * leaves it to a disk thread, the second blocks. */
void mm_content_start_lookup (MmContent *content);
void mm_content_look_up (MmContent *content);
/* Queues the storing of octets that just came. A whole small message, or a piece of a large one. */
void mm_content_store (MmContent *content, guint64 offset, GBytes *octets);
/* The last reader left: write the extents of a partial file down. Takes over the file. */
void mm_content_flush_file (MmMailContext *context, MmContentFile *file);

/* ---- content-fetch.c ---- */

/* Sends what was marked, because somebody waits for it. No lock held. */
void mm_content_start_fetch (MmContent *content, const MmContentAsk *ask);
/* Sends what was marked in @n contents that are in @mailbox, ahead of their readers. @done is called once,
 * on any thread, when nothing of it is on its way any more. */
void mm_content_start_fetches (MmMailbox *mailbox, MmContent *const *contents, const MmContentAsk *asks, gsize n,
                               void (*done) (gpointer user_data), gpointer user_data);
