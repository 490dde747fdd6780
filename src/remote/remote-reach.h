// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether the server may be talked to now and, if not, what becomes of jobs and when to try again.
 * A state machine without lock, thread or timer of its own: the pool's lock guards it, and the
 * pool's keeper looks at it when mm_remote_reach_get_due_us() has come. Times are those of
 * mm_clock_monotonic_us().
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef enum
{
  MM_REACH_OPEN,    /* as far as known the server is there */
  MM_REACH_AWAY,    /* it could not be reached: tried again by itself after 1 s, 2 s, … 5 min */
  MM_REACH_REFUSED, /* it is there, but no session can be had: the next job after a while tries */
  MM_REACH_HELD,    /* it asked to be left alone for a while */
  MM_REACH_OFF,     /* the user wants no connection */
} MmReachState;

/* What to do with a job. */
typedef enum
{
  MM_REACH_GO,   /* connections may be opened for it */
  MM_REACH_WAIT, /* it is queued; when its time has come it goes on */
  MM_REACH_TRY,  /* one connection is tried for it, and it waits for that for a moment */
  MM_REACH_FAIL, /* at once, with mm_remote_reach_dup_error() */
} MmReachVerdict;

/* A job whose try takes longer than this fails; the try goes on. */
#define MM_REACH_PATIENCE_US (G_USEC_PER_SEC)

typedef struct
{
  MmReachState state;
  gint64 until_us;    /* AWAY: of the next try; REFUSED, HELD: the end */
  gint64 tried_us;    /* AWAY: when the last try began */
  gboolean is_trying; /* AWAY: a connection is being opened */
  gboolean is_waited; /* AWAY: jobs may be waiting for that */
  guint n_failures;   /* in a row */
  guint n_lost;       /* connections lost while they were made, in a row */
  gboolean was_open;  /* there was a session before */
  GError *error;      /* nullable: of the last failure */
} MmRemoteReach;

void mm_remote_reach_clear (MmRemoteReach *reach);

/* No connection from now on. */
void mm_remote_reach_turn_off (MmRemoteReach *reach);

/* A connection could not be opened, and there is no other one. */
void mm_remote_reach_note_failed (MmRemoteReach *reach, const GError *error);
/* The try was given up because of mm_remote_reach_hurry(). */
void mm_remote_reach_note_given_up (MmRemoteReach *reach);
/* A connection is open. */
void mm_remote_reach_note_opened (MmRemoteReach *reach);
/* A connection is being opened because of MM_REACH_TRY or because it was due. */
void mm_remote_reach_note_trying (MmRemoteReach *reach);

/* The server asks, on whatever connection, not to be asked before @until_us; @error says so. One whose
 * quota is used up does not say until when: @until_us 0. */
void mm_remote_reach_hold (MmRemoteReach *reach, gint64 until_us, const GError *error);

/* The network may be another one, or the machine slept: what was said before counts no more. A try
 * that goes on is the pool's to give up. */
void mm_remote_reach_hurry (MmRemoteReach *reach);

/* @is_demand: somebody waits for it in a system call. @deadline_us: until when it is worth
 * waiting. */
MmReachVerdict mm_remote_reach_judge (const MmRemoteReach *reach, gboolean is_demand,
                                      gint64 deadline_us);
/* TRUE: nothing speaks against opening connections for queued jobs. */
gboolean mm_remote_reach_may_open (const MmRemoteReach *reach);
/* TRUE: nothing is to be sent now, on no connection. */
gboolean mm_remote_reach_is_held (const MmRemoteReach *reach);

/* When the keeper should look at the next three again; G_MAXINT64: there is nothing to wait for. */
gint64 mm_remote_reach_get_due_us (const MmRemoteReach *reach);
/* TRUE: the server is away and a try is due now. */
gboolean mm_remote_reach_is_try_due (const MmRemoteReach *reach);
/* TRUE, once: who waits in the queue has waited long enough for the try that goes on. */
gboolean mm_remote_reach_end_patience (MmRemoteReach *reach);
/* TRUE, once: the time for which the server asked to be left alone is over. */
gboolean mm_remote_reach_end_hold (MmRemoteReach *reach);

/* How long to wait before what failed for the @n_th time in a row is tried again: 1 s, 2 s, … 5 min,
 * with jitter. */
gint64 mm_remote_reach_choose_delay_us (guint n);

/* What a job is told that fails at once. (transfer full) */
GError *mm_remote_reach_dup_error (const MmRemoteReach *reach);

G_END_DECLS
