// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading every message below mounted directories, so that the mount has them in its cache: one
 * thread lists, several readers go through what it found, in order.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct MmFetchReaders MmFetchReaders;

typedef struct
{
  gboolean is_listing; /* the next two still grow */
  guint64 n_messages;
  guint64 octets;     /* of them, as listed */
  guint64 n_done;     /* in the cache now, or failed */
  guint64 done_octets;
  guint64 n_fetched;  /* in the cache now */
  guint64 fetched_octets;
  guint64 n_failed;   /* messages, and directories that could not be listed */
  guint64 n_lost;     /* messages that were read and are not in the cache: it has no room for them */
} MmFetchProgress;

/* Called for what cannot be read, or listed. One at a time, on any thread; must not call back. */
typedef void (*MmFetchFailFunc) (const gchar *path, const gchar *why, gpointer user_data);

/* Begins with what is in the directories @paths and below them; copied. The process gives up SIGUSR1
 * to it. */
MmFetchReaders *mm_fetch_readers_new (const gchar *const *paths, MmFetchFailFunc func,
                                      gpointer user_data);
/* Begins nothing more, gives up calls that wait for the server, and waits for the threads. */
void mm_fetch_readers_stop (MmFetchReaders *readers);
/* Stops them. */
void mm_fetch_readers_free (MmFetchReaders *readers);

/* TRUE: everything is done. */
gboolean mm_fetch_readers_is_done (MmFetchReaders *readers);

void mm_fetch_readers_get_progress (MmFetchReaders *readers, MmFetchProgress *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmFetchReaders, mm_fetch_readers_free)

G_END_DECLS
