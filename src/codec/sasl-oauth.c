// SPDX-License-Identifier: GPL-3.0-or-later
/* OAUTHBEARER (RFC 7628), and XOAUTH2, which is what it was before it became one. */
#include <string.h>

#include "sasl-private.h"

typedef struct
{
  MmSasl base;
  gboolean is_xoauth2;
  gboolean has_responded;
  gchar *user;
  gchar *host;
  guint16 port;
  MmSecret *token;
} OauthSasl;

/* Control-A separates the fields of a response. */
static gboolean
has_control (const gchar *octets, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if ((guchar)octets[i] < ' ' || octets[i] == 0x7f)
      return TRUE;
  return FALSE;
}

static gboolean
oauth_start (MmSasl *sasl, const MmSaslCredentials *credentials, GError **error)
{
  OauthSasl *self = (OauthSasl *)sasl;
  const MmSecret *token = credentials->token;

  if (token == NULL || credentials->user == NULL)
    return mm_sasl_fail (error, "user name or token is missing");
  if (has_control (mm_secret_get (token), mm_secret_get_length (token))
      || has_control (credentials->user, strlen (credentials->user)))
    return mm_sasl_fail (error, "the user name or the token holds a control character");
  self->is_xoauth2 = strcmp (sasl->mechanism->name, "XOAUTH2") == 0;
  self->token = mm_secret_ref (credentials->token);
  self->user = g_strdup (credentials->user);
  self->host = g_strdup (credentials->host);
  self->port = credentials->port;
  return TRUE;
}

static void
oauth_clear (MmSasl *sasl)
{
  OauthSasl *self = (OauthSasl *)sasl;

  g_clear_pointer (&self->token, mm_secret_unref);
  g_free (self->user);
  g_free (self->host);
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

/* RFC 7628 3.1 */
static GByteArray *
make_response (const OauthSasl *self)
{
  g_autofree gchar *head = NULL;
  gsize head_length, token_length = mm_secret_get_length (self->token);
  GByteArray *response;

  if (self->is_xoauth2)
    head = g_strdup_printf ("user=%s\001auth=Bearer ", self->user);
  else
    {
      g_autofree gchar *user = escape_gs2_name (self->user);
      g_autofree gchar *host
          = self->host != NULL ? g_strdup_printf ("host=%s\001", self->host) : g_strdup ("");
      g_autofree gchar *port
          = self->port != 0 ? g_strdup_printf ("port=%u\001", self->port) : g_strdup ("");

      head = g_strdup_printf ("n,a=%s,\001%s%sauth=Bearer ", user, host, port);
    }
  head_length = strlen (head);
  /* Of its final size at once: growing would leave copies of the token behind. */
  response = g_byte_array_sized_new ((guint)(head_length + token_length + 2));
  g_byte_array_append (response, (const guint8 *)head, (guint)head_length);
  g_byte_array_append (response, (const guint8 *)mm_secret_get (self->token), (guint)token_length);
  g_byte_array_append (response, (const guint8 *)"\001\001", 2);
  return response;
}

/* RFC 7628 3.2.2: a JSON object, of which one word is of interest: {"status":"invalid_token"}. */
static void
note_status (MmSasl *sasl, const gchar *json, gsize length)
{
  static const gchar key[] = "\"status\"";
  g_autofree gchar *text = g_strndup (json, length);
  const gchar *p = strstr (text, key);

  if (p == NULL)
    return;
  p += strlen (key);
  p += strspn (p, " \t\r\n:");
  if (*p == '"')
    p++;
  mm_sasl_set_server_error (sasl, p, strcspn (p, "\",}"));
}

/* After the response only an error comes as a challenge; it is answered before the server says NO:
 * by a dummy (RFC 7628 3.2.3), with XOAUTH2 by nothing. */
static GByteArray *
oauth_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error)
{
  OauthSasl *self = (OauthSasl *)sasl;
  GByteArray *dummy;

  if (!self->has_responded)
    {
      self->has_responded = sasl->may_succeed = TRUE;
      return make_response (self);
    }
  note_status (sasl, (const gchar *)challenge, length);
  sasl->may_succeed = FALSE;
  sasl->is_over = TRUE;
  dummy = g_byte_array_new ();
  if (!self->is_xoauth2)
    g_byte_array_append (dummy, (const guint8 *)"\001", 1);
  return dummy;
}

const MmSaslKind mm_sasl_oauth_kind = {
  .size = sizeof (OauthSasl),
  .start = oauth_start,
  .step = oauth_step,
  .clear = oauth_clear,
};
