// SPDX-License-Identifier: GPL-3.0-or-later
#include "vfs-private.h"

#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/message-name.h>

/* The kernel asks again, for a single page, when it could not read ahead; its caller has waited long
 * enough. */
#define HOPELESS_US G_USEC_PER_SEC

/* ---- life ---- */

MmVfs *
mm_vfs_new (MmNames names)
{
  MmVfs *vfs = g_new0 (MmVfs, 1);

  vfs->names = names;
  vfs->created_us = mm_clock_wall_us ();
  g_mutex_init (&vfs->lock);
  vfs->directories = g_hash_table_new (NULL, NULL);
  vfs->files = g_hash_table_new (NULL, NULL);
  return vfs;
}

void
mm_vfs_free (MmVfs *vfs)
{
  if (vfs == NULL)
    return;
  mm_vfs_close_all (vfs);
  g_hash_table_unref (vfs->directories);
  g_hash_table_unref (vfs->files);
  g_mutex_clear (&vfs->lock);
  g_free (vfs);
}

void
mm_vfs_set_account (MmVfs *vfs, MmAccount *account)
{
  vfs->account = account;
}

void
mm_vfs_set_observer (MmVfs *vfs, const MmVfsObserver *observer, gpointer user_data)
{
  vfs->observer = *observer;
  vfs->observer_data = user_data;
}

void
mm_vfs_set_report_func (MmVfs *vfs, MmVfsReportFunc func, gpointer user_data)
{
  vfs->report_func = func;
  vfs->report_data = user_data;
}

static guint64
get_message_inode (guint32 folder_id, const MmMessage *message)
{
  guint64 link = mm_message_get_link (message);
  return link != 0 ? mm_inode_make_linked (link)
                   : mm_inode_make (MM_NODE_MESSAGE, folder_id, message->number);
}

/* ---- what changed, from folders and messages to inodes and names ---- */

static void
on_folder_changed (guint32 folder_id, gpointer user_data)
{
  MmVfs *vfs = user_data;
  guint64 inode = mm_vfs_get_folder_inode (vfs, folder_id);

  if (vfs->observer.directory_changed == NULL)
    return;
  vfs->observer.directory_changed (inode, vfs->observer_data);
  vfs->observer.attributes_changed (inode, vfs->observer_data);
}

static void
on_folder_gone (guint32 parent_id, const gchar *component, gpointer user_data)
{
  MmVfs *vfs = user_data;

  if (vfs->observer.entry_gone != NULL)
    vfs->observer.entry_gone (mm_vfs_get_folder_inode (vfs, parent_id), component,
                              vfs->observer_data);
}

static void
on_message_gone (guint32 folder_id, const MmMessage *message, gpointer user_data)
{
  MmVfs *vfs = user_data;
  guint64 directory = mm_vfs_get_folder_inode (vfs, folder_id);
  gchar listed[MM_MESSAGE_NAME_SIZE];
  gchar bare[MM_MESSAGE_NAME_SIZE];

  if (vfs->observer.entry_gone == NULL)
    return;
  mm_vfs_build_name (vfs, message, listed);
  mm_message_name_build_bare (bare, message->number);
  vfs->observer.entry_gone (directory, listed, vfs->observer_data);
  if (strcmp (listed, bare) != 0)
    vfs->observer.entry_gone (directory, bare, vfs->observer_data);
}

static void
on_message_changed (guint32 folder_id, const MmMessage *message, gpointer user_data)
{
  MmVfs *vfs = user_data;

  if (vfs->observer.attributes_changed != NULL)
    vfs->observer.attributes_changed (get_message_inode (folder_id, message), vfs->observer_data);
}

const MmAccountObserver *
mm_vfs_get_account_observer (void)
{
  static const MmAccountObserver observer = {
    .folder_changed = on_folder_changed,
    .folder_gone = on_folder_gone,
    .message_gone = on_message_gone,
    .message_changed = on_message_changed,
  };
  return &observer;
}

/* ---- names and attributes ---- */

guint32
mm_vfs_get_folder_id (const MmVfs *vfs, guint64 inode)
{
  return inode == MM_VFS_ROOT_INODE ? mm_account_get_root_id (vfs->account)
                                    : mm_inode_get_folder (inode);
}

guint64
mm_vfs_get_folder_inode (const MmVfs *vfs, guint32 folder_id)
{
  return folder_id == mm_account_get_root_id (vfs->account)
             ? MM_VFS_ROOT_INODE
             : mm_inode_make (MM_NODE_FOLDER, folder_id, 0);
}

void
mm_vfs_build_name (const MmVfs *vfs, const MmMessage *message, gchar *out)
{
  if (vfs->names == MM_NAMES_UID)
    mm_message_name_build_bare (out, message->number);
  else
    mm_message_name_build (out, message->internaldate, message->stem, message->number);
}

void
mm_vfs_describe_folder (const MmVfs *vfs, const MmFolder *folder, MmAttributes *out)
{
  *out = (MmAttributes){
    .inode = mm_vfs_get_folder_inode (vfs, folder->id),
    .is_directory = TRUE,
    .n_links = 2 + folder->n_children,
    .mtime_us = folder->mtime_us,
  };
}

void
mm_vfs_describe_message (guint32 folder_id, const MmMessage *message, MmAttributes *out)
{
  *out = (MmAttributes){
    .inode = get_message_inode (folder_id, message),
    /* How many names there are depends on what was listed so far; that there may be others must be
     * known at the first one, or tar and rsync look for none. */
    .n_links = mm_message_get_link (message) != 0 ? 2 : 1,
    .size = message->size,
    .mtime_us = (gint64) message->internaldate * G_USEC_PER_SEC,
  };
}

MmTry
mm_vfs_fail_not_found (GError **error)
{
  g_set_error_literal (error, MM_ERROR, MM_ERROR_NOT_FOUND, "no such file or directory");
  return MM_TRY_FAILED;
}

/* ---- dispatch ---- */

static const MmNodeClass *
get_class (guint64 inode)
{
  switch (mm_inode_get_kind (inode))
    {
    case MM_NODE_ROOT:
    case MM_NODE_FOLDER:
      return &mm_folder_node_class;
    case MM_NODE_MESSAGE:
    case MM_NODE_LINKED:
      return &mm_message_node_class;
    case MM_NODE_REPORT:
      return &mm_report_node_class;
    }
  return NULL;
}

MmTry
mm_vfs_try_lookup (MmVfs *vfs, guint64 directory, const gchar *name, MmAttributes *out,
                   MmWaiter *waiter, GError **error)
{
  const MmNodeClass *node_class = get_class (directory);

  if (node_class == NULL || node_class->lookup == NULL)
    return mm_vfs_fail_not_found (error);
  return node_class->lookup (vfs, directory, name, out, waiter, error);
}

MmTry
mm_vfs_try_get_attributes (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                           GError **error)
{
  const MmNodeClass *node_class = get_class (inode);

  if (node_class == NULL)
    return mm_vfs_fail_not_found (error);
  return node_class->get_attributes (vfs, inode, out, waiter, error);
}

MmTry
mm_vfs_try_open_directory (MmVfs *vfs, guint64 inode, guint thread_id, MmVfsDirectory **out,
                           MmWaiter *waiter, GError **error)
{
  const MmNodeClass *node_class = get_class (inode);

  if (node_class == NULL || node_class->open_directory == NULL)
    return mm_vfs_fail_not_found (error);
  MmVfsDirectory directory = { .vfs = vfs, .node_class = node_class, .inode = inode };
  MmTry result = node_class->open_directory (vfs, inode, &directory, waiter, error);
  /* Also while it waits: the next folders may come with this one. */
  if (node_class == &mm_folder_node_class
      && (result == MM_TRY_DONE || (result == MM_TRY_WAIT && directory.folder.mailbox != NULL)))
    mm_account_note_list (vfs->account, directory.folder.mailbox, thread_id);
  if (result == MM_TRY_DONE)
    {
      *out = g_memdup2 (&directory, sizeof directory);
      g_mutex_lock (&vfs->lock);
      g_hash_table_add (vfs->directories, *out);
      g_mutex_unlock (&vfs->lock);
    }
  return result;
}

MmTry
mm_vfs_try_read_directory (MmVfsDirectory *directory, gint64 offset, MmVfsEntryFunc func,
                           gpointer user_data, MmWaiter *waiter, GError **error)
{
  return directory->node_class->read_directory (directory, offset, func, user_data, waiter, error);
}

void
mm_vfs_close_directory (MmVfsDirectory *directory)
{
  MmVfs *vfs = directory->vfs;

  g_mutex_lock (&vfs->lock);
  g_hash_table_remove (vfs->directories, directory);
  g_mutex_unlock (&vfs->lock);
  g_free (directory);
}

MmTry
mm_vfs_try_open (MmVfs *vfs, guint64 inode, guint thread_id, MmVfsFile **out, MmWaiter *waiter,
                 GError **error)
{
  const MmNodeClass *node_class = get_class (inode);

  if (node_class == NULL || node_class->open == NULL)
    return mm_vfs_fail_not_found (error);
  /* An attempt that waits leaves the content in @out, so that it lives until the next one. It is the
   * caller's to close until it is open. */
  if (*out == NULL)
    {
      *out = g_new0 (MmVfsFile, 1);
      (*out)->vfs = vfs;
      (*out)->node_class = node_class;
      (*out)->thread_id = thread_id;
    }
  MmTry result = node_class->open (vfs, inode, *out, waiter, error);
  if (result == MM_TRY_FAILED)
    g_clear_pointer (out, mm_vfs_close);
  else if (result == MM_TRY_DONE)
    {
      g_mutex_lock (&vfs->lock);
      g_hash_table_add (vfs->files, *out);
      g_mutex_unlock (&vfs->lock);
    }
  return result;
}

MmTry
mm_vfs_try_read (MmVfsFile *file, gsize size, guint64 offset, GBytes **out_octets,
                 MmWaiter *waiter, GError **error)
{
  MmTry result = file->node_class->read (file, size, offset, out_octets, waiter, error);

  if (result == MM_TRY_WAIT && mm_clock_monotonic_us () < file->hopeless_until_us)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_TIMEOUT,
                           "the server did not answer in time a moment ago");
      return MM_TRY_FAILED;
    }
  if (result == MM_TRY_DONE && !file->is_taken)
    file->read_octets = MAX (file->read_octets, offset + g_bytes_get_size (*out_octets));
  return result;
}

void
mm_vfs_note_late (MmVfsFile *file)
{
  file->hopeless_until_us = mm_clock_monotonic_us () + HOPELESS_US;
}

GBytes *
mm_vfs_take_whole (MmVfsFile *file)
{
  GBytes *whole = mm_content_take_whole (file->content);

  if (whole != NULL)
    {
      file->is_taken = TRUE;
      file->read_octets = MM_READ_UNKNOWN;
    }
  return whole;
}

gboolean
mm_vfs_file_is_private (const MmVfsFile *file)
{
  return file->report != NULL;
}

static void
free_file (MmVfsFile *file)
{
  g_clear_pointer (&file->report, g_bytes_unref);
  if (file->content != NULL)
    mm_content_remove_reader (file->content);
  g_clear_pointer (&file->content, mm_content_unref);
  g_free (file);
}

void
mm_vfs_close (MmVfsFile *file)
{
  MmVfs *vfs = file->vfs;

  g_mutex_lock (&vfs->lock);
  g_hash_table_remove (vfs->files, file);
  /* An open that was given up may get here while the account is being freed. */
  if (file->content != NULL && !vfs->is_closed)
    mm_account_note_close (vfs->account, file->mailbox, file->number, file->read_octets,
                           file->size);
  g_mutex_unlock (&vfs->lock);
  free_file (file);
}

void
mm_vfs_close_all (MmVfs *vfs)
{
  GHashTableIter iter;
  gpointer key;

  g_mutex_lock (&vfs->lock);
  vfs->is_closed = TRUE;
  g_hash_table_iter_init (&iter, vfs->files);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_hash_table_iter_remove (&iter);
      free_file (key);
    }
  g_hash_table_iter_init (&iter, vfs->directories);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_hash_table_iter_remove (&iter);
      g_free (key);
    }
  g_mutex_unlock (&vfs->lock);
}

MmTry
mm_vfs_try_get_xattr (MmVfs *vfs, guint64 inode, const gchar *name, gchar **out_value,
                      MmWaiter *waiter, GError **error)
{
  const MmNodeClass *node_class = get_class (inode);

  *out_value = NULL;
  if (node_class == NULL || node_class->get_xattr == NULL)
    return mm_vfs_fail_not_found (error);
  return node_class->get_xattr (vfs, inode, name, out_value, waiter, error);
}

MmTry
mm_vfs_try_list_xattrs (MmVfs *vfs, guint64 inode, GByteArray **out_names, MmWaiter *waiter,
                        GError **error)
{
  const MmNodeClass *node_class = get_class (inode);
  g_autoptr (GByteArray) names = g_byte_array_new ();

  *out_names = NULL;
  if (node_class == NULL || node_class->get_xattr_names == NULL)
    return MM_TRY_DONE;
  const gchar *const *listed = node_class->get_xattr_names (inode);
  for (guint i = 0; listed[i] != NULL; i++)
    {
      g_autofree gchar *value = NULL;
      g_autoptr (GError) missing = NULL;
      const gchar *name = listed[i];

      switch (node_class->get_xattr (vfs, inode, name, &value, waiter, &missing))
        {
        case MM_TRY_DONE:
          g_byte_array_append (names, (const guint8 *) "user.", strlen ("user."));
          g_byte_array_append (names, (const guint8 *) name, (guint) strlen (name) + 1);
          break;
        case MM_TRY_WAIT:
          return MM_TRY_WAIT;
        case MM_TRY_FAILED:
          if (!g_error_matches (missing, MM_ERROR, MM_ERROR_NOT_FOUND))
            {
              g_propagate_error (error, g_steal_pointer (&missing));
              return MM_TRY_FAILED;
            }
          break;
        }
    }
  *out_names = g_steal_pointer (&names);
  return MM_TRY_DONE;
}

void
mm_vfs_get_totals (MmVfs *vfs, MmVfsTotals *out)
{
  mm_account_get_totals (vfs->account, &out->messages, &out->octets);
}
