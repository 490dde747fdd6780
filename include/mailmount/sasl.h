// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One SASL exchange (RFC 4422), whatever the protocol and without I/O: challenges in, responses out,
 * both unencoded (base64 belongs to the protocol).
 *
 *     name = mm_sasl_choose (offered, means, is_private);
 *     sasl = mm_sasl_new (name, &credentials, &error);
 *     if (mm_sasl_has_initial_response (sasl) && the protocol can carry one)
 *       send (mm_sasl_step (sasl, NULL, 0, &error));
 *     for each challenge until the server says yes or no:
 *       send (mm_sasl_step (sasl, challenge, length, &error));   (NULL: cancel the exchange)
 *     yes, and mm_sasl_may_succeed (sasl): signed in.
 *
 * Which mechanism to try, with which secret, and what after a refusal is the business of
 * src/remote/sign-in.h. GNU SASL computes all but XOAUTH2 and OAUTHBEARER (RFC 7628), which are built
 * here. GSSAPI is not quite without I/O: the Kerberos library reads the user's tickets and may ask
 * the ticket server, so that a step of it blocks. One thread at a time.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

typedef struct MmSasl MmSasl;

/* By what an account can prove that it is itself. */
typedef enum
{
  MM_SASL_PASSWORD = 1 << 0,
  MM_SASL_TOKEN = 1 << 1,       /* an OAuth2 access token */
  MM_SASL_TICKET = 1 << 2,      /* Kerberos; that it is there is not known before the exchange */
  MM_SASL_CERTIFICATE = 1 << 3, /* the client's, which the TLS session has shown already */
  MM_SASL_BINDING = 1 << 4,     /* beside a password: the TLS session's channel binding is known */
} MmSaslMeans;

typedef struct
{
  const gchar *user;
  MmSecret *password;   /* nullable */
  MmSecret *token;      /* nullable */
  const gchar *service; /* of Kerberos: "imap", "pop" */
  const gchar *host;
  guint16 port;
  /* Nullable: the TLS session's channel binding, "tls-exporter" (RFC 9266) or "tls-unique" (RFC 5929). */
  const gchar *binding_type;
  GBytes *binding;
} MmSaslCredentials;

/* The strongest mechanism among the NULL-terminated @offered for which @means suffice: EXTERNAL,
 * GSSAPI, SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, OAUTHBEARER, XOAUTH2,
 * CRAM-MD5, PLAIN, LOGIN. Those by which who reads the line could sign in (PLAIN, LOGIN, the OAuth
 * ones) only when @is_private: an encrypted line or a loopback peer. NULL when none fits.
 * (transfer none) */
const gchar *mm_sasl_choose (const gchar *const *offered, MmSaslMeans means, gboolean is_private);

/* All mechanisms known, strongest first, NULL-terminated. (transfer none) */
const gchar *const *mm_sasl_get_mechanisms (void);
/* What @mechanism, in any case, needs; 0 when it is not known. */
MmSaslMeans mm_sasl_get_needs (const gchar *mechanism);
/* Whether who reads the line could sign in afterwards. */
gboolean mm_sasl_is_clear_text (const gchar *mechanism);
/* Whether @name is among the NULL-terminated @offered, in any case. */
gboolean mm_sasl_is_offered (const gchar *const *offered, const gchar *name);

/* Starts an exchange. Copies the credentials it needs and wipes them when freed.
 * NULL with MM_ERROR_UNSUPPORTED for an unknown mechanism, MM_ERROR_AUTHENTICATION for credentials
 * that are missing or cannot be sent. */
MmSasl *mm_sasl_new (const gchar *mechanism, const MmSaslCredentials *credentials, GError **error);
MmSasl *mm_sasl_ref (MmSasl *sasl);
void mm_sasl_unref (MmSasl *sasl);

const gchar *mm_sasl_get_mechanism (const MmSasl *sasl);

/* TRUE when the client speaks first, so that an initial response (RFC 4959, RFC 5034) can save a round
 * trip. */
gboolean mm_sasl_has_initial_response (const MmSasl *sasl);

/* The answer to one challenge (empty for the initial response). The answer may hold a password:
 * wipe it (mm_secret_wipe) after use. NULL with MM_ERROR_AUTHENTICATION when the exchange cannot
 * go on, for example because the server proved not to know the password. (transfer full) */
GByteArray *mm_sasl_step (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error);

/* TRUE when the server may end the exchange with success now; SCRAM demands that the server
 * proved itself first. */
gboolean mm_sasl_may_succeed (const MmSasl *sasl);

/* TRUE as soon as a response depended on the secret: a refusal before that says nothing about it. */
gboolean mm_sasl_has_used_secret (const MmSasl *sasl);

/* What the server said went wrong, in its own short word ("invalid_token", "channel-bindings-dont-
 * match"), printable; NULL when it said nothing. (transfer none) */
const gchar *mm_sasl_get_server_error (const MmSasl *sasl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmSasl, mm_sasl_unref)

G_END_DECLS
