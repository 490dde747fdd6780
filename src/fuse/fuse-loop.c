// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The receive loop. libfuse's own looks at a flag and then reads from the kernel: a signal that
 * sets the flag in between, or comes to another thread, is noticed with the next request only,
 * which may never come. Here the handler writes to an eventfd, and the loop waits for both.
 */
#include "fuse-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <mailmount/fd.h>

/* A handler can reach nothing else; one loop at a time, by contract. */
static int wake_fd = -1;

static const int ending_signals[] = { SIGHUP, SIGINT, SIGTERM };

static void
on_signal (int number)
{
  int saved_errno = errno;
  guint64 one = 1;

  (void) number;
  if (write (wake_fd, &one, sizeof one) < 0)
    { /* full: it was written before */
    }
  errno = saved_errno;
}

/* Puts @to in the place of @from; a signal that is ignored, as under nohup, stays ignored. */
static void
exchange_handlers (void (*from) (int), void (*to) (int))
{
  struct sigaction current;
  struct sigaction action = { .sa_handler = to, .sa_flags = SA_RESTART };

  sigemptyset (&action.sa_mask);
  for (gsize i = 0; i < G_N_ELEMENTS (ending_signals); i++)
    if (sigaction (ending_signals[i], NULL, &current) == 0 && current.sa_handler == from)
      sigaction (ending_signals[i], &action, NULL);
}

gboolean
mm_fuse_loop_watch_signals (void)
{
  wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0)
    return FALSE;
  exchange_handlers (SIG_DFL, on_signal);
  return TRUE;
}

void
mm_fuse_loop_forget_signals (void)
{
  exchange_handlers (on_signal, SIG_DFL);
  mm_fd_clear (&wake_fd);
}

int
mm_fuse_loop_run (struct fuse_session *session)
{
  struct fuse_buf buffer = { .mem = NULL };
  struct pollfd waiting[] = { { .fd = fuse_session_fd (session), .events = POLLIN },
                              { .fd = wake_fd, .events = POLLIN } };
  int result = 0;

  while (!fuse_session_exited (session))
    {
      if (poll (waiting, G_N_ELEMENTS (waiting), -1) < 0)
        {
          if (errno == EINTR || errno == EAGAIN)
            continue;
          result = -errno;
          break;
        }
      if (waiting[1].revents != 0)
        break;
      result = fuse_session_receive_buf (session, &buffer);
      if (result == -EINTR || result == -EAGAIN)
        continue;
      if (result <= 0)
        break; /* 0: it was unmounted */
      fuse_session_process_buf (session, &buffer);
    }
  free (buffer.mem);
  return MIN (result, 0);
}
