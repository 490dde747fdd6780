// SPDX-License-Identifier: GPL-3.0-or-later
#include <time.h>

#include <mailmount/clock.h>

static void
test_monotonic_time_never_goes_back (void)
{
  gint64 last = mm_clock_monotonic_us ();

  for (guint i = 0; i < 100000; i++)
    {
      gint64 now = mm_clock_monotonic_us ();

      g_assert_cmpint (now, >=, last);
      last = now;
    }
}

static void
test_wall_time_is_the_system_s (void)
{
  gint64 before = (gint64) time (NULL) - 1;
  gint64 now = mm_clock_wall_us () / G_USEC_PER_SEC;

  g_assert_cmpint (now, >=, before);
  g_assert_cmpint (now, <=, (gint64) time (NULL) + 1);
}

static void
test_a_test_turns_both_clocks (void)
{
  const gint64 day_us = 24 * 3600 * (gint64) G_USEC_PER_SEC;
  gint64 monotonic = mm_clock_monotonic_us ();
  gint64 wall = mm_clock_wall_us ();

  mm_clock_advance_for_test (day_us);
  g_assert_cmpint (mm_clock_monotonic_us () - monotonic, >=, day_us);
  g_assert_cmpint (mm_clock_wall_us () - wall, >=, day_us - G_USEC_PER_SEC);
  g_assert_cmpint (mm_clock_wall_us () - wall, <, day_us + 60 * G_USEC_PER_SEC);
  mm_clock_advance_for_test (-day_us);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/clock/monotonic-time-never-goes-back",
                   test_monotonic_time_never_goes_back);
  g_test_add_func ("/base/clock/wall-time-is-the-system-s", test_wall_time_is_the_system_s);
  g_test_add_func ("/base/clock/a-test-turns-both-clocks", test_a_test_turns_both_clocks);
  return g_test_run ();
}
