// SPDX-License-Identifier: GPL-3.0-or-later
/* Messages that their server calls by an id, in one folder or several. */
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/objects/link-is-the-same-in-each-folder-and-mount",
                   test_link_is_the_same_in_each_folder_and_mount);
  g_test_add_func ("/objects/remote-is-told-the-known-uid", test_remote_is_told_the_known_uid);
  g_test_add_func ("/objects/same-id-is-the-same-message", test_same_id_is_the_same_message);
  return g_test_run ();
}
