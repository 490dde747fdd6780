// SPDX-License-Identifier: GPL-3.0-or-later
#include "report.h"

#include <string.h>
#include <unistd.h>

#include <mailmount/account-status.h>
#include <mailmount/json-writer.h>

#include "report-summary.h"

const gchar *
mm_report_get_state_name (MmRemoteState state)
{
  switch (state)
    {
    case MM_REMOTE_ONLINE:
      return "online";
    case MM_REMOTE_IDLE:
      return "idle";
    case MM_REMOTE_OFFLINE:
      return "offline";
    case MM_REMOTE_REFUSED:
      return "refused";
    case MM_REMOTE_WAITING:
      return "waiting";
    case MM_REMOTE_OFF:
      return "off";
    }
  return "unknown";
}

gboolean
mm_report_is_healthy (const MmAccountStatus *status)
{
  gboolean is_good = FALSE;

  switch (status->remote.state)
    {
    case MM_REMOTE_ONLINE:
    case MM_REMOTE_IDLE:
    case MM_REMOTE_OFF: /* as the user wants it */
      is_good = TRUE;
      break;
    case MM_REMOTE_OFFLINE:
    case MM_REMOTE_REFUSED:
    case MM_REMOTE_WAITING:
      break;
    }
  return is_good && status->failed->len == 0;
}

gchar *
mm_report_build_path (const MmFailedMessage *message)
{
  return g_strdup_printf ("%s%s%" G_GUINT64_FORMAT ".eml", message->folder,
                          *message->folder != '\0' ? "/" : "", message->number);
}

const gchar *
mm_report_get_watch_name (const MmRemoteConnectionStatus *connection)
{
  if (!connection->has_watch)
    return NULL;
  return connection->watched != NULL ? "idle" : "notify";
}

guint64
mm_report_get_left_octets (const MmRemoteDayStatus *day)
{
  return day->limit_octets > day->used_octets ? day->limit_octets - day->used_octets : 0;
}

/* ---- JSON; the keys are described in the man page ---- */

static void
add_connections (MmJsonWriter *writer, const MmRemoteStatus *remote)
{
  mm_json_writer_add_number (writer, "connections_limit", remote->max_connections);
  mm_json_writer_begin_array (writer, "connections");
  for (guint i = 0; i < remote->connections->len; i++)
    {
      const MmRemoteConnectionStatus *connection
          = &g_array_index (remote->connections, MmRemoteConnectionStatus, i);

      mm_json_writer_begin_object (writer, NULL);
      mm_json_writer_add_string (writer, "state", connection->is_ready ? "ready" : "connecting");
      mm_json_writer_add_string (writer, "mailbox", connection->mailbox);
      mm_json_writer_add_number (writer, "jobs", connection->n_jobs);
      mm_json_writer_add_number (writer, "received_octets", connection->received_octets);
      mm_json_writer_add_time (writer, "opened", connection->opened_us);
      mm_json_writer_add_string (writer, "watch", mm_report_get_watch_name (connection));
      mm_json_writer_add_string (writer, "watched", connection->watched);
      mm_json_writer_end_object (writer);
    }
  mm_json_writer_end_array (writer);
  mm_json_writer_begin_object (writer, "queue");
  mm_json_writer_add_number (writer, "demand", remote->n_queued_demand);
  mm_json_writer_add_number (writer, "read_ahead", remote->n_queued_read_ahead);
  mm_json_writer_end_object (writer);
  mm_json_writer_begin_object (writer, "throughput");
  mm_json_writer_add_number (writer, "received_octets", remote->received_octets);
  mm_json_writer_add_number (writer, "recent_octets", remote->recent_octets);
  mm_json_writer_add_number (writer, "recent_seconds", MM_REMOTE_RECENT_SECONDS);
  mm_json_writer_add_number (writer, "bandwidth", remote->bandwidth_octets);
  mm_json_writer_end_object (writer);
  mm_json_writer_begin_object (writer, "daily_limit");
  mm_json_writer_add_number (writer, "limit_octets", remote->day.limit_octets);
  mm_json_writer_add_number (writer, "used_today_octets", remote->day.used_octets);
  mm_json_writer_add_number (writer, "left_octets", mm_report_get_left_octets (&remote->day));
  mm_json_writer_add_time (writer, "given_back", remote->day.returns_us);
  mm_json_writer_end_object (writer);
}

static void
add_folders (MmJsonWriter *writer, const MmAccountStatus *status)
{
  mm_json_writer_add_time (writer, "folders_listed", status->folders_listed_us);
  mm_json_writer_begin_array (writer, "folders");
  for (guint i = 0; i < status->folders->len; i++)
    {
      const MmFolderStatus *folder = &g_array_index (status->folders, MmFolderStatus, i);

      mm_json_writer_begin_object (writer, NULL);
      mm_json_writer_add_string (writer, "path", *folder->path != '\0' ? folder->path : ".");
      mm_json_writer_add_boolean (writer, "listed", folder->is_listed);
      mm_json_writer_add_number (writer, "messages", folder->messages);
      mm_json_writer_add_number (writer, "octets", folder->octets);
      mm_json_writer_add_number (writer, "cached", folder->n_cached);
      mm_json_writer_add_time (writer, "compared", folder->compared_us);
      mm_json_writer_end_object (writer);
    }
  mm_json_writer_end_array (writer);
}

static const gchar *
get_lack_name (MmContentCacheLack lack)
{
  switch (lack)
    {
    case MM_CONTENT_CACHE_LACK_NOTHING:
      break;
    case MM_CONTENT_CACHE_LACK_SIZE:
      return MM_REPORT_LACK_SIZE;
    case MM_CONTENT_CACHE_LACK_DISK:
      return MM_REPORT_LACK_DISK;
    case MM_CONTENT_CACHE_LACK_COUNT:
      return MM_REPORT_LACK_COUNT;
    }
  return NULL;
}

static void
add_cache (MmJsonWriter *writer, const MmReport *report, const MmAccountStatus *status)
{
  const MmContentCacheUsage *cache = &status->cache;

  mm_json_writer_begin_object (writer, "cache");
  mm_json_writer_add_string (writer, MM_REPORT_CACHE_DIRECTORY, report->cache_directory);
  mm_json_writer_add_number (writer, "messages", cache->n_messages);
  mm_json_writer_add_number (writer, "octets", cache->octets);
  mm_json_writer_add_boolean (writer, "counted", cache->is_counted);
  mm_json_writer_add_number (writer, MM_REPORT_CACHE_SIZE, cache->size_octets);
  mm_json_writer_add_number (writer, MM_REPORT_CACHE_FLOOR, cache->floor_octets);
  mm_json_writer_add_number (writer, MM_REPORT_CACHE_FREE, cache->free_octets);
  mm_json_writer_add_string (writer, MM_REPORT_CACHE_LACK, get_lack_name (cache->lack));
  mm_json_writer_add_number (writer, "damaged", status->n_cache_damaged);
  mm_json_writer_end_object (writer);
}

static void
add_read_ahead (MmJsonWriter *writer, const MmReadAheadStatus *ahead)
{
  mm_json_writer_begin_object (writer, "read_ahead");
  mm_json_writer_add_number (writer, "fetched_octets", ahead->fetched_octets);
  mm_json_writer_add_number (writer, "used_octets", ahead->used_octets);
  mm_json_writer_add_number (writer, "waiting_octets", ahead->waiting_octets);
  mm_json_writer_add_number (writer, "unused_octets", ahead->unused_octets);
  mm_json_writer_add_number (writer, "hits", ahead->n_hits);
  mm_json_writer_add_number (writer, "misses", ahead->n_misses);
  mm_json_writer_end_object (writer);
}

static void
add_counts (MmJsonWriter *writer, const gchar *key, const guint counts[MM_N_ERRORS])
{
  mm_json_writer_begin_object (writer, key);
  for (guint code = 0; code < MM_N_ERRORS; code++)
    if (counts[code] > 0)
      mm_json_writer_add_number (writer, mm_error_get_name ((MmError) code), counts[code]);
  mm_json_writer_end_object (writer);
}

static void
add_errors (MmJsonWriter *writer, const MmAccountStatus *status)
{
  mm_json_writer_begin_object (writer, "errors");
  add_counts (writer, "connections", status->remote.n_errors);
  add_counts (writer, "listings", status->n_listing_errors);
  add_counts (writer, "messages", status->n_message_errors);
  mm_json_writer_end_object (writer);

  mm_json_writer_begin_array (writer, "failed");
  for (guint i = 0; i < status->failed->len; i++)
    {
      const MmFailedMessage *message = &g_array_index (status->failed, MmFailedMessage, i);
      g_autofree gchar *path = mm_report_build_path (message);

      mm_json_writer_begin_object (writer, NULL);
      mm_json_writer_add_string (writer, "path", path);
      mm_json_writer_add_string (writer, "error", mm_error_get_name (message->code));
      mm_json_writer_add_string (writer, "reason", message->reason);
      mm_json_writer_add_number (writer, "times", message->n_times);
      mm_json_writer_add_time (writer, "last", message->failed_us);
      mm_json_writer_end_object (writer);
    }
  mm_json_writer_end_array (writer);
}

static gchar *
write_json (const MmReport *report, const MmAccountStatus *status)
{
  MmJsonWriter *writer = mm_json_writer_new ();
  const MmRemoteStatus *remote = &status->remote;

  mm_json_writer_begin_object (writer, NULL);
  mm_json_writer_add_boolean (writer, "healthy", mm_report_is_healthy (status));
  mm_json_writer_add_string (writer, "state", mm_report_get_state_name (remote->state));
  mm_json_writer_add_string (writer, "version", MM_VERSION);
  mm_json_writer_add_string (writer, "source", report->source);
  mm_json_writer_add_string (writer, "mountpoint", report->mount_point);
  mm_json_writer_add_string (writer, "account", report->account_name);
  mm_json_writer_add_number (writer, "process", (guint64) getpid ());
  mm_json_writer_add_time (writer, "mounted", report->mounted_us);
  mm_json_writer_add_time (writer, "next_try", remote->next_try_us);
  mm_json_writer_add_time (writer, "last_contact", remote->last_contact_us);
  mm_json_writer_add_string (writer, "last_error", remote->last_error);
  mm_json_writer_add_time (writer, "last_error_at", remote->last_error_us);
  add_connections (writer, remote);
  add_cache (writer, report, status);
  add_read_ahead (writer, &status->read_ahead);
  add_errors (writer, status);
  add_folders (writer, status);
  mm_json_writer_end_object (writer);
  return mm_json_writer_finish (writer);
}

/* What stands behind @key; NULL when it is not there. */
static const gchar *
find_value (const gchar *json, const gchar *key)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\": ", key);
  const gchar *found = strstr (json, quoted);

  return found != NULL ? found + strlen (quoted) : NULL;
}

gboolean
mm_report_find_number (const gchar *json, const gchar *key, guint64 *out)
{
  const gchar *value = find_value (json, key);

  if (value == NULL || !g_ascii_isdigit (*value))
    return FALSE;
  *out = g_ascii_strtoull (value, NULL, 10);
  return TRUE;
}

gchar *
mm_report_find_word (const gchar *json, const gchar *key)
{
  const gchar *value = find_value (json, key);

  return value != NULL && *value == '"' ? g_strndup (value + 1, strcspn (value + 1, "\"")) : NULL;
}

gchar *
mm_report_write (MmVfsReport which, gpointer data)
{
  const MmReport *report = data;
  g_auto (MmAccountStatus) status = { 0 };

  mm_account_get_status (report->account, &status);
  switch (which)
    {
    case MM_VFS_REPORT_STATUS:
      return write_json (report, &status);
    case MM_VFS_REPORT_SUMMARY:
      return mm_report_write_summary (report, &status);
    case MM_VFS_N_REPORTS:
      break;
    }
  g_assert_not_reached ();
}
