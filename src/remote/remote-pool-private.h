// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What remote-pool.c (lifetime and keeper), remote-slot.c (connections), remote-queue.c (jobs without
 * one) and remote-dispatch.c (who gets which job) share.
 */
#pragma once

#include <mailmount/network-watch.h>

#include "remote-bandwidth.h"
#include "remote-meter.h"
#include "remote-pool.h"
#include "remote-reach.h"

G_BEGIN_DECLS

typedef enum
{
  MM_REMOTE_SLOT_STARTING, /* connecting, logging in */
  MM_REMOTE_SLOT_READY,
  MM_REMOTE_SLOT_ENDED, /* takes no more jobs; no longer in the pool's array */
} MmRemoteSlotState;

struct MmRemoteSlot
{
  MmRemotePool *pool; /* borrowed: the pool joins every thread before it goes */
  GThread *thread;    /* set under the pool's lock before the slot can be reached */
  int wake_fd;        /* an eventfd, immutable */
  gint is_woken;      /* atomic */
  gint abort_flag;    /* atomic */
  gint is_suspect;    /* atomic */
  gint64 opened_us;   /* since 1970 UTC, immutable */
  gint64 started_us;  /* the same, monotonic */
  _Atomic guint64 received_octets;

  /* Guarded by the pool's lock. */
  MmRemoteSlotState state;
  gboolean was_ready;
  gchar *mailbox; /* of the last job assigned; nullable */
  GQueue inbox;   /* of MmRemoteJob, assigned and not yet taken; owns references */
  guint n_jobs;   /* assigned and not ended, the inbox included; without a watch */
  gboolean has_watch; /* assigned and not ended */
  gchar *watched; /* what that watches; owned; NULL: nothing, or all mailboxes */
  guint n_read_ahead; /* bulk jobs of it */
  guint64 due_octets; /* of all jobs assigned */
  guint64 paid_octets; /* of these, what came already; counted where there is a daily limit */
  gboolean has_exclusive;
  gboolean is_draining; /* within one dispatch: gets nothing more, an earlier job waits for it */
  gint64 last_used_us;
};

/* A job that ended without being on any connection. */
typedef struct
{
  MmRemoteJob *job; /* owns a reference */
  GError *error;    /* owned */
} MmRemoteOrphan;

struct MmRemotePool
{
  gatomicrefcount refs;
  guint max_connections;
  MmLimits limits; /* immutable after the first job */
  MmRemoteSlotFunc run;
  gpointer driver_data;
  MmRemoteMeter *meter;
  MmRemoteBandwidth *bandwidth; /* nullable: no limit; immutable after the first job */
  MmRemoteBudget *budget;       /* the same */
  MmRemoteOnlineFunc online_func; /* nullable; the same */
  gpointer online_data;
  MmNetworkWatch *network; /* nullable: turned off */
  GThread *keeper; /* joins ended slots and ends jobs that no connection's thread has */

  GMutex lock; /* the only lock of the pool; guards everything below; nothing is called with it */
  GCond changed;
  GQueue queues[MM_REMOTE_PRIORITY_WATCH + 1]; /* of MmRemoteJob by MmRemotePriority; own references */
  GPtrArray *slots; /* of MmRemoteSlot, STARTING and READY; the slots are owned by their thread
                       until it put them into `ended` */
  guint n_threads;  /* slots' threads that the keeper has not joined */
  GQueue ended;     /* of MmRemoteSlot, to be joined and freed */
  GQueue orphans;   /* of MmRemoteOrphan */
  gboolean is_closing;
  guint limit; /* connections the server bears, while limit_until_us has not come */
  gint64 limit_until_us;
  guint n_open_failures;
  gboolean was_connected; /* once; before, whoever started the program is told what is wrong */
  MmRemoteReach reach;
  gint64 postponed_due_us; /* of the first job in the queues that was put off; G_MAXINT64: none */
  guint patience_ms; /* for how long a job may be made to wait */
};

/* ---- remote-dispatch.c ---- */

/* Assigns what can be assigned and opens connections for the rest. */
void mm_remote_pool_dispatch_locked (MmRemotePool *pool);

/* ---- remote-queue.c ---- */

/* The keeper will end @job with @error. (transfer full) of both */
void mm_remote_pool_add_orphan_locked (MmRemotePool *pool, MmRemoteJob *job, GError *error);
/* Does so. No lock held. */
void mm_remote_pool_end_orphan (MmRemoteOrphan *orphan);
void mm_remote_pool_end_queued_locked (MmRemotePool *pool, const GError *error);
/* Those that would have to wait for longer than anybody waits for them. */
void mm_remote_pool_end_impatient_locked (MmRemotePool *pool);
/* A connection was lost before it was of use. */
void mm_remote_pool_count_lost_opening_locked (MmRemotePool *pool, const GError *error);
/* Nothing is asked of the server until then. */
void mm_remote_pool_hold_locked (MmRemotePool *pool, gint64 until_us, const GError *error);
/* Dispatches the jobs that were put off until now. */
void mm_remote_pool_tend_postponed_locked (MmRemotePool *pool);

/* ---- remote-slot.c ---- */

void mm_remote_pool_open_slot_locked (MmRemotePool *pool);
/* Opens one to see whether the server is there again. */
void mm_remote_pool_try_locked (MmRemotePool *pool);
/* The network is another one: gives up those that hang while they are opened. */
void mm_remote_pool_give_up_openings_locked (MmRemotePool *pool);
gboolean mm_remote_pool_has_ready_slot_locked (const MmRemotePool *pool);
void mm_remote_slot_wake (MmRemoteSlot *slot);
/* Its thread was joined. */
void mm_remote_slot_free (MmRemoteSlot *slot);

G_END_DECLS
