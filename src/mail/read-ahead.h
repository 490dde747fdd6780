// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading ahead across messages, so that a copy that opens one file after another runs at the speed
 * of the wire and not of its round trips. Armed by opens, never by listing alone: nothing is fetched
 * that nobody is about to read.
 *
 * All of the policy runs on one thread of its own, fed with notes; noting costs a queue entry. The
 * fetched contents are held here until their readers come, within one budget of octets.
 */
#pragma once

#include "content-private.h"

typedef struct MmReadAhead MmReadAhead;

/* The mailbox that follows @mailbox when the tree of folders is walked, the first one after NULL; NULL
 * at the end. Called on the thread of the read-ahead. */
typedef MmMailbox *(*MmNextMailboxFunc) (MmMailbox *mailbox, gpointer user_data);

MmReadAhead *mm_read_ahead_new (MmContentTable *contents, MmMailContext *context,
                                MmNextMailboxFunc next_mailbox, gpointer user_data);
/* Ends the thread and lets go of all contents. Fetches may still be on their way. */
void mm_read_ahead_stop (MmReadAhead *ahead);
/* When no fetch is on its way any more, and no other function will be called. */
void mm_read_ahead_free (MmReadAhead *ahead);

/* A directory was opened for listing by the process of thread @thread_id (0: not known). @mailbox is
 * NULL when it has none. */
void mm_read_ahead_note_list (MmReadAhead *ahead, MmMailbox *mailbox, guint thread_id);
/* There is no such folder any more. */
void mm_read_ahead_note_gone (MmReadAhead *ahead, MmMailbox *mailbox);
/* A message was opened. */
void mm_read_ahead_note_open (MmReadAhead *ahead, MmMailbox *mailbox, guint64 number,
                              guint thread_id);
/* It was closed, having been read up to @read_octets of @size. */
void mm_read_ahead_note_close (MmReadAhead *ahead, MmMailbox *mailbox, guint64 number,
                               guint64 read_octets, guint64 size);
