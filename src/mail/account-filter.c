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
