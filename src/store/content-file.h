// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One message's octets, as the content cache makes and keeps them. The public functions are in
 * <mailmount/content-cache.h>.
 *
 * Octets once present never change: a write fills gaps only, so that readers need no lock while
 * they read. Locks, in the order in which they are taken:
 *   work_lock  one worker at a time writes, flushes or verifies; held over I/O, never by readers
 *   lock       the set of extents; held for moments
 * The fields of the registry are guarded by its own lock (content-registry.h), which is the last.
 */
#pragma once

#include <sys/uio.h>

#include "content-header.h"
#include "digest.h"
#include "extents.h"

G_BEGIN_DECLS

struct MmContentFile
{
  /* Immutable. */
  MmContentCache *cache; /* owned */
  MmContentKey key;
  guint64 size;
  int fd;         /* owned; -1: in memory */
  guint8 *memory; /* owned; NULL: on disk */

  /* Guarded by the registry. */
  guint refs;
  gboolean is_listed;  /* what a lookup of the key finds */
  GList idle_link;     /* .data: this file; in the registry's idle queue while it has no users */

  /* Atomic; a file becomes complete, verified or useless once and stays so. */
  gint is_complete;
  gint is_verified; /* all octets that came from an earlier process were checked */
  gint is_useless;
  gint is_forgotten; /* replaced or removed: nothing more is written down */

  GMutex lock;
  MmExtents *extents; /* guarded by lock */

  GMutex work_lock;
  GArray *segments;       /* Array<MmContentSegment>: what the file on disk knows of */
  MmExtents *unflushed;   /* what is in extents and in no segment */
  guint64 list_offset;    /* of the list on disk */
  gsize list_octets;
  MmDigest *prefix;       /* the digest of [0, prefix_octets) so far */
  guint64 prefix_octets;
  guint8 digest[MM_DIGEST_OCTETS]; /* immutable once is_complete */
};

/* A file as @header says. Either @fd or @memory holds it. @segments (nullable) are those of a
 * partial file. One reference; it is not registered yet. (transfer full) of @fd, @memory, @segments. */
MmContentFile *mm_content_file_new (MmContentCache *cache, const MmContentHeader *header, int fd,
                                    guint8 *memory, GArray *segments);

/* For the registry, when the last reference is gone. */
void mm_content_file_free (MmContentFile *file);

/* Writes @n buffers at @offset, all or FALSE with errno. @buffers are changed. */
gboolean mm_content_write_all (int fd, struct iovec *buffers, gsize n, guint64 offset);

G_END_DECLS
