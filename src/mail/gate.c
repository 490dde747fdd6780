// SPDX-License-Identifier: GPL-3.0-or-later
#include "gate.h"

struct MmGate
{
  GMutex lock; /* guards all below */
  GCond left;
  guint n_inside;
  gboolean is_closed;
};

MmGate *
mm_gate_new (void)
{
  MmGate *gate = g_new0 (MmGate, 1);

  g_mutex_init (&gate->lock);
  g_cond_init (&gate->left);
  return gate;
}

void
mm_gate_free (MmGate *gate)
{
  g_assert (gate->n_inside == 0);
  g_cond_clear (&gate->left);
  g_mutex_clear (&gate->lock);
  g_free (gate);
}

gboolean
mm_gate_enter (MmGate *gate)
{
  g_mutex_lock (&gate->lock);
  gboolean is_in = !gate->is_closed;
  gate->n_inside += is_in ? 1 : 0;
  g_mutex_unlock (&gate->lock);
  return is_in;
}

void
mm_gate_leave (MmGate *gate)
{
  g_mutex_lock (&gate->lock);
  if (--gate->n_inside == 0)
    g_cond_broadcast (&gate->left);
  g_mutex_unlock (&gate->lock);
}

gboolean
mm_gate_is_closed (MmGate *gate)
{
  g_mutex_lock (&gate->lock);
  gboolean is_closed = gate->is_closed;
  g_mutex_unlock (&gate->lock);
  return is_closed;
}

void
mm_gate_close (MmGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->is_closed = TRUE;
  while (gate->n_inside > 0)
    g_cond_wait (&gate->left, &gate->lock);
  g_mutex_unlock (&gate->lock);
}
