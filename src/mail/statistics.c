// SPDX-License-Identifier: GPL-3.0-or-later
#include "statistics.h"

#include <string.h>

#include <mailmount/clock.h>

struct MmStatistics
{
  _Atomic guint64 n_misses;
  _Atomic guint n_failures; /* the length of @failures, for a look without the lock */

  GMutex lock;     /* a leaf; guards all below, and what is in the tallies */
  guint64 fetched_octets;
  guint64 used_octets;
  guint64 unused_octets;
  guint64 n_hits;
  GQueue failures; /* Queue<owned MmFailedMessage>, the latest first; few enough to walk through */
  guint n_listing_errors[MM_N_ERRORS];
  guint n_message_errors[MM_N_ERRORS];
};

static void
clear_failure (gpointer data)
{
  MmFailedMessage *failure = data;
  g_free (failure->folder);
  g_free (failure->reason);
}

static void
free_failure (gpointer data)
{
  clear_failure (data);
  g_free (data);
}

MmStatistics *
mm_statistics_new (void)
{
  MmStatistics *statistics = g_new0 (MmStatistics, 1);

  g_mutex_init (&statistics->lock);
  g_queue_init (&statistics->failures);
  return statistics;
}

void
mm_statistics_free (MmStatistics *statistics)
{
  if (statistics == NULL)
    return;
  g_queue_clear_full (&statistics->failures, free_failure);
  g_mutex_clear (&statistics->lock);
  g_free (statistics);
}

/* ---- reading ahead ---- */

struct MmAheadTally
{
  gatomicrefcount refs;
  MmStatistics *statistics; /* borrowed */
  guint64 waiting_octets;
  gboolean is_ended;
  gboolean is_used;
  gboolean is_hit;
};

MmAheadTally *
mm_ahead_tally_new (MmStatistics *statistics)
{
  MmAheadTally *tally = g_new0 (MmAheadTally, 1);

  g_atomic_ref_count_init (&tally->refs);
  tally->statistics = statistics;
  return tally;
}

MmAheadTally *
mm_ahead_tally_ref (MmAheadTally *tally)
{
  g_atomic_ref_count_inc (&tally->refs);
  return tally;
}

void
mm_ahead_tally_unref (MmAheadTally *tally)
{
  if (g_atomic_ref_count_dec (&tally->refs))
    g_free (tally);
}

/* What waits goes where its reader's coming or staying away says. */
static void
settle_tally_locked (MmAheadTally *tally)
{
  MmStatistics *statistics = tally->statistics;

  if (!tally->is_ended || tally->waiting_octets == 0)
    return;
  if (tally->is_used)
    statistics->used_octets += tally->waiting_octets;
  else
    statistics->unused_octets += tally->waiting_octets;
  tally->waiting_octets = 0;
  if (tally->is_used && !tally->is_hit)
    statistics->n_hits++;
  tally->is_hit = tally->is_used;
}

void
mm_ahead_tally_note_received (MmAheadTally *tally, guint64 octets)
{
  g_mutex_lock (&tally->statistics->lock);
  tally->statistics->fetched_octets += octets;
  tally->waiting_octets += octets;
  settle_tally_locked (tally);
  g_mutex_unlock (&tally->statistics->lock);
}

void
mm_ahead_tally_end (MmAheadTally *tally, gboolean is_used)
{
  g_mutex_lock (&tally->statistics->lock);
  tally->is_ended = TRUE;
  tally->is_used = is_used;
  settle_tally_locked (tally);
  g_mutex_unlock (&tally->statistics->lock);
}

void
mm_statistics_note_miss (MmStatistics *statistics)
{
  statistics->n_misses++;
}

/* ---- failures ---- */

static void
count (guint counts[MM_N_ERRORS], const GError *error)
{
  if (error->domain == MM_ERROR && error->code >= 0 && error->code < MM_N_ERRORS)
    counts[error->code]++;
}

void
mm_statistics_note_listing_error (MmStatistics *statistics, const GError *error)
{
  g_mutex_lock (&statistics->lock);
  count (statistics->n_listing_errors, error);
  g_mutex_unlock (&statistics->lock);
}

/* Takes the failure of this message out. (transfer full) (nullable) */
static MmFailedMessage *
steal_locked (MmStatistics *statistics, guint32 folder_id, guint64 number)
{
  for (GList *link = statistics->failures.head; link != NULL; link = link->next)
    {
      MmFailedMessage *failure = link->data;
      if (failure->folder_id != folder_id || failure->number != number)
        continue;
      g_queue_delete_link (&statistics->failures, link);
      return failure;
    }
  return NULL;
}

void
mm_statistics_note_failed (MmStatistics *statistics, guint32 folder_id, const gchar *folder,
                           guint64 number, const GError *error)
{
  g_mutex_lock (&statistics->lock);
  count (statistics->n_message_errors, error);
  /* That nobody can be asked is no fault of the message's. */
  if (g_error_matches (error, MM_ERROR, MM_ERROR_OFFLINE))
    {
      g_mutex_unlock (&statistics->lock);
      return;
    }
  MmFailedMessage *failure = steal_locked (statistics, folder_id, number);
  if (failure == NULL)
    {
      failure = g_new0 (MmFailedMessage, 1);
      failure->folder_id = folder_id;
      failure->folder_id = folder_id;
      failure->number = number;
      failure->folder = g_strdup (folder);
    }
  failure->code = (MmError) error->code;
  g_free (failure->reason);
  failure->reason = g_strdup (error->message);
  failure->n_times++;
  failure->failed_us = mm_clock_wall_us ();
  g_queue_push_head (&statistics->failures, failure);
  if (statistics->failures.length > MM_STATISTICS_FAILED_MAX)
    free_failure (g_queue_pop_tail (&statistics->failures));
  statistics->n_failures = statistics->failures.length;
  g_mutex_unlock (&statistics->lock);
}

void
mm_statistics_note_fetched (MmStatistics *statistics, guint32 folder_id, guint64 number)
{
  if (statistics->n_failures == 0)
    return;
  g_mutex_lock (&statistics->lock);
  MmFailedMessage *failure = steal_locked (statistics, folder_id, number);
  statistics->n_failures = statistics->failures.length;
  g_mutex_unlock (&statistics->lock);
  g_clear_pointer (&failure, free_failure);
}

/* ---- telling ---- */

static void
read_read_ahead_locked (MmStatistics *statistics, MmReadAheadStatus *out)
{
  out->used_octets = statistics->used_octets;
  out->unused_octets = statistics->unused_octets;
  out->fetched_octets = statistics->fetched_octets;
  out->waiting_octets = out->fetched_octets - out->used_octets - out->unused_octets;
  out->n_hits = statistics->n_hits;
  out->n_misses = statistics->n_misses;
}

void
mm_statistics_read (MmStatistics *statistics, MmAccountStatus *out)
{
  out->failed = g_array_new (FALSE, FALSE, sizeof (MmFailedMessage));
  g_array_set_clear_func (out->failed, clear_failure);

  g_mutex_lock (&statistics->lock);
  read_read_ahead_locked (statistics, &out->read_ahead);
  memcpy (out->n_listing_errors, statistics->n_listing_errors, sizeof out->n_listing_errors);
  memcpy (out->n_message_errors, statistics->n_message_errors, sizeof out->n_message_errors);
  for (GList *link = statistics->failures.head; link != NULL; link = link->next)
    {
      MmFailedMessage message = *(const MmFailedMessage *) link->data;
      message.folder = g_strdup (message.folder);
      message.reason = g_strdup (message.reason);
      g_array_append_val (out->failed, message);
    }
  g_mutex_unlock (&statistics->lock);
}
