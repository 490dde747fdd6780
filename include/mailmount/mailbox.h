// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One mailbox as the filesystem sees it: its messages, ordered by local number, in memory; loaded
 * from the index, brought up to date from the server, and written back to the index off the reply
 * path.
 *
 * A message is named by its local number: its UID when it was first seen in this folder
 * (include/mailmount/index.h). Numbers never change and are never used twice.
 *
 * A listing is complete or ends in an error. While a first listing arrives, the part already
 * received is readable as long as it came in ascending order. One that is cut while somebody waits for
 * it or reads it is asked for again, and readers go on in the new one, as long as it tells what they
 * had of the old one.
 *
 * All functions may be called from any thread and never block on network or disk.
 */
#pragma once

#include <mailmount/mail-types.h>
#include <mailmount/waiter.h>

G_BEGIN_DECLS

typedef struct MmMailbox MmMailbox;

/* The strings of a mailbox's messages. */
typedef struct MmStringPool MmStringPool;

/* Numbers of objects. */
#define MM_OBJECT_MAX_NUMBER (((guint64) 1 << 60) - 1)

/* A value. Its strings may be read as long as the mailbox's strings are held, since before it was
 * had. */
typedef struct
{
  guint64 number;          /* local number */
  guint64 size;            /* octets; what stat shows */
  gint64 internaldate : 40; /* seconds since 1970 UTC: IMAP's years have four digits. To be cast before
                               it is calculated with */
  guint64 flags : 8;       /* MmMessageFlags */
  guint64 listing : 8;     /* private to the mailbox: the listing that told it last */
  guint64 size_is_proved : 1;
  guint64 is_stored : 1;   /* known to be whole in the cache; a hint that is not kept */
  guint64 has_object : 1;  /* the server has an id for it: @object holds, and @origin is 0 */
  guint64 is_linked : 1;   /* ... that other folders may have too: mm_message_get_link() */
  union
  {
    guint64 origin;        /* of the content (index.h), 32 bits; 0: that of UID and UIDVALIDITY */
    guint64 object;        /* a digest of the id and, if it is linked, of size and date; never 0,
                              at most MM_OBJECT_MAX_NUMBER */
  };
  const gchar *stem;       /* the subject as it stands in the name, nullable */
  const gchar *keywords;   /* space separated, "" for none; behind a '\n' the labels (remote.h) */
  const gchar *message_id; /* nullable: not known yet; "": it has none */
  guint32 uid;
  guint32 told_size;       /* the size as the listing told it, modulo 2^32: a mark */
} MmMessage;

/* The number of the file that @message is one of the names of; 0: it has one name only. */
static inline guint64
mm_message_get_link (const MmMessage *message)
{
  return message->is_linked ? message->object : 0;
}

guint32 mm_mailbox_get_folder_id (const MmMailbox *mailbox);

/* Keeps the strings of all messages that are had of the mailbox from now on. (transfer full): to be
 * given back soon, because what is expunged meanwhile stays in memory. */
MmStringPool *mm_mailbox_hold_strings (MmMailbox *mailbox);
void mm_string_pool_unref (MmStringPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmStringPool, mm_string_pool_unref)

/* DONE when the mailbox was listed and, if @fresh, compared with the server within the refresh
 * time, or the server cannot be asked now. Starts what is necessary. */
MmTry mm_mailbox_try_listed (MmMailbox *mailbox, gboolean fresh, MmWaiter *waiter, GError **error);
/* DONE when the flags of the messages listed are not older than the refresh time, or the server cannot
 * be asked now. Without CONDSTORE (RFC 7162) the numbers of a mailbox do not tell that flags changed:
 * they are compared for who looks at them. */
MmTry mm_mailbox_try_flags (MmMailbox *mailbox, MmWaiter *waiter, GError **error);

/* DONE when the listing has at least begun to arrive, so that mm_mailbox_try_next() makes sense.
 * Otherwise as above, with @fresh. @out_stream is given to mm_mailbox_try_next(). */
MmTry mm_mailbox_try_open (MmMailbox *mailbox, guint *out_stream, MmWaiter *waiter,
                           GError **error);

/* Copies up to @n_max messages with numbers above @after, ascending, to @out. DONE with *out_n = 0
 * means that the listing is complete and there are no more. FAILED: the listing broke off, or went
 * on in an order that cannot be streamed. */
MmTry mm_mailbox_try_next (MmMailbox *mailbox, guint stream, guint64 after, MmMessage *out,
                           gsize n_max, gsize *out_n, MmWaiter *waiter, GError **error);

/* One message; FALSE when there is none of this number (now). */
gboolean mm_mailbox_get_message (MmMailbox *mailbox, guint64 number, MmMessage *out);

/* DONE when the Message-IDs of all messages are known; asks for the missing ones in one go. */
MmTry mm_mailbox_try_message_ids (MmMailbox *mailbox, MmWaiter *waiter, GError **error);

/* What the Message-ID of one message turned out to be ("": it has none). */
void mm_mailbox_set_message_id (MmMailbox *mailbox, guint64 number, const gchar *message_id);

/* The size of a message turned out to be exactly this. TRUE when stat showed another one. */
gboolean mm_mailbox_set_size (MmMailbox *mailbox, guint64 number, guint64 size);

/* The whole content was found in the cache, or put there; or it is there no more. */
void mm_mailbox_set_stored (MmMailbox *mailbox, guint64 number, gboolean is_stored);

/* A message could not be found on the server, or the server hinted at a change: compare the mailbox
 * with the server when it is opened next, or at once where changes are followed. */
void mm_mailbox_set_stale (MmMailbox *mailbox);

/* Microseconds since 1970 UTC of the last observed change of membership. */
gint64 mm_mailbox_get_mtime_us (MmMailbox *mailbox);

/* Counts every change of membership: a kernel that cached an older listing is behind. */
guint mm_mailbox_get_generation (MmMailbox *mailbox);

/* Totals as far as known: of what is not listed yet the number is the server's, and the size of each
 * message is taken for a block of 4096 octets. */
void mm_mailbox_get_totals (MmMailbox *mailbox, guint64 *out_messages, guint64 *out_octets);

G_END_DECLS
