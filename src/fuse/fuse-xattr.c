// SPDX-License-Identifier: GPL-3.0-or-later
/* Extended attributes: who may ask for which, and the kernel's way of answering. */
#include "fuse-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define XATTR_PREFIX "user."

/* Answers @length octets the way of getxattr(2): a size of 0 asks how many there are. */
static void
reply_xattr (MmFuseRequest *request, const void *octets, gsize length)
{
  if (request->size == 0)
    fuse_reply_xattr (request->req, length);
  else if (length > request->size)
    fuse_reply_err (request->req, ERANGE);
  else
    fuse_reply_buf (request->req, octets, length);
}

static MmTry
attempt_getxattr (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  g_clear_pointer (&request->value, g_free);
  MmTry result
      = mm_vfs_try_get_xattr (request->fuse->vfs, request->inode,
                              request->name + strlen (XATTR_PREFIX), &request->value, waiter,
                              error);
  /* Absence is an answer here, not an error. */
  if (result == MM_TRY_FAILED && g_error_matches (*error, MM_ERROR, MM_ERROR_NOT_FOUND))
    {
      g_clear_error (error);
      return MM_TRY_DONE;
    }
  return result;
}

static void
reply_getxattr (MmFuseRequest *request)
{
  if (request->value == NULL)
    fuse_reply_err (request->req, ENODATA);
  else
    reply_xattr (request, request->value, strlen (request->value));
}

/* The attributes of the root are its reports, which are not for everybody who is let in. */
static gboolean
may_get_xattr (fuse_req_t req, fuse_ino_t inode)
{
  const MmFuse *fuse = fuse_req_userdata (req);
  uid_t caller = fuse_req_ctx (req)->uid;

  return inode != MM_VFS_ROOT_INODE || caller == fuse->uid || caller == getuid () || caller == 0;
}

void
mm_fuse_do_getxattr (fuse_req_t req, fuse_ino_t inode, const char *name, size_t size)
{
  static const MmFuseOperation operation
      = { "getxattr", attempt_getxattr, reply_getxattr, NULL, FALSE };

  /* Not ENODATA: tools ask for security.* and system.* of every file, and remember only this. */
  if (!g_str_has_prefix (name, XATTR_PREFIX))
    {
      fuse_reply_err (req, EOPNOTSUPP);
      return;
    }
  if (!may_get_xattr (req, inode))
    {
      fuse_reply_err (req, EACCES);
      return;
    }
  MmFuseRequest *request = mm_fuse_request_new (req, &operation, inode);
  request->name = g_strdup (name);
  request->size = size;
  mm_fuse_request_run (request);
}

static MmTry
attempt_listxattr (MmFuseRequest *request, MmWaiter *waiter, GError **error)
{
  g_clear_pointer (&request->names, g_byte_array_unref);
  return mm_vfs_try_list_xattrs (request->fuse->vfs, request->inode, &request->names, waiter,
                                 error);
}

static void
reply_listxattr (MmFuseRequest *request)
{
  if (request->names == NULL)
    reply_xattr (request, "", 0);
  else
    reply_xattr (request, request->names->data, request->names->len);
}

void
mm_fuse_do_listxattr (fuse_req_t req, fuse_ino_t inode, size_t size)
{
  static const MmFuseOperation operation
      = { "listxattr", attempt_listxattr, reply_listxattr, NULL, FALSE };
  MmFuseRequest *request = mm_fuse_request_new (req, &operation, inode);

  request->size = size;
  mm_fuse_request_run (request);
}
