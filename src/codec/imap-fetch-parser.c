// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FETCH responses (RFC 9051 7.5.2), items in any order. What is at stake decides how strict an
 * item is read: a UID or a body's length must be right; a size, a date, a MODSEQ that cannot be
 * read is only not given. GNU Mailutils sends items without a value, which is seen from what
 * follows: the end of the list or the name of the next item.
 */
#include "imap-date.h"
#include "imap-parser-private.h"

static MmImapStep parse_name (MmImapParser *parser, MmImapEvent *event, GError **error);

/* The end of the response */

static MmImapStep
parse_end_of_line (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "something behind the items of FETCH");
  parser->fetch.keywords = parser->keywords->str;
  mm_imap_fetch_objects_finish (parser);
  event->fetch = &parser->fetch;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_FETCH_END,
                              mm_imap_parser_end_line (parser));
}

MmImapStep
mm_imap_parse_fetch_without_value (MmImapParser *parser, GError **error)
{
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_go (parser, parse_end_of_line);
  if (parser->token.kind == MM_IMAP_TOKEN_ATOM && g_ascii_isalpha (parser->token.data[0]))
    return mm_imap_parser_go (parser, parse_name);
  return mm_imap_parser_refuse (error, "a malformed item of FETCH");
}

/* Of what is asked for. Any other word where a value is due is a value that cannot be read. */
static gboolean
is_item_name (const MmImapParser *parser)
{
  static const gchar *const names[] = { "UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "MODSEQ",
                                        "EMAILID", "X-GM-MSGID", "X-GM-LABELS" };

  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (mm_imap_parser_is_word (parser, names[i]))
      return TRUE;
  return parser->token.length > 5 && g_ascii_strncasecmp (parser->token.data, "BODY", 4) == 0;
}

static gboolean
is_unreadable_value (const MmImapParser *parser)
{
  return parser->token.kind == MM_IMAP_TOKEN_ATOM && !is_item_name (parser);
}

static gboolean
is_nil (const MmImapParser *parser)
{
  return mm_imap_parser_is_word (parser, "NIL");
}

static gboolean
is_numeric (const MmImapParser *parser)
{
  return parser->token.kind == MM_IMAP_TOKEN_ATOM
         && (g_ascii_isdigit (parser->token.data[0]) || parser->token.data[0] == '-'
             || parser->token.data[0] == '+');
}

/* UID, RFC822.SIZE, INTERNALDATE, MODSEQ */

static MmImapStep
parse_uid (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  guint32 uid;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (!is_numeric (parser))
    return mm_imap_parse_fetch_without_value (parser, error);
  if (!mm_imap_parse_nz_number (parser->token.data, parser->token.length, &uid)
      || (parser->fetch.uid != 0 && parser->fetch.uid != uid))
    return mm_imap_parser_refuse (error, "an impossible UID");
  parser->fetch.uid = uid;
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

static MmImapStep
parse_size (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (is_unreadable_value (parser) && !is_numeric (parser))
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  if (!is_numeric (parser) && parser->token.kind != MM_IMAP_TOKEN_QUOTED)
    return mm_imap_parse_fetch_without_value (parser, error);
  parser->fetch.has_size
      = mm_imap_parse_number (parser->token.data, parser->token.length, &parser->fetch.size);
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

static MmImapStep
parse_internaldate (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (is_unreadable_value (parser))
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  if (parser->token.kind == MM_IMAP_TOKEN_LITERAL)
    return mm_imap_parser_skip_literal (parser, mm_imap_parse_fetch_item);
  if (parser->token.kind != MM_IMAP_TOKEN_QUOTED)
    return mm_imap_parse_fetch_without_value (parser, error);
  parser->fetch.has_internaldate
      = mm_imap_date_parse (parser->token.data, parser->token.length, &parser->fetch.internaldate);
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

static MmImapStep
parse_modseq_number (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "a malformed MODSEQ");
  if (!mm_imap_parse_number (parser->token.data, parser->token.length, &parser->fetch.modseq))
    parser->fetch.modseq = 0;
  return MM_IMAP_STEP_AGAIN;
}

static MmImapStep
parse_modseq (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_go (parser, parse_modseq_number);
  if (is_nil (parser))
    return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
  if (!is_numeric (parser))
    return mm_imap_parse_fetch_without_value (parser, error);
  if (!mm_imap_parse_number (parser->token.data, parser->token.length, &parser->fetch.modseq))
    parser->fetch.modseq = 0;
  return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
}

/* FLAGS */

static gboolean
add_flag (MmImapParser *parser, GError **error)
{
  static const struct
  {
    const gchar *name;
    MmImapFlags flag;
  } system_flags[] = {
    { "\\SEEN", MM_IMAP_FLAG_SEEN },
    { "\\ANSWERED", MM_IMAP_FLAG_ANSWERED },
    { "\\FLAGGED", MM_IMAP_FLAG_FLAGGED },
    { "\\DELETED", MM_IMAP_FLAG_DELETED },
    { "\\DRAFT", MM_IMAP_FLAG_DRAFT },
    { "\\RECENT", 0 },
    { "\\*", 0 },
  };

  if (++parser->n_flags > parser->limits.flags)
    {
      mm_imap_parser_refuse_limit (error, "flags", parser->limits.flags);
      return FALSE;
    }
  if (parser->token.data[0] == '\\')
    for (gsize i = 0; i < G_N_ELEMENTS (system_flags); i++)
      if (mm_imap_parser_is_word (parser, system_flags[i].name))
        {
          parser->fetch.flags |= system_flags[i].flag;
          return TRUE;
        }
  if (parser->keywords->len + 1 + parser->token.length > parser->limits.keyword_octets)
    {
      mm_imap_parser_refuse_limit (error, "keyword octets", parser->limits.keyword_octets);
      return FALSE;
    }
  return mm_imap_parser_append_word (parser, parser->keywords, parser->token.data,
                                     parser->token.length, error);
}

static MmImapStep
parse_flag (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_ATOM:
      return add_flag (parser, error) ? MM_IMAP_STEP_AGAIN : MM_IMAP_STEP_ERROR;
    case MM_IMAP_TOKEN_CLOSE:
      return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
    default:
      return mm_imap_parser_refuse (error, "a malformed list of flags");
    }
}

static MmImapStep
parse_flags (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (parser->token.kind != MM_IMAP_TOKEN_OPEN && !is_nil (parser))
    return mm_imap_parse_fetch_without_value (parser, error);
  parser->fetch.has_flags = TRUE;
  parser->fetch.flags = 0;
  parser->n_flags = 0;
  g_string_truncate (parser->keywords, 0);
  return mm_imap_parser_go (parser,
                            parser->token.kind == MM_IMAP_TOKEN_OPEN ? parse_flag : mm_imap_parse_fetch_item);
}

/* Bodies */

static MmImapStep
emit_body_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  event->body = parser->body;
  event->fetch = &parser->fetch;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_BODY_END, parser->after_body);
}

static MmImapStep
emit_body_begin (MmImapParser *parser, MmImapEvent *event, MmImapState next)
{
  parser->fetch.keywords = parser->keywords->str;
  mm_imap_fetch_objects_finish (parser);
  event->body = parser->body;
  event->fetch = &parser->fetch;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_BODY_BEGIN, next);
}

static MmImapStep
emit_body_piece (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  const guint8 *data;
  gsize length;

  if (mm_imap_lexer_next_piece (parser->lexer, &data, &length) == MM_IMAP_LEX_MORE)
    return MM_IMAP_STEP_MORE;
  if (length == 0)
    return mm_imap_parser_go (parser, emit_body_end);
  event->data = data;
  event->length = length;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_BODY_DATA, emit_body_piece);
}

static MmImapStep
emit_quoted_body (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  event->data = (const guint8 *)parser->token.data;
  event->length = parser->token.length;
  if (event->length == 0)
    return mm_imap_parser_go (parser, emit_body_end);
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_BODY_DATA, emit_body_end);
}

/* After a body without value: the token in hand is the next item or the end. */
static MmImapStep
parse_token_in_hand (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  return mm_imap_parse_fetch_without_value (parser, error);
}

static MmImapStep
parse_body (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  parser->after_body = mm_imap_parse_fetch_item;
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_LITERAL:
      parser->body.length = parser->token.literal_octets;
      return emit_body_begin (parser, event, emit_body_piece);
    case MM_IMAP_TOKEN_QUOTED:
      parser->body.length = parser->token.length;
      return emit_body_begin (parser, event, emit_quoted_body);
    case MM_IMAP_TOKEN_ATOM:
    case MM_IMAP_TOKEN_CLOSE:
      parser->body.is_nil = TRUE;
      if (!is_nil (parser))
        parser->after_body = parse_token_in_hand;
      return emit_body_begin (parser, event, emit_body_end);
    default:
      return mm_imap_parser_refuse (error, "a malformed body");
    }
}

/* "HEADER.FIELDS (Subject)" and the like, between the brackets. */
static MmImapSection
classify_section (const gchar *section, gsize length)
{
  static const gchar fields[] = "HEADER.FIELDS";
  const gsize fields_length = sizeof fields - 1;

  if (length == 0)
    return MM_IMAP_SECTION_BODY;
  if (mm_imap_is_word (section, length, "HEADER"))
    return MM_IMAP_SECTION_HEADER;
  if (mm_imap_is_word (section, length, "TEXT"))
    return MM_IMAP_SECTION_TEXT;
  if (length > fields_length && g_ascii_strncasecmp (section, fields, fields_length) == 0
      && (section[fields_length] == ' ' || section[fields_length] == '('))
    return MM_IMAP_SECTION_HEADER_FIELDS;
  return MM_IMAP_SECTION_OTHER;
}

/* "16384", and "16384.65536" too: hoodiecrow repeats what it was asked for, with the length. */
static gboolean
parse_origin (const gchar *octets, gsize length, guint64 *out_origin)
{
  const gchar *dot = memchr (octets, '.', length);
  guint64 asked_for = 0;

  if (dot == NULL)
    return mm_imap_parse_number (octets, length, out_origin);
  return mm_imap_parse_number (octets, (gsize)(dot - octets), out_origin)
         && mm_imap_parse_number (dot + 1, length - (gsize)(dot + 1 - octets), &asked_for);
}

/* The name in hand is BODY[section] or BODY[section]<origin>. */
static MmImapStep
parse_body_name (MmImapParser *parser, gsize bracket, GError **error)
{
  const gchar *name = parser->token.data;
  gsize length = parser->token.length;
  gsize end = length;

  memset (&parser->body, 0, sizeof parser->body);
  if (name[length - 1] == '>')
    {
      const gchar *angle = memrchr (name, '<', length);

      if (angle == NULL
          || !parse_origin (angle + 1, (gsize)(name + length - angle) - 2, &parser->body.offset))
        return mm_imap_parser_refuse (error, "a malformed origin of a body");
      parser->body.is_partial = TRUE;
      end = (gsize)(angle - name);
    }
  if (end < bracket + 2 || name[end - 1] != ']')
    return mm_imap_parser_refuse (error, "a malformed section of a body");
  parser->body.section = classify_section (name + bracket + 1, end - bracket - 2);
  return mm_imap_parser_go (parser, parse_body);
}

/* Items */

static MmImapStep
skip_value (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_OPEN:
      return mm_imap_parser_skip_list (parser, mm_imap_parse_fetch_item);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_skip_literal (parser, mm_imap_parse_fetch_item);
    case MM_IMAP_TOKEN_CLOSE:
      return mm_imap_parser_go (parser, parse_end_of_line);
    case MM_IMAP_TOKEN_EOL:
      return mm_imap_parser_refuse (error, "items of FETCH without end");
    default:
      return mm_imap_parser_go (parser, mm_imap_parse_fetch_item);
    }
}

static MmImapStep
parse_name (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  static const struct
  {
    const gchar *name;
    MmImapState state;
  } items[] = {
    { "UID", parse_uid },
    { "FLAGS", parse_flags },
    { "INTERNALDATE", parse_internaldate },
    { "RFC822.SIZE", parse_size },
    { "MODSEQ", parse_modseq },
    { "EMAILID", mm_imap_parse_fetch_emailid },
    { "X-GM-MSGID", mm_imap_parse_fetch_gmail_id },
    { "X-GM-LABELS", mm_imap_parse_fetch_gmail_labels },
  };
  const gchar *name = parser->token.data;
  gsize length = parser->token.length;

  if (length > 5 && g_ascii_strncasecmp (name, "BODY[", 5) == 0)
    return parse_body_name (parser, 4, error);
  if (length > 10 && g_ascii_strncasecmp (name, "BODY.PEEK[", 10) == 0)
    return parse_body_name (parser, 9, error);
  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    if (mm_imap_is_word (name, length, items[i].name))
      return mm_imap_parser_go (parser, items[i].state);
  return mm_imap_parser_go (parser, skip_value);
}

MmImapStep
mm_imap_parse_fetch_item (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_ITEM, error);
  if (!mm_imap_parser_count_entry (parser, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parse_fetch_without_value (parser, error);
}

MmImapStep
mm_imap_parse_fetch (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_refuse (error, "FETCH without a list");
  if (parser->number == 0 || parser->number > G_MAXUINT32)
    return mm_imap_parser_refuse (error, "FETCH of an impossible number");
  memset (&parser->fetch, 0, sizeof parser->fetch);
  g_string_truncate (parser->keywords, 0);
  mm_imap_fetch_objects_begin (parser);
  parser->fetch.sequence_number = (guint32)parser->number;
  parser->fetch.keywords = parser->keywords->str;
  event->fetch = &parser->fetch;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_FETCH_BEGIN, mm_imap_parse_fetch_item);
}
