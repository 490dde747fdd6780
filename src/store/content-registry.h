// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The files in use, by key: for one key there is at most one listed MmContentFile in a process, so
 * that all who read a message share its extents and its checks. All references are counted here,
 * under one lock, and this is the place for whatever has to know which files are in use.
 *
 * Files in memory (cache=none) stay when nobody uses them, until the memory is needed: the one
 * longest unused goes first. What is in use never takes more than the limit either: then no other
 * message gets memory.
 */
#pragma once

#include "content-file.h"

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  GHashTable *files;    /* Map<MmContentKey, MmContentFile>: listed ones; borrowed */
  GHashTable *verified; /* Map<packed key, fingerprint>; see content-registry.c */
  GQueue idle;          /* listed files in memory without references; owned */
  guint64 memory_octets; /* of all files in memory that are not freed */
  guint64 max_memory_octets;
  gboolean was_full;    /* something had to leave memory, or had no room in it */
  gboolean is_closed;   /* nothing becomes idle any more */
} MmContentRegistry;

#define MM_CONTENT_MEMORY_OCTETS ((guint64) 64 << 20)

void mm_content_registry_init (MmContentRegistry *registry);
/* The owner is gone: idle files are freed now, others when they are given back. */
void mm_content_registry_close (MmContentRegistry *registry);
void mm_content_registry_clear (MmContentRegistry *registry);

/* What files in memory may take from now on; MM_CONTENT_MEMORY_OCTETS before. */
void mm_content_registry_limit_memory (MmContentRegistry *registry, guint64 octets);
guint64 mm_content_registry_get_memory_limit (MmContentRegistry *registry);
/* TRUE when a file in memory may take @octets, which then are counted until they are given back. */
gboolean mm_content_registry_reserve (MmContentRegistry *registry, guint64 octets);
void mm_content_registry_give_back (MmContentRegistry *registry, guint64 octets);
void mm_content_registry_get_usage (MmContentRegistry *registry, MmContentCacheUsage *out);
guint64 mm_content_registry_count_folder (MmContentRegistry *registry, guint32 folder_id);

/* The listed file of @key, or NULL. (transfer full) */
MmContentFile *mm_content_registry_find (MmContentRegistry *registry, MmContentKey key);

/* TRUE when the listed file of @key is complete. */
gboolean mm_content_registry_has_complete (MmContentRegistry *registry, MmContentKey key);

/* Lists @file; one that was listed under its key is forgotten. */
void mm_content_registry_replace (MmContentRegistry *registry, MmContentFile *file);

/* Lists @file (transfer full) unless there is a listed one. The listed one. (transfer full) */
MmContentFile *mm_content_registry_intern (MmContentRegistry *registry, MmContentFile *file);

/* The file of @key, or only @only (nullable), is listed no more; who uses it goes on. */
void mm_content_registry_forget (MmContentRegistry *registry, MmContentKey key, MmContentFile *only);
void mm_content_registry_forget_folder (MmContentRegistry *registry, guint32 folder_id);

void mm_content_registry_ref (MmContentRegistry *registry, MmContentFile *file);
void mm_content_registry_unref (MmContentRegistry *registry, MmContentFile *file);

/* Content of @key with @digest was checked, or written, by this process. */
void mm_content_registry_note_verified (MmContentRegistry *registry, MmContentKey key,
                                     const guint8 digest[MM_DIGEST_OCTETS]);
/* Content of @key is no more. */
void mm_content_registry_forget_verified (MmContentRegistry *registry, MmContentKey key);
gboolean mm_content_registry_is_verified (MmContentRegistry *registry, MmContentKey key,
                                       const guint8 digest[MM_DIGEST_OCTETS]);

G_END_DECLS
