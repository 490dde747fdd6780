// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The connections of one remote and the jobs that wait for one. It knows nothing of the protocol:
 * a connection is a slot with a thread that runs the function the driver gave, takes the jobs the
 * pool assigns to it, and tells when each is done.
 *
 * Who gets what:
 * - Demand before read-ahead; within each in the order they were queued.
 * - A connection that has the job's mailbox open comes before others, an idle one before a busy
 *   one.
 * - Jobs share a connection (pipelining), of one mailbox or several: one round trip behind what a
 *   connection has to do already is sooner than the four or five of opening another. Not behind
 *   much, though: more than MM_REMOTE_SLOT_LIGHT_OCTETS, or read-ahead before a demand, while
 *   another connection is to be had. Exclusive jobs (lists) have their connection for themselves.
 * - A watch sits on a connection that has nothing else to do, gives way to whatever comes, and counts
 *   as nothing: the connection is idle, only a little less welcome than one without. Of one mailbox
 *   it is begun only where it leaves MM_REMOTE_UNWATCHED_MIN connections without any.
 * - Connections are opened as needed up to the limit; where the limit is two or more, one carries
 *   no read-ahead. When the server refuses one more, the limit sinks for a while to what there is.
 *
 * A sink is called without any lock: on the thread of the job's connection or, for a job that never
 * got one, on the pool's own keeper thread.
 */
#pragma once

#include <mailmount/limits.h>
#include <mailmount/remote-status.h>

#include "remote-budget.h"

G_BEGIN_DECLS

/* Jobs that share a connection: those of read-ahead leave some places to demands, listings ahead some to
 * bodies. */
#define MM_REMOTE_SLOT_LISTINGS_AHEAD_MAX 6
#define MM_REMOTE_SLOT_READ_AHEAD_MAX     8
#define MM_REMOTE_SLOT_JOBS_MAX           12
/* What is due on a connection that a job of another mailbox may well wait for: some 50 ms of a good
 * line. */
#define MM_REMOTE_SLOT_LIGHT_OCTETS (2 * 1024 * 1024)

/* Who waits must find connections that need not end IDLE first. */
#define MM_REMOTE_UNWATCHED_MIN 2

typedef struct MmRemotePool MmRemotePool;
typedef struct MmRemoteSlot MmRemoteSlot;

/* ---- jobs ---- */

typedef struct
{
  /* Tells the sink that the job ended; exactly once. */
  void (*finish) (MmRemoteJob *job, const GError *error);
  void (*free) (MmRemoteJob *job);
} MmRemoteJobClass;

typedef enum
{
  MM_REMOTE_JOB_QUEUED,
  MM_REMOTE_JOB_ASSIGNED, /* to a slot, whose thread alone may touch it */
  MM_REMOTE_JOB_DONE,
} MmRemoteJobState;

/* A driver's job embeds this as its first member and fills the first block before
 * mm_remote_pool_push(). */
struct MmRemoteJob
{
  const MmRemoteJobClass *klass;
  gchar *mailbox; /* nullable; owned, immutable */
  gint priority; /* MmRemotePriority; atomic, changed under the pool's lock after the push */
  gboolean is_exclusive;
  gboolean is_bulk; /* of read-ahead: brings bodies, so that demands keep away from its connection;
                       what is not, listings, they may well follow */
  guint64 due_octets; /* that it will bring, about; set before the push */

  gatomicrefcount refs;
  MmRemotePool *pool; /* owns a reference, immutable after the push */
  gint is_cancelled;  /* atomic */
  gint64 taken_us;    /* monotonic: when its connection took it; the connection's own */
  gint64 deadline_us; /* until when it is worth waiting; immutable after the push */

  /* Guarded by the pool's lock. */
  MmRemoteJobState state;
  MmRemoteSlot *slot; /* when ASSIGNED */
  guint n_repetitions;
  guint n_postponements;
  gint64 not_before_us; /* when QUEUED: the server asked for that */
};

/* Initialises the common part; one reference, the caller's. */
void mm_remote_job_init (MmRemoteJob *job, const MmRemoteJobClass *klass, const gchar *mailbox,
                         MmRemotePriority priority, gboolean is_exclusive);

static inline MmRemotePriority
mm_remote_job_get_priority (const MmRemoteJob *job)
{
  return (MmRemotePriority) g_atomic_int_get (&job->priority);
}

static inline gboolean
mm_remote_job_is_watch (const MmRemoteJob *job)
{
  return mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_WATCH;
}

static inline gboolean
mm_remote_job_is_bulk (const MmRemoteJob *job)
{
  return job->is_bulk && mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_READ_AHEAD;
}

static inline gboolean
mm_remote_job_is_cancelled (MmRemoteJob *job)
{
  return g_atomic_int_get (&job->is_cancelled) != 0;
}

/* ---- the pool ---- */

/* A connection's life on its own thread: connect, mm_remote_slot_set_ready(), serve jobs until
 * mm_remote_slot_must_quit(), give back what is unfinished. NULL: it ended in peace (asked to, or
 * idle). (transfer full) (nullable) */
typedef GError *(*MmRemoteSlotFunc) (MmRemoteSlot *slot, gpointer driver_data);

/* @driver_data must stay valid until mm_remote_pool_close() returned. @patience_ms: for how long a job
 * may be made to wait because the server asked for it. */
MmRemotePool *mm_remote_pool_new (guint max_connections, guint patience_ms, MmRemoteSlotFunc run,
                                  gpointer driver_data);
void mm_remote_pool_unref (MmRemotePool *pool);

/* No connection is opened from now on; every job ends in MM_ERROR_OFFLINE. Before the first job. */
void mm_remote_pool_turn_off (MmRemotePool *pool);

/* Others than mm_limits_default; copied. Before the first job. */
void mm_remote_pool_set_limits (MmRemotePool *pool, const MmLimits *limits);

/* So much is received, over all connections. Before the first job. */
void mm_remote_pool_limit_bandwidth (MmRemotePool *pool, guint64 octets_per_second);
/* So much is received within a day. Before the first job. */
void mm_remote_pool_limit_day (MmRemotePool *pool, guint64 daily_octets);
/* Before the first job. */
void mm_remote_pool_set_online_func (MmRemotePool *pool, MmRemoteOnlineFunc func,
                                     gpointer user_data);
/* NULL: there is no limit. */
MmRemoteBudget *mm_remote_pool_get_budget (MmRemotePool *pool);

/* Ends all jobs with MM_ERROR_CANCELLED and all connections, and joins their threads. */
void mm_remote_pool_close (MmRemotePool *pool);

/* Queues @job; the pool takes a reference of its own. */
void mm_remote_pool_push (MmRemotePool *pool, MmRemoteJob *job);
void mm_remote_pool_cancel (MmRemoteJob *job);
void mm_remote_pool_make_demand (MmRemoteJob *job);

/* Opens a connection, if there is none, and waits until it is ready. */
gboolean mm_remote_pool_connect (MmRemotePool *pool, GError **error);

/* Mailboxes are named as jobs name them, which is the driver's to decode. */
void mm_remote_pool_get_status (MmRemotePool *pool, MmRemoteStatus *out);

/* ---- for the connection, on its thread ---- */

/* Octets came from the server. */
void mm_remote_slot_note_received (MmRemoteSlot *slot, gsize octets);

/* Readable when something is to be looked at: a job, a cancellation, the end. */
const MmLimits *mm_remote_slot_get_limits (const MmRemoteSlot *slot);
int mm_remote_slot_get_wake_fd (const MmRemoteSlot *slot);
/* The same without a system call, for a thread that is too busy to wait. */
gboolean mm_remote_slot_is_woken (const MmRemoteSlot *slot);
/* To be called before looking at what there is to do. */
void mm_remote_slot_clear_wake (MmRemoteSlot *slot);
/* Becomes non-zero when the connection is to end at once, also while it is being opened. */
const gint *mm_remote_slot_get_abort_flag (const MmRemoteSlot *slot);
gboolean mm_remote_slot_must_quit (const MmRemoteSlot *slot);

/* TRUE, once: the network changed or the machine slept, and the connection may be dead without
 * anybody having said so. */
gboolean mm_remote_slot_take_suspicion (MmRemoteSlot *slot);

/* When the bandwidth allows to receive again, in the time of mm_clock_monotonic_us(); 0: now. */
gint64 mm_remote_slot_get_receive_us (MmRemoteSlot *slot);
/* How much may be received then, @most at most. */
gsize mm_remote_slot_get_receive_portion (const MmRemoteSlot *slot, gsize most);

void mm_remote_slot_set_ready (MmRemoteSlot *slot);
/* The next assigned job, or NULL. (transfer none): the pool's reference lasts until it ends. */
MmRemoteJob *mm_remote_slot_take_job (MmRemoteSlot *slot);
/* Tells the sink and forgets the job. */
void mm_remote_slot_finish_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error);
/* No more jobs are assigned; those not yet taken go back to the queue. First of the end. */
void mm_remote_slot_stop (MmRemoteSlot *slot, const GError *error);

typedef enum
{
  MM_REMOTE_REPEAT_ONCE,   /* unless it was repeated before */
  MM_REMOTE_REPEAT_NOT,    /* it would tell its sink something twice, or would fare no better */
  MM_REMOTE_REPEAT,        /* as long as it was not repeated too often in vain */
  MM_REMOTE_REPEAT_FREELY, /* it got on since it was last repeated, and has less left to do */
} MmRemoteRepeat;

/* The connection ends with @error before the job did: queues the job again or finishes it. */
void mm_remote_slot_return_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error,
                                MmRemoteRepeat repeat);
/* The server asks for @job to be tried again later: after @wait_ms, before which nothing else is sent
 * either, or, where that is 0, after a time that grows. Finishes it with @error when nobody would
 * wait for so long, and when it cannot be repeated. */
void mm_remote_slot_postpone_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error,
                                  guint wait_ms, MmRemoteRepeat repeat);
/* The server refuses a new connection, and any other one, for @wait_ms. */
void mm_remote_slot_hold (MmRemoteSlot *slot, guint wait_ms, const GError *error);
/* The connection wants to end because it is idle: FALSE when a job was assigned meanwhile. */
gboolean mm_remote_slot_retire (MmRemoteSlot *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmRemotePool, mm_remote_pool_unref)

G_END_DECLS
