// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/codec/imap-lexer.h"

/* The tokens of @input as text, each in one mode, fed in pieces of @piece octets. A literal is
 * followed by its octets. */
static gchar *
lex (const MmLimits *limits, MmImapLexMode mode, const gchar *input, gsize length, gsize piece)
{
  static const gchar *const names[] = { "ATOM", "QUOTED", "LITERAL", "(", ")", "EOL", "TEXT" };
  g_autoptr (MmImapLexer) lexer = mm_imap_lexer_new (limits);
  GString *text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean in_literal = FALSE;

  for (gsize at = 0; at < length && error == NULL; at += piece)
    {
      gsize size = MIN (piece, length - at);
      g_autofree guint8 *octets = g_memdup2 (input + at, size);
      MmImapLexResult result = MM_IMAP_LEX_OK;

      mm_imap_lexer_feed (lexer, octets, size);
      while (result == MM_IMAP_LEX_OK)
        {
          MmImapToken token;

          if (in_literal)
            {
              const guint8 *data;
              gsize n;

              result = mm_imap_lexer_next_piece (lexer, &data, &n);
              in_literal = result == MM_IMAP_LEX_MORE || n > 0;
              g_string_append_len (text, (const gchar *)data, (gssize)n);
              if (!in_literal)
                g_string_append_c (text, '\n');
              continue;
            }
          result = mm_imap_lexer_next (lexer, mode, &token, &error);
          if (result != MM_IMAP_LEX_OK)
            break;
          g_string_append (text, names[token.kind]);
          if (token.kind == MM_IMAP_TOKEN_LITERAL)
            {
              g_string_append_printf (text, " %" G_GUINT64_FORMAT " ", token.literal_octets);
              in_literal = TRUE;
              continue;
            }
          if (token.kind != MM_IMAP_TOKEN_OPEN && token.kind != MM_IMAP_TOKEN_CLOSE
              && token.kind != MM_IMAP_TOKEN_EOL)
            {
              g_string_append_c (text, ' ');
              g_string_append_len (text, token.data, (gssize)token.length);
            }
          g_string_append (text, token.has_comma ? ",\n" : "\n");
        }
    }
  if (error != NULL)
    g_string_append (text, error->code == MM_ERROR_LIMIT ? "LIMIT" : "PROTOCOL");
  return g_string_free (text, FALSE);
}

static void
check_with (const MmLimits *limits, MmImapLexMode mode, const gchar *input,
            const gchar *expected)
{
  gsize length = strlen (input);

  for (gsize piece = length; piece > 0; piece--)
    {
      g_autofree gchar *text = lex (limits, mode, input, length, piece);

      g_assert_cmpstr (text, ==, expected);
    }
}

static void
check (MmImapLexMode mode, const gchar *input, const gchar *expected)
{
  check_with (&mm_limits_default, mode, input, expected);
}

static void
test_tokens (void)
{
  check (MM_IMAP_LEX_NORMAL, "* ab (c(d) \"e f\") g\r\nh\n",
         "ATOM *\nATOM ab\n(\nATOM c\n(\nATOM d\n)\nQUOTED e f\n)\nATOM g\nEOL\nATOM h\nEOL\n");
  check (MM_IMAP_LEX_NORMAL, "   a   \n", "ATOM a\nEOL\n");
  check (MM_IMAP_LEX_NORMAL, "a\"b{1}~ \\Seen [x]\n",
         "ATOM a\"b{1}~\nATOM \\Seen\nATOM [x]\nEOL\n");
  check (MM_IMAP_LEX_NORMAL, "~ ~a \xc3\xa4\n", "ATOM ~\nATOM ~a\nATOM \xc3\xa4\nEOL\n");
}

static void
test_quoted (void)
{
  check (MM_IMAP_LEX_NORMAL, "\"\" \"a\\\\\" \"\\\"\" \"\\\"a\\\"b\"\n",
         "QUOTED \nQUOTED a\\\nQUOTED \"\nQUOTED \"a\"b\nEOL\n");
  check (MM_IMAP_LEX_NORMAL, "\"a\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "\"a\\\n", "PROTOCOL");
}

static void
test_literals (void)
{
  check (MM_IMAP_LEX_NORMAL, "{3}\r\na\r\n{2+}\nbc ~{1}\r\n({0}\r\n)\r\n",
         "LITERAL 3 a\r\n\nLITERAL 2 bc\nLITERAL 1 (\nLITERAL 0 \n)\nEOL\n");
  check (MM_IMAP_LEX_NORMAL, "{}\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "{+}\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "{1+\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "{1} \r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "{1}\r\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "~{a}\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "{00000000000000000001}\r\n", "PROTOCOL");
}

static void
test_ends_of_lines (void)
{
  check (MM_IMAP_LEX_NORMAL, "a\rb\n", "ATOM a\nPROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "\r\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_NORMAL, "a\tb\n", "PROTOCOL");
}

static void
test_items (void)
{
  check (MM_IMAP_LEX_ITEM, "UID BODY[] BODY[A.B (c \"]\\\"\" d)]<5> x\n",
         "ATOM UID\nATOM BODY[]\nATOM BODY[A.B (c \"]\\\"\" d)]<5>\nATOM x\nEOL\n");
  check (MM_IMAP_LEX_ITEM, "BODY[](\n", "ATOM BODY[]\n(\nEOL\n");
  check (MM_IMAP_LEX_ITEM, "BODY[\r\n", "PROTOCOL");
  check (MM_IMAP_LEX_ITEM, "BODY[\"\n", "PROTOCOL");
  check (MM_IMAP_LEX_ITEM, "BODY[\001]\n", "PROTOCOL");
}

static void
test_sets (void)
{
  check (MM_IMAP_LEX_SET, "1,2:3 4,5\r\n", "ATOM 1,\nATOM 2:3\nATOM 4,\nATOM 5\nEOL\n");
  check (MM_IMAP_LEX_SET, "1,,2\n", "ATOM 1,\nATOM ,\nATOM 2\nEOL\n");
}

static void
test_text (void)
{
  check (MM_IMAP_LEX_TEXT, " a (b \"c\r\n\r\n\n\rd\r\r\n",
         "TEXT  a (b \"c\nTEXT \nTEXT \nTEXT \rd\r\n");
}

static void
test_limits (void)
{
  MmLimits limits = mm_limits_default;

  limits.string_octets = 4;
  limits.literal_octets = 5;
  check_with (&limits, MM_IMAP_LEX_NORMAL, "abcd\n", "ATOM abcd\nEOL\n");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "abcde\n", "LIMIT");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "abcde\001\n", "LIMIT");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "\"abc\\\\\"\n", "QUOTED abc\\\nEOL\n");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "\"abcd\\\\\"\n", "LIMIT");
  check_with (&limits, MM_IMAP_LEX_ITEM, "A[(]\n", "ATOM A[(]\nEOL\n");
  check_with (&limits, MM_IMAP_LEX_ITEM, "A[()]\n", "LIMIT");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "{5}\r\n12345\n", "LITERAL 5 12345\nEOL\n");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "{6}\r\n", "LIMIT");
  limits.line_octets = 6;
  check_with (&limits, MM_IMAP_LEX_NORMAL, "a b c\n", "ATOM a\nATOM b\nATOM c\nEOL\n");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "a b c d\n", "ATOM a\nATOM b\nATOM c\nLIMIT");
  check_with (&limits, MM_IMAP_LEX_NORMAL, "          \n", "LIMIT");
}

static void
test_tokens_point_into_the_input (void)
{
  static const gchar input[] = "abc \"def\" ghi\n";
  g_autoptr (MmImapLexer) lexer = mm_imap_lexer_new (&mm_limits_default);
  MmImapToken token;
  g_autoptr (GError) error = NULL;

  mm_imap_lexer_feed (lexer, (const guint8 *)input, sizeof input - 1);
  g_assert_cmpint (mm_imap_lexer_next (lexer, MM_IMAP_LEX_NORMAL, &token, &error), ==,
                   MM_IMAP_LEX_OK);
  g_assert_true (token.data == input);
  g_assert_cmpint (mm_imap_lexer_next (lexer, MM_IMAP_LEX_NORMAL, &token, &error), ==,
                   MM_IMAP_LEX_OK);
  g_assert_true (token.data == input + 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/lexer/tokens", test_tokens);
  g_test_add_func ("/imap/lexer/quoted", test_quoted);
  g_test_add_func ("/imap/lexer/literals", test_literals);
  g_test_add_func ("/imap/lexer/ends-of-lines", test_ends_of_lines);
  g_test_add_func ("/imap/lexer/fetch-items-with-sections", test_items);
  g_test_add_func ("/imap/lexer/sets-in-pieces", test_sets);
  g_test_add_func ("/imap/lexer/text", test_text);
  g_test_add_func ("/imap/lexer/limits-however-cut", test_limits);
  g_test_add_func ("/imap/lexer/tokens-point-into-the-input", test_tokens_point_into_the_input);
  return g_test_run ();
}
