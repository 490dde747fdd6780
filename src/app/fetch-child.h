// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The readers of a fetch in a process of their own. Whoever waits for a mount whose process stands still
 * cannot be interrupted, nor even killed: a child that does can be left behind.
 *
 * The process that makes it must have no other thread, and blocks SIGCHLD, which tells it of news. One
 * thread.
 */
#pragma once

#include "fetch-readers.h"

G_BEGIN_DECLS

typedef struct MmFetchChild MmFetchChild;

/* As mm_fetch_readers_new(), but @func is called by mm_fetch_child_collect() alone. MM_ERROR_SYSTEM when
 * there is no process to be had. (transfer full) */
MmFetchChild *mm_fetch_child_new (const gchar *const *paths, MmFetchFailFunc func,
                                  gpointer user_data, GError **error);
/* Kills it, if it is still there, and does not wait for that. */
void mm_fetch_child_free (MmFetchChild *child);

/* Takes what the child told since the last call; never blocks. *@out is how far it is. FALSE: it has
 * ended, by itself or not (then with MM_ERROR_SYSTEM). */
gboolean mm_fetch_child_collect (MmFetchChild *child, MmFetchProgress *out, GError **error);

/* Tells it to begin nothing more and to give up what waits. */
void mm_fetch_child_stop (MmFetchChild *child);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmFetchChild, mm_fetch_child_free)

G_END_DECLS
