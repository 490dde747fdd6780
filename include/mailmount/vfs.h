// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The filesystem without FUSE: inode numbers, names, directory order. Every operation is an attempt
 * that never blocks on network or disk (waiter.h): it answers, fails, or parks the waiter given and
 * is to be tried again when that fires.
 *
 * Inode numbers are computed, not handed out: kind, folder id and local number in 64 bits. So they
 * are the same after a remount, and forgetting one needs no table.
 *
 * Directory offsets follow the local number, so that a directory can be read on while mail comes
 * and goes: nothing is skipped and nothing told twice.
 *
 * All functions may be called from any thread.
 */
#pragma once

#include <mailmount/account.h>

G_BEGIN_DECLS

typedef struct MmVfs MmVfs;
typedef struct MmVfsDirectory MmVfsDirectory; /* an open directory */
typedef struct MmVfsFile MmVfsFile;           /* an open message */

#define MM_VFS_ROOT_INODE ((guint64) 1)

typedef enum
{
  MM_NAMES_SUBJECT, /* YYYY-MM-DD_Subject_NUMBER.eml */
  MM_NAMES_UID,     /* NUMBER.eml */
} MmNames;

typedef struct
{
  guint64 inode;
  gboolean is_directory;
  gboolean is_private; /* for the owner's eyes alone, and not to be remembered by anyone: it changes
                          with every look */
  guint32 n_links;
  guint64 size;    /* octets; 0 for directories */
  gint64 mtime_us; /* microseconds since 1970 UTC; ctime is the same */
} MmAttributes;

/* What a cache above must forget. Called on any thread without locks held; must not block. */
typedef struct
{
  void (*entry_gone) (guint64 directory, const gchar *name, gpointer user_data);
  void (*directory_changed) (guint64 directory, gpointer user_data);
  void (*attributes_changed) (guint64 inode, gpointer user_data);
} MmVfsObserver;

MmVfs *mm_vfs_new (MmNames names);
void mm_vfs_free (MmVfs *vfs); /* closes what is still open */

/* What to give to the account's configuration, with @vfs as user data. (transfer none) */
const MmAccountObserver *mm_vfs_get_account_observer (void);

/* Both once, before the first operation. @account is borrowed and must outlive all operations. */
void mm_vfs_set_account (MmVfs *vfs, MmAccount *account);
void mm_vfs_set_observer (MmVfs *vfs, const MmVfsObserver *observer, gpointer user_data);

/* What the mount says of itself, in the directory `.mailmount` of the root, which is found by its
 * name and never listed: one file for each. The same texts are attributes of the root,
 * "user.mailmount.status" and so on, not listed either, for who must not wait behind the lookups of
 * others. */
typedef enum
{
  MM_VFS_REPORT_STATUS,  /* JSON */
  MM_VFS_REPORT_SUMMARY, /* the same for people */
  MM_VFS_N_REPORTS,
} MmVfsReport;

/* Makes the text of a report, when its file is opened. Must not block. (transfer full) */
typedef gchar *(*MmVfsReportFunc) (MmVfsReport report, gpointer user_data);

/* Once, before the first operation; without it there is no `.mailmount`. */
void mm_vfs_set_report_func (MmVfs *vfs, MmVfsReportFunc func, gpointer user_data);

/* Closes every directory and file still open, for good. No operation may be in progress; an open
 * that waits is its caller's to close, at any time, also when the account is gone. */
void mm_vfs_close_all (MmVfs *vfs);

/* ---- attempts ---- */

/* NOT_FOUND when there is no such name. */
MmTry mm_vfs_try_lookup (MmVfs *vfs, guint64 directory, const gchar *name, MmAttributes *out,
                         MmWaiter *waiter, GError **error);
MmTry mm_vfs_try_get_attributes (MmVfs *vfs, guint64 inode, MmAttributes *out, MmWaiter *waiter,
                                 GError **error);

/* @thread_id: the kernel's number of the calling thread, 0 when it is not known; a hint for reading
 * ahead. */
MmTry mm_vfs_try_open_directory (MmVfs *vfs, guint64 inode, guint thread_id, MmVfsDirectory **out,
                                 MmWaiter *waiter, GError **error);

/* Takes one entry; FALSE when there is no room for it. @offset is where to go on behind it. */
typedef gboolean (*MmVfsEntryFunc) (const gchar *name, const MmAttributes *attributes,
                                    gint64 offset, gpointer user_data);

/* Tells entries from @offset (0: the beginning). DONE with none told is the end. */
MmTry mm_vfs_try_read_directory (MmVfsDirectory *directory, gint64 offset, MmVfsEntryFunc func,
                                 gpointer user_data, MmWaiter *waiter, GError **error);
void mm_vfs_close_directory (MmVfsDirectory *directory);

/* A read of @file failed after its caller had waited to the end of its patience: for a second others
 * that would have to wait fail at once. */
void mm_vfs_note_late (MmVfsFile *file);

/* DONE: the size that mm_vfs_try_get_attributes() tells is exact from now on. WAIT: *out, which was
 * NULL at first, is to be given to the next attempt, or to mm_vfs_close(). */
MmTry mm_vfs_try_open (MmVfs *vfs, guint64 inode, guint thread_id, MmVfsFile **out,
                       MmWaiter *waiter, GError **error);
/* Fewer octets than @size only at the end of the file. (transfer full) */
MmTry mm_vfs_try_read (MmVfsFile *file, gsize size, guint64 offset, GBytes **out_octets,
                       MmWaiter *waiter, GError **error);
/* All of a small file just opened, when it can be given to its only reader now: reads need not come
 * then. Else NULL. (transfer full) */
GBytes *mm_vfs_take_whole (MmVfsFile *file);
void mm_vfs_close (MmVfsFile *file);
/* As MmAttributes.is_private: what is read from it is not to be kept. */
gboolean mm_vfs_file_is_private (const MmVfsFile *file);

/* Extended attributes of a message: @name without the prefix "user.". NOT_FOUND when there is no
 * such attribute. "mailmount.digest" is there while the message is whole in the cache, and is never
 * listed; nor are, of a message that may be in several folders, "mailmount.places" and "mailmount.uid". (transfer
 * full) */
MmTry mm_vfs_try_get_xattr (MmVfs *vfs, guint64 inode, const gchar *name, gchar **out_value,
                            MmWaiter *waiter, GError **error);
/* Their names, each with the prefix "user." and a NUL behind it; NULL when there are none. */
MmTry mm_vfs_try_list_xattrs (MmVfs *vfs, guint64 inode, GByteArray **out_names, MmWaiter *waiter,
                              GError **error);

typedef struct
{
  guint64 octets;   /* of everything listed so far */
  guint64 messages;
} MmVfsTotals;

void mm_vfs_get_totals (MmVfs *vfs, MmVfsTotals *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmVfs, mm_vfs_free)

G_END_DECLS
