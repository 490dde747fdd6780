// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "remote-fixture.h"

#define BOX(NAME)     "C: EXAMINE \"" NAME "\"*\n"
#define EXAMINED(TAG) "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: " TAG " OK [READ-ONLY] x\n"
#define EXAMINE_EMPTY(NAME)                                                                        \
  BOX (NAME) "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 1] x\nS: $T OK x\n"
#define EMPTY_TOLD "opened v7 u1 m0 n0\nstate v7 u1 m0 n0\ndone ok\n"

static const MmFetchItem item_3 = { .uid = 3 }, item_4 = { .uid = 4 };

static MmRemoteJob *
fetch (Fixture *fixture, const gchar *mailbox, const MmFetchItem *item, MmRemotePriority priority)
{
  return fixture_fetch (fixture, mailbox, 7, item, 1, priority);
}

static void
test_offline (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  ScriptedServer *gone = scripted_server_new ();

  fixture->config.endpoint.port = scripted_server_get_port (gone);
  scripted_server_free (gone);
  fixture_check (fixture, fixture_list (fixture), "done OFFLINE\n");
  fixture_check (fixture, fetch (fixture, "Box", &item_3, MM_REMOTE_PRIORITY_DEMAND),
                 "item 0 OFFLINE\ndone OFFLINE\n");
}

static void
test_cut_while_logging_in (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, "S: * OK ready\nC: CAPABILITY\nX");
  scripted_server_add (fixture->server,
                       "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
                       "C: LOGIN *\nX");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("A"));
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
}

static void
test_fetches_share_a_connection (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BOX ("Box") "C: UID FETCH 3 *\n" EXAMINED (
                           "$U") "C: UID FETCH 4 *\n"
                                 "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $U OK\n"
                                 "R: * 1 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  mm_remote_job_unref (fetch (fixture, "Box", &item_3, MM_REMOTE_PRIORITY_DEMAND));
  mm_remote_job_unref (fetch (fixture, "Box", &item_4, MM_REMOTE_PRIORITY_DEMAND));
  fixture_wait_done (fixture, 2);
  fixture_check_log (fixture, "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n"
                              "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_demand_overtakes_read_ahead (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 2;
  scripted_server_add (
      fixture->server,
      HELLO ("") BOX ("Box") "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\na\nG demand\nR: z)\\r\\n\nS: $T OK\n");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX ("Box") "C: UID FETCH 4 *\n" EXAMINED (
                           "$U") "R: * 1 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  mm_remote_job_unref (fetch (fixture, "Box", &item_3, MM_REMOTE_PRIORITY_READ_AHEAD));
  fixture_wait_lines (fixture, 2);
  mm_remote_job_unref (fetch (fixture, "Box", &item_4, MM_REMOTE_PRIORITY_DEMAND));
  fixture_wait_done (fixture, 1);
  scripted_server_open_gate (fixture->server, "demand");
  fixture_wait_done (fixture, 2);
  fixture_check_log (fixture, "begin 0 2\ndata 0 'a'\nbegin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n"
                              "data 0 'z'\nitem 0 ok\ndone ok\n");
}

/* One connection is no read-ahead's, even when it is idle: what is read ahead in another mailbox goes
 * behind what is. */
static void
test_read_ahead_leaves_one_connection (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 2;
  scripted_server_add (
      fixture->server,
      HELLO ("") BOX ("A") "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\na\n" BOX ("B") "C: UID FETCH 4 *\nG end\n"
                "R: z)\\r\\n\nS: $V OK\n" EXAMINED (
                    "$U") "R: * 1 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE_EMPTY ("C") EXAMINE_EMPTY ("D"));
  mm_remote_job_unref (fetch (fixture, "A", &item_3, MM_REMOTE_PRIORITY_READ_AHEAD));
  fixture_wait_lines (fixture, 2);
  mm_remote_job_unref (fixture_sync (fixture, "C", NULL));
  fixture_wait_done (fixture, 1);
  mm_remote_job_unref (fetch (fixture, "B", &item_4, MM_REMOTE_PRIORITY_READ_AHEAD));
  mm_remote_job_unref (fixture_sync (fixture, "D", NULL));
  fixture_wait_done (fixture, 2);
  scripted_server_open_gate (fixture->server, "end");
  fixture_wait_done (fixture, 4);
  fixture_check_log (fixture, "begin 0 2\ndata 0 'a'\n" EMPTY_TOLD EMPTY_TOLD
                              "data 0 'z'\nitem 0 ok\ndone ok\n"
                              "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_second_connection_refused (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.connections = 4;
  scripted_server_add (fixture->server,
                       HELLO ("") BOX ("A") "G refused\n"
                                            "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK "
                                            "[UIDNEXT 1] x\nS: $T OK\n" EXAMINE_EMPTY ("B")
                                                EXAMINE_EMPTY ("C"));
  scripted_server_add (fixture->server,
                       "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
                       "C: LOGIN *\nS: $T NO [LIMIT] too many connections\nX");
  g_assert_true (mm_remote_connect (fixture_get_remote (fixture), NULL));
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  mm_remote_job_unref (fixture_sync (fixture, "B", NULL));
  scripted_server_wait_ended (fixture->server, 1);
  scripted_server_open_gate (fixture->server, "refused");
  fixture_wait_done (fixture, 2);
  mm_remote_job_unref (fixture_sync (fixture, "C", NULL));
  fixture_wait_done (fixture, 3);
  fixture_check_log (fixture, EMPTY_TOLD EMPTY_TOLD EMPTY_TOLD);
}

/* A stream of fetches in one mailbox must not keep another mailbox waiting. */
static void
test_other_mailbox_gets_its_turn (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX ("A") "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\na\n" BOX ("B") "R: z)\\r\\n\nS: $U OK\nG queued\n"
                "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 1] x\nS: $T OK x\n"
                    BOX ("A") "C: UID FETCH 4 *\n" EXAMINED (
                        "$U") "R: * 1 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  mm_remote_job_unref (fetch (fixture, "A", &item_3, MM_REMOTE_PRIORITY_DEMAND));
  fixture_wait_lines (fixture, 2);
  mm_remote_job_unref (fixture_sync (fixture, "B", NULL));
  fixture_wait_done (fixture, 1); /* B has the turn */
  mm_remote_job_unref (fetch (fixture, "A", &item_4, MM_REMOTE_PRIORITY_DEMAND));
  scripted_server_open_gate (fixture->server, "queued");
  fixture_wait_done (fixture, 3);
  fixture_check_log (fixture, "begin 0 2\ndata 0 'az'\nitem 0 ok\ndone ok\n" EMPTY_TOLD
                              "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_idle_connection_closes (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.idle_close_ms = 100;
  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE_EMPTY ("A") "C: LOGOUT\nS: * BYE\nS: $T OK\nX");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  scripted_server_wait_ended (fixture->server, 1);
  /* And the next job opens another. */
  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE_EMPTY ("A") "C: LOGOUT\nS: * BYE\nS: $T OK\nX");
  fixture_check (fixture, fixture_sync (fixture, "A", NULL), EMPTY_TOLD);
  scripted_server_wait_ended (fixture->server, 2);
}

static void
test_cancel_queued (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("")
          BOX ("A") "G cancelled\n"
                    "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 1] x\nS: $T OK\n");
  g_autoptr (MmRemoteJob) a = fixture_sync (fixture, "A", NULL);
  g_autoptr (MmRemoteJob) b = fixture_sync (fixture, "B", NULL);
  mm_remote_job_cancel (b);
  fixture_wait_done (fixture, 1);
  fixture_check_log (fixture, "done CANCELLED\n");
  scripted_server_open_gate (fixture->server, "cancelled");
  fixture_wait_done (fixture, 1);
  fixture_check_log (fixture, EMPTY_TOLD);
  mm_remote_job_cancel (a); /* too late is no error */
}

static void
test_close_cancels_all (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BOX ("A") "C: UID FETCH 3 *\n" EXAMINED (
                           "$U") "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\na\nC: LOGOUT\nX");
  g_autoptr (MmRemoteJob) a = fetch (fixture, "A", &item_3, MM_REMOTE_PRIORITY_DEMAND);
  fixture_wait_lines (fixture, 2);
  mm_remote_job_unref (fixture_list (fixture));
  gint64 started = g_get_monotonic_time ();
  fixture_close_remote (fixture);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 3 * G_USEC_PER_SEC);
  /* The two end on two threads. */
  g_assert_cmpuint (fixture->n_done, ==, 2);
  g_assert_null (strstr (fixture->log->str, "ok"));
  mm_remote_job_cancel (a);
}

static void
test_close_while_connecting (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  /* A server that accepts and never greets. */
  scripted_server_add (fixture->server, "");
  mm_remote_job_unref (fixture_list (fixture));
  scripted_server_wait_ended (fixture->server, 1);
  gint64 started = g_get_monotonic_time ();
  fixture_close_remote (fixture);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 3 * G_USEC_PER_SEC);
  fixture_wait_done (fixture, 1);
  fixture_check_log (fixture, "done CANCELLED\n");
}

static void
test_never_used (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture_get_remote (fixture);
}

static void
note_change (const gchar *mailbox, const MmMailboxState *state, gpointer user_data)
{
  gchar **seen = user_data;

  g_atomic_pointer_set (seen, g_strdup (mailbox));
}

static void
test_change_is_told (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  gchar *seen = NULL;

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX ("Box") "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: * 4 EXISTS\nS: $T OK\n");
  mm_remote_set_change_func (fixture_get_remote (fixture), note_change, &seen);
  mm_remote_job_unref (fetch (fixture, "Box", &item_3, MM_REMOTE_PRIORITY_DEMAND));
  fixture_wait_done (fixture, 1);
  fixture_close_remote (fixture);
  g_assert_cmpstr (seen, ==, "Box");
  g_free (seen);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/pool/" NAME, FUNC)
  ADD ("no-server-is-offline", test_offline);
  ADD ("cut-while-logging-in-is-tried-again", test_cut_while_logging_in);
  ADD ("fetches-of-one-mailbox-share-a-connection", test_fetches_share_a_connection);
  ADD ("demand-overtakes-read-ahead", test_demand_overtakes_read_ahead);
  ADD ("read-ahead-leaves-one-connection", test_read_ahead_leaves_one_connection);
  ADD ("refused-connection-shrinks-the-pool", test_second_connection_refused);
  ADD ("other-mailbox-gets-its-turn", test_other_mailbox_gets_its_turn);
  ADD ("idle-connection-logs-out", test_idle_connection_closes);
  ADD ("cancel-while-queued", test_cancel_queued);
  ADD ("close-cancels-all-and-logs-out", test_close_cancels_all);
  ADD ("close-while-connecting", test_close_while_connecting);
  ADD ("close-without-use", test_never_used);
  ADD ("unasked-change-is-told", test_change_is_told);
  return g_test_run ();
}
