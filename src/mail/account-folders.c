// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keeping the tree of folders as the server's list says. The list is collected on a connection's
 * thread and applied on the index thread, where new folders get their persistent numbers. A list
 * that broke off changes nothing: a folder disappears only after a whole list without it.
 */
#include "account-private.h"

#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/folder-name.h>
#include <mailmount/log.h>

#include "orphans.h"

static void
clear_listed (gpointer data)
{
  MmListedFolder *listed = data;
  g_free (listed->name);
  g_free (listed->path);
  g_free (listed->mailbox_id);
}

static void
free_folder_list (gpointer data)
{
  MmFolderList *list = data;
  g_array_unref (list->listed);
  g_array_unref (list->gone);
  g_ptr_array_unref (list->added);
  g_hash_table_unref (list->changed);
  g_clear_error (&list->error);
  g_free (list);
}

static void
log_index_error (const MmAccount *account, GError *error)
{
  if (error == NULL)
    return;
  mm_log_warning ("the index of %s: %s", account->context.name, error->message);
  g_error_free (error);
}

/* ---- from the index ---- */

static void
add_mailbox_locked (MmAccount *account, MmFolderNode *node, const gchar *name,
                    const MmMailboxState *state, guint64 next_number)
{
  node->mailbox = mm_mailbox_new (&account->context, node->id, name, node->path, state,
                                  next_number, node->mtime_us);
  g_ptr_array_add (account->mailboxes, node->mailbox);
}

static void
add_indexed_folder (const MmIndexFolder *folder, gpointer user_data)
{
  MmAccount *account = user_data;
  g_autofree gchar *parent_path = mm_folder_path_dup_parent (folder->path);

  g_mutex_lock (&account->lock);
  MmFolderNode *parent = mm_folder_tree_find_path (account->tree, parent_path);
  /* Parents come first; a row without its parent is void. */
  if (parent != NULL && mm_folder_tree_find_path (account->tree, folder->path) == NULL)
    {
      MmFolderNode *node = mm_folder_tree_add (account->tree, parent, folder->id, folder->path,
                                               folder->component);
      node->flags = folder->flags;
      node->mtime_us = folder->mtime_us;
      node->mailbox_id = g_strdup (folder->mailbox_id);
      node->is_placeholder = *folder->name == '\0';
      if (!node->is_placeholder && (folder->flags & MM_MAILBOX_NOSELECT) == 0)
        add_mailbox_locked (account, node, folder->name, &folder->state, folder->next_number);
    }
  g_mutex_unlock (&account->lock);
}

static void
load_folders (MmIndex *index, gpointer data)
{
  MmAccount *account = data;
  GError *error = NULL;

  mm_index_load_folders (index, account->account_id, add_indexed_folder, account, &error);
  log_index_error (account, error);

  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (account->tree);
  g_mutex_lock (&account->lock);
  mm_account_mark_visible_locked (account, nodes);
  account->is_loaded = TRUE;
  g_cond_broadcast (&account->listed);
  g_mutex_unlock (&account->lock);
}

void
mm_account_load_folders (MmAccount *account)
{
  mm_index_thread_push (account->context.index, load_folders, account, NULL);
}

/* ---- applying a list, on the index thread ---- */

static void
note_changed (MmFolderList *list, guint32 folder_id)
{
  g_hash_table_add (list->changed, GUINT_TO_POINTER (folder_id));
}

/* Adds a folder with its number from the index. NULL when the index failed. */
static MmFolderNode *
add_folder (MmFolderList *list, MmIndex *index, MmFolderNode *parent, const gchar *path,
            const MmListedFolder *listed)
{
  MmAccount *account = list->account;
  g_autofree gchar *component = mm_folder_tree_choose_component (account->tree, parent, path);
  MmIndexFolder row = {
    .name = listed != NULL ? listed->name : "",
    .path = path,
    .delimiter = listed != NULL ? listed->delimiter : 0,
    .component = component,
    .flags = listed != NULL ? listed->flags : MM_MAILBOX_NOSELECT,
    .next_number = 1,
    .mtime_us = mm_clock_wall_us (),
  };

  row.id = mm_index_add_folder (index, account->account_id, &row, &list->error);
  if (row.id == 0)
    return NULL;
  g_mutex_lock (&account->lock);
  MmFolderNode *node = mm_folder_tree_add (account->tree, parent, row.id, path, component);
  node->mtime_us = row.mtime_us;
  node->is_placeholder = TRUE;
  node->flags = MM_MAILBOX_NOSELECT;
  g_mutex_unlock (&account->lock);
  note_changed (list, parent->id);
  g_ptr_array_add (list->added, node);
  return node;
}

MmFolderNode *
mm_account_ensure_folder (MmFolderList *list, MmIndex *index, const gchar *path, const MmListedFolder *listed)
{
  MmFolderTree *tree = list->account->tree;
  MmFolderNode *node = mm_folder_tree_get_root (tree);
  g_autofree gchar *prefix = g_strdup (path);

  for (gchar *end = *path != '\0' ? prefix : NULL; node != NULL && end != NULL;)
    {
      end = strchr (end + 1, '/');
      if (end != NULL)
        *end = '\0';
      MmFolderNode *next = mm_folder_tree_find_path (tree, prefix);
      node = next != NULL ? next
                          : add_folder (list, index, node, prefix, end == NULL ? listed : NULL);
      if (end != NULL)
        *end = '/';
    }
  return node;
}

/* Nobody finds @mailbox (nullable) any more. It stays in the account's array for those who still use
 * it, and they find it empty. */
static void
let_go (MmAccount *account, MmMailbox *mailbox)
{
  if (mailbox == NULL)
    return;
  mm_read_ahead_note_gone (account->read_ahead, mailbox);
  mm_mailbox_set_gone (mailbox);
}

/* Gives every folder of the list its number. Nobody sees a new one before the index keeps it: a number
 * that is lost would be given again, and the content of two folders be taken for that of one. On
 * failure none is added. */
static gboolean
number_folders (MmFolderList *list, MmIndex *index)
{
  MmAccount *account = list->account;

  for (guint i = 0; i < list->listed->len && list->error == NULL; i++)
    {
      const MmListedFolder *listed = &g_array_index (list->listed, MmListedFolder, i);
      mm_account_ensure_folder (list, index, listed->path, listed);
    }
  if (list->error == NULL && (list->added->len == 0 || mm_index_secure (index, &list->error)))
    return TRUE;
  g_mutex_lock (&account->lock);
  for (guint i = list->added->len; i-- > 0;)
    {
      MmFolderNode *node = g_ptr_array_index (list->added, i);
      /* A folder that was renamed may be below it. */
      if (node->children->len == 0)
        mm_folder_tree_remove (account->tree, node);
    }
  g_mutex_unlock (&account->lock);
  return FALSE;
}

/* What the list says of one folder. */
static void
apply_listed (MmFolderList *list, MmIndex *index, const MmListedFolder *listed)
{
  MmAccount *account = list->account;
  MmFolderNode *node = mm_folder_tree_find_path (account->tree, listed->path);

  if (node->is_listed)
    return;
  g_mutex_lock (&account->lock);
  MmMailbox *before = node->mailbox;
  node->is_listed = TRUE;
  gboolean is_other = node->is_placeholder || node->flags != listed->flags;
  node->has_no_id = listed->mailbox_id == NULL;
  if (listed->mailbox_id != NULL && g_strcmp0 (node->mailbox_id, listed->mailbox_id) != 0)
    {
      g_free (node->mailbox_id);
      node->mailbox_id = g_strdup (listed->mailbox_id);
      is_other = TRUE;
    }
  node->is_placeholder = FALSE;
  node->flags = listed->flags;
  if ((listed->flags & MM_MAILBOX_NOSELECT) != 0)
    node->mailbox = NULL;
  else if (node->mailbox == NULL)
    add_mailbox_locked (account, node, listed->name, &(MmMailboxState){ 0 }, 1);
  MmMailbox *mailbox = node->mailbox;
  g_mutex_unlock (&account->lock);
  if (mailbox == NULL)
    let_go (account, before);
  /* The directory has messages now, or none any more. */
  if ((before == NULL) != (mailbox == NULL))
    note_changed (list, node->id);

  if (mailbox != NULL && mm_mailbox_announce (mailbox, listed->name, &listed->state))
    is_other = TRUE;
  if (is_other)
    {
      GError *error = NULL;
      mm_index_set_folder_name (index, node->id, listed->name, listed->delimiter, listed->flags,
                                node->mailbox_id, &error);
      log_index_error (account, error);
    }
}

/* Takes out the folders that the list no longer tells and that nothing below needs. */
static void
remove_unlisted (MmFolderList *list, MmIndex *index, GPtrArray *nodes)
{
  MmAccount *account = list->account;

  for (guint i = nodes->len; i-- > 0;)
    {
      MmFolderNode *node = g_ptr_array_index (nodes, i);
      if (node->is_listed || (node->is_placeholder && node->children->len > 0))
        continue;
      GError *error = NULL;
      MmMailbox *mailbox = node->mailbox;
      MmFolderGone gone = { node->parent->id, node->component };
      if (node->children->len > 0)
        {
          g_mutex_lock (&account->lock);
          node->is_placeholder = TRUE;
          node->mailbox = NULL;
          g_mutex_unlock (&account->lock);
          let_go (account, mailbox);
          mm_index_set_folder_name (index, node->id, "", 0, MM_MAILBOX_NOSELECT, NULL, &error);
          log_index_error (account, error);
          note_changed (list, node->id);
          mm_content_cache_remove_folder (account->context.cache, node->id);
          continue;
        }
      note_changed (list, gone.parent_id);
      g_array_append_val (list->gone, gone);
      mm_orphans_add_folder (account->context.orphans, index, node->id);
      mm_index_remove_folder (index, node->id, &error);
      log_index_error (account, error);
      mm_content_cache_remove_folder (account->context.cache, node->id);
      g_mutex_lock (&account->lock);
      mm_folder_tree_remove (account->tree, node);
      g_mutex_unlock (&account->lock);
      let_go (account, mailbox);
      g_ptr_array_remove_index (nodes, i);
    }
}

/* The directories whose folders are others now have a new mtime; all but those that are new
 * themselves, which is what the first list makes of all. */
static void
touch_changed (MmFolderList *list, MmIndex *index, gboolean is_first)
{
  MmAccount *account = list->account;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, list->changed);
  while (!is_first && g_hash_table_iter_next (&iter, &key, NULL))
    {
      GError *error = NULL;
      g_mutex_lock (&account->lock);
      MmFolderNode *node = mm_folder_tree_find_id (account->tree, GPOINTER_TO_UINT (key));
      gint64 now_us = mm_clock_wall_us ();
      if (node != NULL)
        node->mtime_us = now_us;
      g_mutex_unlock (&account->lock);
      if (node != NULL && node->id != 0)
        mm_index_set_folder_mtime (index, node->id, now_us, &error);
      log_index_error (account, error);
    }
}

static void
tell_observer (const MmFolderList *list)
{
  const MmMailContext *context = &list->account->context;
  GHashTableIter iter;
  gpointer key;

  if (context->observer == NULL)
    return;
  for (guint i = 0; i < list->gone->len; i++)
    {
      const MmFolderGone *gone = &g_array_index (list->gone, MmFolderGone, i);
      context->observer->folder_gone (gone->parent_id, gone->component, context->observer_data);
    }
  g_hash_table_iter_init (&iter, list->changed);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    context->observer->folder_changed (GPOINTER_TO_UINT (key), context->observer_data);
}

gboolean
mm_account_accept_known_locked (MmAccount *account)
{
  /* Rows come from whole lists only. */
  gboolean is_known = mm_folder_tree_get_root (account->tree)->children->len > 0;

  if (is_known)
    {
      account->is_accepted = TRUE;
      account->excused_us = mm_clock_monotonic_us ();
    }
  return is_known;
}

static void
report_failure (MmAccount *account, const GError *error)
{
  mm_statistics_note_listing_error (account->context.statistics, error);
  mm_log_warning ("the folders of %s could not be listed: %s", account->context.name,
                  error->message);
}

static void
finish_list (MmAccount *account, const GError *error)
{
  g_mutex_lock (&account->lock);
  account->is_listing = FALSE;
  g_clear_error (&account->list_error);
  if (error == NULL)
    account->listed_us = mm_clock_monotonic_us ();
  else
    account->list_error = g_error_copy (error);
  if (error != NULL && mm_error_is_away (error) && mm_account_accept_known_locked (account))
    error = NULL;
  GPtrArray *waiters = mm_wait_list_take_locked (account->waits);
  g_cond_broadcast (&account->listed);
  g_mutex_unlock (&account->lock);
  mm_waiters_fire (waiters, error);
  if (account->context.watcher != NULL)
    mm_watcher_wake (account->context.watcher);
}

/* A folder, what is below it, its siblings: "/" comes before everything else. */
static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  const gchar *first = ((const MmListedFolder *) a)->path;
  const gchar *second = ((const MmListedFolder *) b)->path;

  while (*first == *second && *first != '\0')
    first++, second++;
  guchar first_octet = *first == '/' ? 1 : (guchar) *first;
  guchar second_octet = *second == '/' ? 1 : (guchar) *second;
  return first_octet - second_octet;
}

static void
apply_list (MmIndex *index, gpointer data)
{
  MmFolderList *list = data;
  MmAccount *account = list->account;

  /* Another process may have added the same folders: their rows count. This transaction keeps it
   * from adding more. */
  load_folders (index, account);
  g_autoptr (GPtrArray) before = mm_folder_tree_list (account->tree);
  for (guint i = 0; i < before->len; i++)
    ((MmFolderNode *) g_ptr_array_index (before, i))->is_listed = FALSE;
  /* Ids are given in this order, and directories are read in that of ids: tools that walk by name and
   * those that walk as they read then take the same way. */
  g_array_sort (list->listed, compare_paths);
  mm_account_apply_renames (list, index);
  if (!number_folders (list, index))
    {
      report_failure (account, list->error);
      finish_list (account, list->error);
      return;
    }
  for (guint i = 0; i < list->listed->len; i++)
    apply_listed (list, index, &g_array_index (list->listed, MmListedFolder, i));

  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (account->tree);
  remove_unlisted (list, index, nodes);
  g_mutex_lock (&account->lock);
  mm_account_mark_visible_locked (account, nodes);
  gboolean is_first = account->listed_us == 0 && before->len == 0;
  g_mutex_unlock (&account->lock);

  touch_changed (list, index, is_first);
  tell_observer (list);
  finish_list (account, NULL);
  if (!is_first && g_hash_table_size (list->changed) > 0 && account->context.watcher != NULL)
    mm_watcher_confirm_folders (account->context.watcher);
}

/* ---- collecting a list, on a connection's thread ---- */

static void
on_mailbox (const MmRemoteMailbox *mailbox, gpointer user_data)
{
  MmFolderList *list = user_data;
  g_auto (GStrv) components
      = mm_folder_path_split (mailbox->name, mailbox->delimiter, MM_MAILBOX_UTF7, NULL);
  MmListedFolder listed = {
    .name = g_strdup (mailbox->name),
    .path = g_strjoinv ("/", components),
    .delimiter = mailbox->delimiter,
    .flags = mailbox->flags,
    .state = mailbox->state,
    .mailbox_id = g_strdup (mailbox->mailbox_id),
  };

  g_array_append_val (list->listed, listed);
}

static gboolean
on_wants_id (const gchar *name, gchar delimiter, gpointer user_data)
{
  MmFolderList *list = user_data;
  MmAccount *account = list->account;
  g_auto (GStrv) components = mm_folder_path_split (name, delimiter, MM_MAILBOX_UTF7, NULL);
  g_autofree gchar *path = g_strjoinv ("/", components);

  g_mutex_lock (&account->lock);
  const MmFolderNode *node = mm_folder_tree_find_path (account->tree, path);
  gboolean wants_id = node == NULL || (node->mailbox_id == NULL && !node->has_no_id);
  g_mutex_unlock (&account->lock);
  return wants_id;
}

static void
on_list_done (const GError *error, gpointer user_data)
{
  MmFolderList *list = user_data;
  MmAccount *account = list->account;

  if (error == NULL)
    {
      mm_index_thread_push (account->context.index, apply_list, list, free_folder_list);
      return;
    }
  if (error->code != MM_ERROR_CANCELLED && error->code != MM_ERROR_OFFLINE)
    report_failure (account, error);
  free_folder_list (list);
  finish_list (account, error);
}

void
mm_account_start_list (MmAccount *account)
{
  static const MmRemoteListSink sink = { .mailbox = on_mailbox, .done = on_list_done,
                                         .wants_id = on_wants_id };
  MmFolderList *list = g_new0 (MmFolderList, 1);

  list->account = account;
  list->listed = g_array_new (FALSE, FALSE, sizeof (MmListedFolder));
  g_array_set_clear_func (list->listed, clear_listed);
  list->gone = g_array_new (FALSE, FALSE, sizeof (MmFolderGone));
  list->added = g_ptr_array_new ();
  list->changed = g_hash_table_new (NULL, NULL);
  g_autoptr (MmRemoteJob) job = mm_remote_list_mailboxes (account->context.remote, &sink, list);
}
