// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The filesystem in the kernel: one function to mount, one to serve, one to end. Everything about
 * libfuse stays behind this header.
 */
#pragma once

#include <sys/types.h>

#include <mailmount/vfs.h>

G_BEGIN_DECLS

typedef struct MmFuse MmFuse;

typedef struct
{
  const gchar *mount_point;
  const gchar *source;  /* shown in /proc/self/mountinfo; no secrets */
  const gchar *kernel_flags; /* nullable: mount flags as the user wrote them, "noexec,noatime" */
  gboolean allow_other; /* implies default_permissions */
  gboolean debug;       /* libfuse tells every request on standard error */
  uid_t uid;            /* who owns the files */
  gid_t gid;
  mode_t umask;         /* permission bits to take away from 0755 and 0644 */
  guint timeout_ms;     /* an operation that has made no progress for so long ends in ETIMEDOUT */
} MmFuseConfig;

/* Makes the session. NULL with MM_ERROR_USAGE or MM_ERROR_SYSTEM. */
MmFuse *mm_fuse_new (const MmFuseConfig *config, MmVfs *vfs, GError **error);

/* Mounts. FALSE with MM_ERROR_SYSTEM; what libfuse has to say goes to standard error. */
gboolean mm_fuse_mount (MmFuse *fuse, GError **error);

/* Serves until the filesystem is unmounted or SIGINT, SIGTERM or SIGHUP arrives. FALSE with
 * MM_ERROR_SYSTEM when serving failed. */
gboolean mm_fuse_serve (MmFuse *fuse, GError **error);

/* Waits for attempts in progress, of which none begins any more, and unmounts, where mounted.
 * Afterwards the vfs may be closed and the account be freed, which lets go of what still waits. */
void mm_fuse_stop (MmFuse *fuse);

/* After the account is freed. */
void mm_fuse_free (MmFuse *fuse);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmFuse, mm_fuse_free)

G_END_DECLS
