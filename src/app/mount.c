// SPDX-License-Identifier: GPL-3.0-or-later
#include "mount.h"

gboolean
mm_run_mount (const MmConfig *config, const gchar *mountpoint, MmCredentials *credentials,
              MmDaemonizer *daemonizer, GError **error)
{
  g_set_error_literal (error, MM_ERROR, MM_ERROR_SYSTEM,
                       "not wired yet: this build cannot mount anything");
  return FALSE;
}
