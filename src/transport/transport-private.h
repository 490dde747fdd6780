// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The small vtable behind MmTransport: transport-curl.c and transport-command.c.
 * A kind of transport embeds MmTransport as its first member.
 */
#pragma once

#include <mailmount/transport.h>

G_BEGIN_DECLS

typedef struct
{
  void (*free) (MmTransport *transport);
  MmIoStatus (*recv) (MmTransport *transport, void *buffer, gsize size, gsize *out_n,
                      GError **error);
  MmIoStatus (*send) (MmTransport *transport, const void *data, gsize length, gsize *out_n,
                      GError **error);
  /* NULL: there never is one. */
  GBytes *(*dup_binding) (MmTransport *transport, MmBindingType type);
} MmTransportClass;

struct MmTransport
{
  const MmTransportClass *klass;
  GString *preamble;
  gboolean is_private;
  int fd_in;  /* becomes readable; owned by the kind */
  int fd_out; /* becomes writable; the same as fd_in for a socket */
};

MmTransport *mm_transport_open_curl (const MmEndpoint *endpoint, const gint *abort_flag,
                                     GError **error);
/* @endpoint has a tunnel. */
MmTransport *mm_transport_open_command (const MmEndpoint *endpoint, const gint *abort_flag,
                                        GError **error);

G_END_DECLS
