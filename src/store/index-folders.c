// SPDX-License-Identifier: GPL-3.0-or-later
#include "index-private.h"

static const gchar *
column_text (sqlite3_stmt *statement, int column)
{
  const gchar *text = (const gchar *) sqlite3_column_text (statement, column);
  return text != NULL ? text : "";
}

static MmIndexFolder
read_folder (sqlite3_stmt *statement)
{
  return (MmIndexFolder) {
    .id = (guint32) sqlite3_column_int64 (statement, 0),
    .name = column_text (statement, 1),
    .path = column_text (statement, 2),
    .delimiter = (gchar) sqlite3_column_int (statement, 3),
    .component = column_text (statement, 4),
    .flags = (MmMailboxFlags) sqlite3_column_int (statement, 5),
    .state = {
      .uidvalidity = (guint64) sqlite3_column_int64 (statement, 6),
      .uidnext = (guint64) sqlite3_column_int64 (statement, 7),
      .highestmodseq = (guint64) sqlite3_column_int64 (statement, 8),
      .messages = (guint64) sqlite3_column_int64 (statement, 9),
      .has_messages = sqlite3_column_type (statement, 9) != SQLITE_NULL,
      .uid_not_sticky = sqlite3_column_int (statement, 10) != 0,
    },
    .next_number = (guint64) sqlite3_column_int64 (statement, 11),
    .mtime_us = sqlite3_column_int64 (statement, 12),
    .mailbox_id = (const gchar *) sqlite3_column_text (statement, 13),
  };
}

gboolean
mm_index_load_folders (MmIndex *index, gint64 account, MmIndexFolderFunc func, gpointer user_data,
                       GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_LOAD_FOLDERS);
  int result_code;

  sqlite3_bind_int64 (statement, 1, account);
  while ((result_code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      MmIndexFolder folder = read_folder (statement);
      func (&folder, user_data);
    }
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_LOAD_FOLDERS, result_code, "folders cannot be read",
                     error);
      return FALSE;
    }
  sqlite3_reset (statement);
  return TRUE;
}

/* Five parameters from @first on. */
static void
bind_state (sqlite3_stmt *statement, int first, const MmMailboxState *state)
{
  sqlite3_bind_int64 (statement, first, (gint64) state->uidvalidity);
  sqlite3_bind_int64 (statement, first + 1, (gint64) state->uidnext);
  sqlite3_bind_int64 (statement, first + 2, (gint64) state->highestmodseq);
  if (state->has_messages)
    sqlite3_bind_int64 (statement, first + 3, (gint64) state->messages);
  else
    sqlite3_bind_null (statement, first + 3);
  sqlite3_bind_int (statement, first + 4, state->uid_not_sticky != FALSE);
}

guint32
mm_index_add_folder (MmIndex *index, gint64 account, const MmIndexFolder *folder, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_ADD_FOLDER);

  mm_index_bind_text (statement, 1, folder->name);
  mm_index_bind_text (statement, 2, folder->path);
  sqlite3_bind_int (statement, 3, folder->delimiter);
  mm_index_bind_text (statement, 4, folder->component);
  sqlite3_bind_int (statement, 5, (int) folder->flags);
  bind_state (statement, 6, &folder->state);
  sqlite3_bind_int64 (statement, 11, (gint64) folder->next_number);
  sqlite3_bind_int64 (statement, 12, folder->mtime_us);
  mm_index_bind_text (statement, 13, folder->mailbox_id);
  sqlite3_bind_int64 (statement, 14, account);

  int result_code = sqlite3_step (statement);
  if (result_code == SQLITE_CONSTRAINT_CHECK)
    {
      sqlite3_reset (statement);
      g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
                   "index: the numbers for folders are used up; begin with a new cache directory");
      return 0;
    }
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_ADD_FOLDER, result_code, "a folder cannot be added",
                     error);
      return 0;
    }
  sqlite3_reset (statement);

  guint32 id = (guint32) sqlite3_last_insert_rowid (index->db);
  mm_index_note_identity (index);
  return id;
}

gboolean
mm_index_set_folder_name (MmIndex *index, guint32 folder_id, const gchar *name, gchar delimiter,
                          MmMailboxFlags flags, const gchar *mailbox_id, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_SET_FOLDER_NAME);

  sqlite3_bind_int64 (statement, 1, folder_id);
  mm_index_bind_text (statement, 2, name);
  sqlite3_bind_int (statement, 3, delimiter);
  sqlite3_bind_int (statement, 4, (int) flags);
  mm_index_bind_text (statement, 5, mailbox_id);
  return mm_index_run (index, MM_INDEX_SQL_SET_FOLDER_NAME, "a folder cannot be written", error);
}

gboolean
mm_index_move_folder (MmIndex *index, guint32 folder_id, const gchar *name, const gchar *path,
                      const gchar *component, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_MOVE_FOLDER);

  sqlite3_bind_int64 (statement, 1, folder_id);
  mm_index_bind_text (statement, 2, name);
  mm_index_bind_text (statement, 3, path);
  mm_index_bind_text (statement, 4, component);
  return mm_index_run (index, MM_INDEX_SQL_MOVE_FOLDER, "a folder cannot be written", error);
}

gboolean
mm_index_set_folder_mtime (MmIndex *index, guint32 folder_id, gint64 mtime_us, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_SET_FOLDER_MTIME);

  sqlite3_bind_int64 (statement, 1, folder_id);
  sqlite3_bind_int64 (statement, 2, mtime_us);
  return mm_index_run (index, MM_INDEX_SQL_SET_FOLDER_MTIME, "a folder cannot be written", error);
}

gboolean
mm_index_set_folder_state (MmIndex *index, guint32 folder_id, const MmMailboxState *state,
                           guint64 next_number, gint64 mtime_us, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_SET_FOLDER_STATE);

  sqlite3_bind_int64 (statement, 1, folder_id);
  bind_state (statement, 2, state);
  sqlite3_bind_int64 (statement, 7, (gint64) next_number);
  sqlite3_bind_int64 (statement, 8, mtime_us);
  return mm_index_run (index, MM_INDEX_SQL_SET_FOLDER_STATE, "a folder cannot be written", error);
}

gboolean
mm_index_remove_folder (MmIndex *index, guint32 folder_id, GError **error)
{
  sqlite3_bind_int64 (mm_index_statement (index, MM_INDEX_SQL_REMOVE_FOLDER), 1, folder_id);
  return mm_index_run (index, MM_INDEX_SQL_REMOVE_FOLDER, "a folder cannot be removed", error);
}
