// SPDX-License-Identifier: GPL-3.0-or-later
/* mailmount status: prints what mounts say of themselves (report.h), and says which do not answer. */
#include "subcommand.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailmount/json-writer.h>
#include <mailmount/log.h>

#include "mount-check.h"
#include "patient-read.h"
#include "report.h"

#define STATUS_UNHEALTHY 1

typedef struct
{
  const MmMountEntry *entry;
  gchar *json;     /* NULL: it does not answer, because of @error */
  gchar *summary;  /* nullable: not asked for */
  GError *error;
} Answer;

static void
clear_answer (gpointer data)
{
  Answer *answer = data;
  g_free (answer->json);
  g_free (answer->summary);
  g_clear_error (&answer->error);
}

/* The mounts to speak of: those that hold the paths, each once, or all of this user. NULL when a path is
 * in none.
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
      g_autofree gchar *path = mm_mount_table_resolve (table, *paths);
      const MmMountEntry *entry = mm_mount_table_find_holder (table, path);
      if (entry == NULL)
        {
          mm_subcommand_complain (command, "'%s' is not in a mailmount", path);
          return NULL;
        }
      if (!g_ptr_array_find (chosen, entry, NULL))
        g_ptr_array_add (chosen, (gpointer) entry);
    }
  return g_steal_pointer (&chosen);
}

/* ---- asking ---- */

/* As an attribute of the root: the file's name would have to be looked up, behind a lookup that waits
 * for a silent server perhaps. Too long a report is to be had from the file only. */
static gchar *
read_report (const MmMountEntry *entry, const gchar *name, GError **error)
{
  g_autofree gchar *attribute = g_strconcat ("user.mailmount.", name, NULL);
  g_autofree gchar *path = g_build_filename (entry->path, ".mailmount", name, NULL);
  g_autoptr (GError) local = NULL;
  gchar *text = mm_patient_get_attribute (entry->path, attribute, MM_MOUNT_ANSWER_MS, &local);

  if (g_error_matches (local, MM_ERROR, MM_ERROR_TOO_BIG))
    return mm_patient_read (path, MM_MOUNT_ANSWER_MS, error);
  if (text == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return text;
}

static void
ask (const MmMountEntry *entry, gboolean want_summary, Answer *out)
{
  *out = (Answer){ .entry = entry };
  out->json = read_report (entry, "status", &out->error);
  if (out->json != NULL && want_summary)
    out->summary = read_report (entry, "summary", NULL);
}

static gboolean
is_healthy (const Answer *answer)
{
  return answer->json != NULL && strstr (answer->json, MM_REPORT_HEALTHY_LINE) != NULL;
}

/* ---- telling ---- */

static void
print_silence (const Answer *answer)
{
  g_autofree gchar *source = mm_log_printable (answer->entry->source);
  g_autofree gchar *path = mm_log_printable (answer->entry->path);
  g_autofree gchar *reason = mm_log_printable (answer->error->message);

  printf ("%s on %s\n"
          "  state        it does not answer: %s\n"
          "  to end it    fusermount3 -u '%s'\n",
          source, path, reason, path);
}

static gchar *
write_silence_as_json (const Answer *answer)
{
  MmJsonWriter *writer = mm_json_writer_new ();

  mm_json_writer_begin_object (writer, NULL);
  mm_json_writer_add_boolean (writer, "healthy", FALSE);
  mm_json_writer_add_string (writer, "state", "silent");
  mm_json_writer_add_string (writer, "source", answer->entry->source);
  mm_json_writer_add_string (writer, "mountpoint", answer->entry->path);
  mm_json_writer_add_string (writer, "reason", answer->error->message);
  mm_json_writer_end_object (writer);
  return mm_json_writer_finish (writer);
}

static void
print_for_people (const GArray *answers)
{
  for (guint i = 0; i < answers->len; i++)
    {
      const Answer *answer = &g_array_index (answers, Answer, i);

      if (answer->summary != NULL)
        fputs (answer->summary, stdout);
      else if (answer->error != NULL)
        print_silence (answer);
    }
  if (answers->len == 0)
    puts ("nothing is mounted");
}

/* One object for each mount, in an array. */
static void
print_json (const GArray *answers)
{
  putchar ('[');
  for (guint i = 0; i < answers->len; i++)
    {
      const Answer *answer = &g_array_index (answers, Answer, i);
      g_autofree gchar *text = answer->json != NULL ? g_strdup (answer->json)
                                                    : write_silence_as_json (answer);

      printf ("%s\n%s", i > 0 ? "," : "", g_strchomp (text));
    }
  puts (answers->len > 0 ? "\n]" : "]");
}

static int
run (const MmSubcommand *command, gint argc, gchar **argv)
{
  gboolean as_json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "an array with an object for each mount", NULL },
    { NULL },
  };
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

  g_autoptr (GArray) answers = g_array_new (FALSE, TRUE, sizeof (Answer));
  g_array_set_clear_func (answers, clear_answer);
  g_array_set_size (answers, chosen->len);
  for (guint i = 0; i < chosen->len; i++)
    {
      Answer *answer = &g_array_index (answers, Answer, i);
      ask (g_ptr_array_index (chosen, i), !as_json, answer);
      if (!is_healthy (answer))
        status = STATUS_UNHEALTHY;
    }
  if (as_json)
    print_json (answers);
  else
    print_for_people (answers);
  return fflush (stdout) == 0 ? status : MM_SUBCOMMAND_USAGE;
}

const MmSubcommand mm_status_command = {
  .name = "status",
  .arguments = "[--json] [MOUNTPOINT[/FOLDER…]…]",
  .summary = "what mounts are doing, and what went wrong",
  .description = "Tells what the mounts that hold these directories are doing; without one, all\n"
                 "mounts of this user. A mount that does not answer is told as such, and not waited\n"
                 "for.\n"
                 "\n"
                 "Exit status: 0 when all is well; 1 when a mount is offline, does not answer, or\n"
                 "has messages that could not be fetched; 2 for a wrong option, or a directory in\n"
                 "no mailmount.",
  .run = run,
};
