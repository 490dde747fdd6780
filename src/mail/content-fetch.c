// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Asking the server for messages and their parts, several in one job, and collecting what it sends.
 * What came is judged by content-judge.c, which may ask again.
 */
#include "content-fetch-private.h"

#include <stdatomic.h>
#include <string.h>

#include <mailmount/limits.h>

/* Room made at once for a literal of known length; a longer one grows as it arrives. */
#define RESERVED_OCTETS_MAX (16 * 1024 * 1024)

/* Several messages of one mailbox in one job. */
typedef struct
{
  MmContentFetch **fetches; /* Array of @n; NULL where the item has ended */
  gsize n;
  void (*done) (gpointer user_data); /* nullable */
  gpointer user_data;
} Batch;

static void send_fetches (MmContentFetch **fetches, gsize n, MmRemotePriority priority,
                          void (*done) (gpointer user_data), gpointer user_data);

void
mm_content_fetch_send_again (MmContentFetch *fetch)
{
  send_fetches (&fetch, 1, MM_REMOTE_PRIORITY_DEMAND, NULL, NULL);
}

/* ---- memory, over all fetches ---- */

/* FALSE: that would be more than all fetches together may hold. */
static gboolean
hold_arriving (MmContentFetch *fetch, guint64 octets)
{
  MmMailContext *context = fetch->content->context;

  if (octets > mm_limits_default.arriving_octets)
    return FALSE;
  gint64 total = atomic_fetch_add (&context->arriving_octets, (gint64)octets) + (gint64)octets;
  if (total > (gint64)mm_limits_default.arriving_octets)
    {
      context->arriving_octets -= (gint64)octets;
      return FALSE;
    }
  fetch->held_octets += (gint64)octets;
  fetch->arriving_octets = (gint64)octets;
  return TRUE;
}

void
mm_content_fetch_let_go (MmContentFetch *fetch, gint64 octets)
{
  fetch->content->context->arriving_octets -= octets;
  fetch->held_octets -= octets;
  fetch->arriving_octets = 0;
}

void
mm_content_fetch_free (MmContentFetch *fetch)
{
  mm_content_fetch_let_go (fetch, fetch->held_octets);
  mm_fetch_target_clear (&fetch->target);
  g_clear_pointer (&fetch->avoided, g_ptr_array_unref);
  g_byte_array_unref (fetch->arriving);
  g_clear_pointer (&fetch->first, g_bytes_unref);
  g_clear_pointer (&fetch->tally, mm_ahead_tally_unref);
  g_clear_error (&fetch->error);
  mm_content_unref (fetch->content);
  g_free (fetch);
}

/* ---- the sink ---- */

static void
on_begin (gsize index, guint64 length, gpointer user_data)
{
  MmContentFetch *fetch = ((Batch *)user_data)->fetches[index];

  fetch->announced = length;
  fetch->told_size = length;
  g_byte_array_unref (fetch->arriving);
  mm_content_fetch_let_go (fetch, fetch->arriving_octets);
  fetch->is_too_much = fetch->step != MM_FETCH_STEP_EXISTS && !hold_arriving (fetch, length);
  fetch->arriving = fetch->step == MM_FETCH_STEP_EXISTS || fetch->is_too_much
                        ? g_byte_array_new ()
                        : g_byte_array_sized_new ((guint)MIN (length, RESERVED_OCTETS_MAX));
}

static void
on_data (gsize index, const guint8 *data, gsize length, gpointer user_data)
{
  MmContentFetch *fetch = ((Batch *)user_data)->fetches[index];

  if (!fetch->is_too_much)
    g_byte_array_append (fetch->arriving, data, (guint)length);
}

static void
on_item_done (gsize index, MmProbeResult probe, const GError *error, gpointer user_data)
{
  MmContentFetch *fetch = g_steal_pointer (&((Batch *)user_data)->fetches[index]);

  fetch->probe = probe;
  fetch->error = error != NULL ? g_error_copy (error) : NULL;
  mm_content_fetch_judge (fetch);
}

static void
on_done (const GError *error, gpointer user_data)
{
  Batch *batch = user_data;

  if (batch->done != NULL)
    batch->done (batch->user_data);
  g_free (batch->fetches);
  g_free (batch);
}

/* ---- sending ---- */

static MmFetchItem
describe_item (const MmContentFetch *fetch)
{
  MmFetchItem item = { .uid = fetch->target.uid };

  if (fetch->step == MM_FETCH_STEP_EXISTS)
    item.kind = MM_FETCH_SIZE;
  else if (fetch->step == MM_FETCH_STEP_HEADER)
    item.kind = MM_FETCH_HEADER;
  else if (fetch->step == MM_FETCH_STEP_TEXT)
    item.kind = MM_FETCH_TEXT;
  else if (fetch->ask.is_whole)
    item.kind = MM_FETCH_WHOLE;
  else
    {
      item.kind = MM_FETCH_RANGE;
      item.offset = fetch->ask.offset;
      item.length = fetch->ask.length;
      item.probe_size = fetch->ask.probe_size;
    }
  return item;
}

/* @fetches: of one mailbox; the pointers are copied. */
static void
send_fetches (MmContentFetch **fetches, gsize n, MmRemotePriority priority,
              void (*done) (gpointer user_data), gpointer user_data)
{
  static const MmRemoteFetchSink sink = {
    .begin = on_begin,
    .data = on_data,
    .item_done = on_item_done,
    .done = on_done,
  };
  const MmFetchTarget *target = &fetches[0]->target;
  MmRemote *remote = fetches[0]->content->context->remote;
  g_autofree MmFetchItem *items = g_new0 (MmFetchItem, n);
  g_autofree gchar *mailbox_name = g_strdup (target->mailbox_name);
  Batch *batch = g_new (Batch, 1);

  batch->n = n;
  batch->done = done;
  batch->user_data = user_data;
  batch->fetches = g_memdup2 (fetches, n * sizeof (MmContentFetch *));
  for (gsize i = 0; i < n; i++)
    {
      items[i] = describe_item (fetches[i]);
      g_clear_error (&fetches[i]->error);
      fetches[i]->is_too_much = FALSE;
      fetches[i]->probe = MM_PROBE_NONE;
      fetches[i]->announced = 0;
    }
  g_autoptr (MmRemoteJob) job = mm_remote_fetch (remote, mailbox_name, target->uidvalidity, items,
                                                 n, priority, &sink, batch);
}

/* @preferred: nullable. */
static MmContentFetch *
new_fetch (MmContent *content, MmMailbox *preferred, const MmContentAsk *ask)
{
  MmContentFetch *fetch = g_new0 (MmContentFetch, 1);

  fetch->content = mm_content_ref (content);
  fetch->ask = *ask;
  fetch->tally = ask->tally != NULL ? mm_ahead_tally_ref (ask->tally) : NULL;
  fetch->arriving = g_byte_array_new ();
  if (mm_content_find_target (content, preferred, NULL, &fetch->mailbox, &fetch->target))
    return fetch;
  mm_content_fetch_fail (fetch, MM_ERROR_MESSAGE_GONE,
                         "message %" G_GUINT64_FORMAT " of '%s' was expunged", content->number,
                         content->mailbox->path);
  return NULL;
}

void
mm_content_start_fetch (MmContent *content, const MmContentAsk *ask)
{
  MmContentFetch *fetch = new_fetch (content, content->mailbox, ask);

  if (ask->is_whole || ask->offset == 0)
    mm_statistics_note_miss (content->context->statistics);
  if (fetch != NULL)
    send_fetches (&fetch, 1, MM_REMOTE_PRIORITY_DEMAND, NULL, NULL);
}

void
mm_content_start_fetches (MmMailbox *mailbox, MmContent *const *contents, const MmContentAsk *asks,
                          gsize n, void (*done) (gpointer user_data), gpointer user_data)
{
  g_autoptr (GPtrArray) fetches = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    {
      MmContentFetch *fetch = new_fetch (contents[i], mailbox, &asks[i]);
      if (fetch == NULL)
        continue;
      if (fetch->mailbox == mailbox)
        g_ptr_array_add (fetches, fetch);
      else /* it left the mailbox this moment */
        mm_content_fetch_send_again (fetch);
    }
  if (fetches->len > 0)
    send_fetches ((MmContentFetch **)fetches->pdata, fetches->len, MM_REMOTE_PRIORITY_READ_AHEAD,
                  done, user_data);
  else
    done (user_data);
}
