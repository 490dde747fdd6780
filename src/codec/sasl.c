// SPDX-License-Identifier: GPL-3.0-or-later
/* The only user of GNU SASL. */
#include <string.h>

#include <gsasl.h>

#include <mailmount/sasl.h>

typedef enum
{
  KIND_GSASL,
  KIND_OAUTHBEARER,
  KIND_XOAUTH2,
} Kind;

typedef struct
{
  const gchar *name;
  Kind kind;
  gboolean speaks_first;
  gboolean is_clear_text; /* who reads the line can log in */
} Mechanism;

/* Strongest first. */
static const Mechanism mechanisms[] = {
  { "OAUTHBEARER", KIND_OAUTHBEARER, TRUE, TRUE },
  { "XOAUTH2", KIND_XOAUTH2, TRUE, TRUE },
  { "SCRAM-SHA-256", KIND_GSASL, TRUE, FALSE },
  { "SCRAM-SHA-1", KIND_GSASL, TRUE, FALSE },
  { "CRAM-MD5", KIND_GSASL, FALSE, FALSE },
  { "PLAIN", KIND_GSASL, TRUE, TRUE },
  { "LOGIN", KIND_GSASL, FALSE, TRUE },
};

struct MmSasl
{
  const Mechanism *mechanism;
  Gsasl *context;
  Gsasl_session *session;
  gboolean may_succeed;
  gboolean is_over; /* failed, or the client has said everything */

  /* OAuth */
  gboolean has_responded;
  gchar *user;
  gchar *host;
  guint16 port;
  MmSecret *token;
};

static gboolean
has_credentials (const Mechanism *mechanism, const MmSaslCredentials *credentials)
{
  return mechanism->kind == KIND_GSASL ? credentials->password != NULL : credentials->token != NULL;
}

static gboolean
is_offered (const gchar *const *offered, const gchar *name)
{
  for (; *offered != NULL; offered++)
    if (g_ascii_strcasecmp (*offered, name) == 0)
      return TRUE;
  return FALSE;
}

const gchar *
mm_sasl_choose (const gchar *const *offered, const MmSaslCredentials *credentials,
                gboolean clear_text_allowed)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if (has_credentials (&mechanisms[i], credentials)
        && (clear_text_allowed || !mechanisms[i].is_clear_text)
        && is_offered (offered, mechanisms[i].name))
      return mechanisms[i].name;
  return NULL;
}

static gboolean
fail (GError **error, const gchar *why)
{
  g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "the login cannot go on: %s", why);
  return FALSE;
}

static gboolean
start_gsasl (MmSasl *sasl, const MmSaslCredentials *credentials, GError **error)
{
  const MmSecret *password = credentials->password;
  int result;

  if (password == NULL || credentials->user == NULL)
    return fail (error, "user name or password is missing");
  if (memchr (mm_secret_get (password), '\0', mm_secret_get_length (password)) != NULL)
    return fail (error, "the password holds a NUL");
  result = gsasl_init (&sasl->context);
  if (result == GSASL_OK)
    result = gsasl_client_start (sasl->context, sasl->mechanism->name, &sasl->session);
  if (result == GSASL_OK)
    result = gsasl_property_set (sasl->session, GSASL_AUTHID, credentials->user);
  if (result == GSASL_OK)
    result = gsasl_property_set (sasl->session, GSASL_PASSWORD, mm_secret_get (password));
  return result == GSASL_OK || fail (error, gsasl_strerror (result));
}

/* Control-A separates the fields of an OAuth response. */
static gboolean
has_control (const gchar *octets, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if ((guchar)octets[i] < ' ' || octets[i] == 0x7f)
      return TRUE;
  return FALSE;
}

static gboolean
start_oauth (MmSasl *sasl, const MmSaslCredentials *credentials, GError **error)
{
  const MmSecret *token = credentials->token;

  if (token == NULL || credentials->user == NULL)
    return fail (error, "user name or token is missing");
  if (has_control (mm_secret_get (token), mm_secret_get_length (token))
      || has_control (credentials->user, strlen (credentials->user)))
    return fail (error, "the user name or the token holds a control character");
  sasl->token = mm_secret_ref (credentials->token);
  sasl->user = g_strdup (credentials->user);
  sasl->host = g_strdup (credentials->host);
  sasl->port = credentials->port;
  return TRUE;
}

MmSasl *
mm_sasl_new (const gchar *mechanism, const MmSaslCredentials *credentials, GError **error)
{
  g_autoptr (MmSasl) sasl = g_new0 (MmSasl, 1);
  gboolean is_started;

  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if (g_ascii_strcasecmp (mechanisms[i].name, mechanism) == 0)
      sasl->mechanism = &mechanisms[i];
  if (sasl->mechanism == NULL)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_UNSUPPORTED, "unknown SASL mechanism %s", mechanism);
      return NULL;
    }
  is_started = sasl->mechanism->kind == KIND_GSASL ? start_gsasl (sasl, credentials, error)
                                                   : start_oauth (sasl, credentials, error);
  return is_started ? g_steal_pointer (&sasl) : NULL;
}

/* GNU SASL frees its copies without wiping them. They are malloced strings of its own, so writing
 * to them before they are freed is harmless. */
static void
wipe_property (Gsasl_session *session, Gsasl_property property)
{
  gchar *value = (gchar *)gsasl_property_fast (session, property);

  if (value != NULL)
    mm_secret_wipe (value, strlen (value));
}

void
mm_sasl_free (MmSasl *sasl)
{
  if (sasl == NULL)
    return;
  if (sasl->session != NULL)
    {
      wipe_property (sasl->session, GSASL_PASSWORD);
      wipe_property (sasl->session, GSASL_SCRAM_SALTED_PASSWORD);
      gsasl_finish (sasl->session);
    }
  if (sasl->context != NULL)
    gsasl_done (sasl->context);
  g_clear_pointer (&sasl->token, mm_secret_unref);
  g_free (sasl->user);
  g_free (sasl->host);
  g_free (sasl);
}

const gchar *
mm_sasl_get_mechanism (const MmSasl *sasl)
{
  return sasl->mechanism->name;
}

gboolean
mm_sasl_has_initial_response (const MmSasl *sasl)
{
  return sasl->mechanism->speaks_first;
}

gboolean
mm_sasl_may_succeed (const MmSasl *sasl)
{
  return sasl->may_succeed;
}

static GByteArray *
step_gsasl (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error)
{
  char *octets = NULL;
  size_t n_octets = 0;
  GByteArray *response;
  int result = gsasl_step (sasl->session, (const char *)challenge, length, &octets, &n_octets);

  if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
    {
      sasl->is_over = TRUE;
      fail (error, gsasl_strerror (result));
      return NULL;
    }
  sasl->may_succeed = sasl->is_over = result == GSASL_OK;
  response = g_byte_array_sized_new ((guint)n_octets);
  g_byte_array_append (response, (const guint8 *)octets, (guint)n_octets);
  mm_secret_wipe (octets, n_octets);
  gsasl_free (octets);
  return response;
}

/* RFC 5801 section 4: the authorization identity in a GS2 header. */
static gchar *
escape_gs2_name (const gchar *name)
{
  GString *escaped = g_string_new (NULL);

  for (; *name != '\0'; name++)
    if (*name == ',')
      g_string_append (escaped, "=2C");
    else if (*name == '=')
      g_string_append (escaped, "=3D");
    else
      g_string_append_c (escaped, *name);
  return g_string_free (escaped, FALSE);
}

/* RFC 7628 3.1; XOAUTH2 is what it was before it became one. */
static GByteArray *
make_oauth_response (const MmSasl *sasl)
{
  g_autofree gchar *head = NULL;
  gsize head_length, token_length = mm_secret_get_length (sasl->token);
  GByteArray *response;

  if (sasl->mechanism->kind == KIND_XOAUTH2)
    head = g_strdup_printf ("user=%s\001auth=Bearer ", sasl->user);
  else
    {
      g_autofree gchar *user = escape_gs2_name (sasl->user);
      g_autofree gchar *host
          = sasl->host != NULL ? g_strdup_printf ("host=%s\001", sasl->host) : g_strdup ("");
      g_autofree gchar *port
          = sasl->port != 0 ? g_strdup_printf ("port=%u\001", sasl->port) : g_strdup ("");

      head = g_strdup_printf ("n,a=%s,\001%s%sauth=Bearer ", user, host, port);
    }
  head_length = strlen (head);
  /* Of its final size at once: growing would leave copies of the token behind. */
  response = g_byte_array_sized_new ((guint)(head_length + token_length + 2));
  g_byte_array_append (response, (const guint8 *)head, (guint)head_length);
  g_byte_array_append (response, (const guint8 *)mm_secret_get (sasl->token), (guint)token_length);
  g_byte_array_append (response, (const guint8 *)"\001\001", 2);
  return response;
}

/* After the response only an error comes as a challenge (a JSON text); it is answered with a dummy
 * before the server says NO (RFC 7628 3.2.3). */
static GByteArray *
step_oauth (MmSasl *sasl)
{
  GByteArray *dummy;

  if (!sasl->has_responded)
    {
      sasl->has_responded = sasl->may_succeed = TRUE;
      return make_oauth_response (sasl);
    }
  sasl->may_succeed = FALSE;
  sasl->is_over = TRUE;
  dummy = g_byte_array_new ();
  if (sasl->mechanism->kind == KIND_OAUTHBEARER)
    g_byte_array_append (dummy, (const guint8 *)"\001", 1);
  return dummy;
}

GByteArray *
mm_sasl_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error)
{
  if (sasl->is_over)
    {
      sasl->may_succeed = FALSE;
      fail (error, "the server asks on after the end");
      return NULL;
    }
  if (sasl->mechanism->kind == KIND_GSASL)
    return step_gsasl (sasl, challenge, length, error);
  return step_oauth (sasl);
}
