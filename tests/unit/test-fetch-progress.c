// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "fetch-progress.h"

/* g_format_size() puts a blank that does not break a line between number and unit. */
static gchar *
with_plain_blanks (gchar *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "\xc2\xa0", -1);
  g_free (text);
  return g_strjoinv (" ", parts);
}

static void
test_a_bar_with_rate_and_time_left (void)
{
  const MmFetchProgress progress = { .n_messages = 400, .octets = 40000000, .n_done = 100,
                                     .done_octets = 10000000 };
  g_autofree gchar *line
      = with_plain_blanks (mm_fetch_progress_draw (&progress, 5 * G_USEC_PER_SEC));

  g_assert_cmpstr (line, ==,
                   "[#####---------------]  25% 100 of 400 messages, 10.0 MB, 2.0 MB/s, 0:15 left");
  g_assert_cmpuint (strlen (line), <, 80);
}

static void
test_nobody_knows_the_end_while_it_is_listed (void)
{
  const MmFetchProgress progress = { .is_listing = TRUE, .n_messages = 7, .octets = 3000,
                                     .n_done = 2, .done_octets = 1000 };
  g_autofree gchar *line
      = with_plain_blanks (mm_fetch_progress_describe (&progress, G_USEC_PER_SEC));

  g_assert_cmpstr (line, ==, "2 of 7+ messages, 1.0 kB, 1.0 kB/s");
}

static void
test_odd_numbers_do_no_harm (void)
{
  /* Nothing at all; and sizes that turned out larger than listed. */
  const MmFetchProgress nothing = { 0 };
  const MmFetchProgress more = { .n_messages = 1, .octets = 10, .n_done = 1, .done_octets = 20 };
  const MmFetchProgress slow = { .n_messages = 2, .octets = G_GUINT64_CONSTANT (36000000),
                                 .n_done = 1, .done_octets = 1000 };
  g_autofree gchar *first = mm_fetch_progress_draw (&nothing, 0);
  g_autofree gchar *second = mm_fetch_progress_draw (&more, 0);
  g_autofree gchar *third = mm_fetch_progress_draw (&slow, G_USEC_PER_SEC);

  g_assert_true (g_str_has_prefix (first, "[####################] 100% 0 of 0 messages"));
  g_assert_true (g_str_has_prefix (second, "[####################] 100% 1 of 1 messages"));
  g_assert_true (g_str_has_suffix (third, ", 9:59:59 left"));
}

static void
test_the_sum (void)
{
  const MmFetchProgress progress = { .n_messages = 400, .octets = 40000000, .n_done = 400,
                                     .done_octets = 40000000, .n_fetched = 398,
                                     .fetched_octets = 39000000, .n_failed = 2 };
  g_autofree gchar *line = with_plain_blanks (mm_fetch_progress_sum (&progress));

  g_assert_cmpstr (line, ==, "398 of 400 messages fetched, 39.0 MB; 2 failed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fetch-progress/a-bar-with-rate-and-time-left",
                   test_a_bar_with_rate_and_time_left);
  g_test_add_func ("/fetch-progress/nobody-knows-the-end-while-it-is-listed",
                   test_nobody_knows_the_end_while_it_is_listed);
  g_test_add_func ("/fetch-progress/odd-numbers-do-no-harm", test_odd_numbers_do_no_harm);
  g_test_add_func ("/fetch-progress/the-sum", test_the_sum);
  return g_test_run ();
}
