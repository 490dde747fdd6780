// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/remote-status.h>

#include "remote-fixture.h"

#define VALIDITY "1347375155"
/* Up to the end of the login. */
#define SIGNED_IN(CAPS)                                                                            \
  "S: +OK ready\nC: CAPA\nS: +OK\nS: USER\n" CAPS "S: .\n"                                         \
  "C: USER user\nS: +OK\nC: PASS secret\nS: +OK\nC: CAPA\nS: +OK\nS: USER\n" CAPS "S: .\n"
#define PIPELINING "S: PIPELINING\nS: TOP\nS: UIDL\n"
#define LISTED(SIZES, IDS) "C: LIST\nS: +OK\n" SIZES "S: .\nC: UIDL\nS: +OK\n" IDS "S: .\n"
/* Two messages. */
#define TWO LISTED ("S: 1 40\nS: 2 50\n", "S: 1 a\nS: 2 b\n")
/* The 2nd of January 2024, 10:00:00 UTC. */
#define DATE "1704189600"
#define HEADER(SUBJECT)                                                                            \
  "S: +OK\nS: Received: by x; Tue, 2 Jan 2024 10:00:00 +0000\nS: Subject: " SUBJECT "\nS: \nS: .\n"
#define TOLD(UID, SIZE, SUBJECT, ID)                                                               \
  "message " UID " size " SIZE " date " DATE " 0 '' 'Subject: " SUBJECT "' " ID "\n"

static Fixture *
new_fixture (const gchar *script)
{
  Fixture *fixture = fixture_new ();

  fixture->config.endpoint.protocol = MM_PROTOCOL_POP3;
  fixture->config.connections = 3;
  scripted_server_add (fixture->server, script);
  return fixture;
}

/* "a" is 7, "b" 9. */
static guint32
find_known (const gchar *mailbox, const gchar *object_id, gpointer user_data)
{
  g_assert_cmpstr (mailbox, ==, "INBOX");
  return strcmp (object_id, "a") == 0 ? 7 : strcmp (object_id, "b") == 0 ? 9 : 0;
}

static MmMailboxState
known_state (guint64 uidnext, guint64 messages)
{
  return (MmMailboxState){ .uidvalidity = 0x504f5033, .uidnext = uidnext, .messages = messages,
                           .has_messages = TRUE };
}

static void
test_first (void)
{
  g_autoptr (Fixture) fixture = new_fixture (
      SIGNED_IN (PIPELINING) TWO "C: TOP 1 0\n" HEADER ("one") "C: TOP 2 0\n" HEADER ("two"));

  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' - 0 v" VALIDITY " u0 m0 n2\ndone ok\n");
  fixture_check (fixture, fixture_sync (fixture, "INBOX", NULL),
                 "opened v" VALIDITY " u3 m0 n2\n" TOLD ("1", "40", "one", "a")
                     TOLD ("2", "50", "two", "b") "state v" VALIDITY " u3 m0 n2\ndone ok\n");
  /* Now that all have UIDs, the list says so. */
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' - 0 v" VALIDITY " u3 m0 n2\ndone ok\n");
}

static void
test_known_ids (void)
{
  MmMailboxState known = known_state (12, 3);
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN (PIPELINING)
                         LISTED ("S: 1 40\nS: 2 60\nS: 3 50\n", "S: 1 b\nS: 2 c\nS: 3 a\n")
                     "C: TOP 2 0\n" HEADER ("new"));

  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "opened v" VALIDITY " u13 m0 n3\npresent 7:7 9:9\n" TOLD ("12", "60", "new", "c")
                 "state v" VALIDITY " u13 m0 n3\ndone ok\n");
}

static void
test_nothing_changed (void)
{
  MmMailboxState known = known_state (12, 2);
  g_autoptr (Fixture) fixture = new_fixture (SIGNED_IN (PIPELINING) TWO);

  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "opened v" VALIDITY " u12 m0 n2\nstate v" VALIDITY " u12 m0 n2\ndone ok\n");
}

/* None of the ids is known any more: other ids, or other messages. */
static void
test_other_ids (void)
{
  MmMailboxState known = known_state (12, 2);
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN (PIPELINING) LISTED ("S: 1 40\n", "S: 1 x\n")
                     "C: TOP 1 0\n" HEADER ("one"));

  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "restart v" VALIDITY " u13 m0 n1\n" TOLD ("12", "40", "one", "x")
                 "state v" VALIDITY " u13 m0 n1\ndone ok\n");
}

/* RFC 1939 allows one id for equal messages; and what LIST and UIDL say must fit. */
static void
test_equal_ids (void)
{
  MmMailboxState known = known_state (12, 0);
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN (PIPELINING)
                         LISTED ("S: 1 40\nS: 2 40\nS: 3 40\n", "S: 1 x\nS: 2 x\nS: 3 x\n")
                     "C: TOP 1 0\n" HEADER ("s") "C: TOP 2 0\n" HEADER ("s") "C: TOP 3 0\n" HEADER ("s"));

  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "opened v" VALIDITY " u15 m0 n3\n" TOLD ("12", "40", "s", "x")
                     TOLD ("13", "40", "s", "x 2") TOLD ("14", "40", "s", "x 3")
                 "state v" VALIDITY " u15 m0 n3\ndone ok\n");
}

/* Of @header and a message's size. (transfer full) */
static gchar *
digest_of (const gchar *header, const gchar *size)
{
  g_autofree gchar *text = g_strconcat (header, size, NULL);

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

#define HEADER_OCTETS(SUBJECT)                                                                     \
  "Received: by x; Tue, 2 Jan 2024 10:00:00 +0000\r\nSubject: " SUBJECT "\r\n\r\n"

static void
test_without_uidl (void)
{
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN ("S: TOP\n") "C: LIST\nS: +OK\nS: 1 40\nS: .\nC: UIDL\nS: -ERR what?\n"
                     "C: TOP 1 0\n" HEADER ("one") "C: TOP 1 0\n" HEADER ("one"));
  g_autofree gchar *digest = digest_of (HEADER_OCTETS ("one"), "40");
  g_autofree gchar *expected = g_strdup_printf (
      "opened v" VALIDITY " u2 m0 n1\n" TOLD ("1", "40", "one", "%s") "state v" VALIDITY
      " u2 m0 n1\ndone ok\n", digest);

  fixture_check (fixture, fixture_sync (fixture, "INBOX", NULL), expected);
}

/* The session has ended at both ends: what is asked for now has one of its own. */
static void
wait_for_the_end (Fixture *fixture)
{
  scripted_server_wait_ended (fixture->server, 1);
  for (guint i = 0; i < 1000; i++)
    {
      MmRemoteStatus status = { 0 };

      mm_remote_get_status (fixture->remote, &status);
      guint n = status.connections->len;
      mm_remote_status_clear (&status);
      if (n == 0)
        return;
      g_usleep (10 * 1000);
    }
  g_assert_not_reached ();
}

/* Numbers are no ids: the message behind a deleted one has its number. */
static void
test_numbers_as_ids (void)
{
  g_autofree gchar *one = digest_of (HEADER_OCTETS ("one"), "40");
  g_autofree gchar *two = digest_of (HEADER_OCTETS ("two"), "40");
  MmMailboxState known = known_state (3, 2);
  g_autoptr (Fixture) fixture = new_fixture (
      SIGNED_IN (PIPELINING) LISTED ("S: 1 40\nS: 2 40\n", "S: 1 1\nS: 2 2\n")
      "C: TOP 1 0\nC: TOP 2 0\n" HEADER ("one") HEADER ("two")
      "C: TOP 1 0\n" HEADER ("one") "C: TOP 2 0\n" HEADER ("two")
      "C: QUIT\nS: +OK\n");
  g_autofree gchar *expected = g_strdup_printf (
      "opened v" VALIDITY " u3 m0 n2\n" TOLD ("1", "40", "one", "%s") TOLD ("2", "40", "two", "%s")
      "state v" VALIDITY " u3 m0 n2\ndone ok\n", one, two);

  fixture->config.refresh_ms = 200;
  fixture_check (fixture, fixture_sync (fixture, "INBOX", NULL), expected);
  wait_for_the_end (fixture);
  scripted_server_add (fixture->server,
                       SIGNED_IN (PIPELINING) LISTED ("S: 1 40\n", "S: 1 1\n")
                       "C: TOP 1 0\n" HEADER ("two"));
  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "opened v" VALIDITY " u3 m0 n1\npresent 2:2\nstate v" VALIDITY
                 " u3 m0 n1\ndone ok\n");
}

/* An id that another message has now: its size was right and is another one. */
static void
test_moved_id (void)
{
  MmFetchItem item = { .uid = 7, .kind = MM_FETCH_WHOLE };
  MmMailboxState known = known_state (10, 2);
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN (PIPELINING) LISTED ("S: 1 7\nS: 2 50\n", "S: 1 a\nS: 2 b\n")
                     "C: RETR 1\nS: +OK\nS: hello\nS: .\nC: QUIT\nS: +OK\n");

  fixture->config.refresh_ms = 200;
  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture,
                 fixture_fetch (fixture, "INBOX", 0x504f5033, &item, 1, MM_REMOTE_PRIORITY_DEMAND),
                 "begin 0 7\ndata 0 'hello\r\n'\nitem 0 ok\ndone ok\n");
  wait_for_the_end (fixture);
  scripted_server_add (fixture->server,
                       SIGNED_IN (PIPELINING) LISTED ("S: 1 50\nS: 2 60\n", "S: 1 b\nS: 2 a\n")
                       "C: TOP 2 0\n" HEADER ("other"));
  fixture_check (fixture, fixture_sync (fixture, "INBOX", &known),
                 "opened v" VALIDITY " u11 m0 n2\npresent 9:9\n" TOLD ("10", "60", "other", "a")
                 "state v" VALIDITY " u11 m0 n2\ndone ok\n");
}

static void
test_without_top (void)
{
  g_autoptr (Fixture) fixture = new_fixture (SIGNED_IN ("S: UIDL\n") LISTED ("S: 1 4\n", "S: 1 a\n")
                                             "C: RETR 1\nS: +OK\nS: ab\nS: .\n");
  MmFetchItem item = { .uid = 1, .kind = MM_FETCH_RANGE, .offset = 1, .length = 2, .probe_size = 4 };

  fixture_check (fixture, fixture_sync (fixture, "INBOX", NULL),
                 "opened v" VALIDITY " u2 m0 n1\nmessage 1 size 4 date 0 0 '' '' a\n"
                 "state v" VALIDITY " u2 m0 n1\ndone ok\n");
  fixture_check (fixture,
                 fixture_fetch (fixture, "INBOX", 0x504f5033, &item, 1, MM_REMOTE_PRIORITY_DEMAND),
                 "begin 0 2\ndata 0 'b\r'\nitem 0 ok proved\ndone ok\n");
}

/* ---- octets ---- */

static void
check_fetch (const gchar *script, const MmFetchItem *items, gsize n, const gchar *expected)
{
  g_autoptr (Fixture) fixture = new_fixture (script);

  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture,
                 fixture_fetch (fixture, "INBOX", 0x504f5033, items, n, MM_REMOTE_PRIORITY_DEMAND),
                 expected);
}

static void
test_whole (void)
{
  MmFetchItem items[] = { { .uid = 9, .kind = MM_FETCH_WHOLE }, { .uid = 7, .kind = MM_FETCH_WHOLE },
                          { .uid = 8, .kind = MM_FETCH_WHOLE }, { .uid = 9, .kind = MM_FETCH_SIZE } };

  /* What LIST said of "a" was wrong; "b" has no line end of its own. */
  check_fetch (SIGNED_IN (PIPELINING) LISTED ("S: 1 40\nS: 2 3\n", "S: 1 a\nS: 2 b\n")
               "C: RETR 2\nC: RETR 1\nS: +OK\nS: ..xy\nS: .\nS: +OK\nS: hello\nS: .\n",
               items, 4,
               "item 2 MESSAGE_GONE\nbegin 3 3\nitem 3 ok\n"
               "begin 0 3\ndata 0 '.xy'\nitem 0 ok\nbegin 1 7\ndata 1 'hello\r\n'\nitem 1 ok\ndone ok\n");
}

/* The smallest message is brought to see whether sizes can be believed. */
static void
test_head (void)
{
  MmFetchItem item
      = { .uid = 7, .kind = MM_FETCH_RANGE, .offset = 0, .length = 10, .probe_size = 1000 };

  check_fetch (SIGNED_IN (PIPELINING) LISTED ("S: 1 1000\nS: 2 6\n", "S: 1 a\nS: 2 b\n")
               "C: RETR 2\nS: +OK\nS: four\nS: .\nC: TOP 1 1\nS: +OK\nS: A: b\nS: \nS: .\n"
               "C: TOP 1 8\nS: +OK\nS: A: b\nS: \nS: more\nS: .\n",
               &item, 1, "begin 0 10\ndata 0 'A: b\r\n\r\nmo'\nitem 0 ok proved\ndone ok\n");
  check_fetch (SIGNED_IN (PIPELINING) LISTED ("S: 1 1000\nS: 2 5\n", "S: 1 a\nS: 2 b\n")
               "C: RETR 2\nS: +OK\nS: four\nS: .\nC: TOP 1 1\nS: +OK\nS: A: bcdefgh\nS: \nS: .\n",
               &item, 1, "begin 0 10\ndata 0 'A: bcdefgh'\nitem 0 ok disproved\ndone ok\n");
}

static void
test_message_id (void)
{
  MmFetchItem items[] = { { .uid = 7, .kind = MM_FETCH_MESSAGE_ID },
                          { .uid = 9, .kind = MM_FETCH_MESSAGE_ID } };

  check_fetch (SIGNED_IN (PIPELINING) TWO "C: TOP 1 0\nC: TOP 2 0\n"
               "S: +OK\nS: A: b\nS: Message-ID: <x@y>\nS: \nS: .\nS: +OK\nS: A: b\nS: \nS: .\n",
               items, 2,
               "begin 0 19\ndata 0 'Message-ID: <x@y>\r\n'\nitem 0 ok\nbegin 1 0\nitem 1 ok\ndone ok\n");
}

/* A large message whose size LIST told wrong is never begun with one length and ended with another. */
static void
test_large_and_wrong (void)
{
  static const guint sizes[] = { 2000000, 2000004 };
  MmFetchItem item = { .uid = 7, .kind = MM_FETCH_WHOLE };
  g_autofree gchar *line = g_strnfill (1999998, 'x');
  g_autofree gchar *script = g_strdup_printf (
      SIGNED_IN (PIPELINING) "C: LIST\nS: +OK\nS: 1 1999990\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: .\n"
      "C: RETR 1\nS: +OK\nS: %s\nS: .\nC: RETR 1\nS: +OK\nS: %s\nS: .\n", line, line);
  g_autoptr (Fixture) fixture = new_fixture (script);

  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree gchar *begin = g_strdup_printf ("begin 0 %u\n", i == 0 ? 1999990 : sizes[0]);
      g_autoptr (MmRemoteJob) job = fixture_fetch (fixture, "INBOX", 0x504f5033, &item, 1,
                                                   MM_REMOTE_PRIORITY_DEMAND);
      fixture_wait_done (fixture, i + 1);
      g_assert_true (g_str_has_prefix (fixture->log->str, begin));
      g_assert_true (g_str_has_suffix (fixture->log->str,
                                       i == 0 ? "item 0 CONNECTION_LOST\ndone ok\n" : "item 0 ok\ndone ok\n"));
      g_string_truncate (fixture->log, 0);
    }
}

static void
test_refused (void)
{
  MmFetchItem item = { .uid = 7, .kind = MM_FETCH_WHOLE };
  g_autoptr (Fixture) fixture = new_fixture (SIGNED_IN (PIPELINING) TWO "C: RETR 1\nS: -ERR what?\nC: QUIT\nS: +OK\n");

  /* In another session it is gone. */
  scripted_server_add (fixture->server,
                       SIGNED_IN (PIPELINING) LISTED ("S: 1 50\n", "S: 1 b\n"));
  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture,
                 fixture_fetch (fixture, "INBOX", 0x504f5033, &item, 1, MM_REMOTE_PRIORITY_DEMAND),
                 "item 0 MESSAGE_GONE\ndone ok\n");
}

static void
test_lost (void)
{
  MmFetchItem item = { .uid = 7, .kind = MM_FETCH_WHOLE };
  g_autoptr (Fixture) fixture
      = new_fixture (SIGNED_IN (PIPELINING) TWO "C: RETR 1\nS: +OK\nR: half\nX\n");

  scripted_server_add (fixture->server,
                       SIGNED_IN (PIPELINING) TWO "C: RETR 1\nS: +OK\nS: half and half\nS: .\n");
  mm_remote_set_known_uid_func (fixture_get_remote (fixture), find_known, NULL);
  fixture_check (fixture,
                 fixture_fetch (fixture, "INBOX", 0x504f5033, &item, 1, MM_REMOTE_PRIORITY_DEMAND),
                 "begin 0 15\ndata 0 'half and half\r\n'\nitem 0 ok\ndone ok\n");
}

static void
test_in_use (void)
{
  g_autoptr (Fixture) fixture
      = new_fixture ("S: +OK\nC: CAPA\nS: -ERR what?\nC: USER user\nS: +OK\nC: PASS secret\n"
                     "S: -ERR [IN-USE] another\nX\n");

  scripted_server_add (fixture->server, SIGNED_IN (PIPELINING) TWO);
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' - 0 v" VALIDITY " u0 m0 n2\ndone ok\n");
}

/* The first connection of all is as patient as a read. */
static void
test_in_use_at_the_start (void)
{
  static const gchar in_use[] = "S: +OK\nC: CAPA\nS: -ERR what?\nC: USER user\nS: +OK\n"
                                "C: PASS secret\nS: -ERR [IN-USE] another\nX\n";
  g_autoptr (Fixture) fixture = new_fixture (in_use);
  g_autoptr (GError) error = NULL;

  fixture->config.answer_timeout_ms = 30000;
  scripted_server_add (fixture->server, in_use);
  scripted_server_add (fixture->server, SIGNED_IN (PIPELINING) TWO);
  mm_remote_connect (fixture_get_remote (fixture), &error);
  g_assert_no_error (error);
}

static void
test_refused_login (void)
{
  g_autoptr (Fixture) fixture
      = new_fixture ("S: +OK\nC: CAPA\nS: -ERR what?\nC: USER user\nS: +OK\n"
                     "C: PASS secret\nS: -ERR wrong\nW");
  g_autoptr (GError) error = NULL;

  g_assert_false (mm_remote_connect (fixture_get_remote (fixture), &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION);
  g_assert_nonnull (strstr (error->message, "by USER/PASS: "));
}

static void
test_bad_listing (void)
{
  static const gchar script[] = SIGNED_IN (PIPELINING) "C: LIST\nS: +OK\nS: 1 40\nS: .\n"
                                "C: UIDL\nS: +OK\nS: what?\nW";
  g_autoptr (Fixture) fixture = new_fixture (script);
  g_autoptr (GError) error = NULL;

  scripted_server_add (fixture->server, script);
  g_assert_false (mm_remote_connect (fixture_get_remote (fixture), &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_PROTOCOL);
  g_assert_true (g_str_has_prefix (error->message, fixture->config.endpoint.host));
}

/* Who asks often what is new would else keep everybody from the maildrop for ever. */
static void
test_unused (void)
{
  g_autoptr (Fixture) fixture = new_fixture (SIGNED_IN (PIPELINING) TWO "C: QUIT\nS: +OK\n");

  fixture->config.refresh_ms = 200;
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' - 0 v" VALIDITY " u0 m0 n2\ndone ok\n");
  scripted_server_wait_ended (fixture->server, 1);
}

static void
test_other_mailbox (void)
{
  g_autoptr (Fixture) fixture = new_fixture (SIGNED_IN (PIPELINING) TWO);

  fixture_check (fixture, fixture_sync (fixture, "Sent", NULL), "done MAILBOX_GONE\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/pop3/first-synchronisation", test_first);
  g_test_add_func ("/remote/pop3/known-ids-keep-their-uids", test_known_ids);
  g_test_add_func ("/remote/pop3/nothing-changed-costs-nothing", test_nothing_changed);
  g_test_add_func ("/remote/pop3/other-ids-are-a-restart", test_other_ids);
  g_test_add_func ("/remote/pop3/equal-ids-are-told-apart", test_equal_ids);
  g_test_add_func ("/remote/pop3/without-uidl-by-digest", test_without_uidl);
  g_test_add_func ("/remote/pop3/numbers-are-no-ids", test_numbers_as_ids);
  g_test_add_func ("/remote/pop3/id-of-another-size-is-another-message", test_moved_id);
  g_test_add_func ("/remote/pop3/without-top", test_without_top);
  g_test_add_func ("/remote/pop3/whole-messages", test_whole);
  g_test_add_func ("/remote/pop3/head-and-the-proof-of-its-size", test_head);
  g_test_add_func ("/remote/pop3/message-id", test_message_id);
  g_test_add_func ("/remote/pop3/large-message-of-another-size", test_large_and_wrong);
  g_test_add_func ("/remote/pop3/refused-and-gone-in-the-next-session", test_refused);
  g_test_add_func ("/remote/pop3/lost-within-a-message", test_lost);
  g_test_add_func ("/remote/pop3/maildrop-in-use-is-waited-for", test_in_use);
  g_test_add_func ("/remote/pop3/maildrop-in-use-at-the-start", test_in_use_at_the_start);
  g_test_add_func ("/remote/pop3/refused-login-names-the-command", test_refused_login);
  g_test_add_func ("/remote/pop3/bad-listing-names-the-server", test_bad_listing);
  g_test_add_func ("/remote/pop3/unused-session-ends-before-the-next-refresh", test_unused);
  g_test_add_func ("/remote/pop3/other-mailbox", test_other_mailbox);
  return g_test_run ();
}
