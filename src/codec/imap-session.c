// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/imap-session.h>

#include "imap-encoder.h"
#include "imap-parser.h"
#include "sasl-exchange.h"

typedef struct
{
  guint32 tag;
  gboolean is_enable;
  gboolean is_idle;
  gboolean wants_done;   /* IDLE is to end as soon as it began */
  MmSasl *sasl;          /* nullable */
  gboolean has_answered; /* a SASL response was made */
  gboolean has_begun;    /* a part of it was sent */
} InProgress;

struct MmImapSession
{
  MmImapSessionFlags flags;
  MmLimits limits;
  MmImapParser *parser;
  gboolean is_greeted;
  gboolean is_utf8;
  gboolean is_qresync;
  GError *failure; /* the session is over */
  guint32 last_tag;
  GHashTable *in_progress; /* Map<guint32 tag, InProgress>, owned */
  guint n_enables;         /* of them ENABLE */
  guint64 answered_lines;  /* lines taken when the last command was answered */

  /* What is to be sent. @wait holds back all of @outputs, until something happens to the command
   * @wait_tag. */
  GQueue outputs; /* of MmImapOutput, owned */
  MmImapWait wait;
  guint32 wait_tag;
  gboolean is_idling; /* with MM_IMAP_WAIT_IDLE: the server is, until DONE */

  GError *sasl_error;
};

static void
in_progress_free (gpointer data)
{
  InProgress *command = data;

  mm_sasl_unref (command->sasl);
  g_free (command);
}

MmImapSession *
mm_imap_session_new (const MmLimits *limits, MmImapSessionFlags flags)
{
  MmImapSession *session = g_new0 (MmImapSession, 1);

  session->flags = flags;
  session->limits = limits != NULL ? *limits : mm_limits_default;
  session->parser = mm_imap_parser_new (&session->limits);
  session->in_progress = g_hash_table_new_full (NULL, NULL, NULL, in_progress_free);
  g_queue_init (&session->outputs);
  return session;
}

void
mm_imap_session_free (MmImapSession *session)
{
  if (session == NULL)
    return;
  mm_imap_parser_free (session->parser);
  g_hash_table_unref (session->in_progress);
  g_queue_clear_full (&session->outputs, (GDestroyNotify)mm_imap_output_free);
  g_clear_error (&session->failure);
  g_clear_error (&session->sasl_error);
  g_free (session);
}

void
mm_imap_session_feed (MmImapSession *session, const void *data, gsize length)
{
  if (session->failure == NULL)
    mm_imap_parser_feed (session->parser, data, length);
}

const guint8 *
mm_imap_session_steal_input (MmImapSession *session, gsize *out_length)
{
  return mm_imap_parser_steal_input (session->parser, out_length);
}

MmImapCapabilities
mm_imap_session_get_capabilities (const MmImapSession *session)
{
  return mm_imap_parser_get_capabilities (session->parser);
}

const gchar *const *
mm_imap_session_get_sasl_mechanisms (const MmImapSession *session)
{
  return mm_imap_parser_get_mechanisms (session->parser);
}

gboolean
mm_imap_session_is_utf8 (const MmImapSession *session)
{
  return session->is_utf8;
}

gboolean
mm_imap_session_is_qresync (const MmImapSession *session)
{
  return session->is_qresync;
}

guint
mm_imap_session_get_n_in_progress (const MmImapSession *session)
{
  return g_hash_table_size (session->in_progress);
}

gboolean
mm_imap_session_is_answer_due (const MmImapSession *session)
{
  return g_hash_table_size (session->in_progress) > (session->is_idling ? 1 : 0);
}

gboolean
mm_imap_session_is_in_response (const MmImapSession *session)
{
  return mm_imap_parser_is_in_response (session->parser);
}

const GError *
mm_imap_session_get_sasl_error (const MmImapSession *session)
{
  return session->sasl_error;
}

static InProgress *
lookup (MmImapSession *session, guint32 tag)
{
  return g_hash_table_lookup (session->in_progress, GUINT_TO_POINTER (tag));
}

static gboolean
refuse (GError **error, const gchar *what)
{
  g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "the server broke the protocol: %s", what);
  return FALSE;
}

/* Sending */

static gboolean
check_allowed (const MmImapSession *session, const MmImapCommand *command, GError **error)
{
  if ((session->flags & MM_IMAP_SESSION_READ_ONLY) && !mm_imap_command_is_harmless (command))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_READ_ONLY, "the session is read-only: %s is not sent",
                   command->name);
      return FALSE;
    }
  /* RFC 9051 7.2.2: a client must not. */
  if (strcmp (command->name, "LOGIN") == 0
      && (mm_imap_session_get_capabilities (session) & MM_IMAP_CAP_LOGINDISABLED))
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_UNSUPPORTED,
                           "the server does not allow LOGIN here");
      return FALSE;
    }
  return TRUE;
}

/* RFC 4959: the response to an empty challenge goes out with the command. */
static gboolean
make_initial_response (MmImapSession *session, const MmImapCommand *command, gchar **out_response,
                       GError **error)
{
  *out_response = NULL;
  if (command->sasl == NULL || !(mm_imap_session_get_capabilities (session) & MM_IMAP_CAP_SASL_IR)
      || !mm_sasl_has_initial_response (command->sasl))
    return TRUE;
  *out_response = mm_sasl_initial_line (command->sasl, error);
  return *out_response != NULL;
}

/* IDLE */

/* In front of everything that waits for the end of IDLE. The commands behind it need not wait for its
 * answer: from DONE on the server reads commands again (RFC 2177 3). */
static void
send_done (MmImapSession *session)
{
  MmImapOutput *output = mm_imap_output_new (session->wait_tag);

  mm_imap_output_append (output, "DONE\r\n", 6);
  g_queue_push_head (&session->outputs, output);
  session->is_idling = FALSE;
  session->wait = MM_IMAP_WAIT_NONE;
}

static void
begin_idling (MmImapSession *session)
{
  InProgress *command = lookup (session, session->wait_tag);

  session->is_idling = TRUE;
  if (command->wants_done || !g_queue_is_empty (&session->outputs))
    send_done (session);
}

void
mm_imap_session_end_idle (MmImapSession *session)
{
  GHashTableIter iter;
  gpointer value;

  if (session->is_idling)
    {
      send_done (session);
      return;
    }
  g_hash_table_iter_init (&iter, session->in_progress);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    ((InProgress *)value)->wants_done = ((InProgress *)value)->is_idle;
}

guint32
mm_imap_session_submit (MmImapSession *session, MmImapCommand *command, GError **error)
{
  g_autoptr (MmImapCommand) owned G_GNUC_UNUSED = command;
  MmImapCapabilities capabilities = mm_imap_session_get_capabilities (session);
  MmImapEncoding encoding = {
    .literal_plus = (capabilities & MM_IMAP_CAP_LITERAL_PLUS) != 0,
    .literal_minus = (capabilities & MM_IMAP_CAP_LITERAL_MINUS) != 0,
    .utf8 = session->is_utf8,
  };
  gchar *initial_response;
  gboolean is_encoded;
  InProgress *in_progress;

  if (!check_allowed (session, command, error)
      || !make_initial_response (session, command, &initial_response, error))
    return 0;
  is_encoded = mm_imap_encode (command, session->last_tag + 1, &encoding, initial_response,
                               &session->outputs, error);
  in_progress = g_new0 (InProgress, 1);
  in_progress->has_answered = initial_response != NULL;
  mm_sasl_free_line (initial_response);
  if (!is_encoded)
    {
      g_free (in_progress);
      return 0;
    }
  in_progress->tag = ++session->last_tag;
  in_progress->is_enable = strcmp (command->name, "ENABLE") == 0;
  in_progress->is_idle = mm_imap_command_is_idle (command);
  in_progress->sasl = g_steal_pointer (&command->sasl);
  if (in_progress->is_enable)
    session->n_enables++;
  if (in_progress->sasl != NULL)
    g_clear_error (&session->sasl_error);
  g_hash_table_insert (session->in_progress, GUINT_TO_POINTER (in_progress->tag), in_progress);
  if (session->is_idling)
    send_done (session);
  return in_progress->tag;
}

/* The outputs that may go now, as one array of exactly their size: it never grows, so no copy of
 * a password stays behind. */
GByteArray *
mm_imap_session_take_output (MmImapSession *session)
{
  GByteArray *octets;
  gsize length = 0;
  guint n_outputs = 0;

  if (session->wait != MM_IMAP_WAIT_NONE)
    return NULL;
  for (GList *link = session->outputs.head; link != NULL; link = link->next)
    {
      const MmImapOutput *output = link->data;

      length += output->length;
      n_outputs++;
      if (output->wait != MM_IMAP_WAIT_NONE)
        break;
    }
  if (n_outputs == 0)
    return NULL;
  octets = g_byte_array_sized_new ((guint)length);
  for (; n_outputs > 0; n_outputs--)
    {
      g_autoptr (MmImapOutput) output = g_queue_pop_head (&session->outputs);

      g_byte_array_append (octets, output->octets, (guint)output->length);
      lookup (session, output->tag)->has_begun = TRUE;
      session->wait = output->wait;
      session->wait_tag = output->tag;
    }
  return octets;
}

/* SASL */

/* Puts a line of an exchange in front of everything that waits for its end. */
static void
send_line (MmImapSession *session, const InProgress *command, const gchar *text)
{
  MmImapOutput *output = mm_imap_output_new (command->tag);

  mm_imap_output_append (output, text, strlen (text));
  mm_imap_output_append (output, "\r\n", 2);
  output->wait = MM_IMAP_WAIT_SASL;
  g_queue_push_head (&session->outputs, output);
  session->wait = MM_IMAP_WAIT_NONE;
}

static gboolean
take_challenge (MmImapSession *session, const gchar *text, GError **error)
{
  InProgress *command = lookup (session, session->wait_tag);
  gchar *answer;

  if (session->sasl_error != NULL)
    return refuse (error, "a challenge after the exchange was cancelled");
  answer = mm_sasl_answer_line (command->sasl, text, !command->has_answered,
                                     &session->sasl_error);
  command->has_answered = TRUE;
  send_line (session, command, answer != NULL ? answer : "*"); /* RFC 9051 6.2.2: cancels */
  mm_sasl_free_line (answer);
  return TRUE;
}

/* A server that agrees before it proved to know the password is none to talk to. */
static void
finish_sasl (MmImapSession *session, InProgress *command, MmImapEvent *event)
{
  if (event->status != MM_IMAP_STATUS_OK)
    return;
  if (session->sasl_error == NULL && mm_sasl_may_succeed (command->sasl))
    return;
  event->status = MM_IMAP_STATUS_NO;
  if (session->sasl_error == NULL)
    g_set_error_literal (&session->sasl_error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                         "the server ended the login without proving that it knows the password");
}

/* Receiving */

static gboolean
take_continuation (MmImapSession *session, const MmImapEvent *event, GError **error)
{
  switch (session->wait)
    {
    case MM_IMAP_WAIT_LITERAL:
      session->wait = MM_IMAP_WAIT_NONE;
      return TRUE;
    case MM_IMAP_WAIT_SASL:
      return take_challenge (session, event->text, error);
    case MM_IMAP_WAIT_IDLE:
      if (session->is_idling)
        break;
      begin_idling (session);
      return TRUE;
    case MM_IMAP_WAIT_NONE:
    case MM_IMAP_WAIT_ANSWER:
      break;
    }
  return refuse (error, "a continuation request that nothing waits for");
}

static gboolean
has_output (const MmImapSession *session, guint32 tag)
{
  for (GList *link = session->outputs.head; link != NULL; link = link->next)
    if (((const MmImapOutput *)link->data)->tag == tag)
      return TRUE;
  return FALSE;
}

/* A command may be refused before it is sent whole: at its literal, or while a SASL response is
 * ready here; and a server may end IDLE before DONE. What is left of it, then in front of all others,
 * is dropped. */
static gboolean
drop_rest (MmImapSession *session, const InProgress *command, MmImapStatus status, GError **error)
{
  if (session->wait_tag == command->tag)
    {
      session->wait = MM_IMAP_WAIT_NONE;
      session->is_idling = FALSE;
    }
  if (!has_output (session, command->tag))
    return TRUE;
  if (!command->has_begun || (status == MM_IMAP_STATUS_OK && !command->is_idle))
    return refuse (error, "the answer to a command that was not sent yet");
  while (!g_queue_is_empty (&session->outputs)
         && ((MmImapOutput *)g_queue_peek_head (&session->outputs))->tag == command->tag)
    mm_imap_output_free (g_queue_pop_head (&session->outputs));
  return TRUE;
}

static gboolean
take_tagged (MmImapSession *session, MmImapEvent *event, GError **error)
{
  InProgress *command = lookup (session, event->tag);

  if (command == NULL)
    return refuse (error, "the answer to a command that is not in progress");
  if (!drop_rest (session, command, event->status, error))
    return FALSE;
  if (command->sasl != NULL)
    finish_sasl (session, command, event);
  if (command->is_enable)
    session->n_enables--;
  g_hash_table_remove (session->in_progress, GUINT_TO_POINTER (event->tag));
  session->answered_lines = mm_imap_parser_get_n_lines (session->parser);
  return TRUE;
}

static void
take_enabled (MmImapSession *session, const MmImapEvent *event)
{
  g_auto (GStrv) names = NULL;

  /* Nothing is enabled that was not asked for (RFC 5161 3.2). */
  if (session->n_enables == 0)
    return;
  names = g_strsplit (event->text, " ", -1);
  for (gchar **name = names; *name != NULL; name++)
    if (g_ascii_strcasecmp (*name, "UTF8=ACCEPT") == 0)
      session->is_utf8 = TRUE;
    else if (g_ascii_strcasecmp (*name, "QRESYNC") == 0)
      session->is_qresync = TRUE;
}

/* The first response is the greeting; its [CAPABILITY] code comes ahead of it. */
static gboolean
take_greeting (MmImapSession *session, MmImapEvent *event, GError **error)
{
  if ((gint)event->type == MM_IMAP_EVENT_CODE_CAPABILITY)
    return TRUE;
  if (event->type != MM_IMAP_EVENT_UNTAGGED
      || (event->status != MM_IMAP_STATUS_OK && event->status != MM_IMAP_STATUS_PREAUTH
          && event->status != MM_IMAP_STATUS_BYE))
    return refuse (error, "something before the greeting");
  event->type = MM_IMAP_EVENT_GREETING;
  session->is_greeted = TRUE;
  return TRUE;
}

static gboolean
check_untagged_lines (MmImapSession *session, GError **error)
{
  guint64 lines = mm_imap_parser_get_n_lines (session->parser) - session->answered_lines;
  gboolean is_asked = g_hash_table_size (session->in_progress) > 0;
  guint64 limit = is_asked ? session->limits.untagged_per_command
                           : session->limits.untagged_without_command;

  if (lines <= limit)
    return TRUE;
  g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
               "the server sent more than %" G_GUINT64_FORMAT " untagged lines %s", limit,
               is_asked ? "before an answer" : "to no command");
  return FALSE;
}

/* FALSE with @error: the protocol is broken. *out_is_for_caller: the event is one of the
 * interface. */
static gboolean
take_event (MmImapSession *session, MmImapEvent *event, gboolean *out_is_for_caller, GError **error)
{
  *out_is_for_caller = TRUE;
  if (!session->is_greeted)
    {
      *out_is_for_caller = (gint)event->type != MM_IMAP_EVENT_CODE_CAPABILITY;
      return take_greeting (session, event, error);
    }
  switch ((gint)event->type)
    {
    case MM_IMAP_EVENT_CONTINUATION:
      event->type = MM_IMAP_EVENT_IDLING;
      *out_is_for_caller = session->wait == MM_IMAP_WAIT_IDLE;
      return take_continuation (session, event, error);
    case MM_IMAP_EVENT_CODE_CAPABILITY:
      event->type = MM_IMAP_EVENT_CAPABILITY;
      return TRUE;
    case MM_IMAP_EVENT_TAGGED:
      return take_tagged (session, event, error);
    case MM_IMAP_EVENT_ENABLED:
      take_enabled (session, event);
      return TRUE;
    case MM_IMAP_EVENT_UNTAGGED:
      if (event->status == MM_IMAP_STATUS_PREAUTH)
        return refuse (error, "a second greeting");
      return TRUE;
    default:
      return TRUE;
    }
}

gboolean
mm_imap_session_next (MmImapSession *session, MmImapEvent *out_event, GError **error)
{
  gboolean is_for_caller = FALSE;

  while (session->failure == NULL)
    {
      gboolean has_event = mm_imap_parser_next (session->parser, out_event, &session->failure);

      if (session->failure != NULL || !check_untagged_lines (session, &session->failure))
        break;
      if (!has_event)
        return FALSE;
      if (!take_event (session, out_event, &is_for_caller, &session->failure))
        break;
      if (is_for_caller)
        return TRUE;
    }
  if (error != NULL)
    *error = g_error_copy (session->failure);
  return FALSE;
}
