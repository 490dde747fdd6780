// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/error.h>

#include "imap-seqset-private.h"

/* Ranges whose memory mm_uid_set_clear() keeps. */
#define KEPT_RANGES 4096

/* What a server lists in ascending order, which is nearly everything, is appended or merged with
 * the last range at once. A range out of order is appended too and @is_dirty set; the set is then
 * sorted and merged when it is first looked at. So no order of arrival costs more than a sort. */
struct MmUidSet
{
  GArray *ranges; /* of MmUidRange */
  gboolean is_dirty;
};

MmUidSet *
mm_uid_set_new (void)
{
  MmUidSet *set = g_new0 (MmUidSet, 1);

  set->ranges = g_array_new (FALSE, FALSE, sizeof (MmUidRange));
  return set;
}

void
mm_uid_set_free (MmUidSet *set)
{
  if (set == NULL)
    return;
  g_array_unref (set->ranges);
  g_free (set);
}

gsize
mm_uid_set_get_n_held (const MmUidSet *set)
{
  return set->ranges->len;
}

void
mm_uid_set_clear (MmUidSet *set)
{
  if (set->ranges->len > KEPT_RANGES)
    {
      g_array_unref (set->ranges);
      set->ranges = g_array_new (FALSE, FALSE, sizeof (MmUidRange));
    }
  g_array_set_size (set->ranges, 0);
  set->is_dirty = FALSE;
}

static inline MmUidRange *
range_at (const MmUidSet *set, gsize index)
{
  return &g_array_index (set->ranges, MmUidRange, index);
}

static gint
compare_ranges (gconstpointer a, gconstpointer b)
{
  const MmUidRange *left = a;
  const MmUidRange *right = b;

  return (left->first > right->first) - (left->first < right->first);
}

/* A set is logically unchanged by being sorted, hence const. */
static void
normalise (const MmUidSet *const_set)
{
  MmUidSet *set = (MmUidSet *)const_set;
  gsize kept = 0;

  if (!set->is_dirty)
    return;
  g_array_sort (set->ranges, compare_ranges);
  for (gsize i = 1; i < set->ranges->len; i++)
    {
      MmUidRange *last = range_at (set, kept);
      MmUidRange *next = range_at (set, i);

      if (last->last == G_MAXUINT32 || next->first <= last->last + 1)
        last->last = MAX (last->last, next->last);
      else
        *range_at (set, ++kept) = *next;
    }
  g_array_set_size (set->ranges, (guint)(kept + 1));
  set->is_dirty = FALSE;
}

void
mm_uid_set_add (MmUidSet *set, guint32 uid)
{
  mm_uid_set_add_range (set, uid, uid);
}

void
mm_uid_set_add_range (MmUidSet *set, guint32 first, guint32 last)
{
  MmUidRange range = { first, last };

  g_return_if_fail (first >= 1 && first <= last);
  if (set->ranges->len > 0)
    {
      MmUidRange *end = range_at (set, set->ranges->len - 1);

      if (first >= end->first && (end->last == G_MAXUINT32 || first <= end->last + 1))
        {
          end->last = MAX (end->last, last);
          return;
        }
      if (first < end->first)
        set->is_dirty = TRUE;
    }
  g_array_append_val (set->ranges, range);
}

gboolean
mm_uid_set_contains (const MmUidSet *set, guint32 uid)
{
  gsize low = 0;
  gsize high;

  normalise (set);
  high = set->ranges->len;
  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      const MmUidRange *range = range_at (set, middle);

      if (uid < range->first)
        high = middle;
      else if (uid > range->last)
        low = middle + 1;
      else
        return TRUE;
    }
  return FALSE;
}

guint64
mm_uid_set_count (const MmUidSet *set)
{
  guint64 count = 0;

  normalise (set);
  for (gsize i = 0; i < set->ranges->len; i++)
    count += (guint64)range_at (set, i)->last - range_at (set, i)->first + 1;
  return count;
}

const MmUidRange *
mm_uid_set_get_ranges (const MmUidSet *set, gsize *out_n_ranges)
{
  normalise (set);
  if (out_n_ranges != NULL)
    *out_n_ranges = set->ranges->len;
  return (const MmUidRange *)set->ranges->data;
}

gchar *
mm_uid_set_to_string (const MmUidSet *set)
{
  GString *text = g_string_new (NULL);

  normalise (set);
  for (gsize i = 0; i < set->ranges->len; i++)
    {
      const MmUidRange *range = range_at (set, i);

      if (i > 0)
        g_string_append_c (text, ',');
      g_string_append_printf (text, "%" G_GUINT32_FORMAT, range->first);
      if (range->last > range->first)
        g_string_append_printf (text, ":%" G_GUINT32_FORMAT, range->last);
    }
  return g_string_free (text, FALSE);
}

/* One nz-number at @*text; leaves @*text behind it. */
static gboolean
parse_number (const gchar **text, const gchar *end, guint32 *out_number)
{
  guint64 number = 0;
  const gchar *start = *text;

  while (*text < end && g_ascii_isdigit (**text))
    {
      number = number * 10 + (guint64)(**text - '0');
      if (number > G_MAXUINT32)
        return FALSE;
      (*text)++;
    }
  *out_number = (guint32)number;
  return *text > start && number > 0;
}

MmUidSet *
mm_uid_set_parse (const gchar *text, gsize length, gsize max_ranges, GError **error)
{
  g_autoptr (MmUidSet) set = mm_uid_set_new ();
  const gchar *end = text + length;

  for (;;)
    {
      guint32 first, last;

      if (!parse_number (&text, end, &first))
        break;
      last = first;
      if (text < end && *text == ':')
        {
          text++;
          if (!parse_number (&text, end, &last))
            break;
        }
      mm_uid_set_add_range (set, MIN (first, last), MAX (first, last));
      if (set->ranges->len > max_ranges)
        {
          g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
                       "a set of more than %" G_GSIZE_FORMAT " UID ranges", max_ranges);
          return NULL;
        }
      if (text == end)
        {
          normalise (set);
          return g_steal_pointer (&set);
        }
      if (*text++ != ',')
        break;
    }
  g_set_error_literal (error, MM_ERROR, MM_ERROR_PROTOCOL, "not a set of UIDs");
  return NULL;
}
