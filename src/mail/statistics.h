// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What happened in an account since it was opened: what reading ahead was good for, what failed and
 * why. Fed from wherever it happens; cheap enough for every message. Any thread.
 */
#pragma once

#include <mailmount/account-status.h>

typedef struct MmStatistics MmStatistics;

/* So many messages that failed are remembered. */
#define MM_STATISTICS_FAILED_MAX 16

MmStatistics *mm_statistics_new (void);
void mm_statistics_free (MmStatistics *statistics);

/* ---- reading ahead ---- */

/* What came of one message ahead of its reader. It may go on coming after the reader came. */
typedef struct MmAheadTally MmAheadTally;

/* @statistics has to outlive it. */
MmAheadTally *mm_ahead_tally_new (MmStatistics *statistics);
MmAheadTally *mm_ahead_tally_ref (MmAheadTally *tally);
void mm_ahead_tally_unref (MmAheadTally *tally);
void mm_ahead_tally_note_received (MmAheadTally *tally, guint64 octets);
/* Its reader came, or will not come any more. Once. */
void mm_ahead_tally_end (MmAheadTally *tally, gboolean is_used);

/* A reader waits for a message that nobody had asked for. */
void mm_statistics_note_miss (MmStatistics *statistics);

/* ---- failures ---- */

void mm_statistics_note_listing_error (MmStatistics *statistics, const GError *error);
/* @folder: the path, for people. */
void mm_statistics_note_failed (MmStatistics *statistics, guint32 folder_id, const gchar *folder,
                                guint64 number, const GError *error);
/* The message was fetched after all, if it had failed. */
void mm_statistics_note_fetched (MmStatistics *statistics, guint32 folder_id, guint64 number);

/* Fills in what is counted here; the arrays are the caller's to free. */
void mm_statistics_read (MmStatistics *statistics, MmAccountStatus *out);
