// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Writes one JSON text (RFC 8259), indented for people, one value a line. Strings may hold anything:
 * what is not UTF-8 becomes U+FFFD, and what cannot be shown is escaped, so that the text is harmless
 * on a terminal and no string spreads over two lines.
 *
 * Keys are given in objects and NULL in arrays and at the top; the caller sees to it that what was
 * begun is ended. Not thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct MmJsonWriter MmJsonWriter;

MmJsonWriter *mm_json_writer_new (void);
void mm_json_writer_free (MmJsonWriter *writer);

/* The text, with a newline at its end; frees @writer. (transfer full) */
gchar *mm_json_writer_finish (MmJsonWriter *writer);

void mm_json_writer_begin_object (MmJsonWriter *writer, const gchar *key);
void mm_json_writer_end_object (MmJsonWriter *writer);
void mm_json_writer_begin_array (MmJsonWriter *writer, const gchar *key);
void mm_json_writer_end_array (MmJsonWriter *writer);

/* NULL is null. */
void mm_json_writer_add_string (MmJsonWriter *writer, const gchar *key, const gchar *value);
void mm_json_writer_add_number (MmJsonWriter *writer, const gchar *key, guint64 value);
void mm_json_writer_add_boolean (MmJsonWriter *writer, const gchar *key, gboolean value);
/* Microseconds since 1970 UTC, as "2026-01-02T03:04:05Z" (RFC 3339); 0 is null. */
void mm_json_writer_add_time (MmJsonWriter *writer, const gchar *key, gint64 wall_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmJsonWriter, mm_json_writer_free)

G_END_DECLS
