// SPDX-License-Identifier: GPL-3.0-or-later
/* Which folders of an account are shown. */
#include "account-private.h"

#include <fnmatch.h>
#include <string.h>

#include <mailmount/folder-name.h>

/* A glob that matches a folder matches everything below it. */
static gboolean
matches_any (gchar **globs, const gchar *path)
{
  g_autofree gchar *prefix = g_strdup (path);

  for (;;)
    {
      for (guint i = 0; globs[i] != NULL; i++)
        if (fnmatch (globs[i], prefix, 0) == 0)
          return TRUE;
      gchar *slash = strrchr (prefix, '/');
      if (slash == NULL)
        return FALSE;
      *slash = '\0';
    }
}

static gboolean
passes_filters (const MmAccount *account, const MmFolderNode *node)
{
  if (account->subscribed_only && (node->flags & MM_MAILBOX_SUBSCRIBED) == 0
      && !mm_mailbox_is_inbox (node->path))
    return FALSE;
  if (account->include != NULL && !matches_any (account->include, node->path))
    return FALSE;
  return account->exclude == NULL || !matches_any (account->exclude, node->path);
}

void
mm_account_mark_visible_locked (MmAccount *account, GPtrArray *nodes)
{
  /* Children come after their parents, so backwards a parent knows about all of them. */
  for (guint i = 0; i < nodes->len; i++)
    ((MmFolderNode *) g_ptr_array_index (nodes, i))->is_visible = FALSE;
  for (guint i = nodes->len; i-- > 0;)
    {
      MmFolderNode *node = g_ptr_array_index (nodes, i);
      if (!node->is_placeholder && passes_filters (account, node))
        node->is_visible = TRUE;
      if (node->is_visible)
        node->parent->is_visible = TRUE;
    }
}

/* ---- filters that let nothing through ---- */

/* So many are told; who has more knows what kind of names there are. */
#define N_FOLDERS_TOLD 5

gboolean
mm_account_has_filters (const MmAccount *account)
{
  return account->include != NULL || account->exclude != NULL || account->subscribed_only;
}

static void
add_globs (GString *text, const gchar *option, gchar **globs)
{
  if (globs == NULL)
    return;
  g_autofree gchar *joined = g_strjoinv (":", globs);
  g_string_append_printf (text, "%s%s=%s", text->len > 0 ? ", " : "", option, joined);
}

/* As they stand behind -o. */
static gchar *
describe_filters (const MmAccount *account)
{
  GString *text = g_string_new (NULL);

  add_globs (text, "folders", account->include);
  add_globs (text, "exclude", account->exclude);
  if (account->subscribed_only)
    g_string_append_printf (text, "%ssubscribed", text->len > 0 ? ", " : "");
  return g_string_free (text, FALSE);
}

/* Array<path>, borrowed, of what the server has; NULL when one of them is shown. */
static GPtrArray *
list_if_all_are_hidden_locked (MmAccount *account)
{
  g_autoptr (GPtrArray) nodes = mm_folder_tree_list (account->tree);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    {
      const MmFolderNode *node = g_ptr_array_index (nodes, i);
      if (node->is_visible)
        return NULL;
      if (!node->is_placeholder)
        g_ptr_array_add (paths, (gpointer) node->path);
    }
  return g_steal_pointer (&paths);
}

static void
set_nothing_shown_error (const MmAccount *account, const GPtrArray *paths, GError **error)
{
  g_autofree gchar *filters = describe_filters (account);
  g_autoptr (GString) there = g_string_new (NULL);

  for (guint i = 0; i < MIN (paths->len, N_FOLDERS_TOLD); i++)
    g_string_append_printf (there, "%s'%s'", i > 0 ? ", " : "",
                            (const gchar *) g_ptr_array_index (paths, i));
  if (paths->len > N_FOLDERS_TOLD)
    g_string_append_printf (there, " and %u more", paths->len - N_FOLDERS_TOLD);
  g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "no folder of %s would be shown with -o %s; there are %s",
               account->context.name, filters, there->str);
}

gboolean
mm_account_check_filters (MmAccount *account, GError **error)
{
  gboolean is_fine = TRUE;

  g_mutex_lock (&account->lock);
  if (account->listed_us != 0 && mm_account_has_filters (account))
    {
      g_autoptr (GPtrArray) hidden = list_if_all_are_hidden_locked (account);
      is_fine = hidden == NULL || hidden->len == 0;
      if (!is_fine)
        set_nothing_shown_error (account, hidden, error);
    }
  g_mutex_unlock (&account->lock);
  return is_fine;
}
