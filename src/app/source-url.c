// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>

#include "source-url.h"

#define IMAP_FORM "imaps://USER@HOST[:PORT][/FOLDER]"
#define POP3_FORM "pop3s://USER@HOST[:PORT]"

void
mm_source_url_clear (MmSourceUrl *url)
{
  g_clear_pointer (&url->user, g_free);
  g_clear_pointer (&url->host, g_free);
  g_clear_pointer (&url->folder, g_free);
  memset (url, 0, sizeof *url);
}

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *raw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_USAGE, raw);
  return FALSE;
}

static gboolean
has_control (const gchar *text)
{
  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

/* @text percent-decoded: valid UTF-8 without control characters. @what names it in errors. */
static gchar *
decode (const gchar *text, gsize length, const gchar *what, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const gchar *end = text + length;

  for (const gchar *p = text; p < end; p++)
    {
      if (*p != '%')
        {
          g_string_append_c (out, *p);
          continue;
        }
      if (end - p < 3 || !g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
        {
          fail (error, "the %s in the URL has a '%%' that no two hex digits follow: write it %%25",
                what);
          return NULL;
        }
      gint octet = g_ascii_xdigit_value (p[1]) << 4 | g_ascii_xdigit_value (p[2]);
      if (octet == 0)
        {
          fail (error, "the %s in the URL has a NUL (%%00)", what);
          return NULL;
        }
      g_string_append_c (out, (gchar) octet);
      p += 2;
    }
  if (!g_utf8_validate (out->str, (gssize) out->len, NULL))
    {
      fail (error, "the %s in the URL is not UTF-8", what);
      return NULL;
    }
  if (has_control (out->str))
    {
      fail (error, "the %s in the URL has a control character", what);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

const gchar *
mm_source_url_get_scheme (const MmSourceUrl *url)
{
  switch (url->protocol)
    {
    case MM_PROTOCOL_IMAP:
      return "imap";
    case MM_PROTOCOL_POP3:
      return "pop3";
    }
  g_assert_not_reached ();
}

guint16
mm_source_url_get_default_port (const MmSourceUrl *url, gboolean is_implicit_tls)
{
  switch (url->protocol)
    {
    case MM_PROTOCOL_IMAP:
      return is_implicit_tls ? 993 : 143;
    case MM_PROTOCOL_POP3:
      return is_implicit_tls ? 995 : 110;
    }
  g_assert_not_reached ();
}

/* The scheme; *@rest is what stands behind "://". */
static gboolean
parse_scheme (const gchar *text, MmSourceUrl *out, const gchar **rest, GError **error)
{
  static const struct
  {
    const gchar *name;
    MmProtocol protocol;
    gboolean is_secure;
  } schemes[] = {
    { "imaps", MM_PROTOCOL_IMAP, TRUE },
    { "imap", MM_PROTOCOL_IMAP, FALSE },
    { "pop3s", MM_PROTOCOL_POP3, TRUE },
    { "pop3", MM_PROTOCOL_POP3, FALSE },
  };
  const gchar *colon = strstr (text, "://");

  /* What is no scheme is not repeated: it may be anything, a password too. */
  if (colon == NULL || colon == text
      || strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "+-.") != (gsize) (colon - text))
    return fail (error, "the source is not a URL: it should read " IMAP_FORM);
  g_autofree gchar *scheme = g_ascii_strdown (text, colon - text);
  *rest = colon + 3;

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      if (strcmp (scheme, schemes[i].name) != 0)
        continue;
      out->protocol = schemes[i].protocol;
      out->is_secure_scheme = schemes[i].is_secure;
      return TRUE;
    }
  return fail (error, "unknown scheme '%s://': write imaps:// or pop3s:// (TLS), imap:// or pop3:// "
                      "(STARTTLS)",
               scheme);
}

static const gchar *
get_form (const MmSourceUrl *url)
{
  return url->protocol == MM_PROTOCOL_POP3 ? POP3_FORM : IMAP_FORM;
}

static gboolean
parse_user (const gchar *text, gsize length, MmSourceUrl *out, GError **error)
{
  if (length == 0)
    return fail (error, "the URL names no user: it should read %s", get_form (out));
  if (memchr (text, ':', length) != NULL)
    return fail (error, "a password must not stand in the URL, where `ps` shows it to everyone: "
                        "use password_command=, the keyring, ~/.netrc or the prompt "
                        "(a ':' in a user name is written %%3A)");
  g_autofree gchar *raw = g_strndup (text, length);
  g_autofree gchar *upper = g_ascii_strup (raw, -1);
  if (strstr (upper, ";AUTH=") != NULL)
    return fail (error, "';AUTH=' in the URL is not supported: the strongest mechanism the server "
                        "offers is chosen");
  out->user = decode (text, length, "user name", error);
  return out->user != NULL;
}

static gboolean
parse_port (const gchar *text, gsize length, MmSourceUrl *out, GError **error)
{
  g_autofree gchar *digits = g_strndup (text, length);
  guint64 port;

  if (!g_ascii_string_to_unsigned (digits, 10, 1, 65535, &port, NULL))
    {
      g_autofree gchar *shown = mm_log_printable (digits);
      return fail (error, "'%s' in the URL is not a port: a number from 1 to 65535", shown);
    }
  out->port = (guint16) port;
  return TRUE;
}

static gboolean
parse_ipv6 (const gchar *text, gsize length, MmSourceUrl *out, GError **error)
{
  g_autofree gchar *raw = g_strndup (text, length);
  /* RFC 6874: a zone follows an encoded '%'. */
  gchar *zone = strstr (raw, "%25");

  if (!g_str_is_ascii (raw))
    return fail (error, "the host in the URL is an address of IPv6 with something else in it");
  if (zone != NULL)
    memmove (zone + 1, zone + 3, strlen (zone + 3) + 1);
  if (strchr (raw, ':') == NULL || !g_hostname_is_ip_address (raw))
    {
      g_autofree gchar *shown = mm_log_printable (raw);
      return fail (error, "'[%s]' in the URL is not an IPv6 address", shown);
    }
  /* The digits are the same in capitals, the zone, a network interface's name, is not. */
  for (gchar *p = raw; *p != '\0' && *p != '%'; p++)
    *p = g_ascii_tolower (*p);
  out->host = g_steal_pointer (&raw);
  return TRUE;
}

static gboolean
parse_name (const gchar *text, gsize length, MmSourceUrl *out, GError **error)
{
  g_autofree gchar *raw = g_strndup (text, length);
  g_autofree gchar *shown = mm_log_printable (raw);

  if (length == 0)
    return fail (error, "the URL names no host: it should read %s", get_form (out));
  g_autofree gchar *ascii = g_utf8_validate (raw, -1, NULL) ? g_hostname_to_ascii (raw) : NULL;
  if (ascii == NULL || strlen (ascii) > 253)
    return fail (error, "'%s' in the URL is not a host name", shown);
  for (const gchar *p = ascii; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._", *p) == NULL)
      return fail (error, "'%s' in the URL is not a host name", shown);
  if (ascii[0] == '.' || ascii[0] == '-' || strstr (ascii, "..") != NULL)
    return fail (error, "'%s' in the URL is not a host name", shown);
  out->host = g_ascii_strdown (ascii, -1);
  return TRUE;
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT */
static gboolean
parse_host (const gchar *text, gsize length, MmSourceUrl *out, GError **error)
{
  const gchar *end = text + length;
  const gchar *stop;

  if (length > 0 && text[0] == '[')
    {
      const gchar *bracket = memchr (text, ']', length);
      if (bracket == NULL)
        return fail (error, "the URL has a '[' without ']': an IPv6 address is written [::1]");
      if (!parse_ipv6 (text + 1, (gsize) (bracket - text - 1), out, error))
        return FALSE;
      stop = bracket + 1;
      if (stop < end && *stop != ':')
        return fail (error, "after '[…]' in the URL only ':PORT' and '/FOLDER' can follow");
    }
  else
    {
      stop = memchr (text, ':', length);
      if (stop == NULL)
        stop = end;
      else if (memchr (stop + 1, ':', (gsize) (end - stop - 1)) != NULL)
        return fail (error, "an IPv6 address in the URL is written in brackets: [::1]");
      if (!parse_name (text, (gsize) (stop - text), out, error))
        return FALSE;
    }
  return stop == end || parse_port (stop + 1, (gsize) (end - stop - 1), out, error);
}

static gboolean
parse_folder (const gchar *text, MmSourceUrl *out, GError **error)
{
  gsize length = strlen (text);

  if (strchr (text, ';') != NULL)
    return fail (error, "';' in the URL's folder is written %%3B");
  while (length > 0 && text[length - 1] == '/')
    length--;
  if (length == 0)
    return TRUE;

  g_autofree gchar *folder = decode (text, length, "folder", error);
  if (folder == NULL)
    return FALSE;
  g_auto (GStrv) components = g_strsplit (folder, "/", -1);
  for (gsize i = 0; components[i] != NULL; i++)
    if (components[i][0] == '\0' || strcmp (components[i], ".") == 0
        || strcmp (components[i], "..") == 0)
      return fail (error, "the folder in the URL has an empty, '.' or '..' component");
  if (out->protocol == MM_PROTOCOL_POP3
      && (g_ascii_strcasecmp (components[0], "INBOX") != 0 || components[1] != NULL))
    return fail (error, "POP3 has one folder, INBOX: the URL should read " POP3_FORM);
  out->folder = g_steal_pointer (&folder);
  return TRUE;
}

gboolean
mm_source_url_parse (const gchar *text, MmSourceUrl *out, GError **error)
{
  g_auto (MmSourceUrl) url = { 0 };
  const gchar *rest = NULL;

  memset (out, 0, sizeof *out);
  if (!parse_scheme (text, &url, &rest, error))
    return FALSE;
  /* The last '@' of the authority divides: user names are often addresses. */
  gsize authority_length = strcspn (rest, "/?#");
  const gchar *at = memrchr (rest, '@', authority_length);
  const gchar *folder = rest + authority_length;

  if (at == NULL)
    return parse_user (rest, 0, &url, error);
  if (!parse_user (rest, (gsize) (at - rest), &url, error)
      || !parse_host (at + 1, (gsize) (folder - at - 1), &url, error))
    return FALSE;
  if (strpbrk (folder, "?#") != NULL)
    return fail (error, "'?' and '#' in the URL are written %%3F and %%23");
  if (*folder == '/' && !parse_folder (folder + 1, &url, error))
    return FALSE;

  *out = url;
  memset (&url, 0, sizeof url);
  return TRUE;
}
