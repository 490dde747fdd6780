// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/content-cache.h>

#include "../../src/store/content-cache-private.h"
#include "test-directory.h"

static const MmContentKey key_a = { 1, 1 };
static const MmContentKey key_b = { 0xabcdef, (G_GUINT64_CONSTANT (1) << 36) - 3 };

/* Each test runs on disk and in memory: the directory to open, or NULL. */
typedef struct
{
  gchar *directory;
  MmContentCache *cache;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (GError) error = NULL;

  fixture->directory = GPOINTER_TO_INT (in_memory) ? NULL : test_directory_new ();
  fixture->cache = mm_content_cache_open (fixture->directory, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer in_memory)
{
  mm_content_cache_close (fixture->cache);
  g_clear_pointer (&fixture->directory, test_directory_free);
}

/* Octets that differ from one position and one seed to the next. */
static guint8 *
make_content (gsize size, guint seed)
{
  guint8 *content = g_malloc (MAX (size, 1));

  for (gsize i = 0; i < size; i++)
    content[i] = (guint8) (i * 31 + i / 251 + seed * 101);
  return content;
}

static void
store (MmContentCache *cache, MmContentKey key, const void *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;

  mm_content_cache_store (cache, key, &bytes, 1, NULL, &error);
  g_assert_no_error (error);
}

static MmContentFile *
create (MmContentCache *cache, MmContentKey key, guint64 size)
{
  g_autoptr (GError) error = NULL;
  MmContentFile *file = mm_content_cache_create (cache, key, size, &error);

  g_assert_no_error (error);
  g_assert_nonnull (file);
  return file;
}

static void
write_range (MmContentFile *file, const guint8 *content, guint64 start, guint64 end)
{
  g_autoptr (GError) error = NULL;

  mm_content_file_write (file, start, content + start, end - start, &error);
  g_assert_no_error (error);
}

static void
flush (MmContentFile *file)
{
  g_autoptr (GError) error = NULL;

  mm_content_file_flush (file, &error);
  g_assert_no_error (error);
}

static void
assert_content (MmContentFile *file, const guint8 *content, guint64 start, guint64 end)
{
  g_autofree guint8 *found = g_malloc (end - start + 1);
  g_autoptr (GError) error = NULL;
  gssize n = mm_content_file_pread (file, found, end - start, start, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (found, n, content + start, end - start);
}

static void
assert_stored (MmContentCache *cache, MmContentKey key, const guint8 *content, gsize size)
{
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);

  g_assert_nonnull (file);
  g_assert_true (mm_content_file_is_complete (file));
  g_assert_cmpuint (mm_content_file_get_size (file), ==, size);
  g_assert_true (mm_content_file_verify (file));
  assert_content (file, content, 0, size);
}

static void
reopen (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  mm_content_cache_close (fixture->cache);
  fixture->cache = mm_content_cache_open (fixture->directory, &error);
  g_assert_no_error (error);
}

/* ---- */

/* A number that was given anew after the index was lost must not bring another message's octets. */
static void
test_content_of_another_origin_is_not_there (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (8000, 1);

  store (fixture->cache, (MmContentKey){ 7, 1, 1001 }, content, 8000);
  reopen (fixture);
  g_assert_null (mm_content_cache_lookup (fixture->cache, (MmContentKey){ 7, 1, 1002 }));
  store (fixture->cache, (MmContentKey){ 7, 1, 1002 }, content, 8000);
  reopen (fixture);
  assert_stored (fixture->cache, (MmContentKey){ 7, 1, 1002 }, content, 8000);
}

/* Also while somebody reads what was there before. */
static void
test_content_of_another_origin_is_not_there_while_open (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (8000, 1);
  g_autofree guint8 *other = make_content (8000, 2);
  MmContentKey key = { 7, 1, 1001 }, other_key = { 7, 1, 1002 };

  store (fixture->cache, key, content, 8000);
  g_autoptr (MmContentFile) open = mm_content_cache_lookup (fixture->cache, key);
  g_assert_true (mm_content_file_verify (open));
  g_assert_null (mm_content_cache_lookup (fixture->cache, other_key));
  store (fixture->cache, other_key, other, 8000);
  assert_stored (fixture->cache, other_key, other, 8000);
  g_autofree guint8 *found = g_malloc (8000);
  g_assert_cmpint (mm_content_file_pread (open, found, 8000, 0, NULL), ==, 8000);
  g_assert_cmpmem (found, 8000, content, 8000);
}

static void
test_peek (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (8000, 1);
  guint8 found[9000];

  store (fixture->cache, key_a, content, 8000);
  if (!GPOINTER_TO_INT (in_memory))
    reopen (fixture);
  g_autoptr (MmContentFile) whole = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_cmpuint (mm_content_file_peek (whole, found, 100), ==, 100);
  g_assert_cmpmem (found, 100, content, 100);
  g_assert_cmpuint (mm_content_file_peek (whole, found, sizeof found), ==, 8000);
  g_assert_cmpmem (found, 8000, content, 8000);

  g_autoptr (MmContentFile) partial = mm_content_cache_create (fixture->cache, key_b, 8000, NULL);
  g_assert_cmpuint (mm_content_file_peek (partial, found, 100), ==, 0);
  g_assert_true (mm_content_file_write (partial, 0, content, 50, NULL));
  g_assert_true (mm_content_file_write (partial, 60, content + 60, 50, NULL));
  g_assert_cmpuint (mm_content_file_peek (partial, found, 100), ==, 50);
  g_assert_cmpmem (found, 50, content, 50);
}

static void
test_whole_message_is_found_again (Fixture *fixture, gconstpointer in_memory)
{
  const gsize sizes[] = { 0, 1, 8000, 300000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree guint8 *content = make_content (sizes[i], i);
      MmContentKey key = { 7, i + 1 };

      g_assert_false (mm_content_cache_has_complete (fixture->cache, key));
      g_assert_null (mm_content_cache_lookup (fixture->cache, key));
      store (fixture->cache, key, content, sizes[i]);
      g_assert_true (mm_content_cache_has_complete (fixture->cache, key));
      assert_stored (fixture->cache, key, content, sizes[i]);
      if (!GPOINTER_TO_INT (in_memory))
        reopen (fixture);
      g_assert_true (mm_content_cache_has_complete (fixture->cache, key));
      assert_stored (fixture->cache, key, content, sizes[i]);
    }
}

static void
test_segments_are_joined (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (5000, 1);
  g_autoptr (GPtrArray) segments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *expected = NULL;
  GString *found = g_string_new (NULL);
  guint8 digest[MM_DIGEST_OCTETS];

  /* More than one pwritev() takes, empty ones among them. */
  for (gsize at = 0; at < 5000; at += 2)
    {
      g_ptr_array_add (segments, g_bytes_new (content + at, 2));
      g_ptr_array_add (segments, g_bytes_new (NULL, 0));
    }
  mm_content_cache_store (fixture->cache, key_b, (GBytes *const *) segments->pdata, segments->len,
                          digest, &error);
  g_assert_no_error (error);
  assert_stored (fixture->cache, key_b, content, 5000);

  expected = g_compute_checksum_for_data (G_CHECKSUM_SHA256, content, 5000);
  for (guint i = 0; i < sizeof digest; i++)
    g_string_append_printf (found, "%02x", digest[i]);
  g_assert_cmpstr (found->str, ==, expected);
  g_string_free (found, TRUE);
}

static void
test_reads_are_cut_at_the_end_only (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 2);
  guint8 buffer[64];

  store (fixture->cache, key_a, content, 1000);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_verify (file));
  g_assert_cmpint (mm_content_file_pread (file, buffer, 64, 936, NULL), ==, 64);
  g_assert_cmpint (mm_content_file_pread (file, buffer, 64, 990, NULL), ==, 10);
  g_assert_cmpmem (buffer, 10, content + 990, 10);
  g_assert_cmpint (mm_content_file_pread (file, buffer, 64, 1000, NULL), ==, 0);
  g_assert_cmpint (mm_content_file_pread (file, buffer, 64, G_MAXUINT64, NULL), ==, 0);
}

static void
test_ranges_in_any_order_become_whole (Fixture *fixture, gconstpointer in_memory)
{
  const gsize size = 10007;

  for (guint round = 0; round < 20; round++)
    {
      g_autofree guint8 *content = make_content (size, round);
      guint8 digest[MM_DIGEST_OCTETS], expected[MM_DIGEST_OCTETS];
      g_autoptr (MmContentFile) file = create (fixture->cache, key_a, size);

      while (!mm_content_file_is_complete (file))
        {
          guint64 start = (guint64) g_test_rand_int_range (0, (gint32) size);
          guint64 length = (guint64) g_test_rand_int_range (1, 3000);
          guint64 end = MIN (start + length, size);

          g_assert_false (mm_content_file_get_digest (file, digest));
          write_range (file, content, start, end);
          g_assert_true (mm_content_file_has_range (file, start, end - start));
          g_assert_cmpuint (mm_content_file_get_first_gap (file, start), >=, end);
          assert_content (file, content, start, end);
          if (g_test_rand_bit ())
            flush (file);
        }
      g_assert_true (mm_content_file_get_digest (file, digest));
      g_clear_pointer (&file, mm_content_file_unref);
      assert_stored (fixture->cache, key_a, content, size);

      g_autoptr (GBytes) bytes = g_bytes_new (content, size);
      mm_content_cache_store (fixture->cache, key_b, &bytes, 1, expected, NULL);
      g_assert_cmpmem (digest, sizeof digest, expected, sizeof expected);
      if (!GPOINTER_TO_INT (in_memory))
        reopen (fixture);
      assert_stored (fixture->cache, key_a, content, size);
    }
}

static void
test_range_that_is_not_there_is_an_error (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 3);
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 1000);
  g_autoptr (GError) error = NULL;
  guint8 buffer[100];

  write_range (file, content, 100, 200);
  g_assert_false (mm_content_cache_has_complete (fixture->cache, key_a));
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 0), ==, 0);
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 150), ==, 200);
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 5000), ==, 1000);
  g_assert_false (mm_content_file_has_range (file, 0, 1001));
  g_assert_false (mm_content_file_has_range (file, G_MAXUINT64, 2));
  assert_content (file, content, 100, 200);
  g_assert_cmpint (mm_content_file_pread (file, buffer, 100, 150, &error), ==, -1);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_octets_beyond_the_end_are_refused (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 10);
  g_autoptr (GError) error = NULL;

  g_assert_false (mm_content_file_write (file, 5, "123456", 6, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  g_clear_error (&error);
  g_assert_false (mm_content_file_write (file, G_MAXUINT64, "12", 2, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 0), ==, 0);
}

static void
test_absurd_size_is_refused (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mm_content_cache_create (fixture->cache, key_a, G_MAXUINT64 - 3, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_TOO_BIG);
}

static void
test_empty_message_is_complete_at_once (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 0);

  g_assert_true (mm_content_file_is_complete (file));
  g_assert_true (mm_content_cache_has_complete (fixture->cache, key_a));
  g_clear_pointer (&file, mm_content_file_unref);
  assert_stored (fixture->cache, key_a, (const guint8 *) "", 0);
}

static void
test_octets_present_never_change (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 4);
  g_autofree guint8 *other = make_content (1000, 5);
  g_autofree guint8 *expected = g_memdup2 (other, 1000);
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 1000);

  write_range (file, content, 200, 400);
  write_range (file, other, 0, 1000);
  memcpy (expected + 200, content + 200, 200);
  g_clear_pointer (&file, mm_content_file_unref);
  if (!GPOINTER_TO_INT (in_memory))
    reopen (fixture);
  /* The digest is that of what is there. */
  assert_stored (fixture->cache, key_a, expected, 1000);
}

static void
test_all_users_share_one_partial_file (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 6);
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 1000);
  g_autoptr (MmContentFile) same = mm_content_cache_lookup (fixture->cache, key_a);

  g_assert_true (file == same);
  write_range (file, content, 0, 500);
  assert_content (same, content, 0, 500);
}

static void
test_replaced_file_goes_on_for_its_users (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *old = make_content (1000, 7);
  g_autofree guint8 *new = make_content (1200, 8);

  store (fixture->cache, key_a, old, 1000);
  g_autoptr (MmContentFile) whole = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_verify (whole));
  g_autoptr (MmContentFile) partial = create (fixture->cache, key_a, 1000);
  g_assert_false (mm_content_cache_has_complete (fixture->cache, key_a));
  write_range (partial, old, 0, 600);
  store (fixture->cache, key_a, new, 1200);

  assert_content (whole, old, 0, 1000);
  write_range (partial, old, 600, 999);
  flush (partial);
  write_range (partial, old, 999, 1000);
  assert_content (partial, old, 0, 1000);
  assert_stored (fixture->cache, key_a, new, 1200);
}

static void
test_replaced_file_given_back_leaves_the_new_one (Fixture *fixture, gconstpointer in_memory)
{
  MmContentFile *old = create (fixture->cache, key_a, 100);
  g_autoptr (MmContentFile) new = create (fixture->cache, key_a, 200);

  mm_content_file_unref (old);
  g_autoptr (MmContentFile) found = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (found == new);
}

static void
test_removed_message_is_gone (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 9);

  store (fixture->cache, key_a, content, 1000);
  store (fixture->cache, key_b, content, 1000);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_verify (file));
  mm_content_cache_remove (fixture->cache, key_a);
  mm_content_cache_remove (fixture->cache, key_a);
  g_assert_false (mm_content_cache_has_complete (fixture->cache, key_a));
  g_assert_null (mm_content_cache_lookup (fixture->cache, key_a));
  assert_content (file, content, 0, 1000);
  assert_stored (fixture->cache, key_b, content, 1000);
}

static void
test_removed_folder_is_gone (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (100, 10);

  for (guint64 number = 1; number < 2000; number += 97)
    {
      store (fixture->cache, (MmContentKey) { 5, number }, content, 100);
      store (fixture->cache, (MmContentKey) { 6, number }, content, 100);
    }
  MmContentFile *partial = create (fixture->cache, (MmContentKey) { 5, 99999 }, 100);
  mm_content_cache_remove_folder (fixture->cache, 5);
  mm_content_cache_remove_folder (fixture->cache, 12345);
  for (guint64 number = 1; number < 2000; number += 97)
    {
      g_assert_null (mm_content_cache_lookup (fixture->cache, (MmContentKey) { 5, number }));
      assert_stored (fixture->cache, (MmContentKey) { 6, number }, content, 100);
    }
  g_assert_null (mm_content_cache_lookup (fixture->cache, (MmContentKey) { 5, 99999 }));
  mm_content_file_unref (partial);
  /* The directories are made again. */
  store (fixture->cache, (MmContentKey) { 5, 1 }, content, 100);
  assert_stored (fixture->cache, (MmContentKey) { 5, 1 }, content, 100);
}

static void
test_file_outlives_the_cache (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 11);

  store (fixture->cache, key_a, content, 1000);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_verify (file));
  g_clear_pointer (&fixture->cache, mm_content_cache_close);
  g_autoptr (MmContentFile) again = mm_content_file_ref (file);
  assert_content (again, content, 0, 1000);
}

/* ---- on disk only ---- */

static void
test_flushed_ranges_survive (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (100000, 12);
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, 100000);

  write_range (file, content, 1000, 5000);
  flush (file);
  write_range (file, content, 4000, 9000);
  write_range (file, content, 50000, 60000);
  flush (file);
  write_range (file, content, 70000, 80000); /* never flushed */
  g_clear_pointer (&file, mm_content_file_unref);
  reopen (fixture);

  file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_nonnull (file);
  g_assert_false (mm_content_file_is_complete (file));
  g_assert_false (mm_content_file_is_verified (file));
  g_assert_true (mm_content_file_verify (file));
  assert_content (file, content, 1000, 9000);
  assert_content (file, content, 50000, 60000);
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 1000), ==, 9000);
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 70000), ==, 70000);

  /* What an earlier process left is not written again, and the rest makes it whole. */
  write_range (file, content, 0, 100000);
  g_clear_pointer (&file, mm_content_file_unref);
  reopen (fixture);
  assert_stored (fixture->cache, key_a, content, 100000);
}

static void
test_many_small_ranges_survive (Fixture *fixture, gconstpointer in_memory)
{
  const guint64 size = 40000;
  g_autofree guint8 *content = make_content (size, 13);
  g_autoptr (MmContentFile) file = create (fixture->cache, key_a, size);

  /* More segments than a list has room for, in a few flushes; then they merge. */
  for (guint64 at = 0; at + 10 < size; at += 20)
    {
      write_range (file, content, at, at + 10);
      if (at % 2000 == 0)
        flush (file);
    }
  flush (file);
  for (guint64 at = 10; at + 10 < size - 1000; at += 20)
    write_range (file, content, at, at + 10);
  flush (file);
  g_clear_pointer (&file, mm_content_file_unref);
  reopen (fixture);

  file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_nonnull (file);
  g_assert_true (mm_content_file_verify (file));
  g_assert_cmpuint (mm_content_file_get_first_gap (file, 0), >=, size - 1010);
  assert_content (file, content, 0, size - 1010);
}

static void
test_unverified_content_is_not_given (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 14);
  g_autoptr (GError) error = NULL;
  guint8 buffer[10];

  store (fixture->cache, key_a, content, 1000);
  reopen (fixture);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_false (mm_content_file_is_verified (file));
  g_assert_cmpint (mm_content_file_pread (file, buffer, 10, 0, &error), ==, -1);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  g_assert_true (mm_content_file_verify (file));
  assert_content (file, content, 0, 1000);
}

static void
test_content_is_verified_once_in_a_process (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 15);

  store (fixture->cache, key_a, content, 1000);
  g_autoptr (MmContentFile) stored = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_is_verified (stored));
  g_clear_pointer (&stored, mm_content_file_unref);
  reopen (fixture);

  g_autoptr (MmContentFile) file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_verify (file));
  g_clear_pointer (&file, mm_content_file_unref);
  file = mm_content_cache_lookup (fixture->cache, key_a);
  g_assert_true (mm_content_file_is_verified (file));
}

/* A mailbox whose messages come and go must not leave a mark of each. */
static void
test_no_check_is_remembered_of_what_is_removed (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 15);
  GHashTable *verified = fixture->cache->registry.verified;

  for (guint i = 1; i <= 10; i++)
    store (fixture->cache, (MmContentKey){ i <= 5 ? 1 : 2, i, 7 }, content, 1000);
  g_assert_cmpuint (g_hash_table_size (verified), ==, 10);
  mm_content_cache_remove (fixture->cache, (MmContentKey){ 1, 3, 0 });
  mm_content_cache_remove (fixture->cache, (MmContentKey){ 2, 1, 0 });
  g_assert_cmpuint (g_hash_table_size (verified), ==, 9);
  mm_content_cache_remove_folder (fixture->cache, 1);
  g_assert_cmpuint (g_hash_table_size (verified), ==, 5);
}

static void
test_two_processes_share_whole_files (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 16);
  g_autoptr (MmContentCache) other = mm_content_cache_open (fixture->directory, NULL);

  store (fixture->cache, key_a, content, 1000);
  assert_stored (other, key_a, content, 1000);
  store (other, key_a, content, 1000);
  assert_stored (fixture->cache, key_a, content, 1000);
}

static void
test_partial_file_belongs_to_one_process (Fixture *fixture, gconstpointer in_memory)
{
  g_autofree guint8 *content = make_content (1000, 17);
  g_autoptr (MmContentCache) other = mm_content_cache_open (fixture->directory, NULL);
  g_autoptr (MmContentFile) mine = create (fixture->cache, key_a, 1000);

  write_range (mine, content, 0, 500);
  flush (mine);
  g_assert_null (mm_content_cache_lookup (other, key_a));
  g_autoptr (MmContentFile) theirs = create (other, key_a, 1000);
  write_range (theirs, content, 0, 300);
  write_range (mine, content, 500, 1000);
  g_assert_true (mm_content_file_is_complete (mine));
  assert_content (mine, content, 0, 1000);
  assert_content (theirs, content, 0, 300);
  write_range (theirs, content, 300, 1000);
  g_clear_pointer (&theirs, mm_content_file_unref);
  assert_stored (other, key_a, content, 1000);

  /* Given back, it is there for the other one. */
  g_autoptr (MmContentFile) second = create (fixture->cache, key_b, 1000);
  write_range (second, content, 0, 500);
  flush (second);
  g_clear_pointer (&second, mm_content_file_unref);
  second = mm_content_cache_lookup (other, key_b);
  g_assert_nonnull (second);
  g_assert_true (mm_content_file_verify (second));
  assert_content (second, content, 0, 500);
}

/* ---- in memory only ---- */

static void
test_memory_is_bounded (Fixture *fixture, gconstpointer in_memory)
{
  const gsize size = 1 << 20;
  g_autofree guint8 *content = make_content (size, 18);
  guint n_kept = 0;

  store (fixture->cache, (MmContentKey) { 1, 1000 }, content, size);
  g_autoptr (MmContentFile) in_use
    = mm_content_cache_lookup (fixture->cache, (MmContentKey) { 1, 1000 });
  for (guint64 i = 1; i <= 100; i++)
    store (fixture->cache, (MmContentKey) { 1, i }, content, size);
  for (guint64 i = 1; i <= 100; i++)
    n_kept += mm_content_cache_has_complete (fixture->cache, (MmContentKey) { 1, i });
  /* The one in use takes a share too. */
  g_assert_cmpuint (n_kept, ==, 63);
  /* The newest stay, and what is used. */
  g_assert_true (mm_content_cache_has_complete (fixture->cache, (MmContentKey) { 1, 100 }));
  g_assert_true (mm_content_cache_has_complete (fixture->cache, (MmContentKey) { 1, 1000 }));
  assert_content (in_use, content, 0, size);
}

/* ---- the directory ---- */

static void
test_directory_is_made_private (void)
{
  g_autoptr (TestDirectory) parent = test_directory_new ();
  g_autofree gchar *directory = g_build_filename (parent, "a", "b", NULL);
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmContentCache) cache = mm_content_cache_open (directory, &error);
  GStatBuf status;

  g_assert_no_error (error);
  g_assert_nonnull (cache);
  g_assert_no_errno (g_stat (directory, &status));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
  g_assert_no_errno (g_stat (content, &status));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
}

static void
test_directory_open_to_others_is_refused (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (g_chmod (directory, 0755));
  g_assert_null (mm_content_cache_open (directory, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

/* It opens, with a content directory of its own, and what was there is not lost. */
static void
assert_set_aside (const gchar *directory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmContentCache) cache = mm_content_cache_open (directory, &error);
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);
  g_autofree gchar *aside = test_directory_find (directory, "content-v1.set-aside-");
  GStatBuf status;

  g_assert_no_error (error);
  g_assert_nonnull (cache);
  g_assert_nonnull (aside);
  g_assert_no_errno (g_lstat (content, &status));
  g_assert_true (S_ISDIR (status.st_mode));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
}

static void
test_content_open_to_others_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);

  g_assert_no_errno (g_mkdir (content, 0700));
  g_assert_no_errno (g_chmod (content, 0750));
  assert_set_aside (directory);
}

static void
test_content_that_is_a_file_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);

  g_assert_true (g_file_set_contents (content, "x", 1, NULL));
  assert_set_aside (directory);
}

static void
test_directory_of_another_user_is_refused (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autoptr (GError) error = NULL;

  if (geteuid () != 0)
    {
      /* The root directory is not ours. */
      g_assert_null (mm_content_cache_open ("/", &error));
      g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
      return;
    }
  g_assert_no_errno (chown (directory, 65534, 65534));
  g_assert_null (mm_content_cache_open (directory, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_linked_content_directory_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autoptr (TestDirectory) elsewhere = test_directory_new ();
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);

  g_assert_no_errno (symlink (elsewhere, content));
  assert_set_aside (directory);
}

static void
add (const gchar *name, gboolean on_disk, gboolean in_memory,
     void (*test) (Fixture *, gconstpointer))
{
  g_autofree gchar *disk_path = g_strconcat ("/store/content-cache/disk/", name, NULL);
  g_autofree gchar *memory_path = g_strconcat ("/store/content-cache/memory/", name, NULL);

  if (on_disk)
    g_test_add (disk_path, Fixture, GINT_TO_POINTER (FALSE), set_up, test, tear_down);
  if (in_memory)
    g_test_add (memory_path, Fixture, GINT_TO_POINTER (TRUE), set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("whole-message-is-found-again", TRUE, TRUE, test_whole_message_is_found_again);
  add ("content-of-another-origin-is-not-there", TRUE, FALSE,
       test_content_of_another_origin_is_not_there);
  add ("content-of-another-origin-is-not-there-while-open", TRUE, TRUE,
       test_content_of_another_origin_is_not_there_while_open);
  add ("the-beginning-can-be-looked-at-unverified", TRUE, TRUE, test_peek);
  add ("segments-are-joined", TRUE, TRUE, test_segments_are_joined);
  add ("reads-are-cut-at-the-end-only", TRUE, TRUE, test_reads_are_cut_at_the_end_only);
  add ("ranges-in-any-order-become-whole", TRUE, TRUE, test_ranges_in_any_order_become_whole);
  add ("range-that-is-not-there-is-an-error", TRUE, TRUE, test_range_that_is_not_there_is_an_error);
  add ("octets-beyond-the-end-are-refused", TRUE, TRUE, test_octets_beyond_the_end_are_refused);
  add ("absurd-size-is-refused", TRUE, TRUE, test_absurd_size_is_refused);
  add ("empty-message-is-complete-at-once", TRUE, TRUE, test_empty_message_is_complete_at_once);
  add ("octets-present-never-change", TRUE, TRUE, test_octets_present_never_change);
  add ("all-users-share-one-partial-file", TRUE, TRUE, test_all_users_share_one_partial_file);
  add ("replaced-file-goes-on-for-its-users", TRUE, TRUE, test_replaced_file_goes_on_for_its_users);
  add ("replaced-file-given-back-leaves-the-new-one", TRUE, TRUE,
       test_replaced_file_given_back_leaves_the_new_one);
  add ("removed-message-is-gone", TRUE, TRUE, test_removed_message_is_gone);
  add ("removed-folder-is-gone", TRUE, TRUE, test_removed_folder_is_gone);
  add ("file-outlives-the-cache", TRUE, TRUE, test_file_outlives_the_cache);
  add ("flushed-ranges-survive", TRUE, FALSE, test_flushed_ranges_survive);
  add ("many-small-ranges-survive", TRUE, FALSE, test_many_small_ranges_survive);
  add ("unverified-content-is-not-given", TRUE, FALSE, test_unverified_content_is_not_given);
  add ("content-is-verified-once-in-a-process", TRUE, FALSE,
       test_content_is_verified_once_in_a_process);
  add ("no-check-is-remembered-of-what-is-removed", TRUE, FALSE,
       test_no_check_is_remembered_of_what_is_removed);
  add ("two-processes-share-whole-files", TRUE, FALSE, test_two_processes_share_whole_files);
  add ("partial-file-belongs-to-one-process", TRUE, FALSE,
       test_partial_file_belongs_to_one_process);
  add ("memory-is-bounded", FALSE, TRUE, test_memory_is_bounded);
  g_test_add_func ("/store/content-cache/directory/made-private", test_directory_is_made_private);
  g_test_add_func ("/store/content-cache/directory/open-to-others-is-refused",
                   test_directory_open_to_others_is_refused);
  g_test_add_func ("/store/content-cache/directory/of-another-user-is-refused",
                   test_directory_of_another_user_is_refused);
  g_test_add_func ("/store/content-cache/directory/content-open-to-others-is-set-aside",
                   test_content_open_to_others_is_set_aside);
  g_test_add_func ("/store/content-cache/directory/content-that-is-a-file-is-set-aside",
                   test_content_that_is_a_file_is_set_aside);
  g_test_add_func ("/store/content-cache/directory/linked-content-is-set-aside",
                   test_linked_content_directory_is_set_aside);
  return g_test_run ();
}
