// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "remote-fixture.h"

static void
assert_connects (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  mm_remote_connect (fixture_get_remote (fixture), &error);
  g_assert_no_error (error);
}

/* What is only of the moment is tried twice. */
static void
add_twice (Fixture *fixture, const gchar *script)
{
  scripted_server_add (fixture->server, script);
  scripted_server_add (fixture->server, script);
}

static void
assert_refused (Fixture *fixture, MmError code, const gchar *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (mm_remote_connect (fixture_get_remote (fixture), &error));
  g_assert_error (error, MM_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_authenticate_plain (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO (""));
  assert_connects (fixture);
}

/* Capabilities that the greeting told are not asked for. */
static void
test_greeting_tells_capabilities (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\nC: AUTHENTICATE PLAIN *\n"
      "S: $T OK [CAPABILITY IMAP4rev1] in\n");
  assert_connects (fixture);
}

static void
test_login_command (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
                       "C: LOGIN \"user\" \"secret\"\nS: $T OK [CAPABILITY IMAP4rev1] in\n");
  assert_connects (fixture);
}

static void
test_login_disabled (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 LOGINDISABLED\nS: $T OK\nW");
  assert_refused (fixture, MM_ERROR_AUTHENTICATION, "offers no login by password");
}

static void
test_preauth (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      "S: * PREAUTH hello\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: $T OK\n");
  assert_connects (fixture);
  g_assert_cmpuint (fixture->n_secrets, ==, 0);
}

static void
test_capabilities_asked_after_login (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR NAMESPACE\n"
      "S: $T OK\nC: AUTHENTICATE PLAIN *\nS: $T OK in\n"
      "C: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n");
  assert_connects (fixture);
}

static void
test_set_up_in_one_go (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("ID ENABLE CONDSTORE UTF8=ACCEPT NAMESPACE") "C: ID (\"name\" \"mailmount\" "
                                                          "\"version\" *)\n"
                                                          "C: ENABLE CONDSTORE UTF8=ACCEPT\nC: "
                                                          "NAMESPACE\n"
                                                          "S: * ID NIL\nS: $V OK\nS: * ENABLED "
                                                          "CONDSTORE\nS: $U OK\nS: $T BAD what?\n");
  assert_connects (fixture);
}

static void
test_refused (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
                       "C: LOGIN *\nS: $T NO [AUTHENTICATIONFAILED] wrong password\nW");
  assert_refused (fixture, MM_ERROR_AUTHENTICATION, "wrong password");
  /* And does not ask again with every job. */
  fixture_check (fixture, fixture_list (fixture), "done AUTHENTICATION\n");
}

/* "Not now" is asked again for so long, which is twice. */
#define PATIENCE_MS 1500

static void
test_unavailable (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = PATIENCE_MS;
  add_twice (fixture,
             "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
             "C: LOGIN *\nS: $T NO [UNAVAILABLE] backend is down\nW");
  assert_refused (fixture, MM_ERROR_UNAVAILABLE, "backend is down");
}

static void
test_bye_instead_of_answer (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = PATIENCE_MS;
  add_twice (fixture,
             "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
             "C: LOGIN *\nS: * BYE [LIMIT] too many connections\nX");
  assert_refused (fixture, MM_ERROR_UNAVAILABLE, "too many connections");
}

static void
test_silent_login (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = 200;
  add_twice (fixture,
             "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $T OK\n"
             "C: LOGIN *\nW");
  assert_refused (fixture, MM_ERROR_TIMEOUT, "silent");
}

static void
test_fresh_token (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.secret_is_token = TRUE;
  /* user=user ^A auth=Bearer secret ^A ^A, then the same with "fresh!" */
  scripted_server_add (
      fixture->server,
      "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\nS: $T OK\n"
      "C: AUTHENTICATE XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHNlY3JldAEB\n"
      "S: $T NO [AUTHENTICATIONFAILED] expired\n"
      "C: AUTHENTICATE XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIGZyZXNoIQEB\n"
      "S: $T OK [CAPABILITY IMAP4rev1] in\n");
  assert_connects (fixture);
  g_assert_cmpuint (fixture->n_secrets, ==, 2);
  g_assert_cmpuint (fixture->n_fresh, ==, 1);
}

static void
test_token_refused_twice (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.secret_is_token = TRUE;
  scripted_server_add (
      fixture->server,
      "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\nS: $T OK\n"
      "C: AUTHENTICATE XOAUTH2 *\nS: $T NO [AUTHENTICATIONFAILED] expired\n"
      "C: AUTHENTICATE XOAUTH2 *\nS: $T NO [AUTHENTICATIONFAILED] still wrong\nW");
  assert_refused (fixture, MM_ERROR_AUTHENTICATION, "still wrong");
  g_assert_cmpuint (fixture->n_fresh, ==, 1);
}

static void
test_no_token_login (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.secret_is_token = TRUE;
  scripted_server_add (
      fixture->server,
      "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: $T OK\nW");
  assert_refused (fixture, MM_ERROR_AUTHENTICATION, "by token");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/login/authenticate-plain", test_authenticate_plain);
  g_test_add_func ("/remote/login/capabilities-of-the-greeting-are-not-asked-for",
                   test_greeting_tells_capabilities);
  g_test_add_func ("/remote/login/login-where-there-is-no-sasl", test_login_command);
  g_test_add_func ("/remote/login/logindisabled-is-obeyed", test_login_disabled);
  g_test_add_func ("/remote/login/preauth-needs-no-password", test_preauth);
  g_test_add_func ("/remote/login/capabilities-are-asked-again-after-login",
                   test_capabilities_asked_after_login);
  g_test_add_func ("/remote/login/id-enable-namespace-in-one-go", test_set_up_in_one_go);
  g_test_add_func ("/remote/login/refusal-is-remembered", test_refused);
  g_test_add_func ("/remote/login/unavailable-is-no-refusal", test_unavailable);
  g_test_add_func ("/remote/login/bye-instead-of-an-answer", test_bye_instead_of_answer);
  g_test_add_func ("/remote/login/silence-is-a-timeout", test_silent_login);
  g_test_add_func ("/remote/login/refused-token-is-renewed-once", test_fresh_token);
  g_test_add_func ("/remote/login/fresh-token-refused-ends", test_token_refused_twice);
  g_test_add_func ("/remote/login/token-is-never-sent-as-password", test_no_token_login);
  return g_test_run ();
}
