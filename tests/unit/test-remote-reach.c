// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/clock.h>

#include "../../src/remote/remote-reach.h"

#define SECOND G_USEC_PER_SEC

static void
fail (MmRemoteReach *reach, MmError code)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, (gint) code, "the last words");

  mm_remote_reach_note_failed (reach, error);
}

static void
assert_told (const MmRemoteReach *reach, MmError code)
{
  g_autoptr (GError) error = mm_remote_reach_dup_error (reach);

  g_assert_error (error, MM_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, "the last words"));
}

static MmReachVerdict
judge_demand (const MmRemoteReach *reach)
{
  return mm_remote_reach_judge (reach, TRUE, mm_clock_monotonic_us () + 60 * SECOND);
}

static gdouble
seconds_until_due (const MmRemoteReach *reach)
{
  return (gdouble) (mm_remote_reach_get_due_us (reach) - mm_clock_monotonic_us ()) / SECOND;
}

static void
test_delays_grow (void)
{
  static const gdouble expected[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300 };
  MmRemoteReach reach = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      fail (&reach, i % 2 == 0 ? MM_ERROR_OFFLINE : MM_ERROR_TIMEOUT);
      g_assert_cmpfloat (seconds_until_due (&reach), >, expected[i] * 0.75 - 0.1);
      g_assert_cmpfloat (seconds_until_due (&reach), <, expected[i] * 1.25);
      g_assert_false (mm_remote_reach_is_try_due (&reach));
      mm_clock_advance_for_test ((gint64) (expected[i] * 1.25 * SECOND));
      g_assert_true (mm_remote_reach_is_try_due (&reach));
      mm_remote_reach_note_trying (&reach);
      g_assert_false (mm_remote_reach_is_try_due (&reach));
    }
  mm_remote_reach_note_opened (&reach);
  g_assert_cmpint (reach.state, ==, MM_REACH_OPEN);
  g_assert_cmpint (mm_remote_reach_get_due_us (&reach), ==, G_MAXINT64);
  fail (&reach, MM_ERROR_OFFLINE);
  g_assert_cmpfloat (seconds_until_due (&reach), <, 1.3);
  mm_remote_reach_clear (&reach);
}

static void
test_delays_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  gint64 delays[20];

  for (guint i = 0; i < G_N_ELEMENTS (delays); i++)
    {
      MmRemoteReach reach = { 0 };

      fail (&reach, MM_ERROR_OFFLINE);
      delays[i] = (gint64) (seconds_until_due (&reach) * 1000);
      g_hash_table_add (seen, &delays[i]);
      mm_remote_reach_clear (&reach);
    }
  g_assert_cmpuint (g_hash_table_size (seen), >, 5);
}

static void
test_demand_tries (void)
{
  MmRemoteReach reach = { 0 };

  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_GO);
  /* Far from the next try by itself. */
  for (guint i = 0; i < 8; i++)
    fail (&reach, MM_ERROR_OFFLINE);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  assert_told (&reach, MM_ERROR_OFFLINE);
  mm_clock_advance_for_test (6 * SECOND);
  g_assert_cmpint (mm_remote_reach_judge (&reach, FALSE, G_MAXINT64), ==, MM_REACH_FAIL);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_TRY);
  mm_remote_reach_note_trying (&reach);
  /* The next one does not wait for that try, and begins none. */
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  g_assert_false (mm_remote_reach_end_patience (&reach));
  mm_clock_advance_for_test (2 * SECOND);
  g_assert_true (mm_remote_reach_end_patience (&reach));
  g_assert_false (mm_remote_reach_end_patience (&reach));
  mm_clock_advance_for_test (10 * SECOND);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  mm_remote_reach_note_opened (&reach);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_GO);
  mm_remote_reach_clear (&reach);
}

static void
test_a_timeout_is_told_as_offline_later (void)
{
  MmRemoteReach reach = { 0 };

  fail (&reach, MM_ERROR_TIMEOUT);
  assert_told (&reach, MM_ERROR_OFFLINE);
  mm_remote_reach_clear (&reach);
}

static void
test_lost_openings (void)
{
  MmRemoteReach reach = { 0 };

  fail (&reach, MM_ERROR_CONNECTION_LOST);
  fail (&reach, MM_ERROR_CONNECTION_LOST);
  g_assert_cmpint (reach.state, ==, MM_REACH_OPEN);
  fail (&reach, MM_ERROR_CONNECTION_LOST);
  g_assert_cmpint (reach.state, ==, MM_REACH_AWAY);
  assert_told (&reach, MM_ERROR_OFFLINE);
  mm_remote_reach_clear (&reach);
}

static void
test_hurry (void)
{
  MmRemoteReach reach = { 0 };

  for (guint i = 0; i < 10; i++)
    fail (&reach, MM_ERROR_OFFLINE);
  mm_clock_advance_for_test (2 * SECOND);
  mm_remote_reach_note_trying (&reach);
  mm_clock_advance_for_test (2 * SECOND);
  mm_remote_reach_hurry (&reach);
  /* As soon as the try on the old network is given up. */
  g_assert_false (mm_remote_reach_is_try_due (&reach));
  mm_remote_reach_note_given_up (&reach);
  g_assert_true (mm_remote_reach_is_try_due (&reach));
  mm_remote_reach_note_trying (&reach);
  fail (&reach, MM_ERROR_OFFLINE);
  g_assert_cmpfloat (seconds_until_due (&reach), <, 1.3);
  /* Events that follow one another closely are one. */
  mm_remote_reach_hurry (&reach);
  g_assert_false (mm_remote_reach_is_try_due (&reach));
  mm_clock_advance_for_test (2 * SECOND);
  g_assert_true (mm_remote_reach_is_try_due (&reach));
  mm_remote_reach_clear (&reach);
}

static void
test_refused (void)
{
  MmRemoteReach reach = { 0 };

  fail (&reach, MM_ERROR_AUTHENTICATION);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  assert_told (&reach, MM_ERROR_AUTHENTICATION);
  mm_clock_advance_for_test (10 * SECOND);
  mm_remote_reach_hurry (&reach);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  g_assert_false (mm_remote_reach_may_open (&reach));
  mm_clock_advance_for_test (25 * SECOND);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_GO);
  g_assert_true (mm_remote_reach_may_open (&reach));

  fail (&reach, MM_ERROR_TLS);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  mm_remote_reach_hurry (&reach);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_GO);
  mm_remote_reach_clear (&reach);
}

static void
test_held (void)
{
  MmRemoteReach reach = { 0 };
  g_autoptr (GError) error
      = g_error_new_literal (MM_ERROR, MM_ERROR_UNAVAILABLE, "wait: the last words");
  gint64 now_us = mm_clock_monotonic_us ();

  mm_remote_reach_hold (&reach, now_us + 20 * SECOND, error);
  g_assert_true (mm_remote_reach_is_held (&reach));
  g_assert_false (mm_remote_reach_may_open (&reach));
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_WAIT);
  g_assert_cmpint (mm_remote_reach_judge (&reach, TRUE, now_us + 10 * SECOND), ==, MM_REACH_FAIL);
  assert_told (&reach, MM_ERROR_UNAVAILABLE);
  /* A shorter wish does not shorten it; another connection does not end it. */
  mm_remote_reach_hold (&reach, now_us + 5 * SECOND, error);
  mm_remote_reach_note_opened (&reach);
  mm_clock_advance_for_test (10 * SECOND);
  g_assert_true (mm_remote_reach_is_held (&reach));
  g_assert_false (mm_remote_reach_end_hold (&reach));
  mm_clock_advance_for_test (11 * SECOND);
  g_assert_true (mm_remote_reach_end_hold (&reach));
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_GO);
  mm_remote_reach_clear (&reach);
}

/* A server that greets with "not now" is asked later each time. */
static void
test_unavailable_openings (void)
{
  MmRemoteReach reach = { 0 };
  gdouble last = 0;

  for (guint i = 0; i < 5; i++)
    {
      fail (&reach, MM_ERROR_UNAVAILABLE);
      g_assert_cmpint (reach.state, ==, MM_REACH_HELD);
      g_assert_cmpfloat (seconds_until_due (&reach), >, last);
      last = seconds_until_due (&reach);
      mm_clock_advance_for_test ((gint64) (last * SECOND) + 1000);
      g_assert_true (mm_remote_reach_end_hold (&reach));
    }
  fail (&reach, MM_ERROR_QUOTA);
  assert_told (&reach, MM_ERROR_QUOTA);
  g_assert_cmpfloat (seconds_until_due (&reach), >, 200);
  mm_remote_reach_clear (&reach);
}

static void
test_off (void)
{
  MmRemoteReach reach = { 0 };
  g_autoptr (GError) error = NULL;

  mm_remote_reach_turn_off (&reach);
  mm_remote_reach_hurry (&reach);
  mm_clock_advance_for_test (1000 * SECOND);
  g_assert_cmpint (judge_demand (&reach), ==, MM_REACH_FAIL);
  g_assert_false (mm_remote_reach_may_open (&reach));
  g_assert_false (mm_remote_reach_is_try_due (&reach));
  g_assert_cmpint (mm_remote_reach_get_due_us (&reach), ==, G_MAXINT64);
  error = mm_remote_reach_dup_error (&reach);
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);
  mm_remote_reach_clear (&reach);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/reach/" NAME, FUNC)
  g_test_add_func ("/remote/reach/tries-come-twice-as-late", test_delays_grow);
  g_test_add_func ("/remote/reach/tries-of-two-mounts-differ", test_delays_differ);
  ADD ("demand-tries-every-few-seconds", test_demand_tries);
  ADD ("timeout-is-told-as-offline-later", test_a_timeout_is_told_as_offline_later);
  ADD ("connections-lost-while-made", test_lost_openings);
  g_test_add_func ("/remote/reach/network-change-is-tried-at-once", test_hurry);
  ADD ("refused-login-is-not-repeated", test_refused);
  ADD ("server-asks-to-wait", test_held);
  ADD ("server-is-unavailable-at-login", test_unavailable_openings);
  ADD ("offline-by-option", test_off);
  return g_test_run ();
}
