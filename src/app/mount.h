// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Joins the layers and runs the mount.
 */
#pragma once

#include "config.h"
#include "credentials.h"
#include "daemonize.h"

G_BEGIN_DECLS

/* Connects to the account of @config, mounts it on @mountpoint (resolved), calls
 * mm_daemonize_ready() once it works, and serves it until it is unmounted or told to end by a
 * signal. @daemonizer is NULL in the foreground. Returns TRUE at the end of a mount, FALSE with
 * @error when none came about. Main thread, the only one so far. */
gboolean mm_run_mount (const MmConfig *config, const gchar *mountpoint, MmCredentials *credentials,
                       MmDaemonizer *daemonizer, GError **error);

G_END_DECLS
