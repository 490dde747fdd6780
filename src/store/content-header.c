// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "content-header.h"
#include "digest.h"
#include "extents.h"

#define CHECK_OFFSET 80
#define CHECK_OCTETS 16

static const guint8 magic[8] = "MMCONT1\n";

static void
put_32 (guint8 *octets, guint32 value)
{
  guint32 little = GUINT32_TO_LE (value);
  memcpy (octets, &little, sizeof little);
}

static void
put_64 (guint8 *octets, guint64 value)
{
  guint64 little = GUINT64_TO_LE (value);
  memcpy (octets, &little, sizeof little);
}

static guint32
get_32 (const guint8 *octets)
{
  guint32 little;
  memcpy (&little, octets, sizeof little);
  return GUINT32_FROM_LE (little);
}

static guint64
get_64 (const guint8 *octets)
{
  guint64 little;
  memcpy (&little, octets, sizeof little);
  return GUINT64_FROM_LE (little);
}

void
mm_content_header_encode (const MmContentHeader *header,
                          guint8 out_octets[MM_CONTENT_HEADER_OCTETS])
{
  guint8 check[MM_DIGEST_OCTETS];

  memset (out_octets, 0, MM_CONTENT_HEADER_OCTETS);
  memcpy (out_octets, magic, sizeof magic);
  put_32 (out_octets + 8, header->state);
  put_32 (out_octets + 12, header->n_segments);
  put_64 (out_octets + 16, header->size);
  put_64 (out_octets + 24, header->key.number);
  put_32 (out_octets + 32, header->key.folder_id);
  put_32 (out_octets + 36, header->key.origin);
  put_64 (out_octets + 40, header->list_offset);
  memcpy (out_octets + 48, header->digest, MM_DIGEST_OCTETS);
  mm_digest_compute (out_octets, CHECK_OFFSET, check);
  memcpy (out_octets + CHECK_OFFSET, check, CHECK_OCTETS);
}

static gboolean
is_sound (const MmContentHeader *header)
{
  if (header->size > MM_CONTENT_MAX_SIZE)
    return FALSE;
  switch (header->state)
    {
    case MM_CONTENT_WHOLE:
      return header->n_segments == 0;
    case MM_CONTENT_PARTIAL:
      return header->n_segments <= MM_CONTENT_MAX_SEGMENTS
             && header->list_offset >= MM_CONTENT_HEADER_OCTETS + header->size
             && header->list_offset <= 2 * MM_CONTENT_MAX_SIZE;
    }
  return FALSE;
}

gboolean
mm_content_header_decode (const guint8 octets[MM_CONTENT_HEADER_OCTETS], MmContentKey key,
                          MmContentHeader *out_header)
{
  guint8 check[MM_DIGEST_OCTETS];

  if (memcmp (octets, magic, sizeof magic) != 0)
    return FALSE;
  mm_digest_compute (octets, CHECK_OFFSET, check);
  if (memcmp (octets + CHECK_OFFSET, check, CHECK_OCTETS) != 0)
    return FALSE;

  out_header->state = (MmContentState) get_32 (octets + 8);
  out_header->n_segments = get_32 (octets + 12);
  out_header->size = get_64 (octets + 16);
  out_header->key.number = get_64 (octets + 24);
  out_header->key.folder_id = get_32 (octets + 32);
  out_header->key.origin = get_32 (octets + 36);
  out_header->list_offset = get_64 (octets + 40);
  memcpy (out_header->digest, octets + 48, MM_DIGEST_OCTETS);
  return out_header->key.number == key.number && out_header->key.folder_id == key.folder_id
         && out_header->key.origin == key.origin && is_sound (out_header);
}

GByteArray *
mm_content_segments_encode (const GArray *segments)
{
  gsize length = (gsize) segments->len * MM_CONTENT_SEGMENT_OCTETS;
  GByteArray *octets = g_byte_array_sized_new ((guint) length);

  g_byte_array_set_size (octets, (guint) length);
  for (guint i = 0; i < segments->len; i++)
    {
      const MmContentSegment *segment = &g_array_index (segments, MmContentSegment, i);
      guint8 *at = octets->data + (gsize) i * MM_CONTENT_SEGMENT_OCTETS;

      put_64 (at, segment->start);
      put_64 (at + 8, segment->end);
      memcpy (at + 16, segment->digest, MM_DIGEST_OCTETS);
    }
  return octets;
}

GArray *
mm_content_segments_decode (const MmContentHeader *header, const guint8 *octets)
{
  gsize length = (gsize) header->n_segments * MM_CONTENT_SEGMENT_OCTETS;
  guint8 digest[MM_DIGEST_OCTETS];

  mm_digest_compute (octets, length, digest);
  if (memcmp (digest, header->digest, MM_DIGEST_OCTETS) != 0)
    return NULL;

  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (MmContentSegment));
  for (gsize at = 0; at < length; at += MM_CONTENT_SEGMENT_OCTETS)
    {
      MmContentSegment segment = { get_64 (octets + at), get_64 (octets + at + 8), { 0 } };

      if (segment.start >= segment.end || segment.end > header->size)
        return NULL;
      memcpy (segment.digest, octets + at + 16, MM_DIGEST_OCTETS);
      g_array_append_val (segments, segment);
    }
  return g_steal_pointer (&segments);
}
