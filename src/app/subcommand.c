// SPDX-License-Identifier: GPL-3.0-or-later
#include "subcommand.h"

#include <stdio.h>
#include <string.h>

#include <mailmount/log.h>

#define HELP_COLUMN 26

static const MmSubcommand *const table[] = {
  &mm_cache_command,
  &mm_status_command,
  &mm_fetch_command,
  &mm_verify_command,
  NULL,
};

const MmSubcommand *const *
mm_subcommand_table (void)
{
  return table;
}

const MmSubcommand *
mm_subcommand_find (const gchar *name)
{
  for (const MmSubcommand *const *command = table; *command != NULL; command++)
    if (strcmp ((*command)->name, name) == 0)
      return *command;
  return NULL;
}

void
mm_subcommand_complain (const MmSubcommand *command, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *raw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree gchar *shown = mm_log_printable (raw);
  fprintf (stderr, "mailmount %s: %s\n", command->name, shown);
}

/* ---- help ---- */

static void
append_option (GString *out, const GOptionEntry *entry)
{
  gsize begin = out->len;

  g_string_append (out, "  ");
  if (entry->short_name != '\0')
    g_string_append_printf (out, "-%c, ", entry->short_name);
  g_string_append_printf (out, "--%s", entry->long_name);
  if (entry->arg_description != NULL)
    g_string_append_printf (out, "=%s", entry->arg_description);
  g_string_append_printf (out, "%*s%s\n", MAX (2, HELP_COLUMN - (int) (out->len - begin)), "",
                          entry->description);
}

gchar *
mm_subcommand_help_text (const MmSubcommand *command, const GOptionEntry *entries)
{
  static const GOptionEntry help
      = { "help", 'h', 0, G_OPTION_ARG_NONE, NULL, "this text", NULL };
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "usage: mailmount %s %s\n\n%s\n\n", command->name,
                          command->arguments, command->description);
  for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++)
    append_option (out, entry);
  append_option (out, &help);
  return g_string_free (out, FALSE);
}

/* ---- the command line ---- */

gboolean
mm_subcommand_parse (const MmSubcommand *command, const GOptionEntry *entries, gint *argc,
                     gchar ***argv, int *out_status)
{
  gboolean wants_help = FALSE;
  const GOptionEntry help[] = {
    { "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, help, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      mm_subcommand_complain (command, "%s: mailmount %s --help lists all", error->message,
                              command->name);
      *out_status = MM_SUBCOMMAND_USAGE;
      return FALSE;
    }
  if (wants_help)
    {
      g_autofree gchar *text = mm_subcommand_help_text (command, entries);
      fputs (text, stdout);
      *out_status = fflush (stdout) == 0 ? MM_SUBCOMMAND_OK : MM_SUBCOMMAND_USAGE;
      return FALSE;
    }
  /* GOption leaves the "--" that ends the options in its place. */
  if (*argc > 1 && strcmp ((*argv)[1], "--") == 0)
    {
      memmove (&(*argv)[1], &(*argv)[2], (gsize) (*argc - 1) * sizeof (gchar *));
      (*argc)--;
    }
  return TRUE;
}
