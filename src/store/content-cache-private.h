// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a content file needs of its cache.
 */
#pragma once

#include <mailmount/content-cache.h>

G_BEGIN_DECLS

/* Files keep their cache. */
MmContentCache *mm_content_cache_ref (MmContentCache *cache);
void mm_content_cache_unref (MmContentCache *cache);

void mm_content_cache_note_verified (MmContentCache *cache, MmContentKey key,
                                     const guint8 digest[MM_DIGEST_OCTETS]);

/* Removes the file of @key, logs and counts. @file (nullable) is the one in use. */
void mm_content_cache_drop_damaged (MmContentCache *cache, MmContentKey key, MmContentFile *file,
                                    const gchar *reason);
void mm_content_cache_count_damaged (MmContentCache *cache);

G_END_DECLS
