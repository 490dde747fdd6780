// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches: IDLE in one mailbox, NOTIFY for all. A script's end is reached only when the client sent
 * what stands there, in that order, and nothing between.
 */
#include <mailmount/clock.h>

#include "remote-fixture.h"

/* clang-format off */

#define EXAMINE(NAME) "C: EXAMINE \"" NAME "\"*\n"
#define OPENED(TAG, EXISTS)                                                                        \
  "S: * " EXISTS " EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 30] x\n"                     \
  "S: " TAG " OK [READ-ONLY] x\n"
#define IDLE "C: IDLE\nS: + idling\n"
#define DONE "C: DONE\nS: $T OK enough\n"
#define BEGUN EXAMINE ("A") OPENED ("$T", "3") IDLE
#define BEGUN_TOLD "watching v7 u30 m0 n3\n"
/* The STATUS tells the test that the server idles. */
#define NOTIFIED "C: NOTIFY SET *\nS: $T OK x\n" IDLE "S: * STATUS Z (UIDNEXT 2)\n"
#define NOTIFIED_TOLD "watching\nchanged Z v0 u2 m0 n?\n"

/* clang-format on */

/* A watch takes one connection of these, and one is made. */
static Fixture *
watching_fixture_new (const gchar *script)
{
  Fixture *fixture = fixture_new ();

  fixture->config.connections = 3;
  fixture_write_changes (fixture);
  scripted_server_add (fixture->server, script);
  return fixture;
}

static void
check_lines (Fixture *fixture, guint n, const gchar *expected)
{
  fixture_wait_lines (fixture, n);
  fixture_check_log (fixture, expected);
}

static void
close_and_check (Fixture *fixture, MmRemoteJob *job)
{
  fixture_close_remote (fixture);
  fixture_check (fixture, job, "done CANCELLED\n");
}

/* ---- IDLE ---- */

/* Silence in IDLE is neither a lack of an answer nor a reason to close. */
static void
test_changes_are_told (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 3;
  fixture->config.answer_timeout_ms = 300;
  fixture->config.idle_close_ms = 100;
  fixture_write_changes (fixture);
  scripted_server_add (fixture->server,
                       HELLO ("IDLE") BEGUN "G new\nS: * 4 EXISTS\nG gone\nS: * 1 EXPUNGE\nG flag\n"
                                            "S: * 2 FETCH (FLAGS (\\Seen))\n" DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");
  check_lines (fixture, 1, BEGUN_TOLD);
  g_usleep (600000); /* longer than both, or the test proves less */
  scripted_server_open_gate (fixture->server, "new");
  check_lines (fixture, 1, "changed A\n");
  scripted_server_open_gate (fixture->server, "gone");
  check_lines (fixture, 1, "changed A\n");
  scripted_server_open_gate (fixture->server, "flag");
  check_lines (fixture, 1, "changed A\n");
  close_and_check (fixture, watch);
}

static void
test_gives_way_to_another_folder (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") BEGUN "C: DONE\n" EXAMINE ("B") "S: $U OK enough\n" OPENED ("$T", "0")
          EXAMINE ("A") OPENED ("$T", "5") IDLE DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  fixture_check (fixture, fixture_sync (fixture, "B", NULL),
                 "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\n");
  check_lines (fixture, 1, "watching v7 u30 m0 n5\n");
  close_and_check (fixture, watch);
}

static void
test_gives_way_in_the_same_folder (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") BEGUN "C: DONE\nC: UID FETCH 3 *\nS: $U OK enough\n"
                           "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\n" IDLE DONE);
  const MmFetchItem item = { .uid = 3 };
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  fixture_check (fixture, fixture_fetch (fixture, "A", 7, &item, 1, MM_REMOTE_PRIORITY_DEMAND),
                 "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n");
  check_lines (fixture, 1, "watching\n");
  close_and_check (fixture, watch);
}

/* What is asked before the server took IDLE follows as soon as it did. */
static void
test_gives_way_before_it_began (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") EXAMINE ("A") OPENED ("$T", "3") "C: IDLE\nS: * 4 EXISTS\nG asked\nS: + idling\nC: DONE\n"
          EXAMINE ("B") "S: $U OK enough\n" OPENED ("$T", "0") EXAMINE ("A") OPENED ("$T", "3")
          IDLE DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, "changed A\n"); /* the server has IDLE */
  MmRemoteJob *sync = fixture_sync (fixture, "B", NULL);
  scripted_server_open_gate (fixture->server, "asked");
  fixture_wait_lines (fixture, 5);
  mm_remote_job_unref (sync);
  fixture_check_log (fixture, "watching\n"
                     "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\n" BEGUN_TOLD);
  close_and_check (fixture, watch);
}

static void
check_refused (const gchar *script, const gchar *mailbox, const gchar *expected)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (script);

  fixture_check (fixture, fixture_watch (fixture, mailbox), expected);
}

static void
test_refused (void)
{
  check_refused (HELLO (""), "A", "done UNSUPPORTED\n");
  check_refused (HELLO ("IDLE") EXAMINE ("A") OPENED ("$T", "3") "C: IDLE\nS: $T BAD what?\n", "A",
                 "done UNSUPPORTED\n");
  check_refused (HELLO ("IDLE") EXAMINE ("A") OPENED ("$T", "3") "C: IDLE\nS: $T NO never\n", "A",
                 "done UNSUPPORTED\n");
  check_refused (HELLO ("IDLE") EXAMINE ("A") "S: $T NO [NONEXISTENT] x\n", "A",
                 "done MAILBOX_GONE\n");
}

static void
test_connection_is_lost (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (HELLO ("IDLE") BEGUN "G now\nX");
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  scripted_server_open_gate (fixture->server, "now");
  fixture_check (fixture, watch, "done CONNECTION_LOST\n");
}

static void
test_server_is_away (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 3;
  g_clear_pointer (&fixture->server, scripted_server_free);
  fixture_check (fixture, fixture_watch (fixture, "A"), "done OFFLINE\n");
  fixture_check (fixture, fixture_watch (fixture, NULL), "done OFFLINE\n");
}

static void
test_cancel (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (HELLO ("IDLE") BEGUN DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  mm_remote_job_cancel (watch);
  fixture_check (fixture, watch, "done CANCELLED\n");
  scripted_server_wait_ended (fixture->server, 1);
}

/* The clock runs ahead of IDLE's time. */
static void
test_begins_anew (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") BEGUN "G late\nS: * 4 EXISTS\n" DONE IDLE DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  mm_clock_advance_for_test (10 * 60 * (gint64) G_USEC_PER_SEC);
  scripted_server_open_gate (fixture->server, "late");
  check_lines (fixture, 2, "changed A\nwatching\n");
  close_and_check (fixture, watch);
}

/* A sleep is noticed within seconds: the server must show that it is there. */
static void
test_gives_proof_after_a_sleep (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") BEGUN "C: DONE\nC: NOOP\nS: $U OK enough\nS: $T OK\n" IDLE DONE);
  MmRemoteJob *watch = fixture_watch (fixture, "A");

  check_lines (fixture, 1, BEGUN_TOLD);
  mm_clock_advance_for_test (60 * G_USEC_PER_SEC);
  check_lines (fixture, 1, "watching\n");
  close_and_check (fixture, watch);
}

/* ---- how many ---- */

static void
test_none_of_two_connections (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 2;
  fixture_check (fixture, fixture_watch (fixture, "A"), "done UNSUPPORTED\n");
  /* The server has no script, and would have failed the test. */
}

/* The second waits until the first is over, and needs no connection of its own then. */
static void
test_one_of_three_connections (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE") BEGUN "C: DONE\n" EXAMINE ("B") "S: $U OK enough\n" OPENED ("$T", "3") IDLE
          DONE);
  MmRemoteJob *first = fixture_watch (fixture, "A");
  check_lines (fixture, 1, BEGUN_TOLD);
  MmRemoteJob *second = fixture_watch (fixture, "B");
  MmRemoteJob *third = fixture_watch (fixture, "C");

  mm_remote_job_cancel (third);
  fixture_check (fixture, third, "done CANCELLED\n");
  mm_remote_job_cancel (first);
  fixture_wait_lines (fixture, 2);
  mm_remote_job_unref (first);
  fixture_check_log (fixture, "done CANCELLED\n" BEGUN_TOLD);
  close_and_check (fixture, second);
}

/* ---- NOTIFY ---- */

static void
test_all_folders (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE NOTIFY") NOTIFIED
      "G status\nS: * STATUS \"B\" (MESSAGES 4 UIDNEXT 9)\nS: * STATUS inbox (UIDNEXT 3)\n"
      "G list\nS: * LIST () \"/\" \"New\"\n" DONE);
  MmRemoteJob *watch = fixture_watch (fixture, NULL);

  check_lines (fixture, 2, NOTIFIED_TOLD);
  scripted_server_open_gate (fixture->server, "status");
  check_lines (fixture, 2, "changed B v0 u9 m0 n4\nchanged INBOX v0 u3 m0 n?\n");
  scripted_server_open_gate (fixture->server, "list");
  check_lines (fixture, 1, "changed names\n");
  close_and_check (fixture, watch);
}

/* It needs no connection for itself, and is told once that it began. What a list tells is no news. */
static void
test_all_folders_on_the_only_connection (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture_write_changes (fixture);
  scripted_server_add (fixture->server,
                       HELLO ("IDLE NOTIFY") NOTIFIED
                       "C: DONE\nC: LIST *\nC: LSUB *\nS: $V OK enough\n"
                       "S: * LIST (\\Noselect) \"/\" A\nS: $U OK\nS: $T OK\n" IDLE
                       "G status\nS: * STATUS B (MESSAGES 1)\n" DONE);
  MmRemoteJob *watch = fixture_watch (fixture, NULL);
  check_lines (fixture, 2, NOTIFIED_TOLD);
  MmRemoteJob *list = fixture_list (fixture);
  fixture_wait_done (fixture, 1);
  mm_remote_job_unref (list);
  fixture_check_log (fixture, "mailbox 'A' / 1 v0 u0 m0 n?\ndone ok\n");
  scripted_server_open_gate (fixture->server, "status");
  check_lines (fixture, 1, "changed B v0 u0 m0 n1\n");
  close_and_check (fixture, watch);
}

/* The open folder changes before another one is opened: that it did is told by nobody later. */
static void
test_all_folders_last_news_of_one_that_is_left (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture_write_changes (fixture);
  scripted_server_add (fixture->server,
                       HELLO ("IDLE NOTIFY") NOTIFIED
                       "C: DONE\n" EXAMINE ("A") "S: $U OK enough\n" OPENED ("$T", "0")
                       "C: NOOP\n" EXAMINE ("B") "S: * 1 EXISTS\nS: $U OK\n" OPENED ("$T", "0")
                       IDLE "S: * STATUS Z (UIDNEXT 3)\n" DONE);
  MmRemoteJob *watch = fixture_watch (fixture, NULL);
  check_lines (fixture, 2, NOTIFIED_TOLD);
  MmRemoteJob *first = fixture_sync (fixture, "A", NULL);
  MmRemoteJob *second = fixture_sync (fixture, "B", NULL);
  fixture_wait_lines (fixture, 8);
  mm_remote_job_unref (first);
  mm_remote_job_unref (second);
  fixture_check_log (fixture,
                     "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\nchanged A\n"
                     "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\nchanged Z v0 u3 m0 n?\n");
  close_and_check (fixture, watch);
}

/* Whoever wants to know more has to begin again. */
static void
test_all_folders_overflow (void)
{
  g_autoptr (Fixture) fixture = watching_fixture_new (
      HELLO ("IDLE NOTIFY") NOTIFIED "G now\nS: * OK [NOTIFICATIONOVERFLOW] too much\n" DONE NOTIFIED
          DONE);
  MmRemoteJob *watch = fixture_watch (fixture, NULL);

  check_lines (fixture, 2, NOTIFIED_TOLD);
  scripted_server_open_gate (fixture->server, "now");
  fixture_check (fixture, watch, "done LIMIT\n");
  watch = fixture_watch (fixture, NULL);
  check_lines (fixture, 2, NOTIFIED_TOLD);
  close_and_check (fixture, watch);
}

static void
test_all_folders_refused (void)
{
  check_refused (HELLO ("IDLE"), NULL, "done UNSUPPORTED\n");
  check_refused (HELLO ("NOTIFY"), NULL, "done UNSUPPORTED\n");
  check_refused (HELLO ("IDLE NOTIFY") "C: NOTIFY *\nS: $T NO [BADEVENT (MessageNew)] x\n", NULL,
                 "done UNSUPPORTED\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/watch/" NAME, FUNC)
  ADD ("changes-are-told", test_changes_are_told);
  ADD ("gives-way-to-another-folder", test_gives_way_to_another_folder);
  ADD ("gives-way-in-the-same-folder", test_gives_way_in_the_same_folder);
  ADD ("gives-way-before-it-began", test_gives_way_before_it_began);
  ADD ("refused", test_refused);
  ADD ("connection-is-lost", test_connection_is_lost);
  ADD ("server-is-away", test_server_is_away);
  ADD ("cancel", test_cancel);
  ADD ("begins-anew", test_begins_anew);
  ADD ("gives-proof-after-a-sleep", test_gives_proof_after_a_sleep);
  ADD ("none-of-two-connections", test_none_of_two_connections);
  ADD ("one-of-three-connections", test_one_of_three_connections);
  ADD ("all-folders", test_all_folders);
  ADD ("all-folders-on-the-only-connection", test_all_folders_on_the_only_connection);
  ADD ("all-folders-last-news-of-one-that-is-left", test_all_folders_last_news_of_one_that_is_left);
  ADD ("all-folders-overflow", test_all_folders_overflow);
  ADD ("all-folders-refused", test_all_folders_refused);
  return g_test_run ();
}
