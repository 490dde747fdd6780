// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A server on loopback that follows scripts, one for each connection in the order of accepting.
 * A script's lines:
 *
 *   C: PATTERN   one command line must come; its tag is remembered, the rest must match the glob
 *   S: TEXT      sends TEXT and a line end; $T is the last command's tag, $U the one before, $V and
 *                $W those before that
 *   R: TEXT      the same without a line end; \r and \n in it are line ends, one \0 is NUL
 *   W            waits until the client closes
 *   G NAME       waits until the test calls scripted_server_open_gate (NAME)
 *   X            closes at once
 *   K            resets the connection: what the client sends from then on fails
 *
 * At the script's end a LOGOUT, or POP3's QUIT, is answered and the connection closed.
 */
#pragma once

#include <glib.h>

typedef struct ScriptedServer ScriptedServer;

ScriptedServer *scripted_server_new (void);
/* At a port where another one was before. */
ScriptedServer *scripted_server_new_at (guint16 port);
/* The script of the next connection. */
void scripted_server_add (ScriptedServer *server, const gchar *script);
guint16 scripted_server_get_port (const ScriptedServer *server);
void scripted_server_open_gate (ScriptedServer *server, const gchar *name);
/* Waits until @n connections have followed their script to the end. */
void scripted_server_wait_ended (ScriptedServer *server, guint n);
/* Fails the test when a script was not followed to its end. */
void scripted_server_free (ScriptedServer *server);
