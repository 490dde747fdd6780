// SPDX-License-Identifier: GPL-3.0-or-later
/* What is tried, in which order, and when no more, without any server. */
#include <string.h>

#include "../../src/remote/sign-in.h"

typedef struct
{
  MmRemoteConfig config;
  MmSignIn *sign_in;
  MmSignInOffer offer;
  MmSignInAttempt *attempt;
  guint n_asked;
  guint n_fresh;
  gboolean has_no_secret;
  gboolean keeps_giving_the_same;
} Fixture;

static MmSecret *
get_secret (gboolean want_fresh, gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;
  const gchar *words;

  fixture->n_asked++;
  fixture->n_fresh += want_fresh ? 1 : 0;
  if (fixture->has_no_secret || (want_fresh && fixture->keeps_giving_the_same))
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "there is no other");
      return NULL;
    }
  words = fixture->n_fresh == 0 ? "first" : "fresh";
  return mm_secret_new (words, strlen (words));
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const nothing[] = { NULL };

  fixture->config = (MmRemoteConfig){
    .endpoint = { .host = (gchar *) "mail.example.org", .port = 143 },
    .user = "user",
    .get_secret = get_secret,
    .get_secret_data = fixture,
    .secret_hint = "look at it",
  };
  fixture->offer = (MmSignInOffer){
    .mechanisms = nothing, .has_password_command = TRUE, .is_private = TRUE
  };
  fixture->sign_in = mm_sign_in_new (&fixture->config, "imap");
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_clear_pointer (&fixture->attempt, mm_sign_in_attempt_free);
  mm_sign_in_free (fixture->sign_in);
}

/* "PLAIN", "command", or the error. */
static gchar *
next (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  MmSignInWay way;

  if (fixture->attempt == NULL)
    fixture->attempt = mm_sign_in_attempt_new (fixture->sign_in, &fixture->offer);
  if (!mm_sign_in_attempt_next (fixture->attempt, &way, &error))
    return g_strdup (error->message);
  g_assert_true ((way.sasl == NULL) == (way.password != NULL));
  return g_strdup (way.sasl != NULL ? mm_sasl_get_mechanism (way.sasl) : "command");
}

static void
assert_next (Fixture *fixture, const gchar *expected)
{
  g_autofree gchar *got = next (fixture);

  g_assert_cmpstr (got, ==, expected);
}

static void
assert_over (Fixture *fixture, const gchar *words)
{
  g_autofree gchar *got = next (fixture);

  if (strstr (got, words) == NULL)
    g_error ("'%s' does not say '%s'", got, words);
}

/* Lets the client say what it says before it is refused. */
static void
say (Fixture *fixture, const gchar *challenge)
{
  g_autoptr (GError) error = NULL;
  MmSignInWay way;

  fixture->attempt = fixture->attempt != NULL
                         ? fixture->attempt
                         : mm_sign_in_attempt_new (fixture->sign_in, &fixture->offer);
  g_assert_true (mm_sign_in_attempt_next (fixture->attempt, &way, &error));
  g_autoptr (GByteArray) response
      = mm_sasl_step (way.sasl, (const guint8 *) challenge, strlen (challenge), &error);
  g_assert_no_error (error);
}

static void
refuse_with (Fixture *fixture, MmSignInRefusal refusal, MmError code)
{
  mm_sign_in_attempt_refuse (fixture->attempt, refusal,
                             g_error_new (MM_ERROR, (gint) code, "%s: no",
                                          mm_sign_in_attempt_describe (fixture->attempt)));
}

static void
refuse (Fixture *fixture, MmSignInRefusal refusal)
{
  refuse_with (fixture, refusal, MM_ERROR_AUTHENTICATION);
}

/* ---- the choice ---- */

static void
test_strongest_first (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "PLAIN", "SCRAM-SHA-1", "CRAM-MD5", NULL };

  fixture->offer.mechanisms = offered;
  assert_next (fixture, "SCRAM-SHA-1");
  g_assert_cmpstr (mm_sign_in_attempt_describe (fixture->attempt), ==,
                   "logging in as user at mail.example.org by SCRAM-SHA-1");
}

static void
test_password_command_last (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "DIGEST-MD5", NULL };

  fixture->offer.mechanisms = offered;
  assert_next (fixture, "command");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_over (fixture, "by LOGIN: no (look at it)");
}

static void
test_no_way (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "DIGEST-MD5", "XOAUTH2", NULL };

  fixture->offer.mechanisms = offered;
  fixture->offer.has_password_command = FALSE;
  assert_over (fixture, "mail.example.org offers no login by password that we know: it offers "
                        "DIGEST-MD5, XOAUTH2");
  g_assert_cmpuint (fixture->n_asked, ==, 0);
}

static void
test_unprotected (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "PLAIN", "LOGIN", NULL };

  fixture->offer.mechanisms = offered;
  fixture->offer.is_private = FALSE;
  assert_over (fixture, "in clear text over an unencrypted line, by PLAIN");
  g_assert_cmpuint (fixture->n_asked, ==, 0);
}

static void
test_forced (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "SCRAM-SHA-256", "PLAIN", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.mechanism = "PLAIN";
  assert_next (fixture, "PLAIN");
  refuse (fixture, MM_SIGN_IN_UNSUPPORTED);
  assert_over (fixture, "by PLAIN: no");
}

static void
test_forced_not_offered (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "PLAIN", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.mechanism = "CRAM-MD5";
  assert_over (fixture, "mail.example.org does not offer auth=CRAM-MD5: it offers PLAIN");
}

static void
test_forced_login_command (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "SCRAM-SHA-256", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.mechanism = "LOGIN";
  assert_next (fixture, "command");
}

static void
test_forced_binding (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.mechanism = "SCRAM-SHA-256-PLUS";
  assert_over (fixture, "auth=SCRAM-SHA-256-PLUS cannot be used: this connection has no channel");
}

/* ---- after a refusal ---- */

static const gchar *const many[] = { "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", NULL };

static void
test_before_the_password_was_used (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many;
  say (fixture, ""); /* the client's first message: name and nonce */
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_next (fixture, "CRAM-MD5");
  refuse (fixture, MM_SIGN_IN_UNSUPPORTED);
  assert_next (fixture, "PLAIN");
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

static const gchar *const three[]
    = { "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", NULL };

/* A server that counts failed logins is asked no more often than there is a reason for. */
static void
test_user_judged_before_the_password_was_used (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = three;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_JUDGED);
  assert_next (fixture, "logging in as user at mail.example.org by SCRAM-SHA-256: no (look at it)");
}

static void
test_one_more_without_a_reason (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = three;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_next (fixture, "logging in as user at mail.example.org by SCRAM-SHA-1: no (look at it)");
}

static void
test_no_advice_for_a_password_after_two (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  say (fixture, "<1896.697170952@postoffice.reston.mci.net>");
  refuse (fixture, MM_SIGN_IN_JUDGED);
  assert_next (fixture, "logging in as user at mail.example.org by CRAM-MD5: no (look at it)");
}

static void
test_forced_unknown_user (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = three;
  fixture->config.mechanism = "SCRAM-SHA-256";
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_next (fixture, "logging in as user at mail.example.org by SCRAM-SHA-256: no (look at it)");
}

static void
test_after_the_password_was_judged (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many + 1;
  say (fixture, "<1896.697170952@postoffice.reston.mci.net>");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_over (fixture, "by CRAM-MD5: no (look at it); if they are right, the server may know no "
                        "more than a digest: try auth=PLAIN");
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

static void
test_server_that_proves_nothing (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_BROKEN_OFF);
  assert_over (fixture, "by SCRAM-SHA-256: no");
}

static void
test_server_that_asks_to_wait (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many;
  say (fixture, "");
  refuse_with (fixture, MM_SIGN_IN_REFUSED, MM_ERROR_UNAVAILABLE);
  assert_over (fixture, "by SCRAM-SHA-256: no");
}

static void
test_no_other_where_others_can_read (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = many;
  fixture->offer.is_private = FALSE;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_UNSUPPORTED);
  assert_over (fixture, "by SCRAM-SHA-256: no");
}

static void
test_certificate_and_ticket_then_password (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "PLAIN", "EXTERNAL", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.has_certificate = TRUE;
  say (fixture, "");
  g_assert_cmpuint (fixture->n_asked, ==, 0);
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_next (fixture, "PLAIN");
}

static void
test_no_password_after_certificate (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const offered[] = { "PLAIN", "EXTERNAL", NULL };

  fixture->offer.mechanisms = offered;
  fixture->config.has_certificate = TRUE;
  fixture->has_no_secret = TRUE;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_over (fixture, "by EXTERNAL: no; there is no other");
}

/* ---- tokens ---- */

static const gchar *const oauth[] = { "XOAUTH2", "OAUTHBEARER", "PLAIN", NULL };

static void
test_token_renewed_once (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = oauth;
  fixture->config.secret_is_token = TRUE;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_over (fixture, "by OAUTHBEARER: no (look at it)");
  g_assert_cmpuint (fixture->n_fresh, ==, 1);
}

static void
test_token_that_stays (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = oauth;
  fixture->config.secret_is_token = TRUE;
  fixture->keeps_giving_the_same = TRUE;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_REFUSED);
  assert_over (fixture, "by OAUTHBEARER: no (look at it); there is no other");
}

static void
test_token_mechanism_unsupported (Fixture *fixture, gconstpointer unused)
{
  fixture->offer.mechanisms = oauth;
  fixture->config.secret_is_token = TRUE;
  say (fixture, "");
  refuse (fixture, MM_SIGN_IN_UNSUPPORTED);
  assert_next (fixture, "XOAUTH2");
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

/* Two connections were refused with the same token: the second takes what the first got. */
static void
test_one_asks_for_all (Fixture *fixture, gconstpointer unused)
{
  MmSignInAttempt *first, *second;

  fixture->offer.mechanisms = oauth;
  fixture->config.secret_is_token = TRUE;
  say (fixture, "");
  first = g_steal_pointer (&fixture->attempt);
  say (fixture, "");
  second = g_steal_pointer (&fixture->attempt);

  fixture->attempt = first;
  refuse (fixture, MM_SIGN_IN_REFUSED);
  say (fixture, "");
  g_assert_cmpuint (fixture->n_fresh, ==, 1);

  fixture->attempt = second;
  refuse (fixture, MM_SIGN_IN_REFUSED);
  say (fixture, "");
  g_assert_cmpuint (fixture->n_fresh, ==, 1);
  mm_sign_in_attempt_free (first);
}

/* ---- channel binding ---- */

static const gchar *const bound[]
    = { "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", NULL };

/* What the client says first: "p=tls-exporter,,…", "n,,…". */
static gchar *
first_words (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  MmSignInWay way;

  if (fixture->attempt == NULL)
    fixture->attempt = mm_sign_in_attempt_new (fixture->sign_in, &fixture->offer);
  g_assert_true (mm_sign_in_attempt_next (fixture->attempt, &way, &error));
  g_autoptr (GByteArray) response = mm_sasl_step (way.sasl, NULL, 0, &error);
  g_assert_no_error (error);
  const gchar *comma = memchr (response->data, ',', response->len);
  g_autofree gchar *flag = g_strndup ((const gchar *) response->data,
                                      (gsize) (comma - (const gchar *) response->data));
  return g_strconcat (mm_sasl_get_mechanism (way.sasl), " ", flag, NULL);
}

static void
assert_first_words (Fixture *fixture, const gchar *expected)
{
  g_autofree gchar *words = first_words (fixture);

  g_assert_cmpstr (words, ==, expected);
}

static void
refuse_in_words (Fixture *fixture, const gchar *words)
{
  refuse (fixture, mm_sign_in_attempt_is_about_mechanism (fixture->attempt, words)
                       ? MM_SIGN_IN_UNSUPPORTED
                       : MM_SIGN_IN_REFUSED);
}

static void
test_bindings_one_after_the_other (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) exporter = g_bytes_new_static ("exporter", 8);
  g_autoptr (GBytes) unique = g_bytes_new_static ("unique", 6);

  fixture->offer.mechanisms = bound;
  fixture->offer.bindings[MM_BINDING_TLS_EXPORTER] = exporter;
  fixture->offer.bindings[MM_BINDING_TLS_UNIQUE] = unique;
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-exporter");
  refuse_in_words (fixture, "bad protocol / cancel");
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-unique");

  /* Later connections know. */
  g_clear_pointer (&fixture->attempt, mm_sign_in_attempt_free);
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-unique");
  refuse_in_words (fixture, "bad protocol / cancel");
  assert_first_words (fixture, "SCRAM-SHA-256 n");
  g_clear_pointer (&fixture->attempt, mm_sign_in_attempt_free);
  assert_first_words (fixture, "SCRAM-SHA-256 n");
}

/* The code of a wrong login may be that of an unknown binding: one more, and no third. */
static void
test_judged_with_binding_before_the_proof (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) exporter = g_bytes_new_static ("exporter", 8);

  fixture->offer.mechanisms = bound;
  fixture->offer.bindings[MM_BINDING_TLS_EXPORTER] = exporter;
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-exporter");
  refuse (fixture, MM_SIGN_IN_JUDGED);
  assert_first_words (fixture, "SCRAM-SHA-256 n");
  refuse (fixture, MM_SIGN_IN_JUDGED);
  assert_over (fixture, "by SCRAM-SHA-256: no (look at it)");
}

static void
test_binding_of_an_older_tls (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) unique = g_bytes_new_static ("unique", 6);

  fixture->offer.mechanisms = bound;
  fixture->offer.bindings[MM_BINDING_TLS_UNIQUE] = unique;
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-unique");
}

static void
test_forced_binding_never_goes_without (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) exporter = g_bytes_new_static ("exporter", 8);

  fixture->offer.mechanisms = bound;
  fixture->offer.bindings[MM_BINDING_TLS_EXPORTER] = exporter;
  fixture->config.mechanism = "SCRAM-SHA-256-PLUS";
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-exporter");
  refuse_in_words (fixture, "no");
  assert_over (fixture, "by SCRAM-SHA-256-PLUS: no");
}

static void
test_password_judged_with_binding (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) exporter = g_bytes_new_static ("exporter", 8);
  static const gchar *const offered[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", NULL };

  fixture->offer.mechanisms = offered;
  fixture->offer.bindings[MM_BINDING_TLS_EXPORTER] = exporter;
  assert_first_words (fixture, "SCRAM-SHA-256-PLUS p=tls-exporter");
  refuse (fixture, MM_SIGN_IN_BROKEN_OFF);
  assert_over (fixture, "by SCRAM-SHA-256-PLUS: no");
}

static void
test_words (Fixture *fixture, gconstpointer unused)
{
  assert_next (fixture, "command");
  g_assert_true (mm_sign_in_attempt_is_about_mechanism (fixture->attempt,
                                                        "Unsupported authentication mechanism."));
  g_assert_true (
      mm_sign_in_attempt_is_about_mechanism (fixture->attempt, "no MECHANISM available"));
  g_assert_false (
      mm_sign_in_attempt_is_about_mechanism (fixture->attempt, "Authentication failed."));
  g_assert_false (mm_sign_in_attempt_is_about_mechanism (fixture->attempt, NULL));
}

#define ADD(path, function) \
  g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/sign-in/strongest-first", test_strongest_first);
  ADD ("/sign-in/password-command-comes-last", test_password_command_last);
  ADD ("/sign-in/no-way-tells-what-is-offered", test_no_way);
  ADD ("/sign-in/unprotected-line-gets-no-clear-password", test_unprotected);
  ADD ("/sign-in/forced-mechanism-is-the-only-one", test_forced);
  ADD ("/sign-in/forced-mechanism-that-is-not-offered", test_forced_not_offered);
  ADD ("/sign-in/forced-login-may-be-the-command", test_forced_login_command);
  ADD ("/sign-in/forced-binding-without-tls", test_forced_binding);
  ADD ("/sign-in/refused-before-the-password-was-used", test_before_the_password_was_used);
  ADD ("/sign-in/user-judged-before-the-password-was-used", test_user_judged_before_the_password_was_used);
  ADD ("/sign-in/refused-without-a-reason-one-more-is-tried", test_one_more_without_a_reason);
  ADD ("/sign-in/no-advice-for-a-password-that-may-not-matter", test_no_advice_for_a_password_after_two);
  ADD ("/sign-in/forced-mechanism-tells-what-to-check", test_forced_unknown_user);
  ADD ("/sign-in/judged-password-is-not-tried-again", test_after_the_password_was_judged);
  ADD ("/sign-in/server-that-proves-nothing-gets-no-password", test_server_that_proves_nothing);
  ADD ("/sign-in/server-that-asks-to-wait-is-not-asked-otherwise", test_server_that_asks_to_wait);
  ADD ("/sign-in/unprotected-line-has-no-second-way", test_no_other_where_others_can_read);
  ADD ("/sign-in/refused-certificate-leaves-the-password", test_certificate_and_ticket_then_password);
  ADD ("/sign-in/refused-certificate-without-a-password", test_no_password_after_certificate);
  ADD ("/sign-in/refused-token-is-renewed-once", test_token_renewed_once);
  ADD ("/sign-in/token-that-stays-the-same-is-not-sent-again", test_token_that_stays);
  ADD ("/sign-in/server-without-the-newer-mechanism-for-tokens", test_token_mechanism_unsupported);
  ADD ("/sign-in/one-connection-asks-for-all", test_one_asks_for_all);
  ADD ("/sign-in/bindings-are-tried-one-after-the-other", test_bindings_one_after_the_other);
  ADD ("/sign-in/judged-with-binding-before-the-proof", test_judged_with_binding_before_the_proof);
  ADD ("/sign-in/binding-of-an-older-tls", test_binding_of_an_older_tls);
  ADD ("/sign-in/forced-binding-never-goes-without", test_forced_binding_never_goes_without);
  ADD ("/sign-in/server-that-fails-to-prove-itself-ends-it", test_password_judged_with_binding);
  ADD ("/sign-in/words-about-the-mechanism", test_words);
  return g_test_run ();
}
