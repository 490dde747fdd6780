// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The life of a pool, and its keeper: the thread that does what no connection's thread can.
 */
#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "remote-pool-private.h"

/* A sleep is noticed a few seconds late: what was opened since is younger than it. */
#define YOUNG_US (7 * G_USEC_PER_SEC)
/* The first connection is tried a second time when it was not waited for longer than this. */
#define SECOND_TRY_US (10 * G_USEC_PER_SEC)

static void
on_network_change (MmNetworkChange change, gpointer user_data)
{
  MmRemotePool *pool = user_data;
  gint64 now_us = mm_clock_monotonic_us ();

  g_mutex_lock (&pool->lock);
  if ((change & MM_NETWORK_MAY_BE_BACK) != 0)
    {
      mm_remote_reach_hurry (&pool->reach);
      pool->limit = 0;
      g_cond_broadcast (&pool->changed);
    }
  if ((change & MM_NETWORK_MAY_BE_LOST) != 0)
    mm_remote_pool_give_up_openings_locked (pool);
  for (guint i = 0; (change & MM_NETWORK_MAY_BE_LOST) != 0 && i < pool->slots->len; i++)
    {
      MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);

      if (slot->started_us > now_us - YOUNG_US)
        continue;
      g_atomic_int_set (&slot->is_suspect, 1);
      mm_remote_slot_wake (slot);
    }
  g_mutex_unlock (&pool->lock);
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
      mm_remote_pool_end_queued_locked (pool, error);
    }
  if (mm_remote_reach_is_try_due (&pool->reach))
    mm_remote_pool_try_locked (pool);
  if (mm_remote_reach_end_hold (&pool->reach))
    mm_remote_pool_dispatch_locked (pool);
  mm_remote_pool_tend_postponed_locked (pool);
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
      MmRemoteOrphan *orphan = slot == NULL ? g_queue_pop_head (&pool->orphans) : NULL;

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
          mm_remote_slot_free (slot);
        }
      else
        mm_remote_pool_end_orphan (orphan);
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
  pool->limits = mm_limits_default;
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
mm_remote_pool_set_limits (MmRemotePool *pool, const MmLimits *limits)
{
  pool->limits = *limits;
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

void
mm_remote_pool_set_online_func (MmRemotePool *pool, MmRemoteOnlineFunc func, gpointer user_data)
{
  pool->online_func = func;
  pool->online_data = user_data;
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
  mm_remote_pool_end_queued_locked (pool, error);
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

static void
connect_once_locked (MmRemotePool *pool)
{
  guint n_failures = pool->n_open_failures;
  gboolean may_try = pool->reach.state != MM_REACH_OFF && !pool->is_closing;

  while (!mm_remote_pool_has_ready_slot_locked (pool) && pool->n_open_failures == n_failures
         && may_try && !pool->is_closing)
    {
      if (pool->slots->len == 0)
        mm_remote_pool_open_slot_locked (pool);
      g_cond_wait (&pool->changed, &pool->lock);
    }
}

/* A server has its moments; what it says of the user or of its certificate stays. */
static gboolean
is_worth_another_try_locked (const MmRemotePool *pool)
{
  if (mm_remote_pool_has_ready_slot_locked (pool) || pool->is_closing || pool->reach.error == NULL
      || pool->reach.state == MM_REACH_OFF)
    return FALSE;
  switch ((MmError) pool->reach.error->code)
    {
    case MM_ERROR_CONNECTION_LOST:
    case MM_ERROR_PROTOCOL:
    case MM_ERROR_LIMIT:
    case MM_ERROR_UNAVAILABLE:
    case MM_ERROR_TIMEOUT:
      return TRUE;
    default:
      return FALSE;
    }
}

/* Waits while the server wants to be left alone. FALSE: not before @deadline_us. */
static gboolean
wait_for_hold_locked (MmRemotePool *pool, gint64 deadline_us)
{
  while (mm_remote_reach_is_held (&pool->reach) && !pool->is_closing)
    {
      if (pool->reach.until_us > deadline_us)
        return FALSE;
      g_cond_wait_until (&pool->changed, &pool->lock, pool->reach.until_us);
    }
  return mm_clock_monotonic_us () < deadline_us;
}

/* "Not now" is waited out; anything else that may be chance is tried once more. */
static void
connect_patiently_locked (MmRemotePool *pool)
{
  gint64 started_us = mm_clock_monotonic_us ();
  gint64 deadline_us = started_us + (gint64) pool->patience_ms * 1000;
  gboolean is_repeated = FALSE;

  connect_once_locked (pool);
  while (is_worth_another_try_locked (pool))
    {
      if (g_error_matches (pool->reach.error, MM_ERROR, MM_ERROR_UNAVAILABLE))
        {
          if (!wait_for_hold_locked (pool, deadline_us))
            return;
        }
      else if (is_repeated || mm_clock_monotonic_us () >= started_us + SECOND_TRY_US)
        return;
      else
        is_repeated = TRUE;
      connect_once_locked (pool);
    }
}

gboolean
mm_remote_pool_connect (MmRemotePool *pool, GError **error)
{
  g_mutex_lock (&pool->lock);
  connect_patiently_locked (pool);
  gboolean is_connected = mm_remote_pool_has_ready_slot_locked (pool);
  if (pool->is_closing)
    g_set_error_literal (error, MM_ERROR, MM_ERROR_CANCELLED, "the account is closing");
  else if (!is_connected)
    g_propagate_error (error, g_error_copy (pool->reach.error));
  g_mutex_unlock (&pool->lock);
  return is_connected && !pool->is_closing;
}
