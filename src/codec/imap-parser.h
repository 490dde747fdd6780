// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Tokens from an IMAP server as events. Knows the grammar of responses, but not which commands are
 * in progress: that is the session's.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

/* Events between parser and session only. */
enum
{
  MM_IMAP_EVENT_CONTINUATION = 0x1000,    /* "+": text */
  MM_IMAP_EVENT_CODE_CAPABILITY = 0x1001, /* as CAPABILITY, of the status that follows */
};

/* Every command is sent with a tag of this letter and a decimal number. */
#define MM_IMAP_TAG_LETTER 'M'

typedef struct MmImapParser MmImapParser;

/* @limits is copied. */
MmImapParser *mm_imap_parser_new (const MmLimits *limits);
void mm_imap_parser_free (MmImapParser *parser);

/* As mm_imap_session_feed(). */
void mm_imap_parser_feed (MmImapParser *parser, const guint8 *data, gsize length);
const guint8 *mm_imap_parser_steal_input (MmImapParser *parser, gsize *out_length);

/* As mm_imap_session_next(). Status responses before the greeting are no different here:
 * MM_IMAP_EVENT_UNTAGGED. After an error the parser must not be called again. */
gboolean mm_imap_parser_next (MmImapParser *parser, MmImapEvent *out_event, GError **error);

/* Lines taken so far. */
gboolean mm_imap_parser_is_in_response (const MmImapParser *parser);
guint64 mm_imap_parser_get_n_lines (const MmImapParser *parser);

/* What the last CAPABILITY response or code said. */
MmImapCapabilities mm_imap_parser_get_capabilities (const MmImapParser *parser);
const gchar *const *mm_imap_parser_get_mechanisms (const MmImapParser *parser);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapParser, mm_imap_parser_free)

G_END_DECLS
