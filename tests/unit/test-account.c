// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>

#include <mailmount/clock.h>

#include "../../src/mail/mailbox-private.h"
#include "mail-fixture.h"

#define LATER_US (120 * G_USEC_PER_SEC)

static void
refresh (MailFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  mm_clock_advance_for_test (LATER_US);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_no_error (error);
}

static void
append_children (MmAccount *account, guint32 id, GString *text)
{
  MmFolder child = { 0 };

  while (mm_account_next_child (account, id, child.id, &child))
    {
      g_string_append_printf (text, "%s%s%s", text->len > 0 && text->str[text->len - 1] != '('
                                                  ? " " : "",
                              child.component, child.mailbox == NULL ? "/" : "");
      if (child.n_children > 0)
        {
          g_string_append_c (text, '(');
          append_children (account, child.id, text);
          g_string_append_c (text, ')');
        }
    }
}

/* "INBOX A/(B C)": folders by id, '/' behind those without a mailbox. */
static void
assert_tree (MailFixture *fixture, const gchar *expected)
{
  GString *text = g_string_new (NULL);
  append_children (fixture->account, 0, text);
  g_assert_cmpstr (text->str, ==, expected);
  g_string_free (text, TRUE);
}

static guint
count_names (const gchar *directory)
{
  g_autoptr (GDir) stream = g_dir_open (directory, 0, NULL);
  guint n = 0;

  g_assert_nonnull (stream);
  while (g_dir_read_name (stream) != NULL)
    n++;
  return n;
}

static MailFixture *
new_fixture (const gchar *const *names)
{
  MailFixture *fixture = mail_fixture_new ();
  for (guint i = 0; names[i] != NULL; i++)
    fake_server_add_mailbox (fixture->server, names[i], 0);
  return fixture;
}

#define NAMES(...) ((const gchar *const[]){ __VA_ARGS__, NULL })

static void
test_lists_tree (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A", "A/B", "A/B/C", "&AOk-t&AOk-"));

  mail_fixture_mount (fixture);
  assert_tree (fixture, "A(B(C)) INBOX \xc3\xa9t\xc3\xa9");
  MmFolder folder;
  g_assert_true (mm_account_find_child (fixture->account, 0, "inbox", &folder));
  g_assert_cmpstr (folder.component, ==, "INBOX");
  g_assert_true (mm_account_get_folder (fixture->account, folder.id, &folder));
  g_assert_false (mm_account_find_child (fixture->account, 0, "nothing", &folder));
  g_assert_false (mm_account_get_folder (fixture->account, 99, &folder));
}

static void
test_placeholders (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A/B/C", "A/D"));

  fake_server_add_mailbox (fixture->server, "N", MM_MAILBOX_NOSELECT);
  mail_fixture_mount (fixture);
  assert_tree (fixture, "A/(B/(C) D) N/");

  /* One becomes a mailbox, one goes with what it held. */
  fake_server_add_mailbox (fixture->server, "A", 0);
  fake_server_remove_mailbox (fixture->server, "A/B/C");
  refresh (fixture);
  assert_tree (fixture, "A(D) N/");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder-gone"), ==, 2);

  /* And a mailbox goes while something below it stays. */
  fake_server_remove_mailbox (fixture->server, "A");
  refresh (fixture);
  assert_tree (fixture, "A/(D) N/");
}

static void
test_ids_survive (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("Z", "A", "work", "Work"));
  MmFolder before, after;
  gchar *marked = NULL;

  mail_fixture_mount (fixture);
  for (guint32 id = 0; mm_account_next_child (fixture->account, 0, id, &before); id = before.id)
    if (g_str_has_prefix (before.component, "work~"))
      marked = g_strdup (before.component);
  g_assert_nonnull (marked);
  g_assert_true (mm_account_find_child (fixture->account, 0, marked, &before));
  guint32 id = before.id;
  gint64 mtime_us = before.mtime_us;
  mail_fixture_unmount (fixture);

  /* Now the marked one is told first, and the other is gone. */
  fake_server_remove_mailbox (fixture->server, "Work");
  fake_server_remove_mailbox (fixture->server, "Z");
  fake_server_add_mailbox (fixture->server, "New", 0);
  mail_fixture_mount (fixture);
  g_assert_true (mm_account_find_child (fixture->account, 0, marked, &after));
  g_assert_cmpuint (after.id, ==, id);
  g_assert_cmpint (after.mtime_us, ==, mtime_us);
  g_assert_true (mm_account_find_child (fixture->account, 0, "New", &after));
  g_assert_cmpuint (after.id, >, 4);
  g_free (marked);
}

/* Its messages are kept in memory no longer, and count no more. */
static void
test_folder_that_is_gone_keeps_nothing (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A"));
  guint64 messages = 0;
  guint64 octets = 0;

  for (guint i = 0; i < 10; i++)
    fake_server_deliver_size (fixture->server, "A", 0, 100);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "A");
  g_autofree gchar *list = mail_fixture_list (fixture, "A");
  mm_account_get_totals (fixture->account, &messages, &octets);
  g_assert_cmpuint (messages, ==, 10);

  fake_server_remove_mailbox (fixture->server, "A");
  refresh (fixture);
  assert_tree (fixture, "INBOX");
  mm_account_get_totals (fixture->account, &messages, &octets);
  g_assert_cmpuint (messages, ==, 0);
  g_assert_cmpuint (octets, ==, 0);
  g_autoptr (GArray) left = mm_mailbox_dup_messages (mailbox);
  g_assert_cmpuint (left->len, ==, 0);
}

static void
test_cut_list_removes_nothing (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A", "B"));
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  guint n_changes = mail_fixture_count_events (fixture, "folder");
  fake_server_cut_lists (fixture->server, 1, 1);
  fake_server_remove_mailbox (fixture->server, "B");
  mm_clock_advance_for_test (LATER_US);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  assert_tree (fixture, "A B INBOX");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder"), ==, n_changes);

  refresh (fixture);
  assert_tree (fixture, "A INBOX");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder-gone 0 B"), ==, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder 0"), >=, 1);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder"), >, n_changes);
}

static void
test_cut_first_list (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A", "B"));

  mail_fixture_mount (fixture);
  mail_fixture_unmount (fixture);
  /* What the index knows is not shown for a whole list. */
  fake_server_cut_lists (fixture->server, 1, 1);
  g_autoptr (GError) error = NULL;
  fixture->config.remote = fake_remote_new (fixture->server);
  fixture->account = mm_account_new (&fixture->config, &error);
  g_assert_true (mm_account_connect (fixture->account, NULL, &error));
  MmTry result = AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  if (result == MM_TRY_FAILED) /* else the second list was had already */
    g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  refresh (fixture);
  assert_tree (fixture, "A B INBOX");
}

static void
test_fresh_list_is_not_asked_again (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX"));
  g_autoptr (GError) error = NULL;

  mail_fixture_mount (fixture);
  for (guint i = 0; i < 5; i++)
    AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_cmpuint (fake_server_count (fixture->server, "list"), ==, 1);
  refresh (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "list"), ==, 2);
}

static void
test_no_refresh_time (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX"));

  fixture->config.refresh_us = 0;
  mail_fixture_mount (fixture);
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (list, ==, "");
  g_assert_cmpuint (fake_server_count (fixture->server, "list"), <=, 2);
}

static void
test_new_folder_touches_parent (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A", "B"));
  MmFolder a, b, again;

  mail_fixture_mount (fixture);
  mm_account_find_child (fixture->account, 0, "A", &a);
  mm_account_find_child (fixture->account, 0, "B", &b);
  fake_server_add_mailbox (fixture->server, "A/New", 0);
  refresh (fixture);
  mm_account_find_child (fixture->account, 0, "A", &again);
  g_assert_cmpint (again.mtime_us, >, a.mtime_us);
  g_assert_cmpuint (again.n_children, ==, 1);
  mm_account_find_child (fixture->account, 0, "B", &again);
  g_assert_cmpint (again.mtime_us, ==, b.mtime_us);
}

/* Its directory is known to readers: as one without messages, or with. */
static void
test_folder_that_can_hold_messages_now_is_told (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A/B"));
  MmFolder before, after;

  mail_fixture_mount (fixture);
  g_assert_true (mm_account_find_child (fixture->account, 0, "A", &before));
  g_assert_null (before.mailbox);
  g_autofree gchar *event = g_strdup_printf ("folder %u", before.id);
  guint n_told = mail_fixture_count_events (fixture, event);
  fake_server_add_mailbox (fixture->server, "A", 0);
  refresh (fixture);
  g_assert_true (mm_account_find_child (fixture->account, 0, "A", &after));
  g_assert_nonnull (after.mailbox);
  g_assert_cmpint (after.mtime_us, >, before.mtime_us);
  g_assert_cmpuint (mail_fixture_count_events (fixture, event), ==, n_told + 1);
  refresh (fixture);
  g_assert_cmpuint (mail_fixture_count_events (fixture, event), ==, n_told + 1);
}

/* ---- filters ---- */

static void
check_filters (const gchar *const *include, const gchar *const *exclude, gboolean subscribed,
               const gchar *expected)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "Lists", "Lists/a", "Lists/b"));

  fake_server_add_mailbox (fixture->server, "All Mail", MM_MAILBOX_ALL);
  fake_server_add_mailbox (fixture->server, "Work/Now", MM_MAILBOX_SUBSCRIBED);
  fixture->config.include = include;
  fixture->config.exclude = exclude;
  fixture->config.subscribed_only = subscribed;
  mail_fixture_mount (fixture);
  assert_tree (fixture, expected);
}

static void
test_filters (void)
{
  check_filters (NULL, NULL, FALSE, "All Mail INBOX Lists(a b) Work/(Now)");
  check_filters (NAMES ("INBOX", "Lists"), NULL, FALSE, "INBOX Lists(a b)");
  check_filters (NAMES ("Lists/b"), NULL, FALSE, "Lists(b)");
  check_filters (NULL, NAMES ("All*"), FALSE, "INBOX Lists(a b) Work/(Now)");
  check_filters (NULL, NAMES ("Lists"), FALSE, "All Mail INBOX Work/(Now)");
  check_filters (NAMES ("*"), NAMES ("Lists/a", "Work"), FALSE, "All Mail INBOX Lists(b)");
  check_filters (NULL, NULL, TRUE, "INBOX Work/(Now)");
}

/* ---- the root ---- */

static void
test_root (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A", "A/B"));
  g_autoptr (GError) error = NULL;
  MmFolder folder;

  fixture->config.remote = fake_remote_new (fixture->server);
  fixture->account = mm_account_new (&fixture->config, &error);
  g_assert_true (mm_account_connect (fixture->account, "/A/B/", &error));
  g_assert_true (
      mm_account_get_folder (fixture->account, mm_account_get_root_id (fixture->account), &folder));
  g_assert_cmpstr (folder.component, ==, "B");
  g_assert_false (mm_account_connect (fixture->account, "A/Missing", &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
}

static void
test_totals (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A", "B"));
  guint64 messages = 9;
  guint64 octets = 9;

  fake_server_deliver_size (fixture->server, "A", 0, 100);
  fake_server_deliver_size (fixture->server, "B", 0, 23);
  mail_fixture_mount (fixture);
  /* Not listed yet, but counted by the server. */
  mm_account_get_totals (fixture->account, &messages, &octets);
  g_assert_cmpuint (messages, ==, 2);
  g_assert_cmpuint (octets, ==, 2 * 4096);
  g_free (mail_fixture_list (fixture, "A"));
  g_free (mail_fixture_list (fixture, "B"));
  mm_account_get_totals (fixture->account, &messages, &octets);
  g_assert_cmpuint (messages, ==, 2);
  g_assert_cmpuint (octets, ==, 123);
}

static void
test_removed_folder_takes_its_messages (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A"));
  g_autoptr (GError) error = NULL;

  fake_server_deliver_size (fixture->server, "A", 0, 100);
  mail_fixture_mount (fixture);
  g_free (mail_fixture_list (fixture, "A"));
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "A", 1, &error);
  fake_server_remove_mailbox (fixture->server, "A");
  refresh (fixture);
  assert_tree (fixture, "");
  /* Another one of this name has nothing of the old one. */
  fake_server_add_mailbox (fixture->server, "A", 0);
  fake_server_deliver_size (fixture->server, "A", 0, 70);
  refresh (fixture);
  g_autofree gchar *list = mail_fixture_list (fixture, "A");
  g_assert_cmpstr (list, ==, "1");
  g_autoptr (GBytes) other = mail_fixture_read (fixture, "A", 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (other), ==, 70);
}

/* Also of one that stays as a directory. */
static void
test_removed_folder_leaves_the_cache (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("A", "A/D", "B"));
  g_autofree gchar *content = g_build_filename (fixture->directory, "content-v1", NULL);
  const gchar *const names[] = { "A", "A/D", "B" };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    fake_server_deliver_size (fixture->server, names[i], 0, 100);
  mail_fixture_mount (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_free (mail_fixture_list (fixture, names[i]));
      g_bytes_unref (mail_fixture_read (fixture, names[i], 1, &error));
      g_assert_no_error (error);
    }
  /* With its end all is stored. */
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  g_assert_cmpuint (count_names (content), ==, 3);
  fake_server_remove_mailbox (fixture->server, "A");
  fake_server_remove_mailbox (fixture->server, "B");
  refresh (fixture);
  assert_tree (fixture, "A/(D)");
  g_assert_cmpuint (count_names (content), ==, 1);
}

static void
test_unmount_at_once (void)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A"));
      g_autoptr (GError) error = NULL;

      fixture->config.remote = fake_remote_new (fixture->server);
      fixture->account = mm_account_new (&fixture->config, &error);
      g_assert_no_error (error);
      mm_account_connect (fixture->account, NULL, &error);
      TestWait *wait = test_wait_new ();
      MmTry result
          = mm_account_try_folders (fixture->account, TRUE, test_wait_get_waiter (wait), &error);
      mail_fixture_unmount (fixture);
      test_wait_end (wait, result, &error);
    }
}

static void
test_bad_directory (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX"));
  g_autoptr (GError) error = NULL;

  fixture->config.directory = "/dev/null/nothing";
  fixture->config.remote = fake_remote_new (fixture->server);
  g_assert_null (mm_account_new (&fixture->config, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

/* Two processes begin with nothing and are told the same folders: they give them the same ids. */
static void
test_two_accounts_on_one_index (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A", "A/B/C"));
  g_autoptr (GError) error = NULL;

  fixture->config.remote = fake_remote_new (fixture->server);
  MmAccount *other = mm_account_new (&fixture->config, &error);
  g_assert_no_error (error);
  g_usleep (50000); /* the other one has read the index, empty as it is */
  mail_fixture_mount (fixture);
  assert_tree (fixture, "A(B/(C)) INBOX");

  mm_account_connect (other, NULL, &error);
  g_assert_no_error (error);
  AWAIT (&error, mm_account_try_folders (other, TRUE, waiter, &error));
  g_assert_no_error (error);
  for (MmFolder folder = { 0 }; mm_account_next_child (fixture->account, 0, folder.id, &folder);)
    {
      MmFolder same;
      g_assert_true (mm_account_find_child (other, 0, folder.component, &same));
      g_assert_cmpuint (same.id, ==, folder.id);
      g_assert_cmpuint (same.n_children, ==, folder.n_children);
    }
  mm_account_free (other);
}

/* A folder that cannot be numbered is no folder that is not there. */
static void
test_failing_index_is_an_error (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A"));
  g_autofree gchar *path = g_build_filename (fixture->directory, "index.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  sqlite3 *db = NULL;

  mail_fixture_mount (fixture);
  mail_fixture_unmount (fixture);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "UPDATE sqlite_sequence SET seq = 16777215", NULL, NULL, NULL),
                   ==, SQLITE_OK);
  sqlite3_close (db);
  fake_server_add_mailbox (fixture->server, "B", 0);

  fixture->config.remote = fake_remote_new (fixture->server);
  fixture->account = mm_account_new (&fixture->config, &error);
  g_assert_no_error (error);
  mm_account_connect (fixture->account, NULL, &error);
  g_assert_no_error (error);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_LIMIT);
}

/* Numbers that the index could not keep are not used: they would be given to other folders too. */
static void
test_number_that_is_not_kept_is_not_used (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (NAMES ("INBOX", "A"));
  g_autoptr (GError) error = NULL;
  const struct rlimit none = { 0, RLIM_INFINITY };
  struct rlimit before;
  MmFolder folder;

  mail_fixture_mount (fixture);
  fake_server_add_mailbox (fixture->server, "B/C", 0);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &before));
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &none));
  mm_clock_advance_for_test (LATER_US);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &before));
  g_assert_nonnull (error);
  assert_tree (fixture, "A INBOX");
  g_clear_error (&error);

  refresh (fixture);
  assert_tree (fixture, "A INBOX B/(C)");
  g_assert_true (mm_account_find_child (fixture->account, 0, "B", &folder));
  guint32 id = folder.id;
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  g_assert_true (mm_account_find_child (fixture->account, 0, "B", &folder));
  g_assert_cmpuint (folder.id, ==, id);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/account/lists-the-tree", test_lists_tree);
  g_test_add_func ("/account/placeholders-come-and-go", test_placeholders);
  g_test_add_func ("/account/ids-and-marks-survive-a-remount", test_ids_survive);
  g_test_add_func ("/account/folder-that-is-gone-keeps-nothing",
                   test_folder_that_is_gone_keeps_nothing);
  g_test_add_func ("/account/cut-list-removes-nothing", test_cut_list_removes_nothing);
  g_test_add_func ("/account/first-list-cut-after-a-remount", test_cut_first_list);
  g_test_add_func ("/account/fresh-list-is-not-asked-for-again",
                   test_fresh_list_is_not_asked_again);
  g_test_add_func ("/account/refreshing-all-the-time-ends", test_no_refresh_time);
  g_test_add_func ("/account/new-folder-touches-its-parent-only", test_new_folder_touches_parent);
  g_test_add_func ("/account/folder-that-can-hold-messages-now-is-told",
                   test_folder_that_can_hold_messages_now_is_told);
  g_test_add_func ("/account/filters", test_filters);
  g_test_add_func ("/account/root-is-a-folder-of-choice", test_root);
  g_test_add_func ("/account/totals", test_totals);
  g_test_add_func ("/account/removed-folder-takes-its-messages",
                   test_removed_folder_takes_its_messages);
  g_test_add_func ("/account/removed-folder-leaves-the-cache",
                   test_removed_folder_leaves_the_cache);
  g_test_add_func ("/account/two-accounts-on-one-index", test_two_accounts_on_one_index);
  g_test_add_func ("/account/failing-index-is-an-error", test_failing_index_is_an_error);
  g_test_add_func ("/account/number-that-is-not-kept-is-not-used",
                   test_number_that_is_not_kept_is_not_used);
  g_test_add_func ("/account/unmount-at-once", test_unmount_at_once);
  g_test_add_func ("/account/bad-directory-is-an-error", test_bad_directory);
  return g_test_run ();
}
