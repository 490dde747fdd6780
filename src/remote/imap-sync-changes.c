// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-sync-changes.h"

typedef struct
{
  guint32 uid;
  MmImapFlags flags;
  gchar *keywords; /* owned */
} ChangedFlags;

struct MmImapSyncChanges
{
  MmUidSet *vanished;
  GArray *flags; /* of ChangedFlags */
};

static void
clear_changed_flags (gpointer data)
{
  ChangedFlags *changed = data;
  g_free (changed->keywords);
}

MmImapSyncChanges *
mm_imap_sync_changes_new (void)
{
  MmImapSyncChanges *changes = g_new0 (MmImapSyncChanges, 1);

  changes->vanished = mm_uid_set_new ();
  changes->flags = g_array_new (FALSE, FALSE, sizeof (ChangedFlags));
  g_array_set_clear_func (changes->flags, clear_changed_flags);
  return changes;
}

void
mm_imap_sync_changes_free (MmImapSyncChanges *changes)
{
  if (changes == NULL)
    return;
  mm_uid_set_free (changes->vanished);
  g_array_unref (changes->flags);
  g_free (changes);
}

static void
note_vanished (MmImapSyncChanges *changes, const MmUidSet *uids)
{
  gsize n_ranges = 0;
  const MmUidRange *ranges = mm_uid_set_get_ranges (uids, &n_ranges);

  for (gsize i = 0; i < n_ranges; i++)
    mm_uid_set_add_range (changes->vanished, ranges[i].first, ranges[i].last);
}

void
mm_imap_sync_changes_note (MmImapSyncChanges *changes, const MmImapEvent *event)
{
  const MmImapFetch *fetch = event->fetch;

  if (event->type == MM_IMAP_EVENT_VANISHED && event->earlier)
    note_vanished (changes, event->uids);
  else if (event->type == MM_IMAP_EVENT_FETCH_END && fetch->uid != 0 && fetch->has_flags)
    {
      ChangedFlags changed = { fetch->uid, fetch->flags, g_strdup (fetch->keywords) };
      g_array_append_val (changes->flags, changed);
    }
}

guint64
mm_imap_sync_changes_tell (const MmImapSyncChanges *changes, guint64 below,
                           const MmRemoteSyncSink *sink, gpointer user_data)
{
  g_autoptr (GArray) vanished = mm_imap_uids_below (changes->vanished, below);
  guint64 n_left = sink->vanished ((const MmRemoteUidRange *) (void *) vanished->data,
                                   vanished->len, user_data);

  for (guint i = 0; i < changes->flags->len; i++)
    {
      const ChangedFlags *changed = &g_array_index (changes->flags, ChangedFlags, i);
      if (changed->uid < below)
        sink->flags (changed->uid, mm_imap_flags_to_remote (changed->flags),
                     changed->keywords != NULL ? changed->keywords : "", user_data);
    }
  return n_left;
}

GArray *
mm_imap_uids_below (const MmUidSet *uids, guint64 below)
{
  GArray *result = g_array_new (FALSE, FALSE, sizeof (MmRemoteUidRange));
  gsize n_ranges = 0;
  const MmUidRange *ranges = mm_uid_set_get_ranges (uids, &n_ranges);

  for (gsize i = 0; i < n_ranges && ranges[i].first < below; i++)
    {
      MmRemoteUidRange range = {
        .first = ranges[i].first,
        .last = (guint32) MIN (ranges[i].last, below - 1),
      };
      g_array_append_val (result, range);
    }
  return result;
}

MmMessageFlags
mm_imap_flags_to_remote (MmImapFlags flags)
{
  G_STATIC_ASSERT ((int) MM_MESSAGE_SEEN == (int) MM_IMAP_FLAG_SEEN);
  G_STATIC_ASSERT ((int) MM_MESSAGE_ANSWERED == (int) MM_IMAP_FLAG_ANSWERED);
  G_STATIC_ASSERT ((int) MM_MESSAGE_FLAGGED == (int) MM_IMAP_FLAG_FLAGGED);
  G_STATIC_ASSERT ((int) MM_MESSAGE_DELETED == (int) MM_IMAP_FLAG_DELETED);
  G_STATIC_ASSERT ((int) MM_MESSAGE_DRAFT == (int) MM_IMAP_FLAG_DRAFT);
  return (MmMessageFlags) flags;
}
