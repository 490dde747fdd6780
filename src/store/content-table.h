// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The files in use, by key: for one key there is at most one listed MmContentFile in a process, so
 * that all who read a message share its extents and its checks. All references are counted here,
 * under one lock, and this is the place for whatever has to know which files are in use.
 *
 * Files in memory (cache=none) stay when nobody uses them, until there is too much of them: the one
 * longest unused goes first.
 */
#pragma once

#include "content-file.h"

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  GHashTable *files;    /* Map<MmContentKey, MmContentFile>: listed ones; borrowed */
  GHashTable *verified; /* Set of fingerprints of key and digest; see content-table.c */
  GQueue idle;          /* listed files in memory without references; owned */
  guint64 idle_octets;
  gboolean is_closed;   /* nothing becomes idle any more */
} MmContentTable;

#define MM_CONTENT_MAX_IDLE_OCTETS ((guint64) 64 << 20)

void mm_content_table_init (MmContentTable *table);
/* The owner is gone: idle files are freed now, others when they are given back. */
void mm_content_table_close (MmContentTable *table);
void mm_content_table_clear (MmContentTable *table);

/* The listed file of @key, or NULL. (transfer full) */
MmContentFile *mm_content_table_find (MmContentTable *table, MmContentKey key);

/* TRUE when the listed file of @key is complete. */
gboolean mm_content_table_has_complete (MmContentTable *table, MmContentKey key);

/* Lists @file; one that was listed under its key is forgotten. */
void mm_content_table_replace (MmContentTable *table, MmContentFile *file);

/* Lists @file (transfer full) unless there is a listed one. The listed one. (transfer full) */
MmContentFile *mm_content_table_intern (MmContentTable *table, MmContentFile *file);

/* The file of @key, or only @only (nullable), is listed no more; who uses it goes on. */
void mm_content_table_forget (MmContentTable *table, MmContentKey key, MmContentFile *only);
void mm_content_table_forget_folder (MmContentTable *table, guint32 folder_id);

void mm_content_table_ref (MmContentTable *table, MmContentFile *file);
void mm_content_table_unref (MmContentTable *table, MmContentFile *file);

/* Content of @key with @digest was checked, or written, by this process. */
void mm_content_table_note_verified (MmContentTable *table, MmContentKey key,
                                     const guint8 digest[MM_DIGEST_OCTETS]);
gboolean mm_content_table_is_verified (MmContentTable *table, MmContentKey key,
                                       const guint8 digest[MM_DIGEST_OCTETS]);

G_END_DECLS
