// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/store/content-lru.h"

#define BLOCK 4096

static MmContentKey
key (guint64 number)
{
  return (MmContentKey) { 5, number, 77 };
}

static void
assert_oldest (MmContentLru *lru, guint64 number)
{
  MmContentKey found;

  g_assert_true (mm_content_lru_pop_oldest (lru, &found));
  g_assert_cmpuint (found.folder_id, ==, 5);
  g_assert_cmpuint (found.number, ==, number);
}

static void
assert_empty (MmContentLru *lru)
{
  MmContentKey found;

  g_assert_false (mm_content_lru_pop_oldest (lru, &found));
}

static void
test_the_longest_unused_leaves_first (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();

  assert_empty (lru);
  for (guint64 i = 1; i <= 5; i++)
    mm_content_lru_put (lru, key (i), i * 1000, (guint32) i);
  mm_content_lru_touch (lru, key (2), 6);
  mm_content_lru_put (lru, key (1), BLOCK, 7);
  mm_content_lru_touch (lru, key (99), 8);
  assert_oldest (lru, 3);
  assert_oldest (lru, 4);
  assert_oldest (lru, 5);
  assert_oldest (lru, 2);
  assert_oldest (lru, 1);
  assert_empty (lru);
}

static void
test_octets_are_counted_in_blocks (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();

  mm_content_lru_put (lru, key (1), 1, 1);
  mm_content_lru_put (lru, key (2), BLOCK, 1);
  mm_content_lru_put (lru, key (3), BLOCK + 1, 1);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 4 * BLOCK);
  g_assert_cmpuint (mm_content_lru_get_length (lru), ==, 3);
  mm_content_lru_put (lru, key (3), 10 * BLOCK, 1);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 12 * BLOCK);
  mm_content_lru_remove (lru, key (2));
  mm_content_lru_remove (lru, key (2));
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 11 * BLOCK);
  g_assert_cmpuint (mm_content_lru_get_length (lru), ==, 2);
}

static void
test_what_is_held_stays (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();

  mm_content_lru_put (lru, key (1), BLOCK, 1);
  mm_content_lru_hold (lru, key (1));
  mm_content_lru_hold (lru, key (1));
  mm_content_lru_hold (lru, key (2)); /* before it is there */
  mm_content_lru_put (lru, key (2), BLOCK, 2);
  mm_content_lru_put (lru, key (3), BLOCK, 3);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 3 * BLOCK);
  assert_oldest (lru, 3);
  assert_empty (lru);
  mm_content_lru_release (lru, key (1), 4);
  assert_empty (lru);
  mm_content_lru_release (lru, key (2), 5);
  mm_content_lru_release (lru, key (1), 6);
  assert_oldest (lru, 2);
  assert_oldest (lru, 1);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 0);
}

/* An open message that was expunged, and one that is stored anew under the same number. */
static void
test_what_is_removed_while_held (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();

  mm_content_lru_put (lru, key (1), BLOCK, 1);
  mm_content_lru_put (lru, key (2), BLOCK, 1);
  mm_content_lru_hold (lru, key (1));
  mm_content_lru_hold (lru, key (2));
  mm_content_lru_remove_folder (lru, 5);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 0);
  mm_content_lru_put (lru, key (2), 3 * BLOCK, 2);
  mm_content_lru_release (lru, key (1), 3);
  mm_content_lru_release (lru, key (2), 3);
  g_assert_cmpuint (mm_content_lru_get_length (lru), ==, 1);
  assert_oldest (lru, 2);
  assert_empty (lru);
}

static void
test_a_folder_is_removed (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();

  for (guint64 i = 1; i <= 1000; i++)
    mm_content_lru_put (lru, (MmContentKey) { 5 + i % 2, i, 0 }, BLOCK, 1);
  mm_content_lru_remove_folder (lru, 6);
  g_assert_cmpuint (mm_content_lru_get_length (lru), ==, 500);
  for (guint64 i = 2; i <= 1000; i += 2)
    assert_oldest (lru, i);
  assert_empty (lru);
}

static void
add_found (GArray *found, guint64 number, guint32 used_s)
{
  MmContentFound file = { { 5, number, 0 }, BLOCK, used_s };

  g_array_append_val (found, file);
}

static void
test_what_is_found_takes_its_place_by_time (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (MmContentFound));
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmContentKey));

  mm_content_lru_put (lru, key (10), BLOCK, 100);
  mm_content_lru_put (lru, key (11), BLOCK, 200);
  mm_content_lru_begin_scan (lru);
  add_found (found, 1, 50);
  add_found (found, 10, 100);
  add_found (found, 2, 150);
  add_found (found, 3, 150);
  add_found (found, 11, 200);
  add_found (found, 4, 250);
  mm_content_lru_end_scan (lru, found, gone);
  g_assert_cmpuint (gone->len, ==, 0);
  g_assert_cmpuint (mm_content_lru_get_length (lru), ==, 6);
  const guint64 order[] = { 1, 10, 2, 3, 11, 4 };
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    assert_oldest (lru, order[i]);
}

static void
test_what_others_took_is_forgotten (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (MmContentFound));
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmContentKey));

  mm_content_lru_put (lru, key (1), BLOCK, 1);
  mm_content_lru_put (lru, key (2), BLOCK, 2);
  mm_content_lru_put (lru, key (3), BLOCK, 3);
  mm_content_lru_hold (lru, key (4));
  mm_content_lru_begin_scan (lru);
  mm_content_lru_put (lru, key (2), BLOCK, 4); /* after the scan had passed its place */
  mm_content_lru_put (lru, key (5), BLOCK, 5);
  add_found (found, 3, 3);
  add_found (found, 4, 4);
  mm_content_lru_end_scan (lru, found, gone);
  g_assert_cmpuint (gone->len, ==, 1);
  g_assert_cmpuint (g_array_index (gone, MmContentKey, 0).number, ==, 1);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 4 * BLOCK);
  assert_oldest (lru, 3);
  assert_oldest (lru, 2);
  assert_oldest (lru, 5);
  assert_empty (lru); /* 4 is held */
}

/* The scan saw it before it left. */
static void
test_what_left_during_a_scan_is_not_found (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (MmContentFound));
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmContentKey));

  mm_content_lru_put (lru, key (1), BLOCK, 1);
  mm_content_lru_put (lru, key (2), BLOCK, 2);
  mm_content_lru_begin_scan (lru);
  for (guint64 i = 1; i <= 4; i++)
    add_found (found, i, (guint32) i);
  assert_oldest (lru, 1);
  mm_content_lru_remove (lru, key (2));
  mm_content_lru_put (lru, key (2), BLOCK, 5);
  mm_content_lru_remove (lru, key (3)); /* which was not known yet */
  mm_content_lru_end_scan (lru, found, gone);
  g_assert_cmpuint (gone->len, ==, 0);
  g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, 2 * BLOCK);
  g_assert_cmpuint (mm_content_lru_get_folder_length (lru, 5), ==, 2);
  g_assert_cmpuint (mm_content_lru_get_folder_length (lru, 6), ==, 0);
  assert_oldest (lru, 4);
  assert_oldest (lru, 2);
  assert_empty (lru);
}

/* A slow and obvious model beside it. */
static void
test_agrees_with_a_model (void)
{
  g_autoptr (MmContentLru) lru = mm_content_lru_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  GQueue order = G_QUEUE_INIT; /* numbers, the oldest first */
  guint64 octets[3001] = { 0 };
  guint64 sum = 0;

  for (guint32 step = 0; step < 100000; step++)
    {
      guint number = (guint) g_rand_int_range (rand, 1, 3001);
      gpointer word = GUINT_TO_POINTER (number);

      switch (g_rand_int_range (rand, 0, 4))
        {
        case 0:
        case 1:
          sum -= octets[number];
          octets[number] = (guint64) g_rand_int_range (rand, 1, 10) * BLOCK;
          sum += octets[number];
          g_queue_remove (&order, word);
          g_queue_push_tail (&order, word);
          mm_content_lru_put (lru, key (number), octets[number], step);
          break;
        case 2:
          if (g_queue_remove (&order, word))
            g_queue_push_tail (&order, word);
          mm_content_lru_touch (lru, key (number), step);
          break;
        default:
          if (g_queue_is_empty (&order))
            break;
          number = GPOINTER_TO_UINT (g_queue_pop_head (&order));
          sum -= octets[number];
          octets[number] = 0;
          assert_oldest (lru, number);
        }
      g_assert_cmpuint (mm_content_lru_get_octets (lru), ==, sum);
      g_assert_cmpuint (mm_content_lru_get_length (lru), ==, order.length);
    }
  g_queue_clear (&order);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add_func ("/store/content-lru/" path, test)
  ADD ("the-longest-unused-leaves-first", test_the_longest_unused_leaves_first);
  ADD ("octets-are-counted-in-blocks", test_octets_are_counted_in_blocks);
  ADD ("what-is-held-stays", test_what_is_held_stays);
  ADD ("what-is-removed-while-held", test_what_is_removed_while_held);
  ADD ("a-folder-is-removed", test_a_folder_is_removed);
  ADD ("what-is-found-takes-its-place-by-time", test_what_is_found_takes_its_place_by_time);
  ADD ("what-others-took-is-forgotten", test_what_others_took_is_forgotten);
  ADD ("what-left-during-a-scan-is-not-found", test_what_left_during_a_scan_is_not_found);
  ADD ("agrees-with-a-model", test_agrees_with_a_model);
  return g_test_run ();
}
