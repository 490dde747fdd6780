// SPDX-License-Identifier: GPL-3.0-or-later
#include "index-open.h"
#include "index-private.h"
#include "index-schema.h"

MmIndex *
mm_index_open (const gchar *directory, GError **error)
{
  g_autoptr (MmIndex) index = g_new0 (MmIndex, 1);
  gboolean is_open = directory != NULL ? mm_index_open_on_disk (index, directory, error)
                                       : mm_index_open_in_memory (index, error);

  return is_open ? g_steal_pointer (&index) : NULL;
}

MmIndex *
mm_index_open_to_look (const gchar *directory, GError **error)
{
  g_autoptr (MmIndex) index = g_new0 (MmIndex, 1);

  return mm_index_open_as_it_is (index, directory, error) ? g_steal_pointer (&index) : NULL;
}

void
mm_index_close (MmIndex *index)
{
  if (index == NULL)
    return;
  mm_index_rollback (index);
  mm_index_close_database (index);
  g_free (index->directory);
  g_free (index);
}

/* A passive checkpoint syncs the WAL before it copies anything; that it may not copy all, because
 * somebody reads, does no harm. */
static void
make_durable (MmIndex *index)
{
  index->must_be_durable = FALSE;
  if (index->directory != NULL)
    sqlite3_wal_checkpoint_v2 (index->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void
mm_index_note_identity (MmIndex *index)
{
  if (index->in_transaction)
    index->must_be_durable = TRUE;
  else
    make_durable (index);
}

gboolean
mm_index_begin (MmIndex *index, GError **error)
{
  g_assert (!index->in_transaction);
  if (!mm_index_run (index, MM_INDEX_SQL_BEGIN, "it cannot be written", error))
    return FALSE;
  index->in_transaction = TRUE;
  index->must_be_durable = FALSE;
  return TRUE;
}

gboolean
mm_index_commit (MmIndex *index, GError **error)
{
  g_assert (index->in_transaction);

  /* A full disk or an I/O error has ended the transaction already. */
  if (mm_index_is_lost (index))
    {
      index->in_transaction = FALSE;
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "index: the transaction was lost to an earlier error");
      return FALSE;
    }
  if (!mm_index_run (index, MM_INDEX_SQL_COMMIT, "it cannot be written", error))
    {
      mm_index_rollback (index);
      return FALSE;
    }
  index->in_transaction = FALSE;
  if (index->must_be_durable)
    make_durable (index);
  return TRUE;
}

gboolean
mm_index_is_lost (MmIndex *index)
{
  return index->in_transaction && sqlite3_get_autocommit (index->db);
}

gboolean
mm_index_secure (MmIndex *index, GError **error)
{
  g_autoptr (GError) later = NULL;

  if (!index->in_transaction)
    return TRUE;
  gboolean is_kept = mm_index_commit (index, error);
  if (!is_kept || !mm_index_begin (index, &later))
    index->in_transaction = TRUE; /* the commit at its end finds that there is none */
  return is_kept;
}

void
mm_index_rollback (MmIndex *index)
{
  if (!index->in_transaction)
    return;
  index->in_transaction = FALSE;
  if (!sqlite3_get_autocommit (index->db))
    mm_index_run (index, MM_INDEX_SQL_ROLLBACK, "it cannot be written", NULL);
}

/* -1 with @error; 0: there is none. */
static gint64
find_account (MmIndex *index, const gchar *key, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_FIND_ACCOUNT);
  gint64 id = 0;

  mm_index_bind_text (statement, 1, key);
  int result_code = sqlite3_step (statement);
  if (result_code == SQLITE_ROW)
    id = sqlite3_column_int64 (statement, 0);
  else if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_FIND_ACCOUNT, result_code, "it cannot be read", error);
      return -1;
    }
  sqlite3_reset (statement);
  return id;
}

gint64
mm_index_get_account (MmIndex *index, const gchar *key, GError **error)
{
  gint64 id = find_account (index, key, error);

  if (id != 0)
    return MAX (id, 0);

  /* Another process may add the same account at this moment: then its row counts. */
  mm_index_bind_text (mm_index_statement (index, MM_INDEX_SQL_ADD_ACCOUNT), 1, key);
  if (!mm_index_run (index, MM_INDEX_SQL_ADD_ACCOUNT, "an account cannot be added", error))
    return 0;
  mm_index_note_identity (index);
  return MAX (find_account (index, key, error), 0);
}

gboolean
mm_index_load_accounts (MmIndex *index, MmIndexAccountFunc func, gpointer user_data, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_LOAD_ACCOUNTS);
  int result_code;

  while ((result_code = sqlite3_step (statement)) == SQLITE_ROW)
    func (sqlite3_column_int64 (statement, 0), (const gchar *) sqlite3_column_text (statement, 1),
          user_data);
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_LOAD_ACCOUNTS, result_code, "it cannot be read", error);
      return FALSE;
    }
  sqlite3_reset (statement);
  return TRUE;
}
