// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/imap-backoff.h>

static void
test_words (void)
{
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Server Unavailable. 15; Request is throttled. "
                                             "Suggested Backoff Time: 299961 milliseconds"),
                    ==, 299961);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("suggested backoff time:7 ms."), ==, 7);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Backoff Time: 30 seconds"), ==, 30000);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Backoff Time: 12"), ==, 12);
}

static void
test_nothing_is_asked (void)
{
  g_assert_cmpuint (mm_imap_find_backoff_ms (NULL), ==, 0);
  g_assert_cmpuint (mm_imap_find_backoff_ms (""), ==, 0);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("too many connections"), ==, 0);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Suggested Backoff Time:"), ==, 0);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Suggested Backoff Time: -5 milliseconds"), ==, 0);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Suggested Backoff Time: soon"), ==, 0);
}

static void
test_absurd_numbers (void)
{
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Backoff Time: 99999999999999999999999 milliseconds"),
                    ==, MM_IMAP_BACKOFF_MS_MAX);
  g_assert_cmpuint (mm_imap_find_backoff_ms ("Backoff Time: 18446744073709551615 seconds"), ==,
                    MM_IMAP_BACKOFF_MS_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/backoff/words", test_words);
  g_test_add_func ("/imap/backoff/nothing-is-asked", test_nothing_is_asked);
  g_test_add_func ("/imap/backoff/absurd-numbers-are-bounded", test_absurd_numbers);
  return g_test_run ();
}
