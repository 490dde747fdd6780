// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Message-IDs are not part of a listing (they would make it half as long again). The first who asks
 * for one that is not known has the missing ones of the whole folder fetched in one go.
 */
#include "mailbox-private.h"

#include "message-id-fetch.h"

typedef struct
{
  MmMailbox *mailbox; /* borrowed */
  GArray *uids;       /* Array<guint32>: of those asked for */
  guint numbering;    /* that they belong to */
} Missing;

static void
on_found (guint32 uid, const gchar *message_id, gpointer user_data)
{
  const Missing *missing = user_data;
  MmMailbox *mailbox = missing->mailbox;

  g_mutex_lock (&mailbox->lock);
  const MmMessage *message = mailbox->numbering == missing->numbering
                                 ? mm_message_table_find_uid (mailbox->table, uid)
                                 : NULL;
  guint64 number = message != NULL ? message->number : 0;
  g_mutex_unlock (&mailbox->lock);
  if (number != 0)
    mm_mailbox_set_message_id (mailbox, number, message_id);
}

static void
on_done (const GError *error, gpointer user_data)
{
  Missing *missing = user_data;
  MmMailbox *mailbox = missing->mailbox;

  g_mutex_lock (&mailbox->lock);
  mailbox->is_fetching_ids = FALSE;
  /* What the server did not answer for has none that can be had: asking again would not end. */
  gboolean is_current = error == NULL && mailbox->numbering == missing->numbering;
  for (guint i = 0; is_current && i < missing->uids->len; i++)
    {
      MmMessage *message
          = mm_message_table_find_uid (mailbox->table, g_array_index (missing->uids, guint32, i));
      if (message != NULL && message->message_id == NULL)
        message->message_id = "";
    }
  mm_mailbox_write_rows_locked (mailbox);
  GPtrArray *waiters = mm_wait_list_take_locked (mailbox->waits);
  g_mutex_unlock (&mailbox->lock);
  mm_waiters_fire (waiters, error);

  g_array_unref (missing->uids);
  g_free (missing);
}

/* The messages without a known Message-ID; NULL when there are none. */
static Missing *
find_missing_locked (MmMailbox *mailbox)
{
  g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (gsize i = 0; i < mm_message_table_get_length (mailbox->table); i++)
    {
      const MmMessage *message = mm_message_table_at (mailbox->table, i);
      if (message->message_id == NULL && message->uid != 0)
        g_array_append_val (uids, message->uid);
    }
  if (uids->len == 0)
    return NULL;
  Missing *missing = g_new (Missing, 1);
  missing->mailbox = mailbox;
  missing->uids = g_steal_pointer (&uids);
  missing->numbering = mailbox->numbering;
  return missing;
}

MmTry
mm_mailbox_try_message_ids (MmMailbox *mailbox, MmWaiter *waiter, GError **error)
{
  MmTry listed = mm_mailbox_try_listed (mailbox, FALSE, waiter, error);
  if (listed != MM_TRY_DONE)
    return listed;

  static const MmMessageIdSink sink = { .found = on_found, .done = on_done };
  Missing *missing = NULL;
  g_mutex_lock (&mailbox->lock);
  gboolean wait = mailbox->is_fetching_ids;
  if (!wait && (missing = find_missing_locked (mailbox)) != NULL)
    wait = mailbox->is_fetching_ids = TRUE;
  if (wait)
    mm_wait_list_add_locked (mailbox->waits, waiter);
  g_autofree gchar *name = g_strdup (mailbox->name);
  guint64 uidvalidity = mailbox->state.uidvalidity;
  g_mutex_unlock (&mailbox->lock);

  if (missing != NULL)
    mm_message_ids_fetch (mailbox->context->remote, name, uidvalidity, missing->uids, &sink, missing);
  return wait ? MM_TRY_WAIT : MM_TRY_DONE;
}

void
mm_mailbox_set_message_id (MmMailbox *mailbox, guint64 number, const gchar *message_id)
{
  g_mutex_lock (&mailbox->lock);
  MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL && message->message_id == NULL)
    {
      message->message_id = mm_message_table_keep (mailbox->table, message_id);
      g_array_append_vals (mailbox->unwritten, message, 1);
    }
  g_mutex_unlock (&mailbox->lock);
}
