// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a directory can be mounted on, found before anything is started, so that the answer can
 * name the cause and the cure.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* Checks the absolute @path: it exists, is a directory that this user may mount on, and no
 * mailmount is mounted there already. The table of mounts is read first, so that nothing below a
 * dead or stuck mount is touched. Returns the path without symlinks, or NULL with MM_ERROR_USAGE.
 * (transfer full) */
gchar *mm_mount_point_check (const gchar *path, GError **error);

/* Checks that this system can mount at all: /dev/fuse and fusermount3 are there. */
gboolean mm_mount_point_check_system (GError **error);

G_END_DECLS
