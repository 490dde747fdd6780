// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One SASL exchange (RFC 4422), without I/O: challenges in, responses out, both unencoded (base64
 * belongs to the protocol). GNU SASL computes PLAIN, LOGIN, CRAM-MD5 and SCRAM; XOAUTH2 and
 * OAUTHBEARER (RFC 7628) are built here. One thread at a time.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

typedef struct MmSasl MmSasl;

typedef struct
{
  const gchar *user;
  MmSecret *password;  /* nullable */
  MmSecret *token;     /* nullable: an OAuth2 access token */
  const gchar *service; /* "imap", "pop" */
  const gchar *host;
  guint16 port;
} MmSaslCredentials;

/* The strongest mechanism for which @credentials suffice, among the NULL-terminated @offered:
 * with a token OAUTHBEARER, XOAUTH2; with a password SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN,
 * LOGIN. The last two, and the OAuth ones, only when @clear_text_allowed (an encrypted line, a
 * loopback peer, or the user's explicit tls=none). NULL when none fits. (transfer none) */
const gchar *mm_sasl_choose (const gchar *const *offered, const MmSaslCredentials *credentials,
                             gboolean clear_text_allowed);

/* Starts an exchange. Copies the credentials it needs and wipes them when freed.
 * NULL with MM_ERROR_UNSUPPORTED for an unknown mechanism. */
MmSasl *mm_sasl_new (const gchar *mechanism, const MmSaslCredentials *credentials, GError **error);
void mm_sasl_free (MmSasl *sasl);

const gchar *mm_sasl_get_mechanism (const MmSasl *sasl);

/* TRUE when the client speaks first, so that SASL-IR (RFC 4959) can save a round trip. */
gboolean mm_sasl_has_initial_response (const MmSasl *sasl);

/* The answer to one challenge (empty for the initial response). The answer may hold a password:
 * wipe it (mm_secret_wipe) after use. NULL with MM_ERROR_AUTHENTICATION when the exchange cannot
 * go on, for example because the server proved not to know the password. (transfer full) */
GByteArray *mm_sasl_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error);

/* TRUE when the server may end the exchange with success now; SCRAM demands that the server
 * proved itself first. */
gboolean mm_sasl_may_succeed (const MmSasl *sasl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmSasl, mm_sasl_free)

G_END_DECLS
