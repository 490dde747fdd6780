// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch-progress.h"

#define BAR_COLUMNS 20

/* 0 to 1; by octets, because they take the time. */
static gdouble
get_share (const MmFetchProgress *progress)
{
  if (progress->octets == 0)
    return progress->is_listing ? 0 : 1;
  return MIN ((gdouble) progress->done_octets / (gdouble) progress->octets, 1);
}

static guint64
get_rate (const MmFetchProgress *progress, gint64 elapsed_us)
{
  gdouble seconds = MAX ((gdouble) elapsed_us / G_USEC_PER_SEC, 0.001);
  return (guint64) ((gdouble) progress->done_octets / seconds);
}

static void
append_octets (GString *out, guint64 octets)
{
  g_autofree gchar *text = g_format_size (octets);
  g_string_append (out, text);
}

/* What is left at the rate so far. While it is listed nobody knows. */
static void
append_time_left (GString *out, const MmFetchProgress *progress, gint64 elapsed_us)
{
  guint64 rate = get_rate (progress, elapsed_us);

  if (progress->is_listing || rate == 0 || progress->done_octets > progress->octets)
    return;
  guint64 seconds = (progress->octets - progress->done_octets) / rate;
  if (seconds >= 3600)
    g_string_append_printf (out, ", %" G_GUINT64_FORMAT ":%02u:%02u left", seconds / 3600,
                            (guint) (seconds / 60 % 60), (guint) (seconds % 60));
  else
    g_string_append_printf (out, ", %u:%02u left", (guint) (seconds / 60), (guint) (seconds % 60));
}

static void
append_details (GString *out, const MmFetchProgress *progress, gint64 elapsed_us)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "%s messages, ",
                          progress->n_done, progress->n_messages, progress->is_listing ? "+" : "");
  append_octets (out, progress->done_octets);
  g_string_append (out, ", ");
  append_octets (out, get_rate (progress, elapsed_us));
  g_string_append (out, "/s");
  append_time_left (out, progress, elapsed_us);
}

gchar *
mm_fetch_progress_draw (const MmFetchProgress *progress, gint64 elapsed_us)
{
  GString *out = g_string_new ("[");
  gdouble share = get_share (progress);
  guint n_full = (guint) (share * BAR_COLUMNS);

  for (guint i = 0; i < BAR_COLUMNS; i++)
    g_string_append_c (out, i < n_full ? '#' : '-');
  g_string_append_printf (out, "] %3u%% ", (guint) (share * 100));
  append_details (out, progress, elapsed_us);
  return g_string_free (out, FALSE);
}

gchar *
mm_fetch_progress_describe (const MmFetchProgress *progress, gint64 elapsed_us)
{
  GString *out = g_string_new (NULL);

  append_details (out, progress, elapsed_us);
  return g_string_free (out, FALSE);
}

gchar *
mm_fetch_progress_sum (const MmFetchProgress *progress)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " messages fetched, ",
                          progress->n_fetched, progress->n_messages);
  append_octets (out, progress->fetched_octets);
  g_string_append_printf (out, "; %" G_GUINT64_FORMAT " failed", progress->n_failed);
  return g_string_free (out, FALSE);
}
