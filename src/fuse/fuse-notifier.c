// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuse-private.h"

#include <string.h>

/* For what is on its way into the kernel at the end. What takes longer is blocked there, and has its
 * file. */
#define UNDER_WAY_US (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  fuse_ino_t inode; /* 0: end the thread */
  gchar *name;      /* nullable: the entry to forget; else the listing of the directory */
} Notice;

typedef enum
{
  NOTICE_NONE,
  NOTICE_QUEUED,
  NOTICE_BEING_TOLD,
} NoticeState;

struct MmFuseNotifier
{
  struct fuse_session *session;
  GThread *thread;
  GAsyncQueue *queue; /* Queue<Notice> */
  GMutex lock;         /* guards all below */
  GHashTable *pending; /* Map<inode *, NoticeState>: directories whose listing is to be dropped */
  GCond told;
  guint n_telling;     /* notifications under way */
  gboolean is_stopped; /* none begins any more */
};

static gboolean
begin_telling (MmFuseNotifier *notifier)
{
  g_mutex_lock (&notifier->lock);
  gboolean go_on = !notifier->is_stopped;
  if (go_on)
    notifier->n_telling++;
  g_mutex_unlock (&notifier->lock);
  return go_on;
}

static void
end_telling (MmFuseNotifier *notifier)
{
  g_mutex_lock (&notifier->lock);
  if (--notifier->n_telling == 0 && notifier->is_stopped)
    g_cond_signal (&notifier->told);
  g_mutex_unlock (&notifier->lock);
}

static void
free_notice (gpointer data)
{
  Notice *notice = data;
  g_free (notice->name);
  g_free (notice);
}

static void
push (MmFuseNotifier *notifier, fuse_ino_t inode, const gchar *name)
{
  Notice *notice = g_new (Notice, 1);

  notice->inode = inode;
  notice->name = g_strdup (name);
  g_async_queue_push (notifier->queue, notice);
}

/* A change that comes while the kernel is told is told again. */
static void
drop_listing (MmFuseNotifier *notifier, guint64 directory)
{
  g_mutex_lock (&notifier->lock);
  g_hash_table_replace (notifier->pending, g_memdup2 (&directory, sizeof directory),
                        GUINT_TO_POINTER (NOTICE_BEING_TOLD));
  g_mutex_unlock (&notifier->lock);

  fuse_lowlevel_notify_inval_inode (notifier->session, directory, 0, 0);

  g_mutex_lock (&notifier->lock);
  gpointer state = g_hash_table_lookup (notifier->pending, &directory);
  if (GPOINTER_TO_UINT (state) == NOTICE_BEING_TOLD)
    g_hash_table_remove (notifier->pending, &directory);
  g_mutex_unlock (&notifier->lock);
}

static void
tell (MmFuseNotifier *notifier, const Notice *notice)
{
  if (!begin_telling (notifier))
    return;
  if (notice->name != NULL)
    fuse_lowlevel_notify_inval_entry (notifier->session, notice->inode, notice->name,
                                      strlen (notice->name));
  else
    drop_listing (notifier, notice->inode);
  end_telling (notifier);
}

static gpointer
work (gpointer data)
{
  MmFuseNotifier *notifier = data;

  for (;;)
    {
      Notice *notice = g_async_queue_pop (notifier->queue);
      gboolean is_end = notice->inode == 0;

      if (!is_end)
        tell (notifier, notice);
      free_notice (notice);
      if (is_end)
        return NULL;
    }
}

MmFuseNotifier *
mm_fuse_notifier_new (struct fuse_session *session)
{
  MmFuseNotifier *notifier = g_new0 (MmFuseNotifier, 1);

  notifier->session = session;
  g_mutex_init (&notifier->lock);
  g_cond_init (&notifier->told);
  notifier->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  notifier->queue = g_async_queue_new_full (free_notice);
  notifier->thread = g_thread_new ("mm-notifier", work, notifier);
  return notifier;
}

void
mm_fuse_notifier_stop (MmFuseNotifier *notifier)
{
  gint64 end_us = g_get_monotonic_time () + UNDER_WAY_US;

  g_mutex_lock (&notifier->lock);
  notifier->is_stopped = TRUE;
  while (notifier->n_telling > 0
         && g_cond_wait_until (&notifier->told, &notifier->lock, end_us))
    ;
  g_mutex_unlock (&notifier->lock);
}

void
mm_fuse_notifier_free (MmFuseNotifier *notifier)
{
  if (notifier == NULL)
    return;
  push (notifier, 0, NULL);
  g_thread_join (notifier->thread);
  g_async_queue_unref (notifier->queue);
  g_hash_table_unref (notifier->pending);
  g_cond_clear (&notifier->told);
  g_mutex_clear (&notifier->lock);
  g_free (notifier);
}

gboolean
mm_fuse_notifier_is_pending (MmFuseNotifier *notifier, fuse_ino_t directory)
{
  guint64 key = directory;

  g_mutex_lock (&notifier->lock);
  gboolean is_pending = g_hash_table_contains (notifier->pending, &key);
  g_mutex_unlock (&notifier->lock);
  return is_pending;
}

static void
on_entry_gone (guint64 directory, const gchar *name, gpointer user_data)
{
  push (user_data, directory, name);
}

static void
on_directory_changed (guint64 directory, gpointer user_data)
{
  MmFuseNotifier *notifier = user_data;

  g_mutex_lock (&notifier->lock);
  gpointer state = g_hash_table_lookup (notifier->pending, &directory);
  gboolean is_queued = GPOINTER_TO_UINT (state) == NOTICE_QUEUED;
  if (!is_queued)
    g_hash_table_replace (notifier->pending, g_memdup2 (&directory, sizeof directory),
                          GUINT_TO_POINTER (NOTICE_QUEUED));
  g_mutex_unlock (&notifier->lock);
  if (!is_queued)
    push (notifier, directory, NULL);
}

/* Takes no lock of the directory in the kernel, so it is made on the spot: an open that waits for a
 * corrected size must find the old one gone. */
static void
on_attributes_changed (guint64 inode, gpointer user_data)
{
  MmFuseNotifier *notifier = user_data;

  if (!begin_telling (notifier))
    return;
  fuse_lowlevel_notify_inval_inode (notifier->session, inode, -1, 0);
  end_telling (notifier);
}

const MmVfsObserver *
mm_fuse_notifier_get_observer (void)
{
  static const MmVfsObserver observer = {
    .entry_gone = on_entry_gone,
    .directory_changed = on_directory_changed,
    .attributes_changed = on_attributes_changed,
  };
  return &observer;
}
