// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/message-header.h>

#define RECEIVED                                                                                   \
  "Received: from a.example (a.example [192.0.2.1])\r\n\tby mx.example with ESMTP; \r\n"           \
  "\tTue, 02 Jan 2024 10:00:00 +0200\r\n"                                                          \
  "Received: from b.example by a.example; Mon, 01 Jan 2024 07:00:00 +0000\r\n"

static gint64
date_of (const gchar *header)
{
  return mm_message_header_get_date (header, strlen (header));
}

static void
test_newest_received (void)
{
  g_assert_cmpint (date_of (RECEIVED "Date: Sun, 31 Dec 2023 00:00:00 +0000\r\n\r\n"), ==,
                   1704182400);
}

static void
test_date_where_received_has_none (void)
{
  g_assert_cmpint (date_of ("Received: by mx.example id 7\r\ndate : 1 Jan 2024 00:00:00 +0000\r\n"),
                   ==, 1704067200);
  g_assert_cmpint (date_of ("Date: Mon, 01 Jan 2024 00:00:00 +0000"), ==, 1704067200);
}

static void
test_no_date (void)
{
  g_assert_cmpint (date_of (""), ==, 0);
  g_assert_cmpint (date_of ("Date: yesterday\r\n\r\n"), ==, 0);
  g_assert_cmpint (date_of ("Date: Mon, 01 Jan 1900 00:00:00 +0000\r\n\r\n"), ==, 0);
  /* The body is no header. */
  g_assert_cmpint (date_of ("Subject: x\r\n\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n"), ==, 0);
}

static void
test_find (void)
{
  static const gchar header[] = "Message-Identity: no\r\nMESSAGE-ID :\r\n <a@b>\r\nTo: x\r\n\r\n";
  gsize length = 0;
  const gchar *field
      = mm_message_header_find (header, strlen (header), "Message-ID", &length);

  g_assert_nonnull (field);
  g_autofree gchar *copy = g_strndup (field, length);
  g_assert_cmpstr (copy, ==, "MESSAGE-ID :\r\n <a@b>\r\n");
  g_assert_null (mm_message_header_find (header, strlen (header), "Subject", &length));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message-header/newest-received", test_newest_received);
  g_test_add_func ("/message-header/date-where-received-has-none",
                   test_date_where_received_has_none);
  g_test_add_func ("/message-header/no-date", test_no_date);
  g_test_add_func ("/message-header/find", test_find);
  return g_test_run ();
}
