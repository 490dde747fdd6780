// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The messages of one mailbox, sorted by local number, 64 octets each, with their strings in a pool.
 * Not thread-safe: the mailbox's lock guards it. The pool's strings never move and may be read
 * without the lock by whoever holds a reference to the pool.
 */
#pragma once

#include "object-map.h"
#include "string-pool.h"

typedef struct MmMessageTable MmMessageTable;

MmMessageTable *mm_message_table_new (void);
void mm_message_table_free (MmMessageTable *table);

gsize mm_message_table_get_length (const MmMessageTable *table);
guint64 mm_message_table_get_octets (const MmMessageTable *table);
guint64 mm_message_table_get_last_number (const MmMessageTable *table); /* 0: empty */
MmStringPool *mm_message_table_get_pool (const MmMessageTable *table);

/* Copies @message and its strings. FALSE when the number or the UID is there already. Appending in
 * ascending order is cheap; anything else moves what stands above. */
gboolean mm_message_table_add (MmMessageTable *table, const MmMessage *message);
gboolean mm_message_table_remove (MmMessageTable *table, guint64 number);

/* Removes, in one pass, every message of which @keep says FALSE, and appends it to @gone
 * (Array<MmMessage>). */
typedef gboolean (*MmMessageKeepFunc) (const MmMessage *message, gconstpointer data);
void mm_message_table_retain (MmMessageTable *table, MmMessageKeepFunc keep, gconstpointer data,
                              GArray *gone);

/* Gives each message another UID: @uids, by position, all different. The numbers stay. */
void mm_message_table_renumber (MmMessageTable *table, const guint32 *uids);

/* Borrowed until the next add or remove; NULL when there is none. */
MmMessage *mm_message_table_find (MmMessageTable *table, guint64 number);
MmMessage *mm_message_table_find_uid (MmMessageTable *table, guint32 uid);
/* By position, 0 … length - 1. */
MmMessage *mm_message_table_at (MmMessageTable *table, gsize position);
/* The position of the first message with a number above @number. */
gsize mm_message_table_position_after (const MmMessageTable *table, guint64 number);

void mm_message_table_set_size (MmMessageTable *table, MmMessage *message, guint64 size);

/* From now on @map knows where the messages with objects are: in @folder_id, under their numbers. For as
 * long as they are in the table. Borrowed; must outlive the table. */
void mm_message_table_tell_places (MmMessageTable *table, MmObjectMap *map, guint32 folder_id);
/* TRUE when one of its messages is linked, or was. */
gboolean mm_message_table_has_links (const MmMessageTable *table);
/* @message is to be known by its place alone, and its content by @origin. */
void mm_message_table_drop_object (MmMessageTable *table, MmMessage *message, guint32 origin);
/* @message has another object than before, which no other folder has. */
void mm_message_table_take_object (MmMessageTable *table, MmMessage *message, guint64 object);

/* Strings owned by the pool, equal ones shared for keywords. */
const gchar *mm_message_table_intern (MmMessageTable *table, const gchar *text);
const gchar *mm_message_table_keep (MmMessageTable *table, const gchar *text);

/* Who holds the strings of @previous, whose end this is, has those of @table as well. */
void mm_message_table_follow (MmMessageTable *table, const MmMessageTable *previous);

/* TRUE when most of the pool are strings of messages that were removed. */
gboolean mm_message_table_is_wasteful (const MmMessageTable *table);
/* Moves the strings into a new pool, the old one's successor. Messages stay where they are; strings
 * that were had from the table before are void unless their pool is held. */
void mm_message_table_compact (MmMessageTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmMessageTable, mm_message_table_free)
