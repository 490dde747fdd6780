// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * libcurl's codes as errors that say what failed, on which host, and what can be done about it.
 */
#include <errno.h>
#include <string.h>

#include "greeting.h"
#include "transport-curl-private.h"

/* What the protocol calls itself, for messages that say what to write or where to look. */
static const gchar *
get_scheme (const MmEndpoint *endpoint)
{
  return endpoint->protocol == MM_PROTOCOL_POP3 ? "pop3" : "imap";
}

static guint
get_clear_port (const MmEndpoint *endpoint)
{
  return endpoint->protocol == MM_PROTOCOL_POP3 ? 110 : 143;
}

static const gchar *
get_starttls_name (const MmEndpoint *endpoint)
{
  return endpoint->protocol == MM_PROTOCOL_POP3 ? "STLS" : "STARTTLS";
}

static void
set_connect_error (MmCurlTransport *self, const MmEndpoint *endpoint, GError **error)
{
  long errno_value = 0;

  curl_easy_getinfo (self->curl, CURLINFO_OS_ERRNO, &errno_value);
  if (errno_value == ECONNREFUSED)
    g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE,
                 "%s refuses connections on port %u; does the server run, and is this its port?",
                 endpoint->host, endpoint->port);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE, "cannot connect to %s port %u: %s",
                 endpoint->host, endpoint->port,
                 errno_value != 0 ? g_strerror ((int) errno_value) : self->curl_message);
}

void
mm_curl_set_starttls_error (const MmCurlOpening *opening, GError **error)
{
  const MmEndpoint *endpoint = opening->endpoint;

  if (mm_greeting_begins_with (opening->greeting->str, "* PREAUTH"))
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s logged us in before encryption could begin (PREAUTH), which makes STARTTLS "
                 "impossible; use imaps:// (-o tls=implicit)",
                 endpoint->host);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s port %u offers no encryption (%s); use %ss:// if the server has it. "
                 "Only on a line that nobody else can read: -o tls=none",
                 endpoint->host, endpoint->port, get_starttls_name (endpoint), get_scheme (endpoint));
}

/* The greeting was no OK: a BYE says why. */
static void
set_greeting_error (MmCurlTransport *self, const MmCurlOpening *opening, GError **error)
{
  const MmEndpoint *endpoint = opening->endpoint;
  const gchar *protocol = mm_greeting_name_protocol (endpoint->protocol);
  g_autofree gchar *words = mm_greeting_dup_words (opening->greeting->str);

  if (opening->is_bad)
    g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "%s port %u does not greet as %s server does",
                 endpoint->host, endpoint->port, protocol);
  else if (mm_greeting_begins_with (opening->greeting->str, "* BYE")
           || mm_greeting_begins_with (opening->greeting->str, "-ERR"))
    g_set_error (error, MM_ERROR, MM_ERROR_UNAVAILABLE, "%s refuses connections now: %s",
                 endpoint->host, words);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
                 "%s port %u did not answer as %s server does: %s", endpoint->host, endpoint->port,
                 protocol, self->curl_message);
}

/* An error that is not the proxy's own. */
static void
set_server_error (MmCurlTransport *self, const MmCurlOpening *opening, CURLcode code, GError **error)
{
  const MmEndpoint *endpoint = opening->endpoint;
  const gchar *detail
      = self->curl_message[0] != '\0' ? self->curl_message : curl_easy_strerror (code);

  if (mm_curl_tls_set_error (&self->tls, endpoint, error))
    return;
  switch (code)
    {
    case CURLE_ABORTED_BY_CALLBACK:
      g_set_error (error, MM_ERROR, MM_ERROR_CANCELLED, "connecting to %s was given up",
                   endpoint->host);
      break;
    case CURLE_COULDNT_RESOLVE_HOST:
      g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE,
                   "the host '%s' is not known; is the name spelt right, and is the network up?",
                   endpoint->host);
      break;
    case CURLE_COULDNT_CONNECT:
      set_connect_error (self, endpoint, error);
      break;
    case CURLE_OPERATION_TIMEDOUT:
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT,
                   "%s port %u did not answer within %u seconds (-o timeout=SECONDS)%s%s%s",
                   endpoint->host, endpoint->port, (endpoint->timeout_ms + 999) / 1000,
                   endpoint->tls == MM_TLS_IMPLICIT ? "" : "; a server that waits for TLS is reached with ",
                   endpoint->tls == MM_TLS_IMPLICIT ? "" : get_scheme (endpoint),
                   endpoint->tls == MM_TLS_IMPLICIT ? "" : "s://");
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      if (self->tls.peer != NULL)
        mm_curl_tls_set_name_error (&self->tls, endpoint, error);
      else
        g_set_error (error, MM_ERROR, MM_ERROR_TLS, "the certificate of %s was refused: %s",
                     endpoint->host, detail);
      break;
    case CURLE_SSL_CACERT_BADFILE:
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "the file '%s' (-o cafile=) cannot be read as certificates in PEM form",
                   endpoint->ca_file != NULL ? endpoint->ca_file : "of trusted authorities");
      break;
    case CURLE_USE_SSL_FAILED:
      mm_curl_set_starttls_error (opening, error);
      break;
    case CURLE_SSL_CERTPROBLEM:
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "the certificate in cert=%s cannot be used: %s", endpoint->cert_file, detail);
      break;
    case CURLE_SSL_CONNECT_ERROR:
      /* No answer at all, which a broken connection has in common with a clear-text server. */
      if (strstr (detail, "SSL_ERROR_SYSCALL") != NULL)
        {
          g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST,
                       "%s port %u closed the connection while TLS began; is it a TLS port?",
                       endpoint->host, endpoint->port);
          break;
        }
      if (strstr (detail, "wrong version number") != NULL)
        g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                     "%s port %u does not begin with TLS; %s:// is for servers that begin in clear "
                     "text, usually on port %u",
                     endpoint->host, endpoint->port, get_scheme (endpoint), get_clear_port (endpoint));
      else
        g_set_error (error, MM_ERROR, MM_ERROR_TLS, "no TLS connection to %s port %u: %s",
                     endpoint->host, endpoint->port, detail);
      break;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR:
      set_greeting_error (self, opening, error);
      break;
    case CURLE_RECV_ERROR:
      /* libcurl's own limit on what may come before the connection is ours. */
      if (strstr (detail, "Too large") != NULL)
        {
          set_greeting_error (self, opening, error);
          break;
        }
      G_GNUC_FALLTHROUGH;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
      g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST,
                   "%s port %u closed the connection before it greeted: %s", endpoint->host,
                   endpoint->port, detail);
      break;
    case CURLE_OUT_OF_MEMORY:
      g_error ("out of memory while connecting");
      break;
    default:
      g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE, "cannot connect to %s port %u: %s",
                   endpoint->host, endpoint->port, detail);
      break;
    }
}

void
mm_curl_set_open_error (MmCurlTransport *self, const MmCurlOpening *opening, CURLcode code,
                        GError **error)
{
  GError *cause = NULL;

  if (opening->proxy.url == NULL)
    {
      set_server_error (self, opening, code, error);
      return;
    }
  if (mm_curl_set_proxy_error (self, opening, code, error))
    return;
  set_server_error (self, opening, code, &cause);
  g_autofree gchar *told = g_steal_pointer (&cause->message);
  cause->message = g_strdup_printf ("%s (by way of the proxy %s)", told, opening->proxy.url);
  g_propagate_error (error, cause);
}
