// SPDX-License-Identifier: GPL-3.0-or-later
#include "greeting.h"

#include <string.h>

#include <mailmount/clock.h>

/* The abort flag is looked at this often. */
#define ABORT_CHECK_MS 100

gboolean
mm_greeting_begins_with (const gchar *line, const gchar *word)
{
  return g_ascii_strncasecmp (line, word, strlen (word)) == 0;
}

gchar *
mm_greeting_dup_words (const gchar *line)
{
  line += strspn (line, "* ");
  line += strcspn (line, " \r\n"); /* BYE, -ERR */
  return g_strstrip (g_strndup (line, strcspn (line, "\r\n")));
}

const gchar *
mm_greeting_name_protocol (MmProtocol protocol)
{
  return protocol == MM_PROTOCOL_POP3 ? "a POP3" : "an IMAP";
}

static MmGreeting
judge (const gchar *line, MmProtocol protocol)
{
  if (protocol == MM_PROTOCOL_POP3)
    return mm_greeting_begins_with (line, "+OK")    ? MM_GREETING_WELCOME
           : mm_greeting_begins_with (line, "-ERR") ? MM_GREETING_BYE
                                                    : MM_GREETING_ALIEN;
  return mm_greeting_begins_with (line, "* OK") || mm_greeting_begins_with (line, "* PREAUTH")
             ? MM_GREETING_WELCOME
         : mm_greeting_begins_with (line, "* BYE") ? MM_GREETING_BYE
                                                   : MM_GREETING_ALIEN;
}

MmGreeting
mm_greeting_receive (MmTransport *transport, MmProtocol protocol, const gint *abort_flag,
                     gint64 deadline_us, GString *out, GError **error)
{
  while (strchr (out->str, '\n') == NULL)
    {
      gchar buffer[1024];
      gsize n = 0;
      MmIoStatus status = mm_transport_recv (transport, buffer, sizeof buffer, &n, error);
      gint64 left_ms = (deadline_us - mm_clock_monotonic_us () + 999) / 1000;

      switch (status)
        {
        case MM_IO_OK:
          g_string_append_len (out, buffer, (gssize) n);
          if (memchr (buffer, '\0', n) != NULL || out->len > MM_GREETING_OCTETS_MAX)
            return MM_GREETING_ALIEN;
          break;
        case MM_IO_AGAIN:
          if (mm_is_aborted (abort_flag))
            return MM_GREETING_ABORTED;
          if (left_ms <= 0)
            return MM_GREETING_LATE;
          (void)mm_transport_wait (transport, MM_WAIT_READABLE, -1,
                                   (gint) MIN (left_ms, ABORT_CHECK_MS));
          break;
        case MM_IO_EOF:
          return MM_GREETING_CLOSED;
        case MM_IO_ERROR:
          return MM_GREETING_FAILED;
        }
    }
  return judge (out->str, protocol);
}
