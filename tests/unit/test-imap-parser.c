// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-trace.h"

static void
feed_parser (gpointer parser, const guint8 *data, gsize length)
{
  mm_imap_parser_feed (parser, data, length);
}

static gboolean
next_of_parser (gpointer parser, MmImapEvent *event, GError **error)
{
  return mm_imap_parser_next (parser, event, error);
}

static gchar *
trace_parser (const MmLimits *limits, const gchar *input, gsize length, gsize first,
              gsize piece)
{
  g_autoptr (MmImapParser) parser = mm_imap_parser_new (limits);

  return trace_cut (feed_parser, next_of_parser, parser, input, length, first, piece);
}

/* The same trace comes out whole, octet by octet, in pieces of every small size, and cut in two at
 * every octet. */
static void
check_octets (const MmLimits *limits, const gchar *input, gsize length, const gchar *expected)
{
  g_autofree gchar *whole = trace_parser (limits, input, length, length, length);

  g_assert_cmpstr (whole, ==, expected);
  for (gsize piece = 1; piece < MIN (length, 40); piece++)
    {
      g_autofree gchar *trace = trace_parser (limits, input, length, piece, piece);

      g_assert_cmpstr (trace, ==, expected);
    }
  for (gsize first = 1; first < MIN (length, 3000); first++)
    {
      g_autofree gchar *trace = trace_parser (limits, input, length, first, length);

      g_assert_cmpstr (trace, ==, expected);
    }
}

static void
check (const gchar *input, const gchar *expected)
{
  check_octets (NULL, input, strlen (input), expected);
}

/* Status responses */

static void
test_status (void)
{
  check ("* OK ready\r\n", "UNTAGGED OK text='ready'\n");
  check ("M1 OK done\r\n", "TAGGED OK tag=1 text='done'\n");
  check ("M4294967295 NO no\r\n", "TAGGED NO tag=4294967295 text='no'\n");
  check ("M1 BAD\r\n", "TAGGED BAD tag=1 text=''\n");
  check ("* BYE\r\n", "UNTAGGED BYE text=''\n");
  check ("* preauth hello\r\n", "UNTAGGED PREAUTH text='hello'\n");
  check ("+ go on\r\n+\r\n+ \r\n",
         "CONTINUATION text='go on'\nCONTINUATION text=''\nCONTINUATION text=''\n");
}

static void
test_status_codes (void)
{
  check ("* OK [UIDVALIDITY 4294967296] yes\r\n",
         "UNTAGGED OK code=24 number=4294967296 code='UIDVALIDITY 4294967296' text='yes'\n");
  check ("* OK [uidnext 7]\r\n", "UNTAGGED OK code=22 number=7 code='uidnext 7' text=''\n");
  check ("* OK [UIDNEXT seven] x\r\n", "UNTAGGED OK code=1 code='UIDNEXT seven' text='x'\n");
  check ("M1 NO [ALREADYEXISTS] there\r\n",
         "TAGGED NO tag=1 code=3 code='ALREADYEXISTS' text='there'\n");
  check ("* OK [X \"a ] b\" c] d\r\n", "UNTAGGED OK code=1 code='X \"a ] b\" c' text='d'\n");
  check ("* OK [X it\"s] d\r\n", "UNTAGGED OK code=1 code='X it\"s' text='d'\n");
  check ("* OK [no end\r\n", "UNTAGGED OK text='[no end'\n");
}

static void
test_capability_code_comes_before_its_status (void)
{
  check (
      "M2 OK [CAPABILITY IMAP4rev1 AUTH=plain  ID] in\r\n",
      "CAPABILITY\nTAGGED OK tag=2 code=1 code='CAPABILITY IMAP4rev1 AUTH=plain  ID' text='in'\n");
}

static void
test_nul_in_text_is_replaced (void)
{
  const gchar input[] = "* OK a\0b\r\n";

  check_octets (NULL, input, sizeof input - 1, "UNTAGGED OK text='a?b'\n");
}

static void
test_bare_line_feed_ends_a_line (void)
{
  check ("* OK a\n* 3 EXISTS\n* 1 FETCH (BODY[] {2}\nab)\n",
         "UNTAGGED OK text='a'\nEXISTS 3\nFETCH_BEGIN seq=1\n"
         "BODY_BEGIN section=BODY length=2 seq=1\nDATA ab\nBODY_END\nFETCH_END seq=1\n");
}

static void
test_broken_lines (void)
{
  static const gchar *const lines[] = {
    "\r\n",
    "* \r\n",
    "hello\r\n",
    "M01 OK\r\n",
    "M OK\r\n",
    "M0 OK\r\n",
    "M4294967296 OK\r\n",
    "a1 OK\r\n",
    "M1 PREAUTH\r\n",
    "M1 BYE\r\n",
    "M1\r\n",
    "* 12\r\n",
    "* 12x EXISTS\r\n",
    "* 1 EXPUNGE 2\r\n",
    "* 0 EXPUNGE\r\n",
    "* 99999999999999999999999 EXISTS\r\n",
    "* OK\rx\n* \001\r\n",
    "(\r\n",
    "\"*\" OK\r\n",
    "{3}\r\nabc",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree gchar *trace
          = trace_parser (NULL, lines[i], strlen (lines[i]), strlen (lines[i]), 1);

      if (!g_str_has_suffix (trace, "PROTOCOL\n"))
        g_error ("line %" G_GSIZE_FORMAT " gave %s", i, trace);
      check (lines[i], trace);
    }
}

static void
test_unknown_responses_are_skipped (void)
{
  check ("* X-WHAT \"a (\" (b {3}\r\n)\r\n c ~{1+}\r\nd) e\r\n* 5 RECENT\r\n* FLAGS (\\Seen)\r\n"
         "* ID (\"name\" \"x\")\r\n* 7 X-ODD a b\r\n* 1 EXISTS\r\n",
         "EXISTS 1\n");
}

/* Capabilities */

static void
test_capability (void)
{
  static const gchar input[]
      = "* CAPABILITY IMAP4rev1 LITERAL+ AUTH=SCRAM-SHA-256 auth=plain X-Y\r\n";
  g_autoptr (MmImapParser) parser = mm_imap_parser_new (NULL);
  const gchar *const *mechanisms;
  MmImapEvent event;
  g_autoptr (GError) error = NULL;

  check (input, "CAPABILITY\n");
  mm_imap_parser_feed (parser, (const guint8 *)input, sizeof input - 1);
  g_assert_true (mm_imap_parser_next (parser, &event, &error));
  g_assert_cmpint (mm_imap_parser_get_capabilities (parser), ==,
                   MM_IMAP_CAP_IMAP4REV1 | MM_IMAP_CAP_LITERAL_PLUS);
  mechanisms = mm_imap_parser_get_mechanisms (parser);
  g_assert_cmpstr (mechanisms[0], ==, "SCRAM-SHA-256");
  g_assert_cmpstr (mechanisms[1], ==, "PLAIN");
  g_assert_null (mechanisms[2]);
}

static void
test_enabled (void)
{
  check ("* ENABLED CONDSTORE  UTF8=ACCEPT\r\n* ENABLED\r\n",
         "ENABLED text='CONDSTORE UTF8=ACCEPT'\nENABLED text=''\n");
}

/* Mailboxes */

static void
test_list (void)
{
  check ("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Mail\"\r\n",
         "LIST name='Sent Mail' delimiter=/ attributes=200\n");
  check ("* LIST () NIL INBOX\r\n", "LIST name='INBOX'\n");
  check ("* LIST (\\NoSelect) \"/\" \"\"\r\n", "LIST name='' delimiter=/ attributes=1\n");
  check ("* LIST (\\NonExistent) \"\\\\\" \"a\\\\b \\\"c\\\"\"\r\n",
         "LIST name='a\\b \"c\"' delimiter=\\ attributes=3\n");
  check ("* LIST () {1}\r\n. {4}\r\nx\r\ny\r\n", "LIST name='x%0d%0ay' delimiter=.\n");
  check ("* LIST () \".\" [Gmail]/All~\r\n", "LIST name='[Gmail]/All~' delimiter=.\n");
  check ("* LIST () \"/\" ~home\r\n* LIST () \"/\" ~\r\n",
         "LIST name='~home' delimiter=/\nLIST name='~' delimiter=/\n");
  check ("* LSUB () \"/\" x\r\n", "LIST name='x' delimiter=/ lsub\n");
}

static void
test_list_extended_data_is_skipped (void)
{
  check (
      "* LIST (\\Subscribed) \"/\" \"b\" (\"CHILDINFO\" (\"SUBSCRIBED\") OLDNAME ({1}\r\na))\r\n",
      "LIST name='b' delimiter=/ attributes=8\n");
}

static void
test_list_is_strict_with_names (void)
{
  const gchar nul[] = "* LIST () \"/\" \"a\0b\"\r\n";
  const gchar literal_nul[] = "* LIST () \"/\" {3}\r\na\0b\r\n";

  check_octets (NULL, nul, sizeof nul - 1, "PROTOCOL\n");
  check_octets (NULL, literal_nul, sizeof literal_nul - 1, "PROTOCOL\n");
  check ("* LIST () \"/\" Sent Mail\r\n", "PROTOCOL\n");
  check ("* LIST () \"//\" x\r\n", "PROTOCOL\n");
  check ("* LIST () \"/\"\r\n", "PROTOCOL\n");
  check ("* LIST \"/\" x\r\n", "PROTOCOL\n");
  check ("* LIST () \"/\" \"a\r\nb\"\r\n", "PROTOCOL\n");
}

static void
test_mailbox_status (void)
{
  check ("* STATUS \"a b\" (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 1 HIGHESTMODSEQ "
         "18446744073709551615 X-NEW (a b) SIZE 12)\r\n",
         "STATUS name='a b' messages=231 uidnext=44292 uidvalidity=1 "
         "highestmodseq=18446744073709551615\n");
  check ("* STATUS {1}\r\nx ()\r\n", "STATUS name='x'\n");
  check ("* STATUS x (MAILBOXID (F2212ea8_7-6) MESSAGES 1)\r\n* STATUS y (MAILBOXID () MAILBOXID (a.b))\r\n",
         "STATUS name='x' messages=1 id=F2212ea8_7-6\nSTATUS name='y'\n");
  check ("* STATUS x (MAILBOXID ((a)))\r\n", "PROTOCOL\n");
  check ("* STATUS x (MESSAGES -1 UIDNEXT)\r\n", "STATUS name='x'\n");
  check ("* STATUS two  words x (MESSAGES 5)\r\n", "STATUS name='two words x' messages=5\n");
  check ("* STATUS x\r\n", "PROTOCOL\n");
  check ("* STATUS two words\r\n", "PROTOCOL\n");
  check ("* STATUS x (MESSAGES 1\r\n", "PROTOCOL\n");
}

static void
test_namespace (void)
{
  check ("* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))) NIL "
         "((\"#shared.\" NIL))\r\n",
         "NAMESPACE 0 prefix='' delimiter=/\nNAMESPACE 0 prefix='#mh/' delimiter=/\n"
         "NAMESPACE 2 prefix='#shared.'\n");
  check ("* NAMESPACE NIL NIL NIL\r\n* NAMESPACE NIL NIL NIL NIL\r\n", "PROTOCOL\n");
}

/* Numbers */

static void
test_search (void)
{
  check ("* SEARCH 5 3 4 9\r\n", "SEARCH 3:5,9\n");
  check ("* SEARCH\r\n* search \r\n", "SEARCH \nSEARCH \n");
  check ("* SEARCH 2 (MODSEQ 917162500)\r\n", "SEARCH 2\n");
  check ("* SEARCH 4294967295 1\r\n", "SEARCH 1,4294967295\n");
  check ("* SEARCH 0\r\n", "PROTOCOL\n");
  check ("* SEARCH 4294967296\r\n", "PROTOCOL\n");
}

static void
test_esearch (void)
{
  check ("* ESEARCH (TAG \"M12\") UID ALL 1:5,9,20:10\r\n", "SEARCH 1:5,9:20 tag=12\n");
  check ("* ESEARCH (TAG M12) UID COUNT 0\r\n", "SEARCH  tag=12\n");
  check ("* ESEARCH UID MIN 1 MAX 9 ALL 7 MODSEQ 8 PARTIAL (1:2 3,4)\r\n", "SEARCH 7\n");
  check ("* ESEARCH (TAG \"X\") UID\r\n", "SEARCH \n");
  check ("* ESEARCH (TAG \"M1\") ALL 1:5\r\n", "PROTOCOL\n");
  check ("* ESEARCH UID ALL 1:*\r\n", "PROTOCOL\n");
  check ("* ESEARCH UID ALL 1,\r\n", "PROTOCOL\n");
  check ("* ESEARCH UID ALL 1,,2\r\n", "PROTOCOL\n");
  check ("* ESEARCH UID ALL 1:2:3\r\n", "PROTOCOL\n");
}

static void
test_vanished (void)
{
  check ("* VANISHED (EARLIER) 41,43:116\r\n", "VANISHED 41,43:116 earlier\n");
  check ("* VANISHED 405,407\r\n", "VANISHED 405,407\n");
  check ("* VANISHED 405\r\n", "VANISHED 405\n");
  check ("* VANISHED\r\n", "PROTOCOL\n");
  check ("* VANISHED (EARLIER)\r\n", "PROTOCOL\n");
}

static void
test_exists_and_expunge (void)
{
  check ("* 18446744073709551615 EXISTS\r\n* 44 EXPUNGE\r\n* 3 expunged\r\n",
         "EXISTS 18446744073709551615\nEXPUNGE 44\nEXPUNGE 3\n");
}

/* FETCH */

static void
test_fetch_listing (void)
{
  check ("* 23 FETCH (UID 4827 FLAGS (\\Seen $Forwarded \\Recent \\deleted a]b) INTERNALDATE "
         "\"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44827 MODSEQ (12121231000) "
         "BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: hi\r\n\r\n)\r\n",
         "FETCH_BEGIN seq=23\n"
         "BODY_BEGIN section=HEADER_FIELDS length=15 seq=23 uid=4827 flags=9 "
         "keywords='$Forwarded a]b' date=837596665 size=44827 modseq=12121231000\n"
         "DATA Subject: hi%0d%0a%0d%0a\nBODY_END\n"
         "FETCH_END seq=23 uid=4827 flags=9 keywords='$Forwarded a]b' date=837596665 size=44827 "
         "modseq=12121231000\n");
}

static void
test_fetch_objects (void)
{
  check ("* 3 FETCH (EMAILID (M6d99ac3275bb4e_-) UID 7 emailid () EMAILID NIL)\r\n",
         "FETCH_BEGIN seq=3\nFETCH_END seq=3 uid=7 object=M6d99ac3275bb4e_-\n");
  check ("* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"\\\\Sent\" Important "
         "\"Muy Importante\" {3}\r\na b \"\") UID 4)\r\n* 2 FETCH (UID 5 X-GM-LABELS ())\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=4 object=1278455344230334865 "
         "labels='\\Inbox%0a\\Sent%0aImportant%0aMuy Importante%0aa b%0a%0a'\n"
         "FETCH_BEGIN seq=2\nFETCH_END seq=2 uid=5 labels=''\n");
  /* One that cannot be one is not given. */
  check ("* 1 FETCH (EMAILID (a.b) UID 1 X-GM-MSGID EMAILID X-GM-LABELS UID 1)\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1\n");
}

static void
test_fetch_uid_after_body (void)
{
  check ("* 1 FETCH (BODY[] {3}\r\na)\r UID 7)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY length=3 seq=1\nDATA a)%0d\nBODY_END\n"
         "FETCH_END seq=1 uid=7\n");
}

static void
test_fetch_body_forms (void)
{
  check ("* 1 FETCH (BODY[] \"a\\\"b\" UID 1)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY length=3 seq=1\nDATA a\"b\nBODY_END\n"
         "FETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH (BODY[] \"\" BODY[HEADER] {0}\r\n)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY length=0 seq=1\nBODY_END\n"
         "BODY_BEGIN section=HEADER length=0 seq=1\nBODY_END\nFETCH_END seq=1\n");
  check ("* 1 FETCH (BODY[] NIL UID 1)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY nil seq=1\nBODY_END\nFETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH (BODY[]<100> ~{2}\r\nab body.peek[]<200> {1+}\r\nc)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY offset=100 length=2 seq=1\nDATA ab\nBODY_END\n"
         "BODY_BEGIN section=BODY offset=200 length=1 seq=1\nDATA c\nBODY_END\nFETCH_END seq=1\n");
  check ("* 1 FETCH (BODY[]<100.7> {2}\r\nab)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY offset=100 length=2 seq=1\nDATA ab\nBODY_END\n"
         "FETCH_END seq=1\n");
  check ("* 1 FETCH (BODY[1.2.MIME] {1}\r\nx)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=OTHER length=1 seq=1\nDATA x\nBODY_END\n"
         "FETCH_END seq=1\n");
}

static void
test_fetch_header_fields_forms (void)
{
  static const gchar *const names[] = {
    "BODY[HEADER.FIELDS (SUBJECT)]",
    "BODY[HEADER.FIELDS (\"SUBJECT\" \"x]\\\"]\")]",
    "body[header.fields(Subject)]",
    "BODY[Header.Fields ( subject )]",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree gchar *input = g_strdup_printf ("* 1 FETCH (%s {1}\r\nx)\r\n", names[i]);

      check (input, "FETCH_BEGIN seq=1\nBODY_BEGIN section=HEADER_FIELDS length=1 seq=1\nDATA x\n"
                    "BODY_END\nFETCH_END seq=1\n");
    }
  check ("* 1 FETCH (BODY[HEADER.FIELDS.NOT (A)] {1}\r\nx)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=OTHER length=1 seq=1\nDATA x\nBODY_END\n"
         "FETCH_END seq=1\n");
}

static void
test_fetch_binary_body (void)
{
  const gchar input[] = "* 1 FETCH (BODY[] {6}\r\n\0\xff\r\n)\n UID 1)\r\n";

  check_octets (NULL, input, sizeof input - 1,
                "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY length=6 seq=1\n"
                "DATA %00%ff%0d%0a)%0a\nBODY_END\nFETCH_END seq=1 uid=1\n");
}

static void
test_fetch_items_without_value (void)
{
  check ("* 1 FETCH (UID 5 BODY[])\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY nil seq=1 uid=5\nBODY_END\n"
         "FETCH_END seq=1 uid=5\n");
  check ("* 1 FETCH (FLAGS BODY[] RFC822.SIZE UID 5 INTERNALDATE MODSEQ)\r\n",
         "FETCH_BEGIN seq=1\nBODY_BEGIN section=BODY nil seq=1\nBODY_END\nFETCH_END seq=1 uid=5\n");
  check ("* 1 FETCH ()\r\n", "FETCH_BEGIN seq=1\nFETCH_END seq=1\n");
}

static void
test_fetch_unknown_items_are_skipped (void)
{
  check (
      "* 1 FETCH (ENVELOPE (\"d\" \"s (\" ((\"n\" NIL {1}\r\n( \"h\")) NIL) X-GM-THRID 1278455344 "
      "X-OTHER (\\Inbox \"a b\" {2}\r\n))) BODYSTRUCTURE ((\"text\" \"plain\" NIL 7 (\"a\" "
      "\"b\"))(\"x\") \"mixed\") RFC822.HEADER {2}\r\nxx UID 9 THREADID (M1) X \"q\")\r\n",
      "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=9\n");
}

static void
test_fetch_harmless_nonsense_is_tolerated (void)
{
  check ("* 1 FETCH (UID 1 RFC822.SIZE -5)\r\n", "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH (UID 1 RFC822.SIZE 99999999999999999999)\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH (UID 1 INTERNALDATE \"yesterday\" MODSEQ (x))\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH (RFC822.SIZE large INTERNALDATE 12345 UID 1)\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1\n");
  check ("* 1 FETCH  ( UID  1  FLAGS  ( ) )  \r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1 flags=0 keywords=''\n");
  check ("* 1 FETCH (FLAGS(\\Seen)UID 1)\r\n",
         "FETCH_BEGIN seq=1\nFETCH_END seq=1 uid=1 flags=1 keywords=''\n");
}

static void
test_fetch_dangerous_nonsense_is_refused (void)
{
  static const gchar *const items[] = {
    "UID 0",
    "UID 4294967296",
    "UID -1",
    "UID 1 UID 2",
    "BODY[] {99999999999999999999}\r\n",
    "BODY[] {-1}\r\n",
    "BODY[] {}\r\n",
    "BODY[] {1\r\n",
    "BODY[] {1}x",
    "BODY[] {1 }\r\n",
    "BODY[] {1}\rx",
    "BODY[]{1}\r\nx",
    "BODY[] {1++}\r\nx",
    "BODY[] (a)",
    "BODY[] 5",
    "BODY[<5> {1}\r\nx",
    "BODY[]<x> {1}\r\nx",
    "BODY[]<> NIL",
    "BODY[]<1.> NIL",
    "BODY[]<.1> NIL",
    "BODY[]<1.2.3> NIL",
    "BODY[]x NIL",
    "BODY[ \r\n]",
    "\"UID\" 1",
    "5 UID",
    "FLAGS (\\Seen",
    "FLAGS (\"x\r\n",
    "UID 1\r\n",
    "(UID 1)",
    "FLAGS ((a))",
    "EMAILID (a b)",
    "EMAILID ((a))",
    "X-GM-LABELS ((a))",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    {
      g_autofree gchar *input = g_strdup_printf ("* 1 FETCH (%s)\r\n", items[i]);
      g_autofree gchar *trace = trace_parser (NULL, input, strlen (input), strlen (input), 1);

      if (!g_str_has_suffix (trace, "PROTOCOL\n"))
        g_error ("“%s” gave %s", input, trace);
      check (input, trace);
    }
  check ("* 0 FETCH (UID 1)\r\n", "PROTOCOL\n");
  check ("* 1 FETCH UID 1\r\n", "PROTOCOL\n");
  check ("* 1 FETCH (UID 1) x\r\n", "FETCH_BEGIN seq=1\nPROTOCOL\n");
}

/* Limits */

static void
check_limit (const MmLimits *limits, const gchar *below, const gchar *beyond)
{
  g_autofree gchar *fits = trace_parser (limits, below, strlen (below), strlen (below), 1);
  g_autofree gchar *exceeds = trace_parser (limits, beyond, strlen (beyond), strlen (beyond), 1);

  g_assert_false (g_str_has_suffix (fits, "LIMIT\n"));
  g_assert_false (g_str_has_suffix (fits, "PROTOCOL\n"));
  g_assert_true (g_str_has_suffix (exceeds, "LIMIT\n"));
  check_octets (limits, below, strlen (below), fits);
  check_octets (limits, beyond, strlen (beyond), exceeds);
}

static void
test_limit_strings (void)
{
  MmLimits limits = mm_limits_default;

  limits.string_octets = 10;
  check_limit (&limits, "* LIST () NIL 1234567890\r\n", "* LIST () NIL 12345678901\r\n");
  check_limit (&limits, "* LIST () NIL \"123456789\\\"\"\r\n",
               "* LIST () NIL \"1234567890\\\"\"\r\n");
  check_limit (&limits, "* LIST () NIL {10}\r\n1234567890\r\n",
               "* LIST () NIL {11}\r\n12345678901\r\n");
  check_limit (&limits, "* OK 34567890\r\n", "* OK 345678901\r\n");
  check_limit (&limits, "* 1 FETCH (BODY[A])\r\n", "* 1 FETCH (BODY[ABCDEF])\r\n");
  check_limit (&limits, "* 1 FETCH (FLAGS (a b c d e))\r\n", "* 1 FETCH (FLAGS (a b c d e f))\r\n");
  /* A NUL behind the limit is not looked at. */
  check_limit (&limits, "* X 1\r\n", "* X 123456789012\001\r\n");
}

static void
test_limit_lines_without_literals (void)
{
  MmLimits limits = mm_limits_default;

  limits.line_octets = 40;
  check_limit (&limits,
               "* 1 FETCH (BODY[] {50}\r\n12345678901234567890123456789012345678901234567890)\r\n",
               "* 1 FETCH (UID 1                        )\r\n");
  check_limit (&limits, "* OK 6789012345678901234567890123456789\n* 1 EXISTS\r\n",
               "* OK 67890123456789012345678901234567890\n");
  check_limit (&limits, "* SEARCH 1 2 3\r\n", "* SEARCH 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9\r\n");
}

static void
test_limit_literals (void)
{
  MmLimits limits = mm_limits_default;

  limits.literal_octets = 9;
  check_limit (&limits, "* 1 FETCH (BODY[] {9}\r\n123456789)\r\n", "* 1 FETCH (BODY[] {10}\r\n");
}

static void
test_limit_counts (void)
{
  MmLimits limits = mm_limits_default;

  limits.nesting = 3;
  limits.list_entries = 9;
  limits.capabilities = 3;
  limits.flags = 2;
  limits.set_ranges = 2;
  check_limit (&limits, "* 1 FETCH (X (((a))))\r\n", "* 1 FETCH (X ((((a)))))\r\n");
  check_limit (&limits, "* 1 FETCH (X (1 2 3 4 5 6))\r\n", "* 1 FETCH (X (1 2 3 4 5 6 7 8 9))\r\n");
  check_limit (&limits, "* CAPABILITY A B C\r\n", "* CAPABILITY A B C D\r\n");
  check_limit (&limits, "* OK [CAPABILITY A B C] x\r\n", "* OK [CAPABILITY A B C D] x\r\n");
  check_limit (&limits, "* 1 FETCH (FLAGS (\\Seen b))\r\n", "* 1 FETCH (FLAGS (\\Seen b c))\r\n");
  check_limit (&limits, "* SEARCH 1 2 3 5\r\n", "* SEARCH 1 3 5\r\n");
  check_limit (&limits, "* VANISHED 1:3,5\r\n", "* VANISHED 1:3,5,9\r\n");
}

/* Size */

static void
test_one_line_of_100000_uids (void)
{
  g_autoptr (GString) line = g_string_new ("* SEARCH");
  g_autoptr (MmImapParser) parser = mm_imap_parser_new (NULL);
  g_autoptr (GError) error = NULL;
  MmImapEvent event;

  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (line, " %u", 4000000000u - 2 * i);
  g_string_append (line, "\r\n");
  mm_imap_parser_feed (parser, (const guint8 *)line->str, line->len);
  g_assert_true (mm_imap_parser_next (parser, &event, &error));
  g_assert_cmpuint (mm_uid_set_count (event.uids), ==, 100000);
}

static void
test_body_data_points_into_the_input (void)
{
  g_autoptr (GString) input = g_string_new ("* 1 FETCH (BODY[] {1000000}\r\n");
  g_autoptr (MmImapParser) parser = mm_imap_parser_new (NULL);
  gsize start = input->len;
  g_autoptr (GError) error = NULL;
  MmImapEvent event;

  g_string_set_size (input, start + 1000000);
  mm_imap_parser_feed (parser, (const guint8 *)input->str, input->len);
  g_assert_true (mm_imap_parser_next (parser, &event, &error));
  g_assert_true (mm_imap_parser_next (parser, &event, &error));
  g_assert_true (mm_imap_parser_next (parser, &event, &error));
  g_assert_cmpint (event.type, ==, MM_IMAP_EVENT_BODY_DATA);
  g_assert_true (event.data == (const guint8 *)input->str + start);
  g_assert_cmpuint (event.length, ==, 1000000);
}

/* Damage */

static const gchar sample[]
    = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n* CAPABILITY A B\r\n* ENABLED X\r\n"
      "* LIST (\\Sent) \"/\" {3}\r\na b (\"CHILDINFO\" (\"A\"))\r\n* STATUS \"a\\\"b\" (MESSAGES 1 "
      "X (y))\r\n"
      "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n* SEARCH 1 2 9 (MODSEQ 4)\r\n+ go\r\n"
      "* ESEARCH (TAG \"M1\") UID COUNT 3 ALL 1:5,9\r\n* VANISHED (EARLIER) 1,2:3\r\n* 3 EXISTS\r\n"
      "* 2 FETCH (UID 7 FLAGS (\\Seen a) INTERNALDATE \" 1-Jan-2000 00:00:00 +0000\" RFC822.SIZE 5 "
      "MODSEQ (3) EMAILID (M1) X-GM-MSGID 5 X-GM-LABELS (a {1}\r\nb \"c\") BODY[HEADER.FIELDS (\"A\")] {4}\r\na\r\nb BODY[]<0> ~{2+}\r\n)( ENVELOPE ((NIL "
      "\"x\" "
      "{1}\r\n))) BODY[1] \"q\" BODY[] NIL)\r\n* 5 EXPUNGE\r\n* X (\"a {2}\" {1}\r\n\n)\r\nM1 OK "
      "[UIDNEXT 5] x\r\n";

/* Octets of the sample are dropped, doubled, or replaced by such that mean something. Whatever
 * comes out, it is the same however the input is cut. */
static void
test_random_damage (void)
{
  g_autofree gchar *undamaged
      = trace_parser (NULL, sample, sizeof sample - 1, sizeof sample - 1, 1);
  static const gchar alphabet[] = "()\"\\{}[]<>~+* \r\n\t,:0159AN\377";

  g_assert_true (
      g_str_has_suffix (undamaged, "TAGGED OK tag=1 code=22 number=5 code='UIDNEXT 5' text='x'\n"));
  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (GString) input = g_string_new_len (sample, sizeof sample - 1);
      MmLimits limits = mm_limits_default;
      g_autofree gchar *whole = NULL;

      if (g_test_rand_bit ())
        {
          limits.string_octets = (gsize)g_test_rand_int_range (1, 40);
          limits.line_octets = (gsize)g_test_rand_int_range (1, 400);
        }
      for (gint i = g_test_rand_int_range (0, 4); i > 0; i--)
        {
          gsize at = (gsize)g_test_rand_int_range (0, (gint32)input->len);
          gchar octet = alphabet[g_test_rand_int_range (0, sizeof alphabet)]; /* NUL too */

          if (g_test_rand_bit ())
            input->str[at] = octet;
          else if (g_test_rand_bit ())
            g_string_erase (input, (gssize)at, 1);
          else
            g_string_insert_c (input, (gssize)at, octet);
        }
      whole = trace_parser (&limits, input->str, input->len, input->len, 1);
      for (guint i = 0; i < 6; i++)
        {
          gsize first = (gsize)g_test_rand_int_range (1, (gint32)input->len);
          g_autofree gchar *cut = trace_parser (&limits, input->str, input->len, first,
                                                i < 2 ? 1 : (gsize)g_test_rand_int_range (1, 50));

          g_assert_cmpstr (cut, ==, whole);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/parser/status", test_status);
  g_test_add_func ("/imap/parser/status-codes", test_status_codes);
  g_test_add_func ("/imap/parser/capability-code-comes-before-its-status",
                   test_capability_code_comes_before_its_status);
  g_test_add_func ("/imap/parser/nul-in-text-is-replaced", test_nul_in_text_is_replaced);
  g_test_add_func ("/imap/parser/bare-line-feed-ends-a-line", test_bare_line_feed_ends_a_line);
  g_test_add_func ("/imap/parser/broken-lines-are-refused", test_broken_lines);
  g_test_add_func ("/imap/parser/unknown-responses-are-skipped",
                   test_unknown_responses_are_skipped);
  g_test_add_func ("/imap/parser/capability", test_capability);
  g_test_add_func ("/imap/parser/enabled", test_enabled);
  g_test_add_func ("/imap/parser/list", test_list);
  g_test_add_func ("/imap/parser/list-extended-data-is-skipped",
                   test_list_extended_data_is_skipped);
  g_test_add_func ("/imap/parser/list-is-strict-with-names", test_list_is_strict_with_names);
  g_test_add_func ("/imap/parser/mailbox-status", test_mailbox_status);
  g_test_add_func ("/imap/parser/namespace", test_namespace);
  g_test_add_func ("/imap/parser/search", test_search);
  g_test_add_func ("/imap/parser/esearch", test_esearch);
  g_test_add_func ("/imap/parser/vanished", test_vanished);
  g_test_add_func ("/imap/parser/exists-and-expunge", test_exists_and_expunge);
  g_test_add_func ("/imap/parser/fetch-listing", test_fetch_listing);
  g_test_add_func ("/imap/parser/fetch-objects", test_fetch_objects);
  g_test_add_func ("/imap/parser/fetch-uid-after-body", test_fetch_uid_after_body);
  g_test_add_func ("/imap/parser/fetch-body-forms", test_fetch_body_forms);
  g_test_add_func ("/imap/parser/fetch-header-fields-forms", test_fetch_header_fields_forms);
  g_test_add_func ("/imap/parser/literal-split-across-feeds", test_fetch_binary_body);
  g_test_add_func ("/imap/parser/fetch-items-without-value", test_fetch_items_without_value);
  g_test_add_func ("/imap/parser/fetch-unknown-items-are-skipped",
                   test_fetch_unknown_items_are_skipped);
  g_test_add_func ("/imap/parser/fetch-harmless-nonsense-is-tolerated",
                   test_fetch_harmless_nonsense_is_tolerated);
  g_test_add_func ("/imap/parser/fetch-dangerous-nonsense-is-refused",
                   test_fetch_dangerous_nonsense_is_refused);
  g_test_add_func ("/imap/parser/limit-strings", test_limit_strings);
  g_test_add_func ("/imap/parser/limit-lines-without-literals", test_limit_lines_without_literals);
  g_test_add_func ("/imap/parser/limit-literals", test_limit_literals);
  g_test_add_func ("/imap/parser/limit-counts", test_limit_counts);
  g_test_add_func ("/imap/parser/one-line-of-100000-uids", test_one_line_of_100000_uids);
  g_test_add_func ("/imap/parser/body-data-points-into-the-input",
                   test_body_data_points_into_the_input);
  g_test_add_func ("/imap/parser/random-damage-gives-one-trace", test_random_damage);
  return g_test_run ();
}
