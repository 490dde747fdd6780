// SPDX-License-Identifier: GPL-3.0-or-later
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>
#include <mailmount/log.h>

/* A longer line on standard error is told in pieces. */
#define LINE_OCTETS_MAX 1000

/* How long a command may take to end: because its input did, and because of SIGTERM. */
#define END_MS  500
#define TERM_MS 1000
/* How long an end that shows on the socket may take to be one. */
#define DESCRIBE_MS 1000
#define POLL_US     5000

struct MmChild
{
  gchar *name;
  pid_t pid; /* 0: reaped */
  int fd;    /* our end of the socket */
  int status;

  /* The thread that reads standard error, which whatever the command left behind may keep open. */
  GThread *listener;
  int error_fd;
  int stop_fd; /* an eventfd */
  GMutex lock; /* guards what follows */
  GCond changed;
  gchar *last_line;   /* nullable; printable */
  gboolean is_silent; /* nothing more comes */
};

/* ---- standard error ---- */

static void
take_line (MmChild *child, GString *line)
{
  g_autofree gchar *valid = g_utf8_make_valid (line->str, (gssize) strcspn (line->str, "\r"));

  g_string_truncate (line, 0);
  g_strstrip (valid);
  if (valid[0] == '\0')
    return;
  mm_log_info ("tunnel: %s", valid);
  g_mutex_lock (&child->lock);
  g_free (child->last_line);
  child->last_line = mm_log_printable (valid);
  g_mutex_unlock (&child->lock);
}

/* FALSE at the end. */
static gboolean
read_lines (MmChild *child, GString *line)
{
  gchar buffer[4096];
  ssize_t n = read (child->error_fd, buffer, sizeof buffer);

  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  for (ssize_t i = 0; i < n; i++)
    {
      if (buffer[i] != '\n')
        g_string_append_c (line, buffer[i] != '\0' ? buffer[i] : ' ');
      if (buffer[i] == '\n' || line->len >= LINE_OCTETS_MAX)
        take_line (child, line);
    }
  return n > 0;
}

static gpointer
listen_to_child (gpointer data)
{
  MmChild *child = data;
  g_autoptr (GString) line = g_string_new (NULL);
  struct pollfd fds[] = {
    { .fd = child->error_fd, .events = POLLIN },
    { .fd = child->stop_fd, .events = POLLIN },
  };
  gboolean is_open = TRUE;

  while (is_open)
    {
      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        continue;
      /* What there is comes before the order to stop. */
      if (fds[0].revents != 0)
        is_open = read_lines (child, line);
      else if (fds[1].revents != 0)
        break;
    }
  take_line (child, line);
  g_mutex_lock (&child->lock);
  child->is_silent = TRUE;
  g_cond_broadcast (&child->changed);
  g_mutex_unlock (&child->lock);
  return NULL;
}

/* ---- starting ---- */

static int
spawn (pid_t *out_pid, gchar **argv, int socket_fd, int error_fd)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, socket_fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2 (&actions, socket_fd, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2 (&actions, error_fd, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np (&actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np (&actions, "/");
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  posix_spawnattr_setflags (&attributes,
                            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  int result = posix_spawnp (out_pid, argv[0], &actions, &attributes, argv, environ);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return result;
}

static gboolean
fail_to_run (const gchar *name, int errno_value, GError **error)
{
  g_set_error (error, MM_ERROR, MM_ERROR_OFFLINE, "the tunnel command '%s' cannot be run: %s", name,
               g_strerror (errno_value));
  return FALSE;
}

static gboolean
start (MmChild *child, gchar **argv, guint ahead_octets, GError **error)
{
  int send_octets = (int) MIN (ahead_octets, G_MAXINT);
  mm_autofd int socket_fd = -1;
  mm_autofd int error_fd = -1;
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_to_run (child->name, errno, error);
  child->fd = ends[0];
  socket_fd = ends[1];
  if (pipe2 (ends, O_CLOEXEC) != 0)
    return fail_to_run (child->name, errno, error);
  child->error_fd = ends[0];
  error_fd = ends[1];
  child->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (child->stop_fd < 0)
    return fail_to_run (child->name, errno, error);
  if (send_octets > 0)
    (void)setsockopt (socket_fd, SOL_SOCKET, SO_SNDBUF, &send_octets, sizeof send_octets);
  /* Ours only: the command expects to block. */
  fcntl (child->fd, F_SETFL, O_NONBLOCK);
  fcntl (child->error_fd, F_SETFL, O_NONBLOCK);

  int result = spawn (&child->pid, argv, socket_fd, error_fd);
  if (result != 0)
    {
      child->pid = 0;
      return fail_to_run (child->name, result, error);
    }
  child->listener = g_thread_new ("tunnel", listen_to_child, child);
  return TRUE;
}

MmChild *
mm_child_start (const gchar *command_line, guint ahead_octets, GError **error)
{
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) local = NULL;

  if (!g_shell_parse_argv (command_line, NULL, &argv, &local))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "tunnel: %s", local->message);
      return NULL;
    }
  g_autoptr (MmChild) child = g_new0 (MmChild, 1);
  child->name = g_strdup (argv[0]);
  child->fd = child->error_fd = child->stop_fd = -1;
  g_mutex_init (&child->lock);
  g_cond_init (&child->changed);
  return start (child, argv, ahead_octets, error) ? g_steal_pointer (&child) : NULL;
}

const gchar *
mm_child_get_name (const MmChild *child)
{
  return child->name;
}

int
mm_child_get_fd (const MmChild *child)
{
  return child->fd;
}

/* ---- the end ---- */

/* Whether it ended, within @ms. It stays a zombie, so that its process group keeps its number. */
static gboolean
has_ended (const MmChild *child, guint ms)
{
  gint64 deadline_us = mm_clock_monotonic_us () + (gint64) ms * 1000;

  for (;;)
    {
      siginfo_t info = { 0 };

      if (waitid (P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
          && info.si_pid == child->pid)
        return TRUE;
      if (mm_clock_monotonic_us () >= deadline_us)
        return FALSE;
      g_usleep (POLL_US);
    }
}

/* All that the command said before it ended. */
static gchar *
dup_last_line (MmChild *child)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) DESCRIBE_MS * 1000;

  g_mutex_lock (&child->lock);
  while (!child->is_silent && g_cond_wait_until (&child->changed, &child->lock, deadline_us))
    ;
  gchar *line = g_strdup (child->last_line);
  g_mutex_unlock (&child->lock);
  return line;
}

gchar *
mm_child_describe_end (MmChild *child)
{
  siginfo_t info = { 0 };

  if (!has_ended (child, DESCRIBE_MS))
    return g_strdup ("closed the connection");
  waitid (P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  g_autofree gchar *line = dup_last_line (child);
  const gchar *colon = line != NULL ? ": " : "";
  if (info.si_code == CLD_EXITED)
    return g_strdup_printf ("ended with status %d%s%s", info.si_status, colon,
                            line != NULL ? line : "");
  return g_strdup_printf ("was ended by signal %d (%s)%s%s", info.si_status,
                          g_strsignal (info.si_status), colon, line != NULL ? line : "");
}

static void
end_process (MmChild *child)
{
  gboolean has_left = has_ended (child, END_MS);

  /* What it started is told too, and has the same time. */
  kill (-child->pid, SIGTERM);
  if (!has_left && !has_ended (child, TERM_MS))
    kill (-child->pid, SIGKILL);
  while (waitpid (child->pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

static void
stop_listening (MmChild *child)
{
  guint64 one = 1;

  (void)!write (child->stop_fd, &one, sizeof one);
  g_thread_join (child->listener);
}

void
mm_child_free (MmChild *child)
{
  mm_fd_clear (&child->fd);
  if (child->pid > 0)
    end_process (child);
  if (child->listener != NULL)
    stop_listening (child);
  mm_fd_clear (&child->error_fd);
  mm_fd_clear (&child->stop_fd);
  g_mutex_clear (&child->lock);
  g_cond_clear (&child->changed);
  g_free (child->last_line);
  g_free (child->name);
  g_free (child);
}
