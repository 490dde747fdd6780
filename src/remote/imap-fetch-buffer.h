// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bodies of one FETCH response that came before the message's UID was told. Most servers tell the
 * UID first, and nothing is ever held here.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

typedef struct MmImapFetchBuffer MmImapFetchBuffer;

/* Holds at most @octets_max. */
MmImapFetchBuffer *mm_imap_fetch_buffer_new (gsize octets_max);
void mm_imap_fetch_buffer_free (MmImapFetchBuffer *buffer);

/* TRUE when @event begins or goes on with a body that has to be held. */
gboolean mm_imap_fetch_buffer_wants (MmImapFetchBuffer *buffer, const MmImapEvent *event);

/* FALSE with MM_ERROR_LIMIT when it is too much to hold. */
gboolean mm_imap_fetch_buffer_take (MmImapFetchBuffer *buffer, const MmImapEvent *event,
                                    GError **error);

/* The held events again, one each call, now with @fetch; FALSE when there are no more. Forgets all
 * when @fetch has no UID. */
gboolean mm_imap_fetch_buffer_replay (MmImapFetchBuffer *buffer, const MmImapFetch *fetch,
                                      MmImapEvent *out_event);

G_END_DECLS
