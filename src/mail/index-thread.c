// SPDX-License-Identifier: GPL-3.0-or-later
#include "index-thread.h"

#include <sys/resource.h>
#include <unistd.h>

#include <mailmount/log.h>

/* A transaction is ended after this many jobs even when more wait, so that a crash costs little. */
#define JOBS_PER_TRANSACTION 64

#define WRITER_NICE 10

typedef struct
{
  MmIndexJobFunc func; /* NULL: end the thread */
  gpointer job;
  GDestroyNotify free_job;
} Queued;

struct MmIndexThread
{
  MmIndex *index; /* owned; used by the thread alone */
  GAsyncQueue *queue;
  GThread *thread;
  gboolean is_rolling_back; /* thread only */
};

static void
free_queued (gpointer data)
{
  Queued *queued = data;
  if (queued->free_job != NULL)
    queued->free_job (queued->job);
  g_free (queued);
}

static void
log_failure (const gchar *what, GError *error)
{
  mm_log_warning ("the index could not %s: %s", what, error->message);
  g_error_free (error);
}

/* Runs @first and what else is queued as one transaction; FALSE when the thread is to end. */
static gboolean
run_batch (MmIndexThread *thread, Queued *first)
{
  g_autoptr (GPtrArray) ran = g_ptr_array_new_with_free_func (free_queued);
  GError *error = NULL;
  gboolean go_on = TRUE;

  /* Without a transaction each job stands for itself. */
  gboolean has_begun = mm_index_begin (thread->index, &error);
  if (!has_begun)
    log_failure ("begin a transaction", g_steal_pointer (&error));
  for (Queued *queued = first; queued != NULL; queued = g_async_queue_try_pop (thread->queue))
    {
      g_ptr_array_add (ran, queued);
      if (queued->func == NULL)
        {
          go_on = FALSE;
          break;
        }
      queued->func (thread->index, queued->job);
      if (ran->len >= JOBS_PER_TRANSACTION || mm_index_is_lost (thread->index))
        break;
    }
  thread->is_rolling_back = has_begun && !mm_index_commit (thread->index, &error);
  if (thread->is_rolling_back)
    log_failure ("be written", g_steal_pointer (&error));
  g_ptr_array_set_size (ran, 0);
  thread->is_rolling_back = FALSE;
  return go_on;
}

gboolean
mm_index_thread_is_rolling_back (const MmIndexThread *thread)
{
  return thread->is_rolling_back;
}

static gpointer
work (gpointer data)
{
  MmIndexThread *thread = data;

  /* Nobody waits for what is written here; on a busy machine readers come first. Linux gives each
   * thread a priority of its own. */
  (void) setpriority (PRIO_PROCESS, (id_t) gettid (), WRITER_NICE);
  while (run_batch (thread, g_async_queue_pop (thread->queue)))
    ;
  return NULL;
}

MmIndexThread *
mm_index_thread_new (MmIndex *index)
{
  MmIndexThread *thread = g_new0 (MmIndexThread, 1);

  thread->index = index;
  thread->queue = g_async_queue_new_full (free_queued);
  thread->thread = g_thread_new ("mm-index", work, thread);
  return thread;
}

void
mm_index_thread_free (MmIndexThread *thread)
{
  if (thread == NULL)
    return;
  mm_index_thread_push (thread, NULL, NULL, NULL);
  g_thread_join (thread->thread);
  g_async_queue_unref (thread->queue);
  mm_index_close (thread->index);
  g_free (thread);
}

void
mm_index_thread_push (MmIndexThread *thread, MmIndexJobFunc func, gpointer job,
                      GDestroyNotify free_job)
{
  Queued *queued = g_new (Queued, 1);

  queued->func = func;
  queued->job = job;
  queued->free_job = free_job;
  g_async_queue_push (thread->queue, queued);
}
