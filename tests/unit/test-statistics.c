// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/statistics.h"

typedef struct
{
  MmStatistics *statistics;
  MmAccountStatus status; /* as read last */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->statistics = mm_statistics_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->status.failed, g_array_unref);
  mm_statistics_free (fixture->statistics);
}

static void
read_again (Fixture *fixture)
{
  g_clear_pointer (&fixture->status.failed, g_array_unref);
  mm_statistics_read (fixture->statistics, &fixture->status);
}

static void
fail (Fixture *fixture, guint32 folder_id, guint64 number, MmError code, const gchar *reason)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, (gint) code, reason);
  mm_statistics_note_failed (fixture->statistics, folder_id, "A/B", number, error);
}

static const MmFailedMessage *
failed_at (Fixture *fixture, guint index)
{
  g_assert_cmpuint (index, <, fixture->status.failed->len);
  return &g_array_index (fixture->status.failed, MmFailedMessage, index);
}

static void
test_read_ahead_adds_up (Fixture *fixture, gconstpointer data)
{
  MmAheadTally *tallies[4];

  for (guint i = 0; i < G_N_ELEMENTS (tallies); i++)
    tallies[i] = mm_ahead_tally_new (fixture->statistics);
  /* One came in two pieces, its reader between them; one that nobody came for; one still waits; of the
   * last nothing came, though its reader did. */
  mm_ahead_tally_note_received (tallies[0], 400);
  mm_ahead_tally_end (tallies[0], TRUE);
  mm_ahead_tally_note_received (tallies[0], 600);
  mm_ahead_tally_note_received (tallies[1], 200);
  mm_ahead_tally_end (tallies[1], FALSE);
  mm_ahead_tally_note_received (tallies[2], 300);
  mm_ahead_tally_end (tallies[3], TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (tallies); i++)
    mm_ahead_tally_unref (tallies[i]);
  mm_statistics_note_miss (fixture->statistics);
  read_again (fixture);
  g_assert_cmpuint (fixture->status.read_ahead.fetched_octets, ==, 1500);
  g_assert_cmpuint (fixture->status.read_ahead.used_octets, ==, 1000);
  g_assert_cmpuint (fixture->status.read_ahead.unused_octets, ==, 200);
  g_assert_cmpuint (fixture->status.read_ahead.waiting_octets, ==, 300);
  g_assert_cmpuint (fixture->status.read_ahead.n_hits, ==, 1);
  g_assert_cmpuint (fixture->status.read_ahead.n_misses, ==, 1);
}

static void
test_the_latest_failure_comes_first (Fixture *fixture, gconstpointer data)
{
  fail (fixture, 1, 10, MM_ERROR_MESSAGE_BAD, "odd");
  fail (fixture, 1, 11, MM_ERROR_TIMEOUT, "late");
  read_again (fixture);
  g_assert_cmpuint (fixture->status.failed->len, ==, 2);
  g_assert_cmpuint (failed_at (fixture, 0)->number, ==, 11);
  g_assert_cmpstr (failed_at (fixture, 0)->reason, ==, "late");
  g_assert_cmpstr (failed_at (fixture, 1)->folder, ==, "A/B");
  g_assert_cmpint (failed_at (fixture, 1)->code, ==, MM_ERROR_MESSAGE_BAD);
  g_assert_cmpint (failed_at (fixture, 1)->failed_us, >, 0);
  g_assert_cmpuint (fixture->status.n_message_errors[MM_ERROR_TIMEOUT], ==, 1);
  g_assert_cmpuint (fixture->status.n_message_errors[MM_ERROR_PROTOCOL], ==, 0);
}

static void
test_a_message_is_listed_once (Fixture *fixture, gconstpointer data)
{
  fail (fixture, 1, 10, MM_ERROR_MESSAGE_BAD, "odd");
  fail (fixture, 2, 10, MM_ERROR_MESSAGE_BAD, "odd");
  fail (fixture, 1, 10, MM_ERROR_TIMEOUT, "late");
  read_again (fixture);
  g_assert_cmpuint (fixture->status.failed->len, ==, 2);
  g_assert_cmpuint (failed_at (fixture, 0)->n_times, ==, 2);
  g_assert_cmpstr (failed_at (fixture, 0)->reason, ==, "late");
  g_assert_cmpuint (failed_at (fixture, 1)->n_times, ==, 1);
}

static void
test_what_is_fetched_after_all_leaves_the_list (Fixture *fixture, gconstpointer data)
{
  fail (fixture, 1, 10, MM_ERROR_MESSAGE_BAD, "odd");
  fail (fixture, 1, 11, MM_ERROR_MESSAGE_BAD, "odd");
  mm_statistics_note_fetched (fixture->statistics, 2, 10);
  mm_statistics_note_fetched (fixture->statistics, 1, 10);
  read_again (fixture);
  g_assert_cmpuint (fixture->status.failed->len, ==, 1);
  g_assert_cmpuint (failed_at (fixture, 0)->number, ==, 11);
  g_assert_cmpuint (fixture->status.n_message_errors[MM_ERROR_MESSAGE_BAD], ==, 2);
}

static void
test_only_the_last_few_are_listed_and_all_counted (Fixture *fixture, gconstpointer data)
{
  for (guint i = 1; i <= MM_STATISTICS_FAILED_MAX + 5; i++)
    fail (fixture, 1, i, MM_ERROR_MESSAGE_BAD, "odd");
  read_again (fixture);
  g_assert_cmpuint (fixture->status.failed->len, ==, MM_STATISTICS_FAILED_MAX);
  g_assert_cmpuint (failed_at (fixture, 0)->number, ==, MM_STATISTICS_FAILED_MAX + 5);
  g_assert_cmpuint (fixture->status.n_message_errors[MM_ERROR_MESSAGE_BAD], ==,
                    MM_STATISTICS_FAILED_MAX + 5);
}

static void
test_a_server_that_is_away_is_no_message_s_fault (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_OFFLINE, "away");

  fail (fixture, 1, 1, MM_ERROR_OFFLINE, "away");
  mm_statistics_note_listing_error (fixture->statistics, error);
  read_again (fixture);
  g_assert_cmpuint (fixture->status.failed->len, ==, 0);
  g_assert_cmpuint (fixture->status.n_message_errors[MM_ERROR_OFFLINE], ==, 1);
  g_assert_cmpuint (fixture->status.n_listing_errors[MM_ERROR_OFFLINE], ==, 1);
}

static void
test_every_kind_of_error_has_a_name (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint code = 0; code < MM_N_ERRORS; code++)
    {
      const gchar *name = mm_error_get_name ((MmError) code);
      g_assert_cmpstr (name, !=, "unknown");
      g_assert_true (g_hash_table_add (seen, (gpointer) name));
    }
  g_assert_cmpstr (mm_error_get_name (MM_ERROR_CONNECTION_LOST), ==, "connection-lost");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/statistics/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("read-ahead-adds-up", test_read_ahead_adds_up);
  ADD ("the-latest-failure-comes-first", test_the_latest_failure_comes_first);
  ADD ("a-message-is-listed-once", test_a_message_is_listed_once);
  ADD ("what-is-fetched-after-all-leaves-the-list",
       test_what_is_fetched_after_all_leaves_the_list);
  ADD ("only-the-last-few-are-listed-and-all-counted",
       test_only_the_last_few_are_listed_and_all_counted);
  ADD ("a-server-that-is-away-is-no-message-s-fault",
       test_a_server_that_is_away_is_no_message_s_fault);
#undef ADD
  g_test_add_func ("/error/every-kind-has-a-name", test_every_kind_of_error_has_a_name);
  return g_test_run ();
}
