// SPDX-License-Identifier: GPL-3.0-or-later
#include "content-private.h"

struct MmContentTable
{
  MmMailContext *context; /* borrowed */
  GMutex lock;            /* guards the map and every content's reference count */
  GHashTable *contents;   /* Map<key, MmContent *>, not owned: a content leaves when it dies */
  guint n_alive;          /* contents not yet freed */
  GCond emptied;
};

static guint
hash_key (gconstpointer key)
{
  const MmContent *content = key;
  if (content->link != 0)
    return (guint) (content->link >> 16);
  return g_direct_hash (content->mailbox) ^ (guint) (content->number * 2654435761u);
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  const MmContent *first = a;
  const MmContent *second = b;
  if (first->link != 0 || second->link != 0)
    return first->link == second->link;
  return first->mailbox == second->mailbox && first->number == second->number
         && first->origin == second->origin;
}

MmContentTable *
mm_content_table_new (MmMailContext *context)
{
  MmContentTable *table = g_new0 (MmContentTable, 1);

  table->context = context;
  g_mutex_init (&table->lock);
  g_cond_init (&table->emptied);
  table->contents = g_hash_table_new (hash_key, equal_keys);
  return table;
}

void
mm_content_table_free (MmContentTable *table)
{
  if (table == NULL)
    return;
  g_hash_table_unref (table->contents);
  g_cond_clear (&table->emptied);
  g_mutex_clear (&table->lock);
  g_free (table);
}

static void
clear_piece (gpointer data)
{
  MmContentPiece *piece = data;
  g_bytes_unref (piece->octets);
}

static MmContent *
new_content (MmContentTable *table, const MmContent *key)
{
  MmContent *content = g_new0 (MmContent, 1);

  content->table = table;
  content->context = table->context;
  content->mailbox = key->mailbox;
  content->number = key->number;
  content->link = key->link;
  content->origin = key->origin;
  /* Two ranges may come from two sessions, and be of two messages. */
  content->is_whole_only = mm_mailbox_is_distrusted (content->mailbox);
  content->window_octets = MM_CONTENT_WINDOW_OCTETS_MIN;
  content->pieces = g_array_new (FALSE, FALSE, sizeof (MmContentPiece));
  g_array_set_clear_func (content->pieces, clear_piece);
  content->spans = g_array_new (FALSE, FALSE, sizeof (MmContentSpan));
  content->waits = mm_wait_list_new ();
  g_mutex_init (&content->lock);
  return content;
}

static void
free_content (MmContent *content)
{
  if (content->file != NULL)
    mm_content_flush_file (content->context, g_steal_pointer (&content->file));
  mm_content_cache_touch (content->context->cache, mm_content_get_key (content));
  mm_wait_list_free (content->waits);
  g_array_unref (content->pieces);
  g_array_unref (content->spans);
  g_mutex_clear (&content->lock);
  g_free (content);
}

MmContent *
mm_content_table_open (MmContentTable *table, MmMailbox *mailbox, guint64 number)
{
  MmContent key = { .mailbox = mailbox, .number = number };
  MmContentKey found;

  /* Under another origin it may be another message: who has that open keeps what he has. */
  if (mm_mailbox_get_content_key (mailbox, number, &found))
    {
      key.origin = found.origin;
      key.link = found.folder_id == MM_CONTENT_SHARED_FOLDER ? found.number : 0;
    }
  g_mutex_lock (&table->lock);
  MmContent *content = g_hash_table_lookup (table->contents, &key);
  if (content == NULL)
    {
      content = new_content (table, &key);
      g_hash_table_add (table->contents, content);
      table->n_alive++;
    }
  content->refs++;
  g_mutex_unlock (&table->lock);
  return content;
}

static gboolean
has_octets (MmContent *content)
{
  g_mutex_lock (&content->lock);
  gboolean has = content->file != NULL || content->pieces->len > 0;
  g_mutex_unlock (&content->lock);
  return has;
}

gboolean
mm_content_table_readopt (MmContent *content)
{
  MmContentTable *table = content->table;
  MmContentKey found;

  if (content->link != 0)
    return TRUE;
  if (!mm_mailbox_get_content_key (content->mailbox, content->number, &found))
    return FALSE;
  if (found.origin == content->origin)
    return TRUE;
  if (found.folder_id == MM_CONTENT_SHARED_FOLDER || has_octets (content))
    return FALSE;
  g_mutex_lock (&table->lock);
  MmContent key = { .mailbox = content->mailbox, .number = content->number,
                    .origin = found.origin };
  gboolean is_free = !g_hash_table_contains (table->contents, &key);
  if (is_free)
    {
      g_hash_table_remove (table->contents, content);
      content->origin = found.origin;
      g_hash_table_add (table->contents, content);
    }
  g_mutex_unlock (&table->lock);
  return is_free;
}

void
mm_content_table_wait_empty (MmContentTable *table)
{
  g_mutex_lock (&table->lock);
  while (table->n_alive > 0)
    g_cond_wait (&table->emptied, &table->lock);
  g_mutex_unlock (&table->lock);
}

MmContent *
mm_content_ref (MmContent *content)
{
  g_mutex_lock (&content->table->lock);
  content->refs++;
  g_mutex_unlock (&content->table->lock);
  return content;
}

void
mm_content_unref (MmContent *content)
{
  MmContentTable *table = content->table;

  g_mutex_lock (&table->lock);
  gboolean is_last = --content->refs == 0;
  if (is_last)
    g_hash_table_remove (table->contents, content);
  g_mutex_unlock (&table->lock);
  if (!is_last)
    return;
  free_content (content);
  g_mutex_lock (&table->lock);
  if (--table->n_alive == 0)
    g_cond_signal (&table->emptied);
  g_mutex_unlock (&table->lock);
}
