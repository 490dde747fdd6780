// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Asks for a secret on the controlling terminal, without echo. Only while the program starts, on
 * the main thread: it changes signal handlers for as long as it waits.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

/* One line that the user types behind @question. MM_ERROR_AUTHENTICATION: there is no terminal, or
 * nothing was typed. MM_ERROR_CANCELLED: interrupted; the terminal is as it was. (transfer full) */
MmSecret *mm_prompt_secret (const gchar *question, GError **error);

G_END_DECLS
