// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <unistd.h>

#include <mailmount/content-cache.h>
#include <mailmount/log.h>
#include <mailmount/sasl.h>

#include "option-table.h"
#include "options.h"
#include "paths.h"
#include "subcommand.h"

#define DEFAULT_CONNECTIONS 4
#define DEFAULT_TIMEOUT_S   60
#define DEFAULT_REFRESH_S   60
#define DEFAULT_UMASK       077
#define DEFAULT_CACHE_SIZE  ((guint64) 2 << 30)
#define DEFAULT_CACHE_MEMORY ((guint64) 64 << 20)


/* What is gathered before anything is judged. */
typedef struct
{
  gint argc;
  gchar **argv;
  gint next; /* index of the word to read next */
  GPtrArray *positional; /* borrowed from argv */
  MmConfig *config;
  gboolean is_sloppy;
  gboolean wants_help;
  gboolean wants_version;
} Parser;

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *raw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree gchar *shown = mm_log_printable (raw);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_USAGE, shown);
  return FALSE;
}

gboolean
mm_options_is_helper (const gchar *argv0)
{
  g_autofree gchar *name = argv0 != NULL ? g_path_get_basename (argv0) : NULL;
  return g_strcmp0 (name, "mount.mailmount") == 0;
}

/* One comma list. Empty words are skipped, as mount(8) and FUSE do. */
static gboolean
apply_list (Parser *parser, const gchar *list, GError **error)
{
  g_autoptr (GString) word = g_string_new (NULL);

  for (const gchar *p = list;; p++)
    {
      if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
        g_string_append_c (word, *++p);
      else if (*p != ',' && *p != '\0')
        g_string_append_c (word, *p);
      else
        {
          if (word->len > 0 && (!parser->is_sloppy || mm_option_is_known (word->str))
              && !mm_option_apply (parser->config, word->str, error))
            return FALSE;
          g_string_truncate (word, 0);
          if (*p == '\0')
            return TRUE;
        }
    }
}

/* The value of a letter that takes one: the rest of its word or the next word. */
static const gchar *
take_value (Parser *parser, const gchar *rest, gchar letter, GError **error)
{
  if (*rest != '\0')
    return rest;
  if (parser->next < parser->argc)
    return parser->argv[parser->next++];
  fail (error, "-%c needs a value", letter);
  return NULL;
}

/* One letter behind a dash. *@rest is what follows in its word; NULL when it was used up. */
static gboolean
apply_letter (Parser *parser, gchar letter, const gchar **rest, GError **error)
{
  MmConfig *config = parser->config;
  const gchar *value;

  switch (letter)
    {
    case 'o':
      value = take_value (parser, *rest, letter, error);
      *rest = NULL;
      return value != NULL && apply_list (parser, value, error);
    case 't':
      if (!config->is_helper)
        break;
      value = take_value (parser, *rest, letter, error);
      *rest = NULL;
      return value != NULL;
    case 'f':
      config->is_fake |= config->is_helper;
      config->foreground |= !config->is_helper;
      return TRUE;
    case 'd':
      config->debug = config->foreground = TRUE;
      return TRUE;
    case 'v':
      config->is_verbose = TRUE;
      return TRUE;
    case 'h':
      parser->wants_help = TRUE;
      return TRUE;
    case 'V':
      parser->wants_version = TRUE;
      return TRUE;
    case 's':
    case 'n':
    case 'N':
      if (config->is_helper)
        return TRUE;
      break;
    default:
      break;
    }
  return fail (error, "unknown option '-%c': mailmount --help lists all", letter);
}

static gboolean
apply_word (Parser *parser, const gchar *word, GError **error)
{
  if (word[0] != '-' || word[1] == '\0')
    {
      g_ptr_array_add (parser->positional, (gpointer) word);
      return TRUE;
    }
  if (word[1] == '-')
    {
      if (strcmp (word, "--help") == 0)
        parser->wants_help = TRUE;
      else if (strcmp (word, "--version") == 0)
        parser->wants_version = TRUE;
      else
        {
          g_autofree gchar *name = g_strndup (word, strcspn (word, "="));
          const gchar *bare = name + 2;
          return fail (error, "unknown option '%s'%s%s", name,
                       mm_option_is_known (bare) ? ": it is written -o " : "",
                       mm_option_is_known (bare) ? bare : ": mailmount --help lists all");
        }
      return TRUE;
    }
  for (const gchar *rest = word + 1; rest != NULL && *rest != '\0';)
    {
      gchar letter = *rest++;
      if (!apply_letter (parser, letter, &rest, error))
        return FALSE;
    }
  return TRUE;
}

/* mount(8) puts -s behind the options it speaks of. */
static void
look_for_sloppy (Parser *parser)
{
  for (gint i = 1; parser->config->is_helper && i < parser->argc; i++)
    {
      const gchar *word = parser->argv[i];
      if (strcmp (word, "-o") == 0 || strcmp (word, "-t") == 0)
        i++;
      else if (word[0] == '-' && word[1] != 'o' && word[1] != 't' && strchr (word, 's') != NULL)
        parser->is_sloppy = TRUE;
    }
}

static gboolean
read_words (Parser *parser, GError **error)
{
  gboolean only_positional = FALSE;

  look_for_sloppy (parser);
  while (parser->next < parser->argc)
    {
      const gchar *word = parser->argv[parser->next++];

      if (only_positional)
        g_ptr_array_add (parser->positional, (gpointer) word);
      else if (strcmp (word, "--") == 0)
        only_positional = TRUE;
      else if (!apply_word (parser, word, error))
        return FALSE;
    }
  return TRUE;
}

/* The name of an option that is about TLS and was written, NULL when none was. */
static const gchar *
find_tls_option (const MmConfig *config)
{
  return config->ca_file != NULL       ? "cafile"
         : config->fingerprint != NULL ? "fingerprint"
         : config->cert_file != NULL   ? "cert"
                                       : NULL;
}

/* A tunnel replaces the network: what is said of that would have no effect. */
static gboolean
settle_tunnel (MmConfig *config, GError **error)
{
  const gchar *needless = config->proxy != NULL ? "proxy" : find_tls_option (config);

  if (config->source.is_secure_scheme)
    return fail (error, "what goes through tunnel= is not encrypted once more: write %s://",
                 config->source.protocol == MM_PROTOCOL_POP3 ? "pop3" : "imap");
  if (config->has_tls && config->tls != MM_TLS_NONE)
    needless = "tls";
  if (needless != NULL)
    return fail (error, "%s= has no meaning with tunnel=", needless);
  config->tls = MM_TLS_NONE;
  return TRUE;
}

static gboolean
settle_tls (MmConfig *config, GError **error)
{
  const MmSourceUrl *source = &config->source;
  const gchar *scheme = mm_source_url_get_scheme (source);

  if (config->tunnel != NULL && !settle_tunnel (config, error))
    return FALSE;
  if (config->tunnel == NULL && !config->has_tls)
    config->tls = source->is_secure_scheme ? MM_TLS_IMPLICIT : MM_TLS_STARTTLS;
  else if (source->is_secure_scheme && config->tls != MM_TLS_IMPLICIT)
    return fail (error, "%ss:// means TLS from the first octet on: with tls=%s write %s://", scheme,
                 config->tls == MM_TLS_NONE ? "none" : "starttls", scheme);
  if (config->key_file != NULL && config->cert_file == NULL)
    return fail (error, "key= has no meaning without cert=, the certificate that it is the key of");
  if (config->tls == MM_TLS_NONE && find_tls_option (config) != NULL)
    return fail (error, "%s= has no meaning with tls=none", find_tls_option (config));
  config->port = source->port;
  if (config->port == 0)
    config->port = mm_source_url_get_default_port (source, config->tls == MM_TLS_IMPLICIT);
  return TRUE;
}

static gboolean
is_gmail (const gchar *host)
{
  return g_ascii_strcasecmp (host, "imap.gmail.com") == 0
         || g_ascii_strcasecmp (host, "imap.googlemail.com") == 0
         || g_ascii_strcasecmp (host, "pop.gmail.com") == 0;
}

/* What auth= needs has to be there, and what it has no use for does not. */
static gboolean
settle_auth (const MmConfig *config, GError **error)
{
  MmSaslMeans needs = config->auth != NULL ? mm_sasl_get_needs (config->auth) : 0;

  if (config->auth == NULL)
    return TRUE;
  if ((needs & MM_SASL_TOKEN) != 0 && config->token_command == NULL)
    return fail (error, "auth=%s needs token_command=, whose output is the token", config->auth);
  if ((needs & MM_SASL_TOKEN) == 0 && config->token_command != NULL)
    return fail (error, "auth=%s has no use for token_command=; a token goes with OAUTHBEARER or "
                        "XOAUTH2", config->auth);
  if ((needs & MM_SASL_PASSWORD) == 0 && config->password_command != NULL)
    return fail (error, "auth=%s has no use for password_command=", config->auth);
  if ((needs & MM_SASL_CERTIFICATE) != 0 && config->cert_file == NULL)
    return fail (error, "auth=%s needs cert=, the certificate that says who you are", config->auth);
  if ((needs & MM_SASL_BINDING) != 0 && config->tls == MM_TLS_NONE)
    return fail (error, "auth=%s is bound to TLS and has no meaning with tls=none", config->auth);
  return TRUE;
}

static gboolean
settle (MmConfig *config, GError **error)
{
  if (!settle_tls (config, error) || !settle_auth (config, error))
    return FALSE;
  if (config->password_command != NULL && config->token_command != NULL)
    return fail (error, "password_command= and token_command= exclude each other");
  if (config->has_no_cache)
    g_clear_pointer (&config->cache_dir, g_free);
  else if (config->cache_dir == NULL)
    config->cache_dir = mm_path_default_cache ();
  if (!config->has_cache_size)
    config->cache_size_octets
        = config->has_no_cache ? DEFAULT_CACHE_MEMORY : DEFAULT_CACHE_SIZE;
  if (config->has_no_cache && config->cache_size_octets == 0)
    return fail (error, "cache=none,cache_size=0: memory needs a limit");
  if (!config->has_daily_limit && is_gmail (config->source.host))
    config->daily_octets = MM_GMAIL_DAILY_OCTETS;
  if (!config->has_umask)
    config->umask = config->allow_other ? 022 : DEFAULT_UMASK;
  if (!config->has_uid)
    config->uid = getuid ();
  if (!config->has_gid)
    config->gid = getgid ();
  return TRUE;
}

/* Whoever mistyped a command meant no source. The word is not repeated: it may be a secret. */
static gboolean
fail_no_source (GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (const MmSubcommand *const *command = mm_subcommand_table (); *command != NULL; command++)
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", (*command)->name);
  return fail (error, "the first argument is not a URL, as a source is "
                      "(imaps://USER@HOST[:PORT][/FOLDER]), nor one of the commands: %s",
               names->str);
}

static gboolean
take_positional (Parser *parser, GError **error)
{
  guint n = parser->positional->len;

  if (n == 0)
    return fail (error, "what to mount, and where? mailmount [-o OPTIONS] "
                        "imaps://USER@HOST[:PORT][/FOLDER] MOUNTPOINT; mailmount --help tells more");
  const gchar *source = g_ptr_array_index (parser->positional, 0);
  if (strstr (source, "://") == NULL && !parser->config->is_helper)
    return fail_no_source (error);
  if (!mm_source_url_parse (source, &parser->config->source, error))
    return FALSE;
  parser->config->source_text = g_strdup (source);
  if (n == 1)
    return fail (error, "the mount point is missing: mailmount [-o OPTIONS] SOURCE MOUNTPOINT");
  if (n > 2)
    return fail (error, "too many arguments: '%s' comes after SOURCE and MOUNTPOINT",
                 (const gchar *) g_ptr_array_index (parser->positional, 2));
  const gchar *mountpoint = g_ptr_array_index (parser->positional, 1);
  if (mountpoint[0] == '\0')
    return fail (error, "the mount point is empty");
  parser->config->mountpoint = mm_path_absolute (mountpoint);
  return TRUE;
}

MmCommand
mm_options_parse (gint argc, gchar **argv, MmConfig **out_config, GError **error)
{
  g_autoptr (MmConfig) config = g_new0 (MmConfig, 1);
  g_autoptr (GPtrArray) positional = g_ptr_array_new ();
  Parser parser = { .argc = argc, .argv = argv, .next = 1, .positional = positional,
                    .config = config };

  config->is_helper = argc > 0 && mm_options_is_helper (argv[0]);
  config->connections = DEFAULT_CONNECTIONS;
  config->cache_free_octets = MM_CONTENT_CACHE_FREE_DEFAULT;
  config->timeout_s = DEFAULT_TIMEOUT_S;
  config->refresh_s = DEFAULT_REFRESH_S;

  if (!read_words (&parser, error))
    return MM_COMMAND_INVALID;
  if (parser.wants_help)
    return MM_COMMAND_HELP;
  if (parser.wants_version)
    return MM_COMMAND_VERSION;
  if (!take_positional (&parser, error) || !settle (config, error))
    return MM_COMMAND_INVALID;
  *out_config = g_steal_pointer (&config);
  return MM_COMMAND_MOUNT;
}
