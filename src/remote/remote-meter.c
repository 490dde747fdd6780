// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-meter.h"

#include <string.h>

#include <mailmount/clock.h>

struct MmRemoteMeter
{
  GMutex lock; /* a leaf; guards all below */
  guint64 received_octets;
  gint64 last_contact_us;                         /* since 1970 UTC */
  guint64 octets_of[MM_REMOTE_RECENT_SECONDS];    /* of the seconds that lie not too far back … */
  gint64 second_of[MM_REMOTE_RECENT_SECONDS];     /* … and which these are, monotonic */
  guint n_errors[MM_N_ERRORS];
  gchar *last_error;
  gint64 last_error_us; /* since 1970 UTC */
};

MmRemoteMeter *
mm_remote_meter_new (void)
{
  MmRemoteMeter *meter = g_new0 (MmRemoteMeter, 1);

  g_mutex_init (&meter->lock);
  return meter;
}

void
mm_remote_meter_free (MmRemoteMeter *meter)
{
  g_free (meter->last_error);
  g_mutex_clear (&meter->lock);
  g_free (meter);
}

void
mm_remote_meter_note_received (MmRemoteMeter *meter, gsize octets)
{
  gint64 second = mm_clock_monotonic_us () / G_USEC_PER_SEC;
  gsize place = (gsize) (second % MM_REMOTE_RECENT_SECONDS);

  g_mutex_lock (&meter->lock);
  meter->received_octets += octets;
  meter->last_contact_us = mm_clock_wall_us ();
  if (meter->second_of[place] != second)
    meter->octets_of[place] = 0;
  meter->second_of[place] = second;
  meter->octets_of[place] += octets;
  g_mutex_unlock (&meter->lock);
}

void
mm_remote_meter_note_error (MmRemoteMeter *meter, const GError *error)
{
  g_mutex_lock (&meter->lock);
  if (error->domain == MM_ERROR && error->code >= 0 && error->code < MM_N_ERRORS)
    meter->n_errors[error->code]++;
  g_free (meter->last_error);
  meter->last_error = g_strdup (error->message);
  meter->last_error_us = mm_clock_wall_us ();
  g_mutex_unlock (&meter->lock);
}

void
mm_remote_meter_read (MmRemoteMeter *meter, MmRemoteStatus *out)
{
  gint64 oldest = mm_clock_monotonic_us () / G_USEC_PER_SEC - MM_REMOTE_RECENT_SECONDS;

  g_mutex_lock (&meter->lock);
  out->received_octets = meter->received_octets;
  out->last_contact_us = meter->last_contact_us;
  out->recent_octets = 0;
  for (gsize i = 0; i < MM_REMOTE_RECENT_SECONDS; i++)
    if (meter->second_of[i] > oldest)
      out->recent_octets += meter->octets_of[i];
  memcpy (out->n_errors, meter->n_errors, sizeof out->n_errors);
  out->last_error = g_strdup (meter->last_error);
  out->last_error_us = meter->last_error_us;
  g_mutex_unlock (&meter->lock);
}
