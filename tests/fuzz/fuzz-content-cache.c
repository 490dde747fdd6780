// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A file of the content cache that was changed, or is none (fuzz-directory.h; 'P': of a partial one): it is dropped, or what it claims to hold can be read.
 */
#include <glib/gstdio.h>

#include <mailmount/content-cache.h>

#include "fuzz.h"
#include "fuzz-directory.h"

#define CONTENT_OCTETS 1000
#define FILE_NAME      "content-v1/000003/01/000000123"

static const MmContentKey key = { 3, 0x123, 0 };

static void
use (MmContentFile *file)
{
  guint8 buffer[512];
  guint64 size = mm_content_file_get_size (file);

  /* It takes back what is not as it was written. */
  if (!mm_content_file_verify (file))
    return;
  guint64 gap = mm_content_file_get_first_gap (file, 0);
  g_assert (gap <= size);
  g_assert (!mm_content_file_is_complete (file) || gap == size);
  gsize n = (gsize) MIN (MIN (gap, size), sizeof buffer);
  if (n > 0)
    g_assert (mm_content_file_pread (file, buffer, n, 0, NULL) == (gssize) n);
  if (size < 1 << 20 && gap < size)
    g_assert (mm_content_file_write (file, gap, "x", 1, NULL));
  mm_content_file_flush (file, NULL);
}

static MmContentCache *
open_cache (const gchar *directory)
{
  MmContentCache *cache = mm_content_cache_open (directory, NULL);

  g_assert (cache != NULL);
  return cache;
}

static GBytes *
make_base (const gchar *directory, const gchar *path, gboolean is_partial)
{
  static const guint8 content[CONTENT_OCTETS] = "From: nobody\r\n";
  g_autoptr (MmContentCache) cache = open_cache (directory);

  if (is_partial)
    {
      g_autoptr (MmContentFile) file = mm_content_cache_create (cache, key, sizeof content, NULL);

      for (guint offset = 0; offset < CONTENT_OCTETS; offset += 300)
        {
          g_assert (mm_content_file_write (file, offset, content + offset, 100, NULL));
          g_assert (mm_content_file_flush (file, NULL));
        }
    }
  else
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (content, sizeof content);

      g_assert (mm_content_cache_store (cache, key, &bytes, 1, NULL, NULL));
    }
  return fuzz_file_read (path);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static GBytes *whole, *partial; /* for all runs */
  const gchar *directory = fuzz_directory ();
  g_autofree gchar *path = g_build_filename (directory, FILE_NAME, NULL);
  g_autofree gchar *parent = g_path_get_dirname (path);

  fuzz_be_quiet ();
  if (whole == NULL)
    {
      whole = make_base (directory, path, FALSE);
      fuzz_directory_clear (directory);
      partial = make_base (directory, path, TRUE);
    }
  fuzz_directory_clear (directory);
  g_assert (g_mkdir_with_parents (parent, 0700) == 0);
  g_autoptr (GByteArray) octets = fuzz_file_make (data, size, size > 0 && data[0] == 'P' ? partial : whole);
  fuzz_file_write (path, octets->data, octets->len);
  g_autoptr (MmContentCache) cache = open_cache (directory);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);
  if (file != NULL)
    use (file);
  return 0;
}
