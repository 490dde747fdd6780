// SPDX-License-Identifier: GPL-3.0-or-later
#include "mount-table.h"

#include <stdlib.h>
#include <string.h>

#include "paths.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define OUR_TYPE  "fuse.mailmount"
/* As in the kernel. */
#define LINKS_MAX 40

void
mm_mount_entry_free (MmMountEntry *entry)
{
  g_free (entry->path);
  g_free (entry->source);
  g_free (entry);
}

/* The kernel writes blanks and backslashes in a path as three octal digits. */
static gchar *
unescape (const gchar *field)
{
  GString *out = g_string_new (NULL);

  for (const gchar *p = field; *p != '\0'; p++)
    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0'
        && p[3] <= '7')
      {
        g_string_append_c (out, (gchar) ((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')));
        p += 3;
      }
    else
      g_string_append_c (out, *p);
  return g_string_free (out, FALSE);
}

/* From "ro,user_id=1000,group_id=1000"; a mount by root may leave it out. */
static guint
find_owner (const gchar *options)
{
  g_auto (GStrv) words = g_strsplit (options, ",", -1);

  for (gsize i = 0; words[i] != NULL; i++)
    if (g_str_has_prefix (words[i], "user_id="))
      return (guint) strtoul (words[i] + strlen ("user_id="), NULL, 10);
  return 0;
}

/* 36 35 98:0 /root /mount/point options optional… - type source options */
static MmMountEntry *
parse_line (const gchar *line)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", 6);
  const gchar *behind = strstr (line, " - ");

  if (g_strv_length (fields) < 6 || behind == NULL)
    return NULL;
  g_auto (GStrv) of_filesystem = g_strsplit (behind + strlen (" - "), " ", 3);
  if (g_strv_length (of_filesystem) < 2 || strcmp (of_filesystem[0], OUR_TYPE) != 0)
    return NULL;

  MmMountEntry *entry = g_new (MmMountEntry, 1);
  entry->path = unescape (fields[4]);
  entry->source = unescape (of_filesystem[1]);
  entry->owner = of_filesystem[2] != NULL ? find_owner (of_filesystem[2]) : 0;
  return entry;
}

GPtrArray *
mm_mount_table_parse (const gchar *mountinfo)
{
  g_auto (GStrv) lines = g_strsplit (mountinfo, "\n", -1);
  GPtrArray *table = g_ptr_array_new_with_free_func ((GDestroyNotify) mm_mount_entry_free);

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      MmMountEntry *entry = parse_line (lines[i]);
      if (entry != NULL)
        g_ptr_array_add (table, entry);
    }
  return table;
}

GPtrArray *
mm_mount_table_read (GError **error)
{
  g_autofree gchar *mountinfo = NULL;
  g_autoptr (GError) local = NULL;

  if (g_file_get_contents (MOUNTINFO, &mountinfo, NULL, &local))
    return mm_mount_table_parse (mountinfo);
  g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "what is mounted is not known: %s",
               local->message);
  return NULL;
}

const MmMountEntry *
mm_mount_table_find (const GPtrArray *table, const gchar *path)
{
  for (guint i = table->len; i > 0; i--)
    {
      const MmMountEntry *entry = g_ptr_array_index (table, i - 1);
      if (strcmp (entry->path, path) == 0)
        return entry;
    }
  return NULL;
}

const MmMountEntry *
mm_mount_table_find_holder (const GPtrArray *table, const gchar *path)
{
  const MmMountEntry *found = NULL;

  /* The innermost; of those on one place the last, which hides the others. */
  for (guint i = 0; i < table->len; i++)
    {
      const MmMountEntry *entry = g_ptr_array_index (table, i);
      if (mm_path_is_inside (path, entry->path)
          && (found == NULL || strlen (entry->path) >= strlen (found->path)))
        found = entry;
    }
  return found;
}

/* Where the symbolic link @path leads to, absolute; NULL when it is none. (transfer full) */
static gchar *
follow (const gchar *path)
{
  g_autofree gchar *target = g_file_read_link (path, NULL);
  g_autofree gchar *directory = target != NULL ? g_path_get_dirname (path) : NULL;
  return target != NULL ? g_canonicalize_filename (target, directory) : NULL;
}

/* Goes down the path and stops at the first mount. */
gchar *
mm_mount_table_resolve (const GPtrArray *table, const gchar *path)
{
  g_autofree gchar *absolute = mm_path_absolute (path);
  gchar *resolved = g_canonicalize_filename (absolute, "/");
  guint n_links = 0;

  for (gsize end = 1; mm_mount_table_find_holder (table, resolved) == NULL;)
    {
      end += strcspn (resolved + end, "/");
      g_autofree gchar *part = g_strndup (resolved, end);
      g_autofree gchar *target = follow (part);

      if (target != NULL && ++n_links <= LINKS_MAX)
        {
          g_autofree gchar *before = resolved;
          resolved = g_canonicalize_filename (before + end + (before[end] == '/'), target);
          end = 1;
          continue;
        }
      if (resolved[end] == '\0')
        break;
      end++;
    }
  return resolved;
}
