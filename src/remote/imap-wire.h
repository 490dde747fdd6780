// SPDX-License-Identifier: GPL-3.0-or-later
/* An IMAP session and its wire (remote-wire.h), as one. One thread. */
#pragma once

#include <mailmount/imap-session.h>

#include "remote-wire.h"

G_BEGIN_DECLS

typedef struct MmImapWire MmImapWire;

/* Connects and feeds what the server said at first; the first event is the greeting. Blocks, until
 * the slot's abort flag is set. @answer_timeout_ms: of silence while an answer is due. */
MmImapWire *mm_imap_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot,
                               guint answer_timeout_ms, GError **error);
void mm_imap_wire_free (MmImapWire *wire);

MmImapSession *mm_imap_wire_get_session (MmImapWire *wire);
/* mm_remote_wire_begin_sign_in() with what the session knows of the server. (transfer full) */
MmSignInAttempt *mm_imap_wire_begin_sign_in (MmImapWire *wire, MmSignIn *sign_in);
/* When octets last came, or an answer became due: monotonic microseconds. */
gint64 mm_imap_wire_get_last_activity_us (const MmImapWire *wire);

/* mm_remote_wire_step() and mm_remote_wire_next(). */
MmWireStep mm_imap_wire_step (MmImapWire *wire, gint64 alarm_us, MmImapEvent *event,
                              GError **error);
gboolean mm_imap_wire_next (MmImapWire *wire, MmImapEvent *event, GError **error);

/* Submits and remembers when, so that silence is counted from now. (transfer full) of @command */
guint32 mm_imap_wire_submit (MmImapWire *wire, MmImapCommand *command, GError **error);

/* DONE, when the server idles or as soon as it does (mm_imap_session_end_idle()). */
void mm_imap_wire_end_idle (MmImapWire *wire);

/* To be called when COMPRESS was answered with OK: all octets are compressed from here on. */
void mm_imap_wire_start_compression (MmImapWire *wire);

/* Says LOGOUT and waits a moment for the server's farewell. */
void mm_imap_wire_logout (MmImapWire *wire);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapWire, mm_imap_wire_free)

G_END_DECLS
