// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of the content cache, shared by content-cache.c (its life, and what leaves it),
 * content-lookup.c (what is there), content-store.c (what comes) and content-file.c.
 */
#pragma once

#include <mailmount/content-cache.h>

#include "content-directory.h"
#include "content-limit.h"
#include "content-registry.h"

G_BEGIN_DECLS

struct MmContentCache
{
  gatomicrefcount refs;
  MmContentDirectory directory; /* immutable; without fd: in memory */
  gint n_damaged;               /* atomic */
  GMutex partial_lock;          /* one thread at a time opens a partial file; taken before others */
  MmContentRegistry registry;
  MmContentLimit *limit; /* owned */
};

static inline gboolean
mm_content_cache_is_in_memory (const MmContentCache *cache)
{
  return cache->directory.fd < 0;
}

/* Takes the lock that a process must hold to write the partial file @fd. */
gboolean mm_content_cache_lock_partial (int fd);

/* Files keep their cache. */
MmContentCache *mm_content_cache_ref (MmContentCache *cache);
void mm_content_cache_unref (MmContentCache *cache);

void mm_content_cache_note_verified (MmContentCache *cache, MmContentKey key,
                                     const guint8 digest[MM_DIGEST_OCTETS]);

/* Removes the file of @key from the disk. */
void mm_content_cache_remove_file (MmContentCache *cache, MmContentKey key);

/* Removes the file of @key, logs and counts. @file (nullable) is the one in use. */
void mm_content_cache_drop_damaged (MmContentCache *cache, MmContentKey key, MmContentFile *file,
                                    const gchar *reason);
void mm_content_cache_count_damaged (MmContentCache *cache);

G_END_DECLS
