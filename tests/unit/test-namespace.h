// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs part of a test in a child process: to kill it, or to give it a small disk of its own.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "test-directory.h"

#define TEST_EXIT_UNAVAILABLE 77

/* In a child: a network of its own, in which there is nothing but a loopback that is down. Ends the
 * child where the system has none to give. */
static inline void
test_child_enter_network (void)
{
  if (unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    _exit (TEST_EXIT_UNAVAILABLE);
}

static inline void
test_child_set_loopback (gboolean is_up)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = is_up ? IFF_UP | IFF_RUNNING : 0 };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0 || ioctl (fd, SIOCSIFFLAGS, &request) != 0)
    _exit (TEST_EXIT_UNAVAILABLE);
  close (fd);
}

typedef void (*TestChildFunc) (const gchar *directory, int report_fd);

/* The child ends without running the parent's cleanups. */
static inline pid_t
test_child_start (TestChildFunc func, const gchar *directory, int *out_report_fd)
{
  int ends[2];

  g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
  pid_t pid = fork ();
  g_assert_no_errno (pid);
  if (pid == 0)
    {
      close (ends[0]);
      func (directory, ends[1]);
      _exit (0);
    }
  close (ends[1]);
  *out_report_fd = ends[0];
  return pid;
}

/* Waits for @n_reports octets of the child, kills it there, and waits for its end. */
static inline void
test_child_kill_after (pid_t pid, int report_fd, guint n_reports)
{
  gchar octet;
  int status;

  for (guint i = 0; i < n_reports; i++)
    if (read (report_fd, &octet, 1) != 1)
      break;
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) || (WIFEXITED (status) && WEXITSTATUS (status) == 0));
  close (report_fd);
}

static inline gboolean
test_write_file (const gchar *path, const gchar *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean is_written = fd >= 0 && write (fd, text, strlen (text)) == (gssize) strlen (text);

  if (fd >= 0)
    close (fd);
  return is_written;
}

/* A file system of @size_option ("size=1m,mode=0700") on @directory, seen by this process only. */
static inline gboolean
test_mount_small_disk (const gchar *directory, const gchar *size_option)
{
  g_autofree gchar *uid_map = g_strdup_printf ("0 %d 1", (int) geteuid ());
  g_autofree gchar *gid_map = g_strdup_printf ("0 %d 1", (int) getegid ());
  gboolean is_root = geteuid () == 0;

  if (unshare (CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0)
    return FALSE;
  if (!is_root
      && (!test_write_file ("/proc/self/setgroups", "deny")
          || !test_write_file ("/proc/self/uid_map", uid_map)
          || !test_write_file ("/proc/self/gid_map", gid_map)))
    return FALSE;
  return mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("tmpfs", directory, "tmpfs", 0, size_option) == 0;
}

/* Runs @func in a child on a small disk. Skips visibly where the system does not allow it; root may
 * always do it. */
static inline void
test_run_on_small_disk (TestChildFunc func, const gchar *size_option)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  int status;
  pid_t pid = fork ();

  g_assert_no_errno (pid);
  if (pid == 0)
    {
      if (!test_mount_small_disk (directory, size_option))
        _exit (TEST_EXIT_UNAVAILABLE);
      func (directory, -1);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == TEST_EXIT_UNAVAILABLE && geteuid () != 0)
    g_test_skip ("this user may not make a namespace with a small disk");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}
