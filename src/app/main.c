// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The program: run the command that the first word names (subcommand.h), or mount. To mount, read
 * the command line, check what can be checked before anything starts, go half into the background,
 * find the password while there is a terminal, and serve.
 */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <mailmount/log.h>

#include "credentials.h"
#include "daemonize.h"
#include "help.h"
#include "mount-point.h"
#include "mount.h"
#include "options.h"
#include "paths.h"
#include "subcommand.h"

/* mount(8) has exit statuses of its own for its helpers. */
#define STATUS_FAILURE        1
#define STATUS_USAGE          2
#define HELPER_STATUS_USAGE   1
#define HELPER_STATUS_FAILURE 32

static int
report (const GError *error, gboolean is_helper)
{
  gboolean is_usage = g_error_matches (error, MM_ERROR, MM_ERROR_USAGE);
  g_autofree gchar *shown = mm_log_printable (error->message);

  fprintf (stderr, "mailmount: %s\n", shown);
  if (is_helper)
    return is_usage ? HELPER_STATUS_USAGE : HELPER_STATUS_FAILURE;
  return is_usage ? STATUS_USAGE : STATUS_FAILURE;
}

static gboolean
fail_inside (const gchar *what, const gchar *path, GError **error)
{
  g_set_error (error, MM_ERROR, MM_ERROR_USAGE,
               "%s '%s' would lie inside the mount itself: choose another place", what, path);
  return FALSE;
}

/* What can be known to be wrong before anything starts. */
static gboolean
check (const MmConfig *config, gchar **out_mountpoint, GError **error)
{
  MmEndpoint endpoint;
  g_autofree gchar *mountpoint = mm_mount_point_check (config->mountpoint, error);

  if (mountpoint == NULL || !mm_mount_point_check_system (error))
    return FALSE;
  if (config->cache_dir != NULL && mm_path_is_inside (config->cache_dir, mountpoint))
    return fail_inside ("the cache", config->cache_dir, error);
  if (config->log_file != NULL && mm_path_is_inside (config->log_file, mountpoint))
    return fail_inside ("the log", config->log_file, error);
  mm_config_get_endpoint (config, &endpoint);
  if (!mm_endpoint_check (&endpoint, error))
    return FALSE;
  *out_mountpoint = g_steal_pointer (&mountpoint);
  return TRUE;
}

/* While there is a secret in memory, no core file is written and no other process of the same user may
 * look into this one. */
static void
hide_memory (gboolean is_hidden)
{
  prctl (PR_SET_DUMPABLE, is_hidden ? 0 : 1);
}

static gboolean
run (const MmConfig *config, GError **error)
{
  g_autofree gchar *mountpoint = NULL;
  g_autoptr (MmDaemonizer) daemonizer = NULL;

  if (config->debug || config->is_verbose)
    mm_log_set_level (MM_LOG_DEBUG);
  if (!check (config, &mountpoint, error))
    return FALSE;
  if (config->is_fake)
    return TRUE;
  if (!config->foreground)
    {
      daemonizer
          = mm_daemonize_begin (config->is_helper ? HELPER_STATUS_FAILURE : STATUS_FAILURE, error);
      if (daemonizer == NULL)
        return FALSE;
    }

  g_autoptr (MmCredentials) credentials = mm_credentials_new (config);
  if (!config->offline && !mm_credentials_prepare (credentials, error))
    return FALSE;
  return mm_run_mount (config, mountpoint, credentials, daemonizer, error);
}

static int
print (gchar *text)
{
  fputs (text, stdout);
  g_free (text);
  return fflush (stdout) == 0 ? EXIT_SUCCESS : STATUS_FAILURE;
}

int
main (int argc, char **argv)
{
  g_autoptr (MmConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  /* Folder names are UTF-8 whatever the locale: so are the globs matched with them. */
  setlocale (LC_CTYPE, "C.UTF-8");
  /* Large buffers go back to the system when they are freed, and the threads share their memory: a
   * mount that lives for months must not keep the peak of its first copy. */
  mallopt (M_ARENA_MAX, 2);
  mallopt (M_MMAP_THRESHOLD, 512 * 1024);
  mallopt (M_TRIM_THRESHOLD, 1024 * 1024);
  /* A peer that closes is an error of a write, not the end of the process. */
  signal (SIGPIPE, SIG_IGN);
  g_set_prgname ("mailmount");

  /* Called by mount(8) the first word is a source, whatever it looks like. */
  const MmSubcommand *command
      = argc > 1 && !mm_options_is_helper (argv[0]) ? mm_subcommand_find (argv[1]) : NULL;
  if (command != NULL)
    return command->run (command, argc - 1, argv + 1);

  switch (mm_options_parse (argc, argv, &config, &error))
    {
    case MM_COMMAND_HELP:
      return print (mm_help_text ());
    case MM_COMMAND_VERSION:
      return print (mm_version_text ());
    case MM_COMMAND_INVALID:
      return report (error, argc > 0 && mm_options_is_helper (argv[0]));
    case MM_COMMAND_MOUNT:
      break;
    }
  /* With -d whoever looks for a fault may attach a debugger. */
  hide_memory (!config->debug);
  gboolean is_done = run (config, &error);
  hide_memory (FALSE);
  return is_done ? EXIT_SUCCESS : report (error, config->is_helper);
}
