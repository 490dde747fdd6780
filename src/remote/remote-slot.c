// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A connection as the pool sees it: its thread, and what it tells of itself and of its jobs.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "remote-pool-private.h"

/* A server that refused one connection more is not asked again before. */
#define LIMIT_SECONDS 60
/* A connection that is being opened for longer than this when the network changes hangs. */
#define HANGING_US (3 * G_USEC_PER_SEC)

void
mm_remote_slot_free (MmRemoteSlot *slot)
{
  close (slot->wake_fd);
  g_free (slot->mailbox);
  g_free (slot->watched);
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

const MmLimits *
mm_remote_slot_get_limits (const MmRemoteSlot *slot)
{
  return &slot->pool->limits;
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

gboolean
mm_remote_pool_has_ready_slot_locked (const MmRemotePool *pool)
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
      mm_remote_pool_count_lost_opening_locked (pool, error);
      return;
    case MM_REACH_HELD:
      mm_remote_pool_end_impatient_locked (pool);
      return;
    case MM_REACH_AWAY:
      if (!was_away && pool->was_connected)
        mm_log_warning ("offline; what was listed and read before stays: %s", error->message);
      break;
    case MM_REACH_REFUSED:
    case MM_REACH_OFF:
      break;
    }
  mm_remote_pool_end_queued_locked (pool, error);
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
  else if (mm_remote_pool_has_ready_slot_locked (pool))
    mm_log_warning ("going on with %u connections: %s", pool->limit, error->message);
}

static void
forget_job_locked (MmRemoteSlot *slot, MmRemoteJob *job)
{
  if (mm_remote_job_is_watch (job))
    {
      slot->has_watch = FALSE;
      g_clear_pointer (&slot->watched, g_free);
    }
  else
    slot->n_jobs--;
  slot->due_octets -= job->due_octets;
  slot->paid_octets -= MIN (slot->paid_octets, job->due_octets);
  if (mm_remote_job_is_bulk (job))
    slot->n_read_ahead--;
  if (job->is_exclusive)
    slot->has_exclusive = FALSE;
  slot->last_used_us = mm_clock_monotonic_us ();
  job->slot = NULL;
}

/* Jobs that were assigned while the connection ended. */
static void
return_inbox_locked (MmRemoteSlot *slot, const GError *error)
{
  MmRemotePool *pool = slot->pool;
  MmRemoteJob *job;

  while ((job = g_queue_pop_tail (&slot->inbox)) != NULL)
    {
      forget_job_locked (slot, job);
      if (pool->is_closing)
        mm_remote_pool_add_orphan_locked (pool, job,
                           g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled"));
      else if (error != NULL && ++job->n_repetitions > pool->limits.repetitions)
        mm_remote_pool_add_orphan_locked (pool, job, g_error_copy (error));
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
  g_assert (slot->n_jobs == 0 && !slot->has_watch);
  if (error != NULL && !pool->is_closing)
    {
      mm_remote_meter_note_error (pool->meter, error);
      if (!slot->was_ready && g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED))
        mm_remote_reach_note_given_up (&pool->reach);
      else if (!slot->was_ready)
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
  slot->started_us = mm_clock_monotonic_us ();
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
mm_remote_pool_give_up_openings_locked (MmRemotePool *pool)
{
  gint64 before_us = mm_clock_monotonic_us () - HANGING_US;

  for (guint i = 0; i < pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);

      if (slot->state != MM_REMOTE_SLOT_STARTING || slot->started_us > before_us)
        continue;
      g_atomic_int_set (&slot->abort_flag, 1);
      mm_remote_slot_wake (slot);
    }
}

void
mm_remote_slot_set_ready (MmRemoteSlot *slot)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  slot->state = MM_REMOTE_SLOT_READY;
  slot->was_ready = TRUE;
  pool->was_connected = TRUE;
  /* It came just when it was given up. */
  if (!pool->is_closing)
    g_atomic_int_set (&slot->abort_flag, 0);
  slot->last_used_us = mm_clock_monotonic_us ();
  gboolean was_away = pool->reach.state == MM_REACH_AWAY;
  mm_remote_reach_note_opened (&pool->reach);
  mm_remote_pool_dispatch_locked (pool);
  g_cond_broadcast (&pool->changed);
  g_mutex_unlock (&pool->lock);

  if (was_away)
    mm_log_info ("online again");
  if (was_away && pool->online_func != NULL)
    pool->online_func (pool->online_data);
}

MmRemoteJob *
mm_remote_slot_take_job (MmRemoteSlot *slot)
{
  g_mutex_lock (&slot->pool->lock);
  MmRemoteJob *job = g_queue_pop_head (&slot->inbox);
  g_mutex_unlock (&slot->pool->lock);
  return job;
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
  guint most = repeat == MM_REMOTE_REPEAT_ONCE ? 1 : pool->limits.repetitions;
  gboolean repeats = repeat != MM_REMOTE_REPEAT_NOT && !pool->is_closing
                     && !mm_remote_job_is_cancelled (job) && job->n_repetitions < most;
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
    mm_remote_pool_hold_locked (pool, wait_ms > 0 ? now_us + (gint64) wait_ms * 1000 : 0, error);
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
  mm_remote_pool_hold_locked (slot->pool, mm_clock_monotonic_us () + (gint64) wait_ms * 1000,
                              error);
  g_mutex_unlock (&slot->pool->lock);
}

gboolean
mm_remote_slot_retire (MmRemoteSlot *slot)
{
  MmRemotePool *pool = slot->pool;

  g_mutex_lock (&pool->lock);
  gboolean may_end = slot->n_jobs == 0 && !slot->has_watch;
  if (may_end)
    stop_locked (slot, NULL);
  g_mutex_unlock (&pool->lock);
  return may_end;
}
