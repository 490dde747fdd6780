// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A directory for one test, and what tests do to the files in it. Everything aborts on failure.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

/* A new private directory. (transfer full) */
static inline gchar *
test_directory_new (void)
{
  g_autoptr (GError) error = NULL;
  gchar *path = g_dir_make_tmp ("mailmount-test-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

/* Removes @path and everything below it, and frees it. */
static inline void
test_directory_free (gchar *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      gchar *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        test_directory_free (child);
      else
        {
          g_assert_no_errno (g_unlink (child));
          g_free (child);
        }
    }
  g_assert_no_errno (g_rmdir (path));
  g_free (path);
}

typedef gchar TestDirectory;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestDirectory, test_directory_free)

/* The first name in @directory that begins with @prefix, or NULL. (transfer full) */
static inline gchar *
test_directory_find (const gchar *directory, const gchar *prefix)
{
  g_autoptr (GDir) stream = g_dir_open (directory, 0, NULL);
  const gchar *name;

  g_assert_nonnull (stream);
  while ((name = g_dir_read_name (stream)) != NULL)
    if (g_str_has_prefix (name, prefix))
      return g_strdup (name);
  return NULL;
}

/* Writes @length octets at @offset over those of the file @path, whatever its mode. */
static inline void
test_file_overwrite (const gchar *path, guint64 offset, const void *data, gsize length)
{
  g_assert_no_errno (g_chmod (path, 0600));
  int fd = g_open (path, O_WRONLY | O_CLOEXEC);

  g_assert_no_errno (fd);
  g_assert_cmpint (pwrite (fd, data, length, (off_t) offset), ==, (gssize) length);
  g_assert_no_errno (close (fd));
}

static inline void
test_file_set_mode_and_age (const gchar *path, mode_t mode)
{
  const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

  g_assert_no_errno (g_chmod (path, mode));
  g_assert_no_errno (utimensat (AT_FDCWD, path, old, 0));
}
