// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>

#include "imap-flights.h"

void
mm_imap_flights_init (MmImapFlights *flights)
{
  flights->flights = g_array_new (FALSE, TRUE, sizeof (MmImapFlight));
  flights->n_void = 0;
}

void
mm_imap_flights_clear (MmImapFlights *flights)
{
  g_clear_pointer (&flights->flights, g_array_unref);
}

void
mm_imap_flights_add (MmImapFlights *flights, const MmImapFlight *flight)
{
  g_array_append_vals (flights->flights, flight, 1);
}

guint
mm_imap_flights_count_of_jobs (const MmImapFlights *flights)
{
  guint n = 0;

  for (guint i = 0; i < flights->flights->len; i++)
    if (g_array_index (flights->flights, MmImapFlight, i).kind == MM_IMAP_FLIGHT_JOB)
      n++;
  return n;
}

const MmImapFlight *
mm_imap_flights_peek (const MmImapFlights *flights)
{
  return flights->flights->len > 0 ? &g_array_index (flights->flights, MmImapFlight, 0) : NULL;
}

gboolean
mm_imap_flights_has (const MmImapFlights *flights, guint selection, gboolean only_void)
{
  for (guint i = 0; i < flights->flights->len; i++)
    {
      const MmImapFlight *flight = &g_array_index (flights->flights, MmImapFlight, i);

      if (flight->kind == MM_IMAP_FLIGHT_JOB && flight->selection == selection
          && (!only_void || flight->void_since_us > 0))
        return TRUE;
    }
  return FALSE;
}

gboolean
mm_imap_flights_take (MmImapFlights *flights, guint32 tag, MmImapFlight *out_flight)
{
  for (guint i = 0; i < flights->flights->len; i++)
    {
      *out_flight = g_array_index (flights->flights, MmImapFlight, i);
      if (out_flight->tag != tag)
        continue;
      g_array_remove_index (flights->flights, i);
      if (out_flight->void_since_us > 0)
        flights->n_void--;
      return TRUE;
    }
  return FALSE;
}

void
mm_imap_flights_forget_job (MmImapFlights *flights, const MmRemoteJob *job)
{
  for (guint i = 0; i < flights->flights->len; i++)
    {
      MmImapFlight *flight = &g_array_index (flights->flights, MmImapFlight, i);

      if (flight->job != job)
        continue;
      flight->job = NULL;
      flight->void_since_us = mm_clock_monotonic_us ();
      flights->n_void++;
    }
}

gint64
mm_imap_flights_get_void_since_us (const MmImapFlights *flights)
{
  return flights->n_void > 0 ? g_array_index (flights->flights, MmImapFlight, 0).void_since_us : 0;
}
