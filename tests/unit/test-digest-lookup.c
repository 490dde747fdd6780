// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/mail/digest-lookup.h"

static const MmContentKey whole = { 1, 10, 77 };
static const MmContentKey partial = { 1, 11, 77 };

typedef struct
{
  MmContentCache *cache;
  MmDiskPool *pool;
  MmDigestLookup *lookup;
  GMutex lock; /* guards @n_fired */
  GCond fired;
  guint n_fired; /* guarded by @lock */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) octets = g_bytes_new_static ("abc", 3);

  fixture->cache = mm_content_cache_open (NULL, NULL);
  fixture->pool = mm_disk_pool_new (2);
  fixture->lookup = mm_digest_lookup_new (fixture->cache, fixture->pool);
  g_mutex_init (&fixture->lock);
  g_cond_init (&fixture->fired);
  g_assert_true (mm_content_cache_store (fixture->cache, whole, &octets, 1, NULL, NULL));
  g_autoptr (MmContentFile) begun = mm_content_cache_create (fixture->cache, partial, 100, NULL);
  g_assert_true (mm_content_file_write (begun, 0, "abc", 3, NULL));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  mm_disk_pool_free (fixture->pool);
  mm_digest_lookup_free (fixture->lookup);
  mm_content_cache_close (fixture->cache);
  g_cond_clear (&fixture->fired);
  g_mutex_clear (&fixture->lock);
}

static void
on_fired (const GError *error, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_mutex_lock (&fixture->lock);
  fixture->n_fired++;
  g_cond_signal (&fixture->fired);
  g_mutex_unlock (&fixture->lock);
}

/* Attempts until it is known. (transfer full) */
static gchar *
look_up (Fixture *fixture, MmContentKey key, GError **error)
{
  for (;;)
    {
      g_autoptr (MmWaiter) waiter = mm_waiter_new (on_fired, fixture);
      gchar *digest = NULL;

      g_mutex_lock (&fixture->lock);
      fixture->n_fired = 0;
      g_mutex_unlock (&fixture->lock);
      if (mm_digest_lookup_try (fixture->lookup, key, &digest, waiter, error) != MM_TRY_WAIT)
        {
          mm_waiter_disarm (waiter);
          return digest;
        }
      g_mutex_lock (&fixture->lock);
      while (fixture->n_fired == 0)
        g_cond_wait (&fixture->fired, &fixture->lock);
      g_mutex_unlock (&fixture->lock);
    }
}

static void
test_of_a_whole_message (Fixture *fixture, gconstpointer data)
{
  /* Each answer is given once: the second comes from the disk again. */
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree gchar *digest = look_up (fixture, whole, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (digest, ==,
                       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void
test_none_of_what_is_not_there (Fixture *fixture, gconstpointer data)
{
  const MmContentKey keys[] = { partial, { 1, 12, 77 }, { 2, 10, 77 } };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (look_up (fixture, keys[i], &error));
      g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
    }
}

static void
test_questions_nobody_comes_back_for_are_bounded (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (MmWaiter) waiter = mm_waiter_new (on_fired, fixture);
      g_autofree gchar *digest = NULL;
      MmContentKey key = { 3, 1 + i, 0 };
      g_assert_cmpint (mm_digest_lookup_try (fixture->lookup, key, &digest, waiter, NULL), ==,
                       MM_TRY_WAIT);
    }
  g_autofree gchar *digest = look_up (fixture, whole, NULL);
  g_assert_nonnull (digest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/digest-lookup/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("of-a-whole-message", test_of_a_whole_message);
  ADD ("none-of-what-is-not-there", test_none_of_what_is_not_there);
  ADD ("questions-nobody-comes-back-for-are-bounded",
       test_questions_nobody_comes_back_for_are_bounded);
#undef ADD
  return g_test_run ();
}
