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
  MmAccount *account;       /* borrowed */
} MmReport;

/* The line of the JSON text that says whether all is well. Nothing else in it can look so: strings
 * hold no line ends. */
#define MM_REPORT_HEALTHY_LINE "\n  \"healthy\": true"

/* MmVfsReportFunc; @report is a MmReport. Never blocks; any thread. */
gchar *mm_report_write (MmVfsReport which, gpointer report);

G_END_DECLS
