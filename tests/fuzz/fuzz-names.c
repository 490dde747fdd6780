// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Names of folders and messages. The first octet is the delimiter, the rest a mailbox's wire name, and a subject too:
 * whatever it is, a path component is safe and leads back to the same mailbox, and a message's name to its number.
 */
#include <string.h>

#include <mailmount/folder-name.h>
#include <mailmount/message-name.h>

#include "fuzz.h"

static void
check_component (const gchar *component)
{
  gsize length = strlen (component);

  g_assert (length > 0 && length <= MM_FOLDER_NAME_MAX);
  g_assert (g_utf8_validate (component, -1, NULL));
  g_assert (strcmp (component, ".") != 0 && strcmp (component, "..") != 0);
  g_assert (!g_str_has_suffix (component, ".eml"));
  for (const gchar *p = component; *p != '\0'; p++)
    g_assert (*p != '/' && !g_ascii_iscntrl (*p));
}

static void
check_folder (const gchar *mailbox, gchar delimiter, MmMailboxEncoding encoding)
{
  gboolean is_cut = FALSE;
  g_auto (GStrv) path = mm_folder_path_split (mailbox, delimiter, encoding, &is_cut);

  g_assert (path != NULL && path[0] != NULL);
  for (guint i = 0; path[i] != NULL; i++)
    check_component (path[i]);
  if (is_cut)
    return;
  g_autofree gchar *joined = mm_folder_path_join ((const gchar *const *) path, delimiter, encoding);
  g_assert (joined != NULL);
  /* INBOX in any case is one mailbox, and a delimiter at the end says nothing. */
  gsize length = strlen (mailbox);
  g_assert (strncasecmp (joined, mailbox, strlen (joined)) == 0);
  g_assert (strlen (joined) == length
            || (strlen (joined) + 1 == length && mailbox[length - 1] == delimiter));
  const gchar end[] = { delimiter, '\0' };
  if (delimiter != '\0' && g_str_has_suffix (joined, end))
    return; /* there were two of them at the end */
  g_auto (GStrv) again = mm_folder_path_split (joined, delimiter, encoding, NULL);
  g_assert (g_strv_equal ((const gchar *const *) path, (const gchar *const *) again));
}

/* A component that somebody typed: what decodes is what encoding gives. */
static void
check_typed (const gchar *component, MmMailboxEncoding encoding)
{
  g_autofree gchar *part = mm_folder_name_decode (component, encoding);

  if (part == NULL)
    return;
  gboolean is_cut = FALSE;
  g_autofree gchar *encoded = mm_folder_name_encode (part, -1, encoding, &is_cut);
  g_assert (is_cut || strcmp (encoded, component) == 0);
}

static void
check_message (const gchar *subject, guint64 hash)
{
  gchar name[MM_MESSAGE_NAME_SIZE];
  guint64 number = 1 + hash % MM_MESSAGE_NUMBER_MAX;
  guint64 parsed = 0;
  g_autofree gchar *stem = mm_message_name_clean_subject (subject);

  g_assert (stem == NULL || (strlen (stem) > 0 && strlen (stem) <= MM_MESSAGE_STEM_MAX));
  gsize length = mm_message_name_build (name, (gint64) hash, stem, number);
  g_assert (length <= 143 && strlen (name) == length && g_utf8_validate (name, -1, NULL));
  g_assert (strchr (name, '/') == NULL && name[0] != '.');
  g_assert (mm_message_name_parse (name, &parsed) == MM_MESSAGE_NAME_FULL && parsed == number);
  /* A subject that was cleaned is clean. */
  g_autofree gchar *again = mm_message_name_clean_subject (stem);
  g_assert_cmpstr (again, ==, stem);
  /* Whatever may be asked for in lookup. */
  MmMessageNameForm form = mm_message_name_parse (subject, &parsed);
  g_assert (form == MM_MESSAGE_NAME_NONE || (parsed >= 1 && parsed <= MM_MESSAGE_NUMBER_MAX));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 2)
    return 0;
  gchar delimiter = (gchar) data[0];
  g_autofree gchar *text = g_strndup ((const gchar *) data + 1, size - 1);

  /* The delimiter is one printable character of ASCII, or none. */
  if (delimiter < '!' || delimiter > '~')
    delimiter = '\0';
  if (text[0] != '\0')
    {
      check_folder (text, delimiter, MM_MAILBOX_UTF7);
      check_folder (text, delimiter, MM_MAILBOX_UTF8);
    }
  check_typed (text, MM_MAILBOX_UTF7);
  check_typed (text, MM_MAILBOX_UTF8);
  check_message (text, fuzz_hash (data, size));
  return 0;
}
