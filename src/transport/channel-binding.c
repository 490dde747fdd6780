// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "channel-binding.h"

/* RFC 9266 */
#define EXPORTER_LABEL  "EXPORTER-Channel-Binding"
#define EXPORTER_OCTETS 32

/* RFC 5929 3.1: the first Finished of the handshake, which is the client's unless the session was
 * resumed. Until TLS 1.2 two sessions without an extended master secret can have the same (RFC 7627).
 * Of TLS 1.3 no RFC speaks, but there are servers (Cyrus) that know no other binding; a Finished of
 * 1.3 is made of the whole handshake and of what only the two ends know, as that of 1.2 is. */
static GBytes *
new_unique (SSL *ssl)
{
  guint8 octets[EVP_MAX_MD_SIZE];
  gsize length;

  if (SSL_version (ssl) < TLS1_3_VERSION && SSL_get_extms_support (ssl) != 1)
    return NULL;
  length = SSL_session_reused (ssl) != 0 ? SSL_get_peer_finished (ssl, octets, sizeof octets)
                                         : SSL_get_finished (ssl, octets, sizeof octets);
  return length > 0 ? g_bytes_new (octets, MIN (length, sizeof octets)) : NULL;
}

static GBytes *
new_exporter (SSL *ssl)
{
  guint8 octets[EXPORTER_OCTETS];

  if (SSL_version (ssl) < TLS1_3_VERSION
      || SSL_export_keying_material (ssl, octets, sizeof octets, EXPORTER_LABEL,
                                     strlen (EXPORTER_LABEL), NULL, 0, 0)
             != 1)
    return NULL;
  return g_bytes_new (octets, sizeof octets);
}

GBytes *
mm_channel_binding_new (SSL *ssl, MmBindingType type)
{
  switch (type)
    {
    case MM_BINDING_TLS_EXPORTER:
      return new_exporter (ssl);
    case MM_BINDING_TLS_UNIQUE:
      return new_unique (ssl);
    }
  return NULL;
}
