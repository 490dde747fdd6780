// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-wire.h"

struct MmImapWire
{
  MmRemoteWire *wire;
  MmImapSession *session;
};

static void
feed (gpointer session, const void *data, gsize length)
{
  mm_imap_session_feed (session, data, length);
}

static gboolean
next (gpointer session, gpointer out_event, GError **error)
{
  return mm_imap_session_next (session, out_event, error);
}

static GByteArray *
take_output (gpointer session)
{
  return mm_imap_session_take_output (session);
}

static gboolean
is_answer_due (gconstpointer session)
{
  return mm_imap_session_is_answer_due (session);
}

static gboolean
is_in_response (gconstpointer session)
{
  return mm_imap_session_is_in_response (session);
}

static const MmWireSessionClass imap_session_class = {
  .feed = feed,
  .next = next,
  .take_output = take_output,
  .is_answer_due = is_answer_due,
  .is_in_response = is_in_response,
};

MmImapWire *
mm_imap_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot, guint answer_timeout_ms,
                   GError **error)
{
  g_autoptr (MmImapSession) session
      = mm_imap_session_new (mm_remote_slot_get_limits (slot), MM_IMAP_SESSION_READ_ONLY);
  MmRemoteWire *wire = mm_remote_wire_open (endpoint, slot, answer_timeout_ms, &imap_session_class,
                                            session, error);

  if (wire == NULL)
    return NULL;
  MmImapWire *self = g_new (MmImapWire, 1);
  self->wire = wire;
  self->session = g_steal_pointer (&session);
  return self;
}

void
mm_imap_wire_free (MmImapWire *wire)
{
  mm_remote_wire_free (wire->wire);
  mm_imap_session_free (wire->session);
  g_free (wire);
}

MmImapSession *
mm_imap_wire_get_session (MmImapWire *wire)
{
  return wire->session;
}

gint64
mm_imap_wire_get_last_activity_us (const MmImapWire *wire)
{
  return mm_remote_wire_get_last_activity_us (wire->wire);
}

MmSignInAttempt *
mm_imap_wire_begin_sign_in (MmImapWire *wire, MmSignIn *sign_in)
{
  gboolean has_login
      = (mm_imap_session_get_capabilities (wire->session) & MM_IMAP_CAP_LOGINDISABLED) == 0;

  return mm_remote_wire_begin_sign_in (wire->wire, sign_in,
                                       mm_imap_session_get_sasl_mechanisms (wire->session),
                                       has_login);
}

MmWireStep
mm_imap_wire_step (MmImapWire *wire, gint64 alarm_us, MmImapEvent *event, GError **error)
{
  return mm_remote_wire_step (wire->wire, alarm_us, event, error);
}

gboolean
mm_imap_wire_next (MmImapWire *wire, MmImapEvent *event, GError **error)
{
  return mm_remote_wire_next (wire->wire, event, error);
}

guint32
mm_imap_wire_submit (MmImapWire *wire, MmImapCommand *command, GError **error)
{
  mm_remote_wire_expect_answer (wire->wire);
  return mm_imap_session_submit (wire->session, command, error);
}

void
mm_imap_wire_end_idle (MmImapWire *wire)
{
  mm_remote_wire_expect_answer (wire->wire);
  mm_imap_session_end_idle (wire->session);
}

void
mm_imap_wire_start_compression (MmImapWire *wire)
{
  gsize length = 0;
  const guint8 *rest = mm_imap_session_steal_input (wire->session, &length);

  mm_remote_wire_start_compression (wire->wire, rest, length);
}

void
mm_imap_wire_logout (MmImapWire *wire)
{
  gboolean is_in_flight = mm_imap_session_get_n_in_progress (wire->session) > 0;
  MmImapEvent event;

  if (mm_imap_wire_submit (wire, mm_imap_command_logout (), NULL) != 0)
    mm_remote_wire_say_farewell (wire->wire, is_in_flight, &event);
}
