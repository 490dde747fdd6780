// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>

#include "../../src/remote/remote-bandwidth.h"

#define SECOND G_USEC_PER_SEC
#define RATE   100000

static gdouble
seconds_until_ready (MmRemoteBandwidth *bandwidth, gboolean is_demand)
{
  gint64 ready_us = mm_remote_bandwidth_get_ready_us (bandwidth, is_demand);

  return ready_us != 0 ? (gdouble) (ready_us - mm_clock_monotonic_us ()) / SECOND : 0;
}

static void
test_a_debt_is_waited_for (void)
{
  MmRemoteBandwidth *bandwidth = mm_remote_bandwidth_new (RATE);

  g_assert_cmpfloat (seconds_until_ready (bandwidth, TRUE), ==, 0);
  mm_remote_bandwidth_spend (bandwidth, 3 * RATE); /* the first second's worth was saved */
  g_assert_cmpfloat (seconds_until_ready (bandwidth, TRUE), >, 1.8);
  g_assert_cmpfloat (seconds_until_ready (bandwidth, TRUE), <=, 2.01);
  mm_clock_advance_for_test (SECOND);
  g_assert_cmpfloat (seconds_until_ready (bandwidth, TRUE), >, 0.5);
  mm_clock_advance_for_test (SECOND + SECOND / 100);
  g_assert_cmpint (mm_remote_bandwidth_get_ready_us (bandwidth, TRUE), ==, 0);
  mm_remote_bandwidth_free (bandwidth);
}

static void
test_demand_comes_first (void)
{
  MmRemoteBandwidth *bandwidth = mm_remote_bandwidth_new (RATE);

  mm_remote_bandwidth_spend (bandwidth, RATE * 3 / 4);
  g_assert_cmpint (mm_remote_bandwidth_get_ready_us (bandwidth, TRUE), ==, 0);
  g_assert_cmpfloat (seconds_until_ready (bandwidth, FALSE), >, 0.1);
  mm_clock_advance_for_test (SECOND / 2);
  g_assert_cmpint (mm_remote_bandwidth_get_ready_us (bandwidth, FALSE), ==, 0);
  mm_remote_bandwidth_free (bandwidth);
}

/* However long nothing was received: no more than a second's worth is saved. */
static void
test_no_more_than_a_second_is_saved (void)
{
  MmRemoteBandwidth *bandwidth = mm_remote_bandwidth_new (RATE);

  mm_clock_advance_for_test (30 * 24 * 3600 * (gint64) SECOND);
  mm_remote_bandwidth_spend (bandwidth, 2 * RATE);
  g_assert_cmpfloat (seconds_until_ready (bandwidth, TRUE), >, 0.8);
  mm_remote_bandwidth_free (bandwidth);
}

/* Many small steps add up to the rate: nothing is lost to rounding. */
static void
test_the_rate_is_held (void)
{
  static const guint64 rates[] = { 1, 7, 1000, 123457, 50000000 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      MmRemoteBandwidth *bandwidth = mm_remote_bandwidth_new (rates[i]);
      const gint64 step_us = 1009;
      const guint seconds = 100;
      guint64 received = 0;

      for (gint64 passed_us = 0; passed_us < seconds * (gint64) SECOND; passed_us += step_us)
        {
          while (mm_remote_bandwidth_get_ready_us (bandwidth, TRUE) == 0)
            {
              gsize portion = MIN (mm_remote_bandwidth_get_portion (bandwidth), rates[i]);
              mm_remote_bandwidth_spend (bandwidth, portion);
              received += portion;
            }
          mm_clock_advance_for_test (step_us);
        }
      /* The clock runs by itself too, and a portion may be a debt. */
      g_assert_cmpfloat ((gdouble) received, >=, (gdouble) rates[i] * seconds * 0.98);
      g_assert_cmpfloat ((gdouble) received, <=, (gdouble) rates[i] * (seconds + 5) + 4096);
      mm_remote_bandwidth_free (bandwidth);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/bandwidth/a-debt-is-waited-for", test_a_debt_is_waited_for);
  g_test_add_func ("/remote/bandwidth/demand-comes-first", test_demand_comes_first);
  g_test_add_func ("/remote/bandwidth/no-more-than-a-second-is-saved",
                   test_no_more_than_a_second_is_saved);
  g_test_add_func ("/remote/bandwidth/rate-is-held", test_the_rate_is_held);
  return g_test_run ();
}
