// SPDX-License-Identifier: GPL-3.0-or-later
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailmount/clock.h>

#include "daemonize.h"

/* What the process in the background does; @report_fd ends with it. */
typedef void (*Scenario) (MmDaemonizer *daemonizer, int report_fd);

typedef struct
{
  int status;     /* the parent's, as waitpid gives it */
  gchar *report;  /* what the child wrote on its descriptor */
  gchar *message; /* standard error of both */
} Outcome;

static gchar *
read_to_end (int fd)
{
  GString *text = g_string_new (NULL);
  gchar buffer[256];
  ssize_t n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n);
  close (fd);
  return g_string_free (text, FALSE);
}

/* Runs daemonize in a process of its own, as it forks and exits. @doom: a signal that process
 * gets once the child has reported the first octet; 0 for none. */
static Outcome
play (Scenario scenario, int doom)
{
  int report[2], message[2];
  Outcome outcome = { 0 };
  gchar first;

  g_assert_cmpint (pipe (report), ==, 0);
  g_assert_cmpint (pipe (message), ==, 0);
  pid_t pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      close (report[0]);
      close (message[0]);
      dup2 (message[1], STDERR_FILENO);
      close (message[1]);
      MmDaemonizer *daemonizer = mm_daemonize_begin (7, NULL);
      scenario (daemonizer, report[1]);
      _exit (99);
    }
  close (report[1]);
  close (message[1]);
  if (doom != 0)
    {
      g_assert_cmpint (read (report[0], &first, 1), ==, 1);
      kill (pid, doom);
    }
  g_assert_cmpint (waitpid (pid, &outcome.status, 0), ==, pid);
  outcome.report = read_to_end (report[0]);
  outcome.message = read_to_end (message[0]);
  return outcome;
}

static void
outcome_clear (Outcome *outcome)
{
  g_free (outcome->report);
  g_free (outcome->message);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
become_ready (MmDaemonizer *daemonizer, int report_fd)
{
  pid_t session = getsid (0);
  g_autoptr (GError) error = NULL;

  if (!mm_daemonize_ready (daemonizer, &error))
    _exit (98);
  g_autofree gchar *here = g_get_current_dir ();
  gchar link[64] = "";
  (void) !readlink ("/proc/self/fd/2", link, sizeof link - 1);
  dprintf (report_fd, "%s %s %s", here, link, getsid (0) != session ? "own" : "same");
  mm_daemonizer_free (daemonizer);
  _exit (0);
}

static void
test_the_parent_leaves_when_the_child_is_ready (void)
{
  g_auto (Outcome) outcome = play (become_ready, 0);

  g_assert_true (WIFEXITED (outcome.status));
  g_assert_cmpint (WEXITSTATUS (outcome.status), ==, 0);
  g_assert_cmpstr (outcome.report, ==, "/ /dev/null own");
  g_assert_cmpstr (outcome.message, ==, "");
}

static void
fail_with_reason (MmDaemonizer *daemonizer, int report_fd)
{
  fprintf (stderr, "the reason\n");
  _exit (32);
}

static void
test_a_failure_is_printed_and_its_status_passed_on (void)
{
  g_auto (Outcome) outcome = play (fail_with_reason, 0);

  g_assert_cmpint (WEXITSTATUS (outcome.status), ==, 32);
  g_assert_cmpstr (outcome.message, ==, "the reason\n");
}

static void
crash (MmDaemonizer *daemonizer, int report_fd)
{
  kill (getpid (), SIGKILL);
}

static void
end_silently (MmDaemonizer *daemonizer, int report_fd)
{
  _exit (0);
}

static void
test_a_silent_end_is_not_silent (void)
{
  g_auto (Outcome) crashed = play (crash, 0);
  g_auto (Outcome) ended = play (end_silently, 0);

  g_assert_cmpint (WEXITSTATUS (crashed.status), ==, 7);
  g_assert_nonnull (strstr (crashed.message, "signal 9"));
  g_assert_cmpint (WEXITSTATUS (ended.status), ==, 7);
  g_assert_nonnull (strstr (ended.message, "without saying why"));
}

static void
wait_long (MmDaemonizer *daemonizer, int report_fd)
{
  dprintf (report_fd, ".");
  for (;;)
    pause ();
}

static void
test_a_killed_parent_takes_the_child_along (void)
{
  /* Returns only when the child has gone, as it holds the pipes. */
  g_auto (Outcome) outcome = play (wait_long, SIGKILL);

  g_assert_true (WIFSIGNALED (outcome.status));
}

static void
test_the_foreground_needs_no_daemonizer (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (mm_daemonize_ready (NULL, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/daemonize/the-parent-leaves-when-the-child-is-ready",
                   test_the_parent_leaves_when_the_child_is_ready);
  g_test_add_func ("/daemonize/a-failure-is-printed-and-its-status-passed-on",
                   test_a_failure_is_printed_and_its_status_passed_on);
  g_test_add_func ("/daemonize/a-silent-end-is-not-silent", test_a_silent_end_is_not_silent);
  g_test_add_func ("/daemonize/a-killed-parent-takes-the-child-along",
                   test_a_killed_parent_takes_the_child_along);
  g_test_add_func ("/daemonize/the-foreground-needs-no-daemonizer",
                   test_the_foreground_needs_no_daemonizer);
  return g_test_run ();
}
