// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A set of octet positions as ranges [start, end): sorted, disjoint, never touching one another,
 * never empty. Adding merges. Pure values: one thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 start;
  guint64 end; /* the first octet behind; > start */
} MmExtent;

typedef struct MmExtents MmExtents;

MmExtents *mm_extents_new (void);
void mm_extents_free (MmExtents *extents);
void mm_extents_clear (MmExtents *extents);

/* Adds [@start, @end); an empty range adds nothing. */
void mm_extents_add (MmExtents *extents, guint64 start, guint64 end);

/* TRUE when all of [@start, @end) is in the set; an empty range always is. */
gboolean mm_extents_has (const MmExtents *extents, guint64 start, guint64 end);

/* The first position ≥ @from that is not in the set. */
guint64 mm_extents_get_first_gap (const MmExtents *extents, guint64 from);

/* The first stretch of [@start, @end) that is not in the set. FALSE when there is none. */
gboolean mm_extents_get_gap (const MmExtents *extents, guint64 start, guint64 end,
                             MmExtent *out_gap);

/* How many positions are in the set. */
guint64 mm_extents_get_octets (const MmExtents *extents);

guint mm_extents_get_length (const MmExtents *extents);
MmExtent mm_extents_get (const MmExtents *extents, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmExtents, mm_extents_free)

G_END_DECLS
