// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/utf7.h>

static const gchar alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static gboolean
is_direct (gunichar c)
{
  return c >= 0x20 && c <= 0x7e;
}

/* Base64 as it is written: bits enter above, sextets leave. */
typedef struct
{
  GString *out;
  guint32 bits;
  guint n_bits;
} Base64Writer;

static void
write_utf16_unit (Base64Writer *writer, guint16 unit)
{
  writer->bits = writer->bits << 16 | unit;
  writer->n_bits += 16;
  while (writer->n_bits >= 6)
    {
      writer->n_bits -= 6;
      g_string_append_c (writer->out, alphabet[writer->bits >> writer->n_bits & 0x3f]);
    }
}

static void
finish_base64 (Base64Writer *writer)
{
  if (writer->n_bits > 0)
    g_string_append_c (writer->out, alphabet[writer->bits << (6 - writer->n_bits) & 0x3f]);
  g_string_append_c (writer->out, '-');
  writer->bits = writer->n_bits = 0;
}

static void
write_character (Base64Writer *writer, gunichar c)
{
  if (c < 0x10000)
    {
      write_utf16_unit (writer, (guint16) c);
      return;
    }
  c -= 0x10000;
  write_utf16_unit (writer, (guint16) (0xd800 | c >> 10));
  write_utf16_unit (writer, (guint16) (0xdc00 | (c & 0x3ff)));
}

gchar *
mm_utf7_from_utf8 (const gchar *utf8, gssize length)
{
  gsize n = length < 0 ? strlen (utf8) : (gsize) length;

  if (!g_utf8_validate_len (utf8, n, NULL))
    return NULL;

  g_autoptr (GString) out = g_string_sized_new (n + 16);
  Base64Writer writer = { .out = out };
  gboolean shifted = FALSE;

  for (const gchar *p = utf8; p < utf8 + n; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (is_direct (c) && shifted)
        finish_base64 (&writer);
      else if (!is_direct (c) && !shifted)
        g_string_append_c (out, '&');
      shifted = !is_direct (c);

      if (shifted)
        write_character (&writer, c);
      else if (c == '&')
        g_string_append (out, "&-");
      else
        g_string_append_c (out, (gchar) c);
    }
  if (shifted)
    finish_base64 (&writer);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* Appends one UTF-16 unit; @high holds a high surrogate that waits for its second half, or 0. */
static gboolean
append_utf16_unit (GString *out, guint16 *high, guint16 unit)
{
  if (*high != 0)
    {
      if (unit < 0xdc00 || unit > 0xdfff)
        return FALSE;
      g_string_append_unichar (out, 0x10000 + ((gunichar) (*high & 0x3ff) << 10 | (unit & 0x3ff)));
      *high = 0;
      return TRUE;
    }
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return FALSE;
  if (unit >= 0xd800 && unit <= 0xdbff)
    *high = unit;
  else if (unit == 0)
    return FALSE;
  else
    g_string_append_unichar (out, unit);
  return TRUE;
}

/* Reads base64 at *@p up to and over its '-'. What is allowed but not canonical (padding bits,
 * needless shifts) is found by the caller, who encodes again. */
static gboolean
read_base64 (const gchar **p, const gchar *end, GString *out)
{
  guint32 bits = 0;
  guint n_bits = 0;
  guint16 high = 0;

  for (; *p < end && **p != '-'; (*p)++)
    {
      const gchar *digit = memchr (alphabet, **p, sizeof alphabet - 1);
      if (digit == NULL)
        return FALSE;
      bits = bits << 6 | (guint32) (digit - alphabet);
      n_bits += 6;
      if (n_bits < 16)
        continue;
      n_bits -= 16;
      if (!append_utf16_unit (out, &high, (guint16) (bits >> n_bits)))
        return FALSE;
      bits &= (1u << n_bits) - 1;
    }
  if (*p == end || high != 0)
    return FALSE;
  (*p)++;
  return TRUE;
}

gchar *
mm_utf7_to_utf8 (const gchar *octets, gssize length)
{
  gsize n = length < 0 ? strlen (octets) : (gsize) length;
  const gchar *end = octets + n;
  g_autoptr (GString) out = g_string_sized_new (n + 16);

  for (const gchar *p = octets; p < end;)
    {
      gchar c = *p++;

      if (!is_direct ((guchar) c))
        return NULL;
      if (c != '&')
        g_string_append_c (out, c);
      else if (p < end && *p == '-')
        {
          g_string_append_c (out, '&');
          p++;
        }
      else if (!read_base64 (&p, end, out))
        return NULL;
    }

  g_autofree gchar *again = mm_utf7_from_utf8 (out->str, (gssize) out->len);
  if (again == NULL || strlen (again) != n || memcmp (again, octets, n) != 0)
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}
