// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `mailmount NAME …`: what the program does beside mounting. One table of commands drives the
 * dispatch and --help; each command lies in a file of its own, NAME-command.c.
 *
 * A command runs in the program's only thread, prints on standard output what was asked for and on
 * standard error what went wrong, and returns the exit status. Sources of mounts are URLs, so that
 * none is taken for a command.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* Of every command; what 1 means is each one's own. */
#define MM_SUBCOMMAND_OK    0
#define MM_SUBCOMMAND_USAGE 2

typedef struct MmSubcommand MmSubcommand;

struct MmSubcommand
{
  const gchar *name;
  const gchar *arguments;   /* as in a usage line: "[--json] [MOUNTPOINT]" */
  const gchar *summary;     /* one line of mailmount --help */
  const gchar *description; /* below the usage line of its own --help; with the exit status */
  /* @argv[0] is the command's name. */
  int (*run) (const MmSubcommand *command, gint argc, gchar **argv);
};

extern const MmSubcommand mm_cache_command;
extern const MmSubcommand mm_status_command;
extern const MmSubcommand mm_fetch_command;
extern const MmSubcommand mm_verify_command;

/* The table, ended by NULL. (transfer none) */
const MmSubcommand *const *mm_subcommand_table (void);

/* The command called @name; NULL when there is none. (transfer none) */
const MmSubcommand *mm_subcommand_find (const gchar *name);

/* Reads the options in @argv into the places that @entries (g_option_context_add_main_entries) names,
 * and takes them out, so that @argv[1] is the first argument. FALSE: all is done, and *out_status is
 * what to return: --help was printed, or an error. */
gboolean mm_subcommand_parse (const MmSubcommand *command, const GOptionEntry *entries, gint *argc,
                              gchar ***argv, int *out_status);

/* Prints "mailmount NAME: …" on standard error, made harmless for a terminal. */
void mm_subcommand_complain (const MmSubcommand *command, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* What --help of the command prints. (transfer full) */
gchar *mm_subcommand_help_text (const MmSubcommand *command, const GOptionEntry *entries);

G_END_DECLS
