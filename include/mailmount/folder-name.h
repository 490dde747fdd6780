// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Mailbox names and the paths of their directories.
 *
 * A mailbox name as the server writes it (the wire name) is split at the delimiter; each part
 * becomes one component of a path: decoded from modified UTF-7 (or taken as UTF-8 where
 * UTF8=ACCEPT is enabled), then made safe by percent-encoding. A component
 *
 *  - never is empty, "." or "..", never holds '/', NUL, a control character or invalid UTF-8, never
 *    looks like a message (*.eml) or a view (.search, .parts, .headers, .mailmount*);
 *  - is reversible: '%' before two hex digits is written %25, so that decoding gives back the
 *    exact octets of the wire name. A part that is not canonical modified UTF-7 is shown as its
 *    raw octets, every '&' as %26, which no decoded part has; if it holds no '&' (raw UTF-8, raw
 *    controls), %2D is put in front, stands for nothing and says the same. So does an empty part.
 *  - has at most 255 octets. A longer one is cut between characters and ends in '~' and eight hex
 *    digits of the SHA-256 of the uncut component. This alone is not reversible: the index
 *    remembers the wire name.
 *
 * Like the names of messages these are frozen. Pure functions, any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MM_FOLDER_NAME_MAX 255

typedef enum
{
  MM_MAILBOX_UTF7, /* RFC 3501 5.1.3 */
  MM_MAILBOX_UTF8, /* RFC 6855: the connection has enabled UTF8=ACCEPT */
} MmMailboxEncoding;

/* The path component of one part of a wire name (@length octets, or -1 when NUL-terminated), cut
 * where needed. *@out_cut, which may be NULL, says whether it was. (transfer full) */
gchar *mm_folder_name_encode (const gchar *part, gssize length, MmMailboxEncoding encoding,
                              gboolean *out_cut);

/* The part of a wire name behind the uncut path component @component; the inverse of
 * mm_folder_name_encode. NULL when no wire part has this component: it is not what encoding would
 * produce. (transfer full) (nullable) */
gchar *mm_folder_name_decode (const gchar *component, MmMailboxEncoding encoding);

/* Whether the wire name @mailbox is INBOX, in any case (RFC 3501 5.1). */
gboolean mm_mailbox_is_inbox (const gchar *mailbox);

/* The path of @mailbox, a component for each part. @delimiter is the server's, '\0' for NIL (a
 * flat name). One delimiter at the end is dropped, as some servers list parents that way; a first
 * part INBOX is written in capitals. Never empty. *@out_cut, which may be NULL, says whether a
 * component was cut. (transfer full) */
GStrv mm_folder_path_split (const gchar *mailbox, gchar delimiter, MmMailboxEncoding encoding,
                            gboolean *out_cut);

/* The wire name for a path of components, none of them cut. NULL when a component is not what
 * mm_folder_name_encode produces, or decodes to something with the delimiter in it.
 * (transfer full) (nullable) */
gchar *mm_folder_path_join (const gchar *const *components, gchar delimiter,
                            MmMailboxEncoding encoding);

G_END_DECLS
