// SPDX-License-Identifier: GPL-3.0-or-later
#include "message-table.h"

#include <string.h>

struct MmMessageTable
{
  GArray *messages;       /* Array<MmMessage>, ascending by number */
  GHashTable *exceptions; /* nullable; Map<uid, number *> where the two differ */
  MmStringPool *pool;     /* owned ref */
  guint64 octets;
  MmObjectMap *map;       /* nullable; borrowed */
  guint32 folder_id;      /* in @map */
  gboolean has_links;
};

G_STATIC_ASSERT (sizeof (MmMessage) <= 64);

static void
note_size (const MmMessageTable *table, const MmMessage *message)
{
  if (table->map != NULL && message->is_linked && message->size_is_proved
      && (guint32) message->size != message->told_size)
    mm_object_map_note_size (table->map, message->object, message->size);
}

/* One file has one size, under whichever name: what was learned of another name holds. */
static void
take_size (MmMessageTable *table, MmMessage *message)
{
  guint64 size = message->size_is_proved ? 0 : mm_object_map_find_size (table->map, message->object);

  if (size == 0)
    return;
  message->size_is_proved = TRUE;
  mm_message_table_set_size (table, message, size);
}

static void
tell_place (MmMessageTable *table, MmMessage *message)
{
  if (table->map == NULL || !message->has_object)
    return;
  table->has_links |= message->is_linked;
  mm_object_map_add (table->map, message->object, table->folder_id, message->number);
  note_size (table, message);
  if (message->is_linked)
    take_size (table, message);
}

static void
take_place_back (const MmMessageTable *table, const MmMessage *message)
{
  if (table->map != NULL && message->has_object)
    mm_object_map_remove (table->map, message->object, table->folder_id,
                          message->number);
}

MmMessageTable *
mm_message_table_new (void)
{
  MmMessageTable *table = g_new0 (MmMessageTable, 1);

  table->messages = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  table->pool = mm_string_pool_new ();
  return table;
}

void
mm_message_table_free (MmMessageTable *table)
{
  if (table == NULL)
    return;
  for (guint i = 0; table->map != NULL && i < table->messages->len; i++)
    take_place_back (table, mm_message_table_at (table, i));
  g_array_unref (table->messages);
  g_clear_pointer (&table->exceptions, g_hash_table_unref);
  mm_string_pool_unref (table->pool);
  g_free (table);
}

gsize
mm_message_table_get_length (const MmMessageTable *table)
{
  return table->messages->len;
}

guint64
mm_message_table_get_octets (const MmMessageTable *table)
{
  return table->octets;
}

guint64
mm_message_table_get_last_number (const MmMessageTable *table)
{
  return table->messages->len == 0
             ? 0
             : g_array_index (table->messages, MmMessage, table->messages->len - 1).number;
}

MmStringPool *
mm_message_table_get_pool (const MmMessageTable *table)
{
  return table->pool;
}

MmMessage *
mm_message_table_at (MmMessageTable *table, gsize position)
{
  return &g_array_index (table->messages, MmMessage, position);
}

gsize
mm_message_table_position_after (const MmMessageTable *table, guint64 number)
{
  gsize low = 0;
  gsize high = table->messages->len;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      if (g_array_index (table->messages, MmMessage, middle).number <= number)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

MmMessage *
mm_message_table_find (MmMessageTable *table, guint64 number)
{
  gsize position = mm_message_table_position_after (table, number);

  if (position == 0)
    return NULL;
  MmMessage *message = mm_message_table_at (table, position - 1);
  return message->number == number ? message : NULL;
}

MmMessage *
mm_message_table_find_uid (MmMessageTable *table, guint32 uid)
{
  const guint64 *number = NULL;

  if (table->exceptions != NULL)
    number = g_hash_table_lookup (table->exceptions, GUINT_TO_POINTER (uid));
  MmMessage *message = mm_message_table_find (table, number != NULL ? *number : uid);
  return message != NULL && message->uid == uid ? message : NULL;
}

const gchar *
mm_message_table_intern (MmMessageTable *table, const gchar *text)
{
  return mm_string_pool_intern (table->pool, text);
}

const gchar *
mm_message_table_keep (MmMessageTable *table, const gchar *text)
{
  return mm_string_pool_add (table->pool, text);
}

/* Has @message's strings, wherever they are, in the table's pool. */
static void
take_strings (MmMessageTable *table, MmMessage *message)
{
  message->stem = mm_string_pool_add (table->pool, message->stem);
  message->keywords = mm_string_pool_intern (table->pool, message->keywords);
  message->message_id = mm_string_pool_add (table->pool, message->message_id);
}

void
mm_message_table_follow (MmMessageTable *table, const MmMessageTable *previous)
{
  mm_string_pool_set_successor (previous->pool, table->pool);
}

gboolean
mm_message_table_is_wasteful (const MmMessageTable *table)
{
  return mm_string_pool_is_wasteful (table->pool);
}

void
mm_message_table_compact (MmMessageTable *table)
{
  g_autoptr (MmStringPool) old = table->pool;

  table->pool = mm_string_pool_new ();
  mm_string_pool_set_successor (old, table->pool);
  for (guint i = 0; i < table->messages->len; i++)
    take_strings (table, mm_message_table_at (table, i));
}

static void
remember_exception (MmMessageTable *table, const MmMessage *message)
{
  if (message->uid == message->number || message->uid == 0)
    return;
  if (table->exceptions == NULL)
    table->exceptions = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_hash_table_insert (table->exceptions, GUINT_TO_POINTER (message->uid),
                       g_memdup2 (&message->number, sizeof message->number));
}

gboolean
mm_message_table_add (MmMessageTable *table, const MmMessage *message)
{
  gsize position = table->messages->len;

  if (message->number <= mm_message_table_get_last_number (table))
    {
      position = mm_message_table_position_after (table, message->number);
      if (position > 0 && mm_message_table_at (table, position - 1)->number == message->number)
        return FALSE;
    }
  if (message->uid != 0 && mm_message_table_find_uid (table, message->uid) != NULL)
    return FALSE;

  MmMessage copy = *message;
  take_strings (table, &copy);
  g_array_insert_val (table->messages, position, copy);
  remember_exception (table, &copy);
  table->octets += copy.size;
  tell_place (table, mm_message_table_find (table, copy.number));
  return TRUE;
}

static void
forget_message (MmMessageTable *table, const MmMessage *message)
{
  if (table->exceptions != NULL && message->uid != message->number)
    g_hash_table_remove (table->exceptions, GUINT_TO_POINTER (message->uid));
  take_place_back (table, message);
  table->octets -= message->size;
  mm_string_pool_forget (table->pool, message->stem);
  mm_string_pool_forget (table->pool, message->message_id);
}

gboolean
mm_message_table_remove (MmMessageTable *table, guint64 number)
{
  gsize position = mm_message_table_position_after (table, number);

  if (position == 0 || mm_message_table_at (table, position - 1)->number != number)
    return FALSE;
  forget_message (table, mm_message_table_at (table, position - 1));
  g_array_remove_index (table->messages, position - 1);
  return TRUE;
}

void
mm_message_table_retain (MmMessageTable *table, MmMessageKeepFunc keep, gconstpointer data,
                         GArray *gone)
{
  guint n_kept = 0;

  for (guint i = 0; i < table->messages->len; i++)
    {
      const MmMessage *message = mm_message_table_at (table, i);
      if (keep (message, data))
        {
          if (n_kept != i)
            *mm_message_table_at (table, n_kept) = *message;
          n_kept++;
        }
      else
        {
          g_array_append_vals (gone, message, 1);
          forget_message (table, message);
        }
    }
  g_array_set_size (table->messages, n_kept);
}

void
mm_message_table_renumber (MmMessageTable *table, const guint32 *uids)
{
  g_clear_pointer (&table->exceptions, g_hash_table_unref);
  for (guint i = 0; i < table->messages->len; i++)
    {
      MmMessage *message = mm_message_table_at (table, i);
      message->uid = uids[i];
      remember_exception (table, message);
    }
}

void
mm_message_table_tell_places (MmMessageTable *table, MmObjectMap *map, guint32 folder_id)
{
  g_assert (table->map == NULL);
  table->map = map;
  table->folder_id = folder_id;
  for (guint i = 0; i < table->messages->len; i++)
    tell_place (table, mm_message_table_at (table, i));
}

gboolean
mm_message_table_has_links (const MmMessageTable *table)
{
  return table->has_links;
}

void
mm_message_table_drop_object (MmMessageTable *table, MmMessage *message, guint32 origin)
{
  take_place_back (table, message);
  message->has_object = message->is_linked = FALSE;
  message->origin = origin;
}

void
mm_message_table_take_object (MmMessageTable *table, MmMessage *message, guint64 object)
{
  take_place_back (table, message);
  message->has_object = TRUE;
  message->is_linked = FALSE;
  message->object = object;
  tell_place (table, message);
}

void
mm_message_table_set_size (MmMessageTable *table, MmMessage *message, guint64 size)
{
  table->octets = table->octets - message->size + size;
  message->size = size;
  note_size (table, message);
}
