// SPDX-License-Identifier: GPL-3.0-or-later
/* A POP3 session and its wire (remote-wire.h), as one. One thread. */
#pragma once

#include <mailmount/pop3-session.h>

#include "remote-wire.h"

G_BEGIN_DECLS

typedef struct
{
  MmRemoteWire *wire;
  MmPop3Session *session;
} MmPop3Wire;

/* Connects and feeds what the server said at first; the first event is the greeting. Blocks, until
 * the slot's abort flag is set. @answer_timeout_ms: of silence while an answer is due. */
MmPop3Wire *mm_pop3_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot,
                               guint answer_timeout_ms, GError **error);
void mm_pop3_wire_free (MmPop3Wire *wire);

/* Says QUIT and waits a moment for the server's farewell, so that the maildrop is free. */
void mm_pop3_wire_quit (MmPop3Wire *wire);

/* For what must go through first: mm_remote_wire_next(). The server's unasked farewell is
 * MM_ERROR_CONNECTION_LOST. */
gboolean mm_pop3_wire_next (MmPop3Wire *wire, MmPop3Event *event, GError **error);

/* The same until the command @serial is answered, whatever else comes. */
gboolean mm_pop3_wire_wait (MmPop3Wire *wire, guint32 serial, MmPop3Event *out_answer,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmPop3Wire, mm_pop3_wire_free)

G_END_DECLS
