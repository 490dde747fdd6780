// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/store/extents.h"

#define MODEL_OCTETS 96

static void
assert_range (const MmExtents *extents, guint i, guint64 start, guint64 end)
{
  MmExtent range = mm_extents_get (extents, i);

  g_assert_cmpuint (range.start, ==, start);
  g_assert_cmpuint (range.end, ==, end);
}

static void
test_touching_ranges_merge (void)
{
  g_autoptr (MmExtents) extents = mm_extents_new ();

  mm_extents_add (extents, 10, 20);
  mm_extents_add (extents, 30, 40);
  mm_extents_add (extents, 20, 30);
  g_assert_cmpuint (mm_extents_get_length (extents), ==, 1);
  assert_range (extents, 0, 10, 40);
  g_assert_cmpuint (mm_extents_get_octets (extents), ==, 30);
}

static void
test_one_range_swallows_many (void)
{
  g_autoptr (MmExtents) extents = mm_extents_new ();

  for (guint64 start = 10; start < 100; start += 10)
    mm_extents_add (extents, start, start + 3);
  mm_extents_add (extents, 15, 72);
  g_assert_cmpuint (mm_extents_get_length (extents), ==, 4);
  assert_range (extents, 0, 10, 13);
  assert_range (extents, 1, 15, 73);
  assert_range (extents, 2, 80, 83);
  assert_range (extents, 3, 90, 93);
}

static void
test_empty_range_adds_nothing_and_is_always_there (void)
{
  g_autoptr (MmExtents) extents = mm_extents_new ();

  mm_extents_add (extents, 5, 5);
  g_assert_cmpuint (mm_extents_get_length (extents), ==, 0);
  g_assert_true (mm_extents_has (extents, 7, 7));
  g_assert_false (mm_extents_has (extents, 7, 8));
}

static void
test_ends_of_the_number_range (void)
{
  g_autoptr (MmExtents) extents = mm_extents_new ();

  mm_extents_add (extents, G_MAXUINT64 - 1, G_MAXUINT64);
  mm_extents_add (extents, 0, 1);
  g_assert_cmpuint (mm_extents_get_length (extents), ==, 2);
  g_assert_true (mm_extents_has (extents, G_MAXUINT64 - 1, G_MAXUINT64));
  mm_extents_add (extents, 0, G_MAXUINT64);
  g_assert_cmpuint (mm_extents_get_length (extents), ==, 1);
  g_assert_cmpuint (mm_extents_get_first_gap (extents, 0), ==, G_MAXUINT64);
}

/* ---- random operations against a model: one octet of memory for each position ---- */

static guint64
model_first_gap (const guint8 *model, guint64 from)
{
  while (from < MODEL_OCTETS && model[from])
    from++;
  return from;
}

static void
assert_equals_model (const MmExtents *extents, const guint8 *model)
{
  guint64 octets = 0, previous_end = 0;

  for (guint i = 0; i < mm_extents_get_length (extents); i++)
    {
      MmExtent range = mm_extents_get (extents, i);

      g_assert_cmpuint (range.start, <, range.end);
      if (i > 0)
        g_assert_cmpuint (range.start, >, previous_end);
      previous_end = range.end;
      octets += range.end - range.start;
    }
  g_assert_cmpuint (octets, ==, mm_extents_get_octets (extents));

  for (guint64 at = 0; at < MODEL_OCTETS; at++)
    {
      g_assert_cmpint (mm_extents_has (extents, at, at + 1), ==, model[at]);
      g_assert_cmpuint (mm_extents_get_first_gap (extents, at), ==, model_first_gap (model, at));
    }
}

static void
assert_gaps_are_the_rest (const MmExtents *extents, const guint8 *model, guint64 start, guint64 end)
{
  guint8 filled[MODEL_OCTETS];
  MmExtent gap;

  memcpy (filled, model, sizeof filled);
  for (guint64 at = start; mm_extents_get_gap (extents, at, end, &gap); at = gap.end)
    {
      g_assert_cmpuint (gap.start, >=, at);
      g_assert_cmpuint (gap.end, >, gap.start);
      g_assert_cmpuint (gap.end, <=, end);
      for (guint64 i = gap.start; i < gap.end; i++)
        {
          g_assert_false (filled[i]);
          filled[i] = TRUE;
        }
    }
  for (guint64 i = start; i < end; i++)
    g_assert_true (filled[i]);
}

static void
test_random_additions_equal_a_model (void)
{
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (MmExtents) extents = mm_extents_new ();
      guint8 model[MODEL_OCTETS] = { 0 };

      for (guint step = 0; step < 30; step++)
        {
          guint64 start = (guint64) g_test_rand_int_range (0, MODEL_OCTETS);
          guint64 length = (guint64) g_test_rand_int_range (0, 12);
          guint64 end = MIN (start + length, MODEL_OCTETS);

          assert_gaps_are_the_rest (extents, model, start, end);
          mm_extents_add (extents, start, end);
          memset (model + start, TRUE, end - start);
          assert_equals_model (extents, model);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/extents/touching-ranges-merge", test_touching_ranges_merge);
  g_test_add_func ("/store/extents/one-range-swallows-many", test_one_range_swallows_many);
  g_test_add_func ("/store/extents/empty-range-adds-nothing-and-is-always-there",
                   test_empty_range_adds_nothing_and_is_always_there);
  g_test_add_func ("/store/extents/ends-of-the-number-range", test_ends_of_the_number_range);
  g_test_add_func ("/store/extents/random-additions-equal-a-model",
                   test_random_additions_equal_a_model);
  return g_test_run ();
}
