// SPDX-License-Identifier: GPL-3.0-or-later
/* A mailbox whose messages get other UIDs. */
#include <mailmount/clock.h>

#include "mail-fixture.h"

#include "../../src/mail/mailbox-private.h"

#define DATE 1700000000

/* Messages <1@x>, <2@x>, … of 200, 201, … octets. */
static MailFixture *
new_fixture (guint n_messages)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  for (guint i = 1; i <= n_messages; i++)
    {
      g_autofree gchar *id = g_strdup_printf ("<%u@x>", i);
      fake_server_deliver_mail (fixture->server, "INBOX", id, "Hello", DATE + i, 199 + i);
    }
  return fixture;
}

static void
assert_list (MailFixture *fixture, const gchar *expected)
{
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (list, ==, expected);
}

static MmMessage
get_message (MailFixture *fixture, guint64 number)
{
  MmMessage message;
  g_assert_true (mm_mailbox_get_message (mail_fixture_find (fixture, "INBOX"), number, &message));
  return message;
}

/* The message @number is that of @uid on the server now. */
static void
assert_reads (MailFixture *fixture, guint64 number, guint32 uid)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", number, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, "INBOX", uid);
  g_assert_true (g_bytes_equal (octets, body));
  g_assert_cmpuint (get_message (fixture, number).uid, ==, uid);
}

/* Until they are on the disk, which goes on behind the readers. */
static void
read_all (MailFixture *fixture, guint n_messages)
{
  gint64 end_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  for (guint i = 1; i <= n_messages; i++)
    {
      assert_reads (fixture, i, i);
      while (!get_message (fixture, i).is_stored)
        {
          g_assert_cmpint (g_get_monotonic_time (), <, end_us);
          g_usleep (1000);
        }
    }
}

/* How many bodies were asked for. */
static guint
count_bodies (MailFixture *fixture)
{
  return fake_server_count (fixture->server, "whole")
         + fake_server_count (fixture->server, "range");
}

static void
remount (MailFixture *fixture)
{
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
}

/* ---- a new UIDVALIDITY ---- */

static void
test_keeps_all (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  read_all (fixture, 5);
  fake_server_expunge (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 3 4 5");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  guint generation = mm_mailbox_get_generation (mailbox);
  gint64 mtime_us = mm_mailbox_get_mtime_us (mailbox);
  guint n_events = mail_fixture_count_events (fixture, "");

  fake_server_clear_log (fixture->server);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 3 4 5");
  assert_reads (fixture, 1, 1);
  assert_reads (fixture, 3, 2);
  assert_reads (fixture, 4, 3);
  assert_reads (fixture, 5, 4);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
  g_assert_cmpuint (fake_server_count (fixture->server, "id"), ==, 4);
  /* Nothing that a kernel or a backup could see. */
  g_assert_cmpuint (mail_fixture_count_events (fixture, ""), ==, n_events);
  g_assert_cmpuint (mm_mailbox_get_generation (mailbox), ==, generation);
  g_assert_cmpint (mm_mailbox_get_mtime_us (mailbox), ==, mtime_us);

  /* New UIDs that were numbers before are no longer free. */
  fake_server_deliver_mail (fixture->server, "INBOX", "<new@x>", "Hello", DATE, 300);
  assert_list (fixture, "1 3 4 5 6");
  assert_reads (fixture, 6, 5);
}

static void
test_keeps_all_over_remounts (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  read_all (fixture, 5);
  fake_server_expunge (fixture->server, "INBOX", 1);
  assert_list (fixture, "2 3 4 5");
  fake_server_clear_log (fixture->server);

  /* Between two mounts, while mounted, and between two mounts again. */
  mail_fixture_unmount (fixture);
  fake_server_renumber (fixture->server, "INBOX", 2);
  mail_fixture_mount (fixture);
  assert_list (fixture, "2 3 4 5");
  fake_server_renumber (fixture->server, "INBOX", 77);
  assert_list (fixture, "2 3 4 5");
  mail_fixture_unmount (fixture);
  fake_server_renumber (fixture->server, "INBOX", 78);
  mail_fixture_mount (fixture);
  assert_list (fixture, "2 3 4 5");
  for (guint i = 2; i <= 5; i++)
    assert_reads (fixture, i, i - 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);

  /* It is written down: nothing is compared again. */
  guint n_syncs = fake_server_count (fixture->server, "sync");
  remount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_autoptr (GError) error = NULL;
  AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fake_server_count (fixture->server, "sync"), ==, n_syncs);
  for (guint i = 2; i <= 5; i++)
    assert_reads (fixture, i, i - 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
}

static void
test_what_came_and_went (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  read_all (fixture, 5);
  fake_server_clear_log (fixture->server);
  fake_server_expunge (fixture->server, "INBOX", 2);
  fake_server_expunge (fixture->server, "INBOX", 4);
  fake_server_deliver_mail (fixture->server, "INBOX", "<new@x>", "Hello", DATE, 300);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 3 5 6");
  assert_reads (fixture, 3, 2);
  assert_reads (fixture, 6, 4);
  g_assert_cmpuint (count_bodies (fixture), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 2);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone 1 2"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone 1 4"), ==, 1);
}

static void
test_never_read (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (5);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5");
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "2 3 4 5");
  /* There are no octets to prove anything about. */
  g_assert_cmpuint (fake_server_count (fixture->server, "id"), ==, 0);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 1);
  assert_reads (fixture, 4, 3);
}

static void
test_another_message_id (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (2);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2");
  read_all (fixture, 2);
  /* The same size, date and subject. */
  fake_server_expunge (fixture->server, "INBOX", 2);
  fake_server_deliver_mail (fixture->server, "INBOX", "<9@x>", "Hello", DATE + 2, 201);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 3");
  assert_reads (fixture, 3, 2);
  remount (fixture);
  assert_list (fixture, "1 3");
  assert_reads (fixture, 3, 2);
}

static void
test_no_message_id (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);

  fake_server_deliver_mail (fixture->server, "INBOX", NULL, "Hello", DATE, 300);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1");
  read_all (fixture, 1);
  fake_server_clear_log (fixture->server);
  fake_server_renumber (fixture->server, "INBOX", 2);
  /* Its number is kept, but nothing proves its octets. */
  assert_list (fixture, "1");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone 1 1"), ==, 1);
  assert_reads (fixture, 1, 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 1);
  remount (fixture);
  assert_list (fixture, "1");
  assert_reads (fixture, 1, 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 1);
}

static GBytes *
read_content (MmContent *content)
{
  GBytes *octets = NULL;
  g_autoptr (GError) error = NULL;

  AWAIT (&error, mm_content_try_read (content, 300, 0, &octets, waiter, &error));
  g_assert_no_error (error);
  return octets;
}

static void
test_octets_that_are_not_proved (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);

  fake_server_deliver_mail (fixture->server, "INBOX", NULL, "Hello", DATE, 300);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1");
  read_all (fixture, 1);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  g_autoptr (MmContent) content = mm_account_open_content (fixture->account, mailbox, 1);
  g_autoptr (GBytes) before = read_content (content);

  /* All that a listing tells is equal, and the text is another. */
  g_autofree gchar *text = g_strnfill (300, 'x');
  g_autoptr (GBytes) body = g_bytes_new (text, 300);
  fake_server_set_body (fixture->server, "INBOX", 1, body);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1");
  assert_reads (fixture, 1, 1);

  /* Who had it open goes on with what he had. */
  g_autoptr (GBytes) after = read_content (content);
  g_assert_true (g_bytes_equal (after, before));
}

static void
test_duplicates (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (1);

  for (guint i = 0; i < 2; i++)
    fake_server_deliver_mail (fixture->server, "INBOX", "<twice@x>", "Hello", DATE, 300);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  read_all (fixture, 3);
  fake_server_clear_log (fixture->server);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1 2 3");
  assert_reads (fixture, 2, 2);
  assert_reads (fixture, 3, 3);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);

  /* Which of the two is left, nobody can tell. */
  fake_server_expunge (fixture->server, "INBOX", 2);
  fake_server_renumber (fixture->server, "INBOX", 3);
  assert_list (fixture, "1 4");
  assert_reads (fixture, 4, 2);
  g_assert_cmpuint (count_bodies (fixture), ==, 1);
}

static void
test_flags (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  fake_server_set_flags (fixture->server, "INBOX", 2, MM_MESSAGE_FLAGGED, "Work");
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "2 3");
  g_assert_cmpuint (get_message (fixture, 2).flags, ==, MM_MESSAGE_FLAGGED);
  g_assert_cmpstr (get_message (fixture, 2).keywords, ==, "Work");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed 1 2"), ==, 1);
}

static void
test_size_that_was_wrong (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (1);

  fake_server_set_told_size (fixture->server, "INBOX", 1, 1234);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1");
  read_all (fixture, 1);
  g_assert_cmpuint (get_message (fixture, 1).size, ==, 200);
  remount (fixture);
  fake_server_clear_log (fixture->server);
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_list (fixture, "1");
  g_assert_cmpuint (get_message (fixture, 1).size, ==, 200);
  assert_reads (fixture, 1, 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
}

/* ---- while it runs, and when it breaks off ---- */

static void
test_old_listing_stays (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;
  guint stream = 0;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5 6");
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  fake_server_pause_syncs (fixture->server, 3);
  mm_mailbox_set_stale (mailbox);
  TestWait *wait = test_wait_new ();
  g_assert_cmpint (mm_mailbox_try_open (mailbox, &stream, test_wait_get_waiter (wait), &error), ==,
                   MM_TRY_WAIT);
  fake_server_wait_paused (fixture->server, 1);

  /* Who does not insist on the latest has the old listing, whole. */
  g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, FALSE, waiter, &error)), ==,
                   MM_TRY_DONE);
  MmMessage messages[10];
  gsize n = 0;
  AWAIT (&error, mm_mailbox_try_next (mailbox, MM_MAILBOX_WHOLE, 0, messages, 10, &n, waiter,
                                      &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 6);

  fake_server_release (fixture->server);
  test_wait_end (wait, MM_TRY_WAIT, &error);
  g_assert_no_error (error);
  assert_list (fixture, "2 3 4 5 6");
}

static void
test_cut_changes_nothing (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5 6");
  read_all (fixture, 6);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  fake_server_clear_log (fixture->server);
  /* In the middle of the listing, then when the Message-IDs are asked for. */
  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        fake_server_cut_syncs (fixture->server, 3, 1 + mm_limits_default.listing_repetitions);
      else
        fake_server_fail_fetches (fixture->server, MM_ERROR_CONNECTION_LOST, 1);
      mm_mailbox_set_stale (mailbox);
      g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, TRUE, waiter, &error)), ==,
                       MM_TRY_FAILED);
      g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
      g_clear_error (&error);
      g_assert_cmpint (AWAIT (&error, mm_mailbox_try_listed (mailbox, FALSE, waiter, &error)), ==,
                       MM_TRY_DONE);
      for (guint number = 1; number <= 6; number++)
        get_message (fixture, number);
      g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 0);
      if (i == 1)
        remount (fixture);
      mailbox = mail_fixture_find (fixture, "INBOX");
    }
  assert_list (fixture, "2 3 4 5 6");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 1);
  assert_reads (fixture, 2, 1);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
}

static void
test_unmount_while_it_runs (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (6);
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5 6");
  read_all (fixture, 6);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  fake_server_renumber (fixture->server, "INBOX", 2);
  fake_server_hold_fetches (fixture->server);
  mm_mailbox_set_stale (mailbox);
  TestWait *wait = test_wait_new ();
  mm_mailbox_try_listed (mailbox, TRUE, test_wait_get_waiter (wait), &error);
  fake_server_wait_paused (fixture->server, 1);
  mail_fixture_unmount (fixture);
  g_assert_cmpint (test_wait_end (wait, MM_TRY_WAIT, &error), ==, MM_TRY_FAILED);

  fake_server_release (fixture->server);
  fake_server_clear_log (fixture->server);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4 5 6");
  assert_reads (fixture, 6, 6);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
}

/* ---- servers that are not to be trusted ---- */

enum
{
  NO_UIDVALIDITY,
  NOT_STICKY,
};

static void
make_distrusted (FakeServer *server, gconstpointer how)
{
  if (GPOINTER_TO_INT (how) == NO_UIDVALIDITY)
    fake_server_renumber (server, "INBOX", 0);
  else
    fake_server_set_not_sticky (server, "INBOX");
}

static void
test_distrusted_is_confirmed (gconstpointer data)
{
  g_autoptr (MailFixture) fixture = new_fixture (4);

  make_distrusted (fixture->server, data);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3 4");
  read_all (fixture, 4);
  fake_server_clear_log (fixture->server);
  remount (fixture);
  /* Nothing is known before the server has told what there is. */
  MmMessage message;
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  TestWait *wait = test_wait_new ();
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (mm_mailbox_try_listed (mailbox, FALSE, test_wait_get_waiter (wait), &error), ==,
                   MM_TRY_WAIT);
  test_wait_end (wait, MM_TRY_WAIT, &error);
  g_assert_no_error (error);
  g_assert_false (mm_mailbox_get_message (mailbox, 1, &message));

  assert_list (fixture, "1 2 3 4");
  for (guint i = 1; i <= 4; i++)
    assert_reads (fixture, i, i);
  g_assert_cmpuint (count_bodies (fixture), ==, 0);
  g_assert_cmpuint (fake_server_count (fixture->server, "id"), ==, 4);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "gone"), ==, 0);
}

/* Other messages under the same UIDs: of another size, of another Message-ID, and with the two
 * exchanged. */
static void
test_distrusted_has_others (gconstpointer data)
{
  g_autoptr (MailFixture) fixture = new_fixture (4);

  make_distrusted (fixture->server, data);
  for (guint round = 0; round < 2; round++)
    {
      mail_fixture_mount (fixture);
      g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
      if (round == 0)
        read_all (fixture, 4);
      fake_server_empty (fixture->server, "INBOX");
      fake_server_deliver_mail (fixture->server, "INBOX", "<2@x>", "Hello", DATE + 2, 201);
      fake_server_deliver_mail (fixture->server, "INBOX", "<1@x>", "Hello", DATE + 1, 200);
      fake_server_deliver_mail (fixture->server, "INBOX", "<33@x>", "Hello", DATE + 3, 202);
      fake_server_deliver_mail (fixture->server, "INBOX", "<4@x>", "Hello", DATE + 4, 333);
      /* While mounted, and after a remount. */
      if (round == 0)
        mail_fixture_unmount (fixture);
    }
  assert_list (fixture, "1 2 5 6");
  assert_reads (fixture, 1, 2);
  assert_reads (fixture, 2, 1);
  assert_reads (fixture, 5, 3);
  assert_reads (fixture, 6, 4);
}

static void
test_distrusted_in_one_mount (gconstpointer data)
{
  g_autoptr (MailFixture) fixture = new_fixture (3);

  make_distrusted (fixture->server, data);
  mail_fixture_mount (fixture);
  assert_list (fixture, "1 2 3");
  read_all (fixture, 3);
  fake_server_empty (fixture->server, "INBOX");
  assert_list (fixture, "");
  fake_server_deliver_mail (fixture->server, "INBOX", "<2@x>", "Hello", DATE + 2, 201);
  assert_list (fixture, "4");
  fake_server_empty (fixture->server, "INBOX");
  fake_server_deliver_mail (fixture->server, "INBOX", "<9@x>", "Hello", DATE + 9, 201);
  assert_list (fixture, "5");
  assert_reads (fixture, 5, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/mailbox/relist/" NAME, FUNC)
  ADD ("numbers-and-octets-are-kept", test_keeps_all);
  ADD ("and-over-remounts", test_keeps_all_over_remounts);
  ADD ("what-came-and-went-meanwhile", test_what_came_and_went);
  ADD ("never-read-messages-keep-their-numbers", test_never_read);
  ADD ("another-message-id-is-another-message", test_another_message_id);
  ADD ("without-message-id-octets-are-fetched-again", test_no_message_id);
  ADD ("octets-that-are-not-proved-are-not-served", test_octets_that_are_not_proved);
  ADD ("duplicates", test_duplicates);
  ADD ("flags-are-those-told", test_flags);
  ADD ("a-size-that-was-wrong-stays-corrected", test_size_that_was_wrong);
  ADD ("the-old-listing-stays-until-the-new-one-is-whole", test_old_listing_stays);
  ADD ("one-that-breaks-off-changes-nothing", test_cut_changes_nothing);
  ADD ("unmount-while-it-runs", test_unmount_while_it_runs);
#undef ADD
#define ADD(NAME, FUNC)                                                                            \
  g_test_add_data_func ("/mailbox/relist/no-uidvalidity/" NAME,                                   \
                        GINT_TO_POINTER (NO_UIDVALIDITY), FUNC);                                   \
  g_test_add_data_func ("/mailbox/relist/uids-not-sticky/" NAME, GINT_TO_POINTER (NOT_STICKY),    \
                        FUNC)
  ADD ("is-confirmed-before-anything-is-shown", test_distrusted_is_confirmed);
  ADD ("has-other-messages-after-a-remount", test_distrusted_has_others);
  ADD ("has-other-messages-while-mounted", test_distrusted_in_one_mount);
#undef ADD
  return g_test_run ();
}
