// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/folder-name.h>
#include <mailmount/utf7.h>

/* '~' and eight hex digits */
#define CUT_MARK_LENGTH 9

/* Stands for nothing, and says that the rest is raw: '-' itself is never encoded. */
#define RAW_PREFIX "%2D"

static void
append_escaped (GString *out, guchar octet)
{
  g_string_append_printf (out, "%%%02X", octet);
}

static gboolean
is_view (const gchar *name)
{
  return strcmp (name, ".search") == 0 || strcmp (name, ".parts") == 0
         || strcmp (name, ".headers") == 0 || g_str_has_prefix (name, ".mailmount");
}

/* The position of a dot that would give @text a meaning of its own, or -1. */
static gssize
find_telling_dot (const GString *text)
{
  if (strcmp (text->str, ".") == 0 || strcmp (text->str, "..") == 0 || is_view (text->str))
    return 0;
  if (g_str_has_suffix (text->str, ".eml"))
    return (gssize) text->len - 4;
  return -1;
}

static gboolean
is_escape (const gchar *p)
{
  return p[0] == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]);
}

/* Whether the character at @p, of @n octets, cannot stand in a path as it is. */
static gboolean
needs_escape (const gchar *p, gsize n, gboolean raw)
{
  guchar first = (guchar) p[0];

  if (first < 0x20 || first == 0x7f || first == '/')
    return TRUE;
  if (n == 2 && first == 0xc2 && (guchar) p[1] < 0xa0)
    return TRUE; /* C1 controls */
  return raw && first == '&';
}

/* The octets of the character at @p, or 0 when it is not valid UTF-8. */
static gsize
measure_character (const gchar *p, const gchar *end)
{
  if (*p == '\0')
    return 1; /* GLib calls it invalid; here it is a control like others */
  gunichar c = g_utf8_get_char_validated (p, end - p);
  return c == (gunichar) -1 || c == (gunichar) -2 ? 0 : (gsize) (g_utf8_next_char (p) - p);
}

/* Appends @text escaped. @raw: @text is a wire part that is not modified UTF-7, so that its '&'
 * are escaped too. */
static void
append_component (GString *out, const gchar *text, gsize length, gboolean raw)
{
  const gchar *end = text + length;

  for (const gchar *p = text; p < end;)
    {
      gsize n = measure_character (p, end);
      gboolean invalid = n == 0;

      if (invalid)
        n = 1;
      if (invalid || needs_escape (p, n, raw))
        for (gsize i = 0; i < n; i++)
          append_escaped (out, (guchar) p[i]);
      else if (end - p >= 3 && is_escape (p))
        append_escaped (out, '%');
      else
        g_string_append_len (out, p, (gssize) n);
      p += n;
    }
}

/* Cuts @component to what a directory entry holds. */
static void
cut (GString *component)
{
  g_autofree gchar *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, component->str,
                                                            (gssize) component->len);
  gsize length = MM_FOLDER_NAME_MAX - CUT_MARK_LENGTH;

  while (((guchar) component->str[length] & 0xc0) == 0x80)
    length--;
  /* An escape stays whole. */
  for (gsize back = 1; back <= 2; back++)
    if (is_escape (component->str + length - back))
      {
        length -= back;
        break;
      }
  g_string_truncate (component, length);
  g_string_append_printf (component, "~%.8s", digest);
}

static GString *
encode_whole (const gchar *part, gsize length, MmMailboxEncoding encoding)
{
  g_autoptr (GString) out = g_string_sized_new (length + 16);
  g_autofree gchar *decoded = NULL;
  gboolean raw = FALSE;

  if (encoding == MM_MAILBOX_UTF7)
    {
      decoded = mm_utf7_to_utf8 (part, (gssize) length);
      raw = decoded == NULL;
    }
  if (length == 0 || (raw && memchr (part, '&', length) == NULL))
    g_string_append (out, RAW_PREFIX);
  if (decoded != NULL)
    append_component (out, decoded, strlen (decoded), FALSE);
  else
    append_component (out, part, length, raw);

  for (gssize dot; (dot = find_telling_dot (out)) >= 0;)
    {
      g_string_erase (out, dot, 1);
      g_string_insert (out, dot, "%2E");
    }
  return g_steal_pointer (&out);
}

gchar *
mm_folder_name_encode (const gchar *part, gssize length, MmMailboxEncoding encoding,
                       gboolean *out_cut)
{
  gsize n = length < 0 ? strlen (part) : (gsize) length;
  GString *component = encode_whole (part, n, encoding);
  gboolean is_long = component->len > MM_FOLDER_NAME_MAX;

  if (is_long)
    cut (component);
  if (out_cut != NULL)
    *out_cut = is_long;
  return g_string_free (component, FALSE);
}

static GString *
unescape (const gchar *component)
{
  GString *out = g_string_new (NULL);

  for (const gchar *p = component; *p != '\0';)
    if (is_escape (p))
      {
        g_string_append_c (out, (gchar) (g_ascii_xdigit_value (p[1]) << 4
                                         | g_ascii_xdigit_value (p[2])));
        p += 3;
      }
    else
      g_string_append_c (out, *p++);
  return out;
}

gchar *
mm_folder_name_decode (const gchar *component, MmMailboxEncoding encoding)
{
  gboolean prefixed = g_str_has_prefix (component, RAW_PREFIX);
  g_autoptr (GString) text = unescape (component + (prefixed ? strlen (RAW_PREFIX) : 0));
  g_autofree gchar *utf7 = NULL;

  if (strlen (text->str) != text->len)
    return NULL; /* no wire name holds NUL */

  /* The readings a component can have; only one of them encodes to it again. */
  if (encoding == MM_MAILBOX_UTF7)
    utf7 = mm_utf7_from_utf8 (text->str, (gssize) text->len);
  const gchar *readings[] = { text->str, utf7 };
  for (gsize i = 0; i < G_N_ELEMENTS (readings); i++)
    {
      if (readings[i] == NULL)
        continue;
      g_autoptr (GString) again = encode_whole (readings[i], strlen (readings[i]), encoding);
      if (strcmp (again->str, component) == 0)
        return g_strdup (readings[i]);
    }
  return NULL;
}

gboolean
mm_mailbox_is_inbox (const gchar *mailbox)
{
  return g_ascii_strcasecmp (mailbox, "INBOX") == 0;
}

GStrv
mm_folder_path_split (const gchar *mailbox, gchar delimiter, MmMailboxEncoding encoding,
                      gboolean *out_cut)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new_with_free_func (g_free);
  gsize length = strlen (mailbox);
  const gchar *end = mailbox + length;
  gboolean any_cut = FALSE;

  if (delimiter != '\0' && length > 1 && end[-1] == delimiter)
    end--;
  for (const gchar *p = mailbox;;)
    {
      const gchar *stop
          = delimiter != '\0' ? memchr (p, delimiter, (gsize) (end - p)) : NULL;
      gboolean last = stop == NULL;
      gboolean is_cut = FALSE;

      if (last)
        stop = end;
      if (path->len == 0 && stop - p == 5 && g_ascii_strncasecmp (p, "INBOX", 5) == 0)
        g_ptr_array_add (path, g_strdup ("INBOX"));
      else
        g_ptr_array_add (path, mm_folder_name_encode (p, stop - p, encoding, &is_cut));
      any_cut |= is_cut;
      if (last)
        break;
      p = stop + 1;
    }
  g_ptr_array_add (path, NULL);
  if (out_cut != NULL)
    *out_cut = any_cut;
  return (GStrv) g_ptr_array_free (g_steal_pointer (&path), FALSE);
}

gchar *
mm_folder_path_join (const gchar *const *components, gchar delimiter, MmMailboxEncoding encoding)
{
  g_autoptr (GString) mailbox = g_string_new (NULL);

  for (gsize i = 0; components[i] != NULL; i++)
    {
      g_autofree gchar *part = mm_folder_name_decode (components[i], encoding);
      if (part == NULL || (delimiter != '\0' && strchr (part, delimiter) != NULL)
          || (delimiter == '\0' && i > 0))
        return NULL;
      if (i > 0)
        g_string_append_c (mailbox, delimiter);
      g_string_append (mailbox, part);
    }
  return g_string_free (g_steal_pointer (&mailbox), FALSE);
}
