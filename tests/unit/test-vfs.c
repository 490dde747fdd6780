// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/vfs.h>

#include "../../src/vfs/inode.h"
#include "mail-fixture.h"

#define LATER_US (120 * G_USEC_PER_SEC)

typedef struct
{
  MailFixture *mail;
  MmVfs *vfs;
  GMutex lock;
  GPtrArray *events; /* Array<gchar *> */
} VfsFixture;

/* ---- what the cache above is told ---- */

static void
note (VfsFixture *fixture, gchar *event)
{
  g_mutex_lock (&fixture->lock);
  g_ptr_array_add (fixture->events, event);
  g_mutex_unlock (&fixture->lock);
}

static void
on_entry_gone (guint64 directory, const gchar *name, gpointer user_data)
{
  note (user_data, g_strdup_printf ("entry %" G_GINT64_MODIFIER "x %s", directory, name));
}

static void
on_directory_changed (guint64 directory, gpointer user_data)
{
  note (user_data, g_strdup_printf ("directory %" G_GINT64_MODIFIER "x", directory));
}

static void
on_attributes_changed (guint64 inode, gpointer user_data)
{
  note (user_data, g_strdup_printf ("attributes %" G_GINT64_MODIFIER "x", inode));
}

static guint
count_events (VfsFixture *fixture, const gchar *event)
{
  guint n = 0;

  g_mutex_lock (&fixture->lock);
  for (guint i = 0; i < fixture->events->len; i++)
    n += g_str_equal (g_ptr_array_index (fixture->events, i), event);
  g_mutex_unlock (&fixture->lock);
  return n;
}

/* ---- life ---- */

/* INBOX (id 1) with three messages, and INBOX/Sub (id 2), Other (id 3). */
static VfsFixture *
vfs_fixture_new (MmNames names)
{
  static const MmVfsObserver observer
      = { on_entry_gone, on_directory_changed, on_attributes_changed };
  VfsFixture *fixture = g_new0 (VfsFixture, 1);

  g_mutex_init (&fixture->lock);
  fixture->events = g_ptr_array_new_with_free_func (g_free);
  fixture->mail = mail_fixture_new ();
  fixture->vfs = mm_vfs_new (names);
  mm_vfs_set_observer (fixture->vfs, &observer, fixture);
  fixture->mail->config.observer = mm_vfs_get_account_observer ();
  fixture->mail->config.observer_data = fixture->vfs;
  fixture->mail->config.want_subject = names == MM_NAMES_SUBJECT;
  fake_server_add_mailbox (fixture->mail->server, "INBOX", 0);
  fake_server_add_mailbox (fixture->mail->server, "INBOX/Sub", 0);
  fake_server_add_mailbox (fixture->mail->server, "Other", 0);
  for (guint i = 0; i < 3; i++)
    fake_server_deliver_size (fixture->mail->server, "INBOX", 0, 100 + i);
  return fixture;
}

static void
vfs_fixture_mount (VfsFixture *fixture)
{
  /* As in the program: the account may tell of changes before it is set. */
  fixture->mail->config.remote = fake_remote_new (fixture->mail->server);
  g_autoptr (GError) error = NULL;
  fixture->mail->account = mm_account_new (&fixture->mail->config, &error);
  g_assert_no_error (error);
  mm_vfs_set_account (fixture->vfs, fixture->mail->account);
  g_assert_true (mm_account_connect (fixture->mail->account, NULL, &error));
}

static void
vfs_fixture_free (VfsFixture *fixture)
{
  mm_vfs_close_all (fixture->vfs);
  mail_fixture_free (fixture->mail);
  mm_vfs_free (fixture->vfs);
  g_ptr_array_unref (fixture->events);
  g_mutex_clear (&fixture->lock);
  g_free (fixture);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfsFixture, vfs_fixture_free)

static MmTry
lookup (VfsFixture *fixture, guint64 directory, const gchar *name, MmAttributes *out)
{
  g_autoptr (GError) error = NULL;
  MmTry result
      = AWAIT (&error, mm_vfs_try_lookup (fixture->vfs, directory, name, out, waiter, &error));
  if (result == MM_TRY_FAILED)
    g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
  return result;
}

static guint64
get_inbox (VfsFixture *fixture)
{
  MmAttributes attributes;
  g_assert_cmpint (lookup (fixture, MM_VFS_ROOT_INODE, "INBOX", &attributes), ==, MM_TRY_DONE);
  return attributes.inode;
}

/* ---- directories ---- */

typedef struct
{
  GString *names;
  guint room;
  gint64 offset;
  guint n;
} Told;

static gboolean
take_entry (const gchar *name, const MmAttributes *attributes, gint64 offset, gpointer user_data)
{
  Told *told = user_data;

  if (told->n == told->room)
    return FALSE;
  g_assert_cmpint (offset, >, told->offset);
  told->offset = offset;
  told->n++;
  g_string_append_printf (told->names, "%s%s", told->names->len > 0 ? " " : "", name);
  return TRUE;
}

static MmVfsDirectory *
open_directory (VfsFixture *fixture, guint64 inode)
{
  g_autoptr (GError) error = NULL;
  MmVfsDirectory *directory = NULL;

  AWAIT (&error,
         mm_vfs_try_open_directory (fixture->vfs, inode, 0, &directory, waiter, &error));
  g_assert_no_error (error);
  return directory;
}

/* Reads up to @room entries behind told->offset; how many there were. */
static guint
read_entries (MmVfsDirectory *directory, Told *told, guint room)
{
  g_autoptr (GError) error = NULL;

  told->n = 0;
  told->room = room;
  AWAIT (&error, mm_vfs_try_read_directory (directory, told->offset, take_entry, told, waiter,
                                            &error));
  g_assert_no_error (error);
  return told->n;
}

static gchar *
list (VfsFixture *fixture, guint64 inode, guint room)
{
  MmVfsDirectory *directory = open_directory (fixture, inode);
  Told told = { .names = g_string_new (NULL) };

  while (read_entries (directory, &told, room) > 0)
    ;
  mm_vfs_close_directory (directory);
  return g_string_free (told.names, FALSE);
}

static void
assert_listed (VfsFixture *fixture, guint64 inode, const gchar *expected)
{
  for (guint room = 1; room <= 10; room++)
    {
      g_autofree gchar *names = list (fixture, inode, room);
      g_assert_cmpstr (names, ==, expected);
    }
}

static void
test_lists (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_SUBJECT);

  vfs_fixture_mount (fixture);
  assert_listed (fixture, MM_VFS_ROOT_INODE, ". .. INBOX Other");
  assert_listed (fixture, get_inbox (fixture),
                 ". .. 2023-11-14_Message-of-100_1.eml 2023-11-14_Message-of-101_2.eml "
                 "2023-11-14_Message-of-102_3.eml Sub");
}

static void
test_lists_by_uid (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);

  vfs_fixture_mount (fixture);
  assert_listed (fixture, get_inbox (fixture), ". .. 1.eml 2.eml 3.eml Sub");
}

static void
test_listing_while_changing (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  FakeServer *server = fixture->mail->server;
  Told told = { .names = g_string_new (NULL) };

  for (guint i = 0; i < 200; i++)
    fake_server_deliver_size (server, "INBOX", 0, 10);
  vfs_fixture_mount (fixture);
  guint64 inbox = get_inbox (fixture);
  MmVfsDirectory *directory = open_directory (fixture, inbox);
  guint32 doomed = 1;
  while (read_entries (directory, &told, 10) > 0)
    {
      /* One that was told and one that was not go, and one comes. */
      if (doomed < 80)
        {
          fake_server_expunge (server, "INBOX", doomed);
          fake_server_expunge (server, "INBOX", 203 - doomed);
          fake_server_deliver_size (server, "INBOX", 0, 10);
          doomed += 7;
          g_free (mail_fixture_list (fixture->mail, "INBOX"));
        }
    }
  mm_vfs_close_directory (directory);

  g_auto (GStrv) names = g_strsplit (told.names->str, " ", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; names[i] != NULL; i++)
    g_assert_true (g_hash_table_add (seen, names[i]));
  /* Whatever was there all the time was told. */
  g_autofree gchar *now = list (fixture, inbox, 100);
  g_auto (GStrv) left = g_strsplit (now, " ", -1);
  for (guint i = 0; left[i] != NULL; i++)
    g_assert_true (g_hash_table_contains (seen, left[i]));
  g_string_free (told.names, TRUE);
}

static void
test_cut_listing_is_an_error (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  g_autoptr (GError) error = NULL;
  Told told = { .names = g_string_new (NULL) };

  for (guint i = 0; i < 300; i++)
    fake_server_deliver_size (fixture->mail->server, "INBOX", 0, 10);
  fake_server_cut_syncs (fixture->mail->server, 200,
                         1 + mm_limits_default.listing_repetitions);
  fake_server_pause_syncs (fixture->mail->server, 200);
  vfs_fixture_mount (fixture);
  MmVfsDirectory *directory = open_directory (fixture, get_inbox (fixture));
  fake_server_wait_paused (fixture->mail->server, 1);
  fake_server_release (fixture->mail->server);
  MmTry result;
  do
    {
      told.n = 0;
      told.room = 50;
      result = AWAIT (&error, mm_vfs_try_read_directory (directory, told.offset, take_entry, &told,
                                                         waiter, &error));
    }
  while (result == MM_TRY_DONE && told.n > 0);
  g_assert_cmpint (result, ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  /* No folder was told behind the gap. */
  g_assert_null (strstr (told.names->str, "Sub"));
  mm_vfs_close_directory (directory);
  g_string_free (told.names, TRUE);
  g_autofree gchar *names = list (fixture, get_inbox (fixture), 1000);
  g_assert_nonnull (strstr (names, "303.eml Sub"));
}

/* ---- names and attributes ---- */

static void
test_lookup (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_SUBJECT);
  MmAttributes full, bare, folder;

  vfs_fixture_mount (fixture);
  guint64 inbox = get_inbox (fixture);
  g_assert_cmpint (lookup (fixture, inbox, "2023-11-14_Message-of-101_2.eml", &full), ==,
                   MM_TRY_DONE);
  g_assert_cmpint (lookup (fixture, inbox, "2.eml", &bare), ==, MM_TRY_DONE);
  g_assert_cmpuint (full.inode, ==, bare.inode);
  g_assert_cmpuint (full.inode, ==, mm_inode_make (MM_NODE_MESSAGE, 1, 2));
  g_assert_false (full.is_directory);
  g_assert_cmpuint (full.size, ==, 101);
  g_assert_cmpuint (full.n_links, ==, 1);
  g_assert_cmpint (full.mtime_us, ==, (gint64) 1700000002 * G_USEC_PER_SEC);

  g_assert_cmpint (lookup (fixture, inbox, "Sub", &folder), ==, MM_TRY_DONE);
  g_assert_true (folder.is_directory);
  g_assert_cmpuint (folder.n_links, ==, 2);
  g_assert_cmpint (lookup (fixture, MM_VFS_ROOT_INODE, "iNbOx", &folder), ==, MM_TRY_DONE);
  g_assert_cmpuint (folder.inode, ==, inbox);
  g_assert_cmpuint (folder.n_links, ==, 3);

  static const gchar *const missing[]
      = { "4.eml", "02.eml", "2.EML", "2023-11-14_Other_2.eml", "2023-11-15_Message-of-101_2.eml",
          "sub", "", ".search", "nothing" };
  for (guint i = 0; i < G_N_ELEMENTS (missing); i++)
    g_assert_cmpint (lookup (fixture, inbox, missing[i], &folder), ==, MM_TRY_FAILED);
  g_assert_cmpint (lookup (fixture, full.inode, "2.eml", &folder), ==, MM_TRY_FAILED);
}

static void
test_attributes_survive_remount (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_SUBJECT);
  MmAttributes before, after, folder_before, folder_after;

  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &before);
  lookup (fixture, MM_VFS_ROOT_INODE, "INBOX", &folder_before);
  mm_vfs_close_all (fixture->vfs);
  mail_fixture_unmount (fixture->mail);
  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &after);
  lookup (fixture, MM_VFS_ROOT_INODE, "INBOX", &folder_after);
  g_assert_cmpuint (before.inode, ==, after.inode);
  g_assert_cmpuint (before.size, ==, after.size);
  g_assert_cmpint (before.mtime_us, ==, after.mtime_us);
  g_assert_cmpuint (folder_before.inode, ==, folder_after.inode);
  g_assert_cmpint (folder_before.mtime_us, ==, folder_after.mtime_us);
}

static MmTry
get_attributes (VfsFixture *fixture, guint64 inode, MmAttributes *out)
{
  g_autoptr (GError) error = NULL;
  return AWAIT (&error,
                mm_vfs_try_get_attributes (fixture->vfs, inode, out, waiter, &error));
}

static void
test_get_attributes (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmAttributes looked, got;

  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "3.eml", &looked);
  g_assert_cmpint (get_attributes (fixture, looked.inode, &got), ==, MM_TRY_DONE);
  g_assert_cmpuint (got.size, ==, looked.size);
  g_assert_cmpint (get_attributes (fixture, MM_VFS_ROOT_INODE, &got), ==, MM_TRY_DONE);
  g_assert_true (got.is_directory);
  g_assert_cmpuint (got.inode, ==, MM_VFS_ROOT_INODE);
  g_assert_cmpuint (got.n_links, ==, 4);
  g_assert_cmpint (get_attributes (fixture, mm_inode_make (MM_NODE_MESSAGE, 1, 9), &got), ==,
                   MM_TRY_FAILED);
  g_assert_cmpint (get_attributes (fixture, mm_inode_make (MM_NODE_FOLDER, 9, 0), &got), ==,
                   MM_TRY_FAILED);
  g_assert_cmpint (get_attributes (fixture, mm_inode_make ((MmNodeKind) 5, 1, 1), &got), ==,
                   MM_TRY_FAILED);
}

/* ---- changes ---- */

static void
test_expunge_tells_both_names (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_SUBJECT);

  vfs_fixture_mount (fixture);
  g_free (list (fixture, get_inbox (fixture), 100));
  fake_server_expunge (fixture->mail->server, "INBOX", 2);
  g_free (mail_fixture_list (fixture->mail, "INBOX"));
  g_assert_cmpuint (
      count_events (fixture, "entry 1000001000000000 2023-11-14_Message-of-101_2.eml"), ==, 1);
  g_assert_cmpuint (count_events (fixture, "entry 1000001000000000 2.eml"), ==, 1);
  g_assert_cmpuint (count_events (fixture, "directory 1000001000000000"), >=, 1);
  g_assert_cmpuint (count_events (fixture, "attributes 1000001000000000"), >=, 1);
}

static void
test_folder_changes_are_told (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmAttributes attributes;

  vfs_fixture_mount (fixture);
  get_inbox (fixture);
  fake_server_remove_mailbox (fixture->mail->server, "Other");
  mm_clock_advance_for_test (LATER_US);
  g_assert_cmpint (lookup (fixture, MM_VFS_ROOT_INODE, "Other", &attributes), ==, MM_TRY_FAILED);
  g_assert_cmpuint (count_events (fixture, "entry 1 Other"), ==, 1);
  g_assert_cmpuint (count_events (fixture, "directory 1"), >=, 1);
}

/* ---- files ---- */

static MmVfsFile *
open_file (VfsFixture *fixture, guint64 inode)
{
  g_autoptr (GError) error = NULL;
  MmVfsFile *file = NULL;

  AWAIT (&error, mm_vfs_try_open (fixture->vfs, inode, 0, &file, waiter, &error));
  g_assert_no_error (error);
  return file;
}

/* Reads @size octets at @offset: @expected of them come, those of @body. */
static void
assert_part (MmVfsFile *file, guint64 offset, gsize size, GBytes *body, gsize expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) part = NULL;

  AWAIT (&error, mm_vfs_try_read (file, size, offset, &part, waiter, &error));
  g_assert_no_error (error);
  gsize length = 0;
  const guint8 *octets = g_bytes_get_data (part, &length);
  g_assert_cmpuint (length, ==, expected);
  if (expected > 0)
    g_assert_cmpmem (octets, length, (const guint8 *) g_bytes_get_data (body, NULL) + offset,
                     expected);
}

static void
test_open_and_read (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmAttributes attributes;

  fake_server_set_told_size (fixture->mail->server, "INBOX", 2, 77);
  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  g_assert_cmpuint (attributes.size, ==, 77);
  MmVfsFile *file = open_file (fixture, attributes.inode);
  /* What the kernel knew is wrong, and it was told before the open was answered. */
  g_assert_cmpuint (count_events (fixture, "attributes 2000001000000002"), ==, 1);
  get_attributes (fixture, attributes.inode, &attributes);
  g_assert_cmpuint (attributes.size, ==, 101);

  g_autoptr (GBytes) body = fake_server_dup_body (fixture->mail->server, "INBOX", 2);
  assert_part (file, 0, 200, body, 101);
  assert_part (file, 96, 10, body, 5);
  assert_part (file, 101, 10, body, 0);
  assert_part (file, 5000, 10, body, 0);
  mm_vfs_close (file);
}

/* A small message in memory is given away whole, but not while two have it open. */
static void
test_take_whole (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmAttributes attributes;

  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  MmVfsFile *first = open_file (fixture, attributes.inode);
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->mail->server, "INBOX", 2);
  g_autoptr (GBytes) whole = mm_vfs_take_whole (first);
  g_assert_true (g_bytes_equal (whole, body));

  MmVfsFile *second = open_file (fixture, attributes.inode);
  g_autoptr (GBytes) shared = mm_vfs_take_whole (second);
  g_assert_null (shared);
  mm_vfs_close (first);
  g_autoptr (GBytes) again = mm_vfs_take_whole (second);
  g_assert_true (g_bytes_equal (again, body));
  mm_vfs_close (second);
}

static void
test_open_missing (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  g_autoptr (GError) error = NULL;
  MmVfsFile *file = NULL;
  MmVfsDirectory *directory = NULL;

  vfs_fixture_mount (fixture);
  guint64 inbox = get_inbox (fixture);
  AWAIT (&error, mm_vfs_try_open (fixture->vfs, mm_inode_make (MM_NODE_MESSAGE, 1, 9), 0, &file,
                                  waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
  g_assert_null (file);
  g_clear_error (&error);
  AWAIT (&error, mm_vfs_try_open (fixture->vfs, inbox, 0, &file, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
  g_clear_error (&error);
  AWAIT (&error, mm_vfs_try_open_directory (fixture->vfs, mm_inode_make (MM_NODE_FOLDER, 9, 0), 0,
                                            &directory, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
}

static void
test_open_of_one_that_cannot_be_had (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  g_autoptr (GError) error = NULL;
  MmAttributes attributes;
  MmVfsFile *file = NULL;

  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  fake_server_fail_fetches (fixture->mail->server, MM_ERROR_OFFLINE, 1);
  AWAIT (&error, mm_vfs_try_open (fixture->vfs, attributes.inode, 0, &file, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_OFFLINE);
  g_clear_pointer (&file, mm_vfs_close);
  /* Its neighbour is not concerned, and neither is the next attempt. */
  lookup (fixture, get_inbox (fixture), "3.eml", &attributes);
  mm_vfs_close (open_file (fixture, attributes.inode));
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  mm_vfs_close (open_file (fixture, attributes.inode));
}

static void
test_open_given_up_at_the_end (void)
{
  VfsFixture *fixture = vfs_fixture_new (MM_NAMES_UID);
  g_autoptr (GError) error = NULL;
  MmAttributes attributes;
  MmVfsFile *waiting = NULL;

  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "1.eml", &attributes);
  MmVfsFile *left_open = open_file (fixture, attributes.inode);
  g_assert_nonnull (left_open);
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  fake_server_hold_fetches (fixture->mail->server);
  TestWait *wait = test_wait_new ();
  g_assert_cmpint (mm_vfs_try_open (fixture->vfs, attributes.inode, 0, &waiting,
                                    test_wait_get_waiter (wait), &error),
                   ==, MM_TRY_WAIT);
  mm_vfs_close_all (fixture->vfs);
  /* The waiting one is its caller's, who lets go when the wait is answered. */
  test_wait_end (wait, MM_TRY_WAIT, &error);
  mm_vfs_close (waiting);
  vfs_fixture_free (fixture);
}

/* ---- extended attributes ---- */

static gchar *
get_xattr (VfsFixture *fixture, guint64 inode, const gchar *name)
{
  g_autoptr (GError) error = NULL;
  gchar *value = NULL;

  AWAIT (&error, mm_vfs_try_get_xattr (fixture->vfs, inode, name, &value, waiter, &error));
  if (error != NULL)
    g_assert_error (error, MM_ERROR, MM_ERROR_NOT_FOUND);
  return value;
}

static void
assert_xattr (VfsFixture *fixture, guint64 inode, const gchar *name, const gchar *expected)
{
  g_autofree gchar *value = get_xattr (fixture, inode, name);
  g_assert_cmpstr (value, ==, expected);
}

static void
test_xattrs (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) names = NULL;
  MmAttributes attributes;

  fake_server_set_flags (fixture->mail->server, "INBOX", 2, MM_MESSAGE_SEEN | MM_MESSAGE_ANSWERED,
                         "$Forwarded Work");
  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  assert_xattr (fixture, attributes.inode, "mailmount.uid", "2");
  assert_xattr (fixture, attributes.inode, "mailmount.flags", "\\Answered \\Seen $Forwarded Work");
  assert_xattr (fixture, attributes.inode, "mailmount.internaldate", "2023-11-14T22:13:22Z");
  assert_xattr (fixture, attributes.inode, "mailmount.message-id", "<2@example.org>");
  assert_xattr (fixture, attributes.inode, "mailmount.other", NULL);
  assert_xattr (fixture, get_inbox (fixture), "mailmount.uid", NULL);
  g_assert_cmpuint (fake_server_count (fixture->mail->server, "whole"), ==, 0);

  AWAIT (&error,
         mm_vfs_try_list_xattrs (fixture->vfs, attributes.inode, &names, waiter, &error));
  g_assert_no_error (error);
  static const gchar expected[] = "user.mailmount.uid\0user.mailmount.flags\0"
                                  "user.mailmount.internaldate\0user.mailmount.message-id";
  g_assert_cmpmem (names->data, names->len, expected, sizeof expected);

  lookup (fixture, get_inbox (fixture), "3.eml", &attributes);
  assert_xattr (fixture, attributes.inode, "mailmount.flags", "");
  assert_xattr (fixture, attributes.inode, "mailmount.labels", NULL);
}

/* What remote.h puts behind the keywords. */
static void
test_labels (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmAttributes attributes;

  fake_server_set_flags (fixture->mail->server, "INBOX", 1, 0, "Work\n\\Inbox\nMuy Importante\n");
  fake_server_set_flags (fixture->mail->server, "INBOX", 2, MM_MESSAGE_SEEN, "\n");
  vfs_fixture_mount (fixture);
  lookup (fixture, get_inbox (fixture), "1.eml", &attributes);
  assert_xattr (fixture, attributes.inode, "mailmount.flags", "Work");
  assert_xattr (fixture, attributes.inode, "mailmount.labels", "\\Inbox\nMuy Importante");
  lookup (fixture, get_inbox (fixture), "2.eml", &attributes);
  assert_xattr (fixture, attributes.inode, "mailmount.flags", "\\Seen");
  assert_xattr (fixture, attributes.inode, "mailmount.labels", "");
}

static void
test_totals (void)
{
  g_autoptr (VfsFixture) fixture = vfs_fixture_new (MM_NAMES_UID);
  MmVfsTotals totals;

  vfs_fixture_mount (fixture);
  g_free (list (fixture, get_inbox (fixture), 100));
  mm_vfs_get_totals (fixture->vfs, &totals);
  g_assert_cmpuint (totals.messages, ==, 3);
  g_assert_cmpuint (totals.octets, ==, 303);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vfs/lists-with-any-room", test_lists);
  g_test_add_func ("/vfs/lists-by-uid", test_lists_by_uid);
  g_test_add_func ("/vfs/listing-neither-skips-nor-repeats", test_listing_while_changing);
  g_test_add_func ("/vfs/cut-listing-is-an-error", test_cut_listing_is_an_error);
  g_test_add_func ("/vfs/lookup-takes-full-and-bare-names", test_lookup);
  g_test_add_func ("/vfs/attributes-survive-a-remount", test_attributes_survive_remount);
  g_test_add_func ("/vfs/attributes", test_get_attributes);
  g_test_add_func ("/vfs/expunge-tells-both-names", test_expunge_tells_both_names);
  g_test_add_func ("/vfs/folder-changes-are-told", test_folder_changes_are_told);
  g_test_add_func ("/vfs/open-corrects-the-size", test_open_and_read);
  g_test_add_func ("/vfs/small-file-is-taken-whole", test_take_whole);
  g_test_add_func ("/vfs/what-is-missing-cannot-be-opened", test_open_missing);
  g_test_add_func ("/vfs/failed-open-concerns-one-message", test_open_of_one_that_cannot_be_had);
  g_test_add_func ("/vfs/open-that-waits-outlives-the-others", test_open_given_up_at_the_end);
  g_test_add_func ("/vfs/xattrs", test_xattrs);
  g_test_add_func ("/vfs/labels", test_labels);
  g_test_add_func ("/vfs/totals", test_totals);
  return g_test_run ();
}
