// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-bandwidth.h"

#include <mailmount/clock.h>

#define PORTIONS_PER_SECOND 8
#define PORTION_OCTETS_MIN  4096

struct MmRemoteBandwidth
{
  gint64 rate; /* octets a second; also what the bucket holds */

  GMutex lock; /* a leaf; guards: */
  gint64 level; /* octets that may be received; negative: a debt */
  gint64 level_us; /* when it was that */
};

MmRemoteBandwidth *
mm_remote_bandwidth_new (guint64 octets_per_second)
{
  MmRemoteBandwidth *bandwidth = g_new0 (MmRemoteBandwidth, 1);

  g_mutex_init (&bandwidth->lock);
  /* A product with microseconds has to fit. */
  bandwidth->rate = (gint64) CLAMP (octets_per_second, 1, G_MAXINT32);
  bandwidth->level = bandwidth->rate;
  bandwidth->level_us = mm_clock_monotonic_us ();
  return bandwidth;
}

void
mm_remote_bandwidth_free (MmRemoteBandwidth *bandwidth)
{
  if (bandwidth == NULL)
    return;
  g_mutex_clear (&bandwidth->lock);
  g_free (bandwidth);
}

static void
fill_locked (MmRemoteBandwidth *bandwidth)
{
  gint64 now_us = mm_clock_monotonic_us ();
  gint64 missing = bandwidth->rate - bandwidth->level;
  gint64 passed_us = now_us - bandwidth->level_us;
  gint64 full_us = missing * G_USEC_PER_SEC / bandwidth->rate;

  if (passed_us >= full_us)
    {
      bandwidth->level = bandwidth->rate;
      bandwidth->level_us = now_us;
      return;
    }
  gint64 gained = passed_us * bandwidth->rate / G_USEC_PER_SEC;
  bandwidth->level += gained;
  /* What is less than an octet counts the next time. */
  bandwidth->level_us += gained * G_USEC_PER_SEC / bandwidth->rate;
}

void
mm_remote_bandwidth_spend (MmRemoteBandwidth *bandwidth, gsize octets)
{
  g_mutex_lock (&bandwidth->lock);
  fill_locked (bandwidth);
  bandwidth->level -= (gint64) octets;
  g_mutex_unlock (&bandwidth->lock);
}

gint64
mm_remote_bandwidth_get_ready_us (MmRemoteBandwidth *bandwidth, gboolean is_demand)
{
  gint64 least = is_demand ? 1 : bandwidth->rate / 2;

  g_mutex_lock (&bandwidth->lock);
  fill_locked (bandwidth);
  gint64 missing = least - bandwidth->level;
  gint64 ready_us = missing <= 0 ? 0
                                 : bandwidth->level_us
                                       + (missing * G_USEC_PER_SEC + bandwidth->rate - 1)
                                             / bandwidth->rate;
  g_mutex_unlock (&bandwidth->lock);
  return ready_us;
}

guint64
mm_remote_bandwidth_get_rate (const MmRemoteBandwidth *bandwidth)
{
  return (guint64) bandwidth->rate;
}

gsize
mm_remote_bandwidth_get_portion (const MmRemoteBandwidth *bandwidth)
{
  return MAX ((gsize) bandwidth->rate / PORTIONS_PER_SECOND, PORTION_OCTETS_MIN);
}
