// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where messages go. One sink for the whole process, chosen by the application: the terminal
 * (before backgrounding and with -f), a file, or syslog. Library code only calls mm_log_*.
 *
 * Text that came from a server or a mail may hold anything; the log writes every control
 * character, bidi control and invalid UTF-8 byte as an escape, so nothing reaches a terminal raw.
 * Thread-safe. A failure is logged once, where it is handled, never where it is passed on.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MM_LOG_ERROR,
  MM_LOG_WARNING,
  MM_LOG_INFO,
  MM_LOG_DEBUG,
} MmLogLevel;

/* Messages above @level are dropped. The default is MM_LOG_INFO. */
void mm_log_set_level (MmLogLevel level);
MmLogLevel mm_log_get_level (void);

/* The sinks. The default is standard error. mm_log_to_file appends to @path (mode 0600) and
 * returns FALSE with @error set when it cannot be opened; the sink is then unchanged. */
void mm_log_to_stderr (void);
void mm_log_to_syslog (void);
gboolean mm_log_to_file (const gchar *path, GError **error);

void mm_log (MmLogLevel level, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

#define mm_log_error(...)   mm_log (MM_LOG_ERROR, __VA_ARGS__)
#define mm_log_warning(...) mm_log (MM_LOG_WARNING, __VA_ARGS__)
#define mm_log_info(...)    mm_log (MM_LOG_INFO, __VA_ARGS__)
#define mm_log_debug(...) \
  G_STMT_START { if (mm_log_get_level () >= MM_LOG_DEBUG) mm_log (MM_LOG_DEBUG, __VA_ARGS__); } G_STMT_END

/* @text with everything unprintable escaped as \xNN or \u{N}; valid UTF-8. (transfer full) */
gchar *mm_log_printable (const gchar *text);

G_END_DECLS
