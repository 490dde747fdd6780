// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/imap-backoff.h>

#include "imap-response.h"

static MmError
code_of (const MmImapEvent *event, MmError fallback)
{
  if (mm_imap_find_backoff_ms (event->text) > 0)
    return MM_ERROR_UNAVAILABLE;
  switch (event->code)
    {
    case MM_IMAP_CODE_NONEXISTENT:
      return MM_ERROR_MAILBOX_GONE;
    case MM_IMAP_CODE_NOPERM:
    case MM_IMAP_CODE_AUTHORIZATIONFAILED:
      return MM_ERROR_PERMISSION;
    case MM_IMAP_CODE_AUTHENTICATIONFAILED:
    case MM_IMAP_CODE_EXPIRED:
    case MM_IMAP_CODE_PRIVACYREQUIRED:
      return MM_ERROR_AUTHENTICATION;
    case MM_IMAP_CODE_UNAVAILABLE:
    case MM_IMAP_CODE_LIMIT:
    case MM_IMAP_CODE_INUSE:
    case MM_IMAP_CODE_SERVERBUG:
      return MM_ERROR_UNAVAILABLE;
    case MM_IMAP_CODE_OVERQUOTA:
      return MM_ERROR_QUOTA;
    case MM_IMAP_CODE_ALREADYEXISTS:
      return MM_ERROR_EXISTS;
    case MM_IMAP_CODE_READ_ONLY:
      return MM_ERROR_READ_ONLY;
    default:
      break;
    }
  if (event->status == MM_IMAP_STATUS_BAD)
    return MM_ERROR_PROTOCOL;
  return event->status == MM_IMAP_STATUS_BYE ? MM_ERROR_CONNECTION_LOST : fallback;
}

GError *
mm_imap_response_error (const MmImapEvent *event, const gchar *what, MmError fallback)
{
  const gchar *words
      = event->text != NULL && event->text[0] != '\0' ? event->text : "no reason given";
  gboolean has_code = event->code != MM_IMAP_CODE_NONE && event->code_text != NULL;

  return g_error_new (MM_ERROR, (gint) code_of (event, fallback), "%s: the server says: %s%s%s%s",
                      what, has_code ? "[" : "", has_code ? event->code_text : "",
                      has_code ? "] " : "", words);
}

gboolean
mm_imap_response_asks_to_wait (const GError *error)
{
  return g_error_matches (error, MM_ERROR, MM_ERROR_UNAVAILABLE)
         || g_error_matches (error, MM_ERROR, MM_ERROR_QUOTA);
}
