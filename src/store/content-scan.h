// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Looks through all content files. Blocks on the disk, about a second for 100,000 of them when
 * nothing of the directory is in memory.
 */
#pragma once

#include "content-directory.h"
#include "content-lru.h"

G_BEGIN_DECLS

typedef void (*MmContentScanFunc) (const MmContentFound *found, gpointer user_data);

/* Tells all files below CONTENT, in no order. What does not look like a content file is left out.
 * FALSE when it was broken off: @is_cancelled (nullable) became TRUE, or a directory cannot be
 * read. */
gboolean mm_content_scan (const MmContentDirectory *directory, const gint *is_cancelled,
                          MmContentScanFunc func, gpointer user_data);

G_END_DECLS
