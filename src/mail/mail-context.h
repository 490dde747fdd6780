// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the parts of one account share: the remote, the index, the cache, and the threads that may
 * block on the disk. Owned by the account, immutable after construction but for its last two fields, and
 * alive until every mailbox and content is gone.
 */
#pragma once

#include <mailmount/account.h>
#include <mailmount/content-cache.h>
#include <mailmount/remote.h>

#include "disk-pool.h"
#include "gate.h"
#include "index-thread.h"
#include "object-map.h"
#include "statistics.h"
#include "watcher.h"

typedef struct
{
  gchar *name;             /* for messages: "user@host" */
  gchar *key;              /* identity in the index */
  MmObjectMap *objects;    /* where messages with object ids are */
  MmMailbox *(*find_mailbox) (guint32 folder_id, gpointer find_data); /* nullable result; borrowed */
  gpointer find_data;
  struct MmOrphans *orphans; /* the index thread's: contents that a folder less has */
  MmRemote *remote;
  MmIndexThread *index;
  MmContentCache *cache;
  MmDiskPool *disk_readers; /* look up and verify */
  MmDiskPool *disk_writers; /* one thread: what it stores is stored in order */
  MmStatistics *statistics;
  MmGate *relists;          /* entered by what goes on with a listing on a disk thread: whoever waits for
                               it asks the remote next */
  gboolean want_subject;
  guint64 bandwidth;       /* octets per second; 0: no limit */
  gint64 refresh_us;
  gint64 poll_us;          /* 0: never */
  MmWatcher *watcher; /* nullable: nobody follows what changes */
  const MmAccountObserver *observer; /* nullable */
  gpointer observer_data;
  _Atomic gint64 arriving_octets; /* of messages that are held until all of them is there */
  _Atomic gint64 unstored_octets; /* in memory, on their way to the disk */
  _Atomic gint64 store_warned_us; /* monotonic; a full disk is told once a minute, not for each message */
} MmMailContext;

/* A listing that is known is shown for so long without asking the server again, after it could not be
 * asked: those who waited for the answer look once more. */
#define MM_EXCUSE_US G_USEC_PER_SEC

/* The server cannot be asked now: what is known of it stands. */
static inline gboolean
mm_error_is_away (const GError *error)
{
  return g_error_matches (error, MM_ERROR, MM_ERROR_OFFLINE)
         || g_error_matches (error, MM_ERROR, MM_ERROR_TIMEOUT)
         || g_error_matches (error, MM_ERROR, MM_ERROR_UNAVAILABLE)
         || g_error_matches (error, MM_ERROR, MM_ERROR_QUOTA);
}
