// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A tunnel: the standard input and output of a command of the user's, which is the server or leads
 * to it. It is the user who says that nobody else reads there, so that it counts as private; a
 * greeting that says that we are signed in already is believed.
 */
#include <errno.h>
#include <sys/socket.h>

#include <mailmount/clock.h>

#include "child.h"
#include "greeting.h"

/* How much of what no server says is told. */
#define SAID_CHARACTERS_MAX 80

typedef struct
{
  MmTransport base;
  MmChild *child;
} MmCommandTransport;

static void
command_transport_free (MmTransport *transport)
{
  MmCommandTransport *self = (MmCommandTransport *) transport;

  mm_child_free (self->child);
  g_free (self);
}

static MmIoStatus
fail_ended (MmCommandTransport *self, MmError code, GError **error)
{
  g_autofree gchar *how = mm_child_describe_end (self->child);

  g_set_error (error, MM_ERROR, (gint) code, "the tunnel command '%s' %s",
               mm_child_get_name (self->child), how);
  return MM_IO_ERROR;
}

static gboolean
is_for_later (int errno_value)
{
  return errno_value == EAGAIN || errno_value == EWOULDBLOCK || errno_value == EINTR;
}

static MmIoStatus
command_transport_recv (MmTransport *transport, void *buffer, gsize size, gsize *out_n,
                        GError **error)
{
  MmCommandTransport *self = (MmCommandTransport *) transport;
  ssize_t n = recv (transport->fd_in, buffer, size, 0);

  if (n < 0 && is_for_later (errno))
    return MM_IO_AGAIN;
  if (n <= 0)
    return fail_ended (self, MM_ERROR_CONNECTION_LOST, error);
  *out_n = (gsize) n;
  return MM_IO_OK;
}

static MmIoStatus
command_transport_send (MmTransport *transport, const void *data, gsize length, gsize *out_n,
                        GError **error)
{
  MmCommandTransport *self = (MmCommandTransport *) transport;
  ssize_t n = send (transport->fd_out, data, length, MSG_NOSIGNAL);

  if (n < 0 && is_for_later (errno))
    return MM_IO_AGAIN;
  if (n < 0)
    return fail_ended (self, MM_ERROR_CONNECTION_LOST, error);
  *out_n = (gsize) n;
  return MM_IO_OK;
}

static const MmTransportClass command_transport_class = {
  .free = command_transport_free,
  .recv = command_transport_recv,
  .send = command_transport_send,
};

/* ---- opening ---- */

static gboolean
fail_alien (const MmCommandTransport *self, const MmEndpoint *endpoint, GError **error)
{
  g_autofree gchar *valid = g_utf8_make_valid (self->base.preamble->str, -1);
  g_autofree gchar *line = g_strndup (valid, strcspn (valid, "\r\n"));
  g_autofree gchar *said
      = g_utf8_substring (line, 0, MIN (g_utf8_strlen (line, -1), SAID_CHARACTERS_MAX));

  g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
               "the tunnel command '%s' does not lead to %s server; it says: %s",
               mm_child_get_name (self->child), mm_greeting_name_protocol (endpoint->protocol),
               said);
  return FALSE;
}

static gboolean
take_greeting (MmCommandTransport *self, const MmEndpoint *endpoint, const gint *abort_flag,
               GError **error)
{
  const gchar *name = mm_child_get_name (self->child);
  gint64 deadline_us = mm_clock_monotonic_us () + (gint64) endpoint->timeout_ms * 1000;
  g_autofree gchar *words = NULL;

  switch (mm_greeting_receive (&self->base, endpoint->protocol, abort_flag, deadline_us,
                               self->base.preamble, NULL))
    {
    case MM_GREETING_WELCOME:
      return TRUE;
    case MM_GREETING_ALIEN:
      return fail_alien (self, endpoint, error);
    case MM_GREETING_BYE:
      words = mm_greeting_dup_words (self->base.preamble->str);
      g_set_error (error, MM_ERROR, MM_ERROR_UNAVAILABLE,
                   "the server behind the tunnel command '%s' refuses connections now: %s", name,
                   words);
      return FALSE;
    case MM_GREETING_ABORTED:
      g_set_error (error, MM_ERROR, MM_ERROR_CANCELLED,
                   "waiting for the tunnel command '%s' was given up", name);
      return FALSE;
    case MM_GREETING_LATE:
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT,
                   "the tunnel command '%s' led to no greeting within %u seconds (-o "
                   "timeout=SECONDS); it cannot ask on the terminal",
                   name, (endpoint->timeout_ms + 999) / 1000);
      return FALSE;
    case MM_GREETING_CLOSED:
    case MM_GREETING_FAILED:
      break;
    }
  /* Before there was a connection none was lost: the server cannot be reached. */
  fail_ended (self, MM_ERROR_OFFLINE, error);
  return FALSE;
}

MmTransport *
mm_transport_open_command (const MmEndpoint *endpoint, const gint *abort_flag, GError **error)
{
  MmChild *child = mm_child_start (endpoint->tunnel, endpoint->receive_octets, error);

  if (child == NULL)
    return NULL;
  MmCommandTransport *self = g_new0 (MmCommandTransport, 1);
  self->base.klass = &command_transport_class;
  self->base.preamble = g_string_new (NULL);
  self->base.is_private = TRUE;
  self->child = child;
  self->base.fd_in = self->base.fd_out = mm_child_get_fd (child);
  if (take_greeting (self, endpoint, abort_flag, error))
    return &self->base;
  mm_transport_free (&self->base);
  return NULL;
}
