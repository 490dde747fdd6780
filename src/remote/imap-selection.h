// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The selected mailbox of one connection, as the server tells about it. One thread.
 */
#pragma once

#include <mailmount/imap-session.h>
#include <mailmount/mail-types.h>

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_SELECTION_NONE,
  MM_IMAP_SELECTION_PENDING, /* EXAMINE is on its way */
  MM_IMAP_SELECTION_OPEN,
} MmImapSelectionState;

typedef struct
{
  MmImapSelectionState state;
  gchar *mailbox;     /* as in remote.h; owned */
  MmMailboxState box; /* as EXAMINE told; HIGHESTMODSEQ 0 with NOMODSEQ; has_messages is FALSE when
                         EXISTS, which is mandatory, did not come */
  guint64 exists;     /* now */
  guint n_exists, n_expunged; /* how often they changed since EXAMINE was answered */
} MmImapSelection;

void mm_imap_selection_begin (MmImapSelection *selection, const gchar *mailbox);
void mm_imap_selection_clear (MmImapSelection *selection);

/* EXAMINE was answered with OK; the answer may carry a code. */
void mm_imap_selection_open (MmImapSelection *selection, const MmImapEvent *answer);

/* Untagged data. TRUE: the open mailbox changed, unasked. */
gboolean mm_imap_selection_note (MmImapSelection *selection, const MmImapEvent *event);

G_END_DECLS
