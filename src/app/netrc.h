// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The password of an account from a file in the format of ~/.netrc and ~/.authinfo: words
 * `machine HOST`, `login USER`, `port PORT`, `password SECRET`, `default`, `macdef`. Any thread.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *host;
  const gchar *user;
  const gchar *protocol; /* "imap" or "pop3" */
  guint16 port;
} MmNetrcQuery;

/* The password of the first entry that fits: the same host, the same user or none named, the same
 * port (a number, or the protocol's name, with an s for TLS or without) or none named; `default`
 * only with the user named. *@out_secret is NULL when the file or the entry is missing. MM_ERROR_AUTHENTICATION when an entry fits but
 * others than the owner can read the file, or it is not ours: such a password is not used. */
gboolean mm_netrc_lookup (const gchar *path, const MmNetrcQuery *query, MmSecret **out_secret,
                          GError **error);

G_END_DECLS
