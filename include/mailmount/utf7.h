// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Modified UTF-7, the encoding of mailbox names (RFC 3501 5.1.3), to and from UTF-8.
 *
 * The decoder is strict: it accepts exactly what the encoder produces, so that decoding and
 * encoding are inverse to each other and two mailboxes never decode to the same name. What it
 * refuses is kept as raw octets by folder-name.h. Pure functions, any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @octets (@length of them, or -1 for NUL-terminated) as UTF-8. NULL when they are not canonical
 * modified UTF-7: bad base64, non-zero padding bits, a lone surrogate, U+0000, a control or 8-bit
 * octet outside base64, or a printable ASCII character or an adjacent shift in base64, which the
 * RFC forbids. (transfer full) (nullable) */
gchar *mm_utf7_to_utf8 (const gchar *octets, gssize length);

/* @utf8 (@length octets or -1) as modified UTF-7. NULL when @utf8 is not valid UTF-8.
 * (transfer full) (nullable) */
gchar *mm_utf7_from_utf8 (const gchar *utf8, gssize length);

G_END_DECLS
