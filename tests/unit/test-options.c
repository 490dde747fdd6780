// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "help.h"
#include "mount-point.h"
#include "option-table.h"
#include "options.h"
#include "paths.h"

/* Parses @line, split as a shell would. */
/* The digits of a SHA-256. */
#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static MmCommand
parse (const gchar *line, MmConfig **out_config, GError **error)
{
  g_auto (GStrv) argv = NULL;
  gint argc = 0;

  *out_config = NULL;
  g_assert_true (g_shell_parse_argv (line, &argc, &argv, NULL));
  return mm_options_parse (argc, argv, out_config, error);
}

static MmConfig *
parse_good (const gchar *line)
{
  MmConfig *config = NULL;
  g_autoptr (GError) error = NULL;
  MmCommand command = parse (line, &config, &error);

  g_assert_no_error (error);
  g_assert_cmpint (command, ==, MM_COMMAND_MOUNT);
  return config;
}

static void
test_defaults (void)
{
  g_autoptr (MmConfig) config = parse_good ("mailmount imaps://user@example.org /mnt");

  g_assert_cmpstr (config->source.host, ==, "example.org");
  g_assert_cmpstr (config->mountpoint, ==, "/mnt");
  g_assert_cmpint (config->tls, ==, MM_TLS_IMPLICIT);
  g_assert_cmpuint (config->port, ==, 993);
  g_assert_cmpuint (config->connections, ==, 4);
  g_assert_cmpuint (config->timeout_s, ==, 60);
  g_assert_cmpuint (config->refresh_s, ==, 60);
  g_assert_cmpuint (config->umask, ==, 077);
  g_assert_cmpuint (config->uid, ==, getuid ());
  g_assert_cmpuint (config->gid, ==, getgid ());
  g_assert_cmpstr (config->cache_dir, ==, "/xdg/mailmount");
  g_assert_cmpuint (config->cache_size_octets, ==, G_GUINT64_CONSTANT (2) << 30);
  g_assert_cmpuint (config->cache_free_octets, ==, G_MAXUINT64);
  g_assert_null (config->ca_file);
  g_assert_null (config->log_file);
  g_assert_null (config->password_command);
  g_assert_null (config->token_command);
  g_assert_null (config->folders);
  g_assert_null (config->exclude);
  g_assert_null (config->kernel_flags);
  g_assert_false (config->foreground || config->debug || config->names_by_uid
                  || config->subscribed || config->allow_other || config->compress
                  || config->is_helper);
}

static void
test_cache_none_is_memory (void)
{
  g_autoptr (MmConfig) none
      = parse_good ("mailmount -o cache=/c,cache=none imaps://user@example.org /mnt");
  g_autoptr (MmConfig) sized
      = parse_good ("mailmount -o cache=none,cache_size=8M imaps://user@example.org /mnt");
  g_autoptr (MmConfig) later
      = parse_good ("mailmount -o cache=none,cache=./none imaps://user@example.org /mnt");
  g_autoptr (MmConfig) other
      = parse_good ("mailmount -o cache=./None imaps://user@example.org /mnt");

  g_assert_null (none->cache_dir);
  g_assert_cmpuint (none->cache_size_octets, ==, 64 << 20);
  g_assert_cmpuint (sized->cache_size_octets, ==, 8 << 20);
  g_assert_true (g_str_has_suffix (later->cache_dir, "/none"));
  g_assert_true (g_str_has_suffix (other->cache_dir, "/None"));
}

static void
test_gmail_has_a_daily_limit (void)
{
  g_autoptr (MmConfig) other = parse_good ("mailmount imaps://user@example.org /mnt");
  g_autoptr (MmConfig) gmail = parse_good ("mailmount imaps://user@IMAP.gmail.com /mnt");
  g_autoptr (MmConfig) unlimited
      = parse_good ("mailmount -o daily_limit=none imaps://user@imap.gmail.com /mnt");
  g_autoptr (MmConfig) preset
      = parse_good ("mailmount -o daily_limit=gmail imaps://user@example.org /mnt");
  g_autoptr (MmConfig) own
      = parse_good ("mailmount -o daily_limit=3M imaps://user@imap.gmail.com /mnt");

  g_assert_cmpuint (other->daily_octets, ==, 0);
  g_assert_cmpuint (gmail->daily_octets, ==, MM_GMAIL_DAILY_OCTETS);
  g_assert_cmpuint (unlimited->daily_octets, ==, 0);
  g_assert_cmpuint (preset->daily_octets, ==, MM_GMAIL_DAILY_OCTETS);
  g_assert_cmpuint (own->daily_octets, ==, 3 << 20);
}

static void
test_every_option_is_taken (void)
{
  g_autoptr (MmConfig) config = parse_good (
      "mailmount -o ro,names=uid,cache=/c,tls=starttls,connections=7 "
      "-o timeout=9,refresh=0,folders=INBOX:Lists/*,subscribed,log=/l,umask=022 "
      "-oexclude=Trash,cache_size=3G,cache_free=17k,bandwidth=300k,offline,allow_other,uid=0,gid=0,compress,password_command='cat f' "
      "-f -o cafile=/ca,fingerprint=sha256:" DIGITS ",cert=/c.pem,key=/k.pem,proxy=socks5://p:9 imap://user@example.org /mnt");

  g_assert_true (config->names_by_uid && config->subscribed && config->allow_other
                 && config->compress && config->foreground);
  g_assert_cmpstr (config->cache_dir, ==, "/c");
  g_assert_cmpuint (config->cache_size_octets, ==, G_GUINT64_CONSTANT (3) << 30);
  g_assert_cmpuint (config->bandwidth, ==, 300 << 10);
  g_assert_true (config->offline);
  g_assert_cmpuint (config->cache_free_octets, ==, 17 * 1024);
  g_assert_cmpstr (config->ca_file, ==, "/ca");
  g_assert_cmpstr (config->fingerprint, ==,
                   "SHA256:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
                   "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF");
  g_assert_cmpstr (config->proxy, ==, "socks5://p:9");
  g_assert_cmpstr (config->cert_file, ==, "/c.pem");
  g_assert_cmpstr (config->key_file, ==, "/k.pem");
  g_assert_cmpstr (config->log_file, ==, "/l");
  g_assert_cmpstr (config->password_command, ==, "cat f");
  g_assert_cmpint (config->tls, ==, MM_TLS_STARTTLS);
  g_assert_cmpuint (config->port, ==, 143);
  g_assert_cmpuint (config->connections, ==, 7);
  g_assert_cmpuint (config->timeout_s, ==, 9);
  g_assert_cmpuint (config->refresh_s, ==, 0);
  g_assert_cmpuint (config->umask, ==, 022);
  g_assert_cmpuint (config->uid, ==, 0);
  g_assert_cmpuint (config->gid, ==, 0);
  g_assert_cmpuint (g_strv_length (config->folders), ==, 2);
  g_assert_cmpstr (config->folders[1], ==, "Lists/*");
  g_assert_cmpstr (config->exclude[0], ==, "Trash");
}

static void
test_options_stand_anywhere_and_the_last_wins (void)
{
  g_autoptr (MmConfig) config
      = parse_good ("mailmount imaps://user@example.org -o timeout=1 -fo timeout=2 /mnt "
                    "-o timeout=3,,");
  g_autoptr (MmConfig) dashed = parse_good ("mailmount -- imaps://user@example.org -mnt");

  g_assert_cmpuint (config->timeout_s, ==, 3);
  g_assert_true (config->foreground);
  g_assert_true (g_str_has_suffix (dashed->mountpoint, "/-mnt"));
}

static void
test_escaped_commas_are_part_of_a_value (void)
{
  g_autoptr (MmConfig) config
      = parse_good ("mailmount -o 'cache=/a\\,b\\\\c,log=/x\\y' imaps://user@example.org /mnt");

  g_assert_cmpstr (config->cache_dir, ==, "/a,b\\c");
  g_assert_cmpstr (config->log_file, ==, "/x\\y");
}

static void
test_globs_are_separated_by_colons (void)
{
  g_autoptr (MmConfig) config = parse_good (
      "mailmount -o 'folders=a:b\\:c:Entwürfe' -o 'folders=d*\\,e' imaps://user@example.org /mnt");

  g_assert_cmpuint (g_strv_length (config->folders), ==, 4);
  g_assert_cmpstr (config->folders[1], ==, "b\\:c"); /* the glob takes the backslash away */
  g_assert_cmpstr (config->folders[2], ==, "Entwürfe");
  g_assert_cmpstr (config->folders[3], ==, "d*,e");
}

static void
test_tls_follows_the_scheme (void)
{
  g_autoptr (MmConfig) starttls = parse_good ("mailmount imap://user@example.org /mnt");
  g_autoptr (MmConfig) none = parse_good ("mailmount -o tls=none imap://user@example.org /mnt");
  g_autoptr (MmConfig) implicit
      = parse_good ("mailmount -o tls=implicit imap://user@example.org /mnt");
  g_autoptr (MmConfig) port
      = parse_good ("mailmount -o tls=none imap://user@example.org:1143 /mnt");

  g_assert_cmpint (starttls->tls, ==, MM_TLS_STARTTLS);
  g_assert_cmpint (none->tls, ==, MM_TLS_NONE);
  g_assert_cmpuint (none->port, ==, 143);
  g_assert_cmpint (implicit->tls, ==, MM_TLS_IMPLICIT);
  g_assert_cmpuint (implicit->port, ==, 993);
  g_assert_cmpuint (port->port, ==, 1143);
}

static void
test_paths_are_made_absolute (void)
{
  g_autofree gchar *here = g_get_current_dir ();
  g_autofree gchar *expected = g_build_filename (here, "mnt", NULL);
  g_autoptr (MmConfig) config
      = parse_good ("mailmount -o cache=~/c,log=l imaps://user@example.org mnt");

  g_assert_cmpstr (config->mountpoint, ==, expected);
  g_assert_cmpstr (config->cache_dir, ==, "/home/of-test/c");
  g_assert_true (g_path_is_absolute (config->log_file));
}

static void
test_fstab_options_are_accepted (void)
{
  g_autoptr (MmConfig) config = parse_good (
      "mount.mailmount imaps://user@example.org /mnt -sv "
      "-o rw,noauto,user,users,nofail,_netdev,x-systemd.automount,x-gvfs-show,X-mount.mkdir,"
      "nosuid,nodev,noexec,noatime,relatime,defaults,comment=x,user=somebody,unheard-of");
  g_autoptr (MmConfig) plain = parse_good (
      "mailmount -o defaults,noauto,nofail,_netdev,x-y,nosuid imaps://user@example.org /mnt");

  g_assert_true (config->is_helper && config->is_verbose);
  g_assert_false (config->is_fake || config->foreground);
  g_assert_cmpstr (config->kernel_flags, ==, "nosuid,nodev,noexec,noatime");
  g_assert_cmpstr (plain->kernel_flags, ==, "nosuid");
}

static void
test_helper_takes_its_own_letters (void)
{
  g_autoptr (MmConfig) fake
      = parse_good ("/sbin/mount.mailmount imaps://user@example.org /mnt -fn -t mailmount");

  g_assert_true (fake->is_helper && fake->is_fake);
  g_assert_false (fake->foreground);
}

static void
test_help_and_version_need_nothing_else (void)
{
  static const gchar *const helps[] = { "mailmount -h", "mailmount --help", "mailmount -f -h" };
  MmConfig *config;

  for (gsize i = 0; i < G_N_ELEMENTS (helps); i++)
    g_assert_cmpint (parse (helps[i], &config, NULL), ==, MM_COMMAND_HELP);
  g_assert_cmpint (parse ("mailmount -V", &config, NULL), ==, MM_COMMAND_VERSION);
  g_assert_cmpint (parse ("mailmount --version", &config, NULL), ==, MM_COMMAND_VERSION);
}

#define GOOD " imaps://user@example.org /mnt"

static const struct
{
  const gchar *line;
  const gchar *hint;
} bad[] = {
  { "mailmount", "MOUNTPOINT" },
  { "mailmount imaps://user@example.org", "mount point is missing" },
  { "mailmount imaps://user@example.org ''", "mount point is empty" },
  { "mailmount imaps://user@example.org /a /b", "'/b'" },
  { "mailmount '' /mnt", "not a URL" },
  { "mailmount bogus", "nor one of the commands: cache, status, fetch, verify" },
  { "mailmount hunter2 /mnt", "(imaps://USER@HOST[:PORT][/FOLDER])" },
  { "mount.mailmount bogus /mnt", "not a URL" },
  { "mailmount imaps://user:hunter2@example.org /mnt", "password" },
  { "mailmount -o", "-o needs a value" },
  { "mailmount -x" GOOD, "'-x'" },
  { "mailmount -s" GOOD, "'-s'" },
  { "mailmount --foreground" GOOD, "'--foreground'" },
  { "mailmount --cache=/x" GOOD, "-o cache" },
  { "mailmount -o nmaes=uid" GOOD, "'names='" },
  { "mailmount -o subscribe" GOOD, "'subscribed'" },
  { "mailmount -o conections=3" GOOD, "'connections='" },
  { "mailmount -o passwordcommand=x" GOOD, "'password_command='" },
  { "mailmount -o password=hunter2" GOOD, "password_command=CMD" },
  { "mailmount -o pass=hunter2" GOOD, "password_command=CMD" },
  { "mailmount -o passwd=hunter2" GOOD, "'passwd'" },
  { "mailmount -o zzzzzzzzzz" GOOD, "--help" },
  { "mailmount -o ''=x" GOOD, "''" },
  { "mailmount -o '\x01=x'" GOOD, "\\x01" },
  { "mailmount -o aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" GOOD,
    "unknown option" },
  { "mailmount -o rw" GOOD, "not supported yet" },
  { "mailmount -o ro=1" GOOD, "takes no value" },
  { "mailmount -o subscribed=yes" GOOD, "takes no value" },
  { "mailmount -o names" GOOD, "names=subject|uid" },
  { "mailmount -o names=" GOOD, "names=subject|uid" },
  { "mailmount -o names=UID" GOOD, "'subject' or 'uid'" },
  { "mailmount -o tls=ssl" GOOD, "'starttls'" },
  { "mailmount -o tls=none" GOOD, "imap://" },
  { "mailmount -o tls=starttls" GOOD, "imap://" },
  { "mailmount -o tls=none,cafile=/x imap://user@example.org /mnt", "cafile=" },
  { "mailmount -o tls=none,cert=/x imap://user@example.org /mnt", "cert=" },
  { "mailmount -o fingerprint=SHA256:12 imaps://user@example.org /mnt", "64 hex digits" },
  { "mailmount -o fingerprint=0123456789012345678901234567890123456789" GOOD, "SHA-1" },
  { "mailmount -o fingerprint=01234567890123456789012345678901" GOOD, "MD5" },
  { "mailmount -o fingerprint=sha512:" DIGITS GOOD, "64 hex digits" },
  { "mailmount -o fingerprint=" DIGITS "0" GOOD, "64 hex digits" },
  { "mailmount -o fingerprint=:" DIGITS GOOD, "64 hex digits" },
  { "mailmount -o tls=none,fingerprint=" DIGITS " imap://user@example.org /mnt", "fingerprint=" },
  { "mailmount -o proxy=proxy.example.org:3128" GOOD, "not the URL of a proxy" },
  { "mailmount -o proxy=https://u:hunter2@p:1" GOOD, "by TLS is not supported" },
  { "mailmount -o proxy=ftp://u:hunter2@p:1" GOOD, "'ftp://' is not a kind" },
  { "mailmount -o proxy=http://u:hunter2@p" GOOD, "names no port" },
  { "mailmount -o proxy=socks5://u:hunter2@:1" GOOD, "names no host" },
  { "mailmount -o proxy=socks5://:hunter2@p:1" GOOD, "no user name" },
  { "mailmount -o proxy=socks5://u:hunter2@p:1/x" GOOD, "nothing can follow" },
  { "mailmount -o proxy=socks5://u:hunter2@p:99999" GOOD, "not the URL of a proxy" },
  { "mailmount -o tunnel=cat" GOOD, "write imap://" },
  { "mailmount -o \"tunnel='\" imap://user@example.org /mnt", "tunnel: " },
  { "mailmount -o tunnel=cat,proxy=socks5://p imap://user@example.org /mnt", "proxy= has no" },
  { "mailmount -o tunnel=cat,cafile=/x imap://user@example.org /mnt", "cafile= has no meaning" },
  { "mailmount -o tunnel=cat,tls=starttls imap://user@example.org /mnt", "tls= has no meaning" },
  { "mailmount -o key=/x" GOOD, "without cert=" },
  { "mailmount -o connections=0" GOOD, "from 1 to 32" },
  { "mailmount -o connections=33" GOOD, "from 1 to 32" },
  { "mailmount -o connections=-1" GOOD, "from 1 to 32" },
  { "mailmount -o connections=4x" GOOD, "from 1 to 32" },
  { "mailmount -o timeout=0" GOOD, "from 1 to 3600" },
  { "mailmount -o timeout=99999999999999999999" GOOD, "from 1 to 3600" },
  { "mailmount -o timeout=1.5" GOOD, "from 1 to 3600" },
  { "mailmount -o refresh=86401" GOOD, "from 0 to 86400" },
  { "mailmount -o refresh=-1" GOOD, "from 0 to 86400" },
  { "mailmount -o refresh=" GOOD, "refresh=SECONDS" },
  { "mailmount -o cache" GOOD, "cache=DIR" },
  { "mailmount -o cache=none,cache_size=0" GOOD, "cache=none" },
  { "mailmount -o cache=None" GOOD, "cache=./None" },
  { "mailmount -o cache=NONE" GOOD, "is cache=none" },
  { "mailmount -o cache_size=many" GOOD, "cache_size=many" },
  { "mailmount -o cache_size=none" GOOD, "or 0 for no limit" },
  { "mailmount -o bandwidth=fast" GOOD, "bandwidth=fast" },
  { "mailmount -o bandwidth=none" GOOD, "or 0 for no limit" },
  { "mailmount -o bandwidth=1" GOOD, "bandwidth=1: at least 4K" },
  { "mailmount -o daily_limit=much" GOOD, "daily_limit=much" },
  { "mailmount -o daily_limit=Gmail" GOOD, "'gmail', or 'none'" },
  { "mailmount -o cache_size=-1" GOOD, "cache_size=-1" },
  { "mailmount -o cache_size=1KB" GOOD, "cache_size=1KB" },
  { "mailmount -o cache_size=1000K" GOOD, "at least 1M" },
  { "mailmount -o cache_size=9999999999T" GOOD, "cache_size=9999999999T" },
  { "mailmount -o cache_free=half" GOOD, "cache_free=half" },
  { "mailmount -o cache_free=10%" GOOD, "or 0 for no floor" },
  { "mailmount -o folders=" GOOD, "folders=GLOBS" },
  { "mailmount -o folders=a::b" GOOD, "empty glob" },
  { "mailmount -o folders=:a" GOOD, "empty glob" },
  { "mailmount -o exclude=a:" GOOD, "empty glob" },
  { "mailmount -o uid=no-such-user-here" GOOD, "user" },
  { "mailmount -o uid=-1" GOOD, "user" },
  { "mailmount -o uid=4294967295" GOOD, "user" },
  { "mailmount -o gid=no-such-group-here" GOOD, "group" },
  { "mailmount -o umask=8" GOOD, "octal" },
  { "mailmount -o umask=1000" GOOD, "octal" },
  { "mailmount -o umask=rwx" GOOD, "octal" },
  { "mailmount -o \"password_command=it's\"" GOOD, "password_command" },
  { "mailmount -o 'token_command= '" GOOD, "token_command" },
  { "mailmount -o password_command=a,token_command=b" GOOD, "exclude each other" },
  { "mailmount -o auth=nonsense" GOOD, "SCRAM-SHA-256, " },
  { "mailmount -o auth=" GOOD, "auth=MECHANISM" },
  { "mailmount -o auth=DIGEST-MD5" GOOD, "auth=DIGEST-MD5: one of EXTERNAL, " },
  { "mailmount -o auth=XOAUTH2" GOOD, "needs token_command=" },
  { "mailmount -o auth=OAUTHBEARER,password_command=a" GOOD, "needs token_command=" },
  { "mailmount -o auth=PLAIN,token_command=a" GOOD, "no use for token_command=" },
  { "mailmount -o auth=GSSAPI,password_command=a" GOOD, "no use for password_command=" },
  { "mailmount -o auth=EXTERNAL" GOOD, "needs cert=" },
  { "mailmount -o auth=SCRAM-SHA-1-PLUS,tls=none imap://user@example.org /mnt",
    "no meaning with tls=none" },
  { "mount.mailmount imaps://user@example.org /mnt -o unheard-of", "'unheard-of'" },
};

static void
test_bad_lines_say_why_in_one_line (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      MmConfig *config;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i].line);
      g_assert_cmpint (parse (bad[i].line, &config, &error), ==, MM_COMMAND_INVALID);
      g_assert_null (config);
      g_assert_error (error, MM_ERROR, MM_ERROR_USAGE);
      g_test_message ("  %s", error->message);
      g_assert_nonnull (strstr (error->message, bad[i].hint));
      g_assert_null (strchr (error->message, '\n'));
      g_assert_null (strstr (error->message, "hunter2"));
    }
}

static void
test_octets_that_are_not_utf8_are_refused (void)
{
  gchar *argv[] = { (gchar *) "mailmount", (gchar *) "-o", (gchar *) "cache=\xff",
                    (gchar *) "imaps://user@example.org", (gchar *) "/mnt", NULL };
  g_autoptr (GError) error = NULL;
  MmConfig *config = NULL;

  g_assert_cmpint (mm_options_parse (5, argv, &config, &error), ==, MM_COMMAND_INVALID);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

/* Each option of the table stands in each document, in the way the document writes options. */
static void
test_documents_name_every_option (void)
{
  static const struct
  {
    const gchar *path;
    const gchar *pattern; /* with %s for the name */
  } documents[] = {
    { "man/mailmount.1", "^\\.B[IR]? \"?%s([ =\"]|$)" },
    { "README.md", "^\\| `%s[=`]" },
    { "completions/mailmount.bash", "\\b%s\\b" },
    { "completions/_mailmount", "\\b%s\\b" },
    { "completions/mailmount.fish", "\\b%s\\b" },
  };
  const gchar *here = g_getenv ("G_TEST_SRCDIR");

  if (here == NULL)
    {
      g_test_skip ("G_TEST_SRCDIR is not set: where are the documents?");
      return;
    }
  g_autofree gchar *root = g_build_filename (here, "..", "..", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (documents); i++)
    {
      g_autofree gchar *path = g_build_filename (root, documents[i].path, NULL);
      g_autofree gchar *text = NULL;
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));

      for (const MmOption *option = mm_option_table (); option->name != NULL; option++)
        {
          if (option->option_class != MM_OPTION_OURS)
            continue;
          g_auto (GStrv) parts = g_strsplit (documents[i].pattern, "%s", 2);
          g_autofree gchar *pattern = g_strconcat (parts[0], option->name, parts[1], NULL);
          g_test_message ("%s: %s", documents[i].path, option->name);
          g_assert_true (g_regex_match_simple (pattern, text, G_REGEX_MULTILINE, 0));
        }
    }
}

static void
test_help_names_every_option (void)
{
  g_autofree gchar *help = mm_help_text ();

  for (const MmOption *option = mm_option_table (); option->name != NULL; option++)
    {
      g_autofree gchar *line = g_strdup_printf ("\n  %s", option->name);
      if (option->option_class == MM_OPTION_OURS)
        g_assert_nonnull (strstr (help, line));
    }
}

static void
test_paths_inside_the_mount_are_seen (void)
{
  g_assert_true (mm_path_is_inside ("/a/b", "/a/b"));
  g_assert_true (mm_path_is_inside ("/a/b/c", "/a/b"));
  g_assert_true (mm_path_is_inside ("/a/x/../b/c", "/a/b"));
  g_assert_true (mm_path_is_inside ("/a", "/"));
  g_assert_false (mm_path_is_inside ("/a/bc", "/a/b"));
  g_assert_false (mm_path_is_inside ("/a", "/a/b"));
}

static void
test_mount_point_is_checked (void)
{
  g_autofree gchar *directory = g_dir_make_tmp ("mailmount-test-XXXXXX", NULL);
  g_autofree gchar *real = g_canonicalize_filename (directory, "/");
  g_autofree gchar *missing = g_build_filename (directory, "missing", NULL);
  g_autofree gchar *file = g_build_filename (directory, "file", NULL);
  g_autofree gchar *link = g_build_filename (directory, "link", NULL);
  g_autofree gchar *below_file = g_build_filename (file, "x", NULL);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_cmpint (symlink (directory, link), ==, 0);

  g_autoptr (GError) error = NULL;
  g_autofree gchar *resolved = mm_mount_point_check (link, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (resolved, ==, real);

  const gchar *const bad_paths[] = { missing, file, below_file };
  const gchar *const hints[] = { "mkdir", "not a directory", "not a directory" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad_paths); i++)
    {
      g_autoptr (GError) why = NULL;
      g_assert_null (mm_mount_point_check (bad_paths[i], &why));
      g_assert_error (why, MM_ERROR, MM_ERROR_USAGE);
      g_assert_nonnull (strstr (why->message, hints[i]));
    }
  g_unlink (file);
  g_unlink (link);
  g_rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HOME", "/home/of-test", TRUE);
  g_setenv ("XDG_CACHE_HOME", "/xdg", TRUE);
  g_test_add_func ("/options/defaults", test_defaults);
  g_test_add_func ("/options/cache-none-is-memory", test_cache_none_is_memory);
  g_test_add_func ("/options/gmail-has-a-daily-limit", test_gmail_has_a_daily_limit);
  g_test_add_func ("/options/every-option-is-taken", test_every_option_is_taken);
  g_test_add_func ("/options/stand-anywhere-and-the-last-wins",
                   test_options_stand_anywhere_and_the_last_wins);
  g_test_add_func ("/options/escaped-commas-are-part-of-a-value",
                   test_escaped_commas_are_part_of_a_value);
  g_test_add_func ("/options/globs-are-separated-by-colons", test_globs_are_separated_by_colons);
  g_test_add_func ("/options/tls-follows-the-scheme", test_tls_follows_the_scheme);
  g_test_add_func ("/options/paths-are-made-absolute", test_paths_are_made_absolute);
  g_test_add_func ("/options/fstab-options-are-accepted", test_fstab_options_are_accepted);
  g_test_add_func ("/options/helper-takes-its-own-letters", test_helper_takes_its_own_letters);
  g_test_add_func ("/options/help-and-version-need-nothing-else",
                   test_help_and_version_need_nothing_else);
  g_test_add_func ("/options/bad-lines-say-why-in-one-line", test_bad_lines_say_why_in_one_line);
  g_test_add_func ("/options/octets-that-are-not-utf8-are-refused",
                   test_octets_that_are_not_utf8_are_refused);
  g_test_add_func ("/options/documents-name-every-option", test_documents_name_every_option);
  g_test_add_func ("/options/help-names-every-option", test_help_names_every_option);
  g_test_add_func ("/options/paths-inside-the-mount-are-seen",
                   test_paths_inside_the_mount_are_seen);
  g_test_add_func ("/mount-point/is-checked", test_mount_point_is_checked);
  return g_test_run ();
}
