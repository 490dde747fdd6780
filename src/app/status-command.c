// SPDX-License-Identifier: GPL-3.0-or-later
/* mailmount status: what the mounts of this user are doing. */
#include "subcommand.h"

#include <stdio.h>
#include <unistd.h>

#include <mailmount/log.h>

#include "mount-table.h"
#include "paths.h"

static void
print_line (const MmMountEntry *entry)
{
  g_autofree gchar *path = mm_log_printable (entry->path);
  g_autofree gchar *source = mm_log_printable (entry->source);

  printf ("%s on %s\n", source, path);
}

/* The mounts to speak of: the named ones, or all of this user. NULL when one is none.
 * Array<borrowed MmMountEntry> */
static GPtrArray *
choose (const MmSubcommand *command, const GPtrArray *table, gchar **paths)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (guint i = 0; paths[0] == NULL && i < table->len; i++)
    {
      MmMountEntry *entry = g_ptr_array_index (table, i);
      if (entry->owner == geteuid ())
        g_ptr_array_add (chosen, entry);
    }
  for (; *paths != NULL; paths++)
    {
      g_autofree gchar *path = mm_path_absolute (*paths);
      const MmMountEntry *entry = mm_mount_table_find (table, path);
      if (entry == NULL)
        {
          mm_subcommand_complain (command, "no mailmount is mounted on '%s'", path);
          return NULL;
        }
      g_ptr_array_add (chosen, (gpointer) entry);
    }
  return g_steal_pointer (&chosen);
}

static int
run (const MmSubcommand *command, gint argc, gchar **argv)
{
  static const GOptionEntry entries[] = { { NULL } };
  g_autoptr (GError) error = NULL;
  int status = MM_SUBCOMMAND_OK;

  if (!mm_subcommand_parse (command, entries, &argc, &argv, &status))
    return status;
  g_autoptr (GPtrArray) table = mm_mount_table_read (&error);
  if (table == NULL)
    {
      mm_subcommand_complain (command, "%s", error->message);
      return MM_SUBCOMMAND_USAGE;
    }
  g_autoptr (GPtrArray) chosen = choose (command, table, argv + 1);
  if (chosen == NULL)
    return MM_SUBCOMMAND_USAGE;
  for (guint i = 0; i < chosen->len; i++)
    print_line (g_ptr_array_index (chosen, i));
  return fflush (stdout) == 0 ? MM_SUBCOMMAND_OK : MM_SUBCOMMAND_USAGE;
}

const MmSubcommand mm_status_command = {
  .name = "status",
  .arguments = "[MOUNTPOINT…]",
  .summary = "what is mounted",
  .description = "Lists the mailmounts on these directories; without one, all of this user.\n"
                 "\n"
                 "Exit status: 0; 2 for a wrong option or a directory that no mailmount is on.",
  .run = run,
};
