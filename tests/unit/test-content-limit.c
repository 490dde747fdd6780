// SPDX-License-Identifier: GPL-3.0-or-later
/* The limit of the content cache, on a disk. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/content-cache.h>

#include "test-directory.h"

#define MIB     ((guint64) 1 << 20)
#define MESSAGE (100 * 1024 - 200) /* 25 blocks with the header */
#define BLOCKS  ((guint64) 100 * 1024)

/* ---- system calls are counted on their way ---- */

static struct
{
  gint unlinks, stats, writes; /* atomic */
} n_calls;

/* While it is shut nobody can look at a file, and so no scan ends. */
static struct
{
  GMutex lock;
  GCond opened;
  gboolean is_shut;
} gate;

static void
set_gate (gboolean is_shut)
{
  g_mutex_lock (&gate.lock);
  gate.is_shut = is_shut;
  g_cond_broadcast (&gate.opened);
  g_mutex_unlock (&gate.lock);
}

/* The function of the C library that a definition here hides. */
#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

int
unlinkat (int fd, const char *path, int flags)
{
  g_atomic_int_inc (&n_calls.unlinks);
  return NEXT (unlinkat) (fd, path, flags);
}

int
fstatat (int fd, const char *path, struct stat *status, int flags)
{
  g_atomic_int_inc (&n_calls.stats);
  g_mutex_lock (&gate.lock);
  while (gate.is_shut)
    g_cond_wait (&gate.opened, &gate.lock);
  g_mutex_unlock (&gate.lock);
  return NEXT (fstatat) (fd, path, status, flags);
}

int
fstat (int fd, struct stat *status)
{
  g_atomic_int_inc (&n_calls.stats);
  return NEXT (fstat) (fd, status);
}

int
fstatvfs (int fd, struct statvfs *status)
{
  g_atomic_int_inc (&n_calls.stats);
  return NEXT (fstatvfs) (fd, status);
}

ssize_t
pwritev (int fd, const struct iovec *buffers, int n, off_t offset)
{
  g_atomic_int_inc (&n_calls.writes);
  return NEXT (pwritev) (fd, buffers, n, offset);
}

/* ---- */

typedef struct
{
  gchar *directory;
  MmContentCache *cache;
  GMutex lock;
  GHashTable *evicted; /* Set<guint64 number>; guarded by lock */
} Fixture;

static void
on_evicted (guint32 folder_id, guint64 number, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_mutex_lock (&fixture->lock);
  g_hash_table_add (fixture->evicted, g_memdup2 (&number, sizeof number));
  g_mutex_unlock (&fixture->lock);
}

/* What was stored before is not counted yet. */
static MmContentCache *
open_uncounted (Fixture *fixture, guint64 size_octets, guint64 free_octets)
{
  g_autoptr (GError) error = NULL;
  MmContentCache *cache = mm_content_cache_open (fixture->directory, &error);
  MmContentCacheLimits limits = { size_octets, free_octets, on_evicted, fixture };

  g_assert_no_error (error);
  mm_content_cache_limit (cache, &limits);
  return cache;
}

static MmContentCache *
open_cache (Fixture *fixture, guint64 size_octets, guint64 free_octets)
{
  MmContentCache *cache = open_uncounted (fixture, size_octets, free_octets);

  mm_content_cache_wait_scanned (cache);
  return cache;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_mutex_init (&fixture->lock);
  fixture->evicted = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  fixture->directory = test_directory_new ();
  fixture->cache = open_cache (fixture, MIB, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  mm_content_cache_close (fixture->cache);
  g_clear_pointer (&fixture->directory, test_directory_free);
  g_hash_table_unref (fixture->evicted);
  g_mutex_clear (&fixture->lock);
}

static void
reopen (Fixture *fixture, guint64 size_octets)
{
  mm_content_cache_close (fixture->cache);
  fixture->cache = open_cache (fixture, size_octets, 0);
}

static MmContentKey
key (guint64 number)
{
  return (MmContentKey) { 3, number, 0 };
}

static gboolean
try_to_store (MmContentCache *cache, guint64 number, GError **error)
{
  static guint8 content[MESSAGE];
  g_autoptr (GBytes) bytes = g_bytes_new_static (content, sizeof content);

  return mm_content_cache_store (cache, key (number), &bytes, 1, NULL, error);
}

static void
store (MmContentCache *cache, guint64 number)
{
  g_autoptr (GError) error = NULL;

  try_to_store (cache, number, &error);
  g_assert_no_error (error);
}

/* What the files below @path really take. */
static guint64
count_octets (const gchar *path)
{
  g_autoptr (GDir) stream = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint64 octets = 0;

  g_assert_nonnull (stream);
  while ((name = g_dir_read_name (stream)) != NULL)
    {
      g_autofree gchar *child = g_build_filename (path, name, NULL);
      GStatBuf status;

      g_assert_no_errno (g_lstat (child, &status));
      octets += S_ISDIR (status.st_mode) ? count_octets (child) : (guint64) status.st_blocks * 512;
    }
  return octets;
}

static gboolean
has (Fixture *fixture, guint64 number)
{
  return mm_content_cache_has_complete (fixture->cache, key (number));
}

static gboolean
was_evicted (Fixture *fixture, guint64 number)
{
  g_mutex_lock (&fixture->lock);
  gboolean was = g_hash_table_contains (fixture->evicted, &number);
  g_mutex_unlock (&fixture->lock);
  return was;
}

static void
assert_usage (Fixture *fixture, guint64 n_messages, guint64 octets)
{
  MmContentCacheUsage usage;

  mm_content_cache_get_usage (fixture->cache, &usage);
  g_assert_cmpuint (usage.n_messages, ==, n_messages);
  g_assert_cmpuint (usage.octets, ==, octets);
}

static MmContentCacheLack
get_lack (Fixture *fixture)
{
  MmContentCacheUsage usage;

  mm_content_cache_get_usage (fixture->cache, &usage);
  return usage.lack;
}

/* ---- */

static void
test_size_is_kept (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 60; i++)
    {
      store (fixture->cache, i);
      g_assert_cmpuint (count_octets (fixture->directory), <=, MIB);
    }
  /* As many as have room stay: the last ten. */
  assert_usage (fixture, 10, 10 * BLOCKS);
  g_assert_cmpint (get_lack (fixture), ==, MM_CONTENT_CACHE_LACK_SIZE);
  for (guint64 i = 1; i <= 60; i++)
    {
      g_assert_cmpint (has (fixture, i), ==, i > 50);
      g_assert_cmpint (was_evicted (fixture, i), ==, i <= 50);
    }
}

/* What leaves costs one call, and what comes none beside its own. */
static void
test_leaving_costs_one_system_call (Fixture *fixture, gconstpointer data)
{
  store (fixture->cache, 1);
  memset (&n_calls, 0, sizeof n_calls);
  for (guint64 i = 2; i <= 60; i++)
    store (fixture->cache, i);
  g_assert_cmpint (n_calls.writes, ==, 59);
  g_assert_cmpint (n_calls.unlinks, ==, 50);
  g_assert_cmpint (n_calls.stats, ==, 0);

  /* A floor costs one more for every 8 MiB. */
  mm_content_cache_close (fixture->cache);
  fixture->cache = open_cache (fixture, MIB, 64 * MIB);
  memset (&n_calls, 0, sizeof n_calls);
  for (guint64 i = 1; i <= 400; i++)
    store (fixture->cache, i);
  g_assert_cmpint (n_calls.stats, >=, 3);
  g_assert_cmpint (n_calls.stats, <=, 6);
}

static void
test_what_was_read_stays_longer (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 10; i++)
    store (fixture->cache, i);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key (1));
  g_assert_nonnull (file);
  g_clear_pointer (&file, mm_content_file_unref);
  mm_content_cache_touch (fixture->cache, key (3));
  for (guint64 i = 11; i <= 18; i++)
    store (fixture->cache, i);
  g_assert_true (has (fixture, 1));
  g_assert_true (has (fixture, 3));
  g_assert_false (has (fixture, 2));
  g_assert_false (has (fixture, 10));
}

static void
test_what_is_open_or_held_stays (Fixture *fixture, gconstpointer data)
{
  store (fixture->cache, 1);
  store (fixture->cache, 2);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key (1));
  mm_content_cache_hold (fixture->cache, key (2));
  mm_content_cache_hold (fixture->cache, key (3));
  for (guint64 i = 3; i <= 60; i++)
    store (fixture->cache, i);
  for (guint64 i = 1; i <= 3; i++)
    g_assert_true (has (fixture, i));
  g_clear_pointer (&file, mm_content_file_unref);
  mm_content_cache_release (fixture->cache, key (2));
  mm_content_cache_release (fixture->cache, key (3));
  for (guint64 i = 61; i <= 70; i++)
    store (fixture->cache, i);
  for (guint64 i = 1; i <= 3; i++)
    g_assert_false (has (fixture, i));
}

/* A message larger than all of the cache is kept while it is open, and no longer than that. */
static void
test_one_message_may_be_larger_than_the_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *content = g_malloc0 (MIB);
  g_autoptr (MmContentFile) file = mm_content_cache_create (fixture->cache, key (1), 4 * MIB,
                                                            &error);

  g_assert_no_error (error);
  store (fixture->cache, 2);
  for (guint64 i = 0; i < 4; i++)
    {
      g_assert_true (mm_content_file_write (file, i * MIB, content, MIB, &error));
      g_assert_no_error (error);
    }
  g_assert_true (mm_content_file_is_complete (file));
  g_assert_false (has (fixture, 2));
  g_assert_true (has (fixture, 1));
  assert_usage (fixture, 1, 4 * MIB + 4096);
  g_clear_pointer (&file, mm_content_file_unref);
  store (fixture->cache, 3);
  assert_usage (fixture, 1, BLOCKS);
}

/* Nobody stores anything any more, but what was in use is so no longer. */
static void
test_what_went_beyond_leaves_when_it_is_released (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 20; i++)
    {
      mm_content_cache_hold (fixture->cache, key (i));
      store (fixture->cache, i);
    }
  assert_usage (fixture, 20, 20 * BLOCKS);
  for (guint64 i = 1; i <= 20; i++)
    mm_content_cache_release (fixture->cache, key (i));
  mm_content_cache_wait_scanned (fixture->cache);
  assert_usage (fixture, 10, 10 * BLOCKS);
  g_assert_cmpuint (count_octets (fixture->directory), <=, MIB);
}

static gpointer
store_eight (gpointer data)
{
  Fixture *fixture = data;

  for (guint64 i = 11; i <= 18; i++)
    store (fixture->cache, i);
  return NULL;
}

/* What an earlier mount stored counts, also for who stores at once. */
static void
test_storing_waits_for_the_count (Fixture *fixture, gconstpointer data)
{
  MmContentCacheUsage usage;

  for (guint64 i = 1; i <= 10; i++)
    store (fixture->cache, i);
  mm_content_cache_close (fixture->cache);
  set_gate (TRUE);
  fixture->cache = open_uncounted (fixture, MIB, 0);
  mm_content_cache_get_usage (fixture->cache, &usage);
  g_assert_false (usage.is_counted);
  GThread *thread = g_thread_new ("writer", store_eight, fixture);
  g_usleep (100 * 1000); /* it would be done in far less */
  g_assert_cmpuint (count_octets (fixture->directory), ==, 10 * BLOCKS);
  set_gate (FALSE);
  g_thread_join (thread);
  g_assert_cmpuint (count_octets (fixture->directory), <=, MIB);
  assert_usage (fixture, 10, 10 * BLOCKS);
  for (guint64 i = 11; i <= 18; i++)
    g_assert_true (has (fixture, i));
}

/* … but not for ever: then it is not kept. */
static void
test_nothing_is_stored_while_counting_takes_long (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  MmContentCacheUsage usage;

  store (fixture->cache, 1);
  mm_content_cache_close (fixture->cache);
  set_gate (TRUE);
  fixture->cache = open_uncounted (fixture, MIB, 0);
  mm_clock_advance_for_test (3 * G_USEC_PER_SEC);
  g_assert_false (try_to_store (fixture->cache, 2, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_LIMIT);
  mm_content_cache_get_usage (fixture->cache, &usage);
  g_assert_cmpint (usage.lack, ==, MM_CONTENT_CACHE_LACK_COUNT);
  set_gate (FALSE);
  mm_content_cache_wait_scanned (fixture->cache);
  store (fixture->cache, 2);
  assert_usage (fixture, 2, 2 * BLOCKS);
}

/* Ranges far apart take what the disk says, not what lies between them. */
static void
test_holes_do_not_count (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const guint8 octets[4096] = { 1 };
  g_autoptr (MmContentFile) file = mm_content_cache_create (fixture->cache, key (1), 900 * MIB,
                                                            &error);
  MmContentCacheUsage usage;

  g_assert_no_error (error);
  for (guint64 i = 0; i < 8; i++)
    g_assert_true (mm_content_file_write (file, i * 100 * MIB, octets, sizeof octets, &error));
  mm_content_cache_get_usage (fixture->cache, &usage);
  g_assert_cmpuint (usage.octets, >=, 8 * 4096);
  g_assert_cmpuint (usage.octets, <=, MIB / 2);
  g_assert_cmpuint (usage.octets, ==, count_octets (fixture->directory));
}

static void
test_order_survives_a_restart (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 10; i++)
    {
      g_autofree gchar *path
        = g_strdup_printf ("%s/content-v1/000003/00/%09x", fixture->directory, (guint) i);
      /* The first ones are the youngest. */
      const struct timespec times[2] = { { (time_t) (1000000000 - i), 0 }, { 900000000, 0 } };

      store (fixture->cache, i);
      g_assert_no_errno (utimensat (AT_FDCWD, path, times, 0));
    }
  reopen (fixture, MIB);
  assert_usage (fixture, 10, 10 * BLOCKS);
  for (guint64 i = 11; i <= 14; i++)
    store (fixture->cache, i);
  for (guint64 i = 1; i <= 14; i++)
    g_assert_cmpint (has (fixture, i), ==, i <= 6 || i > 10);
}

/* Reading is written down, once: the second reader of a day changes nothing. */
static void
test_reading_is_remembered_once_a_day (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *path
    = g_strdup_printf ("%s/content-v1/000003/00/000000001", fixture->directory);
  const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
  struct timespec hour_old[2] = { { 0, 0 }, { 1000000000, 0 } };
  GStatBuf status;

  store (fixture->cache, 1);
  g_assert_no_errno (utimensat (AT_FDCWD, path, old, 0));
  mm_content_file_unref (mm_content_cache_lookup (fixture->cache, key (1)));
  g_assert_no_errno (g_stat (path, &status));
  g_assert_cmpint (status.st_atim.tv_sec, >, 1700000000);
  g_assert_cmpint (status.st_mtim.tv_sec, ==, 1000000000);

  hour_old[0].tv_sec = status.st_atim.tv_sec - 3600;
  g_assert_no_errno (utimensat (AT_FDCWD, path, hour_old, 0));
  mm_content_file_unref (mm_content_cache_lookup (fixture->cache, key (1)));
  g_assert_no_errno (g_stat (path, &status));
  g_assert_cmpint (status.st_atim.tv_sec, ==, hour_old[0].tv_sec);
}

static void
test_smaller_size_holds_from_the_start (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 10; i++)
    store (fixture->cache, i);
  reopen (fixture, 3 * BLOCKS);
  g_assert_cmpuint (count_octets (fixture->directory), <=, 3 * BLOCKS);
  assert_usage (fixture, 3, 3 * BLOCKS);
}

static void
test_what_leaves_is_not_counted (Fixture *fixture, gconstpointer data)
{
  for (guint64 i = 1; i <= 5; i++)
    store (fixture->cache, i);
  mm_content_cache_remove (fixture->cache, key (2));
  assert_usage (fixture, 4, 4 * BLOCKS);
  mm_content_cache_remove_folder (fixture->cache, 3);
  assert_usage (fixture, 0, 0);
  g_assert_cmpuint (count_octets (fixture->directory), ==, 0);
}

static void
test_no_size_is_no_limit (Fixture *fixture, gconstpointer data)
{
  reopen (fixture, 0);
  for (guint64 i = 1; i <= 60; i++)
    store (fixture->cache, i);
  assert_usage (fixture, 60, 60 * BLOCKS);
}

/* Less is free than there should be: all that can leave does, and nothing is stored. */
static void
test_free_disk_is_left_to_others (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct statvfs status;

  for (guint64 i = 1; i <= 5; i++)
    store (fixture->cache, i);
  mm_content_cache_close (fixture->cache);
  g_assert_no_errno (statvfs (fixture->directory, &status));
  fixture->cache
    = open_cache (fixture, MIB, (guint64) status.f_blocks * status.f_frsize + 1000 * MIB);
  g_assert_false (try_to_store (fixture->cache, 6, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NO_SPACE);
  g_assert_cmpint (get_lack (fixture), ==, MM_CONTENT_CACHE_LACK_DISK);
  assert_usage (fixture, 0, 0);
  g_assert_cmpuint (count_octets (fixture->directory), ==, 0);
}

/* Also the disk may take a moment to say what a file takes: while its blocks are written out, some
 * filesystems count them as neither planned nor used. */
static void
wait_until_usage_is_true (Fixture *fixture)
{
  MmContentCacheUsage usage;
  guint64 octets = 0;

  for (guint i = 0; i < 1000; i++)
    {
      mm_content_cache_wait_scanned (fixture->cache);
      mm_content_cache_get_usage (fixture->cache, &usage);
      octets = count_octets (fixture->directory);
      if (usage.octets == octets)
        return;
      g_usleep (10000);
    }
  g_assert_cmpuint (usage.octets, ==, octets);
}

/* What one adds the other notices before it has stored another thirty-second part, or 1 MiB. */
static void
test_size_is_that_of_the_directory (Fixture *fixture, gconstpointer data)
{
  reopen (fixture, 4 * MIB);
  g_autoptr (MmContentCache) other = open_cache (fixture, 4 * MIB, 0);

  for (guint64 i = 1; i <= 30; i++)
    store (fixture->cache, i);
  for (guint64 i = 31; i <= 60; i++)
    store (other, i);
  mm_content_cache_wait_scanned (other);
  for (guint64 i = 61; i <= 72; i++)
    store (other, i);
  mm_content_cache_wait_scanned (other);
  g_assert_cmpuint (count_octets (fixture->directory), <=, 4 * MIB);

  /* And the first one learns what left. */
  for (guint64 i = 73; i <= 84; i++)
    store (fixture->cache, i);
  wait_until_usage_is_true (fixture);
  g_assert_cmpuint (count_octets (fixture->directory), <=, 4 * MIB);
  g_assert_true (was_evicted (fixture, 1));
}

/* Somebody emptied the directory: the first that is missed is the sign to look for the others. */
static void
test_what_others_remove_is_noticed (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *part = g_build_filename (fixture->directory, "content-v1", "000003", "00", NULL);

  for (guint64 i = 1; i <= 8; i++)
    store (fixture->cache, i);
  test_directory_free (g_strdup (part));
  g_assert_null (mm_content_cache_lookup (fixture->cache, key (99)));
  assert_usage (fixture, 8, 8 * BLOCKS);
  g_assert_null (mm_content_cache_lookup (fixture->cache, key (5)));
  mm_content_cache_wait_scanned (fixture->cache);
  assert_usage (fixture, 0, 0);
  for (guint64 i = 1; i <= 8; i++)
    g_assert_true (was_evicted (fixture, i));
}

/* Nobody else is there: nothing is looked for. */
static void
test_alone_nothing_is_scanned_again (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *folder = g_build_filename (fixture->directory, "content-v1", "000009", NULL);
  g_autofree gchar *part = g_build_filename (folder, "00", NULL);
  g_autofree gchar *strange = g_build_filename (part, "000000001", NULL);

  g_assert_no_errno (g_mkdir_with_parents (part, 0700));
  g_assert_true (g_file_set_contents (strange, "x", 1, NULL));
  for (guint64 i = 1; i <= 60; i++)
    store (fixture->cache, i);
  mm_content_cache_wait_scanned (fixture->cache);
  assert_usage (fixture, 10, 10 * BLOCKS);
  reopen (fixture, 2 * MIB);
  assert_usage (fixture, 11, 10 * BLOCKS + 4096);
}

static gpointer
read_and_store (gpointer data)
{
  Fixture *fixture = data;
  g_autofree guint8 *buffer = g_malloc (MESSAGE);
  guint seed = GPOINTER_TO_UINT (g_thread_self ()) >> 4;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (guint i = 0; i < 400; i++)
    {
      guint64 number = (guint64) g_rand_int_range (rand, 1, 40);
      g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key (number));

      if (file == NULL)
        store (fixture->cache, number);
      else if (mm_content_file_verify (file))
        g_assert_cmpint (mm_content_file_pread (file, buffer, MESSAGE, 0, NULL), ==, MESSAGE);
      if (i % 50 == 0)
        mm_content_cache_remove (fixture->cache, key (number));
    }
  return NULL;
}

static void
test_many_at_once (Fixture *fixture, gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_and_store, fixture);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  store (fixture->cache, 1);
  g_assert_cmpuint (count_octets (fixture->directory), <=, MIB);
  g_assert_cmpuint (mm_content_cache_get_n_damaged (fixture->cache), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)
  ADD ("/store/content-limit/size-is-kept", test_size_is_kept);
  ADD ("/store/content-limit/leaving-costs-one-system-call", test_leaving_costs_one_system_call);
  ADD ("/store/content-limit/what-was-read-stays-longer", test_what_was_read_stays_longer);
  ADD ("/store/content-limit/what-is-open-or-held-stays", test_what_is_open_or_held_stays);
  ADD ("/store/content-limit/one-message-may-be-larger-than-the-size",
       test_one_message_may_be_larger_than_the_size);
  ADD ("/store/content-limit/what-went-beyond-leaves-when-it-is-released",
       test_what_went_beyond_leaves_when_it_is_released);
  ADD ("/store/content-limit/storing-waits-for-the-count", test_storing_waits_for_the_count);
  ADD ("/store/content-limit/nothing-is-stored-while-counting-takes-long",
       test_nothing_is_stored_while_counting_takes_long);
  ADD ("/store/content-limit/holes-do-not-count", test_holes_do_not_count);
  ADD ("/store/content-limit/order-survives-a-restart", test_order_survives_a_restart);
  ADD ("/store/content-limit/reading-is-remembered-once-a-day",
       test_reading_is_remembered_once_a_day);
  ADD ("/store/content-limit/smaller-size-holds-from-the-start",
       test_smaller_size_holds_from_the_start);
  ADD ("/store/content-limit/what-leaves-is-not-counted", test_what_leaves_is_not_counted);
  ADD ("/store/content-limit/no-size-is-no-limit", test_no_size_is_no_limit);
  ADD ("/store/content-limit/free-disk-is-left-to-others", test_free_disk_is_left_to_others);
  ADD ("/store/content-limit/size-is-that-of-the-directory", test_size_is_that_of_the_directory);
  ADD ("/store/content-limit/what-others-remove-is-noticed", test_what_others_remove_is_noticed);
  ADD ("/store/content-limit/alone-nothing-is-scanned-again", test_alone_nothing_is_scanned_again);
  ADD ("/store/content-limit/many-at-once", test_many_at_once);
  return g_test_run ();
}
