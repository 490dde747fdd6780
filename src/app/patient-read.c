// SPDX-License-Identifier: GPL-3.0-or-later
#include "patient-read.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>

/* In the child; ends it. The exit status is the errno, which is below 256 for all that open and read
 * can say. */
static G_NORETURN void
copy (const gchar *path, int out)
{
  char buffer[16384];
  ssize_t n = -1;

  /* Left behind, it must not keep the pipe open that somebody reads our output from. */
  close (STDIN_FILENO);
  close (STDOUT_FILENO);
  close (STDERR_FILENO);
  int in = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  while (in >= 0 && (n = read (in, buffer, sizeof buffer)) > 0)
    for (ssize_t done = 0; done < n;)
      {
        ssize_t written = write (out, buffer + done, (size_t) (n - done));
        if (written < 0)
          _exit (errno);
        done += written;
      }
  _exit (n == 0 ? 0 : errno);
}

/* FALSE when the deadline passed before the child closed its end. */
static gboolean
collect (int fd, gint64 deadline_us, GString *out)
{
  for (;;)
    {
      struct pollfd waiting = { .fd = fd, .events = POLLIN };
      gint64 left_us = deadline_us - mm_clock_monotonic_us ();
      gchar buffer[16384];

      if (left_us <= 0)
        return FALSE;
      if (poll (&waiting, 1, (int) (left_us / 1000) + 1) <= 0)
        continue;
      ssize_t n = read (fd, buffer, sizeof buffer);
      if (n > 0)
        g_string_append_len (out, buffer, n);
      else if (n == 0 || errno != EINTR)
        return TRUE;
    }
}

/* How the child ended: 0, or an errno. */
static int
reap (pid_t child)
{
  int status = 0;

  while (waitpid (child, &status, 0) < 0)
    if (errno != EINTR)
      return errno;
  return WIFEXITED (status) ? WEXITSTATUS (status) : EINTR;
}

gchar *
mm_patient_read (const gchar *path, guint deadline_ms, GError **error)
{
  gint64 deadline_us = mm_clock_monotonic_us () + (gint64) deadline_ms * 1000;
  g_autoptr (GString) text = g_string_new (NULL);
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    {
      g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, errno, "no pipe"));
      return NULL;
    }
  mm_autofd int read_end = ends[0];
  mm_autofd int write_end = ends[1];
  pid_t child = fork ();
  if (child < 0)
    {
      g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, errno, "no process"));
      return NULL;
    }
  if (child == 0)
    copy (path, write_end);
  mm_fd_clear (&write_end);

  if (!collect (read_end, deadline_us, text))
    {
      /* It dies when the filesystem answers, or ends; that is not waited for. */
      kill (child, SIGKILL);
      g_set_error (error, MM_ERROR, MM_ERROR_TIMEOUT, "no answer within %.1f seconds",
                   (gdouble) deadline_ms / 1000);
      return NULL;
    }
  int result = reap (child);
  if (result == 0)
    return g_string_free (g_steal_pointer (&text), FALSE);
  g_propagate_error (error, mm_error_new_from_errno (
                                result == ENOENT ? MM_ERROR_NOT_FOUND : MM_ERROR_SYSTEM, result,
                                path));
  return NULL;
}
