// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of a mailbox, shared by mailbox.c (what readers ask), mailbox-load.c (from the index)
 * and mailbox-sync.c (from the server).
 */
#pragma once

#include <mailmount/mailbox.h>

#include "mail-context.h"
#include "message-table.h"

typedef enum
{
  MM_MAILBOX_UNLOADED,
  MM_MAILBOX_LOADING, /* the index thread reads the rows */
  MM_MAILBOX_LOADED,
} MmMailboxLoad;

/* The stream of whoever began to read a whole listing. */
#define MM_MAILBOX_WHOLE 0

/* A listing under other UIDs, collected beside the one that is shown (mailbox-relist.h). */
typedef struct MmRelist MmRelist;

struct MmMailbox
{
  /* Immutable. */
  MmMailContext *context; /* borrowed */
  guint32 folder_id;
  const gchar *_Atomic path; /* for messages to people; one of @paths */
  GPtrArray *paths; /* Array<owned>: all it ever had, for those who still read an old one */

  GMutex lock; /* guards all below; no other lock is taken under it */
  gchar *name; /* wire name */
  MmMailboxLoad load;
  MmMessageTable *table;
  MmMessageTable *aside;    /* nullable: from the index, of a server whose UIDs are not to be relied
                               on; not shown before a listing says which of it are still there */
  MmRelist *relist;         /* nullable */
  gboolean is_complete;   /* the table is a whole listing, that of @state */
  gboolean was_complete;  /* before the full listing that runs or broke off: readers know that one */
  gboolean is_syncing;
  gboolean is_gone;         /* its folder is no more: it keeps nothing */
  gboolean is_awaited;     /* a reader waits for it, or for the load before it … */
  MmRemoteJob *sync_ahead; /* … and none for this running one; nullable */
  gboolean is_comparing;    /* the running synchronisation goes on from what is known */
  gboolean is_doubted;      /* the UIDs known may be those of other messages by now */
  guint numbering;          /* counts changes of UIDs: an answer to an older question is void */
  MmMailboxState state;     /* after the last complete synchronisation */
  MmMailboxState announced; /* what the last list of folders said */
  gint64 announced_us;      /* monotonic; 0: never */
  gint64 checked_us;        /* monotonic: when the table last agreed with the server; 0: never */
  gint64 excused_us;        /* monotonic: when the server last could not be asked; 0: never */
  gint64 started_us;        /* monotonic: when the running or last synchronisation began */
  gint64 ended_us;          /* monotonic: when the last one ended, well or not; 0: never */
  gint64 synced_from_us;    /* monotonic: when the last one that ended well began */
  gint64 synced_us;         /* monotonic: when that ended; 0: never */
  gint64 hinted_us;         /* monotonic: when something was last said to have changed; 0: never */
  guint64 next_number;      /* above every number ever used here */
  guint64 base_number;      /* next_number when the table was last complete: UIDs below it were used */
  gint64 mtime_us;
  guint generation;
  guint told_generation;    /* the last one the observer knows of */
  guint stream;             /* counts full listings, from 1 */
  guint stream_from;        /* readers of an older one must stop: those from it on were cut, and are
                               repeated by the running one */
  guint64 told_up_to;       /* the highest number the running full listing has told */
  guint64 streamed_up_to;   /* the highest that those it repeats have told */
  guint n_repeats;          /* of the running synchronisation, because its connection was lost */
  gboolean stream_is_broken; /* the running first listing came out of order */
  guint unannounced;        /* messages added since readers were last woken */
  GArray *unwritten;        /* Array<MmMessage>: for the index, not yet queued */
  gboolean is_fetching_ids; /* a fetch of Message-IDs is running */
  MmWaitList *waits;

  gboolean rows_are_lost; /* index thread only: rows that should be in the index are not */
};

/* Takes @name and @path as copies; the rest from the index row. */
MmMailbox *mm_mailbox_new (MmMailContext *context, guint32 folder_id, const gchar *name,
                           const gchar *path, const MmMailboxState *state, guint64 next_number,
                           gint64 mtime_us);
void mm_mailbox_free (MmMailbox *mailbox);

/* What the list of folders said; the zero state when it said nothing. TRUE when the wire name is
 * another one now. */
gboolean mm_mailbox_announce (MmMailbox *mailbox, const gchar *name, const MmMailboxState *state);
/* Whether @state, of which anything may be missing, is what the table has. */
gboolean mm_mailbox_is_as (MmMailbox *mailbox, const MmMailboxState *state);
gboolean mm_mailbox_is_fresh_locked (MmMailbox *mailbox);
gboolean mm_mailbox_has_fresh_flags_locked (MmMailbox *mailbox);
/* Synchronises what was listed before and is out of date by now, though nobody waits for it. Returns
 * when to call again, monotonic; G_MAXINT64: when something happened. No lock held. */
gint64 mm_mailbox_follow (MmMailbox *mailbox);

/* What a fetch needs to know of a message; FALSE when there is none of this number and origin. */
typedef struct
{
  gchar *mailbox_name; /* wire name, owned */
  guint64 uidvalidity;
  guint32 uid;
  guint64 size;
  gboolean size_is_proved;
  gchar *message_id;      /* nullable: not known; owned */
  gchar *stem;            /* nullable: of the subject, when it is known; owned */
  guint numbering;        /* that the UID belongs to */
  gboolean is_distrusted; /* the UID may be another message's in another session */
  gboolean is_doubtful;   /* ... or after the mailbox was made anew */
} MmFetchTarget;

/* A mark of what a message was when it was first seen, for the cache's key: numbers may be given anew
 * when the index is lost, and content must not be taken for another message's. It is made of
 * UIDVALIDITY and UID, and stays when a message is recognised under others. */
/* The key under which the content of a message is kept; FALSE when there is none of this number. */
gboolean mm_mailbox_get_content_key (MmMailbox *mailbox, guint64 number, MmContentKey *out);
guint32 mm_mailbox_make_origin (guint64 uidvalidity, guint32 uid); /* never 0 */
/* The key of a message in a folder of @uidvalidity. That of one which is linked is of no folder. */
MmContentKey mm_message_get_content_key (const MmMessage *message, guint32 folder_id,
                                         guint64 uidvalidity);
MmContentKey mm_content_key_of_link (guint64 link);
/* One that no content was kept under before. */
guint32 mm_mailbox_make_random_origin (void);

/* FALSE: the server numbers its messages anew in each session (no UIDVALIDITY, RFC 3501 2.3.1.1, or
 * UIDNOTSTICKY, RFC 4315), so that a UID known from before may be another message's. */
gboolean mm_mailbox_state_is_trusted (const MmMailboxState *state);
/* Whether other messages may have the same numbers by now. */
gboolean mm_mailbox_state_is_doubtful (const MmMailboxState *state);

gboolean mm_mailbox_get_fetch_target (MmMailbox *mailbox, guint64 number, guint32 origin,
                                      MmFetchTarget *out);
/* TRUE when UIDs of this mailbox may be other messages' in another session. */
gboolean mm_mailbox_is_distrusted (MmMailbox *mailbox);
/* Octets came, or facts, that are another message's than the UID stood for: the next synchronisation
 * tells everything, and messages are recognised. @numbering: that the UID belonged to; if there is
 * another one by now, that has happened. */
void mm_mailbox_set_doubted (MmMailbox *mailbox, guint numbering);

void mm_fetch_target_clear (MmFetchTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmFetchTarget, mm_fetch_target_clear)

/* All messages, ascending by number: Array<MmMessage>; their strings as far as they are held.
 * (transfer full) */
GArray *mm_mailbox_dup_messages (MmMailbox *mailbox);
gboolean mm_mailbox_is_complete (MmMailbox *mailbox);
/* Its messages are being loaded, or told by the server. */
gboolean mm_mailbox_is_coming (MmMailbox *mailbox);

/* Starts a first listing that nobody asked for yet, where there is none. */
void mm_mailbox_list_ahead (MmMailbox *mailbox);

/* The folder is no more. What is known of its messages is forgotten, as soon as no synchronisation is
 * running; who reads a listing of it is told that it broke off. */
void mm_mailbox_set_gone (MmMailbox *mailbox);
void mm_mailbox_forget_all_locked (MmMailbox *mailbox);

/* How many of its messages are linked and known to be in the cache, which counts them as no folder's. */
guint mm_mailbox_count_stored_links (MmMailbox *mailbox);

gboolean mm_mailbox_is_gone (MmMailbox *mailbox);

/* The UID of the message with @object; 0: there is none as far as is known. */
guint32 mm_mailbox_find_object_uid (MmMailbox *mailbox, guint64 object);

gchar *mm_mailbox_dup_name (MmMailbox *mailbox); /* on the wire; (transfer full) */
/* Called by one thread at a time. */
void mm_mailbox_set_path (MmMailbox *mailbox, const gchar *path);
gboolean mm_mailbox_is_named (MmMailbox *mailbox, const gchar *name);

/* Queues everything unwritten, before the index thread ends. */
void mm_mailbox_flush (MmMailbox *mailbox);

/* Starts loading; the load state was just set to LOADING under the lock. No lock held. */
void mm_mailbox_start_load (MmMailbox *mailbox);
/* Starts a synchronisation; is_syncing was just set under the lock. No lock held. */
void mm_mailbox_start_sync (MmMailbox *mailbox);

/* Queues the rows in @unwritten for the index. */
void mm_mailbox_write_rows_locked (MmMailbox *mailbox);
/* Queues the folder's own row. */
void mm_mailbox_write_state_locked (MmMailbox *mailbox);
/* Queues the removal of the rows of @gone (Array<MmMessage>), and of their cached content. */
void mm_mailbox_erase_rows_locked (MmMailbox *mailbox, const GArray *gone);

/* After messages got other UIDs: queues, as one, the removal of the rows of @gone (Array<MmMessage>)
 * and of their content, every row of the table, and the folder's own. */
void mm_mailbox_replace_rows_locked (MmMailbox *mailbox, const GArray *gone);

/* Adds a message that is not in the table, under a number of its own choice; queues its row. FALSE
 * when there is no number left, or its UID is in the table. */
gboolean mm_mailbox_add_message_locked (MmMailbox *mailbox, MmMessage *message);
/* The table is a whole listing, of @state. Nothing is queued for the index. */
void mm_mailbox_complete_locked (MmMailbox *mailbox, const MmMailboxState *state);
/* The last thing a synchronisation does: tells the observer of @gone (nullable; Array<MmMessage>)
 * and of what else changed, and wakes who waits. No lock held. */
void mm_mailbox_end_sync (MmMailbox *mailbox, const GArray *gone, const GError *error);

/* @table (transfer full) comes in the place of the table: who holds the mailbox's strings has those of
 * the new one as well. */
void mm_mailbox_take_table_locked (MmMailbox *mailbox, MmMessageTable *table);

/* Tells the observer that size or flags of a message are others. No lock held. */
void mm_mailbox_tell_message_changed (MmMailbox *mailbox, guint64 number);

/* The membership changed: new generation, mtime now. */
void mm_mailbox_touch_locked (MmMailbox *mailbox);
