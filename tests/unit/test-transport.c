// SPDX-License-Identifier: GPL-3.0-or-later
#include <arpa/inet.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/transport.h>

#include "../../src/transport/proxy.h"
#include "scripted-server.h"
#include "test-namespace.h"

typedef struct
{
  ScriptedServer *server;
  MmEndpoint endpoint;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = scripted_server_new ();
  fixture->endpoint = (MmEndpoint){ .protocol = MM_PROTOCOL_IMAP,
                                    .host = (gchar *) "127.0.0.1",
                                    .port = scripted_server_get_port (fixture->server),
                                    .tls = MM_TLS_NONE,
                                    .timeout_ms = 10000 };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  scripted_server_free (fixture->server);
}

static void
assert_refused (Fixture *fixture, MmError code, const gchar *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);

  g_assert_null (transport);
  g_assert_error (error, MM_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_preamble (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  scripted_server_add (fixture->server, "S: * OK [CAPABILITY IMAP4rev1 ONE] hello\nW");
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (mm_transport_get_preamble (transport), ==,
                   "* OK [CAPABILITY IMAP4rev1 ONE] hello\r\n");
  g_assert_true (mm_transport_is_private (transport));
}

static void
test_preauth_greeting (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  scripted_server_add (fixture->server, "S: * PREAUTH hello\nW");
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (mm_transport_get_preamble (transport), "* PREAUTH hello\r\n"));
}

static void
test_bye_greeting (Fixture *fixture, gconstpointer data)
{
  scripted_server_add (fixture->server, "S: * BYE come back tomorrow\nX");
  assert_refused (fixture, MM_ERROR_UNAVAILABLE, "come back tomorrow");
}

static void
test_other_protocol (Fixture *fixture, gconstpointer data)
{
  scripted_server_add (fixture->server, "S: 220 smtp.example.org\nW");
  assert_refused (fixture, MM_ERROR_PROTOCOL, "does not greet as an IMAP server does");
}

static void
test_nul_in_greeting (Fixture *fixture, gconstpointer data)
{
  scripted_server_add (fixture->server, "R: * OK hel\\0lo\\r\\n\nW");
  assert_refused (fixture, MM_ERROR_PROTOCOL, "does not greet as an IMAP server does");
}

/* However it is cut; and what the server says behind it is not lost. */
static void
test_greeting_in_pieces (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) received = g_string_new (NULL);
  const gchar *expected = "* OK hello\r\n* OK [ALERT] and more\r\n";

  scripted_server_add (fixture->server, "R: * O\nR: K hel\nS: lo\nS: * OK [ALERT] and more\nX");
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_no_error (error);
  g_string_append (received, mm_transport_get_preamble (transport));
  g_assert_true (g_str_has_prefix (received->str, "* OK hello\r\n"));
  for (MmIoStatus status = MM_IO_OK; status != MM_IO_EOF;)
    {
      gchar buffer[100];
      gsize n = 0;

      status = mm_transport_recv (transport, buffer, sizeof buffer, &n, &error);
      g_assert_no_error (error);
      if (status == MM_IO_OK)
        g_string_append_len (received, buffer, (gssize) n);
      else if (status == MM_IO_AGAIN)
        mm_transport_wait (transport, MM_WAIT_READABLE, -1, 10000);
    }
  g_assert_cmpstr (received->str, ==, expected);
}

/* The time is for the line, not for each of its pieces. */
static void
test_half_a_greeting (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.timeout_ms = 200;
  scripted_server_add (fixture->server, "R: * OK hel\nW");
  assert_refused (fixture, MM_ERROR_TIMEOUT, "did not answer within");
}

/* The variables that name a proxy for what we speak count, and no others. */
static void
test_proxies (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const gchar *name;
    gboolean is_obeyed;
  } variables[] = {
    { "imap_proxy", TRUE },   { "IMAP_PROXY", TRUE },   { "all_proxy", TRUE },
    { "ALL_PROXY", TRUE },    { "imaps_proxy", FALSE }, { "http_proxy", FALSE },
    { "https_proxy", FALSE },
  };
  g_autofree gchar *proxy = g_strdup_printf ("http://127.0.0.1:%u", fixture->endpoint.port);

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      g_autoptr (GError) error = NULL;

      g_setenv (variables[i].name, proxy, TRUE);
      scripted_server_add (fixture->server,
                           variables[i].is_obeyed
                               ? "C: mail.example.org:143 HTTP/1.1\nC: Host: *\nC: Proxy-*\nC: \n"
                                 "R: HTTP/1.1 200 OK\\r\\n\\r\\n* OK through the proxy\\r\\n\nW"
                               : "S: * OK directly\nW");
      MmEndpoint endpoint = fixture->endpoint;
      if (variables[i].is_obeyed)
        {
          endpoint.host = (gchar *) "mail.example.org";
          endpoint.port = 143;
        }
      g_autoptr (MmTransport) transport = mm_transport_open (&endpoint, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (mm_transport_get_preamble (transport), ==,
                       variables[i].is_obeyed ? "* OK through the proxy\r\n" : "* OK directly\r\n");
      /* What lies behind a proxy is not this machine. */
      g_assert_true (mm_transport_is_private (transport) == !variables[i].is_obeyed);
      g_unsetenv (variables[i].name);
    }
}

static void
test_no_proxy_lists (void)
{
  static const struct
  {
    const gchar *list, *host;
    gboolean is_bypassed;
  } lists[] = {
    { "", "example.org", FALSE },
    { "*", "example.org", TRUE },
    { "a, , example.org", "example.org", TRUE },
    { "example.org", "mail.EXAMPLE.org", TRUE },
    { ".example.org", "mail.example.org", TRUE },
    { ".example.org", "example.org", TRUE },
    { "example.org", "notexample.org", FALSE },
    { "mail.example.org", "example.org", FALSE },
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "127.0.0.1", "127.0.0.10", FALSE },
    { "10.0.0.0/8", "10.200.3.4", TRUE },
    { "10.0.0.0/8", "11.0.0.1", FALSE },
    { "192.168.16.0/20", "192.168.31.255", TRUE },
    { "192.168.16.0/20", "192.168.32.0", FALSE },
    { "0.0.0.0/0", "192.0.2.1", TRUE },
    { "10.0.0.0/33", "10.0.0.0", FALSE },
    { "10.0.0.0/", "10.0.0.0", FALSE },
    { "10.0.0.0/8", "::1", FALSE },
    { "::1", "::1", TRUE },
    { "[::1]", "::1", TRUE },
    { "2001:db8::/32", "2001:db8:1::7", TRUE },
    { "2001:db8::/32", "2001:db9::7", FALSE },
    { "fe80::/10", "fe80::1%eth0", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_test_message ("'%s' and %s", lists[i].list, lists[i].host);
      g_assert_true (mm_proxy_is_bypassed (lists[i].list, lists[i].host) == lists[i].is_bypassed);
    }
}

/* RFC 1928 6, the reply "connection not allowed by ruleset". */
static void
test_socks_forbids (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *proxy = g_strdup_printf ("socks5h://127.0.0.1:%u", fixture->endpoint.port);

  fixture->endpoint.proxy = proxy;
  fixture->endpoint.host = (gchar *) "mail.example.org";
  scripted_server_add (fixture->server, "R: \5\\0\n"
                                        "R: \5\2\1\1\1\1\1\1\1\1\nW");
  assert_refused (fixture, MM_ERROR_OFFLINE, "does not allow connections to mail.example.org");
}

static void
test_no_proxy (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("imap_proxy", "http://proxy.invalid:3128", TRUE);
  g_setenv ("no_proxy", "127.0.0.1", TRUE);
  scripted_server_add (fixture->server, "S: * OK directly\nW");
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_no_error (error);
  g_unsetenv ("imap_proxy");
  g_unsetenv ("no_proxy");
}

static void
test_closed_before_greeting (Fixture *fixture, gconstpointer data)
{
  scripted_server_add (fixture->server, "X");
  g_autoptr (GError) error = NULL;
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_null (transport);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
}

static void
test_silence (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.timeout_ms = 200;
  scripted_server_add (fixture->server, "W");
  assert_refused (fixture, MM_ERROR_TIMEOUT, "did not answer");
}

static void
test_connection_refused (Fixture *fixture, gconstpointer data)
{
  ScriptedServer *gone = scripted_server_new ();

  fixture->endpoint.port = scripted_server_get_port (gone);
  scripted_server_free (gone);
  assert_refused (fixture, MM_ERROR_OFFLINE, "refuses connections on port");
}

static void
test_unknown_host (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.host = (gchar *) "does-not-exist.invalid";
  assert_refused (fixture, MM_ERROR_OFFLINE, "is not known");
}

static void
test_starttls_missing (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.tls = MM_TLS_STARTTLS;
  scripted_server_add (fixture->server, "S: * OK hello\nC: CAPABILITY\n"
                                        "S: * CAPABILITY IMAP4rev1\nS: $T OK done\nW");
  assert_refused (fixture, MM_ERROR_TLS, "offers no encryption");
}

static void
test_starttls_refused (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.tls = MM_TLS_STARTTLS;
  scripted_server_add (fixture->server, "S: * OK hello\nC: CAPABILITY\n"
                                        "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: $T OK done\n"
                                        "C: STARTTLS\nS: $T NO not now\nW");
  assert_refused (fixture, MM_ERROR_TLS, "offers no encryption");
}

static void
test_starttls_preauth (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.tls = MM_TLS_STARTTLS;
  scripted_server_add (fixture->server, "S: * PREAUTH hello\nC: CAPABILITY\n"
                                        "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: $T OK done\nW");
  assert_refused (fixture, MM_ERROR_TLS, "PREAUTH");
}

/* What somebody on the line put behind the OK, to be read as if it came through TLS. */
static void
test_starttls_injection (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.tls = MM_TLS_STARTTLS;
  scripted_server_add (fixture->server,
                       "S: * OK hello\nC: CAPABILITY\n"
                       "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: $T OK done\nC: STARTTLS\n"
                       "R: $T OK begin\\r\\n* CAPABILITY IMAP4rev1 AUTH=LOGIN\\r\\n\nW");
  g_autoptr (GError) error = NULL;
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_null (transport);
  g_assert_nonnull (error);
}

static void
test_tls_to_clear_text_port (Fixture *fixture, gconstpointer data)
{
  fixture->endpoint.tls = MM_TLS_IMPLICIT;
  scripted_server_add (fixture->server, "S: * OK hello\nW");
  assert_refused (fixture, MM_ERROR_TLS, "TLS");
}

static void
test_endless_greeting_line (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) script = g_string_new ("R: * OK ");

  for (guint i = 0; i < 20000; i++)
    g_string_append (script, "0123456789");
  g_string_append (script, "\\r\\n\nW");
  scripted_server_add (fixture->server, script->str);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_null (transport);
  g_assert_error (error, MM_ERROR, MM_ERROR_PROTOCOL);
}

/* ---- a link-local address ---- */

/* linux/ipv6.h, which glibc's headers do not go with. */
struct Ipv6Request
{
  struct in6_addr address;
  guint32 prefix_length;
  int index;
};

static gpointer
greet_one (gpointer data)
{
  int fd = accept (GPOINTER_TO_INT (data), NULL, NULL);

  (void) !write (fd, "* OK through the zone\r\n", 23);
  return NULL;
}

static void
open_in_a_zone (const gchar *directory, int report_fd)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
  socklen_t length = sizeof address;

  test_child_enter_network ();
  test_child_set_loopback (TRUE);
  g_assert_cmpint (inet_pton (AF_INET6, "fe80::7", &address.sin6_addr), ==, 1);
  address.sin6_scope_id = if_nametoindex ("lo");
  struct Ipv6Request request = { address.sin6_addr, 64, (int) address.sin6_scope_id };
  int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl (fd, SIOCSIFADDR, &request) != 0)
    _exit (TEST_EXIT_UNAVAILABLE);
  /* The address is tentative for a moment. */
  for (guint i = 0; bind (fd, (struct sockaddr *) &address, sizeof address) != 0; i++)
    {
      if (i > 1000)
        _exit (1);
      g_usleep (10000);
    }
  g_assert_no_errno (listen (fd, 1));
  g_assert_no_errno (getsockname (fd, (struct sockaddr *) &address, &length));
  g_thread_new ("server", greet_one, GINT_TO_POINTER (fd));

  MmEndpoint endpoint = { .host = (gchar *) "fe80::7%lo",
                          .port = ntohs (address.sin6_port),
                          .tls = MM_TLS_NONE,
                          .timeout_ms = 10000 };
  MmTransport *transport = mm_transport_open (&endpoint, NULL, NULL);
  _exit (transport != NULL ? 0 : 1);
}

static void
test_link_local (void)
{
  int report_fd;
  int status;
  pid_t pid = test_child_start (open_in_a_zone, NULL, &report_fd);

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  close (report_fd);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == TEST_EXIT_UNAVAILABLE)
    g_test_skip ("no network namespaces here");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

typedef struct
{
  ScriptedServer *server;
  gint flag;
} Aborter;

static gpointer
abort_soon (gpointer data)
{
  Aborter *aborter = data;

  scripted_server_wait_ended (aborter->server, 1);
  g_atomic_int_set (&aborter->flag, 1);
  return NULL;
}

static void
test_abort (Fixture *fixture, gconstpointer data)
{
  Aborter aborter = { .server = fixture->server };
  g_autoptr (GError) error = NULL;

  /* The script is at its end at once; the server then waits for a command. */
  scripted_server_add (fixture->server, "");
  GThread *thread = g_thread_new ("abort", abort_soon, &aborter);
  gint64 started = g_get_monotonic_time ();
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, &aborter.flag, &error);
  g_assert_null (transport);
  g_assert_error (error, MM_ERROR, MM_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 5 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

static MmTransport *
open_plain (Fixture *fixture, const gchar *rest_of_script)
{
  g_autofree gchar *script = g_strconcat ("S: * OK hello\n", rest_of_script, NULL);
  g_autoptr (GError) error = NULL;

  scripted_server_add (fixture->server, script);
  MmTransport *transport = mm_transport_open (&fixture->endpoint, NULL, &error);
  g_assert_no_error (error);
  return transport;
}

static void
test_octets_both_ways (Fixture *fixture, gconstpointer data)
{
  g_autoptr (MmTransport) transport = open_plain (fixture, "C: PING\nS: $T PONG\nX");
  g_autoptr (GError) error = NULL;
  gchar buffer[100];
  gsize n = 0, total = 0;
  MmIoStatus status;

  g_assert_cmpint (mm_transport_send (transport, "x PING\r\n", 8, &n, &error), ==, MM_IO_OK);
  g_assert_cmpuint (n, ==, 8);
  while ((status = mm_transport_recv (transport, buffer + total, sizeof buffer - total, &n, &error))
         != MM_IO_EOF)
    {
      g_assert_no_error (error);
      if (status == MM_IO_OK)
        total += n;
      else
        g_assert_cmpint (mm_transport_wait (transport, MM_WAIT_READABLE, -1, 10000), ==,
                         MM_WAIT_READABLE);
    }
  g_assert_cmpmem (buffer, total, "x PONG\r\n", 8);
  /* The end stays the end. */
  g_assert_cmpint (mm_transport_recv (transport, buffer, sizeof buffer, &n, &error), ==, MM_IO_EOF);
}

static void
test_wait_is_woken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (MmTransport) transport = open_plain (fixture, "W");
  mm_autofd int wake_fd = eventfd (1, EFD_CLOEXEC);

  g_assert_cmpint (mm_transport_wait (transport, MM_WAIT_READABLE, wake_fd, 10000), ==,
                   MM_WAIT_WOKEN);
  g_assert_cmpint (mm_transport_wait (transport, MM_WAIT_READABLE, -1, 10), ==, 0);
  g_assert_cmpint (mm_transport_wait (transport, MM_WAIT_READABLE | MM_WAIT_WRITABLE, -1, 10000),
                   ==, MM_WAIT_WRITABLE);
}

/* Of either protocol; what the command says at once behind its greeting is not lost. */
static void
test_tunnel (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    MmProtocol protocol;
    const gchar *command, *preamble;
  } tunnels[] = {
    { MM_PROTOCOL_IMAP, "sh -c 'echo \"* PREAUTH me\"; cat'", "* PREAUTH me\n" },
    { MM_PROTOCOL_POP3, "sh -c 'echo +OK ready; cat'", "+OK ready\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (tunnels); i++)
    {
      g_autoptr (GError) error = NULL;
      gchar buffer[16];
      gsize n = 0;

      fixture->endpoint.protocol = tunnels[i].protocol;
      fixture->endpoint.tunnel = (gchar *) tunnels[i].command;
      g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (mm_transport_get_preamble (transport), ==, tunnels[i].preamble);
      g_assert_true (mm_transport_is_private (transport));
      g_assert_cmpint (mm_transport_send (transport, "hello", 5, &n, &error), ==, MM_IO_OK);
      g_assert_cmpint (mm_transport_wait (transport, MM_WAIT_READABLE, -1, 10000), ==,
                       MM_WAIT_READABLE);
      g_assert_cmpint (mm_transport_recv (transport, buffer, sizeof buffer, &n, &error), ==,
                       MM_IO_OK);
      g_assert_cmpmem (buffer, n, "hello", 5);
    }
}

static void
test_tunnel_is_aborted (Fixture *fixture, gconstpointer data)
{
  gint flag = 1;
  g_autoptr (GError) error = NULL;

  fixture->endpoint.tunnel = (gchar *) "sleep 1000";
  g_autoptr (MmTransport) transport = mm_transport_open (&fixture->endpoint, &flag, &error);
  g_assert_null (transport);
  g_assert_error (error, MM_ERROR, MM_ERROR_CANCELLED);
}

#define ADD(NAME, FUNC) g_test_add ("/transport/" NAME, Fixture, NULL, set_up, FUNC, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("preamble-is-greeting-and-capabilities", test_preamble);
  ADD ("preauth-greeting-is-passed-on", test_preauth_greeting);
  ADD ("bye-as-greeting-is-unavailable", test_bye_greeting);
  ADD ("another-protocol-is-refused", test_other_protocol);
  ADD ("nul-in-greeting-is-refused", test_nul_in_greeting);
  ADD ("greeting-comes-in-pieces", test_greeting_in_pieces);
  ADD ("half-a-greeting-is-a-timeout", test_half_a_greeting);
  ADD ("proxies-are-those-for-imap", test_proxies);
  ADD ("no-proxy-is-obeyed", test_no_proxy);
  g_test_add_func ("/transport/no-proxy-lists-names-addresses-and-networks", test_no_proxy_lists);
  g_test_add_func ("/transport/link-local-address-is-reached-in-its-zone", test_link_local);
  ADD ("socks-proxy-that-forbids-is-told", test_socks_forbids);
  ADD ("closed-before-greeting-is-lost", test_closed_before_greeting);
  ADD ("silence-is-a-timeout", test_silence);
  ADD ("closed-port-is-offline", test_connection_refused);
  ADD ("unknown-host-is-offline", test_unknown_host);
  ADD ("starttls-not-offered-is-refused", test_starttls_missing);
  ADD ("starttls-answered-no-is-refused", test_starttls_refused);
  ADD ("preauth-instead-of-starttls-is-refused", test_starttls_preauth);
  ADD ("octets-behind-starttls-ok-are-refused", test_starttls_injection);
  ADD ("tls-to-a-clear-text-port-is-refused", test_tls_to_clear_text_port);
  ADD ("endless-greeting-line-is-refused", test_endless_greeting_line);
  ADD ("abort-flag-ends-opening", test_abort);
  ADD ("tunnel-leads-to-either-protocol", test_tunnel);
  ADD ("abort-flag-ends-waiting-for-a-tunnel", test_tunnel_is_aborted);
  ADD ("octets-go-both-ways-until-eof", test_octets_both_ways);
  ADD ("wait-tells-wake-readable-writable", test_wait_is_woken);
  return g_test_run ();
}
