// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <poll.h>

#include <mailmount/clock.h>

#include "transport-private.h"

/* One send of at most a TLS record keeps a retry after MM_IO_AGAIN cheap. */
#define SEND_OCTETS_MAX 16384

MmTransport *
mm_transport_open (const MmEndpoint *endpoint, const gint *abort_flag, GError **error)
{
  return endpoint->tunnel != NULL ? mm_transport_open_command (endpoint, abort_flag, error)
                                  : mm_transport_open_curl (endpoint, abort_flag, error);
}

void
mm_transport_free (MmTransport *transport)
{
  GString *preamble = transport->preamble;

  transport->klass->free (transport);
  g_string_free (preamble, TRUE);
}

const gchar *
mm_transport_get_preamble (const MmTransport *transport)
{
  return transport->preamble->str;
}

gboolean
mm_transport_is_private (const MmTransport *transport)
{
  return transport->is_private;
}

GBytes *
mm_transport_dup_binding (MmTransport *transport, MmBindingType type)
{
  return transport->klass->dup_binding != NULL ? transport->klass->dup_binding (transport, type)
                                               : NULL;
}

MmIoStatus
mm_transport_recv (MmTransport *transport, void *buffer, gsize size, gsize *out_n, GError **error)
{
  return transport->klass->recv (transport, buffer, size, out_n, error);
}

MmIoStatus
mm_transport_send (MmTransport *transport, const void *data, gsize length, gsize *out_n,
                   GError **error)
{
  return transport->klass->send (transport, data, MIN (length, SEND_OCTETS_MAX), out_n, error);
}

/* An error or hang-up is reported as readiness: the next recv or send says what it is. */
static MmWaitFlags
flags_from_poll (const struct pollfd *in, const struct pollfd *out, const struct pollfd *wake,
                 MmWaitFlags interest)
{
  MmWaitFlags flags = 0;

  if (in->revents != 0)
    flags |= interest & MM_WAIT_READABLE;
  if (out->revents != 0)
    flags |= interest & MM_WAIT_WRITABLE;
  if (wake->revents != 0)
    flags |= MM_WAIT_WOKEN;
  return flags;
}

MmWaitFlags
mm_transport_wait (MmTransport *transport, MmWaitFlags interest, int wake_fd, gint timeout_ms)
{
  gint64 deadline_us
      = timeout_ms < 0 ? G_MAXINT64 : mm_clock_monotonic_us () + (gint64) timeout_ms * 1000;
  struct pollfd polled[3] = {
    { .fd = (interest & MM_WAIT_READABLE) != 0 ? transport->fd_in : -1, .events = POLLIN },
    { .fd = (interest & MM_WAIT_WRITABLE) != 0 ? transport->fd_out : -1, .events = POLLOUT },
    { .fd = wake_fd, .events = POLLIN },
  };

  for (;;)
    {
      int n = poll (polled, G_N_ELEMENTS (polled), timeout_ms);

      if (n > 0)
        return flags_from_poll (&polled[0], &polled[1], &polled[2], interest);
      if (n == 0)
        return 0;
      if (errno != EINTR && errno != EAGAIN)
        return interest; /* let the caller's next recv or send name the error */
      if (timeout_ms >= 0)
        timeout_ms = (gint) MAX (0, (deadline_us - mm_clock_monotonic_us ()) / 1000);
    }
}
