// SPDX-License-Identifier: GPL-3.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>

#include "store-directory.h"

static int
fail_from_errno (GError **error, int errno_value, const gchar *path)
{
  g_autofree gchar *what = g_strdup_printf ("cache directory '%s'", path);

  g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_CACHE, errno_value, what));
  return -1;
}

int
mm_store_directory_open (const gchar *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) != 0)
    return fail_from_errno (error, errno, path);

  mm_autofd int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status;

  if (fd < 0 || fstat (fd, &status) != 0)
    return fail_from_errno (error, errno, path);
  if (status.st_uid != geteuid ())
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "cache directory '%s' belongs to another user; choose one of your own", path);
      return -1;
    }
  if ((status.st_mode & 0077) != 0)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "cache directory '%s' is open to other users; 'chmod 700' it or choose another",
                   path);
      return -1;
    }
  /* To work without would be to download everything anew each time, unnoticed. */
  if (faccessat (fd, ".", W_OK, AT_EACCESS) != 0)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "cache directory '%s' cannot be written: %s; choose another with cache=DIR, or "
                   "cache=none",
                   path, g_strerror (errno));
      return -1;
    }
  return mm_fd_steal (&fd);
}

gchar *
mm_store_directory_choose_suffix (int directory_fd, const gchar *name)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (mm_clock_wall_us () / G_USEC_PER_SEC);
  g_autofree gchar *stamp = g_date_time_format (now, MM_STORE_SET_ASIDE "%Y%m%dT%H%M%SZ");
  g_autofree gchar *suffix = g_strdup (stamp);

  for (guint i = 2;; i++)
    {
      g_autofree gchar *taken = g_strconcat (name, ".", suffix, NULL);
      struct stat status;

      if (fstatat (directory_fd, taken, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return g_steal_pointer (&suffix);
      g_free (suffix);
      suffix = g_strdup_printf ("%s-%u", stamp, i);
    }
}

gboolean
mm_store_directory_set_aside (int directory_fd, const gchar *name, const gchar *suffix,
                              GError **error)
{
  g_autofree gchar *aside = g_strconcat (name, ".", suffix, NULL);

  if (renameat (directory_fd, name, directory_fd, aside) == 0 || errno == ENOENT)
    return TRUE;
  fail_from_errno (error, errno, name);
  return FALSE;
}

void
mm_store_directory_remove_tree (int parent_fd, const gchar *name, guint depth)
{
  int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir (fd) : NULL;

  if (stream == NULL)
    {
      mm_fd_clear (&fd);
      unlinkat (parent_fd, name, 0);
      return;
    }
  for (const struct dirent *entry; (entry = readdir (stream)) != NULL;)
    {
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      if (depth > 1 && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
        mm_store_directory_remove_tree (fd, entry->d_name, depth - 1);
      else
        unlinkat (fd, entry->d_name, 0);
    }
  closedir (stream);
  unlinkat (parent_fd, name, AT_REMOVEDIR);
}
