// SPDX-License-Identifier: GPL-3.0-or-later
/* The only user of GNU SASL. */
#include <string.h>

#include <gsasl.h>

#include "sasl-private.h"

typedef struct
{
  MmSasl base;
  Gsasl *context;
  Gsasl_session *session;
} GnuSasl;

/* The first failure stays. */
static void
set_property (GnuSasl *self, int *result, Gsasl_property property, const gchar *value)
{
  if (*result == GSASL_OK && value != NULL)
    *result = gsasl_property_set (self->session, property, value);
}

/* For -PLUS alone: RFC 5802 6 has SCRAM without it tell ("y") that the client could have bound, but GNU
 * SASL 2.2 ends the exchange there. */
static void
set_binding (GnuSasl *self, int *result, const MmSaslCredentials *credentials)
{
  gsize length = 0;
  const guint8 *octets;

  octets = g_bytes_get_data (credentials->binding, &length);
  g_autofree gchar *encoded = g_base64_encode (octets, length);
  set_property (self, result,
                strcmp (credentials->binding_type, "tls-exporter") == 0 ? GSASL_CB_TLS_EXPORTER
                                                                        : GSASL_CB_TLS_UNIQUE,
                encoded);
}

static gboolean
check_credentials (const MmSaslMechanism *mechanism, const MmSaslCredentials *credentials,
                   GError **error)
{
  const MmSecret *password = credentials->password;

  if (credentials->user == NULL)
    return mm_sasl_fail (error, "the user name is missing");
  if ((mechanism->needs & MM_SASL_BINDING) != 0 && credentials->binding == NULL)
    return mm_sasl_fail (error, "this connection has no channel binding");
  if ((mechanism->needs & MM_SASL_PASSWORD) == 0)
    return TRUE;
  if (password == NULL)
    return mm_sasl_fail (error, "the password is missing");
  return memchr (mm_secret_get (password), '\0', mm_secret_get_length (password)) == NULL
         || mm_sasl_fail (error, "the password holds a NUL");
}

static gboolean
gnu_start (MmSasl *sasl, const MmSaslCredentials *credentials, GError **error)
{
  GnuSasl *self = (GnuSasl *)sasl;
  const MmSaslMechanism *mechanism = sasl->mechanism;
  int result;

  if (!check_credentials (mechanism, credentials, error))
    return FALSE;
  result = gsasl_init (&self->context);
  if (result == GSASL_OK)
    result = gsasl_client_start (self->context, mechanism->name, &self->session);
  if ((mechanism->needs & MM_SASL_PASSWORD) != 0)
    {
      set_property (self, &result, GSASL_AUTHID, credentials->user);
      set_property (self, &result, GSASL_PASSWORD, mm_secret_get (credentials->password));
      if ((mechanism->needs & MM_SASL_BINDING) != 0)
        set_binding (self, &result, credentials);
    }
  else
    {
      /* Who we are the ticket or the certificate says; whose mail is wanted we do. */
      set_property (self, &result, GSASL_AUTHZID, credentials->user);
      set_property (self, &result, GSASL_SERVICE, credentials->service);
      set_property (self, &result, GSASL_HOSTNAME, credentials->host);
    }
  return result == GSASL_OK || mm_sasl_fail (error, gsasl_strerror (result));
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

static void
gnu_clear (MmSasl *sasl)
{
  GnuSasl *self = (GnuSasl *)sasl;

  if (self->session != NULL)
    {
      wipe_property (self->session, GSASL_PASSWORD);
      wipe_property (self->session, GSASL_SCRAM_SALTED_PASSWORD);
      gsasl_finish (self->session);
    }
  if (self->context != NULL)
    gsasl_done (self->context);
}

/* RFC 5802 7: instead of its proof the server may send "e=" and a word. */
static gboolean
take_scram_error (MmSasl *sasl, const gchar *challenge, gsize length, GError **error)
{
  if (length < 2 || memcmp (challenge, "e=", 2) != 0
      || !g_str_has_prefix (sasl->mechanism->name, "SCRAM-"))
    return FALSE;
  const gchar *word = challenge + 2;
  const gchar *end = memchr (word, ',', length - 2);
  mm_sasl_set_server_error (sasl, word, end != NULL ? (gsize)(end - word) : length - 2);
  mm_sasl_fail (error, sasl->server_error);
  return TRUE;
}

static const gchar *
describe (const MmSasl *sasl, int result)
{
  /* Who has no ticket meets this first, and the library's words name a function of GSSAPI's. */
  if (sasl->mechanism->needs == MM_SASL_TICKET && result == GSASL_GSSAPI_INIT_SEC_CONTEXT_ERROR)
    return "there is no Kerberos ticket for this server; kinit gets one, and the name of the server "
           "has to be the one that Kerberos knows it by";
  if (result == GSASL_AUTHENTICATION_ERROR && g_str_has_prefix (sasl->mechanism->name, "SCRAM-"))
    return "the server did not prove that it knows the password";
  return gsasl_strerror (result);
}

static GByteArray *
gnu_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error)
{
  GnuSasl *self = (GnuSasl *)sasl;
  char *octets = NULL;
  size_t n_octets = 0;
  GByteArray *response;

  if (take_scram_error (sasl, (const gchar *)challenge, length, error))
    return NULL;
  int result = gsasl_step (self->session, (const char *)challenge, length, &octets, &n_octets);
  if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
    {
      mm_sasl_fail (error, describe (sasl, result));
      return NULL;
    }
  sasl->may_succeed = sasl->is_over = result == GSASL_OK;
  response = g_byte_array_sized_new ((guint)n_octets);
  g_byte_array_append (response, (const guint8 *)octets, (guint)n_octets);
  mm_secret_wipe (octets, n_octets);
  gsasl_free (octets);
  return response;
}

const MmSaslKind mm_sasl_gsasl_kind = {
  .size = sizeof (GnuSasl),
  .start = gnu_start,
  .step = gnu_step,
  .clear = gnu_clear,
};
