// SPDX-License-Identifier: GPL-3.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scripted-server.h"

#define PATIENCE_SECONDS 20

struct ScriptedServer
{
  int listener;
  guint16 port;
  GThread *acceptor;
  gint is_ending; /* atomic */

  GMutex lock; /* guards everything below */
  GCond changed;
  GQueue scripts;      /* of gchar *, owned */
  GHashTable *gates;   /* Set<gchar *>, opened ones */
  GPtrArray *threads;  /* of GThread */
  GPtrArray *failures; /* of gchar *, owned */
  guint n_unfollowed;  /* scripts not yet at their end */
  guint n_ended;
};

typedef struct
{
  ScriptedServer *server;
  gchar *script; /* owned */
  int fd;
  GString *input; /* received and not yet consumed */
  gchar *tags[4]; /* owned; the last first */
} Peer;

static void G_GNUC_PRINTF (2, 3) fail (Peer *peer, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  gchar *failure = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("scripted server: %s\n", failure);
  g_mutex_lock (&peer->server->lock);
  g_ptr_array_add (peer->server->failures, failure);
  g_mutex_unlock (&peer->server->lock);
}

/* FALSE at the end of the connection. */
static gboolean
receive (Peer *peer)
{
  gchar buffer[4096];
  ssize_t n = recv (peer->fd, buffer, sizeof buffer, 0);

  if (n <= 0)
    return FALSE;
  g_string_append_len (peer->input, buffer, n);
  return TRUE;
}

/* (transfer full) (nullable): NULL at the end of the connection. */
static gchar *
read_line (Peer *peer)
{
  gchar *end;

  while ((end = strstr (peer->input->str, "\r\n")) == NULL)
    if (!receive (peer))
      return NULL;
  gsize length = (gsize) (end - peer->input->str);
  gchar *line = g_strndup (peer->input->str, length);
  g_string_erase (peer->input, 0, (gssize) length + 2);
  return line;
}

static void
remember_tag (Peer *peer, const gchar *tag)
{
  g_free (peer->tags[G_N_ELEMENTS (peer->tags) - 1]);
  memmove (peer->tags + 1, peer->tags, sizeof peer->tags - sizeof peer->tags[0]);
  peer->tags[0] = g_strdup (tag);
}

static gboolean
expect (Peer *peer, const gchar *pattern)
{
  g_autofree gchar *line = read_line (peer);

  if (line == NULL)
    {
      fail (peer, "expected '%s', but the client closed", pattern);
      return FALSE;
    }
  gchar *rest = strchr (line, ' ');
  if (rest != NULL && g_pattern_match_simple (pattern, rest + 1))
    {
      *rest = '\0';
      remember_tag (peer, line);
      return TRUE;
    }
  /* A line without a tag: what continues a command. */
  if (g_pattern_match_simple (pattern, line))
    return TRUE;
  fail (peer, "expected '%s', got '%s'", pattern, line);
  return FALSE;
}

static gboolean
send_all (Peer *peer, const gchar *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = send (peer->fd, data, length, MSG_NOSIGNAL);
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
say (Peer *peer, const gchar *text, gboolean is_raw)
{
  g_autoptr (GString) out = g_string_new (text);

  for (guint i = 0; i < G_N_ELEMENTS (peer->tags); i++)
    {
      const gchar name[] = { '$', "TUVW"[i], '\0' };
      g_string_replace (out, name, peer->tags[i] != NULL ? peer->tags[i] : "", 0);
    }
  if (is_raw)
    {
      g_string_replace (out, "\\r", "\r", 0);
      g_string_replace (out, "\\n", "\n", 0);
      gchar *nul = strstr (out->str, "\\0");
      if (nul != NULL)
        {
          *nul = '\0';
          g_string_erase (out, nul + 1 - out->str, 1);
        }
    }
  else
    g_string_append (out, "\r\n");
  /* A client that is gone is noticed by the next expectation. */
  (void) send_all (peer, out->str, out->len);
  return TRUE;
}

static gboolean
wait_for_gate (Peer *peer, const gchar *name)
{
  ScriptedServer *server = peer->server;
  gint64 deadline = g_get_monotonic_time () + PATIENCE_SECONDS * G_USEC_PER_SEC;
  gboolean is_open = TRUE;

  g_mutex_lock (&server->lock);
  while (is_open && !g_hash_table_contains (server->gates, name))
    is_open = g_cond_wait_until (&server->changed, &server->lock, deadline);
  g_mutex_unlock (&server->lock);
  if (!is_open)
    fail (peer, "gate '%s' was not opened", name);
  return is_open;
}

static gboolean
follow_line (Peer *peer, const gchar *line)
{
  if (g_str_has_prefix (line, "C: "))
    return expect (peer, line + 3);
  if (g_str_has_prefix (line, "S: "))
    return say (peer, line + 3, FALSE);
  if (g_str_has_prefix (line, "R: "))
    return say (peer, line + 3, TRUE);
  if (g_str_has_prefix (line, "G "))
    return wait_for_gate (peer, line + 2);
  if (g_str_equal (line, "W"))
    {
      while (receive (peer))
        continue;
      return TRUE;
    }
  if (g_str_equal (line, "K"))
    {
      const struct linger none = { .l_onoff = 1, .l_linger = 0 };
      setsockopt (peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
      close (peer->fd);
      peer->fd = -1;
      return TRUE;
    }
  g_assert_cmpstr (line, ==, "X");
  return TRUE;
}

static void
end_script (Peer *peer, gboolean is_followed)
{
  ScriptedServer *server = peer->server;

  g_mutex_lock (&server->lock);
  if (is_followed)
    server->n_unfollowed--;
  server->n_ended++;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
}

static gpointer
peer_main (gpointer data)
{
  Peer *peer = data;
  g_auto (GStrv) lines = g_strsplit (peer->script, "\n", -1);
  gboolean is_followed = TRUE, is_closing = FALSE;

  for (guint i = 0; lines[i] != NULL && is_followed; i++)
    if (*g_strchug (lines[i]) != '\0')
      {
        is_followed = follow_line (peer, lines[i]);
        is_closing = g_str_equal (lines[i], "X") || peer->fd < 0;
      }
  end_script (peer, is_followed);
  while (is_followed && !is_closing)
    {
      g_autofree gchar *line = read_line (peer);
      if (line == NULL)
        break;
      gchar *rest = strchr (line, ' ');
      if (strcmp (line, "QUIT") == 0)
        {
          say (peer, "+OK until then", FALSE);
          break;
        }
      if (rest == NULL || strcmp (rest, " LOGOUT") != 0)
        {
          fail (peer, "at the script's end came '%s'", line);
          break;
        }
      *rest = '\0';
      remember_tag (peer, line);
      say (peer, "* BYE until then\r\n$T OK done", FALSE);
      is_closing = TRUE;
    }
  if (peer->fd >= 0)
    close (peer->fd);
  g_string_free (peer->input, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (peer->tags); i++)
    g_free (peer->tags[i]);
  g_free (peer->script);
  g_free (peer);
  return NULL;
}

static void
serve (ScriptedServer *server, int fd)
{
  struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  int yes = 1;

  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  g_mutex_lock (&server->lock);
  gchar *script = g_queue_pop_head (&server->scripts);
  if (script == NULL)
    {
      g_ptr_array_add (server->failures, g_strdup ("a connection for which there is no script"));
      close (fd);
    }
  else
    {
      Peer *peer = g_new0 (Peer, 1);
      peer->server = server;
      peer->script = script;
      peer->fd = fd;
      peer->input = g_string_new (NULL);
      g_ptr_array_add (server->threads, g_thread_new ("peer", peer_main, peer));
    }
  g_mutex_unlock (&server->lock);
}

static gpointer
acceptor_main (gpointer data)
{
  ScriptedServer *server = data;

  for (;;)
    {
      int fd = accept (server->listener, NULL, NULL);
      if (g_atomic_int_get (&server->is_ending))
        {
          if (fd >= 0)
            close (fd);
          return NULL;
        }
      if (fd >= 0)
        serve (server, fd);
    }
}

ScriptedServer *
scripted_server_new (void)
{
  return scripted_server_new_at (0);
}

ScriptedServer *
scripted_server_new_at (guint16 port)
{
  ScriptedServer *server = g_new0 (ScriptedServer, 1);
  struct sockaddr_in address
      = { .sin_family = AF_INET,
          .sin_port = htons (port),
          .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int one = 1;

  server->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  g_assert_cmpint (bind (server->listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (server->listener, 16), ==, 0);
  g_assert_cmpint (getsockname (server->listener, (struct sockaddr *) &address, &length), ==, 0);
  server->port = ntohs (address.sin_port);
  g_mutex_init (&server->lock);
  g_cond_init (&server->changed);
  g_queue_init (&server->scripts);
  server->gates = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  server->threads = g_ptr_array_new ();
  server->failures = g_ptr_array_new_with_free_func (g_free);
  server->acceptor = g_thread_new ("acceptor", acceptor_main, server);
  return server;
}

void
scripted_server_add (ScriptedServer *server, const gchar *script)
{
  g_mutex_lock (&server->lock);
  g_queue_push_tail (&server->scripts, g_strdup (script));
  server->n_unfollowed++;
  g_mutex_unlock (&server->lock);
}

guint16
scripted_server_get_port (const ScriptedServer *server)
{
  return server->port;
}

void
scripted_server_open_gate (ScriptedServer *server, const gchar *name)
{
  g_mutex_lock (&server->lock);
  g_hash_table_add (server->gates, g_strdup (name));
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
}

void
scripted_server_wait_ended (ScriptedServer *server, guint n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_SECONDS * G_USEC_PER_SEC;

  g_mutex_lock (&server->lock);
  while (server->n_ended < n)
    if (!g_cond_wait_until (&server->changed, &server->lock, deadline))
      g_error ("only %u of %u scripts came to their end", server->n_ended, n);
  g_mutex_unlock (&server->lock);
}

void
scripted_server_free (ScriptedServer *server)
{
  g_atomic_int_set (&server->is_ending, 1);
  shutdown (server->listener, SHUT_RDWR);
  g_thread_join (server->acceptor);
  for (guint i = 0; i < server->threads->len; i++)
    g_thread_join (g_ptr_array_index (server->threads, i));
  close (server->listener);

  if (server->failures->len > 0)
    g_test_fail ();
  if (server->n_unfollowed > 0 && server->failures->len == 0)
    {
      g_test_message ("%u scripts were not followed to their end", server->n_unfollowed);
      g_test_fail ();
    }
  g_queue_clear_full (&server->scripts, g_free);
  g_hash_table_unref (server->gates);
  g_ptr_array_unref (server->threads);
  g_ptr_array_unref (server->failures);
  g_mutex_clear (&server->lock);
  g_cond_clear (&server->changed);
  g_free (server);
}
