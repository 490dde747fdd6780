// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What ended TLS, in the user's words: whose certificate, what is wrong with it, who can help.
 */
#include <openssl/ssl.h>

#include "certificate.h"
#include "transport-curl-tls.h"

#define NAMES_SHOWN_MAX 4

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_TLS, words);
  return TRUE;
}

/* ---- the server's certificate ---- */

static gboolean
set_pin_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  g_autofree gchar *fingerprint = mm_certificate_dup_fingerprint (tls->peer);

  return fail (
      error,
      "the certificate of %s is not the one that fingerprint= names: it has %s; either the "
      "server has a new one, which its administrator can confirm, or somebody else answers "
      "in its place. No password was sent",
      endpoint->host, fingerprint);
}

static gboolean
set_date_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  gboolean is_expired = tls->verify_result == X509_V_ERR_CERT_HAS_EXPIRED;
  const gchar *whose = tls->verify_depth > 0 ? "the certificate of an authority behind that of "
                                             : "the certificate of ";
  g_autofree gchar *date
      = tls->faulty == NULL
            ? NULL
            : mm_certificate_dup_date (is_expired ? X509_get0_notAfter (tls->faulty)
                                                  : X509_get0_notBefore (tls->faulty));

  if (is_expired)
    return fail (error,
                 "%s%s has expired (on %s); the server's administrator must renew it, or this "
                 "machine's clock is wrong",
                 whose, endpoint->host, date != NULL ? date : "an unknown date");
  return fail (error, "%s%s is not valid yet (before %s); is this machine's clock right?", whose,
               endpoint->host, date != NULL ? date : "an unknown date");
}

static gboolean
set_authority_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  g_autofree gchar *fingerprint = mm_certificate_dup_fingerprint (tls->peer);
  g_autofree gchar *whom = endpoint->ca_file != NULL
                               ? g_strdup_printf ("that is in '%s'", endpoint->ca_file)
                               : g_strdup ("that this system trusts");

  if (tls->verify_result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
    return fail (
        error,
        "the certificate of %s is signed by nobody but itself; if the server's administrator "
        "confirms that it has the fingerprint %s, trust it with -o fingerprint=, or with "
        "-o cafile=PEM if you have it as a file",
        endpoint->host, fingerprint);
  return fail (
      error,
      "the certificate of %s is not signed by an authority %s; if you trust the authority, "
      "name its certificate with -o cafile=PEM; or trust this certificate alone with "
      "-o fingerprint=, if the server's administrator confirms that it has %s",
      endpoint->host, whom, fingerprint);
}

void
mm_curl_tls_set_name_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  g_autofree gchar *names = mm_certificate_dup_names (tls->peer, NAMES_SHOWN_MAX);

  fail (error,
        "the certificate shown by %s was made for another name: %s; use the server's name as its "
        "certificate has it",
        endpoint->host, names);
}

static gboolean
set_peer_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  switch (tls->verify_result)
    {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return set_date_error (tls, endpoint, error);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return set_authority_error (tls, endpoint, error);
    default:
      return fail (error, "the certificate of %s was refused: %s", endpoint->host,
                   X509_verify_cert_error_string (tls->verify_result));
    }
}

/* ---- ours ---- */

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
set_own_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  const gchar *words = SSL_alert_desc_string_long (tls->peer_alert);

  if (!is_about_certificate (tls->peer_alert))
    return FALSE;
  if (endpoint->cert_file != NULL)
    return fail (error,
                 "%s refuses the certificate in cert=%s (%s); is it one that this server's "
                 "administrator gave out, and still valid?",
                 endpoint->host, endpoint->cert_file, words);
  return tls->is_certificate_asked
         && fail (
             error,
             "%s demands a certificate of ours (%s); name it with -o cert=PEM, and its private "
             "key with key=PEM",
             endpoint->host, words);
}

/* ---- all ---- */

gboolean
mm_curl_tls_set_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error)
{
  if (tls->is_other_pin)
    return set_pin_error (tls, endpoint, error);
  if (tls->verify_result != X509_V_OK)
    return set_peer_error (tls, endpoint, error);
  if (tls->peer_alert == SSL_AD_PROTOCOL_VERSION || tls->own_alert == SSL_AD_PROTOCOL_VERSION)
    return fail (
        error,
        "%s port %u speaks only TLS older than 1.2, which protects no longer; the server's "
        "administrator has to turn TLS 1.2 or 1.3 on",
        endpoint->host, endpoint->port);
  return set_own_error (tls, endpoint, error);
}
