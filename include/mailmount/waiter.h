// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Waiting without blocking a thread. Whoever cannot be answered yet parks a MmWaiter on the
 * MmWaitList of the thing it needs, under the same lock that guards that thing. When the thing
 * changed, all parked waiters are fired and try again. A waiter fires exactly once: by a change, by
 * its deadline, or because its caller was interrupted; the first of these wins.
 *
 * Deadlines are watched by a thread of their own (MmDeadlines), because connecting and name
 * resolution can block a connection's thread for longer than a reader should wait.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* How an attempt that must not block ended. */
typedef enum
{
  MM_TRY_DONE,   /* the answer is there */
  MM_TRY_WAIT,   /* the waiter given was parked: try again when it fires */
  MM_TRY_FAILED, /* @error is set */
} MmTry;

typedef struct MmWaiter MmWaiter;
typedef struct MmWaitList MmWaitList;
typedef struct MmDeadlines MmDeadlines;

/* @error NULL: something changed, try again. Else: give up with it. Called without locks held, on
 * whatever thread fired. */
typedef void (*MmWaitFunc) (const GError *error, gpointer user_data);

MmWaiter *mm_waiter_new (MmWaitFunc func, gpointer user_data);
MmWaiter *mm_waiter_ref (MmWaiter *waiter);
void mm_waiter_unref (MmWaiter *waiter);

/* Fires @waiter unless it was fired before; TRUE when this call did. Any thread, no lock held. */
gboolean mm_waiter_fire (MmWaiter *waiter, const GError *error);
/* Makes sure that @waiter does not fire any more. FALSE when it fired already. */
gboolean mm_waiter_disarm (MmWaiter *waiter);
gboolean mm_waiter_is_fired (const MmWaiter *waiter);

/* A list is embedded-by-pointer in what is waited for and guarded by that thing's lock. */
MmWaitList *mm_wait_list_new (void);
void mm_wait_list_free (MmWaitList *list); /* fires what is left with MM_ERROR_CANCELLED */
void mm_wait_list_add_locked (MmWaitList *list, MmWaiter *waiter);
/* TRUE while somebody waits who was not answered otherwise. */
gboolean mm_wait_list_is_wanted_locked (const MmWaitList *list);
/* Takes all waiters out; give them to mm_waiters_fire() after unlocking. (transfer full) */
GPtrArray *mm_wait_list_take_locked (MmWaitList *list);
/* Fires and frees what mm_wait_list_take_locked() gave; NULL is allowed. */
void mm_waiters_fire (GPtrArray *waiters, const GError *error);

/* Starts the thread that watches deadlines. */
MmDeadlines *mm_deadlines_new (void);
void mm_deadlines_free (MmDeadlines *deadlines);
/* Fires @waiter with MM_ERROR_TIMEOUT at monotonic @deadline_us if it has not fired by then. */
void mm_deadlines_add (MmDeadlines *deadlines, MmWaiter *waiter, gint64 deadline_us);
/* Has @waiter fired with MM_ERROR_CANCELLED soon, on the deadlines' thread: for whoever may not fire
 * it where it stands. */
void mm_deadlines_cancel (MmDeadlines *deadlines, MmWaiter *waiter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmWaiter, mm_waiter_unref)

G_END_DECLS
