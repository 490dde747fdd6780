// SPDX-License-Identifier: GPL-3.0-or-later
/* What the pool tells of its connections and queues. */
#include <mailmount/clock.h>
#include <mailmount/remote-status.h>

#include "remote-meter.h"
#include "remote-pool-private.h"

static void
clear_connection (gpointer data)
{
  MmRemoteConnectionStatus *connection = data;
  g_free (connection->mailbox);
  g_free (connection->watched);
}

static MmRemoteState
judge_locked (const MmRemotePool *pool, guint n_ready)
{
  switch (pool->reach.state)
    {
    case MM_REACH_OFF:
      return MM_REMOTE_OFF;
    case MM_REACH_HELD:
      return MM_REMOTE_WAITING;
    case MM_REACH_AWAY:
      return MM_REMOTE_OFFLINE;
    case MM_REACH_REFUSED:
      return MM_REMOTE_REFUSED;
    case MM_REACH_OPEN:
      break;
    }
  return n_ready > 0 ? MM_REMOTE_ONLINE : MM_REMOTE_IDLE;
}

void
mm_remote_pool_get_status (MmRemotePool *pool, MmRemoteStatus *out)
{
  guint n_ready = 0;

  *out = (MmRemoteStatus){ .max_connections = pool->max_connections };
  mm_remote_meter_read (pool->meter, out);
  out->connections = g_array_new (FALSE, FALSE, sizeof (MmRemoteConnectionStatus));
  g_array_set_clear_func (out->connections, clear_connection);

  g_mutex_lock (&pool->lock);
  for (guint i = 0; i < pool->slots->len; i++)
    {
      const MmRemoteSlot *slot = g_ptr_array_index (pool->slots, i);
      MmRemoteConnectionStatus connection = {
        .is_ready = slot->state == MM_REMOTE_SLOT_READY,
        .mailbox = g_strdup (slot->mailbox),
        .n_jobs = slot->n_jobs,
        .has_watch = slot->has_watch,
        .watched = g_strdup (slot->watched),
        .received_octets = slot->received_octets,
        .opened_us = slot->opened_us,
      };
      n_ready += connection.is_ready;
      g_array_append_val (out->connections, connection);
    }
  out->n_queued_demand = pool->queues[MM_REMOTE_PRIORITY_DEMAND].length;
  out->n_queued_read_ahead = pool->queues[MM_REMOTE_PRIORITY_READ_AHEAD].length;
  out->state = judge_locked (pool, n_ready);
  if (out->state == MM_REMOTE_OFFLINE || out->state == MM_REMOTE_WAITING)
    out->next_try_us = mm_clock_wall_us () + pool->reach.until_us - mm_clock_monotonic_us ();
  g_mutex_unlock (&pool->lock);

  if (pool->bandwidth != NULL)
    out->bandwidth_octets = mm_remote_bandwidth_get_rate (pool->bandwidth);
  if (pool->budget != NULL)
    mm_remote_budget_read (pool->budget, &out->day);
}

void
mm_remote_slot_note_received (MmRemoteSlot *slot, gsize octets)
{
  slot->received_octets += octets;
  mm_remote_meter_note_received (slot->pool->meter, octets);
  if (slot->pool->budget != NULL)
    {
      mm_remote_budget_spend (slot->pool->budget, octets);
      g_mutex_lock (&slot->pool->lock);
      slot->paid_octets = MIN (slot->paid_octets + octets, slot->due_octets);
      g_mutex_unlock (&slot->pool->lock);
    }
  if (slot->pool->bandwidth != NULL)
    mm_remote_bandwidth_spend (slot->pool->bandwidth, octets);
}

void
mm_remote_status_clear (MmRemoteStatus *status)
{
  g_clear_pointer (&status->connections, g_array_unref);
  g_clear_pointer (&status->last_error, g_free);
}
