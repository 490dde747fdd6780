// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuse-private.h"

#include <errno.h>
#include <string.h>

static gboolean
add_options (struct fuse_args *arguments, const MmFuseConfig *config)
{
  /* Commas and backslashes in the source would be read as the next option. */
  GString *options = g_string_new ("ro,nosuid,nodev,noatime,subtype=mailmount,fsname=");

  for (const gchar *p = config->source; *p != '\0'; p++)
    {
      if (*p == ',' || *p == '\\')
        g_string_append_c (options, '\\');
      g_string_append_c (options, *p);
    }
  if (config->kernel_flags != NULL)
    g_string_append_printf (options, ",%s", config->kernel_flags);
  if (config->allow_other)
    g_string_append (options, ",allow_other,default_permissions");
  gboolean added = fuse_opt_add_arg (arguments, "mailmount") == 0
                   && fuse_opt_add_arg (arguments, "-o") == 0
                   && fuse_opt_add_arg (arguments, options->str) == 0
                   && (!config->debug || fuse_opt_add_arg (arguments, "-d") == 0);
  g_string_free (options, TRUE);
  return added;
}

MmFuse *
mm_fuse_new (const MmFuseConfig *config, MmVfs *vfs, GError **error)
{
  struct fuse_args arguments = FUSE_ARGS_INIT (0, NULL);
  MmFuse *fuse = g_new0 (MmFuse, 1);

  g_mutex_init (&fuse->lock);
  g_cond_init (&fuse->idle);
  fuse->vfs = vfs;
  fuse->mount_point = g_strdup (config->mount_point);
  fuse->uid = config->uid;
  fuse->gid = config->gid;
  fuse->umask = config->umask;
  fuse->timeout_us = (gint64) config->timeout_ms * 1000;
  if (add_options (&arguments, config))
    fuse->session = fuse_session_new (&arguments, &mm_fuse_operations, sizeof mm_fuse_operations,
                                      fuse);
  fuse_opt_free_args (&arguments);
  if (fuse->session == NULL)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_SYSTEM, "libfuse refused the mount options");
      mm_fuse_free (fuse);
      return NULL;
    }
  fuse->deadlines = mm_deadlines_new ();
  fuse->notifier = mm_fuse_notifier_new (fuse->session);
  mm_vfs_set_observer (vfs, mm_fuse_notifier_get_observer (), fuse->notifier);
  return fuse;
}

gboolean
mm_fuse_mount (MmFuse *fuse, GError **error)
{
  /* From here on a signal must not end the process: the mount would stay, dead. */
  if (!mm_fuse_loop_watch_signals ())
    {
      g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "no eventfd: %s", g_strerror (errno));
      return FALSE;
    }
  fuse->is_mounted = fuse_session_mount (fuse->session, fuse->mount_point) == 0;
  if (fuse->is_mounted)
    return TRUE;
  mm_fuse_loop_forget_signals ();
  g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "'%s' could not be mounted", fuse->mount_point);
  return FALSE;
}

gboolean
mm_fuse_serve (MmFuse *fuse, GError **error)
{
  int result = mm_fuse_loop_run (fuse->session);

  if (result < 0)
    g_set_error (error, MM_ERROR, MM_ERROR_SYSTEM, "serving '%s' failed: %s", fuse->mount_point,
                 g_strerror (-result));
  return result >= 0;
}

void
mm_fuse_stop (MmFuse *fuse)
{
  /* Unmounting closes the session's descriptor, and its number becomes that of the next file that
   * any thread opens: nobody may be about to write to it. */
  mm_fuse_end_requests (fuse);
  mm_fuse_notifier_stop (fuse->notifier);
  if (fuse->is_mounted)
    {
      fuse_session_unmount (fuse->session);
      mm_fuse_loop_forget_signals ();
    }
  fuse->is_mounted = FALSE;
}

void
mm_fuse_free (MmFuse *fuse)
{
  if (fuse == NULL)
    return;
  mm_fuse_notifier_free (fuse->notifier);
  mm_deadlines_free (fuse->deadlines);
  if (fuse->session != NULL)
    fuse_session_destroy (fuse->session);
  g_cond_clear (&fuse->idle);
  g_mutex_clear (&fuse->lock);
  g_free (fuse->mount_point);
  g_free (fuse);
}
