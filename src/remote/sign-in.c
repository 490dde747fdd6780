// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>

#include "sign-in.h"

/* What the protocol's own command is called in auth=. */
#define PASSWORD_COMMAND "LOGIN"

struct MmSignIn
{
  const MmRemoteConfig *config; /* borrowed, immutable */
  const gchar *service;

  GMutex lock;       /* held while the application is asked, with no other lock; guards: */
  MmSecret *current; /* nullable: the token given last */
  guint first_binding; /* those before it the server did not take */
};

struct MmSignInAttempt
{
  MmSignIn *sign_in;
  GStrv offered;  /* as the server told */
  GStrv left;     /* those not struck off yet */
  gboolean has_password_command;
  gboolean is_private;
  GBytes *bindings[MM_N_BINDING_TYPES]; /* each nullable */
  guint binding; /* the type to try; MM_N_BINDING_TYPES: none is left */

  const gchar *mechanism; /* being tried; NULL before the first */
  gchar *description;     /* of it */
  MmSasl *sasl;           /* nullable: the protocol's own command is tried */
  MmSecret *secret;       /* nullable: the mechanism needs none */
  gboolean is_renewed;    /* the token was asked for anew */
  gboolean wants_renewal;
  guint n_unexplained; /* refusals that left open what they are of */

  GError *refusal; /* of what was tried last; NULL before that */
  gboolean is_hopeless;
};

/* Each is a failed login to a server that counts them. */
#define UNEXPLAINED_MAX 2

MmSignIn *
mm_sign_in_new (const MmRemoteConfig *config, const gchar *service)
{
  MmSignIn *sign_in = g_new0 (MmSignIn, 1);

  sign_in->config = config;
  sign_in->service = service;
  g_mutex_init (&sign_in->lock);
  return sign_in;
}

void
mm_sign_in_free (MmSignIn *sign_in)
{
  g_clear_pointer (&sign_in->current, mm_secret_unref);
  g_mutex_clear (&sign_in->lock);
  g_free (sign_in);
}

static gboolean
is_same (const MmSecret *a, const MmSecret *b)
{
  return mm_secret_get_length (a) == mm_secret_get_length (b)
         && memcmp (mm_secret_get (a), mm_secret_get (b), mm_secret_get_length (a)) == 0;
}

/* The secret. @refused, nullable: the one that the server just refused. A token is shared: when it is
 * another one by now, nobody need be asked. (transfer full) */
static MmSecret *
get_secret (MmSignIn *sign_in, const MmSecret *refused, GError **error)
{
  const MmRemoteConfig *config = sign_in->config;
  MmSecret *secret = NULL;

  g_mutex_lock (&sign_in->lock);
  if (refused != NULL && sign_in->current != NULL && !is_same (refused, sign_in->current))
    secret = mm_secret_ref (sign_in->current);
  else
    {
      secret = config->get_secret (refused != NULL, config->get_secret_data, error);
      if (secret != NULL && config->secret_is_token)
        {
          g_clear_pointer (&sign_in->current, mm_secret_unref);
          sign_in->current = mm_secret_ref (secret);
        }
    }
  g_mutex_unlock (&sign_in->lock);
  return secret;
}

/* The order of MmBindingType is that in which they are tried. */
static const gchar *const binding_names[] = {
  [MM_BINDING_TLS_EXPORTER] = "tls-exporter",
  [MM_BINDING_TLS_UNIQUE] = "tls-unique",
};

static void
skip_missing_bindings (MmSignInAttempt *attempt)
{
  while (attempt->binding < MM_N_BINDING_TYPES && attempt->bindings[attempt->binding] == NULL)
    attempt->binding++;
}

MmSignInAttempt *
mm_sign_in_attempt_new (MmSignIn *sign_in, const MmSignInOffer *offer)
{
  MmSignInAttempt *attempt = g_new0 (MmSignInAttempt, 1);

  attempt->sign_in = sign_in;
  attempt->offered = g_strdupv ((gchar **) offer->mechanisms);
  attempt->left = g_strdupv ((gchar **) offer->mechanisms);
  attempt->has_password_command = offer->has_password_command;
  attempt->is_private = offer->is_private;
  for (guint type = 0; type < MM_N_BINDING_TYPES; type++)
    attempt->bindings[type] = offer->bindings[type] != NULL ? g_bytes_ref (offer->bindings[type])
                                                             : NULL;
  g_mutex_lock (&sign_in->lock);
  attempt->binding = sign_in->first_binding;
  g_mutex_unlock (&sign_in->lock);
  skip_missing_bindings (attempt);
  return attempt;
}

void
mm_sign_in_attempt_free (MmSignInAttempt *attempt)
{
  g_strfreev (attempt->offered);
  g_strfreev (attempt->left);
  for (guint type = 0; type < MM_N_BINDING_TYPES; type++)
    g_clear_pointer (&attempt->bindings[type], g_bytes_unref);
  g_clear_pointer (&attempt->sasl, mm_sasl_unref);
  g_clear_pointer (&attempt->secret, mm_secret_unref);
  g_clear_error (&attempt->refusal);
  g_free (attempt->description);
  g_free (attempt);
}

const gchar *
mm_sign_in_attempt_describe (const MmSignInAttempt *attempt)
{
  return attempt->description;
}

/* ---- the choice ---- */

static MmSaslMeans
get_means (const MmSignInAttempt *attempt)
{
  const MmRemoteConfig *config = attempt->sign_in->config;

  return (config->secret_is_token ? MM_SASL_TOKEN : MM_SASL_PASSWORD)
         | (config->has_certificate ? MM_SASL_CERTIFICATE : 0)
         | (config->has_ticket ? MM_SASL_TICKET : 0)
         | (attempt->binding < MM_N_BINDING_TYPES ? MM_SASL_BINDING : 0);
}

static gboolean
may_use_password_command (const MmSignInAttempt *attempt)
{
  const MmRemoteConfig *config = attempt->sign_in->config;

  return attempt->has_password_command && !config->secret_is_token
         && (config->mechanism == NULL
             || g_ascii_strcasecmp (config->mechanism, PASSWORD_COMMAND) == 0);
}

/* *out_is_sasl FALSE: the protocol's own command. @is_private: as if the line were or were not. */
static const gchar *
choose (const MmSignInAttempt *attempt, gboolean is_private, gboolean *out_is_sasl)
{
  const MmRemoteConfig *config = attempt->sign_in->config;
  const gchar *const *left = (const gchar *const *) attempt->left;
  const gchar *const only[] = { config->mechanism, NULL };
  const gchar *chosen = NULL;

  *out_is_sasl = TRUE;
  if (config->mechanism == NULL)
    chosen = mm_sasl_choose (left, get_means (attempt), is_private);
  else if (mm_sasl_is_offered (left, config->mechanism))
    /* Who asks for Kerberos says that there is a ticket. */
    chosen = mm_sasl_choose (only, get_means (attempt) | MM_SASL_TICKET, is_private);
  if (chosen != NULL)
    return chosen;
  *out_is_sasl = FALSE;
  return may_use_password_command (attempt) && is_private ? PASSWORD_COMMAND : NULL;
}

/* What it is called in messages. */
static const gchar *
name_password_command (const MmSignInAttempt *attempt)
{
  return attempt->sign_in->config->endpoint.protocol == MM_PROTOCOL_POP3 ? "USER/PASS"
                                                                         : PASSWORD_COMMAND;
}

static gchar *
list_offered (const MmSignInAttempt *attempt)
{
  if (attempt->offered[0] != NULL)
    {
      g_autofree gchar *names = g_strjoinv (", ", attempt->offered);
      return g_strdup_printf ("it offers %s", names);
    }
  return attempt->has_password_command
             ? g_strdup_printf ("it offers %s alone", name_password_command (attempt))
             : g_strdup ("it offers none");
}

static void
set_no_way_error (const MmSignInAttempt *attempt, GError **error)
{
  const MmRemoteConfig *config = attempt->sign_in->config;
  const gchar *host = config->endpoint.host;
  const gchar *what = config->secret_is_token ? "token" : "password";
  g_autofree gchar *offered = list_offered (attempt);
  gboolean is_sasl;
  const gchar *in_clear = choose (attempt, TRUE, &is_sasl);

  if (in_clear != NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "%s would have to be sent the %s of %s in clear text over an unencrypted line, by %s; "
                 "use TLS",
                 host, what, config->user, in_clear);
  else if (config->mechanism == NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "%s offers no login by %s that we know: %s",
                 host, what, offered);
  else if (mm_sasl_is_offered ((const gchar *const *) attempt->offered, config->mechanism))
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "auth=%s cannot be used: this connection has no channel binding, which takes TLS 1.3, "
                 "or 1.2 with an extended master secret",
                 config->mechanism);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "%s does not offer auth=%s: %s", host,
                 config->mechanism, offered);
}

static MmSasl *
make_sasl (const MmSignInAttempt *attempt, GError **error)
{
  const MmRemoteConfig *config = attempt->sign_in->config;
  MmSaslMeans needs = mm_sasl_get_needs (attempt->mechanism);
  gboolean is_bound = (needs & MM_SASL_BINDING) != 0;
  MmSaslCredentials credentials = {
    .user = config->user,
    .password = (needs & MM_SASL_PASSWORD) != 0 ? attempt->secret : NULL,
    .token = (needs & MM_SASL_TOKEN) != 0 ? attempt->secret : NULL,
    .service = attempt->sign_in->service,
    .host = config->endpoint.host,
    .port = config->endpoint.port,
    .binding_type = is_bound ? binding_names[attempt->binding] : NULL,
    .binding = is_bound ? attempt->bindings[attempt->binding] : NULL,
  };

  return mm_sasl_new (attempt->mechanism, &credentials, error);
}

/* Makes what was chosen ready to be tried. */
static gboolean
begin (MmSignInAttempt *attempt, const gchar *mechanism, gboolean is_sasl, GError **error)
{
  const MmRemoteConfig *config = attempt->sign_in->config;
  MmSaslMeans needs = mm_sasl_get_needs (mechanism);
  g_autoptr (GError) local_error = NULL;

  attempt->mechanism = mechanism;
  g_free (attempt->description);
  attempt->description = g_strdup_printf ("logging in as %s at %s by %s", config->user,
                                          config->endpoint.host,
                                          is_sasl ? mechanism : name_password_command (attempt));
  g_clear_pointer (&attempt->sasl, mm_sasl_unref);
  if (attempt->secret == NULL && (needs & (MM_SASL_PASSWORD | MM_SASL_TOKEN)) != 0)
    attempt->secret = get_secret (attempt->sign_in, NULL, error);
  if (attempt->secret == NULL && (needs & (MM_SASL_PASSWORD | MM_SASL_TOKEN)) != 0)
    return FALSE;
  if (is_sasl)
    attempt->sasl = make_sasl (attempt, &local_error);
  if (local_error == NULL)
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&local_error), "%s: ", attempt->description);
  return FALSE;
}

/* ---- after a refusal ---- */

/* A refused token may only have expired. */
static gboolean
may_renew_token (const MmSignInAttempt *attempt)
{
  return (mm_sasl_get_needs (attempt->mechanism) & MM_SASL_TOKEN) != 0 && !attempt->is_renewed
         && mm_sasl_has_used_secret (attempt->sasl);
}

static gboolean
is_bound_to_tls (const MmSignInAttempt *attempt)
{
  return attempt->sasl != NULL
         && (mm_sasl_get_needs (attempt->mechanism) & MM_SASL_BINDING) != 0;
}

gboolean
mm_sign_in_attempt_is_about_mechanism (const MmSignInAttempt *attempt, const gchar *text)
{
  g_autofree gchar *lower = text != NULL ? g_ascii_strdown (text, -1) : NULL;

  return is_bound_to_tls (attempt) || (lower != NULL && strstr (lower, "mechanism") != NULL);
}

/* The server judged a ticket or a certificate; of the password it knows nothing yet. */
static gboolean
is_about_ticket (const MmSignInAttempt *attempt)
{
  return (mm_sasl_get_needs (attempt->mechanism) & (MM_SASL_TICKET | MM_SASL_CERTIFICATE)) != 0;
}

/* Before the proof a server that does not know the binding may say in the same code that the login failed. */
static gboolean
may_be_about_binding (const MmSignInAttempt *attempt, MmSignInRefusal refusal)
{
  return refusal == MM_SIGN_IN_JUDGED && is_bound_to_tls (attempt)
         && !mm_sasl_has_used_secret (attempt->sasl);
}

static gboolean
may_try_another (const MmSignInAttempt *attempt, MmSignInRefusal refusal)
{
  if (attempt->sasl == NULL || !attempt->is_private
      || attempt->sign_in->config->mechanism != NULL)
    return FALSE;
  if (is_about_ticket (attempt))
    return TRUE;
  switch (refusal)
    {
    case MM_SIGN_IN_UNSUPPORTED:
      return TRUE;
    case MM_SIGN_IN_REFUSED:
      return !mm_sasl_has_used_secret (attempt->sasl) && attempt->n_unexplained < UNEXPLAINED_MAX;
    case MM_SIGN_IN_JUDGED:
    case MM_SIGN_IN_BROKEN_OFF:
      return FALSE;
    }
  return FALSE;
}

/* The server did not take the binding: the next one, or none with any mechanism. */
static void
drop_binding (MmSignInAttempt *attempt)
{
  MmSignIn *sign_in = attempt->sign_in;

  attempt->binding++;
  g_mutex_lock (&sign_in->lock);
  sign_in->first_binding = MAX (sign_in->first_binding, attempt->binding);
  g_mutex_unlock (&sign_in->lock);
  skip_missing_bindings (attempt);
}

static void
strike_off (MmSignInAttempt *attempt)
{
  gchar **kept = attempt->left;

  for (gchar **name = attempt->left; *name != NULL; name++)
    if (g_ascii_strcasecmp (*name, attempt->mechanism) == 0)
      g_free (*name);
    else
      *kept++ = *name;
  *kept = NULL;
}

static void G_GNUC_PRINTF (2, 3)
add_words (GError *why, const gchar *format, ...)
{
  g_autofree gchar *message = why->message;
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  why->message = g_strconcat (message, words, NULL);
}

/* The server's own short word says more than its sentence. */
static void
add_server_error (const MmSasl *sasl, GError *why)
{
  const gchar *word = sasl != NULL ? mm_sasl_get_server_error (sasl) : NULL;

  if (word != NULL && word[0] != '\0' && strstr (why->message, word) == NULL)
    add_words (why, " (%s)", word);
}

/* What the user can do about a secret that was judged. */
static void
add_advice (const MmSignInAttempt *attempt, MmSignInRefusal refusal, GError *why)
{
  const gchar *hint = attempt->sign_in->config->secret_hint;
  gboolean is_used = attempt->sasl == NULL || mm_sasl_has_used_secret (attempt->sasl);

  /* Where the secret was not used it is the user who is refused, if nothing else is to be tried. */
  if (attempt->secret == NULL
      || (!is_used && refusal != MM_SIGN_IN_JUDGED && attempt->sign_in->config->mechanism == NULL
          && attempt->n_unexplained < UNEXPLAINED_MAX))
    return;
  if (hint != NULL)
    add_words (why, " (%s)", hint);
  /* Servers that keep passwords as digests offer it all the same. After another mechanism was refused it is
   * rather the user who is not known. */
  gboolean is_first = attempt->n_unexplained == (refusal == MM_SIGN_IN_REFUSED ? 1 : 0);
  if (strcmp (attempt->mechanism, "CRAM-MD5") == 0 && attempt->is_private && is_first
      && mm_sasl_is_offered ((const gchar *const *) attempt->offered, "PLAIN"))
    add_words (why, "; if they are right, the server may know no more than a digest: try auth=PLAIN");
}

void
mm_sign_in_attempt_refuse (MmSignInAttempt *attempt, MmSignInRefusal refusal, GError *why)
{
  gboolean is_judged = g_error_matches (why, MM_ERROR, MM_ERROR_AUTHENTICATION)
                       || g_error_matches (why, MM_ERROR, MM_ERROR_PERMISSION);

  /* One more without any binding finds out. */
  gboolean gives_up_binding = may_be_about_binding (attempt, refusal);
  if (gives_up_binding)
    refusal = MM_SIGN_IN_REFUSED;
  gboolean is_refused = refusal == MM_SIGN_IN_REFUSED || refusal == MM_SIGN_IN_JUDGED;
  add_server_error (attempt->sasl, why);
  if (refusal == MM_SIGN_IN_REFUSED && !is_about_ticket (attempt))
    attempt->n_unexplained++;
  if (is_refused && is_judged)
    add_advice (attempt, refusal, why);
  g_clear_error (&attempt->refusal);
  attempt->refusal = why;
  attempt->wants_renewal
      = is_judged && is_refused && may_renew_token (attempt);
  if (attempt->wants_renewal)
    return;
  /* A BAD answer is code PROTOCOL, which would have the connection tried again. */
  if (refusal == MM_SIGN_IN_UNSUPPORTED)
    why->code = MM_ERROR_AUTHENTICATION;
  if (refusal == MM_SIGN_IN_UNSUPPORTED && is_bound_to_tls (attempt))
    {
      drop_binding (attempt);
      attempt->is_hopeless = attempt->sign_in->config->mechanism != NULL
                             && attempt->binding == MM_N_BINDING_TYPES;
      return;
    }
  attempt->is_hopeless
      = !(is_judged || refusal == MM_SIGN_IN_UNSUPPORTED) || !may_try_another (attempt, refusal);
  strike_off (attempt);
  if (gives_up_binding)
    attempt->binding = MM_N_BINDING_TYPES;
}

/* The refusal, and why nothing came after it. */
static gboolean
give_up (MmSignInAttempt *attempt, const GError *obstacle, GError **error)
{
  GError *refusal = g_steal_pointer (&attempt->refusal);

  if (obstacle != NULL)
    {
      g_autofree gchar *message = refusal->message;
      refusal->message = g_strdup_printf ("%s; %s", message, obstacle->message);
    }
  g_propagate_error (error, refusal);
  return FALSE;
}

static gboolean
renew_token (MmSignInAttempt *attempt, GError **error)
{
  g_autoptr (MmSecret) refused = g_steal_pointer (&attempt->secret);

  attempt->is_renewed = TRUE;
  attempt->wants_renewal = FALSE;
  attempt->secret = get_secret (attempt->sign_in, refused, error);
  return attempt->secret != NULL && begin (attempt, attempt->mechanism, TRUE, error);
}

static gboolean
begin_next (MmSignInAttempt *attempt, GError **error)
{
  gboolean is_sasl;
  const gchar *mechanism = choose (attempt, attempt->is_private, &is_sasl);

  if (mechanism != NULL)
    return begin (attempt, mechanism, is_sasl, error);
  if (attempt->refusal == NULL)
    set_no_way_error (attempt, error);
  return FALSE;
}

gboolean
mm_sign_in_attempt_next (MmSignInAttempt *attempt, MmSignInWay *out_way, GError **error)
{
  g_autoptr (GError) obstacle = NULL;
  gboolean is_ready;

  if (attempt->is_hopeless)
    return give_up (attempt, NULL, error);
  if (attempt->wants_renewal)
    is_ready = renew_token (attempt, &obstacle);
  else
    is_ready = begin_next (attempt, &obstacle);
  if (!is_ready && attempt->refusal != NULL)
    return give_up (attempt, obstacle, error);
  if (!is_ready)
    {
      g_propagate_error (error, g_steal_pointer (&obstacle));
      return FALSE;
    }
  if (attempt->refusal != NULL)
    mm_log_debug ("%s", attempt->refusal->message);
  mm_log_debug ("%s%s%s", attempt->description, is_bound_to_tls (attempt) ? " with " : "",
                is_bound_to_tls (attempt) ? binding_names[attempt->binding] : "");
  *out_way = (MmSignInWay) { .sasl = attempt->sasl,
                             .password = attempt->sasl == NULL ? attempt->secret : NULL };
  return TRUE;
}
