// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The tables of the index and how an older database becomes one of today. PRAGMA user_version
 * counts the steps a database has been through; PRAGMA application_id says that it is ours.
 */
#pragma once

#include <sqlite3.h>

#include <mailmount/error.h>

G_BEGIN_DECLS

#define MM_INDEX_APPLICATION_ID 0x4d4d4958 /* "MMIX" */

/* The steps from nothing to today, NULL-terminated: step i leads from version i to i + 1. A step
 * that was released is never changed again. */
extern const gchar *const mm_index_schema_steps[];

typedef enum
{
  MM_INDEX_SCHEMA_EMPTY,    /* a database without anything in it */
  MM_INDEX_SCHEMA_OURS,     /* one of ours, of this or an older version */
  MM_INDEX_SCHEMA_UNUSABLE, /* damaged, newer, or not ours */
  MM_INDEX_SCHEMA_FAILED,   /* it cannot be told now: busy, no space, I/O error */
} MmIndexSchemaState;

/* What @db is, without writing. @error is set for UNUSABLE and FAILED. */
MmIndexSchemaState mm_index_schema_inspect (sqlite3 *db, const gchar *const *steps, GError **error);

/* Brings an EMPTY or OURS @db to the last of @steps, in one transaction. Returns OURS, UNUSABLE or
 * FAILED. */
MmIndexSchemaState mm_index_schema_upgrade (sqlite3 *db, const gchar *const *steps, GError **error);

/* A check that is cheap at any size: the tables of accounts and folders, not of messages. Returns
 * OURS, UNUSABLE or FAILED. */
MmIndexSchemaState mm_index_schema_check (sqlite3 *db, GError **error);

/* TRUE for result codes that say the database file itself is no good. */
gboolean mm_index_schema_is_damage (int result_code);

/* Sets @error from the last failure of @db, whose result code is @result_code. */
void mm_index_schema_set_error (sqlite3 *db, int result_code, const gchar *what, GError **error);

G_END_DECLS
