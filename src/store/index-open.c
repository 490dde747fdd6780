// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whoever opens an index holds a lock (flock on a file beside the database) until it is checked and
 * brought up to date, so that of several processes one makes it and none sees it half made. The
 * database file itself is never opened here: closing it would drop the POSIX locks SQLite holds on
 * it in another MmIndex of this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "index-open.h"
#include "index-schema.h"
#include "store-directory.h"

#define BUSY_TIMEOUT_MS 30000
#define READ_WRITE      (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)

/* A WAL that a large transaction made long is cut to this when it has been copied. */
#define PRAGMAS_OF_A_CONNECTION        \
  "PRAGMA synchronous = NORMAL;"       \
  "PRAGMA foreign_keys = ON;"          \
  "PRAGMA temp_store = MEMORY;"        \
  "PRAGMA cache_size = -4096;"         \
  "PRAGMA journal_size_limit = 4194304;"

static gboolean
fail_from_errno (GError **error, const gchar *what)
{
  g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_CACHE, errno, what));
  return FALSE;
}

static gboolean
set_aside (int directory_fd, const gchar *directory, const GError *reason, GError **error)
{
  static const gchar *const names[] = { MM_INDEX_FILE "-wal", MM_INDEX_FILE "-shm", MM_INDEX_FILE };
  g_autofree gchar *suffix = mm_store_directory_choose_suffix (directory_fd, MM_INDEX_FILE);

  /* The journal of one database must never be played into another. */
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!mm_store_directory_set_aside (directory_fd, names[i], suffix, error))
      return FALSE;
  unlinkat (directory_fd, MM_INDEX_DAMAGE_MARK, 0);
  mm_log_warning ("%s; it was set aside as '%s/%s.%s', a new one is begun", reason->message,
                  directory, MM_INDEX_FILE, suffix);
  return TRUE;
}

/* Content is kept by the folder ids of an index: without it nothing says whose it is. */
static gboolean
set_content_aside (int directory_fd, const gchar *directory, GError **error)
{
  struct stat status;

  if (fstatat (directory_fd, MM_STORE_CONTENT_DIRECTORY, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return TRUE;

  g_autofree gchar *suffix
    = mm_store_directory_choose_suffix (directory_fd, MM_STORE_CONTENT_DIRECTORY);

  if (!mm_store_directory_set_aside (directory_fd, MM_STORE_CONTENT_DIRECTORY, suffix, error))
    return FALSE;
  mm_log_warning ("the index in '%s' is new: content of an older one was set aside as '%s.%s' and "
                  "may be deleted",
                  directory, MM_STORE_CONTENT_DIRECTORY, suffix);
  return TRUE;
}

/* Judges what is there before SQLite sees it. TRUE: the file is there and may be opened. FALSE:
 * @out_reason says why it must be set aside, or @error why nothing can be done. */
static gboolean
prepare_file (int directory_fd, GError **out_reason, GError **error)
{
  struct stat status;

  if (fstatat (directory_fd, MM_INDEX_FILE, &status, AT_SYMLINK_NOFOLLOW) != 0)
    {
      if (errno != ENOENT)
        return fail_from_errno (error, "index");
      unlinkat (directory_fd, MM_INDEX_FILE "-wal", 0);
      unlinkat (directory_fd, MM_INDEX_FILE "-shm", 0);
      unlinkat (directory_fd, MM_INDEX_DAMAGE_MARK, 0);
      mm_autofd int fd = openat (directory_fd, MM_INDEX_FILE,
                                 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
      return fd >= 0 ? TRUE : fail_from_errno (error, "index");
    }

  if (!S_ISREG (status.st_mode) || status.st_uid != geteuid () || (status.st_mode & 0077) != 0)
    g_set_error (out_reason, MM_ERROR, MM_ERROR_CACHE,
                 "index: it is not a file that is yours alone");
  else if (faccessat (directory_fd, MM_INDEX_DAMAGE_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    g_set_error (out_reason, MM_ERROR, MM_ERROR_CACHE, "index: damage was found in it");
  else if (faccessat (directory_fd, MM_INDEX_FILE, R_OK | W_OK, AT_EACCESS) != 0)
    g_set_error (out_reason, MM_ERROR, MM_ERROR_CACHE, "index: it cannot be read: %s",
                 g_strerror (errno));
  else
    return TRUE;
  return FALSE;
}

void
mm_index_close_database (MmIndex *index)
{
  for (guint i = 0; i < MM_INDEX_N_SQL; i++)
    g_clear_pointer (&index->statements[i], sqlite3_finalize);
  g_clear_pointer (&index->db, sqlite3_close);
}

static MmIndexSchemaState
fail_from_sqlite (MmIndex *index, int result_code, const gchar *what, GError **error)
{
  mm_index_schema_set_error (index->db, result_code, what, error);
  return mm_index_schema_is_damage (result_code) || (result_code & 0xff) == SQLITE_ERROR
           ? MM_INDEX_SCHEMA_UNUSABLE
           : MM_INDEX_SCHEMA_FAILED;
}

static MmIndexSchemaState
connect_database (MmIndex *index, const gchar *path, int flags, GError **error)
{
  int result_code = sqlite3_open_v2 (path, &index->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

  if (result_code == SQLITE_OK)
    {
      sqlite3_extended_result_codes (index->db, 1);
      sqlite3_busy_timeout (index->db, BUSY_TIMEOUT_MS);
      result_code = sqlite3_exec (index->db, PRAGMAS_OF_A_CONNECTION, NULL, NULL, NULL);
    }
  if (result_code != SQLITE_OK)
    return fail_from_sqlite (index, result_code, "it cannot be opened", error);
  return mm_index_schema_inspect (index->db, mm_index_schema_steps, error);
}

/* A database in state @state that was just connected becomes one that can be worked with. */
static MmIndexSchemaState
make_ready (MmIndex *index, GError **error)
{
  int result_code = sqlite3_exec (index->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);

  if (result_code != SQLITE_OK)
    return fail_from_sqlite (index, result_code, "it cannot be opened", error);

  MmIndexSchemaState state = mm_index_schema_upgrade (index->db, mm_index_schema_steps, error);
  if (state == MM_INDEX_SCHEMA_OURS)
    state = mm_index_schema_check (index->db, error);
  if (state != MM_INDEX_SCHEMA_OURS)
    return state;

  result_code = mm_index_prepare (index);
  if (result_code != SQLITE_OK)
    return fail_from_sqlite (index, result_code, "it cannot be used", error);
  return MM_INDEX_SCHEMA_OURS;
}

gboolean
mm_index_open_in_memory (MmIndex *index, GError **error)
{
  MmIndexSchemaState state = connect_database (index, ":memory:", READ_WRITE, error);

  if (state == MM_INDEX_SCHEMA_EMPTY)
    state = make_ready (index, error);
  return state == MM_INDEX_SCHEMA_OURS;
}

gboolean
mm_index_open_as_it_is (MmIndex *index, const gchar *directory, GError **error)
{
  g_autofree gchar *absolute = g_canonicalize_filename (directory, NULL);
  g_autofree gchar *path = g_build_filename (absolute, MM_INDEX_FILE, NULL);
  MmIndexSchemaState state = connect_database (index, path, SQLITE_OPEN_READONLY, error);

  if (state == MM_INDEX_SCHEMA_OURS)
    {
      int result_code = mm_index_prepare (index);
      /* Without a directory: who only looks marks nothing as damaged. */
      if (result_code == SQLITE_OK)
        return TRUE;
      fail_from_sqlite (index, result_code, "it is of an older version; mount it once", error);
    }
  else if (state == MM_INDEX_SCHEMA_EMPTY)
    g_set_error (error, MM_ERROR, MM_ERROR_CACHE, "index: it is empty");
  mm_index_close_database (index);
  return FALSE;
}

/* One attempt. UNUSABLE: @out_reason says why it must be set aside. */
static MmIndexSchemaState
try_to_open (MmIndex *index, int directory_fd, GError **out_reason, GError **error)
{
  g_autofree gchar *path = g_build_filename (index->directory, MM_INDEX_FILE, NULL);
  g_autoptr (GError) local_error = NULL;

  if (!prepare_file (directory_fd, out_reason, error))
    return *out_reason != NULL ? MM_INDEX_SCHEMA_UNUSABLE : MM_INDEX_SCHEMA_FAILED;

  MmIndexSchemaState state = connect_database (index, path, READ_WRITE, &local_error);
  if (state == MM_INDEX_SCHEMA_EMPTY
      && !set_content_aside (directory_fd, index->directory, &local_error))
    state = MM_INDEX_SCHEMA_FAILED;
  if (state == MM_INDEX_SCHEMA_EMPTY || state == MM_INDEX_SCHEMA_OURS)
    state = make_ready (index, &local_error);

  if (state == MM_INDEX_SCHEMA_UNUSABLE)
    g_propagate_error (out_reason, g_steal_pointer (&local_error));
  else if (state == MM_INDEX_SCHEMA_FAILED)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return state;
}

static int
take_lock (int directory_fd, GError **error)
{
  mm_autofd int fd = openat (directory_fd, MM_INDEX_LOCK,
                             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  int result;

  if (fd < 0)
    {
      fail_from_errno (error, "lock of the index");
      return -1;
    }
  do
    result = flock (fd, LOCK_EX);
  while (result != 0 && errno == EINTR);
  if (result != 0)
    {
      fail_from_errno (error, "lock of the index");
      return -1;
    }
  return mm_fd_steal (&fd);
}

gboolean
mm_index_open_on_disk (MmIndex *index, const gchar *directory, GError **error)
{
  mm_autofd int directory_fd = mm_store_directory_open (directory, error);
  if (directory_fd < 0)
    return FALSE;

  /* SQLite works by path, and the process may change its working directory. */
  g_autofree gchar *absolute = g_canonicalize_filename (directory, NULL);
  index->directory = g_steal_pointer (&absolute);

  mm_autofd int lock_fd = take_lock (directory_fd, error);
  if (lock_fd < 0)
    return FALSE;

  for (guint attempt = 0;; attempt++)
    {
      g_autoptr (GError) reason = NULL;
      MmIndexSchemaState state = try_to_open (index, directory_fd, &reason, error);

      if (state == MM_INDEX_SCHEMA_OURS)
        return TRUE;
      mm_index_close_database (index);
      if (state != MM_INDEX_SCHEMA_UNUSABLE)
        return FALSE;
      if (attempt > 0)
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      if (!set_aside (directory_fd, index->directory, reason, error))
        return FALSE;
    }
}
