// SPDX-License-Identifier: GPL-3.0-or-later
/* What is so in one TLS session alone, as both of its ends know it (RFC 5056). */
#pragma once

#include <glib.h>
#include <openssl/ssl.h>

#include <mailmount/transport.h>

G_BEGIN_DECLS

/* Of a session whose handshake is done. NULL where there is none that could be trusted.
 * (transfer full) (nullable) */
GBytes *mm_channel_binding_new (SSL *ssl, MmBindingType type);

G_END_DECLS
