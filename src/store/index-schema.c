// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>

#include "index-schema.h"

/* - AUTOINCREMENT: ids of removed folders are never used again, since inodes are made of them.
 * - Messages need no rowid: they are always reached by folder and number, in this order.
 * - '' as keywords is NULL, which takes no space in a row. */
static const gchar step_1[] =
  "CREATE TABLE account ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  key TEXT NOT NULL UNIQUE);"
  "CREATE TABLE folder ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 16777215),"
  "  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
  "  name TEXT NOT NULL,"
  "  path TEXT NOT NULL,"
  "  delimiter INTEGER NOT NULL,"
  "  component TEXT NOT NULL,"
  "  flags INTEGER NOT NULL,"
  "  uidvalidity INTEGER NOT NULL,"
  "  uidnext INTEGER NOT NULL,"
  "  highestmodseq INTEGER NOT NULL,"
  "  messages INTEGER," /* NULL: not known */
  "  uid_not_sticky INTEGER NOT NULL,"
  "  next_number INTEGER NOT NULL,"
  "  mtime_us INTEGER NOT NULL);"
  "CREATE UNIQUE INDEX folder_by_name ON folder (account, name) WHERE name <> '';"
  "CREATE UNIQUE INDEX folder_by_path ON folder (account, path) WHERE name = '';"
  "CREATE TABLE message ("
  "  folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,"
  "  number INTEGER NOT NULL,"
  "  uid INTEGER NOT NULL,"
  "  size INTEGER NOT NULL,"
  "  size_is_proved INTEGER NOT NULL,"
  "  internaldate INTEGER NOT NULL,"
  "  flags INTEGER NOT NULL,"
  "  keywords TEXT,"
  "  stem TEXT,"
  "  message_id TEXT,"
  "  PRIMARY KEY (folder, number)) WITHOUT ROWID;";

/* What a message is known by when UIDVALIDITY changes. NULL, which is the rule: the size told is the
 * size, and the content is kept under the mark of the present UID. */
static const gchar step_2[] =
  "ALTER TABLE message ADD COLUMN told_size INTEGER;"
  "ALTER TABLE message ADD COLUMN origin INTEGER;";

/* What was received from an account, by the hour since 1970, for its daily limit. */
static const gchar step_3[] =
  "CREATE TABLE traffic ("
  "  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
  "  hour INTEGER NOT NULL,"
  "  octets INTEGER NOT NULL,"
  "  PRIMARY KEY (account, hour)) WITHOUT ROWID;";

/* The number made of a message's object id (include/mailmount/index.h), with 2^60 added when other
 * folders may have it. Those that have none cost nothing, in the index of the table neither. */
static const gchar step_4[] =
  "ALTER TABLE message ADD COLUMN object INTEGER;"
  "CREATE INDEX message_by_object ON message (object) WHERE object IS NOT NULL;";

/* By which the server calls a mailbox for ever. */
static const gchar step_5[] = "ALTER TABLE folder ADD COLUMN mailbox_id TEXT;";

const gchar *const mm_index_schema_steps[] = { step_1, step_2, step_3, step_4, step_5, NULL };

gboolean
mm_index_schema_is_damage (int result_code)
{
  switch (result_code & 0xff)
    {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return TRUE;
    default:
      return FALSE;
    }
}

void
mm_index_schema_set_error (sqlite3 *db, int result_code, const gchar *what, GError **error)
{
  int system_errno = sqlite3_system_errno (db);
  gboolean is_full = (result_code & 0xff) == SQLITE_FULL
                     || ((result_code & 0xff) == SQLITE_IOERR
                         && (system_errno == ENOSPC || system_errno == EDQUOT));

  g_set_error (error, MM_ERROR, is_full ? MM_ERROR_NO_SPACE : MM_ERROR_CACHE, "index: %s: %s", what,
               result_code == sqlite3_extended_errcode (db) ? sqlite3_errmsg (db)
                                                            : sqlite3_errstr (result_code));
}

static MmIndexSchemaState
fail (sqlite3 *db, int result_code, const gchar *what, GError **error)
{
  mm_index_schema_set_error (db, result_code, what, error);
  switch (result_code & 0xff)
    {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:      /* a table or column is missing */
    case SQLITE_CONSTRAINT: /* its content cannot be ours */
    case SQLITE_MISMATCH:
      return MM_INDEX_SCHEMA_UNUSABLE;
    default:
      return MM_INDEX_SCHEMA_FAILED;
    }
}

static int
query_integer (sqlite3 *db, const gchar *sql, gint64 *out_value)
{
  sqlite3_stmt *statement = NULL;
  int result_code = sqlite3_prepare_v2 (db, sql, -1, &statement, NULL);

  if (result_code == SQLITE_OK)
    result_code = sqlite3_step (statement);
  if (result_code == SQLITE_ROW)
    {
      *out_value = sqlite3_column_int64 (statement, 0);
      result_code = SQLITE_OK;
    }
  sqlite3_finalize (statement);
  return result_code;
}

static gint64
count_steps (const gchar *const *steps)
{
  return (gint64) g_strv_length ((gchar **) steps);
}

MmIndexSchemaState
mm_index_schema_inspect (sqlite3 *db, const gchar *const *steps, GError **error)
{
  gint64 version = 0, application = 0, tables = 0;
  int result_code = query_integer (db, "PRAGMA user_version", &version);

  if (result_code == SQLITE_OK)
    result_code = query_integer (db, "PRAGMA application_id", &application);
  if (result_code == SQLITE_OK)
    result_code = query_integer (db, "SELECT count(*) FROM sqlite_schema", &tables);
  if (result_code != SQLITE_OK)
    return fail (db, result_code, "it cannot be read", error);

  if (version == 0 && application == 0 && tables == 0)
    return MM_INDEX_SCHEMA_EMPTY;
  if (application != MM_INDEX_APPLICATION_ID || version <= 0)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE, "index: it is not an index of mailmount");
      return MM_INDEX_SCHEMA_UNUSABLE;
    }
  if (version > count_steps (steps))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "index: it is of version %" G_GINT64_FORMAT
                   ", made by a newer mailmount; this one knows %" G_GINT64_FORMAT,
                   version, count_steps (steps));
      return MM_INDEX_SCHEMA_UNUSABLE;
    }
  return MM_INDEX_SCHEMA_OURS;
}

static int
run_steps (sqlite3 *db, const gchar *const *steps, gint64 version)
{
  for (; steps[version] != NULL; version++)
    {
      int result_code = sqlite3_exec (db, steps[version], NULL, NULL, NULL);
      if (result_code != SQLITE_OK)
        return result_code;
    }
  g_autofree gchar *mark = g_strdup_printf (
    "PRAGMA application_id = %d; PRAGMA user_version = %" G_GINT64_FORMAT,
    MM_INDEX_APPLICATION_ID, version);
  return sqlite3_exec (db, mark, NULL, NULL, NULL);
}

MmIndexSchemaState
mm_index_schema_upgrade (sqlite3 *db, const gchar *const *steps, GError **error)
{
  gint64 version = 0;
  int result_code = query_integer (db, "PRAGMA user_version", &version);

  if (result_code == SQLITE_OK && version == count_steps (steps))
    return MM_INDEX_SCHEMA_OURS;
  if (result_code == SQLITE_OK)
    result_code = sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (result_code != SQLITE_OK)
    return fail (db, result_code, "it cannot be brought up to date", error);

  result_code = run_steps (db, steps, version);
  if (result_code == SQLITE_OK)
    result_code = sqlite3_exec (db, "COMMIT", NULL, NULL, NULL);
  if (result_code == SQLITE_OK)
    return MM_INDEX_SCHEMA_OURS;

  MmIndexSchemaState state = fail (db, result_code, "it cannot be brought up to date", error);
  sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return state;
}

static MmIndexSchemaState
check_table (sqlite3 *db, const gchar *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  MmIndexSchemaState state = MM_INDEX_SCHEMA_OURS;
  int result_code = sqlite3_prepare_v2 (db, sql, -1, &statement, NULL);

  if (result_code == SQLITE_OK)
    result_code = sqlite3_step (statement);
  if (result_code != SQLITE_ROW)
    state = fail (db, result_code, "it cannot be checked", error);
  else if (g_strcmp0 ((const gchar *) sqlite3_column_text (statement, 0), "ok") != 0)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE, "index: it is damaged: %s",
                   (const gchar *) sqlite3_column_text (statement, 0));
      state = MM_INDEX_SCHEMA_UNUSABLE;
    }
  sqlite3_finalize (statement);
  return state;
}

MmIndexSchemaState
mm_index_schema_check (sqlite3 *db, GError **error)
{
  MmIndexSchemaState state = check_table (db, "PRAGMA quick_check(account)", error);

  if (state == MM_INDEX_SCHEMA_OURS)
    state = check_table (db, "PRAGMA quick_check(folder)", error);
  return state;
}
