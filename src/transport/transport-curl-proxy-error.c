// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What went wrong at the proxy: whether it is there, lets us in, and gets to the server. To the
 * rest of the program each of these is the same, a server that cannot be reached.
 */
#include <errno.h>

#include "transport-curl-private.h"

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_OFFLINE, words);
  return TRUE;
}

static gboolean
fail_sign_in (const MmCurlOpening *opening, GError **error)
{
  const MmProxy *proxy = &opening->proxy;

  if (proxy->user == NULL)
    return fail (error,
                 "the proxy %s demands a user name and a password: write them in its URL, as "
                 "USER:PASSWORD@ before the host",
                 proxy->url);
  return fail (error, "the proxy %s refuses the user name '%s' or its password", proxy->url,
               proxy->user);
}

static gboolean
fail_forbidden (const MmCurlOpening *opening, const gchar *answer, GError **error)
{
  return fail (error,
               "the proxy %s does not allow connections to %s port %u (%s); its administrator can "
               "change that",
               opening->proxy.url, opening->endpoint->host, opening->endpoint->port, answer);
}

static gboolean
fail_behind (const MmCurlOpening *opening, const gchar *answer, GError **error)
{
  return fail (
      error,
      "the proxy %s cannot reach %s port %u (%s); does the server run, and is this its port?",
      opening->proxy.url, opening->endpoint->host, opening->endpoint->port, answer);
}

static gboolean
fail_kind (const MmCurlOpening *opening, GError **error)
{
  return fail (error, "what answers at %s is not a proxy of that kind; are scheme and port right?",
               opening->proxy.url);
}

/* RFC 1928 6, and what comes before it. */
static gboolean
set_socks_error (const MmCurlTransport *self, const MmCurlOpening *opening, GError **error)
{
  long code = CURLPX_OK;

  curl_easy_getinfo (self->curl, CURLINFO_PROXY_ERROR, &code);
  switch (code)
    {
    case CURLPX_NO_AUTH:
    case CURLPX_USER_REJECTED:
    case CURLPX_REQUEST_FAILED:
      return fail_sign_in (opening, error);
    case CURLPX_REPLY_NOT_ALLOWED:
      return fail_forbidden (opening, "not allowed", error);
    case CURLPX_REPLY_HOST_UNREACHABLE:
      return fail_behind (opening, "host unreachable", error);
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
      return fail_behind (opening, "network unreachable", error);
    case CURLPX_REPLY_CONNECTION_REFUSED:
      return fail_behind (opening, "connection refused", error);
    case CURLPX_REPLY_TTL_EXPIRED:
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
      return fail_behind (opening, "no further reason given", error);
    case CURLPX_RESOLVE_HOST:
      return fail (
          error,
          "the host '%s' is not known on this machine; with socks5h:// instead of socks5:// "
          "the proxy looks it up",
          opening->endpoint->host);
    case CURLPX_BAD_VERSION:
      return fail_kind (opening, error);
    default:
      return fail (error, "the proxy %s gave up: %s", opening->proxy.url, self->curl_message);
    }
}

/* RFC 9110 9.3.6 */
static gboolean
set_http_error (const MmCurlOpening *opening, long status, GError **error)
{
  g_autofree gchar *answer = g_strdup_printf ("HTTP status %ld", status);

  switch (status)
    {
    case 407:
    case 401: /* some say this where a wrong password was sent */
      return fail_sign_in (opening, error);
    case 403:
    case 405:
      return fail_forbidden (opening, answer, error);
    case 500:
    case 502:
    case 503:
    case 504:
      return fail_behind (opening, answer, error);
    default:
      return fail (error, "the proxy %s gave up with %s", opening->proxy.url, answer);
    }
}

static gboolean
set_connect_error (const MmCurlTransport *self, const MmCurlOpening *opening, GError **error)
{
  long errno_value = 0;

  curl_easy_getinfo (self->curl, CURLINFO_OS_ERRNO, &errno_value);
  if (errno_value == ECONNREFUSED)
    return fail (error, "the proxy %s refuses connections; does it run, and is this its port?",
                 opening->proxy.url);
  return fail (error, "the proxy %s cannot be reached: %s", opening->proxy.url,
               errno_value != 0 ? g_strerror ((int) errno_value) : self->curl_message);
}

/* Whether what failed failed on the server's side of the proxy. With STARTTLS and SOCKS that is
 * only known once the server said something. */
static gboolean
is_through (const MmCurlTransport *self, const MmCurlOpening *opening, long status)
{
  return opening->is_connected || self->tls.is_begun || opening->n_lines > 0 || status / 100 == 2;
}

gboolean
mm_curl_set_proxy_error (const MmCurlTransport *self, const MmCurlOpening *opening, CURLcode code,
                         GError **error)
{
  gboolean is_http = g_str_has_prefix (opening->proxy.url, "http:");
  long status = 0;

  curl_easy_getinfo (self->curl, CURLINFO_HTTP_CONNECTCODE, &status);
  if (is_through (self, opening, status))
    return FALSE;
  if (status != 0)
    return set_http_error (opening, status, error);
  switch (code)
    {
    case CURLE_PROXY:
      return set_socks_error (self, opening, error);
    /* For SOCKS libcurl looks the proxy up as if it were the server. */
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
      return fail (error, "the host of the proxy %s is not known; is the name spelt right?",
                   opening->proxy.url);
    case CURLE_COULDNT_CONNECT:
      return set_connect_error (self, opening, error);
    case CURLE_OPERATION_TIMEDOUT:
      return fail (error,
                   "the proxy %s did not get us to %s port %u within %u seconds (-o "
                   "timeout=SECONDS); is it a proxy of that kind, and does the server answer?",
                   opening->proxy.url, opening->endpoint->host, opening->endpoint->port,
                   (opening->endpoint->timeout_ms + 999) / 1000);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_WEIRD_SERVER_REPLY:
      return is_http && fail_kind (opening, error);
    default:
      return FALSE;
    }
}
