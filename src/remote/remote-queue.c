// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The jobs of a pool until a connection takes them: whether they may wait at all, and how they end
 * when none will.
 */
#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "remote-pool-private.h"

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
void
mm_remote_pool_add_orphan_locked (MmRemotePool *pool, MmRemoteJob *job, GError *error)
{
  MmRemoteOrphan *orphan = g_new (MmRemoteOrphan, 1);

  orphan->job = job;
  orphan->error = error;
  job->state = MM_REMOTE_JOB_DONE;
  g_queue_push_tail (&pool->orphans, orphan);
  g_cond_broadcast (&pool->changed);
}

void
mm_remote_pool_end_orphan (MmRemoteOrphan *orphan)
{
  orphan->job->klass->finish (orphan->job, orphan->error);
  mm_remote_job_unref (orphan->job);
  g_error_free (orphan->error);
  g_free (orphan);
}

void
mm_remote_pool_end_queued_locked (MmRemotePool *pool, const GError *error)
{
  MmRemoteJob *job;

  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    while ((job = g_queue_pop_head (&pool->queues[i])) != NULL)
      mm_remote_pool_add_orphan_locked (pool, job, g_error_copy (error));
}

/* Those that would have to wait for longer than anybody waits for them. */
void
mm_remote_pool_end_impatient_locked (MmRemotePool *pool)
{
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (GList *link = pool->queues[i].head, *next; link != NULL; link = next)
      {
        MmRemoteJob *job = link->data;

        next = link->next;
        if (job->deadline_us >= pool->reach.until_us)
          continue;
        g_queue_delete_link (&pool->queues[i], link);
        mm_remote_pool_add_orphan_locked (pool, job, mm_remote_reach_dup_error (&pool->reach));
      }
}

/* A connection that was made and lost before it was of use counts against the jobs that waited for
 * it like any lost connection. */
void
mm_remote_pool_count_lost_opening_locked (MmRemotePool *pool, const GError *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (GList *link = pool->queues[i].head, *next; link != NULL; link = next)
      {
        MmRemoteJob *job = link->data;

        next = link->next;
        if (job->n_repetitions++ < pool->limits.repetitions)
          continue;
        g_queue_delete_link (&pool->queues[i], link);
        mm_remote_pool_add_orphan_locked (pool, job, g_error_copy (error));
      }
}

/* Nothing is asked of the server until then, whatever the account wants. */
void
mm_remote_pool_hold_locked (MmRemotePool *pool, gint64 until_us, const GError *error)
{
  mm_remote_reach_hold (&pool->reach, until_us, error);
  mm_remote_pool_end_impatient_locked (pool);
  g_cond_broadcast (&pool->changed);
}

/* What was asked for, or is about to be, and has not come yet. */
static guint64
count_due_locked (const MmRemotePool *pool)
{
  guint64 due_octets = 0;

  for (guint i = 0; i < G_N_ELEMENTS (pool->queues); i++)
    for (const GList *link = pool->queues[i].head; link != NULL; link = link->next)
      due_octets += ((const MmRemoteJob *) link->data)->due_octets;
  for (guint i = 0; i < pool->slots->len; i++)
    {
      const MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);
      due_octets += slot->due_octets - slot->paid_octets;
    }
  return due_octets;
}

/* The day's budget. (transfer full): why @job may not be queued. */
static GError *
check_budget_locked (MmRemotePool *pool, const MmRemoteJob *job)
{
  gboolean is_demand = mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_DEMAND;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) taken = NULL;
  MmBudgetState state = mm_remote_budget_judge (pool->budget, count_due_locked (pool), &taken);

  if (!is_demand && state != MM_BUDGET_PLENTY)
    return g_error_new_literal (MM_ERROR, MM_ERROR_QUOTA,
                                "what is left of the day's limit is for those who wait");
  gint64 refill_us = mm_remote_budget_get_refill_us (pool->budget, &error);
  if (refill_us != 0)
    {
      if (!mm_remote_reach_is_held (&pool->reach))
        mm_log_warning ("%s", error->message);
      mm_remote_pool_hold_locked (pool, refill_us, error);
    }
  else if (state == MM_BUDGET_TAKEN)
    return g_steal_pointer (&taken);
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
  if (mm_remote_job_is_watch (job) && job->mailbox != NULL
      && pool->max_connections <= MM_REMOTE_UNWATCHED_MIN)
    return g_error_new (MM_ERROR, MM_ERROR_UNSUPPORTED,
                        "of %u connections none is spared for watching a folder",
                        pool->max_connections);
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
    mm_remote_pool_add_orphan_locked (
        pool, job, g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "the account is closing"));
  else if ((refusal = refuse_locked (pool, job)) != NULL)
    mm_remote_pool_add_orphan_locked (pool, job, refusal);
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
    mm_remote_pool_add_orphan_locked (
        pool, job, g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "cancelled"));
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

/* Dispatches the jobs that were put off until now. */
void
mm_remote_pool_tend_postponed_locked (MmRemotePool *pool)
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
