// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/utf7.h>

#include "imap-connection.h"
#include "imap-remote.h"

/* A mailbox of which nobody told how large it is may be a large one. */
#define UNKNOWN_MESSAGES 10000

void
mm_imap_remote_set_hint (MmImapRemote *remote, const gchar *mailbox, guint64 messages)
{
  g_mutex_lock (&remote->hint_lock);
  g_hash_table_replace (remote->n_messages, g_strdup (mailbox),
                        g_memdup2 (&messages, sizeof messages));
  g_mutex_unlock (&remote->hint_lock);
}

gboolean
mm_imap_remote_get_hint (MmImapRemote *remote, const gchar *mailbox, guint64 *out_messages)
{
  g_mutex_lock (&remote->hint_lock);
  const guint64 *messages = g_hash_table_lookup (remote->n_messages, mailbox);
  if (messages != NULL)
    *out_messages = *messages;
  g_mutex_unlock (&remote->hint_lock);
  return messages != NULL;
}

void
mm_imap_remote_set_capabilities (MmImapRemote *remote, MmImapCapabilities capabilities)
{
  g_mutex_lock (&remote->hint_lock);
  remote->capabilities = capabilities;
  g_mutex_unlock (&remote->hint_lock);
}

MmImapCapabilities
mm_imap_remote_get_capabilities (MmImapRemote *remote)
{
  g_mutex_lock (&remote->hint_lock);
  MmImapCapabilities capabilities = remote->capabilities;
  g_mutex_unlock (&remote->hint_lock);
  return capabilities;
}

void
mm_imap_remote_set_quirks (MmImapRemote *remote, MmImapQuirks quirks)
{
  g_mutex_lock (&remote->hint_lock);
  remote->quirks = quirks;
  g_mutex_unlock (&remote->hint_lock);
}

gboolean
mm_imap_remote_has_quirk (MmImapRemote *remote, MmImapQuirks quirk)
{
  g_mutex_lock (&remote->hint_lock);
  gboolean has_quirk = (remote->quirks & quirk) != 0;
  g_mutex_unlock (&remote->hint_lock);
  return has_quirk;
}

gchar *
mm_imap_name_from_wire (const MmImapSession *session, const gchar *name)
{
  gchar *converted = mm_imap_session_is_utf8 (session) ? mm_utf7_from_utf8 (name, -1) : NULL;

  return converted != NULL ? converted : g_strdup (name);
}

gchar *
mm_imap_name_to_wire (const MmImapSession *session, const gchar *name)
{
  gchar *converted = mm_imap_session_is_utf8 (session) ? mm_utf7_to_utf8 (name, -1) : NULL;

  return converted != NULL ? converted : g_strdup (name);
}

gchar *
mm_imap_name_for_people (const gchar *name)
{
  gchar *decoded = mm_utf7_to_utf8 (name, -1);

  return decoded != NULL ? decoded : g_strdup (name);
}

/* ---- the driver ---- */

static void
imap_free (MmRemote *remote)
{
  MmImapRemote *self = (MmImapRemote *) remote;

  g_mutex_clear (&self->hint_lock);
  g_hash_table_unref (self->n_messages);
  g_free (self);
}

static MmRemoteJob *
imap_new_list_job (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  return mm_imap_list_job_new (sink, user_data);
}

static MmRemoteJob *
imap_new_sync_job (MmRemote *remote, const MmRemoteSyncRequest *request,
                   const MmRemoteSyncSink *sink, gpointer user_data)
{
  guint64 n_messages = 0;

  if (mm_imap_remote_get_hint ((MmImapRemote *) remote, request->mailbox, &n_messages))
    n_messages -= MIN (n_messages, request->known.messages);
  else if (request->known.uidvalidity == 0)
    n_messages = UNKNOWN_MESSAGES;
  return mm_imap_sync_job_new (request, n_messages, sink, user_data);
}

static MmRemoteJob *
imap_new_fetch_job (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                    const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                    const MmRemoteFetchSink *sink, gpointer user_data)
{
  return mm_imap_fetch_job_new (mailbox, uidvalidity, items, n_items, priority, sink, user_data);
}

static MmRemoteJob *
imap_new_watch_job (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                    gpointer user_data)
{
  return mm_imap_watch_job_new (mailbox, sink, user_data);
}

static const MmRemoteDriver imap_driver = {
  .service = "imap",
  .free = imap_free,
  .new_list_job = imap_new_list_job,
  .new_sync_job = imap_new_sync_job,
  .new_fetch_job = imap_new_fetch_job,
  .new_watch_job = imap_new_watch_job,
  .name_for_people = mm_imap_name_for_people,
};

MmRemote *
mm_remote_new_imap (const MmRemoteConfig *config)
{
  MmImapRemote *self = g_new0 (MmImapRemote, 1);

  g_mutex_init (&self->hint_lock);
  self->n_messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  mm_remote_init (&self->base, &imap_driver, config, config->connections, mm_imap_connection_run);
  return &self->base;
}
