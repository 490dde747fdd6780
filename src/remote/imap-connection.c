// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/imap-backoff.h>
#include <mailmount/log.h>

#include "imap-connection-private.h"
#include "imap-response.h"

/* An answer that nobody wants any more may take this long before the connection is dropped. */
#define VOID_ANSWERS_US (2 * G_USEC_PER_SEC)

/* ---- the set-up ---- */

static void
start_job (MmImapConnection *connection, MmRemoteJob *job)
{
  g_ptr_array_add (connection->jobs, job);
  connection->may_send = TRUE;
  if (!mm_remote_job_is_cancelled (job) && mm_imap_job_class_of (job)->start != NULL)
    mm_imap_job_class_of (job)->start (job, connection);
}

/* Tells those who began without it, and starts those who waited for it. */
static void
end_set_up (MmImapConnection *connection)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_copy (connection->jobs, NULL, NULL);

  mm_imap_remote_set_capabilities (connection->remote, connection->facts.capabilities);
  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      if (mm_imap_job_class_of (job)->set_up != NULL)
        mm_imap_job_class_of (job)->set_up (job, connection);
    }
  while (connection->waiting->len > 0)
    start_job (connection, g_ptr_array_steal_index (connection->waiting, 0));
}

/* ---- events ---- */

static gboolean
is_fetch_event (MmImapEventType type)
{
  switch (type)
    {
    case MM_IMAP_EVENT_FETCH_BEGIN:
    case MM_IMAP_EVENT_FETCH_END:
    case MM_IMAP_EVENT_BODY_BEGIN:
    case MM_IMAP_EVENT_BODY_DATA:
    case MM_IMAP_EVENT_BODY_END:
      return TRUE;
    default:
      return FALSE;
    }
}

/* To the job whose body it is, or to each until one takes it: of the jobs of the mailbox that the
 * server speaks of when it is about messages, else of all. */
static void
offer_event (MmImapConnection *connection, const MmImapEvent *event)
{
  const MmImapSelection *selection = mm_imap_connection_present (connection);
  gboolean is_of_mailbox = is_fetch_event (event->type) || event->type == MM_IMAP_EVENT_SEARCH
                           || event->type == MM_IMAP_EVENT_VANISHED;
  gboolean is_heard = selection->state == MM_IMAP_SELECTION_OPEN
                      || (selection->tells_changes && selection->has_begun_early);
  GPtrArray *jobs = is_of_mailbox ? selection->jobs : connection->jobs;
  gboolean is_body_rest
      = event->type == MM_IMAP_EVENT_BODY_DATA || event->type == MM_IMAP_EVENT_BODY_END;
  gboolean is_mine = FALSE;

  if (is_body_rest)
    {
      MmRemoteJob *job = connection->body_job;
      if (event->type == MM_IMAP_EVENT_BODY_END)
        connection->body_job = NULL;
      if (job != NULL)
        mm_imap_job_class_of (job)->event (job, connection, event, &is_mine);
      return;
    }
  connection->body_job = NULL;
  /* Until EXAMINE was answered the server may speak of another mailbox. */
  if (is_of_mailbox && !is_heard)
    return;
  for (guint i = 0; i < jobs->len && !is_mine; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      if (mm_imap_job_class_of (job)->event (job, connection, event, &is_mine) == MM_IMAP_JOB_ENDED)
        i--;
      else if (is_mine && event->type == MM_IMAP_EVENT_BODY_BEGIN)
        connection->body_job = job;
    }
  /* Flags that nobody asked for. */
  if (event->type == MM_IMAP_EVENT_FETCH_END && !is_mine && event->fetch->has_flags)
    connection->is_changed = TRUE;
}

/* A server may tell a message's UID behind its bodies: these are held back until it did. */
static gboolean
offer_fetch_event (MmImapConnection *connection, const MmImapEvent *event, GError **error)
{
  MmImapEvent replayed;

  if (event->type == MM_IMAP_EVENT_FETCH_END)
    while (mm_imap_fetch_buffer_replay (connection->fetch_buffer, event->fetch, &replayed))
      offer_event (connection, &replayed);
  else if (mm_imap_fetch_buffer_wants (connection->fetch_buffer, event))
    return mm_imap_fetch_buffer_take (connection->fetch_buffer, event, error);
  offer_event (connection, event);
  return TRUE;
}

/* What concerns a watch alone: nobody else sends IDLE or NOTIFY. */
static gboolean
is_for_watch (const MmImapEvent *event)
{
  return event->type == MM_IMAP_EVENT_IDLING
         || (event->type == MM_IMAP_EVENT_UNTAGGED && event->code == MM_IMAP_CODE_OTHER);
}

static void
tell_watch (MmImapConnection *connection, const MmImapEvent *event)
{
  gboolean is_mine = FALSE;

  for (guint i = 0; i < connection->jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);

      if (!mm_remote_job_is_watch (job))
        continue;
      mm_imap_job_class_of (job)->event (job, connection, event, &is_mine);
      return;
    }
}

static gboolean
handle_tagged (MmImapConnection *connection, const MmImapEvent *event, GError **error)
{
  MmImapFlight flight;
  gboolean is_well = TRUE;

  connection->body_job = NULL;
  if (!mm_imap_flights_take (&connection->flights, event->tag, &flight))
    return TRUE;
  connection->may_send = TRUE;
  switch (flight.kind)
    {
    case MM_IMAP_FLIGHT_JOB:
      if (flight.job != NULL)
        mm_imap_job_class_of (flight.job)->answered (flight.job, connection, flight.context, event);
      break;
    case MM_IMAP_FLIGHT_EXAMINE:
      is_well = mm_imap_connection_finish_selection (connection, &flight, event, error);
      break;
    case MM_IMAP_FLIGHT_PROOF:
    case MM_IMAP_FLIGHT_NEWS:
      break;
    case MM_IMAP_FLIGHT_SET_UP:
    case MM_IMAP_FLIGHT_COMPRESS:
      if (mm_imap_set_up_answered (&connection->set_up, connection->wire, &flight, event))
        end_set_up (connection);
      break;
    }
  mm_imap_connection_advance_selection (connection);
  return is_well;
}

/* FALSE: the server says goodbye, or nonsense. */
static gboolean
handle_event (MmImapConnection *connection, const MmImapEvent *event, GError **error)
{
  if (event->type == MM_IMAP_EVENT_UNTAGGED && event->status == MM_IMAP_STATUS_BYE)
    {
      g_propagate_error (error, mm_imap_response_error (event, "the connection was ended",
                                                        MM_ERROR_CONNECTION_LOST));
      /* Whatever the reason, another connection may be welcome. */
      if (error != NULL && *error != NULL)
        (*error)->code = MM_ERROR_CONNECTION_LOST;
      return FALSE;
    }
  if (event->code == MM_IMAP_CODE_ALERT && event->text != NULL)
    mm_log_warning ("%s says: %s", connection->remote->base.config.endpoint.host, event->text);
  if (event->type == MM_IMAP_EVENT_TAGGED)
    return handle_tagged (connection, event, error);
  if (is_for_watch (event))
    tell_watch (connection, event);
  mm_imap_set_up_note (&connection->set_up, &connection->facts, connection->session, event);
  if (mm_imap_selection_note (mm_imap_connection_present (connection), event))
    connection->is_changed = TRUE;
  if (is_fetch_event (event->type))
    return offer_fetch_event (connection, event, error);
  if (event->type == MM_IMAP_EVENT_LIST || event->type == MM_IMAP_EVENT_MAILBOX_STATUS
      || event->type == MM_IMAP_EVENT_SEARCH || event->type == MM_IMAP_EVENT_VANISHED)
    offer_event (connection, event);
  return TRUE;
}

/* ---- jobs ---- */

static void
take_jobs (MmImapConnection *connection)
{
  MmRemoteJob *job;

  while ((job = mm_remote_slot_take_job (connection->slot)) != NULL)
    {
      job->taken_us = mm_clock_monotonic_us ();
      mm_imap_connection_ask_for_proof_after_silence (connection);
      if (mm_imap_set_up_can_name (&connection->set_up, job->mailbox))
        start_job (connection, job);
      else
        g_ptr_array_add (connection->waiting, job);
    }
}

static void
end_cancelled_jobs (MmImapConnection *connection)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled");
  g_autoptr (GPtrArray) jobs = g_ptr_array_copy (connection->jobs, NULL, NULL);

  g_ptr_array_extend (jobs, connection->waiting, NULL, NULL);
  for (guint i = 0; i < jobs->len; i++)
    {
      MmRemoteJob *job = g_ptr_array_index (jobs, i);

      if (mm_remote_job_is_cancelled (job))
        mm_imap_connection_end_job (connection, job, error);
    }
}

static void
tell_change (MmImapConnection *connection)
{
  MmImapRemote *remote = connection->remote;
  const MmImapSelection *selection = mm_imap_connection_present (connection);

  if (!connection->is_changed)
    return;
  connection->is_changed = FALSE;
  if (remote->base.change_func != NULL && selection->state == MM_IMAP_SELECTION_OPEN)
    remote->base.change_func (selection->mailbox, NULL, remote->base.change_data);
}

/* When an answer that nobody wants has kept what is behind it waiting for too long. */
static gint64
get_void_deadline_us (const MmImapConnection *connection)
{
  gint64 since_us = mm_imap_flights_get_void_since_us (&connection->flights);

  return since_us > 0 ? since_us + VOID_ANSWERS_US : G_MAXINT64;
}

static gint64
get_idle_deadline_us (const MmImapConnection *connection)
{
  guint idle_close_ms = connection->remote->base.config.idle_close_ms;

  if (idle_close_ms == 0 || connection->jobs->len > 0
      || mm_imap_flights_count (&connection->flights) > 0)
    return G_MAXINT64;
  return mm_imap_wire_get_last_activity_us (connection->wire) + (gint64) idle_close_ms * 1000;
}

static void
ring_watch_alarm (MmImapConnection *connection)
{
  if (connection->watch_alarm_us == G_MAXINT64
      || mm_clock_monotonic_us () < connection->watch_alarm_us)
    return;
  connection->watch_alarm_us = G_MAXINT64;
  connection->may_send = TRUE;
}

static GError *
serve (MmImapConnection *connection)
{
  GError *error = NULL;
  MmImapEvent event;

  while (!mm_remote_slot_must_quit (connection->slot))
    {
      ring_watch_alarm (connection);
      mm_imap_connection_fill_pipeline (connection);
      gint64 watch_us = connection->watch_alarm_us;
      gint64 void_us = get_void_deadline_us (connection);
      gint64 idle_us = get_idle_deadline_us (connection);
      gint64 proof_us = mm_imap_connection_get_proof_deadline_us (connection);
      if (void_us != G_MAXINT64 && mm_clock_monotonic_us () >= void_us)
        return g_error_new_literal (MM_ERROR, MM_ERROR_CONNECTION_LOST,
                                    "dropped with an answer on its way that nobody wants");
      if (proof_us != G_MAXINT64 && mm_clock_monotonic_us () >= proof_us)
        return g_error_new_literal (MM_ERROR, MM_ERROR_CONNECTION_LOST,
                                    "the server gives no sign of life");
      switch (mm_imap_wire_step (connection->wire, MIN (MIN (void_us, idle_us), MIN (proof_us, watch_us)), &event,
                                 &error))
        {
        case MM_WIRE_EVENT:
          if (!handle_event (connection, &event, &error))
            return error;
          break;
        case MM_WIRE_WOKEN:
          mm_remote_slot_clear_wake (connection->slot);
          if (mm_remote_slot_take_suspicion (connection->slot))
            mm_imap_connection_ask_for_proof (connection);
          take_jobs (connection);
          end_cancelled_jobs (connection);
          break;
        case MM_WIRE_ALARM:
          if (idle_us != G_MAXINT64 && mm_remote_slot_retire (connection->slot))
            return NULL;
          break;
        case MM_WIRE_FAILED:
          return error;
        }
      tell_change (connection);
    }
  return NULL;
}

/* ---- a connection's life ---- */

/* Another connection may fare better, if the job itself says that it can begin anew. After a timeout
 * little time is left to who waits for a job whose answer was due, so that it is tried once more only;
 * one that came when the server was silent already has its time. */
static MmRemoteRepeat
choose_repeat (const MmImapConnection *connection, const MmRemoteJob *job, const GError *error,
               MmRemoteRepeat repeat)
{
  if (g_error_matches (error, MM_ERROR, MM_ERROR_TIMEOUT))
    {
      gboolean is_late = job->taken_us > mm_imap_wire_get_last_activity_us (connection->wire);
      return repeat == MM_REMOTE_REPEAT && !is_late ? MM_REMOTE_REPEAT_ONCE : repeat;
    }
  return g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST)
                 || g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
                 || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT)
             ? repeat
             : MM_REMOTE_REPEAT_NOT;
}

static void
give_jobs_back (MmImapConnection *connection, const GError *error)
{
  g_autoptr (GError) cancelled = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled");

  /* Whose answer was to come next; NULL: nobody's. Only the address is of interest. */
  const MmImapFlight *next = mm_imap_flights_peek (&connection->flights);
  const MmRemoteJob *due = next != NULL ? next->job : NULL;

  mm_remote_slot_stop (connection->slot, error);
  g_ptr_array_extend (connection->jobs, connection->waiting, NULL, NULL);
  g_ptr_array_set_size (connection->waiting, 0);
  while (connection->jobs->len > 0)
    {
      MmRemoteJob *job = g_ptr_array_steal_index (connection->jobs, connection->jobs->len - 1);
      gboolean is_cancelled = error == NULL || mm_remote_job_is_cancelled (job);
      const GError *reason = is_cancelled ? cancelled : error;
      gboolean is_to_blame = due == NULL || due == job;
      MmRemoteRepeat repeat = mm_imap_job_class_of (job)->lost (job, is_to_blame, reason);

      /* Who was merely behind it is none the worse for that; the other one's patience ends. */
      if (!is_to_blame && repeat == MM_REMOTE_REPEAT)
        repeat = MM_REMOTE_REPEAT_FREELY;

      mm_remote_slot_return_job (connection->slot, job, reason,
                                 choose_repeat (connection, job, reason, repeat));
    }
}

static void
connection_free (MmImapConnection *connection)
{
  g_clear_pointer (&connection->wire, mm_imap_wire_free);
  mm_imap_account_facts_clear (&connection->facts);
  g_queue_clear_full (&connection->selections, (GDestroyNotify) mm_imap_selection_free);
  g_ptr_array_unref (connection->jobs);
  g_ptr_array_unref (connection->waiting);
  mm_imap_flights_clear (&connection->flights);
  mm_imap_fetch_buffer_free (connection->fetch_buffer);
  g_free (connection);
}

static gboolean
open_and_log_in (MmImapConnection *connection, GError **error)
{
  const MmRemoteConfig *config = &connection->remote->base.config;

  connection->wire
      = mm_imap_wire_open (&config->endpoint, connection->slot, config->answer_timeout_ms, error);
  if (connection->wire == NULL)
    return FALSE;
  connection->session = mm_imap_wire_get_session (connection->wire);
  return mm_imap_login (connection->remote, connection->wire, &connection->facts, error)
         && mm_imap_set_up_begin (&connection->set_up, connection->wire, &connection->flights,
                                  &connection->facts, config->compress, error);
}

GError *
mm_imap_connection_run (MmRemoteSlot *slot, gpointer driver_data)
{
  MmImapConnection *connection = g_new0 (MmImapConnection, 1);
  GError *error = NULL;

  connection->remote = driver_data;
  connection->slot = slot;
  connection->watch_alarm_us = G_MAXINT64;
  connection->jobs = g_ptr_array_new ();
  connection->waiting = g_ptr_array_new ();
  g_queue_init (&connection->selections);
  g_queue_push_tail (&connection->selections, mm_imap_selection_new (NULL, 0));
  mm_imap_account_facts_init (&connection->facts);
  mm_imap_flights_init (&connection->flights);
  connection->fetch_buffer = mm_imap_fetch_buffer_new (mm_remote_slot_get_limits (slot)->connection_octets);

  if (open_and_log_in (connection, &error))
    {
      mm_remote_slot_set_ready (slot);
      error = serve (connection);
      give_jobs_back (connection, error);
      if (error == NULL)
        mm_imap_wire_logout (connection->wire);
    }
  else
    {
      guint wait_ms = mm_imap_find_backoff_ms (error->message);
      if (wait_ms > 0)
        mm_remote_slot_hold (slot, wait_ms, error);
      if (connection->wire != NULL && g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED))
        mm_imap_wire_logout (connection->wire);
    }
  connection_free (connection);
  return error;
}
