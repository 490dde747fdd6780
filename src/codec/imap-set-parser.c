// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SEARCH, ESEARCH and VANISHED responses (RFC 9051 7.3.4, RFC 3501 7.2.5, RFC 7162 3.2.10). All may
 * be one huge line: each number goes into the set at once and no line is held.
 */
#include "imap-parser-private.h"
#include "imap-seqset-private.h"

static gboolean
add_range (MmImapParser *parser, guint32 first, guint32 last, GError **error)
{
  mm_uid_set_add_range (parser->uids, MIN (first, last), MAX (first, last));
  if (mm_uid_set_get_n_held (parser->uids) <= parser->limits.set_ranges)
    return TRUE;
  mm_imap_parser_refuse_limit (error, "a set of UIDs", parser->limits.set_ranges);
  return FALSE;
}

/* A piece of a sequence-set: 5 or 5:9. No star: a server knows its numbers. */
static gboolean
add_piece (MmImapParser *parser, GError **error)
{
  const gchar *piece = parser->token.data;
  gsize length = parser->token.length;
  const gchar *colon = memchr (piece, ':', length);
  gsize first_length = colon != NULL ? (gsize)(colon - piece) : length;
  guint32 first, last;

  if (!mm_imap_parse_nz_number (piece, first_length, &first))
    return FALSE;
  last = first;
  if (colon != NULL && !mm_imap_parse_nz_number (colon + 1, length - first_length - 1, &last))
    return FALSE;
  return add_range (parser, first, last, error);
}

static MmImapStep
take_piece (MmImapParser *parser, GError **error)
{
  GError *limit = NULL;

  if (parser->token.kind != MM_IMAP_TOKEN_ATOM || !add_piece (parser, &limit))
    {
      if (limit == NULL)
        return mm_imap_parser_refuse (error, "a malformed set of UIDs");
      g_propagate_error (error, limit);
      return MM_IMAP_STEP_ERROR;
    }
  return MM_IMAP_STEP_AGAIN;
}

static MmImapStep
parse_set (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MmImapStep step;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_SET, error);
  step = take_piece (parser, error);
  if (step == MM_IMAP_STEP_AGAIN && !parser->token.has_comma)
    parser->state = parser->after_set;
  return step;
}

/* SEARCH */

static MmImapStep
emit_search (MmImapParser *parser, MmImapEvent *event)
{
  event->tag = parser->correlator;
  event->uids = parser->uids;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_SEARCH,
                              mm_imap_parser_end_line (parser));
}

static MmImapStep
parse_search_number (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  guint32 uid;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_EOL:
      return emit_search (parser, event);
    case MM_IMAP_TOKEN_OPEN: /* (MODSEQ 12), RFC 7162 3.1.5 */
      return mm_imap_parser_skip_list (parser, parse_search_number);
    case MM_IMAP_TOKEN_ATOM:
      if (mm_imap_parse_nz_number (parser->token.data, parser->token.length, &uid))
        return add_range (parser, uid, uid, error) ? MM_IMAP_STEP_AGAIN : MM_IMAP_STEP_ERROR;
      return mm_imap_parser_refuse (error, "an impossible number in SEARCH");
    default:
      return mm_imap_parser_refuse (error, "a malformed SEARCH");
    }
}

MmImapStep
mm_imap_parse_search (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  parser->correlator = 0;
  mm_uid_set_clear (parser->uids);
  return mm_imap_parser_go (parser, parse_search_number);
}

/* ESEARCH */

static MmImapStep parse_esearch_item (MmImapParser *parser, MmImapEvent *event, GError **error);

static MmImapStep
parse_esearch_value (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_OPEN:
      return mm_imap_parser_skip_list (parser, parse_esearch_item);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_skip_literal (parser, parse_esearch_item);
    case MM_IMAP_TOKEN_ATOM:
    case MM_IMAP_TOKEN_QUOTED:
      return mm_imap_parser_go (parser, parse_esearch_item);
    default:
      return mm_imap_parser_refuse (error, "a malformed ESEARCH");
    }
}

static MmImapStep
parse_correlator_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_refuse (error, "a malformed correlator of ESEARCH");
  return mm_imap_parser_go (parser, parse_esearch_item);
}

static MmImapStep
take_correlator (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  parser->correlator = mm_imap_parse_tag (parser->string, parser->string_length);
  return mm_imap_parser_go (parser, parse_correlator_end);
}

static MmImapStep
parse_correlator (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parser_is_word (parser, "TAG"))
    return mm_imap_parser_refuse (error, "a malformed correlator of ESEARCH");
  return mm_imap_parser_want_string (parser, take_correlator);
}

static MmImapStep
parse_esearch_item (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_EOL:
      return emit_search (parser, event);
    case MM_IMAP_TOKEN_OPEN:
      return mm_imap_parser_go (parser, parse_correlator);
    case MM_IMAP_TOKEN_ATOM:
      break;
    default:
      return mm_imap_parser_refuse (error, "a malformed ESEARCH");
    }
  if (mm_imap_parser_is_word (parser, "UID"))
    {
      parser->is_uid = TRUE;
      return MM_IMAP_STEP_AGAIN;
    }
  if (!mm_imap_parser_is_word (parser, "ALL"))
    return mm_imap_parser_go (parser, parse_esearch_value);
  if (!parser->is_uid)
    return mm_imap_parser_refuse (error, "ESEARCH with sequence numbers");
  parser->after_set = parse_esearch_item;
  return mm_imap_parser_go (parser, parse_set);
}

MmImapStep
mm_imap_parse_esearch (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  parser->correlator = 0;
  parser->is_uid = FALSE;
  mm_uid_set_clear (parser->uids);
  return mm_imap_parser_go (parser, parse_esearch_item);
}

/* VANISHED */

static MmImapStep
parse_vanished_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "something behind VANISHED");
  event->uids = parser->uids;
  event->earlier = parser->earlier;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_VANISHED,
                              mm_imap_parser_end_line (parser));
}

static MmImapStep
parse_vanished_tags (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_go (parser, parse_set);
  if (!mm_imap_parser_is_word (parser, "EARLIER"))
    return mm_imap_parser_refuse (error, "a malformed VANISHED");
  parser->earlier = TRUE;
  return MM_IMAP_STEP_AGAIN;
}

static MmImapStep
parse_vanished_first (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MmImapStep step;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_SET, error);
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_go (parser, parse_vanished_tags);
  step = take_piece (parser, error);
  if (step == MM_IMAP_STEP_AGAIN)
    parser->state = parser->token.has_comma ? parse_set : parser->after_set;
  return step;
}

MmImapStep
mm_imap_parse_vanished (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  parser->earlier = FALSE;
  parser->after_set = parse_vanished_end;
  mm_uid_set_clear (parser->uids);
  return mm_imap_parser_go (parser, parse_vanished_first);
}
