// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>

#include <mailmount/error.h>

GQuark
mm_error_quark (void)
{
  return g_quark_from_static_string ("mailmount");
}

const gchar *
mm_error_get_name (MmError code)
{
  switch (code)
    {
    case MM_ERROR_CANCELLED:
      return "cancelled";
    case MM_ERROR_USAGE:
      return "usage";
    case MM_ERROR_UNSUPPORTED:
      return "unsupported";
    case MM_ERROR_MESSAGE_GONE:
      return "message-gone";
    case MM_ERROR_MESSAGE_BAD:
      return "message-bad";
    case MM_ERROR_TOO_BIG:
      return "too-big";
    case MM_ERROR_NOT_FOUND:
      return "not-found";
    case MM_ERROR_MAILBOX_GONE:
      return "mailbox-gone";
    case MM_ERROR_MAILBOX_CHANGED:
      return "mailbox-changed";
    case MM_ERROR_READ_ONLY:
      return "read-only";
    case MM_ERROR_PERMISSION:
      return "permission";
    case MM_ERROR_EXISTS:
      return "exists";
    case MM_ERROR_NOT_EMPTY:
      return "not-empty";
    case MM_ERROR_IN_USE:
      return "in-use";
    case MM_ERROR_NAME_TOO_LONG:
      return "name-too-long";
    case MM_ERROR_NAME_ENCODING:
      return "name-encoding";
    case MM_ERROR_CONNECTION_LOST:
      return "connection-lost";
    case MM_ERROR_TIMEOUT:
      return "timeout";
    case MM_ERROR_PROTOCOL:
      return "protocol";
    case MM_ERROR_UNAVAILABLE:
      return "unavailable";
    case MM_ERROR_OFFLINE:
      return "offline";
    case MM_ERROR_TLS:
      return "tls";
    case MM_ERROR_AUTHENTICATION:
      return "authentication";
    case MM_ERROR_QUOTA:
      return "quota";
    case MM_ERROR_LIMIT:
      return "limit";
    case MM_ERROR_CACHE:
      return "cache";
    case MM_ERROR_NO_SPACE:
      return "no-space";
    case MM_ERROR_SYSTEM:
      return "system";
    }
  return "unknown";
}

GError *
mm_error_new_from_errno (MmError code, int errno_value, const gchar *what)
{
  if (errno_value == ENOSPC || errno_value == EDQUOT)
    code = MM_ERROR_NO_SPACE;
  return g_error_new (MM_ERROR, code, "%s: %s", what, g_strerror (errno_value));
}
