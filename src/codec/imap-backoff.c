// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/imap-backoff.h>

#include <string.h>

#define MARK "backoff time:"

/* Behind the mark, whatever its case; NULL: it is not there. */
static const gchar *
find_behind_mark (const gchar *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_strncasecmp (text, MARK, strlen (MARK)) == 0)
      return text + strlen (MARK);
  return NULL;
}

guint
mm_imap_find_backoff_ms (const gchar *text)
{
  const gchar *number = text != NULL ? find_behind_mark (text) : NULL;
  gchar *unit = NULL;

  if (number == NULL)
    return 0;
  number += strspn (number, " ");
  if (!g_ascii_isdigit (*number))
    return 0;
  guint64 amount = g_ascii_strtoull (number, &unit, 10);
  unit += strspn (unit, " ");
  guint64 unit_ms = g_ascii_strncasecmp (unit, "s", 1) == 0 ? 1000 : 1;
  return (guint) (MIN (amount, MM_IMAP_BACKOFF_MS_MAX / unit_ms) * unit_ms);
}
