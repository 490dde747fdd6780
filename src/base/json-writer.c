// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/json-writer.h>

#define INDENT 2

struct MmJsonWriter
{
  GString *text;
  guint depth;
  gboolean is_first; /* nothing was written in the innermost object or array yet */
};

MmJsonWriter *
mm_json_writer_new (void)
{
  MmJsonWriter *writer = g_new0 (MmJsonWriter, 1);

  writer->text = g_string_new (NULL);
  writer->is_first = TRUE;
  return writer;
}

void
mm_json_writer_free (MmJsonWriter *writer)
{
  if (writer == NULL)
    return;
  g_string_free (writer->text, TRUE);
  g_free (writer);
}

gchar *
mm_json_writer_finish (MmJsonWriter *writer)
{
  g_assert (writer->depth == 0);
  g_string_append_c (writer->text, '\n');
  gchar *text = g_string_free (g_steal_pointer (&writer->text), FALSE);
  g_free (writer);
  return text;
}

static void
append_escape (GString *out, gunichar character)
{
  if (character <= 0xffff)
    g_string_append_printf (out, "\\u%04x", character);
  else
    g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((character - 0x10000) >> 10),
                            0xdc00 + ((character - 0x10000) & 0x3ff));
}

static gboolean
breaks_line (gunichar character)
{
  GUnicodeType type = g_unichar_type (character);
  return type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* What cannot be shown is escaped though JSON would not ask for it: names come from strangers, and
 * the text ends on terminals. */
static void
append_string (GString *out, const gchar *value)
{
  g_autofree gchar *valid = g_utf8_make_valid (value, -1);

  g_string_append_c (out, '"');
  for (const gchar *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar character = g_utf8_get_char (p);

      if (character == '"' || character == '\\')
        g_string_append_printf (out, "\\%c", (gchar) character);
      else if (character == '\n')
        g_string_append (out, "\\n");
      else if (character == '\t')
        g_string_append (out, "\\t");
      else if (g_unichar_isprint (character) && !breaks_line (character))
        g_string_append_unichar (out, character);
      else
        append_escape (out, character);
    }
  g_string_append_c (out, '"');
}

static void
begin_line (MmJsonWriter *writer)
{
  g_string_append_printf (writer->text, "\n%*s", (int) (writer->depth * INDENT), "");
}

/* What stands before a value: the comma behind the last one, a line of its own, its key. */
static void
begin_value (MmJsonWriter *writer, const gchar *key)
{
  if (writer->depth > 0)
    {
      if (!writer->is_first)
        g_string_append_c (writer->text, ',');
      begin_line (writer);
    }
  if (key != NULL)
    {
      append_string (writer->text, key);
      g_string_append (writer->text, ": ");
    }
  writer->is_first = FALSE;
}

static void
begin (MmJsonWriter *writer, const gchar *key, gchar bracket)
{
  begin_value (writer, key);
  g_string_append_c (writer->text, bracket);
  writer->depth++;
  writer->is_first = TRUE;
}

static void
end (MmJsonWriter *writer, gchar bracket)
{
  g_assert (writer->depth > 0);
  writer->depth--;
  if (!writer->is_first)
    begin_line (writer);
  g_string_append_c (writer->text, bracket);
  writer->is_first = FALSE;
}

void
mm_json_writer_begin_object (MmJsonWriter *writer, const gchar *key)
{
  begin (writer, key, '{');
}

void
mm_json_writer_end_object (MmJsonWriter *writer)
{
  end (writer, '}');
}

void
mm_json_writer_begin_array (MmJsonWriter *writer, const gchar *key)
{
  begin (writer, key, '[');
}

void
mm_json_writer_end_array (MmJsonWriter *writer)
{
  end (writer, ']');
}

void
mm_json_writer_add_string (MmJsonWriter *writer, const gchar *key, const gchar *value)
{
  begin_value (writer, key);
  if (value != NULL)
    append_string (writer->text, value);
  else
    g_string_append (writer->text, "null");
}

void
mm_json_writer_add_number (MmJsonWriter *writer, const gchar *key, guint64 value)
{
  begin_value (writer, key);
  g_string_append_printf (writer->text, "%" G_GUINT64_FORMAT, value);
}

void
mm_json_writer_add_boolean (MmJsonWriter *writer, const gchar *key, gboolean value)
{
  begin_value (writer, key);
  g_string_append (writer->text, value ? "true" : "false");
}

void
mm_json_writer_add_time (MmJsonWriter *writer, const gchar *key, gint64 wall_us)
{
  g_autoptr (GDateTime) time
      = wall_us != 0 ? g_date_time_new_from_unix_utc (wall_us / G_USEC_PER_SEC) : NULL;
  g_autofree gchar *text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

  mm_json_writer_add_string (writer, key, text);
}
