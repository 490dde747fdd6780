// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Signing in, whatever the protocol: which mechanism is tried, with which secret, and what comes after
 * a refusal. The driver's part is what its protocol looks like:
 *
 *     attempt = mm_remote_wire_begin_sign_in (wire, sign_in, mechanisms, has_password_command);
 *     while (mm_sign_in_attempt_next (attempt, &way, error))
 *       {
 *         run way.sasl, or the protocol's own command with way.password;
 *         if (the server said yes, and mm_sasl_may_succeed (way.sasl))
 *           return TRUE;
 *         mm_sign_in_attempt_refuse (attempt, refusal, why);
 *       }
 *     return FALSE;
 *
 * The rules:
 * - The strongest mechanism that is offered and for which there is a secret; the protocol's own
 *   command where there is none. What who reads the line could use goes over private lines only.
 * - A refused token is asked for anew, once, by one connection: all others that were refused with the
 *   same token take the new one.
 * - Another mechanism is tried only where the refused one said nothing about the secret: the server
 *   does not have it, or not for this user, or there is no ticket; never with a password that was
 *   judged, for servers count those and lock out who has too many: one more after a refusal that names no
 *   reason, none after one that names the user or the secret. On a line that is not private there is no other at all: who sits
 *   on it would choose.
 * - Where the server offers to bind the login to TLS, the bindings that the line has are tried one
 *   after the other, for there is no way to ask which it knows; then it goes without. What it did not
 *   take is not tried by later connections.
 * - With MmRemoteConfig.mechanism there is no choice.
 */
#pragma once

#include <mailmount/remote.h>
#include <mailmount/sasl.h>
#include <mailmount/transport.h>

G_BEGIN_DECLS

/* What all connections of a remote share. Any thread. */
typedef struct MmSignIn MmSignIn;

/* @config is borrowed and immutable. @service: "imap", "pop", as Kerberos knows it. */
MmSignIn *mm_sign_in_new (const MmRemoteConfig *config, const gchar *service);
void mm_sign_in_free (MmSignIn *sign_in);

/* What the server and the line allow. Copied. mm_remote_wire_begin_sign_in() makes one for drivers. */
typedef struct
{
  const gchar *const *mechanisms; /* SASL, NULL-terminated */
  gboolean has_password_command;  /* LOGIN of IMAP, USER and PASS of POP3 are there */
  gboolean is_private;            /* mm_transport_is_private() */
  GBytes *bindings[MM_N_BINDING_TYPES]; /* each nullable: mm_transport_dup_binding() */
} MmSignInOffer;

/* One connection's, on its thread. */
typedef struct MmSignInAttempt MmSignInAttempt;

MmSignInAttempt *mm_sign_in_attempt_new (MmSignIn *sign_in, const MmSignInOffer *offer);
void mm_sign_in_attempt_free (MmSignInAttempt *attempt);

/* Both are the attempt's; who gives the exchange away takes a reference. */
typedef struct
{
  MmSasl *sasl;       /* NULL: the protocol's own command, with: */
  MmSecret *password;
} MmSignInWay;

/* What to try now. FALSE when there is nothing (more): with the refusal, or what would be needed. May
 * block while the application is asked for the secret. MM_ERROR_AUTHENTICATION, or as refused. */
gboolean mm_sign_in_attempt_next (MmSignInAttempt *attempt, MmSignInWay *out_way, GError **error);

/* "logging in as USER at HOST by MECHANISM": what is being tried, for an error's beginning. */
const gchar *mm_sign_in_attempt_describe (const MmSignInAttempt *attempt);

typedef enum
{
  MM_SIGN_IN_REFUSED,     /* the server said no, not of what */
  MM_SIGN_IN_JUDGED,      /* the server said that the user or the secret is wrong: RFC 5530 AUTHENTICATIONFAILED, RFC 3206
                             AUTH */
  MM_SIGN_IN_UNSUPPORTED, /* the server said that it does not have the mechanism */
  MM_SIGN_IN_BROKEN_OFF,  /* the exchange could not go on on our side */
} MmSignInRefusal;

/* What was to be tried did not succeed. @why (transfer full), for people; with another code than
 * MM_ERROR_AUTHENTICATION nothing else is tried, unless UNSUPPORTED. */
void mm_sign_in_attempt_refuse (MmSignInAttempt *attempt, MmSignInRefusal refusal, GError *why);

/* Whether a refusal without a code of its own, in the words @text (nullable), is of the mechanism:
 * "Unsupported authentication mechanism", "no mechanism available". Of one that is bound to TLS it
 * is, whatever it says: a server that knows another binding seldom says so. */
gboolean mm_sign_in_attempt_is_about_mechanism (const MmSignInAttempt *attempt, const gchar *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmSignIn, mm_sign_in_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmSignInAttempt, mm_sign_in_attempt_free)

G_END_DECLS
