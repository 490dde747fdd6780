// SPDX-License-Identifier: GPL-3.0-or-later
#include "reader.h"

#include <string.h>

static guint
read_field (const gchar *status, const gchar *name)
{
  const gchar *line = strstr (status, name);
  return line != NULL ? (guint) g_ascii_strtoull (line + strlen (name), NULL, 10) : 0;
}

MmReader
mm_reader_find (guint thread_id)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/%u/status", thread_id);
  g_autofree gchar *status = NULL;

  if (thread_id == 0 || !g_file_get_contents (path, &status, NULL, NULL))
    return (MmReader){ 0, 0 };
  return (MmReader){ read_field (status, "\nTgid:\t"), read_field (status, "\nPPid:\t") };
}

gboolean
mm_reader_is_served_by (const MmReader *reader, guint lister)
{
  return lister != 0 && (lister == reader->id || lister == reader->parent);
}
