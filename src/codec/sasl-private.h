// SPDX-License-Identifier: GPL-3.0-or-later
/* What sasl.c (which mechanism), sasl-gsasl.c and sasl-oauth.c (how it goes) share. */
#pragma once

#include <mailmount/sasl.h>

G_BEGIN_DECLS

typedef struct MmSaslKind MmSaslKind;

typedef struct
{
  const gchar *name;
  const MmSaslKind *kind;
  MmSaslMeans needs;
  gboolean speaks_first;
  gboolean is_clear_text; /* who reads the line can sign in */
  guint secret_step;      /* the first response that depends on the secret, counted from 1 */
} MmSaslMechanism;

/* A kind of exchange embeds it as its first member. */
struct MmSasl
{
  const MmSaslMechanism *mechanism;
  gatomicrefcount refs;
  guint n_responses;
  gboolean may_succeed;
  gboolean is_over;    /* failed, or the client has said everything */
  gchar *server_error; /* nullable */
};

struct MmSaslKind
{
  gsize size; /* octets of the struct that begins with MmSasl, made of zeros */
  gboolean (*start) (MmSasl *sasl, const MmSaslCredentials *credentials, GError **error);
  GByteArray *(*step) (MmSasl *sasl, const guint8 *challenge, gsize length, GError **error);
  void (*clear) (MmSasl *sasl); /* also of one whose start failed */
};

extern const MmSaslKind mm_sasl_gsasl_kind;
extern const MmSaslKind mm_sasl_oauth_kind;

/* Sets MM_ERROR_AUTHENTICATION; FALSE. */
gboolean mm_sasl_fail (GError **error, const gchar *why);

/* Remembers @length octets of @word as what the server said went wrong. */
void mm_sasl_set_server_error (MmSasl *sasl, const gchar *word, gsize length);

G_END_DECLS
