// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/error.h>
#include <mailmount/log.h>

typedef enum
{
  SINK_STDERR,
  SINK_FILE,
  SINK_SYSLOG,
} Sink;

static _Atomic int current_level = MM_LOG_INFO;

static GMutex sink_lock; /* guards the sink and keeps lines whole */
static Sink current_sink = SINK_STDERR;
static int file_fd = -1;

void
mm_log_set_level (MmLogLevel level)
{
  atomic_store (&current_level, (int) level);
}

MmLogLevel
mm_log_get_level (void)
{
  return (MmLogLevel) atomic_load (&current_level);
}

static void
replace_sink (Sink sink, int fd)
{
  g_mutex_lock (&sink_lock);
  if (file_fd >= 0)
    close (file_fd);
  file_fd = fd;
  current_sink = sink;
  g_mutex_unlock (&sink_lock);
}

void
mm_log_to_stderr (void)
{
  replace_sink (SINK_STDERR, -1);
}

void
mm_log_to_syslog (void)
{
  openlog ("mailmount", LOG_PID, LOG_USER);
  replace_sink (SINK_SYSLOG, -1);
}

gboolean
mm_log_to_file (const gchar *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    {
      int saved_errno = errno;
      g_autofree gchar *what = g_strdup_printf ("log file '%s'", path);
      g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, saved_errno, what));
      return FALSE;
    }
  replace_sink (SINK_FILE, fd);
  return TRUE;
}

/* Bidi controls reorder what a terminal shows, so that a line can lie. */
static gboolean
is_deceptive (gunichar c)
{
  return c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
         || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

gchar *
mm_log_printable (const gchar *text)
{
  GString *out = g_string_sized_new (strlen (text));

  for (const gchar *p = text; *p != '\0';)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (out, "\\x%02x", (guchar) *p++);
          continue;
        }
      if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        g_string_append_printf (out, "\\x%02x", c);
      else if (is_deceptive (c))
        g_string_append_printf (out, "\\u{%x}", c);
      else
        g_string_append_unichar (out, c);
      p = g_utf8_next_char (p);
    }
  return g_string_free (out, FALSE);
}

static void
write_to_file_locked (MmLogLevel level, const gchar *line)
{
  static const gchar *const level_names[] = { "error", "warning", "info", "debug" };
  gint64 now_us = mm_clock_wall_us ();
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (now_us / G_USEC_PER_SEC);
  g_autofree gchar *stamp = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");

  dprintf (file_fd, "%s.%03dZ %s: %s\n", stamp, (int) (now_us / 1000 % 1000), level_names[level],
           line);
}

void
mm_log (MmLogLevel level, const gchar *format, ...)
{
  static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

  if (level > mm_log_get_level ())
    return;

  va_list arguments;
  va_start (arguments, format);
  g_autofree gchar *raw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree gchar *line = mm_log_printable (raw);

  g_mutex_lock (&sink_lock);
  switch (current_sink)
    {
    case SINK_STDERR:
      fprintf (stderr, "mailmount: %s\n", line);
      break;
    case SINK_FILE:
      write_to_file_locked (level, line);
      break;
    case SINK_SYSLOG:
      syslog (priorities[level], "%s", line);
      break;
    }
  g_mutex_unlock (&sink_lock);
}
