// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Items of FETCH that say what a message is, wherever it is: EMAILID (RFC 8474 5.1) and Gmail's
 * X-GM-MSGID and X-GM-LABELS. They only save work, so that one that cannot be read is one that was
 * not given.
 */
#include "imap-parser-private.h"

/* RFC 8474 section 7. */
#define OBJECT_ID_OCTETS_MAX 255

void
mm_imap_fetch_objects_begin (MmImapParser *parser)
{
  g_string_truncate (parser->object_id, 0);
  g_string_truncate (parser->labels, 0);
}

void
mm_imap_fetch_objects_finish (MmImapParser *parser)
{
  parser->fetch.object_id = parser->object_id->len > 0 ? parser->object_id->str : NULL;
  parser->fetch.labels = parser->labels->str;
}

/* objectid = 1*255(ALPHA / DIGIT / "_" / "-"), which holds Gmail's numbers too. */
void
mm_imap_parser_take_object_id (MmImapParser *parser)
{
  const MmImapToken *token = &parser->token;

  if (token->length == 0 || token->length > OBJECT_ID_OCTETS_MAX)
    return;
  for (gsize i = 0; i < token->length; i++)
    if (!g_ascii_isalnum (token->data[i]) && token->data[i] != '_' && token->data[i] != '-')
      return;
  g_string_truncate (parser->object_id, 0);
  g_string_append_len (parser->object_id, token->data, (gssize) token->length);
}

static MmImapStep
parse_emailid_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_refuse (error, "a malformed EMAILID");
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

static MmImapStep
parse_emailid_value (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "a malformed EMAILID");
  mm_imap_parser_take_object_id (parser);
  return mm_imap_parser_go (parser, parse_emailid_end);
}

MmImapStep
mm_imap_parse_fetch_emailid (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_go (parser, parse_emailid_value);
  if (mm_imap_parser_is_word (parser, "NIL"))
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  return mm_imap_parse_fetch_without_value (parser, error);
}

MmImapStep
mm_imap_parse_fetch_gmail_id (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM || !g_ascii_isdigit (parser->token.data[0]))
    return mm_imap_parse_fetch_without_value (parser, error);
  mm_imap_parser_take_object_id (parser);
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

/* X-GM-LABELS: a list of astrings, of which those with a backslash are Gmail's own. */

static MmImapStep parse_label (MmImapParser *parser, MmImapEvent *event, GError **error);

static MmImapStep
add_label (MmImapParser *parser, const gchar *label, gsize length, GError **error)
{
  if (++parser->n_flags > parser->limits.flags)
    return mm_imap_parser_refuse_limit (error, "labels", parser->limits.flags);
  if (parser->labels->len + length + 1 > parser->limits.string_octets)
    return mm_imap_parser_refuse_limit (error, "labels", parser->limits.string_octets);
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (label[i]))
      return mm_imap_parser_go (parser, parse_label);
  g_string_append_len (parser->labels, label, (gssize) length);
  g_string_append_c (parser->labels, '\n');
  return mm_imap_parser_go (parser, parse_label);
}

static MmImapStep
take_literal_label (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  return add_label (parser, parser->string, parser->string_length, error);
}

static MmImapStep
parse_label (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_ATOM:
    case MM_IMAP_TOKEN_QUOTED:
      return add_label (parser, parser->token.data, parser->token.length, error);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_collect_literal (parser, take_literal_label, error);
    case MM_IMAP_TOKEN_CLOSE:
      return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
    default:
      return mm_imap_parser_refuse (error, "a malformed list of labels");
    }
}

MmImapStep
mm_imap_parse_fetch_gmail_labels (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (parser->token.kind != MM_IMAP_TOKEN_OPEN && !mm_imap_parser_is_word (parser, "NIL"))
    return mm_imap_parse_fetch_without_value (parser, error);
  parser->fetch.has_labels = TRUE;
  parser->n_flags = 0;
  g_string_truncate (parser->labels, 0);
  return mm_imap_parser_go (parser, parser->token.kind == MM_IMAP_TOKEN_OPEN
                                        ? parse_label
                                        : mm_imap_parse_fetch_item);
}
