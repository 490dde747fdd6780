// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * TLS of a connection that libcurl makes: what is demanded of it, and what became of it, as OpenSSL
 * tells it. libcurl's codes and words alone do not say enough to tell the user what is wrong.
 *
 * The server's certificate is judged here, in the middle of the handshake, so that nothing of ours
 * was sent yet, neither a certificate nor a password. No handle shares anything with another one,
 * so that no session is resumed and each connection is judged anew.
 */
#pragma once

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <mailmount/transport.h>

G_BEGIN_DECLS

#define MM_NO_ALERT (-1)

/* OpenSSL's callbacks know it as long as the handle lives: it has to live longer, until
 * mm_curl_tls_clear(). */
typedef struct
{
  gchar *fingerprint;          /* nullable: the certificate must have it */
  gboolean trusts_authorities; /* FALSE: the fingerprint alone decides */

  gboolean is_begun;
  gboolean is_certificate_asked; /* the server asked for ours */
  int peer_alert;                /* with which the server ended TLS (RFC 8446 6), or MM_NO_ALERT */
  int own_alert;                 /* with which we did */

  X509 *peer;            /* owned; the server's certificate, NULL until it was shown */
  gboolean is_other_pin; /* it has another fingerprint */
  int verify_result;     /* X509_V_ERR_…: what is wrong with it or with one that vouches for it */
  int verify_depth;      /* 0: with the server's own */
  X509 *faulty;          /* owned, nullable: that one */

  /* The session, once its handshake is done: libcurl's, which may free it when opening fails. A
   * reference of our own would not help, for its BIO goes with libcurl's connection. */
  SSL *ssl;
  GBytes *bindings[MM_N_BINDING_TYPES]; /* each nullable */
} MmCurlTls;

/* Sets the options of @curl. */
void mm_curl_tls_configure (MmCurlTls *tls, CURL *curl, const MmEndpoint *endpoint);
/* To be called when the connection was opened: learns the channel bindings. */
void mm_curl_tls_learn_bindings (MmCurlTls *tls);
void mm_curl_tls_clear (MmCurlTls *tls);

/* The certificate is good, but was made for other names than the host's, which libcurl compares. */
void mm_curl_tls_set_name_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error);

/* What ended TLS, where it was a certificate or the version, in the user's words. FALSE: it was
 * none of these, and @error is not set. */
gboolean mm_curl_tls_set_error (const MmCurlTls *tls, const MmEndpoint *endpoint, GError **error);

G_END_DECLS
