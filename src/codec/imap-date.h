// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * INTERNALDATE (RFC 9051 date-time), as servers really write it: besides "17-Jul-1996 02:44:25
 * -0700" with a day of one digit or padded with a blank, any case of the month, a zone that is
 * missing, named or written "+02:00", and an optional weekday in front. No allocation; any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Seconds since 1970 UTC. FALSE, and @out_seconds unchanged, when it cannot be read. */
gboolean mm_imap_date_parse (const gchar *text, gsize length, gint64 *out_seconds);

G_END_DECLS
