// SPDX-License-Identifier: GPL-3.0-or-later
/* The text behind OK, NO, BAD, BYE and PREAUTH: "[CODE arguments] words" (RFC 9051 resp-text). */
#pragma once

#include "imap-capability.h"

G_BEGIN_DECLS

typedef struct
{
  MmImapCode code;
  guint64 number;
  gboolean is_capability; /* [CAPABILITY …]; the list is in @arguments */
  const gchar *code_text; /* all between the brackets, in the text parsed; nullable */
  gsize code_length;
  const gchar *arguments; /* behind the code's name */
  gsize arguments_length;
  const gchar *text; /* the words */
  gsize text_length;
} MmImapResponseText;

/* Never fails: what is no code is text. Everything in @out points into @text. */
void mm_imap_response_text_parse (const gchar *text, gsize length, MmImapResponseText *out);

G_END_DECLS
