// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

void
mm_config_get_endpoint (const MmConfig *config, MmEndpoint *out)
{
  *out = (MmEndpoint){
    .protocol = config->source.protocol,
    .host = config->source.host,
    .port = config->port,
    .tls = config->tls,
    .ca_file = config->ca_file,
    .fingerprint = config->fingerprint,
    .cert_file = config->cert_file,
    .key_file = config->key_file,
    .proxy = config->proxy,
    .tunnel = config->tunnel,
    .timeout_ms = config->timeout_s * 1000,
  };
}

void
mm_config_free (MmConfig *config)
{
  mm_source_url_clear (&config->source);
  g_free (config->source_text);
  g_free (config->mountpoint);
  g_free (config->cache_dir);
  g_free (config->ca_file);
  g_free (config->fingerprint);
  g_free (config->proxy);
  g_free (config->tunnel);
  g_free (config->cert_file);
  g_free (config->key_file);
  g_free (config->log_file);
  g_free (config->password_command);
  g_free (config->token_command);
  g_strfreev (config->folders);
  g_strfreev (config->exclude);
  g_free (config->kernel_flags);
  g_free (config);
}
