// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport-curl-tls.h"

#include "certificate.h"
#include "channel-binding.h"

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
  return (int)(index_plus_one - 1);
}

static MmCurlTls *
get_tls (const SSL *ssl)
{
  return SSL_CTX_get_ex_data (SSL_get_SSL_CTX (ssl), get_tls_index ());
}

static void
note_alert (MmCurlTls *tls, int where, int value)
{
  if ((value >> 8) != SSL3_AL_FATAL)
    return;
  if ((where & SSL_CB_READ) != 0)
    tls->peer_alert = value & 0xff;
  else
    tls->own_alert = value & 0xff;
}

/* libcurl itself tells its SSL only while it works on the connection. The last handshake is the
 * server's; an HTTPS proxy has one before it. */
static void
note_handshake_is_done (MmCurlTls *tls, const SSL *ssl)
{
  tls->ssl = (SSL *) ssl;
}

static void
note_info (const SSL *ssl, int where, int value)
{
  if ((where & SSL_CB_ALERT) != 0)
    note_alert (get_tls (ssl), where, value);
  else if ((where & SSL_CB_HANDSHAKE_DONE) != 0)
    note_handshake_is_done (get_tls (ssl), ssl);
}

/* Called when the server asks and we have none to show. */
static int
note_certificate_asked (SSL *ssl, X509 **out_certificate, EVP_PKEY **out_key)
{
  get_tls (ssl)->is_certificate_asked = TRUE;
  return 0;
}

static void
set_certificate (X509 **slot, X509 *certificate)
{
  g_clear_pointer (slot, X509_free);
  if (certificate != NULL && X509_up_ref (certificate) == 1)
    *slot = certificate;
}

/* In place of OpenSSL's own verification, which it calls. 1: the server is whom we want. */
static int
judge_certificate (X509_STORE_CTX *store, void *user_data)
{
  MmCurlTls *tls = user_data;
  X509 *certificate = X509_STORE_CTX_get0_cert (store);

  set_certificate (&tls->peer, certificate);
  if (tls->fingerprint != NULL && !mm_certificate_has_fingerprint (certificate, tls->fingerprint))
    {
      tls->is_other_pin = TRUE;
      X509_STORE_CTX_set_error (store, X509_V_ERR_APPLICATION_VERIFICATION);
      return 0;
    }
  if (!tls->trusts_authorities)
    {
      X509_STORE_CTX_set_error (store, X509_V_OK);
      return 1;
    }
  int is_good = X509_verify_cert (store);
  tls->verify_result = X509_STORE_CTX_get_error (store);
  tls->verify_depth = X509_STORE_CTX_get_error_depth (store);
  set_certificate (&tls->faulty, X509_STORE_CTX_get_current_cert (store));
  return is_good == 1;
}

/* CURLOPT_SSL_CTX_FUNCTION: TLS begins here. */
static CURLcode
begin (CURL *curl, void *ssl_context, void *user_data)
{
  MmCurlTls *tls = user_data;

  tls->is_begun = TRUE;
  SSL_CTX_set_ex_data (ssl_context, get_tls_index (), tls);
  SSL_CTX_set_info_callback (ssl_context, note_info);
  SSL_CTX_set_client_cert_cb (ssl_context, note_certificate_asked);
  SSL_CTX_set_cert_verify_callback (ssl_context, judge_certificate, tls);
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
  *tls = (MmCurlTls){
    .fingerprint = g_strdup (endpoint->fingerprint),
    /* A certificate that is known by its fingerprint needs nobody to vouch for it; who names the
     * authorities as well wants both. */
    .trusts_authorities = endpoint->fingerprint == NULL || endpoint->ca_file != NULL,
    .peer_alert = MM_NO_ALERT,
    .own_alert = MM_NO_ALERT,
  };
  curl_easy_setopt (curl, CURLOPT_USE_SSL,
                    (long)(endpoint->tls == MM_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt (curl, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYHOST, tls->trusts_authorities ? 2L : 0L);
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

void
mm_curl_tls_learn_bindings (MmCurlTls *tls)
{
  for (guint type = 0; tls->ssl != NULL && type < MM_N_BINDING_TYPES; type++)
    tls->bindings[type] = mm_channel_binding_new (tls->ssl, (MmBindingType) type);
  tls->ssl = NULL;
}

void
mm_curl_tls_clear (MmCurlTls *tls)
{
  g_clear_pointer (&tls->fingerprint, g_free);
  g_clear_pointer (&tls->peer, X509_free);
  g_clear_pointer (&tls->faulty, X509_free);
  for (guint type = 0; type < MM_N_BINDING_TYPES; type++)
    g_clear_pointer (&tls->bindings[type], g_bytes_unref);
}
