// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs the user's command that prints a secret: password_command, token_command. No shell is
 * involved (who wants one writes sh -c '…'); its standard input and error are ours, so that it may
 * ask on the terminal and complain there. Any thread.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

/* The first line @command_line prints, without its end. @option names it in errors: its name is
 * said, its arguments are not. Kills the command when it has not ended after @deadline_ms.
 * MM_ERROR_AUTHENTICATION: it failed, was killed, took too long or printed nothing. (transfer
 * full) */
MmSecret *mm_command_read_secret (const gchar *option, const gchar *command_line,
                                  guint deadline_ms, GError **error);

G_END_DECLS
