// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The digests of messages that are whole in the cache, read from the disk by a disk thread while who
 * asks waits for it as for anything else. The content itself is not looked at.
 */
#pragma once

#include <mailmount/content-cache.h>
#include <mailmount/waiter.h>

#include "disk-pool.h"

typedef struct MmDigestLookup MmDigestLookup;

/* Both are borrowed. */
MmDigestLookup *mm_digest_lookup_new (MmContentCache *cache, MmDiskPool *pool);
/* When the threads of the pool have ended. */
void mm_digest_lookup_free (MmDigestLookup *lookup);

/* DONE: *@out_digest is the SHA-256 of the message in hex digits. NOT_FOUND when it is not whole in the
 * cache. (out: transfer full) */
MmTry mm_digest_lookup_try (MmDigestLookup *lookup, MmContentKey key, gchar **out_digest,
                            MmWaiter *waiter, GError **error);
