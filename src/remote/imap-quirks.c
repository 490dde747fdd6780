// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-quirks.h"

/* By what servers are known that do not tell their names in time, or not at all. */
static const struct
{
  const gchar *text; /* all of it */
  MmImapQuirks quirks;
} greetings[] = {
  /* GNU Mailutils, which answers ID with nothing. */
  { "IMAP4rev1", MM_IMAP_QUIRK_UIDVALIDITY_RECURS },
};

MmImapQuirks
mm_imap_quirks_of_greeting (const MmImapEvent *greeting)
{
  for (guint i = 0; greeting->text != NULL && i < G_N_ELEMENTS (greetings); i++)
    if (strcmp (greeting->text, greetings[i].text) == 0)
      return greetings[i].quirks;
  return 0;
}

/* How the answer to a UID FETCH is worded that a server refuses because the message is gone. RFC
 * 9051 6.4.9 wants OK and no FETCH response instead: "A nonexistent unique identifier is ignored".
 */
static const struct
{
  const gchar *code;  /* the response code, or NULL */
  const gchar *words; /* that are in the text, or NULL */
} gone_answers[] = {
  /* Any with RFC 5530, as RFC 2180 4.1.2 lets it. */
  { "EXPUNGEISSUED", NULL },
  /* GNU Mailutils looks the UIDs up while it reads the set: one that it has not makes the set
   * wrong. */
  { NULL, "Failed to parse message set" },
};

gboolean
mm_imap_quirks_refuses_gone (const MmImapEvent *answer)
{
  for (guint i = 0; i < G_N_ELEMENTS (gone_answers); i++)
    {
      const gchar *code = gone_answers[i].code;
      const gchar *words = gone_answers[i].words;

      if (code != NULL && answer->code_text != NULL
          && g_ascii_strcasecmp (answer->code_text, code) == 0)
        return TRUE;
      if (words != NULL && answer->text != NULL && strstr (answer->text, words) != NULL)
        return TRUE;
    }
  return FALSE;
}
