// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of the fuse layer. A request of the kernel becomes a MmFuseRequest: an attempt at the
 * vfs, made at once and again whenever its waiter fires, until it is answered. It is answered
 * exactly once: by the attempt that succeeds or fails, by its deadline, or by the kernel's
 * interrupt.
 */
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <mailmount/fuse.h>

typedef struct MmFuseNotifier MmFuseNotifier;

struct MmFuse
{
  /* Immutable while serving. */
  struct fuse_session *session;
  MmVfs *vfs; /* borrowed */
  gchar *mount_point;
  uid_t uid;
  gid_t gid;
  mode_t umask;
  gint64 timeout_us;
  MmDeadlines *deadlines;
  MmFuseNotifier *notifier;
  gboolean is_mounted; /* main thread only */

  GMutex lock;        /* guards all below */
  GCond idle;
  guint n_active;     /* attempts and answers in progress */
  gboolean is_ending; /* no attempt is made and nothing answered any more */
};

/* ---- fuse-loop.c ---- */

/* From here on SIGHUP, SIGINT and SIGTERM end the loop instead of the process, those that came
 * before it ran too. One session of a process at a time. FALSE with errno. */
gboolean mm_fuse_loop_watch_signals (void);

/* Gives the signals their default meaning back. */
void mm_fuse_loop_forget_signals (void);

/* Serves requests until the filesystem is unmounted or a signal came: 0. A negative errno when
 * receiving failed. */
int mm_fuse_loop_run (struct fuse_session *session);

/* ---- fuse-request.c ---- */

typedef struct MmFuseRequest MmFuseRequest;

/* One attempt; parks @waiter when it has to wait. */
typedef MmTry (*MmFuseAttemptFunc) (MmFuseRequest *request, MmWaiter *waiter, GError **error);
/* Answers the kernel after a successful attempt. */
typedef void (*MmFuseReplyFunc) (MmFuseRequest *request);

struct MmFuseRequest
{
  MmFuse *fuse;
  fuse_req_t req;
  const struct MmFuseOperation *operation;
  gatomicrefcount refs;
  GMutex lock;             /* guards the state of the attempts */
  MmWaiter *waiter;        /* of the latest attempt; owned */
  gboolean is_attempting;
  gboolean is_finished;    /* somebody answers */
  gboolean is_pending;     /* the waiter fired while attempting … */
  GError *pending_error;   /* … with this; nullable */

  /* Arguments and results of the operations. */
  fuse_ino_t inode;
  guint thread_id; /* of the caller */
  gint64 deadline_us; /* monotonic: of all that it waits for */
  gchar *name;
  gsize size;
  off_t offset;
  MmVfsDirectory *directory;
  MmVfsFile *file;
  MmAttributes attributes;
  GBytes *octets; /* of a file */
  guint8 *buffer; /* for entries of a directory */
  gsize filled;
  gchar *value;
  GByteArray *names;
};

typedef struct MmFuseOperation
{
  const gchar *name;
  MmFuseAttemptFunc attempt;
  MmFuseReplyFunc reply;
  /* Called when the request failed or was given up: undoes what attempts left. Nullable. */
  void (*undo) (MmFuseRequest *request);
  gboolean is_open; /* a handle is in use: what is gone is ESTALE, not ENOENT */
} MmFuseOperation;

MmFuseRequest *mm_fuse_request_new (fuse_req_t req, const MmFuseOperation *operation,
                                    fuse_ino_t inode);
/* Takes over @request. */
void mm_fuse_request_run (MmFuseRequest *request);

/* No attempt or answer is in progress any more, and none begins: what still waits is let go of when
 * its waiter fires. Before unmounting. */
void mm_fuse_end_requests (MmFuse *fuse);

/* ---- fuse-errno.c ---- */

int mm_fuse_errno (const GError *error, gboolean is_open);

/* ---- fuse-xattr.c ---- */

void mm_fuse_do_getxattr (fuse_req_t req, fuse_ino_t inode, const char *name, size_t size);
void mm_fuse_do_listxattr (fuse_req_t req, fuse_ino_t inode, size_t size);

/* ---- fuse-operations.c ---- */

extern const struct fuse_lowlevel_ops mm_fuse_operations;

/* ---- fuse-notifier.c ---- */

/* Tells the kernel what changed. Entry and page invalidations can block behind a lookup, so they
 * are made by a thread that nobody ever waits for. */
MmFuseNotifier *mm_fuse_notifier_new (struct fuse_session *session);
/* Before unmounting: no notification begins any more, and those under way have been made, or are
 * blocked in the kernel. */
void mm_fuse_notifier_stop (MmFuseNotifier *notifier);
/* After unmounting: the kernel then lets go of a blocked notification. */
void mm_fuse_notifier_free (MmFuseNotifier *notifier);
const MmVfsObserver *mm_fuse_notifier_get_observer (void);
/* TRUE while the kernel may still hold an older listing of this directory. */
gboolean mm_fuse_notifier_is_pending (MmFuseNotifier *notifier, fuse_ino_t directory);
