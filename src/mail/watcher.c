// SPDX-License-Identifier: GPL-3.0-or-later
#include "watcher.h"

#include <mailmount/clock.h>

#include "account-private.h"

/* Unused for so long, the account is no more asked for changes. */
#define UNUSED_US (10 * 60 * G_USEC_PER_SEC)
/* Whoever walks a tree lists many folders: what is watched changes when that is over. */
#define SETTLE_US (2 * G_USEC_PER_SEC)
/* Lists that the server asked for come no faster. */
#define LIST_US G_USEC_PER_SEC
/* Folders seldom change alone, and a server may bundle what it tells of them, or leave out what happens
 * while it tells: so long after the last news of them they are listed once more. */
#define CONFIRM_US (3 * G_USEC_PER_SEC / 2)
/* How long a watch that failed waits to be tried again: at first, and at most. */
#define RETRY_US     (2 * G_USEC_PER_SEC)
#define RETRY_MAX_US (60 * G_USEC_PER_SEC)
typedef struct
{
  MmWatcher *watcher; /* borrowed; immutable */
  MmMailbox *mailbox; /* borrowed; NULL: all mailboxes of the account; immutable */

  /* The watcher's thread only. */
  MmRemoteJob *job;   /* nullable; owned; may have ended */
  gboolean is_wanted;

  /* Guarded by the watcher's lock. */
  gboolean is_running;
  gboolean has_begun; /* once at least */
  guint n_failures;   /* in a row */
  gint64 retry_us;    /* monotonic: not before */
} Watch;

struct MmWatcher
{
  MmAccount *account; /* borrowed; immutable */
  guint n_max;        /* immutable */
  GThread *thread;
  GPtrArray *watches; /* of Watch, owned; the watcher's thread only */
  gint64 polled_us;   /* monotonic: when it last asked for the list of folders; its thread only */

  GMutex lock; /* a leaf; guards all below */
  GCond changed;
  gboolean is_ending;
  gboolean is_woken;
  gboolean wants_list;       /* the folders are others now */
  gint64 confirm_us;         /* monotonic: when they are listed once more; 0: not */
  gint64 used_us;            /* monotonic: the last listing or open */
  gint64 settled_us;         /* monotonic: when @recent is to be looked at */
  GQueue recent;             /* of MmMailbox, borrowed: listed last first, at most n_max */
  gboolean no_account_watch; /* the server cannot tell of all mailboxes at once */
  gboolean no_watch;         /* nor of one */
};

static void
wake_locked (MmWatcher *watcher)
{
  watcher->is_woken = TRUE;
  g_cond_signal (&watcher->changed);
}

/* ---- what a watch tells, on a connection's thread ---- */

/* A folder that cannot be watched makes room for another one. */
static gboolean
is_of_mailbox (const GError *error)
{
  return g_error_matches (error, MM_ERROR, MM_ERROR_MAILBOX_GONE)
         || g_error_matches (error, MM_ERROR, MM_ERROR_PERMISSION)
         || g_error_matches (error, MM_ERROR, MM_ERROR_NAME_ENCODING);
}

static void
note_failure_locked (Watch *watch, const GError *error)
{
  MmWatcher *watcher = watch->watcher;

  if (g_error_matches (error, MM_ERROR, MM_ERROR_UNSUPPORTED))
    {
      if (watch->mailbox == NULL)
        watcher->no_account_watch = TRUE;
      else
        watcher->no_watch = TRUE;
      return;
    }
  if (is_of_mailbox (error))
    g_queue_remove (&watcher->recent, watch->mailbox);
  watch->retry_us
      = mm_clock_monotonic_us () + MIN (RETRY_US << MIN (watch->n_failures, 8), RETRY_MAX_US);
  watch->n_failures++;
}

static void
on_watch_done (const GError *error, gpointer user_data)
{
  Watch *watch = user_data;
  MmWatcher *watcher = watch->watcher;

  g_mutex_lock (&watcher->lock);
  watch->is_running = FALSE;
  if (error != NULL && error->code != MM_ERROR_CANCELLED)
    note_failure_locked (watch, error);
  wake_locked (watcher);
  g_mutex_unlock (&watcher->lock);
}

/* What happened before is not told, but the state says whether something did. */
static void
on_watch_begun (const MmMailboxState *state, gpointer user_data)
{
  Watch *watch = user_data;
  MmWatcher *watcher = watch->watcher;

  g_mutex_lock (&watcher->lock);
  if (watch->mailbox == NULL && watch->has_begun)
    watcher->wants_list = TRUE;
  watch->has_begun = TRUE;
  watch->n_failures = 0;
  wake_locked (watcher);
  g_mutex_unlock (&watcher->lock);
  if (watch->mailbox != NULL && state != NULL && !mm_mailbox_is_as (watch->mailbox, state))
    mm_mailbox_set_stale (watch->mailbox);
}

/* ---- which watches there are ---- */

static void
free_watch (gpointer data)
{
  Watch *watch = data;
  g_clear_pointer (&watch->job, mm_remote_job_unref);
  g_free (watch);
}

static void
want (MmWatcher *watcher, MmMailbox *mailbox)
{
  Watch *watch = NULL;

  for (guint i = 0; i < watcher->watches->len && watch == NULL; i++)
    if (((Watch *) g_ptr_array_index (watcher->watches, i))->mailbox == mailbox)
      watch = g_ptr_array_index (watcher->watches, i);
  if (watch == NULL)
    {
      watch = g_new0 (Watch, 1);
      watch->watcher = watcher;
      watch->mailbox = mailbox;
      g_ptr_array_add (watcher->watches, watch);
    }
  watch->is_wanted = TRUE;
}

/* Marks what is worth watching. */
static void
choose_locked (MmWatcher *watcher, MmMailbox *inbox, gboolean is_used)
{
  guint n_left = watcher->n_max;

  for (guint i = 0; i < watcher->watches->len; i++)
    ((Watch *) g_ptr_array_index (watcher->watches, i))->is_wanted = FALSE;
  if (!watcher->no_account_watch)
    {
      want (watcher, NULL);
      return;
    }
  if (watcher->no_watch)
    return;
  if (inbox != NULL && n_left > 0)
    {
      want (watcher, inbox);
      n_left--;
    }
  for (GList *link = watcher->recent.head; is_used && link != NULL && n_left > 0; link = link->next)
    if (link->data != inbox)
      {
        want (watcher, link->data);
        n_left--;
      }
}

static void
start_watch (Watch *watch)
{
  static const MmRemoteWatchSink sink = { .begun = on_watch_begun, .done = on_watch_done };
  g_autofree gchar *name = watch->mailbox != NULL ? mm_mailbox_dup_name (watch->mailbox) : NULL;

  g_clear_pointer (&watch->job, mm_remote_job_unref);
  watch->job = mm_remote_watch (watch->watcher->account->context.remote, name, &sink, watch);
}

/* Starts and ends watches as chosen. Returns when to call again. */
static gint64
tend_watches (MmWatcher *watcher)
{
  MmMailbox *inbox = mm_account_find_inbox (watcher->account);
  g_autoptr (GPtrArray) starting = g_ptr_array_new (); /* of Watch */
  g_autoptr (GPtrArray) ending = g_ptr_array_new ();   /* the same */
  gint64 now_us = mm_clock_monotonic_us ();
  gint64 again_us = G_MAXINT64;

  g_mutex_lock (&watcher->lock);
  gint64 unused_us = watcher->used_us + UNUSED_US;
  if (now_us < watcher->settled_us)
    again_us = watcher->settled_us;
  else
    choose_locked (watcher, inbox, now_us < unused_us);
  for (guint i = watcher->watches->len; i-- > 0;)
    {
      Watch *watch = g_ptr_array_index (watcher->watches, i);

      if (watch->is_running && !watch->is_wanted)
        g_ptr_array_add (ending, watch);
      else if (!watch->is_running && !watch->is_wanted)
        g_ptr_array_remove_index_fast (watcher->watches, i);
      else if (!watch->is_running && now_us >= watch->retry_us)
        {
          watch->is_running = TRUE;
          g_ptr_array_add (starting, watch);
        }
      else if (!watch->is_running)
        again_us = MIN (again_us, watch->retry_us);
    }
  g_mutex_unlock (&watcher->lock);

  for (guint i = 0; i < ending->len; i++)
    mm_remote_job_cancel (((Watch *) g_ptr_array_index (ending, i))->job);
  for (guint i = 0; i < starting->len; i++)
    start_watch (g_ptr_array_index (starting, i));
  return now_us < unused_us ? MIN (again_us, unused_us) : again_us;
}

/* ---- polling ---- */

/* When the folders are to be listed next. */
static gint64
get_list_due_locked (MmWatcher *watcher, gint64 now_us, gint64 listed_us)
{
  gint64 poll_us = watcher->account->context.poll_us;

  if (watcher->wants_list)
    return watcher->polled_us + LIST_US;
  if (watcher->confirm_us != 0)
    return MAX (watcher->confirm_us, watcher->polled_us + LIST_US);
  if (poll_us > 0 && now_us < watcher->used_us + UNUSED_US)
    return MAX (watcher->polled_us, listed_us) + poll_us;
  return G_MAXINT64;
}

/* A list that is on its way may not know what happened since: it is the next one that does, for which
 * the end of this one wakes us. */
static void
want_list_after_this (MmWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  watcher->wants_list = TRUE;
  g_mutex_unlock (&watcher->lock);
}

/* Asks for the list of folders when it is due. Returns when to call again. */
static gint64
poll_folders (MmWatcher *watcher)
{
  gint64 now_us = mm_clock_monotonic_us ();
  gint64 listed_us = mm_account_get_listed_us (watcher->account);

  g_mutex_lock (&watcher->lock);
  gint64 due_us = get_list_due_locked (watcher, now_us, listed_us);
  gboolean is_due = now_us >= due_us;
  gboolean is_news = watcher->wants_list || watcher->confirm_us != 0;
  if (is_due)
    {
      watcher->wants_list = FALSE;
      if (now_us >= watcher->confirm_us)
        watcher->confirm_us = 0;
      due_us = get_list_due_locked (watcher, now_us, now_us);
    }
  g_mutex_unlock (&watcher->lock);

  if (!is_due)
    return due_us;
  watcher->polled_us = now_us;
  if (!mm_account_list_again (watcher->account) && is_news)
    want_list_after_this (watcher);
  return due_us;
}

/* ---- the thread ---- */

static gint64
work_once (MmWatcher *watcher)
{
  gint64 again_us = mm_account_follow (watcher->account);

  again_us = MIN (again_us, poll_folders (watcher));
  return MIN (again_us, tend_watches (watcher));
}

/* Until @again_us of our own clock, which is not that of the condition. */
static void
sleep_locked (MmWatcher *watcher, gint64 again_us)
{
  gint64 end_us = g_get_monotonic_time () + MAX (0, again_us - mm_clock_monotonic_us ());
  gboolean is_time = FALSE;

  while (!watcher->is_ending && !watcher->is_woken && !is_time)
    if (again_us == G_MAXINT64)
      g_cond_wait (&watcher->changed, &watcher->lock);
    else
      is_time = !g_cond_wait_until (&watcher->changed, &watcher->lock, end_us);
}

static gpointer
watcher_main (gpointer data)
{
  MmWatcher *watcher = data;

  g_mutex_lock (&watcher->lock);
  while (!watcher->is_ending)
    {
      watcher->is_woken = FALSE;
      g_mutex_unlock (&watcher->lock);
      gboolean is_listed = mm_account_get_listed_us (watcher->account) != 0;
      gint64 again_us = is_listed ? work_once (watcher) : G_MAXINT64;
      g_mutex_lock (&watcher->lock);
      sleep_locked (watcher, again_us);
    }
  g_mutex_unlock (&watcher->lock);
  return NULL;
}

MmWatcher *
mm_watcher_new (MmAccount *account, guint n_max)
{
  MmWatcher *watcher = g_new0 (MmWatcher, 1);

  watcher->account = account;
  watcher->n_max = n_max;
  g_mutex_init (&watcher->lock);
  g_cond_init (&watcher->changed);
  g_queue_init (&watcher->recent);
  watcher->watches = g_ptr_array_new_with_free_func (free_watch);
  watcher->used_us = mm_clock_monotonic_us ();
  watcher->thread = g_thread_new ("mm-watcher", watcher_main, watcher);
  return watcher;
}

void
mm_watcher_stop (MmWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  watcher->is_ending = TRUE;
  g_cond_signal (&watcher->changed);
  g_mutex_unlock (&watcher->lock);
  g_thread_join (g_steal_pointer (&watcher->thread));
}

void
mm_watcher_free (MmWatcher *watcher)
{
  if (watcher == NULL)
    return;
  g_ptr_array_unref (watcher->watches);
  g_queue_clear (&watcher->recent);
  g_cond_clear (&watcher->changed);
  g_mutex_clear (&watcher->lock);
  g_free (watcher);
}

/* ---- what the account notes ---- */

void
mm_watcher_wake (MmWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  wake_locked (watcher);
  g_mutex_unlock (&watcher->lock);
}

static void
confirm_locked (MmWatcher *watcher)
{
  watcher->confirm_us = mm_clock_monotonic_us () + CONFIRM_US;
  wake_locked (watcher);
}

void
mm_watcher_note_folders_changed (MmWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  watcher->wants_list = TRUE;
  confirm_locked (watcher);
  g_mutex_unlock (&watcher->lock);
}

void
mm_watcher_confirm_folders (MmWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  confirm_locked (watcher);
  g_mutex_unlock (&watcher->lock);
}

void
mm_watcher_note_use (MmWatcher *watcher, MmMailbox *mailbox)
{
  gint64 now_us = mm_clock_monotonic_us ();

  g_mutex_lock (&watcher->lock);
  if (now_us >= watcher->used_us + UNUSED_US)
    wake_locked (watcher);
  watcher->used_us = now_us;
  if (mailbox != NULL && watcher->recent.head != NULL && watcher->recent.head->data == mailbox)
    mailbox = NULL;
  if (mailbox != NULL && watcher->n_max > 0)
    {
      g_queue_remove (&watcher->recent, mailbox);
      g_queue_push_head (&watcher->recent, mailbox);
      if (watcher->recent.length > watcher->n_max)
        g_queue_pop_tail (&watcher->recent);
      /* Not before the walk that this may be a part of is over. */
      watcher->settled_us = now_us + SETTLE_US;
      wake_locked (watcher);
    }
  g_mutex_unlock (&watcher->lock);
}
