// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How much room content files may take: a size for all of them, and a floor of free disk that other
 * programs have before us. Before a message is stored, the longest unused ones leave; one system
 * call each. What is held, because it is in use, never leaves.
 *
 * At the start, and while other processes use the directory too from time to time, a thread looks
 * through the directory. The first time storing waits for it, for a moment; later what it does not know
 * yet is not counted. How long a message was not used
 * is known across processes by its file's times: the time of access is set at most once a day.
 *
 * Nothing is limited and nothing known until mm_content_limit_start() was called. Any thread; the
 * lock is held for moments only, and may be taken under any other of the store.
 */
#pragma once

#include "content-directory.h"

G_BEGIN_DECLS

typedef struct MmContentLimit MmContentLimit;

/* @directory is borrowed. */
MmContentLimit *mm_content_limit_new (const MmContentDirectory *directory);
void mm_content_limit_free (MmContentLimit *limit);

/* Once, before anything else. See mm_content_cache_limit(). */
void mm_content_limit_start (MmContentLimit *limit, const MmContentCacheLimits *limits);
/* Ends the thread; nobody is told of anything any more. */
void mm_content_limit_stop (MmContentLimit *limit);

/* Makes room for @octets more. FALSE when less than the floor is free all the same
 * (MM_ERROR_NO_SPACE), or while what there is takes long to count (MM_ERROR_LIMIT). What is in use may
 * go beyond the size, until it is not used any more. */
gboolean mm_content_limit_make_room (MmContentLimit *limit, guint64 octets, GError **error);

/* The file of @key takes @octets from now on, and was just used. While it is made @key is held: a scan may
 * find it before this is said. */
void mm_content_limit_note_stored (MmContentLimit *limit, MmContentKey key, guint64 octets);
/* The file open as @fd is read; @status is its own. */
void mm_content_limit_note_read (MmContentLimit *limit, int fd, const struct stat *status);
/* The file of @key was looked for and is not there. If it should be, somebody else took it, and
 * perhaps not only this one: the directory is looked through. */
void mm_content_limit_note_missing (MmContentLimit *limit, MmContentKey key);
void mm_content_limit_touch (MmContentLimit *limit, MmContentKey key);
void mm_content_limit_forget (MmContentLimit *limit, MmContentKey key);
void mm_content_limit_forget_folder (MmContentLimit *limit, guint32 folder_id);

/* Holds nest. */
void mm_content_limit_hold (MmContentLimit *limit, MmContentKey key);
void mm_content_limit_release (MmContentLimit *limit, MmContentKey key);

/* G_MAXUINT64: none. */
guint64 mm_content_limit_get_size (const MmContentLimit *limit);
void mm_content_limit_get_usage (MmContentLimit *limit, MmContentCacheUsage *out);
guint64 mm_content_limit_count_folder (MmContentLimit *limit, guint32 folder_id);

/* Waits until the thread has nothing to do, for tests. */
void mm_content_limit_wait (MmContentLimit *limit);

G_END_DECLS
