// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/message-table.h"

static gboolean
add (MmMessageTable *table, guint64 number, guint32 uid, guint64 size)
{
  MmMessage message = { .number = number, .uid = uid, .size = size, .keywords = "" };
  return mm_message_table_add (table, &message);
}

static gchar *
describe (MmMessageTable *table)
{
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < mm_message_table_get_length (table); i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? " " : "",
                            mm_message_table_at (table, i)->number);
  return g_string_free (text, FALSE);
}

static void
assert_table (MmMessageTable *table, const gchar *expected)
{
  g_autofree gchar *text = describe (table);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_sorted (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  assert_table (table, "");
  g_assert_cmpuint (mm_message_table_get_last_number (table), ==, 0);
  for (guint i = 0; i < 5; i++)
    g_assert_true (add (table, (i * 3) % 5 + 1, (i * 3) % 5 + 1, 10));
  assert_table (table, "1 2 3 4 5");
  g_assert_cmpuint (mm_message_table_get_last_number (table), ==, 5);
  g_assert_cmpuint (mm_message_table_get_octets (table), ==, 50);
}

static void
test_no_duplicates (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  g_assert_true (add (table, 5, 5, 1));
  g_assert_false (add (table, 5, 6, 1)); /* the number */
  g_assert_false (add (table, 6, 5, 1)); /* the UID */
  g_assert_true (add (table, 7, 6, 1));
  g_assert_false (add (table, 8, 6, 1)); /* the UID, where it is not the number */
  g_assert_true (add (table, 8, 0, 1));
  g_assert_true (add (table, 9, 0, 1)); /* no UID at all */
  assert_table (table, "5 7 8 9");
  g_assert_cmpuint (mm_message_table_get_octets (table), ==, 4);
}

static void
test_find (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  add (table, 10, 1, 1);
  add (table, 11, 2, 1);
  add (table, 12, 10, 1);
  add (table, 20, 20, 1);
  g_assert_cmpuint (mm_message_table_find (table, 10)->uid, ==, 1);
  g_assert_null (mm_message_table_find (table, 1));
  g_assert_null (mm_message_table_find (table, 13));
  g_assert_null (mm_message_table_find (table, 0));
  g_assert_cmpuint (mm_message_table_find_uid (table, 1)->number, ==, 10);
  g_assert_cmpuint (mm_message_table_find_uid (table, 10)->number, ==, 12);
  g_assert_cmpuint (mm_message_table_find_uid (table, 20)->number, ==, 20);
  g_assert_null (mm_message_table_find_uid (table, 11)); /* a number, not a UID */
  g_assert_cmpuint (mm_message_table_position_after (table, 0), ==, 0);
  g_assert_cmpuint (mm_message_table_position_after (table, 12), ==, 3);
  g_assert_cmpuint (mm_message_table_position_after (table, 19), ==, 3);
  g_assert_cmpuint (mm_message_table_position_after (table, 99), ==, 4);
}

static void
test_remove (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  add (table, 10, 1, 5);
  add (table, 11, 11, 7);
  g_assert_false (mm_message_table_remove (table, 1));
  g_assert_true (mm_message_table_remove (table, 10));
  g_assert_false (mm_message_table_remove (table, 10));
  g_assert_null (mm_message_table_find_uid (table, 1));
  g_assert_cmpuint (mm_message_table_get_octets (table), ==, 7);
  g_assert_true (add (table, 12, 1, 1));
  g_assert_cmpuint (mm_message_table_find_uid (table, 1)->number, ==, 12);
}

static void
test_renumber (void)
{
  static const guint32 uids[] = { 12, 10, 3 };
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  add (table, 10, 1, 1);
  add (table, 11, 2, 1);
  add (table, 12, 12, 1);
  mm_message_table_renumber (table, uids);
  g_assert_cmpuint (mm_message_table_find_uid (table, 12)->number, ==, 10);
  g_assert_cmpuint (mm_message_table_find_uid (table, 10)->number, ==, 11);
  g_assert_cmpuint (mm_message_table_find_uid (table, 3)->number, ==, 12);
  g_assert_null (mm_message_table_find_uid (table, 1));
  g_assert_null (mm_message_table_find_uid (table, 2));
  assert_table (table, "10 11 12");
}

static gboolean
is_odd (const MmMessage *message, gconstpointer data)
{
  return message->number % 2 == 1;
}

static void
test_retain (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmMessage));

  for (guint i = 1; i <= 100000; i++)
    add (table, i, i + 500000, i);
  mm_message_table_retain (table, is_odd, NULL, gone);
  g_assert_cmpuint (mm_message_table_get_length (table), ==, 50000);
  g_assert_cmpuint (gone->len, ==, 50000);
  g_assert_cmpuint (g_array_index (gone, MmMessage, 0).number, ==, 2);
  g_assert_cmpuint (mm_message_table_get_octets (table), ==, (guint64) 50000 * 50000);
  g_assert_nonnull (mm_message_table_find_uid (table, 500001));
  g_assert_null (mm_message_table_find_uid (table, 500002));
  g_assert_null (mm_message_table_find (table, 2));
}

static void
test_strings_outlive (void)
{
  MmMessageTable *table = mm_message_table_new ();
  MmMessage message = { .number = 1, .uid = 1, .keywords = "a b", .stem = "Hello" };

  mm_message_table_add (table, &message);
  g_autoptr (MmStringPool) pool = mm_string_pool_ref (mm_message_table_get_pool (table));
  MmMessage copy = *mm_message_table_find (table, 1);
  g_assert_true (copy.stem != message.stem);
  mm_message_table_remove (table, 1);
  mm_message_table_free (table);
  g_assert_cmpstr (copy.stem, ==, "Hello");
  g_assert_cmpstr (copy.keywords, ==, "a b");
}

static void
add_with_stem (MmMessageTable *table, guint32 number)
{
  g_autofree gchar *stem = g_strdup_printf ("A-subject-of-some-length-that-is-number-%u", number);
  MmMessage message = { .number = number, .uid = number, .keywords = "a b", .stem = stem };

  g_assert_true (mm_message_table_add (table, &message));
}

static void
test_compact (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();

  for (guint i = 1; i <= 2000; i++)
    add_with_stem (table, i);
  g_autoptr (MmStringPool) held = mm_string_pool_ref (mm_message_table_get_pool (table));
  MmMessage gone = *mm_message_table_find (table, 1);
  for (guint i = 1; i <= 900; i++)
    mm_message_table_remove (table, i);
  g_assert_false (mm_message_table_is_wasteful (table)); /* more than half is of use */
  for (guint i = 901; i <= 1100; i++)
    mm_message_table_remove (table, i);
  g_assert_true (mm_message_table_is_wasteful (table));

  mm_message_table_compact (table);
  g_assert_false (mm_message_table_is_wasteful (table));
  g_assert_true (mm_message_table_get_pool (table) != held);
  g_assert_cmpstr (gone.stem, ==, "A-subject-of-some-length-that-is-number-1");
  MmMessage left = *mm_message_table_find (table, 1500);
  g_assert_cmpstr (left.stem, ==, "A-subject-of-some-length-that-is-number-1500");
  g_assert_true (left.keywords == mm_message_table_intern (table, "a b"));

  /* What was had after the hold is kept by it, from whichever pool it is. */
  g_clear_pointer (&table, mm_message_table_free);
  g_assert_cmpstr (left.stem, ==, "A-subject-of-some-length-that-is-number-1500");
}

/* A held pool with very many successors. */
static void
test_many_successors (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();
  g_autoptr (MmStringPool) held G_GNUC_UNUSED
      = mm_string_pool_ref (mm_message_table_get_pool (table));

  for (guint i = 0; i < 300000; i++)
    mm_message_table_compact (table);
}

static void
test_interned (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();
  g_autofree gchar *one = g_strdup ("x y");
  g_autofree gchar *two = g_strdup ("x y");

  g_assert_true (mm_message_table_intern (table, one) == mm_message_table_intern (table, two));
  g_assert_cmpstr (mm_message_table_intern (table, NULL), ==, "");
  g_assert_null (mm_message_table_keep (table, NULL));
  g_assert_cmpstr (mm_message_table_keep (table, ""), ==, "");
}

static void
test_against_model (void)
{
  g_autoptr (MmMessageTable) table = mm_message_table_new ();
  gboolean model[64] = { FALSE };

  for (guint i = 0; i < 20000; i++)
    {
      guint number = (guint) g_test_rand_int_range (1, 64);
      if (g_test_rand_bit ())
        {
          g_assert_cmpint (add (table, number, number, 1), ==, !model[number]);
          model[number] = TRUE;
        }
      else
        {
          g_assert_cmpint (mm_message_table_remove (table, number), ==, model[number]);
          model[number] = FALSE;
        }
      guint64 last = 0;
      gsize n = 0;
      for (guint j = 1; j < 64; j++)
        {
          n += model[j];
          last = model[j] ? j : last;
        }
      g_assert_cmpuint (mm_message_table_get_length (table), ==, n);
      g_assert_cmpuint (mm_message_table_get_last_number (table), ==, last);
      g_assert_cmpuint (mm_message_table_get_octets (table), ==, n);
      g_assert_cmpint (mm_message_table_find (table, number) != NULL, ==, model[number]);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mail/message-table/sorted-however-added", test_sorted);
  g_test_add_func ("/mail/message-table/no-number-and-no-uid-twice", test_no_duplicates);
  g_test_add_func ("/mail/message-table/found-by-number-and-uid", test_find);
  g_test_add_func ("/mail/message-table/remove", test_remove);
  g_test_add_func ("/mail/message-table/retain-many", test_retain);
  g_test_add_func ("/mail/message-table/renumber", test_renumber);
  g_test_add_func ("/mail/message-table/strings-outlive-the-table", test_strings_outlive);
  g_test_add_func ("/mail/message-table/strings-of-removed-messages-go", test_compact);
  g_test_add_func ("/mail/message-table/many-compactions-under-one-hold", test_many_successors);
  g_test_add_func ("/mail/message-table/equal-keywords-are-kept-once", test_interned);
  g_test_add_func ("/mail/message-table/against-a-model", test_against_model);
  return g_test_run ();
}
