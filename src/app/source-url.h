// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The SOURCE on the command line: imaps://USER@HOST[:PORT][/FOLDER] or imap://… (RFC 5092, the
 * part that names a server and a mailbox); pop3s:// and pop3:// (RFC 2384) alike. Errors are MM_ERROR_USAGE, one line that says what is
 * wrong and what would be right, and never repeat a password that somebody put into the URL.
 */
#pragma once

#include <mailmount/transport.h>

G_BEGIN_DECLS

typedef struct
{
  MmProtocol protocol;
  gboolean is_secure_scheme; /* imaps: TLS from the first octet */
  gchar *user;               /* decoded, UTF-8 without controls */
  gchar *host;               /* ASCII, lower case, IPv6 without brackets */
  guint16 port;              /* 0: the scheme's default */
  gchar *folder; /* nullable: a path as it would be below the mount point of the whole account */
} MmSourceUrl;

/* Without its "s": "imap", "pop3". (transfer none) */
const gchar *mm_source_url_get_scheme (const MmSourceUrl *url);
guint16 mm_source_url_get_default_port (const MmSourceUrl *url, gboolean is_implicit_tls);

/* Parses @text into @out. On failure @out is all zero. */
gboolean mm_source_url_parse (const gchar *text, MmSourceUrl *out, GError **error);

void mm_source_url_clear (MmSourceUrl *url);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmSourceUrl, mm_source_url_clear)

G_END_DECLS
