// SPDX-License-Identifier: GPL-3.0-or-later
/* A folder as a directory: its messages by local number, then its folders by id. */
#include "vfs-private.h"

#include <string.h>

#include <mailmount/message-name.h>

/* Messages are copied out of the mailbox so many at a time. */
#define BATCH 64

/* ---- lookup ---- */

static gboolean
is_name_of (const MmVfs *vfs, const gchar *name, MmMessageNameForm form, const MmMessage *message)
{
  gchar built[MM_MESSAGE_NAME_SIZE];

  if (form == MM_MESSAGE_NAME_BARE)
    return TRUE;
  mm_message_name_build (built, message->internaldate, message->stem, message->number);
  return strcmp (name, built) == 0;
}

static MmTry
lookup_message (MmVfs *vfs, const MmFolder *folder, const gchar *name, MmAttributes *out,
                MmWaiter *waiter, GError **error)
{
  guint64 number = 0;
  MmMessageNameForm form = mm_message_name_parse (name, &number);
  MmMessage message;

  if (form == MM_MESSAGE_NAME_NONE || folder->mailbox == NULL)
    return mm_vfs_fail_not_found (error);
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (folder->mailbox);
  if (!mm_mailbox_get_message (folder->mailbox, number, &message))
    {
      MmTry listed = mm_mailbox_try_listed (folder->mailbox, TRUE, waiter, error);
      if (listed != MM_TRY_DONE)
        return listed;
      if (!mm_mailbox_get_message (folder->mailbox, number, &message))
        return mm_vfs_fail_not_found (error);
    }
  if (!is_name_of (vfs, name, form, &message))
    return mm_vfs_fail_not_found (error);
  vfs->visited_id = folder->id;
  mm_vfs_describe_message (folder->id, &message, out);
  return MM_TRY_DONE;
}

static MmTry
try_lookup (MmVfs *vfs, guint64 inode, const gchar *name, MmAttributes *out, MmWaiter *waiter,
            GError **error)
{
  MmFolder folder;

  /* Without a look at the server, so that it can be asked what is wrong when that is away. */
  if (mm_vfs_find_report_directory (vfs, inode, name, out))
    return MM_TRY_DONE;
  guint32 folder_id = mm_vfs_get_folder_id (vfs, inode);
  MmTry listed = mm_account_try_folders (vfs->account, TRUE, waiter, error);
  if (listed != MM_TRY_DONE)
    return listed;
  if (mm_account_find_child (vfs->account, folder_id, name, &folder))
    {
      mm_vfs_describe_folder (vfs, &folder, out);
      return MM_TRY_DONE;
    }
  if (!mm_account_get_folder (vfs->account, folder_id, &folder))
    return mm_vfs_fail_not_found (error);
  return lookup_message (vfs, &folder, name, out, waiter, error);
}

static MmTry
try_get_attributes (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                    GError **error)
{
  MmFolder folder;
  /* The kernel knows the root before anybody listed it, and keeps what it is told. */
  MmTry listed = mm_account_try_folders (vfs->account, FALSE, waiter, error);

  if (listed != MM_TRY_DONE)
    return listed;
  if (!mm_account_get_folder (vfs->account, mm_vfs_get_folder_id (vfs, inode), &folder))
    return mm_vfs_fail_not_found (error);
  mm_vfs_describe_folder (vfs, &folder, out);
  return MM_TRY_DONE;
}

/* ---- reading the directory ---- */

static MmTry
try_open_directory (MmVfs *vfs, guint64 inode, MmVfsDirectory *directory, MmWaiter *waiter,
                    GError **error)
{
  MmTry listed = mm_account_try_folders (vfs->account, TRUE, waiter, error);

  if (listed != MM_TRY_DONE)
    return listed;
  if (!mm_account_get_folder (vfs->account, mm_vfs_get_folder_id (vfs, inode), &directory->folder))
    return mm_vfs_fail_not_found (error);
  if (directory->folder.mailbox == NULL)
    return MM_TRY_DONE;
  vfs->visited_id = directory->folder.id;
  return mm_mailbox_try_open (directory->folder.mailbox, &directory->stream, waiter, error);
}

typedef struct
{
  MmVfsDirectory *directory;
  gint64 offset; /* behind the last entry told */
  MmVfsEntryFunc func;
  gpointer user_data;
  gboolean is_full;
  guint n_told;
} Telling;

static void
tell (Telling *telling, const gchar *name, const MmAttributes *attributes, gint64 offset)
{
  if (telling->func (name, attributes, offset, telling->user_data))
    {
      telling->offset = offset;
      telling->n_told++;
    }
  else
    telling->is_full = TRUE;
}

static void
tell_dots (Telling *telling)
{
  MmVfsDirectory *directory = telling->directory;
  MmAttributes attributes;
  MmFolder parent = directory->folder;

  if (telling->offset < MM_OFFSET_SELF)
    {
      mm_vfs_describe_folder (directory->vfs, &directory->folder, &attributes);
      tell (telling, ".", &attributes, MM_OFFSET_SELF);
    }
  if (telling->offset < MM_OFFSET_PARENT && !telling->is_full)
    {
      if (directory->inode != MM_VFS_ROOT_INODE)
        mm_account_get_folder (directory->vfs->account, directory->folder.parent_id, &parent);
      mm_vfs_describe_folder (directory->vfs, &parent, &attributes);
      tell (telling, "..", &attributes, MM_OFFSET_PARENT);
    }
}

/* WAIT and FAILED count only when nothing was told: what was told is answered first. */
static MmTry
tell_messages (Telling *telling, MmWaiter *waiter, GError **error)
{
  MmVfsDirectory *directory = telling->directory;
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED
      = mm_mailbox_hold_strings (directory->folder.mailbox);
  MmMessage messages[BATCH];
  gsize n = 0;

  while (!telling->is_full)
    {
      guint64 after = (guint64) (telling->offset - MM_OFFSET_MESSAGES);
      MmTry result = mm_mailbox_try_next (directory->folder.mailbox, directory->stream, after,
                                          messages, BATCH, &n, waiter, error);
      if (result != MM_TRY_DONE || n == 0)
        return result;
      for (gsize i = 0; i < n && !telling->is_full; i++)
        {
          gchar name[MM_MESSAGE_NAME_SIZE];
          MmAttributes attributes;

          mm_vfs_build_name (directory->vfs, &messages[i], name);
          mm_vfs_describe_message (directory->folder.id, &messages[i], &attributes);
          tell (telling, name, &attributes, MM_OFFSET_MESSAGES + (gint64) messages[i].number);
        }
    }
  return MM_TRY_DONE;
}

static void
tell_folders (Telling *telling)
{
  MmVfsDirectory *directory = telling->directory;
  guint32 after
      = telling->offset > MM_OFFSET_FOLDERS ? (guint32) (telling->offset - MM_OFFSET_FOLDERS) : 0;
  MmFolder child;

  while (!telling->is_full
         && mm_account_next_child (directory->vfs->account, directory->folder.id, after, &child))
    {
      MmAttributes attributes;
      mm_vfs_describe_folder (directory->vfs, &child, &attributes);
      tell (telling, child.component, &attributes, MM_OFFSET_FOLDERS + (gint64) child.id);
      after = child.id;
    }
}

static MmTry
try_read_directory (MmVfsDirectory *directory, gint64 offset, MmVfsEntryFunc func,
                    gpointer user_data, MmWaiter *waiter, GError **error)
{
  Telling telling = { directory, offset, func, user_data, FALSE, 0 };

  tell_dots (&telling);
  if (directory->folder.mailbox != NULL && telling.offset < MM_OFFSET_FOLDERS && !telling.is_full)
    {
      g_autoptr (GError) broken = NULL;
      MmTry result = tell_messages (&telling, waiter, &broken);
      if (result == MM_TRY_DONE && !telling.is_full)
        telling.offset = MM_OFFSET_FOLDERS;
      else if (result != MM_TRY_DONE && telling.n_told == 0)
        {
          if (broken != NULL)
            g_propagate_error (error, g_steal_pointer (&broken));
          return result;
        }
      else
        return MM_TRY_DONE;
    }
  if (!telling.is_full)
    tell_folders (&telling);
  return MM_TRY_DONE;
}

const MmNodeClass mm_folder_node_class = {
  .lookup = try_lookup,
  .get_attributes = try_get_attributes,
  .open_directory = try_open_directory,
  .read_directory = try_read_directory,
  .get_xattr = mm_vfs_try_report_attribute,
};
