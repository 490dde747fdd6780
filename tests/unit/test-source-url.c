// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "source-url.h"

static const struct
{
  const gchar *text;
  gboolean is_secure;
  const gchar *user;
  const gchar *host;
  guint16 port;
  const gchar *folder;
} good[] = {
  { "imaps://user@mail.example.org", TRUE, "user", "mail.example.org", 0, NULL },
  { "imaps://user@mail.example.org/", TRUE, "user", "mail.example.org", 0, NULL },
  { "IMAPS://user@Mail.Example.ORG:1993/", TRUE, "user", "mail.example.org", 1993, NULL },
  { "imap://user@localhost:143/INBOX", FALSE, "user", "localhost", 143, "INBOX" },
  { "imap://user@127.0.0.1/a/b/c//", FALSE, "user", "127.0.0.1", 0, "a/b/c" },
  { "imaps://user%40example.org@host/x", TRUE, "user@example.org", "host", 0, "x" },
  { "imaps://user@example.org@imap.example.org", TRUE, "user@example.org", "imap.example.org", 0,
    NULL },
  { "imaps://us%3Aer%2F%25@host", TRUE, "us:er/%", "host", 0, NULL },
  { "imaps://user@host/Sent%20Mail/Entw%C3%BCrfe", TRUE, "user", "host", 0,
    "Sent Mail/Entwürfe" },
  { "imaps://user@host/Sent Mail", TRUE, "user", "host", 0, "Sent Mail" },
  { "imaps://user@host/a@b:c", TRUE, "user", "host", 0, "a@b:c" },
  { "imaps://user@[::1]", TRUE, "user", "::1", 0, NULL },
  { "imaps://user@[2001:DB8::1]:993/x", TRUE, "user", "2001:db8::1", 993, "x" },
  { "imaps://user@[FE80::A%25Eth0]:9", TRUE, "user", "fe80::a%Eth0", 9, NULL },
  { "imaps://user@[fe80::1%25eth0]", TRUE, "user", "fe80::1%eth0", 0, NULL },
  { "imaps://user@münchen.example", TRUE, "user", "xn--mnchen-3ya.example", 0, NULL },
  { "imaps://user@host:65535", TRUE, "user", "host", 65535, NULL },
};

static void
test_good_urls (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (MmSourceUrl) url = { 0 };
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", good[i].text);
      g_assert_true (mm_source_url_parse (good[i].text, &url, &error));
      g_assert_no_error (error);
      g_assert_cmpint (url.protocol, ==, MM_PROTOCOL_IMAP);
      g_assert_cmpint (url.is_secure_scheme, ==, good[i].is_secure);
      g_assert_cmpstr (url.user, ==, good[i].user);
      g_assert_cmpstr (url.host, ==, good[i].host);
      g_assert_cmpuint (url.port, ==, good[i].port);
      g_assert_cmpstr (url.folder, ==, good[i].folder);
    }
}

static void
test_pop3_urls (void)
{
  g_auto (MmSourceUrl) secure = { 0 };
  g_auto (MmSourceUrl) clear = { 0 };

  g_assert_true (mm_source_url_parse ("pop3s://user@host/INBOX", &secure, NULL));
  g_assert_cmpint (secure.protocol, ==, MM_PROTOCOL_POP3);
  g_assert_true (secure.is_secure_scheme);
  g_assert_cmpuint (mm_source_url_get_default_port (&secure, TRUE), ==, 995);
  g_assert_true (mm_source_url_parse ("POP3://user@host:7", &clear, NULL));
  g_assert_cmpint (clear.protocol, ==, MM_PROTOCOL_POP3);
  g_assert_false (clear.is_secure_scheme);
  g_assert_cmpuint (clear.port, ==, 7);
  g_assert_cmpuint (mm_source_url_get_default_port (&clear, FALSE), ==, 110);
}

static const struct
{
  const gchar *text;
  const gchar *hint; /* stands in the message */
} bad[] = {
  { "", "not a URL" },
  { "mail.example.org", "imaps://USER@HOST" },
  { "://user@host", "not a URL" },
  { "imaps:/user@host", "not a URL" },
  { "user:secret@host://x", "not a URL" },
  { "http://user@host", "'http://'" },
  { "imapss://user@host", "'imapss://'" },
  { "pop3ss://user@host", "'pop3ss://'" },
  { "imaps://", "names no user" },
  { "imaps://host", "names no user" },
  { "imaps://host", "imaps://USER@" },
  { "pop3s://host", "pop3s://USER@" },
  { "pop3s://user@", "pop3s://USER@" },
  { "pop3s://user@host/Sent", "POP3 has one folder" },
  { "pop3s://user@host/INBOX/Sent", "POP3 has one folder" },
  { "imaps://@host", "names no user" },
  { "imaps://user:secret@host", "password" },
  { "imaps://user:@host", "password" },
  { "imaps://:secret@host", "password" },
  { "imaps://user:sec@ret@host", "password" },
  { "imaps://user:sec/ret@host", "names no user" },
  { "imaps://user;AUTH=PLAIN@host", ";AUTH=" },
  { "imaps://user;auth=*@host", ";AUTH=" },
  { "imaps://user@", "names no host" },
  { "imaps://user@/INBOX", "names no host" },
  { "imaps://user@:993", "names no host" },
  { "imaps://user@host:", "not a port" },
  { "imaps://user@host:0", "not a port" },
  { "imaps://user@host:65536", "not a port" },
  { "imaps://user@host:-1", "not a port" },
  { "imaps://user@host:99999999999999999999", "not a port" },
  { "imaps://user@host:imaps", "not a port" },
  { "imaps://user@host:993 ", "not a port" },
  { "imaps://user@ho st", "not a host name" },
  { "imaps://user@ho\nst", "not a host name" },
  { "imaps://user@ho%73t", "not a host name" },
  { "imaps://user@host..x", "not a host name" },
  { "imaps://user@-host", "not a host name" },
  { "imaps://user@\xff", "not a host name" },
  { "imaps://user@::1", "brackets" },
  { "imaps://user@[::1", "without ']'" },
  { "imaps://user@[]", "not an IPv6 address" },
  { "imaps://user@[host]", "not an IPv6 address" },
  { "imaps://user@[127.0.0.1]", "not an IPv6 address" },
  { "imaps://user@[::g]", "not an IPv6 address" },
  { "imaps://user@[::1]x", "can follow" },
  { "imaps://us%er@host", "%25" },
  { "imaps://us%4@host", "%25" },
  { "imaps://us%00er@host", "NUL" },
  { "imaps://us%0Aer@host", "control" },
  { "imaps://us%C2%9Ber@host", "control" },
  { "imaps://us%FFer@host", "not UTF-8" },
  { "imaps://us\xff" "er@host", "not UTF-8" },
  { "imaps://user@host/a%zz", "%25" },
  { "imaps://user@host/a%00", "NUL" },
  { "imaps://user@host/%FF", "not UTF-8" },
  { "imaps://user@host/a//b", "component" },
  { "imaps://user@host//a", "component" },
  { "imaps://user@host/../etc", "component" },
  { "imaps://user@host/a/%2E%2E", "component" },
  { "imaps://user@host/./a", "component" },
  { "imaps://user@host/a?b", "%3F" },
  { "imaps://user@host#a", "%23" },
  { "imaps://user@host/a;UIDVALIDITY=1", "%3B" },
};

static void
test_bad_urls_say_why_in_one_line (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      MmSourceUrl url;
      g_autoptr (GError) error = NULL;

      g_assert_false (mm_source_url_parse (bad[i].text, &url, &error));
      g_assert_error (error, MM_ERROR, MM_ERROR_USAGE);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, bad[i].hint));
      g_assert_null (strchr (error->message, '\n'));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (url.user);
      g_assert_null (url.host);
    }
}

static void
test_a_password_is_never_repeated (void)
{
  static const gchar *const texts[] = {
    "imaps://user:hunter2@host", "imaps://user:hunter2/x@host", "user:hunter2@host://x",
    "imaps://hunter2", "imaps://user:a@b:hunter2@host", "imaps:user:hunter2@host",
    "imaps://user:hunter2;AUTH=x@host", "http:hunter2://user@host",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      MmSourceUrl url;
      g_autoptr (GError) error = NULL;

      g_assert_false (mm_source_url_parse (texts[i], &url, &error));
      g_assert_null (strstr (error->message, "hunter2"));
    }
}

/* Whatever is given: an answer, with a message when it is no. */
static void
test_any_text_is_judged (void)
{
  static const gchar *const pieces[] = { "imap", "s", "://", "user", "@", "host", ":", "993", "/",
                                         "[", "::1", "]", "%", "41", "%00", "?", "#", ";", "..",
                                         "\xff", "\n", "é", " " };
  g_autoptr (GRand) rand = g_rand_new_with_seed (19);

  for (guint i = 0; i < 100000; i++)
    {
      g_autoptr (GString) text = g_string_new (g_rand_boolean (rand) ? "imaps://user@" : "");
      g_auto (MmSourceUrl) url = { 0 };
      g_autoptr (GError) error = NULL;

      for (gint32 n = g_rand_int_range (rand, 0, 10); n > 0; n--)
        g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
      if (mm_source_url_parse (text->str, &url, &error))
        {
          g_assert_true (g_utf8_validate (url.user, -1, NULL));
          g_assert_cmpstr (url.host, !=, "");
          g_assert_true (url.folder == NULL || url.folder[0] != '\0');
        }
      else
        g_assert_error (error, MM_ERROR, MM_ERROR_USAGE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-url/good-urls", test_good_urls);
  g_test_add_func ("/source-url/pop3", test_pop3_urls);
  g_test_add_func ("/source-url/bad-urls-say-why-in-one-line", test_bad_urls_say_why_in_one_line);
  g_test_add_func ("/source-url/a-password-is-never-repeated", test_a_password_is_never_repeated);
  g_test_add_func ("/source-url/any-text-is-judged", test_any_text_is_judged);
  return g_test_run ();
}
