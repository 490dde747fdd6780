// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-parser-private.h"

static MmImapStep parse_first (MmImapParser *parser, MmImapEvent *event, GError **error);

MmImapParser *
mm_imap_parser_new (const MmLimits *limits)
{
  MmImapParser *parser = g_new0 (MmImapParser, 1);

  parser->limits = limits != NULL ? *limits : mm_limits_default;
  parser->lexer = mm_imap_lexer_new (&parser->limits);
  parser->state = parse_first;
  parser->text = g_string_new (NULL);
  parser->code_text = g_string_new (NULL);
  parser->collected = g_byte_array_new ();
  parser->name = g_string_new (NULL);
  parser->keywords = g_string_new (NULL);
  parser->object_id = g_string_new (NULL);
  parser->labels = g_string_new (NULL);
  parser->uids = mm_uid_set_new ();
  mm_imap_capability_list_init (&parser->capabilities);
  mm_imap_capability_list_init (&parser->new_capabilities);
  return parser;
}

void
mm_imap_parser_free (MmImapParser *parser)
{
  if (parser == NULL)
    return;
  mm_imap_lexer_free (parser->lexer);
  g_string_free (parser->text, TRUE);
  g_string_free (parser->code_text, TRUE);
  g_byte_array_unref (parser->collected);
  g_string_free (parser->name, TRUE);
  g_string_free (parser->keywords, TRUE);
  g_string_free (parser->object_id, TRUE);
  g_string_free (parser->labels, TRUE);
  mm_uid_set_free (parser->uids);
  mm_imap_capability_list_release (&parser->capabilities);
  mm_imap_capability_list_release (&parser->new_capabilities);
  g_free (parser);
}

void
mm_imap_parser_feed (MmImapParser *parser, const guint8 *data, gsize length)
{
  mm_imap_lexer_feed (parser->lexer, data, length);
}

const guint8 *
mm_imap_parser_steal_input (MmImapParser *parser, gsize *out_length)
{
  return mm_imap_lexer_steal_input (parser->lexer, out_length);
}

gboolean
mm_imap_parser_next (MmImapParser *parser, MmImapEvent *out_event, GError **error)
{
  MmImapStep step;

  memset (out_event, 0, sizeof *out_event);
  do
    step = parser->state (parser, out_event, error);
  while (step == MM_IMAP_STEP_AGAIN);
  return step == MM_IMAP_STEP_EVENT;
}

gboolean
mm_imap_parser_is_in_response (const MmImapParser *parser)
{
  return mm_imap_lexer_is_in_response (parser->lexer);
}

guint64
mm_imap_parser_get_n_lines (const MmImapParser *parser)
{
  return parser->n_lines;
}

MmImapCapabilities
mm_imap_parser_get_capabilities (const MmImapParser *parser)
{
  return parser->capabilities.bits;
}

const gchar *const *
mm_imap_parser_get_mechanisms (const MmImapParser *parser)
{
  return (const gchar *const *)parser->capabilities.mechanisms->pdata;
}

MmImapStep
mm_imap_parser_refuse (GError **error, const gchar *what)
{
  g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "the server broke the protocol: %s", what);
  return MM_IMAP_STEP_ERROR;
}

MmImapStep
mm_imap_parser_refuse_limit (GError **error, const gchar *what, guint64 limit)
{
  g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
               "the server sent %s beyond the limit of %" G_GUINT64_FORMAT, what, limit);
  return MM_IMAP_STEP_ERROR;
}

MmImapState
mm_imap_parser_end_line (MmImapParser *parser)
{
  mm_imap_lexer_begin_line (parser->lexer);
  parser->list_entries = 0;
  parser->n_lines++;
  return parse_first;
}

gboolean
mm_imap_parser_append_word (MmImapParser *parser, GString *list, const gchar *word, gsize length,
                            GError **error)
{
  if (list->len + 1 + length > parser->limits.string_octets)
    {
      mm_imap_parser_refuse_limit (error, "words", parser->limits.string_octets);
      return FALSE;
    }
  if (list->len > 0)
    g_string_append_c (list, ' ');
  g_string_append_len (list, word, (gssize)length);
  return TRUE;
}

/* Literals and lists that are skipped */

static MmImapStep
skip_literal_pieces (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  const guint8 *data;
  gsize length;

  if (mm_imap_lexer_next_piece (parser->lexer, &data, &length) == MM_IMAP_LEX_MORE)
    return MM_IMAP_STEP_MORE;
  return mm_imap_parser_go (parser, length > 0 ? skip_literal_pieces : parser->after_literal);
}

MmImapStep
mm_imap_parser_skip_literal (MmImapParser *parser, MmImapState after)
{
  parser->after_literal = after;
  return mm_imap_parser_go (parser, skip_literal_pieces);
}

static MmImapStep
skip_list_entries (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parser_count_entry (parser, error))
    return MM_IMAP_STEP_ERROR;
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_OPEN:
      if (++parser->depth > parser->limits.nesting)
        return mm_imap_parser_refuse_limit (error, "nested lists", parser->limits.nesting);
      return MM_IMAP_STEP_AGAIN;
    case MM_IMAP_TOKEN_CLOSE:
      if (--parser->depth == 0)
        return mm_imap_parser_go (parser, parser->after_list);
      return MM_IMAP_STEP_AGAIN;
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_skip_literal (parser, skip_list_entries);
    case MM_IMAP_TOKEN_EOL:
      return mm_imap_parser_refuse (error, "a list without end");
    default:
      return MM_IMAP_STEP_AGAIN;
    }
}

MmImapStep
mm_imap_parser_skip_list (MmImapParser *parser, MmImapState after)
{
  parser->depth = 1;
  parser->after_list = after;
  return mm_imap_parser_go (parser, skip_list_entries);
}

static MmImapStep
skip_line (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_go (parser, mm_imap_parser_end_line (parser));
  if (parser->token.kind == MM_IMAP_TOKEN_LITERAL)
    return mm_imap_parser_skip_literal (parser, skip_line);
  return MM_IMAP_STEP_AGAIN;
}

/* Strings that are kept */

static MmImapStep
collect_literal (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  const guint8 *data;
  gsize length;

  if (mm_imap_lexer_next_piece (parser->lexer, &data, &length) == MM_IMAP_LEX_MORE)
    return MM_IMAP_STEP_MORE;
  if (length > 0)
    {
      g_byte_array_append (parser->collected, data, (guint)length);
      return MM_IMAP_STEP_AGAIN;
    }
  parser->string = (const gchar *)parser->collected->data;
  parser->string_length = parser->collected->len;
  return mm_imap_parser_go (parser, parser->after_string);
}

MmImapStep
mm_imap_parser_collect_literal (MmImapParser *parser, MmImapState after, GError **error)
{
  if (parser->token.literal_octets > parser->limits.string_octets)
    return mm_imap_parser_refuse_limit (error, "a string", parser->limits.string_octets);
  parser->after_string = after;
  g_byte_array_set_size (parser->collected, 0);
  return mm_imap_parser_go (parser, collect_literal);
}

static MmImapStep
collect_string (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  parser->is_atom = parser->token.kind == MM_IMAP_TOKEN_ATOM;
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_ATOM:
    case MM_IMAP_TOKEN_QUOTED:
      parser->string = parser->token.data;
      parser->string_length = parser->token.length;
      return mm_imap_parser_go (parser, parser->after_string);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_collect_literal (parser, parser->after_string, error);
    default:
      return mm_imap_parser_refuse (error, "a string is missing");
    }
}

MmImapStep
mm_imap_parser_want_string (MmImapParser *parser, MmImapState after)
{
  parser->after_string = after;
  return mm_imap_parser_go (parser, collect_string);
}

/* "* 12 EXISTS" */

static MmImapStep
parse_number_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "something behind EXISTS or EXPUNGE");
  event->number = parser->number;
  return mm_imap_parser_emit (parser, event, parser->number_event,
                              mm_imap_parser_end_line (parser));
}

static MmImapStep
parse_numbered (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (mm_imap_parser_is_word (parser, "FETCH"))
    return mm_imap_parser_go (parser, mm_imap_parse_fetch);
  if (parser->token.kind == MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "a number without response");
  if (mm_imap_parser_is_word (parser, "EXISTS"))
    {
      parser->number_event = MM_IMAP_EVENT_EXISTS;
      return mm_imap_parser_go (parser, parse_number_end);
    }
  if (mm_imap_parser_is_word (parser, "EXPUNGE") || mm_imap_parser_is_word (parser, "EXPUNGED"))
    {
      if (parser->number == 0 || parser->number > G_MAXUINT32)
        return mm_imap_parser_refuse (error, "EXPUNGE of an impossible number");
      parser->number_event = MM_IMAP_EVENT_EXPUNGE;
      return mm_imap_parser_go (parser, parse_number_end);
    }
  return mm_imap_parser_go (parser, skip_line);
}

/* The beginning of a line */

static MmImapStep
parse_untagged (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  static const struct
  {
    const gchar *word;
    MmImapState state;
  } responses[] = {
    { "CAPABILITY", mm_imap_parse_capability },
    { "ENABLED", mm_imap_parse_enabled },
    { "LIST", mm_imap_parse_list },
    { "LSUB", mm_imap_parse_lsub },
    { "STATUS", mm_imap_parse_status },
    { "NAMESPACE", mm_imap_parse_namespace },
    { "SEARCH", mm_imap_parse_search },
    { "ESEARCH", mm_imap_parse_esearch },
    { "VANISHED", mm_imap_parse_vanished },
  };

  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "an untagged response without a name");
  if (g_ascii_isdigit (parser->token.data[0]))
    {
      if (!mm_imap_parse_number (parser->token.data, parser->token.length, &parser->number))
        return mm_imap_parser_refuse (error, "a malformed number");
      return mm_imap_parser_go (parser, parse_numbered);
    }
  if (mm_imap_parse_status_word (parser, FALSE))
    return mm_imap_parser_go (parser, mm_imap_parse_status_text);
  for (gsize i = 0; i < G_N_ELEMENTS (responses); i++)
    if (mm_imap_parser_is_word (parser, responses[i].word))
      return mm_imap_parser_go (parser, responses[i].state);
  return mm_imap_parser_go (parser, skip_line);
}

guint32
mm_imap_parse_tag (const gchar *tag, gsize length)
{
  guint32 number;

  if (length < 2 || tag[0] != MM_IMAP_TAG_LETTER || tag[1] == '0'
      || !mm_imap_parse_nz_number (tag + 1, length - 1, &number))
    return 0;
  return number;
}

static MmImapStep
parse_first (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  parser->tag = 0;
  if (mm_imap_parser_is_word (parser, "*"))
    return mm_imap_parser_go (parser, parse_untagged);
  if (mm_imap_parser_is_word (parser, "+"))
    return mm_imap_parser_go (parser, mm_imap_parse_continuation);
  if (parser->token.kind == MM_IMAP_TOKEN_ATOM)
    parser->tag = mm_imap_parse_tag (parser->token.data, parser->token.length);
  if (parser->tag == 0)
    return mm_imap_parser_refuse (error, "a line that is no response");
  return mm_imap_parser_go (parser, mm_imap_parse_tagged_status);
}
