// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A server's NO, BAD or BYE as an error (RFC 5530 and what servers without it say). Pure functions.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

/* A new error for the tagged or BYE @event; @what names what was asked for, for example
 * "opening 'INBOX'". @fallback: the code where the response code says nothing. */
GError *mm_imap_response_error (const MmImapEvent *event, const gchar *what, MmError fallback);

/* The server would rather be asked later: LIMIT, UNAVAILABLE, INUSE (RFC 5530), OVERQUOTA, or a time in
 * words (imap-backoff.h). */
gboolean mm_imap_response_asks_to_wait (const GError *error);

G_END_DECLS
