// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A table with open addressing: the places of one key stand behind one another, other keys between
 * them, up to the first free slot. What is removed leaves no mark: those behind it move up.
 */
#include "object-map.h"

#include <string.h>

#define NUMBER_BITS 36
#define SLOTS_MIN   64

typedef struct
{
  guint64 key;   /* 0: free */
  guint64 place; /* folder id and number */
} Slot;

struct MmObjectMap
{
  GMutex lock; /* guards all below */
  Slot *slots; /* nullable */
  gsize n_slots; /* a power of two */
  gsize n_used;
  GHashTable *sizes; /* nullable; Map<owned key, owned size> */
};

MmObjectMap *
mm_object_map_new (void)
{
  MmObjectMap *map = g_new0 (MmObjectMap, 1);

  g_mutex_init (&map->lock);
  return map;
}

void
mm_object_map_free (MmObjectMap *map)
{
  if (map == NULL)
    return;
  g_free (map->slots);
  g_clear_pointer (&map->sizes, g_hash_table_unref);
  g_mutex_clear (&map->lock);
  g_free (map);
}

/* ---- numbers ---- */

guint64
mm_object_number (const gchar *account_key, const gchar *object_id)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  guint64 number = 0;

  g_checksum_update (checksum, (const guchar *) account_key, (gssize) strlen (account_key) + 1);
  g_checksum_update (checksum, (const guchar *) object_id, -1);
  g_checksum_get_digest (checksum, digest, &length);
  for (guint i = 0; i < 8; i++)
    number = number << 8 | digest[i];
  number &= MM_OBJECT_MAX_NUMBER;
  return number != 0 ? number : 1;
}

/* The finalizer of splitmix64: one to one, and every bit depends on every bit. */
static guint64
mix (guint64 x)
{
  x ^= x >> 30;
  x *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ x >> 31;
}

guint64
mm_object_link (guint64 number, guint32 told_size, gint64 internaldate)
{
  guint64 link = mix (number ^ mix ((guint64) internaldate << 24 ^ mix (told_size)));

  link &= MM_OBJECT_MAX_NUMBER;
  return link != 0 ? link : 1;
}

/* ---- the table ---- */

static guint64
pack (guint32 folder_id, guint64 number)
{
  return (guint64) folder_id << NUMBER_BITS | number;
}

static gsize
home_of (const MmObjectMap *map, guint64 key)
{
  return (gsize) (key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 20) & (map->n_slots - 1);
}

static gsize
next_of (const MmObjectMap *map, gsize slot)
{
  return (slot + 1) & (map->n_slots - 1);
}

static void
put_locked (MmObjectMap *map, Slot entry)
{
  gsize slot = home_of (map, entry.key);

  while (map->slots[slot].key != 0)
    slot = next_of (map, slot);
  map->slots[slot] = entry;
}

/* At most three quarters are used. */
static void
make_room_locked (MmObjectMap *map)
{
  gsize n_before = map->n_slots;
  g_autofree Slot *before = NULL;

  if (map->n_used + 1 <= map->n_slots / 4 * 3)
    return;
  before = map->slots;
  map->n_slots = MAX (n_before * 2, SLOTS_MIN);
  map->slots = g_new0 (Slot, map->n_slots);
  for (gsize i = 0; i < n_before; i++)
    if (before[i].key != 0)
      put_locked (map, before[i]);
}

void
mm_object_map_add (MmObjectMap *map, guint64 key, guint32 folder_id, guint64 number)
{
  g_mutex_lock (&map->lock);
  make_room_locked (map);
  put_locked (map, (Slot){ key, pack (folder_id, number) });
  map->n_used++;
  g_mutex_unlock (&map->lock);
}

/* Frees @slot: what stands behind it and belongs at it or before moves up. */
static void
free_slot_locked (MmObjectMap *map, gsize slot)
{
  gsize mask = map->n_slots - 1;

  for (gsize next = next_of (map, slot); map->slots[next].key != 0; next = next_of (map, next))
    {
      gsize home = home_of (map, map->slots[next].key);
      if (((next - home) & mask) < ((next - slot) & mask))
        continue;
      map->slots[slot] = map->slots[next];
      slot = next;
    }
  map->slots[slot] = (Slot){ 0 };
  map->n_used--;
}

void
mm_object_map_remove (MmObjectMap *map, guint64 key, guint32 folder_id, guint64 number)
{
  guint64 place = pack (folder_id, number);

  g_mutex_lock (&map->lock);
  for (gsize slot = map->n_slots > 0 ? home_of (map, key) : 0;
       map->n_slots > 0 && map->slots[slot].key != 0; slot = next_of (map, slot))
    if (map->slots[slot].key == key && map->slots[slot].place == place)
      {
        free_slot_locked (map, slot);
        break;
      }
  g_mutex_unlock (&map->lock);
}

/* ---- sizes ---- */

void
mm_object_map_note_size (MmObjectMap *map, guint64 key, guint64 size)
{
  g_mutex_lock (&map->lock);
  if (map->sizes == NULL)
    map->sizes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_hash_table_replace (map->sizes, g_memdup2 (&key, sizeof key), g_memdup2 (&size, sizeof size));
  g_mutex_unlock (&map->lock);
}

guint64
mm_object_map_find_size (MmObjectMap *map, guint64 key)
{
  g_mutex_lock (&map->lock);
  const guint64 *found = map->sizes != NULL ? g_hash_table_lookup (map->sizes, &key) : NULL;
  guint64 size = found != NULL ? *found : 0;
  g_mutex_unlock (&map->lock);
  return size;
}

/* ---- looking ---- */

static gint
compare_places (gconstpointer a, gconstpointer b)
{
  guint64 first = *(const guint64 *) a;
  guint64 second = *(const guint64 *) b;
  return first < second ? -1 : first > second;
}

/* Array<guint64>, packed. */
static GArray *
collect (MmObjectMap *map, guint64 key)
{
  GArray *packed = g_array_new (FALSE, FALSE, sizeof (guint64));

  g_mutex_lock (&map->lock);
  for (gsize slot = map->n_slots > 0 ? home_of (map, key) : 0;
       map->n_slots > 0 && map->slots[slot].key != 0; slot = next_of (map, slot))
    if (map->slots[slot].key == key)
      g_array_append_val (packed, map->slots[slot].place);
  g_mutex_unlock (&map->lock);
  g_array_sort (packed, compare_places);
  return packed;
}

GArray *
mm_object_map_dup_places (MmObjectMap *map, guint64 key)
{
  g_autoptr (GArray) packed = collect (map, key);
  GArray *places = g_array_new (FALSE, FALSE, sizeof (MmPlace));
  guint64 last = G_MAXUINT64;

  for (guint i = 0; i < packed->len; i++)
    {
      guint64 place = g_array_index (packed, guint64, i);
      MmPlace one = { (guint32) (place >> NUMBER_BITS),
                      place & (((guint64) 1 << NUMBER_BITS) - 1) };
      if (place != last)
        g_array_append_val (places, one);
      last = place;
    }
  return places;
}

guint64
mm_object_map_find_in (MmObjectMap *map, guint64 key, guint32 folder_id)
{
  g_autoptr (GArray) places = mm_object_map_dup_places (map, key);

  for (guint i = 0; i < places->len; i++)
    if (g_array_index (places, MmPlace, i).folder_id == folder_id)
      return g_array_index (places, MmPlace, i).number;
  return 0;
}
