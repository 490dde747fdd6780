// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who gets which job. Connections are few, so every pass looks at all of them for each job that
 * waits, and takes the cheapest.
 */
#include <mailmount/clock.h>

#include "remote-pool-private.h"

enum
{
  COST_IMPOSSIBLE = -1,
  COST_IDLE_SAME = 0,
  COST_SHARED_LIGHTLY = 1,
  COST_IDLE_FRESH = 2,
  COST_IDLE_OTHER = 3,
  COST_WATCHING = 4,  /* idle but for a watch, of another mailbox */
  COST_SHARED = 5,    /* from here on another connection would help */
  COST_PIPELINED = 6, /* behind another mailbox */
  COST_PER_JOB = 2,   /* of those that it is behind */
  COST_BEHIND_MUCH = 100,
  COST_BEHIND_READ_AHEAD = 200,
};

/* What a dispatch pass reckons with. */
typedef struct
{
  MmRemotePool *pool;
  guint limit; /* of connections */
  guint n_starting;
  guint n_ready;
  guint n_with_read_ahead;
  guint max_with_read_ahead;
  guint n_watched;
  guint n_wanted; /* connections that would help */
} Pass;

static guint
get_limit (const MmRemotePool *pool)
{
  if (pool->limit > 0 && mm_clock_monotonic_us () < pool->limit_until_us)
    return MIN (pool->limit, pool->max_connections);
  return pool->max_connections;
}

static void
begin_pass (Pass *pass, MmRemotePool *pool)
{
  *pass = (Pass){ .pool = pool, .limit = get_limit (pool) };
  pass->max_with_read_ahead = MAX (1, pass->limit - 1);
  for (guint i = 0; i < pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);

      slot->is_draining = FALSE;
      if (slot->state == MM_REMOTE_SLOT_STARTING)
        pass->n_starting++;
      else
        pass->n_ready++;
      if (slot->n_read_ahead > 0)
        pass->n_with_read_ahead++;
      if (slot->has_watch)
        pass->n_watched++;
    }
}

static gboolean
can_open_more (const Pass *pass)
{
  return mm_remote_reach_may_open (&pass->pool->reach)
         && pass->n_starting + pass->n_ready < pass->limit;
}

static gboolean
has_same_mailbox (const MmRemoteSlot *slot, const MmRemoteJob *job)
{
  return job->mailbox != NULL && g_strcmp0 (slot->mailbox, job->mailbox) == 0;
}

static int
cost_of_idle (const Pass *pass, const MmRemoteSlot *slot, const MmRemoteJob *job)
{
  if (mm_remote_job_is_bulk (job) && pass->n_with_read_ahead >= pass->max_with_read_ahead)
    return COST_IMPOSSIBLE;
  gboolean is_same = has_same_mailbox (slot, job);
  if (slot->has_watch)
    return is_same ? COST_IDLE_OTHER : COST_WATCHING;
  if (slot->mailbox == NULL || job->mailbox == NULL)
    return COST_IDLE_FRESH;
  return is_same ? COST_IDLE_SAME : COST_IDLE_OTHER;
}

static gboolean
is_light (const MmRemoteSlot *slot)
{
  return slot->due_octets <= MM_REMOTE_SLOT_LIGHT_OCTETS;
}

/* @cost: of waiting for what the connection has to do. */
static int
cost_for_read_ahead (const Pass *pass, const MmRemoteSlot *slot, const MmRemoteJob *job, int cost)
{
  gboolean is_same = has_same_mailbox (slot, job);
  guint n_max = job->is_bulk ? MM_REMOTE_SLOT_READ_AHEAD_MAX : MM_REMOTE_SLOT_LISTINGS_AHEAD_MAX;

  if (slot->n_jobs >= n_max)
    return COST_IMPOSSIBLE;
  if (is_light (slot) && !job->is_bulk)
    return COST_SHARED_LIGHTLY;
  if (slot->n_read_ahead > 0)
    return is_same ? COST_SHARED_LIGHTLY : cost;
  if (pass->n_with_read_ahead >= pass->max_with_read_ahead)
    return COST_IMPOSSIBLE;
  /* What demands use stays free of it as long as may be, but the first of it does not wait: who reads
   * in order is just about to come for it. */
  gboolean is_first = pass->n_with_read_ahead == 0;
  if (!is_same && !is_first && (can_open_more (pass) || pass->n_starting > 0))
    return COST_IMPOSSIBLE;
  return cost;
}

static int
cost_for_demand (const Pass *pass, const MmRemoteSlot *slot, const MmRemoteJob *job, int cost)
{
  gboolean has_read_ahead = slot->n_read_ahead > 0;

  if (is_light (slot) && !has_read_ahead)
    return has_same_mailbox (slot, job) && slot->n_jobs < 2 ? COST_SHARED_LIGHTLY : cost;
  /* A demand waits behind much only when no other connection is to be had. */
  if (can_open_more (pass) || pass->n_starting > 0)
    return COST_IMPOSSIBLE;
  return cost + (has_read_ahead ? COST_BEHIND_READ_AHEAD : COST_BEHIND_MUCH);
}

static int
cost_of_sharing (const Pass *pass, const MmRemoteSlot *slot, const MmRemoteJob *job)
{
  int cost = (has_same_mailbox (slot, job) ? COST_SHARED : COST_PIPELINED)
             + COST_PER_JOB * (int) slot->n_jobs;

  if (job->is_exclusive || slot->has_exclusive || slot->n_jobs >= MM_REMOTE_SLOT_JOBS_MAX)
    return COST_IMPOSSIBLE;
  return mm_remote_job_get_priority (job) == MM_REMOTE_PRIORITY_READ_AHEAD
             ? cost_for_read_ahead (pass, slot, job, cost)
             : cost_for_demand (pass, slot, job, cost);
}

static int
cost_of (const Pass *pass, const MmRemoteSlot *slot, const MmRemoteJob *job)
{
  if (slot->state != MM_REMOTE_SLOT_READY || slot->is_draining)
    return COST_IMPOSSIBLE;
  return slot->n_jobs == 0 ? cost_of_idle (pass, slot, job) : cost_of_sharing (pass, slot, job);
}

static MmRemoteSlot *
find_slot (const Pass *pass, const MmRemoteJob *job, int *out_cost)
{
  MmRemoteSlot *best = NULL;
  int best_cost = G_MAXINT;

  for (guint i = 0; i < pass->pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pass->pool->slots, i);
      int cost = cost_of (pass, slot, job);

      if (cost == COST_IMPOSSIBLE)
        continue;
      if (cost < best_cost || (cost == best_cost && slot->last_used_us < best->last_used_us))
        {
          best = slot;
          best_cost = cost;
        }
    }
  *out_cost = best_cost;
  return best;
}

/* (transfer full) of @job */
static void
assign (Pass *pass, MmRemoteSlot *slot, MmRemoteJob *job)
{
  job->state = MM_REMOTE_JOB_ASSIGNED;
  job->slot = slot;
  g_queue_push_tail (&slot->inbox, job);
  if (mm_remote_job_is_watch (job))
    {
      slot->has_watch = TRUE;
      slot->watched = g_strdup (job->mailbox);
      pass->n_watched++;
    }
  else
    slot->n_jobs++;
  slot->due_octets += job->due_octets;
  slot->has_exclusive |= job->is_exclusive;
  slot->last_used_us = mm_clock_monotonic_us ();
  if (mm_remote_job_is_bulk (job) && slot->n_read_ahead++ == 0)
    pass->n_with_read_ahead++;
  if (job->mailbox != NULL && g_strcmp0 (slot->mailbox, job->mailbox) != 0)
    {
      g_free (slot->mailbox);
      slot->mailbox = g_strdup (job->mailbox);
    }
  mm_remote_slot_wake (slot);
}

/* Keeps the least busy connection free of later jobs, so that the one that waits gets it: without
 * this a stream of fetches in one mailbox would keep another mailbox waiting for ever. Returns it;
 * NULL when there is none. */
static MmRemoteSlot *
drain_one (const Pass *pass)
{
  MmRemoteSlot *best = NULL;

  for (guint i = 0; i < pass->pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pass->pool->slots, i);

      if (slot->state != MM_REMOTE_SLOT_READY || slot->is_draining || slot->has_exclusive)
        continue;
      if (best == NULL || slot->n_jobs < best->n_jobs)
        best = slot;
    }
  if (best != NULL)
    best->is_draining = TRUE;
  return best;
}

/* Many readers in no order have a demand for every connection at any time; what is fetched ahead for
 * them would never come. One connection of several is for that. */
static MmRemoteSlot *
reserve_for_read_ahead (const Pass *pass)
{
  gboolean is_needed = pass->limit >= 2 && pass->n_ready >= 2 && pass->n_with_read_ahead == 0
                       && !g_queue_is_empty (&pass->pool->queues[MM_REMOTE_PRIORITY_READ_AHEAD]);
  return is_needed ? drain_one (pass) : NULL;
}

/* Jobs from @link on that may be assigned now. */
static guint
count_due (const GList *link)
{
  guint n = 0;

  for (; link != NULL; link = link->next)
    if (((const MmRemoteJob *) link->data)->not_before_us == 0)
      n++;
  return n;
}

static void
dispatch_queue (Pass *pass, MmRemotePriority priority)
{
  GQueue *queue = &pass->pool->queues[priority];
  guint n_waiting = 0;
  guint n_sharing = 0; /* assigned, but another connection would help */

  for (GList *link = queue->head, *next; link != NULL; link = next)
    {
      MmRemoteJob *job = link->data;
      int cost;

      next = link->next;
      if (job->not_before_us != 0)
        continue;
      MmRemoteSlot *slot = find_slot (pass, job, &cost);
      if (slot != NULL)
        {
          g_queue_delete_link (queue, link);
          assign (pass, slot, job);
          if (cost >= COST_SHARED)
            n_sharing++;
          continue;
        }
      n_waiting++;
      if (priority == MM_REMOTE_PRIORITY_DEMAND && !can_open_more (pass) && pass->n_starting == 0)
        drain_one (pass);
      /* When nobody is ready no later job will find a place either. */
      if (pass->n_ready == 0)
        {
          n_waiting += count_due (next);
          break;
        }
    }
  if (priority == MM_REMOTE_PRIORITY_DEMAND)
    pass->n_wanted += n_waiting + n_sharing;
  else if (n_waiting + n_sharing > 0 && pass->n_with_read_ahead < pass->max_with_read_ahead)
    pass->n_wanted++;
}

/* ---- watches ---- */

/* That of all mailboxes needs no connection for itself. */
static gboolean
may_watch (const Pass *pass, const MmRemoteJob *job)
{
  return job->mailbox == NULL || pass->n_watched + 1 + MM_REMOTE_UNWATCHED_MIN <= pass->limit;
}

/* A connection with nothing to do: best one with the mailbox open already. */
static MmRemoteSlot *
find_watch_slot (const Pass *pass, const MmRemoteJob *job)
{
  MmRemoteSlot *best = NULL;

  for (guint i = 0; i < pass->pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pass->pool->slots, i);

      if (slot->state != MM_REMOTE_SLOT_READY || slot->n_jobs > 0 || slot->has_watch
          || slot->is_draining)
        continue;
      if (best == NULL || (job->mailbox != NULL && g_strcmp0 (slot->mailbox, job->mailbox) == 0))
        best = slot;
    }
  return best;
}

static void
dispatch_watches (Pass *pass)
{
  GQueue *queue = &pass->pool->queues[MM_REMOTE_PRIORITY_WATCH];
  gboolean is_waiting = FALSE;

  for (GList *link = queue->head, *next; link != NULL; link = next)
    {
      MmRemoteJob *job = link->data;

      next = link->next;
      if (job->not_before_us != 0 || !may_watch (pass, job))
        continue;
      MmRemoteSlot *slot = find_watch_slot (pass, job);
      if (slot != NULL)
        {
          g_queue_delete_link (queue, link);
          assign (pass, slot, job);
        }
      else
        is_waiting |= job->mailbox != NULL || pass->n_ready == 0;
    }
  if (is_waiting)
    pass->n_wanted++;
}

void
mm_remote_pool_dispatch_locked (MmRemotePool *pool)
{
  Pass pass;

  if (pool->is_closing || mm_remote_reach_is_held (&pool->reach))
    return;
  begin_pass (&pass, pool);
  MmRemoteSlot *reserved = reserve_for_read_ahead (&pass);
  dispatch_queue (&pass, MM_REMOTE_PRIORITY_DEMAND);
  if (reserved != NULL)
    reserved->is_draining = FALSE;
  dispatch_queue (&pass, MM_REMOTE_PRIORITY_READ_AHEAD);
  dispatch_watches (&pass);

  /* Read-ahead everywhere: have one connection ready for whoever comes next. */
  if (pass.n_with_read_ahead > 0 && pass.n_with_read_ahead == pass.n_ready)
    pass.n_wanted++;
  for (; can_open_more (&pass) && pass.n_starting < pass.n_wanted; pass.n_starting++)
    mm_remote_pool_open_slot_locked (pool);
}
