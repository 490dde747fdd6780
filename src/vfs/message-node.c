// SPDX-License-Identifier: GPL-3.0-or-later
/* A message as a file, with what the server says of it as extended attributes. */
#include "vfs-private.h"

#include <string.h>

/* Where a message is that is linked: in the folder that its reader visits, if it is there. */
static gboolean
find_place (MmVfs *vfs, guint64 inode, MmFolder *out_folder, guint64 *out_number)
{
  if (mm_inode_get_kind (inode) == MM_NODE_LINKED)
    return mm_account_find_link (vfs->account, mm_inode_get_link (inode), vfs->visited_id,
                                 out_folder, out_number);
  *out_number = mm_inode_get_number (inode);
  return mm_account_get_folder (vfs->account, mm_inode_get_folder (inode), out_folder)
         && out_folder->mailbox != NULL;
}

/* @inode is still that of the message: a number may have become another's. */
static gboolean
is_inode_of (guint64 inode, const MmMessage *message)
{
  guint64 link = mm_message_get_link (message);

  return mm_inode_get_kind (inode) == MM_NODE_LINKED ? link == mm_inode_get_link (inode) : link == 0;
}

static gboolean
find_message (MmVfs *vfs, guint64 inode, MmFolder *out_folder, MmMessage *out_message)
{
  guint64 number = 0;

  return find_place (vfs, inode, out_folder, &number)
         && mm_mailbox_get_message (out_folder->mailbox, number, out_message)
         && is_inode_of (inode, out_message);
}

static MmTry
try_get_attributes (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                    GError **error)
{
  MmFolder folder;
  MmMessage message;

  if (!find_message (vfs, inode, &folder, &message))
    return mm_vfs_fail_not_found (error);
  mm_vfs_describe_message (folder.id, &message, out);
  return MM_TRY_DONE;
}

static MmTry
try_open (MmVfs *vfs, guint64 inode, MmVfsFile *file, MmWaiter *waiter, GError **error)
{
  if (file->content == NULL)
    {
      MmFolder folder;
      MmMessage message;
      if (find_message (vfs, inode, &folder, &message))
        file->content = mm_account_open_content (vfs->account, folder.mailbox, message.number);
      if (file->content == NULL)
        return mm_vfs_fail_not_found (error);
      mm_content_add_reader (file->content);
      vfs->visited_id = folder.id;
      file->mailbox = folder.mailbox;
      file->number = message.number;
      mm_account_note_open (vfs->account, folder.mailbox, message.number, file->thread_id);
    }
  return mm_content_try_size (file->content, &file->size, waiter, error);
}

static MmTry
try_read (MmVfsFile *file, gsize size, guint64 offset, GBytes **out_octets, MmWaiter *waiter,
          GError **error)
{
  MmTry result = mm_content_try_read (file->content, size, offset, out_octets, waiter, error);

  /* Who was told another size at open() would make a cut copy, or wait for octets that there are not. */
  if (result != MM_TRY_DONE || mm_content_has_size (file->content, file->size))
    return result;
  g_clear_pointer (out_octets, g_bytes_unref);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_MESSAGE_BAD,
                       "the message has another size than the server had said when it was opened");
  return MM_TRY_FAILED;
}

/* ---- extended attributes ---- */

static gchar *
format_flags (const MmMessage *message)
{
  static const struct
  {
    MmMessageFlags flag;
    const gchar *name;
  } names[] = {
    { MM_MESSAGE_ANSWERED, "\\Answered" }, { MM_MESSAGE_DELETED, "\\Deleted" },
    { MM_MESSAGE_DRAFT, "\\Draft" },       { MM_MESSAGE_FLAGGED, "\\Flagged" },
    { MM_MESSAGE_SEEN, "\\Seen" },
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if ((message->flags & names[i].flag) != 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", names[i].name);
  gsize length = strcspn (message->keywords, "\n");
  if (length > 0)
    g_string_append_printf (text, "%s%.*s", text->len > 0 ? " " : "", (int) length,
                            message->keywords);
  return g_string_free (text, FALSE);
}

/* One to a line; NULL where the server has none to tell. */
static gchar *
format_labels (const MmMessage *message)
{
  const gchar *labels = strchr (message->keywords, '\n');
  return labels != NULL ? g_strchomp (g_strdup (labels + 1)) : NULL;
}

static gchar *
format_internaldate (const MmMessage *message)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (message->internaldate);
  return date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("");
}

/* From the listing when it is known, from the content when that is here (cp and rsync ask after they
 * have read the file), else from the server for the whole folder. */
static MmTry
try_message_id (MmVfs *vfs, const MmFolder *folder, const MmMessage *message, gchar **out_value,
                MmWaiter *waiter, GError **error)
{
  MmMessage known = *message;

  if (known.message_id == NULL)
    {
      MmContent *content
          = mm_account_open_content (vfs->account, folder->mailbox, message->number);
      g_autofree gchar *id = content != NULL ? mm_content_peek_message_id (content) : NULL;
      g_clear_pointer (&content, mm_content_unref);
      if (id != NULL)
        mm_mailbox_set_message_id (folder->mailbox, message->number, id);
      else
        {
          MmTry result = mm_mailbox_try_message_ids (folder->mailbox, waiter, error);
          if (result != MM_TRY_DONE)
            return result;
        }
      if (!mm_mailbox_get_message (folder->mailbox, message->number, &known))
        return mm_vfs_fail_not_found (error);
    }
  if (known.message_id == NULL || *known.message_id == '\0')
    return mm_vfs_fail_not_found (error);
  *out_value = g_strdup (known.message_id);
  return MM_TRY_DONE;
}

static MmTry
try_digest (MmVfs *vfs, const MmFolder *folder, const MmMessage *message, gchar **out_value,
            MmWaiter *waiter, GError **error)
{
  g_autofree gchar *digest = NULL;
  MmTry result = mm_account_try_digest (vfs->account, folder->mailbox, message->number, &digest,
                                        waiter, error);

  if (result == MM_TRY_DONE)
    *out_value = g_strconcat ("sha256:", digest, NULL);
  return result;
}

static MmTry
try_get_xattr (MmVfs *vfs, guint64 inode, const gchar *name, gchar **out_value, MmWaiter *waiter,
               GError **error)
{
  MmFolder folder;
  MmMessage message;
  guint64 number = 0;

  if (!find_place (vfs, inode, &folder, &number))
    return mm_vfs_fail_not_found (error);
  if (strcmp (name, "mailmount.flags") == 0)
    {
      MmTry compared = mm_mailbox_try_flags (folder.mailbox, waiter, error);
      if (compared != MM_TRY_DONE)
        return compared;
    }
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (folder.mailbox);
  if (!mm_mailbox_get_message (folder.mailbox, number, &message) || !is_inode_of (inode, &message))
    return mm_vfs_fail_not_found (error);
  guint64 link = mm_message_get_link (&message);
  g_autofree gchar *keywords = link != 0 ? mm_vfs_unite_places (vfs, link, &message) : NULL;
  if (keywords != NULL)
    message.keywords = keywords;
  if (strcmp (name, "mailmount.uid") == 0)
    *out_value = g_strdup_printf ("%u", message.uid);
  else if (strcmp (name, "mailmount.flags") == 0)
    *out_value = format_flags (&message);
  else if (strcmp (name, "mailmount.places") == 0)
    *out_value = link != 0 ? mm_vfs_format_places (vfs, link) : NULL;
  else if (strcmp (name, "mailmount.labels") == 0)
    *out_value = format_labels (&message);
  else if (strcmp (name, "mailmount.internaldate") == 0)
    *out_value = format_internaldate (&message);
  else if (strcmp (name, "mailmount.message-id") == 0)
    return try_message_id (vfs, &folder, &message, out_value, waiter, error);
  else if (strcmp (name, "mailmount.digest") == 0)
    return try_digest (vfs, &folder, &message, out_value, waiter, error);
  return *out_value != NULL ? MM_TRY_DONE : mm_vfs_fail_not_found (error);
}

/* Without what a copy with all attributes would find changed: the digest comes and goes with the cache,
 * the places of a message in several folders, and its UID in the first, depend on what was listed. */
static const gchar *const *
get_xattr_names (guint64 inode)
{
  static const gchar *const names[] = {
    "mailmount.uid",          "mailmount.flags",      "mailmount.labels",
    "mailmount.internaldate", "mailmount.message-id", NULL,
  };

  return mm_inode_get_kind (inode) == MM_NODE_LINKED ? names + 1 : names;
}

const MmNodeClass mm_message_node_class = {
  .get_attributes = try_get_attributes,
  .open = try_open,
  .read = try_read,
  .get_xattr = try_get_xattr,
  .get_xattr_names = get_xattr_names,
};
