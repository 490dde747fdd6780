// SPDX-License-Identifier: GPL-3.0-or-later
/* Content files that are there, whole or partial, are found and judged. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "content-cache-private.h"

/* A file that is too short may be one that another thread or process is writing at this moment;
 * when it is older than this, whoever wrote it is gone. */
#define UNFINISHED_US (60 * G_USEC_PER_SEC)

typedef enum
{
  FOUND,
  NOT_THERE, /* not now, or not yet */
  DAMAGED,
} Finding;

static Finding
fail_finding (Finding finding, const gchar **out_reason, const gchar *reason)
{
  *out_reason = reason;
  return finding;
}

static gboolean
may_be_unfinished (const struct stat *status)
{
  gint64 modified_us = (gint64) status->st_mtim.tv_sec * G_USEC_PER_SEC
                       + status->st_mtim.tv_nsec / 1000;

  return mm_clock_wall_us () - modified_us < UNFINISHED_US;
}

static Finding
read_header (MmContentCache *cache, int fd, MmContentKey key, MmContentHeader *out_header,
             const gchar **out_reason)
{
  guint8 octets[MM_CONTENT_HEADER_OCTETS];
  struct stat status;

  if (fstat (fd, &status) != 0)
    return NOT_THERE;
  if (!mm_content_directory_is_private_file (&status))
    return fail_finding (DAMAGED, out_reason, "it is not a file that is yours alone");

  Finding too_short = may_be_unfinished (&status) ? NOT_THERE : DAMAGED;
  /* The second time in case another process was rewriting it the first time. */
  gboolean is_sound = FALSE;
  for (guint attempt = 0; attempt < 2 && !is_sound; attempt++)
    {
      if (pread (fd, octets, sizeof octets, 0) != (gssize) sizeof octets)
        return fail_finding (too_short, out_reason, "it is too short");
      is_sound = mm_content_header_decode (octets, key, out_header);
    }
  if (!is_sound)
    return fail_finding (DAMAGED, out_reason, "its header is damaged");
  mm_content_limit_note_read (cache->limit, fd, &status);
  if (out_header->state == MM_CONTENT_PARTIAL)
    return FOUND;
  if ((guint64) status.st_size < MM_CONTENT_HEADER_OCTETS + out_header->size)
    return fail_finding (too_short, out_reason, "it is too short");
  /* The process ended between writing the header and this. */
  if ((status.st_mode & 07777) != MM_CONTENT_MODE_WHOLE && fchmod (fd, MM_CONTENT_MODE_WHOLE) != 0)
    mm_log_debug ("cache file: %s", g_strerror (errno));
  return FOUND;
}

static GArray *
read_segments (int fd, const MmContentHeader *header)
{
  gsize length = (gsize) header->n_segments * MM_CONTENT_SEGMENT_OCTETS;
  g_autofree guint8 *octets = g_malloc (MAX (length, 1));

  if (pread (fd, octets, length, (off_t) header->list_offset) != (gssize) length)
    return NULL;
  return mm_content_segments_decode (header, octets);
}

/* @fd (transfer full) is listed, or what was listed meanwhile is returned. NULL when the file was
 * removed or replaced meanwhile. */
static MmContentFile *
list_found (MmContentCache *cache, const MmContentHeader *header, int fd, GArray *segments)
{
  MmContentFile *file = mm_content_file_new (cache, header, fd, NULL, segments);
  struct stat status;

  if (header->state == MM_CONTENT_WHOLE)
    file->is_verified = mm_content_registry_is_verified (&cache->registry, file->key, file->digest);
  file = mm_content_registry_intern (&cache->registry, file);

  /* Whoever removes does so first on disk, then in the registry. */
  if (fstat (file->fd, &status) == 0 && status.st_nlink > 0)
    return file;
  mm_content_registry_forget (&cache->registry, file->key, file);
  mm_content_file_unref (file);
  return NULL;
}

/* Where a file system knows no locks, two processes may write one file: each octet is the same, and
 * a list that was torn shows it. */
gboolean
mm_content_cache_lock_partial (int fd)
{
  return flock (fd, LOCK_EX | LOCK_NB) == 0 || errno == ENOLCK || errno == EOPNOTSUPP
         || errno == ENOSYS;
}

/* A partial file must be opened for writing, and by nobody else. */
static MmContentFile *
lookup_partial (MmContentCache *cache, MmContentKey key)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cache->partial_lock);
  MmContentFile *listed = mm_content_registry_find (&cache->registry, key);

  if (listed != NULL)
    return listed;

  mm_autofd int fd = mm_content_directory_open_file (&cache->directory, key, O_RDWR);
  MmContentHeader header;
  const gchar *reason = NULL;

  if (fd < 0 || !mm_content_cache_lock_partial (fd))
    return NULL;
  /* It may have become whole since it was seen to be partial. */
  Finding finding = read_header (cache, fd, key, &header, &reason);
  g_autoptr (GArray) segments = NULL;
  if (finding == FOUND && header.state == MM_CONTENT_PARTIAL)
    {
      segments = read_segments (fd, &header);
      if (segments == NULL)
        finding = fail_finding (DAMAGED, &reason, "its list of extents is damaged");
    }
  if (finding == FOUND)
    return list_found (cache, &header, mm_fd_steal (&fd), g_steal_pointer (&segments));
  if (finding == DAMAGED)
    mm_content_cache_drop_damaged (cache, key, NULL, reason);
  return NULL;
}

MmContentFile *
mm_content_cache_lookup (MmContentCache *cache, MmContentKey key)
{
  MmContentFile *listed = mm_content_registry_find (&cache->registry, key);

  if (listed != NULL || mm_content_cache_is_in_memory (cache))
    return listed;

  mm_autofd int fd = mm_content_directory_open_file (&cache->directory, key, O_RDONLY);
  MmContentHeader header;
  const gchar *reason = NULL;

  if (fd < 0)
    {
      if (errno == ELOOP)
        mm_content_cache_drop_damaged (cache, key, NULL, "a symbolic link is in its way");
      else if (errno == ENOENT)
        mm_content_limit_note_missing (cache->limit, key);
      else
        mm_log_warning ("a cache file cannot be opened: %s", g_strerror (errno));
      return NULL;
    }
  switch (read_header (cache, fd, key, &header, &reason))
    {
    case FOUND:
      if (header.state == MM_CONTENT_PARTIAL)
        return lookup_partial (cache, key);
      return list_found (cache, &header, mm_fd_steal (&fd), NULL);
    case DAMAGED:
      mm_content_cache_drop_damaged (cache, key, NULL, reason);
      return NULL;
    case NOT_THERE:
      return NULL;
    }
  return NULL;
}

gboolean
mm_content_cache_has_complete (MmContentCache *cache, MmContentKey key)
{
  return mm_content_cache_is_in_memory (cache)
           ? mm_content_registry_has_complete (&cache->registry, key)
           : mm_content_directory_has_whole_file (&cache->directory, key);
}
