// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "content-directory.h"
#include "content-header.h"
#include "store-directory.h"

/* Containers and tools that watch system calls may lack it: asked once, not at each file. */
static gboolean
probe_openat2 (int directory_fd)
{
  struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
  mm_autofd int fd = (int) syscall (SYS_openat2, directory_fd, ".", &how, sizeof how);

  return fd >= 0;
}

static gboolean
fail_from_errno (GError **error, const gchar *path)
{
  int errno_value = errno;
  g_autofree gchar *what = g_strdup_printf ("%s in '%s'", MM_STORE_CONTENT_DIRECTORY, path);

  g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_CACHE, errno_value, what));
  return FALSE;
}

/* -1 with errno; EPERM, ENOTDIR, ELOOP or EACCES: what is there is not a directory of ours. */
static int
open_content (int parent_fd)
{
  struct stat status;

  if (mkdirat (parent_fd, MM_STORE_CONTENT_DIRECTORY, 0700) != 0 && errno != EEXIST)
    return -1;
  mm_autofd int fd = openat (parent_fd, MM_STORE_CONTENT_DIRECTORY,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &status) != 0)
    return -1;
  /* Others may have written there what they like. */
  if (status.st_uid != geteuid () || (status.st_mode & 0077) != 0)
    {
      errno = EPERM;
      return -1;
    }
  return mm_fd_steal (&fd);
}

static gboolean
set_content_aside (int parent_fd, const gchar *path, GError **error)
{
  g_autofree gchar *suffix
    = mm_store_directory_choose_suffix (parent_fd, MM_STORE_CONTENT_DIRECTORY);

  if (!mm_store_directory_set_aside (parent_fd, MM_STORE_CONTENT_DIRECTORY, suffix, error))
    return FALSE;
  mm_log_warning ("'%s/%s' is not a directory that is yours alone; it was set aside as '%s.%s'",
                  path, MM_STORE_CONTENT_DIRECTORY, MM_STORE_CONTENT_DIRECTORY, suffix);
  return TRUE;
}

gboolean
mm_content_directory_open (MmContentDirectory *directory, const gchar *path, GError **error)
{
  mm_autofd int parent_fd = mm_store_directory_open (path, error);
  if (parent_fd < 0)
    return FALSE;

  mm_autofd int fd = open_content (parent_fd);
  if (fd < 0 && (errno == EPERM || errno == ENOTDIR || errno == ELOOP || errno == EACCES))
    {
      if (!set_content_aside (parent_fd, path, error))
        return FALSE;
      fd = open_content (parent_fd);
    }
  if (fd < 0)
    return fail_from_errno (error, path);
  directory->has_openat2 = probe_openat2 (fd);
  directory->fd = mm_fd_steal (&fd);
  return TRUE;
}

void
mm_content_directory_close (MmContentDirectory *directory)
{
  mm_fd_clear (&directory->fd);
}

void
mm_content_directory_make_path (MmContentKey key, gchar out_path[MM_CONTENT_PATH_OCTETS])
{
  gboolean is_shared = key.folder_id == MM_CONTENT_SHARED_FOLDER;

  g_assert (key.folder_id < 1u << 24
            && key.number >> (is_shared ? MM_CONTENT_SHARED_NUMBER_BITS : MM_CONTENT_NUMBER_BITS) == 0);
  g_snprintf (out_path, MM_CONTENT_PATH_OCTETS, "%06x/%02x/%0*" G_GINT64_MODIFIER "x",
              key.folder_id, (guint) (key.number >> 8 & 0xff),
              is_shared ? MM_CONTENT_SHARED_DIGITS : MM_CONTENT_DIGITS, key.number);
}

/* Follows no symbolic link: not in the directories above either where the kernel can say so; else
 * it has to do that nobody but the user may write there. */
static int
open_below (MmContentDirectory *directory, const gchar *path, int flags, mode_t mode)
{
  flags |= O_NOFOLLOW | O_CLOEXEC;
  if (!directory->has_openat2)
    return openat (directory->fd, path, flags, mode);

  struct open_how how = { .flags = (guint64) flags, .mode = mode, .resolve = RESOLVE_NO_SYMLINKS };
  return (int) syscall (SYS_openat2, directory->fd, path, &how, sizeof how);
}

int
mm_content_directory_open_file (MmContentDirectory *directory, MmContentKey key, int flags)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  /* O_NONBLOCK: something put there that is not a file must not hold us up. O_NOATIME: reading writes
   * nothing. */
  return open_below (directory, path, flags | O_NONBLOCK | O_NOCTTY | O_NOATIME, 0);
}

static gboolean
make_parents (MmContentDirectory *directory, const gchar *path)
{
  for (const gchar *slash = strchr (path, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree gchar *parent = g_strndup (path, (gsize) (slash - path));

      if (mkdirat (directory->fd, parent, 0700) != 0 && errno != EEXIST)
        return FALSE;
    }
  return TRUE;
}

int
mm_content_directory_create_file (MmContentDirectory *directory, MmContentKey key, mode_t mode)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  for (guint attempt = 0;; attempt++)
    {
      int fd = open_below (directory, path, O_RDWR | O_CREAT | O_EXCL, mode);

      /* Others may make the same file or remove its directories meanwhile, but not for ever. */
      if (fd >= 0 || attempt == 16)
        return fd;
      if (errno == EEXIST)
        unlinkat (directory->fd, path, 0);
      else if (errno != ENOENT || (!make_parents (directory, path) && errno != ENOENT))
        return -1;
    }
}

gboolean
mm_content_directory_is_private_file (const struct stat *status)
{
  return S_ISREG (status->st_mode) && status->st_uid == geteuid ()
         && (status->st_mode & 0077) == 0 && status->st_nlink <= 1;
}

gboolean
mm_content_directory_has_whole_file (MmContentDirectory *directory, MmContentKey key)
{
  gchar path[MM_CONTENT_PATH_OCTETS];
  struct stat status;

  mm_content_directory_make_path (key, path);
  return fstatat (directory->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0
         && mm_content_directory_is_private_file (&status)
         && (status.st_mode & 07777) == MM_CONTENT_MODE_WHOLE
         && status.st_size >= MM_CONTENT_HEADER_OCTETS;
}

void
mm_content_directory_remove (const MmContentDirectory *directory, MmContentKey key)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  unlinkat (directory->fd, path, 0);
}

void
mm_content_directory_remove_folder (const MmContentDirectory *directory, guint32 folder_id)
{
  g_autofree gchar *name = g_strdup_printf ("%06x", folder_id);

  mm_store_directory_remove_tree (directory->fd, name, 2);
}
