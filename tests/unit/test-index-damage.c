// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An index that cannot be trusted is set aside, one that is older is brought up to date, and a new
 * one takes no content over.
 */
#include <string.h>

#include <mailmount/index.h>
#include <mailmount/log.h>

#include "../../src/store/index-schema.h"
#include "test-directory.h"
#include "test-namespace.h"

#define ACCOUNT "imap://user@example.org:993"
#define ASIDE   "index.sqlite.set-aside-"

static MmIndex *
open_index (const gchar *directory)
{
  g_autoptr (GError) error = NULL;
  MmIndex *index = mm_index_open (directory, &error);

  g_assert_no_error (error);
  g_assert_nonnull (index);
  return index;
}

static guint32
add_folder (MmIndex *index, const gchar *name)
{
  g_autoptr (GError) error = NULL;
  MmIndexFolder folder = { .name = name, .path = name, .component = name, .next_number = 1 };
  guint32 id = mm_index_add_folder (index, mm_index_get_account (index, ACCOUNT, NULL), &folder,
                                    &error);

  g_assert_no_error (error);
  return id;
}

static void
put_messages (MmIndex *index, guint32 folder, guint n)
{
  for (guint i = 1; i <= n; i++)
    {
      MmIndexMessage message = { .number = i, .uid = i, .keywords = "", .stem = "A-subject-line" };
      g_assert_true (mm_index_put_message (index, folder, &message, NULL));
    }
}

static void
count_message (const MmIndexMessage *message, gpointer data)
{
  g_assert_cmpuint (message->number, >=, 1);
  g_assert_cmpuint (message->number, <=, MM_INDEX_MAX_NUMBER);
  ++*(guint *) data;
}

static void
count_folder (const MmIndexFolder *folder, gpointer data)
{
  ++*(guint *) data;
}

static guint
count_folders (MmIndex *index)
{
  guint n = 0;

  mm_index_load_folders (index, mm_index_get_account (index, ACCOUNT, NULL), count_folder, &n,
                         NULL);
  return n;
}

/* A closed index with one folder, id 1, of @n messages. The database's path. */
static gchar *
make_index (const gchar *directory, guint n)
{
  g_autoptr (MmIndex) index = open_index (directory);

  g_assert_true (mm_index_begin (index, NULL));
  g_assert_cmpuint (add_folder (index, "INBOX"), ==, 1);
  put_messages (index, 1, n);
  g_assert_true (mm_index_commit (index, NULL));
  return g_build_filename (directory, "index.sqlite", NULL);
}

static sqlite3 *
open_raw (const gchar *path)
{
  sqlite3 *db;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  return db;
}

static void
run_raw (const gchar *path, const gchar *sql)
{
  sqlite3 *db = open_raw (path);

  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

static void
assert_was_set_aside (const gchar *directory, gboolean expected)
{
  g_autofree gchar *name = test_directory_find (directory, ASIDE);

  if (expected)
    g_assert_nonnull (name);
  else
    g_assert_null (name);
}

/* The index opens, is empty and works. */
static void
assert_begins_anew (const gchar *directory)
{
  g_autoptr (MmIndex) index = open_index (directory);

  g_assert_cmpuint (count_folders (index), ==, 0);
  assert_was_set_aside (directory, TRUE);
  put_messages (index, add_folder (index, "INBOX"), 3);
}

/* ---- the file ---- */

static void
test_files_are_private (void)
{
  g_autoptr (TestDirectory) parent = test_directory_new ();
  g_autofree gchar *directory = g_build_filename (parent, "a", "b", NULL);
  mode_t old_umask = umask (0);
  g_autoptr (MmIndex) index = open_index (directory);
  const gchar *const names[] = { "index.sqlite", "index.sqlite-wal", "index.sqlite-shm" };
  GStatBuf status;

  add_folder (index, "INBOX");
  g_assert_no_errno (g_stat (directory, &status));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree gchar *path = g_build_filename (directory, names[i], NULL);

      g_assert_no_errno (g_stat (path, &status));
      g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
    }
  umask (old_umask);
}

static void
test_directory_open_to_others_is_refused (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (g_chmod (directory, 0750));
  g_assert_null (mm_index_open (directory, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_works_after_the_working_directory_changed (void)
{
  g_autoptr (TestDirectory) parent = test_directory_new ();
  g_autofree gchar *old = g_get_current_dir ();

  g_assert_no_errno (g_chdir (parent));
  g_autoptr (MmIndex) index = open_index ("relative");
  g_assert_no_errno (g_chdir (old));
  put_messages (index, add_folder (index, "INBOX"), 100);
  g_clear_pointer (&index, mm_index_close);
  g_autofree gchar *directory = g_build_filename (parent, "relative", NULL);
  index = open_index (directory);
  g_assert_cmpuint (count_folders (index), ==, 1);
}

static void
test_what_is_not_private_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 1);

  g_assert_no_errno (g_chmod (path, 0644));
  assert_begins_anew (directory);
}

static void
test_a_link_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 1);
  g_autofree gchar *moved = g_build_filename (directory, "moved", NULL);

  g_assert_no_errno (g_rename (path, moved));
  g_assert_no_errno (symlink (moved, path));
  assert_begins_anew (directory);
}

/* A database that was deleted by hand may leave a journal: it belongs to no other one. */
static void
test_a_journal_left_alone_is_not_played (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = g_build_filename (directory, "index.sqlite", NULL);
  g_autofree gchar *wal = g_strconcat (path, "-wal", NULL);
  g_autofree gchar *octets = NULL;
  gsize length;

  {
    g_autoptr (MmIndex) index = open_index (directory);
    put_messages (index, add_folder (index, "INBOX"), 10);
    g_assert_true (g_file_get_contents (wal, &octets, &length, NULL));
    g_assert_cmpuint (length, >, 0);
  }
  g_assert_no_errno (g_unlink (path));
  g_assert_true (g_file_set_contents (wal, octets, (gssize) length, NULL));

  g_autoptr (MmIndex) index = open_index (directory);
  g_assert_cmpuint (count_folders (index), ==, 0);
}

/* ---- versions ---- */

/* The first released schema, as a database of that time was made. It is never changed. */
static const gchar version_1[] =
  "CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE);"
  "CREATE TABLE folder (id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 16777215),"
  " account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, name TEXT NOT NULL,"
  " path TEXT NOT NULL, delimiter INTEGER NOT NULL, component TEXT NOT NULL,"
  " flags INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, uidnext INTEGER NOT NULL,"
  " highestmodseq INTEGER NOT NULL, messages INTEGER, uid_not_sticky INTEGER NOT NULL,"
  " next_number INTEGER NOT NULL, mtime_us INTEGER NOT NULL);"
  "CREATE UNIQUE INDEX folder_by_name ON folder (account, name) WHERE name <> '';"
  "CREATE UNIQUE INDEX folder_by_path ON folder (account, path) WHERE name = '';"
  "CREATE TABLE message (folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,"
  " number INTEGER NOT NULL, uid INTEGER NOT NULL, size INTEGER NOT NULL,"
  " size_is_proved INTEGER NOT NULL, internaldate INTEGER NOT NULL, flags INTEGER NOT NULL,"
  " keywords TEXT, stem TEXT, message_id TEXT, PRIMARY KEY (folder, number)) WITHOUT ROWID;"
  "INSERT INTO account VALUES (1, '" ACCOUNT "');"
  "INSERT INTO folder VALUES (5, 1, 'INBOX', 'INBOX', 47, 'INBOX', 0, 9, 3, 0, 2, 0, 3, 0);"
  "INSERT INTO message VALUES (5, 1, 1, 100, 1, 0, 1, NULL, 'one', NULL),"
  " (5, 2, 2, 200, 0, 0, 0, '$Junk', 'two', '<2@example.org>');"
  "PRAGMA application_id = 1296910680; PRAGMA user_version = 1;";

static gint64
get_version (sqlite3 *db)
{
  sqlite3_stmt *statement;

  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA user_version", -1, &statement, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  gint64 version = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return version;
}

static gchar *
make_version_1 (const gchar *directory)
{
  gchar *path = g_build_filename (directory, "index.sqlite", NULL);

  run_raw (path, version_1);
  g_assert_no_errno (g_chmod (path, 0600));
  return path;
}

static void
test_a_database_of_version_1_opens (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_free (make_version_1 (directory));
  g_autoptr (MmIndex) index = open_index (directory);
  guint n = 0;

  assert_was_set_aside (directory, FALSE);
  g_assert_cmpuint (count_folders (index), ==, 1);
  g_assert_true (mm_index_load_messages (index, 5, count_message, &n, NULL));
  g_assert_cmpuint (n, ==, 2);
  put_messages (index, 5, 3);
}

/* What version 1 did not know of its messages. */
static void
check_marks (const MmIndexMessage *message, gpointer data)
{
  g_assert_cmpuint (message->told_size, ==, message->size);
  g_assert_cmpuint (message->origin, ==, 0);
  ++*(guint *) data;
}

static void
test_messages_of_version_1_are_known_by_their_size (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_free (make_version_1 (directory));
  g_autoptr (MmIndex) index = open_index (directory);
  guint n = 0;

  g_assert_true (mm_index_load_messages (index, 5, check_marks, &n, NULL));
  g_assert_cmpuint (n, ==, 2);
}

static void
test_a_later_step_is_taken_from_version_1 (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_version_1 (directory);
  const gchar *const steps[] = {
    "SELECT this_step_was_taken_long_ago",
    "ALTER TABLE folder ADD COLUMN colour TEXT; UPDATE folder SET colour = 'red';",
    NULL,
  };
  sqlite3 *db = open_raw (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mm_index_schema_inspect (db, steps, &error), ==, MM_INDEX_SCHEMA_OURS);
  g_assert_cmpint (mm_index_schema_upgrade (db, steps, &error), ==, MM_INDEX_SCHEMA_OURS);
  g_assert_no_error (error);
  g_assert_cmpint (get_version (db), ==, 2);
  g_assert_cmpint (sqlite3_exec (db, "UPDATE folder SET colour = 'blue' WHERE colour = 'red'", NULL,
                                 NULL, NULL),
                   ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_changes (db), ==, 1);
  sqlite3_close (db);
}

static void
test_a_step_that_fails_changes_nothing (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_version_1 (directory);
  const gchar *const steps[]
    = { "", "CREATE TABLE colour (name TEXT);", "INSERT INTO nowhere VALUES (1);", NULL };
  sqlite3 *db = open_raw (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mm_index_schema_upgrade (db, steps, &error), ==, MM_INDEX_SCHEMA_UNUSABLE);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  g_assert_cmpint (get_version (db), ==, 1);
  g_assert_cmpint (sqlite3_exec (db, "SELECT * FROM colour", NULL, NULL, NULL), ==, SQLITE_ERROR);
  sqlite3_close (db);
}

static void
test_a_newer_database_is_set_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 10);
  g_autofree gchar *log_path = g_build_filename (directory, "log", NULL);
  g_autofree gchar *log = NULL;

  run_raw (path, "PRAGMA user_version = 999");
  mm_log_set_level (MM_LOG_WARNING);
  g_assert_true (mm_log_to_file (log_path, NULL));
  assert_begins_anew (directory);
  mm_log_to_stderr ();
  mm_log_set_level (MM_LOG_ERROR);

  /* It says so, and what was set aside is as it was. */
  g_assert_true (g_file_get_contents (log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, "999"));
  g_autofree gchar *name = test_directory_find (directory, ASIDE);
  g_autofree gchar *aside = g_build_filename (directory, name, NULL);
  sqlite3 *db = open_raw (aside);
  g_assert_cmpint (get_version (db), ==, 999);
  sqlite3_close (db);
}

static void
test_a_database_of_something_else_is_set_aside (void)
{
  const gchar *const others[] = {
    "CREATE TABLE account (id INTEGER)",
    "PRAGMA application_id = 1; PRAGMA user_version = 1; CREATE TABLE x (y)",
    /* Ours by its marks, but a table is missing, or a column. */
    "PRAGMA application_id = 1296910680; PRAGMA user_version = 1; CREATE TABLE x (y)",
    ("PRAGMA application_id = 1296910680; PRAGMA user_version = 1; CREATE TABLE account (id, key);"
     "CREATE TABLE folder (id, name); CREATE TABLE message (folder, number)"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (TestDirectory) directory = test_directory_new ();
      g_autofree gchar *path = g_build_filename (directory, "index.sqlite", NULL);

      run_raw (path, others[i]);
      g_assert_no_errno (g_chmod (path, 0600));
      assert_begins_anew (directory);
    }
}

/* ---- damage ---- */

static void
test_what_is_no_database_is_set_aside (void)
{
  const gchar *const texts[] = { "x", "SQLite format 3", "This is not a database. It never was." };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (TestDirectory) directory = test_directory_new ();
      g_autofree gchar *path = g_build_filename (directory, "index.sqlite", NULL);
      g_autofree gchar *text = g_strnfill (20000, 'x');

      memcpy (text, texts[i], strlen (texts[i]));
      g_assert_true (g_file_set_contents (path, text, -1, NULL));
      g_assert_no_errno (g_chmod (path, 0600));
      assert_begins_anew (directory);
    }
}

/* A damaged table of folders is found when the index is opened. */
static void
test_damaged_folders_are_found_at_once (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 10);
  sqlite3 *db = open_raw (path);
  sqlite3_stmt *statement;
  guint8 junk[4000];

  g_assert_cmpint (
    sqlite3_prepare_v2 (db, "SELECT rootpage FROM sqlite_schema WHERE name = 'folder'", -1,
                        &statement, NULL),
    ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  guint64 page = (guint64) sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (db);

  memset (junk, 0xa5, sizeof junk);
  test_file_overwrite (path, (page - 1) * 4096, junk, sizeof junk);
  assert_begins_anew (directory);
}

/* Messages are too many to check each time: damage met later is remembered. */
static void
test_damage_met_later_is_set_aside_at_the_next_start (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 2000);
  guint8 junk[4096];
  guint n = 0;

  memset (junk, 0xff, sizeof junk);
  for (guint64 page = 10; page < 20; page++)
    test_file_overwrite (path, page * 4096, junk, sizeof junk);
  {
    g_autoptr (MmIndex) index = open_index (directory);
    g_autoptr (GError) error = NULL;

    assert_was_set_aside (directory, FALSE);
    g_assert_false (mm_index_load_messages (index, 1, count_message, &n, &error));
    g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  }
  assert_begins_anew (directory);
  {
    g_autoptr (MmIndex) index = open_index (directory);
    g_assert_cmpuint (count_folders (index), ==, 1);
  }
}

/* Any octet may be wrong: it works, or says that it does not, and ends well. */
static void
test_random_damage_is_survived (void)
{
  g_autoptr (TestDirectory) source = test_directory_new ();
  g_autofree gchar *source_path = make_index (source, 300);
  g_autofree gchar *octets = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (source_path, &octets, &length, NULL));
  for (guint round = 0; round < 150; round++)
    {
      g_autoptr (TestDirectory) directory = test_directory_new ();
      g_autofree gchar *path = g_build_filename (directory, "index.sqlite", NULL);
      g_autofree gchar *damaged = g_memdup2 (octets, length);
      guint n = 0;

      for (gint i = g_test_rand_int_range (1, 40); i > 0; i--)
        {
          gsize limit = g_test_rand_bit () ? length : 200;
          damaged[g_test_rand_int_range (0, (gint32) limit)] = (gchar) g_test_rand_int ();
        }
      g_assert_true (g_file_set_contents (path, damaged, (gssize) length, NULL));
      g_assert_no_errno (g_chmod (path, 0600));

      g_autoptr (MmIndex) index = open_index (directory);
      mm_index_load_messages (index, 1, count_message, &n, NULL);
      MmIndexMessage message = { .number = 150, .keywords = "", .stem = "new" };
      mm_index_put_message (index, 1, &message, NULL);
      mm_index_remove_folder (index, 1, NULL);
    }
}

/* ---- content ---- */

static void
make_content (const gchar *directory, gchar **out_marker)
{
  g_autofree gchar *content = g_build_filename (directory, "content-v1", NULL);

  g_assert_no_errno (g_mkdir (content, 0700));
  *out_marker = g_build_filename (content, "marker", NULL);
  g_assert_true (g_file_set_contents (*out_marker, "x", 1, NULL));
}

static void
test_a_new_index_sets_content_aside (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *marker = NULL;

  make_content (directory, &marker);
  mm_index_close (open_index (directory));
  g_assert_false (g_file_test (marker, G_FILE_TEST_EXISTS));
  g_autofree gchar *aside = test_directory_find (directory, "content-v1.set-aside-");
  g_assert_nonnull (aside);
}

static void
test_an_index_that_was_there_keeps_content (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 1);
  g_autofree gchar *marker = NULL;

  make_content (directory, &marker);
  mm_index_close (open_index (directory));
  g_assert_true (g_file_test (marker, G_FILE_TEST_EXISTS));
  g_assert_no_errno (g_chmod (path, 0644));
  assert_begins_anew (directory);
  g_assert_false (g_file_test (marker, G_FILE_TEST_EXISTS));
}

/* ---- limits ---- */

static void
test_used_up_folder_ids_are_an_error (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  g_autofree gchar *path = make_index (directory, 1);
  g_autoptr (GError) error = NULL;
  MmIndexFolder folder = { .name = "b", .path = "b", .component = "b", .next_number = 1 };

  run_raw (path, "UPDATE sqlite_sequence SET seq = 16777214 WHERE name = 'folder'");
  g_autoptr (MmIndex) index = open_index (directory);
  g_assert_cmpuint (add_folder (index, "a"), ==, MM_INDEX_MAX_FOLDER_ID);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (mm_index_add_folder (index, 1, &folder, &error), ==, 0);
      g_assert_error (error, MM_ERROR, MM_ERROR_LIMIT);
      g_clear_error (&error);
    }
  g_assert_cmpuint (count_folders (index), ==, 2);
}

/* ---- the process ends, the disk is full ---- */

#define BATCH 500

static void
write_batches_until_killed (const gchar *directory, int report_fd)
{
  MmIndex *index = open_index (directory);

  for (guint batch = 0;; batch++)
    {
      g_assert_true (mm_index_begin (index, NULL));
      mm_index_remove_all_messages (index, 1, NULL);
      put_messages (index, 1, BATCH * (1 + batch % 3));
      g_assert_cmpint (write (report_fd, "+", 1), ==, 1);
      g_assert_true (mm_index_commit (index, NULL));
      g_assert_cmpint (write (report_fd, "+", 1), ==, 1);
    }
}

static void
test_a_killed_process_leaves_whole_transactions (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();

  g_free (make_index (directory, BATCH));
  for (guint round = 0; round < 15; round++)
    {
      int report_fd;
      guint n = 0;
      pid_t pid = test_child_start (write_batches_until_killed, directory, &report_fd);

      test_child_kill_after (pid, report_fd, (guint) g_test_rand_int_range (1, 8));
      g_autoptr (MmIndex) index = open_index (directory);
      g_assert_true (mm_index_load_messages (index, 1, count_message, &n, NULL));
      g_assert_cmpuint (n, >, 0);
      g_assert_cmpuint (n % BATCH, ==, 0);
      assert_was_set_aside (directory, FALSE);
    }
}

static void
fill_disk (const gchar *directory, int report_fd)
{
  g_autoptr (MmIndex) index = open_index (directory);
  g_autoptr (GError) error = NULL;
  guint32 folder = add_folder (index, "INBOX");
  guint n = 0;

  g_assert_true (mm_index_begin (index, NULL));
  put_messages (index, folder, 1000);
  g_assert_true (mm_index_commit (index, NULL));

  g_assert_true (mm_index_begin (index, NULL));
  gboolean is_put = TRUE;
  for (guint64 number = 2000; is_put && number < 1000000; number++)
    {
      MmIndexMessage message = { .number = number, .keywords = "", .stem = "A-subject-line" };
      is_put = mm_index_put_message (index, folder, &message, &error);
    }
  if (is_put)
    g_assert_false (mm_index_commit (index, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_NO_SPACE);
  mm_index_rollback (index);

  g_assert_true (mm_index_load_messages (index, folder, count_message, &n, NULL));
  g_assert_cmpuint (n, ==, 1000);
  assert_was_set_aside (directory, FALSE);
}

static void
test_a_full_disk_is_an_error_and_loses_nothing (void)
{
  test_run_on_small_disk (fill_disk, "size=1m,mode=0700");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are what is tested here, not what is to be read. */
  mm_log_set_level (MM_LOG_ERROR);

#define ADD(path, test) g_test_add_func ("/store/index/" path, test)
  ADD ("file/is-private", test_files_are_private);
  ADD ("file/directory-open-to-others-is-refused", test_directory_open_to_others_is_refused);
  ADD ("file/works-after-the-working-directory-changed",
       test_works_after_the_working_directory_changed);
  ADD ("file/not-private-is-set-aside", test_what_is_not_private_is_set_aside);
  ADD ("file/link-is-set-aside", test_a_link_is_set_aside);
  ADD ("file/journal-left-alone-is-not-played", test_a_journal_left_alone_is_not_played);
  ADD ("version/1-opens", test_a_database_of_version_1_opens);
  ADD ("version/messages-of-1-are-known-by-their-size",
       test_messages_of_version_1_are_known_by_their_size);
  ADD ("version/a-later-step-is-taken-from-1", test_a_later_step_is_taken_from_version_1);
  ADD ("version/a-step-that-fails-changes-nothing", test_a_step_that_fails_changes_nothing);
  ADD ("version/newer-is-set-aside", test_a_newer_database_is_set_aside);
  ADD ("version/of-something-else-is-set-aside", test_a_database_of_something_else_is_set_aside);
  ADD ("damage/what-is-no-database-is-set-aside", test_what_is_no_database_is_set_aside);
  ADD ("damage/of-folders-is-found-at-once", test_damaged_folders_are_found_at_once);
  ADD ("damage/met-later-is-set-aside-at-the-next-start",
       test_damage_met_later_is_set_aside_at_the_next_start);
  ADD ("damage/random-is-survived", test_random_damage_is_survived);
  ADD ("content/a-new-index-sets-it-aside", test_a_new_index_sets_content_aside);
  ADD ("content/an-index-that-was-there-keeps-it", test_an_index_that_was_there_keeps_content);
  ADD ("limits/used-up-folder-ids-are-an-error", test_used_up_folder_ids_are_an_error);
  ADD ("end/a-killed-process-leaves-whole-transactions",
       test_a_killed_process_leaves_whole_transactions);
  ADD ("end/a-full-disk-is-an-error-and-loses-nothing",
       test_a_full_disk_is_an_error_and_loses_nothing);
  return g_test_run ();
}
