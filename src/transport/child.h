// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A command that runs as long as a connection: its standard input and output are one socket, and
 * what it prints on standard error goes to the log, line by line.
 *
 * It has a session of its own, so that neither ^C at our terminal nor the terminal itself reaches
 * it; it runs in "/", where the program in the background is, too, and inherits no descriptor. One
 * thread uses it.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct MmChild MmChild;

/* Runs @command_line, split into words as a shell does; no shell is involved. The kernel takes no
 * more than @ahead_octets of what it prints before we do (0: as it likes). NULL with MM_ERROR_USAGE
 * (there are no words in it) or MM_ERROR_OFFLINE (it cannot be run). */
MmChild *mm_child_start (const gchar *command_line, guint ahead_octets, GError **error);

/* Ends it: what is connected to it notices by the end of its input; it is given a moment, then
 * SIGTERM, then SIGKILL, with all that it started in its process group. Blocks for two seconds at
 * most. */
void mm_child_free (MmChild *child);

/* The program's name, for errors. (transfer none) */
const gchar *mm_child_get_name (const MmChild *child);

/* Non-blocking. Owned by @child. */
int mm_child_get_fd (const MmChild *child);

/* "ended with status 255: Connection refused", with its last line on standard error, when it ended
 * or does within a moment, else "closed the connection". (transfer full) */
gchar *mm_child_describe_end (MmChild *child);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmChild, mm_child_free)

G_END_DECLS
