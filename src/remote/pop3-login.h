// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From the greeting to a session in which every message is known by its unique id.
 */
#pragma once

#include "pop3-remote.h"
#include "pop3-wire.h"

G_BEGIN_DECLS

/* Blocks. FALSE with MM_ERROR_AUTHENTICATION, MM_ERROR_UNAVAILABLE (another session has the maildrop),
 * MM_ERROR_PERMISSION, MM_ERROR_PROTOCOL and those of the connection. */
gboolean mm_pop3_log_in (MmPop3Remote *remote, MmPop3Wire *wire, GError **error);

/* Replaces the remote's maildrop by what the session has. Blocks; errors as above. */
gboolean mm_pop3_list_maildrop (MmPop3Remote *remote, MmPop3Wire *wire, GError **error);

G_END_DECLS
