// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a connection does for its jobs when they ask: commands and their ends.
 */
#include <mailmount/imap-backoff.h>

#include "imap-connection-private.h"
#include "imap-response.h"

MmImapRemote *
mm_imap_connection_get_remote (MmImapConnection *connection)
{
  return connection->remote;
}

const MmLimits *
mm_imap_connection_get_limits (MmImapConnection *connection)
{
  return mm_remote_slot_get_limits (connection->slot);
}

MmImapSession *
mm_imap_connection_get_session (MmImapConnection *connection)
{
  return connection->session;
}

const MmImapAccountFacts *
mm_imap_connection_get_facts (MmImapConnection *connection)
{
  return &connection->facts;
}

gboolean
mm_imap_connection_is_set_up (MmImapConnection *connection)
{
  return connection->set_up.n_due == 0;
}

GPtrArray *
mm_imap_connection_get_jobs (MmImapConnection *connection)
{
  return connection->jobs;
}

gboolean
mm_imap_connection_has (MmImapConnection *connection, MmImapCapabilities capability)
{
  return (connection->facts.capabilities & capability) != 0;
}

void
mm_imap_connection_end_idle (MmImapConnection *connection)
{
  mm_imap_wire_end_idle (connection->wire);
}

void
mm_imap_connection_set_watch_alarm (MmImapConnection *connection, gint64 alarm_us)
{
  connection->watch_alarm_us = alarm_us;
}

/* ---- commands ---- */

gboolean
mm_imap_connection_send (MmImapConnection *connection, MmImapFlightKind kind, MmRemoteJob *job,
                         MmImapCommand *command, guint context, GError **error)
{
  MmImapFlight flight = {
    .tag = mm_imap_wire_submit (connection->wire, command, error),
    .kind = kind,
    .job = job,
    .context = context,
    .selection = mm_imap_connection_get_last_selection (connection)->serial,
  };

  if (flight.tag != 0)
    mm_imap_flights_add (&connection->flights, &flight);
  return flight.tag != 0;
}

gboolean
mm_imap_connection_submit (MmImapConnection *connection, MmRemoteJob *job, MmImapCommand *command,
                           guint context, GError **error)
{
  return mm_imap_connection_send (connection, MM_IMAP_FLIGHT_JOB, job, command, context, error);
}

static void
leave (MmImapConnection *connection, MmRemoteJob *job)
{
  mm_imap_flights_forget_job (&connection->flights, job);
  mm_imap_connection_leave_selections (connection, job);
  if (connection->body_job == job)
    connection->body_job = NULL;
  if (!g_ptr_array_remove (connection->jobs, job))
    g_ptr_array_remove (connection->waiting, job);
  connection->may_send = TRUE;
  if (mm_remote_job_is_watch (job))
    {
      connection->watch_alarm_us = G_MAXINT64;
      mm_imap_connection_end_idle (connection);
    }
}

MmImapJobFate
mm_imap_connection_end_job (MmImapConnection *connection, MmRemoteJob *job, const GError *error)
{
  leave (connection, job);
  if (error != NULL && mm_imap_response_asks_to_wait (error))
    mm_remote_slot_postpone_job (connection->slot, job, error,
                                 mm_imap_find_backoff_ms (error->message),
                                 mm_imap_job_class_of (job)->lost (job, FALSE, error));
  else
    mm_remote_slot_finish_job (connection->slot, job, error);
  return MM_IMAP_JOB_ENDED;
}

MmImapJobFate
mm_imap_connection_fail_job (MmImapConnection *connection, MmRemoteJob *job, GError *error)
{
  MmImapJobFate fate = mm_imap_connection_end_job (connection, job, error);

  g_error_free (error);
  return fate;
}
