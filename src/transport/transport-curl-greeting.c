// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The greeting, where libcurl did not read it. It is waited for here, so that opening ends with a
 * server that welcomes us or with the reason why not.
 */
#include <string.h>

#include <mailmount/clock.h>

#include "transport-curl-private.h"

/* The abort flag is looked at this often. */
#define ABORT_CHECK_MS 100

/* Waits a moment for more of it. libcurl's codes, so that one table has all errors of opening. */
static CURLcode
wait_for_greeting (MmCurlTransport *self, const MmCurlOpening *opening)
{
  gint64 left_ms = (opening->deadline_us - mm_clock_monotonic_us () + 999) / 1000;

  if (mm_curl_is_aborted (opening))
    return CURLE_ABORTED_BY_CALLBACK;
  if (left_ms <= 0)
    return CURLE_OPERATION_TIMEDOUT;
  (void) mm_transport_wait (&self->base, MM_WAIT_READABLE, -1, (gint) MIN (left_ms, ABORT_CHECK_MS));
  return CURLE_OK;
}

static CURLcode
receive_some (MmCurlTransport *self, MmCurlOpening *opening)
{
  gchar buffer[1024];
  size_t n = 0;
  CURLcode code = curl_easy_recv (self->curl, buffer, sizeof buffer, &n);

  if (code == CURLE_AGAIN)
    return wait_for_greeting (self, opening);
  if (code == CURLE_OK && n == 0)
    return CURLE_GOT_NOTHING;
  if (code != CURLE_OK)
    return code;
  g_string_append_len (opening->greeting, buffer, (gssize) n);
  opening->is_bad
      = memchr (buffer, '\0', n) != NULL || opening->greeting->len > MM_CURL_LINE_OCTETS_MAX;
  return opening->is_bad ? CURLE_WEIRD_SERVER_REPLY : CURLE_OK;
}

/* One line at least. What comes behind it is part of the preamble, too. */
static CURLcode
read_greeting (MmCurlTransport *self, MmCurlOpening *opening)
{
  CURLcode code = CURLE_OK;

  while (code == CURLE_OK && strchr (opening->greeting->str, '\n') == NULL)
    code = receive_some (self, opening);
  return code;
}

static gboolean
greets_with (const MmCurlOpening *opening, const gchar *word)
{
  return g_ascii_strncasecmp (opening->greeting->str, word, strlen (word)) == 0;
}

/* Only whether it is one, and whether we are welcome; what it says is for the session. */
static CURLcode
check_greeting (MmCurlOpening *opening)
{
  gboolean is_welcome = opening->endpoint->protocol == MM_PROTOCOL_POP3
                            ? greets_with (opening, "+OK")
                            : greets_with (opening, "* OK") || greets_with (opening, "* PREAUTH");

  if (is_welcome)
    return CURLE_OK;
  opening->is_bad = !greets_with (opening, "* BYE");
  return CURLE_WEIRD_SERVER_REPLY;
}

gboolean
mm_curl_take_greeting (MmCurlTransport *self, MmCurlOpening *opening, GError **error)
{
  CURLcode code = read_greeting (self, opening);

  if (code == CURLE_OK)
    code = check_greeting (opening);
  if (code != CURLE_OK)
    {
      mm_curl_set_open_error (self, opening, code, error);
      return FALSE;
    }
  g_string_append_len (self->base.preamble, opening->greeting->str, (gssize) opening->greeting->len);
  return TRUE;
}
