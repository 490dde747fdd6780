// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A directory in memory for targets that open files, emptied before each run and removed in the end.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

static gchar *fuzz_directory_path;

static inline void
fuzz_directory_clear (const gchar *directory)
{
  g_autoptr (GDir) stream = g_dir_open (directory, 0, NULL);

  for (const gchar *name; stream != NULL && (name = g_dir_read_name (stream)) != NULL;)
    {
      g_autofree gchar *child = g_build_filename (directory, name, NULL);

      if (g_unlink (child) == 0)
        continue;
      fuzz_directory_clear (child);
      g_rmdir (child);
    }
}

static inline void
fuzz_directory_remove (void)
{
  fuzz_directory_clear (fuzz_directory_path);
  g_rmdir (fuzz_directory_path);
  g_free (fuzz_directory_path);
}

static inline const gchar *
fuzz_directory (void)
{
  if (fuzz_directory_path == NULL)
    {
      fuzz_directory_path = g_strdup ("/dev/shm/mailmount-fuzz-XXXXXX");
      if (g_mkdtemp (fuzz_directory_path) == NULL)
        g_error ("no directory in /dev/shm can be made");
      atexit (fuzz_directory_remove);
    }
  return fuzz_directory_path;
}

static inline void
fuzz_file_write (const gchar *path, const guint8 *data, gsize size)
{
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  g_assert (fd >= 0 && write (fd, data, size) == (gssize) size);
  g_assert (close (fd) == 0);
}

/*
 * A file that is mostly right gets farther than any octets: the first octet of the input says what the rest is.
 *
 *     'R'  the file itself
 *     other letters: edits of a right file, @base: triples of a place (two octets, little endian, times a step that
 *     brings the last of them near the end) and the new octet; 0xffff cuts the file at so many 256ths.
 *
 * (transfer full)
 */
static inline GByteArray *
fuzz_file_make (const guint8 *data, gsize size, GBytes *base)
{
  GByteArray *file = g_byte_array_new ();

  if (size > 0 && data[0] == 'R')
    return g_byte_array_append (file, data + 1, (guint) (size - 1));
  gsize length;
  const guint8 *octets = g_bytes_get_data (base, &length);
  gsize step = 1 + length / 0xffff;
  g_byte_array_append (file, octets, (guint) length);
  for (gsize i = 1; i + 2 < size && file->len > 0; i += 3)
    {
      gsize place = data[i] | (gsize) data[i + 1] << 8;

      if (place == 0xffff)
        g_byte_array_set_size (file, (guint) (file->len * (gsize) data[i + 2] / 256));
      else
        file->data[place * step % file->len] = data[i + 2];
    }
  return file;
}

/* What is in the file @path. */
static inline GBytes *
fuzz_file_read (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *contents;
  gsize length;

  if (!g_file_get_contents (path, &contents, &length, &error))
    g_error ("%s", error->message);
  return g_bytes_new_take (contents, length);
}
