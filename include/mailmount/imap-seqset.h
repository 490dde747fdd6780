// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sets of UIDs as ranges (RFC 9051 sequence-set, RFC 4731 ALL). Cost follows the number of
 * ranges, never the width of the number space: UIDs spread to 4,000,000,000 are not walked.
 * Not thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint32 first; /* 1 ≤ first ≤ last */
  guint32 last;
} MmUidRange;

typedef struct MmUidSet MmUidSet;

MmUidSet *mm_uid_set_new (void);
void mm_uid_set_free (MmUidSet *set);

/* Adds one UID or a range. Any order; adjacent and overlapping ranges are merged. */
void mm_uid_set_add (MmUidSet *set, guint32 uid);
void mm_uid_set_add_range (MmUidSet *set, guint32 first, guint32 last);

gboolean mm_uid_set_contains (const MmUidSet *set, guint32 uid);
guint64 mm_uid_set_count (const MmUidSet *set); /* UIDs, not ranges */

/* The ranges, ascending and disjoint. (transfer none), valid until the set changes. */
const MmUidRange *mm_uid_set_get_ranges (const MmUidSet *set, gsize *out_n_ranges);

/* "1:5,7,9:20"; the empty set is "". (transfer full) */
gchar *mm_uid_set_to_string (const MmUidSet *set);

/* Parses what a server sent ("1:5,7"; "5:1" is 1:5; "*" is refused). At most @max_ranges ranges.
 * NULL with MM_ERROR_PROTOCOL or MM_ERROR_LIMIT. */
MmUidSet *mm_uid_set_parse (const gchar *text, gsize length, gsize max_ranges, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmUidSet, mm_uid_set_free)

G_END_DECLS
