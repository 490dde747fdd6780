// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a connection asks once, behind the login: ID, ENABLE, NAMESPACE, and COMPRESS as the last.
 * Nobody waits for the answers but those who need them: the first list goes out in the same flight.
 * A NO or BAD to any of them means to go on without. One thread.
 */
#pragma once

#include "imap-flights.h"
#include "imap-wire.h"

G_BEGIN_DECLS

/* What is known of an account beside what the session itself keeps. */
typedef struct
{
  MmImapCapabilities capabilities; /* with what IMAP4rev2 implies */
  gboolean is_from_memory;         /* as the account's last login had them; to be asked for */
  GPtrArray *namespaces; /* of MmImapNamespace, owned; complete when the set-up ended, empty
                            when the server told none */
} MmImapAccountFacts;

typedef struct
{
  MmImapNamespaceKind kind;
  gchar *prefix; /* as on the wire */
} MmImapNamespace;

typedef struct
{
  guint n_due;            /* commands not answered yet; 0: the set-up ended */
  gboolean is_utf8_asked; /* how names are encoded may change with an answer */
} MmImapSetUp;

void mm_imap_account_facts_init (MmImapAccountFacts *facts);
void mm_imap_account_facts_clear (MmImapAccountFacts *facts);
/* @capabilities with those that a revision has without naming them. */
void mm_imap_account_facts_set (MmImapAccountFacts *facts, MmImapCapabilities capabilities);

/* Submits all that the server offers; they go out with whatever is submitted next. What follows
 * COMPRESS waits in the session until that is answered. */
gboolean mm_imap_set_up_begin (MmImapSetUp *set_up, MmImapWire *wire, MmImapFlights *flights,
                               const MmImapAccountFacts *facts, gboolean compress, GError **error);

/* Untagged data, while the set-up goes on. */
void mm_imap_set_up_note (const MmImapSetUp *set_up, MmImapAccountFacts *facts,
                          const MmImapSession *session, const MmImapEvent *event);

/* The answer to one of its commands. TRUE: it was the last. */
gboolean mm_imap_set_up_answered (MmImapSetUp *set_up, MmImapWire *wire, const MmImapFlight *flight,
                                  const MmImapEvent *answer);

/* Whether @mailbox (nullable), a name in modified UTF-7, can be sent already: until the set-up
 * ended only a name that is the same in UTF-8 can. */
gboolean mm_imap_set_up_can_name (const MmImapSetUp *set_up, const gchar *mailbox);

G_END_DECLS
