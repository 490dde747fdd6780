// SPDX-License-Identifier: GPL-3.0-or-later
/* Content files are made: whole ones in one go, partial ones to be filled. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include <mailmount/fd.h>

#include "content-cache-private.h"

static gboolean
fail_from_errno (GError **error, MmContentKey key)
{
  gchar path[MM_CONTENT_PATH_OCTETS];
  int errno_value = errno;

  mm_content_directory_make_path (key, path);
  g_autofree gchar *what = g_strdup_printf ("cache file '%s'", path);
  g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_CACHE, errno_value, what));
  return FALSE;
}

/* ---- in memory ---- */

/* Room for a message of @size octets, which counts until its file is freed. NULL with @error. */
static guint8 *
allocate (MmContentCache *cache, guint64 size, GError **error)
{
  guint8 *memory = NULL;

  if (mm_content_registry_reserve (&cache->registry, size))
    {
      memory = g_try_malloc0 (MAX (size, 1));
      if (memory == NULL)
        mm_content_registry_give_back (&cache->registry, size);
    }
  if (memory == NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
                 "no memory is left for a message of %" G_GUINT64_FORMAT " octets", size);
  return memory;
}

static gboolean
store_in_memory (MmContentCache *cache, const MmContentHeader *header, GBytes *const *segments,
                 gsize n_segments, GError **error)
{
  guint8 *memory = allocate (cache, header->size, error);
  gsize at = 0;

  if (memory == NULL)
    return FALSE;
  for (gsize i = 0; i < n_segments; i++)
    {
      gsize length;
      const void *data = g_bytes_get_data (segments[i], &length);

      if (length > 0)
        memcpy (memory + at, data, length);
      at += length;
    }
  MmContentFile *file = mm_content_file_new (cache, header, -1, memory, NULL);
  file->is_verified = TRUE;
  mm_content_registry_replace (&cache->registry, file);
  mm_content_file_unref (file);
  return TRUE;
}

/* ---- on disk ---- */

/* Header and content are one write; if it is cut off, the file is too short. */
static gboolean
write_whole (int fd, const MmContentHeader *header, GBytes *const *segments, gsize n_segments)
{
  guint8 octets[MM_CONTENT_HEADER_OCTETS];
  g_autofree struct iovec *buffers = g_new (struct iovec, n_segments + 1);

  mm_content_header_encode (header, octets);
  buffers[0] = (struct iovec) { octets, sizeof octets };
  for (gsize i = 0; i < n_segments; i++)
    {
      gsize length;
      const void *data = g_bytes_get_data (segments[i], &length);

      buffers[i + 1] = (struct iovec) { (void *) data, length };
    }
  return mm_content_write_all (fd, buffers, n_segments + 1, 0);
}

/* Three system calls: create, write, close; and one for each message that has to leave. */
static gboolean
store_held (MmContentCache *cache, const MmContentHeader *header, GBytes *const *segments,
               gsize n_segments, GError **error)
{
  guint64 file_octets = MM_CONTENT_HEADER_OCTETS + header->size;

  if (!mm_content_limit_make_room (cache->limit, file_octets, error))
    return FALSE;
  mm_autofd int fd
    = mm_content_directory_create_file (&cache->directory, header->key, MM_CONTENT_MODE_WHOLE);
  if (fd < 0)
    return fail_from_errno (error, header->key);

  gboolean is_stored = write_whole (fd, header, segments, n_segments);
  if (is_stored)
    {
      mm_content_limit_note_stored (cache->limit, header->key, file_octets);
      mm_content_cache_note_verified (cache, header->key, header->digest);
    }
  else
    {
      fail_from_errno (error, header->key);
      mm_content_cache_remove_file (cache, header->key);
    }
  mm_content_registry_forget (&cache->registry, header->key, NULL);
  return is_stored;
}

/* Held, because a scan may find the file before it is noted, and let it leave as an old one. */
static gboolean
store_on_disk (MmContentCache *cache, const MmContentHeader *header, GBytes *const *segments,
               gsize n_segments, GError **error)
{
  mm_content_limit_hold (cache->limit, header->key);
  gboolean is_stored = store_held (cache, header, segments, n_segments, error);
  mm_content_limit_release (cache->limit, header->key);
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
  return mm_content_cache_is_in_memory (cache)
           ? store_in_memory (cache, &header, segments, n_segments, error)
           : store_on_disk (cache, &header, segments, n_segments, error);
}

/* An empty partial file on disk, locked. -1 with @error. */
static int
create_partial (MmContentCache *cache, const MmContentHeader *header, GError **error)
{
  guint8 octets[MM_CONTENT_HEADER_OCTETS];
  struct iovec buffer = { octets, sizeof octets };

  if (!mm_content_limit_make_room (cache->limit, sizeof octets, error))
    return -1;
  mm_autofd int fd = mm_content_directory_create_file (&cache->directory, header->key,
                                                       MM_CONTENT_MODE_PARTIAL);
  if (fd < 0)
    {
      fail_from_errno (error, header->key);
      return -1;
    }
  mm_content_header_encode (header, octets);
  if (mm_content_cache_lock_partial (fd) && mm_content_write_all (fd, &buffer, 1, 0))
    {
      mm_content_limit_note_stored (cache->limit, header->key, sizeof octets);
      return mm_fd_steal (&fd);
    }
  fail_from_errno (error, header->key);
  mm_content_cache_remove_file (cache, header->key);
  return -1;
}

/* ---- */

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
  if (mm_content_cache_is_in_memory (cache))
    memory = allocate (cache, size, error);
  else
    {
      mm_content_limit_hold (cache->limit, key);
      fd = create_partial (cache, &header, error);
    }
  if (memory == NULL && fd < 0)
    mm_content_registry_forget (&cache->registry, key, NULL);
  MmContentFile *file = memory != NULL || fd >= 0
                          ? mm_content_file_new (cache, &header, fd, memory, NULL)
                          : NULL;
  /* The file holds itself. */
  if (!mm_content_cache_is_in_memory (cache))
    mm_content_limit_release (cache->limit, key);
  if (file == NULL)
    return NULL;
  mm_content_registry_replace (&cache->registry, file);
  /* Of nothing there is nothing to wait for. */
  if (size == 0 && !mm_content_file_write (file, 0, "", 0, error))
    g_clear_pointer (&file, mm_content_file_unref);
  return file;
}
