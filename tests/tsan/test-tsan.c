// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether ThreadSanitizer sees what GLib orders, and only that: "ordered" must not be reported,
 * "race" must. Each does in little what the program does.
 */
#include <glib.h>

typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean is_ready;   /* guarded by @mutex */
  GAsyncQueue *queue;  /* Queue<owned guint *> */
  GBytes *bytes;
  guint sum;           /* of what the pool did; one thread */
  guint unguarded;     /* by all who should */
} Shared;

static void
add (gpointer item, gpointer user_data)
{
  Shared *shared = user_data;
  guint *number = item;
  shared->sum += *number;
  g_free (number);
}

static gpointer
other_main (gpointer data)
{
  Shared *shared = data;
  g_autofree guint *number = g_async_queue_pop (shared->queue);
  g_assert_cmpuint (*number, ==, 1);
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (shared->bytes, NULL))[0], ==, 'a');
  g_bytes_unref (shared->bytes);
  g_mutex_lock (&shared->mutex);
  shared->is_ready = TRUE;
  g_cond_signal (&shared->cond);
  g_mutex_unlock (&shared->mutex);
  return NULL;
}

static guint *
new_number (guint value)
{
  guint *number = g_new (guint, 1);
  *number = value;
  return number;
}

static void
test_ordered (void)
{
  Shared shared = { .queue = g_async_queue_new_full (g_free) };
  g_mutex_init (&shared.mutex);
  g_cond_init (&shared.cond);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_strdup ("abc"), 3);
  shared.bytes = g_bytes_new_from_bytes (bytes, 0, 2);

  GThread *other = g_thread_new ("other", other_main, &shared);
  g_async_queue_push (shared.queue, new_number (1));
  g_async_queue_push (shared.queue, new_number (2));
  g_mutex_lock (&shared.mutex);
  while (!shared.is_ready)
    g_cond_wait (&shared.cond, &shared.mutex);
  g_mutex_unlock (&shared.mutex);
  g_thread_join (other);
  g_async_queue_unref (shared.queue);

  GThreadPool *pool = g_thread_pool_new (add, &shared, 1, FALSE, NULL);
  for (guint i = 1; i <= 100; i++)
    g_thread_pool_push (pool, new_number (i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_assert_cmpuint (shared.sum, ==, 5050);
  g_cond_clear (&shared.cond);
  g_mutex_clear (&shared.mutex);
}

static gpointer
race_main (gpointer data)
{
  Shared *shared = data;
  g_mutex_lock (&shared->mutex);
  shared->unguarded++;
  g_mutex_unlock (&shared->mutex);
  return NULL;
}

static void
test_race (void)
{
  g_autofree Shared *shared = g_new0 (Shared, 1);
  g_mutex_init (&shared->mutex);
  GThread *other = g_thread_new ("other", race_main, shared);
  shared->unguarded++;
  g_thread_join (other);
  g_assert_cmpuint (shared->unguarded, <=, 2);
  g_mutex_clear (&shared->mutex);
}

int
main (int argc, char **argv)
{
  g_assert (argc == 2);
  if (g_str_equal (argv[1], "ordered"))
    test_ordered ();
  else
    test_race ();
  return 0;
}
