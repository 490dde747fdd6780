// SPDX-License-Identifier: GPL-3.0-or-later
#include "message-id-fetch.h"

#include "message-id.h"

/* A Message-ID field longer than this is taken as far as it goes. */
#define FIELD_OCTETS_MAX 4096

typedef struct
{
  const MmMessageIdSink *sink;
  gpointer user_data;
  MmFetchItem *items; /* owned */
  GString *field;     /* of the item being told */
} IdFetch;

static void
on_begin (gsize index, guint64 length, gpointer user_data)
{
  IdFetch *fetch = user_data;
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

  if (error != NULL)
    return;
  g_autofree gchar *id = mm_message_id_find (fetch->field->str, fetch->field->len, TRUE);
  fetch->sink->found (fetch->items[index].uid, id, fetch->user_data);
}

static void
on_done (const GError *error, gpointer user_data)
{
  IdFetch *fetch = user_data;

  fetch->sink->done (error, fetch->user_data);
  g_string_free (fetch->field, TRUE);
  g_free (fetch->items);
  g_free (fetch);
}

void
mm_message_ids_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                      const GArray *uids, const MmMessageIdSink *sink, gpointer user_data)
{
  static const MmRemoteFetchSink fetch_sink = {
    .begin = on_begin,
    .data = on_data,
    .item_done = on_item_done,
    .done = on_done,
  };
  IdFetch *fetch = g_new0 (IdFetch, 1);

  fetch->sink = sink;
  fetch->user_data = user_data;
  fetch->field = g_string_new (NULL);
  fetch->items = g_new0 (MmFetchItem, uids->len);
  for (guint i = 0; i < uids->len; i++)
    fetch->items[i] = (MmFetchItem){ .uid = g_array_index (uids, guint32, i),
                                     .kind = MM_FETCH_MESSAGE_ID };
  g_autoptr (MmRemoteJob) job = mm_remote_fetch (remote, mailbox, uidvalidity, fetch->items, uids->len,
                                                 MM_REMOTE_PRIORITY_DEMAND, &fetch_sink, fetch);
}
