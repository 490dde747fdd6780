// SPDX-License-Identifier: GPL-3.0-or-later
/* Fields of a message's header (RFC 5322 2.2), for who has nothing but the header. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first field @name in @header (@length octets), with its name, its folded lines and their ends.
 * NULL when there is none. (transfer none) (nullable): points into @header */
const gchar *mm_message_header_find (const gchar *header, gsize length, const gchar *name,
                                     gsize *out_length);

/* When the message was delivered, in seconds since 1970 UTC: the date of the first Received field, which
 * the last server wrote, else that of the Date field; 0 when neither has one that can be read. */
gint64 mm_message_header_get_date (const gchar *header, gsize length);

G_END_DECLS
