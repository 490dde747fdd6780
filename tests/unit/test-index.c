// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/index.h>

#include "test-directory.h"

typedef struct
{
  gchar *directory; /* NULL: in memory */
  MmIndex *index;
  gint64 account;
} Fixture;

static MmIndex *
open_index (const gchar *directory)
{
  g_autoptr (GError) error = NULL;
  MmIndex *index = mm_index_open (directory, &error);

  g_assert_no_error (error);
  g_assert_nonnull (index);
  return index;
}

static gint64
get_account (MmIndex *index, const gchar *key)
{
  g_autoptr (GError) error = NULL;
  gint64 account = mm_index_get_account (index, key, &error);

  g_assert_no_error (error);
  g_assert_cmpint (account, >, 0);
  return account;
}

static void
set_up (Fixture *fixture, gconstpointer in_memory)
{
  fixture->directory = GPOINTER_TO_INT (in_memory) ? NULL : test_directory_new ();
  fixture->index = open_index (fixture->directory);
  fixture->account = get_account (fixture->index, "imap://user@example.org:993");
}

static void
tear_down (Fixture *fixture, gconstpointer in_memory)
{
  mm_index_close (fixture->index);
  g_clear_pointer (&fixture->directory, test_directory_free);
}

/* What is in memory stays open: the tests then look at it as it is. */
static void
reopen (Fixture *fixture)
{
  if (fixture->directory == NULL)
    return;
  mm_index_close (fixture->index);
  fixture->index = open_index (fixture->directory);
}

static MmIndexFolder
make_folder (const gchar *name)
{
  return (MmIndexFolder) { .name = name, .path = name, .delimiter = '/', .component = name,
                           .next_number = 1 };
}

static guint32
add_folder (MmIndex *index, gint64 account, const MmIndexFolder *folder)
{
  g_autoptr (GError) error = NULL;
  guint32 id = mm_index_add_folder (index, account, folder, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (id, >, 0);
  return id;
}

/* ---- what is loaded, as text, so that one comparison shows all ---- */

static void
append_folder (const MmIndexFolder *folder, gpointer data)
{
  const MmMailboxState *state = &folder->state;
  g_autofree gchar *name = g_strescape (folder->name, NULL);

  g_string_append_printf (
    data,
    "%u %s|%s|%s delimiter %d flags %u validity %" G_GUINT64_FORMAT " next %" G_GUINT64_FORMAT
    " modseq %" G_GUINT64_FORMAT " messages %d/%" G_GUINT64_FORMAT " loose %d number %"
    G_GUINT64_FORMAT " mtime %" G_GINT64_FORMAT "\n",
    folder->id, name, folder->path, folder->component, folder->delimiter, folder->flags,
    state->uidvalidity, state->uidnext, state->highestmodseq, state->has_messages, state->messages,
    state->uid_not_sticky, folder->next_number, folder->mtime_us);
}

static gchar *
dump_folders (MmIndex *index, gint64 account)
{
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  mm_index_load_folders (index, account, append_folder, text, &error);
  g_assert_no_error (error);
  return g_string_free (text, FALSE);
}

static void
append_message (const MmIndexMessage *message, gpointer data)
{
  g_string_append_printf (
    data,
    "%" G_GUINT64_FORMAT " uid %u size %" G_GUINT64_FORMAT "%s date %" G_GINT64_FORMAT
    " flags %u [%s] stem %s id %s\n",
    message->number, message->uid, message->size, message->size_is_proved ? "!" : "",
    message->internaldate, message->flags, message->keywords,
    message->stem != NULL ? message->stem : "NULL",
    message->message_id != NULL ? message->message_id : "NULL");
  if (message->told_size != (guint32) message->size || message->origin != 0)
    g_string_append_printf (data, "  told %u origin %u\n", message->told_size, message->origin);
  if (message->object != 0)
    g_string_append_printf (data, "  object %" G_GUINT64_FORMAT "%s\n", message->object,
                            message->is_linked ? " linked" : "");
}

static gchar *
dump_messages (MmIndex *index, guint32 folder)
{
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  mm_index_load_messages (index, folder, append_message, text, &error);
  g_assert_no_error (error);
  return g_string_free (text, FALSE);
}

static void
assert_messages (MmIndex *index, guint32 folder, const gchar *expected)
{
  g_autofree gchar *found = dump_messages (index, folder);

  g_assert_cmpstr (found, ==, expected);
}

static void
put (MmIndex *index, guint32 folder, guint64 number, const gchar *stem)
{
  g_autoptr (GError) error = NULL;
  MmIndexMessage message = { .number = number, .uid = (guint32) number, .keywords = "",
                             .stem = stem };

  mm_index_put_message (index, folder, &message, &error);
  g_assert_no_error (error);
}

static guint
count_lines (const gchar *text)
{
  guint n = 0;

  for (; *text != '\0'; text++)
    n += *text == '\n';
  return n;
}

static guint
count_messages (MmIndex *index, guint32 folder)
{
  g_autofree gchar *text = dump_messages (index, folder);

  return count_lines (text);
}

/* ---- accounts and folders ---- */

static void
test_account_keeps_its_number (Fixture *fixture, gconstpointer in_memory)
{
  gint64 other = get_account (fixture->index, "imap://user@example.com:993");

  g_assert_cmpint (other, !=, fixture->account);
  reopen (fixture);
  g_assert_cmpint (get_account (fixture->index, "imap://user@example.com:993"), ==, other);
  g_assert_cmpint (get_account (fixture->index, "imap://user@example.org:993"), ==,
                   fixture->account);
}

static void
test_folder_comes_back_as_it_was (Fixture *fixture, gconstpointer in_memory)
{
  const MmIndexFolder full = {
    .name = "Entw\303\274rfe/\377\001", /* a wire name may hold any octet but NUL */
    .path = "Entw\303\274rfe/%FF%01",
    .delimiter = '/',
    .component = "%FF%01",
    .flags = MM_MAILBOX_NOSELECT | MM_MAILBOX_TRASH,
    .state = { .uidvalidity = G_MAXUINT32,
               .uidnext = G_MAXUINT64,
               .highestmodseq = G_MAXINT64,
               .messages = 0,
               .has_messages = TRUE,
               .uid_not_sticky = TRUE },
    .next_number = MM_INDEX_MAX_NUMBER,
    .mtime_us = -5,
  };
  MmIndexFolder plain = make_folder ("INBOX");
  guint32 first = add_folder (fixture->index, fixture->account, &full);
  guint32 second = add_folder (fixture->index, fixture->account, &plain);

  reopen (fixture);
  g_autofree gchar *found = dump_folders (fixture->index, fixture->account);
  g_autofree gchar *expected = g_strdup_printf (
    "%u Entw\\303\\274rfe/\\377\\001|Entw\303\274rfe/%%FF%%01|%%FF%%01 delimiter 47 flags %u "
    "validity 4294967295 next 18446744073709551615 modseq 9223372036854775807 messages 1/0 loose 1 "
    "number 68719476733 mtime -5\n"
    "%u INBOX|INBOX|INBOX delimiter 47 flags 0 validity 0 next 0 modseq 0 messages 0/0 loose 0 "
    "number 1 mtime 0\n",
    first, MM_MAILBOX_NOSELECT | MM_MAILBOX_TRASH, second);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_single_facts_of_a_folder (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("a.b");
  const MmMailboxState state = { .uidvalidity = 1, .uidnext = 2, .highestmodseq = 3,
                                 .messages = 4, .has_messages = TRUE };
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  g_assert_true (mm_index_set_folder_state (fixture->index, id, &state, 77, 88, NULL));
  g_assert_true (
    mm_index_set_folder_name (fixture->index, id, "", '.', MM_MAILBOX_NOSELECT, NULL, NULL));
  g_assert_true (mm_index_set_folder_mtime (fixture->index, id, 99, NULL));
  reopen (fixture);
  g_autofree gchar *found = dump_folders (fixture->index, fixture->account);
  g_autofree gchar *expected
    = g_strdup_printf ("%u |a.b|a.b delimiter 46 flags 1 validity 1 next 2 modseq 3 messages 1/4 "
                       "loose 0 number 77 mtime 99\n",
                       id);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_folders_are_unique_by_name_or_by_path (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (GError) error = NULL;
  MmIndexFolder folder = make_folder ("INBOX");
  MmIndexFolder parent = make_folder ("a");
  gint64 other = get_account (fixture->index, "imap://other@example.org:993");

  add_folder (fixture->index, fixture->account, &folder);
  g_assert_cmpuint (mm_index_add_folder (fixture->index, fixture->account, &folder, &error), ==, 0);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
  g_clear_error (&error);
  add_folder (fixture->index, other, &folder);

  parent.name = "";
  add_folder (fixture->index, fixture->account, &parent);
  parent.path = "b";
  add_folder (fixture->index, fixture->account, &parent);
  g_assert_cmpuint (mm_index_add_folder (fixture->index, fixture->account, &parent, &error), ==, 0);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_folder_of_no_account_is_refused (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (GError) error = NULL;
  MmIndexFolder folder = make_folder ("INBOX");

  g_assert_cmpuint (mm_index_add_folder (fixture->index, 4711, &folder, &error), ==, 0);
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_folder_id_is_never_used_again (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 last = 0;

  for (guint round = 0; round < 5; round++)
    {
      guint32 id = add_folder (fixture->index, fixture->account, &folder);

      g_assert_cmpuint (id, >, last);
      g_assert_true (mm_index_remove_folder (fixture->index, id, NULL));
      last = id;
      reopen (fixture);
    }
}

/* ---- messages ---- */

static void
test_messages_come_back_in_order (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);
  const MmIndexMessage messages[] = {
    { .number = MM_INDEX_MAX_NUMBER, .uid = G_MAXUINT32, .size = G_MAXUINT64,
      .size_is_proved = TRUE, .internaldate = G_MININT64, .flags = 31,
      .told_size = G_MAXUINT32, .origin = G_MAXUINT32,
      .keywords = "$Junk k\303\274", .stem = "Gr\303\274\303\237e", .message_id = "<a@example.org>" },
    { .number = 1, .keywords = "", .message_id = "" },
    { .number = 70000, .uid = 5, .size = 12, .told_size = 11, .internaldate = -1,
      .keywords = NULL, .stem = "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (messages); i++)
    g_assert_true (mm_index_put_message (fixture->index, id, &messages[i], NULL));
  reopen (fixture);
  assert_messages (fixture->index, id,
                   "1 uid 0 size 0 date 0 flags 0 [] stem NULL id \n"
                   "70000 uid 5 size 12 date -1 flags 0 [] stem  id NULL\n"
                   "  told 11 origin 0\n"
                   "68719476733 uid 4294967295 size 18446744073709551615! date "
                   "-9223372036854775808 flags 31 [$Junk k\303\274] stem Gr\303\274\303\237e id "
                   "<a@example.org>\n"
                   "  told 4294967295 origin 4294967295\n");
}

static void
test_links_are_known_in_any_folder (Fixture *fixture, gconstpointer in_memory)
{
  const guint64 last = ((guint64) 1 << 60) - 1;
  MmIndexFolder folders[] = { make_folder ("INBOX"), make_folder ("Archive") };
  guint32 ids[] = { add_folder (fixture->index, fixture->account, &folders[0]),
                    add_folder (fixture->index, fixture->account, &folders[1]) };
  MmIndexMessage linked = { .number = 1, .keywords = "", .object = last, .is_linked = TRUE };
  MmIndexMessage alone = { .number = 2, .keywords = "", .object = 7 };

  g_assert_true (mm_index_put_message (fixture->index, ids[0], &linked, NULL));
  g_assert_true (mm_index_put_message (fixture->index, ids[1], &linked, NULL));
  g_assert_true (mm_index_put_message (fixture->index, ids[1], &alone, NULL));
  reopen (fixture);
  assert_messages (fixture->index, ids[1],
                   "1 uid 0 size 0 date 0 flags 0 [] stem NULL id NULL\n"
                   "  object 1152921504606846975 linked\n"
                   "2 uid 0 size 0 date 0 flags 0 [] stem NULL id NULL\n  object 7\n");
  g_assert_true (mm_index_remove_message (fixture->index, ids[0], 1, NULL));
  g_assert_true (mm_index_has_link (fixture->index, last));
  g_assert_false (mm_index_has_link (fixture->index, 7));
  g_assert_true (mm_index_remove_folder (fixture->index, ids[1], NULL));
  g_assert_false (mm_index_has_link (fixture->index, last));
}

static void
test_message_put_again_replaces (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  put (fixture->index, id, 7, "old");
  put (fixture->index, id, 8, "other");
  put (fixture->index, id, 7, NULL);
  assert_messages (fixture->index, id,
                   "7 uid 7 size 0 date 0 flags 0 [] stem NULL id NULL\n"
                   "8 uid 8 size 0 date 0 flags 0 [] stem other id NULL\n");
}

static void
test_number_out_of_range_is_refused (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);
  const guint64 numbers[] = { 0, MM_INDEX_MAX_NUMBER + 1, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (GError) error = NULL;
      MmIndexMessage message = { .number = numbers[i], .keywords = "" };

      g_assert_false (mm_index_put_message (fixture->index, id, &message, &error));
      g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
    }
}

static void
test_message_of_no_folder_is_refused (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (GError) error = NULL;
  MmIndexMessage message = { .number = 1, .keywords = "" };

  g_assert_false (mm_index_put_message (fixture->index, 4711, &message, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_CACHE);
}

static void
test_removed_messages_are_gone (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX"), other_folder = make_folder ("Sent");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);
  guint32 other = add_folder (fixture->index, fixture->account, &other_folder);

  for (guint64 number = 1; number <= 10; number++)
    {
      put (fixture->index, id, number, "x");
      put (fixture->index, other, number, "x");
    }
  g_assert_true (mm_index_remove_message (fixture->index, id, 3, NULL));
  g_assert_true (mm_index_remove_message (fixture->index, id, 3, NULL));
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 9);
  g_assert_true (mm_index_remove_all_messages (fixture->index, id, NULL));
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 0);
  g_assert_cmpuint (count_messages (fixture->index, other), ==, 10);
  g_assert_true (mm_index_remove_folder (fixture->index, other, NULL));
  g_assert_cmpuint (count_messages (fixture->index, other), ==, 0);
}

/* ---- transactions ---- */

static void
test_rolled_back_changes_are_gone (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  g_assert_true (mm_index_begin (fixture->index, NULL));
  put (fixture->index, id, 1, "x");
  mm_index_rollback (fixture->index);
  mm_index_rollback (fixture->index);
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 0);

  g_assert_true (mm_index_begin (fixture->index, NULL));
  put (fixture->index, id, 2, "x");
  g_assert_true (mm_index_commit (fixture->index, NULL));
  reopen (fixture);
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 1);
}

static void
test_a_refused_row_spoils_nothing_else (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  MmIndexMessage message = { .number = 1, .keywords = "" };
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  g_assert_true (mm_index_begin (fixture->index, NULL));
  put (fixture->index, id, 1, "x");
  g_assert_false (mm_index_put_message (fixture->index, 4711, &message, NULL));
  put (fixture->index, id, 2, "x");
  g_assert_true (mm_index_commit (fixture->index, NULL));
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 2);
}

static void
test_closing_rolls_back (Fixture *fixture, gconstpointer in_memory)
{
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  g_assert_true (mm_index_begin (fixture->index, NULL));
  put (fixture->index, id, 1, "x");
  reopen (fixture);
  g_assert_cmpuint (count_messages (fixture->index, id), ==, 0);
}

static void
test_others_see_what_is_committed (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (MmIndex) other = open_index (fixture->directory);
  MmIndexFolder folder = make_folder ("INBOX");
  guint32 id = add_folder (fixture->index, fixture->account, &folder);

  g_assert_true (mm_index_begin (fixture->index, NULL));
  put (fixture->index, id, 1, "x");
  g_assert_cmpuint (count_messages (other, id), ==, 0);
  g_assert_true (mm_index_commit (fixture->index, NULL));
  g_assert_cmpuint (count_messages (other, id), ==, 1);
}

#define N_WRITERS 4
#define N_ROUNDS  25

static gpointer
write_as_another (gpointer data)
{
  const gchar *directory = data;
  g_autoptr (MmIndex) index = open_index (directory);
  gint64 account = get_account (index, "imap://shared@example.org:993");

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autofree gchar *name = g_strdup_printf ("%p-%u", (gpointer) g_thread_self (), i);
      MmIndexFolder folder = make_folder (name);

      g_assert_true (mm_index_begin (index, NULL));
      guint32 id = add_folder (index, account, &folder);
      for (guint64 number = 1; number <= 50; number++)
        put (index, id, number, "x");
      g_assert_true (mm_index_commit (index, NULL));
    }
  return GINT_TO_POINTER (account);
}

/* They also open the new directory at the same moment: one of them makes the database. */
static void
test_writers_queue_behind_one_another (void)
{
  g_autoptr (TestDirectory) directory = test_directory_new ();
  GThread *threads[N_WRITERS];
  gint account = 0;

  for (guint i = 0; i < N_WRITERS; i++)
    threads[i] = g_thread_new ("writer", write_as_another, directory);
  for (guint i = 0; i < N_WRITERS; i++)
    {
      gint found = GPOINTER_TO_INT (g_thread_join (threads[i]));

      g_assert_true (i == 0 || found == account);
      account = found;
    }

  g_autoptr (MmIndex) index = open_index (directory);
  g_autofree gchar *folders = dump_folders (index, account);
  g_assert_cmpuint (count_lines (folders), ==, N_WRITERS * N_ROUNDS);
}

/* ---- in memory ---- */

static void
test_memory_is_seen_by_one_only (Fixture *fixture, gconstpointer in_memory)
{
  g_autoptr (MmIndex) other = open_index (NULL);
  MmIndexFolder folder = make_folder ("INBOX");

  add_folder (fixture->index, fixture->account, &folder);
  g_autofree gchar *folders = dump_folders (other, fixture->account);
  g_assert_cmpstr (folders, ==, "");
}

static void
add (const gchar *name, gboolean in_memory_too, void (*test) (Fixture *, gconstpointer))
{
  g_autofree gchar *disk_path = g_strconcat ("/store/index/disk/", name, NULL);
  g_autofree gchar *memory_path = g_strconcat ("/store/index/memory/", name, NULL);

  g_test_add (disk_path, Fixture, GINT_TO_POINTER (FALSE), set_up, test, tear_down);
  if (in_memory_too)
    g_test_add (memory_path, Fixture, GINT_TO_POINTER (TRUE), set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("account-keeps-its-number", TRUE, test_account_keeps_its_number);
  add ("folder-comes-back-as-it-was", TRUE, test_folder_comes_back_as_it_was);
  add ("single-facts-of-a-folder", TRUE, test_single_facts_of_a_folder);
  add ("folders-are-unique-by-name-or-by-path", TRUE, test_folders_are_unique_by_name_or_by_path);
  add ("folder-of-no-account-is-refused", TRUE, test_folder_of_no_account_is_refused);
  add ("folder-id-is-never-used-again", TRUE, test_folder_id_is_never_used_again);
  add ("messages-come-back-in-order", TRUE, test_messages_come_back_in_order);
  add ("links-are-known-in-any-folder", TRUE, test_links_are_known_in_any_folder);
  add ("message-put-again-replaces", TRUE, test_message_put_again_replaces);
  add ("number-out-of-range-is-refused", TRUE, test_number_out_of_range_is_refused);
  add ("message-of-no-folder-is-refused", TRUE, test_message_of_no_folder_is_refused);
  add ("removed-messages-are-gone", TRUE, test_removed_messages_are_gone);
  add ("rolled-back-changes-are-gone", TRUE, test_rolled_back_changes_are_gone);
  add ("a-refused-row-spoils-nothing-else", TRUE, test_a_refused_row_spoils_nothing_else);
  add ("closing-rolls-back", FALSE, test_closing_rolls_back);
  add ("others-see-what-is-committed", FALSE, test_others_see_what_is_committed);
  g_test_add ("/store/index/memory/is-seen-by-one-only", Fixture, GINT_TO_POINTER (TRUE), set_up,
              test_memory_is_seen_by_one_only, tear_down);
  g_test_add_func ("/store/index/disk/writers-queue-behind-one-another",
                   test_writers_queue_behind_one_another);
  return g_test_run ();
}
