// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk-pool.h"

typedef struct
{
  void (*run) (gpointer data);
  gpointer data;
} Job;

struct MmDiskPool
{
  GThreadPool *threads; /* Pool<Job> */
};

static void
run_job (gpointer data, gpointer user_data)
{
  Job *job = data;
  job->run (job->data);
  g_free (job);
}

MmDiskPool *
mm_disk_pool_new (guint n_threads)
{
  MmDiskPool *pool = g_new (MmDiskPool, 1);
  pool->threads = g_thread_pool_new (run_job, NULL, (gint) n_threads, FALSE, NULL);
  return pool;
}

void
mm_disk_pool_free (MmDiskPool *pool)
{
  if (pool == NULL)
    return;
  g_thread_pool_free (pool->threads, FALSE, TRUE);
  g_free (pool);
}

void
mm_disk_pool_push (MmDiskPool *pool, void (*run) (gpointer data), gpointer data)
{
  Job *job = g_new (Job, 1);

  job->run = run;
  job->data = data;
  g_thread_pool_push (pool->threads, job, NULL);
}
