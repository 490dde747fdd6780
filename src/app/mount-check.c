// SPDX-License-Identifier: GPL-3.0-or-later
#include "mount-check.h"

#include "patient-read.h"

gboolean
mm_mount_check (const MmSubcommand *command, const GPtrArray *table, const gchar *path)
{
  const MmMountEntry *mount = mm_mount_table_find_holder (table, path);
  g_autoptr (GError) error = NULL;

  if (mount == NULL)
    {
      mm_subcommand_complain (command, "'%s' is not in a mailmount", path);
      return FALSE;
    }
  /* Who may not see the report may read mail all the same: any answer is one. */
  g_autofree gchar *report G_GNUC_UNUSED
      = mm_patient_get_attribute (mount->path, "user.mailmount.status",
                                  MM_MOUNT_ANSWER_MS, &error);
  if (!g_error_matches (error, MM_ERROR, MM_ERROR_TIMEOUT))
    return TRUE;
  mm_subcommand_complain (command,
                          "the mount on '%s' does not answer; to end it: fusermount3 -uz '%s'",
                          mount->path, mount->path);
  return FALSE;
}
