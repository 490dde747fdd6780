// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

void
mm_config_free (MmConfig *config)
{
  mm_source_url_clear (&config->source);
  g_free (config->source_text);
  g_free (config->mountpoint);
  g_free (config->cache_dir);
  g_free (config->ca_file);
  g_free (config->log_file);
  g_free (config->password_command);
  g_free (config->token_command);
  g_strfreev (config->folders);
  g_strfreev (config->exclude);
  g_free (config->kernel_flags);
  g_free (config);
}
