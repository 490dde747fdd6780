// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/pop3-session.h>

/* ---- traces ---- */

typedef struct
{
  MmPop3Session *session;
  GString *trace;
  gboolean is_in_data; /* the last event was DATA */
} Tracer;

static void
trace_event (Tracer *tracer, const MmPop3Event *event)
{
  static const gchar *const names[] = { "greeting", "begin", "data", "entry", "done", "farewell" };
  GString *trace = tracer->trace;

  if (event->type == MM_POP3_EVENT_DATA)
    {
      if (!tracer->is_in_data)
        g_string_append (trace, "data ");
      for (gsize i = 0; i < event->length; i++)
        if (event->data[i] == '\r' || event->data[i] == '\n' || event->data[i] == '\0')
          g_string_append_printf (trace, "\\x%02x", event->data[i]);
        else
          g_string_append_c (trace, (gchar) event->data[i]);
      tracer->is_in_data = TRUE;
      return;
    }
  if (tracer->is_in_data)
    g_string_append_c (trace, '\n');
  tracer->is_in_data = FALSE;
  g_string_append_printf (trace, "%s %u", names[event->type], event->serial);
  if (event->type == MM_POP3_EVENT_ENTRY && event->unique_id != NULL)
    g_string_append_printf (trace, " %u=%s", event->number, event->unique_id);
  else if (event->type == MM_POP3_EVENT_ENTRY || event->command == MM_POP3_STAT)
    g_string_append_printf (trace, " %u=%" G_GUINT64_FORMAT, event->number, event->size);
  if (event->type != MM_POP3_EVENT_ENTRY)
    g_string_append_printf (trace, " %s code %d '%s'", event->is_ok ? "ok" : "err", event->code,
                            event->text);
  g_string_append_c (trace, '\n');
}

static void
feed (Tracer *tracer, const gchar *data, gsize length)
{
  g_autofree gchar *copy = g_memdup2 (data, length); /* so that a stray read is one of freed memory */
  g_autoptr (GError) error = NULL;
  MmPop3Event event;

  mm_pop3_session_feed (tracer->session, copy, length);
  while (mm_pop3_session_next (tracer->session, &event, &error))
    trace_event (tracer, &event);
  if (error != NULL)
    g_string_append_printf (tracer->trace, "error %s\n", mm_error_get_name (error->code));
}

typedef void (*Prepare) (MmPop3Session *session);

/* The trace of @input, cut at @first and then into pieces of @piece octets. */
static gchar *
make_trace (Prepare prepare, const MmPop3Limits *limits, const gchar *input, gsize length,
            gsize first, gsize piece)
{
  Tracer tracer = { mm_pop3_session_new (limits), g_string_new (NULL), FALSE };

  if (prepare != NULL)
    prepare (tracer.session);
  for (gsize offset = 0; offset < length;)
    {
      GByteArray *output = mm_pop3_session_take_output (tracer.session);
      gsize n = MIN (offset == 0 && first > 0 ? first : piece, length - offset);

      if (output != NULL)
        g_byte_array_unref (output);
      feed (&tracer, input + offset, n);
      offset += n;
      if (g_str_has_suffix (tracer.trace->str, "limit\n")
          || g_str_has_suffix (tracer.trace->str, "protocol\n"))
        break;
    }
  if (tracer.is_in_data)
    g_string_append_c (tracer.trace, '\n');
  mm_pop3_session_free (tracer.session);
  return g_string_free (tracer.trace, FALSE);
}

static void
check_trace (Prepare prepare, const MmPop3Limits *limits, const gchar *input, gsize length,
             const gchar *expected)
{
  /* Where an answer is judged before the next command went out, one piece holds one answer at most. */
  g_autofree gchar *whole = make_trace (prepare, limits, input, length, 0, 1);

  g_assert_cmpstr (whole, ==, expected);
  for (gsize piece = 2; piece < MIN (length, 40); piece++)
    {
      g_autofree gchar *trace = make_trace (prepare, limits, input, length, 0, piece);
      g_assert_cmpstr (trace, ==, expected);
    }
  for (gsize first = 1; first < length; first++)
    {
      g_autofree gchar *trace = make_trace (prepare, limits, input, length, first, length);
      g_assert_cmpstr (trace, ==, expected);
    }
}

#define PIPELINING "+OK hi\r\n+OK\r\nPIPELINING\r\nTOP\r\n.\r\n"
#define PIPELINING_TRACE "greeting 0 ok code 0 'hi'\ndone 1 ok code 0 ''\n"

/* A session that was greeted and may send all at once. */
static MmPop3Session *
new_pipelining (void)
{
  Tracer tracer = { mm_pop3_session_new (NULL), g_string_new (NULL), FALSE };

  mm_pop3_session_submit (tracer.session, MM_POP3_CAPA);
  feed (&tracer, "+OK hi\r\n", 8);
  g_byte_array_unref (mm_pop3_session_take_output (tracer.session));
  feed (&tracer, &PIPELINING[8], strlen (PIPELINING) - 8);
  g_assert_cmpstr (tracer.trace->str, ==, PIPELINING_TRACE);
  g_string_free (tracer.trace, TRUE);
  return tracer.session;
}

static gchar *
take_text (MmPop3Session *session)
{
  GByteArray *output = mm_pop3_session_take_output (session);

  if (output == NULL)
    return g_strdup ("");
  gchar *text = g_strndup ((const gchar *) output->data, output->len);
  g_byte_array_unref (output);
  return text;
}

/* Sends all commands of @prepare at once and compares, however the answer is cut. */
static void
check_pipelined (Prepare prepare, const gchar *input, gsize length, const gchar *expected)
{
  for (gsize first = 1; first <= length; first++)
    for (gsize piece = 1; piece <= length; piece += piece < 8 ? 1 : length)
      {
        Tracer tracer = { new_pipelining (), g_string_new (NULL), FALSE };

        prepare (tracer.session);
        g_free (take_text (tracer.session));
        for (gsize offset = 0; offset < length;)
          {
            gsize n = MIN (offset == 0 ? first : piece, length - offset);
            feed (&tracer, input + offset, n);
            offset += n;
          }
        g_assert_cmpstr (tracer.trace->str, ==, expected);
        g_string_free (tracer.trace, TRUE);
        mm_pop3_session_free (tracer.session);
      }
}

/* ---- tests ---- */

static void
retr_and_stat (MmPop3Session *session)
{
  mm_pop3_session_submit_retr (session, 3);
  mm_pop3_session_submit (session, MM_POP3_STAT);
}

static void
test_dots (void)
{
  static const gchar input[] = "+OK 9 octets\r\n"
                               "..one dot\r\n...\r\n.x\r\na.b\r\n\n.bare\r.cr\r\n.\rnot the end\r\n"
                               "\0nul\r\n.\r\n+OK 2 320\r\n";

  check_pipelined (retr_and_stat, input, sizeof input - 1,
                   "begin 2 ok code 0 '9 octets'\n"
                   "data .one dot\\x0d\\x0a..\\x0d\\x0ax\\x0d\\x0aa.b\\x0d\\x0a\\x0a.bare\\x0d.cr"
                   "\\x0d\\x0a\\x0dnot the end\\x0d\\x0a\\x00nul\\x0d\\x0a\n"
                   "done 2 ok code 0 ''\ndone 3 2=320 ok code 0 '2 320'\n");
}

static void
test_empty_message (void)
{
  static const gchar input[] = "+OK\r\n.\r\n-ERR [SYS/TEMP] later\r\n";

  check_pipelined (retr_and_stat, input, sizeof input - 1,
                   "begin 2 ok code 0 ''\ndone 2 ok code 0 ''\ndone 3 0=0 err code 4 'later'\n");
}

static void
list_and_uidl (MmPop3Session *session)
{
  mm_pop3_session_submit (session, MM_POP3_LIST);
  mm_pop3_session_submit (session, MM_POP3_UIDL);
}

static void
test_listing (void)
{
  static const gchar input[]
      = "+OK 2 messages\r\n1 120 odd\r\n2 4294967296\r\n.\r\n+OK\r\n1 a!~\r\n2 b \r\n3 a b\xe9%\r\n.\r\n";

  check_pipelined (list_and_uidl, input, sizeof input - 1,
                   "entry 2 1=120\nentry 2 2=4294967296\ndone 2 ok code 0 ''\n"
                   "entry 3 1=a!~\nentry 3 2=b\nentry 3 3=a%20b%E9%\ndone 3 ok code 0 ''\n");
}

static void
test_response_codes (void)
{
  static const struct
  {
    const gchar *line;
    MmPop3Code code;
    const gchar *text;
  } cases[] = {
    { "-ERR [IN-USE] Do you have another POP session running?\r\n", MM_POP3_CODE_IN_USE,
      "Do you have another POP session running?" },
    { "-ERR [login-delay]minimum 15 minutes\r\n", MM_POP3_CODE_LOGIN_DELAY, "minimum 15 minutes" },
    { "-ERR [SYS/PERM] x\r\n", MM_POP3_CODE_SYS_PERM, "x" },
    { "-ERR [AUTH]\r\n", MM_POP3_CODE_AUTH, "" },
    { "-err [OTHER/THING] y\n", MM_POP3_CODE_OTHER, "y" },
    { "-ERR [no end\r\n", MM_POP3_CODE_NONE, "[no end" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree gchar *expected
          = g_strdup_printf ("greeting 0 err code %d '%s'\n", cases[i].code, cases[i].text);
      check_trace (NULL, NULL, cases[i].line, strlen (cases[i].line), expected);
    }
}

static void
test_farewell (void)
{
  static const gchar input[] = "+OK\r\n-ERR Disconnected for inactivity.\r\n";

  check_trace (NULL, NULL, input, sizeof input - 1,
               "greeting 0 ok code 0 ''\nfarewell 0 err code 0 'Disconnected for inactivity.'\n");
}

static void
test_capabilities (void)
{
  g_autoptr (MmPop3Session) session = mm_pop3_session_new (NULL);
  static const gchar answer[] = "+OK\r\n+OK\r\nTOP\r\nUIDL\r\nUSER\r\nPIPELINING\r\nLOGIN-DELAY 900 USER\r\n"
                                "SASL  PLAIN SCRAM-SHA-256\r\nXODD\r\n.\r\n";
  MmPop3Event event;

  mm_pop3_session_submit (session, MM_POP3_CAPA);
  mm_pop3_session_feed (session, answer, 5);
  g_assert_true (mm_pop3_session_next (session, &event, NULL));
  g_assert_false (mm_pop3_session_next (session, &event, NULL));
  g_autofree gchar *sent = take_text (session);
  g_assert_cmpstr (sent, ==, "CAPA\r\n");
  mm_pop3_session_feed (session, answer + 5, sizeof answer - 6);
  g_assert_true (mm_pop3_session_next (session, &event, NULL));
  g_assert_cmpint (event.type, ==, MM_POP3_EVENT_DONE);
  g_assert_cmpint (mm_pop3_session_get_capabilities (session), ==,
                   MM_POP3_CAP_TOP | MM_POP3_CAP_UIDL | MM_POP3_CAP_USER | MM_POP3_CAP_PIPELINING);
  g_assert_cmpuint (mm_pop3_session_get_login_delay_seconds (session), ==, 900);
  g_autofree gchar *mechanisms
      = g_strjoinv (",", (gchar **) mm_pop3_session_get_sasl_mechanisms (session));
  g_assert_cmpstr (mechanisms, ==, "PLAIN,SCRAM-SHA-256");
}

/* What is sent when: nothing before the greeting, one after the other without PIPELINING, nothing
 * behind a command of the login. */
static void
test_order_of_sending (void)
{
  g_autoptr (MmSecret) password = mm_secret_new ("a b", 3);
  Tracer tracer = { mm_pop3_session_new (NULL), g_string_new (NULL), FALSE };

  mm_pop3_session_submit_user (tracer.session, "me", NULL);
  mm_pop3_session_submit_pass (tracer.session, password, NULL);
  mm_pop3_session_submit_top (tracer.session, 7, 0);
  mm_pop3_session_submit (tracer.session, MM_POP3_QUIT);
  static const gchar *const steps[][2] = {
    { "", "" },
    { "+OK\r\n", "USER me\r\n" },
    { "+OK\r\n", "PASS a b\r\n" },
    { "+OK\r\n", "TOP 7 0\r\n" },
    { "+OK\r\nA: b\r\n", "" },
    { "\r\n.\r\n", "QUIT\r\n" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      feed (&tracer, steps[i][0], strlen (steps[i][0]));
      g_autofree gchar *sent = take_text (tracer.session);
      g_assert_cmpstr (sent, ==, steps[i][1]);
    }
  mm_pop3_session_free (tracer.session);
  g_string_free (tracer.trace, TRUE);
}

static void
test_pipelined_output (void)
{
  g_autoptr (MmPop3Session) session = new_pipelining ();

  mm_pop3_session_submit (session, MM_POP3_UIDL);
  mm_pop3_session_submit_retr (session, 1);
  mm_pop3_session_submit (session, MM_POP3_NOOP);
  g_autofree gchar *sent = take_text (session);
  g_assert_cmpstr (sent, ==, "UIDL\r\nRETR 1\r\nNOOP\r\n");
}

static void
test_words_that_cannot_be_sent (void)
{
  g_autoptr (MmPop3Session) session = mm_pop3_session_new (NULL);
  g_autoptr (MmSecret) password = mm_secret_new ("a\r\nDELE 1", 9);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) user_error = NULL;

  g_assert_cmpuint (mm_pop3_session_submit_pass (session, password, &error), ==, 0);
  g_assert_error (error, MM_ERROR, MM_ERROR_NAME_ENCODING);
  g_assert_cmpuint (mm_pop3_session_submit_user (session, "a\nDELE 1", &user_error), ==, 0);
  g_assert_error (user_error, MM_ERROR, MM_ERROR_NAME_ENCODING);
}

/* ---- SASL ---- */

static MmSasl *
new_plain (const gchar *password_text)
{
  g_autoptr (MmSecret) password = mm_secret_new (password_text, strlen (password_text));
  MmSaslCredentials credentials
      = { .user = "user", .password = password, .service = "pop", .host = "localhost" };
  MmSasl *sasl = mm_sasl_new ("PLAIN", &credentials, NULL);

  g_assert_nonnull (sasl);
  return sasl;
}

static void
test_auth (void)
{
  Tracer tracer = { mm_pop3_session_new (NULL), g_string_new (NULL), FALSE };

  feed (&tracer, "+OK\r\n", 5);
  mm_pop3_session_submit_auth (tracer.session, new_plain ("secret"), NULL);
  g_autofree gchar *sent = take_text (tracer.session);
  g_assert_cmpstr (sent, ==, "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
  feed (&tracer, "+OK in\r\n", 8);
  g_assert_cmpstr (tracer.trace->str, ==, "greeting 0 ok code 0 ''\ndone 1 ok code 0 'in'\n");
  mm_pop3_session_free (tracer.session);
  g_string_free (tracer.trace, TRUE);
}

/* RFC 5034 4: a response that makes the line longer than 255 octets waits for the server's "+". */
static void
test_long_auth (void)
{
  Tracer tracer = { mm_pop3_session_new (NULL), g_string_new (NULL), FALSE };
  g_autofree gchar *password = g_strnfill (300, 'x');

  feed (&tracer, "+OK\r\n", 5);
  mm_pop3_session_submit_auth (tracer.session, new_plain (password), NULL);
  g_autofree gchar *sent = take_text (tracer.session);
  g_assert_cmpstr (sent, ==, "AUTH PLAIN\r\n");
  feed (&tracer, "+ \r\n", 4);
  g_autofree gchar *response = take_text (tracer.session);
  g_assert_cmpuint (strlen (response), >, 400);
  g_assert_true (g_str_has_prefix (response, "AHVzZXIAeHh4"));
  feed (&tracer, "-ERR [AUTH] no\r\n", 16);
  g_assert_cmpstr (tracer.trace->str, ==, "greeting 0 ok code 0 ''\ndone 1 err code 6 'no'\n");
  mm_pop3_session_free (tracer.session);
  g_string_free (tracer.trace, TRUE);
}

static void
test_auth_broken_off (void)
{
  Tracer tracer = { mm_pop3_session_new (NULL), g_string_new (NULL), FALSE };

  feed (&tracer, "+OK\r\n", 5);
  mm_pop3_session_submit_auth (tracer.session, new_plain ("secret"), NULL);
  g_free (take_text (tracer.session));
  feed (&tracer, "+ !not base64!\r\n", 16);
  g_autofree gchar *sent = take_text (tracer.session);
  g_assert_cmpstr (sent, ==, "*\r\n");
  feed (&tracer, "+OK then\r\n", 10);
  g_assert_true (g_str_has_suffix (tracer.trace->str, "done 1 err code 0 'then'\n"));
  g_assert_error (mm_pop3_session_get_sasl_error (tracer.session), MM_ERROR,
                  MM_ERROR_AUTHENTICATION);
  mm_pop3_session_free (tracer.session);
  g_string_free (tracer.trace, TRUE);
}

/* ---- nonsense and limits ---- */

static void
test_nonsense (void)
{
  static const gchar *const inputs[] = {
    "* OK IMAP4\r\n",
    "+OKAY\r\n",
    "+OK a\0b\r\n",
  };

  for (gsize i = 0; i < 2; i++)
    check_trace (NULL, NULL, inputs[i], strlen (inputs[i]), "error protocol\n");
  check_trace (NULL, NULL, inputs[2], 9, "error protocol\n");
  check_trace (NULL, NULL, "+OK\r\n+OK\r\n", 10, "greeting 0 ok code 0 ''\nerror protocol\n");
}

static void
test_bad_entries (void)
{
  static const gchar *const entries[] = { "0 1", "x 1", "1 x", "1", "1 1x", "4294967296 1" };

  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      g_autofree gchar *input = g_strdup_printf ("+OK\r\n%s\r\n.\r\n", entries[i]);
      Tracer tracer = { new_pipelining (), g_string_new (NULL), FALSE };

      mm_pop3_session_submit (tracer.session, MM_POP3_LIST);
      g_free (take_text (tracer.session));
      feed (&tracer, input, strlen (input));
      g_assert_cmpstr (tracer.trace->str, ==, "error protocol\n");
      mm_pop3_session_free (tracer.session);
      g_string_free (tracer.trace, TRUE);
    }
}

static void
submit_all (MmPop3Session *session)
{
  mm_pop3_session_submit (session, MM_POP3_CAPA);
}

static void
test_limits (void)
{
  MmPop3Limits limits = mm_pop3_limits_default;
  limits.line_octets = 10;
  limits.capabilities = 2;

  check_trace (NULL, &limits, "+OK 4567890\r\n", 13, "error limit\n");

  Tracer tracer = { mm_pop3_session_new (&limits), g_string_new (NULL), FALSE };
  submit_all (tracer.session);
  feed (&tracer, "+OK\r\n", 5);
  g_free (take_text (tracer.session));
  feed (&tracer, "+OK\r\nA\r\nB\r\nC\r\n", 14);
  g_assert_true (g_str_has_suffix (tracer.trace->str, "error limit\n"));
  mm_pop3_session_free (tracer.session);
  g_string_free (tracer.trace, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pop3/session/dots", test_dots);
  g_test_add_func ("/pop3/session/empty-message", test_empty_message);
  g_test_add_func ("/pop3/session/listing", test_listing);
  g_test_add_func ("/pop3/session/response-codes", test_response_codes);
  g_test_add_func ("/pop3/session/farewell", test_farewell);
  g_test_add_func ("/pop3/session/capabilities", test_capabilities);
  g_test_add_func ("/pop3/session/order-of-sending", test_order_of_sending);
  g_test_add_func ("/pop3/session/pipelined-output", test_pipelined_output);
  g_test_add_func ("/pop3/session/words-that-cannot-be-sent", test_words_that_cannot_be_sent);
  g_test_add_func ("/pop3/session/auth", test_auth);
  g_test_add_func ("/pop3/session/long-auth", test_long_auth);
  g_test_add_func ("/pop3/session/auth-broken-off", test_auth_broken_off);
  g_test_add_func ("/pop3/session/nonsense", test_nonsense);
  g_test_add_func ("/pop3/session/bad-entries", test_bad_entries);
  g_test_add_func ("/pop3/session/limits", test_limits);
  return g_test_run ();
}
