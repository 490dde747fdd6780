// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a POP3 server says to a session that has commands in progress. The input is
 *
 *     LETTERS LF OCTETS
 *
 * where each letter is a command that is sent once the greeting came, and the octets are what the server sends. The
 * events must be the same however the octets are cut, a message has a beginning and an end, and what is sent is a line of
 * the allow-list each.
 */
#include <mailmount/pop3-session.h>

#include "fuzz.h"

#define COMMANDS_MAX 32

typedef struct
{
  MmPop3Session *session;
  const gchar *letters; /* LF behind them */
  guint32 last_serial;
  gboolean is_random; /* SCRAM sends a number that is another one each time */
  guint64 print;      /* of what came */
  guint64 sent_print; /* of what was sent */
  gboolean is_in_body;
  gboolean has_failed;
} Run;

static guint32
submit_auth (MmPop3Session *session, const gchar *mechanism)
{
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);
  g_autoptr (MmSecret) token = mm_secret_new ("token", 5);
  MmSaslCredentials credentials
      = { .user = "user", .password = password, .token = token, .service = "pop", .host = "host" };
  MmSasl *sasl = mm_sasl_new (mechanism, &credentials, NULL);

  return sasl != NULL ? mm_pop3_session_submit_auth (session, sasl, NULL) : 0;
}

/* 0: not a letter of a command. */
static guint32
submit_letter (MmPop3Session *session, gchar letter)
{
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);

  switch (letter)
    {
    case 'c':
      return mm_pop3_session_submit (session, MM_POP3_CAPA);
    case 'S':
      return mm_pop3_session_submit (session, MM_POP3_STAT);
    case 'L':
      return mm_pop3_session_submit (session, MM_POP3_LIST);
    case 'U':
      return mm_pop3_session_submit (session, MM_POP3_UIDL);
    case 'n':
      return mm_pop3_session_submit (session, MM_POP3_NOOP);
    case 'q':
      return mm_pop3_session_submit (session, MM_POP3_QUIT);
    case 'r':
      return mm_pop3_session_submit_retr (session, 1);
    case 't':
      return mm_pop3_session_submit_top (session, 2, 0);
    case 'u':
      return mm_pop3_session_submit_user (session, "user", NULL);
    case 'w':
      return mm_pop3_session_submit_pass (session, password, NULL);
    case 'p':
      return submit_auth (session, "PLAIN");
    case 'm':
      return submit_auth (session, "CRAM-MD5");
    case 's':
      return submit_auth (session, "SCRAM-SHA-256");
    case 'o':
      return submit_auth (session, "XOAUTH2");
    default:
      return 0;
    }
}

static void
submit (Run *run)
{
  for (const gchar *p = run->letters; *p != '\n' && run->last_serial < COMMANDS_MAX; p++)
    {
      guint32 serial = submit_letter (run->session, *p);

      run->is_random |= *p == 's';
      g_assert (serial == 0 || serial > run->last_serial);
      run->last_serial = MAX (run->last_serial, serial);
    }
}

/* Lines that end; and unless it is of a SASL exchange a line begins with a word of the list. */
static void
check_output (Run *run)
{
  g_autoptr (GByteArray) output = mm_pop3_session_take_output (run->session);
  static const gchar *const forbidden[] = { "DELE", "RSET", "XTND", "STLS" };

  if (output == NULL)
    return;
  g_assert (output->len >= 2 && memcmp (output->data + output->len - 2, "\r\n", 2) == 0);
  for (gsize i = 0; i < G_N_ELEMENTS (forbidden); i++)
    g_assert (memmem (output->data, output->len, forbidden[i], strlen (forbidden[i])) == NULL);
  if (!run->is_random)
    run->sent_print = fingerprint_octets (run->sent_print, output->data, output->len);
}

static void
take_event (Run *run, const MmPop3Event *event)
{
  if (event->type == MM_POP3_EVENT_DATA)
    {
      g_assert (run->is_in_body && event->length > 0);
      run->print = fingerprint_octets (run->print, event->data, event->length);
      return;
    }
  run->print = fingerprint_number (run->print, event->type);
  run->print = fingerprint_number (run->print, event->command);
  run->print = fingerprint_number (run->print, event->serial);
  run->print = fingerprint_number (run->print, (guint64) event->is_ok << 8 | event->code);
  run->print = fingerprint_number (run->print, event->number);
  run->print = fingerprint_number (run->print, event->size);
  run->print = fingerprint_text (run->print, event->text);
  run->print = fingerprint_text (run->print, event->unique_id);
  switch (event->type)
    {
    case MM_POP3_EVENT_GREETING:
      submit (run);
      break;
    case MM_POP3_EVENT_BEGIN:
      g_assert (!run->is_in_body);
      run->is_in_body = TRUE;
      break;
    case MM_POP3_EVENT_ENTRY:
      g_assert (event->number > 0);
      g_assert (event->command != MM_POP3_UIDL || event->unique_id[0] != '\0');
      break;
    case MM_POP3_EVENT_DONE:
      g_assert (event->serial > 0 && event->serial <= run->last_serial);
      run->is_in_body = FALSE;
      break;
    default:
      break;
    }
}

static void
feed (Run *run, const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  MmPop3Event event;

  mm_pop3_session_feed (run->session, data, length);
  while (mm_pop3_session_next (run->session, &event, &error))
    {
      take_event (run, &event);
      check_output (run);
    }
  check_output (run);
  if (error == NULL)
    return;
  g_assert (error->domain == MM_ERROR && (error->code == MM_ERROR_PROTOCOL || error->code == MM_ERROR_LIMIT));
  run->print = fingerprint_number (run->print, (guint64) error->code);
  run->has_failed = TRUE;
}

/* The fingerprint of the conversation in pieces of @piece octets. @by_line: and none goes beyond the end of a line,
 * because what a line lets go out must be sent before the next one can answer it. */
static guint64
converse (const gchar *letters, const guint8 *octets, gsize length, gsize piece, gboolean by_line, gboolean is_narrow)
{
  MmPop3Limits limits = mm_pop3_limits_default;

  if (is_narrow)
    limits = (MmPop3Limits){ .line_octets = 80, .entries = 5, .capabilities = 6, .unique_id_octets = 20,
                             .message_octets = 300 };
  Run run = { .session = mm_pop3_session_new (&limits), .letters = letters };
  for (gsize at = 0; at < length && !run.has_failed;)
    {
      gsize size = MIN (piece, length - at);
      const guint8 *end = by_line ? memchr (octets + at, '\n', size) : NULL;

      if (end != NULL)
        size = (gsize) (end + 1 - (octets + at));
      g_autofree guint8 *own = fuzz_copy (octets + at, size);
      feed (&run, own, size);
      at += size;
    }
  g_assert (mm_pop3_session_get_n_in_progress (run.session) <= COMMANDS_MAX);
  mm_pop3_session_free (run.session);
  return fingerprint_number (run.print, run.sent_print);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? memchr (data, '\n', size) : NULL;

  if (end == NULL)
    return 0;
  fuzz_be_quiet ();
  const gchar *letters = (const gchar *) data;
  const guint8 *octets = end + 1;
  gsize length = size - (gsize) (octets - data);
  guint64 hash = fuzz_hash (data, size);
  gsize piece = hash % 4 == 0 ? 1 : 1 + (hash >> 2) % 97;
  gboolean is_narrow = memchr (data, '-', (gsize) (end - data)) != NULL;

  guint64 in_lines = converse (letters, octets, length, MAX (length, 1), TRUE, is_narrow);
  g_assert (converse (letters, octets, length, piece, TRUE, is_narrow) == in_lines);
  converse (letters, octets, length, piece * 100, FALSE, is_narrow);
  return 0;
}
