// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Paths as users write them. The program changes its working directory when it goes to the
 * background, so every path is made absolute when it is read.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* @path made absolute from the working directory, "~/" from the home directory; neither resolved
 * nor looked at. (transfer full) */
gchar *mm_path_absolute (const gchar *path);

/* Replaces *@slot by the absolute @value of the option @name. MM_ERROR_USAGE when it is empty. */
gboolean mm_path_take (gchar **slot, const gchar *name, const gchar *value, GError **error);

/* $HOME, else the home directory of the user's entry in the password database. (transfer full) */
gchar *mm_path_home (void);

/* Where the cache is without cache=: "mailmount" in $XDG_CACHE_HOME or ~/.cache. (transfer full) */
gchar *mm_path_default_cache (void);

/* Whether @path is @directory or lies below it; both absolute, compared as text. */
gboolean mm_path_is_inside (const gchar *path, const gchar *directory);

G_END_DECLS
