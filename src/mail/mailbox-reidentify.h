// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Finding the messages of a mailbox again when their UIDs are others: a pure function over two lists
 * of messages, that known before and that told now.
 *
 * Messages that the server calls by the same object id, of the same told size and INTERNALDATE, are the
 * same, in the order of UIDs if there are several; of what has one on both sides nothing else can be.
 *
 * Of the others only messages of the same told size and INTERNALDATE can be the same. Among those the
 * Message-ID decides. Where it is known on both sides and equal, the two are proved to be one message: it keeps
 * its number and its octets. Where it is not known of the one before (its octets are not here, so
 * there are none to be served wrongly) or neither has one, a message that is alone on both sides with
 * its size, date and subject is taken for the same: it keeps its number, so that a backup finds the
 * name again, but no octets.
 *
 * Messages equal in all marks, the Message-ID included, are told apart by the order of their UIDs,
 * and only when there are as many on both sides; otherwise they are new. So are those whose Message-ID
 * is known now only, if it is one and the same: copies of one message.
 *
 * Time and space are O(n log n) and O(n). Thread-safe: nothing is kept.
 */
#pragma once

#include <mailmount/mailbox.h>

typedef enum
{
  MM_IDENTITY_NEW,
  MM_IDENTITY_LIKELY, /* keeps its number */
  MM_IDENTITY_PROVED, /* and its octets */
} MmIdentity;

/* What one of the messages told now is. */
typedef struct
{
  MmIdentity identity;
  guint before; /* unless NEW: its place among the messages before; each is taken once at most */
} MmIdentified;

/* The messages whose Message-ID has to be known before mm_mailbox_reidentify() can prove anything, as
 * places, Array<guint>: appended to @out_before those whose octets may be in the cache, to @out_now
 * those to ask the server for. Messages that cannot be any other's are in neither. */
void mm_mailbox_reidentify_prepare (const MmMessage *before, gsize n_before, const MmMessage *now,
                                    gsize n_now, GArray *out_before, GArray *out_now);

/* What each of @now is: Array<MmIdentified>, of @n_now. Message-IDs are NULL where not known, "" for
 * none. @has_stems: the subjects of @now are known. (transfer full) */
GArray *mm_mailbox_reidentify (const MmMessage *before, gsize n_before, const MmMessage *now,
                               gsize n_now, gboolean has_stems);
