// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/error.h>
#include <mailmount/imap-seqset.h>

static void
check_text (const MmUidSet *set, const gchar *expected)
{
  g_autofree gchar *text = mm_uid_set_to_string (set);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_empty (void)
{
  g_autoptr (MmUidSet) set = mm_uid_set_new ();
  gsize n_ranges;

  check_text (set, "");
  g_assert_cmpuint (mm_uid_set_count (set), ==, 0);
  g_assert_false (mm_uid_set_contains (set, 1));
  mm_uid_set_get_ranges (set, &n_ranges);
  g_assert_cmpuint (n_ranges, ==, 0);
}

static void
test_merging (void)
{
  g_autoptr (MmUidSet) set = mm_uid_set_new ();

  mm_uid_set_add (set, 5);
  mm_uid_set_add (set, 6);
  mm_uid_set_add_range (set, 9, 12);
  check_text (set, "5:6,9:12");
  mm_uid_set_add (set, 8);
  check_text (set, "5:6,8:12");
  mm_uid_set_add_range (set, 1, 2);
  mm_uid_set_add (set, 7);
  check_text (set, "1:2,5:12");
  mm_uid_set_add_range (set, 4, 20);
  check_text (set, "1:2,4:20");
  mm_uid_set_add_range (set, 10, 11);
  check_text (set, "1:2,4:20");
  g_assert_cmpuint (mm_uid_set_count (set), ==, 19);
}

static void
test_ends_of_the_number_space (void)
{
  g_autoptr (MmUidSet) set = mm_uid_set_new ();

  mm_uid_set_add (set, G_MAXUINT32);
  mm_uid_set_add (set, 1);
  mm_uid_set_add_range (set, G_MAXUINT32 - 1, G_MAXUINT32);
  mm_uid_set_add (set, G_MAXUINT32);
  check_text (set, "1,4294967294:4294967295");
  mm_uid_set_add_range (set, 1, G_MAXUINT32);
  check_text (set, "1:4294967295");
  g_assert_cmpuint (mm_uid_set_count (set), ==, G_MAXUINT32);
  g_assert_true (mm_uid_set_contains (set, 2000000000));
}

static void
test_any_order_costs_a_sort (void)
{
  g_autoptr (MmUidSet) set = mm_uid_set_new ();
  gsize n_ranges;

  for (guint32 i = 1000000; i > 0; i--)
    mm_uid_set_add (set, 4000 * i);
  mm_uid_set_get_ranges (set, &n_ranges);
  g_assert_cmpuint (n_ranges, ==, 1000000);
  g_assert_true (mm_uid_set_contains (set, 4000));
  g_assert_true (mm_uid_set_contains (set, 4000000000));
  g_assert_false (mm_uid_set_contains (set, 4001));
}

/* Against a plain array of booleans. */
static void
test_random_against_a_model (void)
{
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (MmUidSet) set = mm_uid_set_new ();
      g_autoptr (MmUidSet) parsed = NULL;
      g_autofree gchar *text = NULL;
      g_autofree gchar *text_again = NULL;
      g_autoptr (GError) error = NULL;
      gboolean model[101] = { FALSE };
      guint64 count = 0;

      for (gint i = g_test_rand_int_range (1, 30); i > 0; i--)
        {
          guint32 first = (guint32)g_test_rand_int_range (1, 101);
          guint32 last
              = (guint32)g_test_rand_int_range ((gint32)first, MIN ((gint32)first + 9, 101));

          mm_uid_set_add_range (set, first, last);
          for (guint32 uid = first; uid <= last; uid++)
            model[uid] = TRUE;
          if (g_test_rand_bit ())
            mm_uid_set_count (set);
        }
      for (guint32 uid = 1; uid <= 100; uid++)
        {
          g_assert_cmpint (mm_uid_set_contains (set, uid), ==, model[uid]);
          count += model[uid];
        }
      g_assert_cmpuint (mm_uid_set_count (set), ==, count);
      text = mm_uid_set_to_string (set);
      parsed = mm_uid_set_parse (text, strlen (text), 1000, &error);
      g_assert_no_error (error);
      text_again = mm_uid_set_to_string (parsed);
      g_assert_cmpstr (text, ==, text_again);
    }
}

static void
check_parse (const gchar *text, gsize max_ranges, const gchar *expected, gint code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmUidSet) set = mm_uid_set_parse (text, strlen (text), max_ranges, &error);

  if (expected != NULL)
    {
      g_assert_no_error (error);
      check_text (set, expected);
      return;
    }
  g_assert_null (set);
  g_assert_error (error, MM_ERROR, code);
}

static void
test_parse (void)
{
  static const gchar *const wrong[] = {
    "",      ",", "1,",  ",1", "1,,2", "0", "0:5",        "5:0", "1:",  ":1",
    "1:2:3", "*", "1:*", "1 ", " 1",   "a", "4294967296", "-1",  "1;2", "99999999999999999999999",
  };

  check_parse ("1:5,7", 9, "1:5,7", 0);
  check_parse ("5:1", 9, "1:5", 0);
  check_parse ("9,7,8", 9, "7:9", 0);
  check_parse ("4294967295", 9, "4294967295", 0);
  check_parse ("007", 9, "7", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    check_parse (wrong[i], 9, NULL, MM_ERROR_PROTOCOL);
  check_parse ("1,3,5", 3, "1,3,5", 0);
  check_parse ("1,3,5,7", 3, NULL, MM_ERROR_LIMIT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/seqset/empty", test_empty);
  g_test_add_func ("/imap/seqset/adjacent-and-overlapping-ranges-merge", test_merging);
  g_test_add_func ("/imap/seqset/ends-of-the-number-space", test_ends_of_the_number_space);
  g_test_add_func ("/imap/seqset/any-order-costs-a-sort", test_any_order_costs_a_sort);
  g_test_add_func ("/imap/seqset/random-against-a-model", test_random_against_a_model);
  g_test_add_func ("/imap/seqset/parse", test_parse);
  return g_test_run ();
}
