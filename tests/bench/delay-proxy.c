// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A TCP proxy on loopback that makes the way longer: every octet leaves @delay after it arrived, in
 * both directions, and no faster than an optional cap for all connections together.
 *
 * It counts what passes. In clear text it also counts command lines and what they ask for, so that
 * a run can say "no body was fetched" without a parser.
 *
 * One thread, edge-triggered epoll. What waits for its time lies in chunks of 256 KiB, taken from a
 * stack of free ones, so that without delay the same hot memory is used over and over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_OCTETS    (256 * 1024)
#define SMALL_OCTETS    (32 * 1024) /* less than this is copied into a chunk of its own size */
#define WINDOW_OCTETS   (64 * 1024 * 1024)
#define READS_PER_TURN  32
#define SECOND_NS       INT64_C (1000000000)
#define CAP_QUANTUM_NS  (SECOND_NS / 1000)
#define MIN_CAPPED_READ 1448

enum
{
  CLIENT,
  SERVER
};

typedef struct Chunk Chunk;
struct Chunk
{
  Chunk *next;
  int64_t due_ns;
  size_t begin, end, capacity;
  char octets[];
};

/* The pattern's first character occurs in it only once, so a mismatch needs no table. */
typedef struct
{
  const char *text;
  size_t matched;
} Matcher;

/* Octets on their way from one end to the other. */
typedef struct
{
  Chunk *head, *tail;
  size_t queued;
  int64_t end_due_ns; /* when the end of the stream leaves; 0 before it was seen */
  bool ended;
} Flow;

typedef struct Connection Connection;

typedef struct
{
  Connection *connection;
  int fd;
  bool readable, writable;
} End;

struct Connection
{
  Connection *next;
  End ends[2];
  Flow flows[2]; /* flows[CLIENT] is what the client sent */
  Matcher matchers[3];
  int64_t opens_ns; /* nothing is read before */
  bool broken;
};

static int epoll_fd = -1;
static int64_t delay_ns;
static int64_t cap_octets_per_second;
static int64_t link_free_ns[2];
static bool with_handshake;
static struct sockaddr_in target;
static Connection *connections;
static Chunk *free_chunks;

static uint64_t n_connections, n_octets[2], n_lines, n_matches[3];

static void
fail (const char *what)
{
  fprintf (stderr, "delay-proxy: %s: %s\n", what, strerror (errno));
  exit (1);
}

static int64_t
now_ns (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND_NS + time.tv_nsec;
}

/* ---- chunks ---- */

static Chunk *
chunk_new (size_t capacity)
{
  Chunk *chunk = free_chunks;

  if (capacity == CHUNK_OCTETS && chunk != NULL)
    free_chunks = chunk->next;
  else if ((chunk = malloc (sizeof *chunk + capacity)) == NULL)
    fail ("memory");
  chunk->next = NULL;
  chunk->begin = chunk->end = 0;
  chunk->capacity = capacity;
  return chunk;
}

static void
chunk_free (Chunk *chunk)
{
  if (chunk->capacity == CHUNK_OCTETS)
    {
      chunk->next = free_chunks;
      free_chunks = chunk;
    }
  else
    free (chunk);
}

static void
flow_push (Flow *flow, Chunk *chunk)
{
  if (flow->tail == NULL)
    flow->head = chunk;
  else
    flow->tail->next = chunk;
  flow->tail = chunk;
  flow->queued += chunk->end - chunk->begin;
}

static void
flow_pop (Flow *flow)
{
  Chunk *chunk = flow->head;

  flow->head = chunk->next;
  if (flow->head == NULL)
    flow->tail = NULL;
  chunk_free (chunk);
}

/* ---- connections ---- */

static void
watch (End *end)
{
  struct epoll_event event
      = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = end };
  const int yes = 1;

  setsockopt (end->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, end->fd, &event) != 0)
    fail ("epoll_ctl");
}

static void
connection_open (int client)
{
  Connection *connection = calloc (1, sizeof *connection);
  int server = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (connection == NULL || server < 0)
    fail ("a connection");
  connection->ends[CLIENT] = (End){ .connection = connection, .fd = client };
  connection->ends[SERVER] = (End){ .connection = connection, .fd = server };
  connection->matchers[0].text = "FETCH";
  connection->matchers[1].text = "BODY.PEEK[]";
  connection->matchers[2].text = "BODY.PEEK[HEADER]";
  /* The kernel answers a SYN at once. As on a real way, the client could speak after one round trip
   * and the server would hear of it half a round trip later. */
  if (with_handshake)
    connection->opens_ns = now_ns () + 2 * delay_ns;
  connection->next = connections;
  connections = connection;
  n_connections++;
  if (connect (server, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS)
    connection->broken = true;
  watch (&connection->ends[CLIENT]);
  watch (&connection->ends[SERVER]);
}

static void
connection_close (Connection *connection)
{
  Connection **link = &connections;

  while (*link != connection)
    link = &(*link)->next;
  *link = connection->next;
  for (int side = 0; side < 2; side++)
    {
      while (connection->flows[side].head != NULL)
        flow_pop (&connection->flows[side]);
      close (connection->ends[side].fd);
    }
  free (connection);
}

static void
count_commands (Connection *connection, const char *octets, size_t length)
{
  for (size_t i = 0; i < length; i++)
    {
      n_lines += octets[i] == '\n';
      for (size_t m = 0; m < 3; m++)
        {
          Matcher *matcher = &connection->matchers[m];
          if (octets[i] == matcher->text[matcher->matched])
            matcher->matched++;
          else
            matcher->matched = octets[i] == matcher->text[0];
          if (matcher->text[matcher->matched] == '\0')
            {
              n_matches[m]++;
              matcher->matched = 0;
            }
        }
    }
}

/* When octets that arrived now leave at the other side. */
static int64_t
due_time (int side, size_t length, int64_t now)
{
  if (cap_octets_per_second == 0)
    return now + delay_ns;
  if (link_free_ns[side] < now)
    link_free_ns[side] = now;
  link_free_ns[side] += (int64_t)length * SECOND_NS / cap_octets_per_second;
  return link_free_ns[side] + delay_ns;
}

static size_t
read_size (void)
{
  if (cap_octets_per_second == 0)
    return CHUNK_OCTETS;
  int64_t size = cap_octets_per_second * CAP_QUANTUM_NS / SECOND_NS;
  return size < MIN_CAPPED_READ ? MIN_CAPPED_READ
         : size > CHUNK_OCTETS  ? CHUNK_OCTETS
                                : (size_t)size;
}

/* Takes what has come from @side once; true when there may be more. */
static bool
take (Connection *connection, int side)
{
  End *end = &connection->ends[side];
  Flow *flow = &connection->flows[side];
  Chunk *chunk = chunk_new (CHUNK_OCTETS);
  ssize_t got = recv (end->fd, chunk->octets, read_size (), 0);
  int64_t now = now_ns ();

  if (got <= 0)
    {
      chunk_free (chunk);
      if (got < 0 && errno == EINTR)
        return true;
      end->readable = false;
      if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        flow->end_due_ns = due_time (side, 0, now);
      return false;
    }
  if (got < SMALL_OCTETS)
    {
      Chunk *small = chunk_new ((size_t)got);
      memcpy (small->octets, chunk->octets, (size_t)got);
      chunk_free (chunk);
      chunk = small;
    }
  chunk->end = (size_t)got;
  chunk->due_ns = due_time (side, (size_t)got, now);
  n_octets[side] += (uint64_t)got;
  if (side == CLIENT)
    count_commands (connection, chunk->octets, (size_t)got);
  flow_push (flow, chunk);
  return true;
}

/* Gives the other side what is due; false when the connection is lost. */
static bool
give (Connection *connection, int side)
{
  End *to = &connection->ends[!side];
  Flow *flow = &connection->flows[side];

  while (flow->head != NULL && to->writable && (delay_ns == 0 || flow->head->due_ns <= now_ns ())
         && (cap_octets_per_second == 0 || flow->head->due_ns <= now_ns ()))
    {
      Chunk *chunk = flow->head;
      ssize_t sent
          = send (to->fd, chunk->octets + chunk->begin, chunk->end - chunk->begin, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR)
        continue;
      if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
      if (sent < 0)
        {
          to->writable = false;
          break;
        }
      chunk->begin += (size_t)sent;
      flow->queued -= (size_t)sent;
      if (chunk->begin == chunk->end)
        flow_pop (flow);
    }
  if (flow->head == NULL && flow->end_due_ns != 0 && !flow->ended && to->writable
      && flow->end_due_ns <= now_ns ())
    {
      shutdown (to->fd, SHUT_WR);
      flow->ended = true;
    }
  return true;
}

/* Moves what can be moved; true when another turn would move more at once. */
static bool
pump (Connection *connection)
{
  bool more = false;

  for (int side = 0; side < 2; side++)
    {
      Flow *flow = &connection->flows[side];
      End *end = &connection->ends[side];
      if (connection->opens_ns != 0 && side == CLIENT)
        {
          if (now_ns () < connection->opens_ns)
            continue;
          connection->opens_ns = 0;
        }
      int turns = 0;
      while (end->readable && flow->end_due_ns == 0 && flow->queued < WINDOW_OCTETS
             && turns++ < READS_PER_TURN && take (connection, side))
        if (delay_ns == 0 && !give (connection, side))
          connection->broken = true;
      if (!give (connection, side))
        connection->broken = true;
      more |= end->readable && flow->end_due_ns == 0 && flow->queued < WINDOW_OCTETS;
    }
  return more;
}

static void
sooner (int64_t *next, int64_t due)
{
  if (due != 0 && (*next == 0 || due < *next))
    *next = due;
}

/* Moves everything; sets the timer to what comes next. */
static bool
pump_all (int timer)
{
  bool more = false;
  int64_t next_ns = 0;
  Connection *following;

  for (Connection *connection = connections; connection != NULL; connection = following)
    {
      following = connection->next;
      more |= pump (connection);
      if (connection->broken || (connection->flows[0].ended && connection->flows[1].ended))
        {
          connection_close (connection);
          continue;
        }
      sooner (&next_ns, connection->opens_ns);
      for (int side = 0; side < 2; side++)
        {
          const Flow *flow = &connection->flows[side];
          if (!connection->ends[!side].writable)
            continue;
          if (flow->head != NULL)
            sooner (&next_ns, flow->head->due_ns);
          else if (!flow->ended)
            sooner (&next_ns, flow->end_due_ns);
        }
    }
  struct itimerspec when
      = { .it_value = { .tv_sec = next_ns / SECOND_NS, .tv_nsec = next_ns % SECOND_NS } };
  timerfd_settime (timer, TFD_TIMER_ABSTIME, &when, NULL);
  return more;
}

/* ---- the program ---- */

static void
print_counters (void)
{
  printf ("{\"connections\": %" PRIu64 ", \"up\": %" PRIu64 ", \"down\": %" PRIu64
          ", \"lines\": %" PRIu64 ", \"fetches\": %" PRIu64 ", \"bodies\": %" PRIu64
          ", \"headers\": %" PRIu64 "}\n",
          n_connections, n_octets[CLIENT], n_octets[SERVER], n_lines, n_matches[0], n_matches[1],
          n_matches[2]);
  fflush (stdout);
}

static int
listen_on (uint16_t port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons (port),
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  const int yes = 1;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  setsockopt (listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (listener < 0 || bind (listener, (struct sockaddr *)&address, sizeof address) != 0
      || listen (listener, 128) != 0
      || getsockname (listener, (struct sockaddr *)&address, &length) != 0)
    fail ("listen");
  printf ("%u\n", ntohs (address.sin_port));
  fflush (stdout);
  return listener;
}

static int
watch_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigaddset (&set, SIGINT);
  sigaddset (&set, SIGTERM);
  sigprocmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void
add_plain (int *fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };
  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, *fd, &event) != 0)
    fail ("epoll_ctl");
}

static void
serve (int listener, int signals, int timer)
{
  struct epoll_event events[64];
  bool more = false;

  add_plain (&listener);
  add_plain (&signals);
  add_plain (&timer);
  for (;;)
    {
      int n_events = epoll_wait (epoll_fd, events, 64, more ? 0 : -1);
      for (int i = 0; i < n_events; i++)
        {
          void *source = events[i].data.ptr;
          struct signalfd_siginfo info;
          uint64_t ticks;
          if (source == &listener)
            for (int fd; (fd = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
              connection_open (fd);
          else if (source == &signals)
            while (read (signals, &info, sizeof info) == sizeof info)
              {
                print_counters ();
                if (info.ssi_signo != SIGUSR1)
                  return;
              }
          else if (source == &timer)
            {
              if (read (timer, &ticks, sizeof ticks) < 0)
                continue;
            }
          else
            {
              End *end = source;
              end->readable |= (events[i].events & ~(uint32_t)EPOLLOUT) != 0;
              end->writable |= (events[i].events & EPOLLOUT) != 0;
              /* A refused connection, or one that was reset. */
              if ((events[i].events & EPOLLERR) != 0)
                end->connection->broken = true;
            }
        }
      more = pump_all (timer);
    }
}

static int
usage (FILE *out, int status)
{
  fputs ("usage: delay-proxy [OPTIONS] HOST:PORT\n"
         "  --delay-us=N    each octet leaves N microseconds after it came (0), either way\n"
         "  --cap=N         octets a second, each way, all connections together (no cap)\n"
         "  --port=N        listen there, on 127.0.0.1 (any free port)\n"
         "  --handshake     a new connection costs its round trip, too\n"
         "Prints the port, and a line of counters on SIGUSR1 and at the end.\n",
         out);
  return status;
}

int
main (int argc, char **argv)
{
  static const struct option options[] = {
    { "delay-us", required_argument, NULL, 'd' }, { "cap", required_argument, NULL, 'c' },
    { "port", required_argument, NULL, 'p' },     { "handshake", no_argument, NULL, 's' },
    { "help", no_argument, NULL, 'h' },           { NULL, 0, NULL, 0 },
  };
  uint16_t port = 0;
  int option;

  while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1)
    switch (option)
      {
      case 'd':
        delay_ns = strtoll (optarg, NULL, 10) * 1000;
        break;
      case 'c':
        cap_octets_per_second = strtoll (optarg, NULL, 10);
        break;
      case 'p':
        port = (uint16_t)strtoul (optarg, NULL, 10);
        break;
      case 's':
        with_handshake = true;
        break;
      case 'h':
        return usage (stdout, 0);
      default:
        return usage (stderr, 2);
      }
  char *colon = optind + 1 == argc ? strrchr (argv[optind], ':') : NULL;
  if (colon == NULL)
    return usage (stderr, 2);
  *colon = '\0';
  target.sin_family = AF_INET;
  target.sin_port = htons ((uint16_t)strtoul (colon + 1, NULL, 10));
  if (inet_pton (AF_INET, argv[optind], &target.sin_addr) != 1)
    return usage (stderr, 2);
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  int signals = watch_signals ();
  int timer = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll_fd < 0 || signals < 0 || timer < 0)
    fail ("epoll, signalfd, timerfd");
  serve (listen_on (port), signals, timer);
  return 0;
}
