// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One IMAP connection: a thread that opens, logs in, and then gives its jobs what the server says.
 * Its jobs begin while the set-up is under way, where what they need of it is nothing.
 *
 * A job is a small state machine on this thread. It submits commands and is told the untagged data
 * and the answers; the connection bounds how many commands are in flight, selects the mailboxes of
 * all jobs in turn, without waiting for answers, and lets those to a job that is gone run into the
 * void.
 */
#pragma once

#include "imap-login.h"
#include "imap-selection.h"

G_BEGIN_DECLS

typedef struct MmImapConnection MmImapConnection;

/* Pipelined at once, over all jobs of a connection; demands find some room behind read-ahead. */
#define MM_IMAP_COMMANDS_MAX 8
#define MM_IMAP_DEMANDS_MAX  12

typedef enum
{
  MM_IMAP_JOB_CONTINUES,
  MM_IMAP_JOB_ENDED, /* mm_imap_connection_end_job() was called; the job may be freed */
} MmImapJobFate;

typedef struct
{
  MmRemoteJobClass base;

  /* Once, first; no mailbox is selected for it yet. Nullable. */
  MmImapJobFate (*start) (MmRemoteJob *job, MmImapConnection *connection);
  /* The set-up ended (imap-set-up.h), for a job that started before. Nullable. */
  MmImapJobFate (*set_up) (MmRemoteJob *job, MmImapConnection *connection);

  /* ---- for jobs with a mailbox ---- */

  /* Whether it would send something, were its mailbox selected. */
  gboolean (*has_next) (MmRemoteJob *job, MmImapConnection *connection);
  /* The EXAMINE that begins its turn, where it is not the usual one: what comes ahead of the answer is
   * then told to `event` too. NULL: the usual one. Nullable. (transfer full) */
  MmImapCommand *(*examine) (MmRemoteJob *job, MmImapConnection *connection,
                             const gchar *wire_name);
  /* Commands go to its mailbox from now on: it is open (mm_imap_connection_get_last_selection()),
   * or EXAMINE is on its way and `selected` will be called. Again whenever another mailbox had its
   * turn in between. */
  MmImapJobFate (*turn) (MmRemoteJob *job, MmImapConnection *connection);
  /* The mailbox is open, or cannot be opened (@error). */
  MmImapJobFate (*selected) (MmRemoteJob *job, MmImapConnection *connection, const GError *error);
  /* Whether it may have more to ask in its turn when answers came. Only who has a selection of its
   * own, which it gets by a fresh EXAMINE. Nullable. */
  gboolean (*holds) (const MmRemoteJob *job);

  /* ---- */

  /* There is room for one more command. *out_sent: it took the place. Nullable. */
  MmImapJobFate (*send_next) (MmRemoteJob *job, MmImapConnection *connection, gboolean *out_sent);
  /* Untagged data, FETCH and its bodies among them, of the open mailbox. *out_is_mine keeps it from
   * other jobs; a body's data goes to whoever took its BODY_BEGIN. */
  MmImapJobFate (*event) (MmRemoteJob *job, MmImapConnection *connection, const MmImapEvent *event,
                          gboolean *out_is_mine);
  /* The answer to one of the job's commands, submitted with @context. */
  MmImapJobFate (*answered) (MmRemoteJob *job, MmImapConnection *connection, guint context,
                             const MmImapEvent *answer);
  /* The connection ended with @error. Returns whether the job may be repeated on another one; it
   * keeps no trace of this one. @is_to_blame: it may have been the answer to this job that the
   * connection broke at, and not to another one's. */
  MmRemoteRepeat (*lost) (MmRemoteJob *job, gboolean is_to_blame, const GError *error);
} MmImapJobClass;

/* MmRemoteSlotFunc; @driver_data is the MmImapRemote. */
GError *mm_imap_connection_run (MmRemoteSlot *slot, gpointer driver_data);

/* ---- for jobs, on the connection's thread ---- */

const MmLimits *mm_imap_connection_get_limits (MmImapConnection *connection);
MmImapRemote *mm_imap_connection_get_remote (MmImapConnection *connection);
MmImapSession *mm_imap_connection_get_session (MmImapConnection *connection);
const MmImapAccountFacts *mm_imap_connection_get_facts (MmImapConnection *connection);
/* FALSE: the namespaces are not known yet, and names of mailboxes may change their encoding. */
gboolean mm_imap_connection_is_set_up (MmImapConnection *connection);
/* The jobs on this connection, of MmRemoteJob. (transfer none) */
GPtrArray *mm_imap_connection_get_jobs (MmImapConnection *connection);
gboolean mm_imap_connection_has (MmImapConnection *connection, MmImapCapabilities capability);
/* Ends IDLE, so that its command is answered. */
void mm_imap_connection_end_idle (MmImapConnection *connection);
/* Its watch is asked for something to send again at @alarm_us (monotonic). */
void mm_imap_connection_set_watch_alarm (MmImapConnection *connection, gint64 alarm_us);

/* Submits for @job. Invalidates the pointers of the event at hand. FALSE with @error: this server
 * cannot be sent this. (transfer full) of @command */
gboolean mm_imap_connection_submit (MmImapConnection *connection, MmRemoteJob *job,
                                    MmImapCommand *command, guint context, GError **error);

/* Ends @job with @error (nullable), or, where the server asks to wait, has it tried again later. Its commands in flight are answered into the void. Always
 * MM_IMAP_JOB_ENDED, to be returned. */
MmImapJobFate mm_imap_connection_end_job (MmImapConnection *connection, MmRemoteJob *job,
                                          const GError *error);
/* The same; takes @error. */
MmImapJobFate mm_imap_connection_fail_job (MmImapConnection *connection, MmRemoteJob *job,
                                           GError *error);

/* ---- the selected mailbox (imap-connection-turns.c) ---- */

/* What the server speaks of: that of the events and answers. */
const MmImapSelection *mm_imap_connection_get_selection (MmImapConnection *connection);
/* What commands are sent to. */
const MmImapSelection *mm_imap_connection_get_last_selection (MmImapConnection *connection);

G_END_DECLS
