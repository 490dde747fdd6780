// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/message-table.h"

static gchar *
list (MmObjectMap *map, guint64 key)
{
  g_autoptr (GArray) places = mm_object_map_dup_places (map, key);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < places->len; i++)
    {
      const MmPlace *place = &g_array_index (places, MmPlace, i);
      g_string_append_printf (text, "%s%u:%" G_GUINT64_FORMAT, i > 0 ? " " : "", place->folder_id,
                              place->number);
    }
  return g_string_free (text, FALSE);
}

static void
assert_places (MmObjectMap *map, guint64 key, const gchar *expected)
{
  g_autofree gchar *text = list (map, key);
  g_assert_cmpstr (text, ==, expected);
}

/* ---- numbers ---- */

/* They are in other people's backups, as inodes: never change them. */
static void
test_numbers_are_frozen (void)
{
  guint64 number = mm_object_number ("imap://me@example.org:993", "M6d99ac3275bb4e");

  g_assert_cmpuint (number, ==, G_GUINT64_CONSTANT (651043056752546645));
  g_assert_cmpuint (mm_object_link (number, 1234, 1700000000), ==,
                    G_GUINT64_CONSTANT (205588433096656437));
}

static void
test_numbers_differ (void)
{
  guint64 number = mm_object_number ("imap://a", "b");
  guint64 link = mm_object_link (number, 1, 2);

  g_assert_cmpuint (number, <=, MM_OBJECT_MAX_NUMBER);
  g_assert_cmpuint (number, !=, mm_object_number ("imap://ab", ""));
  g_assert_cmpuint (number, !=, mm_object_number ("imap://b", "a"));
  g_assert_cmpuint (link, <=, MM_OBJECT_MAX_NUMBER);
  /* A file has one size and one mtime. */
  g_assert_cmpuint (mm_object_link (number, 2, 2), !=, link);
  g_assert_cmpuint (mm_object_link (number, 1, 3), !=, link);
}

/* ---- places ---- */

static void
test_places (void)
{
  g_autoptr (MmObjectMap) map = mm_object_map_new ();

  assert_places (map, 9, "");
  mm_object_map_remove (map, 9, 1, 1);
  mm_object_map_add (map, 9, 16777215, ((guint64) 1 << 36) - 3);
  mm_object_map_add (map, 9, 2, 7);
  mm_object_map_add (map, 9, 2, 5);
  mm_object_map_add (map, 8, 2, 6);
  assert_places (map, 9, "2:5 2:7 16777215:68719476733");
  g_assert_cmpuint (mm_object_map_find_in (map, 9, 2), ==, 5);
  g_assert_cmpuint (mm_object_map_find_in (map, 9, 3), ==, 0);
  /* Told twice while one table comes in the place of another. */
  mm_object_map_add (map, 9, 2, 5);
  assert_places (map, 9, "2:5 2:7 16777215:68719476733");
  mm_object_map_remove (map, 9, 2, 5);
  assert_places (map, 9, "2:5 2:7 16777215:68719476733");
  mm_object_map_remove (map, 9, 2, 5);
  mm_object_map_remove (map, 9, 3, 5);
  assert_places (map, 9, "2:7 16777215:68719476733");
  assert_places (map, 8, "2:6");
}

/* Against a list that is gone through. */
static void
test_random_changes (void)
{
  g_autoptr (MmObjectMap) map = mm_object_map_new ();
  guint8 model[40][4][8] = { 0 };

  for (guint i = 0; i < 20000; i++)
    {
      guint key = (guint) g_test_rand_int_range (1, 40);
      guint folder = (guint) g_test_rand_int_range (0, 4);
      guint number = (guint) g_test_rand_int_range (0, 8);
      guint8 *n = &model[key][folder][number];

      if (*n < 2 && g_test_rand_bit ())
        {
          mm_object_map_add (map, key, folder, number);
          (*n)++;
        }
      else if (*n > 0)
        {
          mm_object_map_remove (map, key, folder, number);
          (*n)--;
        }
      g_autoptr (GString) expected = g_string_new (NULL);
      key = (guint) g_test_rand_int_range (1, 40);
      for (folder = 0; folder < 4; folder++)
        for (number = 0; number < 8; number++)
          if (model[key][folder][number] > 0)
            g_string_append_printf (expected, "%s%u:%u", expected->len > 0 ? " " : "", folder,
                                    number);
      assert_places (map, key, expected->str);
    }
}

/* ---- a table's messages ---- */

static void
test_follows_a_table (void)
{
  g_autoptr (MmObjectMap) map = mm_object_map_new ();
  MmMessageTable *table = mm_message_table_new ();
  MmMessage message = { .number = 1, .uid = 1, .keywords = "", .has_object = TRUE, .object = 5 };

  mm_message_table_add (table, &message);
  mm_message_table_tell_places (table, map, 3);
  message.number = message.uid = 2;
  mm_message_table_add (table, &message);
  message.number = message.uid = 4;
  message.is_linked = TRUE;
  message.object = 6;
  mm_message_table_add (table, &message);
  assert_places (map, 5, "3:1 3:2");
  assert_places (map, 6, "3:4");
  mm_message_table_remove (table, 1);
  assert_places (map, 5, "3:2");
  mm_message_table_drop_object (table, mm_message_table_find (table, 4), 77);
  assert_places (map, 6, "");
  g_assert_cmpuint (mm_message_table_find (table, 4)->origin, ==, 77);
  mm_message_table_free (table);
  assert_places (map, 5, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/object-map/numbers-are-frozen", test_numbers_are_frozen);
  g_test_add_func ("/object-map/numbers-differ", test_numbers_differ);
  g_test_add_func ("/object-map/places", test_places);
  g_test_add_func ("/object-map/random-changes", test_random_changes);
  g_test_add_func ("/object-map/follows-a-table", test_follows_a_table);
  return g_test_run ();
}
