// SPDX-License-Identifier: GPL-3.0-or-later
#include "proxy.h"

#include <arpa/inet.h>
#include <string.h>

#define PORT_SOCKS 1080

void
mm_proxy_clear (MmProxy *proxy)
{
  g_clear_pointer (&proxy->url, g_free);
  g_clear_pointer (&proxy->user, g_free);
  g_clear_pointer (&proxy->password, g_free);
}

/* ---- one URL ---- */

static gboolean G_GNUC_PRINTF (3, 4)
    fail (GError **error, const gchar *source, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, MM_ERROR, MM_ERROR_USAGE,
               "%s: %s; it should read "
               "socks5h://[USER:PASSWORD@]HOST[:PORT], or socks5:// or http:// likewise",
               source, words);
  return FALSE;
}

static gboolean
is_supported (const gchar *scheme)
{
  static const gchar *const schemes[] = { "socks5h", "socks5", "http", NULL };

  return g_strv_contains (schemes, scheme);
}

static gboolean
is_empty (const gchar *text)
{
  return text == NULL || text[0] == '\0';
}

/* What stands in @text, which is proxy= or an environment variable's value; @source names it. */
static gboolean
parse (const gchar *text, const gchar *source, MmProxy *out, GError **error)
{
  g_auto (MmProxy) proxy = { NULL };
  g_autofree gchar *scheme = NULL, *host = NULL, *path = NULL;
  gint port = -1;

  if (strstr (text, "://") == NULL
      || !g_uri_split_with_user (text, G_URI_FLAGS_HAS_PASSWORD, &scheme, &proxy.user,
                                 &proxy.password, NULL, &host, &port, &path, NULL, NULL, NULL)
      || is_empty (scheme))
    return fail (error, source, "this is not the URL of a proxy");
  if (strcmp (scheme, "https") == 0)
    return fail (error, source, "a proxy that is itself spoken to by TLS is not supported");
  if (!is_supported (scheme))
    return fail (error, source, "'%s://' is not a kind of proxy that is supported", scheme);
  if (is_empty (host))
    return fail (error, source, "the URL names no host");
  if (port == 0 || (port < 0 && strcmp (scheme, "http") == 0))
    return fail (error, source, "the URL names no port, and for http:// there is no usual one");
  if (!is_empty (path) && strcmp (path, "/") != 0)
    return fail (error, source, "nothing can follow the proxy's port");
  if (proxy.password != NULL && is_empty (proxy.user))
    return fail (error, source, "there is a password, but no user name");
  if (is_empty (proxy.user))
    g_clear_pointer (&proxy.user, g_free);

  gboolean is_ipv6 = strchr (host, ':') != NULL;
  proxy.url = g_strdup_printf ("%s://%s%s%s:%d", scheme, is_ipv6 ? "[" : "", host,
                               is_ipv6 ? "]" : "", port > 0 ? port : PORT_SOCKS);
  *out = proxy;
  proxy = (MmProxy){ NULL };
  return TRUE;
}

gboolean
mm_proxy_check (const gchar *text, GError **error)
{
  g_auto (MmProxy) proxy = { NULL };

  return strcmp (text, MM_PROXY_NONE) == 0 || parse (text, "proxy=", &proxy, error);
}

/* ---- no_proxy ---- */

static gboolean
is_in_network (const gchar *network, const gchar *host)
{
  g_auto (GStrv) parts = g_strsplit (network, "/", 2);
  guint8 base[sizeof (struct in6_addr)], address[sizeof (struct in6_addr)];
  int family = strchr (host, ':') != NULL ? AF_INET6 : AF_INET;
  guint64 bits = family == AF_INET6 ? 128 : 32;
  /* The zone of a link-local address says nothing about the network. */
  g_autofree gchar *bare_host = g_strndup (host, strcspn (host, "%"));
  gsize length = strlen (parts[0]);

  if (parts[0][0] == '[' && length > 2 && parts[0][length - 1] == ']')
    {
      parts[0][length - 1] = '\0';
      memmove (parts[0], parts[0] + 1, length - 1);
    }
  if (inet_pton (family, bare_host, address) != 1 || inet_pton (family, parts[0], base) != 1
      || (parts[1] != NULL && !g_ascii_string_to_unsigned (parts[1], 10, 0, bits, &bits, NULL)))
    return FALSE;
  gsize whole = bits / 8;
  guint8 mask = (guint8)(0xff00 >> bits % 8);
  return memcmp (base, address, whole) == 0
         && (mask == 0 || (base[whole] & mask) == (address[whole] & mask));
}

static gboolean
is_at_or_below (const gchar *domain, const gchar *host)
{
  gsize host_length = strlen (host);

  domain += domain[0] == '.' ? 1 : 0;
  gsize length = strlen (domain);
  return length > 0 && length <= host_length
         && g_ascii_strcasecmp (host + host_length - length, domain) == 0
         && (length == host_length || host[host_length - length - 1] == '.');
}

gboolean
mm_proxy_is_bypassed (const gchar *list, const gchar *host)
{
  g_auto (GStrv) entries = g_strsplit_set (list, ", \t", -1);

  for (gsize i = 0; entries[i] != NULL; i++)
    if (entries[i][0] != '\0'
        && (strcmp (entries[i], "*") == 0 || is_in_network (entries[i], host)
            || is_at_or_below (entries[i], host)))
      return TRUE;
  return FALSE;
}

/* ---- the environment ---- */

/* One variable in small or capital letters. */
static const gchar *
get_environment (const gchar *name, gchar **out_name)
{
  g_autofree gchar *capitals = g_ascii_strup (name, -1);
  const gchar *names[] = { name, capitals };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (!is_empty (g_getenv (names[i])))
      {
        *out_name = g_strdup (names[i]);
        return g_getenv (names[i]);
      }
  return NULL;
}

/* The variable for what we speak; those for web pages are none of ours. */
static const gchar *
find_in_environment (const MmEndpoint *endpoint, gchar **out_name)
{
  g_autofree gchar *own
      = g_strdup_printf ("%s%s_proxy", endpoint->protocol == MM_PROTOCOL_POP3 ? "pop3" : "imap",
                         endpoint->tls == MM_TLS_IMPLICIT ? "s" : "");
  const gchar *value = get_environment (own, out_name);

  return value != NULL ? value : get_environment ("all_proxy", out_name);
}

gboolean
mm_proxy_find (const MmEndpoint *endpoint, MmProxy *out, GError **error)
{
  g_autofree gchar *name = NULL, *list_name = NULL, *with_scheme = NULL;
  const gchar *bypassed = get_environment ("no_proxy", &list_name);
  const gchar *value = endpoint->proxy;

  *out = (MmProxy){ NULL };
  if (value == NULL)
    value = find_in_environment (endpoint, &name);
  if (value == NULL || strcmp (value, MM_PROXY_NONE) == 0
      || (bypassed != NULL && mm_proxy_is_bypassed (bypassed, endpoint->host)))
    return TRUE;
  if (name == NULL)
    return parse (value, "proxy=", out, error);
  /* As others understand the variables. */
  if (strstr (value, "://") == NULL)
    value = with_scheme = g_strconcat ("http://", value, NULL);
  return parse (value, name, out, error);
}
