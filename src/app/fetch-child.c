// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch-child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/fd.h>

/* How often the child says how far it is. */
#define TELL_MS 100

/* What the child sends: this, and behind a failure "PATH\0WHY\0". Each is one packet, so that nothing has
 * to be put together again. */
typedef struct
{
  gboolean is_failure;
  MmFetchProgress progress; /* else */
} Packet;

#define WORDS_OCTETS_MAX (PATH_MAX + 1024)

struct MmFetchChild
{
  MmFetchFailFunc func;
  gpointer user_data;
  pid_t pid; /* 0: it was waited for */
  int fd;
  MmFetchProgress progress; /* as told last */
};

/* ---- in the child ---- */

typedef struct
{
  int fd;
  _Atomic gboolean is_alone; /* nobody listens any more */
} Line;

static void
send_packet (Line *line, const Packet *packet, const gchar *words, gsize n_octets)
{
  guint8 octets[sizeof (Packet) + WORDS_OCTETS_MAX];

  memcpy (octets, packet, sizeof *packet);
  if (n_octets > 0)
    memcpy (octets + sizeof *packet, words, n_octets);
  while (send (line->fd, octets, sizeof *packet + n_octets, MSG_NOSIGNAL) < 0)
    if (errno != EINTR)
      {
        line->is_alone = TRUE;
        break;
      }
}

static void
send_failure (const gchar *path, const gchar *why, gpointer user_data)
{
  gchar words[WORDS_OCTETS_MAX] = "";
  gsize length = g_strlcpy (words, path, PATH_MAX);

  length = MIN (length, PATH_MAX - 1) + 1;
  gsize rest = g_strlcpy (words + length, why, sizeof words - length);
  length += MIN (rest, sizeof words - length - 1) + 1;
  send_packet (user_data, &(Packet){ .is_failure = TRUE }, words, length);
}

static void
send_progress (Line *line, MmFetchReaders *readers)
{
  Packet packet = { .is_failure = FALSE };

  mm_fetch_readers_get_progress (readers, &packet.progress);
  send_packet (line, &packet, NULL, 0);
}

/* Left behind, it must not keep the pipe open that somebody reads our output from. */
static void
close_standard_streams (void)
{
  int nowhere = open ("/dev/null", O_RDWR | O_CLOEXEC);

  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    dup2 (nowhere, fd);
}

static G_NORETURN void
run_child (const gchar *const *paths, int fd)
{
  struct timespec time = { .tv_nsec = TELL_MS * 1000 * 1000 };
  Line line = { .fd = fd };
  gboolean is_stopped = FALSE;
  sigset_t others, end;

  /* Of what the terminal says the parent tells. */
  sigemptyset (&others);
  sigaddset (&others, SIGINT);
  sigaddset (&others, SIGHUP);
  pthread_sigmask (SIG_BLOCK, &others, NULL);
  sigemptyset (&end);
  sigaddset (&end, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &end, NULL);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  close_standard_streams ();

  MmFetchReaders *readers = mm_fetch_readers_new (paths, send_failure, &line);
  while (!is_stopped && !line.is_alone && !mm_fetch_readers_is_done (readers))
    {
      is_stopped = sigtimedwait (&end, NULL, &time) > 0;
      send_progress (&line, readers);
    }
  mm_fetch_readers_stop (readers);
  send_progress (&line, readers);
  _exit (0);
}

/* ---- in the parent ---- */

MmFetchChild *
mm_fetch_child_new (const gchar *const *paths, MmFetchFailFunc func, gpointer user_data,
                    GError **error)
{
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    {
      g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, errno, "no socket"));
      return NULL;
    }
  mm_autofd int ours = ends[0];
  mm_autofd int theirs = ends[1];
  pid_t pid = fork ();
  if (pid < 0)
    {
      g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_SYSTEM, errno, "no process"));
      return NULL;
    }
  if (pid == 0)
    {
      mm_fd_clear (&ours);
      run_child (paths, theirs);
    }
  MmFetchChild *child = g_new0 (MmFetchChild, 1);
  child->func = func;
  child->user_data = user_data;
  child->pid = pid;
  child->fd = mm_fd_steal (&ours);
  child->progress.is_listing = TRUE;
  return child;
}

void
mm_fetch_child_free (MmFetchChild *child)
{
  if (child == NULL)
    return;
  /* It dies when the filesystem answers, or ends; that is not waited for. */
  if (child->pid != 0)
    kill (child->pid, SIGKILL);
  mm_fd_clear (&child->fd);
  g_free (child);
}

void
mm_fetch_child_stop (MmFetchChild *child)
{
  if (child->pid != 0)
    kill (child->pid, SIGTERM);
}

static void
take_packet (MmFetchChild *child, const guint8 *octets, gsize n_octets)
{
  Packet packet;

  g_assert (n_octets >= sizeof packet);
  memcpy (&packet, octets, sizeof packet);
  if (!packet.is_failure)
    {
      child->progress = packet.progress;
      return;
    }
  const gchar *path = (const gchar *) octets + sizeof packet;
  child->func (path, path + strlen (path) + 1, child->user_data);
}

/* FALSE with @error when it did not end by itself. */
static gboolean
reap (MmFetchChild *child, GError **error)
{
  int status = 0;

  while (waitpid (child->pid, &status, 0) < 0)
    if (errno != EINTR)
      break;
  child->pid = 0;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "the process that reads was ended: %s",
               WIFSIGNALED (status) ? g_strsignal (WTERMSIG (status)) : "it failed");
  return FALSE;
}

gboolean
mm_fetch_child_collect (MmFetchChild *child, MmFetchProgress *out, GError **error)
{
  guint8 octets[sizeof (Packet) + WORDS_OCTETS_MAX];
  gssize n;

  while ((n = recv (child->fd, octets, sizeof octets, MSG_DONTWAIT)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      take_packet (child, octets, (gsize) n);
  *out = child->progress;
  if (n < 0)
    return TRUE;
  /* The end of its socket is the end of the child. */
  reap (child, error);
  return FALSE;
}
