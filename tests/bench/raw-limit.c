// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How fast it could be: one connection, everything asked for at once, the answers hardly looked at.
 * No client can copy an account faster from this server over this way.
 *
 * Folder names are taken from LIST and sent back as they came, quotes included.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_OCTETS (1024 * 1024)
#define MAX_FOLDERS   4096

typedef struct
{
  int fd;
  SSL *ssl; /* NULL in clear text */
  char *buffer;
  size_t begin, end;
  uint64_t literal_left;
  const char *files; /* directory for a file per literal, or NULL */
  int file;          /* the one being written, or -1 */
  unsigned folder;   /* whose answers are coming */
  uint64_t n_literals, n_literal_octets, n_fetches, n_octets;
  char *folders[MAX_FOLDERS];
  unsigned n_folders;
} Client;

static _Noreturn void
fail (const char *what)
{
  fprintf (stderr, "raw-limit: %s: %s\n", what, strerror (errno));
  ERR_print_errors_fp (stderr);
  exit (1);
}

/* ---- the connection ---- */

static void
open_connection (Client *client, const char *host, uint16_t port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  const int yes = 1;

  if (inet_pton (AF_INET, host, &address.sin_addr) != 1)
    fail (host);
  client->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client->fd < 0 || connect (client->fd, (struct sockaddr *)&address, sizeof address) != 0)
    fail ("connect");
  setsockopt (client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void
start_tls (Client *client, const char *cafile)
{
  SSL_CTX *context = SSL_CTX_new (TLS_client_method ());

  if (cafile != NULL)
    {
      if (SSL_CTX_load_verify_locations (context, cafile, NULL) != 1)
        fail (cafile);
      SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
    }
  SSL_CTX_set_read_ahead (context, 1);
  SSL_CTX_set_default_read_buffer_len (context, 256 * 1024);
  client->ssl = SSL_new (context);
  SSL_set_fd (client->ssl, client->fd);
  if (SSL_connect (client->ssl) != 1)
    fail ("TLS");
}

static void
send_text (Client *client, const char *text)
{
  size_t length = strlen (text);

  while (length > 0)
    {
      ssize_t sent = client->ssl != NULL ? SSL_write (client->ssl, text, (int)length)
                                         : send (client->fd, text, length, MSG_NOSIGNAL);
      if (sent <= 0)
        fail ("send");
      text += sent;
      length -= (size_t)sent;
    }
}

static void
receive (Client *client)
{
  if (client->begin == client->end)
    client->begin = client->end = 0;
  else if (client->end == BUFFER_OCTETS)
    {
      memmove (client->buffer, client->buffer + client->begin, client->end - client->begin);
      client->end -= client->begin;
      client->begin = 0;
    }
  size_t room = BUFFER_OCTETS - client->end;
  if (room == 0)
    fail ("an endless line");
  ssize_t got = client->ssl != NULL
                    ? SSL_read (client->ssl, client->buffer + client->end, (int)room)
                    : recv (client->fd, client->buffer + client->end, room, 0);
  if (got <= 0)
    fail ("the connection ended");
  client->end += (size_t)got;
  client->n_octets += (uint64_t)got;
}

/* ---- answers ---- */

static void
begin_literal (Client *client, uint64_t length)
{
  char path[4096];

  client->literal_left = length;
  client->n_literals++;
  client->n_literal_octets += length;
  if (client->files == NULL)
    return;
  snprintf (path, sizeof path, "%s/%03u/%08llu.eml", client->files, client->folder,
            (unsigned long long)client->n_literals);
  client->file = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (client->file < 0)
    fail (path);
}

static void
take_literal (Client *client)
{
  size_t length = client->end - client->begin;

  if (length > client->literal_left)
    length = (size_t)client->literal_left;
  if (client->file >= 0
      && write (client->file, client->buffer + client->begin, length) != (ssize_t)length)
    fail ("write");
  client->begin += length;
  client->literal_left -= length;
  if (client->literal_left == 0 && client->file >= 0)
    {
      close (client->file);
      client->file = -1;
    }
}

/* * LIST (\HasNoChildren) "/" "name" */
static void
take_list (Client *client, char *line)
{
  char *flags_end = strstr (line, ") ");
  char *name = flags_end != NULL ? strchr (flags_end + 2, ' ') : NULL;
  char *flag = strcasestr (line, "\\Noselect");

  if (name == NULL || client->n_folders == MAX_FOLDERS || (flag != NULL && flag < flags_end))
    return;
  client->folders[client->n_folders++] = strdup (name + 1);
}

/* Takes a line without its end. True when it is the tagged answer to @tag. */
static bool
take_line (Client *client, char *line, size_t length, const char *tag)
{
  if (length > 0 && line[length - 1] == '}')
    {
      char *brace = memrchr (line, '{', length);
      if (brace != NULL)
        begin_literal (client, strtoull (brace + 1, NULL, 10));
    }
  if (line[0] == '*')
    {
      char *word = length > 2 ? strchr (line + 2, ' ') : NULL;
      client->n_fetches += word != NULL && strncmp (word, " FETCH", 6) == 0;
      if (strncmp (line, "* LIST", 6) == 0)
        take_list (client, line);
      return false;
    }
  if (line[0] != 'f' && line[0] != 't')
    return false; /* the rest of a line after a literal */
  char *space = strchr (line, ' ');
  if (space == NULL)
    return false;
  if (strncmp (space, " OK", 3) != 0)
    {
      fprintf (stderr, "raw-limit: the server said: %s\n", line);
      exit (1);
    }
  /* f3 ends the answers for folder 3. */
  if (line[0] == 'f')
    client->folder = (unsigned)strtoul (line + 1, NULL, 10) + 1;
  return strncmp (line, tag, strlen (tag)) == 0 && line + strlen (tag) == space;
}

/* Reads until the tagged answer to @tag; @tag "*" means: one line, the greeting. */
static void
read_until (Client *client, const char *tag)
{
  for (;;)
    {
      if (client->literal_left > 0 && client->begin < client->end)
        take_literal (client);
      char *line = client->buffer + client->begin;
      char *newline
          = client->literal_left > 0 ? NULL : memchr (line, '\n', client->end - client->begin);
      if (newline == NULL)
        {
          receive (client);
          continue;
        }
      client->begin += (size_t)(newline - line) + 1;
      size_t length = (size_t)(newline - line);
      if (length > 0 && line[length - 1] == '\r')
        length--;
      line[length] = '\0';
      if (take_line (client, line, length, tag) || *tag == '*')
        return;
    }
}

/* ---- the program ---- */

static const char *
items_named (const char *name)
{
  static const char *const known[][2] = {
    { "bodies", "(BODY.PEEK[])" },
    { "listing", "(FLAGS INTERNALDATE RFC822.SIZE)" },
    { "subject", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])" },
    { "head", "(BODY.PEEK[]<0.4096>)" },
  };

  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp (name, known[i][0]) == 0)
      return known[i][1];
  fprintf (stderr, "raw-limit: unknown items '%s'\n", name);
  exit (2);
}

static void
fetch_everything (Client *client, const char *items)
{
  size_t size = 256;
  for (unsigned i = 0; i < client->n_folders; i++)
    size += strlen (client->folders[i]) + strlen (items) + 80;
  char *commands = malloc (size), *p = commands, last[16];

  for (unsigned i = 0; i < client->n_folders; i++)
    {
      char path[4096];
      p += sprintf (p, "t EXAMINE %s\r\nf%u UID FETCH 1:* %s\r\n", client->folders[i], i, items);
      if (client->files == NULL)
        continue;
      snprintf (path, sizeof path, "%s/%03u", client->files, i);
      if (mkdir (path, 0755) != 0)
        fail (path);
    }
  *p = '\0';
  snprintf (last, sizeof last, "f%u", client->n_folders - 1);
  send_text (client, commands);
  free (commands);
  if (client->n_folders > 0)
    read_until (client, last);
}

static int
usage (FILE *out, int status)
{
  fputs ("usage: raw-limit [OPTIONS] HOST:PORT USER PASSWORD\n"
         "  --tls             TLS from the first octet; --cafile=PEM to verify\n"
         "  --items=NAME      bodies (default), listing, subject (listing and subjects), head\n"
         "  --folder=NAME     this one only, as it goes over the wire\n"
         "  --files=DIR       a file for each message, in a new directory\n"
         "  --list-status     no messages: one LIST with STATUS of every folder\n",
         out);
  return status;
}

int
main (int argc, char **argv)
{
  static const struct option options[] = {
    { "tls", no_argument, NULL, 't' },         { "cafile", required_argument, NULL, 'c' },
    { "items", required_argument, NULL, 'i' }, { "folder", required_argument, NULL, 'f' },
    { "files", required_argument, NULL, 'd' }, { "list-status", no_argument, NULL, 's' },
    { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
  };
  Client client = { .file = -1 };
  const char *cafile = NULL, *items = items_named ("bodies");
  bool with_tls = false, list_status = false;
  char text[1024];
  int option;

  while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1)
    switch (option)
      {
      case 't':
        with_tls = true;
        break;
      case 'c':
        cafile = optarg;
        break;
      case 'i':
        items = items_named (optarg);
        break;
      case 'f':
        client.folders[client.n_folders++] = optarg;
        break;
      case 'd':
        client.files = optarg;
        break;
      case 's':
        list_status = true;
        break;
      case 'h':
        return usage (stdout, 0);
      default:
        return usage (stderr, 2);
      }
  char *colon = optind + 3 == argc ? strrchr (argv[optind], ':') : NULL;
  if (colon == NULL)
    return usage (stderr, 2);
  *colon = '\0';
  if (client.files != NULL && mkdir (client.files, 0755) != 0)
    fail (client.files);
  client.buffer = malloc (BUFFER_OCTETS);
  open_connection (&client, argv[optind], (uint16_t)strtoul (colon + 1, NULL, 10));
  if (with_tls)
    start_tls (&client, cafile);
  read_until (&client, "*");
  snprintf (
      text, sizeof text, "t LOGIN \"%s\" \"%s\"\r\n%s", argv[optind + 1], argv[optind + 2],
      client.n_folders > 0 ? ""
      : list_status
          ? "tl LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\r\n"
          : "tl LIST \"\" \"*\"\r\n");
  send_text (&client, text);
  if (client.n_folders == 0)
    read_until (&client, "tl");
  if (!list_status)
    fetch_everything (&client, items);
  printf ("%u folders, %llu messages, %llu octets of literals, %llu octets\n", client.n_folders,
          (unsigned long long)client.n_fetches, (unsigned long long)client.n_literal_octets,
          (unsigned long long)client.n_octets);
  return 0;
}
