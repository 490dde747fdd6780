// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A selected mailbox of one connection, as the server tells about it, and the jobs that asked for
 * something in it. One thread.
 */
#pragma once

#include <mailmount/imap-session.h>
#include <mailmount/mail-types.h>
#include <mailmount/remote.h>

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
  guint serial;    /* grows with each of a connection */
  gchar *mailbox;  /* as in remote.h; owned; NULL with the first of a connection, which is none */
  GPtrArray *jobs; /* of MmRemoteJob, borrowed */
  MmMailboxState box; /* as EXAMINE told; HIGHESTMODSEQ 0 with NOMODSEQ; has_messages is FALSE when
                         EXISTS, which is mandatory, did not come */
  gboolean tells_changes;   /* EXAMINE asked for them (RFC 7162 3.2.5) */
  gboolean has_begun_early; /* what comes is of this mailbox, though EXAMINE is not answered yet: none
                               was open before, or it was told to be closed */
  guint64 exists;     /* now */
  guint n_exists;     /* how often it was told since EXAMINE was answered */
  guint64 n_expunged; /* messages, since then */
} MmImapSelection;

/* EXAMINE of @mailbox is on its way; @mailbox NULL: nothing is selected. */
MmImapSelection *mm_imap_selection_new (const gchar *mailbox, guint serial);
void mm_imap_selection_free (MmImapSelection *selection);

/* EXAMINE was answered with OK; the answer may carry a code. */
void mm_imap_selection_open (MmImapSelection *selection, const MmImapEvent *answer);

/* Untagged data. TRUE: the open mailbox changed, unasked. */
gboolean mm_imap_selection_note (MmImapSelection *selection, const MmImapEvent *event);

G_END_DECLS
