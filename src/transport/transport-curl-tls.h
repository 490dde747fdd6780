// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * TLS of a connection that libcurl makes: what is demanded of it, and what became of it, as OpenSSL
 * tells it. libcurl's codes and words alone do not say enough to tell the user what is wrong.
 */
#pragma once

#include <curl/curl.h>
#include <openssl/x509.h>

#include <mailmount/transport.h>

G_BEGIN_DECLS

/* OpenSSL's callbacks know it as long as the handle lives: it has to live longer. */
typedef struct
{
  gboolean is_begun;
  gboolean is_certificate_asked; /* the server asked for ours */
  int alert;                     /* the server's, with which it ended TLS (RFC 8446 6); -1: none */
} MmCurlTls;

/* Sets the options of @curl. */
void mm_curl_tls_configure (MmCurlTls *tls, CURL *curl, const MmEndpoint *endpoint);

G_END_DECLS
