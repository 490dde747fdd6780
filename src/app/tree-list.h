// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One directory of a tree, as commands that walk trees need it.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef enum
{
  MM_TREE_DIRECTORY,
  MM_TREE_FILE,
  MM_TREE_OTHER, /* a link, a device, … */
} MmTreeKind;

typedef struct
{
  gchar *name; /* owned */
  MmTreeKind kind;
  guint64 size;  /* octets */
  gint64 mtime_s; /* since 1970 UTC */
} MmTreeEntry;

/* The entries of the directory @path but . and .., by the octets of their names:
 * Array<owned MmTreeEntry>. Complete, or NULL with MM_ERROR_SYSTEM. What disappears meanwhile is left
 * out. (transfer full) */
GPtrArray *mm_tree_list (const gchar *path, GError **error);

/* Whether an entry has the name of a message. */
gboolean mm_tree_entry_is_message (const MmTreeEntry *entry);

/* "A/B" from "A" and "B", "B" from "" and "B". (transfer full) */
gchar *mm_tree_join (const gchar *path, const gchar *name);

G_END_DECLS
