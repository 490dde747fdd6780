// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake-server.h"

#define WAIT_US (20 * G_USEC_PER_SEC)

/* ---- the model ---- */

static void
free_answer (gpointer data)
{
  GBytes **answer = data;
  g_clear_pointer (answer, g_bytes_unref);
  g_free (answer);
}

void
fake_message_free (gpointer data)
{
  FakeMessage *message = data;
  g_clear_pointer (&message->body, g_bytes_unref);
  g_clear_pointer (&message->last_words, g_bytes_unref);
  if (message->answers != NULL)
    g_queue_free_full (message->answers, free_answer);
  g_free (message->keywords);
  g_free (message->subject);
  g_free (message->message_id);
  g_free (message->object_id);
  g_free (message);
}

void
fake_mailbox_free (gpointer data)
{
  FakeMailbox *mailbox = data;
  g_ptr_array_unref (mailbox->messages);
  g_free (mailbox->order);
  g_free (mailbox->name);
  g_free (mailbox->mailbox_id);
  g_free (mailbox);
}

FakeServer *
fake_server_new (void)
{
  FakeServer *server = g_new0 (FakeServer, 1);

  g_mutex_init (&server->lock);
  g_cond_init (&server->changed);
  server->mailboxes = g_ptr_array_new_with_free_func (fake_mailbox_free);
  server->log = g_ptr_array_new_with_free_func (g_free);
  return server;
}

void
fake_server_free (FakeServer *server)
{
  g_ptr_array_unref (server->mailboxes);
  g_ptr_array_unref (server->log);
  g_cond_clear (&server->changed);
  g_mutex_clear (&server->lock);
  g_free (server);
}

FakeMailbox *
fake_server_find_locked (FakeServer *server, const gchar *name)
{
  for (guint i = 0; i < server->mailboxes->len; i++)
    {
      FakeMailbox *mailbox = g_ptr_array_index (server->mailboxes, i);
      if (g_str_equal (mailbox->name, name))
        return mailbox;
    }
  return NULL;
}

FakeMessage *
fake_mailbox_find (const FakeMailbox *mailbox, guint32 uid)
{
  for (guint i = 0; i < mailbox->messages->len; i++)
    {
      FakeMessage *message = g_ptr_array_index (mailbox->messages, i);
      if (message->uid == uid)
        return message;
    }
  return NULL;
}

/* With the lock taken: the caller unlocks. */
static FakeMailbox *
lock_mailbox (FakeServer *server, const gchar *name)
{
  g_mutex_lock (&server->lock);
  FakeMailbox *mailbox = fake_server_find_locked (server, name);
  g_assert_nonnull (mailbox);
  return mailbox;
}

static FakeMessage *
lock_message (FakeServer *server, const gchar *mailbox_name, guint32 uid)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);
  FakeMessage *message = fake_mailbox_find (mailbox, uid);
  g_assert_nonnull (message);
  return message;
}

void
fake_server_add_mailbox (FakeServer *server, const gchar *name, MmMailboxFlags flags)
{
  FakeMailbox *mailbox = g_new0 (FakeMailbox, 1);

  mailbox->name = g_strdup (name);
  mailbox->flags = flags;
  mailbox->uidvalidity = 1000;
  mailbox->uidnext = 1;
  mailbox->highestmodseq = 1;
  mailbox->messages = g_ptr_array_new_with_free_func (fake_message_free);
  g_mutex_lock (&server->lock);
  g_ptr_array_add (server->mailboxes, mailbox);
  g_mutex_unlock (&server->lock);
}

void
fake_server_rename_mailbox (FakeServer *server, const gchar *from, const gchar *to)
{
  FakeMailbox *mailbox = lock_mailbox (server, from);
  g_free (mailbox->name);
  mailbox->name = g_strdup (to);
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_mailbox_id (FakeServer *server, const gchar *name, const gchar *mailbox_id)
{
  FakeMailbox *mailbox = lock_mailbox (server, name);
  g_free (mailbox->mailbox_id);
  mailbox->mailbox_id = g_strdup (mailbox_id);
  g_mutex_unlock (&server->lock);
}

void
fake_server_remove_mailbox (FakeServer *server, const gchar *name)
{
  FakeMailbox *mailbox = lock_mailbox (server, name);
  g_ptr_array_remove (server->mailboxes, mailbox);
  g_mutex_unlock (&server->lock);
}

guint32
fake_server_deliver (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                     const gchar *subject, GBytes *body)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);
  FakeMessage *message = g_new0 (FakeMessage, 1);

  message->uid = uid != 0 ? uid : (guint32) mailbox->uidnext;
  message->body = g_bytes_ref (body);
  message->told_size = g_bytes_get_size (body);
  message->internaldate = 1700000000 + message->uid;
  message->keywords = g_strdup ("");
  message->subject = g_strdup (subject);
  message->message_id = g_strdup_printf ("<%u@example.org>", message->uid);
  message->answers = g_queue_new ();
  g_ptr_array_add (mailbox->messages, message);
  mailbox->uidnext = MAX (mailbox->uidnext, (guint64) message->uid + 1);
  mailbox->highestmodseq++;
  guint32 result = message->uid;
  g_mutex_unlock (&server->lock);
  return result;
}

guint32
fake_server_deliver_size (FakeServer *server, const gchar *mailbox_name, guint32 uid, gsize size)
{
  guint8 *octets = g_malloc (size + 1);

  g_autofree gchar *subject = g_strdup_printf ("Message of %" G_GSIZE_FORMAT, size);
  g_autofree gchar *header = g_strdup_printf ("Subject: %s\r\n\r\n", subject);

  for (gsize i = 0; i < size; i++)
    octets[i] = (guint8) ((i * 2654435761u) >> 13 ^ uid);
  if (strlen (header) <= size)
    memcpy (octets, header, strlen (header));
  g_autoptr (GBytes) body = g_bytes_new_take (octets, size);
  return fake_server_deliver (server, mailbox_name, uid, subject, body);
}

guint32
fake_server_deliver_mail (FakeServer *server, const gchar *mailbox_name, const gchar *message_id,
                          const gchar *subject, gint64 internaldate, gsize size)
{
  GString *text = g_string_new (NULL);

  if (message_id != NULL)
    g_string_append_printf (text, "Message-ID: %s\r\n", message_id);
  g_string_append_printf (text, "Subject: %s\r\n\r\n", subject);
  g_assert_cmpuint (text->len, <=, size);
  for (guint i = 0; text->len < size; i++)
    g_string_append_c (text, message_id != NULL ? message_id[i % strlen (message_id)] : '.');
  g_autoptr (GBytes) body = g_string_free_to_bytes (text);

  guint32 uid = fake_server_deliver (server, mailbox_name, 0, subject, body);
  FakeMessage *message = lock_message (server, mailbox_name, uid);
  g_free (message->message_id);
  message->message_id = g_strdup (message_id != NULL ? message_id : "");
  message->internaldate = internaldate;
  g_mutex_unlock (&server->lock);
  return uid;
}

void
fake_server_set_object (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                        const gchar *object_id, gboolean is_shared)
{
  FakeMessage *message = lock_message (server, mailbox_name, uid);

  g_free (message->object_id);
  message->object_id = g_strdup (object_id);
  message->is_object_shared = is_shared;
  g_mutex_unlock (&server->lock);
}

guint32
fake_server_copy (FakeServer *server, const gchar *from, guint32 uid, const gchar *to)
{
  FakeMessage *message = lock_message (server, from, uid);
  g_autoptr (GBytes) body = g_bytes_ref (message->body);
  g_autofree gchar *subject = g_strdup (message->subject);
  g_autofree gchar *message_id = g_strdup (message->message_id);
  g_autofree gchar *object_id = g_strdup (message->object_id);
  FakeMessage facts = *message;
  g_mutex_unlock (&server->lock);

  guint32 copy_uid = fake_server_deliver (server, to, 0, subject, body);
  FakeMessage *copy = lock_message (server, to, copy_uid);
  copy->told_size = facts.told_size;
  copy->internaldate = facts.internaldate;
  g_free (copy->message_id);
  copy->message_id = g_steal_pointer (&message_id);
  copy->object_id = g_steal_pointer (&object_id);
  copy->is_object_shared = facts.is_object_shared;
  g_mutex_unlock (&server->lock);
  return copy_uid;
}

void
fake_server_expunge (FakeServer *server, const gchar *mailbox_name, guint32 uid)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);
  FakeMessage *message = fake_mailbox_find (mailbox, uid);

  g_assert_nonnull (message);
  g_ptr_array_remove (mailbox->messages, message);
  mailbox->highestmodseq++;
  g_mutex_unlock (&server->lock);
}

void
fake_server_empty (FakeServer *server, const gchar *mailbox_name)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);

  g_ptr_array_set_size (mailbox->messages, 0);
  mailbox->uidnext = 1;
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_body (FakeServer *server, const gchar *mailbox_name, guint32 uid, GBytes *body)
{
  FakeMessage *message = lock_message (server, mailbox_name, uid);

  g_bytes_unref (message->body);
  message->body = g_bytes_ref (body);
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_flags (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                       MmMessageFlags flags, const gchar *keywords)
{
  FakeMessage *message = lock_message (server, mailbox_name, uid);

  message->flags = flags;
  g_free (message->keywords);
  message->keywords = g_strdup (keywords);
  fake_server_find_locked (server, mailbox_name)->highestmodseq++;
  g_mutex_unlock (&server->lock);
}

void
fake_server_refuse_parts (FakeServer *server, const gchar *mailbox_name, guint32 uid)
{
  lock_message (server, mailbox_name, uid)->has_no_parts = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_told_size (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                           guint64 size)
{
  lock_message (server, mailbox_name, uid)->told_size = size;
  g_mutex_unlock (&server->lock);
}

void
fake_server_renumber (FakeServer *server, const gchar *mailbox_name, guint64 uidvalidity)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);

  mailbox->uidvalidity = uidvalidity;
  for (guint i = 0; i < mailbox->messages->len; i++)
    ((FakeMessage *) g_ptr_array_index (mailbox->messages, i))->uid = i + 1;
  mailbox->uidnext = mailbox->messages->len + 1;
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_not_sticky (FakeServer *server, const gchar *mailbox_name)
{
  lock_mailbox (server, mailbox_name)->uid_not_sticky = TRUE;
  g_mutex_unlock (&server->lock);
}

GBytes *
fake_server_dup_body (FakeServer *server, const gchar *mailbox_name, guint32 uid)
{
  GBytes *body = g_bytes_ref (lock_message (server, mailbox_name, uid)->body);
  g_mutex_unlock (&server->lock);
  return body;
}

/* ---- faults ---- */

void
fake_server_script_whole (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                          GBytes *octets)
{
  GBytes **answer = g_new0 (GBytes *, 1);

  *answer = octets != NULL ? g_bytes_ref (octets) : NULL;
  g_queue_push_tail (lock_message (server, mailbox_name, uid)->answers, answer);
  g_mutex_unlock (&server->lock);
}

void
fake_server_script_expunge (FakeServer *server, const gchar *mailbox_name, guint32 uid,
                            GBytes *octets)
{
  lock_message (server, mailbox_name, uid)->last_words = g_bytes_ref (octets);
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_away (FakeServer *server, gboolean is_away)
{
  g_mutex_lock (&server->lock);
  server->is_away = is_away;
  g_mutex_unlock (&server->lock);
}

void
fake_server_cut_lists (FakeServer *server, guint after, guint n_times)
{
  g_mutex_lock (&server->lock);
  server->cut_list_after = after;
  server->n_cut_lists = n_times;
  g_mutex_unlock (&server->lock);
}

void
fake_server_cut_syncs (FakeServer *server, guint after, guint n_times)
{
  g_mutex_lock (&server->lock);
  server->cut_sync_after = after;
  server->n_cut_syncs = n_times;
  g_mutex_unlock (&server->lock);
}

void
fake_server_fail_fetches (FakeServer *server, MmError code, guint n_times)
{
  g_mutex_lock (&server->lock);
  server->fetch_error = code;
  server->n_failing_fetches = n_times;
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_order (FakeServer *server, const gchar *mailbox_name, const guint32 *uids)
{
  FakeMailbox *mailbox = lock_mailbox (server, mailbox_name);
  guint n = 0;

  g_clear_pointer (&mailbox->order, g_free);
  while (uids != NULL && uids[n] != 0)
    n++;
  if (uids != NULL)
    mailbox->order = g_memdup2 (uids, (n + 1) * sizeof *uids);
  g_mutex_unlock (&server->lock);
}

void
fake_server_make_ranges_dear (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->has_dear_ranges = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_hide_modseqs (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->hides_modseqs = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_hide_states (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->hides_states = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_pause_syncs (FakeServer *server, guint after)
{
  g_mutex_lock (&server->lock);
  server->pauses_syncs = TRUE;
  server->pause_sync_after = after;
  g_mutex_unlock (&server->lock);
}

void
fake_server_hold_fetches (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->holds_fetches = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_release (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->pauses_syncs = FALSE;
  server->holds_fetches = FALSE;
  server->n_releases++;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
}

void
fake_server_wait_paused (FakeServer *server, guint n)
{
  gint64 end_us = g_get_monotonic_time () + WAIT_US;

  g_mutex_lock (&server->lock);
  while (server->n_paused < n)
    if (!g_cond_wait_until (&server->changed, &server->lock, end_us))
      g_error ("%u jobs did not come to stand still", n);
  g_mutex_unlock (&server->lock);
}

void
fake_server_pause_locked (FakeServer *server, const gboolean *is_closing)
{
  guint n_releases = server->n_releases;

  server->n_paused++;
  g_cond_broadcast (&server->changed);
  while (server->n_releases == n_releases && !*is_closing)
    g_cond_wait (&server->changed, &server->lock);
  server->n_paused--;
}

/* ---- the log ---- */

void
fake_server_note_locked (FakeServer *server, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (server->log, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

gchar *
fake_server_dup_log (FakeServer *server, const gchar *prefix)
{
  GString *text = g_string_new (NULL);

  g_mutex_lock (&server->lock);
  for (guint i = 0; i < server->log->len; i++)
    {
      const gchar *line = g_ptr_array_index (server->log, i);
      if (g_str_has_prefix (line, prefix))
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", line);
    }
  g_mutex_unlock (&server->lock);
  return g_string_free (text, FALSE);
}

guint
fake_server_count (FakeServer *server, const gchar *prefix)
{
  guint n = 0;

  g_mutex_lock (&server->lock);
  for (guint i = 0; i < server->log->len; i++)
    n += g_str_has_prefix (g_ptr_array_index (server->log, i), prefix);
  g_mutex_unlock (&server->lock);
  return n;
}

void
fake_server_clear_log (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  g_ptr_array_set_size (server->log, 0);
  g_mutex_unlock (&server->lock);
}

void
fake_server_tell_vanished (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->tells_vanished = TRUE;
  g_mutex_unlock (&server->lock);
}

void
fake_server_set_watches (FakeServer *server, FakeWatches watches)
{
  g_mutex_lock (&server->lock);
  server->watches = watches;
  g_mutex_unlock (&server->lock);
}

void
fake_server_cut_watches (FakeServer *server)
{
  g_mutex_lock (&server->lock);
  server->n_watch_cuts++;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
}

void
fake_server_tell_change (FakeServer *server, const gchar *mailbox)
{
  g_mutex_lock (&server->lock);
  MmRemoteChangeFunc func = server->change_func;
  gpointer data = server->change_data;
  g_mutex_unlock (&server->lock);
  func (mailbox, NULL, data);
}
