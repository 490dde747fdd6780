// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>

#include <mailmount/fd.h>

void
mm_fd_clear (int *fd)
{
  int saved_errno = errno;
  int taken = mm_fd_steal (fd);

  if (taken >= 0)
    close (taken);
  errno = saved_errno;
}
