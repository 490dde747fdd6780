// SPDX-License-Identifier: GPL-3.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/fd.h>

#include "content-scan.h"

#define BLOCK_OF_STAT_OCTETS 512

typedef struct
{
  const gint *is_cancelled; /* atomic; nullable */
  MmContentScanFunc func;
  gpointer user_data;
} Scan;

typedef gboolean (*EntryFunc) (const Scan *scan, int directory_fd, const gchar *name, guint64 value,
                               gpointer user_data);

/* @name as a number of exactly @n_digits lower-case hexadecimal digits. */
static gboolean
parse_name (const gchar *name, guint n_digits, guint64 *out_value)
{
  *out_value = 0;
  for (guint i = 0; i < n_digits; i++)
    {
      if (!g_ascii_isxdigit (name[i]) || g_ascii_isupper (name[i]))
        return FALSE;
      *out_value = *out_value << 4 | (guint64) g_ascii_xdigit_value (name[i]);
    }
  return name[n_digits] == '\0';
}

/* Takes @fd over. Calls @func for each entry whose name is a number of @n_digits. */
static gboolean
for_each (const Scan *scan, int fd, guint n_digits, EntryFunc func, gpointer user_data)
{
  DIR *stream = fdopendir (fd);
  gboolean goes_on = TRUE;
  guint64 value;

  if (stream == NULL)
    {
      close (fd);
      return FALSE;
    }
  for (const struct dirent *entry; goes_on && (entry = readdir (stream)) != NULL;)
    {
      goes_on = scan->is_cancelled == NULL || !g_atomic_int_get (scan->is_cancelled);
      if (goes_on && parse_name (entry->d_name, n_digits, &value))
        goes_on = func (scan, dirfd (stream), entry->d_name, value, user_data);
    }
  closedir (stream);
  return goes_on;
}

/* -1 with TRUE in @out_goes_on: it is not a directory, or gone meanwhile. */
static int
open_directory (int parent_fd, const gchar *name, gboolean *out_goes_on)
{
  int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  *out_goes_on = fd >= 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
  return fd;
}

static gboolean
scan_file (const Scan *scan, int directory_fd, const gchar *name, guint64 value, gpointer user_data)
{
  MmContentFound *found = user_data;
  struct stat status;

  if (fstatat (directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0
      || !S_ISREG (status.st_mode))
    return TRUE;
  found->key.number = value;
  /* A filesystem may keep little ones without a block. */
  found->octets = MAX ((guint64) status.st_blocks * BLOCK_OF_STAT_OCTETS, 1);
  found->used_s = (guint32) CLAMP (MAX (status.st_atim.tv_sec, status.st_mtim.tv_sec), 0,
                                   (gint64) G_MAXUINT32);
  scan->func (found, scan->user_data);
  return TRUE;
}

static gboolean
scan_part (const Scan *scan, int directory_fd, const gchar *name, guint64 value, gpointer user_data)
{
  gboolean goes_on;
  int fd = open_directory (directory_fd, name, &goes_on);

  if (fd < 0)
    return goes_on;
  const MmContentFound *found = user_data;
  gboolean is_shared = found->key.folder_id == MM_CONTENT_SHARED_FOLDER;
  return for_each (scan, fd, is_shared ? MM_CONTENT_SHARED_DIGITS : MM_CONTENT_DIGITS, scan_file,
                   user_data);
}

static gboolean
scan_folder (const Scan *scan, int directory_fd, const gchar *name, guint64 value,
             gpointer user_data)
{
  MmContentFound found = { .key.folder_id = (guint32) value };
  gboolean goes_on;
  int fd = open_directory (directory_fd, name, &goes_on);

  return fd >= 0 ? for_each (scan, fd, 2, scan_part, &found) : goes_on;
}

gboolean
mm_content_scan (const MmContentDirectory *directory, const gint *is_cancelled,
                 MmContentScanFunc func, gpointer user_data)
{
  Scan scan = { is_cancelled, func, user_data };
  gboolean goes_on;
  int fd = open_directory (directory->fd, ".", &goes_on);

  return fd >= 0 && for_each (&scan, fd, 6, scan_folder, NULL);
}
