// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail-fixture.h"

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "test-directory.h"

#define WAIT_US (20 * G_USEC_PER_SEC)
#define REFRESH_US (60 * G_USEC_PER_SEC)

/* ---- waiting ---- */

struct TestWait
{
  gatomicrefcount refs; /* the waiter's function holds one until it ran */
  GMutex lock;
  GCond fired;
  gboolean is_fired;
  GError *error;
  MmWaiter *waiter;
};

static void
unref_wait (TestWait *wait)
{
  if (!g_atomic_ref_count_dec (&wait->refs))
    return;
  g_clear_error (&wait->error);
  g_cond_clear (&wait->fired);
  g_mutex_clear (&wait->lock);
  g_free (wait);
}

static void
on_fire (const GError *error, gpointer user_data)
{
  TestWait *wait = user_data;

  g_mutex_lock (&wait->lock);
  g_assert_false (wait->is_fired);
  wait->is_fired = TRUE;
  wait->error = error != NULL ? g_error_copy (error) : NULL;
  g_cond_signal (&wait->fired);
  g_mutex_unlock (&wait->lock);
  unref_wait (wait);
}

TestWait *
test_wait_new (void)
{
  TestWait *wait = g_new0 (TestWait, 1);

  g_atomic_ref_count_init (&wait->refs);
  g_atomic_ref_count_inc (&wait->refs);
  g_mutex_init (&wait->lock);
  g_cond_init (&wait->fired);
  wait->waiter = mm_waiter_new (on_fire, wait);
  return wait;
}

MmWaiter *
test_wait_get_waiter (TestWait *wait)
{
  return wait->waiter;
}

MmTry
test_wait_end (TestWait *wait, MmTry result, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + WAIT_US;

  if (result != MM_TRY_WAIT)
    {
      if (mm_waiter_disarm (wait->waiter))
        unref_wait (wait);
    }
  else
    {
      g_mutex_lock (&wait->lock);
      while (!wait->is_fired)
        if (!g_cond_wait_until (&wait->fired, &wait->lock, end_us))
          g_error ("a waiter did not fire");
      if (wait->error != NULL)
        {
          result = MM_TRY_FAILED;
          g_propagate_error (error, g_steal_pointer (&wait->error));
        }
      g_mutex_unlock (&wait->lock);
    }
  mm_waiter_unref (wait->waiter);
  unref_wait (wait);
  return result;
}

/* ---- the observer ---- */

G_GNUC_PRINTF (2, 3)
static void
note (MailFixture *fixture, const gchar *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_mutex_lock (&fixture->lock);
  g_ptr_array_add (fixture->events, g_strdup_vprintf (format, arguments));
  g_mutex_unlock (&fixture->lock);
  va_end (arguments);
}

static void
on_folder_changed (guint32 folder_id, gpointer user_data)
{
  note (user_data, "folder %u", folder_id);
}

static void
on_folder_gone (guint32 parent_id, const gchar *component, gpointer user_data)
{
  note (user_data, "folder-gone %u %s", parent_id, component);
}

static void
on_message_gone (guint32 folder_id, const MmMessage *message, gpointer user_data)
{
  note (user_data, "gone %u %" G_GUINT64_FORMAT, folder_id, message->number);
}

static void
on_message_changed (guint32 folder_id, const MmMessage *message, gpointer user_data)
{
  note (user_data, "changed %u %" G_GUINT64_FORMAT, folder_id, message->number);
}

static const MmAccountObserver observer = {
  .folder_changed = on_folder_changed,
  .folder_gone = on_folder_gone,
  .message_gone = on_message_gone,
  .message_changed = on_message_changed,
};

guint
mail_fixture_count_events (MailFixture *fixture, const gchar *prefix)
{
  guint n = 0;

  g_mutex_lock (&fixture->lock);
  for (guint i = 0; i < fixture->events->len; i++)
    n += g_str_has_prefix (g_ptr_array_index (fixture->events, i), prefix);
  g_mutex_unlock (&fixture->lock);
  return n;
}

/* ---- life ---- */

MailFixture *
mail_fixture_new (void)
{
  MailFixture *fixture = g_new0 (MailFixture, 1);

  mm_log_set_level (g_test_verbose () ? MM_LOG_DEBUG : MM_LOG_ERROR);
  g_mutex_init (&fixture->lock);
  fixture->events = g_ptr_array_new_with_free_func (g_free);
  fixture->server = fake_server_new ();
  fixture->directory = test_directory_new ();
  fixture->config = (MmAccountConfig){
    .name = "user@example.org",
    .key = "imap://user@example.org:993",
    .directory = fixture->directory,
    .want_subject = TRUE,
    .refresh_us = REFRESH_US,
    .observer = &observer,
    .observer_data = fixture,
  };
  return fixture;
}

void
mail_fixture_free (MailFixture *fixture)
{
  mail_fixture_unmount (fixture);
  fake_server_free (fixture->server);
  test_directory_free (fixture->directory);
  g_ptr_array_unref (fixture->events);
  g_mutex_clear (&fixture->lock);
  g_free (fixture);
}

void
mail_fixture_mount (MailFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->config.remote = fake_remote_new (fixture->server);
  fixture->account = mm_account_new (&fixture->config, &error);
  g_assert_no_error (error);
  mm_account_connect (fixture->account, NULL, &error);
  g_assert_no_error (error);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
}

void
mail_fixture_unmount (MailFixture *fixture)
{
  g_clear_pointer (&fixture->account, mm_account_free);
}

MmMailbox *
mail_fixture_find (MailFixture *fixture, const gchar *path)
{
  g_auto (GStrv) components = g_strsplit (path, "/", -1);
  MmFolder folder = { 0 };

  for (guint i = 0; components[i] != NULL; i++)
    if (!mm_account_find_child (fixture->account, folder.id, components[i], &folder))
      g_error ("there is no folder %s", path);
  g_assert_nonnull (folder.mailbox);
  return folder.mailbox;
}

gchar *
mail_fixture_list (MailFixture *fixture, const gchar *path)
{
  MmMailbox *mailbox = mail_fixture_find (fixture, path);
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);
  guint64 after = 0;
  guint stream = 0;
  gsize n = 0;

  /* Later than the last comparison. */
  mm_clock_advance_for_test (2 * REFRESH_US);
  AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_no_error (error);
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  g_assert_no_error (error);
  do
    {
      MmMessage messages[7];
      AWAIT (&error, mm_mailbox_try_next (mailbox, stream, after, messages,
                                          G_N_ELEMENTS (messages), &n, waiter, &error));
      g_assert_no_error (error);
      for (gsize i = 0; i < n; i++)
        {
          g_assert_cmpuint (messages[i].number, >, after);
          after = messages[i].number;
          g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, text->len > 0 ? " " : "", after);
        }
    }
  while (n > 0);
  return g_string_free (text, FALSE);
}

GBytes *
mail_fixture_read (MailFixture *fixture, const gchar *path, guint64 number, GError **error)
{
  MmMailbox *mailbox = mail_fixture_find (fixture, path);
  g_autoptr (MmContent) content = mm_account_open_content (fixture->account, mailbox, number);
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  guint64 size = 0;
  gsize n = 0;

  g_assert_nonnull (content);
  if (AWAIT (error, mm_content_try_size (content, &size, waiter, error)) != MM_TRY_DONE)
    return NULL;
  do
    {
      g_autoptr (GBytes) part = NULL;
      if (AWAIT (error, mm_content_try_read (content, 65536, octets->len, &part, waiter, error))
          != MM_TRY_DONE)
        return NULL;
      const guint8 *data = g_bytes_get_data (part, &n);
      g_byte_array_append (octets, data, (guint) n);
    }
  while (n > 0);
  g_assert_cmpuint (octets->len, ==, size);
  return g_byte_array_free_to_bytes (g_steal_pointer (&octets));
}
