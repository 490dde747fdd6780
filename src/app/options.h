// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The command line, in the way of FUSE programs:
 *
 *   mailmount [-fdhV] [-o OPTIONS] SOURCE MOUNTPOINT
 *   mount.mailmount SOURCE MOUNTPOINT [-sfnvN] [-o OPTIONS] [-t TYPE]    called by mount(8)
 *
 * OPTIONS are separated by commas; -o may be repeated and later ones win. In a value, "\," is a
 * comma and "\\" a backslash.
 */
#pragma once

#include "config.h"

G_BEGIN_DECLS

typedef enum
{
  MM_COMMAND_MOUNT,
  MM_COMMAND_HELP,
  MM_COMMAND_VERSION,
  MM_COMMAND_INVALID, /* @error is set */
} MmCommand;

/* Reads @argv (as main has it). *@out_config is set with MM_COMMAND_MOUNT only. Errors are
 * MM_ERROR_USAGE and one line. Looks at the environment (HOME, XDG_CACHE_HOME), touches no file
 * and does not change @argv. (out: transfer full) */
MmCommand mm_options_parse (gint argc, gchar **argv, MmConfig **out_config, GError **error);

/* Whether the program was called as mount.mailmount. */
gboolean mm_options_is_helper (const gchar *argv0);

G_END_DECLS
