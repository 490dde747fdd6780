// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>
#include <mailmount/waiter.h>

#define N_THREADS 4
#define N_ROUNDS  200
#define HOUR_US   (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_fired;
  gint code; /* of the last error; -1: none */
} Counter;

static void
count (const GError *error, gpointer user_data)
{
  Counter *counter = user_data;

  g_mutex_lock (&counter->lock);
  counter->n_fired++;
  counter->code = error != NULL ? error->code : -1;
  g_cond_signal (&counter->changed);
  g_mutex_unlock (&counter->lock);
}

static void
counter_init (Counter *counter)
{
  *counter = (Counter){ .code = -1 };
  g_mutex_init (&counter->lock);
  g_cond_init (&counter->changed);
}

static void
counter_clear (Counter *counter)
{
  g_mutex_clear (&counter->lock);
  g_cond_clear (&counter->changed);
}

static guint
counter_wait (Counter *counter)
{
  gint64 end_us = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  g_mutex_lock (&counter->lock);
  while (counter->n_fired == 0 && g_cond_wait_until (&counter->changed, &counter->lock, end_us))
    ;
  guint n_fired = counter->n_fired;
  g_mutex_unlock (&counter->lock);
  return n_fired;
}

static void
test_fires_once (void)
{
  Counter counter;
  counter_init (&counter);
  g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_TIMEOUT, "late");

  g_assert_false (mm_waiter_is_fired (waiter));
  g_assert_true (mm_waiter_fire (waiter, NULL));
  g_assert_true (mm_waiter_is_fired (waiter));
  g_assert_false (mm_waiter_fire (waiter, error));
  g_assert_false (mm_waiter_disarm (waiter));
  g_assert_cmpuint (counter.n_fired, ==, 1);
  g_assert_cmpint (counter.code, ==, -1);
  counter_clear (&counter);
}

static void
test_disarmed_never_fires (void)
{
  Counter counter;
  counter_init (&counter);
  g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);

  g_assert_true (mm_waiter_disarm (waiter));
  g_assert_false (mm_waiter_disarm (waiter));
  g_assert_false (mm_waiter_fire (waiter, NULL));
  g_assert_cmpuint (counter.n_fired, ==, 0);
  counter_clear (&counter);
}

typedef struct
{
  MmWaiter *waiter;
  gint *n_ready;
  gboolean disarms;
  gboolean won;
} Racer;

static gpointer
race (gpointer data)
{
  Racer *racer = data;

  g_atomic_int_inc (racer->n_ready);
  while (g_atomic_int_get (racer->n_ready) < N_THREADS)
    g_thread_yield ();
  racer->won = racer->disarms ? mm_waiter_disarm (racer->waiter)
                              : mm_waiter_fire (racer->waiter, NULL);
  return NULL;
}

static void
test_one_thread_wins (void)
{
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      Counter counter;
      Racer racers[N_THREADS];
      GThread *threads[N_THREADS];
      gint n_ready = 0;
      guint n_won = 0;
      gboolean disarm_won = FALSE;

      counter_init (&counter);
      g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);
      for (guint i = 0; i < N_THREADS; i++)
        {
          racers[i] = (Racer){ waiter, &n_ready, i == 0, FALSE };
          threads[i] = g_thread_new ("racer", race, &racers[i]);
        }
      for (guint i = 0; i < N_THREADS; i++)
        {
          g_thread_join (threads[i]);
          n_won += racers[i].won;
          disarm_won |= racers[i].won && racers[i].disarms;
        }
      g_assert_cmpuint (n_won, ==, 1);
      g_assert_cmpuint (counter.n_fired, ==, disarm_won ? 0 : 1);
      counter_clear (&counter);
    }
}

static void
test_list_fires_all (void)
{
  MmWaitList *list = mm_wait_list_new ();
  Counter counters[3];

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      counter_init (&counters[i]);
      g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counters[i]);
      mm_wait_list_add_locked (list, waiter);
    }
  mm_waiters_fire (mm_wait_list_take_locked (list), NULL);
  g_assert_null (mm_wait_list_take_locked (list));
  mm_waiters_fire (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      g_assert_cmpuint (counters[i].n_fired, ==, 1);
      counter_clear (&counters[i]);
    }
  mm_wait_list_free (list);
}

static void
test_list_cancels_what_is_left (void)
{
  MmWaitList *list = mm_wait_list_new ();
  Counter counter;

  counter_init (&counter);
  g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);
  mm_wait_list_add_locked (list, waiter);
  mm_wait_list_free (list);
  g_assert_cmpuint (counter.n_fired, ==, 1);
  g_assert_cmpint (counter.code, ==, MM_ERROR_CANCELLED);
  counter_clear (&counter);
}

static void
test_list_drops_given_up (void)
{
  MmWaitList *list = mm_wait_list_new ();

  for (guint i = 0; i < 10000; i++)
    {
      Counter counter;
      counter_init (&counter);
      g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);
      mm_wait_list_add_locked (list, waiter);
      mm_waiter_disarm (waiter);
      counter_clear (&counter);
    }
  g_autoptr (GPtrArray) left = mm_wait_list_take_locked (list);
  g_assert_cmpuint (left->len, <, 100);
  mm_wait_list_free (list);
}

static void
test_deadline_fires (void)
{
  MmDeadlines *deadlines = mm_deadlines_new ();
  Counter late, early;

  counter_init (&late);
  counter_init (&early);
  g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &late);
  g_autoptr (MmWaiter) patient = mm_waiter_new (count, &early);
  mm_deadlines_add (deadlines, patient, mm_clock_monotonic_us () + HOUR_US);
  mm_deadlines_add (deadlines, waiter, mm_clock_monotonic_us () + 1000);
  g_assert_cmpuint (counter_wait (&late), ==, 1);
  g_assert_cmpint (late.code, ==, MM_ERROR_TIMEOUT);
  g_assert_false (mm_waiter_is_fired (patient));

  mm_clock_advance_for_test (2 * HOUR_US);
  g_assert_cmpuint (counter_wait (&early), ==, 1);
  mm_deadlines_free (deadlines);
  counter_clear (&late);
  counter_clear (&early);
}

static void
test_deadline_of_fired_is_nothing (void)
{
  MmDeadlines *deadlines = mm_deadlines_new ();
  Counter done, other;

  counter_init (&done);
  counter_init (&other);
  g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &done);
  g_autoptr (MmWaiter) witness = mm_waiter_new (count, &other);
  mm_deadlines_add (deadlines, waiter, mm_clock_monotonic_us () + 1000);
  mm_waiter_fire (waiter, NULL);
  /* When the witness, which is due later, was dealt with, so was the first. */
  mm_deadlines_add (deadlines, witness, mm_clock_monotonic_us () + 2000);
  counter_wait (&other);
  g_assert_cmpuint (done.n_fired, ==, 1);
  g_assert_cmpint (done.code, ==, -1);
  mm_deadlines_free (deadlines);
  counter_clear (&done);
  counter_clear (&other);
}

static void
test_cancel_fires_soon (void)
{
  MmDeadlines *deadlines = mm_deadlines_new ();

  for (guint i = 0; i < 20; i++)
    {
      Counter counter;
      counter_init (&counter);
      g_autoptr (MmWaiter) waiter = mm_waiter_new (count, &counter);
      mm_deadlines_add (deadlines, waiter, mm_clock_monotonic_us () + HOUR_US);
      mm_deadlines_cancel (deadlines, waiter);
      g_assert_cmpuint (counter_wait (&counter), ==, 1);
      g_assert_cmpint (counter.code, ==, MM_ERROR_CANCELLED);
      counter_clear (&counter);
    }
  mm_deadlines_free (deadlines);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/waiter/fires-once", test_fires_once);
  g_test_add_func ("/waiter/disarmed-never-fires", test_disarmed_never_fires);
  g_test_add_func ("/waiter/one-of-racing-threads-wins", test_one_thread_wins);
  g_test_add_func ("/waiter/list-fires-all", test_list_fires_all);
  g_test_add_func ("/waiter/freed-list-cancels-what-is-left", test_list_cancels_what_is_left);
  g_test_add_func ("/waiter/list-drops-what-was-given-up", test_list_drops_given_up);
  g_test_add_func ("/waiter/deadline-fires-with-timeout", test_deadline_fires);
  g_test_add_func ("/waiter/deadline-of-a-fired-waiter-is-nothing",
                   test_deadline_of_fired_is_nothing);
  g_test_add_func ("/waiter/cancel-fires-soon", test_cancel_fires_soon);
  return g_test_run ();
}
