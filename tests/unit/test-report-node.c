// SPDX-License-Identifier: GPL-3.0-or-later
/* Without an account: nothing of it may be asked. */
#include <string.h>

#include <mailmount/vfs.h>

static gchar *
write_report (MmVfsReport report, gpointer user_data)
{
  guint *n_written = user_data;

  (*n_written)++;
  return g_strdup_printf ("%s number %u", report == MM_VFS_REPORT_STATUS ? "status" : "summary",
                          *n_written);
}

static guint64
find (MmVfs *vfs, guint64 directory, const gchar *name, MmAttributes *out)
{
  g_autoptr (GError) error = NULL;

  if (mm_vfs_try_lookup (vfs, directory, name, out, NULL, &error) == MM_TRY_DONE)
    return out->inode;
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
  return 0;
}

static MmVfsFile *
open_file (MmVfs *vfs, guint64 inode)
{
  g_autoptr (GError) error = NULL;
  MmVfsFile *file = NULL;

  g_assert_cmpint (mm_vfs_try_open (vfs, inode, 0, &file, NULL, &error), ==, MM_TRY_DONE);
  g_assert_no_error (error);
  return file;
}

/* Reads @size octets at a time. (transfer full) */
static gchar *
read_all (MmVfsFile *file, gsize size)
{
  GString *text = g_string_new (NULL);

  for (;;)
    {
      g_autoptr (GBytes) octets = NULL;
      gsize n = 0;
      g_assert_cmpint (mm_vfs_try_read (file, size, text->len, &octets, NULL, NULL), ==,
                       MM_TRY_DONE);
      const gchar *data = g_bytes_get_data (octets, &n);
      g_string_append_len (text, data, (gssize) n);
      if (n < size)
        return g_string_free (text, FALSE);
    }
}

static void
test_found_by_name (void)
{
  g_autoptr (MmVfs) vfs = mm_vfs_new (MM_NAMES_SUBJECT);
  guint n_written = 0;
  MmAttributes attributes;

  mm_vfs_set_report_func (vfs, write_report, &n_written);
  guint64 directory = find (vfs, MM_VFS_ROOT_INODE, ".mailmount", &attributes);
  g_assert_cmpuint (directory, !=, 0);
  g_assert_true (attributes.is_directory && attributes.is_private);
  guint64 status = find (vfs, directory, "status", &attributes);
  g_assert_cmpuint (status, !=, 0);
  g_assert_true (!attributes.is_directory && attributes.is_private);
  g_assert_cmpuint (find (vfs, directory, "summary", &attributes), !=, status);
  g_assert_cmpuint (find (vfs, directory, "other", &attributes), ==, 0);
  g_assert_cmpuint (find (vfs, directory, ".mailmount", &attributes), ==, 0);
  g_assert_cmpuint (find (vfs, status, "status", &attributes), ==, 0);
  g_assert_cmpuint (n_written, ==, 0);
}

static void
test_each_handle_has_its_own_text (void)
{
  g_autoptr (MmVfs) vfs = mm_vfs_new (MM_NAMES_SUBJECT);
  guint n_written = 8;
  MmAttributes attributes;

  mm_vfs_set_report_func (vfs, write_report, &n_written);
  guint64 directory = find (vfs, MM_VFS_ROOT_INODE, ".mailmount", &attributes);
  guint64 status = find (vfs, directory, "status", &attributes);
  MmVfsFile *first = open_file (vfs, status);
  g_assert_true (mm_vfs_file_is_private (first));
  MmVfsFile *second = open_file (vfs, status);

  g_autofree gchar *first_text = read_all (first, 4);
  g_autofree gchar *second_text = read_all (second, 100);
  g_assert_cmpstr (first_text, ==, "status number 9");
  g_assert_cmpstr (second_text, ==, "status number 10");
  /* Whoever opened it last finds its size. */
  g_assert_cmpint (mm_vfs_try_get_attributes (vfs, status, &attributes, NULL, NULL), ==,
                   MM_TRY_DONE);
  g_assert_cmpuint (attributes.size, ==, strlen (second_text));
  mm_vfs_close (first);
  mm_vfs_close (second);
}

static gboolean
take_name (const gchar *name, const MmAttributes *attributes, gint64 offset, gpointer user_data)
{
  GString *names = user_data;

  g_assert_cmpint (offset, >, 0);
  g_string_append_printf (names, "%s@%d ", name, (int) offset);
  return TRUE;
}

static void
test_listed_from_any_offset (void)
{
  g_autoptr (MmVfs) vfs = mm_vfs_new (MM_NAMES_SUBJECT);
  g_autoptr (GString) names = g_string_new (NULL);
  guint n_written = 0;
  MmAttributes attributes;
  MmVfsDirectory *directory = NULL;

  mm_vfs_set_report_func (vfs, write_report, &n_written);
  guint64 inode = find (vfs, MM_VFS_ROOT_INODE, ".mailmount", &attributes);
  g_assert_cmpint (mm_vfs_try_open_directory (vfs, inode, 0, &directory, NULL, NULL), ==,
                   MM_TRY_DONE);
  for (gint64 offset = 0; offset <= 4; offset++)
    {
      mm_vfs_try_read_directory (directory, offset, take_name, names, NULL, NULL);
      g_string_append_c (names, '|');
    }
  g_assert_cmpstr (names->str, ==,
                   ".@1 ..@2 status@3 summary@4 |..@2 status@3 summary@4 |status@3 summary@4 "
                   "|summary@4 ||");
  mm_vfs_close_directory (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report-node/found-by-name", test_found_by_name);
  g_test_add_func ("/report-node/each-handle-has-its-own-text", test_each_handle_has_its_own_text);
  g_test_add_func ("/report-node/listed-from-any-offset", test_listed_from_any_offset);
  return g_test_run ();
}
