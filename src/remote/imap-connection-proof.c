// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether the server is still there. A connection can die without a word: the machine slept, the
 * network is another one, a router forgot it. Where that may have happened NOOP goes out in front of
 * whatever comes next, and any octet that comes within a few seconds proves the server alive; else
 * the connection is given up, and its jobs go on with another one.
 */
#include <mailmount/clock.h>

#include "imap-connection-private.h"

#define PROOF_US (5 * G_USEC_PER_SEC)
/* A proof that came so recently is as good: a sleep is noticed a few seconds late. */
#define PROVED_US (10 * G_USEC_PER_SEC)
/* Routers forget connections that are silent for longer than this. */
#define SILENCE_US (60 * G_USEC_PER_SEC)

void
mm_imap_connection_ask_for_proof (MmImapConnection *connection)
{
  gint64 now_us = mm_clock_monotonic_us ();
  gboolean is_proved
      = connection->proved_us != 0 && now_us - connection->proved_us < PROVED_US;

  if (connection->proof_due_us != 0 || is_proved
      || !mm_imap_connection_send (connection, MM_IMAP_FLIGHT_PROOF, NULL,
                                   mm_imap_command_noop (), 0, NULL))
    return;
  connection->proof_due_us = now_us + PROOF_US;
  connection->unproved_us = mm_imap_wire_get_last_activity_us (connection->wire);
}

void
mm_imap_connection_ask_for_proof_after_silence (MmImapConnection *connection)
{
  gint64 last_us = mm_imap_wire_get_last_activity_us (connection->wire);

  if (!mm_imap_session_is_answer_due (connection->session)
      && mm_clock_monotonic_us () - last_us > SILENCE_US)
    mm_imap_connection_ask_for_proof (connection);
}

gint64
mm_imap_connection_get_proof_deadline_us (MmImapConnection *connection)
{
  if (connection->proof_due_us != 0
      && mm_imap_wire_get_last_activity_us (connection->wire) != connection->unproved_us)
    {
      connection->proof_due_us = 0;
      connection->proved_us = mm_imap_wire_get_last_activity_us (connection->wire);
    }
  return connection->proof_due_us != 0 ? connection->proof_due_us : G_MAXINT64;
}
