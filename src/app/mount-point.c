// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/log.h>

#include "mount-point.h"
#include "mount-table.h"

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *raw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree gchar *shown = mm_log_printable (raw);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_USAGE, shown);
  return FALSE;
}

static gboolean
check_not_mounted (const gchar *path, GError **error)
{
  /* Without /proc the mount itself will tell. */
  g_autoptr (GPtrArray) table = mm_mount_table_read (NULL);

  if (table == NULL || mm_mount_table_find (table, path) == NULL)
    return TRUE;
  return fail (error, "a mailmount is mounted on '%s' already: to end it, also a dead one, run "
                      "fusermount3 -u '%s'", path, path);
}

static gboolean
fail_resolve (const gchar *path, int errno_value, GError **error)
{
  switch (errno_value)
    {
    case ENOENT:
      return fail (error, "the mount point '%s' does not exist: make it with mkdir -p '%s'", path,
                   path);
    case ENOTDIR:
      return fail (error, "the mount point '%s' is not a directory", path);
    case ENOTCONN:
      return fail (error, "the filesystem mounted on '%s' has died: run fusermount3 -u '%s'", path,
                   path);
    case EACCES:
      return fail (error, "the mount point '%s' cannot be reached: permission denied", path);
    default:
      return fail (error, "the mount point '%s': %s", path, g_strerror (errno_value));
    }
}

static gboolean
check_directory (const gchar *path, GError **error)
{
  struct stat status;

  if (stat (path, &status) != 0)
    return fail_resolve (path, errno, error);
  if (!S_ISDIR (status.st_mode))
    return fail_resolve (path, ENOTDIR, error);
  /* What fusermount3 asks of a user who is not root. */
  if (geteuid () != 0 && access (path, W_OK) != 0)
    return fail (error, "you may not write to the mount point '%s': an ordinary user can mount on "
                        "a directory of their own only", path);
  if (geteuid () != 0 && (status.st_mode & S_ISVTX) != 0 && status.st_uid != geteuid ())
    return fail (error, "the mount point '%s' is shared by users (sticky): make a directory of "
                        "your own", path);
  return TRUE;
}

gchar *
mm_mount_point_check (const gchar *path, GError **error)
{
  g_autofree gchar *plain = g_canonicalize_filename (path, "/");

  if (!check_not_mounted (plain, error))
    return NULL;
  g_autofree gchar *resolved = NULL;
  char *real = realpath (path, NULL);
  if (real == NULL)
    {
      fail_resolve (plain, errno, error);
      return NULL;
    }
  resolved = g_strdup (real);
  free (real);
  if (!check_not_mounted (resolved, error) || !check_directory (resolved, error))
    return NULL;
  return g_steal_pointer (&resolved);
}

gboolean
mm_mount_point_check_system (GError **error)
{
  if (access ("/dev/fuse", F_OK) != 0)
    return fail (error, "/dev/fuse is missing: load the kernel module (modprobe fuse), or give it "
                        "to the container (--device /dev/fuse --cap-add SYS_ADMIN)");
  if (geteuid () == 0)
    return TRUE;
  g_autofree gchar *fusermount = g_find_program_in_path ("fusermount3");
  if (fusermount == NULL)
    return fail (error, "fusermount3 is not installed, and without it only root can mount: "
                        "install the package fuse3");
  return TRUE;
}
