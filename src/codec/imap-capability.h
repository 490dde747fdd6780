// SPDX-License-Identifier: GPL-3.0-or-later
/* What a server said it can do: the capabilities we know as bits, and its SASL mechanisms. */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

typedef struct
{
  MmImapCapabilities bits;
  guint n_seen;          /* known or not */
  GPtrArray *mechanisms; /* of owned gchar*, NULL-terminated, upper case */
} MmImapCapabilityList;

void mm_imap_capability_list_init (MmImapCapabilityList *list);
void mm_imap_capability_list_clear (MmImapCapabilityList *list); /* empty again */
void mm_imap_capability_list_release (MmImapCapabilityList *list);

/* One name as the server wrote it, in any case; an unknown one is only counted. */
void mm_imap_capability_list_add (MmImapCapabilityList *list, const gchar *name, gsize length);

G_END_DECLS
