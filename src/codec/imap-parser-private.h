// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How the parser works inside. A state is a function: it pulls one token, acts on it and says
 * which state is next in parser->state. It returns when it needs more octets (without having
 * changed anything, so that it is simply called again), has an event, or found the protocol
 * broken. States of FETCH, of mailbox lists and of number sets have a file each.
 */
#pragma once

#include "imap-capability.h"
#include "imap-lexer.h"
#include "imap-number.h"
#include "imap-parser.h"

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_STEP_AGAIN,
  MM_IMAP_STEP_EVENT,
  MM_IMAP_STEP_MORE,
  MM_IMAP_STEP_ERROR,
} MmImapStep;

typedef MmImapStep (*MmImapState) (MmImapParser *parser, MmImapEvent *event, GError **error);

struct MmImapParser
{
  MmLimits limits;
  MmImapLexer *lexer;
  MmImapState state;
  MmImapToken token; /* the last one pulled */
  guint64 n_lines;

  /* One response. */
  guint64 number; /* in "* 12 FETCH" */
  MmImapEventType number_event;
  guint list_entries;
  MmImapStatus status;
  guint32 tag;
  GString *text;
  GString *code_text;
  gboolean has_code;
  MmImapCode code;
  guint64 code_number;

  /* Skipping a list or a literal, and collecting a string: what comes after. */
  guint depth;
  MmImapState after_list;
  MmImapState after_literal;
  MmImapState after_string;
  gboolean is_atom;    /* the string was no quoted string and no literal */
  const gchar *string; /* not NUL-terminated */
  gsize string_length;
  GByteArray *collected;

  MmImapCapabilityList capabilities;
  MmImapCapabilityList new_capabilities;

  MmImapMailbox mailbox;
  GString *name;

  MmImapNamespaceKind namespace_kind;

  MmUidSet *uids;
  gboolean is_uid;    /* ESEARCH … UID */
  guint32 correlator; /* ESEARCH (TAG …) */
  gboolean earlier;   /* VANISHED (EARLIER) */
  MmImapState after_set;

  MmImapFetch fetch;
  guint n_flags;
  GString *keywords;
  GString *object_id;
  GString *labels;
  MmImapBody body;
  MmImapState after_body;
};

/* imap-parser.c: for all states */

MmImapStep mm_imap_parser_refuse (GError **error, const gchar *what);
MmImapStep mm_imap_parser_refuse_limit (GError **error, const gchar *what, guint64 limit);

static inline MmImapStep
mm_imap_parser_pull (MmImapParser *parser, MmImapLexMode mode, GError **error)
{
  switch (mm_imap_lexer_next (parser->lexer, mode, &parser->token, error))
    {
    case MM_IMAP_LEX_OK:
      return MM_IMAP_STEP_AGAIN;
    case MM_IMAP_LEX_MORE:
      return MM_IMAP_STEP_MORE;
    case MM_IMAP_LEX_ERROR:
    default:
      return MM_IMAP_STEP_ERROR;
    }
}

/* Pulls a token into parser->token, or leaves the state. */
#define MM_IMAP_PULL(parser, mode, error)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    MmImapStep pulled = mm_imap_parser_pull ((parser), (mode), (error));                           \
    if (G_UNLIKELY (pulled != MM_IMAP_STEP_AGAIN))                                                 \
      return pulled;                                                                               \
  }                                                                                                \
  G_STMT_END

static inline MmImapStep
mm_imap_parser_go (MmImapParser *parser, MmImapState state)
{
  parser->state = state;
  return MM_IMAP_STEP_AGAIN;
}

/* Gives an event of @type and goes to @state. */
static inline MmImapStep
mm_imap_parser_emit (MmImapParser *parser, MmImapEvent *event, MmImapEventType type,
                     MmImapState state)
{
  event->type = type;
  parser->state = state;
  return MM_IMAP_STEP_EVENT;
}

static inline gboolean
mm_imap_parser_is_word (const MmImapParser *parser, const gchar *word)
{
  return parser->token.kind == MM_IMAP_TOKEN_ATOM
         && mm_imap_is_word (parser->token.data, parser->token.length, word);
}

/* The line has ended: the state that takes the next one. */
MmImapState mm_imap_parser_end_line (MmImapParser *parser);

/* Counts an element of a list. FALSE with @error past the limit. */
static inline gboolean
mm_imap_parser_count_entry (MmImapParser *parser, GError **error)
{
  if (G_LIKELY (++parser->list_entries <= parser->limits.list_entries))
    return TRUE;
  mm_imap_parser_refuse_limit (error, "a list", parser->limits.list_entries);
  return FALSE;
}

/* After an OPEN or a LITERAL was pulled: skips it, then goes to @after. */
MmImapStep mm_imap_parser_skip_list (MmImapParser *parser, MmImapState after);
MmImapStep mm_imap_parser_skip_literal (MmImapParser *parser, MmImapState after);

/* After a LITERAL was pulled: goes to @after with it in parser->string, as below. */
MmImapStep mm_imap_parser_collect_literal (MmImapParser *parser, MmImapState after, GError **error);

/* Expects an atom, a quoted string or a literal, then goes to @after with parser->string, which
 * is valid until @after pulls a token. */
MmImapStep mm_imap_parser_want_string (MmImapParser *parser, MmImapState after);

/* Appends @length octets to a list of words in @list, separated by blanks. FALSE with @error when
 * that grows past string_octets. */
gboolean mm_imap_parser_append_word (MmImapParser *parser, GString *list, const gchar *word,
                                     gsize length, GError **error);

/* First states of the responses that have a file of their own. */
MmImapStep mm_imap_parse_tagged_status (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_status_text (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_continuation (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_capability (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_enabled (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_fetch (MmImapParser *parser, MmImapEvent *event, GError **error);
/* Items of FETCH: the state that takes the next one; and what a value's state goes on with when the token
 * in hand is no value. */
MmImapStep mm_imap_parse_fetch_item (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_fetch_without_value (MmImapParser *parser, GError **error);
/* imap-fetch-object-parser.c: the values of items that say what a message is. */
MmImapStep mm_imap_parse_fetch_emailid (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_fetch_gmail_id (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_fetch_gmail_labels (MmImapParser *parser, MmImapEvent *event,
                                             GError **error);
/* The token in hand goes into parser->object_id, if it can be one. */
void mm_imap_parser_take_object_id (MmImapParser *parser);
void mm_imap_fetch_objects_begin (MmImapParser *parser);
void mm_imap_fetch_objects_finish (MmImapParser *parser);
MmImapStep mm_imap_parse_list (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_lsub (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_status (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_namespace (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_search (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_esearch (MmImapParser *parser, MmImapEvent *event, GError **error);
MmImapStep mm_imap_parse_vanished (MmImapParser *parser, MmImapEvent *event, GError **error);

/* TRUE when the token in hand is OK, NO or BAD or, untagged, BYE or PREAUTH; it is then in
 * parser->status. */
gboolean mm_imap_parse_status_word (MmImapParser *parser, gboolean is_tagged);

/* "M12" as 12; 0 for anything else. */
guint32 mm_imap_parse_tag (const gchar *tag, gsize length);

G_END_DECLS
