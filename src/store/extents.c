// SPDX-License-Identifier: GPL-3.0-or-later
#include "extents.h"

struct MmExtents
{
  GArray *ranges; /* Array<MmExtent> */
  guint64 octets; /* the sum of their lengths */
};

MmExtents *
mm_extents_new (void)
{
  MmExtents *extents = g_new0 (MmExtents, 1);

  extents->ranges = g_array_new (FALSE, FALSE, sizeof (MmExtent));
  return extents;
}

void
mm_extents_free (MmExtents *extents)
{
  if (extents == NULL)
    return;
  g_array_unref (extents->ranges);
  g_free (extents);
}

void
mm_extents_clear (MmExtents *extents)
{
  g_array_set_size (extents->ranges, 0);
  extents->octets = 0;
}

static MmExtent *
range_at (const MmExtents *extents, guint i)
{
  return &g_array_index (extents->ranges, MmExtent, i);
}

/* The first range whose end is at or behind @position; the length when there is none. */
static guint
find_range (const MmExtents *extents, guint64 position)
{
  guint low = 0, high = extents->ranges->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (range_at (extents, middle)->end < position)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
mm_extents_add (MmExtents *extents, guint64 start, guint64 end)
{
  if (start >= end)
    return;

  guint first = find_range (extents, start);
  guint behind = first;
  MmExtent merged = { start, end };

  while (behind < extents->ranges->len && range_at (extents, behind)->start <= end)
    {
      const MmExtent *range = range_at (extents, behind);

      merged.start = MIN (merged.start, range->start);
      merged.end = MAX (merged.end, range->end);
      extents->octets -= range->end - range->start;
      behind++;
    }
  extents->octets += merged.end - merged.start;

  if (behind == first)
    {
      g_array_insert_val (extents->ranges, first, merged);
      return;
    }
  *range_at (extents, first) = merged;
  if (behind - first > 1)
    g_array_remove_range (extents->ranges, first + 1, behind - first - 1);
}

gboolean
mm_extents_has (const MmExtents *extents, guint64 start, guint64 end)
{
  return start >= end || mm_extents_get_first_gap (extents, start) >= end;
}

guint64
mm_extents_get_first_gap (const MmExtents *extents, guint64 from)
{
  guint i = find_range (extents, from);

  if (i < extents->ranges->len && range_at (extents, i)->start <= from)
    return range_at (extents, i)->end;
  return from;
}

gboolean
mm_extents_get_gap (const MmExtents *extents, guint64 start, guint64 end, MmExtent *out_gap)
{
  guint64 gap_start = mm_extents_get_first_gap (extents, start);

  if (gap_start >= end)
    return FALSE;

  guint i = find_range (extents, gap_start + 1);
  guint64 gap_end = end;

  if (i < extents->ranges->len)
    gap_end = MIN (end, range_at (extents, i)->start);
  *out_gap = (MmExtent) { gap_start, gap_end };
  return TRUE;
}

guint64
mm_extents_get_octets (const MmExtents *extents)
{
  return extents->octets;
}

guint
mm_extents_get_length (const MmExtents *extents)
{
  return extents->ranges->len;
}

MmExtent
mm_extents_get (const MmExtents *extents, guint i)
{
  return *range_at (extents, i);
}
