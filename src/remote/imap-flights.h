// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The commands of one connection that were sent and not yet answered, in the order of sending. The
 * answer to a job that ended meanwhile runs into the void. One thread.
 */
#pragma once

#include "remote-pool.h"

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_FLIGHT_JOB,     /* a job's */
  MM_IMAP_FLIGHT_EXAMINE, /* for all jobs of a mailbox; these are the connection's own */
  MM_IMAP_FLIGHT_SET_UP,
  MM_IMAP_FLIGHT_COMPRESS,
  MM_IMAP_FLIGHT_PROOF, /* NOOP, to see whether the server is there */
  MM_IMAP_FLIGHT_NEWS,  /* NOOP, for what changed in a mailbox that is left */
} MmImapFlightKind;

typedef struct
{
  guint32 tag;
  MmImapFlightKind kind;
  MmRemoteJob *job;     /* borrowed; NULL: the connection's own, or its job is gone */
  guint context;        /* the job's own */
  guint selection;      /* the serial of the one in which it is executed; EXAMINE's: its own */
  gint64 void_since_us; /* > 0: its job is gone; nobody wants the answer */
} MmImapFlight;

typedef struct
{
  GArray *flights; /* of MmImapFlight */
  guint n_void;
} MmImapFlights;

void mm_imap_flights_init (MmImapFlights *flights);
void mm_imap_flights_clear (MmImapFlights *flights);
void mm_imap_flights_add (MmImapFlights *flights, const MmImapFlight *flight);

static inline guint
mm_imap_flights_count (const MmImapFlights *flights)
{
  return flights->flights->len;
}

/* Those of jobs, void ones included. */
guint mm_imap_flights_count_of_jobs (const MmImapFlights *flights);

/* The command to be answered next; NULL: none. Valid until the next change. */
const MmImapFlight *mm_imap_flights_peek (const MmImapFlights *flights);

/* Whether a job's command of @selection is in flight; with @only_void one whose job is gone. */
gboolean mm_imap_flights_has (const MmImapFlights *flights, guint selection, gboolean only_void);

/* Takes out the command that @tag answers. FALSE: there is none. */
gboolean mm_imap_flights_take (MmImapFlights *flights, guint32 tag, MmImapFlight *out_flight);

/* @job is gone. */
void mm_imap_flights_forget_job (MmImapFlights *flights, const MmRemoteJob *job);

/* Since when the command to be answered next keeps all others waiting though nobody wants its
 * answer; 0: it does not. */
gint64 mm_imap_flights_get_void_since_us (const MmImapFlights *flights);

G_END_DECLS
