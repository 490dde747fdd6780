// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <gmime/gmime.h>

#include <mailmount/message-name.h>
#include <mailmount/subject.h>

static gboolean
is_blank (gchar c)
{
  return c == ' ' || c == '\t';
}

/* The first octet behind the line at @p, whose end is LF or CRLF. */
static const gchar *
next_line (const gchar *p, const gchar *end)
{
  const gchar *newline = memchr (p, '\n', (gsize) (end - p));
  return newline != NULL ? newline + 1 : end;
}

/* Where the value begins if the line at @p is the field @name, else NULL. */
static const gchar *
match_field (const gchar *p, const gchar *end, const gchar *name)
{
  gsize length = strlen (name);

  if ((gsize) (end - p) <= length || g_ascii_strncasecmp (p, name, length) != 0)
    return NULL;
  for (p += length; p < end && is_blank (*p); p++)
    ;
  return p < end && *p == ':' ? p + 1 : NULL;
}

static void
append_line (GString *out, const gchar *p, const gchar *end)
{
  while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
    end--;
  g_string_append_len (out, p, end - p);
}

/* Drops blanks and line ends at both ends of @text. */
static void
trim (GString *text)
{
  gsize first = 0;

  while (text->len > 0 && (is_blank (text->str[text->len - 1]) || text->str[text->len - 1] == '\r'))
    g_string_truncate (text, text->len - 1);
  while (first < text->len && (is_blank (text->str[first]) || text->str[first] == '\r'))
    first++;
  g_string_erase (text, 0, (gssize) first);
}

gchar *
mm_subject_find (const gchar *header, gsize length, gsize *out_length)
{
  const gchar *end = header + length;

  for (const gchar *p = header; p < end && *p != '\n' && *p != '\r'; p = next_line (p, end))
    {
      const gchar *value = match_field (p, end, "Subject");
      if (value == NULL)
        continue;

      g_autoptr (GString) out = g_string_new (NULL);
      const gchar *stop = next_line (value, end);
      append_line (out, value, stop);
      while (stop < end && is_blank (*stop))
        {
          value = stop;
          stop = next_line (value, end);
          append_line (out, value, stop);
        }
      trim (out);
      if (out->len == 0)
        return NULL;
      *out_length = out->len;
      return g_string_free (g_steal_pointer (&out), FALSE);
    }
  return NULL;
}

static gpointer
init_gmime (gpointer unused)
{
  /* Not the locale's charset: a name must be the same wherever the account is mounted. */
  static const gchar *charsets[] = { "utf-8", "windows-1252", "iso-8859-1", NULL };

  g_mime_init ();
  GMimeParserOptions *options = g_mime_parser_options_new ();
  g_mime_parser_options_set_rfc2047_compliance_mode (options, GMIME_RFC_COMPLIANCE_LOOSE);
  g_mime_parser_options_set_fallback_charsets (options, charsets);
  return options;
}

/* GMime's options, which decoding only reads; GMime locks its own caches. */
static GMimeParserOptions *
get_options (void)
{
  static GOnce once = G_ONCE_INIT;
  return g_once (&once, init_gmime, NULL);
}

static gboolean
is_plain (const gchar *text)
{
  return strstr (text, "=?") == NULL && g_utf8_validate (text, -1, NULL);
}

gchar *
mm_subject_decode (const gchar *raw, gssize length)
{
  gsize n = length < 0 ? strlen (raw) : (gsize) length;
  g_autoptr (GString) text = g_string_new_len (raw, (gssize) MIN (n, MM_SUBJECT_OCTETS_MAX));

  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] == '\0')
      text->str[i] = ' ';
  trim (text);

  if (!is_plain (text->str))
    {
      g_autofree gchar *decoded = g_mime_utils_header_decode_text (get_options (), text->str);
      g_autofree gchar *valid = g_utf8_make_valid (decoded != NULL ? decoded : text->str, -1);
      g_string_assign (text, valid);
      trim (text);
    }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

gchar *
mm_subject_stem_from_header (const gchar *header, gsize length)
{
  gsize raw_length = 0;
  g_autofree gchar *raw = mm_subject_find (header, length, &raw_length);
  g_autofree gchar *decoded = raw != NULL ? mm_subject_decode (raw, (gssize) raw_length) : NULL;

  return mm_message_name_clean_subject (decoded);
}
