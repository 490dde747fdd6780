// SPDX-License-Identifier: GPL-3.0-or-later
#include "pop3-capability.h"

/* Nobody waits a day between two logins. */
#define LOGIN_DELAY_SECONDS_MAX 86400

void
mm_pop3_capability_list_clear (MmPop3CapabilityList *list)
{
  g_clear_pointer (&list->mechanisms, g_strfreev);
  *list = (MmPop3CapabilityList){ 0 };
}

/* @words without the empty ones that several blanks in a row leave. */
static void
drop_empty (gchar **words)
{
  gchar **kept = words;

  for (gchar **word = words; *word != NULL; word++)
    if (**word == '\0')
      g_free (*word);
    else
      *kept++ = *word;
  *kept = NULL;
}

void
mm_pop3_capability_list_add (MmPop3CapabilityList *list, const gchar *line)
{
  static const struct
  {
    const gchar *name;
    MmPop3Capabilities flag;
  } flags[] = {
    { "TOP", MM_POP3_CAP_TOP },
    { "UIDL", MM_POP3_CAP_UIDL },
    { "USER", MM_POP3_CAP_USER },
    { "PIPELINING", MM_POP3_CAP_PIPELINING },
  };
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  drop_empty (words);
  if (words[0] == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    if (g_ascii_strcasecmp (words[0], flags[i].name) == 0)
      list->flags |= flags[i].flag;
  if (g_ascii_strcasecmp (words[0], "SASL") == 0)
    {
      g_strfreev (list->mechanisms);
      list->mechanisms = g_strdupv (words + 1);
    }
  else if (g_ascii_strcasecmp (words[0], "LOGIN-DELAY") == 0 && words[1] != NULL)
    {
      guint64 seconds = g_ascii_strtoull (words[1], NULL, 10);
      list->login_delay_seconds = (guint) MIN (seconds, LOGIN_DELAY_SECONDS_MAX);
    }
}
