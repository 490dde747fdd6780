// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "sasl-exchange.h"

/* Frees and wipes @response. */
static gchar *
encode_response (GByteArray *response)
{
  gchar *line = g_base64_encode (response->data, response->len);

  mm_secret_wipe (response->data, response->len);
  g_byte_array_unref (response);
  return line;
}

/* GLib's decoder skips what is not base64. */
static gboolean
decode_challenge (const gchar *text, guint8 **out_octets, gsize *out_length)
{
  gsize length = strlen (text);
  gsize padding = 0;

  while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
    padding++;
  for (gsize i = 0; i < length - padding; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  if (length % 4 != 0)
    return FALSE;
  *out_octets = g_base64_decode (text, out_length);
  return TRUE;
}

gchar *
mm_sasl_initial_line (MmSasl *sasl, GError **error)
{
  GByteArray *response = mm_sasl_step (sasl, NULL, 0, error);

  if (response == NULL)
    return NULL;
  if (response->len > 0)
    return encode_response (response);
  g_byte_array_unref (response);
  return g_strdup ("=");
}

gchar *
mm_sasl_answer_line (MmSasl *sasl, const gchar *challenge, gboolean is_first, GError **error)
{
  g_autofree guint8 *octets = NULL;
  gsize length = 0;
  GByteArray *response;

  /* What a server says before a client that speaks first is no challenge, and some say words. */
  if (is_first && mm_sasl_has_initial_response (sasl))
    challenge = "";
  if (!decode_challenge (challenge, &octets, &length))
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                           "the server's challenge is not base64");
      return NULL;
    }
  response = mm_sasl_step (sasl, octets, length, error);
  return response != NULL ? encode_response (response) : NULL;
}

void
mm_sasl_free_line (gchar *line)
{
  if (line != NULL)
    mm_secret_wipe (line, strlen (line));
  g_free (line);
}
