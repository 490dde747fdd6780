// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/fd.h>

#include "daemonize.h"

struct MmDaemonizer
{
  int ready_fd; /* one octet on it says: ready */
};

static void
set_error (GError **error, const gchar *what)
{
  g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, errno, what));
}

/* What the parent exits with when the child ended before it was ready. */
static int
judge_child (pid_t child, int failure_status)
{
  int status = 0;

  while (waitpid (child, &status, 0) < 0)
    if (errno != EINTR)
      return failure_status;
  if (WIFEXITED (status) && WEXITSTATUS (status) != 0)
    return WEXITSTATUS (status);
  if (WIFSIGNALED (status))
    fprintf (stderr, "mailmount: ended by signal %d before the mount was ready\n",
             WTERMSIG (status));
  else
    fprintf (stderr, "mailmount: ended before the mount was ready, without saying why\n");
  return failure_status;
}

static void G_GNUC_NORETURN
wait_for_child (int fd, pid_t child, int failure_status)
{
  gchar octet;
  ssize_t n;

  do
    n = read (fd, &octet, 1);
  while (n < 0 && errno == EINTR);
  int status = n == 1 ? 0 : judge_child (child, failure_status);
  fflush (NULL);
  _exit (status);
}

MmDaemonizer *
mm_daemonize_begin (int failure_status, GError **error)
{
  int ends[2];
  pid_t parent = getpid ();

  if (pipe2 (ends, O_CLOEXEC) != 0)
    {
      set_error (error, "pipe");
      return NULL;
    }
  fflush (NULL);
  pid_t child = fork ();
  if (child < 0)
    {
      set_error (error, "fork");
      close (ends[0]);
      close (ends[1]);
      return NULL;
    }
  if (child > 0)
    {
      close (ends[1]);
      wait_for_child (ends[0], child, failure_status);
    }

  close (ends[0]);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (getppid () != parent)
    _exit (failure_status); /* killed before prctl */
  MmDaemonizer *daemonizer = g_new0 (MmDaemonizer, 1);
  daemonizer->ready_fd = ends[1];
  return daemonizer;
}

static gboolean
leave_terminal (GError **error)
{
  mm_autofd int null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null_fd < 0)
    {
      set_error (error, "/dev/null");
      return FALSE;
    }
  fflush (NULL);
  /* A child of fork leads no process group, so this cannot fail. */
  setsid ();
  if (chdir ("/") != 0)
    {
      set_error (error, "/");
      return FALSE;
    }
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (dup2 (null_fd, fd) < 0)
      {
        set_error (error, "/dev/null");
        return FALSE;
      }
  return TRUE;
}

gboolean
mm_daemonize_ready (MmDaemonizer *daemonizer, GError **error)
{
  static const gchar octet = '.';

  if (daemonizer == NULL)
    return TRUE;
  if (!leave_terminal (error))
    return FALSE;
  prctl (PR_SET_PDEATHSIG, 0);
  /* If the parent has gone nobody is left to be told. */
  while (write (daemonizer->ready_fd, &octet, 1) < 0 && errno == EINTR)
    ;
  return TRUE;
}

void
mm_daemonizer_free (MmDaemonizer *daemonizer)
{
  close (daemonizer->ready_fd);
  g_free (daemonizer);
}
