// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/log.h>

#include "remote-fixture.h"

#define PATIENCE_SECONDS 20

static const gchar *const error_names[] = {
  [MM_ERROR_CANCELLED] = "CANCELLED",
  [MM_ERROR_UNSUPPORTED] = "UNSUPPORTED",
  [MM_ERROR_MESSAGE_GONE] = "MESSAGE_GONE",
  [MM_ERROR_MESSAGE_BAD] = "MESSAGE_BAD",
  [MM_ERROR_MAILBOX_GONE] = "MAILBOX_GONE",
  [MM_ERROR_MAILBOX_CHANGED] = "MAILBOX_CHANGED",
  [MM_ERROR_PERMISSION] = "PERMISSION",
  [MM_ERROR_NAME_ENCODING] = "NAME_ENCODING",
  [MM_ERROR_CONNECTION_LOST] = "CONNECTION_LOST",
  [MM_ERROR_TIMEOUT] = "TIMEOUT",
  [MM_ERROR_PROTOCOL] = "PROTOCOL",
  [MM_ERROR_UNAVAILABLE] = "UNAVAILABLE",
  [MM_ERROR_OFFLINE] = "OFFLINE",
  [MM_ERROR_TLS] = "TLS",
  [MM_ERROR_AUTHENTICATION] = "AUTHENTICATION",
  [MM_ERROR_LIMIT] = "LIMIT",
  [MM_ERROR_QUOTA] = "QUOTA",
};

static const gchar *
name_of (const GError *error)
{
  if (error == NULL)
    return "ok";
  g_assert_true (error->domain == MM_ERROR);
  if ((guint) error->code < G_N_ELEMENTS (error_names) && error_names[error->code] != NULL)
    return error_names[error->code];
  return "another error";
}

static void G_GNUC_PRINTF (2, 3) note (Fixture *fixture, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_mutex_lock (&fixture->lock);
  g_string_append_vprintf (fixture->log, format, arguments);
  g_string_append_c (fixture->log, '\n');
  fixture->n_lines++;
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
  va_end (arguments);
}

static void
note_done (Fixture *fixture, const GError *error)
{
  if (error != NULL)
    g_test_message ("%s", error->message);
  note (fixture, "done %s", name_of (error));
  g_mutex_lock (&fixture->lock);
  fixture->n_done++;
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
}

/* ---- sinks ---- */

static void
state_to_string (const MmMailboxState *state, gchar *out, gsize size)
{
  g_snprintf (out, size, "v%" G_GUINT64_FORMAT " u%" G_GUINT64_FORMAT " m%" G_GUINT64_FORMAT " n",
              state->uidvalidity, state->uidnext, state->highestmodseq);
  if (state->has_messages)
    g_snprintf (out + strlen (out), size - strlen (out), "%" G_GUINT64_FORMAT, state->messages);
  else
    g_strlcat (out, "?", size);
}

static void
on_mailbox (const MmRemoteMailbox *mailbox, gpointer user_data)
{
  gchar state[120];

  state_to_string (&mailbox->state, state, sizeof state);
  note (user_data, "mailbox '%s' %c %x%s %s%s%s", mailbox->name,
        mailbox->delimiter != 0 ? mailbox->delimiter : '-', mailbox->flags,
        mailbox->is_foreign ? " foreign" : "", state,
        mailbox->mailbox_id != NULL ? " " : "",
        mailbox->mailbox_id != NULL ? mailbox->mailbox_id : "");
}

static void
on_list_done (const GError *error, gpointer user_data)
{
  note_done (user_data, error);
}

static void
on_opened (const MmMailboxState *state, gboolean is_restart, gpointer user_data)
{
  gchar text[120];

  state_to_string (state, text, sizeof text);
  note (user_data, "%s %s", is_restart ? "restart" : "opened", text);
}

static void
on_message (const MmRemoteMessage *message, gpointer user_data)
{
  /* The header is octets and a length: there is no NUL behind it. */
  g_autofree gchar *header
      = g_strndup (message->subject_length > 0 ? message->subject_header : "", message->subject_length);

  g_autofree gchar *keywords = g_strdelimit (g_strdup (message->keywords), "\n", '|');
  note (user_data,
        "message %u size %s%" G_GUINT64_FORMAT " date %" G_GINT64_FORMAT " %x '%s' '%.*s'%s%s",
        message->uid, message->has_size ? "" : "?", message->size, message->internaldate,
        message->flags, keywords, (int) strcspn (header, "\r\n"), header,
        message->object_id != NULL ? " " : "",
        message->object_id != NULL ? message->object_id : "");
}

static void
on_flags (guint32 uid, MmMessageFlags flags, const gchar *keywords, gpointer user_data)
{
  g_autofree gchar *line = g_strdelimit (g_strdup (keywords), "\n", '|');

  note (user_data, "flags %u %x '%s'", uid, flags, line);
}

static guint64
on_vanished (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GString) text = g_string_new ("vanished");

  for (gsize i = 0; i < n_ranges; i++)
    g_string_append_printf (text, " %u:%u", ranges[i].first, ranges[i].last);
  note (fixture, "%s", text->str);
  return fixture->n_left;
}

static void
on_present (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data)
{
  g_autoptr (GString) text = g_string_new ("present");

  for (gsize i = 0; i < n_ranges; i++)
    g_string_append_printf (text, " %u:%u", ranges[i].first, ranges[i].last);
  note (user_data, "%s", text->str);
}

static void
on_sync_done (const MmMailboxState *state, const GError *error, gpointer user_data)
{
  gchar text[120];

  if (error == NULL)
    {
      state_to_string (state, text, sizeof text);
      note (user_data, "state %s", text);
    }
  note_done (user_data, error);
}

static void
on_begin (gsize index, guint64 length, gpointer user_data)
{
  note (user_data, "begin %" G_GSIZE_FORMAT " %" G_GUINT64_FORMAT, index, length);
}

/* Where the chunks of a body are cut is the network's affair: they are written as one. */
static void
on_data (gsize index, const guint8 *data, gsize length, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autofree gchar *start = g_strdup_printf ("data %" G_GSIZE_FORMAT " '", index);

  g_mutex_lock (&fixture->lock);
  const gchar *last = fixture->log->str;
  for (const gchar *p = last; p[0] != '\0' && p[1] != '\0'; p++)
    if (*p == '\n')
      last = p + 1;
  if (g_str_has_prefix (last, start))
    g_string_truncate (fixture->log, fixture->log->len - strlen ("'\n"));
  else
    {
      g_string_append (fixture->log, start);
      fixture->n_lines++;
    }
  g_string_append_len (fixture->log, (const gchar *) data, (gssize) length);
  g_string_append (fixture->log, "'\n");
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
}

static void
on_item_done (gsize index, MmProbeResult probe, const GError *error, gpointer user_data)
{
  static const gchar *const probes[] = { "", " proved", " disproved" };

  if (error != NULL)
    g_test_message ("%s", error->message);
  note (user_data, "item %" G_GSIZE_FORMAT " %s%s", index, name_of (error), probes[probe]);
}

static void
note_with_state (Fixture *fixture, const gchar *what, const MmMailboxState *state)
{
  gchar text[120] = "";

  if (state != NULL)
    state_to_string (state, text, sizeof text);
  note (fixture, "%s%s%s", what, state != NULL ? " " : "", text);
}

static void
on_begun (const MmMailboxState *state, gpointer user_data)
{
  note_with_state (user_data, "watching", state);
}

static void
on_change (const gchar *mailbox, const MmMailboxState *state, gpointer user_data)
{
  g_autofree gchar *what = g_strconcat ("changed ", mailbox != NULL ? mailbox : "names", NULL);

  note_with_state (user_data, what, state);
}

static const MmRemoteWatchSink watch_sink = { on_begun, on_list_done };
static gboolean
wants_id (const gchar *name, gchar delimiter, gpointer user_data)
{
  return ((const Fixture *) user_data)->wants_ids;
}

static const MmRemoteListSink list_sink = { on_mailbox, on_list_done, wants_id };
static const MmRemoteSyncSink sync_sink
    = { on_opened, on_message, on_flags, on_vanished, on_present, on_sync_done };
static const MmRemoteFetchSink fetch_sink = { on_begin, on_data, on_item_done, on_list_done };

/* ---- the fixture ---- */

static MmSecret *
get_secret (gboolean want_fresh, gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;

  fixture->n_secrets++;
  if (want_fresh)
    fixture->n_fresh++;
  return mm_secret_new (want_fresh ? "fresh!" : "secret", 6);
}

Fixture *
fixture_new (void)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  mm_log_set_level (MM_LOG_ERROR);
  fixture->server = scripted_server_new ();
  fixture->config = (MmRemoteConfig){
    .endpoint = { .protocol = MM_PROTOCOL_IMAP,
                  .host = (gchar *) "127.0.0.1",
                  .port = scripted_server_get_port (fixture->server),
                  .tls = MM_TLS_NONE,
                  .timeout_ms = 10000 },
    .user = "user",
    .get_secret = get_secret,
    .get_secret_data = fixture,
    .connections = 1,
    .answer_timeout_ms = 10000,
  };
  g_mutex_init (&fixture->lock);
  g_cond_init (&fixture->changed);
  fixture->log = g_string_new (NULL);
  return fixture;
}

MmRemote *
fixture_get_remote (Fixture *fixture)
{
  if (fixture->remote == NULL)
    fixture->remote = fixture->config.endpoint.protocol == MM_PROTOCOL_POP3
                          ? mm_remote_new_pop3 (&fixture->config)
                          : mm_remote_new_imap (&fixture->config);
  return fixture->remote;
}

void
fixture_close_remote (Fixture *fixture)
{
  g_clear_pointer (&fixture->remote, mm_remote_close);
}

void
fixture_free (Fixture *fixture)
{
  fixture_close_remote (fixture);
  g_clear_pointer (&fixture->server, scripted_server_free);
  g_string_free (fixture->log, TRUE);
  g_mutex_clear (&fixture->lock);
  g_cond_clear (&fixture->changed);
  g_free (fixture);
}

MmRemoteJob *
fixture_list (Fixture *fixture)
{
  return mm_remote_list_mailboxes (fixture_get_remote (fixture), &list_sink, fixture);
}

MmRemoteJob *
fixture_sync (Fixture *fixture, const gchar *mailbox, const MmMailboxState *known)
{
  MmRemoteSyncRequest request = { .mailbox = mailbox, .want_subject = TRUE };

  if (known != NULL)
    request.known = *known;
  return mm_remote_sync_mailbox (fixture_get_remote (fixture), &request, &sync_sink, fixture);
}

MmRemoteJob *
fixture_fetch (Fixture *fixture, const gchar *mailbox, guint64 uidvalidity,
               const MmFetchItem *items, gsize n_items, MmRemotePriority priority)
{
  return mm_remote_fetch (fixture_get_remote (fixture), mailbox, uidvalidity, items, n_items,
                          priority, &fetch_sink, fixture);
}

MmRemoteJob *
fixture_watch (Fixture *fixture, const gchar *mailbox)
{
  return mm_remote_watch (fixture_get_remote (fixture), mailbox, &watch_sink, fixture);
}

void
fixture_write_changes (Fixture *fixture)
{
  mm_remote_set_change_func (fixture_get_remote (fixture), on_change, fixture);
}

static void
wait_for (Fixture *fixture, const guint *counter, guint n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_SECONDS * G_USEC_PER_SEC;

  g_mutex_lock (&fixture->lock);
  while (*counter < n)
    if (!g_cond_wait_until (&fixture->changed, &fixture->lock, deadline))
      g_error ("waited in vain; so far:\n%s", fixture->log->str);
  g_mutex_unlock (&fixture->lock);
}

void
fixture_wait_done (Fixture *fixture, guint n)
{
  wait_for (fixture, &fixture->n_done, n);
}

void
fixture_wait_lines (Fixture *fixture, guint n)
{
  wait_for (fixture, &fixture->n_lines, n);
}

void
fixture_check_log (Fixture *fixture, const gchar *expected)
{
  g_mutex_lock (&fixture->lock);
  g_assert_cmpstr (fixture->log->str, ==, expected);
  g_string_truncate (fixture->log, 0);
  fixture->n_done = fixture->n_lines = 0;
  g_mutex_unlock (&fixture->lock);
}

void
fixture_check (Fixture *fixture, MmRemoteJob *job, const gchar *expected)
{
  fixture_wait_done (fixture, 1);
  mm_remote_job_unref (job);
  fixture_check_log (fixture, expected);
}
