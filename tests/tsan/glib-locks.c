// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Tells ThreadSanitizer what GLib orders. GLib's locks are futexes, and GLib itself is not
 * instrumented: without this every access that a GMutex guards looks like a race.
 *
 * Linked into every program of a build with -Db_sanitize=thread, in front of GLib. Each function
 * calls GLib's own and says what that means: a lock is a lock, so that orders of locking are
 * checked too; a reference given up is a release. GLib's calls of its own functions do not come
 * here, so that queues and pools are made anew, of what ThreadSanitizer knows.
 */
#include <dlfcn.h>
#include <glib.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>

#undef g_atomic_ref_count_dec
#undef g_once_init_leave

static void *
look_up (void **slot, const char *name)
{
  void *function = __atomic_load_n (slot, __ATOMIC_RELAXED);
  if (function == NULL)
    {
      function = dlsym (RTLD_NEXT, name);
      __atomic_store_n (slot, function, __ATOMIC_RELAXED);
    }
  return function;
}

/* GLib's own. */
#define REAL(name) \
  ({ static void *slot_; (__typeof__ (&name)) look_up (&slot_, #name); })

/* Mutexes */

void
g_mutex_init (GMutex *mutex)
{
  REAL (g_mutex_init) (mutex);
  __tsan_mutex_create (mutex, __tsan_mutex_not_static);
}

void
g_mutex_clear (GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, __tsan_mutex_not_static);
  REAL (g_mutex_clear) (mutex);
}

void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  gboolean locked = REAL (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex,
                          __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  REAL (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

/* Conditions: what they order is ordered by the mutex, which they give back and take again. */

static void
before_wait (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
after_wait (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  before_wait (mutex);
  REAL (g_cond_wait) (cond, mutex);
  after_wait (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time_us)
{
  before_wait (mutex);
  gboolean signalled = REAL (g_cond_wait_until) (cond, mutex, end_time_us);
  after_wait (mutex);
  return signalled;
}

/* Once: g_once_init_enter() and g_once() look at the variable themselves, with an atomic load that
 * is instrumented. */

void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  REAL (g_once_init_leave) (location, result);
}

gpointer
g_once_impl (GOnce *once, GThreadFunc func, gpointer argument)
{
  static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
  pthread_mutex_lock (&mutex);
  if (once->status != G_ONCE_STATUS_READY)
    {
      once->retval = func (argument);
      __atomic_store_n (&once->status, G_ONCE_STATUS_READY, __ATOMIC_RELEASE);
    }
  pthread_mutex_unlock (&mutex);
  return once->retval;
}

/* References: whoever has the last one sees all that the others did before they gave theirs up. */

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  __tsan_release (count);
  gboolean last = REAL (g_atomic_ref_count_dec) (count);
  if (last)
    __tsan_acquire (count);
  return last;
}

void
g_bytes_unref (GBytes *bytes)
{
  if (bytes != NULL)
    {
      __tsan_release (bytes);
      __tsan_acquire (bytes);
    }
  REAL (g_bytes_unref) (bytes);
}

/* A part gives up its whole by the function above, not by GLib's own call of its own. */
GBytes *
g_bytes_new_from_bytes (GBytes *bytes, gsize offset, gsize length)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  return g_bytes_new_with_free_func (data + offset, length, (GDestroyNotify) g_bytes_unref,
                                     g_bytes_ref (bytes));
}

/* Queues: GLib's frees its nodes while it holds a lock that cannot be seen. */

struct _GAsyncQueue
{
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  GQueue items;
  GDestroyNotify free_item; /* nullable */
};

GAsyncQueue *
g_async_queue_new_full (GDestroyNotify free_item)
{
  GAsyncQueue *queue = g_new0 (GAsyncQueue, 1);
  pthread_mutex_init (&queue->mutex, NULL);
  pthread_cond_init (&queue->cond, NULL);
  g_queue_init (&queue->items);
  queue->free_item = free_item;
  return queue;
}

void
g_async_queue_unref (GAsyncQueue *queue)
{
  if (queue->free_item != NULL)
    g_queue_clear_full (&queue->items, queue->free_item);
  g_queue_clear (&queue->items);
  pthread_cond_destroy (&queue->cond);
  pthread_mutex_destroy (&queue->mutex);
  g_free (queue);
}

void
g_async_queue_push (GAsyncQueue *queue, gpointer item)
{
  pthread_mutex_lock (&queue->mutex);
  g_queue_push_tail (&queue->items, item);
  pthread_cond_signal (&queue->cond);
  pthread_mutex_unlock (&queue->mutex);
}

/* Waits until @end; NULL: for ever. */
static gpointer
pop_until (GAsyncQueue *queue, const struct timespec *end)
{
  int error = 0;
  pthread_mutex_lock (&queue->mutex);
  while (queue->items.length == 0 && error == 0)
    error = end != NULL ? pthread_cond_timedwait (&queue->cond, &queue->mutex, end)
                        : pthread_cond_wait (&queue->cond, &queue->mutex);
  gpointer item = g_queue_pop_head (&queue->items);
  pthread_mutex_unlock (&queue->mutex);
  return item;
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  return pop_until (queue, NULL);
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  return g_async_queue_timeout_pop (queue, 0);
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout_us)
{
  gint64 end_us = g_get_real_time () + (gint64) timeout_us;
  return pop_until (queue, &(struct timespec){ .tv_sec = end_us / G_USEC_PER_SEC,
                                               .tv_nsec = end_us % G_USEC_PER_SEC * 1000 });
}

/* Pools of threads, for the same reason. Only what is freed with immediate FALSE and wait TRUE. */

typedef struct
{
  GThreadPool pool;
  GAsyncQueue *queue; /* Queue<item>, at its end the pool itself once for each thread */
  guint n_threads;
  GThread *threads[];
} Pool;

static gpointer
pool_main (gpointer data)
{
  Pool *pool = data;
  for (;;)
    {
      gpointer item = g_async_queue_pop (pool->queue);
      if (item == pool)
        return NULL;
      pool->pool.func (item, pool->pool.user_data);
    }
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, gint max_threads, gboolean exclusive,
                   GError **error)
{
  g_assert (max_threads > 0);
  Pool *pool = g_malloc0 (sizeof *pool + (gsize) max_threads * sizeof (GThread *));
  pool->pool = (GThreadPool){ .func = func, .user_data = user_data, .exclusive = exclusive };
  pool->queue = g_async_queue_new_full (NULL);
  pool->n_threads = (guint) max_threads;
  for (guint i = 0; i < pool->n_threads; i++)
    pool->threads[i] = g_thread_new ("pool", pool_main, pool);
  return &pool->pool;
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  g_async_queue_push (((Pool *) pool)->queue, item);
  return TRUE;
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  Pool *self = (Pool *) pool;
  g_assert (!immediate && wait);
  for (guint i = 0; i < self->n_threads; i++)
    g_async_queue_push (self->queue, self);
  for (guint i = 0; i < self->n_threads; i++)
    g_thread_join (self->threads[i]);
  g_async_queue_unref (self->queue);
  g_free (self);
}
