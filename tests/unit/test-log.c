// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>

#include "test-directory.h"

static void
assert_printable (const gchar *raw, const gchar *expected)
{
  g_autofree gchar *found = mm_log_printable (raw);

  g_assert_cmpstr (found, ==, expected);
}

static void
test_plain_text_is_left_alone (void)
{
  assert_printable ("", "");
  assert_printable ("Gr\303\274\303\237e, \344\275\240\345\245\275 \360\237\230\200 ~",
                    "Gr\303\274\303\237e, \344\275\240\345\245\275 \360\237\230\200 ~");
}

static void
test_controls_are_escaped (void)
{
  assert_printable ("a\nb\tc\rd\033[31m\177", "a\\x0ab\\x09c\\x0dd\\x1b[31m\\x7f");
  assert_printable ("\302\233x", "\\x9bx"); /* C1: the one-octet CSI of a terminal */
}

static void
test_deceptive_characters_are_escaped (void)
{
  assert_printable ("a\342\200\256b", "a\\u{202e}b");
  assert_printable ("\342\201\246x\342\201\251", "\\u{2066}x\\u{2069}");
  assert_printable ("\342\200\250", "\\u{2028}");
  assert_printable ("\357\273\277", "\\u{feff}");
}

static void
test_octets_that_are_no_utf8_are_escaped (void)
{
  assert_printable ("\377x\300\200", "\\xffx\\xc0\\x80");
  assert_printable ("cut \303", "cut \\xc3");
  assert_printable ("\355\240\200", "\\xed\\xa0\\x80"); /* a surrogate */
}

/* Whatever comes in, what goes out is one line of valid UTF-8 without controls. */
static void
test_random_octets_come_out_as_one_valid_line (void)
{
  for (guint round = 0; round < 2000; round++)
    {
      gchar raw[64];
      gsize length = (gsize) g_test_rand_int_range (0, sizeof raw);

      for (gsize i = 0; i < length; i++)
        raw[i] = (gchar) g_test_rand_int_range (1, 256);
      raw[length] = '\0';

      g_autofree gchar *found = mm_log_printable (raw);
      g_assert_true (g_utf8_validate (found, -1, NULL));
      for (const gchar *p = found; *p != '\0'; p = g_utf8_next_char (p))
        g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));
    }
}

static gchar *
read_log (const gchar *path)
{
  gchar *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
test_file_gets_whole_lines_of_the_level (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, "log", NULL);
  GStatBuf status;

  g_assert_true (mm_log_to_file (path, NULL));
  mm_log_warning ("first %d\nsecond", 7);
  mm_log_debug ("not at this level");
  mm_log_set_level (MM_LOG_DEBUG);
  mm_log_debug ("at this one");
  mm_log_set_level (MM_LOG_ERROR);
  mm_log_warning ("not any more");
  mm_log_set_level (MM_LOG_INFO);
  mm_log_to_stderr ();

  g_autofree gchar *text = read_log (path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_true (g_str_has_suffix (lines[0], "Z warning: first 7\\x0asecond"));
  g_assert_true (g_str_has_suffix (lines[1], "Z debug: at this one"));
  g_assert_cmpstr (lines[2], ==, "");
  g_assert_no_errno (g_stat (path, &status));
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
}

static void
test_file_is_appended_to (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, "log", NULL);

  g_assert_true (g_file_set_contents (path, "old\n", -1, NULL));
  g_assert_true (mm_log_to_file (path, NULL));
  mm_log_info ("new");
  mm_log_to_stderr ();
  g_autofree gchar *text = read_log (path);
  g_assert_true (g_str_has_prefix (text, "old\n2"));
}

static void
test_file_that_cannot_be_opened_keeps_the_sink (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, "log", NULL);
  g_autofree gchar *nowhere = g_build_filename (directory, "missing", "log", NULL);
  g_autofree gchar *link = g_build_filename (directory, "link", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (mm_log_to_file (path, NULL));
  g_assert_false (mm_log_to_file (nowhere, &error));
  g_assert_nonnull (error);
  g_assert_no_errno (symlink (path, link));
  g_assert_false (mm_log_to_file (link, NULL));
  mm_log_info ("still here");
  mm_log_to_stderr ();
  g_autofree gchar *text = read_log (path);
  g_assert_nonnull (strstr (text, "still here"));
}

#define N_THREADS 4
#define N_LINES   200

static gpointer
log_lines (gpointer data)
{
  for (guint i = 0; i < N_LINES; i++)
    mm_log_info ("thread-%d-%s-end", GPOINTER_TO_INT (data), "a line that is not cut in two");
  return NULL;
}

static void
test_threads_do_not_mix_lines (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, "log", NULL);
  GThread *threads[N_THREADS];

  g_assert_true (mm_log_to_file (path, NULL));
  for (gint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("logger", log_lines, GINT_TO_POINTER (i));
  for (gint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  mm_log_to_stderr ();

  g_autofree gchar *text = read_log (path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, N_THREADS * N_LINES + 1);
  for (guint i = 0; i < N_THREADS * N_LINES; i++)
    {
      g_assert_true (g_str_has_prefix (lines[i], "20"));
      g_assert_true (g_str_has_suffix (lines[i], "-a line that is not cut in two-end"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/log/plain-text-is-left-alone", test_plain_text_is_left_alone);
  g_test_add_func ("/base/log/controls-are-escaped", test_controls_are_escaped);
  g_test_add_func ("/base/log/deceptive-characters-are-escaped",
                   test_deceptive_characters_are_escaped);
  g_test_add_func ("/base/log/octets-that-are-no-utf8-are-escaped",
                   test_octets_that_are_no_utf8_are_escaped);
  g_test_add_func ("/base/log/random-octets-come-out-as-one-valid-line",
                   test_random_octets_come_out_as_one_valid_line);
  g_test_add_func ("/base/log/file-gets-whole-lines-of-the-level",
                   test_file_gets_whole_lines_of_the_level);
  g_test_add_func ("/base/log/file-is-appended-to", test_file_is_appended_to);
  g_test_add_func ("/base/log/file-that-cannot-be-opened-keeps-the-sink",
                   test_file_that_cannot_be_opened_keeps_the_sink);
  g_test_add_func ("/base/log/threads-do-not-mix-lines", test_threads_do_not_mix_lines);
  return g_test_run ();
}
