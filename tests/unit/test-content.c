// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "mail-fixture.h"

#define KIB 1024u

/* An INBOX with one message of @size octets, UID 1. */
static MailFixture *
new_fixture (gsize size)
{
  MailFixture *fixture = mail_fixture_new ();

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  fake_server_deliver_size (fixture->server, "INBOX", 0, size);
  return fixture;
}

static void
mount_and_list (MailFixture *fixture)
{
  mail_fixture_mount (fixture);
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (list, !=, "");
}

static void
assert_reads (MailFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, "INBOX", 1);
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", 1, &error);

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (octets, body));
}

static void
assert_fails (MailFixture *fixture, MmError code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets = mail_fixture_read (fixture, "INBOX", 1, &error);

  g_assert_null (octets);
  g_assert_error (error, MM_ERROR, (gint) code);
}

static void
assert_log (MailFixture *fixture, const gchar *prefix, const gchar *expected)
{
  g_autofree gchar *log = fake_server_dup_log (fixture->server, prefix);
  g_assert_cmpstr (log, ==, expected);
}

static MmMessage
get_message (MailFixture *fixture)
{
  MmMessage message;
  g_assert_true (mm_mailbox_get_message (mail_fixture_find (fixture, "INBOX"), 1, &message));
  return message;
}

static MmContent *
open_content (MailFixture *fixture)
{
  MmContent *content
      = mm_account_open_content (fixture->account, mail_fixture_find (fixture, "INBOX"), 1);
  g_assert_nonnull (content);
  return content;
}

/* Reads @size octets at @offset and compares them. */
static void
read_range (MailFixture *fixture, MmContent *content, guint64 offset, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, "INBOX", 1);
  g_autoptr (GBytes) part = NULL;

  AWAIT (&error, mm_content_try_read (content, size, offset, &part, waiter, &error));
  g_assert_no_error (error);
  gsize length = 0;
  const guint8 *expected = g_bytes_get_data (body, &length);
  gsize n = 0;
  const guint8 *octets = g_bytes_get_data (part, &n);
  g_assert_cmpuint (n, ==, MIN (size, length - MIN (offset, length)));
  g_assert_cmpmem (octets, n, expected + offset, n);
}

/* ---- whole messages ---- */

static void
test_whole (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100000);

  mount_and_list (fixture);
  assert_reads (fixture);
  assert_log (fixture, "", "list, sync INBOX, whole 1");
  g_assert_true (get_message (fixture).size_is_proved);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed"), ==, 0);
}

static void
check_size_lie (guint64 told_size, gboolean has_parts, const gchar *log)
{
  g_autoptr (MailFixture) fixture = new_fixture (5000);

  if (!has_parts)
    fake_server_refuse_parts (fixture->server, "INBOX", 1);

  fake_server_set_told_size (fixture->server, "INBOX", 1, told_size);
  mount_and_list (fixture);
  g_assert_cmpuint (get_message (fixture).size, ==, told_size);

  /* When the waiter fires, stat shows the right size and the observer was told. */
  g_autoptr (GError) error = NULL;
  g_autoptr (MmContent) content = open_content (fixture);
  guint64 size = 0;
  g_assert_cmpint (AWAIT (&error, mm_content_try_size (content, &size, waiter, &error)), ==,
                   MM_TRY_DONE);
  g_assert_cmpuint (size, ==, 5000);
  g_assert_cmpuint (get_message (fixture).size, ==, 5000);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed 1 1"), ==, 1);
  assert_reads (fixture);
  assert_log (fixture, "", log);
  g_clear_pointer (&content, mm_content_unref);

  /* Learned once and for all. */
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mount_and_list (fixture);
  g_assert_cmpuint (get_message (fixture).size, ==, 5000);
  g_assert_true (get_message (fixture).size_is_proved);
  assert_reads (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "whole"), ==, 0);
}

static void
test_size_too_low (void)
{
  check_size_lie (4000, TRUE, "list, sync INBOX, whole 1, size 1, header 1, text 1");
}

static void
test_size_too_high (void)
{
  check_size_lie (6000, TRUE, "list, sync INBOX, whole 1, size 1, header 1, text 1");
}

static void
test_size_zero_told (void)
{
  check_size_lie (0, TRUE, "list, sync INBOX, whole 1, size 1, header 1, text 1");
}

static void
test_size_lie_without_parts (void)
{
  check_size_lie (4000, FALSE, "list, sync INBOX, whole 1, size 1, header 1, whole 1");
}

/* The same text each time, but it is not what the header and the text are. */
static void
test_another_text (void)
{
  static const gchar *const texts[] = { "another text", "", "Subject: x\r\n\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (MailFixture) fixture = new_fixture (100);
      g_autoptr (GBytes) text = g_bytes_new_static (texts[i], strlen (texts[i]));

      fake_server_script_whole (fixture->server, "INBOX", 1, text);
      fake_server_script_whole (fixture->server, "INBOX", 1, text);
      mount_and_list (fixture);
      assert_fails (fixture, MM_ERROR_MESSAGE_BAD);
      assert_reads (fixture);
    }
}

/* A slip: the second answer is of the size told. */
static void
test_another_text_once (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);
  g_autoptr (GBytes) text = g_bytes_new_static ("another text", 12);

  fake_server_script_whole (fixture->server, "INBOX", 1, text);
  mount_and_list (fixture);
  assert_reads (fixture);
}

static void
test_other_bytes_each_time (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);
  g_autoptr (GBytes) one = g_bytes_new_static ("one thing", 9);
  g_autoptr (GBytes) other = g_bytes_new_static ("the other", 9);

  fake_server_script_whole (fixture->server, "INBOX", 1, one);
  fake_server_script_whole (fixture->server, "INBOX", 1, other);
  mount_and_list (fixture);
  assert_fails (fixture, MM_ERROR_MESSAGE_BAD);
  /* The next reader tries again. */
  assert_reads (fixture);
  g_assert_cmpuint (get_message (fixture).size, ==, 100);
}

static void
test_nil (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);

  mount_and_list (fixture);
  fake_server_script_whole (fixture->server, "INBOX", 1, NULL);
  assert_fails (fixture, MM_ERROR_MESSAGE_GONE);
  assert_reads (fixture);
}

static void
test_expunged (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);
  g_autoptr (GBytes) another = g_bytes_new_static ("another text", 12);
  g_autoptr (GError) error = NULL;

  /* The server answers with something else, and then says that the message is gone. */
  fake_server_script_expunge (fixture->server, "INBOX", 1, another);
  mount_and_list (fixture);
  assert_fails (fixture, MM_ERROR_MESSAGE_GONE);

  /* And the next listing is compared at once, however recent the last. */
  AWAIT (&error,
         mm_mailbox_try_listed (mail_fixture_find (fixture, "INBOX"), TRUE, waiter, &error));
  g_assert_no_error (error);
  MmMessage message;
  g_assert_false (
      mm_mailbox_get_message (mail_fixture_find (fixture, "INBOX"), 1, &message));
}

static void
test_empty (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);

  mount_and_list (fixture);
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mount_and_list (fixture);
  assert_reads (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "whole"), ==, 0);
}

static void
test_empty_as_nil (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (0);

  fake_server_script_whole (fixture->server, "INBOX", 1, NULL);
  mount_and_list (fixture);
  assert_reads (fixture);
  assert_log (fixture, "size", "size 1");
}

static void
test_failed_fetch (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);

  mount_and_list (fixture);
  fake_server_fail_fetches (fixture->server, MM_ERROR_OFFLINE, 1);
  assert_fails (fixture, MM_ERROR_OFFLINE);
  assert_reads (fixture);
}

static void
test_lost_connections (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);

  mount_and_list (fixture);
  fake_server_fail_fetches (fixture->server, MM_ERROR_CONNECTION_LOST, 3);
  assert_fails (fixture, MM_ERROR_CONNECTION_LOST);
  fake_server_fail_fetches (fixture->server, MM_ERROR_CONNECTION_LOST, 2);
  assert_reads (fixture);
}

static void
test_uidvalidity_changed (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);

  mount_and_list (fixture);
  /* Under a new UID it is the same message … */
  fake_server_renumber (fixture->server, "INBOX", 2);
  assert_reads (fixture);
  assert_log (fixture, "sync", "sync INBOX, sync INBOX");
  /* … until it is gone. */
  mail_fixture_unmount (fixture);
  mail_fixture_mount (fixture);
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 3);
  g_autofree gchar *none = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (none, ==, "");
}

static void
test_uidvalidity_changed_while_first_listed (void)
{
  g_autoptr (MailFixture) fixture = mail_fixture_new ();
  g_autoptr (GError) error = NULL;
  guint stream = 0;

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  for (guint i = 0; i < 200; i++)
    fake_server_deliver_size (fixture->server, "INBOX", 0, 100);
  fake_server_pause_syncs (fixture->server, 150);
  mail_fixture_mount (fixture);
  MmMailbox *mailbox = mail_fixture_find (fixture, "INBOX");
  AWAIT (&error, mm_mailbox_try_open (mailbox, &stream, waiter, &error));
  fake_server_wait_paused (fixture->server, 1);
  /* The listing still runs, and the UID seen in it belongs to another message now. */
  fake_server_expunge (fixture->server, "INBOX", 1);
  fake_server_renumber (fixture->server, "INBOX", 2);
  fake_server_release (fixture->server);
  assert_fails (fixture, MM_ERROR_MESSAGE_GONE);
}

/* ---- sharing ---- */

typedef struct
{
  MailFixture *fixture;
  GBytes *octets;
} Reader;

static gpointer
read_all (gpointer data)
{
  Reader *reader = data;
  g_autoptr (GError) error = NULL;

  reader->octets = mail_fixture_read (reader->fixture, "INBOX", 1, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
check_concurrent (gsize size, const gchar *expected_log)
{
  g_autoptr (MailFixture) fixture = new_fixture (size);
  Reader readers[8];
  GThread *threads[G_N_ELEMENTS (readers)];

  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  g_autoptr (GBytes) body = fake_server_dup_body (fixture->server, "INBOX", 1);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      readers[i] = (Reader){ fixture, NULL };
      threads[i] = g_thread_new ("reader", read_all, &readers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (g_bytes_equal (readers[i].octets, body));
      g_bytes_unref (readers[i].octets);
    }
  if (expected_log != NULL)
    assert_log (fixture, "", expected_log);
  else
    {
      /* Ranges: no octet was asked for twice. */
      g_autofree gchar *log = fake_server_dup_log (fixture->server, "range");
      g_auto (GStrv) lines = g_strsplit (log, ", ", -1);
      guint64 asked = 0;
      for (guint i = 0; lines[i] != NULL; i++)
        asked += g_ascii_strtoull (strchr (lines[i], '+') + 1, NULL, 10);
      g_assert_cmpuint (asked, ==, size);
    }
}

static void
test_concurrent_readers (void)
{
  check_concurrent (100000, "whole 1");
}

static void
test_concurrent_readers_of_ranges (void)
{
  check_concurrent (5000000, NULL);
}

/* ---- large messages ---- */

static void
test_head (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (30000000);

  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 0, 4 * KIB);
  read_range (fixture, content, 0, 16 * KIB);
  assert_log (fixture, "", "range 1 0+16384 probe 30000000");
  g_assert_true (get_message (fixture).size_is_proved);
}

static void
test_sequential_windows (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (4000 * KIB);

  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  for (guint64 offset = 0; offset < 4000 * KIB; offset += 128 * KIB)
    read_range (fixture, content, offset, 128 * KIB);
  read_range (fixture, content, 4000 * KIB, 128 * KIB);
  /* What is asked for ahead goes out at once, in no certain order. */
  static const gchar *const ranges[] = {
    "range 1 0+16384 probe 4096000", "range 1 16384+114688",   "range 1 131072+262144",
    "range 1 393216+524288",         "range 1 917504+1048576", "range 1 1966080+1048576",
    "range 1 3014656+1048576",       "range 1 4063232+32768",
  };
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    g_assert_cmpuint (fake_server_count (fixture->server, ranges[i]), ==, 1);
  g_assert_cmpuint (fake_server_count (fixture->server, ""), ==, G_N_ELEMENTS (ranges));
}

/* Where a range costs the whole message, that is fetched as soon as one reads beyond its beginning. */
static void
test_dear_ranges (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (4000 * KIB);

  fake_server_make_ranges_dear (fixture->server);
  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 0, 16 * KIB);
  assert_log (fixture, "", "range 1 0+16384 probe 4096000");
  for (guint64 offset = 0; offset < 4000 * KIB; offset += 128 * KIB)
    read_range (fixture, content, offset, 128 * KIB);
  assert_log (fixture, "", "range 1 0+16384 probe 4096000, whole 1");
}

static void
test_random_reads (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (4000 * KIB);

  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 3000 * KIB, 16 * KIB);
  read_range (fixture, content, 1000 * KIB, 16 * KIB);
  read_range (fixture, content, 1000 * KIB + 5, 1 * KIB);
  assert_log (fixture, "",
              "range 1 0+16384 probe 4096000, range 1 3072000+16384, range 1 1024000+16384");
}

static void
check_disproved_probe (guint64 told_size)
{
  g_autoptr (MailFixture) fixture = new_fixture (300000);

  fake_server_set_told_size (fixture->server, "INBOX", 1, told_size);
  mount_and_list (fixture);
  assert_reads (fixture);
  g_assert_cmpuint (get_message (fixture).size, ==, 300000);
  g_assert_cmpuint (mail_fixture_count_events (fixture, "changed 1 1"), ==, 1);
  g_assert_cmpuint (fake_server_count (fixture->server, "range"), ==, 1);
  assert_log (fixture, "whole", "whole 1");
}

static void
test_disproved_probe (void)
{
  check_disproved_probe (299999);
  check_disproved_probe (300001);
  check_disproved_probe (200000);
  check_disproved_probe (4000000000);
}

static void
test_failed_range (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (1000 * KIB);

  mount_and_list (fixture);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 0, 16 * KIB);
  fake_server_fail_fetches (fixture->server, MM_ERROR_CONNECTION_LOST, 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octet = NULL;
  AWAIT (&error, mm_content_try_read (content, 1, 500 * KIB, &octet, waiter, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST);
  g_assert_null (octet);
  read_range (fixture, content, 500 * KIB, 1);
}

/* ---- the cache ---- */

static void
check_second_mount (gsize size)
{
  g_autoptr (MailFixture) fixture = new_fixture (size);

  mount_and_list (fixture);
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mount_and_list (fixture);
  assert_reads (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "whole"), ==, 0);
  g_assert_cmpuint (fake_server_count (fixture->server, "range"), ==, 0);
}

static void
test_second_mount (void)
{
  check_second_mount (100);
  check_second_mount (128 * KIB);
  check_second_mount (128 * KIB + 1);
  check_second_mount (3000 * KIB);
}

static void
test_partial_ranges_survive (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3000 * KIB);

  mount_and_list (fixture);
  {
    g_autoptr (MmContent) content = open_content (fixture);
    read_range (fixture, content, 0, 16 * KIB);
    read_range (fixture, content, 1000 * KIB, 300 * KIB);
  }
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mount_and_list (fixture);
  fake_server_clear_log (fixture->server);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 0, 16 * KIB);
  read_range (fixture, content, 1000 * KIB, 300 * KIB);
  assert_log (fixture, "", "");
  read_range (fixture, content, 1200 * KIB, 120 * KIB);
  assert_log (fixture, "", "range 1 1331200+20480");
}

static void
test_closed_while_stored (void)
{
  /* The last one who holds a message may be the disk: what it holds must still be written. */
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (MailFixture) fixture = new_fixture (3000 * KIB);
      mount_and_list (fixture);
      MmContent *content = open_content (fixture);
      read_range (fixture, content, 0, 900 * KIB);
      mm_content_unref (content);
      mail_fixture_unmount (fixture);

      mount_and_list (fixture);
      fake_server_clear_log (fixture->server);
      content = open_content (fixture);
      /* Not from the beginning on: nothing is fetched ahead. */
      read_range (fixture, content, 1, 800 * KIB);
      assert_log (fixture, "range", "");
      mm_content_unref (content);
    }
}

/* No file may grow beyond @octets: every write of more fails, as on a full disk. */
static void
limit_files (rlim_t octets)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = MIN (octets, limit.rlim_max);
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

static void
check_full_disk (gsize size)
{
  g_autoptr (MailFixture) fixture = new_fixture (size);

  signal (SIGXFSZ, SIG_IGN);
  mount_and_list (fixture);
  limit_files (2000);
  assert_reads (fixture);
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  limit_files (RLIM_INFINITY);

  /* What was not written is not there, and comes again. */
  mount_and_list (fixture);
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  fake_server_clear_log (fixture->server);
  mount_and_list (fixture);
  assert_reads (fixture);
  g_assert_cmpuint (fake_server_count (fixture->server, "whole"), ==, 0);
  g_assert_cmpuint (fake_server_count (fixture->server, "range"), ==, 0);
}

static void
test_full_disk (void)
{
  check_full_disk (100000);
  check_full_disk (20000 * KIB);
}

static void
test_listed_on_full_disk (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (1000);

  signal (SIGXFSZ, SIG_IGN);
  mail_fixture_mount (fixture);
  limit_files (2000);
  g_autofree gchar *list = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (list, ==, "1");
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  limit_files (RLIM_INFINITY);
  fake_server_deliver_size (fixture->server, "INBOX", 0, 10);
  mail_fixture_mount (fixture);
  g_autofree gchar *again = mail_fixture_list (fixture, "INBOX");
  g_assert_cmpstr (again, ==, "1 2");
  assert_reads (fixture);
}

/* A file of the cache that was cut short while it is open. */
static void
test_cache_file_lost_under_reader (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3000 * KIB);

  mount_and_list (fixture);
  assert_reads (fixture);
  mail_fixture_unmount (fixture);
  mount_and_list (fixture);
  g_autoptr (MmContent) content = open_content (fixture);
  read_range (fixture, content, 0, 4 * KIB);
  g_autofree gchar *path
      = g_build_filename (fixture->directory, "content-v1/000001/00/000000001", NULL);
  g_assert_no_errno (g_chmod (path, 0600));
  g_assert_no_errno (truncate (path, 1000 * KIB));
  read_range (fixture, content, 2000 * KIB, 4 * KIB);
  read_range (fixture, content, 0, 3000 * KIB);
}

static void
test_without_cache (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (3000 * KIB);

  fixture->config.directory = NULL;
  mount_and_list (fixture);
  assert_reads (fixture);
  assert_reads (fixture);
}

/* ---- Message-ID ---- */

static void
test_message_id_from_content (void)
{
  g_autoptr (MailFixture) fixture = mail_fixture_new ();
  static const gchar text[] = "Subject: x\r\nMessage-ID:\r\n <a@example.org>\r\n\r\nbody";
  g_autoptr (GBytes) body = g_bytes_new_static (text, strlen (text));

  fake_server_add_mailbox (fixture->server, "INBOX", 0);
  fake_server_deliver (fixture->server, "INBOX", 0, "x", body);
  mount_and_list (fixture);
  g_autoptr (MmContent) content = open_content (fixture);
  g_assert_null (mm_content_peek_message_id (content));
  assert_reads (fixture);
  g_autofree gchar *id = mm_content_peek_message_id (content);
  g_assert_cmpstr (id, ==, "<a@example.org>");
}

/* ---- shutting down ---- */

static void
test_unmount_while_fetching (void)
{
  g_autoptr (MailFixture) fixture = new_fixture (100);
  g_autoptr (GError) error = NULL;

  mount_and_list (fixture);
  MmContent *content = open_content (fixture);
  guint64 size = 0;
  TestWait *wait = test_wait_new ();
  mm_content_try_size (content, &size, test_wait_get_waiter (wait), &error);
  g_assert_cmpint (test_wait_end (wait, MM_TRY_WAIT, &error), ==, MM_TRY_WAIT);
  fake_server_hold_fetches (fixture->server);
  wait = test_wait_new ();
  mm_content_try_size (content, &size, test_wait_get_waiter (wait), &error);
  mm_content_unref (content);
  mail_fixture_unmount (fixture);
  g_assert_cmpint (test_wait_end (wait, MM_TRY_WAIT, &error), ==, MM_TRY_FAILED);
  g_assert_error (error, MM_ERROR, MM_ERROR_CANCELLED);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/content/small-message-is-fetched-whole", test_whole);
  g_test_add_func ("/content/size-told-too-low-is-corrected", test_size_too_low);
  g_test_add_func ("/content/size-told-too-high-is-corrected", test_size_too_high);
  g_test_add_func ("/content/size-told-as-zero-is-corrected", test_size_zero_told);
  g_test_add_func ("/content/other-bytes-each-time-are-bad", test_other_bytes_each_time);
  g_test_add_func ("/content/another-text-than-header-and-text-is-bad", test_another_text);
  g_test_add_func ("/content/another-text-once-is-asked-for-again", test_another_text_once);
  g_test_add_func ("/content/size-lie-of-a-server-without-parts", test_size_lie_without_parts);
  g_test_add_func ("/content/nil-is-gone", test_nil);
  g_test_add_func ("/content/expunged-message-with-another-text-is-gone", test_expunged);
  g_test_add_func ("/content/empty-message", test_empty);
  g_test_add_func ("/content/empty-message-answered-with-nil", test_empty_as_nil);
  g_test_add_func ("/content/failed-fetch-is-tried-again-by-the-next-read", test_failed_fetch);
  g_test_add_func ("/content/lost-connections-are-made-good", test_lost_connections);
  g_test_add_func ("/content/new-uidvalidity-is-noticed", test_uidvalidity_changed);
  g_test_add_func ("/content/new-uidvalidity-is-noticed-during-the-first-listing",
                   test_uidvalidity_changed_while_first_listed);
  g_test_add_func ("/content/readers-share-one-fetch", test_concurrent_readers);
  g_test_add_func ("/content/readers-share-ranges", test_concurrent_readers_of_ranges);
  g_test_add_func ("/content/head-costs-one-range", test_head);
  g_test_add_func ("/content/sequential-windows-double", test_sequential_windows);
  g_test_add_func ("/content/dear-ranges-fetch-the-whole", test_dear_ranges);
  g_test_add_func ("/content/random-reads-fetch-what-they-read", test_random_reads);
  g_test_add_func ("/content/disproved-probe-fetches-the-whole", test_disproved_probe);
  g_test_add_func ("/content/failed-range-is-tried-again-by-the-next-read", test_failed_range);
  g_test_add_func ("/content/second-mount-reads-from-disk", test_second_mount);
  g_test_add_func ("/content/partial-ranges-survive", test_partial_ranges_survive);
  g_test_add_func ("/content/what-is-being-stored-at-the-end-is-kept", test_closed_while_stored);
  g_test_add_func ("/content/full-disk-does-not-stop-reading", test_full_disk);
  g_test_add_func ("/content/full-disk-does-not-stop-listing", test_listed_on_full_disk);
  g_test_add_func ("/content/cache-file-lost-under-its-reader",
                   test_cache_file_lost_under_reader);
  g_test_add_func ("/content/works-without-a-cache", test_without_cache);
  g_test_add_func ("/content/message-id-from-what-is-here", test_message_id_from_content);
  g_test_add_func ("/content/unmount-while-fetching", test_unmount_while_fetching);
  return g_test_run ();
}
