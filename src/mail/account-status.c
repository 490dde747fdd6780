// SPDX-License-Identifier: GPL-3.0-or-later
/* What an account tells of itself: copied from its parts, one lock at a time. */
#include "account-private.h"

#include <mailmount/account-status.h>
#include <mailmount/clock.h>

/* What the monotonic clock showed at a moment of the past, as people write it. */
static gint64
to_wall_us (gint64 monotonic_us)
{
  return monotonic_us != 0 ? mm_clock_wall_us () - (mm_clock_monotonic_us () - monotonic_us) : 0;
}

/* The path of a node below the folder @root, made of the components that are shown, which may be
 * marked: "" for @root itself, NULL for what is not below it. (transfer full) (nullable) */
static gchar *
build_shown_path (const MmFolderNode *root, const MmFolderNode *node)
{
  GString *path = g_string_new (NULL);

  for (; node != root && node->parent != NULL; node = node->parent)
    {
      if (path->len > 0)
        g_string_prepend_c (path, '/');
      g_string_prepend (path, node->component);
    }
  return g_string_free (path, node != root);
}

static void
describe_mailbox (MmMailbox *mailbox, MmFolderStatus *out)
{
  mm_mailbox_get_totals (mailbox, &out->messages, &out->octets);
  g_mutex_lock (&mailbox->lock);
  out->is_listed = mailbox->is_complete;
  out->compared_us = to_wall_us (mailbox->checked_us);
  g_mutex_unlock (&mailbox->lock);
}

static void
clear_folder (gpointer data)
{
  MmFolderStatus *folder = data;
  g_free (folder->path);
}

static void
read_folders_locked (MmAccount *account, const MmFolderNode *root, MmAccountStatus *out)
{
  for (const MmFolderNode *node = root; node != NULL; node = mm_folder_node_next_visible (node))
    {
      g_autofree gchar *path = build_shown_path (root, node);
      if (path == NULL)
        break; /* the walk left the tree below @root */
      if (node->mailbox == NULL)
        continue;
      MmFolderStatus folder = { .path = g_steal_pointer (&path) };
      describe_mailbox (node->mailbox, &folder);
      folder.n_cached = mm_content_cache_count_folder (account->context.cache, node->id);
      if (node->mailbox != NULL)
        folder.n_cached += mm_mailbox_count_stored_links (node->mailbox);
      g_array_append_val (out->folders, folder);
    }
}

static gboolean
is_expunged (MmMailbox *mailbox, guint64 number)
{
  MmMessage message;
  return mm_mailbox_is_complete (mailbox) && !mm_mailbox_get_message (mailbox, number, &message);
}

/* What is gone troubles nobody any more; what is left gets the name that is shown now. */
static void
revise_failed_locked (MmAccount *account, const MmFolderNode *root, MmAccountStatus *out)
{
  for (guint i = out->failed->len; i-- > 0;)
    {
      MmFailedMessage *message = &g_array_index (out->failed, MmFailedMessage, i);
      const MmFolderNode *node = mm_folder_tree_find_id (account->tree, message->folder_id);

      if (node == NULL || node->mailbox == NULL || is_expunged (node->mailbox, message->number))
        {
          g_array_remove_index (out->failed, i);
          continue;
        }
      gchar *path = build_shown_path (root, node);
      if (path == NULL)
        continue;
      g_free (message->folder);
      message->folder = path;
    }
}

static void
read_folders (MmAccount *account, MmAccountStatus *out)
{
  out->folders = g_array_new (FALSE, FALSE, sizeof (MmFolderStatus));
  g_array_set_clear_func (out->folders, clear_folder);

  g_mutex_lock (&account->lock);
  const MmFolderNode *root = mm_folder_tree_find_id (account->tree, account->root_id);
  out->folders_listed_us = to_wall_us (account->listed_us);
  if (root != NULL)
    {
      read_folders_locked (account, root, out);
      revise_failed_locked (account, root, out);
    }
  g_mutex_unlock (&account->lock);
}

void
mm_account_get_status (MmAccount *account, MmAccountStatus *out)
{
  *out = (MmAccountStatus){ 0 };
  mm_remote_get_status (account->context.remote, &out->remote);
  mm_statistics_read (account->context.statistics, out);
  mm_content_cache_get_usage (account->context.cache, &out->cache);
  out->n_cache_damaged = mm_content_cache_get_n_damaged (account->context.cache);
  read_folders (account, out);
}

void
mm_account_status_clear (MmAccountStatus *status)
{
  mm_remote_status_clear (&status->remote);
  g_clear_pointer (&status->folders, g_array_unref);
  g_clear_pointer (&status->failed, g_array_unref);
}
