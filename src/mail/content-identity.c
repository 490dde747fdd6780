// SPDX-License-Identifier: GPL-3.0-or-later
#include "content-identity.h"

#include <string.h>

#include <mailmount/subject.h>

#include "message-id.h"

/* A header is looked at as far as a listing has its fields. */
#define HEADER_OCTETS_MAX (64 * 1024)

/* The octets before the first blank line; 0 when there is none. */
static gsize
find_header_length (const gchar *text, gsize length)
{
  const gchar *end = text + length;

  for (const gchar *p = text; (p = memchr (p, '\n', (gsize) (end - p))) != NULL;)
    {
      p++;
      if (p < end && (*p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n')))
        return (gsize) (p - text);
    }
  return 0;
}

gboolean
mm_content_identity_fits (const MmFetchTarget *target, GBytes *octets, gboolean is_whole)
{
  gsize size = 0;
  const gchar *text = g_bytes_get_data (octets, &size);
  gsize visible = MIN (size, HEADER_OCTETS_MAX);
  gsize length = visible > 0 ? find_header_length (text, visible) : 0;

  if (length == 0 && (!is_whole || visible < size))
    return TRUE;
  if (length == 0)
    length = size;
  if (target->message_id != NULL)
    {
      g_autofree gchar *id = mm_message_id_find (text, length, TRUE);
      if (g_strcmp0 (id, target->message_id) != 0)
        return FALSE;
    }
  if (target->stem != NULL)
    {
      g_autofree gchar *stem = mm_subject_stem_from_header (text, length);
      return g_strcmp0 (stem, target->stem) == 0;
    }
  return TRUE;
}
