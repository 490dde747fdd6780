// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the system's table of mounts says of our mounts. It is text of the kernel: reading it touches
 * no mount, so that a dead or stuck one can be spoken of.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *path;   /* where it is mounted, absolute and resolved */
  gchar *source; /* the URL that was mounted */
  guint owner;   /* the user who mounted it */
} MmMountEntry;

void mm_mount_entry_free (MmMountEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmMountEntry, mm_mount_entry_free)

/* The mailmounts in the text of a mountinfo file (proc(5)), in its order, which is that of mounting:
 * Array<owned MmMountEntry>. (transfer full) */
GPtrArray *mm_mount_table_parse (const gchar *mountinfo);

/* The same of this process's own mountinfo. NULL with MM_ERROR_SYSTEM when it cannot be read. */
GPtrArray *mm_mount_table_read (GError **error);

/* The entry mounted last on exactly @path; NULL when there is none. (transfer none) */
const MmMountEntry *mm_mount_table_find (const GPtrArray *table, const gchar *path);

/* The absolute path that @path, as a user wrote it, stands for, without symbolic links on the way to a
 * mount. Nothing on or below the mounts of @table is looked at. (transfer full) */
gchar *mm_mount_table_resolve (const GPtrArray *table, const gchar *path);

/* The mount that holds the absolute @path, by the text of it; NULL when none does. (transfer none) */
const MmMountEntry *mm_mount_table_find_holder (const GPtrArray *table, const gchar *path);

G_END_DECLS
