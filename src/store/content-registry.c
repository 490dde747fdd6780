// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "content-key.h"
#include "content-registry.h"

/* About 16 MiB. What is beyond is checked once more. */
#define MAX_VERIFIED (1 << 20)

static guint
hash_key (gconstpointer pointer)
{
  const MmContentKey *key = pointer;
  guint64 packed = mm_content_key_pack (*key);

  return (guint) (packed * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32);
}

static gboolean
keys_are_equal (gconstpointer a, gconstpointer b)
{
  const MmContentKey *one = a, *other = b;

  return one->folder_id == other->folder_id && one->number == other->number;
}

void
mm_content_registry_init (MmContentRegistry *registry)
{
  g_mutex_init (&registry->lock);
  registry->files = g_hash_table_new (hash_key, keys_are_equal);
  registry->verified = g_hash_table_new (NULL, NULL);
  g_queue_init (&registry->idle);
  registry->memory_octets = 0;
  registry->max_memory_octets = MM_CONTENT_MEMORY_OCTETS;
  registry->was_full = FALSE;
  registry->is_closed = FALSE;
}

void
mm_content_registry_clear (MmContentRegistry *registry)
{
  g_mutex_clear (&registry->lock);
  g_hash_table_unref (registry->files);
  g_hash_table_unref (registry->verified);
}

/* ---- with the lock ---- */

static void
wake_locked (MmContentRegistry *registry, MmContentFile *file)
{
  if (file->refs++ == 0)
    g_queue_unlink (&registry->idle, &file->idle_link);
}

/* Takes @file out of the registry. A file to be freed by the caller without the lock, or NULL. */
static MmContentFile *
unlist_locked (MmContentRegistry *registry, MmContentFile *file)
{
  if (!file->is_listed)
    return NULL;
  file->is_listed = FALSE;
  g_hash_table_remove (registry->files, &file->key);
  if (file->refs > 0)
    return NULL;
  g_queue_unlink (&registry->idle, &file->idle_link);
  return file;
}

static void
list_locked (MmContentRegistry *registry, MmContentFile *file)
{
  file->is_listed = TRUE;
  g_hash_table_insert (registry->files, &file->key, file);
}

static MmContentFile *
forget_locked (MmContentRegistry *registry, MmContentFile *file)
{
  g_atomic_int_set (&file->is_forgotten, TRUE);
  return unlist_locked (registry, file);
}

/* A number has one file. What was stored for it under another origin is not what is looked for, though
 * somebody may still be reading it. */
static MmContentFile *
find_locked (MmContentRegistry *registry, const MmContentKey *key)
{
  MmContentFile *file = g_hash_table_lookup (registry->files, key);
  return file != NULL && file->key.origin == key->origin ? file : NULL;
}

/* ---- */

MmContentFile *
mm_content_registry_find (MmContentRegistry *registry, MmContentKey key)
{
  g_mutex_lock (&registry->lock);
  MmContentFile *file = find_locked (registry, &key);
  if (file != NULL)
    wake_locked (registry, file);
  g_mutex_unlock (&registry->lock);
  return file;
}

gboolean
mm_content_registry_has_complete (MmContentRegistry *registry, MmContentKey key)
{
  g_mutex_lock (&registry->lock);
  const MmContentFile *file = find_locked (registry, &key);
  gboolean has = file != NULL && mm_content_file_is_complete (file);
  g_mutex_unlock (&registry->lock);
  return has;
}

void
mm_content_registry_replace (MmContentRegistry *registry, MmContentFile *file)
{
  g_mutex_lock (&registry->lock);
  MmContentFile *old = g_hash_table_lookup (registry->files, &file->key);
  MmContentFile *dead = old != NULL ? forget_locked (registry, old) : NULL;
  list_locked (registry, file);
  g_mutex_unlock (&registry->lock);
  g_clear_pointer (&dead, mm_content_file_free);
}

MmContentFile *
mm_content_registry_intern (MmContentRegistry *registry, MmContentFile *file)
{
  g_mutex_lock (&registry->lock);
  MmContentFile *listed = find_locked (registry, &file->key);
  MmContentFile *other = g_hash_table_lookup (registry->files, &file->key);
  MmContentFile *dead = other != listed ? forget_locked (registry, other) : NULL;
  if (listed != NULL)
    wake_locked (registry, listed);
  else
    list_locked (registry, file);
  g_mutex_unlock (&registry->lock);

  g_clear_pointer (&dead, mm_content_file_free);
  if (listed == NULL)
    return file;
  mm_content_file_free (file);
  return listed;
}

void
mm_content_registry_forget (MmContentRegistry *registry, MmContentKey key, MmContentFile *only)
{
  MmContentFile *dead = NULL;

  g_mutex_lock (&registry->lock);
  MmContentFile *file = g_hash_table_lookup (registry->files, &key);
  if (file != NULL && (only == NULL || only == file))
    dead = forget_locked (registry, file);
  g_mutex_unlock (&registry->lock);
  g_clear_pointer (&dead, mm_content_file_free);
}

static gboolean
is_key_in_folder (gpointer key, gpointer fingerprint, gpointer data)
{
  const guint32 *folder_id = data;
  return mm_content_key_unpack (GPOINTER_TO_SIZE (key)).folder_id == *folder_id;
}

void
mm_content_registry_forget_folder (MmContentRegistry *registry, guint32 folder_id)
{
  g_autoptr (GPtrArray) dead
    = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_content_file_free);
  g_autoptr (GPtrArray) files = g_ptr_array_new (); /* borrowed */
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&registry->lock);
  g_hash_table_iter_init (&iter, registry->files);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((MmContentFile *) value)->key.folder_id == folder_id)
      g_ptr_array_add (files, value);
  for (guint i = 0; i < files->len; i++)
    {
      MmContentFile *file = forget_locked (registry, g_ptr_array_index (files, i));
      if (file != NULL)
        g_ptr_array_add (dead, file);
    }
  g_hash_table_foreach_remove (registry->verified, is_key_in_folder, &folder_id);
  g_mutex_unlock (&registry->lock);
}

void
mm_content_registry_ref (MmContentRegistry *registry, MmContentFile *file)
{
  g_mutex_lock (&registry->lock);
  file->refs++;
  g_mutex_unlock (&registry->lock);
}

void
mm_content_registry_limit_memory (MmContentRegistry *registry, guint64 octets)
{
  g_mutex_lock (&registry->lock);
  registry->max_memory_octets = octets;
  g_mutex_unlock (&registry->lock);
}

guint64
mm_content_registry_get_memory_limit (MmContentRegistry *registry)
{
  g_mutex_lock (&registry->lock);
  guint64 octets = registry->max_memory_octets;
  g_mutex_unlock (&registry->lock);
  return octets;
}

gboolean
mm_content_registry_reserve (MmContentRegistry *registry, guint64 octets)
{
  guint64 left = 0;
  GSList *dead = NULL; /* List<MmContentFile>, freed without the lock */

  g_mutex_lock (&registry->lock);
  guint64 max = registry->max_memory_octets;
  guint64 room = octets < max ? max - octets : 0; /* for the others */
  for (left = registry->memory_octets; registry->idle.head != NULL && left > room;)
    {
      MmContentFile *oldest = registry->idle.head->data;
      left -= oldest->size;
      dead = g_slist_prepend (dead, unlist_locked (registry, oldest));
    }
  gboolean has_room = octets <= max && left <= room;
  if (has_room)
    registry->memory_octets += octets;
  if (!has_room || dead != NULL)
    registry->was_full = TRUE;
  g_mutex_unlock (&registry->lock);
  g_slist_free_full (dead, (GDestroyNotify) mm_content_file_free);
  return has_room;
}

void
mm_content_registry_give_back (MmContentRegistry *registry, guint64 octets)
{
  g_mutex_lock (&registry->lock);
  registry->memory_octets -= octets;
  g_mutex_unlock (&registry->lock);
}

void
mm_content_registry_get_usage (MmContentRegistry *registry, MmContentCacheUsage *out)
{
  g_mutex_lock (&registry->lock);
  *out = (MmContentCacheUsage) {
    .n_messages = g_hash_table_size (registry->files),
    .octets = registry->memory_octets,
    .is_counted = TRUE,
    .size_octets = registry->max_memory_octets,
    .lack = registry->was_full ? MM_CONTENT_CACHE_LACK_SIZE : MM_CONTENT_CACHE_LACK_NOTHING,
  };
  g_mutex_unlock (&registry->lock);
}

guint64
mm_content_registry_count_folder (MmContentRegistry *registry, guint32 folder_id)
{
  GHashTableIter iter;
  gpointer value;
  guint64 n = 0;

  g_mutex_lock (&registry->lock);
  g_hash_table_iter_init (&iter, registry->files);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += ((MmContentFile *) value)->key.folder_id == folder_id;
  g_mutex_unlock (&registry->lock);
  return n;
}

void
mm_content_registry_unref (MmContentRegistry *registry, MmContentFile *file)
{
  MmContentFile *dead = NULL;

  g_mutex_lock (&registry->lock);
  if (--file->refs == 0)
    {
      if (file->is_listed && file->memory != NULL && !registry->is_closed)
        g_queue_push_tail_link (&registry->idle, &file->idle_link);
      else
        {
          if (file->is_listed)
            g_hash_table_remove (registry->files, &file->key);
          dead = file;
        }
    }
  g_mutex_unlock (&registry->lock);
  g_clear_pointer (&dead, mm_content_file_free);
}

void
mm_content_registry_close (MmContentRegistry *registry)
{
  g_mutex_lock (&registry->lock);
  registry->is_closed = TRUE;
  GSList *dead = NULL;
  while (registry->idle.head != NULL)
    dead = g_slist_prepend (dead, unlist_locked (registry, registry->idle.head->data));
  g_mutex_unlock (&registry->lock);
  g_slist_free_full (dead, (GDestroyNotify) mm_content_file_free);
}

static gpointer
pack_key (MmContentKey key)
{
  return GSIZE_TO_POINTER ((gsize) mm_content_key_pack (key));
}

/* A word of the digest. That two contents share it is as unlikely as it is harmless: the check it
 * saves looks for failing disks, not for enemies. */
static gpointer
make_fingerprint (MmContentKey key, const guint8 digest[MM_DIGEST_OCTETS])
{
  gsize word;

  memcpy (&word, digest, sizeof word);
  return GSIZE_TO_POINTER (word ^ key.origin);
}

void
mm_content_registry_note_verified (MmContentRegistry *registry, MmContentKey key,
                                const guint8 digest[MM_DIGEST_OCTETS])
{
  g_mutex_lock (&registry->lock);
  if (g_hash_table_size (registry->verified) >= MAX_VERIFIED)
    g_hash_table_remove_all (registry->verified);
  g_hash_table_insert (registry->verified, pack_key (key), make_fingerprint (key, digest));
  g_mutex_unlock (&registry->lock);
}

void
mm_content_registry_forget_verified (MmContentRegistry *registry, MmContentKey key)
{
  g_mutex_lock (&registry->lock);
  g_hash_table_remove (registry->verified, pack_key (key));
  g_mutex_unlock (&registry->lock);
}

gboolean
mm_content_registry_is_verified (MmContentRegistry *registry, MmContentKey key,
                              const guint8 digest[MM_DIGEST_OCTETS])
{
  gpointer noted = NULL;

  g_mutex_lock (&registry->lock);
  gboolean is_noted
    = g_hash_table_lookup_extended (registry->verified, pack_key (key), NULL, &noted);
  g_mutex_unlock (&registry->lock);
  return is_noted && noted == make_fingerprint (key, digest);
}
