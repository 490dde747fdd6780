// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One account: its tree of folders, kept the same across mounts by the index, and brought up to
 * date from the server's list. Joins index, cache and remote.
 *
 * A folder is a directory. It holds messages when the server lets its mailbox be opened, and other
 * folders. Folders that exist only because something below them does have no mailbox.
 *
 * All functions may be called from any thread and, but for construction and mm_account_connect(),
 * never block on network or disk.
 */
#pragma once

#include <mailmount/content.h>
#include <mailmount/mailbox.h>
#include <mailmount/remote.h>

G_BEGIN_DECLS

typedef struct MmAccount MmAccount;

/* What changed behind the filesystem's back. Called on any thread, without locks held; must not
 * block. */
typedef struct
{
  /* The directory of a folder lists other entries than before. */
  void (*folder_changed) (guint32 folder_id, gpointer user_data);
  /* A child folder called @component left the folder @parent_id (0: the root). */
  void (*folder_gone) (guint32 parent_id, const gchar *component, gpointer user_data);
  void (*message_gone) (guint32 folder_id, const MmMessage *message, gpointer user_data);
  /* Size or flags of a message are others than stat and xattrs showed. */
  void (*message_changed) (guint32 folder_id, const MmMessage *message, gpointer user_data);
} MmAccountObserver;

typedef struct
{
  const gchar *name;         /* for messages to people: "user@host" */
  const gchar *key;          /* identity in the index: "imap://user@host:port" */
  const gchar *directory;    /* nullable: index and cache in memory only */
  guint64 cache_size_octets; /* see MmContentCacheLimits */
  guint64 cache_free_octets;
  MmRemote *remote;          /* transfer full */
  gboolean want_subject;     /* names need subjects */
  const gchar *const *include; /* nullable: shell globs on paths; a folder must match one */
  const gchar *const *exclude; /* nullable: and none of these */
  gboolean subscribed_only;
  gint64 refresh_us;         /* a listing older than this, and than a second, is compared with the
                                server when opened */
  guint64 bandwidth;         /* what the remote may receive, octets per second; 0: no limit */
  gboolean follows_changes;  /* keep up with the server while nobody asks: have it tell what changes,
                                and ask for the folders' states every @refresh_us; 0: not */
  guint watches_max;         /* mailboxes watched one by one, where not all can be at once */
  const MmAccountObserver *observer; /* nullable */
  gpointer observer_data;
} MmAccountConfig;

/* Opens index and cache. NULL with MM_ERROR_CACHE and its kind. */
MmAccount *mm_account_new (const MmAccountConfig *config, GError **error);

/* Ends the remote and all threads, writes down what is queued. No call may be in progress. */
void mm_account_free (MmAccount *account);

/* Connects, signs in, and asks for the list of folders, blocking, so that start-up can tell what
 * is wrong. With @root_path (nullable; "A/B") waits for the list and makes that folder the root;
 * MM_ERROR_NOT_FOUND when there is none. With filters it waits for the list, too: MM_ERROR_USAGE when
 * there are folders and the filters let none through. A server that cannot be reached (OFFLINE, TIMEOUT) is only
 * warned of when the folders are known from an earlier mount. */
gboolean mm_account_connect (MmAccount *account, const gchar *root_path, GError **error);

/* ---- folders: values; strings live as long as the account ---- */

typedef struct
{
  guint32 id;            /* 0: the root of the account */
  guint32 parent_id;
  const gchar *component;
  MmMailbox *mailbox;    /* nullable; borrowed, lives as long as the account */
  gint64 mtime_us;
  guint n_children;
} MmFolder;

/* DONE when the list of folders was had from the server in this mount and, if @fresh, within the
 * refresh time; or when the list of an earlier mount is known and the server cannot be asked. Starts
 * what is necessary. */
MmTry mm_account_try_folders (MmAccount *account, gboolean fresh, MmWaiter *waiter,
                              GError **error);

/* The folder shown as the root of the mount. */
guint32 mm_account_get_root_id (MmAccount *account);

/* FALSE when there is no such folder (any more, or filtered out). */
gboolean mm_account_get_folder (MmAccount *account, guint32 folder_id, MmFolder *out);
gboolean mm_account_find_child (MmAccount *account, guint32 parent_id, const gchar *component,
                                MmFolder *out);
/* The child with the smallest id above @after_id; FALSE at the end. */
gboolean mm_account_next_child (MmAccount *account, guint32 parent_id, guint32 after_id,
                                MmFolder *out);

/* Totals as far as known (mailbox.h). */
void mm_account_get_totals (MmAccount *account, guint64 *out_messages, guint64 *out_octets);

/* A place of the file @link (mm_message_get_link()): in the folder @preferred_id if it is there, else
 * where it is found first. FALSE when it is nowhere. */
gboolean mm_account_find_link (MmAccount *account, guint64 link, guint32 preferred_id,
                               MmFolder *out_folder, guint64 *out_number);
/* All its places that are shown, by folder id and number: Array<MmLinkPlace>. (transfer full) */
typedef struct
{
  MmFolder folder;
  guint64 number;
} MmLinkPlace;
GArray *mm_account_dup_link_places (MmAccount *account, guint64 link);

/* ---- contents ---- */

/* The content of a message, shared by everyone who has it open. NULL when there is no such message.
 * (transfer full) */
MmContent *mm_account_open_content (MmAccount *account, MmMailbox *mailbox, guint64 number);

/* The SHA-256 of a message in hex digits, when it is whole in the cache; NOT_FOUND when it is not. Asks
 * nobody else for it. (out: transfer full) */
MmTry mm_account_try_digest (MmAccount *account, MmMailbox *mailbox, guint64 number,
                             gchar **out_digest, MmWaiter *waiter, GError **error);

/* What readers do, so that what they will do next can be fetched ahead: a directory was opened for
 * listing, a message was opened, a message of @size octets was closed after having been read up to
 * @read_octets (MM_READ_UNKNOWN: it was handed over whole). A listing may be noted more than once. @mailbox is NULL for a directory without one. @thread_id is the kernel's, of the
 * caller; 0: not known. */
#define MM_READ_UNKNOWN G_MAXUINT64
void mm_account_note_list (MmAccount *account, MmMailbox *mailbox, guint thread_id);
void mm_account_note_open (MmAccount *account, MmMailbox *mailbox, guint64 number,
                           guint thread_id);
void mm_account_note_close (MmAccount *account, MmMailbox *mailbox, guint64 number,
                            guint64 read_octets, guint64 size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmAccount, mm_account_free)

G_END_DECLS
