// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/deflate.h>
#include <mailmount/secret.h>

#include "remote-wire.h"

/* Large enough that a bulk transfer costs few system calls beside the record reads of TLS, small
 * enough to stay in the processor's cache. */
#define RECEIVE_OCTETS        131072
#define LOGOUT_MS             1000
#define LOGOUT_BEHIND_DATA_MS 500

struct MmRemoteWire
{
  MmTransport *transport;
  const MmWireSessionClass *klass;
  gpointer session;    /* borrowed */
  MmRemoteSlot *slot; /* borrowed */
  MmDeflate *deflate; /* nullable: COMPRESS is not on */
  gint64 answer_timeout_us;

  guint8 *received;            /* RECEIVE_OCTETS; lent to the session or to @deflate */
  guint8 *inflated;            /* the same size; lent to the session */
  gboolean is_session_starved; /* the session has handed out all events of what it was fed */
  gboolean is_inflating;       /* @deflate holds octets that it was fed */

  GQueue out;              /* of GByteArray, immutable once queued: TLS may have to repeat a send */
  gsize out_sent;          /* octets of the first that went out */
  GError *send_error;      /* nullable: nothing can be sent any more */
  gint64 last_activity_us; /* received, or began to wait for an answer */
  gint64 watched_us;       /* since when a response is watched; 0: none is coming */
  gsize watched_octets;    /* received since then */
};

static void
wipe_and_free (gpointer data)
{
  GByteArray *octets = data;

  mm_secret_wipe (octets->data, octets->len);
  g_byte_array_unref (octets);
}

MmRemoteWire *
mm_remote_wire_open (const MmEndpoint *endpoint, MmRemoteSlot *slot, guint answer_timeout_ms,
                     const MmWireSessionClass *klass, gpointer session, GError **error)
{
  g_autoptr (MmTransport) transport
      = mm_transport_open (endpoint, mm_remote_slot_get_abort_flag (slot), error);

  if (transport == NULL)
    return NULL;

  MmRemoteWire *wire = g_new0 (MmRemoteWire, 1);
  wire->transport = g_steal_pointer (&transport);
  wire->klass = klass;
  wire->session = session;
  wire->slot = slot;
  wire->answer_timeout_us = (gint64) answer_timeout_ms * 1000;
  wire->received = g_malloc (RECEIVE_OCTETS);
  wire->last_activity_us = mm_clock_monotonic_us ();
  g_queue_init (&wire->out);

  const gchar *preamble = mm_transport_get_preamble (wire->transport);
  mm_remote_slot_note_received (slot, strlen (preamble));
  klass->feed (session, preamble, strlen (preamble));
  return wire;
}

void
mm_remote_wire_free (MmRemoteWire *wire)
{
  mm_transport_free (wire->transport);
  g_clear_pointer (&wire->deflate, mm_deflate_free);
  g_queue_clear_full (&wire->out, wipe_and_free);
  g_clear_error (&wire->send_error);
  g_free (wire->received);
  g_free (wire->inflated);
  g_free (wire);
}

gint64
mm_remote_wire_get_last_activity_us (const MmRemoteWire *wire)
{
  return wire->last_activity_us;
}

MmSignInAttempt *
mm_remote_wire_begin_sign_in (MmRemoteWire *wire, MmSignIn *sign_in,
                              const gchar *const *mechanisms, gboolean has_password_command)
{
  MmSignInOffer offer = {
    .mechanisms = mechanisms,
    .has_password_command = has_password_command,
    .is_private = mm_transport_is_private (wire->transport),
  };

  for (guint type = 0; type < MM_N_BINDING_TYPES; type++)
    offer.bindings[type] = mm_transport_dup_binding (wire->transport, (MmBindingType) type);
  MmSignInAttempt *attempt = mm_sign_in_attempt_new (sign_in, &offer);
  for (guint type = 0; type < MM_N_BINDING_TYPES; type++)
    g_clear_pointer (&offer.bindings[type], g_bytes_unref);
  return attempt;
}

void
mm_remote_wire_expect_answer (MmRemoteWire *wire)
{
  if (!wire->klass->is_answer_due (wire->session))
    wire->last_activity_us = mm_clock_monotonic_us ();
}

void
mm_remote_wire_start_compression (MmRemoteWire *wire, const guint8 *rest, gsize length)
{
  wire->deflate = mm_deflate_new ();
  wire->inflated = g_malloc (RECEIVE_OCTETS);
  /* What came behind the OK is compressed already. */
  if (length > 0)
    {
      mm_deflate_feed (wire->deflate, rest, length);
      wire->is_inflating = TRUE;
    }
}

/* ---- sending ---- */

static void
queue_output (MmRemoteWire *wire)
{
  GByteArray *plain = wire->klass->take_output (wire->session);

  if (plain == NULL)
    return;
  if (wire->deflate == NULL)
    {
      g_queue_push_tail (&wire->out, plain);
      return;
    }
  GByteArray *compressed = g_byte_array_new ();
  mm_deflate_compress (wire->deflate, plain->data, plain->len, compressed);
  wipe_and_free (plain);
  g_queue_push_tail (&wire->out, compressed);
}

static gboolean
send_some (MmRemoteWire *wire, GError **error)
{
  queue_output (wire);
  for (GByteArray *first; (first = g_queue_peek_head (&wire->out)) != NULL;)
    {
      gsize n = 0;
      MmIoStatus status = mm_transport_send (wire->transport, first->data + wire->out_sent,
                                             first->len - wire->out_sent, &n, error);

      if (status == MM_IO_ERROR)
        return FALSE;
      if (status != MM_IO_OK)
        return TRUE;
      wire->out_sent += n;
      if (wire->out_sent == first->len)
        {
          wipe_and_free (g_queue_pop_head (&wire->out));
          wire->out_sent = 0;
        }
    }
  return TRUE;
}

/* ---- receiving ---- */

static void
feed_session (MmRemoteWire *wire, const guint8 *data, gsize length)
{
  wire->klass->feed (wire->session, data, length);
  wire->is_session_starved = FALSE;
}

/* FALSE without @error: nothing more to inflate. */
static gboolean
feed_inflated (MmRemoteWire *wire, GError **error)
{
  gssize n = mm_deflate_inflate (wire->deflate, wire->inflated, RECEIVE_OCTETS, error);

  wire->is_inflating = n > 0;
  if (n > 0)
    feed_session (wire, wire->inflated, (gsize) n);
  return n > 0;
}

static MmIoStatus
receive_some (MmRemoteWire *wire, GError **error)
{
  gsize n = 0;
  MmIoStatus status
      = mm_transport_recv (wire->transport, wire->received,
                           mm_remote_slot_get_receive_portion (wire->slot, RECEIVE_OCTETS), &n,
                           error);

  if (status == MM_IO_EOF)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_CONNECTION_LOST,
                           "the server closed the connection");
      return MM_IO_ERROR;
    }
  if (status != MM_IO_OK)
    return status;
  wire->last_activity_us = mm_clock_monotonic_us ();
  wire->watched_octets += n;
  mm_remote_slot_note_received (wire->slot, n);
  if (wire->deflate == NULL)
    feed_session (wire, wire->received, n);
  else
    {
      mm_deflate_feed (wire->deflate, wire->received, n);
      wire->is_inflating = TRUE;
    }
  return MM_IO_OK;
}

/* What came before the connection broke is read all the same: whose answer is whole has nothing to
 * repeat, and who is to blame is known. */
static MmIoStatus
transfer (MmRemoteWire *wire, gint64 receive_us, GError **error)
{
  if (wire->send_error == NULL)
    (void) send_some (wire, &wire->send_error);
  MmIoStatus status = receive_us == 0 ? receive_some (wire, error) : MM_IO_AGAIN;

  if (status == MM_IO_AGAIN && receive_us == 0 && wire->send_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&wire->send_error));
      return MM_IO_ERROR;
    }
  return status;
}

/* ---- waiting ---- */

/* An octet now and then is no silence, and gets nowhere either. FALSE with @error: the response that
 * is coming has stalled. */
static gboolean
check_progress (MmRemoteWire *wire, GError **error)
{
  const MmLimits *limits = mm_remote_slot_get_limits (wire->slot);
  gint64 now_us = mm_clock_monotonic_us ();
  gboolean is_due = wire->watched_us > 0 && wire->answer_timeout_us > 0
                    && now_us >= wire->watched_us + wire->answer_timeout_us;

  if (wire->klass->is_in_response == NULL || !wire->klass->is_in_response (wire->session))
    wire->watched_us = 0;
  else if (is_due && wire->watched_octets < limits->progress_octets)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT,
                   "the server sent only %" G_GSIZE_FORMAT " octets of a response in %.1f seconds; the "
                   "progress demanded is %u",
                   wire->watched_octets, (gdouble) (now_us - wire->watched_us) / G_USEC_PER_SEC,
                   limits->progress_octets);
      return FALSE;
    }
  else if (wire->watched_us == 0 || is_due)
    {
      wire->watched_us = now_us;
      wire->watched_octets = 0;
    }
  return TRUE;
}

static gboolean
is_answer_due (const MmRemoteWire *wire)
{
  return wire->klass->is_answer_due (wire->session) || wire->out.length > 0;
}

static gint
ms_until (gint64 deadline_us)
{
  gint64 left_ms;

  if (deadline_us == G_MAXINT64)
    return -1;
  left_ms = (deadline_us - mm_clock_monotonic_us () + 999) / 1000;
  return (gint) CLAMP (left_ms, 0, G_MAXINT);
}

/* TRUE: go on with the loop; else *out_step says what ended the wait. @receive_us: nothing is received
 * before, and silence does not count until then; 0: now. */
static gboolean
wait_for_something (MmRemoteWire *wire, gint64 alarm_us, gint64 receive_us, MmWireStep *out_step,
                    GError **error)
{
  gint64 timeout_us = receive_us != 0 ? receive_us
                      : is_answer_due (wire) && wire->answer_timeout_us > 0
                          ? wire->last_activity_us + wire->answer_timeout_us
                          : G_MAXINT64;
  gboolean has_output = !g_queue_is_empty (&wire->out) && wire->send_error == NULL;
  MmWaitFlags interest
      = (receive_us == 0 ? MM_WAIT_READABLE : 0) | (has_output ? MM_WAIT_WRITABLE : 0);
  MmWaitFlags flags
      = mm_transport_wait (wire->transport, interest, mm_remote_slot_get_wake_fd (wire->slot),
                           ms_until (MIN (timeout_us, alarm_us)));
  gint64 now_us = mm_clock_monotonic_us ();

  if ((flags & MM_WAIT_WOKEN) != 0)
    {
      *out_step = MM_WIRE_WOKEN;
      return FALSE;
    }
  if (flags != 0)
    return TRUE;
  if (receive_us != 0 && now_us >= receive_us)
    {
      wire->last_activity_us = now_us;
      wire->watched_us = 0;
      return TRUE;
    }
  if (receive_us == 0 && now_us >= timeout_us)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT,
                   "the server was silent for %.1f seconds while an answer was due",
                   (gdouble) wire->answer_timeout_us / G_USEC_PER_SEC);
      *out_step = MM_WIRE_FAILED;
      return FALSE;
    }
  *out_step = MM_WIRE_ALARM;
  return now_us < alarm_us;
}

MmWireStep
mm_remote_wire_step (MmRemoteWire *wire, gint64 alarm_us, gpointer event, GError **error)
{
  MmWireStep step;

  for (;;)
    {
      g_autoptr (GError) local_error = NULL;

      if (!wire->is_session_starved)
        {
          if (wire->klass->next (wire->session, event, &local_error))
            return MM_WIRE_EVENT;
          wire->is_session_starved = TRUE;
        }
      if (local_error == NULL && wire->is_inflating && feed_inflated (wire, &local_error))
        continue;
      if (local_error == NULL && mm_remote_slot_is_woken (wire->slot))
        return MM_WIRE_WOKEN;
      if (local_error == NULL)
        (void) check_progress (wire, &local_error);

      gint64 receive_us = mm_remote_slot_get_receive_us (wire->slot);
      MmIoStatus status
          = local_error == NULL ? transfer (wire, receive_us, &local_error) : MM_IO_ERROR;
      if (status == MM_IO_ERROR)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return MM_WIRE_FAILED;
        }
      if (status == MM_IO_AGAIN && !wait_for_something (wire, alarm_us, receive_us, &step, error))
        return step;
    }
}

gboolean
mm_remote_wire_next (MmRemoteWire *wire, gpointer event, GError **error)
{
  for (;;)
    {
      switch (mm_remote_wire_step (wire, G_MAXINT64, event, error))
        {
        case MM_WIRE_EVENT:
          return TRUE;
        case MM_WIRE_FAILED:
          return FALSE;
        case MM_WIRE_ALARM:
        case MM_WIRE_WOKEN:
          mm_remote_slot_clear_wake (wire->slot);
          if (!mm_remote_slot_must_quit (wire->slot))
            continue;
          g_set_error_literal (error, MM_ERROR, MM_ERROR_CANCELLED, "the account is closing");
          return FALSE;
        }
    }
}

void
mm_remote_wire_say_farewell (MmRemoteWire *wire, gboolean is_in_flight, gpointer event)
{
  /* The farewell comes behind everything that is still on its way. Closing before that is read
   * would reset the connection, and the server might never see the command. */
  gint64 wait_ms = is_in_flight ? LOGOUT_BEHIND_DATA_MS : LOGOUT_MS;
  gint64 deadline_us = mm_clock_monotonic_us () + wait_ms * 1000;

  if (!send_some (wire, NULL))
    return;
  for (;;)
    {
      MmIoStatus status;

      while (wire->klass->next (wire->session, event, NULL))
        if (!wire->klass->is_answer_due (wire->session))
          return;
      if (wire->is_inflating && feed_inflated (wire, NULL))
        continue;
      status = send_some (wire, NULL) ? receive_some (wire, NULL) : MM_IO_ERROR;
      if (status == MM_IO_ERROR || ms_until (deadline_us) == 0)
        return;
      if (status == MM_IO_AGAIN)
        (void) mm_transport_wait (wire->transport,
                                  MM_WAIT_READABLE
                                      | (g_queue_is_empty (&wire->out) ? 0 : MM_WAIT_WRITABLE),
                                  -1, ms_until (deadline_us));
    }
}
