// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a connection does for its jobs when they ask: commands, their ends, the selected mailbox.
 */
#include "imap-connection-private.h"
#include "imap-response.h"

MmImapRemote *
mm_imap_connection_get_remote (MmImapConnection *connection)
{
  return connection->remote;
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

const MmImapSelection *
mm_imap_connection_get_selection (MmImapConnection *connection)
{
  return &connection->selection;
}

/* ---- commands ---- */

static gboolean
submit (MmImapConnection *connection, MmImapFlightKind kind, MmRemoteJob *job,
        MmImapCommand *command, guint context, GError **error)
{
  MmImapFlight flight = {
    .tag = mm_imap_wire_submit (connection->wire, command, error),
    .kind = kind,
    .job = job,
    .context = context,
  };

  if (flight.tag != 0)
    mm_imap_flights_add (&connection->flights, &flight);
  return flight.tag != 0;
}

gboolean
mm_imap_connection_submit (MmImapConnection *connection, MmRemoteJob *job, MmImapCommand *command,
                           guint context, GError **error)
{
  return submit (connection, MM_IMAP_FLIGHT_JOB, job, command, context, error);
}

MmImapJobFate
mm_imap_connection_end_job (MmImapConnection *connection, MmRemoteJob *job, const GError *error)
{
  mm_imap_flights_forget_job (&connection->flights, job);
  if (connection->body_job == job)
    connection->body_job = NULL;
  if (!g_ptr_array_remove (connection->jobs, job))
    g_ptr_array_remove (connection->waiting, job);
  connection->may_send = TRUE;
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

/* ---- the selected mailbox ---- */

gboolean
mm_imap_connection_select (MmImapConnection *connection, MmRemoteJob *job, gboolean anew)
{
  MmImapSelection *selection = &connection->selection;
  gboolean is_same = selection->state != MM_IMAP_SELECTION_NONE
                     && g_str_equal (selection->mailbox, job->mailbox);
  g_autoptr (GError) error = NULL;

  if (is_same && selection->state == MM_IMAP_SELECTION_PENDING)
    return FALSE;
  if (is_same && !anew)
    return TRUE;

  g_autofree gchar *wire_name = mm_imap_name_to_wire (connection->session, job->mailbox);
  gboolean has_condstore = mm_imap_connection_has (connection, MM_IMAP_CAP_CONDSTORE);
  mm_imap_selection_begin (selection, job->mailbox);
  connection->is_changed = FALSE;
  /* A name that cannot be sent is answered like one that does not exist: by `selected`, through
   * the flight without a tag that mm_imap_connection_pump_local_failures() finds. */
  if (!submit (connection, MM_IMAP_FLIGHT_EXAMINE, NULL,
               mm_imap_command_examine (wire_name, has_condstore), 0, &error))
    {
      MmImapFlight flight = { .tag = 0, .kind = MM_IMAP_FLIGHT_EXAMINE };
      mm_imap_flights_add (&connection->flights, &flight);
    }
  return FALSE;
}

/* Tells all jobs. The array may shrink under the loop. */
static void
tell_selected (MmImapConnection *connection, const GError *error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_copy (connection->jobs, NULL, NULL);

  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      /* A job that ends can end no other one: what is left in the copy is alive. */
      if (mm_imap_job_class_of (job)->selected != NULL && job->mailbox != NULL)
        mm_imap_job_class_of (job)->selected (job, connection, error);
    }
}

void
mm_imap_connection_finish_selection (MmImapConnection *connection, const MmImapEvent *answer)
{
  MmImapSelection *selection = &connection->selection;

  if (answer->status == MM_IMAP_STATUS_OK)
    {
      mm_imap_selection_open (selection, answer);
      tell_selected (connection, NULL);
      return;
    }
  g_autofree gchar *name = mm_imap_name_for_people (selection->mailbox);
  g_autofree gchar *what = g_strdup_printf ("opening the folder '%s'", name);
  g_autoptr (GError) error = mm_imap_response_error (answer, what, MM_ERROR_MAILBOX_GONE);
  mm_imap_selection_clear (selection);
  tell_selected (connection, error);
}

void
mm_imap_connection_pump_local_failures (MmImapConnection *connection)
{
  MmImapFlight flight;

  if (!mm_imap_flights_take (&connection->flights, 0, &flight))
    return;
  g_autoptr (GError) error = g_error_new (MM_ERROR, MM_ERROR_NAME_ENCODING,
                                          "the server cannot be sent the folder name '%s'",
                                          connection->selection.mailbox);
  mm_imap_selection_clear (&connection->selection);
  tell_selected (connection, error);
}
