// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A byte stream to a server: TCP and TLS by libcurl (transport-curl.c), or a tunnel command's
 * stdin and stdout (transport-command.c). It knows nothing of the protocol beside what happens before the connection is
 * ours: the greeting's first word and STARTTLS.
 *
 * Opening blocks, for at most the endpoint's timeout; everything after is non-blocking. One thread
 * per transport; mm_transport_open() may be aborted from another thread through its GCancellable-
 * like flag.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef enum
{
  MM_TLS_IMPLICIT, /* imaps, port 993 */
  MM_TLS_STARTTLS, /* demanded, never merely tried */
  MM_TLS_NONE,     /* clear text, because the user wrote tls=none */
} MmTlsMode;

typedef enum
{
  MM_PROTOCOL_IMAP,
  MM_PROTOCOL_POP3,
} MmProtocol;

/* Where to connect, and how. Immutable after construction by the application. */
typedef struct
{
  MmProtocol protocol;
  gchar *host;    /* name or address, IPv6 without brackets */
  guint16 port;
  MmTlsMode tls;
  gchar *ca_file;   /* nullable: PEM; else the system's trust store */
  gchar *fingerprint; /* nullable: the server's certificate or its public key must have it, as
                         mm_fingerprint_parse() writes it; without @ca_file that is enough */
  gchar *cert_file; /* nullable: our own certificate, PEM, with those that vouch for it behind it */
  gchar *key_file;  /* nullable: its private key, PEM; else it is in @cert_file */
  gchar *proxy; /* nullable: the one that the environment names; else as mm_proxy_check() wants it */
  gchar *tunnel; /* nullable: this command is the way to the server, or the server; then nothing above
                    but @protocol matters */
  guint timeout_ms; /* for connecting, TLS and greeting together */
  guint receive_octets; /* what the kernel takes ahead of us at most; 0: as it likes */
} MmEndpoint;

#define MM_FINGERPRINT_PREFIX "SHA256:"

/* The SHA-256 fingerprint @text, with or without the prefix, the colons and capitals, in the one form
 * in which fingerprints are compared here: SHA256:AB:CD:… MM_ERROR_USAGE. (transfer full) */
gchar *mm_fingerprint_parse (const gchar *text, GError **error);

#define MM_PROXY_NONE "none"

/* Whether @text is the URL of a proxy, or MM_PROXY_NONE. MM_ERROR_USAGE, which never repeats @text: it
 * may hold a password. */
gboolean mm_proxy_check (const gchar *text, GError **error);

/* @out holds copies of all strings, for mm_endpoint_clear(). */
void mm_endpoint_copy (const MmEndpoint *endpoint, MmEndpoint *out);
void mm_endpoint_clear (MmEndpoint *endpoint);

/* Looks at the files and the proxy that @endpoint or the environment names, without connecting:
 * MM_ERROR_USAGE says which option or variable names what cannot be read or used, and what would do. */
gboolean mm_endpoint_check (const MmEndpoint *endpoint, GError **error);

typedef enum
{
  MM_IO_OK,    /* at least one octet moved */
  MM_IO_AGAIN, /* wait with mm_transport_wait() */
  MM_IO_EOF,   /* the peer closed */
  MM_IO_ERROR, /* @error is set */
} MmIoStatus;

typedef enum
{
  MM_WAIT_READABLE = 1 << 0,
  MM_WAIT_WRITABLE = 1 << 1,
  MM_WAIT_WOKEN = 1 << 2,
} MmWaitFlags; /* 0: the time passed */

typedef struct MmTransport MmTransport;

/* Connects. @abort_flag (nullable) is an int that another thread sets non-zero to give up early.
 * NULL with MM_ERROR_OFFLINE (host unknown, refused, unreachable), MM_ERROR_TIMEOUT, MM_ERROR_TLS
 * (certificate or STARTTLS refused; the message says which and what to do), MM_ERROR_UNAVAILABLE
 * (BYE as greeting), MM_ERROR_CONNECTION_LOST (cut while it was made), MM_ERROR_PROTOCOL,
 * MM_ERROR_CANCELLED. */
MmTransport *mm_transport_open (const MmEndpoint *endpoint, const gint *abort_flag, GError **error);
void mm_transport_free (MmTransport *transport);

/* What opening received and what still matters, ready to be fed to a session: the greeting's line
 * and, where they were asked for to begin TLS, the capabilities as announced after it (never before
 * it). What the server said at once behind its greeting follows. (transfer none) */
const gchar *mm_transport_get_preamble (const MmTransport *transport);

/* TRUE when a clear password may cross: TLS is on, or the peer is a loopback address. */
gboolean mm_transport_is_private (const MmTransport *transport);

/* What is so in one TLS session alone, as both of its ends know it, so that a login can be bound to
 * it. */
typedef enum
{
  MM_BINDING_TLS_EXPORTER, /* RFC 9266, of TLS 1.3 */
  MM_BINDING_TLS_UNIQUE,   /* RFC 5929 */
} MmBindingType;

#define MM_N_BINDING_TYPES (MM_BINDING_TLS_UNIQUE + 1)

/* NULL without TLS, and where it cannot be had. (transfer full) (nullable) */
GBytes *mm_transport_dup_binding (MmTransport *transport, MmBindingType type);

/* Moves up to @size octets. @out_n is set with MM_IO_OK only. */
MmIoStatus mm_transport_recv (MmTransport *transport, void *buffer, gsize size, gsize *out_n,
                              GError **error);
/* After MM_IO_AGAIN the same octets must be offered again (TLS). Sends at most 16 KiB at once. */
MmIoStatus mm_transport_send (MmTransport *transport, const void *data, gsize length, gsize *out_n,
                              GError **error);

/* Waits until @interest (READABLE, WRITABLE) holds, @wake_fd (an eventfd, -1 for none) is readable
 * or @timeout_ms passed (-1: forever). Read until MM_IO_AGAIN before waiting: TLS keeps octets
 * back. */
MmWaitFlags mm_transport_wait (MmTransport *transport, MmWaitFlags interest, int wake_fd,
                               gint timeout_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmTransport, mm_transport_free)

G_END_DECLS
