// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/network-watch.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/log.h>

/* How often the clocks are compared: a network that is back after a sleep says so by itself, so that
 * this is for what nobody says. */
#define TICK_US (5 * G_USEC_PER_SEC)
/* A busy machine is late too. */
#define LATE_US (2 * G_USEC_PER_SEC)

struct MmNetworkWatch
{
  MmNetworkFunc func;
  gpointer user_data;
  GThread *thread;
  int netlink_fd; /* -1: this system has none */
  int end_fd;     /* an eventfd */
};

/* ---- judging ---- */

/* Links, addresses and routes come and go all day on a machine with containers, and are told again
 * whenever a router or an access point says that it is there. */
static MmNetworkChange
change_of_link (const struct ifinfomsg *link)
{
  return link->ifi_change != 0 ? MM_NETWORK_MAY_BE_BACK : 0;
}

static MmNetworkChange
change_of_address (guint16 type, const struct ifaddrmsg *address)
{
  if (address->ifa_scope >= RT_SCOPE_LINK)
    return 0;
  return type == RTM_NEWADDR ? MM_NETWORK_MAY_BE_BACK : MM_NETWORK_MAY_BE_LOST;
}

/* Only the default route concerns everybody. */
static MmNetworkChange
change_of_route (guint16 type, const struct rtmsg *route)
{
  if (type == RTM_NEWROUTE)
    return MM_NETWORK_MAY_BE_BACK;
  return route->rtm_dst_len == 0 ? MM_NETWORK_MAY_BE_LOST : 0;
}

static gboolean
has_body (const struct nlmsghdr *message, gsize length)
{
  return message->nlmsg_len >= NLMSG_LENGTH (length);
}

static MmNetworkChange
change_of_message (const struct nlmsghdr *message)
{
  switch (message->nlmsg_type)
    {
    case RTM_NEWLINK:
      return has_body (message, sizeof (struct ifinfomsg)) ? change_of_link (NLMSG_DATA (message))
                                                           : 0;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return has_body (message, sizeof (struct ifaddrmsg))
                 ? change_of_address (message->nlmsg_type, NLMSG_DATA (message))
                 : 0;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return has_body (message, sizeof (struct rtmsg))
                 ? change_of_route (message->nlmsg_type, NLMSG_DATA (message))
                 : 0;
    default:
      return 0;
    }
}

MmNetworkChange
mm_network_change_of_messages (const void *messages, gsize length)
{
  MmNetworkChange change = 0;
  guint left = (guint) length;

  for (const struct nlmsghdr *message = messages; NLMSG_OK (message, left);
       message = NLMSG_NEXT (message, left))
    change |= change_of_message (message);
  return change;
}

gboolean
mm_network_has_slept (const MmNetworkMoment *before, const MmNetworkMoment *now, gint64 tick_us)
{
  gint64 passed_us = now->monotonic_us - before->monotonic_us;
  gint64 awake_us = now->awake_us - before->awake_us;

  return passed_us - awake_us > LATE_US || awake_us - tick_us > LATE_US;
}

static MmNetworkMoment
look (void)
{
  return (MmNetworkMoment){ mm_clock_monotonic_us (), g_get_monotonic_time () };
}

/* ---- the thread ---- */

static int
open_netlink (void)
{
  struct sockaddr_nl address = {
    .nl_family = AF_NETLINK,
    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE
                 | RTMGRP_IPV6_ROUTE,
  };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  mm_log_info ("changes of the network are not noticed here: %s", g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static MmNetworkChange
read_netlink (int fd)
{
  _Alignas (struct nlmsghdr) gchar buffer[16384];
  MmNetworkChange change = 0;
  ssize_t n;

  while ((n = recv (fd, buffer, sizeof buffer, 0)) > 0)
    change |= mm_network_change_of_messages (buffer, (gsize) n);
  /* More happened than the kernel had room to tell. */
  if (n < 0 && errno == ENOBUFS)
    change |= MM_NETWORK_MAY_BE_BACK | MM_NETWORK_MAY_BE_LOST;
  return change;
}

static gpointer
watch_main (gpointer data)
{
  MmNetworkWatch *watch = data;
  struct pollfd fds[] = {
    { .fd = watch->end_fd, .events = POLLIN },
    { .fd = watch->netlink_fd, .events = POLLIN }, /* a negative one is ignored */
  };

  for (;;)
    {
      MmNetworkMoment before = look ();
      int n = poll (fds, G_N_ELEMENTS (fds), TICK_US / 1000);
      MmNetworkMoment now = look ();
      MmNetworkChange change = 0;

      if (fds[0].revents != 0)
        return NULL;
      if (n > 0 && fds[1].revents != 0)
        change = read_netlink (watch->netlink_fd);
      if (mm_network_has_slept (&before, &now, TICK_US))
        change |= MM_NETWORK_MAY_BE_BACK | MM_NETWORK_MAY_BE_LOST;
      if (change != 0)
        watch->func (change, watch->user_data);
    }
}

MmNetworkWatch *
mm_network_watch_new (MmNetworkFunc func, gpointer user_data)
{
  MmNetworkWatch *watch = g_new0 (MmNetworkWatch, 1);

  watch->func = func;
  watch->user_data = user_data;
  watch->netlink_fd = open_netlink ();
  watch->end_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (watch->end_fd < 0)
    g_error ("no descriptor for the network's watch: %s", g_strerror (errno));
  watch->thread = g_thread_new ("mm-network", watch_main, watch);
  return watch;
}

void
mm_network_watch_free (MmNetworkWatch *watch)
{
  guint64 one = 1;

  (void) !write (watch->end_fd, &one, sizeof one);
  g_thread_join (watch->thread);
  if (watch->netlink_fd >= 0)
    close (watch->netlink_fd);
  close (watch->end_fd);
  g_free (watch);
}
