// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>
#include <mailmount/transport.h>

#define HEX_DIGITS_MD5    32
#define HEX_DIGITS_SHA1   40
#define HEX_DIGITS_SHA256 64

/* The hex digits of @text, which may have colons between its pairs, NULL when there is anything
 * else in it. (transfer full) */
static gchar *
collect_digits (const gchar *text)
{
  g_autoptr (GString) digits = g_string_new (NULL);

  for (const gchar *p = text; *p != '\0'; p++)
    {
      gboolean is_between_pairs = digits->len > 0 && digits->len % 2 == 0 && p[-1] != ':';

      if (g_ascii_isxdigit (*p))
        g_string_append_c (digits, g_ascii_toupper (*p));
      else if (*p != ':' || !is_between_pairs)
        return NULL;
    }
  return g_string_free (g_steal_pointer (&digits), FALSE);
}

gchar *
mm_fingerprint_parse (const gchar *text, GError **error)
{
  gsize prefix_length = strlen (MM_FINGERPRINT_PREFIX);
  gboolean has_prefix = g_ascii_strncasecmp (text, MM_FINGERPRINT_PREFIX, prefix_length) == 0;
  g_autofree gchar *digits = collect_digits (has_prefix ? text + prefix_length : text);
  gsize n = digits != NULL ? strlen (digits) : 0;

  if (n != HEX_DIGITS_SHA256)
    {
      g_autofree gchar *shown = mm_log_printable (text);
      g_set_error (
          error, MM_ERROR, MM_ERROR_USAGE,
          "fingerprint=%s: %s" MM_FINGERPRINT_PREFIX
          " and 64 hex digits are expected, as 'openssl x509 -noout -fingerprint -sha256 -in "
          "PEM' prints them",
          shown,
          n == HEX_DIGITS_SHA1  ? "this is one of SHA-1, which can be forged; "
          : n == HEX_DIGITS_MD5 ? "this is one of MD5, which can be forged; "
                                : "");
      return NULL;
    }
  g_autoptr (GString) out = g_string_new (MM_FINGERPRINT_PREFIX);
  for (gsize i = 0; i < n; i += 2)
    g_string_append_printf (out, "%s%.2s", i > 0 ? ":" : "", digits + i);
  return g_string_free (g_steal_pointer (&out), FALSE);
}
