// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From the greeting to an authenticated session that knows what it may use: the strongest way to
 * log in that the server offers and the line allows, then ID, ENABLE, NAMESPACE and COMPRESS.
 */
#pragma once

#include "imap-remote.h"
#include "imap-wire.h"

G_BEGIN_DECLS

/* What a login learned beside what the session itself keeps. */
typedef struct
{
  MmImapCapabilities capabilities; /* with what IMAP4rev2 implies */
  GPtrArray *namespaces;           /* of MmImapNamespace, owned; empty when the server told none */
} MmImapAccountFacts;

typedef struct
{
  MmImapNamespaceKind kind;
  gchar *prefix; /* as on the wire */
} MmImapNamespace;

/* Blocks. FALSE with MM_ERROR_AUTHENTICATION, MM_ERROR_UNAVAILABLE, MM_ERROR_TLS, MM_ERROR_PROTOCOL
 * and those of the connection. */
gboolean mm_imap_login (MmImapRemote *remote, MmImapWire *wire, MmImapAccountFacts *out_facts,
                        GError **error);

void mm_imap_account_facts_clear (MmImapAccountFacts *facts);

G_END_DECLS
