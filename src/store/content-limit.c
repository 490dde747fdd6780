// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <sys/statvfs.h>

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "content-limit.h"
#include "content-lru.h"
#include "content-scan.h"

/* The default floor: this much, and of a small disk this share. */
#define FLOOR_OCTETS  ((guint64) 512 << 20)
#define FLOOR_DIVISOR 20
/* How much is stored before the free disk is looked at again. */
#define LOOK_OCTETS ((guint64) 8 << 20)
/* How much is stored before what other processes did is looked for: this share of the size. */
#define SCAN_DIVISOR    32
#define SCAN_OCTETS_MIN ((guint64) 1 << 20)
#define SCAN_OCTETS_MAX ((guint64) 64 << 20)
/* The time of access of a file is written down when it is as old as this. */
#define ACCESS_TIME_S (24 * 60 * 60)
/* How long storing waits at the start for what was stored before to be counted. What comes meanwhile is
 * held in memory by whoever stores it. */
#define COUNT_US (2 * G_USEC_PER_SEC)

struct MmContentLimit
{
  /* Immutable after mm_content_limit_start(). */
  const MmContentDirectory *directory; /* borrowed */
  gboolean is_active;
  MmContentCacheLimits limits;
  guint64 floor_octets;
  guint64 look_octets;
  guint64 scan_octets;
  gint64 patience_end_us; /* monotonic: nothing waits for the first scan any longer */

  gint is_stopped; /* atomic */

  GMutex lock; /* guards all below; never held over I/O */
  MmContentLru *lru;
  guint64 unlooked_octets;  /* stored since the free disk was looked at */
  guint64 owed_octets;      /* to be given back, for the floor */
  guint64 unscanned_octets; /* stored since others were looked for */
  gboolean is_counted;      /* the first scan has ended */
  guint64 free_octets;      /* of the disk, when it was last looked at */
  MmContentCacheLack lack;
  GThread *worker;          /* owned; the last one, perhaps ended */
  gboolean is_working;
  gboolean wants_scan;      /* until it has ended */
  gboolean wants_room;
  GCond worked;             /* a scan, or all of the work, has ended */
};

static guint32
now_s (void)
{
  return (guint32) CLAMP (mm_clock_wall_us () / G_USEC_PER_SEC, 0, (gint64) G_MAXUINT32);
}

MmContentLimit *
mm_content_limit_new (const MmContentDirectory *directory)
{
  MmContentLimit *limit = g_new0 (MmContentLimit, 1);

  limit->directory = directory;
  limit->lru = mm_content_lru_new ();
  g_mutex_init (&limit->lock);
  g_cond_init (&limit->worked);
  return limit;
}

void
mm_content_limit_free (MmContentLimit *limit)
{
  g_assert (limit->worker == NULL);
  mm_content_lru_free (limit->lru);
  g_mutex_clear (&limit->lock);
  g_cond_clear (&limit->worked);
  g_free (limit);
}

/* ---- leaving ---- */

static void
tell (MmContentLimit *limit, MmContentKey key)
{
  if (limit->limits.evicted != NULL && !g_atomic_int_get (&limit->is_stopped))
    limit->limits.evicted (key.folder_id, key.number, limit->limits.user_data);
}

/* Whether @octets more are too many. */
static gboolean
is_full_locked (const MmContentLimit *limit, guint64 octets)
{
  guint64 size = limit->limits.size_octets;

  return size != 0 && (octets > size || mm_content_lru_get_octets (limit->lru) > size - octets);
}

/* The next to leave, so that @octets more have room. */
static gboolean
take_next (MmContentLimit *limit, guint64 octets, MmContentKey *out_key)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&limit->lock);
  guint64 before = mm_content_lru_get_octets (limit->lru);
  gboolean is_full = is_full_locked (limit, octets);

  if ((!is_full && limit->owed_octets == 0) || !mm_content_lru_pop_oldest (limit->lru, out_key))
    return FALSE;
  limit->lack = is_full ? MM_CONTENT_CACHE_LACK_SIZE : MM_CONTENT_CACHE_LACK_DISK;
  guint64 freed = before - mm_content_lru_get_octets (limit->lru);
  limit->owed_octets -= MIN (limit->owed_octets, freed);
  return TRUE;
}

static void
evict (MmContentLimit *limit, guint64 octets)
{
  MmContentKey key;

  while (take_next (limit, octets, &key))
    {
      mm_content_directory_remove (limit->directory, key);
      tell (limit, key);
    }
}

/* ---- what others did ---- */

static void
collect (const MmContentFound *found, gpointer user_data)
{
  g_array_append_vals (user_data, found, 1);
}

static gint
compare_use (gconstpointer a, gconstpointer b)
{
  const MmContentFound *one = a, *other = b;

  return one->used_s < other->used_s ? -1 : one->used_s > other->used_s;
}

static void
scan (MmContentLimit *limit)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (MmContentFound));
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmContentKey));
  gboolean is_whole = mm_content_scan (limit->directory, &limit->is_stopped, collect, found);
  g_array_sort (found, compare_use);

  g_mutex_lock (&limit->lock);
  if (is_whole)
    mm_content_lru_end_scan (limit->lru, found, gone);
  limit->wants_scan = FALSE;
  /* What cannot be looked through will not be counted later either. */
  limit->is_counted = TRUE;
  g_cond_broadcast (&limit->worked);
  g_mutex_unlock (&limit->lock);

  for (guint i = 0; i < gone->len; i++)
    tell (limit, g_array_index (gone, MmContentKey, i));
}

static gpointer
run_work (gpointer data)
{
  MmContentLimit *limit = data;

  g_mutex_lock (&limit->lock);
  while (limit->wants_scan || limit->wants_room)
    {
      gboolean wants_scan = limit->wants_scan;

      limit->wants_room = FALSE;
      g_mutex_unlock (&limit->lock);
      if (wants_scan)
        scan (limit);
      evict (limit, 0);
      g_mutex_lock (&limit->lock);
    }
  limit->is_working = FALSE;
  g_cond_broadcast (&limit->worked);
  g_mutex_unlock (&limit->lock);
  return NULL;
}

static void
start_work_locked (MmContentLimit *limit)
{
  if (limit->is_working || g_atomic_int_get (&limit->is_stopped))
    return;
  /* The last one has nothing left to do. */
  if (limit->worker != NULL)
    g_thread_join (limit->worker);
  limit->is_working = TRUE;
  limit->worker = g_thread_new ("mm-cache-scan", run_work, limit);
}

static void
start_scan (MmContentLimit *limit)
{
  g_mutex_lock (&limit->lock);
  /* Here, and not when the thread is about to look: what leaves from now on it may see all the same. */
  if (!limit->wants_scan)
    mm_content_lru_begin_scan (limit->lru);
  limit->wants_scan = TRUE;
  start_work_locked (limit);
  g_mutex_unlock (&limit->lock);
}

/* Everyone who uses the directory holds a lock on it that can be shared. */
static void
announce_use (const MmContentLimit *limit)
{
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

  fcntl (limit->directory->fd, F_OFD_SETLK, &lock);
}

static gboolean
is_alone (const MmContentLimit *limit)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  /* Where the filesystem has no locks nobody can tell. */
  return fcntl (limit->directory->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

static void
look_for_others (MmContentLimit *limit, guint64 octets)
{
  g_mutex_lock (&limit->lock);
  limit->unscanned_octets += octets;
  gboolean is_due = limit->unscanned_octets >= limit->scan_octets;
  if (is_due)
    limit->unscanned_octets = 0;
  g_mutex_unlock (&limit->lock);
  if (is_due && !is_alone (limit))
    start_scan (limit);
}

/* ---- the free disk ---- */

static gboolean
get_free (const MmContentLimit *limit, guint64 *out_free, guint64 *out_all)
{
  struct statvfs status;

  if (fstatvfs (limit->directory->fd, &status) != 0)
    return FALSE;
  *out_free = (guint64) status.f_bavail * status.f_frsize;
  *out_all = (guint64) status.f_blocks * status.f_frsize;
  return TRUE;
}

static void
look_at_disk (MmContentLimit *limit, guint64 octets)
{
  guint64 available, all;

  g_mutex_lock (&limit->lock);
  limit->unlooked_octets += octets;
  gboolean is_due = limit->floor_octets != 0
                    && (limit->unlooked_octets >= limit->look_octets || limit->owed_octets > 0);
  if (is_due)
    limit->unlooked_octets = 0;
  g_mutex_unlock (&limit->lock);
  if (!is_due || !get_free (limit, &available, &all))
    return;

  guint64 needed = limit->floor_octets + octets;
  g_mutex_lock (&limit->lock);
  limit->free_octets = available;
  limit->owed_octets = needed > available ? needed - available : 0;
  g_mutex_unlock (&limit->lock);
}

static void
settle_floor (MmContentLimit *limit)
{
  guint64 all = 0;
  gboolean is_known = get_free (limit, &limit->free_octets, &all);

  limit->floor_octets = limit->limits.free_octets;
  if (limit->limits.free_octets == MM_CONTENT_CACHE_FREE_DEFAULT)
    limit->floor_octets = is_known ? MIN (FLOOR_OCTETS, all / FLOOR_DIVISOR) : 0;
  limit->look_octets = MIN (LOOK_OCTETS, limit->floor_octets / 4);
  limit->unlooked_octets = limit->look_octets;
}

/* ---- */

void
mm_content_limit_start (MmContentLimit *limit, const MmContentCacheLimits *limits)
{
  g_assert (!limit->is_active);
  limit->limits = *limits;
  settle_floor (limit);
  limit->scan_octets = limits->size_octets == 0 ? SCAN_OCTETS_MAX
                                                : CLAMP (limits->size_octets / SCAN_DIVISOR,
                                                         SCAN_OCTETS_MIN, SCAN_OCTETS_MAX);
  limit->patience_end_us = mm_clock_monotonic_us () + COUNT_US;
  limit->is_active = TRUE;
  announce_use (limit);
  start_scan (limit);
}

void
mm_content_limit_stop (MmContentLimit *limit)
{
  g_atomic_int_set (&limit->is_stopped, TRUE);
  g_mutex_lock (&limit->lock);
  GThread *worker = g_steal_pointer (&limit->worker);
  g_mutex_unlock (&limit->lock);
  g_clear_pointer (&worker, g_thread_join);
}

/* Before all is counted nobody knows what has room. FALSE when that takes too long. */
static gboolean
wait_counted (MmContentLimit *limit, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&limit->lock);

  while (limit->limits.size_octets != 0 && !limit->is_counted)
    {
      gint64 left_us = limit->patience_end_us - mm_clock_monotonic_us ();
      /* The condition has another clock than ours. */
      if (left_us > 0
          && g_cond_wait_until (&limit->worked, &limit->lock, g_get_monotonic_time () + left_us))
        continue;
      if (limit->patience_end_us > mm_clock_monotonic_us ())
        continue;
      limit->lack = MM_CONTENT_CACHE_LACK_COUNT;
      g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
                   "what is in the cache is still being counted (cache_size=)");
      return FALSE;
    }
  return TRUE;
}

gboolean
mm_content_limit_make_room (MmContentLimit *limit, guint64 octets, GError **error)
{
  if (!limit->is_active)
    return TRUE;
  if (!wait_counted (limit, error))
    return FALSE;
  look_for_others (limit, octets);
  look_at_disk (limit, octets);
  evict (limit, octets);

  g_mutex_lock (&limit->lock);
  gboolean has_room = limit->owed_octets == 0;
  if (!has_room)
    limit->lack = MM_CONTENT_CACHE_LACK_DISK;
  g_mutex_unlock (&limit->lock);
  if (!has_room)
    {
      g_autofree gchar *floor = g_format_size_full (limit->floor_octets, G_FORMAT_SIZE_IEC_UNITS);
      g_set_error (error, MM_ERROR, MM_ERROR_NO_SPACE,
                   "less than %s are free on the disk of the cache (cache_free=)", floor);
    }
  return has_room;
}

void
mm_content_limit_note_stored (MmContentLimit *limit, MmContentKey key, guint64 octets)
{
  if (!limit->is_active)
    return;
  guint32 now = now_s ();
  g_mutex_lock (&limit->lock);
  mm_content_lru_put (limit->lru, key, octets, now);
  g_mutex_unlock (&limit->lock);
}

void
mm_content_limit_note_read (MmContentLimit *limit, int fd, const struct stat *status)
{
  const struct timespec times[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
  gint64 age_s = (gint64) now_s () - status->st_atim.tv_sec;

  if (limit->is_active && age_s > ACCESS_TIME_S && futimens (fd, times) != 0)
    mm_log_debug ("the time of access of a cache file cannot be set");
}

void
mm_content_limit_note_missing (MmContentLimit *limit, MmContentKey key)
{
  if (!limit->is_active)
    return;
  g_mutex_lock (&limit->lock);
  gboolean was_there = mm_content_lru_has (limit->lru, key);
  if (was_there)
    mm_content_lru_remove (limit->lru, key);
  g_mutex_unlock (&limit->lock);
  if (!was_there)
    return;
  tell (limit, key);
  start_scan (limit);
}

void
mm_content_limit_touch (MmContentLimit *limit, MmContentKey key)
{
  if (!limit->is_active)
    return;
  guint32 now = now_s ();
  g_mutex_lock (&limit->lock);
  mm_content_lru_touch (limit->lru, key, now);
  g_mutex_unlock (&limit->lock);
}

void
mm_content_limit_forget (MmContentLimit *limit, MmContentKey key)
{
  if (!limit->is_active)
    return;
  g_mutex_lock (&limit->lock);
  mm_content_lru_remove (limit->lru, key);
  g_mutex_unlock (&limit->lock);
}

void
mm_content_limit_forget_folder (MmContentLimit *limit, guint32 folder_id)
{
  if (!limit->is_active)
    return;
  g_mutex_lock (&limit->lock);
  mm_content_lru_remove_folder (limit->lru, folder_id);
  g_mutex_unlock (&limit->lock);
}

void
mm_content_limit_hold (MmContentLimit *limit, MmContentKey key)
{
  if (!limit->is_active)
    return;
  g_mutex_lock (&limit->lock);
  mm_content_lru_hold (limit->lru, key);
  g_mutex_unlock (&limit->lock);
}

void
mm_content_limit_release (MmContentLimit *limit, MmContentKey key)
{
  if (!limit->is_active)
    return;
  guint32 now = now_s ();
  g_mutex_lock (&limit->lock);
  mm_content_lru_release (limit->lru, key, now);
  /* Nobody may come who makes room: what went beyond the size leaves now. */
  if (limit->is_counted && is_full_locked (limit, 0))
    {
      limit->wants_room = TRUE;
      start_work_locked (limit);
    }
  g_mutex_unlock (&limit->lock);
}

guint64
mm_content_limit_get_size (const MmContentLimit *limit)
{
  return limit->limits.size_octets != 0 ? limit->limits.size_octets : G_MAXUINT64;
}

void
mm_content_limit_get_usage (MmContentLimit *limit, MmContentCacheUsage *out)
{
  g_mutex_lock (&limit->lock);
  *out = (MmContentCacheUsage) {
    .n_messages = mm_content_lru_get_length (limit->lru),
    .octets = mm_content_lru_get_octets (limit->lru),
    .is_counted = limit->is_counted,
    .size_octets = limit->limits.size_octets,
    .floor_octets = limit->floor_octets,
    .free_octets = limit->free_octets,
    .lack = limit->lack,
  };
  g_mutex_unlock (&limit->lock);
}

guint64
mm_content_limit_count_folder (MmContentLimit *limit, guint32 folder_id)
{
  g_mutex_lock (&limit->lock);
  guint n = mm_content_lru_get_folder_length (limit->lru, folder_id);
  g_mutex_unlock (&limit->lock);
  return n;
}

void
mm_content_limit_wait (MmContentLimit *limit)
{
  g_mutex_lock (&limit->lock);
  while (limit->is_working)
    g_cond_wait (&limit->worked, &limit->lock);
  g_mutex_unlock (&limit->lock);
}
