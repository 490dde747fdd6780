// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>

#include "../../src/fuse/fuse-private.h"

static const struct
{
  MmError code;
  int closed, open;
} table[] = {
  { MM_ERROR_CANCELLED, EINTR, EINTR },
  { MM_ERROR_USAGE, EINVAL, EINVAL },
  { MM_ERROR_UNSUPPORTED, EOPNOTSUPP, EOPNOTSUPP },
  { MM_ERROR_MESSAGE_GONE, ENOENT, ESTALE },
  { MM_ERROR_MESSAGE_BAD, EIO, EIO },
  { MM_ERROR_TOO_BIG, EFBIG, EFBIG },
  { MM_ERROR_NOT_FOUND, ENOENT, ENOENT },
  { MM_ERROR_MAILBOX_GONE, ENOENT, ESTALE },
  { MM_ERROR_MAILBOX_CHANGED, ENOENT, ESTALE },
  { MM_ERROR_READ_ONLY, EROFS, EROFS },
  { MM_ERROR_PERMISSION, EACCES, EACCES },
  { MM_ERROR_EXISTS, EEXIST, EEXIST },
  { MM_ERROR_NOT_EMPTY, ENOTEMPTY, ENOTEMPTY },
  { MM_ERROR_IN_USE, EBUSY, EBUSY },
  { MM_ERROR_NAME_TOO_LONG, ENAMETOOLONG, ENAMETOOLONG },
  { MM_ERROR_NAME_ENCODING, EILSEQ, EILSEQ },
  { MM_ERROR_CONNECTION_LOST, EIO, EIO },
  { MM_ERROR_TIMEOUT, ETIMEDOUT, ETIMEDOUT },
  { MM_ERROR_PROTOCOL, EIO, EIO },
  { MM_ERROR_UNAVAILABLE, EIO, EIO },
  { MM_ERROR_OFFLINE, EHOSTUNREACH, EHOSTUNREACH },
  { MM_ERROR_TLS, EACCES, EACCES },
  { MM_ERROR_AUTHENTICATION, EACCES, EACCES },
  { MM_ERROR_QUOTA, EDQUOT, EDQUOT },
  { MM_ERROR_LIMIT, EIO, EIO },
  { MM_ERROR_CACHE, EIO, EIO },
  { MM_ERROR_NO_SPACE, ENOSPC, ENOSPC },
  { MM_ERROR_SYSTEM, EIO, EIO },
};

static void
test_table (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (GError) error = g_error_new_literal (MM_ERROR, (gint) table[i].code, "x");
      g_assert_cmpint (mm_fuse_errno (error, FALSE), ==, table[i].closed);
      g_assert_cmpint (mm_fuse_errno (error, TRUE), ==, table[i].open);
    }
}

static void
test_every_code_is_there (void)
{
  for (guint code = MM_ERROR_CANCELLED; code <= MM_ERROR_SYSTEM; code++)
    g_assert_cmpuint (table[code].code, ==, code);
  g_assert_cmpuint (G_N_ELEMENTS (table), ==, MM_ERROR_SYSTEM + 1);
}

static void
test_foreign_error (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_CONVERT_ERROR, 0, "x");
  g_assert_cmpint (mm_fuse_errno (error, FALSE), ==, EIO);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fuse/errno/follows-the-table", test_table);
  g_test_add_func ("/fuse/errno/every-code-is-in-the-table", test_every_code_is_there);
  g_test_add_func ("/fuse/errno/foreign-error-is-eio", test_foreign_error);
  return g_test_run ();
}
