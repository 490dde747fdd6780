// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A connection and the jobs on it. A session shows the maildrop as it was when it began, and locks it:
 * so a job that wants to see what is new has the session ended and another one begun, on the same
 * thread, and an unused session ends soon. Answers come in the order of the commands. One thread.
 */
#pragma once

#include "pop3-remote.h"
#include "pop3-wire.h"

G_BEGIN_DECLS

typedef struct MmPop3Connection MmPop3Connection;

typedef enum
{
  MM_POP3_ADVANCE_SENT, /* a command went out */
  MM_POP3_ADVANCE_WAIT, /* not before something else was answered */
  MM_POP3_ADVANCE_ENDED, /* the job is gone */
} MmPop3Advance;

typedef struct
{
  MmRemoteJobClass base;
  /* There is room for a command: submits one, at most. */
  MmPop3Advance (*advance) (MmRemoteJob *job, MmPop3Connection *connection);
  /* What comes of a command of this job; the last one is DONE. May end the job. */
  void (*event) (MmRemoteJob *job, MmPop3Connection *connection, guint context,
                 const MmPop3Event *event);
  /* The connection is lost, or the server asks for patience: whether to try again.
   * @is_to_blame: it was this job's answer that was due. */
  MmRemoteRepeat (*lost) (MmRemoteJob *job, gboolean is_to_blame, const GError *error);
} MmPop3JobClass;

/* The pool's MmRemoteSlotFunc. */
GError *mm_pop3_connection_run (MmRemoteSlot *slot, gpointer remote);

/* ---- for jobs ---- */

MmPop3Remote *mm_pop3_connection_get_remote (MmPop3Connection *connection);

/* TRUE when the session shows what was new when @job came, or nobody could see more now. Else it is
 * renewed as soon as all that is on its way came; until then nothing is sent. */
gboolean mm_pop3_connection_is_fresh (MmPop3Connection *connection, const MmRemoteJob *job);
/* Has the session renewed, however young it is. */
void mm_pop3_connection_renew (MmPop3Connection *connection);

/* @context: the job's own. @due_octets: about what comes. */
void mm_pop3_connection_send_top (MmPop3Connection *connection, MmRemoteJob *job, guint context,
                                  guint32 number, guint32 lines, guint64 due_octets);
void mm_pop3_connection_send_retr (MmPop3Connection *connection, MmRemoteJob *job, guint context,
                                   guint32 number, guint64 due_octets);

/* Ends @job, or puts it off when @error (nullable) asks for patience. It is gone then. */
void mm_pop3_connection_end_job (MmPop3Connection *connection, MmRemoteJob *job,
                                 const GError *error);
/* The same; (transfer full) of @error. */
MmPop3Advance mm_pop3_connection_fail_job (MmPop3Connection *connection, MmRemoteJob *job,
                                           GError *error);

G_END_DECLS
