// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The subject of a message, from a header block as the server sends it to UTF-8 text. It feeds
 * message-name.h, so its results should not change either. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The value of the first Subject field in @header (@length octets: a header block, or what
 * BODY[HEADER.FIELDS (SUBJECT)] returns), unfolded (RFC 5322 2.2.3) and without blanks at its
 * ends. Octets of any kind may be in it, NUL too: *@out_length counts them; a NUL is added behind.
 * NULL when there is no such field or it is empty. (transfer full) (nullable) */
gchar *mm_subject_find (const gchar *header, gsize length, gsize *out_length);

/* @raw (@length octets, or -1 when NUL-terminated) as UTF-8: encoded words decoded (RFC 2047,
 * tolerant as mail programs are), raw 8-bit text taken as UTF-8 or else Windows-1252, what no
 * charset explains repaired with U+FFFD. NUL becomes a blank; blanks at the ends go. Only the
 * first MM_SUBJECT_OCTETS_MAX octets are looked at. NULL when nothing is left.
 * (transfer full) (nullable) */
gchar *mm_subject_decode (const gchar *raw, gssize length);

#define MM_SUBJECT_OCTETS_MAX 8192

/* All of it: the stem of the message's name (message-name.h) for the header block @header. NULL
 * when the message has no subject. (transfer full) (nullable) */
gchar *mm_subject_stem_from_header (const gchar *header, gsize length);

G_END_DECLS
