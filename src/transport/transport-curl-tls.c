// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport-curl-tls.h"

#include <openssl/ssl.h>

/* Where an SSL_CTX keeps its MmCurlTls. */
static int
get_tls_index (void)
{
  static gsize index_plus_one;

  if (g_once_init_enter (&index_plus_one))
    {
      int fresh = SSL_CTX_get_ex_new_index (0, NULL, NULL, NULL, NULL);
      g_assert (fresh >= 0);
      g_once_init_leave (&index_plus_one, (gsize) fresh + 1);
    }
  return (int) (index_plus_one - 1);
}

static MmCurlTls *
get_tls (const SSL *ssl)
{
  return SSL_CTX_get_ex_data (SSL_get_SSL_CTX (ssl), get_tls_index ());
}

static void
note_alert (const SSL *ssl, int where, int value)
{
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL)
    get_tls (ssl)->alert = value & 0xff;
}

/* Called when the server asks and we have none to show. */
static int
note_certificate_asked (SSL *ssl, X509 **out_certificate, EVP_PKEY **out_key)
{
  get_tls (ssl)->is_certificate_asked = TRUE;
  return 0;
}

/* CURLOPT_SSL_CTX_FUNCTION: TLS begins here. */
static CURLcode
begin (CURL *curl, void *ssl_context, void *user_data)
{
  MmCurlTls *tls = user_data;

  tls->is_begun = TRUE;
  SSL_CTX_set_ex_data (ssl_context, get_tls_index (), tls);
  SSL_CTX_set_info_callback (ssl_context, note_alert);
  SSL_CTX_set_client_cert_cb (ssl_context, note_certificate_asked);
  return CURLE_OK;
}

static void
configure_own_certificate (CURL *curl, const MmEndpoint *endpoint)
{
  curl_easy_setopt (curl, CURLOPT_SSLCERT, endpoint->cert_file);
  curl_easy_setopt (curl, CURLOPT_SSLKEY,
                    endpoint->key_file != NULL ? endpoint->key_file : endpoint->cert_file);
  /* Without one OpenSSL asks for a passphrase on the terminal. */
  curl_easy_setopt (curl, CURLOPT_KEYPASSWD, "");
}

void
mm_curl_tls_configure (MmCurlTls *tls, CURL *curl, const MmEndpoint *endpoint)
{
  *tls = (MmCurlTls){ .alert = -1 };
  curl_easy_setopt (curl, CURLOPT_USE_SSL,
                    (long) (endpoint->tls == MM_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt (curl, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (endpoint->ca_file != NULL)
    {
      curl_easy_setopt (curl, CURLOPT_CAINFO, endpoint->ca_file);
      curl_easy_setopt (curl, CURLOPT_CAPATH, NULL);
    }
  if (endpoint->cert_file != NULL)
    configure_own_certificate (curl, endpoint);
  curl_easy_setopt (curl, CURLOPT_SSL_CTX_FUNCTION, begin);
  curl_easy_setopt (curl, CURLOPT_SSL_CTX_DATA, tls);
}
