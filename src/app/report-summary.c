// SPDX-License-Identifier: GPL-3.0-or-later
#include "report-summary.h"

#include <mailmount/clock.h>
#include <mailmount/log.h>

#define PATH_COLUMNS 36

/* How long ago something was, in one unit: "3 minutes ago". */
static void
append_age (GString *out, gint64 wall_us)
{
  static const struct
  {
    gint64 seconds;
    const gchar *name;
  } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
  gint64 seconds = (mm_clock_wall_us () - wall_us) / G_USEC_PER_SEC;

  if (wall_us == 0)
    g_string_append (out, "never");
  else if (seconds < 1)
    g_string_append (out, "now");
  for (guint i = 0; wall_us != 0 && seconds >= 1 && i < G_N_ELEMENTS (units); i++)
    if (seconds >= units[i].seconds)
      {
        gint64 n = seconds / units[i].seconds;
        g_string_append_printf (out, "%" G_GINT64_FORMAT " %s%s ago", n, units[i].name,
                                n == 1 ? "" : "s");
        break;
      }
}

static void
append_octets (GString *out, guint64 octets)
{
  g_autofree gchar *text = g_format_size (octets);
  g_string_append (out, text);
}

static void
append_state (GString *out, const MmReport *report, const MmAccountStatus *status)
{
  const MmRemoteStatus *remote = &status->remote;

  g_string_append_printf (out, "  state        %s; last heard of the server ",
                          mm_report_get_state_name (remote->state));
  append_age (out, remote->last_contact_us);
  if (remote->next_try_us != 0)
    g_string_append_printf (out, "; next try in %" G_GINT64_FORMAT " s",
                            MAX (remote->next_try_us - mm_clock_wall_us (), 0) / G_USEC_PER_SEC);
  g_string_append (out, "; mounted ");
  append_age (out, report->mounted_us);
  g_string_append_c (out, '\n');
  if (remote->last_error != NULL)
    {
      g_autofree gchar *shown = mm_log_printable (remote->last_error);
      g_string_append_printf (out, "  last error   %s (", shown);
      append_age (out, remote->last_error_us);
      g_string_append (out, ")\n");
    }
}

static void
append_connections (GString *out, const MmRemoteStatus *remote)
{
  guint n_jobs = 0;

  for (guint i = 0; i < remote->connections->len; i++)
    n_jobs += g_array_index (remote->connections, MmRemoteConnectionStatus, i).n_jobs;
  g_string_append_printf (out, "  connections  %u of %u with %u jobs, %u waiting\n",
                          remote->connections->len, remote->max_connections, n_jobs,
                          remote->n_queued_demand + remote->n_queued_read_ahead);
  g_string_append (out, "  received     ");
  append_octets (out, remote->received_octets);
  g_string_append (out, "; ");
  append_octets (out, remote->recent_octets / MM_REMOTE_RECENT_SECONDS);
  g_string_append (out, "/s of late\n");
}

/* Which folders the server tells changes of. */
static void
append_watches (GString *out, const MmRemoteStatus *remote)
{
  gboolean has_idle = FALSE;

  for (guint i = 0; i < remote->connections->len; i++)
    {
      const MmRemoteConnectionStatus *connection
          = &g_array_index (remote->connections, MmRemoteConnectionStatus, i);

      if (!connection->has_watch)
        continue;
      if (connection->watched == NULL)
        {
          g_string_append (out, "  watched      all folders, by NOTIFY\n");
          continue;
        }
      g_autofree gchar *shown = mm_log_printable (connection->watched);
      g_string_append_printf (out, "%s%s", has_idle ? ", " : "  watched      ", shown);
      has_idle = TRUE;
    }
  if (has_idle)
    g_string_append (out, ", by IDLE\n");
}

static void
append_limits (GString *out, const MmRemoteStatus *remote)
{
  const MmRemoteDayStatus *day = &remote->day;

  if (remote->bandwidth_octets != 0)
    {
      g_string_append (out, "  bandwidth    ");
      append_octets (out, remote->bandwidth_octets);
      g_string_append (out, "/s at most\n");
    }
  if (day->limit_octets == 0)
    return;
  g_string_append (out, "  daily limit  ");
  append_octets (out, day->used_octets);
  g_string_append (out, " of ");
  append_octets (out, day->limit_octets);
  g_string_append (out, " used, ");
  append_octets (out, mm_report_get_left_octets (day));
  g_string_append (out, " left");
  if (day->returns_us != 0)
    g_string_append_printf (out, "; the first is given back in %" G_GINT64_FORMAT " minutes",
                            MAX (day->returns_us - mm_clock_wall_us (), 0)
                                    / (60 * G_USEC_PER_SEC) + 1);
  g_string_append_c (out, '\n');
}

static void
append_folders (GString *out, const MmAccountStatus *status)
{
  guint64 n_messages = 0;
  guint64 octets = 0;
  guint n_listed = 0;

  for (guint i = 0; i < status->folders->len; i++)
    {
      const MmFolderStatus *folder = &g_array_index (status->folders, MmFolderStatus, i);
      n_messages += folder->messages;
      octets += folder->octets;
      n_listed += folder->is_listed;
    }
  g_string_append_printf (out, "  folders      %u, %u listed; %" G_GUINT64_FORMAT " messages, ",
                          status->folders->len, n_listed, n_messages);
  append_octets (out, octets);
  g_string_append_c (out, '\n');
}

static void
append_cache (GString *out, const MmAccountStatus *status)
{
  const MmContentCacheUsage *cache = &status->cache;

  g_string_append_printf (out, "  cache        %" G_GUINT64_FORMAT " messages, ", cache->n_messages);
  append_octets (out, cache->octets);
  if (cache->size_octets != 0)
    {
      g_string_append (out, " of ");
      append_octets (out, cache->size_octets);
    }
  if (!cache->is_counted)
    g_string_append (out, "; not all is counted yet");
  if (cache->floor_octets != 0 && cache->free_octets < cache->floor_octets)
    {
      g_string_append (out, "; nothing is added while less than ");
      append_octets (out, cache->floor_octets);
      g_string_append (out, " of its disk are free");
    }
  if (status->n_cache_damaged > 0)
    g_string_append_printf (out, "; %u damaged pieces dropped", status->n_cache_damaged);
  g_string_append_c (out, '\n');
}

static void
append_read_ahead (GString *out, const MmReadAheadStatus *ahead)
{
  g_string_append (out, "  read ahead   ");
  append_octets (out, ahead->fetched_octets);
  g_string_append (out, ", of it used ");
  append_octets (out, ahead->used_octets);
  g_string_append (out, ", unused ");
  append_octets (out, ahead->unused_octets);
  g_string_append_printf (out, "; %" G_GUINT64_FORMAT " hits, %" G_GUINT64_FORMAT " misses\n",
                          ahead->n_hits, ahead->n_misses);
}

static void
append_failed (GString *out, const GArray *failed)
{
  for (guint i = 0; i < failed->len; i++)
    {
      const MmFailedMessage *message = &g_array_index (failed, MmFailedMessage, i);
      g_autofree gchar *path = mm_report_build_path (message);
      g_autofree gchar *shown = mm_log_printable (path);
      g_autofree gchar *reason = mm_log_printable (message->reason);

      g_string_append_printf (out, "  failed       %s: %s (", shown, reason);
      append_age (out, message->failed_us);
      g_string_append (out, ")\n");
    }
}

/* ---- the table of folders ---- */

/* Latest first. */
static gint
compare_compared (gconstpointer a, gconstpointer b)
{
  const MmFolderStatus *const *first = a;
  const MmFolderStatus *const *second = b;
  return ((*first)->compared_us < (*second)->compared_us)
         - ((*first)->compared_us > (*second)->compared_us);
}

/* The folders to show, in the order of the walk: those compared last, when there are many. Array<borrowed
 * MmFolderStatus> */
static GPtrArray *
choose_folders (const GArray *folders)
{
  g_autoptr (GPtrArray) latest = g_ptr_array_new ();

  for (guint i = 0; i < folders->len; i++)
    g_ptr_array_add (latest, &g_array_index (folders, MmFolderStatus, i));
  if (latest->len <= MM_REPORT_FOLDERS_MAX)
    return g_steal_pointer (&latest);
  g_ptr_array_sort (latest, compare_compared);
  g_ptr_array_set_size (latest, MM_REPORT_FOLDERS_MAX);

  GPtrArray *chosen = g_ptr_array_new ();
  for (guint i = 0; i < folders->len; i++)
    {
      MmFolderStatus *folder = &g_array_index (folders, MmFolderStatus, i);
      if (g_ptr_array_find (latest, folder, NULL))
        g_ptr_array_add (chosen, folder);
    }
  return chosen;
}

/* In a column of its own; what is too long loses its beginning, which many have in common. */
static void
append_path (GString *out, const gchar *path)
{
  g_autofree gchar *shown = mm_log_printable (*path != '\0' ? path : ".");
  glong length = g_utf8_strlen (shown, -1);

  if (length <= PATH_COLUMNS)
    g_string_append_printf (out, "  %s%*s", shown, (int) (PATH_COLUMNS - length), "");
  else
    g_string_append_printf (out, "  …%s",
                            g_utf8_offset_to_pointer (shown, length - PATH_COLUMNS + 1));
}

static void
append_folder_table (GString *out, const GArray *folders)
{
  g_autoptr (GPtrArray) chosen = choose_folders (folders);

  if (chosen->len == 0)
    return;
  g_string_append_printf (out, "  %-*s  messages   in cache  compared\n", PATH_COLUMNS, "folder");
  for (guint i = 0; i < chosen->len; i++)
    {
      const MmFolderStatus *folder = g_ptr_array_index (chosen, i);

      append_path (out, folder->path);
      g_string_append_printf (out, "%10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT "  ",
                              folder->messages, folder->n_cached);
      append_age (out, folder->compared_us);
      g_string_append_c (out, '\n');
    }
  if (chosen->len < folders->len)
    g_string_append_printf (out, "  and %u more, compared earlier or never\n",
                            folders->len - chosen->len);
}

gchar *
mm_report_write_summary (const MmReport *report, const MmAccountStatus *status)
{
  GString *out = g_string_new (NULL);
  g_autofree gchar *source = mm_log_printable (report->source);
  g_autofree gchar *mount_point = mm_log_printable (report->mount_point);

  g_string_append_printf (out, "%s on %s\n", source, mount_point);
  append_state (out, report, status);
  append_connections (out, &status->remote);
  append_watches (out, &status->remote);
  append_limits (out, &status->remote);
  append_folders (out, status);
  append_cache (out, status);
  append_read_ahead (out, &status->read_ahead);
  append_failed (out, status->failed);
  append_folder_table (out, status->folders);
  return g_string_free (out, FALSE);
}
