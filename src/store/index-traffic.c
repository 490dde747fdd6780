// SPDX-License-Identifier: GPL-3.0-or-later
#include "index-private.h"

#define HOURS_KEPT (7 * 24)

gboolean
mm_index_add_traffic (MmIndex *index, gint64 account, const MmIndexTraffic *traffic, GError **error)
{
  sqlite3_stmt *add = mm_index_statement (index, MM_INDEX_SQL_ADD_TRAFFIC);
  sqlite3_stmt *forget = mm_index_statement (index, MM_INDEX_SQL_FORGET_TRAFFIC);

  sqlite3_bind_int64 (add, 1, account);
  sqlite3_bind_int64 (add, 2, traffic->hour);
  sqlite3_bind_int64 (add, 3, (gint64) MIN (traffic->octets, (guint64) G_MAXINT64));
  sqlite3_bind_int64 (forget, 1, account);
  sqlite3_bind_int64 (forget, 2, traffic->hour - HOURS_KEPT);
  return mm_index_run (index, MM_INDEX_SQL_ADD_TRAFFIC, "traffic cannot be written", error)
         && mm_index_run (index, MM_INDEX_SQL_FORGET_TRAFFIC, "traffic cannot be written", error);
}

gboolean
mm_index_load_traffic (MmIndex *index, gint64 account, GArray *out, GError **error)
{
  sqlite3_stmt *statement = mm_index_statement (index, MM_INDEX_SQL_LOAD_TRAFFIC);
  int result_code;

  sqlite3_bind_int64 (statement, 1, account);
  while ((result_code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      MmIndexTraffic traffic = { .hour = sqlite3_column_int64 (statement, 0),
                                 .octets = (guint64) MAX (0, sqlite3_column_int64 (statement, 1)) };
      g_array_append_val (out, traffic);
    }
  if (result_code != SQLITE_DONE)
    {
      mm_index_fail (index, MM_INDEX_SQL_LOAD_TRAFFIC, result_code, "traffic cannot be read", error);
      return FALSE;
    }
  sqlite3_reset (statement);
  return TRUE;
}
