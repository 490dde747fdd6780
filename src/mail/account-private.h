// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of an account, shared by account.c (construction and what the filesystem asks),
 * account-folders.c and account-renames.c (keeping the tree as the server's list says) and account-filter.c
 * (what of it is shown).
 */
#pragma once

#include <mailmount/account.h>

#include "content-private.h"
#include "digest-lookup.h"
#include "folder-tree.h"
#include "read-ahead.h"

struct MmAccount
{
  /* Immutable after construction. */
  MmMailContext context;
  MmAccountObserver observer;
  gint64 account_id; /* in the index */
  gchar **include;   /* nullable */
  gchar **exclude;   /* nullable */
  gboolean subscribed_only;
  MmContentTable *contents;
  MmReadAhead *read_ahead;
  MmDigestLookup *digests;

  GMutex lock; /* guards all below; no other lock is taken under it but a mailbox's */
  GCond listed;
  MmFolderTree *tree;    /* changed by the index thread only, under the lock */
  GPtrArray *mailboxes;  /* Array<owned MmMailbox>: also of folders that are gone */
  guint32 root_id;
  gboolean is_listing;
  gint64 listed_us;      /* monotonic; when the list was last had; 0: never */
  gboolean is_loaded;    /* what the index knew is in the tree */
  gboolean is_accepted;  /* the tree of an earlier mount is shown: the server cannot be asked */
  gint64 excused_us;     /* monotonic: when the server last could not be asked; 0: never */
  GError *list_error;    /* nullable: why the last attempt failed */
  MmWaitList *waits;
};

/* ---- the list of folders, on the index thread ---- */

typedef struct
{
  gchar *name; /* wire name */
  gchar *path; /* components joined with '/' */
  gchar delimiter;
  MmMailboxFlags flags;
  MmMailboxState state;
  gchar *mailbox_id; /* nullable */
} MmListedFolder;

typedef struct
{
  guint32 parent_id;
  const gchar *component; /* interned in the tree */
} MmFolderGone;

typedef struct
{
  MmAccount *account; /* borrowed */
  GArray *listed;     /* Array<MmListedFolder> */
  GHashTable *changed; /* Set<folder id>: directories that list other folders now */
  GArray *gone;       /* Array<MmFolderGone> */
  GPtrArray *added;   /* Array<MmFolderNode>, borrowed: parents first */
  GError *error;      /* nullable: a folder could not be given a number */
} MmFolderList;

/* The node of @path ("": the root), made with all its parents where missing. @listed, nullable, is what the list says of
 * it. NULL with list->error. */
MmFolderNode *mm_account_ensure_folder (MmFolderList *list, MmIndex *index, const gchar *path,
                                        const MmListedFolder *listed);
/* Gives the folders whose mailboxes have another name now their new places. */
void mm_account_apply_renames (MmFolderList *list, MmIndex *index);

/* Has the remote go by what was received on the last day, and write down what it receives. */
gboolean mm_account_load_traffic (MmAccount *account, MmIndex *index, GError **error);
/* Queues the loading of the tree from the index. */
void mm_account_load_folders (MmAccount *account);
/* Shows the folders of earlier mounts, for the server cannot be asked. FALSE when there are none. */
gboolean mm_account_accept_known_locked (MmAccount *account);
/* Marks those of @nodes, parents first, that the filters let through, and what is above them. */
void mm_account_mark_visible_locked (MmAccount *account, GPtrArray *nodes);
/* FALSE, with MM_ERROR_USAGE, when the server listed folders and the filters let none of them through: a copy
 * of that with --delete would empty the backup. TRUE before there was a list. */
gboolean mm_account_check_filters (MmAccount *account, GError **error);
gboolean mm_account_has_filters (const MmAccount *account);
/* Asks the server for the list; is_listing was just set under the lock. No lock held. */
void mm_account_start_list (MmAccount *account);

/* ---- for the watcher ---- */

/* Has the list asked for. FALSE: it is being asked for already. */
gboolean mm_account_list_again (MmAccount *account);
gint64 mm_account_get_listed_us (MmAccount *account); /* monotonic; 0: never */
/* INBOX, when it is shown; NULL otherwise. */
MmMailbox *mm_account_find_inbox (MmAccount *account);
/* mm_mailbox_follow() of all mailboxes. */
gint64 mm_account_follow (MmAccount *account);
