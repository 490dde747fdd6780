// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-trace.h"

#define GREETING "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n"

typedef struct
{
  MmImapSession *session;
  gboolean has_failed;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer flags)
{
  fixture->session = mm_imap_session_new (NULL, (MmImapSessionFlags)GPOINTER_TO_INT (flags));
  fixture->has_failed = FALSE;
}

static void
tear_down (Fixture *fixture, gconstpointer flags)
{
  mm_imap_session_free (fixture->session);
}

static void
feed_session (gpointer session, const guint8 *data, gsize length)
{
  mm_imap_session_feed (session, data, length);
}

static gboolean
next_of_session (gpointer session, MmImapEvent *event, GError **error)
{
  return mm_imap_session_next (session, event, error);
}

/* The server says @input; the events that gives are @expected. */
static void
server (Fixture *fixture, const gchar *input, const gchar *expected)
{
  g_autofree gchar *octets = g_strdup (input);
  g_autoptr (GString) trace = g_string_new (NULL);
  gboolean in_data = FALSE;

  mm_imap_session_feed (fixture->session, octets, strlen (octets));
  fixture->has_failed
      = !trace_pull (trace, &in_data, next_of_session, fixture->session);
  g_assert_cmpstr (trace->str, ==, expected);
}

/* What the client sends now is @expected; NULL for nothing. */
static void
client (Fixture *fixture, const gchar *expected)
{
  g_autoptr (GByteArray) output = mm_imap_session_take_output (fixture->session);
  g_autofree gchar *text
      = output != NULL ? g_strndup ((const gchar *)output->data, output->len) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

static guint32
submit (Fixture *fixture, MmImapCommand *command)
{
  g_autoptr (GError) error = NULL;
  guint32 tag = mm_imap_session_submit (fixture->session, command, &error);

  g_assert_no_error (error);
  return tag;
}

static MmSasl *
new_sasl (const gchar *mechanism)
{
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);
  g_autoptr (MmSecret) token = mm_secret_new ("token", 5);
  MmSaslCredentials credentials = { .user = "user", .password = password, .token = token };
  g_autoptr (GError) error = NULL;
  MmSasl *sasl = mm_sasl_new (mechanism, &credentials, &error);

  g_assert_no_error (error);
  return sasl;
}

/* Greeting and capabilities */

static void
test_greeting (Fixture *fixture, gconstpointer flags)
{
  const gchar *const *mechanisms;

  server (fixture, GREETING,
          "GREETING OK code=1 code='CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN' text='hello'\n");
  g_assert_cmpint (mm_imap_session_get_capabilities (fixture->session), ==,
                   MM_IMAP_CAP_IMAP4REV1 | MM_IMAP_CAP_SASL_IR);
  mechanisms = mm_imap_session_get_sasl_mechanisms (fixture->session);
  g_assert_cmpstr (mechanisms[0], ==, "PLAIN");
  g_assert_null (mechanisms[1]);
}

static void
test_greeting_must_come_first (Fixture *fixture, gconstpointer flags)
{
  static const gchar *const lines[] = {
    "* CAPABILITY IMAP4rev1\r\n", "* NO x\r\n",  "* BAD x\r\n",         "+ x\r\n", "* 1 EXISTS\r\n",
    "* 1 FETCH (UID 1)\r\n",      "M1 OK x\r\n", "* LIST () NIL x\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      Fixture other;

      set_up (&other, flags);
      server (&other, lines[i], "PROTOCOL\n");
      tear_down (&other, flags);
    }
}

static void
test_greeting_preauth_and_bye (Fixture *fixture, gconstpointer flags)
{
  Fixture other;

  set_up (&other, flags);
  server (&other, "* PREAUTH in\r\n", "GREETING PREAUTH text='in'\n");
  server (&other, "* PREAUTH again\r\n", "PROTOCOL\n");
  tear_down (&other, flags);
  server (fixture, "* BYE busy\r\n", "GREETING BYE text='busy'\n");
}

static void
test_capabilities_are_replaced (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  g_assert_cmpint (mm_imap_session_get_capabilities (fixture->session), ==, 0);
  server (fixture, "* CAPABILITY IMAP4rev1 IDLE\r\n", "CAPABILITY\n");
  submit (fixture, mm_imap_command_noop ());
  client (fixture, "M1 NOOP\r\n");
  server (fixture, "M1 OK [CAPABILITY IMAP4rev1 QRESYNC] x\r\n",
          "CAPABILITY\nTAGGED OK tag=1 code=1 code='CAPABILITY IMAP4rev1 QRESYNC' text='x'\n");
  g_assert_cmpint (mm_imap_session_get_capabilities (fixture->session), ==,
                   MM_IMAP_CAP_IMAP4REV1 | MM_IMAP_CAP_CONDSTORE | MM_IMAP_CAP_QRESYNC);
}

static void
test_utf8_after_enabled (Fixture *fixture, gconstpointer flags)
{
  server (fixture, GREETING "* ENABLED UTF8=ACCEPT\r\n",
          "GREETING OK code=1 code='CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN' text='hello'\n"
          "ENABLED text='UTF8=ACCEPT'\n");
  g_assert_false (mm_imap_session_is_utf8 (fixture->session));
  submit (fixture, mm_imap_command_enable ("UTF8=ACCEPT"));
  client (fixture, "M1 ENABLE UTF8=ACCEPT\r\n");
  server (fixture, "* ENABLED utf8=accept\r\nM1 OK x\r\n",
          "ENABLED text='utf8=accept'\nTAGGED OK tag=1 text='x'\n");
  g_assert_true (mm_imap_session_is_utf8 (fixture->session));
  submit (fixture, mm_imap_command_examine ("\xc3\xa4", FALSE));
  client (fixture, "M2 EXAMINE \"\xc3\xa4\"\r\n");
}

/* Tags */

static void
test_pipelining (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  g_assert_cmpuint (submit (fixture, mm_imap_command_noop ()), ==, 1);
  g_assert_cmpuint (submit (fixture, mm_imap_command_namespace ()), ==, 2);
  client (fixture, "M1 NOOP\r\nM2 NAMESPACE\r\n");
  client (fixture, NULL);
  g_assert_cmpuint (mm_imap_session_get_n_in_progress (fixture->session), ==, 2);
  server (fixture, "M2 NO a\r\nM1 OK b\r\n",
          "TAGGED NO tag=2 text='a'\nTAGGED OK tag=1 text='b'\n");
  g_assert_cmpuint (mm_imap_session_get_n_in_progress (fixture->session), ==, 0);
}

static void
test_answers_nobody_waits_for (Fixture *fixture, gconstpointer flags)
{
  static const gchar *const lines[] = { "M2 OK x\r\n", "+ go\r\n", "M1 OK x\r\nM1 OK x\r\n" };
  static const gchar *const traces[]
      = { "PROTOCOL\n", "PROTOCOL\n", "TAGGED OK tag=1 text='x'\nPROTOCOL\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      Fixture other;

      set_up (&other, flags);
      server (&other, "* OK x\r\n", "GREETING OK text='x'\n");
      submit (&other, mm_imap_command_noop ());
      client (&other, "M1 NOOP\r\n");
      server (&other, lines[i], traces[i]);
      /* It stays failed. */
      server (&other, "* 1 EXISTS\r\n", "PROTOCOL\n");
      tear_down (&other, flags);
    }
}

static void
test_answer_before_the_command_is_sent (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_noop ());
  server (fixture, "M1 NO x\r\n", "PROTOCOL\n");
}

/* Literals */

static void
test_literal_waits (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_noop ());
  submit (fixture, mm_imap_command_list ("a\n", "b\n", 0, 0));
  submit (fixture, mm_imap_command_noop ());
  client (fixture, "M1 NOOP\r\nM2 LIST {2}\r\n");
  client (fixture, NULL);
  server (fixture, "M1 OK x\r\n+ go\r\n", "TAGGED OK tag=1 text='x'\n");
  client (fixture, "a\n {2}\r\n");
  server (fixture, "* 1 EXISTS\r\n", "EXISTS 1\n");
  client (fixture, NULL);
  server (fixture, "+\r\n", "");
  client (fixture, "b\n\r\nM3 NOOP\r\n");
  server (fixture, "+ again\r\n", "PROTOCOL\n");
}

static void
test_literal_refused (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_list ("a\n", "b\n", 0, 0));
  submit (fixture, mm_imap_command_noop ());
  client (fixture, "M1 LIST {2}\r\n");
  server (fixture, "M1 NO too long\r\n", "TAGGED NO tag=1 text='too long'\n");
  client (fixture, "M2 NOOP\r\n");
  server (fixture, "M2 OK x\r\n", "TAGGED OK tag=2 text='x'\n");
}

static void
test_literal_not_awaited_but_agreed (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_list ("a\n", "b\n", 0, 0));
  client (fixture, "M1 LIST {2}\r\n");
  server (fixture, "M1 OK x\r\n", "PROTOCOL\n");
}

/* SASL */

static void
test_sasl_initial_response (Fixture *fixture, gconstpointer flags)
{
  server (fixture, GREETING,
          "GREETING OK code=1 code='CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN' text='hello'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("PLAIN")));
  submit (fixture, mm_imap_command_noop ());
  client (fixture, "M1 AUTHENTICATE PLAIN AHVzZXIAcGVuY2ls\r\n");
  client (fixture, NULL);
  server (fixture, "M1 OK in\r\n", "TAGGED OK tag=1 text='in'\n");
  client (fixture, "M2 NOOP\r\n");
  g_assert_null (mm_imap_session_get_sasl_error (fixture->session));
}

static void
test_sasl_without_initial_response (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("PLAIN")));
  client (fixture, "M1 AUTHENTICATE PLAIN\r\n");
  server (fixture, "+ go ahead!\r\n", "");
  client (fixture, "AHVzZXIAcGVuY2ls\r\n");
  server (fixture, "M1 NO [AUTHENTICATIONFAILED] x\r\n",
          "TAGGED NO tag=1 code=5 code='AUTHENTICATIONFAILED' text='x'\n");
  g_assert_null (mm_imap_session_get_sasl_error (fixture->session));
}

static void
test_sasl_login (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK [CAPABILITY SASL-IR] x\r\n",
          "GREETING OK code=1 code='CAPABILITY SASL-IR' text='x'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("LOGIN")));
  client (fixture, "M1 AUTHENTICATE LOGIN\r\n");
  server (fixture, "+ VXNlcm5hbWU6\r\n", "");
  client (fixture, "dXNlcg==\r\n");
  server (fixture, "+ UGFzc3dvcmQ6\r\n", "");
  client (fixture, "cGVuY2ls\r\n");
  server (fixture, "M1 OK x\r\n", "TAGGED OK tag=1 text='x'\n");
}

static void
test_sasl_oauth_error (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK [CAPABILITY SASL-IR] x\r\n",
          "GREETING OK code=1 code='CAPABILITY SASL-IR' text='x'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("XOAUTH2")));
  client (fixture, "M1 AUTHENTICATE XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHRva2VuAQE=\r\n");
  server (fixture, "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n", "");
  client (fixture, "\r\n");
  server (fixture, "M1 NO x\r\n", "TAGGED NO tag=1 text='x'\n");
}

static void
test_sasl_server_without_proof (Fixture *fixture, gconstpointer flags)
{
  g_autoptr (GByteArray) output = NULL;

  server (fixture, "* OK [CAPABILITY SASL-IR] x\r\n",
          "GREETING OK code=1 code='CAPABILITY SASL-IR' text='x'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("SCRAM-SHA-256")));
  output = mm_imap_session_take_output (fixture->session);
  g_assert_nonnull (output);
  server (fixture, "M1 OK in\r\n", "TAGGED NO tag=1 text='in'\n");
  g_assert_error (mm_imap_session_get_sasl_error (fixture->session), MM_ERROR,
                  MM_ERROR_AUTHENTICATION);
}

static void
test_sasl_bad_challenge_is_cancelled (Fixture *fixture, gconstpointer flags)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_authenticate (new_sasl ("CRAM-MD5")));
  client (fixture, "M1 AUTHENTICATE CRAM-MD5\r\n");
  server (fixture, "+ no base64!\r\n", "");
  client (fixture, "*\r\n");
  server (fixture, "M1 BAD x\r\n", "TAGGED BAD tag=1 text='x'\n");
  g_assert_error (mm_imap_session_get_sasl_error (fixture->session), MM_ERROR,
                  MM_ERROR_AUTHENTICATION);
}

/* IDLE */

static void
begin_idle (Fixture *fixture)
{
  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_idle ());
  g_assert_true (mm_imap_session_is_answer_due (fixture->session));
  client (fixture, "M1 IDLE\r\n");
}

static void
test_idle_gives_way (Fixture *fixture, gconstpointer flags)
{
  begin_idle (fixture);
  server (fixture, "+ idling\r\n* 3 EXISTS\r\n", "IDLING\nEXISTS 3\n");
  client (fixture, NULL);
  g_assert_false (mm_imap_session_is_answer_due (fixture->session));
  submit (fixture, mm_imap_command_noop ());
  g_assert_true (mm_imap_session_is_answer_due (fixture->session));
  client (fixture, "DONE\r\nM2 NOOP\r\n");
  server (fixture, "M1 OK x\r\nM2 OK y\r\n", "TAGGED OK tag=1 text='x'\nTAGGED OK tag=2 text='y'\n");
  g_assert_false (mm_imap_session_is_answer_due (fixture->session));
}

/* Before the server's "+" it would take the next line for its end. */
static void
test_idle_is_not_interrupted_before_it_began (Fixture *fixture, gconstpointer flags)
{
  begin_idle (fixture);
  submit (fixture, mm_imap_command_noop ());
  client (fixture, NULL);
  server (fixture, "+ idling\r\n", "IDLING\n");
  client (fixture, "DONE\r\nM2 NOOP\r\n");
  server (fixture, "+ again\r\n", "PROTOCOL\n");
}

static void
test_idle_ends_when_told (Fixture *fixture, gconstpointer flags)
{
  begin_idle (fixture);
  mm_imap_session_end_idle (fixture->session);
  client (fixture, NULL);
  server (fixture, "+ idling\r\n", "IDLING\n");
  client (fixture, "DONE\r\n");
  mm_imap_session_end_idle (fixture->session);
  client (fixture, NULL);
  server (fixture, "M1 OK x\r\n", "TAGGED OK tag=1 text='x'\n");
  submit (fixture, mm_imap_command_idle ());
  client (fixture, "M2 IDLE\r\n");
  server (fixture, "+ idling\r\n", "IDLING\n");
  mm_imap_session_end_idle (fixture->session);
  client (fixture, "DONE\r\n");
}

static void
test_idle_ended_by_the_server (Fixture *fixture, gconstpointer flags)
{
  begin_idle (fixture);
  server (fixture, "+ idling\r\n", "IDLING\n");
  submit (fixture, mm_imap_command_noop ());
  server (fixture, "M1 OK enough\r\n", "TAGGED OK tag=1 text='enough'\n");
  client (fixture, "M2 NOOP\r\n");
}

static void
test_idle_refused (Fixture *fixture, gconstpointer flags)
{
  begin_idle (fixture);
  submit (fixture, mm_imap_command_noop ());
  server (fixture, "M1 BAD no\r\n", "TAGGED BAD tag=1 text='no'\n");
  client (fixture, "M2 NOOP\r\n");
}

/* Others */

static void
test_compress_holds_back (Fixture *fixture, gconstpointer flags)
{
  static const gchar input[] = "M1 OK now\r\ncompressed";
  const guint8 *rest;
  gsize length;
  MmImapEvent event;
  g_autoptr (GError) error = NULL;

  server (fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (fixture, mm_imap_command_compress ());
  submit (fixture, mm_imap_command_noop ());
  client (fixture, "M1 COMPRESS DEFLATE\r\n");
  client (fixture, NULL);
  mm_imap_session_feed (fixture->session, input, sizeof input - 1);
  g_assert_true (mm_imap_session_next (fixture->session, &event, &error));
  rest = mm_imap_session_steal_input (fixture->session, &length);
  g_assert_cmpmem (rest, length, "compressed", 10);
  server (fixture, "* 1 EXISTS\r\n", "EXISTS 1\n");
  client (fixture, "M2 NOOP\r\n");
}

static void
test_login_disabled (Fixture *fixture, gconstpointer flags)
{
  g_autoptr (MmSecret) password = mm_secret_new ("x", 1);
  g_autoptr (GError) error = NULL;

  server (fixture, "* OK [CAPABILITY LOGINDISABLED] x\r\n",
          "GREETING OK code=1 code='CAPABILITY LOGINDISABLED' text='x'\n");
  g_assert_cmpuint (
      mm_imap_session_submit (fixture->session, mm_imap_command_login ("u", password), &error), ==,
      0);
  g_assert_error (error, MM_ERROR, MM_ERROR_UNSUPPORTED);
  client (fixture, NULL);
}

static void
test_flood_without_command (void)
{
  MmLimits limits = mm_limits_default;
  Fixture fixture = { 0 };

  limits.untagged_without_command = 4;
  fixture.session = mm_imap_session_new (&limits, MM_IMAP_SESSION_READ_ONLY);
  server (&fixture, "* OK x\r\n", "GREETING OK text='x'\n");
  submit (&fixture, mm_imap_command_noop ());
  client (&fixture, "M1 NOOP\r\n");
  server (&fixture,
          "* X\r\n* X\r\n* X\r\n* X\r\n* X\r\n* X\r\nM1 OK x\r\n* X\r\n* X\r\n* 3 EXISTS\r\n",
          "TAGGED OK tag=1 text='x'\nEXISTS 3\n");
  server (&fixture, "* X\r\n* X\r\n* 4 EXISTS\r\n", "LIMIT\n");
  tear_down (&fixture, NULL);
}

/* Where what came ends: a response that has begun is to go on. */
static void
test_within_a_response (void)
{
  static const struct
  {
    const gchar *octets;
    gboolean is_within;
  } steps[] = { { "* OK x\r\n", FALSE }, { "* 1 FE", TRUE }, { "TCH (UID 1 BODY[] {3}\r\n", TRUE },
                { "ab", TRUE },          { "c", TRUE },       { ")\r", TRUE },
                { "\n", FALSE } };
  g_autoptr (MmImapSession) session = mm_imap_session_new (NULL, MM_IMAP_SESSION_READ_ONLY);
  MmImapEvent event;

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      mm_imap_session_feed (session, steps[i].octets, strlen (steps[i].octets));
      while (mm_imap_session_next (session, &event, NULL))
        continue;
      g_assert_cmpint (mm_imap_session_is_in_response (session), ==, steps[i].is_within);
    }
}

static void
test_same_trace_however_cut (void)
{
  static const gchar input[] = GREETING
      "* CAPABILITY IMAP4rev1 IDLE\r\n* 18 EXISTS\r\n* BYE [X y] z\r\n"
      "* 1 FETCH (BODY[] {5}\r\nab\r\nc FLAGS (\\Seen x) UID 9)\r\n* X {1}\r\n"
      "\n\r\n* VANISHED 1:3,9\r\n* LIST (\\Sent) {1}\r\n/ {2}\r\n\"( (X (1))\r\nZ OK\r\n";
  const gsize length = sizeof input - 1;
  g_autofree gchar *expected = NULL;

  for (gsize first = length; first > 0; first--)
    {
      g_autoptr (MmImapSession) session = mm_imap_session_new (NULL, 0);
      g_autoptr (MmImapSession) other = mm_imap_session_new (NULL, 0);
      g_autofree gchar *in_two
          = trace_cut (feed_session, next_of_session, session,
                       input, length, first, length);
      g_autofree gchar *in_many
          = trace_cut (feed_session, next_of_session, other,
                       input, length, first, first);

      if (expected == NULL)
        expected = g_strdup (in_two);
      g_assert_cmpstr (in_two, ==, expected);
      g_assert_cmpstr (in_many, ==, expected);
    }
  g_assert_true (
      g_str_has_suffix (expected, "LIST name='\"(' delimiter=/ attributes=200\nPROTOCOL\n"));
}

static void
add (const gchar *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, GINT_TO_POINTER (MM_IMAP_SESSION_READ_ONLY), set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/imap/session/greeting", test_greeting);
  add ("/imap/session/greeting-must-come-first", test_greeting_must_come_first);
  add ("/imap/session/greeting-preauth-and-bye", test_greeting_preauth_and_bye);
  add ("/imap/session/capabilities-are-replaced", test_capabilities_are_replaced);
  add ("/imap/session/utf8-only-after-enable", test_utf8_after_enabled);
  add ("/imap/session/pipelining", test_pipelining);
  add ("/imap/session/answers-nobody-waits-for-are-refused", test_answers_nobody_waits_for);
  add ("/imap/session/answer-before-the-command-is-sent", test_answer_before_the_command_is_sent);
  add ("/imap/session/literal-waits-for-continuation", test_literal_waits);
  add ("/imap/session/literal-refused-drops-the-rest", test_literal_refused);
  add ("/imap/session/literal-not-awaited-but-agreed", test_literal_not_awaited_but_agreed);
  add ("/imap/session/sasl-initial-response", test_sasl_initial_response);
  add ("/imap/session/sasl-without-initial-response", test_sasl_without_initial_response);
  add ("/imap/session/sasl-login", test_sasl_login);
  add ("/imap/session/sasl-oauth-error-is-answered", test_sasl_oauth_error);
  add ("/imap/session/sasl-server-without-proof-is-refused", test_sasl_server_without_proof);
  add ("/imap/session/sasl-bad-challenge-is-cancelled", test_sasl_bad_challenge_is_cancelled);
  add ("/imap/session/idle-gives-way-to-a-command", test_idle_gives_way);
  add ("/imap/session/idle-is-not-interrupted-before-it-began",
       test_idle_is_not_interrupted_before_it_began);
  add ("/imap/session/idle-ends-when-told", test_idle_ends_when_told);
  add ("/imap/session/idle-ended-by-the-server", test_idle_ended_by_the_server);
  add ("/imap/session/idle-refused", test_idle_refused);
  add ("/imap/session/compress-holds-back-what-follows", test_compress_holds_back);
  add ("/imap/session/login-disabled", test_login_disabled);
  g_test_add_func ("/imap/session/within-a-response", test_within_a_response);
  g_test_add_func ("/imap/session/flood-without-command-is-limited", test_flood_without_command);
  g_test_add_func ("/imap/session/same-trace-however-cut", test_same_trace_however_cut);
  return g_test_run ();
}
