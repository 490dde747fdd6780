// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>

#include <mailmount/error.h>

GQuark
mm_error_quark (void)
{
  return g_quark_from_static_string ("mailmount");
}

GError *
mm_error_new_from_errno (MmError code, int errno_value, const gchar *what)
{
  if (errno_value == ENOSPC || errno_value == EDQUOT)
    code = MM_ERROR_NO_SPACE;
  return g_error_new (MM_ERROR, code, "%s: %s", what, g_strerror (errno_value));
}
