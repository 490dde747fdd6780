// SPDX-License-Identifier: GPL-3.0-or-later
/* What each command looks like on the wire, and what a read-only session never writes. */
#include <string.h>

#include <mailmount/imap-session.h>

#include "../../src/codec/imap-encoder.h"

/* What is written with @encoding; "|" where a continuation request is waited for. Takes
 * @command. */
static gchar *
encode (MmImapCommand *command, MmImapEncoding encoding, GError **error)
{
  g_autoptr (MmImapCommand) owned G_GNUC_UNUSED = command;
  GQueue outputs = G_QUEUE_INIT;
  GString *text = g_string_new (NULL);
  gboolean is_encoded = mm_imap_encode (command, 7, &encoding, NULL, &outputs, error);

  for (MmImapOutput *output; (output = g_queue_pop_head (&outputs)) != NULL;)
    {
      g_string_append_len (text, (const gchar *)output->octets, (gssize)output->length);
      if (output->wait == MM_IMAP_WAIT_LITERAL)
        g_string_append_c (text, '|');
      mm_imap_output_free (output);
    }
  g_assert_true (is_encoded == (text->len > 0));
  return g_string_free (text, !is_encoded);
}

static void
check_with (MmImapEncoding encoding, MmImapCommand *command, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = encode (command, encoding, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
check (MmImapCommand *command, const gchar *expected)
{
  check_with ((MmImapEncoding){ 0 }, command, expected);
}

static void
check_refused (MmImapCommand *command, gint code)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = encode (command, (MmImapEncoding){ .literal_plus = TRUE }, &error);

  g_assert_null (text);
  g_assert_error (error, MM_ERROR, code);
}

static void
test_simple (void)
{
  check (mm_imap_command_capability (), "M7 CAPABILITY\r\n");
  check (mm_imap_command_noop (), "M7 NOOP\r\n");
  check (mm_imap_command_logout (), "M7 LOGOUT\r\n");
  check (mm_imap_command_unselect (), "M7 UNSELECT\r\n");
  check (mm_imap_command_idle (), "M7 IDLE\r\n");
  check (mm_imap_command_notify (),
         "M7 NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) "
         "(personal (MessageNew MessageExpunge FlagChange MailboxName))\r\n");
  check (mm_imap_command_namespace (), "M7 NAMESPACE\r\n");
  check (mm_imap_command_compress (), "M7 COMPRESS DEFLATE\r\n");
  check (mm_imap_command_id ("mailmount", "0.1"),
         "M7 ID (\"name\" \"mailmount\" \"version\" \"0.1\")\r\n");
  check (mm_imap_command_enable ("CONDSTORE UTF8=ACCEPT"), "M7 ENABLE CONDSTORE UTF8=ACCEPT\r\n");
}

static void
test_login (void)
{
  g_autoptr (MmSecret) password = mm_secret_new ("a\"b\\c d", 7);
  g_autoptr (MmSecret) accents = mm_secret_new ("p\xc3\xa4ss", 5);

  check (mm_imap_command_login ("user@example.org", password),
         "M7 LOGIN \"user@example.org\" \"a\\\"b\\\\c d\"\r\n");
  check (mm_imap_command_login ("u", accents), "M7 LOGIN \"u\" {5}\r\n|p\xc3\xa4ss\r\n");
}

static void
test_lists (void)
{
  check (mm_imap_command_list ("", "*", MM_IMAP_LIST_PLAIN, 0), "M7 LIST \"\" \"*\"\r\n");
  check (mm_imap_command_list ("", "%", MM_IMAP_LIST_SUBSCRIBED_ONLY, 0),
         "M7 LIST (SUBSCRIBED) \"\" \"%\"\r\n");
  check (mm_imap_command_list ("a", "*",
                               MM_IMAP_LIST_RETURN_STATUS | MM_IMAP_LIST_RETURN_CHILDREN
                                   | MM_IMAP_LIST_RETURN_SPECIAL_USE
                                   | MM_IMAP_LIST_RETURN_SUBSCRIBED,
                               MM_IMAP_STATUS_HIGHESTMODSEQ),
         "M7 LIST \"a\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE "
         "STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\r\n");
  check (mm_imap_command_status ("a", MM_IMAP_STATUS_MAILBOXID), "M7 STATUS \"a\" (MAILBOXID)\r\n");
  check (mm_imap_command_lsub ("", "*"), "M7 LSUB \"\" \"*\"\r\n");
}

static void
test_mailboxes (void)
{
  check (mm_imap_command_status ("Entw&APw-rfe", MM_IMAP_STATUS_BASIC),
         "M7 STATUS \"Entw&APw-rfe\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n");
  check (mm_imap_command_examine ("INBOX", FALSE), "M7 EXAMINE \"INBOX\"\r\n");
  check (mm_imap_command_examine ("", TRUE), "M7 EXAMINE \"\" (CONDSTORE)\r\n");
}

static void
test_examine_since (void)
{
  g_autoptr (MmUidSet) known = mm_uid_set_new ();

  mm_uid_set_add_range (known, 1, 29);
  check (mm_imap_command_examine_since ("a\"b", 7, 715194045007, known),
         "M7 EXAMINE \"a\\\"b\" (QRESYNC (7 715194045007 1:29))\r\n");
}

static void
test_uid_search (void)
{
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();

  mm_uid_set_add_range (uids, 3, 5);
  mm_uid_set_add (uids, 9);
  check (mm_imap_command_uid_search (NULL, FALSE), "M7 UID SEARCH ALL\r\n");
  check (mm_imap_command_uid_search (NULL, TRUE), "M7 UID SEARCH RETURN (ALL) ALL\r\n");
  check (mm_imap_command_uid_search (uids, TRUE), "M7 UID SEARCH RETURN (ALL) UID 3:5,9\r\n");
}

static void
test_uid_fetch (void)
{
  static const MmImapPartial partials[] = { { 0, 65536 }, { G_GUINT64_CONSTANT (1) << 40, 1 } };
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();
  MmImapFetchRequest listing = {
    .items = MM_IMAP_FETCH_FLAGS | MM_IMAP_FETCH_INTERNALDATE | MM_IMAP_FETCH_RFC822_SIZE,
    .header_fields = "SUBJECT",
  };
  MmImapFetchRequest bodies = { .whole_header = TRUE, .whole_body = TRUE };
  MmImapFetchRequest parts = { .partials = partials, .n_partials = 2 };
  MmImapFetchRequest changes = { .items = MM_IMAP_FETCH_MODSEQ, .changed_since = 12 };

  MmImapFetchRequest objects = {
    .items = MM_IMAP_FETCH_EMAILID | MM_IMAP_FETCH_GMAIL_ID | MM_IMAP_FETCH_GMAIL_LABELS,
  };

  mm_uid_set_add (uids, 4294967295);
  check (mm_imap_command_uid_fetch_from (1, &objects),
         "M7 UID FETCH 1:* (UID EMAILID X-GM-MSGID X-GM-LABELS)\r\n");
  check (mm_imap_command_uid_fetch_from (1, &listing),
         "M7 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE "
         "BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n");
  check (mm_imap_command_uid_fetch (uids, &bodies),
         "M7 UID FETCH 4294967295 (UID BODY.PEEK[HEADER] BODY.PEEK[])\r\n");
  check (mm_imap_command_uid_fetch (uids, &parts),
         "M7 UID FETCH 4294967295 (UID BODY.PEEK[]<0.65536> BODY.PEEK[]<1099511627776.1>)\r\n");
  check (mm_imap_command_uid_fetch (uids, &changes),
         "M7 UID FETCH 4294967295 (UID MODSEQ) (CHANGEDSINCE 12)\r\n");
}

static void
test_empty_set (void)
{
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();
  MmImapFetchRequest request = { .whole_body = TRUE };

  check_refused (mm_imap_command_uid_fetch (uids, &request), MM_ERROR_USAGE);
  check_refused (mm_imap_command_uid_search (uids, FALSE), MM_ERROR_USAGE);
}

/* Strings */

static void
test_strings_follow_what_the_server_offers (void)
{
  const MmImapEncoding plus = { .literal_plus = TRUE };
  const MmImapEncoding minus = { .literal_minus = TRUE };
  const MmImapEncoding utf8 = { .utf8 = TRUE };
  g_autofree gchar *short_name = g_strnfill (1024, 'a');
  g_autofree gchar *long_name = g_strnfill (4096, 'a');
  g_autofree gchar *longer_name = g_strnfill (4097, 'a');
  g_autofree gchar *quoted = g_strdup_printf ("M7 EXAMINE \"%s\"\r\n", short_name);
  g_autofree gchar *literal = g_strdup_printf ("M7 EXAMINE {4096+}\r\n%s\r\n", long_name);
  g_autofree gchar *waiting = g_strdup_printf ("M7 EXAMINE {4097}\r\n|%s\r\n", longer_name);

  check_with (plus, mm_imap_command_examine ("\xc3\xa4", FALSE), "M7 EXAMINE {2+}\r\n\xc3\xa4\r\n");
  check_with (minus, mm_imap_command_examine ("\xc3\xa4", TRUE),
              "M7 EXAMINE {2+}\r\n\xc3\xa4 (CONDSTORE)\r\n");
  check_with (utf8, mm_imap_command_examine ("\xc3\xa4", FALSE), "M7 EXAMINE \"\xc3\xa4\"\r\n");
  check_with (utf8, mm_imap_command_examine ("\xff", FALSE), "M7 EXAMINE {1}\r\n|\xff\r\n");
  check_with (minus, mm_imap_command_examine (short_name, FALSE), quoted);
  check_with (minus, mm_imap_command_examine (long_name, FALSE), literal);
  check_with (minus, mm_imap_command_examine (longer_name, FALSE), waiting);
}

static void
test_nothing_breaks_out (void)
{
  g_autoptr (MmSecret) nul = mm_secret_new ("a\0b", 3);
  g_autoptr (MmSecret) lines = mm_secret_new ("a\r\nM8 DELETE x\r\n", 16);
  MmImapFetchRequest bracket = { .header_fields = "X)] BODY[" };
  MmImapFetchRequest line = { .header_fields = "X\r\nM8 NOOP" };

  check (mm_imap_command_examine ("a\r\nM8 DELETE b", FALSE),
         "M7 EXAMINE {14}\r\n|a\r\nM8 DELETE b\r\n");
  check (mm_imap_command_examine ("a\nb", FALSE), "M7 EXAMINE {3}\r\n|a\nb\r\n");
  check (mm_imap_command_examine ("a\" b", FALSE), "M7 EXAMINE \"a\\\" b\"\r\n");
  check (mm_imap_command_login ("u", lines), "M7 LOGIN \"u\" {16}\r\n|a\r\nM8 DELETE x\r\n\r\n");
  check_refused (mm_imap_command_login ("u", nul), MM_ERROR_NAME_ENCODING);
  check_refused (mm_imap_command_enable ("X\r\nM8 DELETE y"), MM_ERROR_NAME_ENCODING);
  check_refused (mm_imap_command_enable (""), MM_ERROR_NAME_ENCODING);
  check_refused (mm_imap_command_uid_fetch_from (1, &bracket), MM_ERROR_NAME_ENCODING);
  check_refused (mm_imap_command_uid_fetch_from (1, &line), MM_ERROR_NAME_ENCODING);
}

/* The allow-list */

static void
check_submit (const gchar *name, const gchar *raw, MmImapSessionFlags flags, gboolean is_allowed)
{
  g_autoptr (MmImapSession) session = mm_imap_session_new (NULL, flags);
  MmImapCommand *command = mm_imap_command_new (name);
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) output = NULL;
  guint32 tag;

  mm_imap_command_add_raw (command, raw);
  tag = mm_imap_session_submit (session, command, &error);
  output = mm_imap_session_take_output (session);
  if (is_allowed)
    {
      g_assert_no_error (error);
      g_assert_cmpuint (tag, ==, 1);
      g_assert_nonnull (output);
    }
  else
    {
      g_assert_error (error, MM_ERROR, MM_ERROR_READ_ONLY);
      g_assert_cmpuint (tag, ==, 0);
      g_assert_null (output);
    }
}

static void
test_read_only_refuses_what_changes (void)
{
  static const gchar *const changing[] = {
    "SELECT",   "STORE",       "UID STORE",   "COPY",   "UID COPY", "MOVE",        "UID MOVE",
    "APPEND",   "EXPUNGE",     "UID EXPUNGE", "CREATE", "DELETE",   "RENAME",      "SUBSCRIBE",
    "CLOSE",    "UNSUBSCRIBE", "CHECK",       "SETACL", "FETCH",    "SETMETADATA", "STARTTLS",
    "SETQUOTA", "REPLACE",     "UID REPLACE", "",       "noop",     "X-ANYTHING",  "UID",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (changing); i++)
    {
      check_submit (changing[i], "", MM_IMAP_SESSION_READ_ONLY, FALSE);
      check_submit (changing[i], "", MM_IMAP_SESSION_DEFAULT, TRUE);
    }
}

static void
test_read_only_allows_what_reads (void)
{
  static const gchar *const reading[] = {
    "CAPABILITY", "ID",       "ENABLE", "AUTHENTICATE", "LOGIN",      "NAMESPACE",
    "LIST",       "LSUB",     "STATUS", "EXAMINE",      "UNSELECT",   "NOOP",
    "IDLE",       "COMPRESS", "NOTIFY", "LOGOUT",       "UID SEARCH",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (reading); i++)
    check_submit (reading[i], "", MM_IMAP_SESSION_READ_ONLY, TRUE);
}

static void
test_read_only_fetches_only_peek (void)
{
  static const gchar *const marking[] = {
    " 1 (BODY[])",      " 1 body[1]",     " 1 (UID BODY.PEEK[] BODY[HEADER])",
    " 1 RFC822",        " 1 rfc822.text", " 1 (RFC822.SIZE RFC822)",
    " 1 RFC822.HEADER", " 1 BINARY[1]",
  };
  static const gchar *const peeking[] = {
    " 1 (UID BODY.PEEK[])",
    " 1 RFC822.SIZE",
    " 1 (BODY.PEEK[1] BINARY.PEEK[1] BODYSTRUCTURE)",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (marking); i++)
    check_submit ("UID FETCH", marking[i], MM_IMAP_SESSION_READ_ONLY, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (peeking); i++)
    check_submit ("UID FETCH", peeking[i], MM_IMAP_SESSION_READ_ONLY, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/command/simple", test_simple);
  g_test_add_func ("/imap/command/login", test_login);
  g_test_add_func ("/imap/command/lists", test_lists);
  g_test_add_func ("/imap/command/mailboxes", test_mailboxes);
  g_test_add_func ("/imap/command/examine-since", test_examine_since);
  g_test_add_func ("/imap/command/uid-search", test_uid_search);
  g_test_add_func ("/imap/command/uid-fetch", test_uid_fetch);
  g_test_add_func ("/imap/command/empty-set-is-refused", test_empty_set);
  g_test_add_func ("/imap/command/strings-follow-what-the-server-offers",
                   test_strings_follow_what_the_server_offers);
  g_test_add_func ("/imap/command/nothing-breaks-out-of-a-string", test_nothing_breaks_out);
  g_test_add_func ("/imap/command/read-only-refuses-what-changes",
                   test_read_only_refuses_what_changes);
  g_test_add_func ("/imap/command/read-only-allows-what-reads", test_read_only_allows_what_reads);
  g_test_add_func ("/imap/command/read-only-fetches-only-peek", test_read_only_fetches_only_peek);
  return g_test_run ();
}
