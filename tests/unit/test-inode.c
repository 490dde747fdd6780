// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/index.h>

#include "../../src/vfs/inode.h"

#define FOLDER_MAX MM_INDEX_MAX_FOLDER_ID
#define NUMBER_MAX MM_INDEX_MAX_NUMBER

static const guint32 folders[] = { 0, 1, 2, 255, 65536, FOLDER_MAX - 1, FOLDER_MAX };
static const guint64 numbers[]
    = { 0, 1, 2, G_MAXUINT32, (guint64) G_MAXUINT32 + 1, NUMBER_MAX - 1, NUMBER_MAX };

static void
test_round_trip (void)
{
  for (guint kind = MM_NODE_FOLDER; kind <= MM_NODE_REPORT; kind++)
    for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
      for (guint j = 0; j < G_N_ELEMENTS (numbers); j++)
        {
          guint64 inode = mm_inode_make ((MmNodeKind) kind, folders[i], numbers[j]);
          g_assert_cmpuint (mm_inode_get_kind (inode), ==, kind);
          g_assert_cmpuint (mm_inode_get_folder (inode), ==, folders[i]);
          g_assert_cmpuint (mm_inode_get_number (inode), ==, numbers[j]);
        }
}

static void
test_distinct (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  for (guint kind = MM_NODE_FOLDER; kind <= MM_NODE_REPORT; kind++)
    for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
      for (guint j = 0; j < G_N_ELEMENTS (numbers); j++)
        {
          guint64 inode = mm_inode_make ((MmNodeKind) kind, folders[i], numbers[j]);
          g_assert_true (g_hash_table_add (seen, g_memdup2 (&inode, sizeof inode)));
          g_assert_cmpuint (inode, >, 1); /* the root's */
        }
}

static void
test_positive (void)
{
  g_assert_cmpint ((gint64) mm_inode_make (MM_NODE_MESSAGE, FOLDER_MAX, NUMBER_MAX), >, 0);
}

static void
test_frozen (void)
{
  /* Backups remember them. */
  g_assert_cmpuint (mm_inode_make (MM_NODE_FOLDER, 3, 0), ==, G_GUINT64_CONSTANT (0x1000003000000000));
  g_assert_cmpuint (mm_inode_make (MM_NODE_MESSAGE, 3, 17), ==,
                    G_GUINT64_CONSTANT (0x2000003000000011));
}

static void
test_offsets (void)
{
  g_assert_cmpint (MM_OFFSET_SELF, >, 0);
  g_assert_cmpint (MM_OFFSET_SELF, <, MM_OFFSET_PARENT);
  g_assert_cmpint (MM_OFFSET_PARENT, <, MM_OFFSET_MESSAGES + 1);
  g_assert_cmpint (MM_OFFSET_MESSAGES + (gint64) NUMBER_MAX, <, MM_OFFSET_FOLDERS);
  g_assert_cmpint (MM_OFFSET_FOLDERS + (gint64) FOLDER_MAX, >, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vfs/inode/round-trip", test_round_trip);
  g_test_add_func ("/vfs/inode/no-two-are-the-same", test_distinct);
  g_test_add_func ("/vfs/inode/positive-as-signed", test_positive);
  g_test_add_func ("/vfs/inode/frozen", test_frozen);
  g_test_add_func ("/vfs/inode/offsets-are-in-order", test_offsets);
  return g_test_run ();
}
