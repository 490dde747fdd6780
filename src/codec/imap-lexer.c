// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-lexer.h"

/* Where in a token the fed octets may end. */
typedef enum
{
  AT_START,
  AT_ATOM,
  AT_SECTION,        /* between [ and ] of a FETCH item */
  AT_SECTION_QUOTED, /* and there in a quoted string */
  AT_SECTION_ESCAPE,
  AT_QUOTED,
  AT_QUOTED_ESCAPE,
  AT_TILDE, /* ~{ begins a literal8, ~x an atom */
  AT_LITERAL_SIZE,
  AT_LITERAL_PLUS,
  AT_LITERAL_BRACE,
  AT_LITERAL_CR,
  AT_CR,
  AT_TEXT,
} Place;

struct MmImapLexer
{
  const MmLimits *limits;
  const guint8 *at; /* borrowed from the caller's octets */
  const guint8 *end;
  Place place;
  GByteArray *carry; /* the beginning of a token that was cut */
  gboolean is_carried;
  guint literal_digits;
  guint64 literal_octets; /* being read, then what is left to pull */
  gsize line_octets;      /* used of this response */
};

enum
{
  ENDS_ATOM = 1 << 0, /* blank, parenthesis, end of line */
  CONTROL = 1 << 1,   /* refused within atoms */
  ENDS_QUOTED_RUN = 1 << 2,
  BRACKET = 1 << 3,
  COMMA = 1 << 4,
  ENDS_SECTION_RUN = 1 << 5,
};

/* clang-format off */
static const guint8 classes[256] = {
  [0x00 ... 0x08] = CONTROL,
  [0x0b ... 0x0c] = CONTROL,
  [0x0e ... 0x1f] = CONTROL,
  [0x7f] = CONTROL,
  ['\t'] = CONTROL,
  ['\r'] = ENDS_ATOM | ENDS_QUOTED_RUN | ENDS_SECTION_RUN,
  ['\n'] = ENDS_ATOM | ENDS_QUOTED_RUN | ENDS_SECTION_RUN,
  [' '] = ENDS_ATOM,
  ['('] = ENDS_ATOM,
  [')'] = ENDS_ATOM,
  ['"'] = ENDS_QUOTED_RUN | ENDS_SECTION_RUN,
  ['\\'] = ENDS_QUOTED_RUN,
  ['['] = BRACKET,
  [']'] = ENDS_SECTION_RUN,
  [','] = COMMA,
};
/* clang-format on */

MmImapLexer *
mm_imap_lexer_new (const MmLimits *limits)
{
  MmImapLexer *lexer = g_new0 (MmImapLexer, 1);

  lexer->limits = limits;
  lexer->carry = g_byte_array_new ();
  return lexer;
}

void
mm_imap_lexer_free (MmImapLexer *lexer)
{
  if (lexer == NULL)
    return;
  g_byte_array_unref (lexer->carry);
  g_free (lexer);
}

void
mm_imap_lexer_feed (MmImapLexer *lexer, const guint8 *data, gsize length)
{
  g_assert (lexer->at == lexer->end);
  lexer->at = data;
  lexer->end = data + length;
}

const guint8 *
mm_imap_lexer_steal_input (MmImapLexer *lexer, gsize *out_length)
{
  const guint8 *data = lexer->at;

  *out_length = (gsize)(lexer->end - lexer->at);
  lexer->at = lexer->end = NULL;
  return data;
}

gboolean
mm_imap_lexer_is_in_response (const MmImapLexer *lexer)
{
  return lexer->place != AT_START || lexer->literal_octets > 0 || lexer->line_octets > 0;
}

void
mm_imap_lexer_begin_line (MmImapLexer *lexer)
{
  lexer->line_octets = 0;
}

static MmImapLexResult
refuse (GError **error, const gchar *what)
{
  g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "the server broke the protocol: %s", what);
  return MM_IMAP_LEX_ERROR;
}

static MmImapLexResult
refuse_length (GError **error, const gchar *what, guint64 limit)
{
  g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
               "the server sent %s of more than %" G_GUINT64_FORMAT " octets", what, limit);
  return MM_IMAP_LEX_ERROR;
}

/* Uses the octets up to @to for the token, without giving them out. FALSE past line_octets. */
static inline gboolean
use (MmImapLexer *lexer, const guint8 *to)
{
  lexer->line_octets += (gsize)(to - lexer->at);
  lexer->at = to;
  return lexer->line_octets <= lexer->limits->line_octets;
}

static void
keep (MmImapLexer *lexer, const guint8 *from, const guint8 *to)
{
  lexer->is_carried = TRUE;
  g_byte_array_append (lexer->carry, from, (guint)(to - from));
}

/* How far a token that begins (or goes on) at the current octet may be looked at: one octet more
 * than the limits allow, so that input cut anywhere meets them at the same octet. */
static inline const guint8 *
horizon (const MmImapLexer *lexer)
{
  gsize room = lexer->limits->string_octets + 1;

  if (lexer->is_carried)
    room -= MIN (room, lexer->carry->len);
  room = MIN (room, lexer->limits->line_octets - lexer->line_octets + 1);
  return (gsize)(lexer->end - lexer->at) > room ? lexer->at + room : lexer->end;
}

/* The token ends at @to, exclusive; @skip octets behind it (a quote) are used as well. */
static inline MmImapLexResult
finish (MmImapLexer *lexer, MmImapTokenKind kind, const guint8 *to, gsize skip, MmImapToken *token,
        GError **error)
{
  token->kind = kind;
  if (G_LIKELY (!lexer->is_carried))
    {
      token->data = (const gchar *)lexer->at;
      token->length = (gsize)(to - lexer->at);
    }
  else
    {
      keep (lexer, lexer->at, to);
      token->data = (const gchar *)lexer->carry->data;
      token->length = lexer->carry->len;
    }
  lexer->place = AT_START;
  if (G_UNLIKELY (token->length > lexer->limits->string_octets))
    return refuse_length (error, "a string", lexer->limits->string_octets);
  if (G_UNLIKELY (!use (lexer, to + skip)))
    return refuse_length (error, "a line", lexer->limits->line_octets);
  return MM_IMAP_LEX_OK;
}

/* The fed octets, or the octets a string may have, end at @to within the token. */
static MmImapLexResult
suspend (MmImapLexer *lexer, const guint8 *to, GError **error)
{
  keep (lexer, lexer->at, to);
  if (lexer->carry->len > lexer->limits->string_octets)
    return refuse_length (error, "a string", lexer->limits->string_octets);
  if (!use (lexer, to))
    return refuse_length (error, "a line", lexer->limits->line_octets);
  return MM_IMAP_LEX_MORE;
}

/* Moves @*at behind the current section if it ends before @stop. */
static gboolean
scan_section (MmImapLexer *lexer, const guint8 **at, const guint8 *stop, gboolean *out_is_bad)
{
  const guint8 *p = *at;

  *out_is_bad = FALSE;
  for (; p < stop; p++)
    {
      guint8 c = *p;

      if (c == '\r' || c == '\n' || (classes[c] & CONTROL))
        {
          *out_is_bad = TRUE;
          break;
        }
      if (lexer->place == AT_SECTION_ESCAPE)
        lexer->place = AT_SECTION_QUOTED;
      else if (lexer->place == AT_SECTION_QUOTED)
        {
          if (c == '"')
            lexer->place = AT_SECTION;
          else if (c == '\\')
            lexer->place = AT_SECTION_ESCAPE;
        }
      else if (c == '"')
        lexer->place = AT_SECTION_QUOTED;
      else if (c == ']')
        {
          lexer->place = AT_ATOM;
          *at = p + 1;
          return TRUE;
        }
    }
  *at = p;
  return FALSE;
}

static MmImapLexResult
next_atom (MmImapLexer *lexer, MmImapLexMode mode, MmImapToken *token, GError **error)
{
  const guint8 *stop = horizon (lexer);
  const guint8 *p = lexer->at;
  guint8 stopping = ENDS_ATOM | CONTROL;
  gboolean is_bad;

  if (mode == MM_IMAP_LEX_ITEM)
    stopping |= BRACKET;
  else if (mode == MM_IMAP_LEX_SET)
    stopping |= COMMA;

  for (;;)
    {
      guint8 class;

      if (lexer->place != AT_ATOM && !scan_section (lexer, &p, stop, &is_bad))
        return is_bad ? refuse (error, "a section without end") : suspend (lexer, p, error);
      while (p < stop && !(classes[*p] & stopping))
        p++;
      if (p == stop)
        return suspend (lexer, p, error);
      class = classes[*p];
      if (class & CONTROL)
        return refuse (error, "a control character in an atom");
      if (!(class & BRACKET))
        break;
      lexer->place = AT_SECTION;
      p++;
    }
  token->has_comma = *p == ',';
  return finish (lexer, MM_IMAP_TOKEN_ATOM, p, token->has_comma ? 1 : 0, token, error);
}

/* Only a string with escapes or cut by the end of a feed is copied. */
static MmImapLexResult
next_quoted (MmImapLexer *lexer, MmImapToken *token, GError **error)
{
  for (;;)
    {
      const guint8 *stop = horizon (lexer);
      const guint8 *p = lexer->at;

      if (lexer->place == AT_QUOTED)
        while (p < stop && !(classes[*p] & ENDS_QUOTED_RUN))
          p++;
      if (p == stop)
        return suspend (lexer, p, error);
      if (*p == '\r' || *p == '\n')
        return refuse (error, "a quoted string without end");
      if (lexer->place == AT_QUOTED_ESCAPE)
        {
          keep (lexer, p, p + 1);
          lexer->place = AT_QUOTED;
        }
      else if (*p == '"')
        return finish (lexer, MM_IMAP_TOKEN_QUOTED, p, 1, token, error);
      else
        {
          keep (lexer, lexer->at, p);
          lexer->place = AT_QUOTED_ESCAPE;
        }
      if (!use (lexer, p + 1))
        return refuse_length (error, "a line", lexer->limits->line_octets);
    }
}

/* One octet of {123}CRLF, {123+}CRLF behind the brace. */
static gboolean
take_literal_octet (MmImapLexer *lexer, guint8 c)
{
  switch (lexer->place)
    {
    case AT_LITERAL_SIZE:
      if (g_ascii_isdigit (c))
        {
          /* 19 digits cannot overflow 64 bits. */
          lexer->literal_octets = lexer->literal_octets * 10 + (guint64)(c - '0');
          return ++lexer->literal_digits <= 19;
        }
      if (lexer->literal_digits == 0)
        return FALSE;
      lexer->place = c == '+' ? AT_LITERAL_PLUS : AT_LITERAL_BRACE;
      return c == '+' || c == '}';
    case AT_LITERAL_PLUS:
      lexer->place = AT_LITERAL_BRACE;
      return c == '}';
    case AT_LITERAL_BRACE:
      lexer->place = c == '\n' ? AT_START : AT_LITERAL_CR;
      return c == '\n' || c == '\r';
    case AT_LITERAL_CR:
    default:
      lexer->place = AT_START;
      return c == '\n';
    }
}

static MmImapLexResult
next_literal (MmImapLexer *lexer, MmImapToken *token, GError **error)
{
  while (lexer->at < lexer->end)
    {
      if (!take_literal_octet (lexer, *lexer->at))
        return refuse (error, "a malformed literal");
      if (!use (lexer, lexer->at + 1))
        return refuse_length (error, "a line", lexer->limits->line_octets);
      if (lexer->place != AT_START)
        continue;
      if (lexer->literal_octets > lexer->limits->literal_octets)
        return refuse_length (error, "a literal", lexer->limits->literal_octets);
      token->kind = MM_IMAP_TOKEN_LITERAL;
      token->literal_octets = lexer->literal_octets;
      return MM_IMAP_LEX_OK;
    }
  return MM_IMAP_LEX_MORE;
}

static MmImapLexResult
next_text (MmImapLexer *lexer, MmImapToken *token, GError **error)
{
  const guint8 *stop = horizon (lexer);
  const guint8 *line_end = memchr (lexer->at, '\n', (gsize)(stop - lexer->at));
  MmImapLexResult result;

  if (line_end == NULL)
    return suspend (lexer, stop, error);
  result = finish (lexer, MM_IMAP_TOKEN_TEXT, line_end, 1, token, error);
  if (token->length > 0 && token->data[token->length - 1] == '\r')
    token->length--;
  return result;
}

static MmImapLexResult
next_end_of_line (MmImapLexer *lexer, MmImapToken *token, GError **error)
{
  if (*lexer->at != '\n')
    return refuse (error, "a carriage return without line feed");
  token->kind = MM_IMAP_TOKEN_EOL;
  lexer->place = AT_START;
  return use (lexer, lexer->at + 1) ? MM_IMAP_LEX_OK
                                    : refuse_length (error, "a line", lexer->limits->line_octets);
}

/* Looks at the first octet of a token. The place stays AT_START when it is a token by itself. */
static void
begin_token (MmImapLexer *lexer, MmImapToken *token)
{
  switch (*lexer->at)
    {
    case '(':
    case ')':
      token->kind = *lexer->at == '(' ? MM_IMAP_TOKEN_OPEN : MM_IMAP_TOKEN_CLOSE;
      break;
    case '\n':
      token->kind = MM_IMAP_TOKEN_EOL;
      break;
    case '\r':
      lexer->place = AT_CR;
      break;
    case '"':
      lexer->place = AT_QUOTED;
      break;
    case '{':
      lexer->place = AT_LITERAL_SIZE;
      break;
    case '~':
      lexer->place = AT_TILDE;
      break;
    default:
      lexer->place = AT_ATOM;
      break;
    }
}

static MmImapLexResult
start (MmImapLexer *lexer, MmImapLexMode mode, MmImapToken *token, GError **error)
{
  const guint8 *p = lexer->at;

  if (mode != MM_IMAP_LEX_TEXT)
    while (p < lexer->end && *p == ' ')
      p++;
  if (G_UNLIKELY (!use (lexer, p)))
    return refuse_length (error, "a line", lexer->limits->line_octets);
  if (p == lexer->end)
    return MM_IMAP_LEX_MORE;
  if (lexer->is_carried)
    {
      g_byte_array_set_size (lexer->carry, 0);
      lexer->is_carried = FALSE;
    }
  lexer->literal_octets = 0;
  lexer->literal_digits = 0;
  if (mode == MM_IMAP_LEX_TEXT)
    {
      lexer->place = AT_TEXT;
      return MM_IMAP_LEX_OK;
    }
  begin_token (lexer, token);
  if (lexer->place != AT_ATOM && !use (lexer, p + 1))
    return refuse_length (error, "a line", lexer->limits->line_octets);
  return MM_IMAP_LEX_OK;
}

MmImapLexResult
mm_imap_lexer_next (MmImapLexer *lexer, MmImapLexMode mode, MmImapToken *token, GError **error)
{
  token->has_comma = FALSE;
  if (lexer->place == AT_START)
    {
      MmImapLexResult result = start (lexer, mode, token, error);

      if (result != MM_IMAP_LEX_OK || lexer->place == AT_START)
        return result;
    }
  if (lexer->at == lexer->end)
    return MM_IMAP_LEX_MORE;
  if (lexer->place == AT_TILDE)
    {
      if (*lexer->at == '{')
        {
          lexer->place = AT_LITERAL_SIZE;
          if (!use (lexer, lexer->at + 1))
            return refuse_length (error, "a line", lexer->limits->line_octets);
        }
      else
        {
          static const guint8 tilde = '~';

          keep (lexer, &tilde, &tilde + 1);
          lexer->place = AT_ATOM;
        }
    }

  switch (lexer->place)
    {
    case AT_ATOM:
    case AT_SECTION:
    case AT_SECTION_QUOTED:
    case AT_SECTION_ESCAPE:
      return next_atom (lexer, mode, token, error);
    case AT_QUOTED:
    case AT_QUOTED_ESCAPE:
      return next_quoted (lexer, token, error);
    case AT_CR:
      return next_end_of_line (lexer, token, error);
    case AT_TEXT:
      return next_text (lexer, token, error);
    default:
      return next_literal (lexer, token, error);
    }
}

MmImapLexResult
mm_imap_lexer_next_piece (MmImapLexer *lexer, const guint8 **out_data, gsize *out_length)
{
  gsize available = (gsize)(lexer->end - lexer->at);

  *out_data = lexer->at;
  *out_length = (gsize)MIN (lexer->literal_octets, (guint64)available);
  lexer->at += *out_length;
  lexer->literal_octets -= *out_length;
  return *out_length == 0 && lexer->literal_octets > 0 ? MM_IMAP_LEX_MORE : MM_IMAP_LEX_OK;
}
