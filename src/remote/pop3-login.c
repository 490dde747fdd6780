// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "pop3-login.h"
#include "pop3-response.h"

static void
expect (MmPop3Wire *wire)
{
  mm_remote_wire_expect_answer (wire->wire);
}

static gboolean
read_greeting (MmPop3Wire *wire, GError **error)
{
  MmPop3Event event;

  do
    if (!mm_pop3_wire_next (wire, &event, error))
      return FALSE;
  while (event.type != MM_POP3_EVENT_GREETING);
  if (event.is_ok)
    return TRUE;
  g_propagate_error (error, mm_pop3_response_error (&event, "connecting", MM_ERROR_UNAVAILABLE));
  return FALSE;
}

/* A server that does not know CAPA may still know all else. */
static gboolean
ask_capabilities (MmPop3Wire *wire, GError **error)
{
  MmPop3Event answer;

  expect (wire);
  return mm_pop3_wire_wait (wire, mm_pop3_session_submit (wire->session, MM_POP3_CAPA), &answer,
                            error);
}

/* ---- authentication ---- */

static MmSignInAttempt *
begin_attempt (MmPop3Remote *remote, MmPop3Wire *wire)
{
  MmPop3Session *session = wire->session;
  gboolean has_password_command
      = !mm_pop3_session_has_capabilities (session)
        || (mm_pop3_session_get_capabilities (session) & MM_POP3_CAP_USER) != 0;

  return mm_remote_wire_begin_sign_in (wire->wire, remote->base.sign_in,
                                       mm_pop3_session_get_sasl_mechanisms (session),
                                       has_password_command);
}

static void
note_refusal (MmPop3Wire *wire, MmSignInAttempt *attempt, const MmPop3Event *answer)
{
  const GError *sasl_error = mm_pop3_session_get_sasl_error (wire->session);
  const gchar *what = mm_sign_in_attempt_describe (attempt);
  gboolean is_about_mechanism = answer->code == MM_POP3_CODE_NONE && answer->command == MM_POP3_AUTH
                                && mm_sign_in_attempt_is_about_mechanism (attempt, answer->text);

  if (sasl_error != NULL && answer->command == MM_POP3_AUTH)
    mm_sign_in_attempt_refuse (
        attempt, MM_SIGN_IN_BROKEN_OFF,
        g_error_new (MM_ERROR, MM_ERROR_AUTHENTICATION, "%s: %s", what, sasl_error->message));
  else
    mm_sign_in_attempt_refuse (attempt,
                               is_about_mechanism                  ? MM_SIGN_IN_UNSUPPORTED
                               : answer->code == MM_POP3_CODE_AUTH ? MM_SIGN_IN_JUDGED
                                                                   : MM_SIGN_IN_REFUSED,
                               mm_pop3_response_error (answer, what, MM_ERROR_AUTHENTICATION));
}

/* *out_is_done: the server said yes; else what it said is told to @attempt. */
static gboolean
run_sasl (MmPop3Wire *wire, MmSignInAttempt *attempt, MmSasl *sasl, MmPop3Event *out_answer,
          GError **error)
{
  g_autoptr (GError) local_error = NULL;

  expect (wire);
  guint32 serial = mm_pop3_session_submit_auth (wire->session, mm_sasl_ref (sasl), &local_error);
  if (serial != 0)
    return mm_pop3_wire_wait (wire, serial, out_answer, error);
  g_prefix_error (&local_error, "%s: ", mm_sign_in_attempt_describe (attempt));
  mm_sign_in_attempt_refuse (attempt, MM_SIGN_IN_BROKEN_OFF, g_steal_pointer (&local_error));
  return TRUE;
}

static gboolean
run_password (MmPop3Remote *remote, MmPop3Wire *wire, MmSecret *password, MmPop3Event *out_answer,
              GError **error)
{
  expect (wire);
  guint32 serial = mm_pop3_session_submit_user (wire->session, remote->base.config.user, error);
  if (serial == 0 || !mm_pop3_wire_wait (wire, serial, out_answer, error))
    return FALSE;
  if (!out_answer->is_ok)
    return TRUE;
  expect (wire);
  serial = mm_pop3_session_submit_pass (wire->session, password, error);
  return serial != 0 && mm_pop3_wire_wait (wire, serial, out_answer, error);
}

static gboolean
authenticate (MmPop3Remote *remote, MmPop3Wire *wire, GError **error)
{
  g_autoptr (MmSignInAttempt) attempt = begin_attempt (remote, wire);
  MmSignInWay way;

  while (mm_sign_in_attempt_next (attempt, &way, error))
    {
      MmPop3Event answer = { 0 };

      if (way.sasl != NULL ? !run_sasl (wire, attempt, way.sasl, &answer, error)
                           : !run_password (remote, wire, way.password, &answer, error))
        return FALSE;
      if (answer.is_ok)
        return TRUE;
      /* An exchange that could not begin had no answer, and is refused already. */
      if (answer.type == MM_POP3_EVENT_DONE)
        note_refusal (wire, attempt, &answer);
    }
  return FALSE;
}

gboolean
mm_pop3_log_in (MmPop3Remote *remote, MmPop3Wire *wire, GError **error)
{
  if (!read_greeting (wire, error) || !ask_capabilities (wire, error)
      || !authenticate (remote, wire, error))
    return FALSE;
  remote->signed_in_us = mm_clock_monotonic_us ();
  return TRUE;
}
