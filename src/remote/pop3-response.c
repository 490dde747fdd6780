// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/imap-backoff.h>

#include "pop3-response.h"

/* Servers without response codes say in words that another session has the maildrop (RFC 1939 4). */
static gboolean
is_about_lock (const gchar *text)
{
  static const gchar *const words[] = { "lock", "in use", "busy", "another session" };
  g_autofree gchar *lower = g_ascii_strdown (text, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static MmError
code_of (const MmPop3Event *event, MmError fallback)
{
  if (mm_imap_find_backoff_ms (event->text) > 0)
    return MM_ERROR_UNAVAILABLE;
  switch (event->code)
    {
    case MM_POP3_CODE_IN_USE:
    case MM_POP3_CODE_LOGIN_DELAY:
    case MM_POP3_CODE_SYS_TEMP:
      return MM_ERROR_UNAVAILABLE;
    case MM_POP3_CODE_SYS_PERM:
      return MM_ERROR_PERMISSION;
    case MM_POP3_CODE_AUTH:
      return MM_ERROR_AUTHENTICATION;
    case MM_POP3_CODE_NONE:
      return is_about_lock (event->text) ? MM_ERROR_UNAVAILABLE : fallback;
    case MM_POP3_CODE_OTHER:
      break;
    }
  return fallback;
}

GError *
mm_pop3_response_error (const MmPop3Event *event, const gchar *what, MmError fallback)
{
  const gchar *words = event->text[0] != '\0' ? event->text : "no reason given";
  const gchar *reason = event->code == MM_POP3_CODE_IN_USE
                            ? "the maildrop is in use by another POP3 session; "
                            : "";

  return g_error_new (MM_ERROR, (gint) code_of (event, fallback), "%s: %sthe server says: %s", what,
                      reason, words);
}

gboolean
mm_pop3_response_asks_to_wait (const GError *error)
{
  return g_error_matches (error, MM_ERROR, MM_ERROR_UNAVAILABLE);
}
