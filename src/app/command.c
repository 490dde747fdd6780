// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "command.h"

/* OAuth2 tokens of large tenants reach several KiB. */
#define OUTPUT_OCTETS_MAX (64 * 1024)

typedef struct
{
  const gchar *option;
  const gchar *program; /* argv[0] */
  pid_t pid;
  int output_fd;
  int pid_fd;
  gint64 deadline_us;
  gchar *buffer; /* OUTPUT_OCTETS_MAX octets */
  gsize length;
  gboolean is_endless; /* the first line filled the buffer; the command was killed */
} Run;

static gboolean G_GNUC_PRINTF (3, 4)
fail (const Run *run, GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree gchar *raw = g_strdup_printf ("%s: '%s' %s", run->option, run->program, what);
  g_autofree gchar *shown = mm_log_printable (raw);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_AUTHENTICATION, shown);
  return FALSE;
}

/* The command starts with the signals a program expects, whatever this thread blocks. */
static int
spawn (Run *run, gchar **argv, int stdout_fd)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, defaults;

  sigemptyset (&none);
  sigemptyset (&defaults);
  sigaddset (&defaults, SIGPIPE);
  sigaddset (&defaults, SIGINT);
  sigaddset (&defaults, SIGTERM);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, stdout_fd, STDOUT_FILENO);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &defaults);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int result = posix_spawnp (&run->pid, argv[0], &actions, &attributes, argv, environ);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return result;
}

static gboolean
start (Run *run, gchar **argv, GError **error)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return fail (run, error, "cannot be run: %s", g_strerror (errno));
  run->output_fd = ends[0];
  mm_autofd int write_end = ends[1];
  fcntl (run->output_fd, F_SETFL, O_NONBLOCK);

  int result = spawn (run, argv, write_end);
  if (result != 0)
    return fail (run, error, "cannot be run: %s", g_strerror (result));
  run->pid_fd = pidfd_open (run->pid, 0);
  return TRUE;
}

/* Makes room in a full buffer: what follows the first line is dropped. */
static gboolean
make_room (Run *run)
{
  const gchar *newline = memchr (run->buffer, '\n', run->length);

  if (newline == NULL)
    return FALSE;
  run->length = (gsize) (newline - run->buffer) + 1;
  return run->length < OUTPUT_OCTETS_MAX;
}

/* Reads what is there. FALSE at the end of the output. */
static gboolean
drain (Run *run)
{
  for (;;)
    {
      if (run->length == OUTPUT_OCTETS_MAX && !make_room (run))
        {
          run->is_endless = TRUE;
          kill (run->pid, SIGKILL);
          return FALSE;
        }
      ssize_t n = read (run->output_fd, run->buffer + run->length,
                        OUTPUT_OCTETS_MAX - run->length);
      if (n > 0)
        run->length += (gsize) n;
      else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        return FALSE;
      else if (errno == EAGAIN)
        return TRUE;
    }
}

/* Reads until the command has ended. What it left running may keep the pipe open: that is not
 * waited for. FALSE when the deadline passed first. */
static gboolean
collect (Run *run)
{
  gboolean is_open = TRUE;

  for (;;)
    {
      gint64 left_us = run->deadline_us - mm_clock_monotonic_us ();
      struct pollfd fds[] = {
        { .fd = run->pid_fd, .events = POLLIN },
        { .fd = is_open ? run->output_fd : -1, .events = POLLIN },
      };

      if (left_us <= 0)
        return FALSE;
      int n = poll (fds, G_N_ELEMENTS (fds), (int) MIN (left_us / 1000 + 1, 60000));
      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n <= 0)
        continue;
      if (is_open)
        is_open = drain (run);
      if (fds[0].revents != 0 || (run->pid_fd < 0 && !is_open))
        return TRUE;
    }
}

static gboolean
finish (Run *run, gboolean ended, GError **error)
{
  int status = 0;

  if (!ended)
    kill (run->pid, SIGKILL);
  while (waitpid (run->pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (run->is_endless)
    return fail (run, error, "printed a line without end");
  if (!ended)
    return fail (run, error, "did not end in time and was killed");
  if (WIFSIGNALED (status))
    return fail (run, error, "was ended by signal %d (%s)", WTERMSIG (status),
                 g_strsignal (WTERMSIG (status)));
  if (WEXITSTATUS (status) != 0)
    return fail (run, error, "failed with exit status %d", WEXITSTATUS (status));
  return TRUE;
}

static MmSecret *
take_first_line (Run *run, GError **error)
{
  const gchar *newline = memchr (run->buffer, '\n', run->length);
  gsize length = newline != NULL ? (gsize) (newline - run->buffer) : run->length;

  if (length > 0 && run->buffer[length - 1] == '\r')
    length--;
  if (length == 0)
    {
      fail (run, error, "printed no secret: its first line is empty");
      return NULL;
    }
  if (memchr (run->buffer, '\0', length) != NULL)
    {
      fail (run, error, "printed a NUL octet");
      return NULL;
    }
  return mm_secret_new (run->buffer, length);
}

MmSecret *
mm_command_read_secret (const gchar *option, const gchar *command_line, guint deadline_ms,
                        GError **error)
{
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) local = NULL;

  if (!g_shell_parse_argv (command_line, NULL, &argv, &local))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "%s: %s", option, local->message);
      return NULL;
    }

  Run run = { .option = option, .program = argv[0], .output_fd = -1, .pid_fd = -1 };
  MmSecret *secret = NULL;

  run.deadline_us = mm_clock_monotonic_us () + (gint64) deadline_ms * 1000;
  run.buffer = g_malloc (OUTPUT_OCTETS_MAX);
  if (start (&run, argv, error))
    {
      gboolean ended = collect (&run);
      if (finish (&run, ended, error))
        secret = take_first_line (&run, error);
    }
  mm_secret_wipe (run.buffer, OUTPUT_OCTETS_MAX);
  g_free (run.buffer);
  mm_fd_clear (&run.output_fd);
  mm_fd_clear (&run.pid_fd);
  return secret;
}
