// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs a command and writes what it cost: wall seconds, user and system seconds, peak RSS in KiB
 * (of the largest of its processes), exit status, and whether it was ended for taking too long.
 *
 * A program of its own because the peak RSS of a child counts from the fork: a child of an
 * interpreter would start with the interpreter's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t was_late;
static pid_t child;

static void
on_signal (int number)
{
  was_late = was_late || number == SIGALRM;
  kill (-child, SIGKILL);
}

static double
seconds (struct timeval time)
{
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int
main (int argc, char **argv)
{
  struct timespec begin, end;
  struct rusage usage;
  int status;

  if (argc < 4)
    {
      fputs ("usage: measure REPORT SECONDS COMMAND [ARGUMENT]...\n", stderr);
      return 2;
    }
  clock_gettime (CLOCK_MONOTONIC, &begin);
  child = fork ();
  if (child == 0)
    {
      setpgid (0, 0);
      execvp (argv[3], argv + 3);
      fprintf (stderr, "measure: %s: %s\n", argv[3], strerror (errno));
      _exit (127);
    }
  setpgid (child, child);
  signal (SIGALRM, on_signal);
  signal (SIGTERM, on_signal);
  signal (SIGINT, on_signal);
  alarm ((unsigned)strtoul (argv[2], NULL, 10));
  while (wait4 (child, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  clock_gettime (CLOCK_MONOTONIC, &end);
  FILE *report = fopen (argv[1], "w");
  if (report == NULL)
    {
      perror (argv[1]);
      return 1;
    }
  fprintf (report, "%.6f %.6f %.6f %ld %d %d\n",
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
           seconds (usage.ru_utime), seconds (usage.ru_stime), usage.ru_maxrss,
           WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status), (int)was_late);
  return fclose (report) == 0 ? 0 : 1;
}
