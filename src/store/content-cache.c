// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two things may happen at any moment and are allowed for everywhere: another thread or process
 * replaces or removes a file (whoever has it open goes on with the old one), and this process ends
 * (a file then is whole, or its header or its length says that it is not).
 *
 * A file is replaced by removing it and making a new one, never by writing over it. A partial file
 * is locked (flock) by the process that writes it; for others it is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "content-cache-private.h"
#include "content-directory.h"
#include "content-registry.h"

/* A file that is too short may be one that another thread or process is writing at this moment;
 * when it is older than this, whoever wrote it is gone. */
#define UNFINISHED_US (60 * G_USEC_PER_SEC)

struct MmContentCache
{
  gatomicrefcount refs;
  MmContentDirectory directory; /* immutable; without fd: in memory */
  gint n_damaged;               /* atomic */
  GMutex partial_lock;          /* one thread at a time opens a partial file; taken before others */
  MmContentRegistry registry;
};

MmContentCache *
mm_content_cache_open (const gchar *directory, GError **error)
{
  MmContentCache *cache = g_new0 (MmContentCache, 1);

  g_atomic_ref_count_init (&cache->refs);
  cache->directory.fd = -1;
  g_mutex_init (&cache->partial_lock);
  mm_content_registry_init (&cache->registry);
  if (directory != NULL && !mm_content_directory_open (&cache->directory, directory, error))
    {
      mm_content_cache_unref (cache);
      return NULL;
    }
  return cache;
}

void
mm_content_cache_close (MmContentCache *cache)
{
  if (cache == NULL)
    return;
  mm_content_registry_close (&cache->registry);
  mm_content_cache_unref (cache);
}

MmContentCache *
mm_content_cache_ref (MmContentCache *cache)
{
  g_atomic_ref_count_inc (&cache->refs);
  return cache;
}

void
mm_content_cache_unref (MmContentCache *cache)
{
  if (!g_atomic_ref_count_dec (&cache->refs))
    return;
  mm_content_directory_close (&cache->directory);
  g_mutex_clear (&cache->partial_lock);
  mm_content_registry_clear (&cache->registry);
  g_free (cache);
}

static gboolean
is_in_memory (const MmContentCache *cache)
{
  return cache->directory.fd < 0;
}

guint
mm_content_cache_get_n_damaged (MmContentCache *cache)
{
  return (guint) g_atomic_int_get (&cache->n_damaged);
}

void
mm_content_cache_count_damaged (MmContentCache *cache)
{
  g_atomic_int_inc (&cache->n_damaged);
}

void
mm_content_cache_drop_damaged (MmContentCache *cache, MmContentKey key, MmContentFile *file,
                               const gchar *reason)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  mm_log_warning ("cache file '%s' was dropped: %s", path, reason);
  mm_content_cache_count_damaged (cache);
  if (!is_in_memory (cache))
    mm_content_directory_remove (&cache->directory, key);
  if (file != NULL)
    mm_content_registry_forget (&cache->registry, key, file);
}

void
mm_content_cache_note_verified (MmContentCache *cache, MmContentKey key,
                                const guint8 digest[MM_DIGEST_OCTETS])
{
  mm_content_registry_note_verified (&cache->registry, key, digest);
}

MmContentFile *
mm_content_file_ref (MmContentFile *file)
{
  mm_content_registry_ref (&file->cache->registry, file);
  return file;
}

void
mm_content_file_unref (MmContentFile *file)
{
  if (file != NULL)
    mm_content_registry_unref (&file->cache->registry, file);
}

/* ---- looking up ---- */

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
read_header (int fd, MmContentKey key, MmContentHeader *out_header, const gchar **out_reason)
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
static gboolean
lock_partial (int fd)
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

  if (fd < 0 || !lock_partial (fd))
    return NULL;
  /* It may have become whole since it was seen to be partial. */
  Finding finding = read_header (fd, key, &header, &reason);
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

  if (listed != NULL || is_in_memory (cache))
    return listed;

  mm_autofd int fd = mm_content_directory_open_file (&cache->directory, key, O_RDONLY);
  MmContentHeader header;
  const gchar *reason = NULL;

  if (fd < 0)
    {
      if (errno == ELOOP)
        mm_content_cache_drop_damaged (cache, key, NULL, "a symbolic link is in its way");
      else if (errno != ENOENT)
        mm_log_warning ("a cache file cannot be opened: %s", g_strerror (errno));
      return NULL;
    }
  switch (read_header (fd, key, &header, &reason))
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
  return is_in_memory (cache) ? mm_content_registry_has_complete (&cache->registry, key)
                              : mm_content_directory_has_whole_file (&cache->directory, key);
}

/* ---- storing ---- */

static GError *
make_error (int errno_value, MmContentKey key)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  g_autofree gchar *what = g_strdup_printf ("cache file '%s'", path);
  return mm_error_new_from_errno (MM_ERROR_CACHE, errno_value, what);
}

/* The segments joined. NULL with errno when there is no memory. */
static guint8 *
join_segments (GBytes *const *segments, gsize n_segments, guint64 size)
{
  guint8 *memory = g_try_malloc (MAX (size, 1));
  gsize at = 0;

  for (gsize i = 0; memory != NULL && i < n_segments; i++)
    {
      gsize length;
      const void *data = g_bytes_get_data (segments[i], &length);

      if (length > 0)
        memcpy (memory + at, data, length);
      at += length;
    }
  if (memory == NULL)
    errno = ENOMEM;
  return memory;
}

static gboolean
store_in_memory (MmContentCache *cache, const MmContentHeader *header, GBytes *const *segments,
                 gsize n_segments)
{
  guint8 *memory = join_segments (segments, n_segments, header->size);

  if (memory == NULL)
    return FALSE;
  MmContentFile *file = mm_content_file_new (cache, header, -1, memory, NULL);
  file->is_verified = TRUE;
  mm_content_registry_replace (&cache->registry, file);
  mm_content_file_unref (file);
  return TRUE;
}

/* Three system calls: create, write, close. Header and content are one write; if it is cut off,
 * the file is too short. */
static gboolean
store_on_disk (MmContentCache *cache, const MmContentHeader *header, GBytes *const *segments,
               gsize n_segments)
{
  guint8 octets[MM_CONTENT_HEADER_OCTETS];
  g_autofree struct iovec *buffers = g_new (struct iovec, n_segments + 1);
  mm_autofd int fd
    = mm_content_directory_create_file (&cache->directory, header->key, MM_CONTENT_MODE_WHOLE);

  if (fd < 0)
    return FALSE;
  mm_content_header_encode (header, octets);
  buffers[0] = (struct iovec) { octets, sizeof octets };
  for (gsize i = 0; i < n_segments; i++)
    {
      gsize length;
      const void *data = g_bytes_get_data (segments[i], &length);

      buffers[i + 1] = (struct iovec) { (void *) data, length };
    }

  gboolean is_stored = mm_content_write_all (fd, buffers, n_segments + 1, 0);
  int errno_value = errno;
  if (is_stored)
    mm_content_cache_note_verified (cache, header->key, header->digest);
  else
    mm_content_directory_remove (&cache->directory, header->key);
  mm_content_registry_forget (&cache->registry, header->key, NULL);
  errno = errno_value;
  return is_stored;
}

gboolean
mm_content_cache_store (MmContentCache *cache, MmContentKey key, GBytes *const *segments,
                        gsize n_segments, guint8 out_digest[MM_DIGEST_OCTETS], GError **error)
{
  MmContentHeader header = { .state = MM_CONTENT_WHOLE, .key = key };
  g_autoptr (MmDigest) digest = mm_digest_new ();

  for (gsize i = 0; i < n_segments; i++)
    {
      gsize length;
      const void *data = g_bytes_get_data (segments[i], &length);

      mm_digest_update (digest, data, length);
      header.size += length;
    }
  mm_digest_finish (digest, header.digest);
  if (out_digest != NULL)
    memcpy (out_digest, header.digest, MM_DIGEST_OCTETS);

  gboolean is_stored = is_in_memory (cache)
                         ? store_in_memory (cache, &header, segments, n_segments)
                         : store_on_disk (cache, &header, segments, n_segments);
  if (!is_stored)
    g_propagate_error (error, make_error (errno, key));
  return is_stored;
}

/* An empty partial file on disk, locked. -1 with errno. */
static int
create_partial (MmContentCache *cache, const MmContentHeader *header)
{
  mm_autofd int fd = mm_content_directory_create_file (&cache->directory, header->key,
                                                       MM_CONTENT_MODE_PARTIAL);
  guint8 octets[MM_CONTENT_HEADER_OCTETS];
  struct iovec buffer = { octets, sizeof octets };

  if (fd < 0)
    return -1;
  mm_content_header_encode (header, octets);
  if (lock_partial (fd) && mm_content_write_all (fd, &buffer, 1, 0))
    return mm_fd_steal (&fd);

  int errno_value = errno;
  mm_content_directory_remove (&cache->directory, header->key);
  errno = errno_value;
  return -1;
}

MmContentFile *
mm_content_cache_create (MmContentCache *cache, MmContentKey key, guint64 size, GError **error)
{
  MmContentHeader header = { .state = MM_CONTENT_PARTIAL,
                             .size = size,
                             .key = key,
                             .list_offset = MM_CONTENT_HEADER_OCTETS + size };
  guint8 *memory = NULL;
  int fd = -1;

  if (size > MM_CONTENT_MAX_SIZE)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_TOO_BIG,
                   "a message of %" G_GUINT64_FORMAT " octets cannot be kept", size);
      return NULL;
    }
  mm_digest_compute (NULL, 0, header.digest);
  if (is_in_memory (cache))
    memory = g_try_malloc0 (MAX (size, 1));
  else
    fd = create_partial (cache, &header);
  if (memory == NULL && fd < 0)
    {
      g_propagate_error (error, make_error (is_in_memory (cache) ? ENOMEM : errno, key));
      mm_content_registry_forget (&cache->registry, key, NULL);
      return NULL;
    }

  MmContentFile *file = mm_content_file_new (cache, &header, fd, memory, NULL);
  mm_content_registry_replace (&cache->registry, file);
  /* Of nothing there is nothing to wait for. */
  if (size == 0 && !mm_content_file_write (file, 0, "", 0, error))
    g_clear_pointer (&file, mm_content_file_unref);
  return file;
}

/* ---- removing ---- */

void
mm_content_cache_remove (MmContentCache *cache, MmContentKey key)
{
  if (!is_in_memory (cache))
    mm_content_directory_remove (&cache->directory, key);
  mm_content_registry_forget (&cache->registry, key, NULL);
}

void
mm_content_cache_remove_folder (MmContentCache *cache, guint32 folder_id)
{
  if (!is_in_memory (cache))
    mm_content_directory_remove_folder (&cache->directory, folder_id);
  mm_content_registry_forget_folder (&cache->registry, folder_id);
}
