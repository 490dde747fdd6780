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
  GHashTable *owners;         /* Map<folder id, MmCensusAccount borrowed> */
  MmCacheCensus *census;
} Place;

static void
free_account (gpointer data)
{
  MmCensusAccount *account = data;
  g_free (account->key);
  g_free (account);
}

static MmCensusAccount *
add_account (MmCacheCensus *census, const gchar *key)
{
  MmCensusAccount *account = g_new0 (MmCensusAccount, 1);

  account->key = g_strdup (key);
  g_ptr_array_add (census->accounts, account);
  return account;
}

static void
clear_place (Place *place)
{
  mm_fd_clear (&place->fd);
  mm_content_directory_close (&place->content);
  g_clear_pointer (&place->owners, g_hash_table_unref);
  g_clear_pointer (&place->census, mm_cache_census_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, clear_place)

/* ---- who owns which folder ---- */

typedef struct
{
  Place *place;
  MmCensusAccount *account;
} Claim;

static void
claim_folder (const MmIndexFolder *folder, gpointer user_data)
{
  const Claim *claim = user_data;
  g_hash_table_insert (claim->place->owners, GUINT_TO_POINTER (folder->id), claim->account);
}

static void
add_indexed_account (gint64 id, const gchar *key, gpointer user_data)
{
  GArray *ids = ((gpointer *) user_data)[0];
  Place *place = ((gpointer *) user_data)[1];

  add_account (place->census, key);
  g_array_append_val (ids, id);
}

static gboolean
ask_index (Place *place, const gchar *directory, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (MmIndex) index = mm_index_open_to_look (directory, error);
  gpointer data[] = { ids, place };

  if (index == NULL || !mm_index_load_accounts (index, add_indexed_account, data, error))
    return FALSE;
  for (guint i = 0; i < ids->len; i++)
    {
      Claim claim = { place, g_ptr_array_index (place->census->accounts, i) };
      if (!mm_index_load_folders (index, g_array_index (ids, gint64, i), claim_folder, &claim,
                                  error))
        return FALSE;
    }
  return TRUE;
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
  place->owners = g_hash_table_new (NULL, NULL);
  place->census = g_new0 (MmCacheCensus, 1);
  place->census->accounts = g_ptr_array_new_with_free_func (free_account);
  if (faccessat (place->fd, MM_INDEX_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0
      && !ask_index (place, directory, &problem))
    place->census->index_problem = g_strdup (problem->message);
  return TRUE;
}

/* ---- looking ---- */

static void
count_file (const MmContentFound *found, gpointer user_data)
{
  Place *place = user_data;
  MmCensusAccount *account
    = g_hash_table_lookup (place->owners, GUINT_TO_POINTER (found->key.folder_id));

  if (account == NULL)
    {
      account = add_account (place->census, NULL);
      g_hash_table_insert (place->owners, GUINT_TO_POINTER (found->key.folder_id), account);
    }
  account->n_messages++;
  account->octets += found->octets;
  place->census->n_messages++;
  place->census->octets += found->octets;
}

/* The folders that nobody knows each had an entry of their own so far. */
static void
join_unclaimed (MmCacheCensus *census)
{
  MmCensusAccount *all = NULL;

  for (guint i = census->accounts->len; i-- > 0;)
    {
      MmCensusAccount *account = g_ptr_array_index (census->accounts, i);
      if (account->key != NULL)
        break;
      if (all == NULL)
        {
          all = account;
          continue;
        }
      all->n_messages += account->n_messages;
      all->octets += account->octets;
      g_ptr_array_remove_index (census->accounts, i);
    }
}

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
  return strstr (name, MM_STORE_SET_ASIDE_MARK) != NULL;
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

MmCacheCensus *
mm_cache_census_take (const gchar *directory, GError **error)
{
  g_auto (Place) place = { .fd = -1, .content.fd = -1 };

  if (!open_place (&place, directory, error))
    return NULL;
  if (place.content.fd >= 0)
    mm_content_scan (&place.content, NULL, count_file, &place);
  join_unclaimed (place.census);
  for_each_name (&place, count_name);
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
remove_folders (Place *place, const gchar *key)
{
  g_autoptr (GHashTable) folders = g_hash_table_new (NULL, NULL); /* Set<folder id> */
  GHashTableIter iter;
  gpointer id;

  if (place->content.fd < 0)
    return;
  mm_content_scan (&place->content, NULL, note_folder, folders);
  g_hash_table_iter_init (&iter, folders);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    {
      const MmCensusAccount *owner = g_hash_table_lookup (place->owners, id);
      if (key == NULL || (owner != NULL && strcmp (owner->key, key) == 0))
        mm_content_directory_remove_folder (&place->content, GPOINTER_TO_UINT (id));
    }
}

gboolean
mm_cache_purge (const gchar *directory, const gchar *key, GError **error)
{
  g_auto (Place) place = { .fd = -1, .content.fd = -1 };

  if (!open_place (&place, directory, error))
    return FALSE;
  remove_folders (&place, key);
  if (key == NULL)
    for_each_name (&place, remove_name);
  return TRUE;
}
