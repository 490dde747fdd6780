// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/mail/message-id.h"

static void
assert_found (const gchar *header, gboolean is_whole, const gchar *expected)
{
  /* A copy without a NUL, so that a read beyond the end is noticed. */
  gsize length = strlen (header);
  g_autofree gchar *copy = g_memdup2 (header, MAX (length, 1));
  g_autofree gchar *id = mm_message_id_find (copy, length, is_whole);
  g_assert_cmpstr (id, ==, expected);
}

static void
test_found (void)
{
  assert_found ("Message-ID: <a@example.org>\r\n\r\nbody", FALSE, "<a@example.org>");
  assert_found ("Subject: x\r\nMESSAGE-id:<a@example.org>\r\n\r\n", FALSE, "<a@example.org>");
  assert_found ("Message-ID : <a@example.org>\r\n\r\n", FALSE, "<a@example.org>");
  assert_found ("Message-ID: <a@example.org>\n\n", FALSE, "<a@example.org>");
}

static void
test_folded (void)
{
  assert_found ("Message-ID:\r\n <a@example.org>\r\n\r\n", FALSE, "<a@example.org>");
  assert_found ("Message-ID: <a@\r\n\texample.org>\r\n\r\n", FALSE, "<a@\texample.org>");
}

static void
test_first_counts (void)
{
  assert_found ("Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", FALSE, "<a@b>");
}

static void
test_none (void)
{
  assert_found ("Subject: x\r\n\r\nMessage-ID: <in@body>\r\n", FALSE, "");
  assert_found ("\r\nMessage-ID: <in@body>\r\n", FALSE, "");
  assert_found ("X-Message-ID: <a@b>\r\nMessage-IDs: <c@d>\r\n\r\n", FALSE, "");
  assert_found ("Subject: a\r\n Message-ID: <in@subject>\r\n\r\n", FALSE, "");
  assert_found ("Message-ID:\r\n\r\n", FALSE, "");
  assert_found ("", TRUE, "");
  assert_found ("\r\n", TRUE, "");
}

static void
test_cut (void)
{
  static const gchar header[] = "Subject: x\r\nMessage-ID: <a@b>\r\nTo: y\r\n\r\n";
  gsize known = strlen ("Subject: x\r\nMessage-ID: <a@b>\r\nT");

  for (gsize length = 0; length < strlen (header); length++)
    {
      g_autofree gchar *copy = g_strndup (header, length);
      assert_found (copy, FALSE, length >= known ? "<a@b>" : NULL);
    }
  assert_found ("Message-ID: <a@b>", TRUE, "<a@b>");
  assert_found ("Message-ID: <a@b>\r\n", TRUE, "<a@b>");
}

static void
test_hostile (void)
{
  static const gchar nul[] = "Message-ID: <a\0b@c>\r\n\r\n";
  g_autofree gchar *id = mm_message_id_find (nul, sizeof nul - 1, FALSE);
  g_assert_cmpstr (id, ==, "<ab@c>");

  g_autofree gchar *latin = mm_message_id_find ("Message-ID: <\xe9@b>\r\n\r\n", 22, FALSE);
  g_assert_true (g_utf8_validate (latin, -1, NULL));
  assert_found ("Message-ID", TRUE, "");
  assert_found ("Message-ID:", TRUE, "");
  assert_found ("\n\n\n", TRUE, "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mail/message-id/found-in-any-case", test_found);
  g_test_add_func ("/mail/message-id/unfolded", test_folded);
  g_test_add_func ("/mail/message-id/first-one-counts", test_first_counts);
  g_test_add_func ("/mail/message-id/not-found-elsewhere", test_none);
  g_test_add_func ("/mail/message-id/cut-header-is-not-judged", test_cut);
  g_test_add_func ("/mail/message-id/hostile-octets", test_hostile);
  return g_test_run ();
}
