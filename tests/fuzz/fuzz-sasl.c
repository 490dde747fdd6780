// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server sends in an exchange: the first line is the mechanism (and perhaps "+" for known channel binding), each
 * further one a challenge. A server that does not know the password never gets SCRAM to succeed.
 */
#include <string.h>

#include <mailmount/sasl.h>

#include "fuzz.h"

#define CHALLENGES_MAX 8

static MmSasl *
begin (const gchar *mechanism, gboolean has_binding)
{
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);
  g_autoptr (MmSecret) token = mm_secret_new ("token", 5);
  g_autoptr (GBytes) binding = g_bytes_new_static ("0123456789abcdef", 16);
  MmSaslCredentials credentials = { .user = "us,er=", .password = password, .token = token,
                                    .service = "imap", .host = "host", .port = 993,
                                    .binding_type = has_binding ? "tls-exporter" : NULL,
                                    .binding = has_binding ? binding : NULL };

  return mm_sasl_new (mechanism, &credentials, NULL);
}

static gboolean
step (MmSasl *sasl, const gchar *challenge, gsize length)
{
  g_autofree guint8 *own = fuzz_copy ((const guint8 *) challenge, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) answer = mm_sasl_step (sasl, own, length, &error);

  g_assert ((answer == NULL) == (error != NULL));
  return answer != NULL;
}

static void
exchange (MmSasl *sasl, const gchar *challenges, gsize length)
{
  gboolean goes_on = !mm_sasl_has_initial_response (sasl) || step (sasl, "", 0);
  const gchar *end = challenges + length;

  for (guint i = 0; i < CHALLENGES_MAX && goes_on && challenges < end; i++)
    {
      const gchar *stop = memchr (challenges, '\n', (gsize) (end - challenges));

      if (stop == NULL)
        stop = end;
      goes_on = step (sasl, challenges, (gsize) (stop - challenges));
      challenges = MIN (stop + 1, end);
    }
  const gchar *told = mm_sasl_get_server_error (sasl);
  g_assert (told == NULL || g_utf8_validate (told, -1, NULL));
  if (g_str_has_prefix (mm_sasl_get_mechanism (sasl), "SCRAM"))
    g_assert (!mm_sasl_may_succeed (sasl));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? memchr (data, '\n', size) : NULL;
  static const gchar *const alone[] = { "PLAIN", NULL };

  if (end == NULL)
    return 0;
  fuzz_be_quiet ();
  gsize length = (gsize) (end - data);
  gboolean has_binding = length > 0 && end[-1] == '+';
  g_autofree gchar *mechanism = g_strndup ((const gchar *) data, length - (has_binding ? 1 : 0));
  const gchar *const offered[] = { mechanism, "CRAM-MD5", NULL };

  /* Over a line that others may read no secret goes as it is. */
  const gchar *chosen = mm_sasl_choose (offered, MM_SASL_PASSWORD | MM_SASL_TOKEN, FALSE);
  g_assert (chosen != NULL && !mm_sasl_is_clear_text (chosen));
  g_assert (mm_sasl_choose (alone, MM_SASL_PASSWORD, FALSE) == NULL);
  if (g_ascii_strcasecmp (mechanism, "GSSAPI") == 0)
    return 0; /* it asks other machines */
  g_autoptr (MmSasl) sasl = begin (mechanism, has_binding);
  if (sasl != NULL)
    exchange (sasl, (const gchar *) end + 1, size - length - 1);
  return 0;
}
