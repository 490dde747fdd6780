// SPDX-License-Identifier: GPL-3.0-or-later
#include "folder-tree.h"

#include <string.h>

#include <mailmount/folder-name.h>

/* What is kept of a component of 255 octets before "~" and eight digits. */
#define MARKED_OCTETS_MAX 246

struct MmFolderTree
{
  MmFolderNode *root;
  GHashTable *by_id;     /* Map<id, MmFolderNode *> */
  GHashTable *by_path;   /* Map<path, MmFolderNode *> */
  GHashTable *by_folded; /* Map<folded, MmFolderNode *> */
  GStringChunk *strings; /* paths and components, kept as long as the tree */
};

static void
free_node (gpointer data)
{
  MmFolderNode *node = data;
  g_ptr_array_unref (node->children);
  g_free (node->folded);
  g_free (node->mailbox_id);
  g_free (node);
}

static MmFolderNode *
new_node (MmFolderNode *parent, guint32 id, const gchar *path, const gchar *component)
{
  MmFolderNode *node = g_new0 (MmFolderNode, 1);

  node->id = id;
  node->parent = parent;
  node->path = path;
  node->component = component;
  node->children = g_ptr_array_new_with_free_func (free_node);
  return node;
}

MmFolderTree *
mm_folder_tree_new (void)
{
  MmFolderTree *tree = g_new0 (MmFolderTree, 1);

  tree->strings = g_string_chunk_new (4096);
  tree->by_id = g_hash_table_new (NULL, NULL);
  tree->by_path = g_hash_table_new (g_str_hash, g_str_equal);
  tree->by_folded = g_hash_table_new (g_str_hash, g_str_equal);
  tree->root = new_node (NULL, 0, "", "");
  tree->root->is_visible = TRUE;
  return tree;
}

void
mm_folder_tree_free (MmFolderTree *tree)
{
  if (tree == NULL)
    return;
  /* From the leaves up: a chain of thousands of levels must not become as many stack frames. */
  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (tree);
  for (guint i = nodes->len; i-- > 0;)
    mm_folder_tree_remove (tree, g_ptr_array_index (nodes, i));
  free_node (tree->root);
  g_hash_table_unref (tree->by_id);
  g_hash_table_unref (tree->by_path);
  g_hash_table_unref (tree->by_folded);
  g_string_chunk_free (tree->strings);
  g_free (tree);
}

MmFolderNode *
mm_folder_tree_get_root (MmFolderTree *tree)
{
  return tree->root;
}

MmFolderNode *
mm_folder_tree_find_id (MmFolderTree *tree, guint32 id)
{
  return id == 0 ? tree->root : g_hash_table_lookup (tree->by_id, GUINT_TO_POINTER (id));
}

MmFolderNode *
mm_folder_tree_find_path (MmFolderTree *tree, const gchar *path)
{
  return *path == '\0' ? tree->root : g_hash_table_lookup (tree->by_path, path);
}

/* Equal for children of one folder that a case-insensitive or normalising filesystem takes for the
 * same. */
static gchar *
fold_component (const MmFolderNode *parent, const gchar *component)
{
  g_autofree gchar *normal = g_utf8_normalize (component, -1, G_NORMALIZE_ALL);
  g_autofree gchar *folded = g_utf8_casefold (normal != NULL ? normal : component, -1);
  return g_strdup_printf ("%u/%s", parent->id, folded);
}

MmFolderNode *
mm_folder_tree_find_child (MmFolderTree *tree, const MmFolderNode *parent, const gchar *component)
{
  g_autofree gchar *folded = fold_component (parent, component);
  MmFolderNode *child = g_hash_table_lookup (tree->by_folded, folded);

  if (child == NULL || !child->is_visible)
    return NULL;
  gboolean is_inbox = parent->parent == NULL && mm_mailbox_is_inbox (component);
  return is_inbox || strcmp (child->component, component) == 0 ? child : NULL;
}

guint
mm_folder_node_position_after (const MmFolderNode *parent, guint32 id)
{
  guint low = 0;
  guint high = parent->children->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const MmFolderNode *child = g_ptr_array_index (parent->children, middle);
      if (child->id <= id)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

const gchar *
mm_folder_path_get_last (const gchar *path)
{
  const gchar *slash = strrchr (path, '/');
  return slash != NULL ? slash + 1 : path;
}

gchar *
mm_folder_path_dup_parent (const gchar *path)
{
  const gchar *slash = strrchr (path, '/');
  return slash != NULL ? g_strndup (path, (gsize) (slash - path)) : g_strdup ("");
}

static gboolean
is_taken (MmFolderTree *tree, const MmFolderNode *parent, const gchar *component)
{
  g_autofree gchar *folded = fold_component (parent, component);
  return g_hash_table_contains (tree->by_folded, folded);
}

gchar *
mm_folder_tree_choose_component (MmFolderTree *tree, const MmFolderNode *parent, const gchar *path)
{
  const gchar *component = mm_folder_path_get_last (path);
  g_autofree gchar *chosen = g_strdup (component);
  g_autofree gchar *marked = g_strdup (path);
  gsize keep = MIN (strlen (component), MARKED_OCTETS_MAX);

  while (keep > 0 && ((guchar) component[keep] & 0xc0) == 0x80)
    keep--;
  /* A folder may be called what another would be marked as: then the mark is marked. */
  while (is_taken (tree, parent, chosen))
    {
      g_autofree gchar *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, marked, -1);
      g_free (chosen);
      chosen = g_strdup_printf ("%.*s~%.8s", (int) keep, component, digest);
      g_free (marked);
      marked = g_steal_pointer (&digest);
    }
  return g_steal_pointer (&chosen);
}

MmFolderNode *
mm_folder_tree_add (MmFolderTree *tree, MmFolderNode *parent, guint32 id, const gchar *path,
                    const gchar *component)
{
  MmFolderNode *node = new_node (parent, id, g_string_chunk_insert_const (tree->strings, path),
                                 g_string_chunk_insert_const (tree->strings, component));

  g_ptr_array_insert (parent->children, (gint) mm_folder_node_position_after (parent, id), node);
  g_hash_table_insert (tree->by_id, GUINT_TO_POINTER (id), node);
  g_hash_table_insert (tree->by_path, (gpointer) node->path, node);
  node->folded = fold_component (parent, component);
  g_hash_table_insert (tree->by_folded, node->folded, node);
  return node;
}

void
mm_folder_tree_move (MmFolderTree *tree, MmFolderNode *node, MmFolderNode *parent,
                     const gchar *path)
{
  guint position = 0;

  g_hash_table_remove (tree->by_path, node->path);
  g_hash_table_remove (tree->by_folded, node->folded);
  g_ptr_array_find (node->parent->children, node, &position);
  g_ptr_array_steal_index (node->parent->children, position);
  g_free (node->folded);
  g_autofree gchar *component = mm_folder_tree_choose_component (tree, parent, path);
  node->parent = parent;
  node->path = g_string_chunk_insert_const (tree->strings, path);
  node->component = g_string_chunk_insert_const (tree->strings, component);
  node->folded = fold_component (parent, component);
  g_ptr_array_insert (parent->children, (gint) mm_folder_node_position_after (parent, node->id),
                      node);
  g_hash_table_insert (tree->by_path, (gpointer) node->path, node);
  g_hash_table_insert (tree->by_folded, node->folded, node);
}

void
mm_folder_tree_remove (MmFolderTree *tree, MmFolderNode *node)
{
  g_hash_table_remove (tree->by_id, GUINT_TO_POINTER (node->id));
  g_hash_table_remove (tree->by_path, node->path);
  g_hash_table_remove (tree->by_folded, node->folded);
  g_ptr_array_remove (node->parent->children, node);
}

GPtrArray *
mm_folder_tree_list (MmFolderTree *tree)
{
  GPtrArray *nodes = g_ptr_array_new ();

  g_ptr_array_extend (nodes, tree->root->children, NULL, NULL);
  for (guint i = 0; i < nodes->len; i++)
    {
      const MmFolderNode *node = g_ptr_array_index (nodes, i);
      g_ptr_array_extend (nodes, node->children, NULL, NULL);
    }
  return nodes;
}

static const MmFolderNode *
find_visible_child_after (const MmFolderNode *parent, guint32 id)
{
  for (guint i = mm_folder_node_position_after (parent, id); i < parent->children->len; i++)
    {
      const MmFolderNode *child = g_ptr_array_index (parent->children, i);
      if (child->is_visible)
        return child;
    }
  return NULL;
}

const MmFolderNode *
mm_folder_node_next_visible (const MmFolderNode *node)
{
  const MmFolderNode *next = find_visible_child_after (node, 0);

  for (; next == NULL && node->parent != NULL; node = node->parent)
    next = find_visible_child_after (node->parent, node->id);
  return next;
}
