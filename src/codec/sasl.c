// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "sasl-private.h"

#define SERVER_ERROR_OCTETS_MAX 80

/* Strongest first: no secret at all; a proof that goes both ways and holds for this TLS session only;
 * for this conversation only; what can be used once; what can be used again by who reads it. */
static const MmSaslMechanism mechanisms[] = {
  { "EXTERNAL", &mm_sasl_gsasl_kind, MM_SASL_CERTIFICATE, TRUE, FALSE, 1 },
  { "GSSAPI", &mm_sasl_gsasl_kind, MM_SASL_TICKET, TRUE, FALSE, 1 },
  { "SCRAM-SHA-256-PLUS", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD | MM_SASL_BINDING, TRUE, FALSE, 2 },
  { "SCRAM-SHA-1-PLUS", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD | MM_SASL_BINDING, TRUE, FALSE, 2 },
  { "SCRAM-SHA-256", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD, TRUE, FALSE, 2 },
  { "SCRAM-SHA-1", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD, TRUE, FALSE, 2 },
  { "OAUTHBEARER", &mm_sasl_oauth_kind, MM_SASL_TOKEN, TRUE, TRUE, 1 },
  { "XOAUTH2", &mm_sasl_oauth_kind, MM_SASL_TOKEN, TRUE, TRUE, 1 },
  { "CRAM-MD5", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD, FALSE, FALSE, 1 },
  { "PLAIN", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD, TRUE, TRUE, 1 },
  { "LOGIN", &mm_sasl_gsasl_kind, MM_SASL_PASSWORD, FALSE, TRUE, 2 },
};

static const gchar *const names[] = {
  "EXTERNAL",    "GSSAPI",      "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
  "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2",            "CRAM-MD5",         "PLAIN",
  "LOGIN",       NULL,
};

G_STATIC_ASSERT (G_N_ELEMENTS (names) == G_N_ELEMENTS (mechanisms) + 1);

static const MmSaslMechanism *
find (const gchar *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if (g_ascii_strcasecmp (mechanisms[i].name, name) == 0)
      return &mechanisms[i];
  return NULL;
}

const gchar *const *
mm_sasl_get_mechanisms (void)
{
  return names;
}

MmSaslMeans
mm_sasl_get_needs (const gchar *mechanism)
{
  const MmSaslMechanism *found = find (mechanism);

  return found != NULL ? found->needs : 0;
}

gboolean
mm_sasl_is_clear_text (const gchar *mechanism)
{
  const MmSaslMechanism *found = find (mechanism);

  return found != NULL && found->is_clear_text;
}

gboolean
mm_sasl_is_offered (const gchar *const *offered, const gchar *name)
{
  for (; *offered != NULL; offered++)
    if (g_ascii_strcasecmp (*offered, name) == 0)
      return TRUE;
  return FALSE;
}

const gchar *
mm_sasl_choose (const gchar *const *offered, MmSaslMeans means, gboolean is_private)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if ((mechanisms[i].needs & ~means) == 0 && (is_private || !mechanisms[i].is_clear_text)
        && mm_sasl_is_offered (offered, mechanisms[i].name))
      return mechanisms[i].name;
  return NULL;
}

gboolean
mm_sasl_fail (GError **error, const gchar *why)
{
  g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "the exchange cannot go on: %s", why);
  return FALSE;
}

MmSasl *
mm_sasl_new (const gchar *mechanism, const MmSaslCredentials *credentials, GError **error)
{
  const MmSaslMechanism *found = find (mechanism);

  if (found == NULL)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_UNSUPPORTED, "unknown SASL mechanism %s", mechanism);
      return NULL;
    }

  g_autoptr (MmSasl) sasl = g_malloc0 (found->kind->size);
  g_atomic_ref_count_init (&sasl->refs);
  sasl->mechanism = found;
  return found->kind->start (sasl, credentials, error) ? g_steal_pointer (&sasl) : NULL;
}

MmSasl *
mm_sasl_ref (MmSasl *sasl)
{
  g_atomic_ref_count_inc (&sasl->refs);
  return sasl;
}

void
mm_sasl_unref (MmSasl *sasl)
{
  if (sasl == NULL || !g_atomic_ref_count_dec (&sasl->refs))
    return;
  sasl->mechanism->kind->clear (sasl);
  g_free (sasl->server_error);
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

gboolean
mm_sasl_has_used_secret (const MmSasl *sasl)
{
  return sasl->n_responses >= sasl->mechanism->secret_step;
}

void
mm_sasl_set_server_error (MmSasl *sasl, const gchar *word, gsize length)
{
  g_free (sasl->server_error);
  sasl->server_error = g_strndup (word, MIN (length, SERVER_ERROR_OCTETS_MAX));
  for (gchar *p = sasl->server_error; *p != '\0'; p++)
    if (!g_ascii_isprint (*p))
      *p = '?';
}

const gchar *
mm_sasl_get_server_error (const MmSasl *sasl)
{
  return sasl->server_error;
}

GByteArray *
mm_sasl_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error)
{
  GByteArray *response = NULL;

  if (!sasl->is_over)
    response = sasl->mechanism->kind->step (sasl, challenge, length, error);
  else
    mm_sasl_fail (error, "the server asks on after the end");
  if (response == NULL)
    {
      sasl->is_over = TRUE;
      sasl->may_succeed = FALSE;
    }
  else
    sasl->n_responses++;
  return response;
}
