// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "fake-server.h"

#define THREADS      8
#define CHUNK_OCTETS 50000

struct MmRemote
{
  FakeServer *server;
  GThreadPool *threads; /* Pool<MmRemoteJob> */
  gboolean is_closing;  /* guarded by the server's lock */
  guint64 spent_octets; /* as the account told */
  MmRemoteOnlineFunc online_func;
  gpointer online_data;
  MmRemoteKnownUidFunc known_uid_func;
  gpointer known_uid_data;
  MmRemoteSpendFunc spend_func;
  gpointer spend_data;
};

struct MmRemoteJob
{
  gatomicrefcount refs;
  MmRemote *remote;
  void (*run) (MmRemoteJob *job);
  gpointer user_data;
  gint is_cancelled;
  MmRemoteListSink list_sink;
  MmRemoteSyncSink sync_sink;
  MmRemoteFetchSink fetch_sink;
  MmRemoteWatchSink watch_sink;
  gchar *mailbox;
  MmMailboxState known;
  gboolean want_subject;
  guint64 uidvalidity;
  MmFetchItem *items;
  gsize n_items;
};

/* ---- jobs ---- */

static gboolean
is_ending_locked (MmRemoteJob *job)
{
  return job->remote->is_closing || g_atomic_int_get (&job->is_cancelled) != 0;
}

static GError *
new_cancelled (void)
{
  return g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED, "the fake remote is closing");
}

static GError *
new_cut (void)
{
  return g_error_new_literal (MM_ERROR, MM_ERROR_CONNECTION_LOST, "the fake connection was cut");
}

static GError *
new_away (void)
{
  return g_error_new_literal (MM_ERROR, MM_ERROR_OFFLINE, "the fake server is away");
}

static MmMailboxState
get_state (const FakeServer *server, const FakeMailbox *mailbox)
{
  return (MmMailboxState){
    .uidvalidity = mailbox->uidvalidity,
    .uidnext = mailbox->uidnext,
    .highestmodseq = server->hides_modseqs ? 0 : mailbox->highestmodseq,
    .messages = mailbox->messages->len,
    .has_messages = TRUE,
    .uid_not_sticky = mailbox->uid_not_sticky,
  };
}

static void
run_list (MmRemoteJob *job)
{
  FakeServer *server = job->remote->server;
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func (fake_mailbox_free);
  g_autoptr (GArray) states = g_array_new (FALSE, TRUE, sizeof (MmMailboxState));
  gboolean wants_ids = FALSE;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&server->lock);
  fake_server_note_locked (server, "list");
  guint n = server->mailboxes->len;
  if (is_ending_locked (job))
    error = new_cancelled ();
  else if (server->is_away)
    {
      n = 0;
      error = new_away ();
    }
  else if (server->n_cut_lists > 0)
    {
      server->n_cut_lists--;
      n = MIN (n, server->cut_list_after);
      error = new_cut ();
    }
  for (guint i = 0; i < n; i++)
    {
      const FakeMailbox *mailbox = g_ptr_array_index (server->mailboxes, i);
      FakeMailbox *copy = g_new0 (FakeMailbox, 1);
      MmMailboxState state = { 0 };
      copy->name = g_strdup (mailbox->name);
      copy->flags = mailbox->flags;
      copy->mailbox_id = g_strdup (mailbox->mailbox_id);
      copy->messages = g_ptr_array_new ();
      if (!server->hides_states && (mailbox->flags & MM_MAILBOX_NOSELECT) == 0)
        state = get_state (server, mailbox);
      g_ptr_array_add (copies, copy);
      g_array_append_val (states, state);
    }
  g_mutex_unlock (&server->lock);

  for (guint i = 0; i < copies->len; i++)
    {
      const FakeMailbox *copy = g_ptr_array_index (copies, i);
      wants_ids |= job->list_sink.wants_id != NULL
                   && job->list_sink.wants_id (copy->name, '/', job->user_data);
    }
  for (guint i = 0; i < copies->len; i++)
    {
      const FakeMailbox *copy = g_ptr_array_index (copies, i);
      MmRemoteMailbox told = {
        .name = copy->name,
        .delimiter = '/',
        .flags = copy->flags,
        .state = g_array_index (states, MmMailboxState, i),
        .mailbox_id = wants_ids ? copy->mailbox_id : NULL,
      };
      job->list_sink.mailbox (&told, job->user_data);
    }
  job->list_sink.done (error, job->user_data);
}

static FakeMessage *
copy_message (const FakeMessage *message)
{
  FakeMessage *copy = g_new0 (FakeMessage, 1);

  *copy = *message;
  copy->body = g_bytes_ref (message->body);
  copy->keywords = g_strdup (message->keywords);
  copy->subject = g_strdup (message->subject);
  copy->message_id = g_strdup (message->message_id);
  copy->object_id = g_strdup (message->object_id);
  copy->answers = NULL;
  copy->last_words = NULL;
  return copy;
}

/* The messages in the order in which they are told. */
static GPtrArray *
snapshot_locked (const FakeMailbox *mailbox, gboolean is_full)
{
  GPtrArray *copies = g_ptr_array_new_with_free_func (fake_message_free);

  if (is_full && mailbox->order != NULL)
    for (guint i = 0; mailbox->order[i] != 0; i++)
      g_ptr_array_add (copies, copy_message (fake_mailbox_find (mailbox, mailbox->order[i])));
  else
    for (guint i = 0; i < mailbox->messages->len; i++)
      g_ptr_array_add (copies, copy_message (g_ptr_array_index (mailbox->messages, i)));
  return copies;
}

static void
tell_message (MmRemoteJob *job, const FakeMessage *message)
{
  g_autofree gchar *header = g_strdup_printf ("Subject: %s\r\n\r\n", message->subject);
  gboolean has_subject = job->want_subject && message->subject != NULL;
  MmRemoteMessage told = {
    .uid = message->uid,
    .size = message->told_size,
    .has_size = TRUE,
    .internaldate = message->internaldate,
    .flags = message->flags,
    .keywords = message->keywords,
    .object_id = message->object_id,
    .is_object_shared = message->is_object_shared,
    .subject_header = has_subject ? header : NULL,
    .subject_length = has_subject ? strlen (header) : 0,
  };
  job->sync_sink.message (&told, job->user_data);
}

static void
tell_present (MmRemoteJob *job, GPtrArray *messages)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (MmRemoteUidRange));

  for (guint i = 0; i < messages->len; i++)
    {
      const FakeMessage *message = g_ptr_array_index (messages, i);
      MmRemoteUidRange range = { message->uid, message->uid };
      MmRemoteUidRange *last
          = ranges->len > 0 ? &g_array_index (ranges, MmRemoteUidRange, ranges->len - 1) : NULL;
      if (message->uid >= job->known.uidnext)
        continue;
      if (last != NULL && last->last + 1 == message->uid)
        last->last++;
      else
        g_array_append_val (ranges, range);
    }
  job->sync_sink.present ((MmRemoteUidRange *) ranges->data, ranges->len, job->user_data);
}

/* All UIDs below the known uidnext that are not there: whether they ever were or not. */
static guint64
tell_vanished (MmRemoteJob *job, GPtrArray *messages)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (MmRemoteUidRange));
  guint32 next = 1;

  for (guint i = 0; i <= messages->len; i++)
    {
      guint32 end = (guint32) job->known.uidnext;
      if (i < messages->len)
        end = MIN (end, ((const FakeMessage *) g_ptr_array_index (messages, i))->uid);
      MmRemoteUidRange range = { next, end - 1 };
      if (range.first <= range.last)
        g_array_append_val (ranges, range);
      next = MAX (next, end + 1);
    }
  return job->sync_sink.vanished ((MmRemoteUidRange *) ranges->data, ranges->len, job->user_data);
}

/* Stops or cuts a synchronisation that told @n messages. */
static GError *
check_sync (MmRemoteJob *job, guint n, gboolean is_cut, guint cut_after)
{
  FakeServer *server = job->remote->server;
  GError *error = NULL;

  g_mutex_lock (&server->lock);
  if (server->pauses_syncs && server->pause_sync_after == n)
    fake_server_pause_locked (server, &job->remote->is_closing);
  if (is_ending_locked (job))
    error = new_cancelled ();
  else if (is_cut && n >= cut_after)
    error = new_cut ();
  g_mutex_unlock (&server->lock);
  return error;
}

static void
run_sync (MmRemoteJob *job)
{
  FakeServer *server = job->remote->server;
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  MmMailboxState state = { 0 };
  guint n_new = 0;

  g_mutex_lock (&server->lock);
  const FakeMailbox *mailbox = fake_server_find_locked (server, job->mailbox);
  fake_server_note_locked (server, "sync %s", job->mailbox);
  if (mailbox != NULL)
    state = get_state (server, mailbox);
  gboolean is_full = job->known.uidvalidity == 0 || state.uid_not_sticky
                     || state.uidvalidity != job->known.uidvalidity;
  if (mailbox != NULL)
    messages = snapshot_locked (mailbox, is_full);
  gboolean is_away = server->is_away;
  gboolean is_cut = !is_away && server->n_cut_syncs > 0;
  guint cut_after = server->cut_sync_after;
  server->n_cut_syncs -= is_cut;
  gboolean tells_vanished = server->tells_vanished;
  g_mutex_unlock (&server->lock);

  if (is_away)
    {
      error = new_away ();
      job->sync_sink.done (&state, error, job->user_data);
      return;
    }
  if (messages == NULL)
    error = g_error_new_literal (MM_ERROR, MM_ERROR_MAILBOX_GONE, "no such mailbox");
  else
    job->sync_sink.opened (&state, is_full && job->known.uidvalidity != 0, job->user_data);
  guint64 n_left = job->known.messages;
  if (messages != NULL && !is_full && tells_vanished)
    n_left = tell_vanished (job, messages);
  for (guint i = 0; messages != NULL && i <= messages->len; i++)
    {
      error = check_sync (job, i, is_cut, cut_after);
      if (error != NULL || i == messages->len)
        break;
      const FakeMessage *message = g_ptr_array_index (messages, i);
      if (is_full || message->uid >= job->known.uidnext)
        {
          tell_message (job, message);
          n_new++;
        }
      else
        job->sync_sink.flags (message->uid, message->flags, message->keywords, job->user_data);
    }
  if (error == NULL && !is_full && n_left + n_new != messages->len)
    tell_present (job, messages);
  job->sync_sink.done (&state, error, job->user_data);
}

static void
tell_octets (MmRemoteJob *job, gsize index, GBytes *octets)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (octets, &length);

  job->fetch_sink.begin (index, length, job->user_data);
  for (gsize told = 0; told < length; told += MIN (length - told, CHUNK_OCTETS))
    job->fetch_sink.data (index, data + told, MIN (length - told, CHUNK_OCTETS), job->user_data);
}

static GBytes *
answer_part_locked (FakeServer *server, const FakeMessage *message, const MmFetchItem *item)
{
  gboolean is_header = item->kind == MM_FETCH_HEADER;

  fake_server_note_locked (server, is_header ? "header %u" : "text %u", item->uid);
  if (message == NULL || message->has_no_parts)
    return NULL;
  gsize size = 0;
  const gchar *text = g_bytes_get_data (message->body, &size);
  const gchar *blank = g_strstr_len (text, (gssize) size, "\r\n\r\n");
  gsize header = blank != NULL ? (gsize) (blank - text) + 4 : size;
  return is_header ? g_bytes_new_from_bytes (message->body, 0, header)
                   : g_bytes_new_from_bytes (message->body, header, size - header);
}

/* The octets that answer one item; NULL: NIL. */
static GBytes *
answer_item_locked (FakeServer *server, FakeMailbox *mailbox, FakeMessage *message,
                    const MmFetchItem *item)
{
  gsize size = message != NULL ? g_bytes_get_size (message->body) : 0;

  switch (item->kind)
    {
    case MM_FETCH_WHOLE:
      fake_server_note_locked (server, "whole %u", item->uid);
      if (message != NULL && message->last_words != NULL)
        {
          GBytes *octets = g_steal_pointer (&message->last_words);
          g_ptr_array_remove (mailbox->messages, message);
          return octets;
        }
      if (message != NULL && !g_queue_is_empty (message->answers))
        {
          GBytes **scripted = g_queue_pop_head (message->answers);
          GBytes *octets = *scripted;
          g_free (scripted);
          return octets;
        }
      return message != NULL ? g_bytes_ref (message->body) : NULL;
    case MM_FETCH_RANGE:
      if (item->probe_size != 0)
        fake_server_note_locked (server, "range %u %" G_GUINT64_FORMAT "+%u probe %" G_GUINT64_FORMAT,
                     item->uid, item->offset, item->length, item->probe_size);
      else
        fake_server_note_locked (server, "range %u %" G_GUINT64_FORMAT "+%u", item->uid, item->offset,
                     item->length);
      if (message == NULL)
        return NULL;
      return item->offset >= size
                 ? g_bytes_new_static ("", 0)
                 : g_bytes_new_from_bytes (message->body, item->offset,
                                           MIN (size - item->offset, item->length));
    case MM_FETCH_MESSAGE_ID:
      {
        fake_server_note_locked (server, "id %u", item->uid);
        if (message == NULL)
          return NULL;
        gchar *field = *message->message_id != '\0'
                           ? g_strdup_printf ("Message-ID: %s\r\n\r\n", message->message_id)
                           : g_strdup ("\r\n");
        return g_bytes_new_take (field, strlen (field));
      }
    case MM_FETCH_HEADER:
    case MM_FETCH_TEXT:
      return answer_part_locked (server, message, item);
    case MM_FETCH_SIZE:
      fake_server_note_locked (server, "size %u", item->uid);
      return message != NULL ? g_bytes_new_static ("", 0) : NULL;
    }
  return NULL;
}

static GError *
check_fetch_locked (MmRemoteJob *job)
{
  FakeServer *server = job->remote->server;
  const FakeMailbox *mailbox = fake_server_find_locked (server, job->mailbox);

  if (is_ending_locked (job))
    return new_cancelled ();
  if (server->is_away)
    return new_away ();
  if (server->n_failing_fetches > 0)
    {
      server->n_failing_fetches--;
      return g_error_new_literal (MM_ERROR, (gint) server->fetch_error, "asked to fail");
    }
  if (mailbox == NULL)
    return g_error_new_literal (MM_ERROR, MM_ERROR_MAILBOX_GONE, "no such mailbox");
  if (job->uidvalidity != 0 && job->uidvalidity != mailbox->uidvalidity)
    return g_error_new_literal (MM_ERROR, MM_ERROR_MAILBOX_CHANGED, "another UIDVALIDITY");
  return NULL;
}

static void
run_item (MmRemoteJob *job, gsize index)
{
  FakeServer *server = job->remote->server;
  const MmFetchItem *item = &job->items[index];
  MmProbeResult probe = MM_PROBE_NONE;
  guint64 told_size = 0;

  g_mutex_lock (&server->lock);
  FakeMailbox *mailbox = fake_server_find_locked (server, job->mailbox);
  FakeMessage *message = mailbox != NULL ? fake_mailbox_find (mailbox, item->uid) : NULL;
  g_autoptr (GBytes) octets = answer_item_locked (server, mailbox, message, item);
  message = mailbox != NULL ? fake_mailbox_find (mailbox, item->uid) : NULL;
  if (message != NULL)
    told_size = message->told_size;
  if (item->probe_size != 0 && message != NULL)
    probe = g_bytes_get_size (message->body) == item->probe_size ? MM_PROBE_PROVED
                                                                 : MM_PROBE_DISPROVED;
  g_mutex_unlock (&server->lock);

  if (octets == NULL)
    {
      g_autoptr (GError) gone
          = g_error_new_literal (MM_ERROR, MM_ERROR_MESSAGE_GONE, "no such message");
      job->fetch_sink.item_done (index, MM_PROBE_NONE, gone, job->user_data);
      return;
    }
  if (item->kind == MM_FETCH_SIZE)
    job->fetch_sink.begin (index, told_size, job->user_data);
  else
    tell_octets (job, index, octets);
  job->fetch_sink.item_done (index, probe, NULL, job->user_data);
}

static void
run_fetch (MmRemoteJob *job)
{
  FakeServer *server = job->remote->server;

  g_mutex_lock (&server->lock);
  if (server->holds_fetches && !is_ending_locked (job))
    fake_server_pause_locked (server, &job->remote->is_closing);
  g_autoptr (GError) error = check_fetch_locked (job);
  g_mutex_unlock (&server->lock);

  for (gsize i = 0; i < job->n_items; i++)
    if (error != NULL)
      job->fetch_sink.item_done (i, MM_PROBE_NONE, error, job->user_data);
    else
      run_item (job, i);
  job->fetch_sink.done (error, job->user_data);
}

static void
run_watch (MmRemoteJob *job)
{
  FakeServer *server = job->remote->server;
  g_autoptr (GError) error = NULL;
  FakeWatches needed = job->mailbox != NULL ? FAKE_WATCHES_ONE : FAKE_WATCHES_ALL;
  MmMailboxState state = { 0 };

  g_mutex_lock (&server->lock);
  fake_server_note_locked (server, "watch %s", job->mailbox != NULL ? job->mailbox : "*");
  const FakeMailbox *mailbox
      = job->mailbox != NULL ? fake_server_find_locked (server, job->mailbox) : NULL;
  if ((server->watches & needed) == 0)
    error = g_error_new_literal (MM_ERROR, MM_ERROR_UNSUPPORTED, "no such watch");
  else if (job->mailbox != NULL && mailbox == NULL)
    error = g_error_new_literal (MM_ERROR, MM_ERROR_MAILBOX_GONE, "no such mailbox");
  else if (mailbox != NULL)
    state = get_state (server, mailbox);
  g_mutex_unlock (&server->lock);
  if (error == NULL)
    job->watch_sink.begun (&state, job->user_data);

  g_mutex_lock (&server->lock);
  guint n_cuts = server->n_watch_cuts;
  while (error == NULL && !is_ending_locked (job) && server->n_watch_cuts == n_cuts)
    g_cond_wait (&server->changed, &server->lock);
  if (error == NULL)
    {
      error = is_ending_locked (job) ? new_cancelled () : new_cut ();
      fake_server_note_locked (server, "unwatch %s", job->mailbox != NULL ? job->mailbox : "*");
    }
  g_mutex_unlock (&server->lock);
  job->watch_sink.done (error, job->user_data);
}

/* ---- the API ---- */

static void
run_job (gpointer data, gpointer user_data)
{
  MmRemoteJob *job = data;
  job->run (job);
  mm_remote_job_unref (job);
}

MmRemote *
fake_remote_new (FakeServer *server)
{
  MmRemote *remote = g_new0 (MmRemote, 1);

  remote->server = server;
  remote->threads = g_thread_pool_new (run_job, NULL, THREADS, TRUE, NULL);
  return remote;
}

gboolean
mm_remote_connect (MmRemote *remote, GError **error)
{
  g_mutex_lock (&remote->server->lock);
  gboolean is_away = remote->server->is_away;
  g_mutex_unlock (&remote->server->lock);
  if (is_away)
    g_propagate_error (error, new_away ());
  return !is_away;
}

void
mm_remote_close (MmRemote *remote)
{
  g_mutex_lock (&remote->server->lock);
  remote->is_closing = TRUE;
  g_cond_broadcast (&remote->server->changed);
  g_mutex_unlock (&remote->server->lock);
  g_thread_pool_free (remote->threads, FALSE, TRUE);
  g_free (remote);
}

void
mm_remote_get_status (MmRemote *remote, MmRemoteStatus *out)
{
  *out = (MmRemoteStatus){ .max_connections = 1 };
}

void
mm_remote_status_clear (MmRemoteStatus *status)
{
}

void
mm_remote_set_online_func (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data)
{
  remote->online_func = func;
  remote->online_data = user_data;
}

void
mm_remote_set_known_uid_func (MmRemote *remote, MmRemoteKnownUidFunc func, gpointer user_data)
{
  remote->known_uid_func = func;
  remote->known_uid_data = user_data;
}

guint32
fake_remote_ask_known_uid (MmRemote *remote, const gchar *mailbox, const gchar *object_id)
{
  return remote->known_uid_func (mailbox, object_id, remote->known_uid_data);
}

void
fake_remote_come_online (MmRemote *remote)
{
  fake_server_set_away (remote->server, FALSE);
  remote->online_func (remote->online_data);
}

void
mm_remote_set_spent (MmRemote *remote, const MmRemoteTraffic *hours, gsize n)
{
  remote->spent_octets = 0;
  for (gsize i = 0; i < n; i++)
    remote->spent_octets += hours[i].octets;
}

void
mm_remote_set_spend_func (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data)
{
  remote->spend_func = func;
  remote->spend_data = user_data;
}

guint64
fake_remote_get_spent (MmRemote *remote)
{
  return remote->spent_octets;
}

void
fake_remote_spend (MmRemote *remote, gint64 hour, guint64 octets)
{
  const MmRemoteTraffic traffic = { hour, octets };
  remote->spend_func (&traffic, remote->spend_data);
}

void
mm_remote_set_change_func (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data)
{
  g_mutex_lock (&remote->server->lock);
  remote->server->change_func = func;
  remote->server->change_data = user_data;
  g_mutex_unlock (&remote->server->lock);
}

/* A job begun while the remote closes ends on the spot, as with a real one. */
static MmRemoteJob *
start_job (MmRemoteJob *job)
{
  MmRemote *remote = job->remote;

  mm_remote_job_ref (job);
  g_mutex_lock (&remote->server->lock);
  gboolean is_closing = remote->is_closing;
  if (!is_closing)
    g_thread_pool_push (remote->threads, job, NULL);
  g_mutex_unlock (&remote->server->lock);
  if (is_closing)
    run_job (job, NULL);
  return job;
}

static MmRemoteJob *
new_job (MmRemote *remote, void (*run) (MmRemoteJob *job), gpointer user_data)
{
  MmRemoteJob *job = g_new0 (MmRemoteJob, 1);

  g_atomic_ref_count_init (&job->refs);
  job->remote = remote;
  job->run = run;
  job->user_data = user_data;
  return job;
}

MmRemoteJob *
mm_remote_list_mailboxes (MmRemote *remote, const MmRemoteListSink *sink, gpointer user_data)
{
  MmRemoteJob *job = new_job (remote, run_list, user_data);
  job->list_sink = *sink;
  return start_job (job);
}

MmRemoteJob *
mm_remote_sync_mailbox (MmRemote *remote, const MmRemoteSyncRequest *request,
                        const MmRemoteSyncSink *sink, gpointer user_data)
{
  MmRemoteJob *job = new_job (remote, run_sync, user_data);
  job->sync_sink = *sink;
  job->mailbox = g_strdup (request->mailbox);
  job->known = request->known;
  job->want_subject = request->want_subject;
  return start_job (job);
}

MmRemoteJob *
mm_remote_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                 const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                 const MmRemoteFetchSink *sink, gpointer user_data)
{
  MmRemoteJob *job = new_job (remote, run_fetch, user_data);
  job->fetch_sink = *sink;
  job->mailbox = g_strdup (mailbox);
  job->uidvalidity = uidvalidity;
  job->items = g_memdup2 (items, n_items * sizeof *items);
  job->n_items = n_items;
  return start_job (job);
}

MmRemoteJob *
mm_remote_watch (MmRemote *remote, const gchar *mailbox, const MmRemoteWatchSink *sink,
                 gpointer user_data)
{
  MmRemoteJob *job = new_job (remote, run_watch, user_data);
  job->watch_sink = *sink;
  job->mailbox = g_strdup (mailbox);
  return start_job (job);
}

void
mm_remote_job_cancel (MmRemoteJob *job)
{
  g_mutex_lock (&job->remote->server->lock);
  g_atomic_int_set (&job->is_cancelled, 1);
  g_cond_broadcast (&job->remote->server->changed);
  g_mutex_unlock (&job->remote->server->lock);
}

gboolean
mm_remote_is_offline (const MmRemote *remote G_GNUC_UNUSED)
{
  return FALSE;
}

gboolean
mm_remote_are_ranges_dear (const MmRemote *remote)
{
  g_mutex_lock (&remote->server->lock);
  gboolean are_dear = remote->server->has_dear_ranges;
  g_mutex_unlock (&remote->server->lock);
  return are_dear;
}

void
mm_remote_job_make_demand (MmRemoteJob *job)
{
}

MmRemoteJob *
mm_remote_job_ref (MmRemoteJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  return job;
}

void
mm_remote_job_unref (MmRemoteJob *job)
{
  if (!g_atomic_ref_count_dec (&job->refs))
    return;
  g_free (job->mailbox);
  g_free (job->items);
  g_free (job);
}
