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
  if (event->type == MM_IMAP_EVENT_CAPABILITY)
    login->has_capabilities = TRUE;
  if (event->code == MM_IMAP_CODE_ALERT && event->text != NULL)
    mm_log_warning ("%s says: %s", login->remote->config.endpoint.host, event->text);
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

static gboolean
may_send_clear_text (const Login *login)
{
  return mm_imap_wire_is_private (login->wire) || login->remote->config.endpoint.tls == MM_TLS_NONE;
}

static MmImapCommand *
make_sasl_command (Login *login, MmSecret *secret, GError **error)
{
  const MmRemoteConfig *config = &login->remote->config;
  MmSaslCredentials credentials = {
    .user = config->user,
    .password = config->secret_is_token ? NULL : secret,
    .token = config->secret_is_token ? secret : NULL,
    .service = "imap",
    .host = config->endpoint.host,
    .port = config->endpoint.port,
  };
  const gchar *mechanism = mm_sasl_choose (mm_imap_session_get_sasl_mechanisms (login->session),
                                           &credentials, may_send_clear_text (login));

  if (mechanism == NULL)
    return NULL;
  MmSasl *sasl = mm_sasl_new (mechanism, &credentials, error);
  return sasl != NULL ? mm_imap_command_authenticate (sasl) : NULL;
}

static void
set_no_way_error (Login *login, GError **error)
{
  const MmRemoteConfig *config = &login->remote->config;

  if (!may_send_clear_text (login))
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s would have to be sent the %s in clear text over an unencrypted line; use "
                 "imaps:// or STARTTLS",
                 config->endpoint.host, config->secret_is_token ? "token" : "password");
  else if (config->secret_is_token)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s offers no login by token (XOAUTH2 or OAUTHBEARER)", config->endpoint.host);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s offers no login by password that we know", config->endpoint.host);
}

/* The strongest SASL mechanism; LOGIN where there is none. NULL with @error: no way. */
static MmImapCommand *
make_login_command (Login *login, MmSecret *secret, GError **error)
{
  const MmRemoteConfig *config = &login->remote->config;
  g_autoptr (GError) local_error = NULL;
  MmImapCommand *command = make_sasl_command (login, secret, &local_error);
  gboolean is_login_disabled
      = (mm_imap_session_get_capabilities (login->session) & MM_IMAP_CAP_LOGINDISABLED) != 0;

  if (command != NULL)
    return command;
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (!config->secret_is_token && !is_login_disabled && may_send_clear_text (login))
    return mm_imap_command_login (config->user, secret);
  set_no_way_error (login, error);
  return NULL;
}

static GError *
refusal_error (Login *login, const MmImapEvent *answer)
{
  const MmRemoteConfig *config = &login->remote->config;
  const GError *sasl_error = mm_imap_session_get_sasl_error (login->session);
  g_autofree gchar *what
      = g_strdup_printf ("logging in as %s at %s", config->user, config->endpoint.host);

  if (sasl_error != NULL)
    return g_error_new (MM_ERROR, MM_ERROR_AUTHENTICATION, "%s: %s", what, sasl_error->message);
  return mm_imap_response_error (answer, what, MM_ERROR_AUTHENTICATION);
}

/* One attempt. TRUE with *out_refusal set: the server said no. */
static gboolean
try_secret (Login *login, MmSecret *secret, GError **out_refusal, GError **error)
{
  MmImapEvent answer;
  MmImapCommand *command = make_login_command (login, secret, error);

  if (command == NULL)
    return FALSE;
  login->has_capabilities = FALSE;
  if (!run (login, command, &answer, error))
    return FALSE;
  if (answer.status != MM_IMAP_STATUS_OK || mm_imap_session_get_sasl_error (login->session) != NULL)
    *out_refusal = refusal_error (login, &answer);
  return TRUE;
}

static gboolean
authenticate (Login *login, GError **error)
{
  guint generation = 0;

  /* A refused token may only have expired: once more with a fresh one. */
  for (guint attempt = 0;; attempt++)
    {
      guint refused = generation;
      g_autoptr (MmSecret) secret
          = mm_imap_remote_get_secret (login->remote, refused, &generation, error);
      g_autoptr (GError) refusal = NULL;

      if (secret == NULL || !try_secret (login, secret, &refusal, error))
        return FALSE;
      if (refusal == NULL)
        return TRUE;
      if (attempt == 0 && login->remote->config.secret_is_token
          && g_error_matches (refusal, MM_ERROR, MM_ERROR_AUTHENTICATION))
        continue;
      g_propagate_error (error, g_steal_pointer (&refusal));
      return FALSE;
    }
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
