// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the files of the index share: the open database and its prepared statements.
 */
#pragma once

#include <sqlite3.h>

#include <mailmount/index.h>

G_BEGIN_DECLS

typedef enum
{
  MM_INDEX_SQL_BEGIN,
  MM_INDEX_SQL_COMMIT,
  MM_INDEX_SQL_ROLLBACK,
  MM_INDEX_SQL_FIND_ACCOUNT,
  MM_INDEX_SQL_ADD_ACCOUNT,
  MM_INDEX_SQL_LOAD_ACCOUNTS,
  MM_INDEX_SQL_LOAD_FOLDERS,
  MM_INDEX_SQL_ADD_FOLDER,
  MM_INDEX_SQL_SET_FOLDER_NAME,
  MM_INDEX_SQL_MOVE_FOLDER,
  MM_INDEX_SQL_SET_FOLDER_MTIME,
  MM_INDEX_SQL_SET_FOLDER_STATE,
  MM_INDEX_SQL_REMOVE_FOLDER,
  MM_INDEX_SQL_LOAD_MESSAGES,
  MM_INDEX_SQL_PUT_MESSAGE,
  MM_INDEX_SQL_REMOVE_MESSAGE,
  MM_INDEX_SQL_REMOVE_ALL_MESSAGES,
  MM_INDEX_SQL_HAS_OBJECT,
  MM_INDEX_SQL_LOAD_LINKS,
  MM_INDEX_SQL_ADD_TRAFFIC,
  MM_INDEX_SQL_FORGET_TRAFFIC,
  MM_INDEX_SQL_LOAD_TRAFFIC,
  MM_INDEX_N_SQL,
} MmIndexSql;

struct MmIndex
{
  sqlite3 *db;
  gchar *directory;                         /* absolute; NULL: in memory */
  sqlite3_stmt *statements[MM_INDEX_N_SQL]; /* owned; prepared when the index is opened */
  gboolean in_transaction;
  gboolean is_marked;       /* as damaged */
  gboolean must_be_durable; /* an id was given away: see mm_index_note_identity() */
};

/* Prepares all statements. A SQLite result code. */
int mm_index_prepare (MmIndex *index);

static inline sqlite3_stmt *
mm_index_statement (MmIndex *index, MmIndexSql sql)
{
  return index->statements[sql];
}

/* Runs a bound statement that gives no rows and makes it ready for the next time. @what completes
 * the error message "index: …". */
gboolean mm_index_run (MmIndex *index, MmIndexSql sql, const gchar *what, GError **error);

/* Sets @error for a failed step of @sql and makes the statement ready for the next time. A damaged
 * database is marked, so that the next open sets it aside. */
void mm_index_fail (MmIndex *index, MmIndexSql sql, int result_code, const gchar *what,
                    GError **error);

/* Content is kept by folder id. When the power fails, a transaction not yet synced is lost, the id
 * it gave away is given away again, and the content of one folder would appear in another. So a
 * transaction that gives an id is synced when it is committed. */
void mm_index_note_identity (MmIndex *index);

static inline void
mm_index_bind_text (sqlite3_stmt *statement, int position, const gchar *text)
{
  sqlite3_bind_text (statement, position, text, -1, SQLITE_STATIC);
}

G_END_DECLS
