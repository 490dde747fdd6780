// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An index file that was changed, or is none (fuzz-directory.h): it is opened, set aside or refused, and whatever is told from it is within bounds.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <mailmount/index.h>

#include "fuzz.h"
#include "fuzz-directory.h"

#define ACCOUNT "imap://user@host:993"

static void
take_message (const MmIndexMessage *message, gpointer data)
{
  g_assert (message->number >= 1 && message->number <= MM_INDEX_MAX_NUMBER);
  g_assert (message->keywords != NULL);
}

static void
take_folder (const MmIndexFolder *folder, gpointer data)
{
  GArray *ids = data;

  g_assert (folder->id >= 1 && folder->id <= MM_INDEX_MAX_FOLDER_ID);
  g_assert (folder->name != NULL && folder->path != NULL && folder->component != NULL);
  g_array_append_val (ids, folder->id);
}

static void
use (MmIndex *index)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  gint64 account = mm_index_get_account (index, ACCOUNT, NULL);
  MmIndexMessage message = { .number = 7, .uid = 7, .keywords = "", .size = 1 };
  MmIndexFolder folder = { .name = "new", .path = "new", .component = "new", .next_number = 1 };

  if (account == 0)
    return;
  mm_index_load_folders (index, account, take_folder, ids, NULL);
  for (guint i = 0; i < ids->len; i++)
    {
      guint32 id = g_array_index (ids, guint32, i);
      mm_index_load_messages (index, id, take_message, NULL, NULL);
      mm_index_put_message (index, id, &message, NULL);
    }
  mm_index_add_folder (index, account, &folder, NULL);
}

/* One with two folders and some messages. */
static GBytes *
make_base (const gchar *directory, const gchar *path)
{
  MmIndex *index = mm_index_open (directory, NULL);
  gint64 account = mm_index_get_account (index, ACCOUNT, NULL);

  for (guint i = 0; i < 2; i++)
    {
      const gchar *name = i == 0 ? "INBOX" : "Lists/many";
      MmIndexFolder folder = { .name = name, .path = name, .delimiter = '/', .component = name, .next_number = 40 };
      guint32 id = mm_index_add_folder (index, account, &folder, NULL);

      g_assert (id != 0);
      for (guint n = 1; n < 40; n++)
        {
          MmIndexMessage message = { .number = n, .uid = n * 3, .size = n * 1000, .internaldate = 1700000000 + n,
                                     .keywords = n % 5 == 0 ? "Junk" : "", .stem = "A-subject" };
          g_assert (mm_index_put_message (index, id, &message, NULL));
        }
    }
  mm_index_close (index);
  return fuzz_file_read (path);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static GBytes *base; /* for all runs */
  const gchar *directory = fuzz_directory ();
  g_autofree gchar *path = g_build_filename (directory, "index.sqlite", NULL);

  fuzz_be_quiet ();
  if (base == NULL)
    base = make_base (directory, path);
  fuzz_directory_clear (directory);
  g_autoptr (GByteArray) file = fuzz_file_make (data, size, base);
  fuzz_file_write (path, file->data, file->len);
  g_autoptr (MmIndex) index = mm_index_open (directory, NULL);
  if (index != NULL)
    use (index);
  return 0;
}
