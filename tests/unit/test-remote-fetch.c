// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-fixture.h"

#define BOX           "C: EXAMINE \"Box\"*\n"
#define EXAMINED(TAG) "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: " TAG " OK [READ-ONLY] x\n"

static const MmFetchItem three[] = { { .uid = 3 }, { .uid = 4 }, { .uid = 9 } };

static MmRemoteJob *
fetch (Fixture *fixture, const MmFetchItem *items, gsize n)
{
  return fixture_fetch (fixture, "Box", 7, items, n, MM_REMOTE_PRIORITY_DEMAND);
}

static void
check (const gchar *script, const MmFetchItem *items, gsize n, const gchar *expected)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree gchar *whole = g_strconcat (HELLO (""), script, NULL);

  scripted_server_add (fixture->server, whole);
  fixture_check (fixture, fetch (fixture, items, n), expected);
}

static void
test_whole (void)
{
  check (BOX "C: UID FETCH 3:4,9 (UID BODY.PEEK[])\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nabcde)\\r\\n\n"
                   "R: * 3 FETCH (UID 9 BODY[] \"xyz\")\\r\\n\n"
                   "R: * 2 FETCH (UID 4 BODY[] {0}\\r\\n)\\r\\n\nS: $T OK\n",
         three, 3,
         "begin 0 5\ndata 0 'abcde'\nitem 0 ok\n"
         "begin 2 3\ndata 2 'xyz'\nitem 2 ok\nbegin 1 0\nitem 1 ok\ndone ok\n");
}

static void
test_mailbox_stays_selected (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\n"
                "C: UID FETCH 4 *\nR: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, &three[0], 1),
                 "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n");
  fixture_check (fixture, fetch (fixture, &three[1], 1),
                 "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_uid_behind_body (void)
{
  check (BOX "C: UID FETCH 3:4,9 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (BODY[] {5}\\r\\nabcde UID 3)\\r\\n\n"
                   "R: * 2 FETCH (BODY[] {0}\\r\\n FLAGS () UID 4)\\r\\n\n"
                   "R: * 3 FETCH (BODY[] NIL UID 9)\\r\\n\nS: $T OK\n",
         three, 3,
         "begin 0 5\ndata 0 'abcde'\nitem 0 ok\nbegin 1 0\nitem 1 ok\n"
         "item 2 MESSAGE_GONE\ndone ok\n");
}

static void
test_other_answers_are_ignored (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 5 BODY[] {5}\\r\\nwrong)\\r\\n\n"
                   "R: * 1 FETCH (UID 3 BODY[]<0> {5}\\r\\nwrong)\\r\\n\n"
                   "R: * 1 FETCH (UID 3 BODY[TEXT] {5}\\r\\nwrong)\\r\\n\n"
                   "R: * 1 FETCH (BODY[] {5}\\r\\nwrong)\\r\\n\n"
                   "R: * 1 FETCH (UID 3 FLAGS ())\\r\\n\n"
                   "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nright)\\r\\n\n"
                   "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nagain)\\r\\n\nS: $T OK\n",
         three, 1, "begin 0 5\ndata 0 'right'\nitem 0 ok\ndone ok\n");
}

static void
test_nil_is_gone (void)
{
  check (BOX "C: UID FETCH 3:4,9 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[] NIL)\\r\\n\n"
                   "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\n"
                   "R: * 3 FETCH (UID 9 BODY[] {1}\\r\\nc)\\r\\n\nS: $T OK\n",
         three, 3,
         "item 0 MESSAGE_GONE\nbegin 1 1\ndata 1 'b'\nitem 1 ok\n"
         "begin 2 1\ndata 2 'c'\nitem 2 ok\ndone ok\n");
}

static void
test_not_answered_is_gone (void)
{
  check (BOX "C: UID FETCH 3:4 *\n" EXAMINED (
             "$U") "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n",
         three, 2, "begin 1 1\ndata 1 'b'\nitem 1 ok\nitem 0 MESSAGE_GONE\ndone ok\n");
}

/* The connection looked at the mailbox before the message came: look again before it is gone. */
static void
test_new_message_on_old_selection (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
                           "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\n"
                                 "C: UID FETCH 4,9 *\nS: $T OK\nC: NOOP\nC: UID FETCH 4,9 *\n"
                                 "S: * 4 EXISTS\nS: $U OK\n"
                                 "R: * 4 FETCH (UID 9 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, three, 1), "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n");
  fixture_check (fixture, fetch (fixture, &three[1], 2),
                 "begin 1 1\ndata 1 'b'\nitem 1 ok\nitem 0 MESSAGE_GONE\ndone ok\n");
}

static void
test_refused_neighbour (void)
{
  check (BOX "C: UID FETCH 3:4,9 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T NO one is broken\n"
                   "C: UID FETCH 4 *\nC: UID FETCH 9 *\nS: $U NO this one\n"
                   "R: * 3 FETCH (UID 9 BODY[] {1}\\r\\nc)\\r\\n\nS: $T OK\n",
         three, 3,
         "begin 0 1\ndata 0 'a'\nitem 0 ok\nitem 1 MESSAGE_BAD\n"
         "begin 2 1\ndata 2 'c'\nitem 2 ok\ndone ok\n");
}

static const MmFetchItem range
    = { .uid = 3, .kind = MM_FETCH_RANGE, .offset = 0, .length = 4, .probe_size = 10 };

static void
test_range_proved (void)
{
  check (BOX "C: UID FETCH 3 (UID BODY.PEEK[]<0.4> BODY.PEEK[]<9.2>)\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[]<0> {4}\\r\\nabcd BODY[]<9> {1}\\r\\nz)\\r\\n\nS: $T "
                   "OK\n",
         &range, 1, "begin 0 4\ndata 0 'abcd'\nitem 0 ok proved\ndone ok\n");
}

static void
test_range_disproved (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED ("$U") "R: * 1 FETCH (UID 3 BODY[]<9> {2}\\r\\nzz "
                                                  "BODY[]<0> {4}\\r\\nabcd)\\r\\n\nS: $T OK\n",
         &range, 1, "begin 0 4\ndata 0 'abcd'\nitem 0 ok disproved\ndone ok\n");
}

static void
test_range_probe_unanswered (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[]<0> {4}\\r\\nabcd)\\r\\n\nS: $T OK\n",
         &range, 1, "begin 0 4\ndata 0 'abcd'\nitem 0 ok disproved\ndone ok\n");
}

static void
test_range_over_the_end (void)
{
  const MmFetchItem over
      = { .uid = 3, .kind = MM_FETCH_RANGE, .offset = 8, .length = 4, .probe_size = 10 };

  check (BOX "C: UID FETCH 3 (UID BODY.PEEK[]<8.4>)\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[]<8> {2}\\r\\nyz)\\r\\n\nS: $T OK\n",
         &over, 1, "begin 0 2\ndata 0 'yz'\nitem 0 ok proved\ndone ok\n");
}

static void
test_range_not_honoured (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[] {10}\\r\\nabcdefghiz)\\r\\n\nS: $T OK\n",
         &range, 1, "item 0 MESSAGE_BAD\ndone ok\n");
}

static void
test_range_too_long (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED (
             "$U") "R: * 1 FETCH (UID 3 BODY[]<0> {5}\\r\\nabcde)\\r\\n\nS: $T OK\n",
         &range, 1, "item 0 MESSAGE_BAD\ndone ok\n");
}

/* Both begin at 0: their answers look alike, so they are never in flight together. */
static void
test_like_ranges_wait (void)
{
  const MmFetchItem items[] = {
    { .uid = 3, .kind = MM_FETCH_RANGE, .offset = 0, .length = 2 },
    { .uid = 3, .kind = MM_FETCH_RANGE, .offset = 0, .length = 4 },
    { .uid = 3, .kind = MM_FETCH_RANGE, .offset = 4, .length = 4 },
  };

  check (BOX
         "C: UID FETCH 3 (UID BODY.PEEK[]<0.2>)\nC: UID FETCH 3 (UID BODY.PEEK[]<4.4>)\n" EXAMINED (
             "$V") "R: * 1 FETCH (UID 3 BODY[]<0> {2}\\r\\nab)\\r\\n\nS: $U OK\n"
                   "R: * 1 FETCH (UID 3 BODY[]<4> {4}\\r\\nefgh)\\r\\n\nS: $T OK\n"
                   "C: UID FETCH 3 (UID BODY.PEEK[]<0.4>)\n"
                   "R: * 1 FETCH (UID 3 BODY[]<0> {4}\\r\\nabcd)\\r\\n\nS: $T OK\n",
         items, 3,
         "begin 0 2\ndata 0 'ab'\nitem 0 ok\nbegin 2 4\ndata 2 'efgh'\nitem 2 ok\n"
         "begin 1 4\ndata 1 'abcd'\nitem 1 ok\ndone ok\n");
}

/* Otherwise the answer to the one could end the other with nothing left for it. */
static void
test_like_commands_wait (void)
{
  const MmFetchItem items[] = {
    { .uid = 3, .kind = MM_FETCH_WHOLE },
    { .uid = 3, .kind = MM_FETCH_WHOLE },
    { .uid = 4, .kind = MM_FETCH_SIZE },
  };

  check (BOX "C: UID FETCH 3 (UID BODY.PEEK[])\nC: UID FETCH 4 (UID RFC822.SIZE)\n" EXAMINED (
             "$V") "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\nab)\\r\\n\nS: $U OK\n"
                   "S: * 2 FETCH (UID 4 RFC822.SIZE 9)\nS: $T OK\n"
                   "C: UID FETCH 3 (UID BODY.PEEK[])\n"
                   "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\nab)\\r\\n\nS: $T OK\n",
         items, 3,
         "begin 0 2\ndata 0 'ab'\nitem 0 ok\nbegin 2 9\nitem 2 ok\n"
         "begin 1 2\ndata 1 'ab'\nitem 1 ok\ndone ok\n");
}

static void
test_size_and_message_id (void)
{
  const MmFetchItem items[] = {
    { .uid = 3, .kind = MM_FETCH_SIZE },
    { .uid = 3, .kind = MM_FETCH_MESSAGE_ID },
  };

  check (BOX "C: UID FETCH 3 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n"
             "C: UID FETCH 3 (UID RFC822.SIZE)\n" EXAMINED (
                 "$V") "R: * 1 FETCH (UID 3 BODY[HEADER.FIELDS (MESSAGE-ID)] "
                       "{4}\\r\\na\\r\\n\\n)\\r\\n\nS: $U OK\n"
                       "S: * 1 FETCH (UID 3 RFC822.SIZE 123)\nS: $T OK\n",
         items, 2, "begin 1 4\ndata 1 'a\r\n\n'\nitem 1 ok\nbegin 0 123\nitem 0 ok\ndone ok\n");
}

static void
test_uidvalidity_changed (void)
{
  check (BOX "C: UID FETCH 3 *\n"
             "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 8] x\nS: $U OK\n"
             "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nother)\\r\\n\nS: $T OK\n",
         three, 1, "item 0 MAILBOX_CHANGED\ndone MAILBOX_CHANGED\n");
}

/* A server that keeps the old mailbox open after a failed EXAMINE serves another message's octets.
 */
static void
test_examine_refused (void)
{
  check (BOX "C: UID FETCH 3 *\nS: $U NO [NONEXISTENT] gone\n"
             "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nother)\\r\\n\nS: $T OK\n",
         three, 1, "item 0 MAILBOX_GONE\ndone MAILBOX_GONE\n");
}

static void
test_refused_because_it_is_gone (void)
{
  check (BOX "C: UID FETCH 3 *\n" EXAMINED ("$U") "S: $T NO [EXPUNGEISSUED] some are gone\n", three, 1,
         "item 0 MESSAGE_GONE\ndone ok\n");
  check (BOX "C: UID FETCH 3 *\n" EXAMINED (
             "$U") "S: $T NO UID FETCH Failed to parse message set\n",
         three, 1, "item 0 MESSAGE_GONE\ndone ok\n");
  check (BOX "C: UID FETCH 3 *\n" EXAMINED ("$U") "S: $T NO not today\n", three, 1,
         "item 0 MESSAGE_BAD\ndone ok\n");
}

/* GNU Mailutils says so of a message that this connection has not heard of yet, too. */
static void
test_refused_before_the_server_looked (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\n"
                "C: UID FETCH 4 *\nS: $T NO UID FETCH Failed to parse message set\n"
                "C: NOOP\nS: $T OK\nC: UID FETCH 4 *\n"
                "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, &three[0], 1),
                 "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n");
  fixture_check (fixture, fetch (fixture, &three[1], 1),
                 "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_cut_in_literal (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") BOX "C: UID FETCH 3:4,9 *\n" EXAMINED (
                                            "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\n"
                                                  "R: * 2 FETCH (UID 4 BODY[] {5}\\r\\nab\nX");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 9 *\n" EXAMINED (
                           "$U") "R: * 3 FETCH (UID 9 BODY[] {1}\\r\\nc)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, three, 3),
                 "begin 0 1\ndata 0 'a'\nitem 0 ok\nbegin 1 5\ndata 1 'ab'\n"
                 "item 1 CONNECTION_LOST\nbegin 2 1\ndata 2 'c'\nitem 2 ok\ndone ok\n");
}

static void
test_nonsense_spares_neighbours (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") BOX
                       "C: UID FETCH 3:4,9 *\n" EXAMINED ("$U") "S: * 2 FETCH ]]]\nW");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
                           "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\n"
                                 "C: UID FETCH 4 *\nS: * 2 FETCH ]]]\nW");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 9 *\n" EXAMINED (
                           "$U") "R: * 3 FETCH (UID 9 BODY[] {1}\\r\\nc)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, three, 3),
                 "begin 0 1\ndata 0 'a'\nitem 0 ok\nitem 1 PROTOCOL\n"
                 "begin 2 1\ndata 2 'c'\nitem 2 ok\ndone ok\n");
}

static void
test_message_that_ends_connections (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") BOX "C: UID FETCH 3:4 *\n" EXAMINED ("$U") "X");
  scripted_server_add (fixture->server, HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED ("$U") "X");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 4 *\n" EXAMINED (
                           "$U") "R: * 3 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, three, 2),
                 "item 0 CONNECTION_LOST\nbegin 1 1\ndata 1 'b'\nitem 1 ok\ndone ok\n");
}

static void
test_idle_connection_was_dead (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {1}\\r\\na)\\r\\n\nS: $T OK\nC: UID FETCH 4 *\nX");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 4 *\n" EXAMINED (
                           "$U") "R: * 2 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  fixture_check (fixture, fetch (fixture, three, 1), "begin 0 1\ndata 0 'a'\nitem 0 ok\ndone ok\n");
  fixture_check (fixture, fetch (fixture, &three[1], 1),
                 "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
}

static void
test_stalled_literal (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = 300;
  scripted_server_add (fixture->server, HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
                                            "$U") "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nab\nW");
  fixture_check (fixture, fetch (fixture, three, 1),
                 "begin 0 5\ndata 0 'ab'\nitem 0 TIMEOUT\ndone ok\n");
}

static void
test_cancel_running (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
          "$U") "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nab\nG cancelled\nR: cde)\\r\\n\nS: $T OK\n"
                "C: UID FETCH 3 *\n"
                "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nfresh)\\r\\n\nS: $T OK\n");
  MmRemoteJob *job = fetch (fixture, three, 1);
  fixture_wait_lines (fixture, 2);
  mm_remote_job_cancel (job);
  fixture_check (fixture, job, "begin 0 5\ndata 0 'ab'\nitem 0 CANCELLED\ndone CANCELLED\n");
  /* What is left of the old answer is not taken for the new one. */
  job = fetch (fixture, three, 1);
  scripted_server_open_gate (fixture->server, "cancelled");
  fixture_check (fixture, job, "begin 0 5\ndata 0 'fresh'\nitem 0 ok\ndone ok\n");
}

/* The answer that nobody wants stalls: the next job goes to another connection before it is late.
 */
static void
test_stalled_cancelled_answer (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") BOX "C: UID FETCH 3 *\n" EXAMINED (
                                            "$U") "R: * 1 FETCH (UID 3 BODY[] {5}\\r\\nab\nW");
  scripted_server_add (fixture->server,
                       HELLO ("") BOX "C: UID FETCH 4 *\n" EXAMINED (
                           "$U") "R: * 1 FETCH (UID 4 BODY[] {1}\\r\\nb)\\r\\n\nS: $T OK\n");
  MmRemoteJob *job = fetch (fixture, three, 1);
  fixture_wait_lines (fixture, 2);
  mm_remote_job_cancel (job);
  fixture_check (fixture, job, "begin 0 5\ndata 0 'ab'\nitem 0 CANCELLED\ndone CANCELLED\n");
  gint64 started = g_get_monotonic_time ();
  fixture_check (fixture, fetch (fixture, &three[1], 1),
                 "begin 0 1\ndata 0 'b'\nitem 0 ok\ndone ok\n");
  g_assert_cmpint (g_get_monotonic_time () - started, <, 5 * G_USEC_PER_SEC);
}

static void
test_nothing (void)
{
  check ("", NULL, 0, "done ok\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/fetch/" NAME, FUNC)
  ADD ("whole-messages-share-one-command", test_whole);
  ADD ("mailbox-stays-selected", test_mailbox_stays_selected);
  ADD ("uid-behind-the-body", test_uid_behind_body);
  ADD ("answers-not-asked-for-are-ignored", test_other_answers_are_ignored);
  ADD ("nil-is-gone", test_nil_is_gone);
  ADD ("ok-without-answer-is-gone", test_not_answered_is_gone);
  ADD ("new-message-on-an-old-selection-is-found", test_new_message_on_old_selection);
  ADD ("refused-message-spares-its-neighbours", test_refused_neighbour);
  ADD ("range-and-probe-prove-the-size", test_range_proved);
  ADD ("range-and-probe-disprove-the-size", test_range_disproved);
  ADD ("probe-without-answer-disproves", test_range_probe_unanswered);
  ADD ("range-over-the-end-is-its-own-probe", test_range_over_the_end);
  ADD ("range-answered-whole-is-bad", test_range_not_honoured);
  ADD ("range-answered-too-long-is-bad", test_range_too_long);
  ADD ("ranges-that-look-alike-wait", test_like_ranges_wait);
  ADD ("commands-that-look-alike-wait", test_like_commands_wait);
  ADD ("size-and-message-id", test_size_and_message_id);
  ADD ("new-uidvalidity-ends-the-job", test_uidvalidity_changed);
  ADD ("failed-examine-takes-no-octets", test_examine_refused);
  ADD ("refused-because-it-is-gone", test_refused_because_it_is_gone);
  ADD ("refused-before-the-server-looked", test_refused_before_the_server_looked);
  ADD ("cut-in-a-literal-loses-that-item-only", test_cut_in_literal);
  ADD ("nonsense-about-one-message-spares-its-neighbours", test_nonsense_spares_neighbours);
  ADD ("message-that-ends-connections-spares-its-neighbours", test_message_that_ends_connections);
  ADD ("dead-idle-connection-is-replaced", test_idle_connection_was_dead);
  ADD ("stalled-literal-is-a-timeout", test_stalled_literal);
  ADD ("cancelled-answer-is-not-taken-for-another", test_cancel_running);
  ADD ("stalled-cancelled-answer-holds-up-nobody", test_stalled_cancelled_answer);
  ADD ("no-items-is-done", test_nothing);
  return g_test_run ();
}
