// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "content-table.h"

/* About 16 MiB. What is beyond is checked once more. */
#define MAX_VERIFIED (1 << 20)

static guint
hash_key (gconstpointer pointer)
{
  const MmContentKey *key = pointer;
  guint64 packed = (guint64) key->folder_id << 36 ^ key->number;

  return (guint) (packed * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32);
}

static gboolean
keys_are_equal (gconstpointer a, gconstpointer b)
{
  const MmContentKey *one = a, *other = b;

  return one->folder_id == other->folder_id && one->number == other->number;
}

void
mm_content_table_init (MmContentTable *table)
{
  g_mutex_init (&table->lock);
  table->files = g_hash_table_new (hash_key, keys_are_equal);
  table->verified = g_hash_table_new (NULL, NULL);
  g_queue_init (&table->idle);
  table->idle_octets = 0;
  table->is_closed = FALSE;
}

void
mm_content_table_clear (MmContentTable *table)
{
  g_mutex_clear (&table->lock);
  g_hash_table_unref (table->files);
  g_hash_table_unref (table->verified);
}

/* ---- with the lock ---- */

static void
wake_locked (MmContentTable *table, MmContentFile *file)
{
  if (file->refs++ == 0)
    {
      g_queue_unlink (&table->idle, &file->idle_link);
      table->idle_octets -= file->size;
    }
}

/* Takes @file out of the table. A file to be freed by the caller without the lock, or NULL. */
static MmContentFile *
unlist_locked (MmContentTable *table, MmContentFile *file)
{
  if (!file->is_listed)
    return NULL;
  file->is_listed = FALSE;
  g_hash_table_remove (table->files, &file->key);
  if (file->refs > 0)
    return NULL;
  g_queue_unlink (&table->idle, &file->idle_link);
  table->idle_octets -= file->size;
  return file;
}

static void
list_locked (MmContentTable *table, MmContentFile *file)
{
  file->is_listed = TRUE;
  g_hash_table_insert (table->files, &file->key, file);
}

static MmContentFile *
forget_locked (MmContentTable *table, MmContentFile *file)
{
  g_atomic_int_set (&file->is_forgotten, TRUE);
  return unlist_locked (table, file);
}

/* ---- */

MmContentFile *
mm_content_table_find (MmContentTable *table, MmContentKey key)
{
  g_mutex_lock (&table->lock);
  MmContentFile *file = g_hash_table_lookup (table->files, &key);
  if (file != NULL)
    wake_locked (table, file);
  g_mutex_unlock (&table->lock);
  return file;
}

gboolean
mm_content_table_has_complete (MmContentTable *table, MmContentKey key)
{
  g_mutex_lock (&table->lock);
  const MmContentFile *file = g_hash_table_lookup (table->files, &key);
  gboolean has = file != NULL && mm_content_file_is_complete (file);
  g_mutex_unlock (&table->lock);
  return has;
}

void
mm_content_table_replace (MmContentTable *table, MmContentFile *file)
{
  g_mutex_lock (&table->lock);
  MmContentFile *old = g_hash_table_lookup (table->files, &file->key);
  MmContentFile *dead = old != NULL ? forget_locked (table, old) : NULL;
  list_locked (table, file);
  g_mutex_unlock (&table->lock);
  g_clear_pointer (&dead, mm_content_file_free);
}

MmContentFile *
mm_content_table_intern (MmContentTable *table, MmContentFile *file)
{
  g_mutex_lock (&table->lock);
  MmContentFile *listed = g_hash_table_lookup (table->files, &file->key);
  if (listed != NULL)
    wake_locked (table, listed);
  else
    list_locked (table, file);
  g_mutex_unlock (&table->lock);

  if (listed == NULL)
    return file;
  mm_content_file_free (file);
  return listed;
}

void
mm_content_table_forget (MmContentTable *table, MmContentKey key, MmContentFile *only)
{
  MmContentFile *dead = NULL;

  g_mutex_lock (&table->lock);
  MmContentFile *file = g_hash_table_lookup (table->files, &key);
  if (file != NULL && (only == NULL || only == file))
    dead = forget_locked (table, file);
  g_mutex_unlock (&table->lock);
  g_clear_pointer (&dead, mm_content_file_free);
}

void
mm_content_table_forget_folder (MmContentTable *table, guint32 folder_id)
{
  g_autoptr (GPtrArray) dead
    = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_content_file_free);
  g_autoptr (GPtrArray) files = g_ptr_array_new (); /* borrowed */
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&table->lock);
  g_hash_table_iter_init (&iter, table->files);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((MmContentFile *) value)->key.folder_id == folder_id)
      g_ptr_array_add (files, value);
  for (guint i = 0; i < files->len; i++)
    {
      MmContentFile *file = forget_locked (table, g_ptr_array_index (files, i));
      if (file != NULL)
        g_ptr_array_add (dead, file);
    }
  g_mutex_unlock (&table->lock);
}

void
mm_content_table_ref (MmContentTable *table, MmContentFile *file)
{
  g_mutex_lock (&table->lock);
  file->refs++;
  g_mutex_unlock (&table->lock);
}

/* The idle files that are too many. List<MmContentFile>, to be freed without the lock. */
static GSList *
evict_locked (MmContentTable *table)
{
  GSList *dead = NULL;

  while (table->idle.head != NULL
         && (table->is_closed || table->idle_octets > MM_CONTENT_MAX_IDLE_OCTETS))
    dead = g_slist_prepend (dead, unlist_locked (table, table->idle.head->data));
  return dead;
}

void
mm_content_table_unref (MmContentTable *table, MmContentFile *file)
{
  GSList *dead = NULL;

  g_mutex_lock (&table->lock);
  if (--file->refs == 0)
    {
      if (file->is_listed && file->memory != NULL)
        {
          g_queue_push_tail_link (&table->idle, &file->idle_link);
          table->idle_octets += file->size;
          dead = evict_locked (table);
        }
      else
        {
          if (file->is_listed)
            g_hash_table_remove (table->files, &file->key);
          dead = g_slist_prepend (NULL, file);
        }
    }
  g_mutex_unlock (&table->lock);
  g_slist_free_full (dead, (GDestroyNotify) mm_content_file_free);
}

void
mm_content_table_close (MmContentTable *table)
{
  g_mutex_lock (&table->lock);
  table->is_closed = TRUE;
  GSList *dead = evict_locked (table);
  g_mutex_unlock (&table->lock);
  g_slist_free_full (dead, (GDestroyNotify) mm_content_file_free);
}

/* Key and digest folded into one word. That two contents share a word is as unlikely as it is
 * harmless: the check it saves looks for failing disks, not for enemies. */
static gpointer
make_fingerprint (MmContentKey key, const guint8 digest[MM_DIGEST_OCTETS])
{
  gsize word;

  memcpy (&word, digest, sizeof word);
  return GSIZE_TO_POINTER (word ^ (gsize) hash_key (&key));
}

void
mm_content_table_note_verified (MmContentTable *table, MmContentKey key,
                                const guint8 digest[MM_DIGEST_OCTETS])
{
  g_mutex_lock (&table->lock);
  if (g_hash_table_size (table->verified) >= MAX_VERIFIED)
    g_hash_table_remove_all (table->verified);
  g_hash_table_add (table->verified, make_fingerprint (key, digest));
  g_mutex_unlock (&table->lock);
}

gboolean
mm_content_table_is_verified (MmContentTable *table, MmContentKey key,
                              const guint8 digest[MM_DIGEST_OCTETS])
{
  g_mutex_lock (&table->lock);
  gboolean is_verified = g_hash_table_contains (table->verified, make_fingerprint (key, digest));
  g_mutex_unlock (&table->lock);
  return is_verified;
}
