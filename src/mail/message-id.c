// SPDX-License-Identifier: GPL-3.0-or-later
#include "message-id.h"

#include <string.h>

#define FIELD_NAME "message-id"

/* The end of the field that begins at @start: behind the line end that no continuation follows.
 * NULL when the field is cut. */
static const gchar *
find_field_end (const gchar *start, const gchar *end)
{
  for (const gchar *p = start; (p = memchr (p, '\n', (gsize) (end - p))) != NULL;)
    {
      p++;
      if (p == end)
        return NULL;
      if (*p != ' ' && *p != '\t')
        return p;
    }
  return NULL;
}

static gboolean
is_blank_line (const gchar *p, const gchar *end)
{
  return *p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n');
}

static const gchar *
match_field_name (const gchar *p, const gchar *end)
{
  gsize name_length = strlen (FIELD_NAME);

  if ((gsize) (end - p) <= name_length || g_ascii_strncasecmp (p, FIELD_NAME, name_length) != 0)
    return NULL;
  p += name_length;
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  return p < end && *p == ':' ? p + 1 : NULL;
}

static gchar *
unfold (const gchar *value, const gchar *end)
{
  GString *text = g_string_new (NULL);

  for (; value < end; value++)
    if (*value != '\r' && *value != '\n' && *value != '\0')
      g_string_append_c (text, *value);
  g_autofree gchar *raw = g_string_free (text, FALSE);
  return g_utf8_make_valid (g_strstrip (raw), -1);
}

gchar *
mm_message_id_find (const gchar *header, gsize length, gboolean is_whole)
{
  const gchar *end = header + length;

  for (const gchar *p = header; p < end;)
    {
      if (is_blank_line (p, end))
        return g_strdup ("");
      const gchar *field_end = find_field_end (p, end);
      if (field_end == NULL && !is_whole)
        return NULL;
      if (field_end == NULL)
        field_end = end;
      const gchar *value = match_field_name (p, field_end);
      if (value != NULL)
        return unfold (value, field_end);
      p = field_end;
    }
  return is_whole ? g_strdup ("") : NULL;
}
