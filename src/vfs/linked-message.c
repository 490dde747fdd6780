// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is said of a message that several folders have. It is one file, whichever name it is asked by, so
 * that its attributes are those of all its places: the UID of the first, the flags of any.
 */
#include "vfs-private.h"

#include <string.h>

static gboolean
has_word (const gchar *words, const gchar *word, gsize length)
{
  for (const gchar *p = words; *p != '\0'; p += strcspn (p, " "), p += *p == ' ')
    if (strcspn (p, " ") == length && strncmp (p, word, length) == 0)
      return TRUE;
  return FALSE;
}

static void
add_words (GString *words, const gchar *added, gsize length)
{
  const gchar *end = added + length;

  for (const gchar *word = added; word < end;)
    {
      gsize n = MIN (strcspn (word, " "), (gsize) (end - word));
      if (n > 0 && !has_word (words->str, word, n))
        g_string_append_printf (words, "%s%.*s", words->len > 0 ? " " : "", (int) n, word);
      word += n + 1;
    }
}

gchar *
mm_vfs_unite_places (MmVfs *vfs, guint64 link, MmMessage *message)
{
  g_autoptr (GArray) places = mm_account_dup_link_places (vfs->account, link);
  GString *keywords = g_string_new (NULL);
  g_autofree gchar *labels = NULL;
  gboolean is_first = TRUE;

  for (guint i = 0; i < places->len; i++)
    {
      const MmLinkPlace *place = &g_array_index (places, MmLinkPlace, i);
      g_autoptr (MmStringPool) strings G_GNUC_UNUSED
          = mm_mailbox_hold_strings (place->folder.mailbox);
      MmMessage one;

      if (!mm_mailbox_get_message (place->folder.mailbox, place->number, &one)
          || mm_message_get_link (&one) != link)
        continue;
      if (is_first)
        message->uid = one.uid;
      message->flags |= one.flags;
      gsize length = strcspn (one.keywords, "\n");
      add_words (keywords, one.keywords, length);
      if (labels == NULL && one.keywords[length] != '\0')
        labels = g_strdup (one.keywords + length);
      is_first = FALSE;
    }
  if (labels != NULL)
    g_string_append (keywords, labels);
  return g_string_free (keywords, FALSE);
}

/* "A/B", as it is shown below the root of the mount. */
static gchar *
build_path (MmVfs *vfs, const MmFolder *folder)
{
  GString *path = g_string_new (folder->component);
  MmFolder parent = *folder;

  while (parent.parent_id != mm_account_get_root_id (vfs->account)
         && mm_account_get_folder (vfs->account, parent.parent_id, &parent) && parent.id != 0)
    {
      g_string_prepend_c (path, '/');
      g_string_prepend (path, parent.component);
    }
  return g_string_free (path, FALSE);
}

gchar *
mm_vfs_format_places (MmVfs *vfs, guint64 link)
{
  g_autoptr (GArray) places = mm_account_dup_link_places (vfs->account, link);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < places->len; i++)
    {
      const MmLinkPlace *place = &g_array_index (places, MmLinkPlace, i);
      g_autofree gchar *path = build_path (vfs, &place->folder);
      MmMessage message;

      if (mm_mailbox_get_message (place->folder.mailbox, place->number, &message))
        g_string_append_printf (text, "%s%s:%u", text->len > 0 ? "\n" : "", path, message.uid);
    }
  return g_string_free (text, FALSE);
}
