// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdatomic.h>
#include <stdbool.h>

#include <mailmount/waiter.h>

struct MmWaiter
{
  gatomicrefcount refs;
  MmWaitFunc func;
  gpointer user_data;
  atomic_bool fired;
};

struct MmWaitList
{
  GPtrArray *waiters; /* nullable; Array<owned MmWaiter> */
};

MmWaiter *
mm_waiter_new (MmWaitFunc func, gpointer user_data)
{
  MmWaiter *waiter = g_new0 (MmWaiter, 1);
  g_atomic_ref_count_init (&waiter->refs);
  waiter->func = func;
  waiter->user_data = user_data;
  return waiter;
}

MmWaiter *
mm_waiter_ref (MmWaiter *waiter)
{
  g_atomic_ref_count_inc (&waiter->refs);
  return waiter;
}

void
mm_waiter_unref (MmWaiter *waiter)
{
  if (g_atomic_ref_count_dec (&waiter->refs))
    g_free (waiter);
}

gboolean
mm_waiter_fire (MmWaiter *waiter, const GError *error)
{
  if (atomic_exchange (&waiter->fired, TRUE))
    return FALSE;
  waiter->func (error, waiter->user_data);
  return TRUE;
}

gboolean
mm_waiter_disarm (MmWaiter *waiter)
{
  return !atomic_exchange (&waiter->fired, TRUE);
}

gboolean
mm_waiter_is_fired (const MmWaiter *waiter)
{
  return atomic_load (&waiter->fired);
}

MmWaitList *
mm_wait_list_new (void)
{
  return g_new0 (MmWaitList, 1);
}

void
mm_wait_list_free (MmWaitList *list)
{
  if (list == NULL)
    return;
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED,
                                                  "the mount is ending");
  mm_waiters_fire (mm_wait_list_take_locked (list), error);
  g_free (list);
}

static void
drop_fired (GPtrArray *waiters)
{
  for (guint i = waiters->len; i-- > 0;)
    {
      MmWaiter *waiter = g_ptr_array_index (waiters, i);
      if (mm_waiter_is_fired (waiter))
        g_ptr_array_remove_index_fast (waiters, i);
    }
}

void
mm_wait_list_add_locked (MmWaitList *list, MmWaiter *waiter)
{
  if (list->waiters == NULL)
    list->waiters = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_waiter_unref);
  /* Interrupted and expired waiters stay in the list until it is fired: do not let them pile up. */
  if (list->waiters->len >= 64)
    drop_fired (list->waiters);
  g_ptr_array_add (list->waiters, mm_waiter_ref (waiter));
}

gboolean
mm_wait_list_is_wanted_locked (const MmWaitList *list)
{
  for (guint i = 0; list->waiters != NULL && i < list->waiters->len; i++)
    if (!mm_waiter_is_fired (g_ptr_array_index (list->waiters, i)))
      return TRUE;
  return FALSE;
}

GPtrArray *
mm_wait_list_take_locked (MmWaitList *list)
{
  return g_steal_pointer (&list->waiters);
}

void
mm_waiters_fire (GPtrArray *waiters, const GError *error)
{
  if (waiters == NULL)
    return;
  for (guint i = 0; i < waiters->len; i++)
    mm_waiter_fire (g_ptr_array_index (waiters, i), error);
  g_ptr_array_unref (waiters);
}
