// SPDX-License-Identifier: GPL-3.0-or-later
#include "orphans.h"

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "mailbox-private.h"

#define GRACE_US (60 * G_USEC_PER_SEC)

typedef struct
{
  guint64 link;
  gint64 due_us; /* monotonic */
} Orphan;

struct MmOrphans
{
  GArray *waiting; /* Array<Orphan>, the oldest first */
};

MmOrphans *
mm_orphans_new (void)
{
  MmOrphans *orphans = g_new (MmOrphans, 1);

  orphans->waiting = g_array_new (FALSE, FALSE, sizeof (Orphan));
  return orphans;
}

void
mm_orphans_free (MmOrphans *orphans)
{
  if (orphans == NULL)
    return;
  g_array_unref (orphans->waiting);
  g_free (orphans);
}

void
mm_orphans_add (MmOrphans *orphans, guint64 link)
{
  Orphan orphan = { link, mm_clock_monotonic_us () + GRACE_US };
  g_array_append_val (orphans->waiting, orphan);
}

static void
add_link (guint64 link, guint32 folder_id, gpointer user_data)
{
  mm_orphans_add (user_data, link);
}

void
mm_orphans_add_folder (MmOrphans *orphans, MmIndex *index, guint32 folder_id)
{
  g_autoptr (GError) error = NULL;

  if (!mm_index_load_links (index, folder_id, add_link, orphans, &error))
    mm_log_warning ("what only a folder that is gone had stays in the cache: %s", error->message);
}

/* What is in memory may not be written yet, and of what is not loaded only the index knows. */
static gboolean
is_somewhere (MmIndex *index, const MmMailContext *context, guint64 link)
{
  g_autoptr (GArray) places = mm_object_map_dup_places (context->objects, link);
  return places->len > 0 || mm_index_has_link (index, link);
}

void
mm_orphans_sweep (MmOrphans *orphans, MmIndex *index, const MmMailContext *context,
                  gboolean is_end)
{
  gint64 now_us = mm_clock_monotonic_us ();
  guint n = 0;

  for (; n < orphans->waiting->len; n++)
    {
      const Orphan *orphan = &g_array_index (orphans->waiting, Orphan, n);
      if (!is_end && orphan->due_us > now_us)
        break;
      if (!is_somewhere (index, context, orphan->link))
        mm_content_cache_remove (context->cache, mm_content_key_of_link (orphan->link));
    }
  if (n > 0)
    g_array_remove_range (orphans->waiting, 0, n);
}
