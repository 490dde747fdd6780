// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SASL exchanges against the vectors of their RFCs. A SCRAM client chooses its own nonce, so the
 * vectors of RFC 5802 and RFC 7677 are first reproduced by the server written here, which then
 * plays against the client.
 */
#include <string.h>

#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <mailmount/sasl.h>

static MmSasl *
start (const gchar *mechanism, const gchar *user, const gchar *password, const gchar *token,
       const gchar *host, guint16 port)
{
  g_autoptr (MmSecret) password_secret
      = password != NULL ? mm_secret_new (password, strlen (password)) : NULL;
  g_autoptr (MmSecret) token_secret = token != NULL ? mm_secret_new (token, strlen (token)) : NULL;
  MmSaslCredentials credentials = { .user = user,
                                    .password = password_secret,
                                    .token = token_secret,
                                    .service = "imap",
                                    .host = host,
                                    .port = port };
  g_autoptr (GError) error = NULL;
  MmSasl *sasl = mm_sasl_new (mechanism, &credentials, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (mm_sasl_get_mechanism (sasl), ==, mechanism);
  return sasl;
}

/* The answer to @challenge as text, which holds no NUL. */
static gchar *
answer (MmSasl *sasl, const gchar *challenge)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) response
      = mm_sasl_step (sasl, (const guint8 *)challenge, strlen (challenge), &error);

  g_assert_no_error (error);
  return g_strndup ((const gchar *)response->data, response->len);
}

static void
check_answer (MmSasl *sasl, const gchar *challenge, const gchar *expected, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) response
      = mm_sasl_step (sasl, (const guint8 *)challenge, strlen (challenge), &error);

  g_assert_no_error (error);
  g_assert_cmpmem (response->data, response->len, expected, length);
}

static void
check_failure (MmSasl *sasl, const gchar *challenge)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mm_sasl_step (sasl, (const guint8 *)challenge, strlen (challenge), &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION);
  g_assert_false (mm_sasl_may_succeed (sasl));
}

/* PLAIN, LOGIN, CRAM-MD5 */

static void
test_plain (void)
{
  g_autoptr (MmSasl) sasl = start ("PLAIN", "tim", "tanstaaftanstaaf", NULL, NULL, 0);

  g_assert_true (mm_sasl_has_initial_response (sasl));
  g_assert_false (mm_sasl_may_succeed (sasl));
  check_answer (sasl, "", "\0tim\0tanstaaftanstaaf", 21); /* RFC 4616 section 4 */
  g_assert_true (mm_sasl_may_succeed (sasl));
  check_failure (sasl, "");
}

static void
test_login (void)
{
  g_autoptr (MmSasl) sasl = start ("LOGIN", "tim", "secret", NULL, NULL, 0);

  g_assert_false (mm_sasl_has_initial_response (sasl));
  check_answer (sasl, "Username:", "tim", 3);
  g_assert_false (mm_sasl_may_succeed (sasl));
  check_answer (sasl, "Password:", "secret", 6);
  g_assert_true (mm_sasl_may_succeed (sasl));
  check_failure (sasl, "Again:");
}

static void
test_cram_md5 (void)
{
  static const gchar expected[] = "tim b913a602c7eda7a495b4e6e7334d3890";
  g_autoptr (MmSasl) sasl = start ("CRAM-MD5", "tim", "tanstaaftanstaaf", NULL, NULL, 0);

  g_assert_false (mm_sasl_has_initial_response (sasl));
  check_answer (sasl, "<1896.697170952@postoffice.reston.mci.net>", expected,
                sizeof expected - 1); /* RFC 2195 section 2 */
  g_assert_true (mm_sasl_may_succeed (sasl));
}

/* SCRAM */

typedef struct
{
  const gchar *mechanism;
  const gchar *digest;
  gsize digest_octets;
  const gchar *user;
  const gchar *password;
  const gchar *salt; /* base64 */
  gint iterations;
  const gchar *client_nonce;
  const gchar *server_nonce;
  const gchar *proof; /* base64 */
  const gchar *verifier;
} ScramVector;

static const ScramVector vectors[] = {
  /* RFC 5802 section 5 */
  { "SCRAM-SHA-1", "SHA1", 20, "user", "pencil", "QSXCR+Q6sek8bf92", 4096,
    "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
  /* RFC 7677 section 3 */
  { "SCRAM-SHA-256", "SHA256", 32, "user", "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096,
    "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

typedef struct
{
  gchar *proof;    /* base64, what the client must send */
  gchar *verifier; /* base64, what the server sends */
} Scram;

static void
scram_clear (Scram *scram)
{
  g_free (scram->proof);
  g_free (scram->verifier);
}

static void
hmac (const ScramVector *vector, const guint8 *key, const gchar *text, guint8 *out)
{
  unsigned int length = 0;

  g_assert_nonnull (HMAC (EVP_get_digestbyname (vector->digest), key, (int)vector->digest_octets,
                          (const guint8 *)text, strlen (text), out, &length));
  g_assert_cmpuint (length, ==, vector->digest_octets);
}

/* RFC 5802 section 3 */
static Scram
scram_compute (const ScramVector *vector, const gchar *auth_message)
{
  gsize salt_length;
  g_autofree guint8 *salt = g_base64_decode (vector->salt, &salt_length);
  guint8 salted[32], client_key[32], stored_key[32], signature[32], server_key[32], verifier[32];

  g_assert_cmpint (PKCS5_PBKDF2_HMAC (vector->password, -1, salt, (int)salt_length,
                                      vector->iterations, EVP_get_digestbyname (vector->digest),
                                      (int)vector->digest_octets, salted),
                   ==, 1);
  hmac (vector, salted, "Client Key", client_key);
  EVP_Digest (client_key, vector->digest_octets, stored_key, NULL,
              EVP_get_digestbyname (vector->digest), NULL);
  hmac (vector, stored_key, auth_message, signature);
  hmac (vector, salted, "Server Key", server_key);
  hmac (vector, server_key, auth_message, verifier);
  for (gsize i = 0; i < vector->digest_octets; i++)
    client_key[i] ^= signature[i];
  return (Scram){ g_base64_encode (client_key, vector->digest_octets),
                  g_base64_encode (verifier, vector->digest_octets) };
}

static void
test_scram_vectors (gconstpointer data)
{
  const ScramVector *vector = data;
  g_autofree gchar *auth_message = g_strdup_printf (
      "n=%s,r=%s,r=%s%s,s=%s,i=%d,c=biws,r=%s%s", vector->user, vector->client_nonce,
      vector->client_nonce, vector->server_nonce, vector->salt, vector->iterations,
      vector->client_nonce, vector->server_nonce);
  Scram scram = scram_compute (vector, auth_message);

  g_assert_cmpstr (scram.proof, ==, vector->proof);
  g_assert_cmpstr (scram.verifier, ==, vector->verifier);
  scram_clear (&scram);
}

/* Plays the server up to its last word, which is right or wrong. */
static void
play_scram (const ScramVector *vector, const gchar *server_password, gboolean proves_itself,
            gboolean mangles_nonce)
{
  g_autoptr (MmSasl) sasl
      = start (vector->mechanism, vector->user, vector->password, NULL, NULL, 0);
  g_autofree gchar *first = answer (sasl, "");
  g_autofree gchar *server_first = NULL;
  g_autofree gchar *final = NULL;
  g_autofree gchar *expected = NULL;
  g_autofree gchar *last = NULL;
  g_autofree gchar *auth_message = NULL;
  const gchar *nonce;
  ScramVector server = *vector;
  Scram scram;

  g_assert_true (mm_sasl_has_initial_response (sasl));
  g_assert_false (mm_sasl_may_succeed (sasl));
  g_assert_true (g_str_has_prefix (first, "n,,n=user,r="));
  nonce = first + strlen ("n,,n=user,r=");
  server_first = g_strdup_printf ("r=%s%s%s,s=%s,i=%d", mangles_nonce ? "x" : "", nonce,
                                  vector->server_nonce, vector->salt, vector->iterations);
  if (mangles_nonce)
    {
      check_failure (sasl, server_first);
      return;
    }
  final = answer (sasl, server_first);
  g_assert_false (mm_sasl_may_succeed (sasl));

  auth_message = g_strdup_printf ("%s,%s,c=biws,r=%s%s", first + 3, server_first, nonce,
                                  vector->server_nonce);
  scram = scram_compute (vector, auth_message);
  expected = g_strdup_printf ("c=biws,r=%s%s,p=%s", nonce, vector->server_nonce, scram.proof);
  g_assert_cmpstr (final, ==, expected);

  scram_clear (&scram);
  server.password = server_password;
  scram = scram_compute (&server, auth_message);
  last = g_strdup_printf ("v=%s", scram.verifier);
  scram_clear (&scram);
  if (proves_itself)
    {
      check_answer (sasl, last, "", 0);
      g_assert_true (mm_sasl_may_succeed (sasl));
    }
  else
    check_failure (sasl, last);
}

static void
test_scram_exchange (gconstpointer data)
{
  const ScramVector *vector = data;

  play_scram (vector, vector->password, TRUE, FALSE);
}

static void
test_scram_server_without_password (gconstpointer data)
{
  play_scram (data, "guess", FALSE, FALSE);
}

static void
test_scram_foreign_nonce (gconstpointer data)
{
  play_scram (data, "", FALSE, TRUE);
}

/* RFC 5802 7: the server tells what is wrong instead of proving itself. */
static void
test_scram_server_error (void)
{
  g_autoptr (MmSasl) sasl = start ("SCRAM-SHA-1", "user", "pencil", NULL, NULL, 0);
  g_autofree gchar *first = answer (sasl, "");
  const gchar *nonce = strstr (first, "r=");
  g_autofree gchar *server_first = g_strconcat (nonce, "x,s=QSXCR+Q6sek8bf92,i=4096", NULL);
  g_autofree gchar *final = NULL;

  g_assert_false (mm_sasl_has_used_secret (sasl));
  final = answer (sasl, server_first);
  g_assert_true (mm_sasl_has_used_secret (sasl));
  check_failure (sasl, "e=channel-bindings-dont-match,x=y");
  g_assert_cmpstr (mm_sasl_get_server_error (sasl), ==, "channel-bindings-dont-match");
}

/* SCRAM with channel binding, against the server that GNU SASL has. */

typedef struct
{
  const gchar *mechanism;
  const gchar *type;
  Gsasl_property property;
  const gchar *servers_binding; /* ours is "binding" */
  gboolean succeeds;
} BindingCase;

static const BindingCase binding_cases[] = {
  { "SCRAM-SHA-256-PLUS", "tls-exporter", GSASL_CB_TLS_EXPORTER, "binding", TRUE },
  { "SCRAM-SHA-256-PLUS", "tls-unique", GSASL_CB_TLS_UNIQUE, "binding", TRUE },
  { "SCRAM-SHA-1-PLUS", "tls-exporter", GSASL_CB_TLS_EXPORTER, "binding", TRUE },
  { "SCRAM-SHA-256-PLUS", "tls-exporter", GSASL_CB_TLS_EXPORTER, "of another line", FALSE },
  { "SCRAM-SHA-256-PLUS", "tls-unique", GSASL_CB_TLS_EXPORTER, "binding", FALSE },
};

static gboolean
play_bound (const BindingCase *test, MmSasl *sasl, Gsasl_session *server)
{
  g_autofree gchar *challenge = g_strdup ("");

  for (;;)
    {
      g_autofree gchar *response = answer (sasl, challenge);
      char *octets = NULL;
      size_t length = 0;
      int result = gsasl_step (server, response, strlen (response), &octets, &length);

      g_free (challenge);
      challenge = g_strndup (octets != NULL ? octets : "", length);
      gsasl_free (octets);
      if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
        return FALSE;
      if (result == GSASL_OK)
        {
          g_autofree gchar *last = answer (sasl, challenge);
          return TRUE;
        }
    }
}

static void
test_binding (gconstpointer data)
{
  const BindingCase *test = data;
  g_autoptr (GBytes) binding = g_bytes_new_static ("binding", 7);
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);
  MmSaslCredentials credentials = { .user = "user",
                                    .password = password,
                                    .binding_type = test->type,
                                    .binding = binding };
  g_autofree gchar *encoded
      = g_base64_encode ((const guint8 *)test->servers_binding, strlen (test->servers_binding));
  g_autoptr (GError) error = NULL;
  g_autoptr (MmSasl) sasl = mm_sasl_new (test->mechanism, &credentials, &error);
  Gsasl *context;
  Gsasl_session *server;

  g_assert_no_error (error);
  g_assert_cmpint (gsasl_init (&context), ==, GSASL_OK);
  g_assert_cmpint (gsasl_server_start (context, test->mechanism, &server), ==, GSASL_OK);
  gsasl_property_set (server, GSASL_PASSWORD, "pencil");
  gsasl_property_set (server, test->property, encoded);
  g_assert_cmpint (play_bound (test, sasl, server), ==, test->succeeds);
  g_assert_cmpint (mm_sasl_may_succeed (sasl), ==, test->succeeds);
  gsasl_finish (server);
  gsasl_done (context);
}

/* EXTERNAL: whose mail is wanted; who we are the certificate said. */
static void
test_external (void)
{
  MmSaslCredentials credentials = { .user = "tim" };
  g_autoptr (GError) error = NULL;
  g_autoptr (MmSasl) sasl = mm_sasl_new ("EXTERNAL", &credentials, &error);

  g_assert_no_error (error);
  g_assert_true (mm_sasl_has_initial_response (sasl));
  check_answer (sasl, "", "tim", 3);
  g_assert_true (mm_sasl_may_succeed (sasl));
}

/* OAuth */

static void
test_oauthbearer (void)
{
  static const gchar expected[] = "n,a=user@example.com,\001host=server.example.com\001port=143\001"
                                  "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001";
  g_autoptr (MmSasl) sasl
      = start ("OAUTHBEARER", "user@example.com", NULL,
               "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143);

  g_assert_true (mm_sasl_has_initial_response (sasl));
  check_answer (sasl, "", expected, sizeof expected - 1); /* RFC 7628 section 4.1 */
  g_assert_true (mm_sasl_may_succeed (sasl));
}

static void
test_oauthbearer_error (void)
{
  g_autoptr (MmSasl) sasl = start ("OAUTHBEARER", "a,b=c", NULL, "t", NULL, 0);

  check_answer (sasl, "", "n,a=a=2Cb=3Dc,\001auth=Bearer t\001\001", 30);
  g_assert_null (mm_sasl_get_server_error (sasl));
  check_answer (sasl, "{\"status\":\"invalid_token\"}", "\001", 1); /* RFC 7628 section 4.3 */
  g_assert_cmpstr (mm_sasl_get_server_error (sasl), ==, "invalid_token");
  g_assert_false (mm_sasl_may_succeed (sasl));
  check_failure (sasl, "");
}

static void
test_xoauth2 (void)
{
  g_autoptr (MmSasl) sasl = start ("XOAUTH2", "someuser@example.com", NULL, "ya29.vF9", "h", 993);
  static const gchar expected[] = "user=someuser@example.com\001auth=Bearer ya29.vF9\001\001";

  check_answer (sasl, "", expected, sizeof expected - 1);
  g_assert_true (mm_sasl_may_succeed (sasl));
  check_answer (sasl, "{\"schemes\": \"bearer\", \"status\": 401}", "", 0);
  g_assert_cmpstr (mm_sasl_get_server_error (sasl), ==, "401");
  g_assert_false (mm_sasl_may_succeed (sasl));
}

/* The start of an exchange */

static void
check_no_start (const gchar *mechanism, const MmSaslCredentials *credentials, gint code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mm_sasl_new (mechanism, credentials, &error));
  g_assert_error (error, MM_ERROR, code);
}

static void
test_refused_credentials (void)
{
  g_autoptr (MmSecret) nul = mm_secret_new ("a\0b", 3);
  g_autoptr (MmSecret) control = mm_secret_new ("a\001b", 3);
  g_autoptr (MmSecret) fine = mm_secret_new ("ab", 2);
  MmSaslCredentials good = { .user = "u", .password = fine, .token = fine };
  MmSaslCredentials bad = { .user = "u", .password = nul, .token = control };
  MmSaslCredentials none = { .user = "u" };
  MmSaslCredentials odd_user = { .user = "u\001x", .token = fine };

  check_no_start ("DIGEST-MD5", &good, MM_ERROR_UNSUPPORTED);
  check_no_start ("ANONYMOUS", &good, MM_ERROR_UNSUPPORTED);
  check_no_start ("SCRAM-SHA-256-PLUS", &good, MM_ERROR_AUTHENTICATION);
  check_no_start ("PLAIN", &bad, MM_ERROR_AUTHENTICATION);
  check_no_start ("XOAUTH2", &bad, MM_ERROR_AUTHENTICATION);
  check_no_start ("PLAIN", &none, MM_ERROR_AUTHENTICATION);
  check_no_start ("OAUTHBEARER", &none, MM_ERROR_AUTHENTICATION);
  check_no_start ("XOAUTH2", &odd_user, MM_ERROR_AUTHENTICATION);
}

static void
test_choose (void)
{
  static const gchar *const all[]
      = { "EXTERNAL",      "GSSAPI",     "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "LOGIN",
          "PLAIN",         "CRAM-MD5",   "SCRAM-SHA-1",        "SCRAM-SHA-256",    "DIGEST-MD5",
          "XOAUTH2",       "OAUTHBEARER", NULL };
  static const gchar *const weak[] = { "login", "plain", NULL };
  static const gchar *const none[] = { NULL };
  const MmSaslMeans bound = MM_SASL_PASSWORD | MM_SASL_BINDING;

  g_assert_cmpstr (mm_sasl_choose (all, bound, TRUE), ==, "SCRAM-SHA-256-PLUS");
  g_assert_cmpstr (mm_sasl_choose (all + 3, bound, TRUE), ==, "SCRAM-SHA-1-PLUS");
  g_assert_cmpstr (mm_sasl_choose (all, MM_SASL_PASSWORD, TRUE), ==, "SCRAM-SHA-256");
  g_assert_cmpstr (mm_sasl_choose (all, MM_SASL_PASSWORD, FALSE), ==, "SCRAM-SHA-256");
  g_assert_cmpstr (mm_sasl_choose (all, MM_SASL_TOKEN, TRUE), ==, "OAUTHBEARER");
  g_assert_cmpstr (mm_sasl_choose (all, MM_SASL_TICKET | bound, TRUE), ==, "GSSAPI");
  g_assert_cmpstr (mm_sasl_choose (all, MM_SASL_CERTIFICATE | bound, TRUE), ==, "EXTERNAL");
  g_assert_cmpstr (mm_sasl_choose (weak, bound, TRUE), ==, "PLAIN");
  g_assert_null (mm_sasl_choose (weak, bound, FALSE));
  g_assert_null (mm_sasl_choose (all, MM_SASL_TOKEN, FALSE));
  g_assert_null (mm_sasl_choose (weak, MM_SASL_TOKEN, TRUE));
  g_assert_null (mm_sasl_choose (none, bound, TRUE));
  g_assert_null (mm_sasl_choose (all, 0, TRUE));
}

static void
test_mechanisms_are_known (void)
{
  for (const gchar *const *name = mm_sasl_get_mechanisms (); *name != NULL; name++)
    {
      const gchar *const offered[] = { *name, NULL };

      g_assert_cmpint (mm_sasl_get_needs (*name), !=, 0);
      g_assert_cmpstr (mm_sasl_choose (offered, mm_sasl_get_needs (*name), TRUE), ==, *name);
      g_assert_cmpint (mm_sasl_choose (offered, mm_sasl_get_needs (*name), FALSE) == NULL, ==,
                       mm_sasl_is_clear_text (*name));
    }
  g_assert_cmpint (mm_sasl_get_needs ("scram-sha-256"), ==, MM_SASL_PASSWORD);
  g_assert_cmpint (mm_sasl_get_needs ("DIGEST-MD5"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sasl/plain", test_plain);
  g_test_add_func ("/sasl/login", test_login);
  g_test_add_func ("/sasl/cram-md5", test_cram_md5);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      const struct
      {
        const gchar *name;
        GTestDataFunc test;
      } tests[] = {
        { "rfc-vector", test_scram_vectors },
        { "exchange", test_scram_exchange },
        { "server-without-password-is-refused", test_scram_server_without_password },
        { "foreign-nonce-is-refused", test_scram_foreign_nonce },
      };

      for (gsize j = 0; j < G_N_ELEMENTS (tests); j++)
        {
          g_autofree gchar *name = g_ascii_strdown (vectors[i].mechanism, -1);
          g_autofree gchar *path = g_strdup_printf ("/sasl/%s/%s", name, tests[j].name);

          g_test_add_data_func (path, &vectors[i], tests[j].test);
        }
    }
  g_test_add_func ("/sasl/scram-error-of-the-server-is-told", test_scram_server_error);
  for (gsize i = 0; i < G_N_ELEMENTS (binding_cases); i++)
    {
      g_autofree gchar *path
          = g_strdup_printf ("/sasl/channel-binding/%" G_GSIZE_FORMAT, i);

      g_test_add_data_func (path, &binding_cases[i], test_binding);
    }
  g_test_add_func ("/sasl/external", test_external);
  g_test_add_func ("/sasl/oauthbearer", test_oauthbearer);
  g_test_add_func ("/sasl/oauthbearer-error-is-answered", test_oauthbearer_error);
  g_test_add_func ("/sasl/xoauth2", test_xoauth2);
  g_test_add_func ("/sasl/refused-credentials", test_refused_credentials);
  g_test_add_func ("/sasl/choose-the-strongest", test_choose);
  g_test_add_func ("/sasl/all-mechanisms-are-known", test_mechanisms_are_known);
  return g_test_run ();
}
