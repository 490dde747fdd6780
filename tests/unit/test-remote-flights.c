// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What goes out together. The server answers a flight only when all of it has come, so that a
 * client that waits for an answer in between waits for ever.
 */
#include "remote-fixture.h"

#define SET_UP "ID ENABLE CONDSTORE NAMESPACE LIST-EXTENDED LIST-STATUS"
#define UTF8   "ENABLE UTF8=ACCEPT NAMESPACE"

/* clang-format off */

static void
test_list_with_set_up (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE (SET_UP)
                       "C: ID *\nC: ENABLE CONDSTORE\nC: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\n"
                       "S: * ID NIL\nS: $W OK\nS: * ENABLED CONDSTORE\nS: $V OK\n"
                       "S: * NAMESPACE ((\"\" \"/\")) NIL NIL\nS: $U OK\n"
                       "S: * LIST () \"/\" INBOX\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'INBOX' / 0 v0 u0 m0 n?\ndone ok\n");
}

/* The list is complete only with what the other namespaces hold. */
static void
test_namespaces_follow (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE (SET_UP)
                       "C: ID *\nC: ENABLE *\nC: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\n"
                       "S: $W OK\nS: $V OK\n"
                       "S: * LIST () \"/\" INBOX\nS: $T OK\n"
                       "S: * NAMESPACE ((\"\" \"/\")) ((\"Other/\" \"/\")) ((\"Public/\" \"/\"))\n"
                       "S: $U OK\n"
                       "C: LIST \"\" \"Other/?\" *\nC: LIST \"\" \"Public/?\" *\n"
                       "S: * LIST () \"/\" Other/a\nS: $U OK\nS: * LIST () \"/\" Public/b\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' / 0 v0 u0 m0 n?\n"
                 "mailbox 'Other/a' / 0 foreign v0 u0 m0 n?\n"
                 "mailbox 'Public/b' / 0 foreign v0 u0 m0 n?\n"
                 "done ok\n");
}

static void
test_refused_set_up (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE (SET_UP)
                       "C: ID *\nC: ENABLE *\nC: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\n"
                       "S: $W NO\nS: $V BAD what?\nS: $U NO [UNAVAILABLE] later\n"
                       "S: * LIST () \"/\" INBOX\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'INBOX' / 0 v0 u0 m0 n?\ndone ok\n");
}

/* The plain form is asked for while the set-up goes on, and the namespaces after it. */
static void
test_misunderstood (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE ("NAMESPACE LIST-EXTENDED LIST-STATUS")
                       "C: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\nS: $T BAD what?\n"
                       "C: LIST \"\" \"?\"\nC: LSUB \"\" \"?\"\n"
                       "S: * NAMESPACE NIL NIL ((\"Public/\" \"/\"))\nS: $W OK\n"
                       "S: * LIST (\\Noselect) \"/\" Dir\nS: $U OK\nS: $T OK\n"
                       "C: LIST \"\" \"Public/?\"\nC: LSUB \"\" \"Public/?\"\n"
                       "S: * LIST (\\Noselect) \"/\" Public\nS: $U OK\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'Dir' / 1 v0 u0 m0 n?\nmailbox 'Public' / 1 v0 u0 m0 n?\ndone ok\n");
}

static void
test_plain_name_at_once (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE (UTF8)
                       "C: ENABLE UTF8=ACCEPT\nC: NAMESPACE\nC: EXAMINE \"INBOX\"\n"
                       "S: * ENABLED UTF8=ACCEPT\nS: $V OK\nS: $U OK\n"
                       "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 5] x\nS: $T OK\n");
  fixture_check (fixture, fixture_sync (fixture, "INBOX", NULL),
                 "opened v5 u0 m0 n0\nstate v5 u1 m0 n0\ndone ok\n");
}

/* How it is written is known only when ENABLE was answered. */
static void
test_encoded_name_waits (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE (UTF8)
                       "C: ENABLE UTF8=ACCEPT\nC: NAMESPACE\n"
                       "S: * ENABLED UTF8=ACCEPT\nS: $U OK\nS: $T OK\n"
                       "C: EXAMINE \"Entw\xc3\xbcrfe\"\n"
                       "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 5] x\nS: $T OK\n");
  fixture_check (fixture, fixture_sync (fixture, "Entw&APw-rfe", NULL),
                 "opened v5 u0 m0 n0\nstate v5 u1 m0 n0\ndone ok\n");
}

static void
test_waiting_job_is_cancelled (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autoptr (GError) error = NULL;

  scripted_server_add (fixture->server, HELLO_AT_ONCE (UTF8) "C: ENABLE *\nC: NAMESPACE\nG go\n"
                                                             "S: $U OK\nS: $T OK\n");
  mm_remote_connect (fixture_get_remote (fixture), &error);
  g_assert_no_error (error);
  MmRemoteJob *job = fixture_sync (fixture, "Entw&APw-rfe", NULL);
  mm_remote_job_cancel (job);
  fixture_check (fixture, job, "done CANCELLED\n");
  scripted_server_open_gate (fixture->server, "go");
}

static void
test_waiting_job_is_repeated (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO_AT_ONCE (UTF8) "C: ENABLE *\nC: NAMESPACE\nX");
  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE ("") "C: EXAMINE \"Entw&APw-rfe\"\n"
                                          "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 5] x\nS: $T OK\n");
  fixture_check (fixture, fixture_sync (fixture, "Entw&APw-rfe", NULL),
                 "opened v5 u0 m0 n0\nstate v5 u1 m0 n0\ndone ok\n");
}

/* It is the last of its flight, and nothing follows before it was answered. */
static void
test_compress_is_last (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.compress = TRUE;
  scripted_server_add (fixture->server,
                       HELLO_AT_ONCE ("ID COMPRESS=DEFLATE LIST-EXTENDED LIST-STATUS")
                       "C: ID *\nC: COMPRESS DEFLATE\nS: $U OK\nS: $T NO not today\n"
                       "C: LIST \"\" \"?\" RETURN *\nS: * LIST () \"/\" INBOX\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'INBOX' / 0 v0 u0 m0 n?\ndone ok\n");
}

/* Where the answer to the login does not tell the capabilities, only the first connection waits for
 * them. */
static void
test_capabilities_are_remembered (void)
{
  static const gchar greeting[] = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\n"
                                  "C: AUTHENTICATE PLAIN *\nS: $T OK in\nC: CAPABILITY\n";
  g_autoptr (Fixture) fixture = fixture_new ();
  g_autofree gchar *first
      = g_strconcat (greeting, "S: * CAPABILITY IMAP4rev1 NAMESPACE LIST-EXTENDED\nS: $T OK\n",
                     "C: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\nX", NULL);
  g_autofree gchar *second
      = g_strconcat (greeting, "C: NAMESPACE\nC: LIST \"\" \"?\" RETURN *\n",
                     "S: * CAPABILITY IMAP4rev1 NAMESPACE LIST-EXTENDED\nS: $V OK\nS: $U OK\n",
                     "S: * LIST (\\Noselect) \"/\" Dir\nS: $T OK\n", NULL);

  scripted_server_add (fixture->server, first);
  scripted_server_add (fixture->server, second);
  fixture_check (fixture, fixture_list (fixture), "mailbox 'Dir' / 1 v0 u0 m0 n?\ndone ok\n");
}

/* clang-format on */

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/flights/first-list-goes-out-with-the-set-up", test_list_with_set_up);
  g_test_add_func ("/remote/flights/lists-of-namespaces-follow", test_namespaces_follow);
  g_test_add_func ("/remote/flights/set-up-answered-no-is-gone-without", test_refused_set_up);
  g_test_add_func ("/remote/flights/plain-list-during-the-set-up", test_misunderstood);
  g_test_add_func ("/remote/flights/plain-name-goes-out-with-the-set-up", test_plain_name_at_once);
  g_test_add_func ("/remote/flights/encoded-name-waits-for-enable", test_encoded_name_waits);
  g_test_add_func ("/remote/flights/waiting-job-can-be-cancelled", test_waiting_job_is_cancelled);
  g_test_add_func ("/remote/flights/waiting-job-outlives-its-connection",
                   test_waiting_job_is_repeated);
  g_test_add_func ("/remote/flights/compress-is-the-last-of-its-flight", test_compress_is_last);
  g_test_add_func ("/remote/flights/capabilities-are-remembered-for-further-connections",
                   test_capabilities_are_remembered);
  return g_test_run ();
}
