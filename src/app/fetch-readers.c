// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch-readers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/xattr.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>

#include "tree-list.h"

/* The mount reads ahead of them by itself. */
#define N_READERS   4
#define READ_OCTETS (256 * 1024)
/* Ends a system call that waits for the server. */
#define STOP_SIGNAL   SIGUSR1
#define STOP_AGAIN_US (20 * 1000)
/* What was read goes to the disk behind its reader's back. */
#define STORE_US      (5 * G_USEC_PER_SEC)
#define LOOK_AGAIN_US (50 * 1000)

typedef struct
{
  gchar *path; /* owned */
  guint64 octets;
  gint64 read_us; /* monotonic */
} Item;

typedef struct
{
  MmFetchReaders *readers; /* borrowed */
  GThread *thread;         /* main thread only */
  pthread_t handle;        /* while it runs */
  gboolean is_running;
} Worker;

struct MmFetchReaders
{
  /* Immutable. */
  MmFetchFailFunc func;
  gpointer user_data;
  gchar **paths;

  _Atomic gboolean is_stopping;

  GMutex lock;   /* guards all below; held while @func is called */
  GCond changed;
  Worker lister;
  Worker workers[N_READERS];
  GQueue items;  /* Queue<owned Item> */
  GQueue read;   /* the same; to be looked for in the cache */
  guint n_running;
  MmFetchProgress progress;
};

static void
free_item (gpointer data)
{
  Item *item = data;
  g_free (item->path);
  g_free (item);
}

static void
on_stop_signal (int number)
{
  (void) number; /* that it came is what it is for */
}

/* ---- what is to be read ---- */

static void
tell_failed (MmFetchReaders *readers, const gchar *path, const gchar *why)
{
  g_mutex_lock (&readers->lock);
  readers->progress.n_failed++;
  readers->func (path, why, readers->user_data);
  g_mutex_unlock (&readers->lock);
}

static void
add_item (MmFetchReaders *readers, const gchar *directory, const MmTreeEntry *entry)
{
  Item *item = g_new (Item, 1);

  *item = (Item){ g_build_filename (directory, entry->name, NULL), entry->size, 0 };
  g_mutex_lock (&readers->lock);
  readers->progress.n_messages++;
  readers->progress.octets += entry->size;
  g_queue_push_tail (&readers->items, item);
  g_cond_signal (&readers->changed);
  g_mutex_unlock (&readers->lock);
}

static void
list_tree (MmFetchReaders *readers, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = readers->is_stopping ? NULL : mm_tree_list (path, &error);

  if (error != NULL && !readers->is_stopping)
    tell_failed (readers, path, error->message);
  /* The messages of a folder first, so that they are read one after another. */
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const MmTreeEntry *entry = g_ptr_array_index (entries, i);
      if (mm_tree_entry_is_message (entry))
        add_item (readers, path, entry);
    }
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const MmTreeEntry *entry = g_ptr_array_index (entries, i);
      if (entry->kind != MM_TREE_DIRECTORY)
        continue;
      g_autofree gchar *below = g_build_filename (path, entry->name, NULL);
      list_tree (readers, below);
    }
}

/* ---- reading ---- */

/* FALSE with errno, which is ENODATA when it is not. */
static gboolean
is_cached (const gchar *path)
{
  return lgetxattr (path, "user.mailmount.digest", NULL, 0) > 0;
}

/* FALSE with errno. */
static gboolean
read_whole (MmFetchReaders *readers, const gchar *path, guint8 *buffer)
{
  mm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t n = -1;

  while (fd >= 0 && !readers->is_stopping && (n = read (fd, buffer, READ_OCTETS)) > 0)
    ;
  return n == 0;
}

/* Waits for the next one while there is listing going on; NULL at the end. (transfer full) */
static Item *
take_next (MmFetchReaders *readers)
{
  g_mutex_lock (&readers->lock);
  while (!readers->is_stopping && g_queue_is_empty (&readers->items)
         && readers->progress.is_listing)
    g_cond_wait (&readers->changed, &readers->lock);
  Item *item = readers->is_stopping ? NULL : g_queue_pop_head (&readers->items);
  g_mutex_unlock (&readers->lock);
  return item;
}

/* Takes over @item. */
static void
note_done (MmFetchReaders *readers, Item *item, gboolean is_there)
{
  item->read_us = mm_clock_monotonic_us ();
  g_mutex_lock (&readers->lock);
  readers->progress.n_done++;
  readers->progress.done_octets += item->octets;
  if (is_there)
    {
      readers->progress.n_fetched++;
      readers->progress.fetched_octets += item->octets;
      g_queue_push_tail (&readers->read, item);
    }
  else
    free_item (item);
  g_mutex_unlock (&readers->lock);
}

/* Expunged meanwhile: it is not missing, as if it had never been listed. Takes over @item. */
static void
note_gone (MmFetchReaders *readers, Item *item)
{
  g_mutex_lock (&readers->lock);
  readers->progress.n_messages--;
  readers->progress.octets -= item->octets;
  g_mutex_unlock (&readers->lock);
  free_item (item);
}

/* Takes over @item. */
static void
fetch (MmFetchReaders *readers, Item *item, guint8 *buffer)
{
  gboolean is_there = is_cached (item->path) || read_whole (readers, item->path, buffer);
  int errno_value = errno;

  if (readers->is_stopping)
    {
      free_item (item);
      return;
    }
  if (!is_there && (errno_value == ENOENT || errno_value == ESTALE))
    {
      note_gone (readers, item);
      return;
    }
  if (!is_there)
    tell_failed (readers, item->path, g_strerror (errno_value));
  note_done (readers, item, is_there);
}

/* ---- looking back: a cache that is too small lost the first when the last came ---- */

static Item *
take_read (MmFetchReaders *readers)
{
  g_mutex_lock (&readers->lock);
  Item *item = readers->is_stopping ? NULL : g_queue_pop_head (&readers->read);
  g_mutex_unlock (&readers->lock);
  return item;
}

static gboolean
is_lost (MmFetchReaders *readers, const Item *item)
{
  while (!is_cached (item->path))
    {
      if (errno != ENODATA || readers->is_stopping)
        return FALSE;
      if (mm_clock_monotonic_us () >= item->read_us + STORE_US)
        return TRUE;
      g_usleep (LOOK_AGAIN_US);
    }
  return FALSE;
}

static void
look_back (MmFetchReaders *readers)
{
  Item *item;

  while ((item = take_read (readers)) != NULL)
    {
      if (is_lost (readers, item))
        {
          g_mutex_lock (&readers->lock);
          readers->progress.n_lost++;
          g_mutex_unlock (&readers->lock);
        }
      free_item (item);
    }
}

/* ---- the threads ---- */

static void
begin_work (Worker *worker)
{
  g_mutex_lock (&worker->readers->lock);
  worker->handle = pthread_self ();
  worker->is_running = TRUE;
  g_mutex_unlock (&worker->readers->lock);
}

static void
end_work (Worker *worker)
{
  g_mutex_lock (&worker->readers->lock);
  worker->is_running = FALSE;
  worker->readers->n_running--;
  g_mutex_unlock (&worker->readers->lock);
}

static gpointer
list_main (gpointer data)
{
  Worker *worker = data;
  MmFetchReaders *readers = worker->readers;

  begin_work (worker);
  for (guint i = 0; readers->paths[i] != NULL; i++)
    list_tree (readers, readers->paths[i]);
  g_mutex_lock (&readers->lock);
  readers->progress.is_listing = FALSE;
  g_cond_broadcast (&readers->changed);
  g_mutex_unlock (&readers->lock);
  end_work (worker);
  return NULL;
}

static gpointer
read_main (gpointer data)
{
  Worker *worker = data;
  g_autofree guint8 *buffer = g_malloc (READ_OCTETS);
  Item *item;

  begin_work (worker);
  while ((item = take_next (worker->readers)) != NULL)
    fetch (worker->readers, item, buffer);
  look_back (worker->readers);
  end_work (worker);
  return NULL;
}

/* A worker that is just about to wait for the server misses the signal; the next one gets it. */
static void
interrupt (Worker *worker)
{
  g_mutex_lock (&worker->readers->lock);
  if (worker->is_running)
    pthread_kill (worker->handle, STOP_SIGNAL);
  g_mutex_unlock (&worker->readers->lock);
}

/* ---- the outside ---- */

MmFetchReaders *
mm_fetch_readers_new (const gchar *const *paths, MmFetchFailFunc func, gpointer user_data)
{
  MmFetchReaders *readers = g_new0 (MmFetchReaders, 1);
  struct sigaction action = { .sa_handler = on_stop_signal };

  sigemptyset (&action.sa_mask);
  sigaction (STOP_SIGNAL, &action, NULL);
  readers->func = func;
  readers->user_data = user_data;
  readers->paths = g_strdupv ((gchar **) paths);
  g_queue_init (&readers->items);
  g_queue_init (&readers->read);
  g_mutex_init (&readers->lock);
  g_cond_init (&readers->changed);
  readers->progress.is_listing = TRUE;
  readers->n_running = 1 + N_READERS;
  readers->lister.readers = readers;
  readers->lister.thread = g_thread_new ("lister", list_main, &readers->lister);
  for (guint i = 0; i < N_READERS; i++)
    {
      readers->workers[i].readers = readers;
      readers->workers[i].thread = g_thread_new ("reader", read_main, &readers->workers[i]);
    }
  return readers;
}

gboolean
mm_fetch_readers_is_done (MmFetchReaders *readers)
{
  g_mutex_lock (&readers->lock);
  gboolean is_done = readers->n_running == 0;
  g_mutex_unlock (&readers->lock);
  return is_done;
}

void
mm_fetch_readers_get_progress (MmFetchReaders *readers, MmFetchProgress *out)
{
  g_mutex_lock (&readers->lock);
  *out = readers->progress;
  g_mutex_unlock (&readers->lock);
}

void
mm_fetch_readers_stop (MmFetchReaders *readers)
{
  g_mutex_lock (&readers->lock);
  readers->is_stopping = TRUE;
  g_cond_broadcast (&readers->changed);
  g_mutex_unlock (&readers->lock);
  while (!mm_fetch_readers_is_done (readers))
    {
      interrupt (&readers->lister);
      for (guint i = 0; i < N_READERS; i++)
        interrupt (&readers->workers[i]);
      g_usleep (STOP_AGAIN_US);
    }
}

void
mm_fetch_readers_free (MmFetchReaders *readers)
{
  if (readers == NULL)
    return;
  mm_fetch_readers_stop (readers);
  g_thread_join (readers->lister.thread);
  for (guint i = 0; i < N_READERS; i++)
    g_thread_join (readers->workers[i].thread);
  g_queue_clear_full (&readers->items, free_item);
  g_queue_clear_full (&readers->read, free_item);
  g_cond_clear (&readers->changed);
  g_mutex_clear (&readers->lock);
  g_strfreev (readers->paths);
  g_free (readers);
}
