// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "help.h"
#include "keyring.h"
#include "option-table.h"
#include "subcommand.h"

#define HELP_COLUMN 26

static void
append_option (GString *out, const MmOption *option)
{
  gsize begin = out->len;

  g_string_append_printf (out, "  %s%s%s", option->name, option->argument != NULL ? "=" : "",
                          option->argument != NULL ? option->argument : "");
  gsize width = out->len - begin;
  if (width + 2 > HELP_COLUMN)
    {
      g_string_append_c (out, '\n');
      width = 0;
    }
  g_string_append_printf (out, "%*s%s\n", (int) (HELP_COLUMN - width), "", option->help);
}

static void
append_command (GString *out, const MmSubcommand *command)
{
  g_string_append_printf (out, "  mailmount %s %s\n%*s%s\n", command->name, command->arguments,
                          HELP_COLUMN, "", command->summary);
}

gchar *
mm_help_text (void)
{
  GString *out = g_string_new (
      "usage: mailmount [-fdhV] [-o OPTIONS] SOURCE MOUNTPOINT\n"
      "       mailmount COMMAND …\n"
      "\n"
      "Mounts the account SOURCE = imaps://USER@HOST[:PORT][/FOLDER] (imap://…: STARTTLS\n"
      "required; pop3s://…, pop3://…: POP3) on the directory MOUNTPOINT, read-only: folders\n"
      "are directories, messages are .eml files. To unmount: fusermount3 -u MOUNTPOINT\n"
      "\n"
      "  -o OPTIONS              options, separated by commas; a comma in a value is \\,\n"
      "  -f                      stay in the foreground\n"
      "  -d                      log everything, in the foreground\n"
      "  -h, --help              this text\n"
      "  -V, --version           the version\n"
      "\n"
      "Commands; each has a --help of its own:\n");

  for (const MmSubcommand *const *command = mm_subcommand_table (); *command != NULL; command++)
    append_command (out, *command);
  g_string_append (out, "\nOptions:\n");
  for (const MmOption *option = mm_option_table (); option->name != NULL; option++)
    if (option->option_class == MM_OPTION_OURS)
      append_option (out, option);
  g_string_append (
      out, "\n"
           "GLOBS are shell globs separated by colons, matched with folder paths as they\n"
           "appear below MOUNTPOINT: folders='INBOX:Lists/*'. What is meant for mount(8) in\n"
           "/etc/fstab (defaults, noauto, user, nofail, _netdev, x-…) is accepted too.\n"
           "\n"
           "The password comes from password_command, systemd's credentials, the desktop\n"
           "keyring, ~/.netrc or ~/.authinfo, or is asked for on the terminal.\n"
           "See man mailmount.\n");
  return g_string_free (out, FALSE);
}

gchar *
mm_version_text (void)
{
  return g_strdup_printf ("mailmount %s (%s keyring)\n", MM_VERSION,
                          mm_keyring_is_built_in () ? "with" : "without");
}
