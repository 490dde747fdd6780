// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/mail/folder-tree.h"

static MmFolderNode *
add (MmFolderTree *tree, guint32 id, const gchar *path)
{
  g_autofree gchar *parent_path = mm_folder_path_dup_parent (path);
  MmFolderNode *parent = mm_folder_tree_find_path (tree, parent_path);
  g_assert_nonnull (parent);
  g_autofree gchar *component = mm_folder_tree_choose_component (tree, parent, path);
  MmFolderNode *node = mm_folder_tree_add (tree, parent, id, path, component);
  node->is_visible = TRUE;
  return node;
}

static void
test_found (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *root = mm_folder_tree_get_root (tree);
  MmFolderNode *a = add (tree, 1, "A");
  MmFolderNode *b = add (tree, 2, "A/B");

  g_assert_true (mm_folder_tree_find_path (tree, "") == root);
  g_assert_true (mm_folder_tree_find_path (tree, "A/B") == b);
  g_assert_true (mm_folder_tree_find_id (tree, 2) == b);
  g_assert_true (mm_folder_tree_find_id (tree, 0) == root);
  g_assert_true (mm_folder_tree_find_child (tree, a, "B") == b);
  g_assert_null (mm_folder_tree_find_child (tree, root, "B"));
  g_assert_null (mm_folder_tree_find_child (tree, a, "b"));
  a->is_visible = FALSE;
  g_assert_null (mm_folder_tree_find_child (tree, root, "A"));
}

static void
test_inbox (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *root = mm_folder_tree_get_root (tree);
  MmFolderNode *inbox = add (tree, 1, "INBOX");
  MmFolderNode *below = add (tree, 2, "INBOX/Inbox");

  g_assert_true (mm_folder_tree_find_child (tree, root, "INBOX") == inbox);
  g_assert_true (mm_folder_tree_find_child (tree, root, "inbox") == inbox);
  g_assert_true (mm_folder_tree_find_child (tree, root, "InBox") == inbox);
  g_assert_true (mm_folder_tree_find_child (tree, inbox, "Inbox") == below);
  g_assert_null (mm_folder_tree_find_child (tree, inbox, "INBOX"));
}

static void
assert_marked (const MmFolderNode *node, const gchar *beginning)
{
  gsize length = strlen (beginning);

  g_assert_true (g_str_has_prefix (node->component, beginning));
  g_assert_cmpuint (strlen (node->component), ==, length + 9);
  g_assert_cmpint (node->component[length], ==, '~');
  for (const gchar *p = node->component + length + 1; *p != '\0'; p++)
    g_assert_true (g_ascii_isxdigit (*p) && !g_ascii_isupper (*p));
}

static void
test_collisions (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *root = mm_folder_tree_get_root (tree);
  MmFolderNode *first = add (tree, 1, "Work");
  MmFolderNode *second = add (tree, 2, "WORK");
  MmFolderNode *composed = add (tree, 3, "Caf\xc3\xa9");
  MmFolderNode *decomposed = add (tree, 4, "Cafe\xcc\x81");
  MmFolderNode *elsewhere = add (tree, 5, "Work/work");

  g_assert_cmpstr (first->component, ==, "Work");
  assert_marked (second, "WORK");
  g_assert_cmpstr (composed->component, ==, "Caf\xc3\xa9");
  assert_marked (decomposed, "Cafe\xcc\x81");
  g_assert_cmpstr (elsewhere->component, ==, "work");
  g_assert_true (mm_folder_tree_find_child (tree, root, second->component) == second);
  g_assert_null (mm_folder_tree_find_child (tree, root, "WORK"));
  g_assert_true (mm_folder_tree_find_path (tree, "WORK") == second);
}

static void
test_collision_with_mark (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *root = mm_folder_tree_get_root (tree);
  g_autofree gchar *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "WORK", -1);
  g_autofree gchar *path = g_strdup_printf ("WORK~%.8s", digest);
  MmFolderNode *lure = add (tree, 1, path);

  add (tree, 2, "Work");
  MmFolderNode *marked = add (tree, 3, "WORK");
  assert_marked (marked, "WORK");
  g_assert_cmpstr (marked->component, !=, lure->component);
  g_assert_true (mm_folder_tree_find_child (tree, root, lure->component) == lure);
  g_assert_true (mm_folder_tree_find_child (tree, root, marked->component) == marked);
}

static void
test_long_collision (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  GString *lower = g_string_new (NULL);
  GString *upper = g_string_new (NULL);

  while (lower->len < 254)
    {
      g_string_append (lower, "\xc3\xa9");
      g_string_append (upper, "\xc3\x89");
    }
  add (tree, 1, lower->str);
  const MmFolderNode *marked = add (tree, 2, upper->str);
  g_assert_cmpuint (strlen (marked->component), <=, 255);
  g_assert_true (g_utf8_validate (marked->component, -1, NULL));
  g_string_free (lower, TRUE);
  g_string_free (upper, TRUE);
}

static void
test_children_ascend (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *root = mm_folder_tree_get_root (tree);

  add (tree, 30, "c");
  add (tree, 10, "a");
  MmFolderNode *b = add (tree, 20, "b");
  g_assert_cmpuint (mm_folder_node_position_after (root, 0), ==, 0);
  g_assert_cmpuint (mm_folder_node_position_after (root, 10), ==, 1);
  g_assert_cmpuint (mm_folder_node_position_after (root, 15), ==, 1);
  g_assert_cmpuint (mm_folder_node_position_after (root, 30), ==, 3);
  mm_folder_tree_remove (tree, b);
  g_assert_cmpuint (mm_folder_node_position_after (root, 10), ==, 1);
  g_assert_null (mm_folder_tree_find_id (tree, 20));
  g_assert_null (mm_folder_tree_find_path (tree, "b"));
  g_assert_null (mm_folder_tree_find_child (tree, root, "b"));
}

static void
test_strings_stay (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  MmFolderNode *node = add (tree, 1, "Gone");
  const gchar *component = node->component;

  mm_folder_tree_remove (tree, node);
  g_assert_cmpstr (component, ==, "Gone");
}

static void
test_deep (void)
{
  g_autoptr (MmFolderTree) tree = mm_folder_tree_new ();
  GString *path = g_string_new ("d");

  for (guint32 id = 1; id <= 2000; id++)
    {
      add (tree, id, path->str);
      g_string_append (path, "/d");
    }
  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (tree);
  g_assert_cmpuint (nodes->len, ==, 2000);
  g_string_free (path, TRUE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mail/folder-tree/found-by-id-path-and-component", test_found);
  g_test_add_func ("/mail/folder-tree/inbox-in-any-case-at-the-top-only", test_inbox);
  g_test_add_func ("/mail/folder-tree/later-of-two-alike-is-marked", test_collisions);
  g_test_add_func ("/mail/folder-tree/a-mark-may-be-taken-too", test_collision_with_mark);
  g_test_add_func ("/mail/folder-tree/marked-long-name-stays-within-limits", test_long_collision);
  g_test_add_func ("/mail/folder-tree/children-ascend-by-id", test_children_ascend);
  g_test_add_func ("/mail/folder-tree/strings-outlive-their-folder", test_strings_stay);
  g_test_add_func ("/mail/folder-tree/two-thousand-levels", test_deep);
  return g_test_run ();
}
