// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where the messages of an account are that their server calls by an object id (EMAILID of RFC 8474,
 * X-GM-MSGID, UIDL): from the number that is made of the id to its places, folder and local number.
 * Numbers are digests, so that they are the same in every mount, and also when the index was lost.
 *
 * Sixteen octets for each place, and as much room again at most; nothing where no ids are offered.
 * Thread-safe: its lock is the last of all, no other is taken under it.
 */
#pragma once

#include <mailmount/mailbox.h>

G_BEGIN_DECLS

typedef struct MmObjectMap MmObjectMap;

typedef struct
{
  guint32 folder_id;
  guint64 number; /* local number */
} MmPlace;

MmObjectMap *mm_object_map_new (void);
void mm_object_map_free (MmObjectMap *map);

/* The number of @object_id in the account called @account_key: 1 … 2^60 - 1. */
guint64 mm_object_number (const gchar *account_key, const gchar *object_id);

/* That of one which other folders may have too. What has another size or date is no name of the same
 * file, which has one of each; nor can it be the same message (RFC 8474 section 4). */
guint64 mm_object_link (guint64 number, guint32 told_size, gint64 internaldate);

/* A place may be added twice, and is there until it was removed as often. */
void mm_object_map_add (MmObjectMap *map, guint64 key, guint32 folder_id, guint64 number);
void mm_object_map_remove (MmObjectMap *map, guint64 key, guint32 folder_id, guint64 number);

/* The exact size of the message of @key, where it is another than the one told: for whoever learns of
 * another place of it. 0: none was noted. */
void mm_object_map_note_size (MmObjectMap *map, guint64 key, guint64 size);
guint64 mm_object_map_find_size (MmObjectMap *map, guint64 key);

/* All places of @key, Array<MmPlace>, by folder and number, each once. (transfer full) */
GArray *mm_object_map_dup_places (MmObjectMap *map, guint64 key);
/* The first place in one folder; 0: it is not there. */
guint64 mm_object_map_find_in (MmObjectMap *map, guint64 key, guint32 folder_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmObjectMap, mm_object_map_free)

G_END_DECLS
