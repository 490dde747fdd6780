// SPDX-License-Identifier: GPL-3.0-or-later
/* The one place where an error becomes an errno. */
#include "fuse-private.h"

#include <errno.h>

static int
from_code (MmError code, gboolean is_open)
{
  switch (code)
    {
    case MM_ERROR_CANCELLED:
      return EINTR;
    case MM_ERROR_USAGE:
      return EINVAL;
    case MM_ERROR_UNSUPPORTED:
      return EOPNOTSUPP;
    case MM_ERROR_MESSAGE_GONE:
    case MM_ERROR_MAILBOX_GONE:
    case MM_ERROR_MAILBOX_CHANGED:
      return is_open ? ESTALE : ENOENT;
    case MM_ERROR_MESSAGE_BAD:
      return EIO;
    case MM_ERROR_TOO_BIG:
      return EFBIG;
    case MM_ERROR_NOT_FOUND:
      return ENOENT;
    case MM_ERROR_READ_ONLY:
      return EROFS;
    case MM_ERROR_PERMISSION:
    case MM_ERROR_TLS:
    case MM_ERROR_AUTHENTICATION:
      return EACCES;
    case MM_ERROR_EXISTS:
      return EEXIST;
    case MM_ERROR_NOT_EMPTY:
      return ENOTEMPTY;
    case MM_ERROR_IN_USE:
      return EBUSY;
    case MM_ERROR_NAME_TOO_LONG:
      return ENAMETOOLONG;
    case MM_ERROR_NAME_ENCODING:
      return EILSEQ;
    case MM_ERROR_CONNECTION_LOST:
    case MM_ERROR_PROTOCOL:
    case MM_ERROR_UNAVAILABLE: /* EAGAIN would make a reader spin */
    case MM_ERROR_LIMIT:
    case MM_ERROR_CACHE:
    case MM_ERROR_SYSTEM:
      return EIO;
    case MM_ERROR_TIMEOUT:
      return ETIMEDOUT;
    case MM_ERROR_OFFLINE:
      return EHOSTUNREACH;
    case MM_ERROR_QUOTA:
      return EDQUOT;
    case MM_ERROR_NO_SPACE:
      return ENOSPC;
    }
  return EIO;
}

int
mm_fuse_errno (const GError *error, gboolean is_open)
{
  return error->domain == MM_ERROR ? from_code ((MmError) error->code, is_open) : EIO;
}
