// SPDX-License-Identifier: GPL-3.0-or-later
/* What a POP3 server's refusal means. */
#pragma once

#include <mailmount/pop3-session.h>

G_BEGIN_DECLS

/* @event: "-ERR". "@what: the server says: …"; @fallback where neither code nor words say more.
 * (transfer full) */
GError *mm_pop3_response_error (const MmPop3Event *event, const gchar *what, MmError fallback);

/* The server asks for it to be tried again later. */
gboolean mm_pop3_response_asks_to_wait (const GError *error);

G_END_DECLS
