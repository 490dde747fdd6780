// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a mount says of itself, as the texts of the files in `.mailmount`: JSON for programs, a few
 * lines for people. Both are made from the same facts at the moment they are asked for.
 */
#pragma once

#include <mailmount/vfs.h>

G_BEGIN_DECLS

/* What stays the same while it is mounted. */
typedef struct
{
  const gchar *source;      /* the URL, as it was written */
  const gchar *mount_point; /* absolute */
  const gchar *account_name;
  gint64 mounted_us;        /* since 1970 UTC */
  const gchar *cache_directory; /* nullable: in memory */
  MmAccount *account;       /* borrowed */
} MmReport;

/* The line of the JSON text that says whether all is well. Nothing else in it can look so: strings
 * hold no line ends. */
#define MM_REPORT_HEALTHY_LINE "\n  \"healthy\": true"

/* Of the cache: where it is (null: in memory), and what of it is limited; 0 is no limit. */
#define MM_REPORT_CACHE_DIRECTORY "directory"
#define MM_REPORT_CACHE_SIZE      "cache_size"
#define MM_REPORT_CACHE_FLOOR     "cache_free"
#define MM_REPORT_CACHE_FREE      "disk_free_octets"
/* Why something was not kept, the last time: one of the three words, or null. */
#define MM_REPORT_CACHE_LACK      "lacking"
#define MM_REPORT_LACK_SIZE       "cache_size"
#define MM_REPORT_LACK_DISK       "cache_free"
#define MM_REPORT_LACK_COUNT      "counting"

/* Single facts of the JSON text, for who has no parser: keys that it has once. In a string a quote has a
 * backslash before it, so that nothing else can look like one. */
gboolean mm_report_find_number (const gchar *json, const gchar *key, guint64 *out);
/* NULL when it is null, too. The words that it is used for have nothing to unescape. (transfer full) */
gchar *mm_report_find_word (const gchar *json, const gchar *key);

/* MmVfsReportFunc; @report is a MmReport. Never blocks; any thread. */
gchar *mm_report_write (MmVfsReport which, gpointer report);

G_END_DECLS
