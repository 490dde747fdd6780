// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Contents of linked messages that left a folder. They stay in the cache while any folder has the
 * message, and a while longer: who moves a message takes it out of one folder before it is seen in
 * another. Used by the index thread only.
 */
#pragma once

#include "mail-context.h"

typedef struct MmOrphans MmOrphans;

MmOrphans *mm_orphans_new (void);
void mm_orphans_free (MmOrphans *orphans);

/* The file @link has one name less. */
void mm_orphans_add (MmOrphans *orphans, guint64 link);
/* The same of all that the index has of a folder, which is about to be removed. */
void mm_orphans_add_folder (MmOrphans *orphans, MmIndex *index, guint32 folder_id);
/* Removes from the cache what waited for a minute, or, at the end, what waits, and what no folder has. */
void mm_orphans_sweep (MmOrphans *orphans, MmIndex *index, const MmMailContext *context,
                       gboolean is_end);
