// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * libcurl's codes as errors that say what failed, on which host, and what can be done about it.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

#include "transport-curl-private.h"

static gboolean
greets_with (const MmCurlOpening *opening, const gchar *word)
{
  return g_ascii_strncasecmp (opening->greeting->str, word, strlen (word)) == 0;
}

static void
set_certificate_error (MmCurlTransport *self, const MmEndpoint *endpoint, GError **error)
{
  long verify_result = X509_V_OK;

  curl_easy_getinfo (self->curl, CURLINFO_SSL_VERIFYRESULT, &verify_result);
  switch (verify_result)
    {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "the certificate of %s has expired; the server's administrator must renew it "
                   "(or this machine's clock is wrong)",
                   endpoint->host);
      return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "the certificate of %s is not valid yet; is this machine's clock right?",
                   endpoint->host);
      return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "the certificate of %s is not signed by an authority that %s%s%s; name the "
                   "authority's certificate with -o cafile=PEM if you trust it",
                   endpoint->host, endpoint->ca_file != NULL ? "is in '" : "this system trusts",
                   endpoint->ca_file != NULL ? endpoint->ca_file : "",
                   endpoint->ca_file != NULL ? "'" : "");
      return;
    default:
      break;
    }
  /* libcurl compares the names itself and leaves no number behind. */
  if (strstr (self->curl_message, "subject name") != NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "the certificate shown by %s was made for another name; use the server's name as "
                 "its certificate has it",
                 endpoint->host);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_TLS, "the certificate of %s was refused: %s",
                 endpoint->host, self->curl_message);
}

static gboolean
is_about_certificate (int alert)
{
  switch (alert)
    {
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_HANDSHAKE_FAILURE: /* TLS 1.2 has no certificate_required */
      return TRUE;
    default:
      return FALSE;
    }
}

/* A server that demands a certificate of ours ends TLS with an alert, in TLS 1.3 only when the
 * connection is already ours. FALSE: it ended for another reason. */
static gboolean
set_own_certificate_error (const MmCurlTransport *self, const MmEndpoint *endpoint, GError **error)
{
  const MmCurlTls *tls = &self->tls;
  const gchar *words = SSL_alert_desc_string_long (tls->alert);

  if (!is_about_certificate (tls->alert))
    return FALSE;
  if (endpoint->cert_file != NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s refuses the certificate in cert=%s (%s); is it one that this server's "
                 "administrator gave out, and still valid?",
                 endpoint->host, endpoint->cert_file, words);
  else if (tls->is_certificate_asked)
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s demands a certificate of ours (%s); name it with -o cert=PEM, and its private "
                 "key with key=PEM",
                 endpoint->host, words);
  else
    return FALSE;
  return TRUE;
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

  if (greets_with (opening, "* PREAUTH"))
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s logged us in before encryption could begin (PREAUTH), which makes STARTTLS "
                 "impossible; use imaps:// (-o tls=implicit)",
                 endpoint->host);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                 "%s port %u offers no encryption (STARTTLS); use imaps:// if the server has it. "
                 "Only on a line that nobody else can read: -o tls=none",
                 endpoint->host, endpoint->port);
}

/* The greeting was no OK: a BYE says why. */
static void
set_greeting_error (MmCurlTransport *self, const MmCurlOpening *opening, GError **error)
{
  const gchar *greeting = opening->greeting->str;
  const MmEndpoint *endpoint = opening->endpoint;

  if (opening->is_bad)
    g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
                 "%s port %u does not greet as an IMAP server does", endpoint->host,
                 endpoint->port);
  else if (greets_with (opening, "* BYE"))
    {
      const gchar *rest = greeting + strlen ("* BYE");
      g_autofree gchar *words = g_strstrip (g_strndup (rest, strcspn (rest, "\r\n")));
      g_set_error (error, MM_ERROR, MM_ERROR_UNAVAILABLE, "%s refuses connections now: %s",
                   endpoint->host, words);
    }
  else
    g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
                 "%s port %u did not answer as an IMAP server does: %s", endpoint->host,
                 endpoint->port, self->curl_message);
}

void
mm_curl_set_open_error (MmCurlTransport *self, const MmCurlOpening *opening, CURLcode code,
                        GError **error)
{
  const MmEndpoint *endpoint = opening->endpoint;
  const gchar *detail
      = self->curl_message[0] != '\0' ? self->curl_message : curl_easy_strerror (code);

  if (set_own_certificate_error (self, endpoint, error))
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
    case CURLE_COULDNT_RESOLVE_PROXY:
      g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE, "the proxy's host is not known: %s", detail);
      break;
    case CURLE_COULDNT_CONNECT:
      set_connect_error (self, endpoint, error);
      break;
    case CURLE_OPERATION_TIMEDOUT:
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT,
                   "%s port %u did not answer within %u seconds (-o timeout=SECONDS)%s",
                   endpoint->host, endpoint->port, (endpoint->timeout_ms + 999) / 1000,
                   endpoint->tls == MM_TLS_IMPLICIT
                       ? ""
                       : "; a server that waits for TLS is reached with imaps://");
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      set_certificate_error (self, endpoint, error);
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
      g_set_error (error, MM_ERROR, MM_ERROR_TLS,
                   "no TLS connection to %s port %u: %s (imap:// is for servers that begin in "
                   "clear text, usually on port 143)",
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
