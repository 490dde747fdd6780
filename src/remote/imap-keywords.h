// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The keywords of a message, with its labels where the server has any, as remote.h wants them.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

/* Those of @fetch; "" when it has none. Labels are decoded where they are modified UTF-7. @buffer is
 * used where more than the keywords has to be told, and must then outlive the result. */
const gchar *mm_imap_keywords_tell (const MmImapFetch *fetch, GString *buffer);

G_END_DECLS
