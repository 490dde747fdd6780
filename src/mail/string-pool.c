// SPDX-License-Identifier: GPL-3.0-or-later
#include "string-pool.h"

#include <string.h>

#define BLOCK_OCTETS 16384

struct MmStringPool
{
  gatomicrefcount refs;
  GStringChunk *chunk;
  MmStringPool *successor; /* nullable; owned ref; set before the owner's own reference goes */
  gsize used_octets;
  gsize wasted_octets;
};

MmStringPool *
mm_string_pool_new (void)
{
  MmStringPool *pool = g_new0 (MmStringPool, 1);

  g_atomic_ref_count_init (&pool->refs);
  pool->chunk = g_string_chunk_new (BLOCK_OCTETS);
  return pool;
}

MmStringPool *
mm_string_pool_ref (MmStringPool *pool)
{
  g_atomic_ref_count_inc (&pool->refs);
  return pool;
}

/* A loop: a row of successors may be long when somebody held the first of them. */
void
mm_string_pool_unref (MmStringPool *pool)
{
  while (pool != NULL && g_atomic_ref_count_dec (&pool->refs))
    {
      MmStringPool *successor = pool->successor;

      g_string_chunk_free (pool->chunk);
      g_free (pool);
      pool = successor;
    }
}

void
mm_string_pool_set_successor (MmStringPool *pool, MmStringPool *successor)
{
  g_assert (pool->successor == NULL);
  pool->successor = mm_string_pool_ref (successor);
}

static gboolean
is_kept_elsewhere (const gchar *text)
{
  return text == NULL || *text == '\0';
}

const gchar *
mm_string_pool_add (MmStringPool *pool, const gchar *text)
{
  if (is_kept_elsewhere (text))
    return text == NULL ? NULL : "";
  pool->used_octets += strlen (text) + 1;
  return g_string_chunk_insert (pool->chunk, text);
}

const gchar *
mm_string_pool_intern (MmStringPool *pool, const gchar *text)
{
  return is_kept_elsewhere (text) ? "" : g_string_chunk_insert_const (pool->chunk, text);
}

void
mm_string_pool_forget (MmStringPool *pool, const gchar *text)
{
  if (!is_kept_elsewhere (text))
    pool->wasted_octets += strlen (text) + 1;
}

gboolean
mm_string_pool_is_wasteful (const MmStringPool *pool)
{
  return pool->wasted_octets >= BLOCK_OCTETS && pool->wasted_octets > pool->used_octets / 2;
}
