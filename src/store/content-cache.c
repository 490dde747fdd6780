// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two things may happen at any moment and are allowed for everywhere: another thread or process
 * replaces or removes a file (whoever has it open goes on with the old one), and this process ends
 * (a file then is whole, or its header or its length says that it is not).
 *
 * A file is replaced by removing it and making a new one, never by writing over it. A partial file
 * is locked (flock) by the process that writes it; for others it is not there.
 */
#include <mailmount/log.h>

#include "content-cache-private.h"

MmContentCache *
mm_content_cache_open (const gchar *directory, GError **error)
{
  MmContentCache *cache = g_new0 (MmContentCache, 1);

  g_atomic_ref_count_init (&cache->refs);
  cache->directory.fd = -1;
  g_mutex_init (&cache->partial_lock);
  mm_content_registry_init (&cache->registry);
  cache->limit = mm_content_limit_new (&cache->directory);
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
  mm_content_limit_stop (cache->limit);
  mm_content_registry_close (&cache->registry);
  mm_content_cache_unref (cache);
}

void
mm_content_cache_limit (MmContentCache *cache, const MmContentCacheLimits *limits)
{
  if (!mm_content_cache_is_in_memory (cache))
    mm_content_limit_start (cache->limit, limits);
  else if (limits->size_octets != 0)
    mm_content_registry_limit_memory (&cache->registry, limits->size_octets);
}

guint64
mm_content_cache_get_size (MmContentCache *cache)
{
  return mm_content_cache_is_in_memory (cache)
           ? mm_content_registry_get_memory_limit (&cache->registry)
           : mm_content_limit_get_size (cache->limit);
}

void
mm_content_cache_get_usage (MmContentCache *cache, MmContentCacheUsage *out)
{
  if (mm_content_cache_is_in_memory (cache))
    mm_content_registry_get_usage (&cache->registry, out);
  else
    mm_content_limit_get_usage (cache->limit, out);
}

guint64
mm_content_cache_count_folder (MmContentCache *cache, guint32 folder_id)
{
  return mm_content_cache_is_in_memory (cache)
           ? mm_content_registry_count_folder (&cache->registry, folder_id)
           : mm_content_limit_count_folder (cache->limit, folder_id);
}

void
mm_content_cache_wait_scanned (MmContentCache *cache)
{
  mm_content_limit_wait (cache->limit);
}

void
mm_content_cache_touch (MmContentCache *cache, MmContentKey key)
{
  mm_content_limit_touch (cache->limit, key);
}

void
mm_content_cache_hold (MmContentCache *cache, MmContentKey key)
{
  mm_content_limit_hold (cache->limit, key);
}

void
mm_content_cache_release (MmContentCache *cache, MmContentKey key)
{
  mm_content_limit_release (cache->limit, key);
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
  mm_content_limit_free (cache->limit);
  mm_content_directory_close (&cache->directory);
  g_mutex_clear (&cache->partial_lock);
  mm_content_registry_clear (&cache->registry);
  g_free (cache);
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
mm_content_cache_remove_file (MmContentCache *cache, MmContentKey key)
{
  if (mm_content_cache_is_in_memory (cache))
    return;
  /* In this order: a message that another thread stores meanwhile may be counted without being there
   * until its turn to leave comes, but is never there without being counted. */
  mm_content_limit_forget (cache->limit, key);
  mm_content_directory_remove (&cache->directory, key);
}

void
mm_content_cache_drop_damaged (MmContentCache *cache, MmContentKey key, MmContentFile *file,
                               const gchar *reason)
{
  gchar path[MM_CONTENT_PATH_OCTETS];

  mm_content_directory_make_path (key, path);
  mm_log_warning ("cache file '%s' was dropped: %s", path, reason);
  mm_content_cache_count_damaged (cache);
  mm_content_cache_remove_file (cache, key);
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

void
mm_content_cache_remove (MmContentCache *cache, MmContentKey key)
{
  mm_content_cache_remove_file (cache, key);
  mm_content_registry_forget (&cache->registry, key, NULL);
  mm_content_registry_forget_verified (&cache->registry, key);
}

void
mm_content_cache_remove_folder (MmContentCache *cache, guint32 folder_id)
{
  if (!mm_content_cache_is_in_memory (cache))
    {
      mm_content_limit_forget_folder (cache->limit, folder_id);
      mm_content_directory_remove_folder (&cache->directory, folder_id);
    }
  mm_content_registry_forget_folder (&cache->registry, folder_id);
}
