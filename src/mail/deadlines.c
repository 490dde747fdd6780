// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>
#include <mailmount/waiter.h>

/* Deadlines are tens of seconds away and nearly never reached, so the thread looks around twice a
 * second while there is anything to watch and sleeps otherwise. */
#define TICK_US (G_USEC_PER_SEC / 2)

typedef struct
{
  MmWaiter *waiter; /* owned */
  gint64 deadline_us; /* 0: cancelled */
} Watched;

struct MmDeadlines
{
  GThread *thread;
  GMutex lock; /* guards all below */
  GCond changed;
  GArray *watched; /* Array<Watched> */
  gboolean is_urgent; /* something was cancelled since the thread looked */
  gboolean ending;
};

static void
clear_watched (gpointer data)
{
  Watched *watched = data;
  mm_waiter_unref (watched->waiter);
}

/* Moves what is due to @expired and what was given up to @cancelled, and forgets what has fired by
 * itself. */
static void
collect_due_locked (MmDeadlines *deadlines, GPtrArray *expired, GPtrArray *cancelled)
{
  gint64 now_us = mm_clock_monotonic_us ();

  for (guint i = deadlines->watched->len; i-- > 0;)
    {
      Watched *watched = &g_array_index (deadlines->watched, Watched, i);
      if (mm_waiter_is_fired (watched->waiter))
        {
          g_array_remove_index_fast (deadlines->watched, i);
          continue;
        }
      if (watched->deadline_us > now_us)
        continue;
      g_ptr_array_add (watched->deadline_us == 0 ? cancelled : expired,
                       mm_waiter_ref (watched->waiter));
      g_array_remove_index_fast (deadlines->watched, i);
    }
}

static gpointer
watch (gpointer data)
{
  MmDeadlines *deadlines = data;
  g_autoptr (GError) timeout = g_error_new_literal (MM_ERROR, MM_ERROR_TIMEOUT,
                                                    "the server did not answer in time");
  g_autoptr (GError) interrupt = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED,
                                                      "the caller was interrupted");
  g_mutex_lock (&deadlines->lock);
  while (!deadlines->ending)
    {
      /* Something given up while the thread was not waiting is dealt with at once. */
      if (deadlines->watched->len == 0)
        g_cond_wait (&deadlines->changed, &deadlines->lock);
      else if (!deadlines->is_urgent)
        g_cond_wait_until (&deadlines->changed, &deadlines->lock,
                           g_get_monotonic_time () + TICK_US);
      deadlines->is_urgent = FALSE;

      GPtrArray *expired = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_waiter_unref);
      GPtrArray *cancelled = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_waiter_unref);
      collect_due_locked (deadlines, expired, cancelled);
      g_mutex_unlock (&deadlines->lock);
      mm_waiters_fire (expired, timeout);
      mm_waiters_fire (cancelled, interrupt);
      g_mutex_lock (&deadlines->lock);
    }
  g_mutex_unlock (&deadlines->lock);
  return NULL;
}

MmDeadlines *
mm_deadlines_new (void)
{
  MmDeadlines *deadlines = g_new0 (MmDeadlines, 1);

  g_mutex_init (&deadlines->lock);
  g_cond_init (&deadlines->changed);
  deadlines->watched = g_array_new (FALSE, FALSE, sizeof (Watched));
  g_array_set_clear_func (deadlines->watched, clear_watched);
  deadlines->thread = g_thread_new ("mm-deadlines", watch, deadlines);
  return deadlines;
}

void
mm_deadlines_free (MmDeadlines *deadlines)
{
  if (deadlines == NULL)
    return;
  g_mutex_lock (&deadlines->lock);
  deadlines->ending = TRUE;
  g_cond_signal (&deadlines->changed);
  g_mutex_unlock (&deadlines->lock);
  g_thread_join (deadlines->thread);
  g_array_unref (deadlines->watched);
  g_cond_clear (&deadlines->changed);
  g_mutex_clear (&deadlines->lock);
  g_free (deadlines);
}

void
mm_deadlines_add (MmDeadlines *deadlines, MmWaiter *waiter, gint64 deadline_us)
{
  Watched watched = { .waiter = mm_waiter_ref (waiter), .deadline_us = deadline_us };

  g_mutex_lock (&deadlines->lock);
  g_array_append_val (deadlines->watched, watched);
  deadlines->is_urgent |= deadline_us == 0;
  if (deadlines->watched->len == 1 || deadline_us == 0)
    g_cond_signal (&deadlines->changed);
  g_mutex_unlock (&deadlines->lock);
}

void
mm_deadlines_cancel (MmDeadlines *deadlines, MmWaiter *waiter)
{
  mm_deadlines_add (deadlines, waiter, 0);
}
