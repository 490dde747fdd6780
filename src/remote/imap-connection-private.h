// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What imap-connection.c (the loop and the life of a connection), imap-connection-jobs.c (what it
 * does for its jobs) and imap-connection-turns.c (which mailbox is selected) share.
 */
#pragma once

#include "imap-connection.h"
#include "imap-fetch-buffer.h"
#include "imap-flights.h"

G_BEGIN_DECLS

struct MmImapConnection
{
  MmImapRemote *remote; /* borrowed */
  MmRemoteSlot *slot;   /* borrowed */
  MmImapWire *wire;
  MmImapSession *session; /* borrowed from wire */
  MmImapAccountFacts facts;
  MmImapSetUp set_up;
  GPtrArray *jobs;    /* of MmRemoteJob, borrowed from the slot, in the order they came */
  GPtrArray *waiting; /* the same; those not started because the set-up goes on */
  GQueue selections;  /* of MmImapSelection, owned; never empty. The first is what the server speaks
                         of, the last what commands are sent to; an EXAMINE in flight for each
                         between */
  guint n_selections; /* ever */
  guint n_may_join;   /* jobs that the last selection still takes in though others wait */
  MmImapFlights flights;
  MmImapFetchBuffer *fetch_buffer;
  MmRemoteJob *body_job; /* borrowed, nullable: whose body comes now */
  gboolean is_changed;   /* the selected mailbox changed unasked, and nobody was told yet */
  gboolean may_send;     /* something happened since no job had anything to send */
  gint64 watch_alarm_us; /* when the watch may have something to send; G_MAXINT64: not by itself */
  gint64 proof_due_us; /* when the connection counts as dead; 0: it is not suspected */
  gint64 unproved_us;  /* of the last activity when it began to be */
  gint64 proved_us;    /* when it was last asked and answered; 0: never */
};

static inline const MmImapJobClass *
mm_imap_job_class_of (const MmRemoteJob *job)
{
  return (const MmImapJobClass *) job->klass;
}

/* Remembers what was sent, in the last selection. (transfer full) of @command */
gboolean mm_imap_connection_send (MmImapConnection *connection, MmImapFlightKind kind,
                                  MmRemoteJob *job, MmImapCommand *command, guint context,
                                  GError **error);

/* ---- imap-connection-proof.c ---- */

/* The connection may be dead: asks, unless that is under way. */
void mm_imap_connection_ask_for_proof (MmImapConnection *connection);
/* The same when it was silent for long and is about to be used. */
void mm_imap_connection_ask_for_proof_after_silence (MmImapConnection *connection);
/* When it is to be given up; G_MAXINT64: it is not suspected. */
gint64 mm_imap_connection_get_proof_deadline_us (MmImapConnection *connection);

/* ---- imap-connection-turns.c ---- */

static inline MmImapSelection *
mm_imap_connection_present (MmImapConnection *connection)
{
  return g_queue_peek_head (&connection->selections);
}

/* Sends what the jobs have to send, as far as the pipeline takes it. Not from within a job. */
void mm_imap_connection_fill_pipeline (MmImapConnection *connection);

/* A command was answered, or sent where none was in flight: what comes next may belong to the next
 * selection. */
void mm_imap_connection_advance_selection (MmImapConnection *connection);

/* EXAMINE was answered. FALSE: before commands that were sent before it. */
gboolean mm_imap_connection_finish_selection (MmImapConnection *connection,
                                              const MmImapFlight *flight, const MmImapEvent *answer,
                                              GError **error);

/* @job is gone. */
void mm_imap_connection_leave_selections (MmImapConnection *connection, const MmRemoteJob *job);

G_END_DECLS
