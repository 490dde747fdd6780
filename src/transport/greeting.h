// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The server's first line, waited for so that opening ends with a server that welcomes us or with
 * the reason why not. What it says is for the session.
 */
#pragma once

#include "transport-private.h"

G_BEGIN_DECLS

/* No server greets with a longer line. */
#define MM_GREETING_OCTETS_MAX 8192

typedef enum
{
  MM_GREETING_WELCOME,
  MM_GREETING_BYE,     /* the line says why not */
  MM_GREETING_ALIEN,   /* this is no server of that protocol */
  MM_GREETING_ABORTED, /* by the flag */
  MM_GREETING_LATE,    /* not before the deadline */
  MM_GREETING_CLOSED,  /* the end came first */
  MM_GREETING_FAILED,  /* @error is set */
} MmGreeting;

static inline gboolean
mm_is_aborted (const gint *abort_flag)
{
  return abort_flag != NULL && g_atomic_int_get (abort_flag) != 0;
}

/* Whether @line begins with @word, in capitals or not. */
gboolean mm_greeting_begins_with (const gchar *line, const gchar *word);

/* What a line that lets nobody in says behind its first words. (transfer full) */
gchar *mm_greeting_dup_words (const gchar *line);

/* "an IMAP" or "a POP3", for "… server". */
const gchar *mm_greeting_name_protocol (MmProtocol protocol);

/* Receives until there is a line. It and what came at once behind it is added to @out. */
MmGreeting mm_greeting_receive (MmTransport *transport, MmProtocol protocol, const gint *abort_flag,
                                gint64 deadline_us, GString *out, GError **error);

G_END_DECLS
