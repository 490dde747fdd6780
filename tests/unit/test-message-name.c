// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The golden vectors in this file freeze the names of messages. They are the names of files in
 * other people's backups: a change here makes every one of them be copied again.
 */
#include <string.h>

#include <mailmount/message-name.h>

#define A10 "aaaaaaaaaa"
#define A110 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static const struct
{
  const gchar *subject;
  const gchar *stem;
} golden_stems[] = {
  { NULL, NULL },
  { "", NULL },
  { "Hello", "Hello" },
  { "Re: Hello", "Re-Hello" },
  { "Fwd: [list] a/b\\c: \"x\" <y>?*|", "Fwd-[list]-a-b-c-x-y-" },
  { "a - b", "a---b" },
  { "a  \t b", "a-b" },
  { "snake_case_42.eml", "snake_case_42.eml" },
  { "%41 100%", "%41-100%" },
  { ".hidden", "-hidden" },
  { ".", "-" },
  { "..", "-." },
  { "...", "-.." },
  { "../../etc/passwd", "-.-..-etc-passwd" },
  { ".:x", "-x" },
  { ":.x", "-.x" },
  { "   ", "-" },
  { "???", "-" },
  { "-rf", "-rf" },
  { "~user $(x) `y` ; & !", "~user-$(x)-`y`-;-&-!" },
  { "a\nb\r\nc\x01\x1b[31md\x7f", "a-b-c-[31md-" },
  { "a\xc2\x85\xc2\x9b" "31mb", "a-31mb" },
  { "invoice\xe2\x80\xae" "fdp.exe", "invoice-fdp.exe" },   /* U+202E */
  { "\xe2\x81\xa6" "x\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f", "-x-" },
  { "a\xc2\xa0" "b\xe3\x80\x80" "c\xe2\x80\xa8" "d", "a-b-c-d" },
  { "e\xe2\x80\x8b" "f\xef\xbb\xbf", "e\xe2\x80\x8b" "f\xef\xbb\xbf" }, /* zero width: kept */
  { "Grüße aus Köln", "Grüße-aus-Köln" },
  { "שלום עולם", "שלום-עולם" },
  { "日本語の件名", "日本語の件名" },
  { "👩‍👩‍👧 🏳️‍🌈", "👩‍👩‍👧-🏳️‍🌈" },
  { "Zalgo\xcc\xb5\xcd\x9d", "Zalgo\xcc\xb5\xcd\x9d" },
  { "\xcc\x81" "x", "\xcc\x81" "x" },
  { "bad \xff\xc3 utf", "bad-\xef\xbf\xbd\xef\xbf\xbd-utf" },
  { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
  { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
  { "cut\xf0\x9f\x93", "cut\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
  /* The cut is at 116 octets, between characters. */
  { A110 "123456", A110 "123456" },
  { A110 "1234567", A110 "123456" },
  { A110 "12345 7", A110 "12345-" },
  { A110 "12\xf0\x9f\x93\xa7", A110 "12\xf0\x9f\x93\xa7" },
  { A110 "123\xf0\x9f\x93\xa7", A110 "123" },
  { A110 "1234\xe6\x97\xa5x", A110 "1234" },
  { A110 "12345\xc3\xa9", A110 "12345" },
  { A110 "123456\xcc\x81", A110 "123456" },
  { A110 "12345\xff", A110 "12345" },
};

static void
test_golden_stems (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (golden_stems); i++)
    {
      g_autofree gchar *stem = mm_message_name_clean_subject (golden_stems[i].subject);
      g_assert_cmpstr (stem, ==, golden_stems[i].stem);
    }
}

static const struct
{
  gint64 internaldate;
  const gchar *stem;
  guint64 number;
  const gchar *name;
} golden_names[] = {
  { 0, NULL, 1, "1970-01-01_1.eml" },
  { 0, "", 1, "1970-01-01_1.eml" },
  { 0, "Hello", 4711, "1970-01-01_Hello_4711.eml" },
  { 86399, "x", 2, "1970-01-01_x_2.eml" },
  { 86400, "x", 2, "1970-01-02_x_2.eml" },
  { -1, "x", 2, "1969-12-31_x_2.eml" },
  { 951782400, "leap", 3, "2000-02-29_leap_3.eml" },
  { 951868800, "leap", 3, "2000-03-01_leap_3.eml" },
  { 1709164800, "leap", 3, "2024-02-29_leap_3.eml" },
  { 1735689599, "x", 4294967295, "2024-12-31_x_4294967295.eml" },
  { 4107542400, "x", 5, "2100-03-01_x_5.eml" },
  { G_GINT64_CONSTANT (253402300799), "x", 6, "9999-12-31_x_6.eml" },
  { G_GINT64_CONSTANT (253402300800), "x", 6, "9999-12-31_x_6.eml" },
  { G_MAXINT64, "x", 6, "9999-12-31_x_6.eml" },
  { G_GINT64_CONSTANT (-62135596800), "x", 6, "0001-01-01_x_6.eml" },
  { G_MININT64, "x", 6, "0001-01-01_x_6.eml" },
  { 1700000000, "a_1.eml", 7, "2023-11-14_a_1.eml_7.eml" },
  { 1700000000, A110 "123456", G_GUINT64_CONSTANT (68719476735),
    "2023-11-14_" A110 "123456_68719476735.eml" },
  { 1700000000, A110 "1234\xe6\x97\xa5", 1, "2023-11-14_" A110 "1234_1.eml" },
};

static void
test_golden_names (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (golden_names); i++)
    {
      gchar name[MM_MESSAGE_NAME_SIZE];
      gsize length = mm_message_name_build (name, golden_names[i].internaldate,
                                            golden_names[i].stem, golden_names[i].number);
      guint64 number = 0;

      g_assert_cmpstr (name, ==, golden_names[i].name);
      g_assert_cmpuint (length, ==, strlen (name));
      g_assert_cmpint (mm_message_name_parse (name, &number), ==, MM_MESSAGE_NAME_FULL);
      g_assert_cmpuint (number, ==, golden_names[i].number);
    }
}

static void
test_longest_name_is_143_octets (void)
{
  gchar name[MM_MESSAGE_NAME_SIZE];
  g_autofree gchar *subject = g_strnfill (1 << 20, 'x');
  g_autofree gchar *stem = mm_message_name_clean_subject (subject);

  g_assert_cmpuint (mm_message_name_build (name, 0, stem, MM_MESSAGE_NUMBER_MAX), ==, 143);
  /* Even what the contract excludes stays inside the buffer. */
  g_assert_cmpuint (mm_message_name_build (name, 0, subject, G_MAXUINT64), <, sizeof name);
}

static void
test_stem_does_not_depend_on_the_number (void)
{
  gchar one[MM_MESSAGE_NAME_SIZE];
  gchar other[MM_MESSAGE_NAME_SIZE];
  g_autofree gchar *stem = mm_message_name_clean_subject (A110 A110);

  mm_message_name_build (one, 0, stem, 1);
  mm_message_name_build (other, 0, stem, MM_MESSAGE_NUMBER_MAX);
  g_assert_cmpmem (one, strlen (one) - strlen ("1.eml"), other,
                   strlen (other) - strlen ("68719476735.eml"));
}

static void
test_dates_agree_with_the_calendar (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint i = 0; i < 20000; i++)
    {
      gint64 seconds = (gint64) (g_rand_double (rand) * 3.1e11) - G_GINT64_CONSTANT (62000000000);
      g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
      g_autofree gchar *expected
          = g_strdup_printf ("%04d-%02d-%02d_1.eml", g_date_time_get_year (time),
                             g_date_time_get_month (time), g_date_time_get_day_of_month (time));
      gchar name[MM_MESSAGE_NAME_SIZE];

      mm_message_name_build (name, seconds, NULL, 1);
      g_assert_cmpstr (name, ==, expected);
    }
}

static void
test_bare_name_gives_the_number (void)
{
  static const guint64 numbers[] = { 1, 9, 10, 4294967295, MM_MESSAGE_NUMBER_MAX };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      gchar name[MM_MESSAGE_NAME_SIZE];
      guint64 number = 0;

      g_assert_cmpuint (mm_message_name_build_bare (name, numbers[i]), ==, strlen (name));
      g_assert_cmpint (mm_message_name_parse (name, &number), ==, MM_MESSAGE_NAME_BARE);
      g_assert_cmpuint (number, ==, numbers[i]);
    }
}

static void
test_other_names_are_no_messages (void)
{
  static const gchar *const names[] = {
    "", ".", "..", ".eml", "eml", "0.eml", "01.eml", "+1.eml", "-1.eml", " 1.eml", "1 .eml",
    "1.EML", "1.eml ", "1.em", "1", "1x.eml", "68719476736.eml", "99999999999.eml",
    "100000000000.eml", "18446744073709551617.eml", "_1.eml", "x_1.eml", "2024-01-01_.eml",
    "2024-01-01_x_.eml", "2024-01-01_x_0.eml", "2024-01-01_x_01.eml", "2024-01-01_x_1.eml.tmp",
    "2024-01-01.eml", "2024-01-01-1.eml", "2024-1-01_1.eml", "2024-01-01", ".2024-01-01_x_1.eml",
    "2024-01-01_x_68719476736.eml", "\xd9\xa1.eml",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      guint64 number = 42;
      g_test_message ("'%s'", names[i]);
      g_assert_cmpint (mm_message_name_parse (names[i], &number), ==, MM_MESSAGE_NAME_NONE);
      g_assert_cmpuint (number, ==, 42);
    }
}

/* Random octets, biased to what is dangerous, as a subject. */
static gchar *
random_subject (GRand *rand)
{
  static const gchar *const pieces[]
      = { "/", "..", ".", "\n", "\x01", "\xe2\x80\xae", "%41", "_", "-", ".eml", "\xff", "\xc3",
          "\xf0\x9f\x93\xa7", "日本", "é", "\xcc\x81", "\xc2\xa0", "word", "12", " ", "=?" };
  GString *subject = g_string_new (NULL);

  for (gint32 n = g_rand_int_range (rand, 0, 60); n > 0; n--)
    if (g_rand_boolean (rand))
      g_string_append (subject, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
    else
      g_string_append_c (subject, (gchar) g_rand_int_range (rand, 1, 256));
  return g_string_free (subject, FALSE);
}

static void
test_any_subject_makes_a_safe_name_that_parses_back (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);

  for (guint i = 0; i < 50000; i++)
    {
      g_autofree gchar *subject = random_subject (rand);
      g_autofree gchar *stem = mm_message_name_clean_subject (subject);
      gchar name[MM_MESSAGE_NAME_SIZE];
      guint64 number = 1 + g_rand_int (rand);
      guint64 parsed = 0;
      gsize length = mm_message_name_build (name, (gint64) g_rand_int (rand), stem, number);

      g_assert_cmpuint (length, ==, strlen (name));
      g_assert_cmpuint (length, <=, 143);
      g_assert_true (g_utf8_validate (name, -1, NULL));
      g_assert_null (strpbrk (name, "/\\:*?\"<>| \t\r\n\x01\x1b\x7f"));
      g_assert_cmpint (mm_message_name_parse (name, &parsed), ==, MM_MESSAGE_NAME_FULL);
      g_assert_cmpuint (parsed, ==, number);

      /* Cleaning what is clean changes nothing. */
      g_autofree gchar *again = mm_message_name_clean_subject (stem);
      g_assert_cmpstr (again, ==, stem);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message-name/golden-stems", test_golden_stems);
  g_test_add_func ("/message-name/golden-names", test_golden_names);
  g_test_add_func ("/message-name/longest-name-is-143-octets", test_longest_name_is_143_octets);
  g_test_add_func ("/message-name/stem-does-not-depend-on-the-number",
                   test_stem_does_not_depend_on_the_number);
  g_test_add_func ("/message-name/dates-agree-with-the-calendar",
                   test_dates_agree_with_the_calendar);
  g_test_add_func ("/message-name/bare-name-gives-the-number", test_bare_name_gives_the_number);
  g_test_add_func ("/message-name/other-names-are-no-messages", test_other_names_are_no_messages);
  g_test_add_func ("/message-name/any-subject-makes-a-safe-name-that-parses-back",
                   test_any_subject_makes_a_safe_name_that_parses_back);
  return g_test_run ();
}
