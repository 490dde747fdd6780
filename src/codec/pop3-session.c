// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/pop3-session.h>

#include "pop3-body.h"
#include "pop3-capability.h"
#include "sasl-exchange.h"

/* RFC 5034 4: a longer line may not hold the initial response. */
#define AUTH_LINE_OCTETS_MAX 255

const MmPop3Limits mm_pop3_limits_default = {
  .line_octets = 64 * 1024, /* a challenge of a SASL mechanism may be long */
  .entries = 10 * 1000 * 1000,
  .capabilities = 200,
  .unique_id_octets = 255,
  .message_octets = G_GUINT64_CONSTANT (4) * 1024 * 1024 * 1024,
};

typedef struct
{
  MmPop3Command command;
  guint32 serial;
  GByteArray *line; /* nullable, owned: not sent yet; with its end */
  MmSasl *sasl;     /* nullable, owned */
  gchar *held_line; /* nullable: the response that did not fit into the command */
  gboolean has_answered;
} Command;

struct MmPop3Session
{
  MmPop3Limits limits;
  const guint8 *input; /* borrowed until next() says FALSE */
  gsize input_length;
  GByteArray *line;    /* the line being received; NUL-terminated when it is complete */
  gboolean is_greeted;
  gboolean is_in_answer; /* behind the "+OK" of a multi-line answer */
  MmPop3BodyState body;
  guint64 body_octets;
  guint32 n_lines; /* of the answer, so far */

  GQueue commands; /* of Command, in the order of answering; those behind the sent ones wait */
  guint n_sent;    /* of them */
  guint32 last_serial;
  GByteArray *output; /* nullable */
  GByteArray *text;   /* the line that the last event points into */
  gchar *unique_id;   /* nullable: of the last event that had one */

  MmPop3CapabilityList capabilities, telling; /* as told; being told */
  gboolean has_capabilities;
  GError *sasl_error; /* nullable */
  GError *failure;    /* nullable: the session is at its end */
};

/* ---- lifetime ---- */

static void
free_line (GByteArray *line)
{
  if (line == NULL)
    return;
  mm_secret_wipe (line->data, line->len);
  g_byte_array_unref (line);
}

static void
free_command (gpointer data)
{
  Command *command = data;

  free_line (command->line);
  g_clear_pointer (&command->sasl, mm_sasl_unref);
  mm_sasl_free_line (command->held_line);
  g_free (command);
}

MmPop3Session *
mm_pop3_session_new (const MmPop3Limits *limits)
{
  MmPop3Session *session = g_new0 (MmPop3Session, 1);

  session->limits = limits != NULL ? *limits : mm_pop3_limits_default;
  session->line = g_byte_array_new ();
  session->text = g_byte_array_new ();
  g_queue_init (&session->commands);
  return session;
}

void
mm_pop3_session_free (MmPop3Session *session)
{
  g_queue_clear_full (&session->commands, free_command);
  free_line (session->output);
  g_byte_array_unref (session->line);
  g_byte_array_unref (session->text);
  g_free (session->unique_id);
  mm_pop3_capability_list_clear (&session->capabilities);
  mm_pop3_capability_list_clear (&session->telling);
  g_clear_error (&session->sasl_error);
  g_clear_error (&session->failure);
  g_free (session);
}

MmPop3Capabilities
mm_pop3_session_get_capabilities (const MmPop3Session *session)
{
  return session->capabilities.flags;
}

gboolean
mm_pop3_session_has_capabilities (const MmPop3Session *session)
{
  return session->has_capabilities;
}

const gchar *const *
mm_pop3_session_get_sasl_mechanisms (const MmPop3Session *session)
{
  static const gchar *const none[] = { NULL };

  return session->capabilities.mechanisms != NULL
             ? (const gchar *const *) session->capabilities.mechanisms
             : none;
}

guint
mm_pop3_session_get_login_delay_seconds (const MmPop3Session *session)
{
  return session->capabilities.login_delay_seconds;
}

guint
mm_pop3_session_get_n_in_progress (const MmPop3Session *session)
{
  return session->commands.length;
}

const GError *
mm_pop3_session_get_sasl_error (const MmPop3Session *session)
{
  return session->sasl_error;
}

/* ---- sending ---- */

/* Growing in place would leave copies of secrets behind. */
static void
append_output (MmPop3Session *session, const void *data, gsize length)
{
  GByteArray *old = session->output;
  GByteArray *grown = g_byte_array_sized_new ((guint) (length + (old != NULL ? old->len : 0)));

  if (old != NULL)
    g_byte_array_append (grown, old->data, old->len);
  g_byte_array_append (grown, data, (guint) length);
  free_line (old);
  session->output = grown;
}

static gboolean
is_of_login (MmPop3Command command)
{
  switch (command)
    {
    case MM_POP3_USER:
    case MM_POP3_PASS:
    case MM_POP3_AUTH:
      return TRUE;
    case MM_POP3_CAPA:
    case MM_POP3_STAT:
    case MM_POP3_LIST:
    case MM_POP3_UIDL:
    case MM_POP3_TOP:
    case MM_POP3_RETR:
    case MM_POP3_NOOP:
    case MM_POP3_QUIT:
      break;
    }
  return FALSE;
}

static gboolean
may_send_next (MmPop3Session *session)
{
  if (!session->is_greeted || session->n_sent == session->commands.length)
    return FALSE;
  if (session->n_sent == 0)
    return TRUE;
  const Command *next = g_queue_peek_nth (&session->commands, session->n_sent);
  const Command *before = g_queue_peek_nth (&session->commands, session->n_sent - 1);
  return (session->capabilities.flags & MM_POP3_CAP_PIPELINING) != 0
         && !is_of_login (next->command) && !is_of_login (before->command);
}

GByteArray *
mm_pop3_session_take_output (MmPop3Session *session)
{
  while (may_send_next (session))
    {
      Command *command = g_queue_peek_nth (&session->commands, session->n_sent);

      append_output (session, command->line->data, command->line->len);
      free_line (g_steal_pointer (&command->line));
      session->n_sent++;
    }
  return g_steal_pointer (&session->output);
}

/* (transfer full) of @line, which has no end yet. */
static Command *
queue (MmPop3Session *session, MmPop3Command command, GByteArray *line)
{
  Command *queued = g_new0 (Command, 1);

  g_byte_array_append (line, (const guint8 *) "\r\n", 2);
  queued->command = command;
  queued->line = line;
  queued->serial = ++session->last_serial;
  g_queue_push_tail (&session->commands, queued);
  return queued;
}

/* The allow-list: what is not here cannot be said. Room for @argument_octets and the line's end. */
static GByteArray *
begin_line (MmPop3Command command, gsize argument_octets)
{
  static const gchar *const words[] = {
    [MM_POP3_CAPA] = "CAPA",  [MM_POP3_USER] = "USER ", [MM_POP3_PASS] = "PASS ",
    [MM_POP3_AUTH] = "AUTH ", [MM_POP3_STAT] = "STAT",  [MM_POP3_LIST] = "LIST",
    [MM_POP3_UIDL] = "UIDL",  [MM_POP3_TOP] = "TOP ",   [MM_POP3_RETR] = "RETR ",
    [MM_POP3_NOOP] = "NOOP",  [MM_POP3_QUIT] = "QUIT",
  };
  gsize length = strlen (words[command]);
  GByteArray *line = g_byte_array_sized_new ((guint) (length + argument_octets + 2));

  g_byte_array_append (line, (const guint8 *) words[command], (guint) length);
  return line;
}

static guint32
submit_with (MmPop3Session *session, MmPop3Command command, const gchar *argument)
{
  GByteArray *line = begin_line (command, strlen (argument));

  g_byte_array_append (line, (const guint8 *) argument, (guint) strlen (argument));
  return queue (session, command, line)->serial;
}

guint32
mm_pop3_session_submit (MmPop3Session *session, MmPop3Command command)
{
  g_assert (command == MM_POP3_CAPA || command == MM_POP3_STAT || command == MM_POP3_LIST
            || command == MM_POP3_UIDL || command == MM_POP3_NOOP || command == MM_POP3_QUIT);
  return submit_with (session, command, "");
}

guint32
mm_pop3_session_submit_retr (MmPop3Session *session, guint32 number)
{
  g_autofree gchar *argument = g_strdup_printf ("%u", number);

  return submit_with (session, MM_POP3_RETR, argument);
}

guint32
mm_pop3_session_submit_top (MmPop3Session *session, guint32 number, guint32 lines)
{
  g_autofree gchar *argument = g_strdup_printf ("%u %u", number, lines);

  return submit_with (session, MM_POP3_TOP, argument);
}

static guint32
submit_words (MmPop3Session *session, MmPop3Command command, const gchar *words, gsize length,
              const gchar *what, GError **error)
{
  if (memchr (words, '\r', length) != NULL || memchr (words, '\n', length) != NULL
      || memchr (words, '\0', length) != NULL)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_NAME_ENCODING,
                   "the %s holds a line end or NUL, which POP3 cannot send", what);
      return 0;
    }
  GByteArray *line = begin_line (command, length);
  g_byte_array_append (line, (const guint8 *) words, (guint) length);
  return queue (session, command, line)->serial;
}

guint32
mm_pop3_session_submit_user (MmPop3Session *session, const gchar *user, GError **error)
{
  return submit_words (session, MM_POP3_USER, user, strlen (user), "user name", error);
}

guint32
mm_pop3_session_submit_pass (MmPop3Session *session, MmSecret *password, GError **error)
{
  return submit_words (session, MM_POP3_PASS, mm_secret_get (password),
                       mm_secret_get_length (password), "password", error);
}

guint32
mm_pop3_session_submit_auth (MmPop3Session *session, MmSasl *sasl, GError **error)
{
  g_autoptr (MmSasl) owned = sasl;
  const gchar *mechanism = mm_sasl_get_mechanism (sasl);
  gchar *response = NULL;

  if (mm_sasl_has_initial_response (sasl)
      && (response = mm_sasl_initial_line (sasl, error)) == NULL)
    return 0;
  gsize response_length = response != NULL ? strlen (response) : 0;
  gboolean fits
      = strlen ("AUTH  \r\n") + strlen (mechanism) + response_length <= AUTH_LINE_OCTETS_MAX;
  GByteArray *line = begin_line (MM_POP3_AUTH, strlen (mechanism) + 1 + response_length);

  g_byte_array_append (line, (const guint8 *) mechanism, (guint) strlen (mechanism));
  if (response != NULL && fits)
    {
      g_byte_array_append (line, (const guint8 *) " ", 1);
      g_byte_array_append (line, (const guint8 *) response, (guint) response_length);
      mm_sasl_free_line (g_steal_pointer (&response));
    }
  Command *command = queue (session, MM_POP3_AUTH, line);
  command->sasl = g_steal_pointer (&owned);
  command->has_answered = response == NULL && mm_sasl_has_initial_response (sasl);
  /* "=" is for the command's line alone. */
  if (response != NULL && strcmp (response, "=") == 0)
    response[0] = '\0';
  command->held_line = response;
  g_clear_error (&session->sasl_error);
  return command->serial;
}

/* ---- receiving ---- */

void
mm_pop3_session_feed (MmPop3Session *session, const void *data, gsize length)
{
  session->input = data;
  session->input_length = length;
}

static void G_GNUC_PRINTF (3, 4)
fail (MmPop3Session *session, MmError code, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  session->failure = g_error_new_valist (MM_ERROR, (gint) code, format, arguments);
  va_end (arguments);
}

/* The next line, without its end, in session->line. FALSE: more octets are needed, or the limit. */
static gboolean
read_line (MmPop3Session *session)
{
  const guint8 *newline = session->input_length > 0
                              ? memchr (session->input, '\n', session->input_length)
                              : NULL;
  gsize length = newline != NULL ? (gsize) (newline + 1 - session->input) : session->input_length;

  if (session->line->len + length > session->limits.line_octets)
    {
      fail (session, MM_ERROR_LIMIT, "the server sends a line of more than %" G_GSIZE_FORMAT " octets",
            session->limits.line_octets);
      return FALSE;
    }
  if (length > 0)
    g_byte_array_append (session->line, session->input, (guint) length);
  session->input += length;
  session->input_length -= length;
  if (newline == NULL)
    return FALSE;
  g_byte_array_set_size (session->line, session->line->len - 1);
  if (session->line->len > 0 && session->line->data[session->line->len - 1] == '\r')
    g_byte_array_set_size (session->line, session->line->len - 1);
  if (session->line->len > 0 && memchr (session->line->data, '\0', session->line->len) != NULL)
    {
      fail (session, MM_ERROR_PROTOCOL, "the server sends a line with NUL");
      return FALSE;
    }
  g_byte_array_append (session->line, (const guint8 *) "", 1);
  return TRUE;
}

/* The line just read lives until the next one is begun. (transfer none) */
static const gchar *
take_line (MmPop3Session *session)
{
  GByteArray *line = session->line;

  session->line = session->text;
  session->text = line;
  g_byte_array_set_size (session->line, 0);
  return (const gchar *) line->data;
}

static MmPop3Code
parse_code (const gchar *name, gsize length)
{
  static const struct
  {
    const gchar *name;
    MmPop3Code code;
  } codes[] = {
    { "IN-USE", MM_POP3_CODE_IN_USE },     { "LOGIN-DELAY", MM_POP3_CODE_LOGIN_DELAY },
    { "SYS/TEMP", MM_POP3_CODE_SYS_TEMP }, { "SYS/PERM", MM_POP3_CODE_SYS_PERM },
    { "AUTH", MM_POP3_CODE_AUTH },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (strlen (codes[i].name) == length && g_ascii_strncasecmp (name, codes[i].name, length) == 0)
      return codes[i].code;
  return MM_POP3_CODE_OTHER;
}

/* "+OK …" or "-ERR …"; FALSE: it is neither. */
static gboolean
parse_status (const gchar *line, MmPop3Event *event)
{
  gsize length = strcspn (line, " \t");
  const gchar *text = line + length;

  if (length == 3 && g_ascii_strncasecmp (line, "+OK", 3) == 0)
    event->is_ok = TRUE;
  else if (length != 4 || g_ascii_strncasecmp (line, "-ERR", 4) != 0)
    return FALSE;
  text += strspn (text, " \t");
  const gchar *close = text[0] == '[' ? strchr (text, ']') : NULL;
  if (close != NULL)
    {
      event->code = parse_code (text + 1, (gsize) (close - text - 1));
      text = close + 1 + strspn (close + 1, " \t");
    }
  event->text = text;
  return TRUE;
}

/* Digits up to a blank or the end; *@text moves behind the blanks. */
static gboolean
parse_number (const gchar **text, guint64 max, guint64 *out_number)
{
  gsize length = strspn (*text, G_CSET_DIGITS);
  g_autofree gchar *digits = g_strndup (*text, length);

  if (length == 0 || !g_ascii_string_to_unsigned (digits, 10, 0, max, out_number, NULL))
    return FALSE;
  *text += length;
  if (**text != '\0' && **text != ' ' && **text != '\t')
    return FALSE;
  *text += strspn (*text, " \t");
  return TRUE;
}

/* What RFC 1939 7 allows stays as it is; blanks and other octets, which some servers put in, are told as
 * %XX. (transfer full) */
static gchar *
escape_unique_id (const gchar *text, gsize length)
{
  GString *id = g_string_sized_new (length);

  for (gsize i = 0; i < length; i++)
    if (g_ascii_isgraph (text[i]))
      g_string_append_c (id, text[i]);
    else
      g_string_append_printf (id, "%%%02X", (guchar) text[i]);
  return g_string_free (id, FALSE);
}

static gboolean
parse_entry (MmPop3Session *session, const gchar *line, MmPop3Event *event)
{
  const gchar *rest = line;
  guint64 number = 0;

  if (!parse_number (&rest, G_MAXUINT32, &number) || number == 0)
    return FALSE;
  event->number = (guint32) number;
  if (event->command == MM_POP3_LIST)
    return parse_number (&rest, G_MAXINT64, &event->size);
  gsize length = strlen (rest);
  while (length > 0 && (rest[length - 1] == ' ' || rest[length - 1] == '\t'))
    length--;
  if (length == 0 || length > session->limits.unique_id_octets)
    return FALSE;
  g_free (session->unique_id);
  session->unique_id = escape_unique_id (rest, length);
  event->unique_id = session->unique_id;
  return TRUE;
}

/* ---- answers ---- */

static void
end_command (MmPop3Session *session, MmPop3Event *event)
{
  event->type = MM_POP3_EVENT_DONE;
  session->is_in_answer = FALSE;
  free_command (g_queue_pop_head (&session->commands));
  session->n_sent--;
}

/* The server's "+ challenge". FALSE: it was no challenge. */
static gboolean
answer_challenge (MmPop3Session *session, Command *command, const gchar *line)
{
  g_autoptr (GError) error = NULL;
  gchar *answer;

  if (line[0] != '+' || (line[1] != ' ' && line[1] != '\0'))
    return FALSE;
  if (session->sasl_error != NULL)
    answer = NULL;
  else if (command->held_line != NULL)
    answer = g_steal_pointer (&command->held_line);
  else
    answer = mm_sasl_answer_line (command->sasl, line[1] != '\0' ? line + 2 : line + 1,
                                       !command->has_answered, &session->sasl_error);
  command->has_answered = TRUE;
  /* "*" gives the exchange up (RFC 5034 4). */
  append_output (session, answer != NULL ? answer : "*", answer != NULL ? strlen (answer) : 1);
  append_output (session, "\r\n", 2);
  mm_sasl_free_line (answer);
  return TRUE;
}

static void
judge_sasl (MmPop3Session *session, const Command *command, MmPop3Event *event)
{
  if (!event->is_ok)
    return;
  if (session->sasl_error == NULL && mm_sasl_may_succeed (command->sasl))
    return;
  if (session->sasl_error == NULL)
    g_set_error_literal (&session->sasl_error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                         "the server did not prove that it knows the password");
  event->is_ok = FALSE;
}

static gboolean
has_more_lines (MmPop3Command command)
{
  switch (command)
    {
    case MM_POP3_CAPA:
    case MM_POP3_LIST:
    case MM_POP3_UIDL:
    case MM_POP3_TOP:
    case MM_POP3_RETR:
      return TRUE;
    case MM_POP3_USER:
    case MM_POP3_PASS:
    case MM_POP3_AUTH:
    case MM_POP3_STAT:
    case MM_POP3_NOOP:
    case MM_POP3_QUIT:
      break;
    }
  return FALSE;
}

static gboolean
has_octets (MmPop3Command command)
{
  return command == MM_POP3_TOP || command == MM_POP3_RETR;
}

/* The "+OK" before more. TRUE: there is an event. */
static gboolean
begin_answer (MmPop3Session *session, MmPop3Event *event)
{
  session->is_in_answer = TRUE;
  session->n_lines = 0;
  session->body = MM_POP3_BODY_LINE_START;
  session->body_octets = 0;
  if (event->command == MM_POP3_CAPA)
    mm_pop3_capability_list_clear (&session->telling);
  event->type = MM_POP3_EVENT_BEGIN;
  return has_octets (event->command);
}

/* A line that answers a command or greets. TRUE: there is an event. */
static gboolean
take_status (MmPop3Session *session, const gchar *line, MmPop3Event *event)
{
  Command *command = session->n_sent > 0 ? g_queue_peek_head (&session->commands) : NULL;

  if (command != NULL && command->sasl != NULL && answer_challenge (session, command, line))
    return FALSE;
  if (!parse_status (line, event))
    {
      fail (session, MM_ERROR_PROTOCOL, "the server answers neither +OK nor -ERR");
      return FALSE;
    }
  if (!session->is_greeted)
    {
      session->is_greeted = TRUE;
      event->type = MM_POP3_EVENT_GREETING;
      return TRUE;
    }
  if (command == NULL)
    {
      event->type = MM_POP3_EVENT_FAREWELL;
      if (event->is_ok)
        fail (session, MM_ERROR_PROTOCOL, "the server answers what was not asked");
      return !event->is_ok;
    }
  event->command = command->command;
  event->serial = command->serial;
  if (event->is_ok && has_more_lines (command->command))
    return begin_answer (session, event);
  if (event->command == MM_POP3_STAT && event->is_ok)
    {
      const gchar *rest = event->text;
      guint64 number = 0;
      if (!parse_number (&rest, G_MAXUINT32, &number)
          || !parse_number (&rest, G_MAXINT64, &event->size))
        {
          fail (session, MM_ERROR_PROTOCOL, "the server's answer to STAT has no numbers");
          return FALSE;
        }
      event->number = (guint32) number;
    }
  if (command->sasl != NULL)
    judge_sasl (session, command, event);
  end_command (session, event);
  return TRUE;
}

/* A line of an answer to CAPA, UIDL or LIST. TRUE: there is an event. */
static gboolean
take_item (MmPop3Session *session, const gchar *line, MmPop3Event *event)
{
  guint32 n_max
      = event->command == MM_POP3_CAPA ? session->limits.capabilities : session->limits.entries;

  if (strcmp (line, ".") == 0)
    {
      if (event->command == MM_POP3_CAPA)
        {
          mm_pop3_capability_list_clear (&session->capabilities);
          session->capabilities = session->telling;
          session->telling = (MmPop3CapabilityList){ 0 };
          session->has_capabilities = TRUE;
        }
      event->is_ok = TRUE;
      event->text = "";
      end_command (session, event);
      return TRUE;
    }
  if (++session->n_lines > n_max)
    {
      fail (session, MM_ERROR_LIMIT, "the server's answer has more than %u lines", n_max);
      return FALSE;
    }
  line += line[0] == '.' ? 1 : 0;
  if (event->command == MM_POP3_CAPA)
    {
      mm_pop3_capability_list_add (&session->telling, line);
      return FALSE;
    }
  event->type = MM_POP3_EVENT_ENTRY;
  if (!parse_entry (session, line, event))
    fail (session, MM_ERROR_PROTOCOL, "the server's answer to %s cannot be read",
          event->command == MM_POP3_UIDL ? "UIDL" : "LIST");
  return session->failure == NULL;
}

/* More came than may, and what may was told. */
static gboolean
is_too_long (const MmPop3Session *session)
{
  return session->is_in_answer && session->body_octets > session->limits.message_octets;
}

/* TRUE: there is an event. Up to the limit every octet is told, however the input is cut. */
static gboolean
take_octets (MmPop3Session *session, MmPop3Event *event)
{
  guint64 limit = session->limits.message_octets;

  event->type = MM_POP3_EVENT_DATA;
  if (!is_too_long (session)
      && mm_pop3_body_next (&session->body, &session->input, &session->input_length, &event->data,
                            &event->length))
    {
      guint64 left = limit - session->body_octets;

      session->body_octets += event->length;
      event->length = (gsize) MIN (event->length, left);
      if (event->length > 0)
        return TRUE;
    }
  if (is_too_long (session))
    {
      fail (session, MM_ERROR_LIMIT,
            "the server sends a message of more than %" G_GUINT64_FORMAT " octets", limit);
      return FALSE;
    }
  if (session->body != MM_POP3_BODY_ENDED)
    return FALSE;
  event->is_ok = TRUE;
  event->text = "";
  end_command (session, event);
  return TRUE;
}

static gboolean
take_event (MmPop3Session *session, MmPop3Event *event)
{
  while (session->failure == NULL && (session->input_length > 0 || is_too_long (session)))
    {
      *event = (MmPop3Event){ 0 };
      if (session->is_in_answer)
        {
          const Command *command = g_queue_peek_head (&session->commands);

          event->command = command->command;
          event->serial = command->serial;
        }
      if (session->is_in_answer && has_octets (event->command))
        {
          if (take_octets (session, event))
            return TRUE;
        }
      else if (read_line (session))
        {
          const gchar *line = take_line (session);

          if (session->is_in_answer ? take_item (session, line, event)
                                    : take_status (session, line, event))
            return TRUE;
        }
    }
  return FALSE;
}

gboolean
mm_pop3_session_next (MmPop3Session *session, MmPop3Event *out_event, GError **error)
{
  if (take_event (session, out_event))
    return TRUE;
  if (session->failure != NULL)
    g_propagate_error (error, g_error_copy (session->failure));
  return FALSE;
}
