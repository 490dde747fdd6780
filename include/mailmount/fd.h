// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * File descriptors that close themselves: `mm_autofd int fd = open (...)`. Any thread.
 */
#pragma once

#include <glib.h>
#include <unistd.h>

G_BEGIN_DECLS

/* The descriptor at @fd, which becomes -1. (transfer full) */
static inline int
mm_fd_steal (int *fd)
{
  int taken = *fd;
  *fd = -1;
  return taken;
}

/* Closes the descriptor at @fd, if any, and makes it -1. errno is kept. */
void mm_fd_clear (int *fd);

#define mm_autofd __attribute__ ((cleanup (mm_fd_clear)))

G_END_DECLS
