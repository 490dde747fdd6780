// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>
#include <mailmount/index.h>
#include <mailmount/limits.h>

#include "mail-fixture.h"

#include "../../src/mail/mailbox-private.h"

/* So many cuts of one listing are an error. */
#define GIVEN_UP_AFTER (1 + mm_limits_default.listing_repetitions)

static MailFixture *
new_fixture (guint n_messages)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  for (guint i = 0; i < n_messages; i++)
    fake_server_deliver_size (fixture->server, "INBOX", 0, 100 + i);
  return fixture;
}

static void
assert_list (MailFixture *fixture, const gchar *expected)
{
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (list, ==, expected);
}

static gchar *
join_numbers (guint first, guint last)
{
  GString *text = g_string_new (NULL);

  for (guint i = first; i <= last; i++)
    g_string_append_printf (text, "%s%u", i > first ? " " : "", i);
  return g_string_free (text, FALSE);
}

static MmMessage
get_message (MailFixture *fixture, guint64 number)
{
  MmMessage message;
  g_assert_true (mm_mailbox_get_message (mail_fixture_find (fixture, "INBOX"), number, &message));
  return message;
}

/* Reads up to @n_max messages behind @after, appending their numbers to @text. */
static MmTry
read_on (MmMailbox *mailbox, guint stream, guint64 *after, gsize n_max, GError **error)
{
  MmMessage messages[128];
  gsize n = 0;
  MmTry result = AWAIT (error, mm_mailbox_try_next (mailbox, stream, *after, messages, n_max, &n,
                                                    waiter, error));

  for (gsize i = 0; result == MM_TRY_DONE && i < n; i++)
    {
      g_assert_cmpuint (messages[i].number, >, *after);
      *after = messages[i].number;
    }
  return result;
}

/* Has the mailbox loaded, and its listing begun. */
static void
start_listing (MmMailbox *mailbox)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    {
      TestWait *wait = test_wait_new ();
      MmTry result
          = mm_mailbox_try_listed (mailbox, TRUE, test_wait_get_waiter (wait), &error);
      g_assert_cmpint (result, ==, MM_TRY_WAIT);
      test_wait_end (wait, i == 0 ? result : MM_TRY_DONE, &error);
      g_assert_no_error (error);
    }
}

/* ---- listing ---- */

static void
test_lists_all (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  MmMessage message = get_message (fixture, 2);
  g_assert_cmpuint (message.uid, ==, 2);
  g_assert_cmpuint (message.size, ==, 101);
  g_assert_false (message.size_is_proved);
  g_assert_cmpint (message.internaldate, ==, 1700000002);
  g_assert_cmpstr (message.stem, ==, "Message-of-101");
}

static void
test_lists_empty (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);

  mail_fixture_mount (fixture);
  assert_list (fixture, "");
  assert_list (fixture, "");
}

static void
test_first_listing_streams (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (300);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *all = join_numbers (1, 300);
  guint64 after = 0;
  guint stream = 0;

  fake_server_pause_syncs (fixture->server, 200);
  fake_server_cut_syncs (fixture->server, 200, GIVEN_UP_AFTER);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error)), ==,
                   MM_TRY_DONE);
  fake_server_wait_paused (fixture->server, 1);
  while (after < 200)
    {
      guint64 before = after;
      g_assert_cmpint (read_on (mailbox, stream, &after, 50, &error), ==, MM_TRY_DONE);
      g_assert_cmpuint (after, >, before);
    }
  g_assert_cmpuint (after, ==, 200);

  fake_server_release (fixture->server);
  g_assert_cmpint (read_on (mailbox, stream, &after, 50, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  g_clear_error (&error);

  assert_list (fixture, all);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, GIVEN_UP_AFTER + 1);
}

/* Reads a listing up to 200, where it is cut; the message @expunged meanwhile, 0 for none, goes. */
static guint
read_beginning (MailFixture *fixture, guint n_cuts, guint32 expunged, guint64 *out_after)
{
  g_autoptr (GError) error = NULL;
  guint stream = 0;

  *out_after = 0;
  fake_server_pause_syncs (fixture->server, 200);
  fake_server_cut_syncs (fixture->server, 200, n_cuts);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error)), ==,
                   MM_TRY_DONE);
  fake_server_wait_paused (fixture->server, 1);
  while (*out_after < 200)
    g_assert_cmpint (read_on (mailbox, stream, out_after, 50, &error), ==, MM_TRY_DONE);
  if (expunged != 0)
    fake_server_expunge (fixture->server, "INBOX", expunged);
  fake_server_release (fixture->server);
  return stream;
}

static void
test_reader_goes_on_behind_cuts (void)
{
  for (guint n_cuts = 1; n_cuts < GIVEN_UP_AFTER; n_cuts++)
    {
      g_autoptr (MailFixture) fixture = new_fixture (300);
      g_autoptr (GError) error = NULL;
      g_autofree gchar *left = join_numbers (2, 300);
      guint64 after = 0;
      guint stream = read_beginning (fixture, n_cuts, 1, &after);
      MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");

      for (guint64 before = 0; before < after;)
        {
          before = after;
          g_assert_cmpint (read_on (mailbox, stream, &after, 1, &error), ==, MM_TRY_DONE);
          g_assert_cmpuint (after - before, <=, 1);
        }
      g_assert_cmpuint (after, ==, 300);
      g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, n_cuts + 1);
      /* What went between the two is not in the listing that is whole. */
      assert_list (fixture, left);
    }
}

static void
test_cut_behind_a_reader_with_other_uids (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (300);
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint stream = 0;

  fake_server_pause_syncs (fixture->server, 200);
  fake_server_cut_syncs (fixture->server, 200, 1);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  fake_server_wait_paused (fixture->server, 1);
  read_on (mailbox, stream, &after, 50, &error);
  g_assert_no_error (error);
  fake_server_renumber (fixture->server, "INBOX", 2);
  TestWait *wait = test_wait_new ();
  g_assert_cmpint (mm_mailbox_try_listed (mailbox, TRUE, test_wait_get_waiter (wait), &error), ==,
                   MM_TRY_WAIT);
  fake_server_release (fixture->server);
  test_wait_end (wait, MM_TRY_WAIT, &error);
  g_assert_no_error (error);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_DONE);
  /* What is told of now need not be what this reader has the beginning of. */
  g_assert_cmpint (read_on (mailbox, stream, &after, 50, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
}

static void
test_cut_listing_keeps_nothing_expunged (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;

  fake_server_cut_syncs (fixture->server, 4, GIVEN_UP_AFTER);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_FAILED);
  fake_server_expunge (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 3 4 5 6");
}

static void
test_cut_listing_then_restart (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;

  fake_server_cut_syncs (fixture->server, 4, GIVEN_UP_AFTER);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_FAILED);
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  /* UIDs 1 to 5 are other messages now: those that had been told keep their numbers. */
  assert_list (fixture, "2 3 4 5 6");
  for (guint64 number = 2; number <= 6; number++)
    {
      MmMessage message = get_message (fixture, number);
      g_assert_cmpuint (message.size, ==, 99 + number);
      g_assert_cmpuint (message.uid, ==, number - 1);
    }
}

static void
test_out_of_order (void)
{
  static const guint32 order[] = { 1, 2, 5, 3, 4, 6, 0 };
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint stream = 0;

  fake_server_set_order (fixture->server, "INBOX", order);
  fake_server_pause_syncs (fixture->server, 3);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  start_listing (mailbox);
  fake_server_wait_paused (fixture->server, 1);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error)), ==,
                   MM_TRY_DONE);
  g_assert_cmpint (read_on (mailbox, stream, &after, 100, &error), ==, MM_TRY_DONE);
  g_assert_cmpuint (after, ==, 5);

  /* To the end: whoever read on from 5 now would never see 3 and 4. */
  fake_server_release (fixture->server);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_DONE);
  g_assert_cmpint (read_on (mailbox, stream, &after, 100, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  assert_list (fixture, "1 2 3 4 5 6");
}

static void
test_reader_of_a_cut_listing (void)
{
  static const guint32 order[] = { 1, 2, 5, 0 };
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint stream = 0;

  fake_server_set_order (fixture->server, "INBOX", order);
  fake_server_pause_syncs (fixture->server, 3);
  fake_server_cut_syncs (fixture->server, 3, 1);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  start_listing (mailbox);
  fake_server_wait_paused (fixture->server, 1);
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  read_on (mailbox, stream, &after, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (after, ==, 5);

  fake_server_set_order (fixture->server, "INBOX", NULL);
  TestWait *wait = test_wait_new ();
  mm_mailbox_try_listed (mailbox, TRUE, test_wait_get_waiter (wait), &error);
  fake_server_release (fixture->server);
  test_wait_end (wait, MM_TRY_WAIT, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 2);
  assert_list (fixture, "1 2 3 4 5 6");
  /* The listing is whole now, but not the part that this reader has. */
  g_assert_cmpint (read_on (mailbox, stream, &after, 100, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
}

static void
test_reader_survives_changes (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (10);
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint stream = 0;

  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  read_on (mailbox, stream, &after, 5, &error);
  g_assert_cmpuint (after, ==, 5);
  fake_server_expunge (fixture->server, "INBOX", 3);
  fake_server_expunge (fixture->server, "INBOX", 6);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 10);
  assert_list (fixture, "1 2 4 5 7 8 9 10 11");
  read_on (mailbox, stream, &after, 1, &error);
  g_assert_cmpuint (after, ==, 7);
  read_on (mailbox, stream, &after, 100, &error);
  g_assert_cmpuint (after, ==, 11);
  g_assert_no_error (error);
}

/* ---- changes ---- */

static void
test_nothing_is_asked_while_fresh (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  for (guint i = 0; i < 3; i++)
    AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
  mm_mailbox_set_stale (mailbox);
  AWAIT (&error, mm_mailbox_try_listed (mailbox, FALSE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
  AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 2);
}

static void
test_new_and_gone (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  guint generation = mm_mailbox_get_generation (mailbox);
  gint64 mtime_us = mm_mailbox_get_mtime_us (mailbox);

  fake_server_expunge (fixture->server, "INBOX", 2);
  fake_server_expunge (fixture->server, "INBOX", 5);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 9);
  assert_list (fixture, "1 3 4 6");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 2);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone 1 2"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone 1 5"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder 1"), >=, 1);
  g_assert_cmpuint (mm_mailbox_get_generation (mailbox), !=, generation);
  g_assert_cmpint (mm_mailbox_get_mtime_us (mailbox), >, mtime_us);
}

static void
test_flags_change (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  guint generation = mm_mailbox_get_generation (mailbox);
  gint64 mtime_us = mm_mailbox_get_mtime_us (mailbox);
  MmMessage before = get_message (fixture, 2);

  fake_server_set_flags (fixture->server, "INBOX", 2, MM_MESSAGE_SEEN | MM_MESSAGE_FLAGGED,
                         "$Label1 Junk");
  assert_list (fixture, "1 2 3");
  MmMessage after = get_message (fixture, 2);
  g_assert_cmpuint (after.flags, ==, MM_MESSAGE_SEEN | MM_MESSAGE_FLAGGED);
  g_assert_cmpstr (after.keywords, ==, "$Label1 Junk");
  g_assert_cmpuint (after.size, ==, before.size);
  g_assert_cmpint (after.internaldate, ==, before.internaldate);
  g_assert_cmpstr (after.stem, ==, before.stem);
  g_assert_cmpuint (mm_mailbox_get_generation (mailbox), ==, generation);
  g_assert_cmpint (mm_mailbox_get_mtime_us (mailbox), ==, mtime_us);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed 1 2"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed 1 1"), ==, 0);
}

static void
test_failed_comparison_removes_nothing (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  fake_server_expunge (fixture->server, "INBOX", 2);
  fake_server_cut_syncs (fixture->server, 2, GIVEN_UP_AFTER);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  mm_mailbox_set_stale (mailbox);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  g_clear_error (&error);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, FALSE, waiter, &error)), ==,
                   MM_TRY_DONE);
  get_message (fixture, 2);
  assert_list (fixture, "1 3 4 5");
}

static void
test_numbers_are_never_used_twice (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  for (guint32 uid = 1; uid <= 3; uid++)
    fake_server_expunge (fixture->server, "INBOX", uid);
  assert_list (fixture, "");
  mail_fixture_unmount (fixture);
  fake_server_renumber (fixture->server, "INBOX", 7);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 10);
  mail_fixture_mount (fixture);
  assert_list (fixture, "4");
}

/* ---- the index ---- */

static void
test_remount_lists_from_the_index (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (300);
  g_autofree gchar *all = join_numbers (1, 300);
  g_autoptr (GError) error = NULL;

  fake_server_set_flags (fixture->server, "INBOX", 7, MM_MESSAGE_ANSWERED, "Work");
  mail_fixture_mount (fixture);
  assert_list (fixture, all);
  gint64 mtime_us = mm_mailbox_get_mtime_us (mail_fixture_find (fixture, "INBOX"));
  mail_fixture_unmount (fixture);

  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 0);
  MmMessage message = get_message (fixture, 7);
  g_assert_cmpuint (message.flags, ==, MM_MESSAGE_ANSWERED);
  g_assert_cmpstr (message.keywords, ==, "Work");
  g_assert_cmpstr (message.stem, ==, "Message-of-106");
  g_assert_cmpuint (message.size, ==, 106);
  g_assert_cmpint (mm_mailbox_get_mtime_us (mailbox), ==, mtime_us);
  guint64 messages = 0;
  guint64 octets = 0;
  mm_mailbox_get_totals (mailbox, &messages, &octets);
  g_assert_cmpuint (messages, ==, 300);
  g_assert_cmpuint (octets, ==, 300 * 100 + 299 * 300 / 2);
}

static void
test_remount_compares_what_changed (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  mail_fixture_unmount (fixture);
  fake_server_expunge (fixture->server, "INBOX", 5);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 10);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 6");
}

static void
test_unannounced_state_is_compared (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (2);

  fake_server_hide_states (fixture->server);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2");
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  g_autoptr (GError) error = NULL;
  AWAIT (&error,
         mm_mailbox_try_listed (mail_fixture_find (fixture, "INBOX"), TRUE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
}

static void
test_flags_are_compared_for_who_looks (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);
  g_autoptr (GError) error = NULL;

  fake_server_hide_modseqs (fixture->server);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_set_flags (fixture->server, "INBOX", 2, MM_MESSAGE_FLAGGED, "Work");
  fake_server_clear_log (fixture->server);
  AWAIT (&error, mm_mailbox_try_flags (mailbox, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 0);
  mail_fixture_unmount (fixture);

  /* The numbers of the list are enough for who lists, and one comparison for who looks at flags. */
  mail_fixture_mount (fixture);
  mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 0);
  for (guint i = 0; i < 2; i++)
    AWAIT (&error, mm_mailbox_try_flags (mailbox, waiter, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
  g_assert_cmpuint (get_message (fixture, 2).flags, ==, MM_MESSAGE_FLAGGED);
}

/* It is listed anew, and what comes is news all the same. */
static void
test_first_messages_under_another_uidvalidity_are_told (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (1);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1");
  fake_server_expunge (fixture->server, "INBOX", 1);
  assert_list (fixture, "");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  gint64 mtime_us = mm_mailbox_get_mtime_us (mailbox);
  g_autofree gchar *event = g_strdup_printf ("folder %u", mm_mailbox_get_folder_id (mailbox));
  guint n_told = mail_fixture_count_events (fixture, event);
  fake_server_renumber (fixture->server, "INBOX", 1001);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 100);
  assert_list (fixture, "2");
  g_assert_cmpuint (mail_fixture_count_events (fixture, event), ==, n_told + 1);
  g_assert_cmpint (mm_mailbox_get_mtime_us (mailbox), >, mtime_us);
}

static void
test_read_then_expunged (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  /* Its size is proved, which is to be written down some time … */
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", 3, &error);
  g_assert_no_error (error);
  /* … but not once it is gone. */
  fake_server_expunge (fixture->server, "INBOX", 3);
  assert_list (fixture, "1 2 4 5");
  mail_fixture_unmount (fixture);

  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  AWAIT (&error,
         mm_mailbox_try_listed (mail_fixture_find (fixture, "INBOX"), TRUE, waiter, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 0);
  assert_list (fixture, "1 2 4 5");
}

/* Takes rows away or adds some behind the folder's back, as a crash between two transactions
 * does. */
static void
damage_index (MailFixture *fixture, guint64 remove_number, guint64 add_number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmIndex) index = mm_index_open (fixture->directory, &error);
  g_assert_no_error (error);
  if (remove_number != 0)
    mm_index_remove_message (index, 1, remove_number, &error);
  g_assert_no_error (error);
  if (add_number != 0)
    {
      MmIndexMessage row = { .number = add_number, .uid = (guint32) add_number, .keywords = "" };
      mm_index_put_message (index, 1, &row, &error);
    }
  g_assert_no_error (error);
}

static void
test_lost_row_is_listed_again (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", 2, &error);
  mail_fixture_unmount (fixture);
  damage_index (fixture, 4, 0);
  fake_server_expunge (fixture->server, "INBOX", 4);

  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  /* Four rows and four messages, but not the state that was written with five. */
  assert_list (fixture, "1 2 3 5");
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
  /* What stands in the rows kept its number and its content. */
  g_autoptr (GBytes) again = mail_fixture_read (fixture, "INBOX", 2, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (octets, again));
  g_assert_cmpuint (fake_server_count (fixture->server, "whole"), ==, 0);
}

static void
test_surplus_row_is_compared (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  mail_fixture_unmount (fixture);
  damage_index (fixture, 0, 9);

  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, 1);
  /* The row's number was used once, and is not used again for another UIDVALIDITY. */
  fake_server_renumber (fixture->server, "INBOX", 2);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 10);
  assert_list (fixture, "1 2 3 4 5 10");
}

/* ---- Message-IDs ---- */

static void
test_message_ids (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (AWAIT (&error, mm_mailbox_try_message_ids (mailbox, waiter, &error)), ==,
                     MM_TRY_DONE);
  g_assert_cmpstr (get_message (fixture, 2).message_id, ==, "<2@example.org>");
  g_assert_cmpuint (fake_server_count (fixture->server, "id"), ==, 3);
  mail_fixture_unmount (fixture);

  mail_fixture_mount (fixture);
  mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_deliver_size (fixture->server, "INBOX", 0, 1);
  assert_list (fixture, "1 2 3 4");
  AWAIT (&error, mm_mailbox_try_message_ids (mailbox, waiter, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (get_message (fixture, 4).message_id, ==, "<4@example.org>");
  g_assert_cmpuint (fake_server_count (fixture->server, "id"), ==, 4);
}

static void
test_message_ids_fail (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_fail_fetches (fixture->server, MM_ERROR_CONNECTION_LOST, 1);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_message_ids (mailbox, waiter, &error)), ==,
                   MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  g_clear_error (&error);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_message_ids (mailbox, waiter, &error)), ==,
                   MM_TRY_DONE);
  g_assert_cmpstr (get_message (fixture, 1).message_id, ==, "<1@example.org>");
}

/* ---- shutting down ---- */

static void
test_unmount_while_listing (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (300);
  g_autoptr (GError) error = NULL;
  guint stream = 0;

  fake_server_pause_syncs (fixture->server, 200);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  fake_server_wait_paused (fixture->server, 1);
  TestWait *wait = test_wait_new ();
  g_assert_cmpint (mm_mailbox_try_listed (mailbox, TRUE, test_wait_get_waiter (wait), &error), ==,
                   MM_TRY_WAIT);
  mail_fixture_unmount (fixture);
  g_assert_cmpint (test_wait_end (wait, MM_TRY_WAIT, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CANCELLED);
  g_clear_error (&error);

  /* What was half a listing is none. */
  fake_server_release (fixture->server);
  mail_fixture_mount (fixture);
  g_autofree gchar *all = join_numbers (1, 300);
  assert_list (fixture, all);
}

/* A list of folders that was asked for before the hint came may tell the state before the change. */
static void
test_hint_outweighs_an_announcement (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  MmMailboxState before = { .uidvalidity = 1000, .uidnext = 4, .messages = 3, .has_messages = TRUE };
  fake_server_deliver_size (fixture->server, "INBOX", 0, 100);
  mm_mailbox_set_stale (mailbox);
  mm_mailbox_announce (mailbox, "INBOX", &before);
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                   MM_TRY_DONE);
  MmMessage message;
  g_assert_true (mm_mailbox_get_message (mailbox, 4, &message));
}

/* ---- strings ---- */

#define SUBJECT "a-subject-that-is-rather-long-so-that-a-few-messages-fill-a-block"

typedef struct
{
  MmMailbox *mailbox;
  gint is_over; /* atomic */
} NameReader;

/* Reads the strings of whatever messages there are, as readdir does. */
static gpointer
read_names (gpointer data)
{
  NameReader *reader = data;

  while (!g_atomic_int_get (&reader->is_over))
    {
      g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (reader->mailbox);
      g_autoptr (GArray) messages = mm_mailbox_dup_messages (reader->mailbox);

      g_usleep (3000); /* in which they may be expunged */
      for (guint i = 0; i < messages->len; i++)
        g_assert_cmpstr (g_array_index (messages, MmMessage, i).stem, ==, SUBJECT);
    }
  return NULL;
}

static void
test_strings_of_the_expunged_go (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);
  g_autoptr (GBytes) body = g_bytes_new_static ("x", 1);
  guint32 oldest = 1;

  mail_fixture_mount (fixture);
  assert_list (fixture, "");
  NameReader reader = { .mailbox = mail_fixture_find (fixture, "INBOX") };
  GThread *thread = g_thread_new ("reader", read_names, &reader);
  guint n_pools = 0;
  gconstpointer last = NULL; /* only to be compared: held, it would keep all that the reader reads */
  for (guint round = 0; round < 40; round++)
    {
      guint32 newest = 0;
      for (guint i = 0; i < 100; i++)
        newest = fake_server_deliver (fixture->server, "INBOX", 0, SUBJECT, body);
      for (; round > 0 && oldest + 99 < newest; oldest++)
        fake_server_expunge (fixture->server, "INBOX", oldest);
      g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
      g_autoptr (MmStringPool) now = mm_mailbox_hold_strings (reader.mailbox);
      n_pools += now != last ? 1 : 0;
      last = now;
    }
  g_atomic_int_set (&reader.is_over, 1);
  g_thread_join (thread);
  g_assert_cmpuint (n_pools, >, 5);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox/lists-all-with-their-facts", test_lists_all);
  g_test_add_func ("/mailbox/lists-an-empty-mailbox", test_lists_empty);
  g_test_add_func ("/mailbox/first-listing-streams-and-ends-in-an-error-when-cut",
                   test_first_listing_streams);
  g_test_add_func ("/mailbox/reader-goes-on-where-a-listing-was-cut-and-is-repeated",
                   test_reader_goes_on_behind_cuts);
  g_test_add_func ("/mailbox/reader-of-a-cut-listing-does-not-go-on-under-other-uids",
                   test_cut_behind_a_reader_with_other_uids);
  g_test_add_func ("/mailbox/what-went-between-a-cut-and-a-whole-listing-is-gone",
                   test_cut_listing_keeps_nothing_expunged);
  g_test_add_func ("/mailbox/uidvalidity-may-change-behind-a-cut-listing",
                   test_cut_listing_then_restart);
  g_test_add_func ("/mailbox/out-of-order-listing-fails-its-readers-only", test_out_of_order);
  g_test_add_func ("/mailbox/reader-of-a-cut-listing-does-not-go-on-in-a-whole-one",
                   test_reader_of_a_cut_listing);
  g_test_add_func ("/mailbox/reader-neither-skips-nor-repeats", test_reader_survives_changes);
  g_test_add_func ("/mailbox/asks-nothing-while-fresh", test_nothing_is_asked_while_fresh);
  g_test_add_func ("/mailbox/shows-new-and-removes-exactly-the-absent", test_new_and_gone);
  g_test_add_func ("/mailbox/flags-change-nothing-else", test_flags_change);
  g_test_add_func ("/mailbox/failed-comparison-removes-nothing",
                   test_failed_comparison_removes_nothing);
  g_test_add_func ("/mailbox/numbers-are-never-used-twice", test_numbers_are_never_used_twice);
  g_test_add_func ("/mailbox/remount-lists-from-the-index", test_remount_lists_from_the_index);
  g_test_add_func ("/mailbox/remount-compares-what-changed", test_remount_compares_what_changed);
  g_test_add_func ("/mailbox/unannounced-state-is-compared", test_unannounced_state_is_compared);
  g_test_add_func ("/mailbox/first-messages-under-another-uidvalidity-are-told",
                   test_first_messages_under_another_uidvalidity_are_told);
  g_test_add_func ("/mailbox/flags-are-compared-for-who-looks",
                   test_flags_are_compared_for_who_looks);
  g_test_add_func ("/mailbox/expunged-after-reading-leaves-the-index", test_read_then_expunged);
  g_test_add_func ("/mailbox/lost-row-is-listed-again", test_lost_row_is_listed_again);
  g_test_add_func ("/mailbox/surplus-row-is-compared", test_surplus_row_is_compared);
  g_test_add_func ("/mailbox/message-ids-are-asked-for-once", test_message_ids);
  g_test_add_func ("/mailbox/message-ids-are-asked-for-again-after-a-failure",
                   test_message_ids_fail);
  g_test_add_func ("/mailbox/unmount-while-listing", test_unmount_while_listing);
  g_test_add_func ("/mail/mailbox/strings-of-the-expunged-go", test_strings_of_the_expunged_go);
  g_test_add_func ("/mail/mailbox/hint-outweighs-an-announcement",
                   test_hint_outweighs_an_announcement);
  return g_test_run ();
}
