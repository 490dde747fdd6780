// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A listing beside the one that is shown. When the UIDs of a mailbox may be those of other messages
 * (a new UIDVALIDITY, or a server that gives none to rely on), what is known stays as it is for
 * readers while the server tells everything anew. Then the messages are recognised
 * (mailbox-reidentify.h), with Message-IDs from the server for those told and from the cache for
 * those known, and the table changes in one step: recognised messages keep number and octets, the
 * others leave, new ones get numbers above every one used. A listing that breaks off changes
 * nothing.
 */
#pragma once

#include "mailbox-private.h"

/* The server is about to tell everything. */
void mm_mailbox_begin_relist_locked (MmMailbox *mailbox);
/* It told @message; its number does not matter. Strings are copied. */
void mm_mailbox_relist_message_locked (MmMailbox *mailbox, const MmMessage *message);
/* The listing broke off, or was never begun. */
void mm_mailbox_drop_relist_locked (MmMailbox *mailbox);
/* It is whole, and leads to @state. Ends the synchronisation (mm_mailbox_end_sync()), now or later,
 * from whatever thread. No lock held. */
void mm_mailbox_finish_relist (MmMailbox *mailbox, const MmMailboxState *state);
