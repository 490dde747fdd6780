// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One reader's way through one mailbox: in which order it opens messages, how far it is, and which
 * it will open next. A value without threads or I/O.
 *
 * Two orders are known: by local number (readdir and inode order: tar, find, cp -r) and by name
 * (rsync, shell globs). Where many messages are opened shortly after one another in no order at all,
 * the rest of the folder may be wanted too; where an eighth of it was opened within a minute, it is.
 */
#pragma once

#include "mailbox-private.h"

typedef enum
{
  MM_ORDER_UNKNOWN,
  MM_ORDER_NUMBER,
  MM_ORDER_NAME,
  MM_ORDER_ANY,
} MmReadOrder;

typedef struct MmReadStream MmReadStream;

/* @names_by_number: the names are bare numbers, which sort as text. */
MmReadStream *mm_read_stream_new (MmMailbox *mailbox, gboolean names_by_number);
void mm_read_stream_free (MmReadStream *stream);

/* The reader is gone: forgets its way, and gives the memory back. */
void mm_read_stream_reset (MmReadStream *stream);

/* Starts at the beginning of @order, before the first open, with the window that @previous had
 * reached in the folder before. */
void mm_read_stream_begin (MmReadStream *stream, MmReadOrder order,
                           const MmReadStream *previous);

/* A message was opened. @is_lister: by the process that listed the directory. @is_busy: many were
 * opened in no order lately, in this mailbox and others. */
void mm_read_stream_note_open (MmReadStream *stream, guint64 number, gboolean is_lister,
                               gboolean is_busy, gint64 now_us);

/* The reader is known to read one folder after another: it need not prove itself again. */
void mm_read_stream_widen (MmReadStream *stream);

MmReadOrder mm_read_stream_get_order (const MmReadStream *stream);
gint64 mm_read_stream_get_last_open_us (const MmReadStream *stream);

/* How many messages ahead of the reader may be fetched: doubles with each open in order, falls back
 * with each that was not expected. */
guint mm_read_stream_get_window (const MmReadStream *stream);

/* The next message to be fetched ahead; 0: none (for now, or the end: mm_read_stream_is_at_end()). */
guint64 mm_read_stream_next (MmReadStream *stream);
gboolean mm_read_stream_is_at_end (const MmReadStream *stream);

/* In no order: TRUE when an eighth was opened. */
gboolean mm_read_stream_is_sure (const MmReadStream *stream);

/* TRUE when @number lies behind the reader: it will not come for it any more. */
gboolean mm_read_stream_is_passed (const MmReadStream *stream, guint64 number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmReadStream, mm_read_stream_free)
