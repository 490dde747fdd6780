// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Octets from an IMAP server as tokens (RFC 9051 section 9), resumable at any octet.
 *
 * A token is pulled in the mode its place in the grammar asks for. Blanks in front of it are
 * skipped. A token that is whole in the fed octets points there; only one that was cut by the end
 * of a feed is collected in a buffer of at most string_octets. A literal is announced by a token
 * and then pulled in pieces, which are never held.
 *
 * Tolerated: a bare LF as end of line, several blanks, literal8 and non-synchronising literals
 * anywhere, 8-bit octets, a backslash before any octet of a quoted string. Refused: controls in
 * atoms, ends of line in quoted strings, and whatever begins as a literal and is none, because
 * from there on nobody knows what the octets mean.
 */
#pragma once

#include <mailmount/imap-session.h>

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_LEX_NORMAL,
  MM_IMAP_LEX_ITEM, /* a FETCH item: an atom may hold [ … ] with blanks, lists and quotes */
  MM_IMAP_LEX_SET,  /* a sequence-set in pieces: a comma ends an atom and is swallowed */
  MM_IMAP_LEX_TEXT, /* the rest of the line, its end included */
} MmImapLexMode;

typedef enum
{
  MM_IMAP_TOKEN_ATOM,
  MM_IMAP_TOKEN_QUOTED,  /* without quotes and escapes */
  MM_IMAP_TOKEN_LITERAL, /* its announcement: @literal_octets; pull its pieces before any token */
  MM_IMAP_TOKEN_OPEN,
  MM_IMAP_TOKEN_CLOSE,
  MM_IMAP_TOKEN_EOL,
  MM_IMAP_TOKEN_TEXT,
} MmImapTokenKind;

typedef struct
{
  MmImapTokenKind kind;
  gboolean has_comma; /* MM_IMAP_LEX_SET: a further piece follows */
  const gchar *data;  /* not NUL-terminated; valid until the next call on the lexer */
  gsize length;
  guint64 literal_octets;
} MmImapToken;

typedef enum
{
  MM_IMAP_LEX_OK,
  MM_IMAP_LEX_MORE,  /* the fed octets are used up */
  MM_IMAP_LEX_ERROR, /* for good */
} MmImapLexResult;

typedef struct MmImapLexer MmImapLexer;

/* @limits is borrowed for the lifetime of the lexer. */
MmImapLexer *mm_imap_lexer_new (const MmLimits *limits);
void mm_imap_lexer_free (MmImapLexer *lexer);

/* Octets are borrowed until the lexer said MORE. Not before it did. */
void mm_imap_lexer_feed (MmImapLexer *lexer, const guint8 *data, gsize length);

/* The octets fed and not used yet, which the lexer forgets. */
const guint8 *mm_imap_lexer_steal_input (MmImapLexer *lexer, gsize *out_length);

/* The next token. After MORE the next call must be in the same mode. */
MmImapLexResult mm_imap_lexer_next (MmImapLexer *lexer, MmImapLexMode mode, MmImapToken *out_token,
                                    GError **error);

/* The next piece of the literal announced: as much as was fed. OK with *out_length = 0 at its
 * end, after which tokens follow. */
MmImapLexResult mm_imap_lexer_next_piece (MmImapLexer *lexer, const guint8 **out_data,
                                          gsize *out_length);

/* Whether what was fed ends within a response. */
gboolean mm_imap_lexer_is_in_response (const MmImapLexer *lexer);

/* A new response begins: the count towards line_octets starts again. */
void mm_imap_lexer_begin_line (MmImapLexer *lexer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapLexer, mm_imap_lexer_free)

G_END_DECLS
