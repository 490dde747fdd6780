// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <gmime/gmime.h>

#include <mailmount/message-header.h>

/* No date is longer, comments included. */
#define DATE_OCTETS_MAX 1024

static const gchar *
next_line (const gchar *p, const gchar *end)
{
  const gchar *newline = memchr (p, '\n', (gsize) (end - p));

  return newline != NULL ? newline + 1 : end;
}

static gboolean
is_field (const gchar *p, const gchar *end, const gchar *name)
{
  gsize length = strlen (name);

  if ((gsize) (end - p) <= length || g_ascii_strncasecmp (p, name, length) != 0)
    return FALSE;
  for (p += length; p < end && (*p == ' ' || *p == '\t'); p++)
    ;
  return p < end && *p == ':';
}

const gchar *
mm_message_header_find (const gchar *header, gsize length, const gchar *name, gsize *out_length)
{
  const gchar *end = header + length;

  for (const gchar *p = header; p < end && *p != '\n' && *p != '\r'; p = next_line (p, end))
    {
      if (!is_field (p, end, name))
        continue;
      const gchar *stop = next_line (p, end);
      while (stop < end && (*stop == ' ' || *stop == '\t'))
        stop = next_line (stop, end);
      *out_length = (gsize) (stop - p);
      return p;
    }
  return NULL;
}

/* 0: it is none. */
static gint64
parse_date (const gchar *text, gsize length)
{
  g_autofree gchar *copy = g_strndup (text, MIN (length, DATE_OCTETS_MAX));
  g_autoptr (GDateTime) date = g_mime_utils_header_decode_date (g_strstrip (copy));

  return date != NULL ? MAX (0, g_date_time_to_unix (date)) : 0;
}

gint64
mm_message_header_get_date (const gchar *header, gsize length)
{
  gsize field_length = 0;
  const gchar *field = mm_message_header_find (header, length, "Received", &field_length);
  /* The date stands behind the last semicolon (RFC 5321 4.4). */
  const gchar *mark = field != NULL ? memrchr (field, ';', field_length) : NULL;
  gint64 date
      = mark != NULL ? parse_date (mark + 1, field_length - (gsize) (mark + 1 - field)) : 0;

  if (date != 0)
    return date;
  field = mm_message_header_find (header, length, "Date", &field_length);
  mark = field != NULL ? memchr (field, ':', field_length) : NULL;
  return mark != NULL ? parse_date (mark + 1, field_length - (gsize) (mark + 1 - field)) : 0;
}
