// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From the greeting to an authenticated session that knows what it may use, by the strongest way to
 * log in that the server offers and the line allows.
 */
#pragma once

#include "imap-remote.h"
#include "imap-set-up.h"

G_BEGIN_DECLS

/* Blocks, and fills in the capabilities. FALSE with MM_ERROR_AUTHENTICATION, MM_ERROR_UNAVAILABLE,
 * MM_ERROR_TLS, MM_ERROR_PROTOCOL and those of the connection. */
gboolean mm_imap_login (MmImapRemote *remote, MmImapWire *wire, MmImapAccountFacts *facts,
                        GError **error);

G_END_DECLS
