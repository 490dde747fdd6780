// SPDX-License-Identifier: GPL-3.0-or-later
/* What an account shows while its server cannot be asked, and what it remembers of its traffic. */
#include <mailmount/clock.h>

#include "mail-fixture.h"

#define LATER_US (120 * G_USEC_PER_SEC)

static MailFixture *
new_fixture (void)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  fake_server_add_mailbox (fixture->server, "A", 0);
  fake_server_add_mailbox (fixture->server, "A/B", 0);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 100);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 200);
  return fixture;
}

static gboolean
connect_account (MailFixture *fixture, const gchar *root_path, GError **error)
{
  fixture->config.remote = fake_remote_new (fixture->server);
  fixture->account = mm_account_new (&fixture->config, error);
  g_assert_nonnull (fixture->account);
  return mm_account_connect (fixture->account, root_path, error);
}

static void
await_folders (MailFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_no_error (error);
}

static void
assert_listing (MailFixture *fixture, const gchar *path, const gchar *expected)
{
  g_autofree gchar *numbers = mail_fixture_list (fixture, path);

  g_assert_cmpstr (numbers, ==, expected);
}

static void
test_what_was_listed_stays (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  mail_fixture_mount (fixture);
  assert_listing (fixture, "INBOX", "1 2");
  fake_server_set_away (fixture->server, TRUE);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 300);
  mm_clock_advance_for_test (LATER_US);
  await_folders (fixture);
  assert_listing (fixture, "INBOX", "1 2");
  /* And is asked for again as soon as that makes sense. */
  fake_server_set_away (fixture->server, FALSE);
  mm_clock_advance_for_test (LATER_US);
  assert_listing (fixture, "INBOX", "1 2 3");
}

static void
test_what_was_never_listed_fails (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  fake_server_set_away (fixture->server, TRUE);
  MmMailbox *mailbox = mail_fixture_find (fixture, "A");
  AWAIT (&error, mm_mailbox_try_listed (mailbox, FALSE, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);
}

static void
test_starts_with_what_is_known (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  assert_listing (fixture, "INBOX", "1 2");
  g_autoptr (GBytes) before = mail_fixture_read (fixture, "INBOX", 1, &error);
  g_assert_no_error (error);
  mail_fixture_unmount (fixture);

  fake_server_set_away (fixture->server, TRUE);
  g_assert_true (connect_account (fixture, NULL, &error));
  g_assert_no_error (error);
  await_folders (fixture);
  assert_listing (fixture, "INBOX", "1 2");
  g_autoptr (GBytes) after = mail_fixture_read (fixture, "INBOX", 1, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (before, after));
  g_assert_null (mail_fixture_read (fixture, "INBOX", 2, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);

  fake_server_set_away (fixture->server, FALSE);
  fake_server_add_mailbox (fixture->server, "New", 0);
  mm_clock_advance_for_test (LATER_US);
  await_folders (fixture);
  assert_listing (fixture, "New", "");
}

/* Nobody has to open the root for that. */
static void
test_the_folders_are_listed_when_the_server_is_back (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  mail_fixture_unmount (fixture);
  fake_server_set_away (fixture->server, TRUE);
  g_assert_true (connect_account (fixture, NULL, &error));
  fake_server_clear_log (fixture->server);
  fake_server_add_mailbox (fixture->server, "New", 0);
  mm_clock_advance_for_test (LATER_US);
  fake_remote_come_online (fixture->config.remote);
  /* Whoever asks now waits for that list, or has it, and begins none. */
  await_folders (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "list"), ==, 1);
  mail_fixture_find (fixture, "New");
}

static void
test_starts_at_a_known_folder (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;
  MmFolder folder;

  mail_fixture_mount (fixture);
  mail_fixture_unmount (fixture);
  fake_server_set_away (fixture->server, TRUE);
  g_assert_true (connect_account (fixture, "A", &error));
  g_assert_no_error (error);
  g_assert_true (mm_account_find_child (fixture->account,
                                        mm_account_get_root_id (fixture->account), "B", &folder));
  mail_fixture_unmount (fixture);
  g_assert_false (connect_account (fixture, "Nowhere", &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
}

static void
test_filters_hold (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;
  const gchar *exclude[] = { "A", NULL };
  MmFolder folder;

  mail_fixture_mount (fixture);
  mail_fixture_unmount (fixture);
  fake_server_set_away (fixture->server, TRUE);
  fixture->config.exclude = exclude;
  g_assert_true (connect_account (fixture, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (mm_account_next_child (fixture->account, 0, 0, &folder));
  g_assert_cmpstr (folder.component, ==, "INBOX");
  g_assert_false (mm_account_next_child (fixture->account, 0, folder.id, &folder));
}

static void
test_an_unknown_account_does_not_start (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;

  fake_server_set_away (fixture->server, TRUE);
  g_assert_false (connect_account (fixture, NULL, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);
}

/* What was received is known to the next mount, whichever it was. */
static void
test_traffic_is_written_down (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  mail_fixture_mount (fixture);
  g_assert_cmpuint (fake_remote_get_spent (fixture->config.remote), ==, 0);
  fake_remote_spend (fixture->config.remote, 1000000, 300);
  fake_remote_spend (fixture->config.remote, 1000000, 30);
  fake_remote_spend (fixture->config.remote, 1000001, 3);
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  g_assert_cmpuint (fake_remote_get_spent (fixture->config.remote), ==, 333);
  /* What is long ago is forgotten. */
  fake_remote_spend (fixture->config.remote, 2000000, 5);
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  g_assert_cmpuint (fake_remote_get_spent (fixture->config.remote), ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/account/offline/" NAME, FUNC)
  ADD ("what-was-listed-stays", test_what_was_listed_stays);
  ADD ("what-was-never-listed-fails", test_what_was_never_listed_fails);
  ADD ("starts-with-what-is-known", test_starts_with_what_is_known);
  ADD ("folders-are-listed-when-the-server-is-back",
       test_the_folders_are_listed_when_the_server_is_back);
  ADD ("starts-at-a-known-folder", test_starts_at_a_known_folder);
  ADD ("filters-hold", test_filters_hold);
  ADD ("unknown-account-does-not-start", test_an_unknown_account_does_not_start);
  g_test_add_func ("/account/traffic-is-written-down", test_traffic_is_written_down);
  return g_test_run ();
}
