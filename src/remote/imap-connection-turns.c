// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which mailbox's turn it is. A connection has one selected mailbox, but EXAMINE need not wait for
 * anything: it goes out behind the last command of the mailbox before, and the commands of its own
 * jobs behind it (RFC 9051 5.5: the server executes them in order). So there is a queue of
 * selections: what the server says belongs to the first, what is sent to the last. The first ends
 * when everything before the next one's EXAMINE was answered. When an EXAMINE is refused nothing is
 * selected, and the commands behind it fail (RFC 9051 6.3.3).
 *
 * Who gets the turn:
 * - Demand before read-ahead, of whichever mailbox; then in the order the jobs came.
 * - A turn is all jobs of its mailbox, so that EXAMINE is paid for once; but no more than
 *   TURN_JOBS_MAX join it later while others wait, so that those come to theirs.
 * - Read-ahead begins a turn only when the pipeline has run half empty, or little is due on it: not
 *   between any two demands.
 * - A job that has more to send when the turn is over comes back with another one.
 * - A watch comes last, and only when it is alone on the connection.
 * - A synchronisation has a selection for itself: it counts what comes and goes in it, and takes
 *   all its data.
 */
#include "imap-connection-private.h"
#include "imap-response.h"

#define TURN_JOBS_MAX 8
#define LIGHT_OCTETS  (256 * 1024)

static MmImapSelection *
get_last (MmImapConnection *connection)
{
  return g_queue_peek_tail (&connection->selections);
}

const MmImapSelection *
mm_imap_connection_get_selection (MmImapConnection *connection)
{
  return mm_imap_connection_present (connection);
}

const MmImapSelection *
mm_imap_connection_get_last_selection (MmImapConnection *connection)
{
  return get_last (connection);
}

/* ---- the first of the queue ---- */

/* Where nothing is open nothing has to be closed. */
static void
drop_first (MmImapConnection *connection)
{
  MmImapSelection *first = g_queue_pop_head (&connection->selections);

  if (first->state == MM_IMAP_SELECTION_NONE)
    mm_imap_connection_present (connection)->has_begun_early = TRUE;
  mm_imap_selection_free (first);
}

void
mm_imap_connection_advance_selection (MmImapConnection *connection)
{
  const MmImapFlight *next = mm_imap_flights_peek (&connection->flights);

  if (next != NULL && next->kind == MM_IMAP_FLIGHT_EXAMINE
      && next->selection != mm_imap_connection_present (connection)->serial)
    drop_first (connection);
}

void
mm_imap_connection_leave_selections (MmImapConnection *connection, const MmRemoteJob *job)
{
  for (GList *link = connection->selections.head; link != NULL; link = link->next)
    g_ptr_array_remove (((MmImapSelection *) link->data)->jobs, (gpointer) job);
}

/* The array may shrink under the loop. */
static void
tell_selected (MmImapConnection *connection, const GError *error)
{
  g_autoptr (GPtrArray) jobs
      = g_ptr_array_copy (mm_imap_connection_present (connection)->jobs, NULL, NULL);

  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      /* A job that ends can end no other one: what is left in the copy is alive. */
      mm_imap_job_class_of (job)->selected (job, connection, error);
    }
}

gboolean
mm_imap_connection_finish_selection (MmImapConnection *connection, const MmImapFlight *flight,
                                     const MmImapEvent *answer, GError **error)
{
  MmImapSelection *selection;

  /* Something that has nothing to do with the mailbox may be answered later. */
  while ((selection = mm_imap_connection_present (connection))->serial != flight->selection)
    {
      if (mm_imap_flights_has (&connection->flights, selection->serial, FALSE))
        {
          g_set_error_literal (error, MM_ERROR, MM_ERROR_PROTOCOL,
                               "the server opened a folder before it answered about another one");
          return FALSE;
        }
      drop_first (connection);
    }

  if (answer->status == MM_IMAP_STATUS_OK)
    {
      mm_imap_selection_open (selection, answer);
      tell_selected (connection, NULL);
      return TRUE;
    }
  g_autofree gchar *name = mm_imap_name_for_people (selection->mailbox);
  g_autofree gchar *what = g_strdup_printf ("opening the folder '%s'", name);
  g_autoptr (GError) refusal = mm_imap_response_error (answer, what, MM_ERROR_MAILBOX_GONE);
  selection->state = MM_IMAP_SELECTION_NONE;
  tell_selected (connection, refusal);
  return TRUE;
}

/* ---- the last of the queue ---- */

static gboolean
wants_alone (const MmRemoteJob *job)
{
  return mm_imap_job_class_of (job)->holds != NULL;
}

/* Whose job has the last selection for itself; NULL: it is shared. */
static MmRemoteJob *
get_sole_job (MmImapConnection *connection)
{
  const GPtrArray *jobs = get_last (connection)->jobs;

  return jobs->len == 1 && wants_alone (g_ptr_array_index (jobs, 0)) ? g_ptr_array_index (jobs, 0)
                                                                     : NULL;
}

static gboolean
is_held (MmImapConnection *connection)
{
  MmRemoteJob *job = get_sole_job (connection);

  return job != NULL && mm_imap_job_class_of (job)->holds (job);
}

static gboolean
is_in_turn (MmImapConnection *connection, MmRemoteJob *job)
{
  return job->mailbox == NULL || g_ptr_array_find (get_last (connection)->jobs, job, NULL);
}

/* What it has to send can follow what was sent, without another EXAMINE. */
static gboolean
can_join (MmImapConnection *connection, const MmRemoteJob *job)
{
  const MmImapSelection *last = get_last (connection);

  return last->state != MM_IMAP_SELECTION_NONE && !wants_alone (job)
         && get_sole_job (connection) == NULL && g_str_equal (last->mailbox, job->mailbox);
}

static gboolean
wants_turn (MmImapConnection *connection, MmRemoteJob *job)
{
  return !is_in_turn (connection, job) && mm_imap_job_class_of (job)->has_next (job, connection);
}

/* The first job of @priority for which another mailbox must be selected; NULL: none. */
static MmRemoteJob *
find_next_turn (MmImapConnection *connection, MmRemotePriority priority)
{
  for (guint i = 0; i < connection->jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);

      if (mm_remote_job_get_priority (job) == priority && wants_turn (connection, job) && !can_join (connection, job))
        return job;
    }
  return NULL;
}

/* Takes in who wants something of the same mailbox, those of read-ahead too: what these have to
 * send still waits for what is more urgent. */
static void
join_turn (MmImapConnection *connection)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_copy (connection->jobs, NULL, NULL);

  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      if (!wants_turn (connection, job) || !can_join (connection, job))
        continue;
      if (connection->n_may_join == 0
          && (find_next_turn (connection, MM_REMOTE_PRIORITY_DEMAND) != NULL
              || (mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_READ_AHEAD
                  && find_next_turn (connection, MM_REMOTE_PRIORITY_READ_AHEAD) != NULL)))
        continue;
      if (connection->n_may_join > 0)
        connection->n_may_join--;
      g_ptr_array_add (get_last (connection)->jobs, job);
      mm_imap_job_class_of (job)->turn (job, connection);
    }
}

/* (transfer full) */
static MmImapCommand *
new_examine (MmImapConnection *connection, MmRemoteJob *job, gboolean *out_tells_changes)
{
  const MmImapJobClass *klass = mm_imap_job_class_of (job);
  g_autofree gchar *wire_name = mm_imap_name_to_wire (connection->session, job->mailbox);
  MmImapCommand *command
      = klass->examine != NULL ? klass->examine (job, connection, wire_name) : NULL;

  *out_tells_changes = command != NULL;
  if (command == NULL)
    command = mm_imap_command_examine (wire_name,
                                       mm_imap_connection_has (connection, MM_IMAP_CAP_CONDSTORE));
  return command;
}

/* Whether the server tells on this connection what changes in all mailboxes. */
static gboolean
watches_all (const MmImapConnection *connection)
{
  for (guint i = 0; i < connection->jobs->len; i++)
    {
      const MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);

      if (mm_remote_job_is_watch (job) && job->mailbox == NULL)
        return TRUE;
    }
  return FALSE;
}

/* With NOTIFY what changes in the open mailbox is told of that one alone (RFC 5465 6.1), and later than
 * it happens: what was not told when the mailbox is left never would be. A synchronisation of the same
 * mailbox finds it out. */
static void
ask_for_last_news (MmImapConnection *connection, const MmRemoteJob *next)
{
  const MmImapSelection *last = get_last (connection);

  if (last->state != MM_IMAP_SELECTION_NONE && watches_all (connection)
      && !(wants_alone (next) && g_str_equal (last->mailbox, next->mailbox)))
    mm_imap_connection_send (connection, MM_IMAP_FLIGHT_NEWS, NULL, mm_imap_command_noop (), 0, NULL);
}

/* Selects the mailbox of @job. */
static void
begin_turn (MmImapConnection *connection, MmRemoteJob *job)
{
  g_autoptr (GError) error = NULL;
  gboolean tells_changes = FALSE;
  MmImapCommand *command = new_examine (connection, job, &tells_changes);

  ask_for_last_news (connection, job);
  g_queue_push_tail (&connection->selections,
                     mm_imap_selection_new (job->mailbox, ++connection->n_selections));
  get_last (connection)->tells_changes = tells_changes;
  if (!mm_imap_connection_send (connection, MM_IMAP_FLIGHT_EXAMINE, NULL, command, 0, &error))
    {
      mm_imap_selection_free (g_queue_pop_tail (&connection->selections));
      mm_imap_connection_end_job (connection, job, error);
      return;
    }
  mm_imap_connection_advance_selection (connection);
  g_ptr_array_add (get_last (connection)->jobs, job);
  mm_imap_job_class_of (job)->turn (job, connection);
  /* Everyone who is there already. */
  connection->n_may_join = connection->jobs->len;
  join_turn (connection);
  connection->n_may_join = TURN_JOBS_MAX;
}

/* ---- sending ---- */

/* One more command of the first job that has one. */
static gboolean
send_one (MmImapConnection *connection, MmRemotePriority priority)
{
  for (guint i = 0; i < connection->jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);
      gboolean is_sent = FALSE;

      if (mm_remote_job_get_priority (job) != priority || mm_imap_job_class_of (job)->send_next == NULL
          || !is_in_turn (connection, job))
        continue;
      if (mm_imap_job_class_of (job)->send_next (job, connection, &is_sent) == MM_IMAP_JOB_ENDED)
        return TRUE;
      if (is_sent)
        return TRUE;
    }
  return FALSE;
}

/* Little is on its way here, or asked for. */
static gboolean
is_light (MmImapConnection *connection)
{
  guint64 due = 0;

  for (GList *link = connection->selections.head; link != NULL; link = link->next)
    {
      const GPtrArray *jobs = ((MmImapSelection *) link->data)->jobs;

      for (guint i = 0; i < jobs->len; i++)
        due += ((MmRemoteJob *) g_ptr_array_index (jobs, i))->due_octets;
    }
  return due <= LIGHT_OCTETS;
}

/* FALSE: there is nothing more to send now. */
static gboolean
send_something (MmImapConnection *connection)
{
  guint n_in_flight = mm_imap_flights_count_of_jobs (&connection->flights);

  if (n_in_flight >= MM_IMAP_DEMANDS_MAX)
    return FALSE;
  join_turn (connection);
  /* An answer to a job that is gone could be taken for the answer to a like command sent now. */
  gboolean is_clear
      = !mm_imap_flights_has (&connection->flights, get_last (connection)->serial, TRUE);
  MmRemoteJob *next = NULL;

  if (is_clear && send_one (connection, MM_REMOTE_PRIORITY_DEMAND))
    return TRUE;
  if (is_held (connection))
    return FALSE;
  next = find_next_turn (connection, MM_REMOTE_PRIORITY_DEMAND);
  if (next == NULL && is_clear && n_in_flight < MM_IMAP_COMMANDS_MAX
      && send_one (connection, MM_REMOTE_PRIORITY_READ_AHEAD))
    return TRUE;
  if (next == NULL
      && (n_in_flight <= MM_IMAP_COMMANDS_MAX / 2
          || (n_in_flight < MM_IMAP_COMMANDS_MAX && is_light (connection))))
    next = find_next_turn (connection, MM_REMOTE_PRIORITY_READ_AHEAD);
  if (next == NULL && is_clear && send_one (connection, MM_REMOTE_PRIORITY_WATCH))
    return TRUE;
  if (next == NULL)
    next = find_next_turn (connection, MM_REMOTE_PRIORITY_WATCH);
  if (next != NULL)
    begin_turn (connection, next);
  return next != NULL;
}

void
mm_imap_connection_fill_pipeline (MmImapConnection *connection)
{
  if (!connection->may_send)
    return;
  connection->may_send = FALSE;
  while (send_something (connection))
    continue;
}
