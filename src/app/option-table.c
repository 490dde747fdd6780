// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include <mailmount/log.h>
#include <mailmount/sasl.h>

#include "option-table.h"
#include "paths.h"

/* Octets per second: with less a sign-in alone would take longer than any timeout. */
#define BANDWIDTH_MIN 4096
/* Less would hold no large message. */
#define CACHE_SIZE_OCTETS_MIN ((guint64) 1 << 20)

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

static gboolean
parse_number (const gchar *name, const gchar *value, guint least, guint most, guint *out,
              GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (value, 10, least, most, &number, NULL))
    return fail (error, "%s=%s: a number from %u to %u is expected", name, value, least, most);
  *out = (guint) number;
  return TRUE;
}

/* A number of octets, or of KiB, MiB, GiB, TiB with a letter behind it. @others: what else the option
 * takes, for the error. */
static gboolean
parse_size (const gchar *name, const gchar *value, const gchar *others, guint64 *out_octets,
            GError **error)
{
  static const gchar letters[] = "KMGT";
  gchar *end = NULL;
  guint64 number = g_ascii_isdigit (value[0]) ? g_ascii_strtoull (value, &end, 10) : 0;
  guint shift = 0;

  if (end != NULL && *end != '\0')
    {
      const gchar *letter = strchr (letters, g_ascii_toupper (*end));
      if (letter != NULL)
        {
          shift = 10 * (guint) (letter - letters + 1);
          end++;
        }
    }
  if (end == NULL || *end != '\0' || number > (guint64) G_MAXINT64 >> shift)
    return fail (error, "%s=%s: a size such as 500M or 2G is expected, or %s", name, value, others);
  *out_octets = number << shift;
  return TRUE;
}

static gboolean
apply_nothing (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return TRUE;
}

static gboolean
apply_rw (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  /* mount(8) says rw when the user said nothing. */
  if (config->is_helper)
    return TRUE;
  return fail (error, "rw: read-write mounts are not supported yet; leave the option out");
}

static gboolean
apply_names (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  if (strcmp (value, "subject") == 0)
    config->names_by_uid = FALSE;
  else if (strcmp (value, "uid") == 0)
    config->names_by_uid = TRUE;
  else
    return fail (error, "names=%s: 'subject' or 'uid' is expected", value);
  return TRUE;
}

static gboolean
apply_tls (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  if (strcmp (value, "implicit") == 0)
    config->tls = MM_TLS_IMPLICIT;
  else if (strcmp (value, "starttls") == 0)
    config->tls = MM_TLS_STARTTLS;
  else if (strcmp (value, "none") == 0)
    config->tls = MM_TLS_NONE;
  else
    return fail (error, "tls=%s: 'implicit', 'starttls' or 'none' is expected", value);
  config->has_tls = TRUE;
  return TRUE;
}

static gboolean
apply_cache (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->has_no_cache = strcmp (value, "none") == 0;
  if (!config->has_no_cache && g_ascii_strcasecmp (value, "none") == 0)
    return fail (error, "cache=%s: without a cache on disk it is cache=none; a directory of that name "
                        "is cache=./%s", value, value);
  return config->has_no_cache || mm_path_take (&config->cache_dir, name, value, error);
}

static gboolean
apply_cache_size (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  if (!parse_size (name, value, "0 for no limit", &config->cache_size_octets, error))
    return FALSE;
  if (config->cache_size_octets != 0 && config->cache_size_octets < CACHE_SIZE_OCTETS_MIN)
    return fail (error, "%s=%s: at least 1M is expected, or 0 for no limit", name, value);
  config->has_cache_size = TRUE;
  return TRUE;
}

static gboolean
apply_cache_free (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return parse_size (name, value, "0 for no floor", &config->cache_free_octets, error);
}

static gboolean
apply_cafile (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return mm_path_take (&config->ca_file, name, value, error);
}

static gboolean
apply_fingerprint (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  gchar *fingerprint = mm_fingerprint_parse (value, error);

  if (fingerprint == NULL)
    return FALSE;
  g_free (config->fingerprint);
  config->fingerprint = fingerprint;
  return TRUE;
}

static gboolean
apply_cert (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return mm_path_take (&config->cert_file, name, value, error);
}

static gboolean
apply_key (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return mm_path_take (&config->key_file, name, value, error);
}

static gboolean
apply_proxy (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  if (!mm_proxy_check (value, error))
    return FALSE;
  g_free (config->proxy);
  config->proxy = g_strdup (value);
  return TRUE;
}

static gboolean
apply_log (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return mm_path_take (&config->log_file, name, value, error);
}

static gboolean
apply_connections (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return parse_number (name, value, 1, 32, &config->connections, error);
}

static gboolean
apply_timeout (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return parse_number (name, value, 1, 3600, &config->timeout_s, error);
}

static gboolean
apply_refresh (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return parse_number (name, value, 0, 86400, &config->refresh_s, error);
}

/* Adds the globs of @value to @list: "A:B", where "\:" is a colon of a name. */
static gboolean
add_globs (GStrv *list, const gchar *name, const gchar *value, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GString) glob = g_string_new (NULL);

  if (*list != NULL)
    g_strv_builder_addv (builder, (const gchar **) *list);
  for (const gchar *p = value;; p++)
    {
      if (*p == ':' || *p == '\0')
        {
          if (glob->len == 0)
            return fail (error, "%s=%s: an empty glob; globs are separated by single colons", name,
                         value);
          g_strv_builder_add (builder, glob->str);
          g_string_truncate (glob, 0);
          if (*p == '\0')
            break;
          continue;
        }
      /* A backslash stays, for the glob. */
      if (*p == '\\' && p[1] != '\0')
        g_string_append_c (glob, *p++);
      g_string_append_c (glob, *p);
    }
  g_strfreev (*list);
  *list = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
apply_folders (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return add_globs (&config->folders, name, value, error);
}

static gboolean
apply_exclude (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return add_globs (&config->exclude, name, value, error);
}

static gboolean
apply_subscribed (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->subscribed = TRUE;
  return TRUE;
}

/* Commands run without a shell: what cannot be split into words is found now. */
static gboolean
take_command (gchar **slot, const gchar *name, const gchar *value, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) local = NULL;

  if (!g_shell_parse_argv (value, NULL, &words, &local))
    return fail (error, "%s: %s", name, local->message);
  g_free (*slot);
  *slot = g_strdup (value);
  return TRUE;
}

static gboolean
apply_password_command (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return take_command (&config->password_command, name, value, error);
}

static gboolean
apply_token_command (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return take_command (&config->token_command, name, value, error);
}

static gboolean
apply_auth (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  const gchar *const *mechanisms = mm_sasl_get_mechanisms ();

  for (const gchar *const *mechanism = mechanisms; *mechanism != NULL; mechanism++)
    if (g_ascii_strcasecmp (*mechanism, value) == 0)
      {
        config->auth = *mechanism;
        return TRUE;
      }
  g_autofree gchar *names = g_strjoinv (", ", (gchar **) mechanisms);
  return fail (error, "auth=%s: one of %s is expected", value, names);
}

static gboolean
apply_tunnel (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  return take_command (&config->tunnel, name, value, error);
}

static gboolean
apply_compress (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->compress = TRUE;
  return TRUE;
}

static gboolean
apply_bandwidth (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  if (!parse_size (name, value, "0 for no limit", &config->bandwidth, error))
    return FALSE;
  if (config->bandwidth != 0 && config->bandwidth < BANDWIDTH_MIN)
    return fail (error, "%s=%s: at least 4K is expected, or 0 for no limit", name, value);
  return TRUE;
}

static gboolean
apply_daily_limit (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->has_daily_limit = TRUE;
  config->daily_octets = 0;
  if (strcmp (value, "none") == 0)
    return TRUE;
  if (strcmp (value, "gmail") == 0)
    {
      config->daily_octets = MM_GMAIL_DAILY_OCTETS;
      return TRUE;
    }
  return parse_size (name, value, "'gmail', or 'none' for no limit", &config->daily_octets, error);
}

static gboolean
apply_offline (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->offline = TRUE;
  return TRUE;
}

static gboolean
apply_allow_other (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  config->allow_other = TRUE;
  return TRUE;
}

static gboolean
apply_uid (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  const struct passwd *entry = getpwnam (value);
  guint64 number;

  if (entry != NULL)
    number = entry->pw_uid;
  else if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    return fail (error, "uid=%s: neither a user's number nor the name of a user", value);
  config->uid = (uid_t) number;
  config->has_uid = TRUE;
  return TRUE;
}

static gboolean
apply_gid (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  const struct group *entry = getgrnam (value);
  guint64 number;

  if (entry != NULL)
    number = entry->gr_gid;
  else if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    return fail (error, "gid=%s: neither a group's number nor the name of a group", value);
  config->gid = (gid_t) number;
  config->has_gid = TRUE;
  return TRUE;
}

static gboolean
apply_umask (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (value, 8, 0, 0777, &number, NULL))
    return fail (error, "umask=%s: an octal number from 0 to 777 is expected", value);
  config->umask = (mode_t) number;
  config->has_umask = TRUE;
  return TRUE;
}

static gboolean
apply_kernel_flag (MmConfig *config, const gchar *name, const gchar *value, GError **error)
{
  g_autofree gchar *before = config->kernel_flags;

  config->kernel_flags
      = before != NULL ? g_strdup_printf ("%s,%s", before, name) : g_strdup (name);
  return TRUE;
}

#define GENERIC(name) { name, NULL, NULL, MM_OPTION_GENERIC, apply_nothing }

static const MmOption table[] = {
  { "ro", NULL, "mount read-only; the default, and all there is yet", MM_OPTION_OURS,
    apply_nothing },
  { "names", "subject|uid", "message files as DATE_SUBJECT_NUMBER.eml (default) or NUMBER.eml",
    MM_OPTION_OURS, apply_names },
  { "cache", "DIR|none", "where to keep the index and what was read (default ~/.cache/mailmount)",
    MM_OPTION_OURS, apply_cache },
  { "cache_size", "SIZE", "how much of what was read is kept (default 2G; 0 is no limit)",
    MM_OPTION_OURS, apply_cache_size },
  { "cache_free", "SIZE", "leave so much of the disk free (default 512M, 5% of a small disk; 0: none)",
    MM_OPTION_OURS, apply_cache_free },
  { "cafile", "PEM", "trust the authorities in this file, not the system's", MM_OPTION_OURS,
    apply_cafile },
  { "fingerprint", "SHA256:HEX", "trust the server's certificate (or public key) that has it",
    MM_OPTION_OURS, apply_fingerprint },
  { "cert", "PEM", "our own certificate, for a server that demands one", MM_OPTION_OURS,
    apply_cert },
  { "key", "PEM", "the private key of cert=, unless it is in the same file", MM_OPTION_OURS,
    apply_key },
  { "tls", "implicit|starttls|none", "imaps:// means implicit, imap:// starttls; none is clear text",
    MM_OPTION_OURS, apply_tls },
  { "proxy", "URL|none", "connect through socks5h://, socks5:// or http://[USER:PASS@]HOST:PORT",
    MM_OPTION_OURS, apply_proxy },
  { "tunnel", "CMD", "speak to what this command leads to: 'ssh host /usr/lib/dovecot/imap'",
    MM_OPTION_OURS, apply_tunnel },
  { "connections", "N", "at most N connections to the server (default 4)", MM_OPTION_OURS,
    apply_connections },
  { "timeout", "SECONDS", "how long to wait for the server (default 60)", MM_OPTION_OURS,
    apply_timeout },
  { "refresh", "SECONDS", "how long a listing may go uncompared with the server (default 60)",
    MM_OPTION_OURS, apply_refresh },
  { "folders", "GLOBS", "only these folders: shell globs separated by colons", MM_OPTION_OURS,
    apply_folders },
  { "exclude", "GLOBS", "not these folders", MM_OPTION_OURS, apply_exclude },
  { "subscribed", NULL, "only subscribed folders", MM_OPTION_OURS, apply_subscribed },
  { "log", "FILE", "log there (default: syslog, the terminal with -f)", MM_OPTION_OURS, apply_log },
  { "password_command", "CMD", "the first line this command prints is the password",
    MM_OPTION_OURS, apply_password_command },
  { "token_command", "CMD", "the first line this command prints is an OAuth2 access token",
    MM_OPTION_OURS, apply_token_command },
  { "auth", "MECHANISM", "sign in this way alone, such as PLAIN (default: the strongest offered)",
    MM_OPTION_OURS, apply_auth },
  { "compress", NULL, "compress the connection where the server can", MM_OPTION_OURS,
    apply_compress },
  { "bandwidth", "RATE", "receive at most so many octets a second, as in 500K (default: 0, no limit)",
    MM_OPTION_OURS, apply_bandwidth },
  { "daily_limit", "SIZE|gmail|none", "receive at most so much within a day (default: none; Gmail: 2.5 GB)",
    MM_OPTION_OURS, apply_daily_limit },
  { "offline", NULL, "never connect: show what is known from earlier mounts", MM_OPTION_OURS,
    apply_offline },
  { "allow_other", NULL, "let other users in", MM_OPTION_OURS, apply_allow_other },
  { "uid", "USER", "the owner of all files (default: who mounts)", MM_OPTION_OURS, apply_uid },
  { "gid", "GROUP", "the group of all files", MM_OPTION_OURS, apply_gid },
  { "umask", "OCTAL", "permission bits to take away (default 077, with allow_other 022)", MM_OPTION_OURS,
    apply_umask },

  { "rw", NULL, NULL, MM_OPTION_GENERIC, apply_rw },
  { "nosuid", NULL, NULL, MM_OPTION_GENERIC, apply_kernel_flag },
  { "nodev", NULL, NULL, MM_OPTION_GENERIC, apply_kernel_flag },
  { "noexec", NULL, NULL, MM_OPTION_GENERIC, apply_kernel_flag },
  { "noatime", NULL, NULL, MM_OPTION_GENERIC, apply_kernel_flag },
  /* For mount(8), systemd and nobody else. */
  GENERIC ("defaults"), GENERIC ("auto"), GENERIC ("noauto"), GENERIC ("user"),
  GENERIC ("nouser"), GENERIC ("users"), GENERIC ("nousers"), GENERIC ("owner"),
  GENERIC ("noowner"), GENERIC ("group"), GENERIC ("nogroup"), GENERIC ("nofail"),
  GENERIC ("_netdev"), GENERIC ("comment"), GENERIC ("helper"), GENERIC ("uhelper"),
  /* What a read-only filesystem without devices does anyway. */
  GENERIC ("suid"), GENERIC ("dev"), GENERIC ("exec"), GENERIC ("async"), GENERIC ("sync"),
  GENERIC ("dirsync"), GENERIC ("atime"), GENERIC ("diratime"), GENERIC ("nodiratime"),
  GENERIC ("relatime"), GENERIC ("norelatime"), GENERIC ("strictatime"),
  GENERIC ("nostrictatime"), GENERIC ("lazytime"), GENERIC ("nolazytime"), GENERIC ("mand"),
  GENERIC ("nomand"), GENERIC ("silent"), GENERIC ("loud"), GENERIC ("iversion"),
  GENERIC ("noiversion"),
  { NULL },
};

const MmOption *
mm_option_table (void)
{
  return table;
}

static const MmOption *
find (const gchar *name, gsize length)
{
  for (const MmOption *option = table; option->name != NULL; option++)
    if (strlen (option->name) == length && memcmp (option->name, name, length) == 0)
      return option;
  return NULL;
}

static gboolean
is_for_userspace (const gchar *word)
{
  return g_str_has_prefix (word, "x-") || g_str_has_prefix (word, "X-");
}

gboolean
mm_option_is_known (const gchar *word)
{
  return is_for_userspace (word) || find (word, strcspn (word, "=")) != NULL;
}

/* How many letters to add, drop or change to make @b of @a. */
static guint
edit_distance (const gchar *a, const gchar *b)
{
  guint row[64];
  gsize width = strlen (b);

  if (width >= G_N_ELEMENTS (row))
    return G_MAXUINT;
  for (gsize j = 0; j <= width; j++)
    row[j] = (guint) j;
  for (gsize i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = (guint) i;
      for (gsize j = 1; j <= width; j++)
        {
          guint replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
          diagonal = row[j];
          row[j] = MIN (MIN (row[j], row[j - 1]) + 1, replaced);
        }
    }
  return row[width];
}

static gboolean
fail_unknown (const gchar *name, GError **error)
{
  const MmOption *nearest = NULL;
  guint least = 4;

  if (strcmp (name, "password") == 0 || strcmp (name, "pass") == 0)
    return fail (error, "there is no option '%s': a password on the command line is seen by "
                        "everyone; use password_command=CMD", name);
  if (strlen (name) > 32)
    return fail (error, "unknown option '%.32s…': mailmount --help lists all", name);
  for (const MmOption *option = table; option->name != NULL; option++)
    {
      guint distance = edit_distance (name, option->name);
      /* More than half of the letters wrong is no likeness. */
      if (distance < least && distance * 2 <= strlen (option->name))
        {
          least = distance;
          nearest = option;
        }
    }
  if (nearest == NULL)
    return fail (error, "unknown option '%s': mailmount --help lists all", name);
  return fail (error, "unknown option '%s': did you mean '%s%s'?", name, nearest->name,
               nearest->argument != NULL ? "=" : "");
}

gboolean
mm_option_apply (MmConfig *config, const gchar *word, GError **error)
{
  gsize length = strcspn (word, "=");
  const gchar *value = word[length] == '=' ? word + length + 1 : NULL;
  g_autofree gchar *name = g_strndup (word, length);
  const MmOption *option = find (name, length);

  if (!g_utf8_validate (word, -1, NULL))
    return fail (error, "an option is not UTF-8: '%s'", name);
  if (is_for_userspace (word))
    return TRUE;
  if (option == NULL)
    return fail_unknown (name, error);
  if (option->argument == NULL && value != NULL && option->option_class == MM_OPTION_OURS)
    return fail (error, "the option '%s' takes no value", name);
  if (option->argument != NULL && (value == NULL || value[0] == '\0'))
    return fail (error, "the option '%s' needs a value: %s=%s", name, name, option->argument);
  return option->apply (config, name, value, error);
}
