// SPDX-License-Identifier: GPL-3.0-or-later
#include "patient-read.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>

/* What the child does: FALSE with errno. */
typedef gboolean (*CopyFunc) (const gchar *path, const gchar *name, int out);

static gboolean
write_all (int out, const gchar *data, ssize_t length)
{
  for (ssize_t done = 0; done < length;)
    {
      ssize_t n = write (out, data + done, (size_t) (length - done));
      if (n < 0)
        return FALSE;
      done += n;
    }
  return TRUE;
}

static gboolean
copy_file (const gchar *path, const gchar *name, int out)
{
  gchar buffer[16384];
  ssize_t n = -1;
  int in = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

  while (in >= 0 && (n = read (in, buffer, sizeof buffer)) > 0)
    if (!write_all (out, buffer, n))
      return FALSE;
  return n == 0;
}

static gboolean
copy_attribute (const gchar *path, const gchar *name, int out)
{
  gchar buffer[XATTR_SIZE_MAX];
  ssize_t n = getxattr (path, name, buffer, sizeof buffer);
  return n >= 0 && write_all (out, buffer, n);
}

/* The exit status is the errno, which is below 256 for all that these calls can say. */
static G_NORETURN void
run_child (CopyFunc copy, const gchar *path, const gchar *name, int out)
{
  /* Left behind, it must not keep the pipe open that somebody reads our output from. */
  close (STDIN_FILENO);
  close (STDOUT_FILENO);
  close (STDERR_FILENO);
  _exit (copy (path, name, out) ? 0 : errno);
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

static gchar *
run (CopyFunc copy, const gchar *path, const gchar *name, guint deadline_ms, GError **error)
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
    run_child (copy, path, name, write_end);
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
  MmError code = MM_ERROR_SYSTEM;
  if (result == ENOENT || result == ENODATA)
    code = MM_ERROR_NOT_FOUND;
  else if (result == ERANGE)
    code = MM_ERROR_TOO_BIG;
  g_propagate_error (error, mm_error_new_from_errno (code, result, path));
  return NULL;
}

gchar *
mm_patient_read (const gchar *path, guint deadline_ms, GError **error)
{
  return run (copy_file, path, NULL, deadline_ms, error);
}

gchar *
mm_patient_get_attribute (const gchar *path, const gchar *name, guint deadline_ms, GError **error)
{
  return run (copy_attribute, path, name, deadline_ms, error);
}
