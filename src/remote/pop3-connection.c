// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>
#include <mailmount/imap-backoff.h>
#include <mailmount/log.h>

#include "pop3-connection.h"
#include "pop3-login.h"
#include "pop3-response.h"

/* An unused session keeps others from the maildrop no longer than this, nor than half of the time until
 * the next one is begun to see what is new. */
#define IDLE_MS 30000
/* A session that began so recently shows what is new: a list and the synchronisation that follows it
 * come one after the other. */
#define FRESH_US (2 * G_USEC_PER_SEC)
/* Commands and octets on their way at once: a demand waits behind no more. */
#define COMMANDS_MAX   64
#define DUE_OCTETS_MAX (1024 * 1024)
/* An answer that nobody wants any more may take this long before the connection is dropped. */
#define VOID_ANSWERS_US (2 * G_USEC_PER_SEC)
/* A server that may be gone has this long for a sign of life. */
#define PROOF_US (5 * G_USEC_PER_SEC)

typedef struct
{
  guint32 serial;
  MmRemoteJob *job; /* borrowed; NULL: the connection's own, or its job is gone */
  guint context;
  guint64 due_octets;
  gint64 void_since_us; /* > 0: its job is gone */
} Flight;

struct MmPop3Connection
{
  MmPop3Remote *remote;
  MmRemoteSlot *slot;
  MmPop3Wire *wire;  /* nullable: between two sessions */
  GPtrArray *jobs;   /* of MmRemoteJob, in the order they came; the pool's references */
  GArray *flights;   /* of Flight, in the order of answering */
  guint64 due_octets;
  gint64 begun_us;      /* when the session was, monotonic … */
  gint64 listed_us;     /* … and when it was ready */
  gint64 proof_due_us;  /* > 0: an octet must come until then … */
  gint64 unproved_us;   /* … that is younger than this */
  gboolean wants_renewal;
};

static const MmPop3JobClass *
class_of (const MmRemoteJob *job)
{
  return (const MmPop3JobClass *) job->klass;
}

MmPop3Remote *
mm_pop3_connection_get_remote (MmPop3Connection *connection)
{
  return connection->remote;
}

/* ---- sessions ---- */

static gint64
get_delay_end_us (const MmPop3Remote *remote)
{
  return remote->login_delay_seconds == 0
             ? 0
             : remote->signed_in_us + (gint64) remote->login_delay_seconds * G_USEC_PER_SEC;
}

gboolean
mm_pop3_connection_is_fresh (MmPop3Connection *connection, const MmRemoteJob *job)
{
  gint64 now_us = mm_clock_monotonic_us ();

  if (connection->begun_us >= job->taken_us || now_us < connection->listed_us + FRESH_US
      || now_us < get_delay_end_us (connection->remote))
    return TRUE;
  connection->wants_renewal = TRUE;
  return FALSE;
}

void
mm_pop3_connection_renew (MmPop3Connection *connection)
{
  connection->wants_renewal = TRUE;
}

static void
close_session (MmPop3Connection *connection, gboolean says_goodbye)
{
  if (connection->wire != NULL && says_goodbye)
    mm_pop3_wire_quit (connection->wire);
  g_clear_pointer (&connection->wire, mm_pop3_wire_free);
}

/* A server that wants to be left alone between two logins would only refuse. */
static gboolean
check_login_delay (MmPop3Connection *connection, GError **error)
{
  gint64 left_us = get_delay_end_us (connection->remote) - mm_clock_monotonic_us ();

  if (left_us <= 0)
    return TRUE;
  g_autoptr (GError) wait
      = g_error_new (MM_ERROR, MM_ERROR_UNAVAILABLE,
                     "the server wants %u seconds between two logins",
                     connection->remote->login_delay_seconds);
  mm_remote_slot_hold (connection->slot, (guint) (left_us / 1000) + 1, wait);
  g_propagate_error (error, g_steal_pointer (&wait));
  return FALSE;
}

static gboolean
open_session (MmPop3Connection *connection, GError **error)
{
  const MmRemoteConfig *config = &connection->remote->base.config;

  connection->wants_renewal = FALSE;
  connection->begun_us = mm_clock_monotonic_us ();
  connection->proof_due_us = 0;
  if (!check_login_delay (connection, error))
    return FALSE;
  connection->wire
      = mm_pop3_wire_open (&config->endpoint, connection->slot, config->answer_timeout_ms, error);
  if (connection->wire == NULL || !mm_pop3_log_in (connection->remote, connection->wire, error)
      || !mm_pop3_list_maildrop (connection->remote, connection->wire, error))
    return FALSE;
  connection->listed_us = mm_clock_monotonic_us ();
  return TRUE;
}

/* ---- commands ---- */

static void
add_flight (MmPop3Connection *connection, MmRemoteJob *job, guint context, guint32 serial,
            guint64 due_octets)
{
  Flight flight = { .serial = serial, .job = job, .context = context, .due_octets = due_octets };

  g_array_append_val (connection->flights, flight);
  connection->due_octets += due_octets;
}

void
mm_pop3_connection_send_top (MmPop3Connection *connection, MmRemoteJob *job, guint context,
                             guint32 number, guint32 lines, guint64 due_octets)
{
  mm_remote_wire_expect_answer (connection->wire->wire);
  add_flight (connection, job, context,
              mm_pop3_session_submit_top (connection->wire->session, number, lines), due_octets);
}

void
mm_pop3_connection_send_retr (MmPop3Connection *connection, MmRemoteJob *job, guint context,
                              guint32 number, guint64 due_octets)
{
  mm_remote_wire_expect_answer (connection->wire->wire);
  add_flight (connection, job, context,
              mm_pop3_session_submit_retr (connection->wire->session, number), due_octets);
}

static void
forget_flights (MmPop3Connection *connection, const MmRemoteJob *job)
{
  for (guint i = 0; i < connection->flights->len; i++)
    {
      Flight *flight = &g_array_index (connection->flights, Flight, i);

      if (flight->job != job)
        continue;
      flight->job = NULL;
      flight->void_since_us = mm_clock_monotonic_us ();
    }
}

static gboolean
has_room (const MmPop3Connection *connection)
{
  return connection->flights->len == 0
         || (connection->flights->len < COMMANDS_MAX && connection->due_octets < DUE_OCTETS_MAX);
}

/* One command of a job with @priority; the next one is another job's, so that nobody waits for the end of
 * a long listing. FALSE: none has any now. */
static gboolean
advance_one (MmPop3Connection *connection, MmRemotePriority priority)
{
  for (guint i = 0; i < connection->jobs->len && !connection->wants_renewal;)
    {
      MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);

      if (mm_remote_job_get_priority (job) != priority)
        {
          i++;
          continue;
        }
      switch (class_of (job)->advance (job, connection))
        {
        case MM_POP3_ADVANCE_SENT:
          g_ptr_array_add (connection->jobs, g_ptr_array_steal_index (connection->jobs, i));
          return TRUE;
        case MM_POP3_ADVANCE_WAIT:
          i++;
          break;
        case MM_POP3_ADVANCE_ENDED:
          break;
        }
    }
  return FALSE;
}

static void
fill_pipeline (MmPop3Connection *connection)
{
  while (has_room (connection)
         && (advance_one (connection, MM_REMOTE_PRIORITY_DEMAND)
             || advance_one (connection, MM_REMOTE_PRIORITY_READ_AHEAD)
             || advance_one (connection, MM_REMOTE_PRIORITY_WATCH)))
    ;
}

/* ---- jobs ---- */

void
mm_pop3_connection_end_job (MmPop3Connection *connection, MmRemoteJob *job, const GError *error)
{
  forget_flights (connection, job);
  g_ptr_array_remove (connection->jobs, job);
  if (error != NULL && mm_pop3_response_asks_to_wait (error))
    mm_remote_slot_postpone_job (connection->slot, job, error,
                                 mm_imap_find_backoff_ms (error->message),
                                 class_of (job)->lost (job, FALSE, error));
  else
    mm_remote_slot_finish_job (connection->slot, job, error);
}

MmPop3Advance
mm_pop3_connection_fail_job (MmPop3Connection *connection, MmRemoteJob *job, GError *error)
{
  mm_pop3_connection_end_job (connection, job, error);
  g_error_free (error);
  return MM_POP3_ADVANCE_ENDED;
}

static void
take_jobs (MmPop3Connection *connection)
{
  MmRemoteJob *job;

  while ((job = mm_remote_slot_take_job (connection->slot)) != NULL)
    {
      job->taken_us = mm_clock_monotonic_us ();
      g_ptr_array_add (connection->jobs, job);
    }
}

static void
end_cancelled_jobs (MmPop3Connection *connection)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled");

  for (guint i = connection->jobs->len; i-- > 0;)
    {
      MmRemoteJob *job = g_ptr_array_index (connection->jobs, i);

      if (mm_remote_job_is_cancelled (job))
        mm_pop3_connection_end_job (connection, job, error);
    }
}

/* ---- events ---- */

static void
handle_event (MmPop3Connection *connection, const MmPop3Event *event)
{
  Flight flight = g_array_index (connection->flights, Flight, 0);

  g_assert (flight.serial == event->serial);
  if (event->type == MM_POP3_EVENT_DONE)
    {
      g_array_remove_index (connection->flights, 0);
      connection->due_octets -= flight.due_octets;
    }
  if (flight.job != NULL)
    class_of (flight.job)->event (flight.job, connection, flight.context, event);
}

static gint64
get_void_deadline_us (const MmPop3Connection *connection)
{
  const Flight *next = connection->flights->len > 0
                           ? &g_array_index (connection->flights, Flight, 0)
                           : NULL;

  return next != NULL && next->void_since_us > 0 ? next->void_since_us + VOID_ANSWERS_US
                                                 : G_MAXINT64;
}

static gint64
get_idle_deadline_us (const MmPop3Connection *connection)
{
  const MmRemoteConfig *config = &connection->remote->base.config;
  guint idle_ms = config->idle_close_ms > 0 ? MIN (IDLE_MS, config->idle_close_ms) : IDLE_MS;

  if (connection->jobs->len > 0 || connection->flights->len > 0)
    return G_MAXINT64;
  if (config->refresh_ms > 0)
    idle_ms = MIN (idle_ms, config->refresh_ms / 2);
  /* Before the server lets us in again there is no use in going. */
  return MAX (mm_remote_wire_get_last_activity_us (connection->wire->wire) + (gint64) idle_ms * 1000,
              get_delay_end_us (connection->remote));
}

/* The network is another one, or the machine slept. */
static void
ask_for_proof (MmPop3Connection *connection)
{
  if (connection->proof_due_us != 0)
    return;
  if (connection->flights->len == 0)
    {
      mm_remote_wire_expect_answer (connection->wire->wire);
      add_flight (connection, NULL, 0,
                  mm_pop3_session_submit (connection->wire->session, MM_POP3_NOOP), 0);
    }
  connection->unproved_us = mm_remote_wire_get_last_activity_us (connection->wire->wire);
  connection->proof_due_us = mm_clock_monotonic_us () + PROOF_US;
}

static gint64
get_proof_deadline_us (MmPop3Connection *connection)
{
  if (connection->proof_due_us != 0
      && mm_remote_wire_get_last_activity_us (connection->wire->wire) != connection->unproved_us)
    connection->proof_due_us = 0;
  return connection->proof_due_us != 0 ? connection->proof_due_us : G_MAXINT64;
}

/* ---- the loop ---- */

/* Nothing is to do: the maildrop is given free before anybody may open another session. FALSE with
 * @error: somebody came meanwhile, and no session can be had. *out_ended: nobody came. */
static gboolean
retire (MmPop3Connection *connection, gboolean *out_ended, GError **error)
{
  close_session (connection, TRUE);
  *out_ended = mm_remote_slot_retire (connection->slot);
  return *out_ended || open_session (connection, error);
}

static GError *
new_lost_error (const gchar *why)
{
  return g_error_new_literal (MM_ERROR, MM_ERROR_CONNECTION_LOST, why);
}

/* One step. FALSE: the connection is at its end, with *error or in peace. */
static gboolean
serve_once (MmPop3Connection *connection, GError **error)
{
  MmPop3Event event;
  gboolean is_ended = FALSE;

  fill_pipeline (connection);
  if (connection->wants_renewal && connection->flights->len == 0)
    {
      close_session (connection, TRUE);
      return open_session (connection, error);
    }
  gint64 void_us = get_void_deadline_us (connection);
  gint64 idle_us = get_idle_deadline_us (connection);
  gint64 proof_us = get_proof_deadline_us (connection);
  gint64 now_us = mm_clock_monotonic_us ();
  if (now_us >= MIN (void_us, proof_us))
    {
      g_propagate_error (error, new_lost_error (now_us >= proof_us
                                                    ? "the server gives no sign of life"
                                                    : "dropped with an answer on its way that "
                                                      "nobody wants"));
      return FALSE;
    }
  switch (mm_remote_wire_step (connection->wire->wire, MIN (MIN (void_us, idle_us), proof_us),
                               &event, error))
    {
    case MM_WIRE_EVENT:
      if (event.type == MM_POP3_EVENT_FAREWELL)
        {
          g_propagate_error (error, mm_pop3_response_error (&event, "the session was ended",
                                                            MM_ERROR_CONNECTION_LOST));
          return FALSE;
        }
      handle_event (connection, &event);
      return TRUE;
    case MM_WIRE_WOKEN:
      mm_remote_slot_clear_wake (connection->slot);
      if (mm_remote_slot_take_suspicion (connection->slot))
        ask_for_proof (connection);
      take_jobs (connection);
      end_cancelled_jobs (connection);
      return TRUE;
    case MM_WIRE_ALARM:
      if (mm_clock_monotonic_us () < idle_us)
        return TRUE;
      return retire (connection, &is_ended, error) && !is_ended;
    case MM_WIRE_FAILED:
      return FALSE;
    }
  return FALSE;
}

static gboolean
is_worth_repeating (const MmRemoteJob *job, const GError *error, gint64 last_activity_us)
{
  if (g_error_matches (error, MM_ERROR, MM_ERROR_TIMEOUT))
    return job->taken_us > last_activity_us;
  return g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST)
         || g_error_matches (error, MM_ERROR, MM_ERROR_PROTOCOL)
         || g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT);
}

static void
give_jobs_back (MmPop3Connection *connection, const GError *error, gint64 last_activity_us)
{
  g_autoptr (GError) cancelled = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled");
  const MmRemoteJob *due = connection->flights->len > 0
                               ? g_array_index (connection->flights, Flight, 0).job
                               : NULL;

  mm_remote_slot_stop (connection->slot, error);
  while (connection->jobs->len > 0)
    {
      MmRemoteJob *job = g_ptr_array_steal_index (connection->jobs, connection->jobs->len - 1);
      gboolean is_cancelled = error == NULL || mm_remote_job_is_cancelled (job);
      const GError *reason = is_cancelled ? cancelled : error;
      gboolean is_to_blame = due == job;
      MmRemoteRepeat repeat = class_of (job)->lost (job, is_to_blame, reason);

      if (!is_cancelled && mm_pop3_response_asks_to_wait (reason))
        {
          mm_remote_slot_postpone_job (connection->slot, job, reason,
                                       mm_imap_find_backoff_ms (reason->message), repeat);
          continue;
        }
      /* Who was merely behind it is none the worse for that. */
      if (!is_to_blame && due != NULL && repeat == MM_REMOTE_REPEAT)
        repeat = MM_REMOTE_REPEAT_FREELY;
      mm_remote_slot_return_job (connection->slot, job, reason,
                                 is_worth_repeating (job, reason, last_activity_us)
                                     ? repeat
                                     : MM_REMOTE_REPEAT_NOT);
    }
}

static void
connection_free (MmPop3Connection *connection)
{
  g_clear_pointer (&connection->wire, mm_pop3_wire_free);
  g_ptr_array_unref (connection->jobs);
  g_array_unref (connection->flights);
  g_free (connection);
}

GError *
mm_pop3_connection_run (MmRemoteSlot *slot, gpointer remote)
{
  MmPop3Connection *connection = g_new0 (MmPop3Connection, 1);
  GError *error = NULL;

  connection->remote = remote;
  connection->slot = slot;
  connection->jobs = g_ptr_array_new ();
  connection->flights = g_array_new (FALSE, FALSE, sizeof (Flight));
  if (open_session (connection, &error))
    {
      mm_remote_slot_set_ready (slot);
      while (!mm_remote_slot_must_quit (slot) && serve_once (connection, &error))
        ;
      /* Before others may open a session: this one has the maildrop. */
      gint64 last_activity_us
          = connection->wire != NULL
                ? mm_remote_wire_get_last_activity_us (connection->wire->wire)
                : connection->begun_us;
      close_session (connection, error == NULL);
      give_jobs_back (connection, error, last_activity_us);
    }
  else
    {
      guint wait_ms = mm_imap_find_backoff_ms (error->message);
      if (wait_ms > 0)
        mm_remote_slot_hold (slot, wait_ms, error);
      close_session (connection, g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED));
    }
  connection_free (connection);
  return error;
}
