// SPDX-License-Identifier: GPL-3.0-or-later
/* OK, NO, BAD, BYE and PREAUTH, tagged or not, continuation requests, CAPABILITY and ENABLED
 * (RFC 9051 7.1, 7.2, 7.6). */
#include "imap-parser-private.h"
#include "imap-response-code.h"

static void
keep_text (GString *to, const gchar *text, gsize length)
{
  g_string_truncate (to, 0);
  g_string_append_len (to, text, (gssize)length);
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
      const gchar *blank = memchr (names, ' ', (gsize)(end - names));
      const gchar *word_end = blank != NULL ? blank : end;

      if (word_end > names)
        mm_imap_capability_list_add (&parser->new_capabilities, names, (gsize)(word_end - names));
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
MmImapStep
mm_imap_parse_status_text (MmImapParser *parser, MmImapEvent *event, GError **error)
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
  return mm_imap_parser_emit (parser, event, (MmImapEventType)MM_IMAP_EVENT_CODE_CAPABILITY,
                              emit_status);
}

gboolean
mm_imap_parse_status_word (MmImapParser *parser, gboolean is_tagged)
{
  static const gchar *const words[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" }; /* MmImapStatus */
  guint n_words = is_tagged ? 3 : G_N_ELEMENTS (words);

  for (guint i = 0; i < n_words; i++)
    if (mm_imap_parser_is_word (parser, words[i]))
      {
        parser->status = (MmImapStatus)i;
        return TRUE;
      }
  return FALSE;
}

MmImapStep
mm_imap_parse_tagged_status (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parse_status_word (parser, TRUE))
    return mm_imap_parser_refuse (error, "a tagged response without OK, NO or BAD");
  return mm_imap_parser_go (parser, mm_imap_parse_status_text);
}

MmImapStep
mm_imap_parse_continuation (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  gsize blanks = 0;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_TEXT, error);
  if (parser->token.length > 0 && parser->token.data[0] == ' ')
    blanks = 1;
  keep_text (parser->text, parser->token.data + blanks, parser->token.length - blanks);
  event->text = parser->text->str;
  return mm_imap_parser_emit (parser, event, (MmImapEventType)MM_IMAP_EVENT_CONTINUATION,
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
  mm_imap_capability_list_add (&parser->new_capabilities, parser->token.data, parser->token.length);
  return check_capabilities (parser, error) ? MM_IMAP_STEP_AGAIN : MM_IMAP_STEP_ERROR;
}

MmImapStep
mm_imap_parse_capability (MmImapParser *parser, MmImapEvent *event, GError **error)
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
  if (!mm_imap_parser_append_word (parser, parser->text, parser->token.data, parser->token.length,
                                   error))
    return MM_IMAP_STEP_ERROR;
  return MM_IMAP_STEP_AGAIN;
}

MmImapStep
mm_imap_parse_enabled (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  g_string_truncate (parser->text, 0);
  return mm_imap_parser_go (parser, parse_enabled_names);
}
