// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A cache directory seen from outside: what of which account lies in it, and how to empty it, also
 * while mounts use it. Nothing is made or set aside by looking.
 *
 * All functions block on the disk. One thread at a time per census. Errors are MM_ERROR_CACHE, and
 * MM_ERROR_NOT_FOUND when there is no such directory, or when it is none of ours: one without content
 * and without an index that mailmount made. Such a directory is left alone.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct
{
  guint32 id;
  gchar *path;        /* below the mount point of the whole account; NULL: no index knows it */
  guint64 n_messages; /* whole or in part */
  guint64 octets;     /* on the disk */
} MmCensusFolder;

typedef struct
{
  gchar *key;         /* as in MmAccountConfig; NULL: of folders that no index knows */
  GPtrArray *folders; /* Array<MmCensusFolder> */
  guint64 n_messages; /* whole or in part */
  guint64 octets;     /* on the disk */
} MmCensusAccount;

typedef struct
{
  GPtrArray *accounts;      /* Array<MmCensusAccount>: those of the index; the one without key last,
                               only when it holds something */
  guint64 n_messages;       /* of all */
  guint64 octets;
  guint64 index_octets;
  guint n_set_aside;        /* files and directories */
  guint64 set_aside_octets;
  gchar *index_problem;     /* nullable: why the index could not be asked */
} MmCacheCensus;

MmCacheCensus *mm_cache_census_take (const gchar *directory, GError **error);
void mm_cache_census_free (MmCacheCensus *census);

/* Removes the messages of the folders @ids (Array<guint32>), or of all and what was set aside when it is
 * NULL. The index stays: names and numbers are not to be lost. A mount goes on: what it has open stays
 * readable, what it opens later is downloaded. */
gboolean mm_cache_purge (const gchar *directory, const GArray *ids, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmCacheCensus, mm_cache_census_free)

G_END_DECLS
