// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A session, whatever its protocol, on a transport: the loop that sends what the session has to say,
 * receives, and hands out one event at a time. It knows about time (silence while an answer is due),
 * about the bandwidth and about compression, but not what is said. One thread.
 */
#pragma once

#include <mailmount/transport.h>

#include "remote-pool.h"
#include "sign-in.h"

G_BEGIN_DECLS

typedef struct MmRemoteWire MmRemoteWire;

/* What a sans-IO session is to its wire; see imap-session.h. */
typedef struct
{
  void (*feed) (gpointer session, const void *data, gsize length);
  gboolean (*next) (gpointer session, gpointer out_event, GError **error);
  GByteArray *(*take_output) (gpointer session);
  gboolean (*is_answer_due) (gconstpointer session);
  gboolean (*is_in_response) (gconstpointer session); /* nullable: it is not watched */
} MmWireSessionClass;

typedef enum
{
  MM_WIRE_EVENT,
  MM_WIRE_WOKEN,  /* the slot was woken */
  MM_WIRE_ALARM,  /* @alarm_us has come */
  MM_WIRE_FAILED, /* @error is set; the wire is of no more use */
} MmWireStep;

/* Connects and feeds @session (borrowed until the wire is freed) what the server said at first.
 * Blocks, until the slot's abort flag is set. @answer_timeout_ms: of silence while an answer is
 * due, or of a response that hardly gets on. */
MmRemoteWire *mm_remote_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot,
                                   guint answer_timeout_ms, const MmWireSessionClass *klass,
                                   gpointer session, GError **error);
void mm_remote_wire_free (MmRemoteWire *wire);

/* Begins to sign in with what the server offers (SASL, NULL-terminated; LOGIN, or USER and PASS), as
 * this line allows. (transfer full) */
MmSignInAttempt *mm_remote_wire_begin_sign_in (MmRemoteWire *wire, MmSignIn *sign_in,
                                               const gchar *const *mechanisms,
                                               gboolean has_password_command);
/* When octets last came, or an answer became due: monotonic microseconds. */
gint64 mm_remote_wire_get_last_activity_us (const MmRemoteWire *wire);

/* Waits for the next event. Its pointers are valid until the next call of this or of the session.
 * @alarm_us: a time of mm_clock_monotonic_us() until when to wait; G_MAXINT64 for none.
 * MM_ERROR_TIMEOUT, MM_ERROR_CONNECTION_LOST, MM_ERROR_PROTOCOL, MM_ERROR_LIMIT. */
MmWireStep mm_remote_wire_step (MmRemoteWire *wire, gint64 alarm_us, gpointer event,
                                GError **error);

/* The same as long as it is woken, for what must go through first: FALSE when the slot is to quit
 * (MM_ERROR_CANCELLED) or on failure. */
gboolean mm_remote_wire_next (MmRemoteWire *wire, gpointer event, GError **error);

/* To be called before the session is given a command: silence is counted from now, unless an answer
 * is due already. */
void mm_remote_wire_expect_answer (MmRemoteWire *wire);

/* All octets are compressed from here on, and so is @rest, which came already. */
void mm_remote_wire_start_compression (MmRemoteWire *wire, const guint8 *rest, gsize length);

/* Sends the command that ends the session, which was submitted last, and waits a moment for the
 * answer; events until then go to @event and are dropped. @is_in_flight: other answers come before. */
void mm_remote_wire_say_farewell (MmRemoteWire *wire, gboolean is_in_flight, gpointer event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmRemoteWire, mm_remote_wire_free)

G_END_DECLS
