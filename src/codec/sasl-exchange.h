// SPDX-License-Identifier: GPL-3.0-or-later
/* SASL as AUTHENTICATE and AUTH carry it: lines of base64 (RFC 9051 6.2.2, RFC 4959, RFC 5034). */
#pragma once

#include <mailmount/sasl.h>

G_BEGIN_DECLS

/* The response to the empty challenge, to go out with the command: base64, or "=" for an empty one.
 * NULL with MM_ERROR_AUTHENTICATION. (transfer full), with mm_sasl_free_line(). */
gchar *mm_sasl_initial_line (MmSasl *sasl, GError **error);

/* The answer, without end of line, to @challenge as it stood behind "+ ". @is_first: nothing was
 * sent to the server yet. As above. */
gchar *mm_sasl_answer_line (MmSasl *sasl, const gchar *challenge, gboolean is_first,
                                 GError **error);

/* Wipes and frees. NULL is allowed. */
void mm_sasl_free_line (gchar *line);

G_END_DECLS
