// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of the vfs: a small class of operations per kind of node, so that what a folder can
 * show beside its messages comes as one more class and not as conditions in these.
 */
#pragma once

#include <mailmount/vfs.h>

#include "inode.h"

/* NULL members: this kind has no such operation. */
typedef struct
{
  MmTry (*lookup) (MmVfs *vfs, guint64 inode, const gchar *name, MmAttributes *out,
                   MmWaiter *waiter, GError **error);
  MmTry (*get_attributes) (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                           GError **error);
  MmTry (*open_directory) (MmVfs *vfs, guint64 inode, MmVfsDirectory *directory, MmWaiter *waiter,
                           GError **error);
  MmTry (*read_directory) (MmVfsDirectory *directory, gint64 offset, MmVfsEntryFunc func,
                           gpointer user_data, MmWaiter *waiter, GError **error);
  MmTry (*open) (MmVfs *vfs, guint64 inode, MmVfsFile *file, MmWaiter *waiter, GError **error);
  MmTry (*read) (MmVfsFile *file, gsize size, guint64 offset, GBytes **out_octets,
                 MmWaiter *waiter, GError **error);
  MmTry (*get_xattr) (MmVfs *vfs, guint64 inode, const gchar *name, gchar **out_value,
                      MmWaiter *waiter, GError **error);
  /* Nullable. Those that are listed; NULL-terminated, without "user.", static. */
  const gchar *const *(*get_xattr_names) (guint64 inode);
} MmNodeClass;

extern const MmNodeClass mm_folder_node_class;
extern const MmNodeClass mm_message_node_class;
extern const MmNodeClass mm_report_node_class;

/* Of the text of a report that was made last. */
typedef struct
{
  guint64 size;   /* octets */
  gint64 made_us; /* since 1970 UTC; 0: none was */
} MmVfsReportFacts;

struct MmVfs
{
  MmNames names;         /* immutable */
  MmAccount *account;    /* borrowed; set once */
  MmVfsObserver observer; /* set once */
  gpointer observer_data;
  MmVfsReportFunc report_func; /* nullable; set once */
  gpointer report_data;
  gint64 created_us;     /* since 1970 UTC; immutable */
  _Atomic guint32 visited_id; /* the folder that was last listed, or in which a message was looked up or
                                 opened: of a message that is in several, its reader is there */

  GMutex lock;             /* guards all below */
  GHashTable *directories; /* Set<MmVfsDirectory>, open */
  GHashTable *files;       /* Set<MmVfsFile>, open */
  MmVfsReportFacts reports[MM_VFS_N_REPORTS];
  gboolean is_closed;      /* the account may be gone: nothing is noted any more */
};

struct MmVfsDirectory
{
  MmVfs *vfs;
  const MmNodeClass *node_class;
  guint64 inode;
  MmFolder folder;
  guint stream; /* of the mailbox's listing */
};

struct MmVfsFile
{
  MmVfs *vfs;
  const MmNodeClass *node_class;
  guint thread_id;     /* of the opener */
  GBytes *report;      /* owned; NULL for a message */
  MmContent *content;  /* owned; NULL for a report */
  MmMailbox *mailbox;  /* borrowed */
  guint64 number;
  guint64 size;        /* octets, set when the open is done */
  gboolean is_taken;           /* whole, before any read; set before the file is used */
  _Atomic gint64 hopeless_until_us; /* monotonic: no read waits before */
  _Atomic guint64 read_octets; /* the end of the furthest read, or MM_READ_UNKNOWN */
};

/* The folder behind a directory's inode number: the root stands for one too. */
guint32 mm_vfs_get_folder_id (const MmVfs *vfs, guint64 inode);
guint64 mm_vfs_get_folder_inode (const MmVfs *vfs, guint32 folder_id);

/* The name under which @message is listed. */
void mm_vfs_build_name (const MmVfs *vfs, const MmMessage *message, gchar *out);
void mm_vfs_describe_folder (const MmVfs *vfs, const MmFolder *folder, MmAttributes *out);
void mm_vfs_describe_message (guint32 folder_id, const MmMessage *message, MmAttributes *out);

/* Of a message that is linked: makes its UID and flags those of all its places. Returns the keywords and
 * labels of all (transfer full). */
gchar *mm_vfs_unite_places (MmVfs *vfs, guint64 link, MmMessage *message);
/* "FOLDER:UID" of each, one to a line. (transfer full) */
gchar *mm_vfs_format_places (MmVfs *vfs, guint64 link);

/* TRUE when @name in the directory @inode is the hidden one of report-node.c. */
gboolean mm_vfs_find_report_directory (const MmVfs *vfs, guint64 inode, const gchar *name,
                                       MmAttributes *out);

/* The reports as attributes of the root, which are not listed: who asks for one looks no name up. */
MmTry mm_vfs_try_report_attribute (MmVfs *vfs, guint64 inode, const gchar *name,
                                   gchar **out_value, MmWaiter *waiter, GError **error);

MmTry mm_vfs_fail_not_found (GError **error);
