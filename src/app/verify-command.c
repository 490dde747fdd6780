// SPDX-License-Identifier: GPL-3.0-or-later
/* mailmount verify: whether a copy of a tree is what the mount shows now. */
#include "subcommand.h"

#include <stdio.h>

#include <mailmount/json-writer.h>
#include <mailmount/log.h>

#include "mount-check.h"
#include "verify-tree.h"

#define STATUS_DIFFERENT 1
#define STATUS_TROUBLE   2

typedef struct
{
  const MmSubcommand *command;
  gboolean is_quiet;
  gboolean as_json;
  MmJsonWriter *json; /* nullable: lines are printed instead; in the array of findings */
} Output;

static const gchar *const words[] = {
  [MM_VERIFY_MISSING] = "missing",
  [MM_VERIFY_EXTRA] = "extra",
  [MM_VERIFY_DIFFERENT] = "different",
  [MM_VERIFY_OTHER] = "other",
  [MM_VERIFY_TROUBLE] = "trouble",
};

static void
add_finding (MmJsonWriter *json, MmVerifyFinding finding, const gchar *path, const gchar *why)
{
  mm_json_writer_begin_object (json, NULL);
  mm_json_writer_add_string (json, "finding", words[finding]);
  mm_json_writer_add_string (json, "path", path);
  mm_json_writer_add_string (json, "why", why);
  mm_json_writer_end_object (json);
}

static void
print_finding (MmVerifyFinding finding, const gchar *path, const gchar *why, gpointer user_data)
{
  const Output *output = user_data;

  if (output->json != NULL && !output->is_quiet)
    add_finding (output->json, finding, path, why);

  if (finding == MM_VERIFY_TROUBLE)
    {
      mm_subcommand_complain (output->command, "%s cannot be compared: %s", path, why);
      return;
    }
  if (output->is_quiet || output->json != NULL)
    return;
  g_autofree gchar *shown = mm_log_printable (path);
  printf ("%s %s", words[finding], shown);
  if (why != NULL)
    printf (" (%s)", why);
  putchar ('\n');
}

static void
print_summary (const MmVerifyCounts *counts)
{
  const guint64 *n = counts->n_findings;

  fprintf (stderr,
           "%" G_GUINT64_FORMAT " messages are the same, %" G_GUINT64_FORMAT
           " of them by digest; %" G_GUINT64_FORMAT " missing, %" G_GUINT64_FORMAT
           " extra, %" G_GUINT64_FORMAT " different, %" G_GUINT64_FORMAT " other files\n",
           counts->n_same, counts->n_by_digest, n[MM_VERIFY_MISSING], n[MM_VERIFY_EXTRA],
           n[MM_VERIFY_DIFFERENT], n[MM_VERIFY_OTHER]);
}

static void
begin_json (Output *output)
{
  output->json = mm_json_writer_new ();
  mm_json_writer_begin_object (output->json, NULL);
  mm_json_writer_begin_array (output->json, "findings");
}

static void
print_json (Output *output, const MmVerifyCounts *counts)
{
  MmJsonWriter *json = g_steal_pointer (&output->json);

  mm_json_writer_end_array (json);
  mm_json_writer_add_number (json, "same", counts->n_same);
  mm_json_writer_add_number (json, "same_by_digest", counts->n_by_digest);
  for (guint i = 0; i < MM_VERIFY_N_FINDINGS; i++)
    mm_json_writer_add_number (json, words[i], counts->n_findings[i]);
  mm_json_writer_end_object (json);
  g_autofree gchar *text = mm_json_writer_finish (json);
  fputs (text, stdout);
}

static int
judge (const MmVerifyCounts *counts)
{
  const guint64 *n = counts->n_findings;

  if (n[MM_VERIFY_TROUBLE] > 0)
    return STATUS_TROUBLE;
  return n[MM_VERIFY_MISSING] + n[MM_VERIFY_EXTRA] + n[MM_VERIFY_DIFFERENT] > 0 ? STATUS_DIFFERENT
                                                                                : MM_SUBCOMMAND_OK;
}

/* The mounted directory that @path means; NULL when it is not in a mailmount. (transfer full) */
static gchar *
find_mounted (const MmSubcommand *command, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) table = mm_mount_table_read (&error);

  if (table == NULL)
    {
      mm_subcommand_complain (command, "%s", error->message);
      return NULL;
    }
  g_autofree gchar *resolved = mm_mount_table_resolve (table, path);
  return mm_mount_check (command, table, resolved) ? g_steal_pointer (&resolved) : NULL;
}

static int
run (const MmSubcommand *command, gint argc, gchar **argv)
{
  Output output = { .command = command };
  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &output.is_quiet, "say nothing but what is in the way",
      NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &output.as_json, "an object with all findings and the sums",
      NULL },
    { NULL },
  };
  MmVerifyCounts counts;
  int status = MM_SUBCOMMAND_OK;

  if (!mm_subcommand_parse (command, entries, &argc, &argv, &status))
    return status;
  if (argc != 3)
    {
      mm_subcommand_complain (command, "a mounted directory and a copy of it are expected");
      return MM_SUBCOMMAND_USAGE;
    }
  g_autofree gchar *mounted = find_mounted (command, argv[1]);
  if (mounted == NULL)
    return MM_SUBCOMMAND_USAGE;
  if (output.as_json)
    begin_json (&output);
  mm_verify_trees (mounted, argv[2], print_finding, &output, &counts);
  if (output.as_json)
    print_json (&output, &counts);
  else if (!output.is_quiet)
    print_summary (&counts);
  return fflush (stdout) == 0 ? judge (&counts) : STATUS_TROUBLE;
}

const MmSubcommand mm_verify_command = {
  .name = "verify",
  .arguments = "[--quiet] [--json] MOUNTPOINT[/FOLDER…] BACKUPDIR",
  .summary = "whether a copy is what the mount shows",
  .description
  = "Compares a directory of a mount with a copy of it, and prints a line for each\n"
    "difference: 'missing PATH', 'extra PATH', 'different PATH (why)'; 'other PATH' for\n"
    "what is no mail. No message is downloaded for it: those in the cache are compared\n"
    "by digest, the others by name, size and time.\n"
    "\n"
    "Exit status: 0 when they are the same; 1 when not; 2 when not all could be compared,\n"
    "and for wrong arguments.",
  .run = run,
};
