// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-number.h"
#include "imap-response-code.h"

static const struct
{
  const gchar *name;
  MmImapCode code;
} codes[] = {
  { "ALERT", MM_IMAP_CODE_ALERT },
  { "ALREADYEXISTS", MM_IMAP_CODE_ALREADYEXISTS },
  { "APPENDUID", MM_IMAP_CODE_APPENDUID },
  { "AUTHENTICATIONFAILED", MM_IMAP_CODE_AUTHENTICATIONFAILED },
  { "AUTHORIZATIONFAILED", MM_IMAP_CODE_AUTHORIZATIONFAILED },
  { "CLOSED", MM_IMAP_CODE_CLOSED },
  { "COPYUID", MM_IMAP_CODE_COPYUID },
  { "EXPIRED", MM_IMAP_CODE_EXPIRED },
  { "HIGHESTMODSEQ", MM_IMAP_CODE_HIGHESTMODSEQ },
  { "INUSE", MM_IMAP_CODE_INUSE },
  { "LIMIT", MM_IMAP_CODE_LIMIT },
  { "NOMODSEQ", MM_IMAP_CODE_NOMODSEQ },
  { "NONEXISTENT", MM_IMAP_CODE_NONEXISTENT },
  { "NOPERM", MM_IMAP_CODE_NOPERM },
  { "OVERQUOTA", MM_IMAP_CODE_OVERQUOTA },
  { "PRIVACYREQUIRED", MM_IMAP_CODE_PRIVACYREQUIRED },
  { "READ-ONLY", MM_IMAP_CODE_READ_ONLY },
  { "READ-WRITE", MM_IMAP_CODE_READ_WRITE },
  { "SERVERBUG", MM_IMAP_CODE_SERVERBUG },
  { "TRYCREATE", MM_IMAP_CODE_TRYCREATE },
  { "UIDNEXT", MM_IMAP_CODE_UIDNEXT },
  { "UIDNOTSTICKY", MM_IMAP_CODE_UIDNOTSTICKY },
  { "UIDVALIDITY", MM_IMAP_CODE_UIDVALIDITY },
  { "UNAVAILABLE", MM_IMAP_CODE_UNAVAILABLE },
  { "UNSEEN", MM_IMAP_CODE_UNSEEN },
};

static MmImapCode
find_code (const gchar *name, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (mm_imap_is_word (name, length, codes[i].name))
      return codes[i].code;
  return MM_IMAP_CODE_OTHER;
}

static gboolean
is_numeric (MmImapCode code)
{
  return code == MM_IMAP_CODE_HIGHESTMODSEQ || code == MM_IMAP_CODE_UIDNEXT
         || code == MM_IMAP_CODE_UIDVALIDITY || code == MM_IMAP_CODE_UNSEEN;
}

/* The bracket that ends the code: the first one outside of quotes or, where quotes do not match,
 * the first one at all. NULL: none. */
static const gchar *
find_end (const gchar *text, gsize length)
{
  gboolean in_quotes = FALSE;

  for (gsize i = 1; i < length; i++)
    if (text[i] == '"')
      in_quotes = !in_quotes;
    else if (in_quotes && text[i] == '\\')
      i++;
    else if (!in_quotes && text[i] == ']')
      return text + i;
  return memchr (text, ']', length);
}

static void
skip_blanks (const gchar **text, gsize *length)
{
  while (*length > 0 && **text == ' ')
    {
      (*text)++;
      (*length)--;
    }
}

static void
parse_code (MmImapResponseText *out)
{
  const gchar *blank = memchr (out->code_text, ' ', out->code_length);
  gsize name_length = blank != NULL ? (gsize)(blank - out->code_text) : out->code_length;

  out->arguments = out->code_text + name_length;
  out->arguments_length = out->code_length - name_length;
  skip_blanks (&out->arguments, &out->arguments_length);
  out->is_capability = mm_imap_is_word (out->code_text, name_length, "CAPABILITY");
  out->code = find_code (out->code_text, name_length);
  /* A number that is none makes the code a text: it must not be taken for 0. */
  if (is_numeric (out->code)
      && !mm_imap_parse_number (out->arguments, out->arguments_length, &out->number))
    out->code = MM_IMAP_CODE_OTHER;
}

void
mm_imap_response_text_parse (const gchar *text, gsize length, MmImapResponseText *out)
{
  const gchar *end;

  memset (out, 0, sizeof *out);
  skip_blanks (&text, &length);
  out->text = text;
  out->text_length = length;
  if (length == 0 || text[0] != '[' || (end = find_end (text, length)) == NULL)
    return;
  out->code_text = text + 1;
  out->code_length = (gsize)(end - text) - 1;
  out->text = end + 1;
  out->text_length = length - out->code_length - 2;
  skip_blanks (&out->text, &out->text_length);
  parse_code (out);
}
