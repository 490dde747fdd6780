// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SHA-256, whole or octet by octet. One thread at a time per MmDigest.
 */
#pragma once

#include <glib.h>

#include <mailmount/content-cache.h>

G_BEGIN_DECLS

typedef struct MmDigest MmDigest;

MmDigest *mm_digest_new (void);
void mm_digest_free (MmDigest *digest);

void mm_digest_update (MmDigest *digest, const void *data, gsize length);

/* Writes the digest of all that was given and begins anew. */
void mm_digest_finish (MmDigest *digest, guint8 out_digest[MM_DIGEST_OCTETS]);

void mm_digest_compute (const void *data, gsize length, guint8 out_digest[MM_DIGEST_OCTETS]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmDigest, mm_digest_free)

G_END_DECLS
