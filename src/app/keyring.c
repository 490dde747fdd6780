// SPDX-License-Identifier: GPL-3.0-or-later
#include "keyring.h"

#ifdef MM_HAVE_LIBSECRET

#include <string.h>
#include <sys/stat.h>

#include <libsecret/secret.h>

#include <mailmount/log.h>

static const SecretSchema schema = {
  "org.freedesktop.Secret.Generic",
  SECRET_SCHEMA_DONT_MATCH_NAME,
  {
    { "server", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "user", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "protocol", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { NULL, 0 },
  },
  0, 0, 0, 0, 0, 0, 0, 0,
};

gboolean
mm_keyring_is_built_in (void)
{
  return TRUE;
}

/* Without a bus GDBus would try to start one, through X11 if it must, and that can hang. */
static gboolean
has_session_bus (void)
{
  const gchar *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  const gchar *runtime = g_getenv ("XDG_RUNTIME_DIR");
  struct stat status;

  if (address != NULL)
    return address[0] != '\0' && !g_str_has_prefix (address, "autolaunch:");
  if (runtime == NULL)
    return FALSE;
  g_autofree gchar *socket = g_build_filename (runtime, "bus", NULL);
  return stat (socket, &status) == 0 && S_ISSOCK (status.st_mode);
}

/* Cancels a call that takes too long. */
typedef struct
{
  GMutex lock; /* guards is_done */
  GCond changed;
  gboolean is_done;
  gint64 deadline_us;
  GCancellable *cancellable;
} Watchdog;

static gpointer
watch (gpointer data)
{
  Watchdog *watchdog = data;
  gboolean in_time = TRUE;

  g_mutex_lock (&watchdog->lock);
  while (!watchdog->is_done && in_time)
    in_time = g_cond_wait_until (&watchdog->changed, &watchdog->lock, watchdog->deadline_us);
  g_mutex_unlock (&watchdog->lock);
  if (!in_time)
    g_cancellable_cancel (watchdog->cancellable);
  return NULL;
}

MmSecret *
mm_keyring_lookup (const gchar *host, const gchar *user, const gchar *protocol, guint deadline_ms)
{
  if (!has_session_bus ())
    return NULL;

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Watchdog watchdog = { .cancellable = cancellable };
  MmSecret *secret = NULL;

  watchdog.deadline_us = g_get_monotonic_time () + (gint64) deadline_ms * 1000;
  g_mutex_init (&watchdog.lock);
  g_cond_init (&watchdog.changed);
  GThread *thread = g_thread_new ("keyring", watch, &watchdog);

  gchar *password = secret_password_lookup_nonpageable_sync (
      &schema, cancellable, &error, "server", host, "user", user, "protocol", protocol, NULL);
  if (password != NULL && password[0] != '\0')
    secret = mm_secret_new (password, strlen (password));
  secret_password_free (password);
  if (error != NULL)
    mm_log_debug ("the keyring gave no password: %s", error->message);

  g_mutex_lock (&watchdog.lock);
  watchdog.is_done = TRUE;
  g_cond_signal (&watchdog.changed);
  g_mutex_unlock (&watchdog.lock);
  g_thread_join (thread);
  g_cond_clear (&watchdog.changed);
  g_mutex_clear (&watchdog.lock);
  return secret;
}

#else

gboolean
mm_keyring_is_built_in (void)
{
  return FALSE;
}

MmSecret *
mm_keyring_lookup (const gchar *host, const gchar *user, const gchar *protocol, guint deadline_ms)
{
  return NULL;
}

#endif
