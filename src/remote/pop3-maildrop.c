// SPDX-License-Identifier: GPL-3.0-or-later
#include "pop3-maildrop.h"

struct MmPop3Maildrop
{
  GArray *entries;       /* of MmPop3Entry, in the order told, which is that of numbers */
  GHashTable *by_number; /* Map<guint number, guint index + 1> */
  GHashTable *by_id;     /* Map<gchar *unique_id, guint index + 1>; the keys are the strings' */
  GHashTable *by_uid;    /* Map<guint uid, guint index + 1> */
  GStringChunk *strings;
};

MmPop3Maildrop *
mm_pop3_maildrop_new (void)
{
  MmPop3Maildrop *maildrop = g_new (MmPop3Maildrop, 1);

  maildrop->entries = g_array_new (FALSE, TRUE, sizeof (MmPop3Entry));
  maildrop->by_number = g_hash_table_new (NULL, NULL);
  maildrop->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  maildrop->by_uid = g_hash_table_new (NULL, NULL);
  maildrop->strings = g_string_chunk_new (4096);
  return maildrop;
}

void
mm_pop3_maildrop_free (MmPop3Maildrop *maildrop)
{
  g_array_unref (maildrop->entries);
  g_hash_table_unref (maildrop->by_number);
  g_hash_table_unref (maildrop->by_id);
  g_hash_table_unref (maildrop->by_uid);
  g_string_chunk_free (maildrop->strings);
  g_free (maildrop);
}

guint
mm_pop3_maildrop_get_length (const MmPop3Maildrop *maildrop)
{
  return maildrop->entries->len;
}

MmPop3Entry *
mm_pop3_maildrop_at (const MmPop3Maildrop *maildrop, guint index)
{
  return &g_array_index (maildrop->entries, MmPop3Entry, index);
}

static MmPop3Entry *
look_up (const MmPop3Maildrop *maildrop, GHashTable *table, gconstpointer key)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (table, key));

  return place != 0 ? mm_pop3_maildrop_at (maildrop, place - 1) : NULL;
}

MmPop3Entry *
mm_pop3_maildrop_find (const MmPop3Maildrop *maildrop, guint32 uid)
{
  return look_up (maildrop, maildrop->by_uid, GUINT_TO_POINTER (uid));
}

/* ---- listing ---- */

gboolean
mm_pop3_maildrop_add (MmPop3Maildrop *maildrop, guint32 number, guint64 size, GError **error)
{
  MmPop3Entry entry = { .number = number, .told_size = size };

  g_array_append_val (maildrop->entries, entry);
  if (g_hash_table_insert (maildrop->by_number, GUINT_TO_POINTER (number),
                           GUINT_TO_POINTER (maildrop->entries->len)))
    return TRUE;
  g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "the server lists message %u twice", number);
  return FALSE;
}

gboolean
mm_pop3_maildrop_set_unique_id (MmPop3Maildrop *maildrop, guint32 number, const gchar *unique_id,
                                GError **error)
{
  MmPop3Entry *entry = look_up (maildrop, maildrop->by_number, GUINT_TO_POINTER (number));
  g_autofree gchar *other = NULL;

  if (entry == NULL || entry->unique_id != NULL)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
                   "the server gives message %u a unique id, but lists %s", number,
                   entry == NULL ? "no such message" : "another one");
      return FALSE;
    }
  /* No unique id of the server's has a blank in it. */
  for (guint n = 2; g_hash_table_contains (maildrop->by_id, other != NULL ? other : unique_id); n++)
    {
      g_free (other);
      other = g_strdup_printf ("%s %u", unique_id, n);
    }
  entry->unique_id
      = g_string_chunk_insert (maildrop->strings, other != NULL ? other : unique_id);
  g_hash_table_insert (maildrop->by_id, (gpointer) entry->unique_id,
                       GUINT_TO_POINTER (entry - mm_pop3_maildrop_at (maildrop, 0) + 1));
  return TRUE;
}

static gboolean
is_number_of (const gchar *unique_id, guint32 number)
{
  g_autofree gchar *digits = g_strdup_printf ("%u", number);

  return g_strcmp0 (unique_id, digits) == 0;
}

gboolean
mm_pop3_maildrop_drop_numbers (MmPop3Maildrop *maildrop)
{
  for (guint i = 0; i < maildrop->entries->len; i++)
    {
      const MmPop3Entry *entry = mm_pop3_maildrop_at (maildrop, i);

      if (!is_number_of (entry->unique_id, entry->number))
        return FALSE;
    }
  g_hash_table_remove_all (maildrop->by_id);
  for (guint i = 0; i < maildrop->entries->len; i++)
    mm_pop3_maildrop_at (maildrop, i)->unique_id = NULL;
  return maildrop->entries->len > 0;
}

/* ---- UIDs ---- */

/* 0 and what another message has already is no UID. */
static void
set_uid (MmPop3Maildrop *maildrop, guint index, guint32 uid)
{
  if (uid == 0 || g_hash_table_contains (maildrop->by_uid, GUINT_TO_POINTER (uid)))
    return;
  mm_pop3_maildrop_at (maildrop, index)->uid = uid;
  g_hash_table_insert (maildrop->by_uid, GUINT_TO_POINTER (uid), GUINT_TO_POINTER (index + 1));
}

gboolean
mm_pop3_maildrop_complete (MmPop3Maildrop *maildrop, const MmPop3Maildrop *before, GError **error)
{
  for (guint i = 0; i < maildrop->entries->len; i++)
    {
      MmPop3Entry *entry = mm_pop3_maildrop_at (maildrop, i);

      if (entry->unique_id == NULL)
        {
          g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL,
                       "the server lists message %u without a unique id", entry->number);
          return FALSE;
        }
      const MmPop3Entry *earlier
          = before != NULL ? look_up (before, before->by_id, entry->unique_id) : NULL;
      if (earlier == NULL)
        continue;
      entry->is_new = earlier->is_measured && earlier->true_size == earlier->told_size
                      && earlier->told_size != entry->told_size;
      if (entry->is_new)
        continue;
      set_uid (maildrop, i, earlier->uid);
      entry->is_measured = earlier->is_measured && earlier->told_size == entry->told_size;
      entry->true_size = earlier->true_size;
    }
  return TRUE;
}

void
mm_pop3_maildrop_ask_uids (MmPop3Maildrop *maildrop, MmRemoteKnownUidFunc func, gpointer user_data)
{
  for (guint i = 0; func != NULL && i < maildrop->entries->len; i++)
    {
      const MmPop3Entry *entry = mm_pop3_maildrop_at (maildrop, i);

      if (entry->uid == 0 && !entry->is_new)
        set_uid (maildrop, i, func (MM_POP3_MAILBOX, entry->unique_id, user_data));
    }
}

gboolean
mm_pop3_maildrop_give_uids (MmPop3Maildrop *maildrop, guint64 *next_uid, GError **error)
{
  guint64 next = MAX (*next_uid, 1);

  for (guint i = 0; i < maildrop->entries->len; i++)
    next = MAX (next, (guint64) mm_pop3_maildrop_at (maildrop, i)->uid + 1);
  for (guint i = 0; i < maildrop->entries->len; i++)
    {
      if (mm_pop3_maildrop_at (maildrop, i)->uid != 0)
        continue;
      if (next > G_MAXUINT32)
        {
          g_set_error_literal (error, MM_ERROR, MM_ERROR_LIMIT,
                               "all numbers for messages of this account are used up");
          return FALSE;
        }
      set_uid (maildrop, i, (guint32) next++);
    }
  *next_uid = next;
  return TRUE;
}

gboolean
mm_pop3_maildrop_has_all_uids (const MmPop3Maildrop *maildrop)
{
  return g_hash_table_size (maildrop->by_uid) == maildrop->entries->len;
}
