// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/subject.h>

static const struct
{
  const gchar *header;
  const gchar *value; /* NULL: none */
} headers[] = {
  { "Subject: Hello\r\n\r\n", "Hello" },
  { "subject:Hello\r\n\r\n", "Hello" },
  { "SUBJECT \t: Hello  \t\r\n\r\n", "Hello" },
  { "Subject: Hello\n\n", "Hello" },
  { "Subject: Hello", "Hello" },
  { "Subject: one\r\n two\r\n\tthree\r\n\r\n", "one two\tthree" },
  { "Subject:\r\n folded\r\n\r\n", "folded" },
  { "From: a@example.org\r\nSubject: second\r\nTo: b@example.org\r\n\r\n", "second" },
  { "X-Subject: no\r\n Subject: no\r\nSubject: yes\r\n\r\n", "yes" },
  { "Subjects: no\r\nSubject-X: no\r\n\r\n", NULL },
  { "Subject: first\r\nSubject: second\r\n\r\n", "first" },
  { "Subject: a\rb\r\n\r\n", "a\rb" },
  { "Subject:\r\n\r\n", NULL },
  { "Subject:   \r\n \t\r\n\r\n", NULL },
  { "Subject", NULL },
  { "Subj", NULL },
  { "\r\nSubject: in the body\r\n", NULL },
  { "\nSubject: in the body\r\n", NULL },
  { "", NULL },
  { "\r\n", NULL },
};

static void
test_find_unfolds (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      gsize length = 0;
      g_autofree gchar *value
          = mm_subject_find (headers[i].header, strlen (headers[i].header), &length);
      g_assert_cmpstr (value, ==, headers[i].value);
      g_assert_cmpuint (length, ==, value != NULL ? strlen (value) : 0);
    }
}

static void
test_find_keeps_nul (void)
{
  static const gchar header[] = "Subject: a\0b\r\n\r\n";
  gsize length = 0;
  g_autofree gchar *value = mm_subject_find (header, sizeof header - 1, &length);
  g_assert_cmpmem (value, length, "a\0b", 3);
}

static void
test_find_reads_nothing_behind_the_end (void)
{
  static const gchar header[] = "From: x\r\nSubject: one\r\n two\r\n\r\n";

  /* Each prefix in a block of its own, so that the sanitizer sees a read behind it. */
  for (gsize n = 0; n < sizeof header; n++)
    {
      gsize length = 0;
      g_autofree gchar *copy = g_memdup2 (header, n);
      g_autofree gchar *value = copy != NULL ? mm_subject_find (copy, n, &length) : NULL;
      g_assert_true (value == NULL || g_str_has_prefix ("one two", value));
    }
}

static const struct
{
  const gchar *raw;
  const gchar *decoded;
} subjects[] = {
  { "", NULL },
  { "  \t ", NULL },
  { "plain text", "plain text" },
  { " plain text ", "plain text" },
  { "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße" },
  { "=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße" },
  { "=?iso-8859-1?q?caf=E9_au_lait?=", "café au lait" },
  { "=?iso-8859-15?Q?100_=A4?=", "100 €" },
  { "=?windows-1252?Q?=93x=94?=", "“x”" },
  { "=?koi8-r?B?8NLJ18XU?=", "Привет" },
  { "=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "日本語" },
  { "=?gb2312?B?xOO6ww==?=", "你好" },
  { "=?us-ascii?Q?a?= =?us-ascii?Q?b?=", "ab" },
  { "=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c" },
  { "Re: =?utf-8*de?Q?=C3=A4?=", "Re: ä" }, /* RFC 2231 5: with a language */
  { "=?utf-8?B?8J+Tpw==?=", "📧" },
  /* A character split over two words, as poor senders do. */
  { "=?utf-8?Q?=F0=9F?= =?utf-8?Q?=93=A7?=", "📧" },
  { "not =? encoded", "not =? encoded" },
  { "=?utf-8?X?abc?=", "=?utf-8?X?abc?=" },
  { "=?utf-8?Q?open", "=?utf-8?Q?open" },
  { "=?=", "=?=" },
  { "=?" "?Q?" "?=", "=?" "?Q?" "?=" },
  /* Raw 8-bit: UTF-8 where it is, else Windows-1252. */
  { "Gr\xc3\xbc\xc3\x9f" "e", "Grüße" },
  { "caf\xe9", "café" },
  { "\x93quoted\x94", "“quoted”" },
};

static void
test_decode (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (subjects); i++)
    {
      g_autofree gchar *decoded = mm_subject_decode (subjects[i].raw, -1);
      g_assert_cmpstr (decoded, ==, subjects[i].decoded);
    }
}

static void
test_decode_repairs_what_no_charset_explains (void)
{
  static const gchar *const raws[] = {
    "=?no-such-charset?Q?=FF=FEabc?=", "=?utf-8?Q?bad=FFbyte?=", "=?utf-16?B?2AA=?=",
    "=?utf-7?Q?+AAAA-?=", "\x81\xff\xfe", "=?utf-8?Q?=00?=", "=?utf-8?B?AAEC?=",
    "=?utf-8?B?!!!!?=", "=?\xff?Q?x?=", "=?utf-8?Q?=ED=A0=80?=",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (raws); i++)
    {
      g_autofree gchar *decoded = mm_subject_decode (raws[i], -1);
      g_test_message ("%s -> %s", raws[i], decoded);
      g_assert_true (decoded == NULL || g_utf8_validate (decoded, -1, NULL));
    }
}

static void
test_decode_takes_nul_for_a_blank (void)
{
  g_autofree gchar *decoded = mm_subject_decode ("a\0b =?utf-8?Q?=C3=A4?=\0", 23);
  g_assert_cmpstr (decoded, ==, "a b ä");
}

static void
test_stem_from_header (void)
{
  static const gchar header[]
      = "Subject: =?utf-8?Q?Re=3A_Caf=C3=A9?=\r\n =?utf-8?Q?_a=2Fb=0Ac?=\r\n\r\n";
  g_autofree gchar *stem = mm_subject_stem_from_header (header, sizeof header - 1);
  g_autofree gchar *none = mm_subject_stem_from_header ("\r\n", 2);

  g_assert_cmpstr (stem, ==, "Re-Café-a-b-c");
  g_assert_null (none);
}

static void
test_any_octets_decode_to_utf8 (void)
{
  static const gchar *const pieces[]
      = { "=?", "?=", "utf-8", "iso-2022-jp", "?Q?", "?B?", "=C3", "=A4", "=00", "R3LDvMOf", " ",
          "\r\n ", "\xc3", "\xa4", "_", "shift_jis", "utf-16", "hz", "*de", "?", "=" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) raw = g_string_new (NULL);
      for (gint32 n = g_rand_int_range (rand, 0, 16); n > 0; n--)
        if (g_rand_int_range (rand, 0, 4) != 0)
          g_string_append (raw, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
        else
          g_string_append_c (raw, (gchar) g_rand_int_range (rand, 0, 256));

      g_autofree gchar *decoded = mm_subject_decode (raw->str, (gssize) raw->len);
      g_assert_true (decoded == NULL || g_utf8_validate (decoded, -1, NULL));
      g_assert_true (decoded == NULL || decoded[0] != '\0');
    }
}

static gpointer
decode_many (gpointer unused)
{
  for (guint i = 0; i < 200; i++)
    for (gsize j = 0; j < G_N_ELEMENTS (subjects); j++)
      {
        g_autofree gchar *decoded = mm_subject_decode (subjects[j].raw, -1);
        g_assert_cmpstr (decoded, ==, subjects[j].decoded);
      }
  return NULL;
}

static void
test_decode_from_many_threads (void)
{
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("decode", decode_many, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subject/decode-from-many-threads", test_decode_from_many_threads);
  g_test_add_func ("/subject/find-unfolds", test_find_unfolds);
  g_test_add_func ("/subject/find-keeps-nul", test_find_keeps_nul);
  g_test_add_func ("/subject/find-reads-nothing-behind-the-end",
                   test_find_reads_nothing_behind_the_end);
  g_test_add_func ("/subject/decode", test_decode);
  g_test_add_func ("/subject/decode-repairs-what-no-charset-explains",
                   test_decode_repairs_what_no_charset_explains);
  g_test_add_func ("/subject/decode-takes-nul-for-a-blank", test_decode_takes_nul_for_a_blank);
  g_test_add_func ("/subject/stem-from-header", test_stem_from_header);
  g_test_add_func ("/subject/any-octets-decode-to-utf8", test_any_octets_decode_to_utf8);
  return g_test_run ();
}
