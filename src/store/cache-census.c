// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/cache-census.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/index.h>

#include "content-scan.h"
#include "index-open.h"
#include "store-directory.h"

#define BLOCK_OF_STAT_OCTETS 512
/* What is set aside is no deeper than this: a content directory. */
#define SET_ASIDE_DEPTH 3

/* A cache directory, opened as it is. */
typedef struct
{
  int fd;
  MmContentDirectory content; /* without fd: there is none */
  GHashTable *owners;         /* Map<folder id, Owner owned> */
  GHashTable *links;  /* Map<owned linked number, id of the first folder that has it> */
  MmCacheCensus *census;
} Place;

typedef struct
{
  MmCensusAccount *account; /* borrowed */
  MmCensusFolder *folder;   /* borrowed */
} Owner;

static void
free_folder (gpointer data)
{
  MmCensusFolder *folder = data;
  g_free (folder->path);
  g_free (folder);
}

static void
free_account (gpointer data)
{
  MmCensusAccount *account = data;
  g_ptr_array_unref (account->folders);
  g_free (account->key);
  g_free (account);
}

static MmCensusAccount *
add_account (MmCacheCensus *census, const gchar *key)
{
  MmCensusAccount *account = g_new0 (MmCensusAccount, 1);

  account->key = g_strdup (key);
  account->folders = g_ptr_array_new_with_free_func (free_folder);
  g_ptr_array_add (census->accounts, account);
  return account;
}

/* Takes over @path, which is nullable. (transfer none) */
static Owner *
add_folder (Place *place, MmCensusAccount *account, guint32 id, gchar *path)
{
  MmCensusFolder *folder = g_new0 (MmCensusFolder, 1);
  Owner *owner = g_new (Owner, 1);

  folder->id = id;
  folder->path = path;
  g_ptr_array_add (account->folders, folder);
  *owner = (Owner) { account, folder };
  g_hash_table_insert (place->owners, GUINT_TO_POINTER (id), owner);
  return owner;
}

static void
clear_place (Place *place)
{
  mm_fd_clear (&place->fd);
  mm_content_directory_close (&place->content);
  g_clear_pointer (&place->owners, g_hash_table_unref);
  g_clear_pointer (&place->links, g_hash_table_unref);
  g_clear_pointer (&place->census, mm_cache_census_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, clear_place)

/* ---- who owns which folder ---- */

typedef struct
{
  Place *place;
  MmCensusAccount *account;
  GHashTable *shown; /* Map<owned decoded path, owned path of the components that are shown> */
} Claim;

/* A component may be marked, which the path in the index does not tell. Parents come first. */
static gchar *
build_shown_path (const Claim *claim, const MmIndexFolder *folder)
{
  const gchar *slash = strrchr (folder->path, '/');
  g_autofree gchar *parent
    = slash != NULL ? g_strndup (folder->path, (gsize) (slash - folder->path)) : NULL;
  const gchar *shown = parent != NULL ? g_hash_table_lookup (claim->shown, parent) : NULL;

  return shown != NULL ? g_strconcat (shown, "/", folder->component, NULL)
                       : g_strdup (folder->component);
}

static void
claim_folder (const MmIndexFolder *folder, gpointer user_data)
{
  const Claim *claim = user_data;
  gchar *shown = build_shown_path (claim, folder);

  g_hash_table_insert (claim->shown, g_strdup (folder->path), shown);
  add_folder (claim->place, claim->account, folder->id, g_strdup (shown));
}

static void
add_indexed_account (gint64 id, const gchar *key, gpointer user_data)
{
  GArray *ids = ((gpointer *) user_data)[0];
  Place *place = ((gpointer *) user_data)[1];

  add_account (place->census, key);
  g_array_append_val (ids, id);
}

/* One that several folders have counts as the first one's. */
static void
note_link (guint64 link, guint32 folder_id, gpointer user_data)
{
  Place *place = user_data;

  if (!g_hash_table_contains (place->links, &link))
    g_hash_table_insert (place->links, g_memdup2 (&link, sizeof link), GUINT_TO_POINTER (folder_id));
}

static gboolean
ask_index (Place *place, const gchar *directory, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (MmIndex) index = mm_index_open_to_look (directory, error);
  gpointer data[] = { ids, place };

  if (index == NULL || !mm_index_load_accounts (index, add_indexed_account, data, error))
    return FALSE;
  if (!mm_index_load_links (index, 0, note_link, place, error))
    return FALSE;
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GHashTable) shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      Claim claim = { place, g_ptr_array_index (place->census->accounts, i), shown };
      if (!mm_index_load_folders (index, g_array_index (ids, gint64, i), claim_folder, &claim,
                                  error))
        return FALSE;
    }
  return TRUE;
}

/* ---- the directory ---- */

/* What @name takes, with all below it. */
static guint64
measure (int parent_fd, const gchar *name, guint depth)
{
  struct stat status;
  guint64 octets;

  if (fstatat (parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return 0;
  octets = (guint64) status.st_blocks * BLOCK_OF_STAT_OCTETS;
  if (!S_ISDIR (status.st_mode) || depth == 0)
    return octets;

  mm_autofd int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir (fd) : NULL;
  if (stream == NULL)
    return octets;
  mm_fd_steal (&fd);
  for (const struct dirent *entry; (entry = readdir (stream)) != NULL;)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      octets += measure (dirfd (stream), entry->d_name, depth - 1);
  closedir (stream);
  return octets;
}

/* Calls @func for each name in the directory itself. */
static void
for_each_name (Place *place, void (*func) (Place *place, const gchar *name))
{
  mm_autofd int fd = openat (place->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir (fd) : NULL;

  if (stream == NULL)
    return;
  mm_fd_steal (&fd);
  for (const struct dirent *entry; (entry = readdir (stream)) != NULL;)
    func (place, entry->d_name);
  closedir (stream);
}

static gboolean
is_set_aside (const gchar *name)
{
  return (g_str_has_prefix (name, MM_INDEX_FILE)
          || g_str_has_prefix (name, MM_STORE_CONTENT_DIRECTORY))
         && strstr (name, MM_STORE_SET_ASIDE_MARK) != NULL;
}

static void
count_name (Place *place, const gchar *name)
{
  if (is_set_aside (name))
    {
      place->census->n_set_aside++;
      place->census->set_aside_octets += measure (place->fd, name, SET_ASIDE_DEPTH);
    }
  else if (g_str_has_prefix (name, MM_INDEX_FILE))
    place->census->index_octets += measure (place->fd, name, 0);
}

static gboolean
open_place (Place *place, const gchar *directory, GError **error)
{
  g_autoptr (GError) problem = NULL;

  place->content.fd = -1;
  place->fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place->fd < 0)
    {
      MmError code = errno == ENOENT ? MM_ERROR_NOT_FOUND : MM_ERROR_CACHE;
      g_autofree gchar *what = g_strdup_printf ("cache directory '%s'", directory);
      g_propagate_error (error, mm_error_new_from_errno (code, errno, what));
      return FALSE;
    }
  place->content.fd = openat (place->fd, MM_STORE_CONTENT_DIRECTORY,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  place->owners = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  place->links = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  place->census = g_new0 (MmCacheCensus, 1);
  place->census->accounts = g_ptr_array_new_with_free_func (free_account);
  if (faccessat (place->fd, MM_INDEX_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0
      && !ask_index (place, directory, &problem))
    place->census->index_problem = g_strdup (problem->message);
  for_each_name (place, count_name);

  gboolean has_index = place->census->index_octets > 0 && place->census->index_problem == NULL;
  if (place->content.fd >= 0 || has_index || place->census->n_set_aside > 0)
    return TRUE;
  g_set_error (error, MM_ERROR, MM_ERROR_NOT_FOUND,
               "'%s' is not a cache of mailmount: it holds neither " MM_STORE_CONTENT_DIRECTORY
               " nor an index",
               directory);
  return FALSE;
}

/* ---- looking ---- */

/* The last account is that of the folders that nobody knows. */
static Owner *
add_unclaimed (Place *place, guint32 folder_id)
{
  GPtrArray *accounts = place->census->accounts;
  MmCensusAccount *last = accounts->len > 0 ? g_ptr_array_index (accounts, accounts->len - 1) : NULL;

  if (last == NULL || last->key != NULL)
    last = add_account (place->census, NULL);
  return add_folder (place, last, folder_id, NULL);
}

/* MM_CONTENT_SHARED_FOLDER: of a linked message that no folder has. */
static guint32
get_folder (const Place *place, const MmContentKey *key)
{
  if (key->folder_id != MM_CONTENT_SHARED_FOLDER)
    return key->folder_id;
  return GPOINTER_TO_UINT (g_hash_table_lookup (place->links, &key->number));
}

static void
count_file (const MmContentFound *found, gpointer user_data)
{
  Place *place = user_data;
  guint32 folder_id = get_folder (place, &found->key);
  const Owner *owner = g_hash_table_lookup (place->owners, GUINT_TO_POINTER (folder_id));

  if (owner == NULL)
    owner = add_unclaimed (place, folder_id);
  owner->folder->n_messages++;
  owner->folder->octets += found->octets;
  owner->account->n_messages++;
  owner->account->octets += found->octets;
  place->census->n_messages++;
  place->census->octets += found->octets;
}

MmCacheCensus *
mm_cache_census_take (const gchar *directory, GError **error)
{
  g_auto (Place) place = { .fd = -1, .content.fd = -1 };

  if (!open_place (&place, directory, error))
    return NULL;
  if (place.content.fd >= 0)
    mm_content_scan (&place.content, NULL, count_file, &place);
  return g_steal_pointer (&place.census);
}

void
mm_cache_census_free (MmCacheCensus *census)
{
  g_ptr_array_unref (census->accounts);
  g_free (census->index_problem);
  g_free (census);
}

/* ---- emptying ---- */

static void
remove_name (Place *place, const gchar *name)
{
  if (is_set_aside (name))
    mm_store_directory_remove_tree (place->fd, name, SET_ASIDE_DEPTH);
}

static void
note_folder (const MmContentFound *found, gpointer user_data)
{
  g_hash_table_add (user_data, GUINT_TO_POINTER (found->key.folder_id));
}

static void
remove_all_folders (const Place *place)
{
  g_autoptr (GHashTable) folders = g_hash_table_new (NULL, NULL); /* Set<folder id> */
  GHashTableIter iter;
  gpointer id;

  mm_content_scan (&place->content, NULL, note_folder, folders);
  g_hash_table_iter_init (&iter, folders);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    mm_content_directory_remove_folder (&place->content, GPOINTER_TO_UINT (id));
}

/* Removes the linked messages that are counted as those of the folders @ids. */
static void
remove_links_of (const Place *place, const GArray *ids)
{
  GHashTableIter iter;
  gpointer link;
  gpointer folder_id;

  g_hash_table_iter_init (&iter, place->links);
  while (g_hash_table_iter_next (&iter, &link, &folder_id))
    for (guint i = 0; i < ids->len; i++)
      if (g_array_index (ids, guint32, i) == GPOINTER_TO_UINT (folder_id))
        mm_content_directory_remove (&place->content,
                                     (MmContentKey) { MM_CONTENT_SHARED_FOLDER,
                                                      *(guint64 *) link, 0 });
}

gboolean
mm_cache_purge (const gchar *directory, const GArray *ids, GError **error)
{
  g_auto (Place) place = { .fd = -1, .content.fd = -1 };

  if (!open_place (&place, directory, error))
    return FALSE;
  gboolean has_content = place.content.fd >= 0;
  if (ids == NULL)
    {
      if (has_content)
        remove_all_folders (&place);
      for_each_name (&place, remove_name);
      return TRUE;
    }
  for (guint i = 0; has_content && i < ids->len; i++)
    mm_content_directory_remove_folder (&place.content, g_array_index (ids, guint32, i));
  if (has_content)
    remove_links_of (&place, ids);
  return TRUE;
}
