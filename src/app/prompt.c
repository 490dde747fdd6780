// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "prompt.h"

#define LINE_OCTETS_MAX 4096 /* what a terminal's line discipline holds */
#define INTERRUPT_MS    100  /* how late an interrupt may be noticed */

static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Handlers can hold no state of their own. */
static volatile sig_atomic_t interrupted;

static void
note_interrupt (int number)
{
  interrupted = 1;
}

typedef struct
{
  struct termios terminal;
  struct sigaction handlers[G_N_ELEMENTS (interrupts)];
  struct sigaction stop_handler;
} Saved;

/* From here on an interrupt ends read() instead of the process, and ^Z does nothing: both would
 * leave the terminal without echo. */
static void
catch_interrupts (Saved *saved)
{
  struct sigaction action = { .sa_handler = note_interrupt };
  struct sigaction ignore = { .sa_handler = SIG_IGN };

  interrupted = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (interrupts); i++)
    sigaction (interrupts[i], &action, &saved->handlers[i]);
  sigaction (SIGTSTP, &ignore, &saved->stop_handler);
}

static void
release_interrupts (const Saved *saved)
{
  for (gsize i = 0; i < G_N_ELEMENTS (interrupts); i++)
    sigaction (interrupts[i], &saved->handlers[i], NULL);
  sigaction (SIGTSTP, &saved->stop_handler, NULL);
}

/* Reads one line without its end; -1 when interrupted or at the end of input. The signal may come to
 * another thread, and then ends no call of this one. */
static gssize
read_line (int fd, gchar *line)
{
  gsize length = 0;

  while (length < LINE_OCTETS_MAX && !interrupted)
    {
      struct pollfd polled = { .fd = fd, .events = POLLIN };

      if (poll (&polled, 1, INTERRUPT_MS) <= 0)
        continue;
      ssize_t n = read (fd, line + length, LINE_OCTETS_MAX - length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return length > 0 ? (gssize) length : -1;
      length += (gsize) n;
      gchar *newline = memchr (line, '\n', length);
      if (newline != NULL)
        return newline - line;
    }
  return -1;
}

static MmSecret *
ask (int fd, const gchar *question, GError **error)
{
  Saved saved;
  gchar line[LINE_OCTETS_MAX];
  MmSecret *secret = NULL;

  if (tcgetattr (fd, &saved.terminal) != 0)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "the terminal cannot be used: %s",
                   g_strerror (errno));
      return NULL;
    }
  struct termios silent = saved.terminal;
  silent.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK);
  silent.c_lflag |= ICANON | ISIG;

  g_autofree gchar *shown = mm_log_printable (question);
  catch_interrupts (&saved);
  tcsetattr (fd, TCSAFLUSH, &silent);
  dprintf (fd, "%s", shown);
  gssize length = read_line (fd, line);
  dprintf (fd, "\n");
  tcsetattr (fd, TCSAFLUSH, &saved.terminal);
  release_interrupts (&saved);

  if (interrupted)
    g_set_error_literal (error, MM_ERROR, MM_ERROR_CANCELLED, "interrupted");
  else if (length <= 0)
    g_set_error_literal (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "no password was typed");
  else
    secret = mm_secret_new (line, (gsize) length);
  mm_secret_wipe (line, sizeof line);
  return secret;
}

MmSecret *
mm_prompt_secret (const gchar *question, GError **error)
{
  mm_autofd int fd = open ("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

  if (fd < 0)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                           "there is no terminal to ask on");
      return NULL;
    }
  return ask (fd, question, error);
}
