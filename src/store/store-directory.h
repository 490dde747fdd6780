// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The cache directory that index and content cache share: private to one user, and what cannot be
 * trusted in it is renamed aside, never deleted and never read.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* The layout of the content cache is versioned by this name. */
#define MM_STORE_CONTENT_DIRECTORY "content-v1"

/* NAME.set-aside-DATE */
#define MM_STORE_SET_ASIDE      "set-aside-"
#define MM_STORE_SET_ASIDE_MARK "." MM_STORE_SET_ASIDE

/* Opens the directory @path, made 0700 with its parents where missing. -1 with @error when it
 * belongs to another user or others may enter it. @path may be reached through symbolic links; the
 * caller follows none below it. */
int mm_store_directory_open (const gchar *path, GError **error);

/* A stamp for names of things set aside, for example "set-aside-20260131T235959Z", such that
 * @name with it does not exist in @directory_fd. (transfer full) */
gchar *mm_store_directory_choose_suffix (int directory_fd, const gchar *name);

/* Renames @name to "@name.@suffix". Nothing happens when there is no @name; FALSE with @error when
 * it is still there afterwards. */
gboolean mm_store_directory_set_aside (int directory_fd, const gchar *name, const gchar *suffix,
                                       GError **error);

/* Removes @name, and what is in it when it is a directory of at most @depth levels. */
void mm_store_directory_remove_tree (int parent_fd, const gchar *name, guint depth);

G_END_DECLS
