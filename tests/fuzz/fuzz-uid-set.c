// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sets of UIDs: what parses is ascending and disjoint, and comes back from its own text; and adding in any order gives
 * the same set.
 */
#include <string.h>

#include <mailmount/imap-seqset.h>

#include "fuzz.h"

#define RANGES_MAX 1000

static void
check (const MmUidSet *set)
{
  gsize n;
  const MmUidRange *ranges = mm_uid_set_get_ranges (set, &n);
  guint64 count = 0;

  for (gsize i = 0; i < n; i++)
    {
      g_assert (ranges[i].first >= 1 && ranges[i].first <= ranges[i].last);
      /* Neighbours are one range. */
      g_assert (i == 0 || (guint64) ranges[i - 1].last + 1 < ranges[i].first);
      g_assert (mm_uid_set_contains (set, ranges[i].first) && mm_uid_set_contains (set, ranges[i].last));
      count += (guint64) ranges[i].last - ranges[i].first + 1;
    }
  g_assert (mm_uid_set_count (set) == count && !mm_uid_set_contains (set, 0));
  if (n > 0 && ranges[0].first > 1)
    g_assert (!mm_uid_set_contains (set, ranges[0].first - 1));
}

/* The ranges of @set, from the last one to the first. (transfer full) */
static MmUidSet *
add_backwards (const MmUidSet *set)
{
  MmUidSet *backwards = mm_uid_set_new ();
  gsize n;
  const MmUidRange *ranges = mm_uid_set_get_ranges (set, &n);

  for (; n > 0; n--)
    {
      mm_uid_set_add (backwards, ranges[n - 1].last);
      mm_uid_set_add_range (backwards, ranges[n - 1].first, ranges[n - 1].last);
    }
  return backwards;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *own = fuzz_copy (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmUidSet) set = mm_uid_set_parse (own, size, RANGES_MAX, &error);

  g_assert ((set == NULL) == (error != NULL));
  if (set == NULL)
    return 0;
  check (set);
  g_autofree gchar *text = mm_uid_set_to_string (set);
  g_autoptr (MmUidSet) backwards = add_backwards (set);
  g_autofree gchar *same = mm_uid_set_to_string (backwards);
  g_assert_cmpstr (text, ==, same);
  if (text[0] == '\0')
    return 0;
  g_autoptr (MmUidSet) again = mm_uid_set_parse (text, strlen (text), RANGES_MAX, NULL);
  g_assert (again != NULL);
  g_autofree gchar *text_again = mm_uid_set_to_string (again);
  g_assert_cmpstr (text, ==, text_again);
  return 0;
}
