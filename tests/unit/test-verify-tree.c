// SPDX-License-Identifier: GPL-3.0-or-later
/* Two ordinary directories: nothing is known of digests there. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tree-list.h"
#include "verify-tree.h"

typedef struct
{
  gchar *root;
  gchar *mounted;
  gchar *copied;
  GString *found;
  MmVerifyCounts counts;
} Fixture;

static void
make_directory (const gchar *root, const gchar *path)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  g_assert_cmpint (g_mkdir_with_parents (full, 0700), ==, 0);
}

static void
write_file (const gchar *root, const gchar *path, const gchar *content, gint64 mtime_s)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  struct timespec times[] = { { .tv_sec = mtime_s }, { .tv_sec = mtime_s } };

  g_assert_true (g_file_set_contents (full, content, -1, NULL));
  g_assert_cmpint (utimensat (AT_FDCWD, full, times, 0), ==, 0);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->root = g_dir_make_tmp ("mailmount-test-XXXXXX", NULL);
  fixture->mounted = g_build_filename (fixture->root, "mounted", NULL);
  fixture->copied = g_build_filename (fixture->root, "copied", NULL);
  fixture->found = g_string_new (NULL);
  const gchar *const roots[] = { fixture->mounted, fixture->copied };
  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    {
      make_directory (roots[i], "INBOX/Sub");
      write_file (roots[i], "INBOX/1.eml", "one", 1000);
      write_file (roots[i], "INBOX/2.eml", "two", 2000);
      write_file (roots[i], "INBOX/Sub/1.eml", "sub", 3000);
    }
}

static void
remove_tree (const gchar *path)
{
  g_autoptr (GPtrArray) entries = mm_tree_list (path, NULL);

  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const MmTreeEntry *entry = g_ptr_array_index (entries, i);
      g_autofree gchar *below = g_build_filename (path, entry->name, NULL);
      if (entry->kind == MM_TREE_DIRECTORY)
        remove_tree (below);
      else
        g_unlink (below);
    }
  g_rmdir (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->root);
  g_string_free (fixture->found, TRUE);
  g_free (fixture->root);
  g_free (fixture->mounted);
  g_free (fixture->copied);
}

static void
note (MmVerifyFinding finding, const gchar *path, const gchar *why, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_string_append_printf (fixture->found, "%c %s%s%s|", "MEDOT"[finding], path,
                          why != NULL ? ": " : "", why != NULL ? why : "");
}

static void
assert_found (Fixture *fixture, const gchar *expected)
{
  g_string_truncate (fixture->found, 0);
  mm_verify_trees (fixture->mounted, fixture->copied, note, fixture, &fixture->counts);
  g_assert_cmpstr (fixture->found->str, ==, expected);
}

static void
remove_file (const gchar *root, const gchar *path)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  g_assert_cmpint (g_unlink (full), ==, 0);
}

static void
test_equal_trees (Fixture *fixture, gconstpointer data)
{
  assert_found (fixture, "");
  g_assert_cmpuint (fixture->counts.n_same, ==, 3);
  g_assert_cmpuint (fixture->counts.n_by_digest, ==, 0);
}

static void
test_missing_and_extra (Fixture *fixture, gconstpointer data)
{
  remove_file (fixture->copied, "INBOX/1.eml");
  write_file (fixture->copied, "INBOX/3.eml", "three", 3000);
  write_file (fixture->copied, "INBOX/notes", "mine", 3000);
  make_directory (fixture->mounted, "New");
  write_file (fixture->mounted, "New/7.eml", "seven", 7000);
  make_directory (fixture->copied, "Old/Empty");
  assert_found (fixture, "M INBOX/1.eml|E INBOX/3.eml|O INBOX/notes|M New/|M New/7.eml|E Old/|"
                         "E Old/Empty/|");
  g_assert_cmpuint (fixture->counts.n_findings[MM_VERIFY_MISSING], ==, 3);
  g_assert_cmpuint (fixture->counts.n_findings[MM_VERIFY_EXTRA], ==, 3);
  g_assert_cmpuint (fixture->counts.n_same, ==, 2);
}

static void
test_size_and_time (Fixture *fixture, gconstpointer data)
{
  write_file (fixture->copied, "INBOX/1.eml", "longer", 1000);
  write_file (fixture->copied, "INBOX/2.eml", "two", 2001);
  assert_found (fixture, "D INBOX/1.eml: size: 6, not 3 octets|D INBOX/2.eml: time|");
}

static void
test_kind (Fixture *fixture, gconstpointer data)
{
  remove_file (fixture->copied, "INBOX/1.eml");
  make_directory (fixture->copied, "INBOX/1.eml");
  assert_found (fixture, "D INBOX/1.eml: kind|");
}

static void
test_order_of_names_beside_directories (Fixture *fixture, gconstpointer data)
{
  /* '-' and '.' come before '/': a tree sorted by whole paths would be in another order. */
  make_directory (fixture->mounted, "INBOX-old");
  make_directory (fixture->mounted, "INBOX.2");
  make_directory (fixture->copied, "INBOX-old");
  assert_found (fixture, "M INBOX.2/|");
}

static void
test_unreadable_is_trouble (Fixture *fixture, gconstpointer data)
{
  g_free (fixture->copied);
  fixture->copied = g_build_filename (fixture->root, "nowhere", NULL);
  mm_verify_trees (fixture->mounted, fixture->copied, note, fixture, &fixture->counts);
  g_assert_true (g_str_has_prefix (fixture->found->str, "T .: "));
  g_assert_cmpuint (fixture->counts.n_findings[MM_VERIFY_TROUBLE], ==, 1);
  g_assert_cmpuint (fixture->counts.n_findings[MM_VERIFY_MISSING], ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/verify-tree/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("equal-trees", test_equal_trees);
  ADD ("missing-and-extra", test_missing_and_extra);
  ADD ("size-and-time", test_size_and_time);
  ADD ("kind", test_kind);
  ADD ("order-of-names-beside-directories", test_order_of_names_beside_directories);
  ADD ("unreadable-is-trouble", test_unreadable_is_trouble);
#undef ADD
  return g_test_run ();
}
