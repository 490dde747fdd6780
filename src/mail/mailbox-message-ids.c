// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Message-IDs are not part of a listing (they would make it half as long again). The first who asks
 * for one that is not known has the missing ones of the whole folder fetched in one go.
 */
#include "mailbox-private.h"

#include <mailmount/log.h>

#include "message-id.h"

/* A Message-ID field longer than this is taken as far as it goes. */
#define FIELD_OCTETS_MAX 4096

typedef struct
{
  MmMailbox *mailbox; /* borrowed */
  MmFetchItem *items;
  gsize n_items;
  GString *field; /* of the item being told */
  gsize index;
} IdFetch;

static void
on_begin (gsize index, guint64 length, gpointer user_data)
{
  IdFetch *fetch = user_data;
  fetch->index = index;
  g_string_truncate (fetch->field, 0);
}

static void
on_data (gsize index, const guint8 *data, gsize length, gpointer user_data)
{
  IdFetch *fetch = user_data;
  gsize room = FIELD_OCTETS_MAX - MIN (fetch->field->len, FIELD_OCTETS_MAX);
  g_string_append_len (fetch->field, (const gchar *) data, (gssize) MIN (length, room));
}

static void
on_item_done (gsize index, MmProbeResult probe, const GError *error, gpointer user_data)
{
  IdFetch *fetch = user_data;
  MmMailbox *mailbox = fetch->mailbox;

  if (error != NULL)
    return;
  g_autofree gchar *id = mm_message_id_find (fetch->field->str, fetch->field->len, TRUE);
  g_mutex_lock (&mailbox->lock);
  const MmMessage *message
      = mm_message_table_find_uid (mailbox->table, fetch->items[index].uid);
  guint64 number = message != NULL ? message->number : 0;
  g_mutex_unlock (&mailbox->lock);
  if (number != 0)
    mm_mailbox_set_message_id (mailbox, number, id);
}

static void
on_done (const GError *error, gpointer user_data)
{
  IdFetch *fetch = user_data;
  MmMailbox *mailbox = fetch->mailbox;

  g_mutex_lock (&mailbox->lock);
  mailbox->is_fetching_ids = FALSE;
  /* What the server did not answer for has none that can be had: asking again would not end. */
  for (gsize i = 0; error == NULL && i < fetch->n_items; i++)
    {
      MmMessage *message = mm_message_table_find_uid (mailbox->table, fetch->items[i].uid);
      if (message != NULL && message->message_id == NULL)
        message->message_id = "";
    }
  mm_mailbox_write_rows_locked (mailbox);
  GPtrArray *waiters = mm_wait_list_take_locked (mailbox->waits);
  g_mutex_unlock (&mailbox->lock);
  mm_waiters_fire (waiters, error);

  g_string_free (fetch->field, TRUE);
  g_free (fetch->items);
  g_free (fetch);
}

/* The messages without a known Message-ID; NULL when there are none. */
static IdFetch *
new_fetch_locked (MmMailbox *mailbox)
{
  g_autoptr (GArray) items = g_array_new (FALSE, TRUE, sizeof (MmFetchItem));

  for (gsize i = 0; i < mm_message_table_get_length (mailbox->table); i++)
    {
      const MmMessage *message = mm_message_table_at (mailbox->table, i);
      MmFetchItem item = { .uid = message->uid, .kind = MM_FETCH_MESSAGE_ID };
      if (message->message_id == NULL && message->uid != 0)
        g_array_append_val (items, item);
    }
  if (items->len == 0)
    return NULL;
  IdFetch *fetch = g_new0 (IdFetch, 1);
  fetch->mailbox = mailbox;
  fetch->items = (MmFetchItem *) g_array_steal (items, &fetch->n_items);
  fetch->field = g_string_new (NULL);
  return fetch;
}

static void
start_fetch (IdFetch *fetch, const gchar *name, guint64 uidvalidity)
{
  static const MmRemoteFetchSink sink = {
    .begin = on_begin,
    .data = on_data,
    .item_done = on_item_done,
    .done = on_done,
  };
  g_autoptr (MmRemoteJob) job
      = mm_remote_fetch (fetch->mailbox->context->remote, name, uidvalidity, fetch->items,
                         fetch->n_items, MM_REMOTE_PRIORITY_DEMAND, &sink, fetch);
}

MmTry
mm_mailbox_try_message_ids (MmMailbox *mailbox, MmWaiter *waiter, GError **error)
{
  MmTry listed = mm_mailbox_try_listed (mailbox, FALSE, waiter, error);
  if (listed != MM_TRY_DONE)
    return listed;

  IdFetch *fetch = NULL;
  g_mutex_lock (&mailbox->lock);
  gboolean wait = mailbox->is_fetching_ids;
  if (!wait && (fetch = new_fetch_locked (mailbox)) != NULL)
    wait = mailbox->is_fetching_ids = TRUE;
  if (wait)
    mm_wait_list_add_locked (mailbox->waits, waiter);
  g_autofree gchar *name = g_strdup (mailbox->name);
  guint64 uidvalidity = mailbox->state.uidvalidity;
  g_mutex_unlock (&mailbox->lock);

  if (fetch != NULL)
    start_fetch (fetch, name, uidvalidity);
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
