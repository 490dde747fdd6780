// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-parser-private.h"
#include "imap-response-code.h"

const MmImapLimits mm_imap_limits_default = {
  /* 1,000,000 UIDs of up to ten digits fit in one SEARCH answer. It is not held. */
  .line_octets = 16 * 1024 * 1024,
  .literal_octets = G_GUINT64_CONSTANT (1) << 32,
  .string_octets = 256 * 1024,
  .nesting = 64,
  .list_entries = 1000 * 1000,
  .capabilities = 1024,
  .flags = 1024,
  .set_ranges = 2 * 1000 * 1000,
  .untagged_without_command = 1000 * 1000,
};

static MmImapStep parse_first (MmImapParser *parser, MmImapEvent *event, GError **error);

MmImapParser *
mm_imap_parser_new (const MmImapLimits *limits)
{
  MmImapParser *parser = g_new0 (MmImapParser, 1);

  parser->limits = limits != NULL ? *limits : mm_imap_limits_default;
  parser->lexer = mm_imap_lexer_new (&parser->limits);
  parser->state = parse_first;
  parser->text = g_string_new (NULL);
  parser->code_text = g_string_new (NULL);
  parser->collected = g_byte_array_new ();
  parser->name = g_string_new (NULL);
  parser->keywords = g_string_new (NULL);
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
  return (const gchar *const *) parser->capabilities.mechanisms->pdata;
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
  g_string_append_len (list, word, (gssize) length);
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
      g_byte_array_append (parser->collected, data, (guint) length);
      return MM_IMAP_STEP_AGAIN;
    }
  parser->string = (const gchar *) parser->collected->data;
  parser->string_length = parser->collected->len;
  return mm_imap_parser_go (parser, parser->after_string);
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
      if (parser->token.literal_octets > parser->limits.string_octets)
        return mm_imap_parser_refuse_limit (error, "a string", parser->limits.string_octets);
      g_byte_array_set_size (parser->collected, 0);
      return mm_imap_parser_go (parser, collect_literal);
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

/* Status responses */

static void
keep_text (GString *to, const gchar *text, gsize length)
{
  g_string_truncate (to, 0);
  g_string_append_len (to, text, (gssize) length);
  for (gsize i = 0; i < to->len; i++)
    if (to->str[i] == '\0')
      to->str[i] = '?';
}

static gboolean
check_capabilities (MmImapParser *parser, GError **error)
{
  if (parser->new_capabilities.n_seen <= parser->limits.capabilities)
    return TRUE;
  mm_imap_parser_refuse_limit (error, "capabilities", parser->limits.capabilities);
  return FALSE;
}

static void
replace_capabilities (MmImapParser *parser)
{
  MmImapCapabilityList old = parser->capabilities;

  parser->capabilities = parser->new_capabilities;
  parser->new_capabilities = old;
}

static gboolean
parse_capability_code (MmImapParser *parser, const gchar *names, gsize length, GError **error)
{
  const gchar *end = names + length;

  mm_imap_capability_list_clear (&parser->new_capabilities);
  while (names < end)
    {
      const gchar *blank = memchr (names, ' ', (gsize) (end - names));
      const gchar *word_end = blank != NULL ? blank : end;

      if (word_end > names)
        mm_imap_capability_list_add (&parser->new_capabilities, names,
                                     (gsize) (word_end - names));
      if (!check_capabilities (parser, error))
        return FALSE;
      names = blank != NULL ? blank + 1 : end;
    }
  replace_capabilities (parser);
  return TRUE;
}

static MmImapStep
emit_status (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  event->tag = parser->tag;
  event->status = parser->status;
  event->code = parser->code;
  event->code_number = parser->code_number;
  event->code_text = parser->has_code ? parser->code_text->str : NULL;
  event->text = parser->text->str;
  return mm_imap_parser_emit (parser, event,
                              parser->tag != 0 ? MM_IMAP_EVENT_TAGGED : MM_IMAP_EVENT_UNTAGGED,
                              mm_imap_parser_end_line (parser));
}

/* A [CAPABILITY] code becomes an event of its own before the status: who acts on the status knows
 * the capabilities already. */
static MmImapStep
parse_status_text (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MmImapResponseText parsed;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_TEXT, error);
  mm_imap_response_text_parse (parser->token.data, parser->token.length, &parsed);
  keep_text (parser->text, parsed.text, parsed.text_length);
  keep_text (parser->code_text, parsed.code_text != NULL ? parsed.code_text : "",
             parsed.code_length);
  parser->has_code = parsed.code_text != NULL;
  parser->code = parsed.code;
  parser->code_number = parsed.number;
  if (!parsed.is_capability)
    return mm_imap_parser_go (parser, emit_status);
  if (!parse_capability_code (parser, parsed.arguments, parsed.arguments_length, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parser_emit (parser, event, (MmImapEventType) MM_IMAP_EVENT_CODE_CAPABILITY,
                              emit_status);
}

static gboolean
parse_status_word (MmImapParser *parser, gboolean is_tagged)
{
  static const gchar *const words[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" }; /* MmImapStatus */
  guint n_words = is_tagged ? 3 : G_N_ELEMENTS (words);

  for (guint i = 0; i < n_words; i++)
    if (mm_imap_parser_is_word (parser, words[i]))
      {
        parser->status = (MmImapStatus) i;
        return TRUE;
      }
  return FALSE;
}

static MmImapStep
parse_tagged_status (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!parse_status_word (parser, TRUE))
    return mm_imap_parser_refuse (error, "a tagged response without OK, NO or BAD");
  return mm_imap_parser_go (parser, parse_status_text);
}

static MmImapStep
parse_continuation (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  gsize blanks = 0;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_TEXT, error);
  if (parser->token.length > 0 && parser->token.data[0] == ' ')
    blanks = 1;
  keep_text (parser->text, parser->token.data + blanks, parser->token.length - blanks);
  event->text = parser->text->str;
  return mm_imap_parser_emit (parser, event, (MmImapEventType) MM_IMAP_EVENT_CONTINUATION,
                              mm_imap_parser_end_line (parser));
}

/* CAPABILITY and ENABLED */

static MmImapStep
parse_capability_names (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_EOL)
    {
      replace_capabilities (parser);
      return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_CAPABILITY,
                                  mm_imap_parser_end_line (parser));
    }
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "a capability that is no atom");
  mm_imap_capability_list_add (&parser->new_capabilities, parser->token.data,
                               parser->token.length);
  return check_capabilities (parser, error) ? MM_IMAP_STEP_AGAIN : MM_IMAP_STEP_ERROR;
}

static MmImapStep
parse_capability (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  mm_imap_capability_list_clear (&parser->new_capabilities);
  return mm_imap_parser_go (parser, parse_capability_names);
}

static MmImapStep
parse_enabled_names (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_EOL)
    {
      event->text = parser->text->str;
      return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_ENABLED,
                                  mm_imap_parser_end_line (parser));
    }
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "an enabled capability that is no atom");
  if (!mm_imap_parser_append_word (parser, parser->text, parser->token.data,
                                   parser->token.length, error))
    return MM_IMAP_STEP_ERROR;
  return MM_IMAP_STEP_AGAIN;
}

static MmImapStep
parse_enabled (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  g_string_truncate (parser->text, 0);
  return mm_imap_parser_go (parser, parse_enabled_names);
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
    { "CAPABILITY", parse_capability },
    { "ENABLED", parse_enabled },
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
  if (parse_status_word (parser, FALSE))
    return mm_imap_parser_go (parser, parse_status_text);
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
    return mm_imap_parser_go (parser, parse_continuation);
  if (parser->token.kind == MM_IMAP_TOKEN_ATOM)
    parser->tag = mm_imap_parse_tag (parser->token.data, parser->token.length);
  if (parser->tag == 0)
    return mm_imap_parser_refuse (error, "a line that is no response");
  return mm_imap_parser_go (parser, parse_tagged_status);
}
