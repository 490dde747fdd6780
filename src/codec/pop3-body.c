// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "pop3-body.h"

static void
skip (const guint8 **input, gsize *length)
{
  (*input)++;
  (*length)--;
}

/* The octets up to the next line that begins with a dot, or all. Leaves the state in which it ends. */
static gsize
measure (MmPop3BodyState *state, const guint8 *input, gsize length)
{
  const guint8 *end = input + length;
  const guint8 *line = input;
  gboolean is_after_cr = *state == MM_POP3_BODY_CR;

  while (line < end)
    {
      const guint8 *newline = memchr (line, '\n', (gsize) (end - line));

      if (newline == NULL)
        {
          *state = end[-1] == '\r' ? MM_POP3_BODY_CR : MM_POP3_BODY_LINE;
          return length;
        }
      /* A bare LF ends no line: a dot behind it is one of the message. */
      gboolean is_line_end = newline > line ? newline[-1] == '\r' : is_after_cr;
      is_after_cr = FALSE;
      line = newline + 1;
      *state = is_line_end ? MM_POP3_BODY_LINE_START : MM_POP3_BODY_LINE;
      if (is_line_end && line < end && *line == '.')
        break;
    }
  return (gsize) (line - input);
}

gboolean
mm_pop3_body_next (MmPop3BodyState *state, const guint8 **input, gsize *length,
                   const guint8 **out_data, gsize *out_length)
{
  while (*length > 0)
    switch (*state)
      {
      case MM_POP3_BODY_LINE_START:
        if (**input == '.')
          {
            skip (input, length);
            *state = MM_POP3_BODY_DOT;
            break;
          }
        G_GNUC_FALLTHROUGH;
      case MM_POP3_BODY_LINE:
      case MM_POP3_BODY_CR:
        *out_data = *input;
        *out_length = measure (state, *input, *length);
        *input += *out_length;
        *length -= *out_length;
        return TRUE;
      case MM_POP3_BODY_DOT:
        *state = MM_POP3_BODY_LINE;
        if (**input == '\r')
          {
            skip (input, length);
            *state = MM_POP3_BODY_DOT_CR;
          }
        break;
      case MM_POP3_BODY_DOT_CR:
        if (**input == '\n')
          {
            skip (input, length);
            *state = MM_POP3_BODY_ENDED;
            return FALSE;
          }
        /* No end: a line of the message that begins with CR. */
        *state = MM_POP3_BODY_CR;
        *out_data = (const guint8 *) "\r";
        *out_length = 1;
        return TRUE;
      case MM_POP3_BODY_ENDED:
        return FALSE;
      }
  return FALSE;
}
