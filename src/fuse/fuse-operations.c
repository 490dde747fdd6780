// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From the kernel's requests to attempts at the vfs, and from their results to replies. Nothing
 * here waits.
 */
#include "fuse-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <mailmount/clock.h>

/* Nothing changes behind the kernel's back without a notification, so what it learned is good for a
 * year. */
#define CACHE_SECONDS (365.0 * 24 * 3600)

#define BLOCK_OCTETS 512
/* statfs counts in blocks of this size. */
#define STATFS_BLOCK_OCTETS 4096
#define READ_BLOCK_OCTETS   (128 * 1024)

/* The kernel lets longer ones through. */
#define NAME_OCTETS_MAX 255

/* ---- attributes ---- */

static mode_t
choose_mode (const MmFuse *fuse, const MmAttributes *attributes)
{
  if (attributes->is_private)
    return attributes->is_directory ? S_IFDIR | 0500 : S_IFREG | 0400;
  return attributes->is_directory ? S_IFDIR | (0755 & ~fuse->umask)
                                  : S_IFREG | (0644 & ~fuse->umask);
}

static gdouble
choose_timeout (const MmAttributes *attributes)
{
  return attributes->is_private ? 0 : CACHE_SECONDS;
}

static void
fill_stat (const MmFuse *fuse, const MmAttributes *attributes, struct stat *out)
{
  struct timespec time = {
    .tv_sec = attributes->mtime_us / G_USEC_PER_SEC,
    .tv_nsec = attributes->mtime_us % G_USEC_PER_SEC * 1000,
  };

  if (time.tv_nsec < 0)
    {
      time.tv_sec--;
      time.tv_nsec += 1000000000;
    }
  *out = (struct stat){
    .st_ino = attributes->inode,
    .st_mode = choose_mode (fuse, attributes),
    .st_nlink = attributes->n_links,
    .st_uid = fuse->uid,
    .st_gid = fuse->gid,
    .st_size = (off_t) attributes->size,
    .st_blksize = READ_BLOCK_OCTETS,
    .st_blocks = (blkcnt_t) ((attributes->size + BLOCK_OCTETS - 1) / BLOCK_OCTETS),
    .st_atim = time,
    .st_mtim = time,
    .st_ctim = time,
  };
}

static void
fill_entry (const MmFuse *fuse, const MmAttributes *attributes, struct fuse_entry_param *out)
{
  *out = (struct fuse_entry_param){
    .ino = attributes->inode,
    .attr_timeout = choose_timeout (attributes),
    .entry_timeout = CACHE_SECONDS,
  };
  fill_stat (fuse, attributes, &out->attr);
}

static MmTry
attempt_lookup (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  return mm_vfs_try_lookup (request->fuse->vfs, request->inode, request->name,
                            &request->attributes, waiter, error);
}

static void
reply_lookup (MmFuseRequest *request)
{
  struct fuse_entry_param entry;
  fill_entry (request->fuse, &request->attributes, &entry);
  fuse_reply_entry (request->req, &entry);
}

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  static const MmFuseOperation operation = { "lookup", attempt_lookup, reply_lookup, NULL, FALSE };

  if (strlen (name) > NAME_OCTETS_MAX)
    {
      fuse_reply_err (req, ENAMETOOLONG);
      return;
    }
  MmFuseRequest *request = mm_fuse_request_new (req, &operation, parent);
  request->name = g_strdup (name);
  mm_fuse_request_run (request);
}

static MmTry
attempt_getattr (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  return mm_vfs_try_get_attributes (request->fuse->vfs, request->inode, &request->attributes,
                                    waiter, error);
}

static void
reply_getattr (MmFuseRequest *request)
{
  struct stat stat;
  fill_stat (request->fuse, &request->attributes, &stat);
  fuse_reply_attr (request->req, &stat, choose_timeout (&request->attributes));
}

static void
do_getattr (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  static const MmFuseOperation operation
      = { "getattr", attempt_getattr, reply_getattr, NULL, FALSE };
  mm_fuse_request_run (mm_fuse_request_new (req, &operation, inode));
}

static void
do_forget (fuse_req_t req, fuse_ino_t inode, uint64_t n_lookups)
{
  fuse_reply_none (req); /* inode numbers are computed: there is nothing to forget */
}

static void
do_forget_multi (fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
  fuse_reply_none (req);
}

/* ---- directories ---- */

static MmTry
attempt_opendir (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  return mm_vfs_try_open_directory (request->fuse->vfs, request->inode, request->thread_id,
                                    &request->directory, waiter, error);
}

static void
reply_opendir (MmFuseRequest *request)
{
  struct fuse_file_info info = { 0 };

  info.fh = (uint64_t) (uintptr_t) request->directory;
  /* The kernel keeps listings by itself, unless it is about to be told to drop this one. */
  info.cache_readdir
      = !mm_fuse_notifier_is_pending (request->fuse->notifier, request->inode);
  info.keep_cache = info.cache_readdir;
  if (fuse_reply_open (request->req, &info) != 0)
    mm_vfs_close_directory (request->directory);
}

static void
do_opendir (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  static const MmFuseOperation operation
      = { "opendir", attempt_opendir, reply_opendir, NULL, FALSE };
  mm_fuse_request_run (mm_fuse_request_new (req, &operation, inode));
}

static gboolean
add_entry (const gchar *name, const MmAttributes *attributes, gint64 offset, gpointer user_data)
{
  MmFuseRequest *request = user_data;
  struct fuse_entry_param entry;
  gsize room = request->size - request->filled;

  fill_entry (request->fuse, attributes, &entry);
  gsize needed = fuse_add_direntry_plus (request->req, (char *) request->buffer + request->filled,
                                         room, name, &entry, offset);
  if (needed > room)
    return FALSE;
  request->filled += needed;
  return TRUE;
}

static gboolean
add_plain_entry (const gchar *name, const MmAttributes *attributes, gint64 offset,
                 gpointer user_data)
{
  MmFuseRequest *request = user_data;
  struct stat stat;
  gsize room = request->size - request->filled;

  fill_stat (request->fuse, attributes, &stat);
  gsize needed = fuse_add_direntry (request->req, (char *) request->buffer + request->filled, room,
                                    name, &stat, offset);
  if (needed > room)
    return FALSE;
  request->filled += needed;
  return TRUE;
}

static MmTry
attempt_readdirplus (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  request->filled = 0;
  return mm_vfs_try_read_directory (request->directory, request->offset, add_entry, request,
                                    waiter, error);
}

static MmTry
attempt_readdir (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  request->filled = 0;
  return mm_vfs_try_read_directory (request->directory, request->offset, add_plain_entry, request,
                                    waiter, error);
}

static void
reply_filled (MmFuseRequest *request)
{
  fuse_reply_buf (request->req, (const char *) request->buffer, request->filled);
}

static void
run_readdir (fuse_req_t req, const MmFuseOperation *operation, fuse_ino_t inode, size_t size,
             off_t offset, const struct fuse_file_info *info)
{
  MmFuseRequest *request = mm_fuse_request_new (req, operation, inode);

  request->directory = (MmVfsDirectory *) (uintptr_t) info->fh;
  request->size = size;
  request->offset = offset;
  request->buffer = g_malloc (size);
  mm_fuse_request_run (request);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
                struct fuse_file_info *info)
{
  static const MmFuseOperation operation
      = { "readdirplus", attempt_readdirplus, reply_filled, NULL, TRUE };
  run_readdir (req, &operation, inode, size, offset, info);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
            struct fuse_file_info *info)
{
  static const MmFuseOperation operation
      = { "readdir", attempt_readdir, reply_filled, NULL, TRUE };
  run_readdir (req, &operation, inode, size, offset, info);
}

static void
do_releasedir (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  mm_vfs_close_directory ((MmVfsDirectory *) (uintptr_t) info->fh);
  fuse_reply_err (req, 0);
}

/* ---- files ---- */

static MmTry
attempt_open (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  return mm_vfs_try_open (request->fuse->vfs, request->inode, request->thread_id, &request->file,
                          waiter, error);
}

/* Puts the file into the kernel's cache before its reader can ask for it: a round trip between
 * processes less for each small message. Its pages cannot be locked by a read that waits for us,
 * because nobody else has it open. Where it fails, reads come. */
static void
store_whole (const MmFuseRequest *request)
{
  g_autoptr (GBytes) whole = mm_vfs_take_whole (request->file);

  if (whole == NULL)
    return;
  struct fuse_bufvec vector = FUSE_BUFVEC_INIT (g_bytes_get_size (whole));
  vector.buf[0].mem = (gpointer) g_bytes_get_data (whole, NULL);
  fuse_lowlevel_notify_store (request->fuse->session, request->inode, 0, &vector,
                              FUSE_BUF_NO_SPLICE);
}

static void
reply_open (MmFuseRequest *request)
{
  struct fuse_file_info info = { .noflush = 1 };

  info.direct_io = mm_vfs_file_is_private (request->file);
  info.keep_cache = !info.direct_io;
  if (info.keep_cache)
    store_whole (request);

  info.fh = (uint64_t) (uintptr_t) request->file;
  if (fuse_reply_open (request->req, &info) != 0)
    mm_vfs_close (request->file);
}

static void
undo_open (MmFuseRequest *request)
{
  g_clear_pointer (&request->file, mm_vfs_close);
}

static void
do_open (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  static const MmFuseOperation operation = { "open", attempt_open, reply_open, undo_open, FALSE };

  if ((info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC) != 0)
    fuse_reply_err (req, EROFS);
  else
    mm_fuse_request_run (mm_fuse_request_new (req, &operation, inode));
}

static MmTry
attempt_read (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  return mm_vfs_try_read (request->file, request->size, (guint64) request->offset,
                          &request->octets, waiter, error);
}

static void
reply_read (MmFuseRequest *request)
{
  gsize length = 0;
  const char *octets = g_bytes_get_data (request->octets, &length);

  fuse_reply_buf (request->req, octets, length);
}

/* Once the mount is ending the file may be closed. */
static void
note_failed_read (MmFuseRequest *request)
{
  MmFuse *fuse = request->fuse;

  if (mm_clock_monotonic_us () < request->deadline_us - fuse->timeout_us / 2)
    return;
  g_mutex_lock (&fuse->lock);
  if (!fuse->is_ending)
    mm_vfs_note_late (request->file);
  g_mutex_unlock (&fuse->lock);
}

static void
do_read (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *info)
{
  static const MmFuseOperation operation = { "read", attempt_read, reply_read, note_failed_read, TRUE };
  MmFuseRequest *request = mm_fuse_request_new (req, &operation, inode);

  request->file = (MmVfsFile *) (uintptr_t) info->fh;
  request->size = size;
  request->offset = offset;
  mm_fuse_request_run (request);
}

static void
do_release (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  mm_vfs_close ((MmVfsFile *) (uintptr_t) info->fh);
  fuse_reply_err (req, 0);
}

/* ---- the filesystem ---- */

static void
do_statfs (fuse_req_t req, fuse_ino_t inode)
{
  const MmFuse *fuse = fuse_req_userdata (req);
  MmVfsTotals totals;

  mm_vfs_get_totals (fuse->vfs, &totals);
  struct statvfs answer = {
    .f_bsize = STATFS_BLOCK_OCTETS,
    .f_frsize = STATFS_BLOCK_OCTETS,
    .f_blocks = (totals.octets + STATFS_BLOCK_OCTETS - 1) / STATFS_BLOCK_OCTETS,
    .f_files = totals.messages,
    .f_namemax = NAME_OCTETS_MAX,
  };
  fuse_reply_statfs (req, &answer);
}

static void
do_init (void *user_data, struct fuse_conn_info *connection)
{
  /* Every entry comes with its attributes, also in the second listing: with AUTO an `ls -l` of a
   * large folder asks for each file. */
  if ((connection->capable & FUSE_CAP_READDIRPLUS) != 0)
    connection->want |= FUSE_CAP_READDIRPLUS;
  /* Else a lookup that waits for the server keeps everybody waiting who looks into the same directory,
   * also for what is known. (libfuse 3.14 does not tell the kernel; later ones do.) */
  if ((connection->capable & FUSE_CAP_PARALLEL_DIROPS) != 0)
    connection->want |= FUSE_CAP_PARALLEL_DIROPS;
  connection->want &= ~(unsigned) FUSE_CAP_READDIRPLUS_AUTO;
  connection->want &= ~(unsigned) FUSE_CAP_AUTO_INVAL_DATA;
  connection->max_background = 128;
  connection->congestion_threshold = 96;
}

const struct fuse_lowlevel_ops mm_fuse_operations = {
  .init = do_init,
  .lookup = do_lookup,
  .forget = do_forget,
  .forget_multi = do_forget_multi,
  .getattr = do_getattr,
  .opendir = do_opendir,
  .readdir = do_readdir,
  .readdirplus = do_readdirplus,
  .releasedir = do_releasedir,
  .open = do_open,
  .read = do_read,
  .release = do_release,
  .getxattr = mm_fuse_do_getxattr,
  .listxattr = mm_fuse_do_listxattr,
  .statfs = do_statfs,
};
