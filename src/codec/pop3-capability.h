// SPDX-License-Identifier: GPL-3.0-or-later
/* What a POP3 server says that it can do (RFC 2449 5 and 6). */
#pragma once

#include <mailmount/pop3-session.h>

G_BEGIN_DECLS

typedef struct
{
  MmPop3Capabilities flags;
  gchar **mechanisms; /* owned, NULL-terminated; NULL: none */
  guint login_delay_seconds;
} MmPop3CapabilityList;

void mm_pop3_capability_list_clear (MmPop3CapabilityList *list);
/* Takes one line of the answer to CAPA; what it does not know is skipped. */
void mm_pop3_capability_list_add (MmPop3CapabilityList *list, const gchar *line);

G_END_DECLS
