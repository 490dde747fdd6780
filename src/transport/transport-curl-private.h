// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What transport-curl.c (the connection), transport-curl-error.c (what went wrong, in the user's
 * words) and transport-curl-proxy-error.c (what went wrong at the proxy) share.
 */
#pragma once

#include "proxy.h"
#include "transport-curl-tls.h"
#include "transport-private.h"

G_BEGIN_DECLS

typedef struct
{
  MmTransport base;
  CURL *curl;
  MmCurlTls tls;
  /* What recv met after it had moved octets already; told by the next call. */
  MmIoStatus recv_pending;
  CURLcode recv_code;
  gchar curl_message[CURL_ERROR_SIZE];
} MmCurlTransport;

/* The state of opening; gone when mm_transport_open() returns. */
typedef struct
{
  CURL *curl; /* borrowed */
  const MmEndpoint *endpoint;
  const gint *abort_flag; /* nullable; written by another thread */
  gint64 deadline_us;     /* when the greeting must have come */
  MmProxy proxy;
  GString *greeting;      /* the first line; where libcurl did not read it, with what came behind */
  GString *capability;    /* the last untagged CAPABILITY line on the line as it is now */
  gboolean is_connected; /* libcurl did all of its part */
  gboolean is_last_line_through_tls;
  guint n_lines;
  gboolean is_bad; /* a line that no server sends; @curl_message does not say so */
} MmCurlOpening;

/* @code, which opening ended with, as an error that names the cause and the cure. */
void mm_curl_set_open_error (MmCurlTransport *self, const MmCurlOpening *opening, CURLcode code,
                             GError **error);
/* @code as what the proxy did. FALSE: it did its part, and @error is not set. */
gboolean mm_curl_set_proxy_error (const MmCurlTransport *self, const MmCurlOpening *opening,
                                  CURLcode code, GError **error);
/* There is no TLS, and the user did not allow to go without. */
void mm_curl_set_starttls_error (const MmCurlOpening *opening, GError **error);

G_END_DECLS
