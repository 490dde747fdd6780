// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which messages lie on the disk, how much room each takes, and in which order they were used. Every
 * change is O(1); a message costs 32 octets and its share of the hash table.
 *
 * A message is known while it has octets or is held. What is held is not in the order: the oldest is
 * always one that nobody holds. The origin of a key does not count: it is not part of a path.
 *
 * One thread at a time.
 */
#pragma once

#include <mailmount/content-cache.h>

G_BEGIN_DECLS

typedef struct MmContentLru MmContentLru;

/* A message as it was found on the disk. */
typedef struct
{
  MmContentKey key;
  guint64 octets;
  guint32 used_s; /* seconds since 1970 UTC */
} MmContentFound;

MmContentLru *mm_content_lru_new (void);
void mm_content_lru_free (MmContentLru *lru);

/* Octets are counted as the disk does: in blocks of 4 KiB. */
guint64 mm_content_lru_get_octets (const MmContentLru *lru);
/* How many messages have octets. */
guint mm_content_lru_get_length (const MmContentLru *lru);
/* … of one folder. */
guint mm_content_lru_get_folder_length (const MmContentLru *lru, guint32 folder_id);

/* Whether @key has octets. */
gboolean mm_content_lru_has (const MmContentLru *lru, MmContentKey key);

/* @key takes @octets from now on and is the newest. */
void mm_content_lru_put (MmContentLru *lru, MmContentKey key, guint64 octets, guint32 now_s);

/* @key, when it is known, is the newest. */
void mm_content_lru_touch (MmContentLru *lru, MmContentKey key, guint32 now_s);

/* @key takes no room any more. */
void mm_content_lru_remove (MmContentLru *lru, MmContentKey key);
void mm_content_lru_remove_folder (MmContentLru *lru, guint32 folder_id);

/* Takes the oldest that nobody holds out. FALSE when there is none. */
gboolean mm_content_lru_pop_oldest (MmContentLru *lru, MmContentKey *out_key);

/* Holds nest. What is held no more is the newest. */
void mm_content_lru_hold (MmContentLru *lru, MmContentKey key);
void mm_content_lru_release (MmContentLru *lru, MmContentKey key, guint32 now_s);

/* Between these the disk is looked through. What was known at the beginning, is not among @found
 * (Array<MmContentFound>, the longest unused first) and was not put again meanwhile was taken by
 * somebody else: it is forgotten, and its key added to @out_gone (Array<MmContentKey>). What was
 * found and not known takes its place in the order by the time of its use, unless it was removed
 * meanwhile. */
void mm_content_lru_begin_scan (MmContentLru *lru);
void mm_content_lru_end_scan (MmContentLru *lru, const GArray *found, GArray *out_gone);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmContentLru, mm_content_lru_free)

G_END_DECLS
