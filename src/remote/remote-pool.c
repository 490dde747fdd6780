// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "remote-pool-private.h"

/* How often a job that delivered nothing is tried again after its connection was lost. */
#define REPETITIONS_MAX 2
/* A server that refused one connection more is not asked again before. */
#define LIMIT_SECONDS 60

/* A job that ended without being on any connection. */
typedef struct
{
  MmRemoteJob *job; /* owns a reference */
  GError *error;    /* owned */
} Orphan;

/* ---- jobs ---- */

void
mm_remote_job_init (MmRemoteJob *job, const MmRemoteJobClass *klass, const gchar *mailbox,
                    MmRemotePriority priority, gboolean is_exclusive)
{
  g_atomic_ref_count_init (&job->refs);
  job->klass = klass;
  job->mailbox = g_strdup (mailbox);
  job->priority = priority;
  job->is_exclusive = is_exclusive;
  job->state = MM_REMOTE_JOB_QUEUED;
}

/* (transfer full) of @job and @error */
static void
add_orphan_locked (MmRemotePool *pool, MmRemoteJob *job, GError *error)
{
  Orphan *orphan = g_new (Orphan, 1);

  orphan->job = job;
  orphan->error = error;
  job->state = MM_REMOTE_JOB_DONE;
  g_queue_push_tail (&pool->orphans, orphan);
  g_cond_broadcast (&pool->changed);
}

static void
end_orphan (Orphan *orphan)
{
  orphan->job->klass->finish (orphan->job, orphan->error);
  mm_remote_job_unref (orphan->job);
  g_error_free (orphan->error);
  g_free (orphan);
}

static void
end_queued_jobs_locked (MmRemotePool *pool, const GError *error)
{
  MmRemoteJob *job;

  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    while ((job = g_queue_pop_head (&pool->queues[i])) != NULL)
      add_orphan_locked (pool, job, g_error_copy (error));
}

/* Those that would have to wait for longer than anybody waits for them. */
static void
end_impatient_jobs_locked (MmRemotePool *pool)
{
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (GList *link = pool->queues[i].head, *next; link != NULL; link = next)
      {
        MmRemoteJob *job = link->data;

        next = link->next;
        if (job->deadline_us >= pool->reach.until_us)
          continue;
        g_queue_delete_link (&pool->queues[i], link);
        add_orphan_locked (pool, job, mm_remote_reach_dup_error (&pool->reach));
      }
}

/* A connection that was made and lost before it was of use counts against the jobs that waited for
 * it like any lost connection. */
static void
count_lost_opening_locked (MmRemotePool *pool, const GError *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (GList *link = pool->queues[i].head, *next; link != NULL; link = next)
      {
        MmRemoteJob *job = link->data;

        next = link->next;
        if (job->n_repetitions++ < REPETITIONS_MAX)
          continue;
        g_queue_delete_link (&pool->queues[i], link);
        add_orphan_locked (pool, job, g_error_copy (error));
      }
}

/* Nothing is asked of the server until then, whatever the account wants. */
static void
hold_locked (MmRemotePool *pool, gint64 until_us, const GError *error)
{
  mm_remote_reach_hold (&pool->reach, until_us, error);
  end_impatient_jobs_locked (pool);
  g_cond_broadcast (&pool->changed);
}

/* The day's budget. (transfer full): why @job may not be queued. */
static GError *
check_budget_locked (MmRemotePool *pool, const MmRemoteJob *job)
{
  g_autoptr (GError) error = NULL;

  if (mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_READ_AHEAD
      && mm_remote_budget_is_scarce (pool->budget))
    return g_error_new_literal (MM_ERROR, MM_ERROR_QUOTA,
                                "what is left of the day's limit is for those who wait");
  gint64 refill_us = mm_remote_budget_get_refill_us (pool->budget, &error);
  if (refill_us != 0)
    {
      if (!mm_remote_reach_is_held (&pool->reach))
        mm_log_warning ("%s", error->message);
      hold_locked (pool, refill_us, error);
    }
  return NULL;
}

/* (transfer full): why @job may not be queued; NULL: it may. */
static GError *
refuse_locked (MmRemotePool *pool, const MmRemoteJob *job)
{
  gboolean is_demand = mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_DEMAND;
  GError *error = pool->budget != NULL ? check_budget_locked (pool, job) : NULL;

  if (error != NULL)
    return error;
  switch (mm_remote_reach_judge (&pool->reach, is_demand, job->deadline_us))
    {
    case MM_REACH_GO:
    case MM_REACH_WAIT:
      return NULL;
    case MM_REACH_TRY:
      mm_remote_pool_try_locked (pool);
      return NULL;
    case MM_REACH_FAIL:
      return mm_remote_reach_dup_error (&pool->reach);
    }
  g_assert_not_reached ();
}

void
mm_remote_pool_push (MmRemotePool *pool, MmRemoteJob *job)
{
  GError *refusal;

  g_atomic_ref_count_inc (&pool->refs);
  job->pool = pool;
  job->deadline_us = mm_clock_monotonic_us () + (gint64) pool->patience_ms * 1000;

  g_mutex_lock (&pool->lock);
  mm_remote_job_ref (job);
  if (pool->is_closing)
    add_orphan_locked (
        pool, job, g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "the account is closing"));
  else if ((refusal = refuse_locked (pool, job)) != NULL)
    add_orphan_locked (pool, job, refusal);
  else
    {
      g_queue_push_tail (&pool->queues[job->priority], job);
      mm_remote_pool_dispatch_locked (pool);
    }
  g_mutex_unlock (&pool->lock);
}

void
mm_remote_pool_cancel (MmRemoteJob *job)
{
  MmRemotePool *pool = job->pool;

  g_atomic_int_set (&job->is_cancelled, 1);
  g_mutex_lock (&pool->lock);
  if (job->state == MM_REMOTE_JOB_ASSIGNED)
    mm_remote_slot_wake (job->slot);
  else if (job->state == MM_REMOTE_JOB_QUEUED && g_queue_remove (&pool->queues[job->priority], job))
    add_orphan_locked (pool, job, g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled"));
  g_mutex_unlock (&pool->lock);
}

void
mm_remote_pool_make_demand (MmRemoteJob *job)
{
  MmRemotePool *pool = job->pool;

  g_mutex_lock (&pool->lock);
  if (mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_READ_AHEAD)
    {
      g_atomic_int_set (&job->priority, MM_REMOTE_PRIORITY_DEMAND);
      if (job->state == MM_REMOTE_JOB_ASSIGNED)
        {
          job->slot->n_read_ahead -= job->is_bulk ? 1 : 0;
          mm_remote_slot_wake (job->slot);
        }
      else if (g_queue_remove (&pool->queues[MM_REMOTE_PRIORITY_READ_AHEAD], job))
        {
          g_queue_push_tail (&pool->queues[MM_REMOTE_PRIORITY_DEMAND], job);
          mm_remote_pool_dispatch_locked (pool);
        }
    }
  g_mutex_unlock (&pool->lock);
}

/* ---- slots ---- */

static void
slot_free (MmRemoteSlot *slot)
{
  close (slot->wake_fd);
  g_free (slot->mailbox);
  g_free (slot);
}

void
mm_remote_slot_wake (MmRemoteSlot *slot)
{
  guint64 one = 1;

  g_atomic_int_set (&slot->is_woken, 1);
  /* It can only fail when the counter is full, and then the descriptor is readable already. */
  (void) !write (slot->wake_fd, &one, sizeof one);
}

int
mm_remote_slot_get_wake_fd (const MmRemoteSlot *slot)
{
  return slot->wake_fd;
}

gboolean
mm_remote_slot_is_woken (const MmRemoteSlot *slot)
{
  return g_atomic_int_get (&slot->is_woken) != 0;
}

void
mm_remote_slot_clear_wake (MmRemoteSlot *slot)
{
  guint64 count;

  /* In this order: a wake that comes between the two leaves the flag set, one that came half
   * before leaves the descriptor readable. */
  g_atomic_int_set (&slot->is_woken, 0);
  (void) !read (slot->wake_fd, &count, sizeof count);
}

gboolean
mm_remote_slot_take_suspicion (MmRemoteSlot *slot)
{
  return g_atomic_int_exchange (&slot->is_suspect, 0) != 0;
}

gint64
mm_remote_slot_get_receive_us (MmRemoteSlot *slot)
{
  MmRemotePool *pool = slot->pool;

  if (pool->bandwidth == NULL)
    return 0;
  g_mutex_lock (&pool->lock);
  gboolean is_demand = slot->n_read_ahead == 0 || slot->n_jobs > slot->n_read_ahead;
  g_mutex_unlock (&pool->lock);
  return mm_remote_bandwidth_get_ready_us (pool->bandwidth, is_demand);
}

gsize
mm_remote_slot_get_receive_portion (const MmRemoteSlot *slot, gsize most)
{
  const MmRemoteBandwidth *bandwidth = slot->pool->bandwidth;

  return bandwidth != NULL ? MIN (most, mm_remote_bandwidth_get_portion (bandwidth)) : most;
}

const gint *
mm_remote_slot_get_abort_flag (const MmRemoteSlot *slot)
{
  return &slot->abort_flag;
}

gboolean
mm_remote_slot_must_quit (const MmRemoteSlot *slot)
{
  return g_atomic_int_get (&slot->abort_flag) != 0;
}

static gboolean
has_ready_slot_locked (const MmRemotePool *pool)
{
  for (guint i = 0; i < pool->slots->len; i++)
    if (((MmRemoteSlot *) g_ptr_array_index (pool->slots, i))->state == MM_REMOTE_SLOT_READY)
      return TRUE;
  return FALSE;
}

/* No connection can be had. Who waited for one is told why, unless waiting helps. */
static void
note_unreachable_locked (MmRemotePool *pool, const GError *error)
{
  gboolean was_away = pool->reach.state == MM_REACH_AWAY;

  mm_remote_reach_note_failed (&pool->reach, error);
  switch (pool->reach.state)
    {
    case MM_REACH_OPEN:
      count_lost_opening_locked (pool, error);
      return;
    case MM_REACH_HELD:
      end_impatient_jobs_locked (pool);
      return;
    case MM_REACH_AWAY:
      if (!was_away)
        mm_log_warning ("offline; what was listed and read before stays: %s", error->message);
      break;
    case MM_REACH_REFUSED:
    case MM_REACH_OFF:
      break;
    }
  end_queued_jobs_locked (pool, error);
}

/* One connection more was refused: go on with those that live, or wait for those being opened. */
static void
note_open_failed_locked (MmRemotePool *pool, const GError *error)
{
  pool->n_open_failures++;
  pool->limit = pool->slots->len;
  pool->limit_until_us = mm_clock_monotonic_us () + LIMIT_SECONDS * G_USEC_PER_SEC;
  if (pool->slots->len == 0)
    note_unreachable_locked (pool, error);
  else if (has_ready_slot_locked (pool))
    mm_log_warning ("going on with %u connections: %s", pool->limit, error->message);
}

/* Jobs that were assigned while the connection ended. */
static void
return_inbox_locked (MmRemoteSlot *slot, const GError *error)
{
  MmRemotePool *pool = slot->pool;
  MmRemoteJob *job;

  while ((job = g_queue_pop_tail (&slot->inbox)) != NULL)
    {
      slot->n_jobs--;
      job->slot = NULL;
      if (pool->is_closing)
        add_orphan_locked (pool, job,
                           g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled"));
      else if (error != NULL && ++job->n_repetitions > REPETITIONS_MAX)
        add_orphan_locked (pool, job, g_error_copy (error));
      else
        {
          job->state = MM_REMOTE_JOB_QUEUED;
          g_queue_push_head (&pool->queues[job->priority], job);
        }
    }
}

static void
stop_locked (MmRemoteSlot *slot, const GError *error)
{
  if (slot->state == MM_REMOTE_SLOT_ENDED)
    return;
  slot->state = MM_REMOTE_SLOT_ENDED;
  g_ptr_array_remove_fast (slot->pool->slots, slot);
  return_inbox_locked (slot, error);
}

void
mm_remote_slot_stop (MmRemoteSlot *slot, const GError *error)
{
  g_mutex_lock (&slot->pool->lock);
  stop_locked (slot, error);
  g_mutex_unlock (&slot->pool->lock);
}

static gpointer
slot_main (gpointer data)
{
  MmRemoteSlot *slot = data;
  MmRemotePool *pool = slot->pool;
  g_autoptr (GError) error = pool->run (slot, pool->driver_data);

  g_mutex_lock (&pool->lock);
  stop_locked (slot, error);
  g_assert (slot->n_jobs == 0);
  if (error != NULL && !pool->is_closing)
    {
      mm_remote_meter_note_error (pool->meter, error);
      if (!slot->was_ready)
        note_open_failed_locked (pool, error);
      else
        mm_log_info ("a connection ended: %s", error->message);
    }
  mm_remote_pool_dispatch_locked (pool);
  g_queue_push_tail (&pool->ended, slot);
  g_cond_broadcast (&pool->changed);
  g_mutex_unlock (&pool->lock);
  return NULL;
}

void
mm_remote_pool_open_slot_locked (MmRemotePool *pool)
{
  MmRemoteSlot *slot = g_new0 (MmRemoteSlot, 1);

  slot->pool = pool;
  slot->opened_us = mm_clock_wall_us ();
  slot->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (slot->wake_fd < 0)
    g_error ("no descriptor for a connection: %s", g_strerror (errno));
  slot->state = MM_REMOTE_SLOT_STARTING;
  g_queue_init (&slot->inbox);
  g_ptr_array_add (pool->slots, slot);
  pool->n_threads++;
  slot->thread = g_thread_new ("connection", slot_main, slot);
}

void
mm_remote_pool_try_locked (MmRemotePool *pool)
{
  mm_remote_reach_note_trying (&pool->reach);
  mm_remote_pool_open_slot_locked (pool);
  g_cond_broadcast (&pool->changed);
}

void
mm_remote_slot_set_ready (MmRemoteSlot *slot)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  slot->state = MM_REMOTE_SLOT_READY;
  slot->was_ready = TRUE;
  slot->last_used_us = mm_clock_monotonic_us ();
  if (pool->reach.state == MM_REACH_AWAY)
    mm_log_info ("online again");
  mm_remote_reach_note_opened (&pool->reach);
  mm_remote_pool_dispatch_locked (pool);
  g_cond_broadcast (&pool->changed);
  g_mutex_unlock (&pool->lock);
}

MmRemoteJob *
mm_remote_slot_take_job (MmRemoteSlot *slot)
{
  g_mutex_lock (&slot->pool->lock);
  MmRemoteJob *job = g_queue_pop_head (&slot->inbox);
  g_mutex_unlock (&slot->pool->lock);
  return job;
}

static void
forget_job_locked (MmRemoteSlot *slot, MmRemoteJob *job)
{
  slot->n_jobs--;
  slot->due_octets -= job->due_octets;
  if (mm_remote_job_is_bulk (job))
    slot->n_read_ahead--;
  if (job->is_exclusive)
    slot->has_exclusive = FALSE;
  slot->last_used_us = mm_clock_monotonic_us ();
  job->slot = NULL;
}

void
mm_remote_slot_finish_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  job->state = MM_REMOTE_JOB_DONE;
  forget_job_locked (slot, job);
  mm_remote_pool_dispatch_locked (pool);
  g_mutex_unlock (&pool->lock);

  job->klass->finish (job, error);
  mm_remote_job_unref (job);
}

void
mm_remote_slot_return_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error,
                           MmRemoteRepeat repeat)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  if (repeat == MM_REMOTE_REPEAT_FREELY)
    job->n_repetitions = 0;
  gboolean repeats = repeat != MM_REMOTE_REPEAT_NOT && !pool->is_closing
                     && !mm_remote_job_is_cancelled (job) && job->n_repetitions < REPETITIONS_MAX;
  if (repeats)
    {
      job->n_repetitions++;
      forget_job_locked (slot, job);
      job->state = MM_REMOTE_JOB_QUEUED;
      g_queue_push_head (&pool->queues[job->priority], job);
    }
  g_mutex_unlock (&pool->lock);
  if (!repeats)
    mm_remote_slot_finish_job (slot, job, error);
}

void
mm_remote_slot_postpone_job (MmRemoteSlot *slot, MmRemoteJob *job, const GError *error,
                             guint wait_ms, MmRemoteRepeat repeat)
{
  MmRemotePool *pool = slot->pool;
  gboolean is_quota = g_error_matches (error, MM_ERROR, MM_ERROR_QUOTA);

  g_mutex_lock (&pool->lock);
  gint64 now_us = mm_clock_monotonic_us ();
  if (wait_ms > 0 || is_quota)
    hold_locked (pool, wait_ms > 0 ? now_us + (gint64) wait_ms * 1000 : 0, error);
  job->not_before_us = wait_ms > 0 || is_quota
                           ? pool->reach.until_us
                           : now_us + mm_remote_reach_choose_delay_us (++job->n_postponements);
  gboolean repeats = repeat != MM_REMOTE_REPEAT_NOT && !pool->is_closing
                     && !mm_remote_job_is_cancelled (job) && job->not_before_us <= job->deadline_us;
  if (repeats)
    {
      mm_log_debug ("waiting as the server asks: %s", error->message);
      forget_job_locked (slot, job);
      job->state = MM_REMOTE_JOB_QUEUED;
      g_queue_push_head (&pool->queues[job->priority], job);
      pool->postponed_due_us = MIN (pool->postponed_due_us, job->not_before_us);
      mm_remote_pool_dispatch_locked (pool);
      g_cond_broadcast (&pool->changed);
    }
  g_mutex_unlock (&pool->lock);
  if (!repeats)
    mm_remote_slot_finish_job (slot, job, error);
}

void
mm_remote_slot_hold (MmRemoteSlot *slot, guint wait_ms, const GError *error)
{
  g_mutex_lock (&slot->pool->lock);
  hold_locked (slot->pool, mm_clock_monotonic_us () + (gint64) wait_ms * 1000, error);
  g_mutex_unlock (&slot->pool->lock);
}

gboolean
mm_remote_slot_retire (MmRemoteSlot *slot)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  gboolean may_end = slot->n_jobs == 0;
  if (may_end)
    stop_locked (slot, NULL);
  g_mutex_unlock (&pool->lock);
  return may_end;
}

/* ---- the pool ---- */

static void
on_network_change (MmNetworkChange change, gpointer user_data)
{
  MmRemotePool *pool = user_data;

  g_mutex_lock (&pool->lock);
  if ((change & MM_NETWORK_MAY_BE_BACK) != 0)
    {
      mm_remote_reach_hurry (&pool->reach);
      pool->limit = 0;
      g_cond_broadcast (&pool->changed);
    }
  for (guint i = 0; (change & MM_NETWORK_MAY_BE_LOST) != 0 && i < pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);
      g_atomic_int_set (&slot->is_suspect, 1);
      mm_remote_slot_wake (slot);
    }
  g_mutex_unlock (&pool->lock);
}

/* Dispatches the jobs that were put off until now. */
static void
tend_postponed_locked (MmRemotePool *pool)
{
  gint64 now_us = mm_clock_monotonic_us ();

  if (now_us < pool->postponed_due_us)
    return;
  pool->postponed_due_us = G_MAXINT64;
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (GList *link = pool->queues[i].head; link != NULL; link = link->next)
      {
        MmRemoteJob *job = link->data;

        if (job->not_before_us > now_us)
          pool->postponed_due_us = MIN (pool->postponed_due_us, job->not_before_us);
        else
          job->not_before_us = 0;
      }
  mm_remote_pool_dispatch_locked (pool);
}

/* Does what its time has come for; returns when there will be something again. */
static gint64
tend_locked (MmRemotePool *pool)
{
  if (pool->is_closing)
    return G_MAXINT64;
  if (mm_remote_reach_end_patience (&pool->reach))
    {
      g_autoptr (GError) error = mm_remote_reach_dup_error (&pool->reach);
      end_queued_jobs_locked (pool, error);
    }
  if (mm_remote_reach_is_try_due (&pool->reach))
    mm_remote_pool_try_locked (pool);
  if (mm_remote_reach_end_hold (&pool->reach))
    mm_remote_pool_dispatch_locked (pool);
  tend_postponed_locked (pool);
  return MIN (mm_remote_reach_get_due_us (&pool->reach), pool->postponed_due_us);
}

static void
wait_until_locked (MmRemotePool *pool, gint64 due_us)
{
  if (due_us == G_MAXINT64)
    g_cond_wait (&pool->changed, &pool->lock);
  else
    g_cond_wait_until (&pool->changed, &pool->lock,
                       g_get_monotonic_time () + due_us - mm_clock_monotonic_us ());
}

static gpointer
keeper_main (gpointer data)
{
  MmRemotePool *pool = data;

  g_mutex_lock (&pool->lock);
  for (;;)
    {
      gint64 due_us = tend_locked (pool);
      MmRemoteSlot *slot = g_queue_pop_head (&pool->ended);
      Orphan *orphan = slot == NULL ? g_queue_pop_head (&pool->orphans) : NULL;

      if (slot == NULL && orphan == NULL)
        {
          if (pool->is_closing && pool->n_threads == 0)
            break;
          wait_until_locked (pool, due_us);
          continue;
        }
      g_mutex_unlock (&pool->lock);
      if (slot != NULL)
        {
          g_thread_join (slot->thread);
          slot_free (slot);
        }
      else
        end_orphan (orphan);
      g_mutex_lock (&pool->lock);
      if (slot != NULL)
        pool->n_threads--;
    }
  g_mutex_unlock (&pool->lock);
  return NULL;
}

MmRemotePool *
mm_remote_pool_new (guint max_connections, guint patience_ms, MmRemoteSlotFunc run,
                    gpointer driver_data)
{
  MmRemotePool *pool = g_new0 (MmRemotePool, 1);

  g_atomic_ref_count_init (&pool->refs);
  pool->max_connections = MAX (1, max_connections);
  pool->patience_ms = patience_ms;
  pool->postponed_due_us = G_MAXINT64;
  pool->run = run;
  pool->meter = mm_remote_meter_new ();
  pool->driver_data = driver_data;
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->changed);
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    g_queue_init (&pool->queues[i]);
  g_queue_init (&pool->ended);
  g_queue_init (&pool->orphans);
  pool->slots = g_ptr_array_new ();
  pool->network = mm_network_watch_new (on_network_change, pool);
  pool->keeper = g_thread_new ("remote", keeper_main, pool);
  return pool;
}

void
mm_remote_pool_limit_bandwidth (MmRemotePool *pool, guint64 octets_per_second)
{
  pool->bandwidth = mm_remote_bandwidth_new (octets_per_second);
}

void
mm_remote_pool_limit_day (MmRemotePool *pool, guint64 daily_octets)
{
  pool->budget = mm_remote_budget_new (daily_octets);
}

MmRemoteBudget *
mm_remote_pool_get_budget (MmRemotePool *pool)
{
  return pool->budget;
}

void
mm_remote_pool_turn_off (MmRemotePool *pool)
{
  g_clear_pointer (&pool->network, mm_network_watch_free);
  g_mutex_lock (&pool->lock);
  mm_remote_reach_turn_off (&pool->reach);
  g_mutex_unlock (&pool->lock);
}

void
mm_remote_pool_close (MmRemotePool *pool)
{
  g_autoptr (GError) error
      = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "the account is closing");

  g_clear_pointer (&pool->network, mm_network_watch_free);
  g_mutex_lock (&pool->lock);
  pool->is_closing = TRUE;
  end_queued_jobs_locked (pool, error);
  for (guint i = 0; i < pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);
      g_atomic_int_set (&slot->abort_flag, 1);
      mm_remote_slot_wake (slot);
    }
  g_cond_broadcast (&pool->changed);
  g_mutex_unlock (&pool->lock);
  g_thread_join (g_steal_pointer (&pool->keeper));
  if (pool->budget != NULL)
    mm_remote_budget_flush (pool->budget);
}

void
mm_remote_pool_unref (MmRemotePool *pool)
{
  if (!g_atomic_ref_count_dec (&pool->refs))
    return;
  g_assert (pool->keeper == NULL);
  g_ptr_array_unref (pool->slots);
  mm_remote_meter_free (pool->meter);
  mm_remote_bandwidth_free (pool->bandwidth);
  mm_remote_budget_free (pool->budget);
  mm_remote_reach_clear (&pool->reach);
  g_mutex_clear (&pool->lock);
  g_cond_clear (&pool->changed);
  g_free (pool);
}

gboolean
mm_remote_pool_connect (MmRemotePool *pool, GError **error)
{
  g_mutex_lock (&pool->lock);
  guint n_failures = pool->n_open_failures;
  gboolean may_try = pool->reach.state != MM_REACH_OFF && !pool->is_closing;
  if (pool->slots->len == 0 && may_try)
    mm_remote_pool_open_slot_locked (pool);
  while (!has_ready_slot_locked (pool) && pool->n_open_failures == n_failures && may_try
         && !pool->is_closing)
    g_cond_wait (&pool->changed, &pool->lock);

  gboolean is_connected = has_ready_slot_locked (pool);
  if (pool->is_closing)
    g_set_error_literal (error, MM_ERROR, MM_ERROR_CANCELLED, "the account is closing");
  else if (!is_connected)
    g_propagate_error (error, g_error_copy (pool->reach.error));
  g_mutex_unlock (&pool->lock);
  return is_connected && !pool->is_closing;
}
