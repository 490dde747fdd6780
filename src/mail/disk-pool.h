// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Threads that may block on the disk, so that nobody else has to. Jobs of a pool of one thread run in
 * the order given.
 */
#pragma once

#include <glib.h>

typedef struct MmDiskPool MmDiskPool;

MmDiskPool *mm_disk_pool_new (guint n_threads);
/* Runs what is queued, then ends. */
void mm_disk_pool_free (MmDiskPool *pool);

/* Has @run called with @data on one of the threads. Any thread. */
void mm_disk_pool_push (MmDiskPool *pool, void (*run) (gpointer data), gpointer data);
