// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>

#include "../../src/remote/remote-budget.h"

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)
#define LIMIT   (100 * 1000 * 1000)

static gint64
this_hour (void)
{
  return mm_clock_wall_us () / HOUR_US;
}

/* To the beginning of the next hour, and a bit: then no test stands at the end of one. */
static void
begin_an_hour (void)
{
  mm_clock_advance_for_test (HOUR_US - mm_clock_wall_us () % HOUR_US + G_USEC_PER_SEC);
}

static gdouble
hours_until_refill (MmRemoteBudget *budget)
{
  g_autoptr (GError) error = NULL;
  gint64 refill_us = mm_remote_budget_get_refill_us (budget, &error);

  if (refill_us == 0)
    {
      g_assert_no_error (error);
      return 0;
    }
  g_assert_error (error, MM_ERROR, MM_ERROR_QUOTA);
  return (gdouble) (refill_us - mm_clock_monotonic_us ()) / HOUR_US;
}

static void
test_a_day_s_worth (void)
{
  MmRemoteBudget *budget = mm_remote_budget_new (LIMIT);

  begin_an_hour ();
  mm_remote_budget_spend (budget, LIMIT / 10 * 9 - 1);
  g_assert_cmpint (mm_remote_budget_judge (budget, 0, NULL), ==, MM_BUDGET_PLENTY);
  mm_remote_budget_spend (budget, 1);
  g_assert_cmpint (mm_remote_budget_judge (budget, 0, NULL), ==, MM_BUDGET_SCARCE);
  g_assert_cmpfloat (hours_until_refill (budget), ==, 0);
  /* What is on its way counts as if it were here. */
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (mm_remote_budget_judge (budget, LIMIT / 10 - 1, NULL), ==, MM_BUDGET_SCARCE);
  g_assert_cmpint (mm_remote_budget_judge (budget, LIMIT / 10, &error), ==, MM_BUDGET_TAKEN);
  g_assert_error (error, MM_ERROR, MM_ERROR_QUOTA);
  mm_remote_budget_spend (budget, LIMIT / 10);
  g_assert_cmpfloat (hours_until_refill (budget), >, 23.9);
  g_assert_cmpfloat (hours_until_refill (budget), <=, 24);
  mm_clock_advance_for_test (23 * HOUR_US);
  g_assert_cmpfloat (hours_until_refill (budget), >, 0.9);
  mm_clock_advance_for_test (HOUR_US);
  g_assert_cmpfloat (hours_until_refill (budget), ==, 0);
  g_assert_cmpint (mm_remote_budget_judge (budget, 0, NULL), ==, MM_BUDGET_PLENTY);
  mm_remote_budget_free (budget);
}

/* What was received hour by hour comes back hour by hour: never more than the limit in 24 hours. */
static void
test_it_comes_back_by_the_hour (void)
{
  MmRemoteBudget *budget = mm_remote_budget_new (LIMIT);

  begin_an_hour ();
  for (guint i = 0; i < 10; i++)
    {
      mm_remote_budget_spend (budget, LIMIT / 10);
      mm_clock_advance_for_test (HOUR_US);
    }
  g_assert_cmpfloat (hours_until_refill (budget), >, 13.9);
  g_assert_cmpfloat (hours_until_refill (budget), <=, 14);
  mm_clock_advance_for_test (14 * HOUR_US);
  g_assert_cmpfloat (hours_until_refill (budget), ==, 0);
  g_assert_cmpint (mm_remote_budget_judge (budget, 0, NULL), ==, MM_BUDGET_SCARCE);
  mm_remote_budget_spend (budget, LIMIT / 10);
  g_assert_cmpfloat (hours_until_refill (budget), >, 0.9);
  g_assert_cmpfloat (hours_until_refill (budget), <=, 1);
  mm_remote_budget_free (budget);
}

static void
test_earlier_mounts_count (void)
{
  MmRemoteBudget *budget = mm_remote_budget_new (LIMIT);

  begin_an_hour ();
  const MmRemoteTraffic hours[] = {
    { this_hour () - 2, LIMIT / 4 },
    { this_hour () - 30, 10 * (guint64) LIMIT }, /* long ago */
    { this_hour () + 1000, 10 * (guint64) LIMIT }, /* written by a wrong clock */
    { this_hour () - 23, LIMIT / 4 * 3 },
  };
  mm_remote_budget_set_spent (budget, hours, G_N_ELEMENTS (hours));
  g_assert_cmpfloat (hours_until_refill (budget), >, 0.9);
  g_assert_cmpfloat (hours_until_refill (budget), <=, 1);
  mm_remote_budget_set_spent (budget, hours, 1);
  g_assert_cmpfloat (hours_until_refill (budget), ==, 0);
  mm_remote_budget_free (budget);
}

typedef struct
{
  guint64 octets;
  guint n_calls;
} Told;

static void
note (const MmRemoteTraffic *traffic, gpointer user_data)
{
  Told *told = user_data;

  g_assert_cmpint (traffic->hour, <=, this_hour ());
  told->octets += traffic->octets;
  told->n_calls++;
}

/* Every octet once, seldom, and the rest at the end. */
static void
test_it_is_told (void)
{
  MmRemoteBudget *budget = mm_remote_budget_new (LIMIT);
  Told told = { 0 };

  begin_an_hour ();
  mm_remote_budget_set_spend_func (budget, note, &told);
  for (guint i = 0; i < 10000; i++)
    mm_remote_budget_spend (budget, 1000);
  g_assert_cmpuint (told.n_calls, >=, 8);
  g_assert_cmpuint (told.n_calls, <=, 10);
  g_assert_cmpuint (told.octets, >=, 10000 * 1000 - 2 * 1024 * 1024);
  mm_remote_budget_flush (budget);
  g_assert_cmpuint (told.octets, ==, 10000 * 1000);
  mm_remote_budget_flush (budget);
  g_assert_cmpuint (told.octets, ==, 10000 * 1000);
  mm_remote_budget_free (budget);
}

static void
test_it_can_be_looked_at (void)
{
  MmRemoteBudget *budget = mm_remote_budget_new (LIMIT);
  MmRemoteDayStatus day;

  begin_an_hour ();
  mm_remote_budget_read (budget, &day);
  g_assert_cmpuint (day.limit_octets, ==, LIMIT);
  g_assert_cmpuint (day.used_octets, ==, 0);
  g_assert_cmpint (day.returns_us, ==, 0);
  mm_remote_budget_spend (budget, 1000);
  mm_clock_advance_for_test (2 * HOUR_US);
  mm_remote_budget_spend (budget, 500);
  mm_remote_budget_read (budget, &day);
  g_assert_cmpuint (day.used_octets, ==, 1500);
  g_assert_cmpint (day.returns_us - mm_clock_wall_us (), >, 21 * HOUR_US);
  g_assert_cmpint (day.returns_us - mm_clock_wall_us (), <=, 22 * HOUR_US);
  mm_clock_advance_for_test (22 * HOUR_US);
  mm_remote_budget_read (budget, &day);
  g_assert_cmpuint (day.used_octets, ==, 500);
  mm_remote_budget_free (budget);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/budget/a-day-s-worth", test_a_day_s_worth);
  g_test_add_func ("/remote/budget/it-comes-back-by-the-hour", test_it_comes_back_by_the_hour);
  g_test_add_func ("/remote/budget/earlier-mounts-count", test_earlier_mounts_count);
  g_test_add_func ("/remote/budget/it-is-told", test_it_is_told);
  g_test_add_func ("/remote/budget/it-can-be-looked-at", test_it_can_be_looked_at);
  return g_test_run ();
}
