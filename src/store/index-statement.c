// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <unistd.h>

#include <mailmount/log.h>

#include "index-open.h"
#include "index-private.h"
#include "index-schema.h"

#define FOLDER_COLUMNS                                                                        \
  "name, path, delimiter, component, flags, uidvalidity, uidnext, highestmodseq, messages, " \
  "uid_not_sticky, next_number, mtime_us, mailbox_id"
#define MESSAGE_COLUMNS \
  "number, uid, size, size_is_proved, internaldate, flags, keywords, stem, message_id, " \
  "told_size, origin, object"

static const gchar *const sql_texts[MM_INDEX_N_SQL] = {
  [MM_INDEX_SQL_BEGIN] = "BEGIN IMMEDIATE",
  [MM_INDEX_SQL_COMMIT] = "COMMIT",
  [MM_INDEX_SQL_ROLLBACK] = "ROLLBACK",
  [MM_INDEX_SQL_FIND_ACCOUNT] = "SELECT id FROM account WHERE key = ?1",
  [MM_INDEX_SQL_ADD_ACCOUNT] = "INSERT OR IGNORE INTO account (key) VALUES (?1)",
  [MM_INDEX_SQL_LOAD_ACCOUNTS] = "SELECT id, key FROM account ORDER BY id",
  [MM_INDEX_SQL_LOAD_FOLDERS]
  = "SELECT id, " FOLDER_COLUMNS " FROM folder WHERE account = ?1 ORDER BY path, id",
  [MM_INDEX_SQL_ADD_FOLDER]
  = "INSERT INTO folder (" FOLDER_COLUMNS ", account)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
  [MM_INDEX_SQL_SET_FOLDER_NAME]
  = "UPDATE folder SET name = ?2, delimiter = ?3, flags = ?4, mailbox_id = ?5 WHERE id = ?1",
  [MM_INDEX_SQL_MOVE_FOLDER]
  = "UPDATE folder SET name = ?2, path = ?3, component = ?4 WHERE id = ?1",
  [MM_INDEX_SQL_SET_FOLDER_MTIME] = "UPDATE folder SET mtime_us = ?2 WHERE id = ?1",
  [MM_INDEX_SQL_SET_FOLDER_STATE]
  = "UPDATE folder SET uidvalidity = ?2, uidnext = ?3, highestmodseq = ?4, messages = ?5,"
    " uid_not_sticky = ?6, next_number = ?7, mtime_us = ?8 WHERE id = ?1",
  [MM_INDEX_SQL_REMOVE_FOLDER] = "DELETE FROM folder WHERE id = ?1",
  [MM_INDEX_SQL_LOAD_MESSAGES]
  = "SELECT " MESSAGE_COLUMNS " FROM message WHERE folder = ?1 ORDER BY number",
  [MM_INDEX_SQL_PUT_MESSAGE]
  = "INSERT OR REPLACE INTO message (" MESSAGE_COLUMNS ", folder)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
  [MM_INDEX_SQL_REMOVE_MESSAGE] = "DELETE FROM message WHERE folder = ?1 AND number = ?2",
  [MM_INDEX_SQL_REMOVE_ALL_MESSAGES] = "DELETE FROM message WHERE folder = ?1",
  [MM_INDEX_SQL_HAS_OBJECT]
  = "SELECT 1 FROM message WHERE object IS NOT NULL AND object = ?1 LIMIT 1",
  [MM_INDEX_SQL_LOAD_LINKS]
  = "SELECT object, folder FROM message"
    " WHERE object IS NOT NULL AND object >= ?1 AND (?2 = 0 OR folder = ?2)"
    " ORDER BY object, folder",
  [MM_INDEX_SQL_ADD_TRAFFIC]
  = "INSERT INTO traffic (account, hour, octets) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (account, hour) DO UPDATE SET octets = octets + excluded.octets",
  [MM_INDEX_SQL_FORGET_TRAFFIC] = "DELETE FROM traffic WHERE account = ?1 AND hour < ?2",
  [MM_INDEX_SQL_LOAD_TRAFFIC]
  = "SELECT hour, octets FROM traffic WHERE account = ?1 ORDER BY hour",
};

int
mm_index_prepare (MmIndex *index)
{
  for (guint i = 0; i < MM_INDEX_N_SQL; i++)
    {
      int result_code = sqlite3_prepare_v3 (index->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                            &index->statements[i], NULL);
      if (result_code != SQLITE_OK)
        return result_code;
    }
  return SQLITE_OK;
}

/* Another process may be using the database, and this one is in the middle of something: it is set
 * aside when it is opened the next time. */
static void
mark_as_damaged (MmIndex *index)
{
  if (index->directory == NULL || index->is_marked)
    return;
  index->is_marked = TRUE;

  g_autofree gchar *path = g_build_filename (index->directory, MM_INDEX_DAMAGE_MARK, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd >= 0)
    close (fd);
  mm_log_warning ("the index in '%s' is damaged; it will be set aside at the next start",
                  index->directory);
}

void
mm_index_fail (MmIndex *index, MmIndexSql sql, int result_code, const gchar *what, GError **error)
{
  mm_index_schema_set_error (index->db, result_code, what, error);
  sqlite3_reset (index->statements[sql]);
  if (mm_index_schema_is_damage (result_code))
    mark_as_damaged (index);
}

gboolean
mm_index_run (MmIndex *index, MmIndexSql sql, const gchar *what, GError **error)
{
  int result_code = sqlite3_step (index->statements[sql]);

  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, sql, result_code, what, error);
      return FALSE;
    }
  sqlite3_reset (index->statements[sql]);
  return TRUE;
}
