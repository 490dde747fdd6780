// SPDX-License-Identifier: GPL-3.0-or-later
/* The Message-ID field of a header (RFC 5322 3.6.4). Pure functions. */
#pragma once

#include <glib.h>

/* The value of the first Message-ID field in @header, unfolded, without blanks at its ends, as valid
 * UTF-8. "" when the header ends without one; NULL when it may still come because @header was cut
 * before its end (@is_whole FALSE). (transfer full) */
gchar *mm_message_id_find (const gchar *header, gsize length, gboolean is_whole);
