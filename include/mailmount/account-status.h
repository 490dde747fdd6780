// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an account is doing at the moment, and what went wrong since it was opened: a copy, for people
 * and programs that ask. Times are microseconds since 1970 UTC, 0: never.
 */
#pragma once

#include <mailmount/account.h>
#include <mailmount/content-cache.h>
#include <mailmount/remote-status.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *path;        /* below the root of the mount, "" for that itself; owned */
  gboolean is_listed; /* its messages are known, all of them */
  guint64 messages;   /* as far as known */
  guint64 octets;
  guint64 n_cached;   /* messages in the cache, whole or in part, as far as counted */
  gint64 compared_us; /* when the listing last agreed with the server */
} MmFolderStatus;

/* A message that could not be fetched when it was last asked for. */
typedef struct
{
  guint32 folder_id;
  gchar *folder; /* its path below the root of the mount; owned */
  guint64 number;
  MmError code;
  gchar *reason; /* owned */
  guint n_times;
  gint64 failed_us;
} MmFailedMessage;

typedef struct
{
  guint64 fetched_octets; /* that came ahead of readers; the next three make it up */
  guint64 used_octets;    /* a reader came for them */
  guint64 waiting_octets; /* … may still come */
  guint64 unused_octets;  /* … went past, or went away */
  guint64 n_hits;         /* messages opened that had been fetched ahead */
  guint64 n_misses;       /* messages that were fetched when a reader waited for them */
} MmReadAheadStatus;

typedef struct
{
  MmRemoteStatus remote;
  gint64 folders_listed_us;
  GArray *folders; /* Array<MmFolderStatus>, those with messages, in the order of a walk; owned */
  MmReadAheadStatus read_ahead;
  MmContentCacheUsage cache;
  guint n_cache_damaged; /* files and extents of the cache that were found damaged and dropped */
  guint n_listing_errors[MM_N_ERRORS]; /* by MmError */
  guint n_message_errors[MM_N_ERRORS];
  GArray *failed; /* Array<MmFailedMessage>, the latest first, some; owned */
} MmAccountStatus;

/* Never blocks. *@out is to be cleared. */
void mm_account_get_status (MmAccount *account, MmAccountStatus *out);
void mm_account_status_clear (MmAccountStatus *status);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmAccountStatus, mm_account_status_clear)

G_END_DECLS
