// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the watcher has watched and listed, and when: counted in the fake server's log. The clock is
 * turned; the watcher, which sleeps by another one, is woken.
 */
#include <mailmount/clock.h>

#include "../../src/mail/account-private.h"
#include "mail-fixture.h"

#define PATIENCE_US (20 * G_USEC_PER_SEC)
#define SECOND_US   ((gint64) G_USEC_PER_SEC)
#define HOUR_US     (3600 * SECOND_US)
#define UNUSED_US   (11 * 60 * SECOND_US)
/* Long enough for what must not happen, were it to. */
#define MOMENT_US 50000

static MailFixture *
new_fixture (FakeWatches watches, gint64 refresh_us)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  fake_server_add_mailbox (fixture->server, "A", 0);
  fake_server_add_mailbox (fixture->server, "B", 0);
  fake_server_set_watches (fixture->server, watches);
  fixture->config.follows_changes = TRUE;
  fixture->config.watches_max = 3;
  fixture->config.refresh_us = refresh_us;
  return fixture;
}

static void
list_folder (MailFixture *fixture, const gchar *path)
{
  g_free (mail_fixture_list (fixture, path));
  mm_account_note_list (fixture->account, mail_fixture_find (fixture, path), 1);
}

static void
turn_clock (MailFixture *fixture, gint64 us)
{
  mm_clock_advance_for_test (us);
  mm_watcher_wake (fixture->account->context.watcher);
}

/* Waits until the log has @n lines that begin with @prefix, while the clock runs a second each time. */
static void
await_count (MailFixture *fixture, const gchar *prefix, guint n)
{
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;
  guint found;

  while ((found = fake_server_count (fixture->server, prefix)) < n)
    {
      if (g_get_monotonic_time () > end_us)
        g_error ("%u times '%s' instead of %u", found, prefix, n);
      turn_clock (fixture, SECOND_US);
      g_usleep (MOMENT_US / 10);
    }
  g_assert_cmpuint (found, ==, n);
}

static void
assert_count_stays (MailFixture *fixture, const gchar *prefix, guint n)
{
  g_usleep (MOMENT_US);
  g_assert_cmpuint (fake_server_count (fixture->server, prefix), ==, n);
}

/* ---- one by one ---- */

static void
test_unused (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (FAKE_WATCHES_ONE, HOUR_US);

  mail_fixture_mount (fixture);
  list_folder (fixture, "A");
  list_folder (fixture, "B");
  await_count (fixture, "watch INBOX", 1);
  await_count (fixture, "watch A", 1);
  await_count (fixture, "watch B", 1);
  turn_clock (fixture, UNUSED_US);
  await_count (fixture, "unwatch A", 1);
  await_count (fixture, "unwatch B", 1);
  assert_count_stays (fixture, "unwatch INBOX", 0);

  mm_account_note_open (fixture->account, mail_fixture_find (fixture, "A"), 1, 1);
  await_count (fixture, "watch A", 2);
  await_count (fixture, "watch B", 2);
  g_assert_cmpuint (fake_server_count (fixture->server, "watch INBOX"), ==, 1);
}

static void
test_unused_is_not_polled (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0, 60 * SECOND_US);

  mail_fixture_mount (fixture);
  await_count (fixture, "list", 2);
  await_count (fixture, "list", 3);
  turn_clock (fixture, UNUSED_US);
  fake_server_clear_log (fixture->server);
  for (guint i = 0; i < 5; i++)
    {
      turn_clock (fixture, 61 * SECOND_US);
      g_usleep (MOMENT_US);
    }
  g_assert_cmpuint (fake_server_count (fixture->server, "list"), ==, 0);
  list_folder (fixture, "A");
  await_count (fixture, "list", 1);
}

/* ---- all at once ---- */

/* What happened without a watch is told by nobody. */
static void
test_begins_again_with_a_list (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (FAKE_WATCHES_ALL, HOUR_US);

  mail_fixture_mount (fixture);
  await_count (fixture, "watch *", 1);
  turn_clock (fixture, 5 * SECOND_US);
  assert_count_stays (fixture, "list", 1);
  fake_server_cut_watches (fixture->server);
  await_count (fixture, "watch *", 2);
  await_count (fixture, "list", 2);
  turn_clock (fixture, 5 * SECOND_US);
  assert_count_stays (fixture, "list", 2);
}

static void
test_names_are_confirmed (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (FAKE_WATCHES_ALL, HOUR_US);

  mail_fixture_mount (fixture);
  await_count (fixture, "watch *", 1);
  fake_server_tell_change (fixture->server, NULL);
  await_count (fixture, "list", 2);
  /* Told by nobody, but found when the list is confirmed. */
  guint n_before = mail_fixture_count_events (fixture, "folder 0");
  fake_server_add_mailbox (fixture->server, "C", 0);
  await_count (fixture, "list", 3);
  for (guint i = 0; mail_fixture_count_events (fixture, "folder 0") == n_before && i < 400; i++)
    g_usleep (MOMENT_US);
  mail_fixture_find (fixture, "C");
  /* Which was news again. */
  await_count (fixture, "list", 4);
  turn_clock (fixture, 5 * SECOND_US);
  assert_count_stays (fixture, "list", 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mail/watcher/unused-for-ten-minutes-only-inbox-is-watched", test_unused);
  g_test_add_func ("/mail/watcher/unused-for-ten-minutes-no-folder-is-listed", test_unused_is_not_polled);
  g_test_add_func ("/mail/watcher/begins-again-with-a-list", test_begins_again_with_a_list);
  g_test_add_func ("/mail/watcher/news-of-names-are-confirmed", test_names_are_confirmed);
  return g_test_run ();
}
