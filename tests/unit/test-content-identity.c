// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/content-identity.h"

static gboolean
fits (const gchar *message_id, const gchar *stem, const gchar *text, gboolean is_whole)
{
  MmFetchTarget target = { .message_id = (gchar *) message_id, .stem = (gchar *) stem };
  g_autoptr (GBytes) octets = g_bytes_new_static (text, strlen (text));

  return mm_content_identity_fits (&target, octets, is_whole);
}

static void
test_message_id (void)
{
  g_assert_true (fits ("<a@x>", NULL, "Message-ID: <a@x>\r\n\r\ntext", TRUE));
  g_assert_false (fits ("<a@x>", NULL, "Message-ID: <b@x>\r\n\r\ntext", TRUE));
  g_assert_false (fits ("<a@x>", NULL, "From: me\r\n\r\nMessage-ID: <a@x>\r\n", TRUE));
  g_assert_true (fits ("", NULL, "From: me\n\ntext", TRUE));
  g_assert_false (fits ("", NULL, "Message-ID: <a@x>\n\ntext", TRUE));
  g_assert_true (fits (NULL, NULL, "Message-ID: <a@x>\r\n\r\ntext", TRUE));
}

static void
test_subject (void)
{
  g_assert_true (fits (NULL, "One-two", "Subject: One two\r\n\r\ntext", TRUE));
  g_assert_false (fits (NULL, "One-two", "Subject: Three\r\n\r\ntext", TRUE));
  g_assert_false (fits (NULL, "One-two", "From: me\r\n\r\nSubject: One two", TRUE));
  /* A listing by number asks for no subject. */
  g_assert_true (fits (NULL, NULL, "Subject: Three\r\n\r\ntext", TRUE));
  g_assert_false (fits ("<a@x>", "One", "Message-ID: <a@x>\r\nSubject: Two\r\n\r\n", TRUE));
}

static void
test_cut (void)
{
  /* The header goes on. */
  g_assert_true (fits ("<a@x>", "One", "Subject: Tw", FALSE));
  g_assert_false (fits ("<a@x>", "One", "Subject: Two\r\n\r\n", FALSE));
  /* All of the message is header. */
  g_assert_false (fits ("<a@x>", "One", "Subject: Two", TRUE));
  g_assert_true (fits (NULL, "One", "Subject: One", TRUE));
  g_assert_true (fits ("", NULL, "", TRUE));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/content/identity/message-id", test_message_id);
  g_test_add_func ("/content/identity/subject", test_subject);
  g_test_add_func ("/content/identity/header-that-is-cut", test_cut);
  return g_test_run ();
}
