// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs a target once on each file named, or in a directory named: what the fuzzer found stays a test, without one.
 * TAP, a line for each argument.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static guint
replay_file (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *contents;
  gsize length;

  if (!g_file_get_contents (path, &contents, &length, &error))
    g_error ("%s", error->message);
  g_autofree guint8 *own = fuzz_copy ((const guint8 *) contents, length);
  g_free (contents);
  fprintf (stderr, "%s\n", path); /* the last one is the one that crashed */
  LLVMFuzzerTestOneInput (own, length);
  return 1;
}

static guint
replay (const gchar *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint n = 0;

  if (directory == NULL)
    return replay_file (path);
  for (const gchar *name; (name = g_dir_read_name (directory)) != NULL;)
    {
      g_autofree gchar *child = g_build_filename (path, name, NULL);
      n += replay_file (child);
    }
  return n;
}

int
main (int argc, char **argv)
{
  printf ("1..%d\n", argc - 1);
  for (int i = 1; i < argc; i++)
    {
      guint n = replay (argv[i]);
      g_autofree gchar *name = g_path_get_basename (argv[i]);

      /* An empty corpus tests nothing. */
      printf ("%s %d /fuzz/%s\n# %u inputs\n", n > 0 ? "ok" : "not ok", i, name, n);
    }
  return EXIT_SUCCESS;
}
