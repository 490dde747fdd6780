// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How far a fetch has come, in words. Pure functions.
 */
#pragma once

#include "fetch-readers.h"

G_BEGIN_DECLS

/* A bar for a terminal, in less than 80 columns. (transfer full) */
gchar *mm_fetch_progress_draw (const MmFetchProgress *progress, gint64 elapsed_us);
/* A line without a bar. (transfer full) */
gchar *mm_fetch_progress_describe (const MmFetchProgress *progress, gint64 elapsed_us);
/* What it came to. (transfer full) */
gchar *mm_fetch_progress_sum (const MmFetchProgress *progress);

G_END_DECLS
