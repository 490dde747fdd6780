// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Entries lie in one array and are linked by their indices: a cache of a million messages has them
 * in 32 MiB, and adding one allocates nothing. Entry 0 is the ring's end: its newer neighbour is the
 * oldest, its older one the newest.
 */
#include "content-lru.h"

#include "content-key.h"

#define BLOCK_OCTETS 4096
#define BUCKETS_MIN  256
#define END          0

typedef struct
{
  guint64 name;   /* the key, packed */
  guint32 blocks; /* 0: held only, or unused */
  guint32 used_s;
  guint32 older, newer; /* both END and not its neighbour: not in the order */
  guint32 chain;        /* the next of the same bucket, or the next unused one */
  guint32 n_holds : 31;
  guint32 is_doubtful : 1; /* a scan is to say whether it is still there */
} Entry;

struct MmContentLru
{
  GArray *entries; /* Array<Entry> */
  guint32 *buckets;
  guint32 n_buckets; /* a power of two */
  guint32 unused;    /* the first unused entry, or END */
  guint n_known;
  guint n_stored; /* with blocks */
  guint64 n_blocks;
  GHashTable *folders; /* Map<folder id, how many with blocks> */
  GHashTable *left; /* Set<name>: what was removed since a scan began; NULL without a scan */
};

static Entry *
get (const MmContentLru *lru, guint32 i)
{
  return &g_array_index (lru->entries, Entry, i);
}

static guint32 *
get_bucket (const MmContentLru *lru, guint64 name)
{
  guint64 mixed = name * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32;

  return &lru->buckets[mixed & (lru->n_buckets - 1)];
}

MmContentLru *
mm_content_lru_new (void)
{
  MmContentLru *lru = g_new0 (MmContentLru, 1);

  lru->entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  g_array_set_size (lru->entries, 1);
  lru->n_buckets = BUCKETS_MIN;
  lru->buckets = g_new0 (guint32, lru->n_buckets);
  lru->folders = g_hash_table_new (NULL, NULL);
  return lru;
}

void
mm_content_lru_free (MmContentLru *lru)
{
  if (lru == NULL)
    return;
  g_array_unref (lru->entries);
  g_hash_table_unref (lru->folders);
  g_clear_pointer (&lru->left, g_hash_table_unref);
  g_free (lru->buckets);
  g_free (lru);
}

guint64
mm_content_lru_get_octets (const MmContentLru *lru)
{
  return lru->n_blocks * BLOCK_OCTETS;
}

guint
mm_content_lru_get_length (const MmContentLru *lru)
{
  return lru->n_stored;
}

guint
mm_content_lru_get_folder_length (const MmContentLru *lru, guint32 folder_id)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (lru->folders, GUINT_TO_POINTER (folder_id)));
}

/* ---- the table ---- */

static guint32
find (const MmContentLru *lru, MmContentKey key)
{
  guint64 name = mm_content_key_pack (key);
  guint32 i = *get_bucket (lru, name);

  while (i != END && get (lru, i)->name != name)
    i = get (lru, i)->chain;
  return i;
}

gboolean
mm_content_lru_has (const MmContentLru *lru, MmContentKey key)
{
  guint32 i = find (lru, key);

  return i != END && get (lru, i)->blocks > 0;
}

static void
grow_buckets (MmContentLru *lru)
{
  guint32 n_old = lru->n_buckets;
  g_autofree guint32 *old = g_steal_pointer (&lru->buckets);

  lru->n_buckets *= 2;
  lru->buckets = g_new0 (guint32, lru->n_buckets);
  for (guint32 b = 0; b < n_old; b++)
    for (guint32 i = old[b], next; i != END; i = next)
      {
        guint32 *bucket = get_bucket (lru, get (lru, i)->name);
        next = get (lru, i)->chain;
        get (lru, i)->chain = *bucket;
        *bucket = i;
      }
}

static guint32
ensure (MmContentLru *lru, MmContentKey key)
{
  guint32 i = find (lru, key);

  if (i != END)
    return i;
  if (++lru->n_known > lru->n_buckets)
    grow_buckets (lru);
  i = lru->unused;
  if (i != END)
    lru->unused = get (lru, i)->chain;
  else
    {
      i = lru->entries->len;
      g_array_set_size (lru->entries, i + 1);
    }

  guint32 *bucket = get_bucket (lru, mm_content_key_pack (key));
  *get (lru, i) = (Entry) { .name = mm_content_key_pack (key), .chain = *bucket };
  *bucket = i;
  return i;
}

static void
drop (MmContentLru *lru, guint32 i)
{
  guint32 *link = get_bucket (lru, get (lru, i)->name);

  while (*link != i)
    link = &get (lru, *link)->chain;
  *link = get (lru, i)->chain;
  *get (lru, i) = (Entry) { .chain = lru->unused };
  lru->unused = i;
  lru->n_known--;
}

/* ---- the order ---- */

static gboolean
is_in_order (const MmContentLru *lru, guint32 i)
{
  return get (lru, get (lru, i)->older)->newer == i;
}

static void
unlink_entry (MmContentLru *lru, guint32 i)
{
  Entry *entry = get (lru, i);

  if (!is_in_order (lru, i))
    return;
  get (lru, entry->older)->newer = entry->newer;
  get (lru, entry->newer)->older = entry->older;
  entry->older = entry->newer = END;
}

static void
link_before (MmContentLru *lru, guint32 i, guint32 newer)
{
  Entry *entry = get (lru, i);

  entry->newer = newer;
  entry->older = get (lru, newer)->older;
  get (lru, entry->older)->newer = i;
  get (lru, newer)->older = i;
}

/* Puts an entry where its blocks and holds say that it belongs; the newest of the order. */
static void
settle (MmContentLru *lru, guint32 i)
{
  const Entry *entry = get (lru, i);

  unlink_entry (lru, i);
  if (entry->n_holds > 0)
    return;
  if (entry->blocks > 0)
    link_before (lru, i, END);
  else
    drop (lru, i);
}

static void
count_in_folder (MmContentLru *lru, guint32 folder_id, gint difference)
{
  gpointer id = GUINT_TO_POINTER (folder_id);
  guint n = (guint) ((gint) mm_content_lru_get_folder_length (lru, folder_id) + difference);

  if (n > 0)
    g_hash_table_insert (lru->folders, id, GUINT_TO_POINTER (n));
  else
    g_hash_table_remove (lru->folders, id);
}

static void
set_blocks (MmContentLru *lru, guint32 i, guint64 octets)
{
  Entry *entry = get (lru, i);
  guint64 blocks = octets / BLOCK_OCTETS + (octets % BLOCK_OCTETS != 0);
  gint difference = (blocks > 0) - (entry->blocks > 0);

  lru->n_blocks -= entry->blocks;
  entry->blocks = (guint32) MIN (blocks, G_MAXUINT32);
  lru->n_blocks += entry->blocks;
  if (difference == 0)
    return;
  lru->n_stored = (guint) ((gint) lru->n_stored + difference);
  count_in_folder (lru, mm_content_key_unpack (entry->name).folder_id, difference);
}

void
mm_content_lru_put (MmContentLru *lru, MmContentKey key, guint64 octets, guint32 now_s)
{
  guint32 i = ensure (lru, key);

  set_blocks (lru, i, octets);
  get (lru, i)->used_s = now_s;
  get (lru, i)->is_doubtful = FALSE;
  settle (lru, i);
}

void
mm_content_lru_touch (MmContentLru *lru, MmContentKey key, guint32 now_s)
{
  guint32 i = find (lru, key);

  if (i == END)
    return;
  get (lru, i)->used_s = now_s;
  settle (lru, i);
}

/* A scan may have seen it before. */
static void
note_left (MmContentLru *lru, guint64 name)
{
  if (lru->left != NULL)
    g_hash_table_add (lru->left, GSIZE_TO_POINTER (name));
}

static void
remove_entry (MmContentLru *lru, guint32 i)
{
  note_left (lru, get (lru, i)->name);
  set_blocks (lru, i, 0);
  get (lru, i)->is_doubtful = FALSE;
  settle (lru, i);
}

void
mm_content_lru_remove (MmContentLru *lru, MmContentKey key)
{
  guint32 i = find (lru, key);

  if (i != END)
    remove_entry (lru, i);
  else
    note_left (lru, mm_content_key_pack (key));
}

void
mm_content_lru_remove_folder (MmContentLru *lru, guint32 folder_id)
{
  for (guint32 i = END + 1; i < lru->entries->len; i++)
    if (get (lru, i)->blocks > 0 && mm_content_key_unpack (get (lru, i)->name).folder_id == folder_id)
      remove_entry (lru, i);
}

gboolean
mm_content_lru_pop_oldest (MmContentLru *lru, MmContentKey *out_key)
{
  guint32 i = get (lru, END)->newer;

  if (i == END)
    return FALSE;
  *out_key = mm_content_key_unpack (get (lru, i)->name);
  remove_entry (lru, i);
  return TRUE;
}

void
mm_content_lru_hold (MmContentLru *lru, MmContentKey key)
{
  guint32 i = ensure (lru, key);

  get (lru, i)->n_holds++;
  unlink_entry (lru, i);
}

void
mm_content_lru_release (MmContentLru *lru, MmContentKey key, guint32 now_s)
{
  guint32 i = find (lru, key);

  g_assert (i != END && get (lru, i)->n_holds > 0);
  get (lru, i)->n_holds--;
  get (lru, i)->used_s = now_s;
  settle (lru, i);
}

/* ---- what others did ---- */

void
mm_content_lru_begin_scan (MmContentLru *lru)
{
  g_clear_pointer (&lru->left, g_hash_table_unref);
  lru->left = g_hash_table_new (NULL, NULL);
  for (guint32 i = END + 1; i < lru->entries->len; i++)
    get (lru, i)->is_doubtful = get (lru, i)->blocks > 0;
}

void
mm_content_lru_end_scan (MmContentLru *lru, const GArray *found, GArray *out_gone)
{
  g_autoptr (GHashTable) left = g_steal_pointer (&lru->left);
  guint32 newer = get (lru, END)->newer;

  for (guint f = 0; f < found->len; f++)
    {
      const MmContentFound *file = &g_array_index (found, MmContentFound, f);

      if (!mm_content_lru_has (lru, file->key)
          && g_hash_table_contains (left, GSIZE_TO_POINTER (mm_content_key_pack (file->key))))
        continue;
      guint32 i = ensure (lru, file->key);
      get (lru, i)->is_doubtful = FALSE;
      if (get (lru, i)->blocks > 0)
        continue;
      set_blocks (lru, i, file->octets);
      get (lru, i)->used_s = file->used_s;
      if (get (lru, i)->n_holds > 0 || get (lru, i)->blocks == 0)
        {
          settle (lru, i);
          continue;
        }
      while (newer != END && get (lru, newer)->used_s <= file->used_s)
        newer = get (lru, newer)->newer;
      link_before (lru, i, newer);
    }

  for (guint32 i = END + 1; i < lru->entries->len; i++)
    if (get (lru, i)->is_doubtful)
      {
        MmContentKey key = mm_content_key_unpack (get (lru, i)->name);
        g_array_append_val (out_gone, key);
        remove_entry (lru, i);
      }
}
