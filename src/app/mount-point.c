// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/log.h>

#include "mount-point.h"

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

/* The kernel writes blanks and backslashes in a path as three octal digits. */
static gchar *
unescape (const gchar *field)
{
  GString *out = g_string_new (NULL);

  for (const gchar *p = field; *p != '\0'; p++)
    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0'
        && p[3] <= '7')
      {
        g_string_append_c (out, (gchar) ((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')));
        p += 3;
      }
    else
      g_string_append_c (out, *p);
  return g_string_free (out, FALSE);
}

gboolean
mm_mount_point_is_listed (const gchar *mountinfo, const gchar *path)
{
  g_auto (GStrv) lines = g_strsplit (mountinfo, "\n", -1);

  /* 36 35 98:0 /root /mount/point options optional… - type source options */
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) fields = g_strsplit (lines[i], " ", 6);
      const gchar *type = strstr (lines[i], " - ");

      if (g_strv_length (fields) < 6 || type == NULL
          || !g_str_has_prefix (type + 3, "fuse.mailmount "))
        continue;
      g_autofree gchar *mounted_on = unescape (fields[4]);
      if (strcmp (mounted_on, path) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_not_mounted (const gchar *path, GError **error)
{
  g_autofree gchar *mountinfo = NULL;

  /* Without /proc the mount itself will tell. */
  if (!g_file_get_contents ("/proc/self/mountinfo", &mountinfo, NULL, NULL)
      || !mm_mount_point_is_listed (mountinfo, path))
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
