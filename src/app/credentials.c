// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/fd.h>
#include <mailmount/log.h>
#include <mailmount/sasl.h>

#include "command.h"
#include "credentials.h"
#include "keyring.h"
#include "netrc.h"
#include "paths.h"
#include "prompt.h"

/* A command may wait for a person who types a passphrase. */
#define COMMAND_DEADLINE_MS 120000
#define KEYRING_DEADLINE_MS 60000

#define TOKEN_KEPT_US (60 * G_USEC_PER_SEC)

#define CREDENTIAL_OCTETS_MAX 65536

struct MmCredentials
{
  const MmConfig *config; /* borrowed, immutable */

  GMutex lock; /* guards all below, and is held while a source is asked */
  gboolean may_prompt;
  MmSecret *secret; /* nullable */
  gint64 found_us;
};

MmCredentials *
mm_credentials_new (const MmConfig *config)
{
  MmCredentials *credentials = g_new0 (MmCredentials, 1);

  credentials->config = config;
  g_mutex_init (&credentials->lock);
  return credentials;
}

void
mm_credentials_free (MmCredentials *credentials)
{
  g_clear_pointer (&credentials->secret, mm_secret_unref);
  g_mutex_clear (&credentials->lock);
  g_free (credentials);
}

gboolean
mm_credentials_are_token (const MmCredentials *credentials)
{
  return credentials->config->token_command != NULL;
}

/* The first line of the file @path, NULL when there is none. */
static MmSecret *
read_first_line (const gchar *path)
{
  mm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  gsize length = 0;
  ssize_t n;

  if (fd < 0)
    return NULL;
  gchar *text = g_malloc (CREDENTIAL_OCTETS_MAX);
  while (length < CREDENTIAL_OCTETS_MAX
         && ((n = read (fd, text + length, CREDENTIAL_OCTETS_MAX - length)) > 0
             || (n < 0 && errno == EINTR)))
    length += n > 0 ? (gsize) n : 0;

  const gchar *newline = memchr (text, '\n', length);
  gsize line = newline != NULL ? (gsize) (newline - text) : length;
  if (line > 0 && text[line - 1] == '\r')
    line--;
  MmSecret *secret = line > 0 ? mm_secret_new (text, line) : NULL;
  mm_secret_wipe (text, CREDENTIAL_OCTETS_MAX);
  g_free (text);
  return secret;
}

/* https://systemd.io/CREDENTIALS */
static MmSecret *
look_in_credentials_directory (const MmSourceUrl *url)
{
  const gchar *directory = g_getenv ("CREDENTIALS_DIRECTORY");

  if (directory == NULL || !g_path_is_absolute (directory))
    return NULL;
  g_autofree gchar *of_user = g_strdup_printf ("mailmount.%s@%s", url->user, url->host);
  g_autofree gchar *of_host = g_strdup_printf ("mailmount.%s", url->host);
  const gchar *const names[] = { of_user, of_host, "mailmount" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      if (strchr (names[i], '/') != NULL)
        continue;
      g_autofree gchar *path = g_build_filename (directory, names[i], NULL);
      MmSecret *secret = read_first_line (path);
      if (secret != NULL)
        return secret;
    }
  return NULL;
}

/* FALSE only when a file holds the password and must not be used. */
static gboolean
look_in_home (const MmConfig *config, MmSecret **out_secret, const gchar **out_source,
              GError **error)
{
  static const gchar *const names[] = { ".netrc", ".authinfo" };
  static const gchar *const sources[] = { "~/.netrc", "~/.authinfo" };
  MmNetrcQuery query = { .host = config->source.host,
                         .user = config->source.user,
                         .protocol = mm_source_url_get_scheme (&config->source),
                         .port = config->port };
  g_autofree gchar *home = mm_path_home ();

  for (gsize i = 0; i < G_N_ELEMENTS (names) && *out_secret == NULL; i++)
    {
      g_autofree gchar *path = g_build_filename (home, names[i], NULL);
      if (!mm_netrc_lookup (path, &query, out_secret, error))
        return FALSE;
      *out_source = sources[i];
    }
  return TRUE;
}

static MmSecret *
ask_on_terminal (const MmConfig *config, GError **error)
{
  g_autofree gchar *question
      = g_strdup_printf ("Password of %s at %s: ", config->source.user, config->source.host);
  g_autoptr (GError) local = NULL;
  MmSecret *secret = mm_prompt_secret (question, &local);

  if (secret == NULL && g_error_matches (local, MM_ERROR, MM_ERROR_AUTHENTICATION))
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "no password for %s at %s: %s; provide it by -o password_command=CMD, systemd's "
                 "credentials, %s~/.netrc or ~/.authinfo",
                 config->source.user, config->source.host, local->message,
                 mm_keyring_is_built_in () ? "the desktop keyring, " : "");
  else if (secret == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return secret;
}

/* Goes through the sources in their order. */
static MmSecret *
find_password_locked (MmCredentials *credentials, const gchar **out_source, GError **error)
{
  const MmConfig *config = credentials->config;
  MmSecret *secret = NULL;

  if (config->password_command != NULL)
    {
      *out_source = "password_command";
      return mm_command_read_secret ("password_command", config->password_command,
                                     COMMAND_DEADLINE_MS, error);
    }
  *out_source = "$CREDENTIALS_DIRECTORY";
  secret = look_in_credentials_directory (&config->source);
  if (secret != NULL)
    return secret;
  *out_source = "the keyring";
  secret = mm_keyring_lookup (config->source.host, config->source.user,
                              mm_source_url_get_scheme (&config->source), KEYRING_DEADLINE_MS);
  if (secret != NULL)
    return secret;
  if (!look_in_home (config, &secret, out_source, error) || secret != NULL)
    return secret;
  *out_source = "the terminal";
  if (credentials->may_prompt)
    return ask_on_terminal (config, error);
  if (credentials->secret != NULL)
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "the server refused the password of %s at %s, and there is no other",
                 config->source.user, config->source.host);
  else
    g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                 "no password for %s at %s was found, and nobody is there to type it; provide it by "
                 "-o password_command=CMD",
                 config->source.user, config->source.host);
  return NULL;
}

static gboolean
is_usable_locked (const MmCredentials *credentials)
{
  if (credentials->secret == NULL)
    return FALSE;
  return credentials->config->token_command == NULL
         || mm_clock_monotonic_us () - credentials->found_us < TOKEN_KEPT_US;
}

static gboolean
is_same (const MmSecret *a, const MmSecret *b)
{
  return a != NULL && mm_secret_get_length (a) == mm_secret_get_length (b)
         && memcmp (mm_secret_get (a), mm_secret_get (b), mm_secret_get_length (a)) == 0;
}

static MmSecret *
get_locked (MmCredentials *credentials, gboolean want_fresh, GError **error)
{
  const MmConfig *config = credentials->config;
  const gchar *source = "token_command";

  if (!want_fresh && is_usable_locked (credentials))
    return mm_secret_ref (credentials->secret);

  g_autoptr (MmSecret) found
      = config->token_command != NULL
            ? mm_command_read_secret ("token_command", config->token_command, COMMAND_DEADLINE_MS,
                                      error)
            : find_password_locked (credentials, &source, error);
  if (found == NULL)
    return NULL;
  if (memchr (mm_secret_get (found), '\0', mm_secret_get_length (found)) != NULL)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION, "the password from %s has a NUL octet",
                   source);
      return NULL;
    }
  /* Servers lock accounts for less than a password refused again and again. */
  if (want_fresh && is_same (credentials->secret, found))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION,
                   "the server refused the %s of %s at %s, which came from %s",
                   config->token_command != NULL ? "token" : "password", config->source.user,
                   config->source.host, source);
      return NULL;
    }
  g_clear_pointer (&credentials->secret, mm_secret_unref);
  credentials->secret = mm_secret_ref (found);
  credentials->found_us = mm_clock_monotonic_us ();
  mm_log_debug ("%s of %s at %s from %s", config->token_command != NULL ? "token" : "password",
                config->source.user, config->source.host, source);
  return g_steal_pointer (&found);
}

MmSecret *
mm_credentials_get (gboolean want_fresh, gpointer data, GError **error)
{
  MmCredentials *credentials = data;

  g_mutex_lock (&credentials->lock);
  MmSecret *secret = get_locked (credentials, want_fresh, error);
  g_mutex_unlock (&credentials->lock);
  return secret;
}

/* The usual places; a ticket that KCM or the kernel keeps is found by auth=GSSAPI alone. */
gboolean
mm_credentials_have_ticket (const MmCredentials *credentials)
{
  g_autofree gchar *usual = g_strdup_printf ("/tmp/krb5cc_%u", (guint) getuid ());

  return g_getenv ("KRB5CCNAME") != NULL || g_file_test (usual, G_FILE_TEST_EXISTS);
}

static gboolean
may_do_without_secret (const MmCredentials *credentials)
{
  const MmConfig *config = credentials->config;

  if (config->auth != NULL)
    return (mm_sasl_get_needs (config->auth) & (MM_SASL_PASSWORD | MM_SASL_TOKEN)) == 0;
  return config->cert_file != NULL || config->tunnel != NULL || mm_credentials_have_ticket (credentials);
}

gboolean
mm_credentials_prepare (MmCredentials *credentials, GError **error)
{
  g_autoptr (MmSecret) secret = NULL;
  gboolean is_wanted = !may_do_without_secret (credentials);

  g_mutex_lock (&credentials->lock);
  credentials->may_prompt = TRUE;
  if (is_wanted)
    {
      secret = get_locked (credentials, FALSE, error);
      credentials->may_prompt = FALSE;
    }
  g_mutex_unlock (&credentials->lock);
  return !is_wanted || secret != NULL;
}

void
mm_credentials_forget_terminal (MmCredentials *credentials)
{
  g_mutex_lock (&credentials->lock);
  credentials->may_prompt = FALSE;
  g_mutex_unlock (&credentials->lock);
}
