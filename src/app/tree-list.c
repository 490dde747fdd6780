// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree-list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <mailmount/message-name.h>

static void
free_entry (gpointer data)
{
  MmTreeEntry *entry = data;
  g_free (entry->name);
  g_free (entry);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const MmTreeEntry *const *first = a;
  const MmTreeEntry *const *second = b;
  return strcmp ((*first)->name, (*second)->name);
}

static MmTreeKind
get_kind (mode_t mode)
{
  if (S_ISDIR (mode))
    return MM_TREE_DIRECTORY;
  return S_ISREG (mode) ? MM_TREE_FILE : MM_TREE_OTHER;
}

/* FALSE with errno when it cannot be looked at. */
static gboolean
add (GPtrArray *entries, int directory_fd, const gchar *name)
{
  struct stat status;

  if (fstatat (directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT;
  MmTreeEntry *entry = g_new (MmTreeEntry, 1);
  *entry = (MmTreeEntry){ .name = g_strdup (name),
                          .kind = get_kind (status.st_mode),
                          .size = (guint64) status.st_size,
                          .mtime_s = status.st_mtim.tv_sec };
  g_ptr_array_add (entries, entry);
  return TRUE;
}

/* FALSE with errno. */
static gboolean
read_entries (DIR *directory, GPtrArray *entries)
{
  const struct dirent *found;

  for (errno = 0; (found = readdir (directory)) != NULL; errno = 0)
    if (strcmp (found->d_name, ".") != 0 && strcmp (found->d_name, "..") != 0
        && !add (entries, dirfd (directory), found->d_name))
      return FALSE;
  return errno == 0;
}

GPtrArray *
mm_tree_list (const gchar *path, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (free_entry);
  DIR *directory = opendir (path);
  gboolean is_complete = directory != NULL && read_entries (directory, entries);
  int errno_value = errno;

  if (directory != NULL)
    closedir (directory);
  if (!is_complete)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "%s", g_strerror (errno_value));
      return NULL;
    }
  g_ptr_array_sort (entries, compare_names);
  return g_steal_pointer (&entries);
}

gboolean
mm_tree_entry_is_message (const MmTreeEntry *entry)
{
  guint64 number;
  return entry->kind == MM_TREE_FILE
         && mm_message_name_parse (entry->name, &number) != MM_MESSAGE_NAME_NONE;
}

gchar *
mm_tree_join (const gchar *path, const gchar *name)
{
  return *path == '\0' ? g_strdup (name) : g_build_filename (path, name, NULL);
}
