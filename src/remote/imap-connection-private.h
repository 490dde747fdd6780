// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What imap-connection.c (the loop and the life of a connection) and imap-connection-jobs.c (what
 * it does for its jobs) share.
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
  MmImapFlights flights;
  MmImapFetchBuffer *fetch_buffer;
  MmRemoteJob *body_job; /* borrowed, nullable: whose body comes now */
  MmImapSelection selection;
  gboolean is_changed; /* the selected mailbox changed unasked, and nobody was told yet */
  gboolean may_send; /* something happened since no job had anything to send */
};

static inline const MmImapJobClass *
mm_imap_job_class_of (const MmRemoteJob *job)
{
  return (const MmImapJobClass *) job->klass;
}

/* EXAMINE was answered. */
void mm_imap_connection_finish_selection (MmImapConnection *connection, const MmImapEvent *answer);

/* Tells the jobs of a mailbox whose name this server cannot be sent at all. */
void mm_imap_connection_pump_local_failures (MmImapConnection *connection);

G_END_DECLS
