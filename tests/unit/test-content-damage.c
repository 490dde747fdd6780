// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whatever happened to a file in the cache: what is read is what was stored, or nothing.
 */
#include <mailmount/content-cache.h>
#include <mailmount/log.h>

#include "test-directory.h"
#include "test-namespace.h"

#define FILE_NAME   "content-v1/000003/01/000000123"
#define SIZE        700
#define HEADER_SIZE 96

static const MmContentKey key = { 3, 0x123 };

static void
fill_content (guint8 *content, gsize size, guint seed)
{
  for (gsize i = 0; i < size; i++)
    content[i] = (guint8) (i * 7 + i / 255 + seed);
}

static MmContentCache *
open_cache (const gchar *directory)
{
  g_autoptr (GError) error = NULL;
  MmContentCache *cache = mm_content_cache_open (directory, &error);

  g_assert_no_error (error);
  return cache;
}

static gboolean
store (MmContentCache *cache, MmContentKey where, const void *data, gsize size, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return mm_content_cache_store (cache, where, &bytes, 1, NULL, error);
}

/* A stored message of SIZE octets; the file as it is on disk. */
static gchar *
make_whole (const gchar *directory, guint8 *content)
{
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autoptr (GError) error = NULL;

  fill_content (content, SIZE, 1);
  store (cache, key, content, SIZE, &error);
  g_assert_no_error (error);
  return g_build_filename (directory, FILE_NAME, NULL);
}

/* A partial one with three segments in two lists. */
static gchar *
make_partial (const gchar *directory, guint8 *content)
{
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autoptr (MmContentFile) file = mm_content_cache_create (cache, key, SIZE, NULL);

  fill_content (content, SIZE, 2);
  g_assert_nonnull (file);
  g_assert_true (mm_content_file_write (file, 0, content, 100, NULL));
  g_assert_true (mm_content_file_flush (file, NULL));
  g_assert_true (mm_content_file_write (file, 300, content + 300, 100, NULL));
  g_assert_true (mm_content_file_write (file, 600, content + 600, 100, NULL));
  g_assert_true (mm_content_file_flush (file, NULL));
  return g_build_filename (directory, FILE_NAME, NULL);
}

/* The number of octets that a fresh cache gives for the message: all of them right. */
static guint
count_sound_octets (const gchar *directory, const guint8 *content, guint *out_n_damaged)
{
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);
  guint n_sound = 0;

  if (file != NULL && mm_content_file_verify (file))
    {
      guint64 size = mm_content_file_get_size (file);

      g_assert_cmpuint (size, ==, SIZE);
      for (guint64 at = 0; at < size; at++)
        {
          guint8 octet;

          if (!mm_content_file_has_range (file, at, 1))
            continue;
          g_assert_cmpint (mm_content_file_pread (file, &octet, 1, at, NULL), ==, 1);
          g_assert_cmpuint (octet, ==, content[at]);
          n_sound++;
        }
    }
  *out_n_damaged = mm_content_cache_get_n_damaged (cache);
  return n_sound;
}

typedef gchar *(*MakeFunc) (const gchar *directory, guint8 *content);

/* Puts @octets in the place of the file, as if nobody had touched it for long. */
static void
replace_file (const gchar *path, const gchar *octets, gsize length, mode_t mode)
{
  g_unlink (path);
  g_assert_true (g_file_set_contents (path, octets, (gssize) length, NULL));
  test_file_set_mode_and_age (path, mode);
}

static void
check_every_octet_flipped (MakeFunc make, mode_t mode, gboolean must_be_noticed)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make (directory, content);
  g_autofree gchar *octets = NULL;
  gsize length;
  guint n_damaged;

  g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
  guint n_whole = count_sound_octets (directory, content, &n_damaged);
  g_assert_cmpuint (n_whole, >, 0);
  g_assert_cmpuint (n_damaged, ==, 0);

  for (gsize at = 0; at < length; at++)
    {
      octets[at] ^= (gchar) (1 << (at % 8));
      replace_file (path, octets, length, mode);
      octets[at] ^= (gchar) (1 << (at % 8));

      guint n_sound = count_sound_octets (directory, content, &n_damaged);
      if (must_be_noticed)
        {
          g_assert_cmpuint (n_sound, ==, 0);
          g_assert_cmpuint (n_damaged, ==, 1);
          g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
        }
      else
        g_assert_cmpuint (n_damaged > 0, ==, n_sound < n_whole);
    }
  replace_file (path, octets, length, mode);
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, n_whole);
}

static void
test_every_flipped_octet_of_a_whole_file_is_noticed (void)
{
  check_every_octet_flipped (make_whole, 0400, TRUE);
}

static void
test_a_flipped_octet_of_a_partial_file_costs_what_it_touches (void)
{
  check_every_octet_flipped (make_partial, 0600, FALSE);
}

static void
check_every_length (MakeFunc make, mode_t mode)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make (directory, content);
  g_autofree gchar *octets = NULL;
  gsize length;
  guint n_damaged;

  g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
  for (gsize cut = 0; cut < length; cut++)
    {
      replace_file (path, octets, cut, mode);
      count_sound_octets (directory, content, &n_damaged);
      g_assert_cmpuint (n_damaged, ==, 1);
    }
}

static void
test_a_whole_file_cut_anywhere_is_not_there (void)
{
  check_every_length (make_whole, 0400);
}

static void
test_a_partial_file_cut_anywhere_gives_nothing_wrong (void)
{
  check_every_length (make_partial, 0600);
}

/* After a power failure a file may have its length and nothing in it. */
static void
test_zeros_instead_of_content_are_noticed (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  g_autofree gchar *octets = NULL;
  gsize length;
  guint n_damaged;

  g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
  memset (octets + HEADER_SIZE, 0, length - HEADER_SIZE);
  replace_file (path, octets, length, 0400);
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
  g_assert_cmpuint (n_damaged, ==, 1);
}

/* Completing a file writes the header first; what was the list may still be behind it. */
static void
test_end_between_header_and_mode_leaves_a_whole_file (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  guint n_damaged;

  test_file_overwrite (path, HEADER_SIZE + SIZE, "rest of a list", 14);
  g_assert_no_errno (g_chmod (path, 0600));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, SIZE);

  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_assert_true (mm_content_cache_has_complete (cache, key));
}

/* The process ended after the new list was written and before the header that points to it. */
static void
test_end_between_list_and_header_keeps_the_old_list (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, FILE_NAME, NULL);
  g_autofree gchar *old_header = NULL;
  guint8 content[SIZE];
  guint n_damaged;

  fill_content (content, SIZE, 2);
  for (guint64 n = 0; n < 12; n++)
    {
      g_autofree gchar *octets = NULL;
      gsize length;
      {
        g_autoptr (MmContentCache) cache = open_cache (directory);
        g_autoptr (MmContentFile) file
          = n == 0 ? mm_content_cache_create (cache, key, SIZE, NULL)
                   : mm_content_cache_lookup (cache, key);

        g_assert_nonnull (file);
        g_assert_true (mm_content_file_write (file, n * 50, content + n * 50, 10, NULL));
        g_assert_true (mm_content_file_flush (file, NULL));
      }
      g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
      if (old_header != NULL)
        {
          test_file_overwrite (path, 0, old_header, HEADER_SIZE);
          g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, n * 10);
          g_assert_cmpuint (n_damaged, ==, 0);
          test_file_overwrite (path, 0, octets, HEADER_SIZE);
        }
      g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, (n + 1) * 10);
      g_free (old_header);
      old_header = g_memdup2 (octets, HEADER_SIZE);
    }
}

/* The same when the new list is not the old one with something added. */
static void
test_end_between_a_shorter_list_and_header_keeps_the_old_list (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_partial (directory, content);
  g_autofree gchar *octets = NULL;
  guint n_damaged;

  test_file_overwrite (path, HEADER_SIZE + 50, "damage", 6);
  g_assert_true (g_file_get_contents (path, &octets, NULL, NULL));
  {
    g_autoptr (MmContentCache) cache = open_cache (directory);
    g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);

    g_assert_nonnull (file);
    g_assert_true (mm_content_file_verify (file));
    g_assert_true (mm_content_file_write (file, 150, content + 150, 10, NULL));
    g_assert_true (mm_content_file_flush (file, NULL));
  }
  test_file_overwrite (path, 0, octets, HEADER_SIZE);
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 200);
  g_assert_cmpuint (n_damaged, ==, 1);
}

/* What an earlier process left damaged must not become part of what is called whole. */
static void
test_a_damaged_extent_is_not_completed (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_partial (directory, content);
  guint n_damaged;

  test_file_overwrite (path, HEADER_SIZE + 350, "damage", 6);
  {
    g_autoptr (MmContentCache) cache = open_cache (directory);
    g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);

    g_assert_nonnull (file);
    g_assert_true (mm_content_file_write (file, 100, content + 100, SIZE - 100, NULL));
    g_assert_true (mm_content_file_is_complete (file));
  }
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, SIZE);
}

/* Another process may be in the middle of writing it. */
static void
test_a_young_short_file_is_left_alone (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  guint n_damaged;

  g_assert_no_errno (g_chmod (path, 0600));
  g_assert_no_errno (truncate (path, 300));
  g_assert_no_errno (g_chmod (path, 0400));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
  g_assert_cmpuint (n_damaged, ==, 0);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));

  /* Who has the message stores it all the same. */
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_assert_true (store (cache, key, content, SIZE, NULL));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, SIZE);
}

static void
test_a_file_of_another_key_is_dropped (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  g_autofree gchar *other
    = g_build_filename (directory, "content-v1/000003/01/000000124", NULL);
  g_autoptr (MmContentCache) cache = open_cache (directory);

  g_assert_no_errno (g_rename (path, other));
  g_assert_null (mm_content_cache_lookup (cache, (MmContentKey) { 3, 0x124 }));
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
}

static void
test_what_is_not_private_is_dropped (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  g_autofree gchar *link_path = g_build_filename (directory, "link", NULL);
  guint n_damaged;

  g_assert_no_errno (g_chmod (path, 0440));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  g_free (make_whole (directory, content));
  g_assert_no_errno (link (path, link_path));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);

  g_free (make_whole (directory, content));
  if (geteuid () == 0)
    {
      g_assert_no_errno (chown (path, 65534, 65534));
      g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
      g_assert_cmpuint (n_damaged, ==, 1);
    }
}

static void
test_symbolic_links_are_not_followed (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  g_autofree gchar *moved = g_build_filename (directory, "moved", NULL);
  g_autofree gchar *folder = g_build_filename (directory, "content-v1/000003", NULL);
  guint n_damaged;

  g_assert_no_errno (g_rename (path, moved));
  g_assert_no_errno (symlink (moved, path));
  {
    g_autoptr (MmContentCache) cache = open_cache (directory);
    g_assert_false (mm_content_cache_has_complete (cache, key));
  }
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
  g_assert_true (g_file_test (moved, G_FILE_TEST_EXISTS));

  /* A folder's directory that leads elsewhere. */
  g_free (make_whole (directory, content));
  g_assert_no_errno (g_unlink (moved));
  g_assert_no_errno (g_rename (folder, moved));
  g_assert_no_errno (symlink (moved, folder));
  g_autoptr (MmContentCache) cache = open_cache (directory);
  if (store (cache, (MmContentKey) { 3, 0x199 }, "x", 1, NULL))
    g_test_skip ("this kernel cannot refuse links in the directories above a file");
  else
    g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
}

static void
test_a_fifo_does_not_hold_us_up (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  guint8 content[SIZE];
  g_autofree gchar *path = make_whole (directory, content);
  guint n_damaged;

  g_assert_no_errno (g_unlink (path));
  g_assert_no_errno (mkfifo (path, 0600));
  g_assert_cmpuint (count_sound_octets (directory, content, &n_damaged), ==, 0);
  g_assert_cmpuint (n_damaged, ==, 1);
}

/* ---- the process ends ---- */

#define KILL_SIZE 200000

static void
write_until_killed (const gchar *directory, int report_fd)
{
  g_autofree guint8 *content = g_malloc (KILL_SIZE);
  MmContentCache *cache = open_cache (directory);

  fill_content (content, KILL_SIZE, 3);
  for (guint64 round = 0;; round++)
    {
      store (cache, (MmContentKey) { 9, round % 16 }, content, KILL_SIZE, NULL);
      MmContentFile *file
        = mm_content_cache_create (cache, (MmContentKey) { 8, round % 16 }, KILL_SIZE, NULL);
      for (guint64 at = 0; at < KILL_SIZE; at += 20000)
        {
          mm_content_file_write (file, at, content + at, 20000, NULL);
          mm_content_file_flush (file, NULL);
          g_assert_cmpint (write (report_fd, "+", 1), ==, 1);
        }
      mm_content_file_unref (file);
    }
}

static void
assert_nothing_wrong (const gchar *directory, const guint8 *content)
{
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autofree guint8 *found = g_malloc (KILL_SIZE);

  for (guint32 folder = 8; folder <= 9; folder++)
    for (guint64 number = 0; number < 16; number++)
      {
        g_autoptr (MmContentFile) file
          = mm_content_cache_lookup (cache, (MmContentKey) { folder, number });

        if (file == NULL || !mm_content_file_verify (file))
          continue;
        guint64 end = mm_content_file_get_first_gap (file, 0);
        g_assert_cmpint (mm_content_file_pread (file, found, end, 0, NULL), ==, end);
        g_assert_cmpmem (found, end, content, end);
      }
  g_assert_cmpuint (mm_content_cache_get_n_damaged (cache), ==, 0);
}

static void
test_a_killed_process_leaves_nothing_wrong (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree guint8 *content = g_malloc (KILL_SIZE);

  fill_content (content, KILL_SIZE, 3);
  for (guint round = 0; round < 40; round++)
    {
      int report_fd;
      pid_t pid = test_child_start (write_until_killed, directory, &report_fd);

      test_child_kill_after (pid, report_fd, (guint) g_test_rand_int_range (1, 60));
      assert_nothing_wrong (directory, content);
    }
}

/* ---- the disk is full ---- */

static void
fill_disk (const gchar *directory, int report_fd)
{
  const gsize size = 20000;
  g_autofree guint8 *content = g_malloc (size);
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autoptr (GError) error = NULL;
  guint64 n = 0;

  fill_content (content, size, 4);
  g_autoptr (MmContentFile) partial = mm_content_cache_create (cache, key, 4 << 20, NULL);
  g_assert_nonnull (partial);
  g_assert_true (mm_content_file_write (partial, 0, content, size, NULL));
  while (store (cache, (MmContentKey) { 1, n }, content, size, &error))
    n++;
  g_assert_error (error, MM_ERROR, MM_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_cmpuint (n, >, 20);

  /* What failed is not there, what was there is; reads go on. */
  g_assert_false (mm_content_cache_has_complete (cache, (MmContentKey) { 1, n }));
  g_assert_null (mm_content_cache_lookup (cache, (MmContentKey) { 1, n }));
  for (guint64 i = 0; i < n; i++)
    {
      g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, (MmContentKey) { 1, i });
      g_assert_nonnull (file);
      g_assert_true (mm_content_file_verify (file));
    }

  guint64 at = size;
  while (mm_content_file_write (partial, at, content, size, &error))
    at += size;
  g_assert_error (error, MM_ERROR, MM_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_cmpuint (mm_content_file_get_first_gap (partial, 0), ==, at);
  g_assert_cmpint (mm_content_file_pread (partial, content, size, at - size, NULL), ==, size);

  /* With room it goes on where it failed. */
  mm_content_cache_remove_folder (cache, 1);
  fill_content (content, size, 4);
  g_assert_true (mm_content_file_write (partial, at, content, size, NULL));
  g_assert_true (mm_content_file_flush (partial, NULL));
  g_assert_true (store (cache, (MmContentKey) { 1, n }, content, size, NULL));
}

static void
test_a_full_disk_is_an_error_and_loses_nothing (void)
{
  test_run_on_small_disk (fill_disk, "size=1m,mode=0700");
}

/* ---- threads ---- */

#define N_KEYS 4

typedef struct
{
  MmContentCache *cache;
  gint is_over; /* atomic */
  gint n_reads; /* atomic */
} Race;

/* All octets of a version are the same, and its size tells which. */
static gpointer
read_versions (gpointer data)
{
  Race *race = data;
  g_autofree guint8 *found = g_malloc (1 << 16);
  guint64 number = 0;

  while (!g_atomic_int_get (&race->is_over))
    {
      g_autoptr (MmContentFile) file
        = mm_content_cache_lookup (race->cache, (MmContentKey) { 1, number++ % N_KEYS });

      if (file == NULL || !mm_content_file_verify (file))
        continue;
      guint64 end = mm_content_file_get_first_gap (file, 0);
      g_assert_cmpint (mm_content_file_pread (file, found, end, 0, NULL), ==, end);
      for (guint64 i = 0; i < end; i++)
        g_assert_cmpuint (found[i], ==, mm_content_file_get_size (file) % 251);
      g_atomic_int_inc (&race->n_reads);
    }
  return NULL;
}

static void
write_version (MmContentCache *cache, MmContentKey where, const guint8 *content, gsize size,
               gboolean in_ranges)
{
  if (!in_ranges)
    {
      g_assert_true (store (cache, where, content, size, NULL));
      return;
    }
  g_autoptr (MmContentFile) file = mm_content_cache_create (cache, where, size, NULL);
  g_assert_nonnull (file);
  for (gsize at = 0; at < size; at += 5000)
    {
      g_assert_true (mm_content_file_write (file, at, content + at, MIN (5000, size - at), NULL));
      if (at % 2 == 0)
        g_assert_true (mm_content_file_flush (file, NULL));
    }
}

static gpointer
write_versions (gpointer data)
{
  Race *race = data;
  g_autofree guint8 *content = g_malloc (1 << 16);

  /* On a busy machine the readers may come late. */
  for (guint round = 0; round < 300 || g_atomic_int_get (&race->n_reads) == 0; round++)
    {
      gsize size = 1000 + round * 97 % 60000;
      MmContentKey where = { 1, round % N_KEYS };

      memset (content, (int) (size % 251), size);
      write_version (race->cache, where, content, size, round % 3 == 0);
      if (round % 7 == 0)
        mm_content_cache_remove (race->cache, where);
      if (round % 50 == 0)
        mm_content_cache_remove_folder (race->cache, 1);
    }
  return NULL;
}

static void
test_readers_and_writers_at_once_see_whole_versions (gconstpointer in_memory)
{
  gchar *directory = GPOINTER_TO_INT (in_memory) ? NULL : test_directory_new ();
  Race race = { .cache = mm_content_cache_open (directory, NULL) };
  GThread *readers[2], *writers[2];

  for (guint i = 0; i < 2; i++)
    readers[i] = g_thread_new ("reader", read_versions, &race);
  for (guint i = 0; i < 2; i++)
    writers[i] = g_thread_new ("writer", write_versions, &race);
  for (guint i = 0; i < 2; i++)
    g_thread_join (writers[i]);
  g_atomic_int_set (&race.is_over, TRUE);
  for (guint i = 0; i < 2; i++)
    g_thread_join (readers[i]);
  g_assert_cmpint (race.n_reads, >, 0);
  g_assert_cmpuint (mm_content_cache_get_n_damaged (race.cache), ==, 0);
  mm_content_cache_close (race.cache);
  g_clear_pointer (&directory, test_directory_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Thousands of warnings are what is tested here, not what is to be read. */
  mm_log_set_level (MM_LOG_ERROR);

  g_test_add_func ("/store/content-damage/every-flipped-octet-of-a-whole-file-is-noticed",
                   test_every_flipped_octet_of_a_whole_file_is_noticed);
  g_test_add_func ("/store/content-damage/a-flipped-octet-of-a-partial-file-costs-what-it-touches",
                   test_a_flipped_octet_of_a_partial_file_costs_what_it_touches);
  g_test_add_func ("/store/content-damage/a-whole-file-cut-anywhere-is-not-there",
                   test_a_whole_file_cut_anywhere_is_not_there);
  g_test_add_func ("/store/content-damage/a-partial-file-cut-anywhere-gives-nothing-wrong",
                   test_a_partial_file_cut_anywhere_gives_nothing_wrong);
  g_test_add_func ("/store/content-damage/zeros-instead-of-content-are-noticed",
                   test_zeros_instead_of_content_are_noticed);
  g_test_add_func ("/store/content-damage/end-between-header-and-mode-leaves-a-whole-file",
                   test_end_between_header_and_mode_leaves_a_whole_file);
  g_test_add_func ("/store/content-damage/end-between-list-and-header-keeps-the-old-list",
                   test_end_between_list_and_header_keeps_the_old_list);
  g_test_add_func ("/store/content-damage/end-between-a-shorter-list-and-header-keeps-the-old-list",
                   test_end_between_a_shorter_list_and_header_keeps_the_old_list);
  g_test_add_func ("/store/content-damage/a-damaged-extent-is-not-completed",
                   test_a_damaged_extent_is_not_completed);
  g_test_add_func ("/store/content-damage/a-young-short-file-is-left-alone",
                   test_a_young_short_file_is_left_alone);
  g_test_add_func ("/store/content-damage/a-file-of-another-key-is-dropped",
                   test_a_file_of_another_key_is_dropped);
  g_test_add_func ("/store/content-damage/what-is-not-private-is-dropped",
                   test_what_is_not_private_is_dropped);
  g_test_add_func ("/store/content-damage/symbolic-links-are-not-followed",
                   test_symbolic_links_are_not_followed);
  g_test_add_func ("/store/content-damage/a-fifo-does-not-hold-us-up",
                   test_a_fifo_does_not_hold_us_up);
  g_test_add_func ("/store/content-damage/a-killed-process-leaves-nothing-wrong",
                   test_a_killed_process_leaves_nothing_wrong);
  g_test_add_func ("/store/content-damage/a-full-disk-is-an-error-and-loses-nothing",
                   test_a_full_disk_is_an_error_and_loses_nothing);
  g_test_add_data_func ("/store/content-damage/readers-and-writers-at-once-on-disk",
                        GINT_TO_POINTER (FALSE),
                        test_readers_and_writers_at_once_see_whole_versions);
  g_test_add_data_func ("/store/content-damage/readers-and-writers-at-once-in-memory",
                        GINT_TO_POINTER (TRUE),
                        test_readers_and_writers_at_once_see_whole_versions);
  return g_test_run ();
}
