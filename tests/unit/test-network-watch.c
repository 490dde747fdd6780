// SPDX-License-Identifier: GPL-3.0-or-later
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <mailmount/network-watch.h>

#include "test-namespace.h"

#define SECOND G_USEC_PER_SEC

/* ---- messages ---- */

static void
append_message (GByteArray *buffer, guint16 type, gconstpointer body, gsize length)
{
  struct nlmsghdr header = { .nlmsg_len = (guint32) NLMSG_LENGTH (length), .nlmsg_type = type };
  static const guint8 padding[NLMSG_ALIGNTO];

  g_byte_array_append (buffer, (const guint8 *) &header, sizeof header);
  g_byte_array_append (buffer, body, (guint) length);
  g_byte_array_append (buffer, padding, (guint) (NLMSG_ALIGN (length) - length));
}

static MmNetworkChange
change_of (guint16 type, gconstpointer body, gsize length)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();

  append_message (buffer, type, body, length);
  return mm_network_change_of_messages (buffer->data, buffer->len);
}

static MmNetworkChange
change_of_link (guint changed_flags)
{
  struct ifinfomsg link = { .ifi_change = changed_flags };

  return change_of (RTM_NEWLINK, &link, sizeof link);
}

static MmNetworkChange
change_of_address (guint16 type, guint8 scope)
{
  struct ifaddrmsg address = { .ifa_scope = scope };

  return change_of (type, &address, sizeof address);
}

static MmNetworkChange
change_of_route (guint16 type, guint8 prefix_length)
{
  struct rtmsg route = { .rtm_dst_len = prefix_length };

  return change_of (type, &route, sizeof route);
}

static void
test_messages (void)
{
  /* A link that is merely told of again, by an access point for example, is no news. */
  g_assert_cmpint (change_of_link (0), ==, 0);
  g_assert_cmpint (change_of_link (IFF_UP), ==, MM_NETWORK_MAY_BE_BACK);

  g_assert_cmpint (change_of_address (RTM_NEWADDR, RT_SCOPE_UNIVERSE), ==, MM_NETWORK_MAY_BE_BACK);
  g_assert_cmpint (change_of_address (RTM_DELADDR, RT_SCOPE_UNIVERSE), ==, MM_NETWORK_MAY_BE_LOST);
  g_assert_cmpint (change_of_address (RTM_DELADDR, RT_SCOPE_LINK), ==, 0);

  g_assert_cmpint (change_of_route (RTM_NEWROUTE, 0), ==, MM_NETWORK_MAY_BE_BACK);
  g_assert_cmpint (change_of_route (RTM_DELROUTE, 0), ==, MM_NETWORK_MAY_BE_LOST);
  g_assert_cmpint (change_of_route (RTM_DELROUTE, 24), ==, 0);
}

static void
test_buffers (void)
{
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  struct ifaddrmsg address = { .ifa_scope = RT_SCOPE_UNIVERSE };

  g_assert_cmpint (mm_network_change_of_messages (buffer->data, 0), ==, 0);
  append_message (buffer, RTM_NEWADDR, &address, sizeof address);
  append_message (buffer, RTM_DELADDR, &address, sizeof address);
  g_assert_cmpint (mm_network_change_of_messages (buffer->data, buffer->len), ==,
                   MM_NETWORK_MAY_BE_BACK | MM_NETWORK_MAY_BE_LOST);
  /* A message that is cut, or has no body, is none. */
  g_assert_cmpint (mm_network_change_of_messages (buffer->data, sizeof (struct nlmsghdr) + 1), ==,
                   0);
  g_assert_cmpint (change_of (RTM_DELADDR, "", 0), ==, 0);
  g_assert_cmpint (change_of (RTM_DELROUTE, "", 0), ==, 0);
  g_assert_cmpint (change_of (RTM_NEWLINK, "", 0), ==, 0);
}

/* ---- clocks ---- */

static void
test_sleep (void)
{
  const MmNetworkMoment before = { 100 * (gint64) SECOND, 50 * (gint64) SECOND };
  MmNetworkMoment in_time = { 105 * (gint64) SECOND + 1000, 55 * (gint64) SECOND + 1000 };
  MmNetworkMoment early = { 101 * (gint64) SECOND, 51 * (gint64) SECOND };
  MmNetworkMoment suspended = { 3702 * (gint64) SECOND, 52 * (gint64) SECOND };
  MmNetworkMoment stopped = { 110 * (gint64) SECOND, 60 * (gint64) SECOND };

  g_assert_false (mm_network_has_slept (&before, &in_time, 5 * SECOND));
  g_assert_false (mm_network_has_slept (&before, &early, 5 * SECOND));
  g_assert_true (mm_network_has_slept (&before, &suspended, 5 * SECOND));
  g_assert_true (mm_network_has_slept (&before, &stopped, 5 * SECOND));
}

/* ---- a real network ---- */

typedef struct
{
  GMutex lock;
  GCond changed;
  MmNetworkChange seen;
} Seen;

static void
note (MmNetworkChange change, gpointer user_data)
{
  Seen *seen = user_data;

  g_mutex_lock (&seen->lock);
  seen->seen |= change;
  g_cond_signal (&seen->changed);
  g_mutex_unlock (&seen->lock);
}

/* In a network namespace of its own, as an ordinary user would be. */
static void
watch_a_network (const gchar *directory, int report_fd)
{
  Seen seen = { 0 };
  gint64 deadline_us = g_get_monotonic_time () + 20 * SECOND;

  test_child_enter_network ();
  g_mutex_init (&seen.lock);
  g_cond_init (&seen.changed);
  MmNetworkWatch *watch = mm_network_watch_new (note, &seen);
  test_child_set_loopback (TRUE);
  g_mutex_lock (&seen.lock);
  while ((seen.seen & MM_NETWORK_MAY_BE_BACK) == 0)
    if (!g_cond_wait_until (&seen.changed, &seen.lock, deadline_us))
      _exit (1);
  g_mutex_unlock (&seen.lock);
  mm_network_watch_free (watch);
  _exit (0);
}

static void
test_link_comes_up (void)
{
  int report_fd;
  int status;
  pid_t pid = test_child_start (watch_a_network, NULL, &report_fd);

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  close (report_fd);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == TEST_EXIT_UNAVAILABLE)
    g_test_skip ("no network namespaces here");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/messages-are-judged", test_messages);
  g_test_add_func ("/network/buffers-are-bounded", test_buffers);
  g_test_add_func ("/network/sleep-is-noticed", test_sleep);
  g_test_add_func ("/network/link-that-comes-up-is-noticed", test_link_comes_up);
  return g_test_run ();
}
