// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The two raw DEFLATE streams of COMPRESS=DEFLATE (RFC 4978), without I/O. One thread.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct MmDeflate MmDeflate;

MmDeflate *mm_deflate_new (void);
void mm_deflate_free (MmDeflate *deflate);

/* Appends the compressed form of @data to @out, flushed so that the peer can read all of it. */
void mm_deflate_compress (MmDeflate *deflate, const guint8 *data, gsize length, GByteArray *out);

/* Gives compressed octets; they are borrowed until mm_deflate_inflate returned 0. */
void mm_deflate_feed (MmDeflate *deflate, const guint8 *data, gsize length);

/* Fills @buffer with up to @size plain octets. The number written; 0: feed more;
 * -1 with MM_ERROR_PROTOCOL: not a DEFLATE stream. */
gssize mm_deflate_inflate (MmDeflate *deflate, guint8 *buffer, gsize size, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmDeflate, mm_deflate_free)

G_END_DECLS
