// SPDX-License-Identifier: GPL-3.0-or-later
#include "mount.h"

#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/account.h>
#include <mailmount/clock.h>
#include <mailmount/fuse.h>
#include <mailmount/log.h>

#include "report.h"

/* An unused connection is given back after this. */
#define IDLE_CLOSE_MS (4 * 60 * 1000)
/* Connections that are never used to watch a folder: others have to be listed and read. */
#define UNWATCHING_CONNECTIONS 2
/* The deadline of a system call is this much later than the connection's own, whose error says
 * more. */
#define DEADLINE_SLACK_MS 3000

static MmRemote *
new_remote (const MmConfig *config, MmCredentials *credentials)
{
  MmRemoteConfig remote = {
    .user = config->source.user,
    .get_secret = mm_credentials_get,
    .get_secret_data = credentials,
    .secret_hint = mm_credentials_are_token (credentials)
                       ? "check the user name, and the token that token_command gave"
                       : "check the user name, and the password that password_command, the keyring, "
                         "~/.netrc or you gave",
    .secret_is_token = mm_credentials_are_token (credentials),
    .mechanism = config->auth,
    .has_certificate = config->cert_file != NULL,
    .has_ticket = mm_credentials_have_ticket (credentials),
    .connections = config->connections,
    .answer_timeout_ms = config->timeout_s * 1000,
    .idle_close_ms = IDLE_CLOSE_MS,
    .refresh_ms = config->refresh_s * 1000,
    .compress = config->compress,
    .bandwidth = config->bandwidth,
    .daily_octets = config->daily_octets,
    .is_offline = config->offline,
  };

  mm_config_get_endpoint (config, &remote.endpoint);
  switch (config->source.protocol)
    {
    case MM_PROTOCOL_IMAP:
      return mm_remote_new_imap (&remote);
    case MM_PROTOCOL_POP3:
      return mm_remote_new_pop3 (&remote);
    }
  g_assert_not_reached ();
}

static gchar *
describe_account (const MmConfig *config)
{
  return g_strdup_printf ("%s@%s", config->source.user, config->source.host);
}

static MmAccount *
new_account (const MmConfig *config, MmCredentials *credentials, MmVfs *vfs, GError **error)
{
  g_autofree gchar *name = describe_account (config);
  /* The accounts of one user at one server are two where the protocols are. */
  g_autofree gchar *key = g_strdup_printf ("%s://%s:%u", mm_source_url_get_scheme (&config->source),
                                           name, config->port);
  MmAccountConfig account = {
    .name = name,
    .key = key,
    .directory = config->cache_dir,
    .cache_size_octets = config->cache_size_octets,
    .cache_free_octets = config->cache_free_octets,
    .remote = new_remote (config, credentials),
    .want_subject = !config->names_by_uid,
    .include = (const gchar *const *) config->folders,
    .exclude = (const gchar *const *) config->exclude,
    .subscribed_only = config->subscribed,
    .refresh_us = (gint64) config->refresh_s * G_USEC_PER_SEC,
    .bandwidth = config->bandwidth,
    .follows_changes = !config->offline,
    .watches_max = MAX (config->connections, UNWATCHING_CONNECTIONS) - UNWATCHING_CONNECTIONS,
    .observer = mm_vfs_get_account_observer (),
    .observer_data = vfs,
  };
  return mm_account_new (&account, error);
}

static MmFuse *
new_fuse (const MmConfig *config, const gchar *mountpoint, MmVfs *vfs, GError **error)
{
  /* Mail is private: others see it only when the user lets them in. */
  mode_t umask = config->allow_other ? 022 : 077;
  MmFuseConfig fuse = {
    .mount_point = mountpoint,
    .source = config->source_text,
    .kernel_flags = config->kernel_flags,
    .allow_other = config->allow_other,
    .debug = config->debug,
    .uid = config->has_uid ? config->uid : getuid (),
    .gid = config->has_gid ? config->gid : getgid (),
    .umask = config->has_umask ? config->umask : umask,
    .timeout_ms = config->timeout_s * 1000 + DEADLINE_SLACK_MS,
  };
  return mm_fuse_new (&fuse, vfs, error);
}

static gboolean
connect_account (const MmConfig *config, MmCredentials *credentials, MmAccount *account,
                 GError **error)
{
  gboolean is_connected = mm_account_connect (account, config->source.folder, error);

  mm_credentials_forget_terminal (credentials);
  return is_connected;
}

/* From now on nobody may be at the terminal. */
static gboolean
move_log (const MmConfig *config, GError **error)
{
  if (config->log_file != NULL)
    return mm_log_to_file (config->log_file, error);
  if (!config->foreground)
    mm_log_to_syslog ();
  return TRUE;
}

static gboolean
serve (const MmConfig *config, MmCredentials *credentials, MmAccount *account, MmFuse *fuse,
       MmDaemonizer *daemonizer, GError **error)
{
  return connect_account (config, credentials, account, error)
         && mm_fuse_mount (fuse, error) && move_log (config, error)
         && mm_daemonize_ready (daemonizer, error) && mm_fuse_serve (fuse, error);
}

gboolean
mm_run_mount (const MmConfig *config, const gchar *mountpoint, MmCredentials *credentials,
              MmDaemonizer *daemonizer, GError **error)
{
  g_autoptr (MmVfs) vfs = mm_vfs_new (config->names_by_uid ? MM_NAMES_UID : MM_NAMES_SUBJECT);
  g_autoptr (MmFuse) fuse = new_fuse (config, mountpoint, vfs, error);
  if (fuse == NULL)
    return FALSE;
  MmAccount *account = new_account (config, credentials, vfs, error);
  if (account == NULL)
    return FALSE;
  mm_vfs_set_account (vfs, account);
  g_autofree gchar *account_name = describe_account (config);
  MmReport report = {
    .source = config->source_text,
    .mount_point = mountpoint,
    .account_name = account_name,
    .mounted_us = mm_clock_wall_us (),
    .cache_directory = config->cache_dir,
    .account = account,
  };
  mm_vfs_set_report_func (vfs, mm_report_write, &report);

  gboolean served = serve (config, credentials, account, fuse, daemonizer, error);
  /* In this order: open files let go of the account's contents, the account lets go of what still
   * waits, and only then the session may go. */
  mm_fuse_stop (fuse);
  mm_vfs_close_all (vfs);
  mm_account_free (account);
  return served;
}
