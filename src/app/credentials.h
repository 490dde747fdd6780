// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The password or token of the account. A password is looked for in this order:
 *
 *   password_command=CMD
 *   $CREDENTIALS_DIRECTORY/mailmount.USER@HOST, …/mailmount.HOST, …/mailmount (systemd)
 *   the desktop keyring
 *   ~/.netrc, ~/.authinfo
 *   the terminal
 *
 * It is found once, at start-up, and kept in an MmSecret for later logins. When the server refuses
 * it, the same sources but the terminal are asked again, and the same answer is not tried twice.
 * token_command=CMD takes the place of all: it is run for every login, though not twice within a
 * minute unless its token was refused.
 */
#pragma once

#include <mailmount/secret.h>

#include "config.h"

G_BEGIN_DECLS

typedef struct MmCredentials MmCredentials;

/* @config must outlive it. */
MmCredentials *mm_credentials_new (const MmConfig *config);
void mm_credentials_free (MmCredentials *credentials);

/* Finds the secret while the terminal is still there; on the main thread, before any other. Where it
 * may turn out that none is needed, because a certificate, a Kerberos ticket or a tunnel does, nobody
 * is asked yet, and the first mm_credentials_get() may still ask on the terminal. */
gboolean mm_credentials_prepare (MmCredentials *credentials, GError **error);

/* From now on nobody is at the terminal. */
void mm_credentials_forget_terminal (MmCredentials *credentials);

/* Whether there probably is a Kerberos ticket, so that GSSAPI is worth a try unasked. */
gboolean mm_credentials_have_ticket (const MmCredentials *credentials);

/* The secret. @want_fresh: the one given last was refused. An MmRemoteSecretFunc when
 * @credentials is a gpointer. Any thread; may block while a command runs.
 * MM_ERROR_AUTHENTICATION with the way to provide one. (transfer full) */
MmSecret *mm_credentials_get (gboolean want_fresh, gpointer credentials, GError **error);

/* Whether the secret is an OAuth2 token. */
gboolean mm_credentials_are_token (const MmCredentials *credentials);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmCredentials, mm_credentials_free)

G_END_DECLS
