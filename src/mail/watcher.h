// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keeps an account up to date while nobody asks: it has the server tell what changes where the server
 * can (all mailboxes at once, or the mailboxes of most interest one by one), asks for the list of
 * folders with their states every so often, and synchronises what was listed before and changed.
 *
 * After a while without a listing or an open it keeps only what costs nothing: the one watch of all
 * mailboxes, or that of INBOX.
 *
 * All functions but construction and destruction may be called from any thread, with locks held: the
 * watcher's lock is a leaf.
 */
#pragma once

#include <mailmount/mailbox.h>

typedef struct MmAccount MmAccount;
typedef struct MmWatcher MmWatcher;

/* Watches at most @n_max mailboxes one by one. Nothing happens before the folders were listed. */
MmWatcher *mm_watcher_new (MmAccount *account, guint n_max);
/* Starts nothing more from here on. */
void mm_watcher_stop (MmWatcher *watcher);
/* After the remote was closed. NULL is allowed. */
void mm_watcher_free (MmWatcher *watcher);

/* Something changed: a mailbox is stale, the folders were listed, a synchronisation ended. */
void mm_watcher_wake (MmWatcher *watcher);
/* Other folders than before are there: list them soon, and once more when there was no such news for a
 * moment. */
void mm_watcher_note_folders_changed (MmWatcher *watcher);
/* A list had other folders than the one before: once more in a moment. */
void mm_watcher_confirm_folders (MmWatcher *watcher);
/* The mount is used: @mailbox (nullable) was listed, or something was opened. */
void mm_watcher_note_use (MmWatcher *watcher, MmMailbox *mailbox);
