// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * TCP, TLS and proxies by libcurl, which connects only (CONNECT_ONLY); the octets after that are
 * ours. Where TLS begins with STARTTLS libcurl has to speak the protocol until then: imap://.
 * Everywhere else https:// and http:// make it a mere byte transport, which says nothing to the
 * server and reads nothing from it: with imaps:// it would ask for the capabilities, and wait for
 * them, though the greeting tells them. No user name is ever given to libcurl: it would log in by
 * itself, and badly.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <mailmount/clock.h>

#include "greeting.h"
#include "transport-curl-private.h"

/* What a server may say before the connection is ours. */
#define RECEIVE_OCTETS_MAX (128L * 1024)
#define PREAMBLE_LINES_MAX 100

/* A connection on which nothing was said for so long is asked by the kernel whether it lives. */
#define KEEPALIVE_IDLE_SECONDS     60L
#define KEEPALIVE_INTERVAL_SECONDS 15L
/* A peer that does not even acknowledge what it is sent for so long is gone: a busy server is silent,
 * but its kernel is not. */
#define UNACKNOWLEDGED_MS_MAX 20000

static void
init_curl_once (void)
{
  static gsize is_done;

  if (g_once_init_enter (&is_done))
    {
      curl_global_init (CURL_GLOBAL_DEFAULT);
      g_once_init_leave (&is_done, 1);
    }
}

static gboolean
has_prefix_ignoring_case (const gchar *data, gsize length, const gchar *prefix)
{
  gsize prefix_length = strlen (prefix);

  return length >= prefix_length && g_ascii_strncasecmp (data, prefix, prefix_length) == 0;
}

/* Known only while libcurl works on the connection: from a callback. */
static gboolean
has_tls (CURL *curl)
{
  struct curl_tlssessioninfo *info = NULL;

  return curl_easy_getinfo (curl, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK && info != NULL
         && info->internals != NULL;
}

/* With STARTTLS everything said before TLS was said in clear text, by whoever sat on the line, and
 * must not be believed (CVE-2021-22947 and its kind). libcurl refuses octets that came behind the OK
 * to STARTTLS, so whatever comes once TLS is there came through it. */
static void
note_line_comes_through_tls (MmCurlOpening *opening)
{
  gboolean was_through_tls = opening->is_last_line_through_tls;

  opening->is_last_line_through_tls = has_tls (opening->curl);
  if (opening->is_last_line_through_tls && !was_through_tls)
    g_string_truncate (opening->capability, 0);
}

/* CURLOPT_HEADERFUNCTION: one line of the server's each time. */
static size_t
take_line (char *data, size_t size, size_t n, void *user_data)
{
  MmCurlOpening *opening = user_data;
  gsize length = size * n;

  if (length > MM_GREETING_OCTETS_MAX || ++opening->n_lines > PREAMBLE_LINES_MAX
      || memchr (data, '\0', length) != NULL)
    {
      opening->is_bad = TRUE;
      return 0;
    }
  note_line_comes_through_tls (opening);
  if (opening->greeting->len == 0)
    g_string_append_len (opening->greeting, data, (gssize) length);
  else if (has_prefix_ignoring_case (data, length, "* CAPABILITY"))
    {
      g_string_truncate (opening->capability, 0);
      g_string_append_len (opening->capability, data, (gssize) length);
    }
  return length;
}

static int
check_abort (void *user_data, curl_off_t download_total, curl_off_t download_now,
             curl_off_t upload_total, curl_off_t upload_now)
{
  return mm_is_aborted (((MmCurlOpening *) user_data)->abort_flag);
}

/* TRUE: libcurl moves octets and knows nothing of the protocol. */
static gboolean
is_bare (const MmEndpoint *endpoint)
{
  return endpoint->tls != MM_TLS_STARTTLS;
}

static const gchar *
get_scheme (const MmEndpoint *endpoint)
{
  if (endpoint->protocol == MM_PROTOCOL_POP3)
    return endpoint->tls == MM_TLS_IMPLICIT ? "pop3s" : "pop3";
  return endpoint->tls == MM_TLS_IMPLICIT ? "imaps" : "imap";
}

static gchar *
make_url (const MmEndpoint *endpoint)
{
  const gchar *bare_scheme = endpoint->tls == MM_TLS_IMPLICIT ? "https" : "http";
  gboolean is_ipv6 = strchr (endpoint->host, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u/",
                          is_bare (endpoint) ? bare_scheme : get_scheme (endpoint),
                          is_ipv6 ? "[" : "", endpoint->host, is_ipv6 ? "]" : "", endpoint->port);
}

static void
configure_scheme (CURL *curl, const MmEndpoint *endpoint)
{
  g_autofree gchar *url = make_url (endpoint);

  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, is_bare (endpoint) ? "http,https" : "imap,pop3");
  if (!is_bare (endpoint))
    return;
  /* The server is no web server: no protocol of those is negotiated. */
  curl_easy_setopt (curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
  curl_easy_setopt (curl, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
}

/* "" is none: libcurl is not to look for one itself. */
static void
configure_proxy (CURL *curl, const MmProxy *proxy)
{
  curl_easy_setopt (curl, CURLOPT_PROXY, proxy->url != NULL ? proxy->url : "");
  curl_easy_setopt (curl, CURLOPT_NOPROXY, "");
  curl_easy_setopt (curl, CURLOPT_PROXYUSERNAME, proxy->user);
  curl_easy_setopt (curl, CURLOPT_PROXYPASSWORD, proxy->password);
  /* It is asked for a tunnel, never to speak IMAP on our behalf. */
  curl_easy_setopt (curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt (curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void
configure (MmCurlTransport *self, MmCurlOpening *opening)
{
  const MmEndpoint *endpoint = opening->endpoint;
  CURL *curl = self->curl;

  configure_scheme (curl, endpoint);
  configure_proxy (curl, &opening->proxy);
  curl_easy_setopt (curl, CURLOPT_CONNECT_ONLY, 1L);
  /* curl_easy_recv() receives no more than this at once, however large the buffer. */
  curl_easy_setopt (curl, CURLOPT_BUFFERSIZE, RECEIVE_OCTETS_MAX);
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, self->curl_message);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
  curl_easy_setopt (curl, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
  /* Without it an aborted name lookup would be waited for. */
  curl_easy_setopt (curl, CURLOPT_QUICK_EXIT, 1L);

  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT_MS, (long) endpoint->timeout_ms);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT_MS, (long) endpoint->timeout_ms);
  curl_easy_setopt (curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                    (long) (endpoint->timeout_ms + 999) / 1000);

  mm_curl_tls_configure (&self->tls, curl, endpoint);

  curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, take_line);
  curl_easy_setopt (curl, CURLOPT_HEADERDATA, opening);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, check_abort);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, opening);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
}

/* After opening, nothing may point to the Opening any more. */
static void
forget_opening (CURL *curl)
{
  curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, NULL);
  curl_easy_setopt (curl, CURLOPT_HEADERDATA, NULL);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, NULL);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, NULL);
}

/* ---- after opening ---- */

static gboolean
is_loopback (const gchar *address)
{
  return address != NULL
         && (g_str_has_prefix (address, "127.") || g_str_has_prefix (address, "::ffff:127.")
             || strcmp (address, "::1") == 0);
}

/* With a proxy the peer is the proxy, and what lies behind it is not this machine. */
static gboolean
peer_is_loopback (CURL *curl, const MmCurlOpening *opening)
{
  char *address = NULL;

  curl_easy_getinfo (curl, CURLINFO_PRIMARY_IP, &address);
  return opening->proxy.url == NULL && is_loopback (address);
}

static void
append_line (GString *out, const gchar *line)
{
  gsize length = strcspn (line, "\r\n");

  g_string_append_len (out, line, (gssize) length);
  g_string_append (out, "\r\n");
}

/* After STARTTLS the greeting counts no more: its words, and the capabilities it may have told,
 * came in clear text. */
static void
set_starttls_preamble (MmCurlTransport *self, const MmCurlOpening *opening)
{
  if (opening->endpoint->protocol == MM_PROTOCOL_IMAP)
    append_line (self->base.preamble, "* OK ready");
  else
    append_line (self->base.preamble, opening->greeting->str);
  if (opening->capability->len > 0)
    append_line (self->base.preamble, opening->capability->str);
}

/* Belt and braces: whatever libcurl decided, there is no going on without TLS. */
static gboolean
is_tls_as_demanded (const MmCurlTransport *self, const MmCurlOpening *opening)
{
  switch (opening->endpoint->tls)
    {
    case MM_TLS_NONE:
      return TRUE;
    case MM_TLS_IMPLICIT:
      return self->tls.is_begun;
    case MM_TLS_STARTTLS:
      return self->tls.is_begun && opening->is_last_line_through_tls;
    }
  return FALSE;
}

/* Where the system cannot do that, the deadlines of answers remain, and more comes at once. */
static void
tune_socket (int fd, const MmEndpoint *endpoint)
{
  int receive_octets = (int) MIN (endpoint->receive_octets, G_MAXINT);
  guint limit_ms = MIN (endpoint->timeout_ms, UNACKNOWLEDGED_MS_MAX);

  (void) setsockopt (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
  if (receive_octets > 0)
    (void) setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &receive_octets, sizeof receive_octets);
}

static gboolean
check_opened (MmCurlTransport *self, const MmCurlOpening *opening, GError **error)
{
  curl_socket_t fd = CURL_SOCKET_BAD;

  if (!is_tls_as_demanded (self, opening))
    {
      mm_curl_set_starttls_error (opening, error);
      return FALSE;
    }
  if (curl_easy_getinfo (self->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK
      || fd == CURL_SOCKET_BAD)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST, "the connection to %s was lost",
                   opening->endpoint->host);
      return FALSE;
    }
  tune_socket (fd, opening->endpoint);
  self->base.fd_in = self->base.fd_out = fd;
  return TRUE;
}

static void
curl_transport_free (MmTransport *transport)
{
  MmCurlTransport *self = (MmCurlTransport *) transport;

  /* libcurl must not write to a message buffer or preamble while it closes. */
  curl_easy_setopt (self->curl, CURLOPT_ERRORBUFFER, NULL);
  curl_easy_cleanup (self->curl);
  mm_curl_tls_clear (&self->tls);
  g_free (self);
}

static void
set_lost_error (const MmCurlTransport *self, CURLcode code, GError **error)
{
  g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST, "the connection was lost: %s",
               self->curl_message[0] != '\0' ? self->curl_message : curl_easy_strerror (code));
}

static MmIoStatus
curl_transport_recv (MmTransport *transport, void *buffer, gsize size, gsize *out_n, GError **error)
{
  MmCurlTransport *self = (MmCurlTransport *) transport;
  MmIoStatus status = self->recv_pending;
  gsize filled = 0;

  /* libcurl hands out one TLS record at a time; fill the buffer. */
  while (status == MM_IO_OK && filled < size)
    {
      size_t n = 0;

      self->recv_code = curl_easy_recv (self->curl, (guint8 *) buffer + filled, size - filled, &n);
      filled += n;
      if (self->recv_code == CURLE_AGAIN)
        status = MM_IO_AGAIN;
      else if (self->recv_code != CURLE_OK)
        status = MM_IO_ERROR;
      else if (n == 0)
        status = MM_IO_EOF;
    }
  /* AGAIN is not kept: the next call asks the socket anew. */
  self->recv_pending = status == MM_IO_AGAIN ? MM_IO_OK : status;
  if (filled > 0)
    {
      *out_n = filled;
      return MM_IO_OK;
    }
  if (status == MM_IO_ERROR)
    set_lost_error (self, self->recv_code, error);
  return status;
}

static MmIoStatus
curl_transport_send (MmTransport *transport, const void *data, gsize length, gsize *out_n,
                     GError **error)
{
  MmCurlTransport *self = (MmCurlTransport *) transport;
  size_t n = 0;
  CURLcode code = curl_easy_send (self->curl, data, length, &n);

  if (code == CURLE_OK && n > 0)
    {
      *out_n = n;
      return MM_IO_OK;
    }
  if (code == CURLE_OK || code == CURLE_AGAIN)
    return MM_IO_AGAIN;
  set_lost_error (self, code, error);
  return MM_IO_ERROR;
}

static GBytes *
curl_transport_dup_binding (MmTransport *transport, MmBindingType type)
{
  MmCurlTransport *self = (MmCurlTransport *) transport;

  GBytes *binding = self->tls.bindings[type];

  return binding != NULL ? g_bytes_ref (binding) : NULL;
}

static const MmTransportClass curl_transport_class = {
  .free = curl_transport_free,
  .dup_binding = curl_transport_dup_binding,
  .recv = curl_transport_recv,
  .send = curl_transport_send,
};

/* ---- opening ---- */

/* Where libcurl did not read the greeting. libcurl's codes, so that one table has all errors of
 * opening. */
static gboolean
take_greeting (MmCurlTransport *self, MmCurlOpening *opening, GError **error)
{
  CURLcode code = CURLE_OK;
  MmGreeting greeting
      = mm_greeting_receive (&self->base, opening->endpoint->protocol, opening->abort_flag,
                             opening->deadline_us, opening->greeting, NULL);

  switch (greeting)
    {
    case MM_GREETING_WELCOME:
      g_string_append_len (self->base.preamble, opening->greeting->str,
                           (gssize) opening->greeting->len);
      return TRUE;
    case MM_GREETING_ALIEN:
      opening->is_bad = TRUE;
      G_GNUC_FALLTHROUGH;
    case MM_GREETING_BYE:
      code = CURLE_WEIRD_SERVER_REPLY;
      break;
    case MM_GREETING_ABORTED:
      code = CURLE_ABORTED_BY_CALLBACK;
      break;
    case MM_GREETING_LATE:
      code = CURLE_OPERATION_TIMEDOUT;
      break;
    case MM_GREETING_CLOSED:
      code = CURLE_GOT_NOTHING;
      break;
    case MM_GREETING_FAILED:
      code = self->recv_code;
      break;
    }
  mm_curl_set_open_error (self, opening, code, error);
  return FALSE;
}

static gboolean
open_connection (MmCurlTransport *self, MmCurlOpening *opening, GError **error)
{
  configure (self, opening);
  CURLcode code = curl_easy_perform (self->curl);
  forget_opening (self->curl);

  if (code != CURLE_OK)
    {
      mm_curl_set_open_error (self, opening, code, error);
      return FALSE;
    }
  opening->is_connected = TRUE;
  mm_curl_tls_learn_bindings (&self->tls);
  if (!check_opened (self, opening, error))
    return FALSE;
  self->base.is_private
      = opening->endpoint->tls != MM_TLS_NONE || peer_is_loopback (self->curl, opening);
  if (is_bare (opening->endpoint))
    return take_greeting (self, opening, error);
  set_starttls_preamble (self, opening);
  return TRUE;
}

MmTransport *
mm_transport_open_curl (const MmEndpoint *endpoint, const gint *abort_flag, GError **error)
{
  init_curl_once ();

  MmCurlTransport *self = g_new0 (MmCurlTransport, 1);
  self->base.klass = &curl_transport_class;
  self->base.preamble = g_string_new (NULL);
  self->base.fd_in = self->base.fd_out = -1;
  self->recv_pending = MM_IO_OK;
  self->curl = curl_easy_init ();
  g_assert (self->curl != NULL);

  MmCurlOpening opening = {
    .curl = self->curl,
    .endpoint = endpoint,
    .abort_flag = abort_flag,
    .deadline_us = mm_clock_monotonic_us () + (gint64) endpoint->timeout_ms * 1000,
    .greeting = g_string_new (NULL),
    .capability = g_string_new (NULL),
  };
  gboolean is_open = mm_proxy_find (endpoint, &opening.proxy, error)
                     && open_connection (self, &opening, error);
  mm_proxy_clear (&opening.proxy);
  g_string_free (opening.greeting, TRUE);
  g_string_free (opening.capability, TRUE);
  self->curl_message[0] = '\0';
  if (is_open)
    return &self->base;
  mm_transport_free (&self->base);
  return NULL;
}
