// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "paths.h"

gchar *
mm_path_home (void)
{
  const gchar *home = g_getenv ("HOME");
  return g_strdup (home != NULL && g_path_is_absolute (home) ? home : g_get_home_dir ());
}

gchar *
mm_path_default_cache (void)
{
  const gchar *xdg = g_getenv ("XDG_CACHE_HOME");
  g_autofree gchar *home = mm_path_home ();

  return xdg != NULL && g_path_is_absolute (xdg)
             ? g_build_filename (xdg, "mailmount", NULL)
             : g_build_filename (home, ".cache", "mailmount", NULL);
}

gchar *
mm_path_absolute (const gchar *path)
{
  if (g_path_is_absolute (path))
    return g_strdup (path);
  if (strcmp (path, "~") == 0 || g_str_has_prefix (path, "~/"))
    {
      g_autofree gchar *home = mm_path_home ();
      return g_build_filename (home, path + 1, NULL);
    }
  g_autofree gchar *here = g_get_current_dir ();
  return g_build_filename (here, path, NULL);
}

gboolean
mm_path_take (gchar **slot, const gchar *name, const gchar *value, GError **error)
{
  if (value[0] == '\0')
    {
      g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "the option '%s' needs a path", name);
      return FALSE;
    }
  g_free (*slot);
  *slot = mm_path_absolute (value);
  return TRUE;
}

gboolean
mm_path_is_inside (const gchar *path, const gchar *directory)
{
  g_autofree gchar *inner = g_canonicalize_filename (path, "/");
  g_autofree gchar *outer = g_canonicalize_filename (directory, "/");
  gsize length = strlen (outer);

  if (strcmp (outer, "/") == 0)
    return TRUE;
  return strncmp (inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
}
