// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Going to the background in two steps, so that start-up errors reach the terminal and the shell
 * gets a true exit status. First, before there is any thread, connection or SQLite handle (none
 * survives fork), the process forks: the child goes on, with the terminal; the parent waits. Then,
 * when the mount works, the child lets the parent go with status 0 and leaves the terminal.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef struct MmDaemonizer MmDaemonizer;

/* Forks. Returns in the child only. The parent exits: with 0 once the child is ready, with the
 * child's status when it ended before (the child has printed why), with @failure_status when it
 * ended without a word, which the parent then says. If the parent is killed meanwhile the child
 * gets SIGTERM. NULL with MM_ERROR_SYSTEM when there was no fork. (transfer full) */
MmDaemonizer *mm_daemonize_begin (int failure_status, GError **error);

/* The mount works: a session of its own, working directory /, standard streams on /dev/null, and
 * the parent exits. NULL is allowed and does nothing: the program stays in the foreground. The log
 * must have left the terminal before. */
gboolean mm_daemonize_ready (MmDaemonizer *daemonizer, GError **error);

void mm_daemonizer_free (MmDaemonizer *daemonizer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmDaemonizer, mm_daemonizer_free)

G_END_DECLS
