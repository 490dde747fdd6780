// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is sent for names of any kind. The first octet says what the server offers, the rest is a name; it may hold quotes,
 * line ends and commands: none of that gets out of its string. So what is sent, read as a server reads it, is one
 * command for each that was submitted.
 */
#include <string.h>

#include <mailmount/imap-session.h>

#include "fuzz.h"

typedef enum
{
  OFFERS_LITERAL_PLUS = 1 << 0,
  OFFERS_LITERAL_MINUS = 1 << 1,
  ENABLES_UTF8 = 1 << 2,
} Offer;

/* Everything the server says must be answered by no error. */
static void
server_says (MmImapSession *session, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  MmImapEvent event;

  mm_imap_session_feed (session, text, strlen (text));
  while (mm_imap_session_next (session, &event, &error))
    ;
  g_assert_no_error (error);
}

static MmImapSession *
new_session (Offer offer)
{
  MmImapSession *session = mm_imap_session_new (NULL, MM_IMAP_SESSION_READ_ONLY);
  g_autofree gchar *greeting
      = g_strdup_printf ("* OK [CAPABILITY IMAP4rev1%s%s] hello\r\n",
                         (offer & OFFERS_LITERAL_PLUS) != 0 ? " LITERAL+" : "",
                         (offer & OFFERS_LITERAL_MINUS) != 0 ? " LITERAL-" : "");

  server_says (session, greeting);
  if ((offer & ENABLES_UTF8) != 0)
    {
      g_assert (mm_imap_session_submit (session, mm_imap_command_enable ("UTF8=ACCEPT"), NULL) == 1);
      g_byte_array_unref (mm_imap_session_take_output (session));
      server_says (session, "* ENABLED UTF8=ACCEPT\r\nM1 OK\r\n");
      g_assert (mm_imap_session_is_utf8 (session));
    }
  return session;
}

/* All that is sent when the server says "+" whenever it is waited for. (transfer full) */
static GByteArray *
take_all (MmImapSession *session)
{
  GByteArray *all = g_byte_array_new ();
  GByteArray *octets;

  while ((octets = mm_imap_session_take_output (session)) != NULL)
    {
      g_byte_array_append (all, octets->data, octets->len);
      gboolean waits = octets->len >= 3 && memcmp (octets->data + octets->len - 3, "}\r\n", 3) == 0
                       && !(octets->len >= 4 && octets->data[octets->len - 4] == '+');
      g_byte_array_unref (octets);
      if (waits)
        server_says (session, "+ go on\r\n");
    }
  return all;
}

/* The octets of the literal that the line from @line to @end (at its LF) announces; -1: none. */
static gint64
find_literal (const gchar *line, const gchar *end)
{
  const gchar *p = end;

  if (p - line < 4 || p[-1] != '\r' || p[-2] != '}')
    return -1;
  p -= 2;
  while (p > line && p[-1] != '{')
    p--;
  return p > line ? (gint64) g_ascii_strtoull (p, NULL, 10) : -1;
}

/* Reads @sent as a server does; how many commands there are. */
static guint
count_commands (const gchar *sent, gsize length)
{
  const gchar *p = sent, *stop = sent + length;
  guint n = 0;

  while (p < stop)
    {
      const gchar *end = memchr (p, '\n', (gsize) (stop - p));

      g_assert (end != NULL && end > p && end[-1] == '\r');
      g_assert (memchr (p, '\0', (gsize) (end - p)) == NULL);
      gint64 literal = find_literal (p, end);
      p = end + 1;
      if (literal < 0)
        n++;
      else
        {
          g_assert (literal <= stop - p);
          p += literal;
        }
    }
  return n;
}

static guint
submit (MmImapSession *session, MmImapCommand *command)
{
  g_autoptr (GError) error = NULL;
  guint32 tag = mm_imap_session_submit (session, command, &error);

  g_assert ((tag == 0) == (error != NULL));
  return tag != 0 ? 1 : 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 1)
    return 0;
  g_autofree gchar *name = g_strndup ((const gchar *) data + 1, size - 1);
  g_autoptr (MmSecret) password = mm_secret_new (name, strlen (name));
  g_autoptr (MmImapSession) session = new_session ((Offer) (data[0] & 7));
  guint n = 0;

  n += submit (session, mm_imap_command_login (name, password));
  n += submit (session, mm_imap_command_examine (name, (data[0] & 8) != 0));
  n += submit (session, mm_imap_command_status (name, MM_IMAP_STATUS_HIGHESTMODSEQ));
  n += submit (session, mm_imap_command_list (name, name, MM_IMAP_LIST_SUBSCRIBED_ONLY | MM_IMAP_LIST_RETURN_CHILDREN
                                                              | MM_IMAP_LIST_RETURN_SPECIAL_USE,
                                              MM_IMAP_STATUS_BASIC));
  n += submit (session, mm_imap_command_lsub ("", name));
  n += submit (session, mm_imap_command_id (name, name));
  g_autoptr (GByteArray) sent = take_all (session);
  g_assert (count_commands ((const gchar *) sent->data, sent->len) == n);
  return 0;
}
