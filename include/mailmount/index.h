// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is known of mailboxes and messages across mounts: a SQLite database (WAL) in the cache
 * directory, shared by all accounts of that directory. It can always be deleted: names, local
 * numbers and inodes come back the same as long as UIDs do.
 *
 * All functions block on the disk: call them on a worker, never in a FUSE handler. One MmIndex is
 * used by one thread at a time; any number of MmIndex (also of other processes) may be open on one
 * directory: writers queue behind one another.
 *
 * Errors are MM_ERROR_CACHE or MM_ERROR_NO_SPACE. Strings given are copied.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/mail-types.h>

G_BEGIN_DECLS

typedef struct MmIndex MmIndex;

#define MM_INDEX_MAX_FOLDER_ID ((guint32) (1 << 24) - 1)
#define MM_INDEX_MAX_NUMBER    (((guint64) 1 << 36) - 3)

/* Opens or creates @directory/index.sqlite (mode 0600). An older schema is migrated, a newer or
 * damaged one is set aside under another name with a warning, and a new one is begun. With a new one
 * content kept by the ids of an older one is set aside too: open the index before the content cache.
 * @directory NULL: an index in memory, for cache=none; then only this MmIndex sees it. */
MmIndex *mm_index_open (const gchar *directory, GError **error);
/* Opens what is there, for reading only: nothing is made, migrated or set aside. */
MmIndex *mm_index_open_to_look (const gchar *directory, GError **error);
void mm_index_close (MmIndex *index);

/* Transactions: everything between belongs together and costs one commit. They do not nest. */
gboolean mm_index_begin (MmIndex *index, GError **error);
gboolean mm_index_commit (MmIndex *index, GError **error);
void mm_index_rollback (MmIndex *index);
/* TRUE when an error has ended the transaction: nothing more belongs to it, and its commit fails. */
gboolean mm_index_is_lost (MmIndex *index);
/* Commits what a transaction did so far, and goes on in another. FALSE: that is lost, and what comes
 * behind it too, which the commit at the end will say. Without a transaction nothing is to be done. */
gboolean mm_index_secure (MmIndex *index, GError **error);

/* The persistent number of the account named @key ("imap://user@host:port"). 0 with @error. */
gint64 mm_index_get_account (MmIndex *index, const gchar *key, GError **error);

typedef void (*MmIndexAccountFunc) (gint64 account, const gchar *key, gpointer user_data);

/* Tells all accounts. @key is borrowed during the call. */
gboolean mm_index_load_accounts (MmIndex *index, MmIndexAccountFunc func, gpointer user_data,
                                 GError **error);

/* ---- folders ---- */

typedef struct
{
  guint32 id;             /* 1 … MM_INDEX_MAX_FOLDER_ID; unique in the directory, never used again */
  const gchar *name;      /* wire name; unique within the account; "" for a directory that only
                             exists because something below it does: then @path is unique */
  const gchar *path;      /* decoded UTF-8, with @delimiter between components */
  gchar delimiter;        /* 0: none */
  const gchar *component; /* the directory name chosen for the last component */
  MmMailboxFlags flags;
  MmMailboxState state;   /* after the last complete synchronisation; all 0 before the first */
  guint64 next_number;    /* above every local number ever used here; ≥ 1 */
  gint64 mtime_us;        /* last observed change of membership, microseconds since 1970 UTC */
  const gchar *mailbox_id; /* nullable: what the server calls it by for ever */
} MmIndexFolder;

typedef void (*MmIndexFolderFunc) (const MmIndexFolder *folder, gpointer user_data);

/* Tells all folders of @account, parents before children. The struct is borrowed during the call. */
gboolean mm_index_load_folders (MmIndex *index, gint64 account, MmIndexFolderFunc func,
                                gpointer user_data, GError **error);

/* Adds @folder (its id is ignored) and returns its new id; 0 with @error, MM_ERROR_LIMIT when the
 * ids are used up. */
guint32 mm_index_add_folder (MmIndex *index, gint64 account, const MmIndexFolder *folder,
                             GError **error);

/* Writes what a list of folders may change of one: @name ("" makes it a mere directory), @delimiter
 * and @flags, and @mailbox_id (nullable); its path and component change with a move alone. */
gboolean mm_index_set_folder_name (MmIndex *index, guint32 folder_id, const gchar *name,
                                   gchar delimiter, MmMailboxFlags flags, const gchar *mailbox_id,
                                   GError **error);
/* The mailbox has another name: @name, @path and @component. */
gboolean mm_index_move_folder (MmIndex *index, guint32 folder_id, const gchar *name,
                               const gchar *path, const gchar *component, GError **error);
gboolean mm_index_set_folder_mtime (MmIndex *index, guint32 folder_id, gint64 mtime_us,
                                    GError **error);

/* Writes what a synchronisation changes of a folder: @state, @next_number, @mtime_us. */
gboolean mm_index_set_folder_state (MmIndex *index, guint32 folder_id, const MmMailboxState *state,
                                    guint64 next_number, gint64 mtime_us, GError **error);

/* Forgets a folder and its messages. */
gboolean mm_index_remove_folder (MmIndex *index, guint32 folder_id, GError **error);

/* ---- messages ---- */

typedef struct
{
  guint64 number;         /* local number, 1 … MM_INDEX_MAX_NUMBER */
  guint32 uid;            /* current UID; 0: not on the server as far as known */
  guint64 size;           /* octets */
  gboolean size_is_proved; /* TRUE: the size was seen in a whole literal or proved by a probe */
  guint32 told_size;      /* the size as the listing told it, modulo 2^32: a mark to know it by */
  guint32 origin;         /* the mark under which its content is kept; 0: that of its UID and the
                             folder's UIDVALIDITY, or that it has an object */
  guint64 object;         /* a digest of the id by which the server calls it for ever, below 2^60;
                             0: none */
  gboolean is_linked;     /* ... which other folders may have too */
  gint64 internaldate;    /* seconds since 1970 UTC */
  MmMessageFlags flags;
  const gchar *keywords;  /* space separated, "" for none */
  const gchar *stem;      /* the subject as it stands in the name, nullable */
  const gchar *message_id; /* nullable: not known yet; "": the message has none */
} MmIndexMessage;

typedef void (*MmIndexMessageFunc) (const MmIndexMessage *message, gpointer user_data);

/* Tells all messages of a folder by ascending number. 100,000 must take well under 100 ms. */
gboolean mm_index_load_messages (MmIndex *index, guint32 folder_id, MmIndexMessageFunc func,
                                 gpointer user_data, GError **error);

/* Adds or replaces a message. Use a transaction around many: 100,000 must take about 0.3 s. */
gboolean mm_index_put_message (MmIndex *index, guint32 folder_id, const MmIndexMessage *message,
                               GError **error);
gboolean mm_index_remove_message (MmIndex *index, guint32 folder_id, guint64 number,
                                  GError **error);
gboolean mm_index_remove_all_messages (MmIndex *index, guint32 folder_id, GError **error);

/* Tells the objects of all linked messages of a folder, or with 0 of all folders; by object and folder. */
typedef void (*MmIndexLinkFunc) (guint64 link, guint32 folder_id, gpointer user_data);
gboolean mm_index_load_links (MmIndex *index, guint32 folder_id, MmIndexLinkFunc func,
                              gpointer user_data, GError **error);
/* TRUE when a linked message of any folder has the object @link; also when that cannot be told. */
gboolean mm_index_has_link (MmIndex *index, guint64 link);

/* ---- traffic ---- */

/* What was received from an account in one hour; hours are counted from 1970-01-01 UTC. */
typedef struct
{
  gint64 hour;
  guint64 octets;
} MmIndexTraffic;

/* Adds to what is known of that hour, whichever process wrote it, and forgets hours more than a week
 * before it. */
gboolean mm_index_add_traffic (MmIndex *index, gint64 account, const MmIndexTraffic *traffic,
                               GError **error);
/* Appends all hours known to @out (Array<MmIndexTraffic>), ascending. */
gboolean mm_index_load_traffic (MmIndex *index, gint64 account, GArray *out, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmIndex, mm_index_close)

G_END_DECLS
