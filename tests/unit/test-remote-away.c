// SPDX-License-Identifier: GPL-3.0-or-later
/* A server that cannot be reached, and that is there again. */
#include <string.h>

#include <mailmount/clock.h>

#include "remote-fixture.h"

#define EXAMINE_EMPTY(NAME)                                                                        \
  "C: EXAMINE \"" NAME                                                                             \
  "\"*\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 1] x\nS: $T OK x\n"
#define EMPTY_TOLD "opened v7 u1 m0 n0\nstate v7 u1 m0 n0\ndone ok\n"

static void
take_server_away (Fixture *fixture)
{
  g_clear_pointer (&fixture->server, scripted_server_free);
}

static void
bring_server_back (Fixture *fixture)
{
  fixture->server = scripted_server_new_at (fixture->config.endpoint.port);
}

static void
test_jobs_fail_at_once (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  take_server_away (fixture);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), "done OFFLINE\n");
}

/* Several connections are tried at once, and each hears of the refusal while another is being
 * opened. */
static void
test_many_jobs_fail_at_once (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 8;
  take_server_away (fixture);
  for (guint i = 0; i < 200; i++)
    {
      const gchar name[] = { (gchar) ('A' + i % 20), '\0' };
      mm_remote_job_unref (fixture_sync (fixture, name, NULL));
    }
  fixture_wait_done (fixture, 200);
  g_assert_null (strstr (fixture->log->str, "ok"));
}

static void
test_demand_finds_the_server (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  take_server_away (fixture);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  bring_server_back (fixture);
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  mm_clock_advance_for_test (10 * G_USEC_PER_SEC);
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
}

static void
test_it_comes_back_by_itself (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  take_server_away (fixture);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  bring_server_back (fixture);
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  /* Nobody asks for anything: jobs work as soon as the try was made. */
  for (gboolean is_back = FALSE; !is_back;)
    {
      g_usleep (50000);
      mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
      fixture_wait_done (fixture, 1);
      is_back = g_str_has_suffix (fixture->log->str, "done ok\n");
      if (!is_back)
        fixture_check_log (fixture, "done OFFLINE\n");
    }
  fixture_check_log (fixture, EMPTY_TOLD);
}

/* A server that accepts and says nothing more keeps a reader for a moment only. */
static void
test_a_hanging_try_is_not_waited_for (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  take_server_away (fixture);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  bring_server_back (fixture);
  scripted_server_add (fixture->server, "G never\nX");
  mm_clock_advance_for_test (10 * G_USEC_PER_SEC);
  gint64 started_us = g_get_monotonic_time ();
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  /* Well below the ten seconds that the server is given to greet. */
  g_assert_cmpint (g_get_monotonic_time () - started_us, <, 5 * G_USEC_PER_SEC);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  fixture_close_remote (fixture);
  scripted_server_open_gate (fixture->server, "never");
}

/* The clock that is turned looks like a sleep: the server is tried although the next try was minutes
 * away. */
static void
test_sleep_is_followed_by_a_try (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  take_server_away (fixture);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  for (guint i = 0; i < 11; i++)
    {
      mm_clock_advance_for_test (10 * G_USEC_PER_SEC);
      fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
    }
  bring_server_back (fixture);
  scripted_server_add (fixture->server, HELLO (""));
  mm_clock_advance_for_test (10 * G_USEC_PER_SEC);
  scripted_server_wait_ended (fixture->server, 1);
}

static void
test_offline_by_choice (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GError) error = NULL;

  fixture->config.is_offline = TRUE;
  g_assert_false (mm_remote_connect (fixture_get_remote (fixture), &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  mm_clock_advance_for_test (1000 * (gint64) G_USEC_PER_SEC);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  /* The server has no script, and would have failed the test. */
}

static void
test_unavailable_at_first (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, "S: * BYE [UNAVAILABLE] not now\nX");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
}

/* ---- a server that asks to wait ---- */

static const MmFetchItem items[] = { { .uid = 3 }, { .uid = 4 } };

#define EXAMINED "S: * 9 EXISTS\nS: * OK [UIDVALIDITY 7] x\n"
#define BODIES                                                                                     \
  "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\n"                                             \
  "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n"
#define BODIES_TOLD                                                                                \
  "begin 0 1\ndata 0 'a'\nitem 0 ok\nbegin 1 1\ndata 1 'b'\nitem 1 ok\ndone ok\n"

/* @answer is what the first fetch is answered with. The same command comes once more, on the same
 * connection, and not message by message. */
static void
fetch_later (const gchar *answer, gint64 at_least_ms)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree gchar *script = g_strconcat (HELLO (""),
                                          "C: EXAMINE \"Box\"*\nC: UID FETCH 3:4 *\n" EXAMINED
                                          "S: $U OK x\nS: $T ",
                                          answer, "\nC: UID FETCH 3:4 *\n" BODIES, NULL);

  scripted_server_add (fixture->server, script);
  gint64 started_us = g_get_monotonic_time ();
  fixture_check (fixture,
                 fixture_fetch (fixture, "Box", 7, items, 2, MM_REMOTE_PRIORITY_DEMAND),
                 BODIES_TOLD);
  g_assert_cmpint (g_get_monotonic_time () - started_us, >=, at_least_ms * 1000);
}

/* The server goes on asking to wait over one message: the other one does not suffer for it. */
static void
test_limit_of_one_message (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") "C: EXAMINE \"Box\"*\nC: UID FETCH 3:4 *\n" EXAMINED
                 "S: $U OK x\nS: $T NO [LIMIT] slow\nC: UID FETCH 3:4 *\nS: $T NO [LIMIT] slow\n"
                 "C: UID FETCH 3 *\nC: UID FETCH 4 *\nS: $U NO [LIMIT] slow\n"
                 "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture,
                 fixture_fetch (fixture, "Box", 7, items, 2, MM_REMOTE_PRIORITY_DEMAND),
                 "item 0 UNAVAILABLE\nbegin 1 1\ndata 1 'b'\nitem 1 ok\ndone ok\n");
}

static void
test_limit (void)
{
  fetch_later ("NO [LIMIT] slower, please", 750);
}

static void
test_unavailable (void)
{
  fetch_later ("NO [UNAVAILABLE] the disk is busy", 750);
}

static void
test_backoff_time (void)
{
  fetch_later ("NO Request is throttled. Suggested Backoff Time: 1500 milliseconds", 1500);
}

static void
test_backoff_time_after_bad (void)
{
  fetch_later ("BAD Command is throttled. Suggested Backoff Time: 300 milliseconds", 300);
}

static void
test_in_use (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") "C: EXAMINE \"A\"*\nS: $T NO [INUSE] locked\n"
                                  EXAMINE_EMPTY ("A"));
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
}

/* Others do not wait for one folder that is in use. */
static void
test_only_one_folder_is_in_use (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") "C: EXAMINE \"A\"*\nS: $T NO [INUSE] locked\n"
                                  EXAMINE_EMPTY ("B") "G b\n" EXAMINE_EMPTY ("A"));
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  mm_remote_job_unref (fixture_sync (fixture, "B", NULL));
  fixture_wait_done (fixture, 1);
  scripted_server_open_gate (fixture->server, "b");
  fixture_wait_done (fixture, 2);
  fixture_check_log (fixture, EMPTY_TOLD EMPTY_TOLD);
}

/* Nobody waits for an hour; and nobody asks before. */
static void
test_too_long_to_wait (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") "C: EXAMINE \"A\"*\n"
                                  "S: $T NO Suggested Backoff Time: 3600000 milliseconds\n");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), "done UNAVAILABLE\n");
  fixture_check (fixture, fixture_sync (fixture, "B", NULL), "done UNAVAILABLE\n");
}

static void
test_quota (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") "C: EXAMINE \"A\"*\n"
                                  "S: $T NO [OVERQUOTA] Account exceeded bandwidth limits.\n");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), "done QUOTA\n");
  fixture_check (fixture, fixture_sync (fixture, "B", NULL), "done QUOTA\n");
}

static void
test_backoff_time_at_login (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
                       "C: LOGIN *\nS: $T NO Suggested Backoff Time: 1200 milliseconds\nX");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  gint64 started_us = g_get_monotonic_time ();
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  g_assert_cmpint (g_get_monotonic_time () - started_us, >=, 1200 * 1000);
}

static void
test_daily_limit (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  const MmRemoteTraffic before = { mm_clock_wall_us () / (3600 * (gint64) G_USEC_PER_SEC), 920 };
  const MmRemoteTraffic after = { before.hour, 1000 };

  fixture->config.daily_octets = 1000;
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  mm_remote_set_spent (fixture_get_remote (fixture), &before, 1);
  fixture_check (fixture,
                 fixture_fetch (fixture, "Box", 7, items, 1, MM_REMOTE_PRIORITY_READ_AHEAD),
                 "item 0 QUOTA\ndone QUOTA\n");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  mm_remote_set_spent (fixture_get_remote (fixture), &after, 1);
  fixture_check (fixture, fixture_sync (fixture, "B", NULL), "done QUOTA\n");
}

/* What is on its way is as good as received. */
static void
test_daily_limit_counts_due (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  const MmFetchItem ranges[] = { { .uid = 3, .kind = MM_FETCH_RANGE, .length = 60000 },
                                 { .uid = 4, .kind = MM_FETCH_RANGE, .length = 60000 },
                                 { .uid = 5, .kind = MM_FETCH_RANGE, .length = 60000 } };

  fixture->config.connections = 1;
  fixture->config.daily_octets = 100000;
  scripted_server_add (fixture->server, HELLO ("") "C: EXAMINE *\nC: UID FETCH 3 *\nC: UID FETCH 4 *\n");
  for (guint i = 0; i < 2; i++)
    mm_remote_job_unref (
        fixture_fetch (fixture, "A", 7, &ranges[i], 1, MM_REMOTE_PRIORITY_DEMAND));
  fixture_check (fixture, fixture_fetch (fixture, "A", 7, &ranges[2], 1, MM_REMOTE_PRIORITY_DEMAND),
                 "item 0 QUOTA\ndone QUOTA\n");
  fixture_check (fixture,
                 fixture_fetch (fixture, "A", 7, &ranges[2], 1, MM_REMOTE_PRIORITY_READ_AHEAD),
                 "item 0 QUOTA\ndone QUOTA\n");
  scripted_server_wait_ended (fixture->server, 1);
}

/* ---- the end does not wait ---- */

static void
assert_closes_quickly (Fixture *fixture)
{
  gint64 started_us = g_get_monotonic_time ();

  fixture_close_remote (fixture);
  g_assert_cmpint (g_get_monotonic_time () - started_us, <, 5 * G_USEC_PER_SEC);
}

static void
test_end_while_waiting (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = 60000;
  scripted_server_add (fixture->server,
                       HELLO ("") "C: EXAMINE \"A\"*\n"
                                  "S: $T NO Suggested Backoff Time: 40000 milliseconds\n");
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  scripted_server_wait_ended (fixture->server, 1);
  g_usleep (200000); /* long enough for the answer to be read, or the test proves less */
  assert_closes_quickly (fixture);
  fixture_wait_done (fixture, 1);
  g_assert_null (strstr (fixture->log->str, "ok"));
}

static void
test_end_without_bandwidth (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.bandwidth = 1;
  fixture->config.answer_timeout_ms = 60000;
  scripted_server_add (fixture->server, "S: * OK ready\nC: *\nS: * CAPABILITY IMAP4rev1\nX");
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  g_usleep (200000); /* long enough for the bucket to be in debt, or the test proves less */
  assert_closes_quickly (fixture);
  fixture_wait_done (fixture, 1);
  fixture_check_log (fixture, "done CANCELLED\n");
  scripted_server_free (g_steal_pointer (&fixture->server));
}

/* ---- connections that died without a word ---- */

#define SILENCE_US (100 * (gint64) G_USEC_PER_SEC)

static void
test_silent_connection_proves_itself (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE_EMPTY ("A") "C: NOOP\nS: $T OK\n" EXAMINE_EMPTY ("B")
                           EXAMINE_EMPTY ("C"));
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  mm_clock_advance_for_test (SILENCE_US);
  fixture_check (fixture, fixture_sync (fixture, "B", NULL), EMPTY_TOLD);
  fixture_check (fixture, fixture_sync (fixture, "C", NULL), EMPTY_TOLD);
}

/* The job goes on with another connection, long before its answer would be overdue. */
static void
test_dead_connection_is_given_up (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = 1000000;
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A") "C: NOOP\nG never\nX");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("B"));
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  mm_clock_advance_for_test (SILENCE_US);
  fixture_check (fixture, fixture_sync (fixture, "B", NULL), EMPTY_TOLD);
  scripted_server_open_gate (fixture->server, "never");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/away/" NAME, FUNC)
  ADD ("jobs-fail-at-once", test_jobs_fail_at_once);
  ADD ("many-jobs-fail-at-once", test_many_jobs_fail_at_once);
  ADD ("demand-finds-the-server", test_demand_finds_the_server);
  ADD ("it-comes-back-by-itself", test_it_comes_back_by_itself);
  ADD ("hanging-try-is-not-waited-for", test_a_hanging_try_is_not_waited_for);
  g_test_add_func ("/remote/away/limit-of-one-message-spares-the-other", test_limit_of_one_message);
  g_test_add_func ("/remote/away/sleep-is-followed-by-a-try", test_sleep_is_followed_by_a_try);
  ADD ("offline-by-choice-connects-never", test_offline_by_choice);
  ADD ("unavailable-at-first-is-waited-for", test_unavailable_at_first);
  g_test_add_func ("/remote/wait/limit", test_limit);
  g_test_add_func ("/remote/wait/unavailable", test_unavailable);
  g_test_add_func ("/remote/wait/backoff-time", test_backoff_time);
  g_test_add_func ("/remote/wait/backoff-time-after-bad", test_backoff_time_after_bad);
  g_test_add_func ("/remote/wait/backoff-time-at-login", test_backoff_time_at_login);
  g_test_add_func ("/remote/wait/in-use", test_in_use);
  g_test_add_func ("/remote/wait/only-one-folder-is-in-use", test_only_one_folder_is_in_use);
  g_test_add_func ("/remote/wait/too-long-to-wait", test_too_long_to_wait);
  g_test_add_func ("/remote/wait/quota", test_quota);
  g_test_add_func ("/remote/wait/daily-limit", test_daily_limit);
  g_test_add_func ("/remote/wait/daily-limit-counts-what-is-on-its-way", test_daily_limit_counts_due);
  g_test_add_func ("/remote/wait/end-while-waiting", test_end_while_waiting);
  g_test_add_func ("/remote/wait/end-without-bandwidth", test_end_without_bandwidth);
  g_test_add_func ("/remote/away/silent-connection-proves-itself",
                   test_silent_connection_proves_itself);
  g_test_add_func ("/remote/away/dead-connection-is-given-up", test_dead_connection_is_given_up);
  return g_test_run ();
}
