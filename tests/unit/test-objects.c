// SPDX-License-Identifier: GPL-3.0-or-later
/* Messages that their server calls by an id, in one folder or several. */
#include <string.h>

#include <mailmount/clock.h>

#include "../../src/mail/mailbox-private.h"
#include "mail-fixture.h"

#define LATER_US (120 * G_USEC_PER_SEC)

static MailFixture *
new_fixture (void)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  fake_server_add_mailbox (fixture->server, "Archive", 0);
  return fixture;
}

static guint32
deliver (MailFixture *fixture, const gchar *mailbox, gsize size, const gchar *object_id)
{
  guint32 uid = fake_server_deliver_size (fixture->server, mailbox, 0, size);
  fake_server_set_object (fixture->server, mailbox, uid, object_id, TRUE);
  return uid;
}

static MmMessage
get_message (MailFixture *fixture, const gchar *path, guint64 number)
{
  MmMessage message;

  g_assert_true (
      mm_mailbox_get_message (mail_fixture_find (fixture, path), number, &message));
  return message;
}

static void
list (MailFixture *fixture, const gchar *path)
{
  mm_clock_advance_for_test (LATER_US);
  g_free (mail_fixture_list (fixture, path));
}

static void
test_link_is_the_same_in_each_folder_and_mount (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  deliver (fixture, "INBOX", 100, NULL);
  deliver (fixture, "INBOX", 200, "M2");
  fake_server_copy (fixture->server, "INBOX", 2, "Archive");
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  list (fixture, "Archive");
  MmMessage message = get_message (fixture, "INBOX", 2);
  guint64 link = mm_message_get_link (&message);
  g_assert_cmpuint (link, !=, 0);
  message = get_message (fixture, "Archive", 1);
  g_assert_cmpuint (mm_message_get_link (&message), ==, link);
  message = get_message (fixture, "INBOX", 1);
  g_assert_cmpuint (mm_message_get_link (&message), ==, 0);

  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  list (fixture, "Archive");
  message = get_message (fixture, "Archive", 1);
  g_assert_cmpuint (mm_message_get_link (&message), ==, link);
}

/* The id of a mailbox's own (UIDL): the remote is told the UID, as soon as the mailbox is loaded. */
static void
test_remote_is_told_the_known_uid (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  for (guint i = 1; i <= 3; i++)
    {
      g_autofree gchar *id = g_strdup_printf ("uidl-%u", i);
      guint32 uid = fake_server_deliver_size (fixture->server, "INBOX", 0, 100 + i);
      fake_server_set_object (fixture->server, "INBOX", uid, id, FALSE);
    }
  mail_fixture_mount (fixture);
  g_assert_cmpuint (fake_remote_ask_known_uid (fixture->config.remote, "INBOX", "uidl-2"), ==, 0);
  list (fixture, "INBOX");
  MmMessage message = get_message (fixture, "INBOX", 2);
  g_assert_true (message.has_object);
  g_assert_cmpuint (mm_message_get_link (&message), ==, 0);
  for (guint mount = 0; mount < 2; mount++)
    {
      MmRemote *remote = fixture->config.remote;
      g_assert_cmpuint (fake_remote_ask_known_uid (remote, "INBOX", "uidl-2"), ==, 2);
      g_assert_cmpuint (fake_remote_ask_known_uid (remote, "INBOX", "uidl-4"), ==, 0);
      g_assert_cmpuint (fake_remote_ask_known_uid (remote, "Archive", "uidl-2"), ==, 0);
      g_assert_cmpuint (fake_remote_ask_known_uid (remote, "Nowhere", "uidl-2"), ==, 0);
      mail_fixture_unmount (fixture);
      mail_fixture_mount (fixture);
      list (fixture, "INBOX");
    }
  fake_server_expunge (fixture->server, "INBOX", 2);
  list (fixture, "INBOX");
  g_assert_cmpuint (fake_remote_ask_known_uid (fixture->config.remote, "INBOX", "uidl-2"), ==, 0);
}

/* UIDVALIDITY is another: who has the same id keeps his number, and nothing is asked for that. */
static void
test_same_id_is_the_same_message (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  deliver (fixture, "INBOX", 100, "M1");
  deliver (fixture, "INBOX", 100, "M2");
  deliver (fixture, "INBOX", 100, "M3");
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  MmMessage before = get_message (fixture, "INBOX", 3);
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_set_object (fixture->server, "INBOX", 2, "M4", TRUE);
  fake_server_renumber (fixture->server, "INBOX", 2000);
  list (fixture, "INBOX");
  MmMessage after = get_message (fixture, "INBOX", 3);
  g_assert_cmpuint (after.uid, ==, 2);
  g_assert_cmpuint (mm_message_get_link (&after), ==, mm_message_get_link (&before));
  g_assert_false (mm_mailbox_get_message (mail_fixture_find (fixture, "INBOX"), 2, &after));
  after = get_message (fixture, "INBOX", 4);
  g_assert_cmpuint (after.uid, ==, 1);
  g_assert_cmpuint (fake_server_count (fixture->server, "id "), ==, 0);
}

/* ---- contents ---- */

static void
assert_reads (MailFixture *fixture, const gchar *path, guint64 number, guint n_fetches)
{
  g_autoptr (GError) error = NULL;

  fake_server_clear_log (fixture->server);
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, path, number, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, path, (guint32) number);
  g_assert_true (g_bytes_equal (octets, body));
  g_assert_cmpuint (fake_server_count (fixture->server, "whole")
                        + fake_server_count (fixture->server, "range"), ==, n_fetches);
}

/* The files of linked messages in the cache. */
static guint
count_linked_files (MailFixture *fixture)
{
  g_autofree gchar *shared = g_build_filename (fixture->directory, "content-v1", "000000", NULL);
  g_autoptr (GDir) parts = g_dir_open (shared, 0, NULL);
  const gchar *part;
  guint n = 0;

  while (parts != NULL && (part = g_dir_read_name (parts)) != NULL)
    {
      g_autofree gchar *path = g_build_filename (shared, part, NULL);
      g_autoptr (GDir) files = g_dir_open (path, 0, NULL);
      const gchar *file;
      while (files != NULL && (file = g_dir_read_name (files)) != NULL)
        {
          g_assert_cmpuint (strlen (file), ==, 15);
          n++;
        }
    }
  return n;
}

/* One message in INBOX, as 1, and in Archive, as 1; both listed. */
static MailFixture *
new_linked_fixture (gsize size)
{
  MailFixture *fixture = new_fixture ();

  deliver (fixture, "INBOX", size, "M1");
  fake_server_copy (fixture->server, "INBOX", 1, "Archive");
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  list (fixture, "Archive");
  return fixture;
}

static void
test_fetched_once (gconstpointer size)
{
  g_autoptr (MailFixture) fixture = new_linked_fixture (GPOINTER_TO_SIZE (size));

  g_bytes_unref (mail_fixture_read (fixture, "INBOX", 1, NULL));
  assert_reads (fixture, "Archive", 1, 0);
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  list (fixture, "Archive");
  assert_reads (fixture, "Archive", 1, 0);
  g_assert_cmpuint (count_linked_files (fixture), ==, 1);
}

/* What the listing said of the size was wrong: it is right under both names at once, and stays so. */
static void
test_size_is_the_same_under_each_name (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  deliver (fixture, "INBOX", 1000, "M1");
  fake_server_set_told_size (fixture->server, "INBOX", 1, 990);
  fake_server_copy (fixture->server, "INBOX", 1, "Archive");
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  list (fixture, "Archive");
  g_assert_cmpuint (get_message (fixture, "Archive", 1).size, ==, 990);
  g_bytes_unref (mail_fixture_read (fixture, "INBOX", 1, NULL));
  g_assert_cmpuint (get_message (fixture, "INBOX", 1).size, ==, 1000);
  g_assert_cmpuint (get_message (fixture, "Archive", 1).size, ==, 1000);
  g_assert_cmpuint (get_message (fixture, "Archive", 1).size_is_proved, ==, TRUE);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed"), ==, 1);
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  list (fixture, "Archive");
  g_assert_cmpuint (get_message (fixture, "Archive", 1).size, ==, 1000);
  /* One more name, told with the wrong size. */
  fake_server_copy (fixture->server, "Archive", 1, "INBOX");
  list (fixture, "INBOX");
  g_assert_cmpuint (get_message (fixture, "INBOX", 2).size, ==, 1000);
}

static void
test_stays_in_the_cache_while_a_folder_has_it (void)
{
  g_autoptr (MailFixture) fixture = new_linked_fixture (1000);

  g_bytes_unref (mail_fixture_read (fixture, "INBOX", 1, NULL));
  fake_server_expunge (fixture->server, "INBOX", 1);
  list (fixture, "INBOX");
  assert_reads (fixture, "Archive", 1, 0);
  mail_fixture_unmount (fixture);
  g_assert_cmpuint (count_linked_files (fixture), ==, 1);
  /* Archive is not even loaded. */
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  mail_fixture_unmount (fixture);
  g_assert_cmpuint (count_linked_files (fixture), ==, 1);
  fake_server_expunge (fixture->server, "Archive", 1);
  mail_fixture_mount (fixture);
  list (fixture, "Archive");
  mail_fixture_unmount (fixture);
  g_assert_cmpuint (count_linked_files (fixture), ==, 0);
}

static void
test_removed_folder_leaves_nothing_in_the_cache (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();
  g_autoptr (GError) error = NULL;

  deliver (fixture, "Archive", 1000, "M1");
  deliver (fixture, "Archive", 1000, "M2");
  fake_server_copy (fixture->server, "Archive", 2, "INBOX");
  mail_fixture_mount (fixture);
  list (fixture, "Archive");
  list (fixture, "INBOX");
  g_bytes_unref (mail_fixture_read (fixture, "Archive", 1, NULL));
  g_bytes_unref (mail_fixture_read (fixture, "Archive", 2, NULL));
  fake_server_remove_mailbox (fixture->server, "Archive");
  mm_clock_advance_for_test (LATER_US);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  assert_reads (fixture, "INBOX", 1, 0);
  mail_fixture_unmount (fixture);
  g_assert_cmpuint (count_linked_files (fixture), ==, 1);
}

/* It left one folder before it is seen in the other. */
static void
test_moved_it_is_not_fetched_again (void)
{
  g_autoptr (MailFixture) fixture = new_fixture ();

  deliver (fixture, "INBOX", 1000, "M1");
  mail_fixture_mount (fixture);
  list (fixture, "INBOX");
  list (fixture, "Archive");
  g_bytes_unref (mail_fixture_read (fixture, "INBOX", 1, NULL));
  fake_server_copy (fixture->server, "INBOX", 1, "Archive");
  fake_server_expunge (fixture->server, "INBOX", 1);
  list (fixture, "INBOX");
  list (fixture, "Archive");
  assert_reads (fixture, "Archive", 1, 0);
  mail_fixture_unmount (fixture);
  g_assert_cmpuint (count_linked_files (fixture), ==, 1);
}

/* The account does not know yet that it was expunged where it is looked for first. */
static void
test_fetched_from_where_it_still_is (void)
{
  g_autoptr (MailFixture) fixture = new_linked_fixture (1000);
  g_autoptr (GError) error = NULL;

  fake_server_expunge (fixture->server, "INBOX", 1);
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", 1, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, "Archive", 1);
  g_assert_true (g_bytes_equal (octets, body));
}

static void
test_gone_everywhere_is_gone (void)
{
  g_autoptr (MailFixture) fixture = new_linked_fixture (1000);
  g_autoptr (GError) error = NULL;

  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_expunge (fixture->server, "Archive", 1);
  g_assert_null (mail_fixture_read (fixture, "INBOX", 1, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_MESSAGE_GONE);
}

/* ---- folders with other names ---- */

static guint32
get_id (MailFixture *fixture, const gchar *path)
{
  return mm_mailbox_get_folder_id (mail_fixture_find (fixture, path));
}

static void
list_folders (MailFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  mm_clock_advance_for_test (LATER_US);
  AWAIT (&error, mm_account_try_folders (fixture->account, TRUE, waiter, &error));
  g_assert_no_error (error);
}

static void
assert_folders (MailFixture *fixture, const gchar *expected)
{
  GString *text = g_string_new (NULL);
  guint32 parents[20] = { 0 };
  guint n = 1;

  for (guint i = 0; i < n; i++)
    {
      MmFolder child = { 0 };
      while (mm_account_next_child (fixture->account, parents[i], child.id, &child))
        {
          g_string_append_printf (text, "%s%u:%u/%s", text->len > 0 ? " " : "", child.id,
                                  child.parent_id, child.component);
          parents[n++] = child.id;
        }
    }
  g_assert_cmpstr (text->str, ==, expected);
  g_string_free (text, TRUE);
}

/* A with A/B below it, as 1 and 2 or so, beside INBOX. */
static MailFixture *
new_named_fixture (void)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "A", 0);
  fake_server_add_mailbox (fixture->server, "A/B", 0);
  fake_server_add_mailbox (fixture->server, "Z", 0);
  fake_server_set_mailbox_id (fixture->server, "A", "F1");
  fake_server_set_mailbox_id (fixture->server, "A/B", "F2");
  fake_server_set_mailbox_id (fixture->server, "Z", "F3");
  fake_server_deliver_size (fixture->server, "A/B", 0, 1000);
  mail_fixture_mount (fixture);
  assert_folders (fixture, "1:0/A 3:0/Z 2:1/B");
  list (fixture, "A/B");
  g_bytes_unref (mail_fixture_read (fixture, "A/B", 1, NULL));
  return fixture;
}

static void
test_renamed_folder_keeps_everything (void)
{
  g_autoptr (MailFixture) fixture = new_named_fixture ();

  fake_server_rename_mailbox (fixture->server, "A", "Z/C");
  fake_server_rename_mailbox (fixture->server, "A/B", "Z/C/B");
  list_folders (fixture);
  assert_folders (fixture, "3:0/Z 1:3/C 2:1/B");
  g_assert_cmpuint (mail_fixture_count_events (fixture, "folder-gone 0 A"), ==, 1);
  assert_reads (fixture, "Z/C/B", 1, 0);
  /* The parent has a higher number now. */
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  assert_folders (fixture, "3:0/Z 1:3/C 2:1/B");
  list (fixture, "Z/C/B");
  assert_reads (fixture, "Z/C/B", 1, 0);
}

static void
test_renamed_without_what_is_below (void)
{
  g_autoptr (MailFixture) fixture = new_named_fixture ();

  fake_server_rename_mailbox (fixture->server, "A", "Y");
  list_folders (fixture);
  /* What is left of A is another folder. */
  assert_folders (fixture, "1:0/Y 3:0/Z 4:0/A 2:4/B");
  assert_reads (fixture, "A/B", 1, 0);
}

static void
test_renamed_in_a_row (void)
{
  g_autoptr (MailFixture) fixture = new_named_fixture ();

  fake_server_rename_mailbox (fixture->server, "Z", "ZZ");
  fake_server_rename_mailbox (fixture->server, "A/B", "Z");
  fake_server_add_mailbox (fixture->server, "A/B", 0);
  fake_server_set_mailbox_id (fixture->server, "A/B", "F4");
  list_folders (fixture);
  assert_folders (fixture, "1:0/A 2:0/Z 3:0/ZZ 4:1/B");
  assert_reads (fixture, "Z", 1, 0);
}

/* Two change names: what cannot be had without a third name is as if they were new. */
static void
test_exchanged_names (void)
{
  g_autoptr (MailFixture) fixture = new_named_fixture ();

  fake_server_rename_mailbox (fixture->server, "Z", "X");
  fake_server_rename_mailbox (fixture->server, "A/B", "Z");
  fake_server_rename_mailbox (fixture->server, "X", "A/B");
  list_folders (fixture);
  assert_folders (fixture, "1:0/A 3:0/Z 2:1/B");
  list (fixture, "Z");
  assert_reads (fixture, "Z", 1, 1);
  g_assert_cmpuint (get_id (fixture, "Z"), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/objects/link-is-the-same-in-each-folder-and-mount",
                   test_link_is_the_same_in_each_folder_and_mount);
  g_test_add_func ("/objects/remote-is-told-the-known-uid", test_remote_is_told_the_known_uid);
  g_test_add_func ("/objects/same-id-is-the-same-message", test_same_id_is_the_same_message);
  g_test_add_data_func ("/objects/fetched-once/small", GSIZE_TO_POINTER (1000), test_fetched_once);
  g_test_add_data_func ("/objects/fetched-once/large", GSIZE_TO_POINTER (700000), test_fetched_once);
  g_test_add_func ("/objects/size-is-the-same-under-each-name",
                   test_size_is_the_same_under_each_name);
  g_test_add_func ("/objects/stays-in-the-cache-while-a-folder-has-it",
                   test_stays_in_the_cache_while_a_folder_has_it);
  g_test_add_func ("/objects/removed-folder-leaves-nothing-in-the-cache",
                   test_removed_folder_leaves_nothing_in_the_cache);
  g_test_add_func ("/objects/moved-it-is-not-fetched-again", test_moved_it_is_not_fetched_again);
  g_test_add_func ("/objects/fetched-from-where-it-still-is", test_fetched_from_where_it_still_is);
  g_test_add_func ("/objects/gone-everywhere-is-gone", test_gone_everywhere_is_gone);
  g_test_add_func ("/objects/renamed-folder-keeps-everything",
                   test_renamed_folder_keeps_everything);
  g_test_add_func ("/objects/renamed-without-what-is-below", test_renamed_without_what_is_below);
  g_test_add_func ("/objects/renamed-in-a-row", test_renamed_in_a_row);
  g_test_add_func ("/objects/exchanged-names", test_exchanged_names);
  return g_test_run ();
}
