// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Commands as octets (RFC 9051 section 9, RFC 7888). What the encoder writes cannot be broken out
 * of: a string with CR, LF or 8-bit octets is a literal, NUL is refused, and atoms hold only what
 * atoms may. Every buffer is wiped when it grows and when it is freed: it may hold a password.
 */
#pragma once

#include "imap-command-private.h"

G_BEGIN_DECLS

/* What must happen before the octets behind an output may be sent. */
typedef enum
{
  MM_IMAP_WAIT_NONE,
  MM_IMAP_WAIT_LITERAL, /* a continuation request for the literal */
  MM_IMAP_WAIT_SASL,    /* challenges and the answer of AUTHENTICATE */
  MM_IMAP_WAIT_ANSWER,  /* the command's tagged response */
  MM_IMAP_WAIT_IDLE,    /* the continuation request of IDLE, and then DONE */
} MmImapWait;

typedef struct
{
  guint8 *octets;
  gsize length;
  gsize allocated;
  guint32 tag;
  MmImapWait wait;
} MmImapOutput;

MmImapOutput *mm_imap_output_new (guint32 tag);
void mm_imap_output_free (MmImapOutput *output);
void mm_imap_output_append (MmImapOutput *output, const void *octets, gsize length);

/* How strings may be sent to this server at this moment. */
typedef struct
{
  gboolean literal_plus;  /* {n+} for any n */
  gboolean literal_minus; /* {n+} for n ≤ 4096 */
  gboolean utf8;          /* UTF-8 in quoted strings, RFC 6855 */
} MmImapEncoding;

/* Appends the outputs of @command, tagged @tag, to @outputs (Queue<MmImapOutput>, owned): one, or
 * several where a synchronising literal waits between them. @initial_response (nullable, base64
 * or "=") is that of AUTHENTICATE. FALSE with MM_ERROR_NAME_ENCODING for what cannot be written,
 * MM_ERROR_USAGE for an empty set; @outputs is then unchanged. */
gboolean mm_imap_encode (const MmImapCommand *command, guint32 tag, const MmImapEncoding *encoding,
                         const gchar *initial_response, GQueue *outputs, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapOutput, mm_imap_output_free)

G_END_DECLS
