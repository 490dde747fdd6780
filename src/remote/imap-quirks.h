// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What single servers say otherwise than the standards have it, and what they mean by it: the one
 * place that knows a server by its words. What can be told from behaviour alone is no quirk but a
 * case of its own where it is handled, and syntax that is nearly right is accepted by the parser.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

typedef enum
{
  /* UIDVALIDITY is the second in which the mailbox was made: one that is deleted and made anew within
   * it has the same, and the same UIDs. */
  MM_IMAP_QUIRK_UIDVALIDITY_RECURS = 1 << 0,
} MmImapQuirks;

/* Those of the server with this @greeting. */
MmImapQuirks mm_imap_quirks_of_greeting (const MmImapEvent *greeting);

/* Whether @answer, which refuses UID FETCH of one message, says that there is no such message. */
gboolean mm_imap_quirks_refuses_gone (const MmImapEvent *answer);

G_END_DECLS
