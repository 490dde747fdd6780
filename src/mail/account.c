// SPDX-License-Identifier: GPL-3.0-or-later
#include "account-private.h"

#include <mailmount/clock.h>
#include <mailmount/folder-name.h>
#include <mailmount/index.h>
#include <mailmount/log.h>

#include "orphans.h"

#define DISK_READERS 2
/* A listing must still count as fresh when those who waited for it look. */
#define REFRESH_US_MIN G_USEC_PER_SEC

/* ---- construction ---- */

static MmMailbox *
find_mailbox (guint32 folder_id, gpointer user_data)
{
  MmAccount *account = user_data;

  g_mutex_lock (&account->lock);
  const MmFolderNode *node = mm_folder_tree_find_id (account->tree, folder_id);
  MmMailbox *mailbox = node != NULL ? node->mailbox : NULL;
  g_mutex_unlock (&account->lock);
  return mailbox;
}

static void
forget_stored (MmAccount *account, guint32 folder_id, guint64 number)
{
  MmMailbox *mailbox = find_mailbox (folder_id, account);

  if (mailbox != NULL)
    mm_mailbox_set_stored (mailbox, number, FALSE);
}

/* What left the cache is no longer passed over when it is read ahead. */
static void
on_evicted (guint32 folder_id, guint64 number, gpointer user_data)
{
  MmAccount *account = user_data;

  if (folder_id != MM_CONTENT_SHARED_FOLDER)
    {
      forget_stored (account, folder_id, number);
      return;
    }
  g_autoptr (GArray) places = mm_object_map_dup_places (account->context.objects, number);
  for (guint i = 0; i < places->len; i++)
    {
      const MmPlace *place = &g_array_index (places, MmPlace, i);
      forget_stored (account, place->folder_id, place->number);
    }
}

static gboolean
open_store (MmAccount *account, const MmAccountConfig *config, GError **error)
{
  g_autoptr (MmIndex) index = mm_index_open (config->directory, error);
  if (index == NULL)
    return FALSE;
  account->account_id = mm_index_get_account (index, config->key, error);
  if (account->account_id == 0 || !mm_account_load_traffic (account, index, error))
    return FALSE;
  /* After the index: a new index sets aside content that was kept under another one's numbers. */
  account->context.cache = mm_content_cache_open (config->directory, error);
  if (account->context.cache == NULL)
    return FALSE;
  MmContentCacheLimits limits = { config->cache_size_octets, config->cache_free_octets, on_evicted,
                                  account };
  mm_content_cache_limit (account->context.cache, &limits);
  account->context.index = mm_index_thread_new (g_steal_pointer (&index));
  return TRUE;
}

static void
on_server_change (const gchar *mailbox_name, const MmMailboxState *state, gpointer user_data)
{
  MmAccount *account = user_data;

  if (mailbox_name == NULL)
    {
      if (account->context.watcher != NULL)
        mm_watcher_note_folders_changed (account->context.watcher);
      return;
    }
  g_mutex_lock (&account->lock);
  for (guint i = 0; i < account->mailboxes->len; i++)
    {
      MmMailbox *mailbox = g_ptr_array_index (account->mailboxes, i);
      if (mm_mailbox_is_named (mailbox, mailbox_name)
          && (state == NULL || !mm_mailbox_is_as (mailbox, state)))
        mm_mailbox_set_stale (mailbox);
    }
  g_mutex_unlock (&account->lock);
}

/* By which UID a message is known. While the remote asks, the mailbox is being synchronised or read
 * from, so that what the index knew of it is in its table. */
static guint32
find_known_uid (const gchar *mailbox_name, const gchar *object_id, gpointer user_data)
{
  MmAccount *account = user_data;
  MmMailbox *found = NULL;

  g_mutex_lock (&account->lock);
  for (guint i = 0; i < account->mailboxes->len && found == NULL; i++)
    {
      MmMailbox *mailbox = g_ptr_array_index (account->mailboxes, i);
      if (!mm_mailbox_is_gone (mailbox) && mm_mailbox_is_named (mailbox, mailbox_name))
        found = mailbox;
    }
  g_mutex_unlock (&account->lock);
  if (found == NULL)
    return 0;
  return mm_mailbox_find_object_uid (found,
                                     mm_object_number (account->context.key, object_id));
}

/* What is shown may be of an earlier mount; and nobody may ask for the folders for long. */
static void
on_online (gpointer user_data)
{
  MmAccount *account = user_data;

  g_mutex_lock (&account->lock);
  gboolean start = !account->is_listing;
  account->is_listing = TRUE;
  g_mutex_unlock (&account->lock);
  if (start)
    mm_account_start_list (account);
}

/* The next folder with a mailbox in the order in which a tree is walked: a folder, what is below it,
 * its siblings. */
static MmMailbox *
find_next_mailbox (MmMailbox *mailbox, gpointer user_data)
{
  MmAccount *account = user_data;
  MmMailbox *found = NULL;

  g_mutex_lock (&account->lock);
  const MmFolderNode *node
      = mailbox != NULL
            ? mm_folder_tree_find_id (account->tree, mm_mailbox_get_folder_id (mailbox))
            : mm_folder_tree_get_root (account->tree);
  while (node != NULL && found == NULL)
    {
      node = mm_folder_node_next_visible (node);
      found = node != NULL ? node->mailbox : NULL;
    }
  g_mutex_unlock (&account->lock);
  return found;
}

MmAccount *
mm_account_new (const MmAccountConfig *config, GError **error)
{
  MmAccount *account = g_new0 (MmAccount, 1);
  MmMailContext *context = &account->context;

  g_mutex_init (&account->lock);
  g_cond_init (&account->listed);
  account->tree = mm_folder_tree_new ();
  account->mailboxes = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_mailbox_free);
  account->waits = mm_wait_list_new ();
  account->include = g_strdupv ((gchar **) config->include);
  account->exclude = g_strdupv ((gchar **) config->exclude);
  account->subscribed_only = config->subscribed_only;
  context->name = g_strdup (config->name);
  context->key = g_strdup (config->key);
  context->objects = mm_object_map_new ();
  context->orphans = mm_orphans_new ();
  context->find_mailbox = find_mailbox;
  context->find_data = account;
  context->remote = config->remote;
  context->want_subject = config->want_subject;
  context->bandwidth = config->bandwidth;
  context->refresh_us = MAX (config->refresh_us, REFRESH_US_MIN);
  context->poll_us = config->refresh_us;
  if (config->observer != NULL)
    {
      account->observer = *config->observer;
      context->observer = &account->observer;
      context->observer_data = config->observer_data;
    }
  context->statistics = mm_statistics_new ();
  context->relists = mm_gate_new ();
  context->disk_readers = mm_disk_pool_new (DISK_READERS);
  context->disk_writers = mm_disk_pool_new (1);
  account->contents = mm_content_table_new (context);
  if (!open_store (account, config, error))
    {
      mm_account_free (account);
      return NULL;
    }
  account->digests = mm_digest_lookup_new (context->cache, context->disk_readers);
  mm_remote_set_change_func (context->remote, on_server_change, account);
  mm_remote_set_online_func (context->remote, on_online, account);
  mm_remote_set_known_uid_func (context->remote, find_known_uid, account);
  account->read_ahead
      = mm_read_ahead_new (account->contents, context, find_next_mailbox, account);
  if (config->follows_changes)
    context->watcher = mm_watcher_new (account, config->watches_max);
  mm_account_load_folders (account);
  return account;
}

static void
sweep_orphans (MmIndex *index, gpointer data)
{
  const MmMailContext *context = data;
  mm_orphans_sweep (context->orphans, index, context, TRUE);
}

/* Takes the house down in the order in which the parts use one another: first what brings new work
 * (reading ahead, watching, the server), then what works it off (disk, index), then what they worked on. */
void
mm_account_free (MmAccount *account)
{
  if (account == NULL)
    return;
  MmMailContext *context = &account->context;

  if (account->read_ahead != NULL)
    mm_read_ahead_stop (account->read_ahead);
  mm_gate_close (context->relists);
  if (context->watcher != NULL)
    mm_watcher_stop (context->watcher);
  mm_remote_close (context->remote);
  mm_content_table_wait_empty (account->contents);
  mm_disk_pool_free (context->disk_readers);
  mm_disk_pool_free (context->disk_writers);
  mm_digest_lookup_free (account->digests);
  /* The index thread may still be adding folders. */
  g_mutex_lock (&account->lock);
  for (guint i = 0; i < account->mailboxes->len; i++)
    mm_mailbox_flush (g_ptr_array_index (account->mailboxes, i));
  g_mutex_unlock (&account->lock);
  if (context->index != NULL)
    mm_index_thread_push (context->index, sweep_orphans, context, NULL);
  mm_index_thread_free (context->index);
  mm_read_ahead_free (account->read_ahead);
  mm_watcher_free (context->watcher);
  mm_content_table_free (account->contents);
  g_clear_pointer (&context->cache, mm_content_cache_close);

  mm_wait_list_free (account->waits);
  mm_folder_tree_free (account->tree);
  g_ptr_array_unref (account->mailboxes);
  g_strfreev (account->include);
  g_strfreev (account->exclude);
  g_clear_error (&account->list_error);
  mm_gate_free (context->relists);
  mm_statistics_free (context->statistics);
  mm_orphans_free (context->orphans);
  mm_object_map_free (context->objects);
  g_free (context->key);
  g_free (context->name);
  g_cond_clear (&account->listed);
  g_mutex_clear (&account->lock);
  g_free (account);
}

/* ---- start-up ---- */

/* Waits for the list that is running. Bounded: the remote's deadlines end it. */
static gboolean
wait_for_list (MmAccount *account, GError **error)
{
  g_mutex_lock (&account->lock);
  while (account->is_listing)
    g_cond_wait (&account->listed, &account->lock);
  gboolean is_listed = account->listed_us != 0 || account->is_accepted;
  if (!is_listed)
    g_propagate_error (error, account->list_error != NULL
                                  ? g_error_copy (account->list_error)
                                  : g_error_new_literal (MM_ERROR, MM_ERROR_PROTOCOL,
                                                         "the list of folders did not come"));
  g_mutex_unlock (&account->lock);
  return is_listed;
}

static gboolean
choose_root (MmAccount *account, const gchar *root_path, GError **error)
{
  g_auto (GStrv) components = g_strsplit (root_path, "/", -1);

  g_mutex_lock (&account->lock);
  const MmFolderNode *node = mm_folder_tree_get_root (account->tree);
  for (guint i = 0; node != NULL && components[i] != NULL; i++)
    if (*components[i] != '\0')
      node = mm_folder_tree_find_child (account->tree, node, components[i]);
  if (node != NULL)
    account->root_id = node->id;
  g_mutex_unlock (&account->lock);

  if (node == NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_NOT_FOUND,
                 "there is no folder '%s' on %s; mount the account without a folder to see which "
                 "there are",
                 root_path, account->context.name);
  return node != NULL;
}

/* The server cannot be reached, or lets nobody in now: shows what earlier mounts knew. FALSE when that is nothing, or when
 * the failure is none that passes by itself. */
static gboolean
start_without_server (MmAccount *account, const GError *cause)
{
  if (!g_error_matches (cause, MM_ERROR, MM_ERROR_OFFLINE)
      && !g_error_matches (cause, MM_ERROR, MM_ERROR_TIMEOUT)
      && !g_error_matches (cause, MM_ERROR, MM_ERROR_UNAVAILABLE))
    return FALSE;

  g_mutex_lock (&account->lock);
  while (!account->is_loaded)
    g_cond_wait (&account->listed, &account->lock);
  gboolean is_known = mm_account_accept_known_locked (account);
  g_mutex_unlock (&account->lock);
  if (is_known && !mm_remote_is_offline (account->context.remote))
    mm_log_warning ("%s is mounted with what is known from earlier; its server cannot be reached: %s",
                    account->context.name, cause->message);
  return is_known;
}

gboolean
mm_account_connect (MmAccount *account, const gchar *root_path, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (mm_remote_connect (account->context.remote, &cause))
    {
      g_mutex_lock (&account->lock);
      account->is_listing = TRUE;
      g_mutex_unlock (&account->lock);
      mm_account_start_list (account);
    }
  else if (start_without_server (account, cause))
    g_clear_error (&cause);
  else
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  gboolean has_root = root_path != NULL && *root_path != '\0';
  if (!has_root && !mm_account_has_filters (account))
    return TRUE;
  /* A list that does not come is no reason to refuse the mount; only a root has to be found in it. */
  if (!wait_for_list (account, &cause) && has_root)
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  return mm_account_check_filters (account, error)
         && (!has_root || choose_root (account, root_path, error));
}

/* ---- folders ---- */

MmTry
mm_account_try_folders (MmAccount *account, gboolean fresh, MmWaiter *waiter, GError **error)
{
  gboolean start = FALSE;

  g_mutex_lock (&account->lock);
  gint64 now_us = mm_clock_monotonic_us ();
  gboolean is_known = account->listed_us != 0 || account->is_accepted;
  gboolean is_fresh
      = account->listed_us != 0 && account->listed_us >= now_us - account->context.refresh_us;
  gboolean is_excused = account->is_accepted && now_us < account->excused_us + MM_EXCUSE_US;
  gboolean is_done = is_known && (!fresh || is_fresh || is_excused);
  if (!is_done)
    {
      mm_wait_list_add_locked (account->waits, waiter);
      start = !account->is_listing;
      account->is_listing = TRUE;
    }
  g_mutex_unlock (&account->lock);

  if (start)
    mm_account_start_list (account);
  return is_done ? MM_TRY_DONE : MM_TRY_WAIT;
}

/* ---- following what changes ---- */

gint64
mm_account_get_listed_us (MmAccount *account)
{
  g_mutex_lock (&account->lock);
  gint64 listed_us = account->listed_us;
  g_mutex_unlock (&account->lock);
  return listed_us;
}

gboolean
mm_account_list_again (MmAccount *account)
{
  g_mutex_lock (&account->lock);
  gboolean starts = !account->is_listing;
  account->is_listing = TRUE;
  g_mutex_unlock (&account->lock);
  if (starts)
    mm_account_start_list (account);
  return starts;
}

MmMailbox *
mm_account_find_inbox (MmAccount *account)
{
  MmMailbox *inbox = NULL;

  g_mutex_lock (&account->lock);
  const MmFolderNode *node = mm_folder_tree_find_child (
      account->tree, mm_folder_tree_get_root (account->tree), "INBOX");
  if (node != NULL && (account->root_id == 0 || account->root_id == node->id))
    inbox = node->mailbox;
  g_mutex_unlock (&account->lock);
  return inbox;
}

gint64
mm_account_follow (MmAccount *account)
{
  gint64 again_us = G_MAXINT64;

  g_autoptr (GPtrArray) mailboxes = g_ptr_array_new (); /* of MmMailbox, as long-lived as the account */

  g_mutex_lock (&account->lock);
  g_ptr_array_extend (mailboxes, account->mailboxes, NULL, NULL);
  g_mutex_unlock (&account->lock);
  for (guint i = 0; i < mailboxes->len; i++)
    again_us = MIN (again_us, mm_mailbox_follow (g_ptr_array_index (mailboxes, i)));
  return again_us;
}

/* ---- what the filesystem asks ---- */

guint32
mm_account_get_root_id (MmAccount *account)
{
  return account->root_id;
}

static guint
count_visible_children (const MmFolderNode *node)
{
  guint n = 0;

  for (guint i = 0; i < node->children->len; i++)
    n += ((const MmFolderNode *) g_ptr_array_index (node->children, i))->is_visible;
  return n;
}

static void
describe_locked (const MmFolderNode *node, MmFolder *out)
{
  *out = (MmFolder){
    .id = node->id,
    .parent_id = node->parent != NULL ? node->parent->id : 0,
    .component = node->component,
    .mailbox = node->mailbox,
    .mtime_us = node->mtime_us,
    .n_children = count_visible_children (node),
  };
  if (node->mailbox != NULL)
    out->mtime_us = MAX (out->mtime_us, mm_mailbox_get_mtime_us (node->mailbox));
  /* The root has no row in the index to keep a time in: it is as old as its youngest folder. */
  for (guint i = 0; node->parent == NULL && i < node->children->len; i++)
    {
      const MmFolderNode *child = g_ptr_array_index (node->children, i);
      out->mtime_us = MAX (out->mtime_us, child->mtime_us);
    }
}

gboolean
mm_account_get_folder (MmAccount *account, guint32 folder_id, MmFolder *out)
{
  g_mutex_lock (&account->lock);
  const MmFolderNode *node = mm_folder_tree_find_id (account->tree, folder_id);
  gboolean is_there = node != NULL && node->is_visible;
  if (is_there)
    describe_locked (node, out);
  g_mutex_unlock (&account->lock);
  return is_there;
}

gboolean
mm_account_find_child (MmAccount *account, guint32 parent_id, const gchar *component,
                       MmFolder *out)
{
  g_mutex_lock (&account->lock);
  const MmFolderNode *parent = mm_folder_tree_find_id (account->tree, parent_id);
  const MmFolderNode *child
      = parent != NULL ? mm_folder_tree_find_child (account->tree, parent, component) : NULL;
  if (child != NULL)
    describe_locked (child, out);
  g_mutex_unlock (&account->lock);
  return child != NULL;
}

gboolean
mm_account_next_child (MmAccount *account, guint32 parent_id, guint32 after_id, MmFolder *out)
{
  const MmFolderNode *found = NULL;

  g_mutex_lock (&account->lock);
  const MmFolderNode *parent = mm_folder_tree_find_id (account->tree, parent_id);
  guint n_children = parent != NULL ? parent->children->len : 0;
  guint position = parent != NULL ? mm_folder_node_position_after (parent, after_id) : 0;
  for (; position < n_children && found == NULL; position++)
    {
      const MmFolderNode *child = g_ptr_array_index (parent->children, position);
      if (child->is_visible)
        found = child;
    }
  if (found != NULL)
    describe_locked (found, out);
  g_mutex_unlock (&account->lock);
  return found != NULL;
}

void
mm_account_get_totals (MmAccount *account, guint64 *out_messages, guint64 *out_octets)
{
  *out_messages = 0;
  *out_octets = 0;
  g_mutex_lock (&account->lock);
  for (guint i = 0; i < account->mailboxes->len; i++)
    {
      guint64 messages = 0;
      guint64 octets = 0;
      mm_mailbox_get_totals (g_ptr_array_index (account->mailboxes, i), &messages, &octets);
      *out_messages += messages;
      *out_octets += octets;
    }
  g_mutex_unlock (&account->lock);
}

GArray *
mm_account_dup_link_places (MmAccount *account, guint64 link)
{
  g_autoptr (GArray) places = mm_object_map_dup_places (account->context.objects, link);
  GArray *result = g_array_new (FALSE, FALSE, sizeof (MmLinkPlace));

  for (guint i = 0; i < places->len; i++)
    {
      const MmPlace *place = &g_array_index (places, MmPlace, i);
      MmLinkPlace one = { .number = place->number };
      MmMessage message;

      if (mm_account_get_folder (account, place->folder_id, &one.folder)
          && one.folder.mailbox != NULL
          && mm_mailbox_get_message (one.folder.mailbox, one.number, &message)
          && mm_message_get_link (&message) == link)
        g_array_append_val (result, one);
    }
  return result;
}

gboolean
mm_account_find_link (MmAccount *account, guint64 link, guint32 preferred_id,
                      MmFolder *out_folder, guint64 *out_number)
{
  g_autoptr (GArray) places = mm_account_dup_link_places (account, link);
  guint chosen = 0;

  if (places->len == 0)
    return FALSE;
  for (guint i = places->len; i-- > 0;)
    if (g_array_index (places, MmLinkPlace, i).folder.id == preferred_id)
      chosen = i;
  *out_folder = g_array_index (places, MmLinkPlace, chosen).folder;
  *out_number = g_array_index (places, MmLinkPlace, chosen).number;
  return TRUE;
}

MmContent *
mm_account_open_content (MmAccount *account, MmMailbox *mailbox, guint64 number)
{
  MmMessage message;

  if (!mm_mailbox_get_message (mailbox, number, &message))
    return NULL;
  return mm_content_table_open (account->contents, mailbox, number);
}

MmTry
mm_account_try_digest (MmAccount *account, MmMailbox *mailbox, guint64 number, gchar **out_digest,
                       MmWaiter *waiter, GError **error)
{
  MmContentKey key;

  if (!mm_mailbox_get_content_key (mailbox, number, &key))
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_NOT_FOUND, "there is no such message");
      return MM_TRY_FAILED;
    }
  return mm_digest_lookup_try (account->digests, key, out_digest, waiter, error);
}

void
mm_account_note_list (MmAccount *account, MmMailbox *mailbox, guint thread_id)
{
  mm_read_ahead_note_list (account->read_ahead, mailbox, thread_id);
  if (account->context.watcher != NULL)
    mm_watcher_note_use (account->context.watcher, mailbox);
}

void
mm_account_note_open (MmAccount *account, MmMailbox *mailbox, guint64 number, guint thread_id)
{
  if (account->context.watcher != NULL)
    mm_watcher_note_use (account->context.watcher, NULL);
  mm_read_ahead_note_open (account->read_ahead, mailbox, number, thread_id);
}

void
mm_account_note_close (MmAccount *account, MmMailbox *mailbox, guint64 number,
                       guint64 read_octets, guint64 size)
{
  mm_read_ahead_note_close (account->read_ahead, mailbox, number, read_octets, size);
}
