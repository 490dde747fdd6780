// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Folders that have another name now. A server that calls its mailboxes by ids (MAILBOXID, RFC 8474)
 * says so: a folder that the list does not tell any more, and whose id it tells under a path that is
 * new, is the same one. It keeps its id, and with that its numbers, inodes and cached content.
 */
#include "account-private.h"

#include <mailmount/clock.h>
#include <mailmount/folder-name.h>
#include <mailmount/log.h>

/* Map<path, MmListedFolder>, borrowed. */
static GHashTable *
map_paths (const GArray *listed)
{
  GHashTable *paths = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < listed->len; i++)
    {
      MmListedFolder *one = &g_array_index (listed, MmListedFolder, i);
      g_hash_table_insert (paths, one->path, one);
    }
  return paths;
}

/* The list tells the folder, or another that it cannot be told from, under the path that it had. */
static gboolean
is_where_it_was (const MmFolderNode *node, GHashTable *paths)
{
  const MmListedFolder *listed = g_hash_table_lookup (paths, node->path);

  return listed != NULL
         && (listed->mailbox_id == NULL || g_str_equal (listed->mailbox_id, node->mailbox_id));
}

/* Map<mailbox id, MmFolderNode>: of the folders that are not where they were. */
static GHashTable *
collect_missing (MmFolderTree *tree, GHashTable *paths)
{
  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (tree);
  GHashTable *missing = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < nodes->len; i++)
    {
      MmFolderNode *node = g_ptr_array_index (nodes, i);
      if (node->mailbox_id != NULL && !is_where_it_was (node, paths))
        g_hash_table_insert (missing, node->mailbox_id, node);
    }
  return missing;
}

/* A folder cannot go below itself. */
static gboolean
is_below (const MmFolderNode *node, const MmFolderNode *above)
{
  for (; node != NULL; node = node->parent)
    if (node == above)
      return TRUE;
  return FALSE;
}

static void
move_folder (MmFolderList *list, MmIndex *index, MmFolderNode *node, MmFolderNode *parent,
             const MmListedFolder *listed)
{
  MmAccount *account = list->account;
  MmFolderGone gone = { node->parent->id, node->component };
  GError *error = NULL;

  if (!g_str_equal (node->path, listed->path))
    mm_log_info ("the folder '%s' of %s is called '%s' now", node->path, account->context.name,
                 listed->path);
  g_mutex_lock (&account->lock);
  mm_folder_tree_move (account->tree, node, parent, listed->path);
  if (node->mailbox != NULL)
    mm_mailbox_set_path (node->mailbox, node->path);
  g_mutex_unlock (&account->lock);
  /* What is below a renamed folder is where it was. */
  if (gone.parent_id != parent->id || gone.component != node->component)
    {
      g_array_append_val (list->gone, gone);
      g_hash_table_add (list->changed, GUINT_TO_POINTER (gone.parent_id));
      g_hash_table_add (list->changed, GUINT_TO_POINTER (parent->id));
    }
  if (!mm_index_move_folder (index, node->id, listed->name, listed->path, node->component, &error))
    {
      mm_log_warning ("the index of %s: %s", account->context.name, error->message);
      g_error_free (error);
    }
}

/* TRUE when it has the place now that the list says. */
static gboolean
try_to_move (MmFolderList *list, MmIndex *index, MmFolderNode *node, const MmListedFolder *listed)
{
  g_autofree gchar *parent_path = mm_folder_path_dup_parent (listed->path);

  /* Whoever has that path may move away yet. */
  if (mm_folder_tree_find_path (list->account->tree, listed->path) != NULL)
    return FALSE;
  MmFolderNode *parent = mm_account_ensure_folder (list, index, parent_path, NULL);
  if (parent == NULL || is_below (parent, node))
    return FALSE;
  move_folder (list, index, node, parent, listed);
  return TRUE;
}

/* What was below a folder that was renamed without it is below another one now. */
static void
take_home_again (MmFolderList *list, MmIndex *index, GHashTable *paths)
{
  MmFolderTree *tree = list->account->tree;
  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (tree);

  for (guint i = 0; i < nodes->len && list->error == NULL; i++)
    {
      MmFolderNode *node = g_ptr_array_index (nodes, i);
      const MmListedFolder *listed = g_hash_table_lookup (paths, node->path);
      g_autofree gchar *parent_path = mm_folder_path_dup_parent (node->path);
      if (listed == NULL || g_str_equal (parent_path, node->parent->path))
        continue;
      MmFolderNode *parent = mm_account_ensure_folder (list, index, parent_path, NULL);
      if (parent != NULL && !is_below (parent, node))
        move_folder (list, index, node, parent, listed);
    }
}

void
mm_account_apply_renames (MmFolderList *list, MmIndex *index)
{
  g_autoptr (GHashTable) paths = map_paths (list->listed);
  g_autoptr (GHashTable) missing = collect_missing (list->account->tree, paths);
  gboolean is_moving = TRUE;
  gboolean has_moved = FALSE;

  while (is_moving && g_hash_table_size (missing) > 0 && list->error == NULL)
    {
      is_moving = FALSE;
      /* By path, so that what is above a folder has its name before. */
      for (guint i = 0; i < list->listed->len; i++)
        {
          const MmListedFolder *listed = &g_array_index (list->listed, MmListedFolder, i);
          MmFolderNode *node = listed->mailbox_id != NULL
                                   ? g_hash_table_lookup (missing, listed->mailbox_id)
                                   : NULL;
          if (node == NULL || !try_to_move (list, index, node, listed))
            continue;
          g_hash_table_remove (missing, listed->mailbox_id);
          is_moving = has_moved = TRUE;
        }
    }
  if (has_moved)
    take_home_again (list, index, paths);
}
