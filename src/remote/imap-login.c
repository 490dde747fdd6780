// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>

#include "imap-login.h"
#include "imap-response.h"

typedef struct
{
  MmImapRemote *remote;
  MmImapWire *wire;
  MmImapSession *session;
  gboolean has_capabilities; /* told since the last change of state */
  gboolean is_preauth;
} Login;

static void
note_event (Login *login, const MmImapEvent *event)
{
  /* What a refusal says is told with the refusal. */
  gboolean is_refusal = event->type == MM_IMAP_EVENT_TAGGED && event->status != MM_IMAP_STATUS_OK;

  if (event->type == MM_IMAP_EVENT_CAPABILITY)
    login->has_capabilities = TRUE;
  if (event->code == MM_IMAP_CODE_ALERT && event->text != NULL && !is_refusal)
    mm_log_warning ("%s says: %s", login->remote->base.config.endpoint.host, event->text);
}

/* Goes on until the command @tag was answered; *out_answer's pointers are valid until the next call
 * on the session. */
static gboolean
wait_for_tag (Login *login, guint32 tag, MmImapEvent *out_answer, GError **error)
{
  while (mm_imap_wire_next (login->wire, out_answer, error))
    {
      note_event (login, out_answer);
      if (out_answer->type == MM_IMAP_EVENT_TAGGED && out_answer->tag == tag)
        return TRUE;
      if (out_answer->type == MM_IMAP_EVENT_UNTAGGED && out_answer->status == MM_IMAP_STATUS_BYE)
        {
          g_propagate_error (
              error, mm_imap_response_error (out_answer, "logging in", MM_ERROR_UNAVAILABLE));
          return FALSE;
        }
    }
  return FALSE;
}

/* Submits, waits, and drops the answer's words. */
static gboolean
run (Login *login, MmImapCommand *command, MmImapEvent *out_answer, GError **error)
{
  guint32 tag = mm_imap_wire_submit (login->wire, command, error);

  return tag != 0 && wait_for_tag (login, tag, out_answer, error);
}

static gboolean
read_greeting (Login *login, GError **error)
{
  MmImapEvent event;

  do
    if (!mm_imap_wire_next (login->wire, &event, error))
      return FALSE;
  while (event.type != MM_IMAP_EVENT_GREETING);

  note_event (login, &event);
  mm_imap_remote_set_quirks (login->remote, mm_imap_quirks_of_greeting (&event));
  login->is_preauth = event.status == MM_IMAP_STATUS_PREAUTH;
  /* Those of its [CAPABILITY] code have no event of their own. */
  login->has_capabilities = mm_imap_session_get_capabilities (login->session) != 0;
  if (event.status == MM_IMAP_STATUS_BYE)
    {
      g_propagate_error (error,
                         mm_imap_response_error (&event, "connecting", MM_ERROR_UNAVAILABLE));
      return FALSE;
    }
  return TRUE;
}

/* Asks unless the server told by itself, in the preamble or with the answer to the login. */
static gboolean
ask_capabilities (Login *login, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  MmImapEvent event;

  while (mm_imap_session_next (login->session, &event, &local_error))
    note_event (login, &event);
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  return login->has_capabilities || run (login, mm_imap_command_capability (), &event, error);
}

/* ---- authentication ---- */

/* RFC 5530 has no code for a refused mechanism. */
static MmSignInRefusal
judge (const MmSignInAttempt *attempt, const MmImapEvent *answer)
{
  gboolean is_coded = answer->code != MM_IMAP_CODE_NONE && answer->code != MM_IMAP_CODE_ALERT;

  if (answer->status == MM_IMAP_STATUS_NO && answer->code == MM_IMAP_CODE_AUTHENTICATIONFAILED)
    return MM_SIGN_IN_JUDGED;
  return answer->status == MM_IMAP_STATUS_BAD
                 || (!is_coded && mm_sign_in_attempt_is_about_mechanism (attempt, answer->text))
             ? MM_SIGN_IN_UNSUPPORTED
             : MM_SIGN_IN_REFUSED;
}

static void
note_refusal (Login *login, MmSignInAttempt *attempt, const MmImapEvent *answer)
{
  const GError *sasl_error = mm_imap_session_get_sasl_error (login->session);
  const gchar *what = mm_sign_in_attempt_describe (attempt);

  if (sasl_error != NULL)
    mm_sign_in_attempt_refuse (attempt, MM_SIGN_IN_BROKEN_OFF,
                               g_error_new (MM_ERROR, MM_ERROR_AUTHENTICATION, "%s: %s", what,
                                            sasl_error->message));
  else
    mm_sign_in_attempt_refuse (attempt, judge (attempt, answer),
                               mm_imap_response_error (answer, what, MM_ERROR_AUTHENTICATION));
}

/* What is refused is told to @attempt. */
static gboolean
try_way (Login *login, MmSignInAttempt *attempt, const MmSignInWay *way, gboolean *out_is_done,
         GError **error)
{
  g_autoptr (GError) local_error = NULL;
  MmImapEvent answer;
  MmImapCommand *command
      = way->sasl != NULL ? mm_imap_command_authenticate (mm_sasl_ref (way->sasl))
                          : mm_imap_command_login (login->remote->base.config.user, way->password);

  login->has_capabilities = FALSE;
  *out_is_done = FALSE;
  guint32 tag = mm_imap_wire_submit (login->wire, command, &local_error);
  if (tag == 0 && way->sasl != NULL
      && g_error_matches (local_error, MM_ERROR, MM_ERROR_AUTHENTICATION))
    {
      g_prefix_error (&local_error, "%s: ", mm_sign_in_attempt_describe (attempt));
      mm_sign_in_attempt_refuse (attempt, MM_SIGN_IN_BROKEN_OFF, g_steal_pointer (&local_error));
      return TRUE;
    }
  if (tag == 0)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (!wait_for_tag (login, tag, &answer, error))
    return FALSE;
  if (answer.status == MM_IMAP_STATUS_OK)
    *out_is_done = TRUE;
  else
    note_refusal (login, attempt, &answer);
  return TRUE;
}

static gboolean
authenticate (Login *login, GError **error)
{
  g_autoptr (MmSignInAttempt) attempt
      = mm_imap_wire_begin_sign_in (login->wire, login->remote->base.sign_in);
  gboolean is_done = FALSE;
  MmSignInWay way;

  while (!is_done)
    if (!mm_sign_in_attempt_next (attempt, &way, error)
        || !try_way (login, attempt, &way, &is_done, error))
      return FALSE;
  return TRUE;
}

/* ---- afterwards ---- */

/* Where the answer to the login did not tell them, those of the account's last login are as good:
 * the set-up asks, and nobody waits for it. */
static gboolean
learn_capabilities (Login *login, MmImapAccountFacts *facts, GError **error)
{
  MmImapRemote *remote = login->remote;
  MmImapCapabilities remembered = mm_imap_remote_get_capabilities (remote);

  facts->is_from_memory = !login->has_capabilities && remembered != 0;
  if (!facts->is_from_memory && !ask_capabilities (login, error))
    return FALSE;
  mm_imap_account_facts_set (facts, facts->is_from_memory
                                        ? remembered
                                        : mm_imap_session_get_capabilities (login->session));
  mm_imap_remote_set_capabilities (remote, facts->capabilities);
  return TRUE;
}

gboolean
mm_imap_login (MmImapRemote *remote, MmImapWire *wire, MmImapAccountFacts *facts, GError **error)
{
  Login login = {
    .remote = remote,
    .wire = wire,
    .session = mm_imap_wire_get_session (wire),
  };

  return read_greeting (&login, error) && ask_capabilities (&login, error)
         && (login.is_preauth || authenticate (&login, error))
         && learn_capabilities (&login, facts, error);
}
