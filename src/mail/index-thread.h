// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The one thread that touches the index. Jobs run in the order given; whatever is queued when it
 * looks runs in one transaction, so that a listing of 100,000 messages costs a handful of commits
 * and nobody waits for one.
 */
#pragma once

#include <mailmount/index.h>

typedef struct MmIndexThread MmIndexThread;

/* Runs on the index thread, inside a transaction. @job is the gpointer given. */
typedef void (*MmIndexJobFunc) (MmIndex *index, gpointer job);

/* Takes @index (transfer full). */
MmIndexThread *mm_index_thread_new (MmIndex *index);
/* Runs what is queued, commits, and closes the index. */
void mm_index_thread_free (MmIndexThread *thread);

/* For free_job functions: TRUE when the transaction of the job could not be committed. */
gboolean mm_index_thread_is_rolling_back (const MmIndexThread *thread);

/* @free_job (nullable) is called after @func and after the transaction ended. */
void mm_index_thread_push (MmIndexThread *thread, MmIndexJobFunc func, gpointer job,
                           GDestroyNotify free_job);
