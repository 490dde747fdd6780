// SPDX-License-Identifier: GPL-3.0-or-later
#include "index-private.h"

#define LINKED ((gint64) 1 << 60)

static MmIndexMessage
read_message (sqlite3_stmt *statement)
{
  const gchar *keywords = (const gchar *) sqlite3_column_text (statement, 6);
  gint64 size = sqlite3_column_int64 (statement, 2);
  gint64 object = sqlite3_column_int64 (statement, 11);
  gboolean is_told_size = sqlite3_column_type (statement, 9) == SQLITE_NULL;

  return (MmIndexMessage) {
    .number = (guint64) sqlite3_column_int64 (statement, 0),
    .uid = (guint32) sqlite3_column_int64 (statement, 1),
    .size = (guint64) size,
    .size_is_proved = sqlite3_column_int (statement, 3) != 0,
    .internaldate = sqlite3_column_int64 (statement, 4),
    .flags = (MmMessageFlags) sqlite3_column_int (statement, 5),
    .keywords = keywords != NULL ? keywords : "",
    .stem = (const gchar *) sqlite3_column_text (statement, 7),
    .message_id = (const gchar *) sqlite3_column_text (statement, 8),
    .told_size = (guint32) (is_told_size ? size : sqlite3_column_int64 (statement, 9)),
    .origin = (guint32) sqlite3_column_int64 (statement, 10),
    .object = (guint64) (object & (LINKED - 1)),
    .is_linked = (object & LINKED) != 0 && (object & (LINKED - 1)) != 0,
  };
}

gboolean
mm_index_load_messages (MmIndex *index, guint32 folder_id, MmIndexMessageFunc func,
                        gpointer user_data, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_LOAD_MESSAGES);
  int result_code;

  sqlite3_bind_int64 (statement, 1, folder_id);
  while ((result_code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      MmIndexMessage message = read_message (statement);

      /* What damage may have left in a row must not reach an inode number. */
      if (message.number < 1 || message.number > MM_INDEX_MAX_NUMBER)
        {
          result_code = SQLITE_CORRUPT;
          break;
        }
      func (&message, user_data);
    }
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_LOAD_MESSAGES, result_code, "messages cannot be read",
                     error);
      return FALSE;
    }
  sqlite3_reset (statement);
  return TRUE;
}

gboolean
mm_index_put_message (MmIndex *index, guint32 folder_id, const MmIndexMessage *message,
                      GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_PUT_MESSAGE);
  gboolean has_keywords = message->keywords != NULL && message->keywords[0] != '\0';

  if (message->number < 1 || message->number > MM_INDEX_MAX_NUMBER)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "index: %" G_GUINT64_FORMAT " is not a message's number", message->number);
      return FALSE;
    }
  sqlite3_bind_int64 (statement, 1, (gint64) message->number);
  sqlite3_bind_int64 (statement, 2, message->uid);
  sqlite3_bind_int64 (statement, 3, (gint64) message->size);
  sqlite3_bind_int (statement, 4, message->size_is_proved != FALSE);
  sqlite3_bind_int64 (statement, 5, message->internaldate);
  sqlite3_bind_int (statement, 6, (int) message->flags);
  /* NULL takes no space in a row. */
  mm_index_bind_text (statement, 7, has_keywords ? message->keywords : NULL);
  mm_index_bind_text (statement, 8, message->stem);
  mm_index_bind_text (statement, 9, message->message_id);
  if (message->told_size == (guint32) message->size)
    sqlite3_bind_null (statement, 10);
  else
    sqlite3_bind_int64 (statement, 10, message->told_size);
  if (message->origin == 0)
    sqlite3_bind_null (statement, 11);
  else
    sqlite3_bind_int64 (statement, 11, message->origin);
  if (message->object == 0)
    sqlite3_bind_null (statement, 12);
  else
    sqlite3_bind_int64 (statement, 12,
                        (gint64) message->object | (message->is_linked ? LINKED : 0));
  sqlite3_bind_int64 (statement, 13, folder_id);
  return mm_index_run (index, MM_INDEX_SQL_PUT_MESSAGE, "a message cannot be written", error);
}

gboolean
mm_index_remove_message (MmIndex *index, guint32 folder_id, guint64 number, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_REMOVE_MESSAGE);

  sqlite3_bind_int64 (statement, 1, folder_id);
  sqlite3_bind_int64 (statement, 2, (gint64) number);
  return mm_index_run (index, MM_INDEX_SQL_REMOVE_MESSAGE, "a message cannot be removed", error);
}

gboolean
mm_index_has_link (MmIndex *index, guint64 link)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_HAS_OBJECT);

  sqlite3_bind_int64 (statement, 1, (gint64) link | LINKED);
  gboolean has_none = sqlite3_step (statement) == SQLITE_DONE;
  sqlite3_reset (statement);
  return !has_none;
}

gboolean
mm_index_load_links (MmIndex *index, guint32 folder_id, MmIndexLinkFunc func, gpointer user_data,
                     GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_LOAD_LINKS);
  int result_code;

  sqlite3_bind_int64 (statement, 1, LINKED);
  sqlite3_bind_int64 (statement, 2, folder_id);
  while ((result_code = sqlite3_step (statement)) == SQLITE_ROW)
    func ((guint64) (sqlite3_column_int64 (statement, 0) & (LINKED - 1)),
          (guint32) sqlite3_column_int64 (statement, 1), user_data);
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_LOAD_LINKS, result_code, "messages cannot be read", error);
      return FALSE;
    }
  sqlite3_reset (statement);
  return TRUE;
}

gboolean
mm_index_remove_all_messages (MmIndex *index, guint32 folder_id, GError **error)
{
  sqlite3_bind_int64 (mm_index_statement (index, MM_INDEX_SQL_REMOVE_ALL_MESSAGES), 1, folder_id);
  return mm_index_run (index, MM_INDEX_SQL_REMOVE_ALL_MESSAGES, "messages cannot be removed",
                       error);
}
