// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The octets of messages on disk: one file per message, whole or in ranges, found again after a
 * remount without asking the server. Paths are made from numbers, never from names:
 * DIRECTORY/content-v1/FFFFFF/NN/NNNNNNNNN (folder id, bits 8 to 15 of the number, number, hex); of
 * messages that several folders have the folder id is 0, and the number has 15 digits.
 *
 * A file describes itself: a fixed header (magic, version, size, state, SHA-256) before the
 * content; a partial file also carries its list of extents, each with a digest. What is not
 * complete and consistent is simply not there: after a crash such a file, or such an extent, is
 * dropped when it is looked up. Nothing is ever fsynced.
 *
 * All functions block on the disk, but mm_content_file_pread() of verified content is meant for
 * FUSE handlers. Thread-safe; one MmContentFile may be read by many threads and written by one.
 *
 * Errors are MM_ERROR_CACHE, MM_ERROR_NO_SPACE or, in memory, MM_ERROR_LIMIT; a failed write leaves the cache as if nothing had
 * been written.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct MmContentCache MmContentCache;
typedef struct MmContentFile MmContentFile;

#define MM_DIGEST_OCTETS 32 /* SHA-256 */

/* Stands for a folder where a content belongs to several. */
#define MM_CONTENT_SHARED_FOLDER 0

typedef struct
{
  guint32 folder_id;
  guint64 number; /* local number, below 2^36; with MM_CONTENT_SHARED_FOLDER below 2^60 */
  guint32 origin; /* a mark of what the number stands for (UIDVALIDITY and UID): content that was
                     stored under another mark is not there */
} MmContentKey;

/* @directory NULL: files without names that vanish with the process (cache=none). The directory
 * is created 0700; one that belongs to another user or that others may read or write is refused,
 * and no symbolic link is followed inside it. What others could write to inside it is set aside. */
MmContentCache *mm_content_cache_open (const gchar *directory, GError **error);
void mm_content_cache_close (MmContentCache *cache);

/* What the cache may take. */
typedef struct
{
  guint64 size_octets; /* of all content files, in blocks of the disk; 0: no limit */
  guint64 free_octets; /* of the disk, which others have before us; 0: all may be used */
  /* A message left for want of room, or was taken by another process. Any thread; no lock held.
   * Nullable. */
  void (*evicted) (guint32 folder_id, guint64 number, gpointer user_data);
  gpointer user_data;
} MmContentCacheLimits;

/* A floor of 512 MiB, and no more than a twentieth of the disk. */
#define MM_CONTENT_CACHE_FREE_DEFAULT G_MAXUINT64

/* Limits what is kept: to make room for a message, the longest unused ones leave. What is open or
 * held stays, and may go beyond the size. What was stored before is counted by a thread that
 * looks through the directory, which begins now: storing waits for it, two seconds at most, and then
 * fails (MM_ERROR_LIMIT) until it is done. What other processes add is noticed after a thirty-second part
 * of the size was stored (at most 64 MiB). In memory only the size counts.
 * Once, before anything else is done. */
void mm_content_cache_limit (MmContentCache *cache, const MmContentCacheLimits *limits);

/* The size given; G_MAXUINT64 where there is no limit. */
guint64 mm_content_cache_get_size (MmContentCache *cache);

/* Why messages left, or were not kept, the last time that this happened. */
typedef enum
{
  MM_CONTENT_CACHE_LACK_NOTHING,
  MM_CONTENT_CACHE_LACK_SIZE,  /* the size is used up */
  MM_CONTENT_CACHE_LACK_DISK,  /* less of the disk was free than has to be */
  MM_CONTENT_CACHE_LACK_COUNT, /* what was stored before was not counted yet */
} MmContentCacheLack;

typedef struct
{
  guint64 n_messages;
  guint64 octets;
  gboolean is_counted;  /* what was stored before is part of these */
  guint64 size_octets;  /* what all may take; 0: no limit */
  guint64 floor_octets; /* of the disk, that has to stay free; 0: nothing */
  guint64 free_octets;  /* of the disk, when it was last looked at */
  MmContentCacheLack lack;
} MmContentCacheUsage;

/* What is kept, as far as it is known; nothing where nothing is limited. */
void mm_content_cache_get_usage (MmContentCache *cache, MmContentCacheUsage *out);

/* How many messages of a folder are kept, whole or in part, as far as it is known. */
guint64 mm_content_cache_count_folder (MmContentCache *cache, guint32 folder_id);

/* Waits until all that was stored before is counted. */
void mm_content_cache_wait_scanned (MmContentCache *cache);

/* The message was read, wherever it came from. */
void mm_content_cache_touch (MmContentCache *cache, MmContentKey key);

/* What is held stays, also when it is stored only later. Holds nest. Files in use hold themselves. */
void mm_content_cache_hold (MmContentCache *cache, MmContentKey key);
void mm_content_cache_release (MmContentCache *cache, MmContentKey key);

/* How many damaged files and extents were dropped since it was opened. */
guint mm_content_cache_get_n_damaged (MmContentCache *cache);

/* The file of @key, or NULL when there is none or it is damaged (then it is removed, logged and
 * counted). (transfer full) */
MmContentFile *mm_content_cache_lookup (MmContentCache *cache, MmContentKey key);

/* TRUE when a complete file of exactly this key is there; costs one system call. Not verified. */
gboolean mm_content_cache_has_complete (MmContentCache *cache, MmContentKey key);

/* Stores a whole message in one go: @segments joined are the content. @out_digest (nullable) gets
 * its SHA-256. */
gboolean mm_content_cache_store (MmContentCache *cache, MmContentKey key,
                                 GBytes *const *segments, gsize n_segments,
                                 guint8 out_digest[MM_DIGEST_OCTETS], GError **error);

/* Begins a file of @size octets, empty of extents; one that was there is replaced, and who uses it
 * goes on with it. Of no octets it is complete at once. MM_ERROR_TOO_BIG beyond 2^60 octets.
 * (transfer full) */
MmContentFile *mm_content_cache_create (MmContentCache *cache, MmContentKey key, guint64 size,
                                        GError **error);

/* Forgets messages and folders: what was expunged leaves the cache. */
void mm_content_cache_remove (MmContentCache *cache, MmContentKey key);
void mm_content_cache_remove_folder (MmContentCache *cache, guint32 folder_id);

MmContentFile *mm_content_file_ref (MmContentFile *file);
void mm_content_file_unref (MmContentFile *file);

guint64 mm_content_file_get_size (const MmContentFile *file);
gboolean mm_content_file_is_complete (const MmContentFile *file);

/* TRUE when all octets of the range are in the file. */
gboolean mm_content_file_has_range (const MmContentFile *file, guint64 offset, guint64 length);
/* The first octet at or after @offset that is missing; the size when none is. */
guint64 mm_content_file_get_first_gap (const MmContentFile *file, guint64 offset);

/* Checks digests against content once per process and file: the whole digest when complete, each
 * extent's else. A mismatch drops the file (complete) or the extent (partial), logged. FALSE when
 * the file is useless now. mm_content_file_is_verified() never blocks. */
gboolean mm_content_file_verify (MmContentFile *file);
gboolean mm_content_file_is_verified (const MmContentFile *file);

/* Copies content. The number of octets, short only at the end; -1 with @error, also when the range
 * is not there or not verified. */
gssize mm_content_file_pread (MmContentFile *file, void *buffer, gsize size, guint64 offset,
                              GError **error);

/* Copies the first octets, as many of @size as are there, without a check: to be compared with what is
 * known otherwise, never to be given to a reader. Returns how many. */
gsize mm_content_file_peek (MmContentFile *file, void *buffer, gsize size);

/* Adds octets. Overlap with what is there is fine (the content is the same). When the last gap is
 * closed the file becomes complete: the digest is computed and the header rewritten. */
gboolean mm_content_file_write (MmContentFile *file, guint64 offset, const void *data,
                                gsize length, GError **error);

/* Writes down the extents of a partial file, so that they survive this process. Called every few
 * MiB and when nobody reads the message any more. */
gboolean mm_content_file_flush (MmContentFile *file, GError **error);

/* The SHA-256 of a complete file; FALSE when it is not complete. */
gboolean mm_content_file_get_digest (const MmContentFile *file,
                                     guint8 out_digest[MM_DIGEST_OCTETS]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmContentCache, mm_content_cache_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmContentFile, mm_content_file_unref)

G_END_DECLS
