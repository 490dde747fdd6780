// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Several mailboxes in turn on one connection. The server answers only when everything that is to
 * go out together has come, so that a client that waits for an answer in between waits for ever.
 */
#include <string.h>

#include "remote-fixture.h"

/* clang-format off */

#define EXAMINE(NAME) "C: EXAMINE \"" NAME "\"*\n"
#define OPENED(TAG, EXISTS, VALIDITY)                                                              \
  "S: * " EXISTS " EXISTS\nS: * OK [UIDVALIDITY " VALIDITY "] x\nS: * OK [UIDNEXT 30] x\n"          \
  "S: " TAG " OK [READ-ONLY] x\n"
#define BODY(UID, BODY) "R: * 1 FETCH (UID " UID " BODY[] {1}\\r\\n" BODY ")\\r\\n\n"
#define TOLD(BODY) "begin 0 1\ndata 0 '" BODY "'\nitem 0 ok\ndone ok\n"
/* A fetch of message 3 in A is under way. */
#define BEGUN                                                                                      \
  EXAMINE ("A") "C: UID FETCH 3 *\n" OPENED ("$U", "3", "7")                                       \
  "R: * 1 FETCH (UID 3 BODY[] {2}\\r\\na\n"
#define REST(TAG) "R: z)\\r\\n\nS: " TAG " OK\n"
#define BEGUN_TOLD "begin 0 2\ndata 0 'az'\nitem 0 ok\ndone ok\n"
#define LISTED(UID)                                                                                \
  "S: * 1 FETCH (UID " UID " FLAGS () INTERNALDATE \" 1-Jan-2000 00:00:00 +0000\" RFC822.SIZE 9)\n"
#define LISTED_TOLD(UID) "message " UID " size 9 date 946684800 0 '' ''\n"

static const MmFetchItem item_3 = { .uid = 3 }, item_4 = { .uid = 4 }, item_5 = { .uid = 5 };

static void
fetch (Fixture *fixture, const gchar *mailbox, const MmFetchItem *item, MmRemotePriority priority)
{
  mm_remote_job_unref (fixture_fetch (fixture, mailbox, 7, item, 1, priority));
}

static void
demand (Fixture *fixture, const gchar *mailbox, const MmFetchItem *item)
{
  fetch (fixture, mailbox, item, MM_REMOTE_PRIORITY_DEMAND);
}

/* A fetch of message 3 in A is under way, and has brought an octet. */
static void
begin (Fixture *fixture)
{
  demand (fixture, "A", &item_3);
  fixture_wait_lines (fixture, 2);
}

static void
check_done (Fixture *fixture, guint n, const gchar *expected)
{
  fixture_wait_done (fixture, n);
  fixture_check_log (fixture, expected);
}

static void
test_behind_unanswered (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 4 *\n" REST ("$V")
                       OPENED ("$U", "3", "7") BODY ("4", "b") "S: $T OK\n");
  begin (fixture);
  demand (fixture, "B", &item_4);
  check_done (fixture, 2, BEGUN_TOLD TOLD ("b"));
}

/* The same message of A comes twice before B is open, and is not taken for B's. */
static void
test_data_is_the_mailboxs (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 3 *\n" "R: z)\\r\\n\n" BODY ("3", "x")
                       "S: $V OK\n" BODY ("3", "y") OPENED ("$U", "3", "7") BODY ("3", "b") "S: $T OK\n");
  begin (fixture);
  demand (fixture, "B", &item_3);
  check_done (fixture, 2, BEGUN_TOLD TOLD ("b"));
}

/* What was sent behind it fails as well, and so nobody may take an answer; A is selected anew. */
static void
test_refused (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 4 *\n" REST ("$V")
                       "S: $U NO [NONEXISTENT] gone\n" BODY ("4", "x") "S: $T BAD nothing selected\n"
                       EXAMINE ("A") "C: UID FETCH 4 *\n" OPENED ("$U", "3", "7") BODY ("4", "c") "S: $T OK\n");
  begin (fixture);
  demand (fixture, "B", &item_4);
  check_done (fixture, 2, BEGUN_TOLD "item 0 MAILBOX_GONE\ndone MAILBOX_GONE\n");
  demand (fixture, "A", &item_4);
  check_done (fixture, 1, TOLD ("c"));
}

static void
test_other_uidvalidity (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 4 *\n" REST ("$V")
                       OPENED ("$U", "3", "8") BODY ("4", "x") "S: $T OK\n");
  begin (fixture);
  demand (fixture, "B", &item_4);
  check_done (fixture, 2, BEGUN_TOLD "item 0 MAILBOX_CHANGED\ndone MAILBOX_CHANGED\n");
}

/* Three mailboxes are on their way at once. */
static void
test_three (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 4 *\nG more\n" EXAMINE ("C")
                       "C: UID FETCH 5 *\n" "R: z)\\r\\n\nS: M4 OK\n" OPENED ("$W", "3", "7")
                       BODY ("4", "b") "S: $V OK\n" OPENED ("$U", "3", "7") BODY ("5", "c") "S: $T OK\n");
  begin (fixture);
  demand (fixture, "B", &item_4);
  demand (fixture, "C", &item_5);
  scripted_server_open_gate (fixture->server, "more");
  check_done (fixture, 3, BEGUN_TOLD TOLD ("b") TOLD ("c"));
}

/* Nothing follows the first look into A, because its answer says what to ask; what is there by then
 * goes in the order of the turns. */
static void
hold (Fixture *fixture, const gchar *rest)
{
  g_autofree gchar *script = g_strconcat (HELLO ("") EXAMINE ("A") "G go\n", OPENED ("$T", "0", "7"), rest, NULL);

  scripted_server_add (fixture->server, script);
  g_assert_true (mm_remote_connect (fixture_get_remote (fixture), NULL));
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
}

#define HELD_TOLD "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\n"

static void
test_demand_first (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  hold (fixture, EXAMINE ("C") "C: UID FETCH 5 *\n" EXAMINE ("B") "C: UID FETCH 4 *\n" OPENED ("$W", "3", "7")
                 BODY ("5", "c") "S: $V OK\n" OPENED ("$U", "3", "7") BODY ("4", "b") "S: $T OK\n");
  fetch (fixture, "B", &item_4, MM_REMOTE_PRIORITY_READ_AHEAD);
  demand (fixture, "C", &item_5);
  scripted_server_open_gate (fixture->server, "go");
  check_done (fixture, 3, HELD_TOLD TOLD ("c") TOLD ("b"));
}

/* The mailbox is opened once for all that is wanted of it. */
static void
test_together (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  hold (fixture, EXAMINE ("B") "C: UID FETCH 3 *\nC: UID FETCH 4 *\n" EXAMINE ("C") "C: UID FETCH 5 *\n"
                 OPENED ("M4", "3", "7") BODY ("3", "a") "S: $W OK\n" BODY ("4", "b") "S: $V OK\n"
                 OPENED ("$U", "3", "7") BODY ("5", "c") "S: $T OK\n");
  demand (fixture, "B", &item_3);
  demand (fixture, "C", &item_5);
  demand (fixture, "B", &item_4);
  scripted_server_open_gate (fixture->server, "go");
  check_done (fixture, 4, HELD_TOLD TOLD ("a") TOLD ("b") TOLD ("c"));
}

/* Read-ahead in A that has more to send gives way to a demand in B, and goes on afterwards. */
static void
test_read_ahead_gives_way (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  MmFetchItem items[9];
  g_autoptr (GString) script = g_string_new (HELLO ("") EXAMINE ("A"));

  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    items[i] = (MmFetchItem){ .uid = 3, .kind = MM_FETCH_RANGE, .offset = 4 * i, .length = 4 };
  for (guint i = 0; i < 8; i++)
    g_string_append (script, "C: UID FETCH 3 *\n");
  g_string_append (script, OPENED ("M3", "3", "7") "R: * 1 FETCH (UID 3 BODY[]<0> {4}\\r\\nabcd)\\r\\n\n");
  g_string_append (script, EXAMINE ("B") "C: UID FETCH 4 *\nS: M4 OK\n");
  for (guint i = 1; i < 8; i++)
    g_string_append_printf (script, "R: * 1 FETCH (UID 3 BODY[]<%u> {4}\\r\\nabcd)\\r\\n\nS: M%u OK\n", 4 * i, 4 + i);
  g_string_append (script, OPENED ("$U", "3", "7") BODY ("4", "b") "S: $T OK\n");
  g_string_append (script, EXAMINE ("A") "C: UID FETCH 3 *\n" OPENED ("$U", "3", "7")
                           "R: * 1 FETCH (UID 3 BODY[]<32> {4}\\r\\nwxyz)\\r\\n\nS: $T OK\n");
  scripted_server_add (fixture->server, script->str);
  mm_remote_job_unref (fixture_fetch (fixture, "A", 7, items, G_N_ELEMENTS (items), MM_REMOTE_PRIORITY_READ_AHEAD));
  fixture_wait_lines (fixture, 3);
  demand (fixture, "B", &item_4);
  fixture_wait_done (fixture, 2);
  fixture_close_remote (fixture);
  g_assert_nonnull (strstr (fixture->log->str, TOLD ("b") "begin 8 4\ndata 8 'wxyz'\nitem 8 ok\ndone ok\n"));
}

static void
test_lost (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") EXAMINE ("A") "C: UID FETCH 3 *\nG cut\n" EXAMINE ("B")
                                        "C: UID FETCH 4 *\nX");
  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE ("A") "C: UID FETCH 3 *\n" EXAMINE ("B") "C: UID FETCH 4 *\n"
                       OPENED ("$W", "3", "7") BODY ("3", "a") "S: $V OK\n" OPENED ("$U", "3", "7")
                       BODY ("4", "b") "S: $T OK\n");
  demand (fixture, "A", &item_3);
  demand (fixture, "B", &item_4);
  scripted_server_open_gate (fixture->server, "cut");
  check_done (fixture, 2, TOLD ("a") TOLD ("b"));
}

/* Only the message whose answer was due may have broken the connection. */
static void
test_broken_message (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  for (guint i = 0; i < 2; i++)
    scripted_server_add (fixture->server, HELLO ("") EXAMINE ("A") "C: UID FETCH 3 *\n" EXAMINE ("B")
                                          "C: UID FETCH 4 *\n" OPENED ("$W", "3", "7") "S: * 1 FETCH (UID ]]]\nW");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE ("B") "C: UID FETCH 4 *\n" OPENED ("$U", "3", "7")
                                        BODY ("4", "b") "S: $T OK\n");
  demand (fixture, "A", &item_3);
  demand (fixture, "B", &item_4);
  check_done (fixture, 2, "item 0 PROTOCOL\ndone ok\n" TOLD ("b"));
}

/* A sink that reads on only when the connection is reset and there is something to send. */
typedef struct
{
  Fixture *fixture;
  guint n_messages;
} SlowReader;

static void
open_slowly (const MmMailboxState *state G_GNUC_UNUSED, gboolean is_restart G_GNUC_UNUSED, gpointer user_data)
{
  Fixture *fixture = ((SlowReader *) user_data)->fixture;

  demand (fixture, "B", &item_4);
  scripted_server_open_gate (fixture->server, "rest");
  scripted_server_wait_ended (fixture->server, 1);
}

static void
count_message (const MmRemoteMessage *message G_GNUC_UNUSED, gpointer user_data)
{
  ((SlowReader *) user_data)->n_messages++;
}

static void
check_whole (const MmMailboxState *state, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  g_assert_cmpuint (state->messages, ==, ((SlowReader *) user_data)->n_messages);
}

/* What had come before the connection was lost is whole, though sending failed before it was read. */
static void
test_lost_behind_what_came (void)
{
  static const MmRemoteSyncSink sink = { .opened = open_slowly, .message = count_message, .done = check_whole };
  g_autoptr (Fixture) fixture = fixture_new ();
  SlowReader reader = { .fixture = fixture };
  const MmRemoteSyncRequest request = { .mailbox = "A", .priority = MM_REMOTE_PRIORITY_DEMAND };

  fixture->config.connections = 1;
  scripted_server_add (fixture->server,
                       HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" A\n"
                       "S: * STATUS A (MESSAGES 2)\nS: $T OK\n" EXAMINE ("A") "C: UID FETCH 1:* *\n"
                       OPENED ("$U", "2", "7") "G rest\n" LISTED ("3") LISTED ("4") "S: $T OK\nK\n");
  scripted_server_add (fixture->server, HELLO ("") EXAMINE ("B") "C: UID FETCH 4 *\n" OPENED ("$U", "3", "7")
                                        BODY ("4", "b") "S: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'A' / 0 v0 u0 m0 n2\ndone ok\n");
  mm_remote_job_unref (mm_remote_sync_mailbox (fixture_get_remote (fixture), &request, &sink, &reader));
  check_done (fixture, 1, TOLD ("b"));
  g_assert_cmpuint (reader.n_messages, ==, 2);
}

/* First listings of known size need nothing but what goes out with EXAMINE. */
static void
list_two (Fixture *fixture, const gchar *rest)
{
  g_autofree gchar *script
      = g_strconcat (HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" A\n"
                     "S: * STATUS A (MESSAGES 2)\nS: * LIST () \"/\" B\nS: * STATUS B (MESSAGES 2)\nS: $T OK\n",
                     rest, NULL);

  scripted_server_add (fixture->server, script);
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'A' / 0 v0 u0 m0 n2\nmailbox 'B' / 0 v0 u0 m0 n2\ndone ok\n");
}

static void
test_listings (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  list_two (fixture,
            EXAMINE ("A") "C: UID FETCH 1:* *\n" EXAMINE ("B") "C: UID FETCH 1:* *\n"
            OPENED ("$W", "2", "7") LISTED ("10") "S: * 2 EXPUNGE\nS: $V OK\n"
            OPENED ("$U", "2", "8") LISTED ("20") "S: $T OK\n");
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  mm_remote_job_unref (fixture_sync (fixture, "B", NULL));
  /* What A lost is no excuse for B. */
  check_done (fixture, 2, "opened v7 u30 m0 n2\n" LISTED_TOLD ("10") "state v7 u30 m0 n1\ndone ok\n"
                          "opened v8 u30 m0 n2\n" LISTED_TOLD ("20") "done PROTOCOL\n");
}

/* A listing and a fetch of one mailbox do not share a selection. */
static void
test_listing_is_alone (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  list_two (fixture, EXAMINE ("A") "C: UID FETCH 1:* *\n" EXAMINE ("A") "C: UID FETCH 3 *\n"
                     OPENED ("$W", "1", "7") BODY ("3", "x") LISTED ("3") "S: $V OK\n"
                     OPENED ("$U", "1", "7") BODY ("3", "a") "S: $T OK\n");
  mm_remote_job_unref (fixture_sync (fixture, "A", NULL));
  demand (fixture, "A", &item_3);
  check_done (fixture, 2, "opened v7 u30 m0 n1\n" LISTED_TOLD ("3") "state v7 u30 m0 n1\ndone ok\n" TOLD ("a"));
}

/* An answer that nobody wants any more keeps no other mailbox waiting. */
static void
test_cancelled (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 3 *\n" REST ("$V")
                       OPENED ("$U", "3", "7") BODY ("3", "b") "S: $T OK\n");
  MmRemoteJob *job = fixture_fetch (fixture, "A", 7, &item_3, 1, MM_REMOTE_PRIORITY_DEMAND);
  fixture_wait_lines (fixture, 2);
  mm_remote_job_cancel (job);
  fixture_check (fixture, job, "begin 0 2\ndata 0 'a'\nitem 0 CANCELLED\ndone CANCELLED\n");
  demand (fixture, "B", &item_3);
  check_done (fixture, 1, TOLD ("b"));
}

/* Whose data it is cannot be told any more. */
static void
test_disorder (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE ("A") "C: UID FETCH 3 *\n" OPENED ("$U", "3", "7") EXAMINE ("B")
                       "C: UID FETCH 3 *\n" OPENED ("$U", "3", "7") BODY ("3", "x") "S: $T OK\nW");
  scripted_server_add (fixture->server,
                       HELLO ("") EXAMINE ("A") "C: UID FETCH 3 *\n" EXAMINE ("B") "C: UID FETCH 3 *\n"
                       OPENED ("$W", "3", "7") BODY ("3", "a") "S: $V OK\n" OPENED ("$U", "3", "7")
                       BODY ("3", "b") "S: $T OK\n");
  demand (fixture, "A", &item_3);
  demand (fixture, "B", &item_3);
  check_done (fixture, 2, TOLD ("a") TOLD ("b"));
}

static void
note_change (const gchar *mailbox, const MmMailboxState *state, gpointer user_data)
{
  g_string_append (user_data, mailbox);
}

static void
test_changes (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GString) changed = g_string_new (NULL);

  scripted_server_add (fixture->server,
                       HELLO ("") BEGUN EXAMINE ("B") "C: UID FETCH 4 *\n" "R: z)\\r\\n\n" "S: * 4 EXISTS\nS: $V OK\n"
                       "S: * OK [CLOSED] x\n" OPENED ("$U", "9", "7") BODY ("4", "b") "S: $T OK\n");
  mm_remote_set_change_func (fixture_get_remote (fixture), note_change, changed);
  begin (fixture);
  demand (fixture, "B", &item_4);
  check_done (fixture, 2, BEGUN_TOLD TOLD ("b"));
  fixture_close_remote (fixture);
  g_assert_cmpstr (changed->str, ==, "A");
}

/* clang-format on */

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/turns/" NAME, FUNC)
  ADD ("examine-goes-out-behind-what-is-unanswered", test_behind_unanswered);
  ADD ("data-before-the-mailbox-is-open-is-not-its-own", test_data_is_the_mailboxs);
  ADD ("refused-mailbox-fails-alone", test_refused);
  ADD ("other-uidvalidity-fails-before-any-data", test_other_uidvalidity);
  ADD ("three-mailboxes-at-once", test_three);
  ADD ("demand-before-read-ahead-of-another-mailbox", test_demand_first);
  ADD ("one-examine-for-all-of-a-mailbox", test_together);
  ADD ("read-ahead-with-more-to-send-gives-way", test_read_ahead_gives_way);
  ADD ("lost-connection-repeats-all-mailboxes", test_lost);
  ADD ("lost-connection-leaves-whole-what-came-before", test_lost_behind_what_came);
  ADD ("message-that-breaks-the-connection-takes-no-other-with-it", test_broken_message);
  ADD ("first-listings-go-out-together-and-count-alone", test_listings);
  ADD ("listing-shares-no-selection", test_listing_is_alone);
  ADD ("cancelled-answer-keeps-no-other-mailbox-waiting", test_cancelled);
  ADD ("mailbox-opened-out-of-order-breaks-the-connection", test_disorder);
  ADD ("change-is-told-of-the-mailbox-that-the-server-speaks-of", test_changes);
  return g_test_run ();
}
