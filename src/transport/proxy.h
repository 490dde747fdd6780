// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The proxy between us and the server: the one of proxy=, else the one that the environment names
 * for the protocol we speak, as curl(1) looks for it; and none where no_proxy has the server.
 */
#pragma once

#include <mailmount/transport.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *url;      /* for libcurl, without user name and password; NULL: no proxy */
  gchar *user;     /* nullable */
  gchar *password; /* nullable */
} MmProxy;

void mm_proxy_clear (MmProxy *proxy);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmProxy, mm_proxy_clear)

/* FALSE with MM_ERROR_USAGE, which names the option or the variable and holds no password. */
gboolean mm_proxy_find (const MmEndpoint *endpoint, MmProxy *out, GError **error);

/* Whether @list (no_proxy) has @host: "*", names, which stand for all below them too, addresses and
 * networks such as 10.0.0.0/8, separated by commas and blanks. */
gboolean mm_proxy_is_bypassed (const gchar *list, const gchar *host);

G_END_DECLS
