// SPDX-License-Identifier: GPL-3.0-or-later
#include "pop3-wire.h"

#include "pop3-response.h"

static void
feed (gpointer session, const void *data, gsize length)
{
  mm_pop3_session_feed (session, data, length);
}

static gboolean
next (gpointer session, gpointer out_event, GError **error)
{
  return mm_pop3_session_next (session, out_event, error);
}

static GByteArray *
take_output (gpointer session)
{
  return mm_pop3_session_take_output (session);
}

static gboolean
is_answer_due (gconstpointer session)
{
  return mm_pop3_session_get_n_in_progress (session) > 0;
}

static const MmWireSessionClass pop3_session_class = {
  .feed = feed,
  .next = next,
  .take_output = take_output,
  .is_answer_due = is_answer_due,
};

MmPop3Wire *
mm_pop3_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot, guint answer_timeout_ms,
                   GError **error)
{
  g_autoptr (MmPop3Session) session = mm_pop3_session_new (NULL);
  MmRemoteWire *wire = mm_remote_wire_open (endpoint, slot, answer_timeout_ms, &pop3_session_class,
                                            session, error);

  if (wire == NULL)
    return NULL;
  MmPop3Wire *self = g_new (MmPop3Wire, 1);
  self->wire = wire;
  self->session = g_steal_pointer (&session);
  return self;
}

void
mm_pop3_wire_free (MmPop3Wire *wire)
{
  mm_remote_wire_free (wire->wire);
  mm_pop3_session_free (wire->session);
  g_free (wire);
}

void
mm_pop3_wire_quit (MmPop3Wire *wire)
{
  gboolean is_in_flight = mm_pop3_session_get_n_in_progress (wire->session) > 0;
  MmPop3Event event;

  mm_pop3_session_submit (wire->session, MM_POP3_QUIT);
  mm_remote_wire_say_farewell (wire->wire, is_in_flight, &event);
}

gboolean
mm_pop3_wire_next (MmPop3Wire *wire, MmPop3Event *event, GError **error)
{
  if (!mm_remote_wire_next (wire->wire, event, error))
    return FALSE;
  if (event->type != MM_POP3_EVENT_FAREWELL)
    return TRUE;
  g_propagate_error (error, mm_pop3_response_error (event, "the session was ended",
                                                    MM_ERROR_CONNECTION_LOST));
  return FALSE;
}

gboolean
mm_pop3_wire_wait (MmPop3Wire *wire, guint32 serial, MmPop3Event *out_answer, GError **error)
{
  while (mm_pop3_wire_next (wire, out_answer, error))
    if (out_answer->type == MM_POP3_EVENT_DONE && out_answer->serial == serial)
      return TRUE;
  return FALSE;
}
