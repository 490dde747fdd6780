// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How the database file is found, checked, and set aside when it cannot be used.
 */
#pragma once

#include "index-private.h"

G_BEGIN_DECLS

#define MM_INDEX_FILE        "index.sqlite"
#define MM_INDEX_LOCK        "index.lock"
/* Exists when damage was met while the index was in use. */
#define MM_INDEX_DAMAGE_MARK "index.damaged"

/* Opens the database of @index, ready for statements. */
gboolean mm_index_open_on_disk (MmIndex *index, const gchar *directory, GError **error);
gboolean mm_index_open_in_memory (MmIndex *index, GError **error);
/* For reading only. */
gboolean mm_index_open_as_it_is (MmIndex *index, const gchar *directory, GError **error);

/* Finalizes the statements and closes the database. */
void mm_index_close_database (MmIndex *index);

G_END_DECLS
