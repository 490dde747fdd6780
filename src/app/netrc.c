// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/fd.h>

#include "netrc.h"

#define FILE_OCTETS_MAX (1024 * 1024)

/* One machine's words; the pointers are words inside the file's buffer. */
typedef struct
{
  gboolean is_default;
  const gchar *host;
  const gchar *login;
  const gchar *port;
  const gchar *password;
} Entry;

/* The next word, cut out of the buffer in place; NULL at the end. Words may stand in double
 * quotes, with backslash escapes. Where a keyword is expected a '#' begins a comment; a password
 * may begin with one. */
static gchar *
next_word (gchar **position, gboolean is_value)
{
  gchar *p = *position + strspn (*position, " \t\r\n");

  while (*p == '#' && !is_value)
    {
      p += strcspn (p, "\n");
      p += strspn (p, " \t\r\n");
    }
  if (*p == '\0')
    return NULL;

  gboolean quoted = *p == '"';
  gchar *word = quoted ? ++p : p;
  gchar *out = p;
  while (*p != '\0' && (quoted ? *p != '"' : strchr (" \t\r\n", *p) == NULL))
    {
      if (quoted && *p == '\\' && p[1] != '\0')
        p++;
      *out++ = *p++;
    }
  *position = *p != '\0' ? p + 1 : p;
  *out = '\0';
  return word;
}

/* Skips the text of a macro, which an empty line ends. */
static void
skip_macro (gchar **position)
{
  gchar *end = strstr (*position, "\n\n");
  *position = end != NULL ? end + 2 : *position + strlen (*position);
}

static gboolean
fits_port (const gchar *port, const MmNetrcQuery *query)
{
  if (port == NULL)
    return TRUE;
  if (g_ascii_isdigit (port[0]))
    return strtoul (port, NULL, 10) == query->port;
  gsize length = strlen (query->protocol);
  return strncmp (port, query->protocol, length) == 0
         && (port[length] == '\0' || strcmp (port + length, "s") == 0);
}

static gboolean
fits (const Entry *entry, const MmNetrcQuery *query)
{
  if (entry->password == NULL || entry->password[0] == '\0'
      || !fits_port (entry->port, query))
    return FALSE;
  if (entry->login != NULL && strcmp (entry->login, query->user) != 0)
    return FALSE;
  if (entry->is_default)
    return entry->login != NULL;
  return entry->host != NULL && g_ascii_strcasecmp (entry->host, query->host) == 0;
}

/* The password in @text, which is taken apart; NULL when no entry fits. */
static const gchar *
find_password (gchar *text, const MmNetrcQuery *query)
{
  Entry entry = { 0 };
  gchar *position = text;

  for (gchar *word; (word = next_word (&position, FALSE)) != NULL;)
    {
      gboolean is_machine = strcmp (word, "machine") == 0;
      gboolean is_default = strcmp (word, "default") == 0;

      if (is_machine || is_default)
        {
          if (fits (&entry, query))
            return entry.password;
          entry = (Entry) { .is_default = is_default };
        }
      if (is_machine)
        entry.host = next_word (&position, TRUE);
      else if (strcmp (word, "login") == 0 || strcmp (word, "user") == 0)
        entry.login = next_word (&position, TRUE);
      else if (strcmp (word, "password") == 0)
        entry.password = next_word (&position, TRUE);
      else if (strcmp (word, "port") == 0)
        entry.port = next_word (&position, TRUE);
      else if (strcmp (word, "account") == 0)
        (void) next_word (&position, TRUE);
      else if (strcmp (word, "macdef") == 0)
        skip_macro (&position);
    }
  return fits (&entry, query) ? entry.password : NULL;
}

/* The octets of @fd with a NUL behind them; *@out_size is what to wipe. */
static gchar *
read_all (int fd, gsize *out_size)
{
  gchar *text = g_malloc0 (FILE_OCTETS_MAX + 1);
  gsize length = 0;

  while (length < FILE_OCTETS_MAX)
    {
      ssize_t n = read (fd, text + length, FILE_OCTETS_MAX - length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      length += (gsize) n;
    }
  *out_size = length;
  return text;
}

static gboolean
is_private (const gchar *path, const struct stat *status, GError **error)
{
  if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s holds the password but others can read it: chmod 600 '%s'", path, path);
  else if (status->st_uid != geteuid () && status->st_uid != 0)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s belongs to another user: its password is not used", path);
  else
    return TRUE;
  return FALSE;
}

gboolean
mm_netrc_lookup (const gchar *path, const MmNetrcQuery *query, MmSecret **out_secret,
                 GError **error)
{
  mm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  gsize size = 0;
  gboolean ok = TRUE;

  *out_secret = NULL;
  if (fd < 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return TRUE;

  gchar *text = read_all (fd, &size);
  const gchar *password = find_password (text, query);
  if (password != NULL)
    {
      ok = is_private (path, &status, error);
      if (ok)
        *out_secret = mm_secret_new (password, strlen (password));
    }
  mm_secret_wipe (text, size);
  g_free (text);
  return ok;
}
