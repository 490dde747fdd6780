// SPDX-License-Identifier: GPL-3.0-or-later
#include "report-summary.h"

#include <mailmount/clock.h>
#include <mailmount/log.h>

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
  g_string_append_printf (out, "  cache        %" G_GUINT64_FORMAT " messages, ", status->n_cached);
  append_octets (out, status->cached_octets);
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

gchar *
mm_report_write_summary (const MmReport *report, const MmAccountStatus *status)
{
  GString *out = g_string_new (NULL);
  g_autofree gchar *source = mm_log_printable (report->source);
  g_autofree gchar *mount_point = mm_log_printable (report->mount_point);

  g_string_append_printf (out, "%s on %s\n", source, mount_point);
  append_state (out, report, status);
  append_connections (out, &status->remote);
  append_folders (out, status);
  append_cache (out, status);
  append_read_ahead (out, &status->read_ahead);
  append_failed (out, status->failed);
  return g_string_free (out, FALSE);
}
