// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The folders of an account as a tree of nodes: a plain data structure. Folders are found by their
 * path: the components of folder-name.h joined with '/', before any marking, so that a folder is the
 * same whether the server writes it in modified UTF-7 or in UTF-8.
 *
 * Of folders whose components differ only in case or normal form, the one seen later is shown with
 * '~' and 8 hex digits behind its component. What is shown is recorded in the index and stays.
 *
 * Not thread-safe. The account's lock guards it; only the index thread changes it.
 */
#pragma once

#include "mailbox-private.h"

typedef struct MmFolderTree MmFolderTree;
typedef struct MmFolderNode MmFolderNode;

struct MmFolderNode
{
  guint32 id;             /* 0: the root */
  MmFolderNode *parent;   /* borrowed; NULL for the root */
  const gchar *path;      /* interned in the tree */
  const gchar *component; /* as shown; interned in the tree */
  gchar *folded;          /* parent and component without case and normal form; owned */
  MmMailboxFlags flags;
  gboolean is_placeholder; /* exists only because something below it does */
  MmMailbox *mailbox;      /* nullable; owned by the account */
  gint64 mtime_us;
  gchar *mailbox_id;       /* nullable: by which the server calls it for ever; owned */
  gboolean has_no_id;      /* it was asked for in vain */
  GPtrArray *children;     /* Array<MmFolderNode>, ascending by id, owned */
  gboolean is_listed;      /* told by the list being applied */
  gboolean is_visible;     /* passes the filters, or something below it does */
};

MmFolderTree *mm_folder_tree_new (void);
void mm_folder_tree_free (MmFolderTree *tree);

MmFolderNode *mm_folder_tree_get_root (MmFolderTree *tree);
MmFolderNode *mm_folder_tree_find_id (MmFolderTree *tree, guint32 id);
MmFolderNode *mm_folder_tree_find_path (MmFolderTree *tree, const gchar *path);
/* The visible child shown as @component; INBOX in any case at the top. */
MmFolderNode *mm_folder_tree_find_child (MmFolderTree *tree, const MmFolderNode *parent,
                                         const gchar *component);
/* The position of the first child with an id above @id. */
guint mm_folder_node_position_after (const MmFolderNode *parent, guint32 id);

/* The visible node that follows @node in a walk: its first child, else the next sibling of it or of
 * an ancestor. NULL at the end. */
const MmFolderNode *mm_folder_node_next_visible (const MmFolderNode *node);

/* The component under which a new child of @parent is to be shown. (transfer full) */
gchar *mm_folder_tree_choose_component (MmFolderTree *tree, const MmFolderNode *parent,
                                        const gchar *path);
/* @path's last component, and the path of its parent ("" for the root; transfer full). */
const gchar *mm_folder_path_get_last (const gchar *path);
gchar *mm_folder_path_dup_parent (const gchar *path);

/* Strings are copied. @parent must be in the tree. */
MmFolderNode *mm_folder_tree_add (MmFolderTree *tree, MmFolderNode *parent, guint32 id,
                                  const gchar *path, const gchar *component);
/* Gives @node, and with it what is below it, another place, and a component to be shown there; the paths
 * below stay as they were. @parent is not below it. */
void mm_folder_tree_move (MmFolderTree *tree, MmFolderNode *node, MmFolderNode *parent,
                          const gchar *path);
/* Frees @node, which must have no children left. */
void mm_folder_tree_remove (MmFolderTree *tree, MmFolderNode *node);

/* All nodes but the root, parents before children. (transfer container) */
GPtrArray *mm_folder_tree_list (MmFolderTree *tree);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmFolderTree, mm_folder_tree_free)
