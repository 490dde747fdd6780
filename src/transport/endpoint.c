// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/transport.h>

#include "certificate.h"
#include "proxy.h"

void
mm_endpoint_copy (const MmEndpoint *endpoint, MmEndpoint *out)
{
  *out = *endpoint;
  out->host = g_strdup (endpoint->host);
  out->ca_file = g_strdup (endpoint->ca_file);
  out->fingerprint = g_strdup (endpoint->fingerprint);
  out->cert_file = g_strdup (endpoint->cert_file);
  out->key_file = g_strdup (endpoint->key_file);
  out->proxy = g_strdup (endpoint->proxy);
  out->tunnel = g_strdup (endpoint->tunnel);
}

void
mm_endpoint_clear (MmEndpoint *endpoint)
{
  g_clear_pointer (&endpoint->host, g_free);
  g_clear_pointer (&endpoint->ca_file, g_free);
  g_clear_pointer (&endpoint->fingerprint, g_free);
  g_clear_pointer (&endpoint->cert_file, g_free);
  g_clear_pointer (&endpoint->key_file, g_free);
  g_clear_pointer (&endpoint->proxy, g_free);
  g_clear_pointer (&endpoint->tunnel, g_free);
}

gboolean
mm_endpoint_check (const MmEndpoint *endpoint, GError **error)
{
  g_auto (MmProxy) proxy = { NULL };

  if (endpoint->tunnel != NULL)
    return TRUE;
  if (!mm_proxy_find (endpoint, &proxy, error))
    return FALSE;
  if (endpoint->ca_file != NULL && !mm_certificate_check_authorities (endpoint->ca_file, error))
    return FALSE;
  return endpoint->cert_file == NULL
         || mm_certificate_check_own (endpoint->cert_file, endpoint->key_file, error);
}
