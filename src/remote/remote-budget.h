// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * So many octets within any twenty-four hours, for providers that close an account which downloads
 * more. What was received is counted by the hour of the wall clock, so that an hour's worth comes back
 * when that hour is a day ago; the application keeps the counts across mounts. Any thread.
 */
#pragma once

#include <mailmount/remote-status.h>

G_BEGIN_DECLS

typedef struct MmRemoteBudget MmRemoteBudget;

MmRemoteBudget *mm_remote_budget_new (guint64 daily_octets);
void mm_remote_budget_free (MmRemoteBudget *budget);

/* As in remote.h. */
void mm_remote_budget_set_spent (MmRemoteBudget *budget, const MmRemoteTraffic *hours, gsize n);
void mm_remote_budget_set_spend_func (MmRemoteBudget *budget, MmRemoteSpendFunc func,
                                      gpointer user_data);

/* Received; now and then tells the application. No lock held. */
void mm_remote_budget_spend (MmRemoteBudget *budget, gsize octets);
/* Tells the application what it was not told yet. */
void mm_remote_budget_flush (MmRemoteBudget *budget);

typedef enum
{
  MM_BUDGET_PLENTY,
  MM_BUDGET_SCARCE, /* nine tenths are used: what is left is for those who wait */
  MM_BUDGET_TAKEN,  /* what was asked for will use all of it */
} MmBudgetState;

/* @due_octets: asked for and not received yet. TAKEN with @error (QUOTA) in people's words. */
MmBudgetState mm_remote_budget_judge (MmRemoteBudget *budget, guint64 due_octets, GError **error);
/* 0: something is left; else when something comes back, in the time of mm_clock_monotonic_us(), with
 * @error (QUOTA) in people's words. */
gint64 mm_remote_budget_get_refill_us (MmRemoteBudget *budget, GError **error);

/* For people and programs that ask. */
void mm_remote_budget_read (MmRemoteBudget *budget, MmRemoteDayStatus *out);

G_END_DECLS
