// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `.mailmount` in the root, and its files: what the mount says of itself. It is found by name and
 * never listed, so that no copy of the tree holds it. A text is made when a file is opened and belongs
 * to that handle; nothing here asks the server or waits.
 */
#include "vfs-private.h"

#include <string.h>

#include <mailmount/clock.h>

#define DIRECTORY_NAME   ".mailmount"
#define ATTRIBUTE_PREFIX "mailmount."

/* Local numbers; files are numbered by MmVfsReport behind it. */
#define DIRECTORY_NUMBER 1
#define FILES_NUMBER     2

static const gchar *const file_names[] = {
  [MM_VFS_REPORT_STATUS] = "status",
  [MM_VFS_REPORT_SUMMARY] = "summary",
};

static guint64
get_inode (guint64 number)
{
  return mm_inode_make (MM_NODE_REPORT, 0, number);
}

static gboolean
is_directory (guint64 inode)
{
  return mm_inode_get_number (inode) == DIRECTORY_NUMBER;
}

/* FALSE: this number was never given. */
static gboolean
find_report (guint64 inode, MmVfsReport *out_report)
{
  guint64 number = mm_inode_get_number (inode);

  *out_report = (MmVfsReport) (number - FILES_NUMBER);
  return number >= FILES_NUMBER && number - FILES_NUMBER < G_N_ELEMENTS (file_names);
}

static void
describe_directory (const MmVfs *vfs, MmAttributes *out)
{
  *out = (MmAttributes){
    .inode = get_inode (DIRECTORY_NUMBER),
    .is_directory = TRUE,
    .is_private = TRUE,
    .n_links = 2,
    .mtime_us = vfs->created_us,
  };
}

/* Size and time are those of the text made last: whoever opened the file finds the size of what it is
 * going to read. */
static void
describe_report (MmVfs *vfs, MmVfsReport report, MmAttributes *out)
{
  g_mutex_lock (&vfs->lock);
  MmVfsReportFacts facts = vfs->reports[report];
  g_mutex_unlock (&vfs->lock);
  *out = (MmAttributes){
    .inode = get_inode (FILES_NUMBER + (guint64) report),
    .is_private = TRUE,
    .n_links = 1,
    .size = facts.size,
    .mtime_us = facts.made_us != 0 ? facts.made_us : vfs->created_us,
  };
}

gboolean
mm_vfs_find_report_directory (const MmVfs *vfs, guint64 inode, const gchar *name,
                              MmAttributes *out)
{
  if (vfs->report_func == NULL || inode != MM_VFS_ROOT_INODE || strcmp (name, DIRECTORY_NAME) != 0)
    return FALSE;
  describe_directory (vfs, out);
  return TRUE;
}

static MmTry
try_lookup (MmVfs *vfs, guint64 inode, const gchar *name, MmAttributes *out, MmWaiter *waiter,
            GError **error)
{
  for (guint i = 0; is_directory (inode) && i < G_N_ELEMENTS (file_names); i++)
    if (strcmp (name, file_names[i]) == 0)
      {
        describe_report (vfs, (MmVfsReport) i, out);
        return MM_TRY_DONE;
      }
  return mm_vfs_fail_not_found (error);
}

static MmTry
try_get_attributes (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                    GError **error)
{
  MmVfsReport report;

  if (is_directory (inode))
    describe_directory (vfs, out);
  else if (find_report (inode, &report))
    describe_report (vfs, report, out);
  else
    return mm_vfs_fail_not_found (error);
  return MM_TRY_DONE;
}

static MmTry
try_open_directory (MmVfs *vfs, guint64 inode, MmVfsDirectory *directory, MmWaiter *waiter,
                    GError **error)
{
  return is_directory (inode) ? MM_TRY_DONE : mm_vfs_fail_not_found (error);
}

/* An entry's offset is its place, from 1: itself, its parent (known by its number alone: nobody looks
 * at more), the files. */
static MmTry
try_read_directory (MmVfsDirectory *directory, gint64 offset, MmVfsEntryFunc func,
                    gpointer user_data, MmWaiter *waiter, GError **error)
{
  const gint64 n = 2 + (gint64) G_N_ELEMENTS (file_names);

  for (gint64 i = MAX (offset, 0); i < n; i++)
    {
      MmAttributes attributes;
      const gchar *name = i == 0 ? "." : i == 1 ? ".." : file_names[i - 2];

      if (i < 2)
        describe_directory (directory->vfs, &attributes);
      else
        describe_report (directory->vfs, (MmVfsReport) (i - 2), &attributes);
      if (i == 1)
        attributes.inode = MM_VFS_ROOT_INODE;
      if (!func (name, &attributes, i + 1, user_data))
        break;
    }
  return MM_TRY_DONE;
}

static MmTry
try_open (MmVfs *vfs, guint64 inode, MmVfsFile *file, MmWaiter *waiter, GError **error)
{
  MmVfsReport report;

  if (vfs->report_func == NULL || !find_report (inode, &report))
    return mm_vfs_fail_not_found (error);
  gchar *text = vfs->report_func (report, vfs->report_data);
  file->size = strlen (text);
  file->report = g_bytes_new_take (text, file->size);
  g_mutex_lock (&vfs->lock);
  vfs->reports[report] = (MmVfsReportFacts){ file->size, mm_clock_wall_us () };
  g_mutex_unlock (&vfs->lock);
  return MM_TRY_DONE;
}

static MmTry
try_read (MmVfsFile *file, gsize size, guint64 offset, GBytes **out_octets, MmWaiter *waiter,
          GError **error)
{
  guint64 begin = MIN (offset, file->size);

  *out_octets = g_bytes_new_from_bytes (file->report, begin, MIN (size, file->size - begin));
  return MM_TRY_DONE;
}

MmTry
mm_vfs_try_report_attribute (MmVfs *vfs, guint64 inode, const gchar *name, gchar **out_value,
                             MmWaiter *waiter, GError **error)
{
  for (guint i = 0; vfs->report_func != NULL && inode == MM_VFS_ROOT_INODE
                    && g_str_has_prefix (name, ATTRIBUTE_PREFIX) && i < G_N_ELEMENTS (file_names);
       i++)
    if (strcmp (name + strlen (ATTRIBUTE_PREFIX), file_names[i]) == 0)
      {
        *out_value = vfs->report_func ((MmVfsReport) i, vfs->report_data);
        return MM_TRY_DONE;
      }
  return mm_vfs_fail_not_found (error);
}

const MmNodeClass mm_report_node_class = {
  .lookup = try_lookup,
  .get_attributes = try_get_attributes,
  .open_directory = try_open_directory,
  .read_directory = try_read_directory,
  .open = try_open,
  .read = try_read,
};
