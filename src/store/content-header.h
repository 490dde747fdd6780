// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a content file says of itself, and its list of segments. All numbers are little endian.
 *
 *   octet  0  magic "MMCONT1\n"
 *          8  state, 32 bits: 1 whole, 2 partial
 *         12  number of segments, 32 bits; 0 when whole
 *         16  size of the message in octets, 64 bits
 *         24  local number, 64 bits
 *         32  folder id, 32 bits
 *         36  zero, 32 bits
 *         40  where the list of segments begins in the file, 64 bits; 0 when whole
 *         48  SHA-256: of the message when whole, of the list of segments else
 *         80  the first 16 octets of the SHA-256 of octets 0 to 79
 *         96  the message
 *
 * A segment is a stretch of the message with a digest of its own: start, end, SHA-256. Segments
 * are disjoint, in no particular order. The list stands behind the message. A new list is written
 * beside the old one, then the header that points to it: whenever the process ends, the header
 * points to a list that is whole.
 */
#pragma once

#include <mailmount/content-cache.h>

G_BEGIN_DECLS

#define MM_CONTENT_HEADER_OCTETS  96
#define MM_CONTENT_SEGMENT_OCTETS 48
#define MM_CONTENT_MAX_SEGMENTS   1024

/* So that no position in a file overflows. */
#define MM_CONTENT_MAX_SIZE ((guint64) 1 << 60)

typedef enum
{
  MM_CONTENT_WHOLE = 1,
  MM_CONTENT_PARTIAL = 2,
} MmContentState;

typedef struct
{
  MmContentState state;
  guint32 n_segments;
  guint64 size; /* octets */
  MmContentKey key;
  guint64 list_offset; /* octets, in the file */
  guint8 digest[MM_DIGEST_OCTETS];
} MmContentHeader;

typedef struct
{
  guint64 start;
  guint64 end;
  guint8 digest[MM_DIGEST_OCTETS];
} MmContentSegment;

void mm_content_header_encode (const MmContentHeader *header,
                               guint8 out_octets[MM_CONTENT_HEADER_OCTETS]);

/* FALSE when @octets are not a header, or damaged, or not that of @key. */
gboolean mm_content_header_decode (const guint8 octets[MM_CONTENT_HEADER_OCTETS], MmContentKey key,
                                   MmContentHeader *out_header);

/* The list as it stands in the file. @segments: Array<MmContentSegment>. */
GByteArray *mm_content_segments_encode (const GArray *segments);

/* NULL when @octets are not the list that @header speaks of. (transfer full) */
GArray *mm_content_segments_decode (const MmContentHeader *header, const guint8 *octets);

G_END_DECLS
