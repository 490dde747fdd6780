// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The desktop's keyring, where the program was built with libsecret. An entry is made with
 *
 *   secret-tool store --label='Mail' server HOST user USER protocol imap
 *
 * or with pop3.
 */
#pragma once

#include <mailmount/secret.h>

G_BEGIN_DECLS

/* Whether this build can ask a keyring. */
gboolean mm_keyring_is_built_in (void);

/* The password of @user at @host for @protocol, "imap" or "pop3"; NULL when there is no keyring, no session bus, no entry, or no
 * answer in time: a missing keyring is no error. Blocks for at most @deadline_ms, as a keyring may
 * ask to be unlocked. (transfer full) (nullable) */
MmSecret *mm_keyring_lookup (const gchar *host, const gchar *user, const gchar *protocol,
                             guint deadline_ms);

G_END_DECLS
