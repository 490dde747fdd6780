// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The header of a message: whatever its subject holds (RFC 2047), the stem is UTF-8, short and without what a name
 * cannot have; and its date is one that names can show.
 */
#include <string.h>

#include <mailmount/message-header.h>
#include <mailmount/message-name.h>
#include <mailmount/subject.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *own = fuzz_copy (data, size);
  gsize length = 0;

  fuzz_be_quiet ();
  g_autofree gchar *found = mm_subject_find (own, size, &length);
  g_assert (found == NULL || (length > 0 && length <= size && found[length] == '\0'));
  if (found != NULL)
    {
      g_autofree gchar *decoded = mm_subject_decode (found, (gssize) length);
      g_assert (decoded == NULL || (decoded[0] != '\0' && g_utf8_validate (decoded, -1, NULL)));
    }
  const gchar *field = mm_message_header_find (own, size, "Received", &length);
  g_assert (field == NULL || (length > 0 && field >= own && field + length <= own + size));
  mm_message_header_get_date (own, size);
  g_autofree gchar *stem = mm_subject_stem_from_header (own, size);
  g_assert (stem == NULL || found != NULL);
  g_assert (stem == NULL || (strlen (stem) <= MM_MESSAGE_STEM_MAX && g_utf8_validate (stem, -1, NULL)));
  g_assert (stem == NULL || strpbrk (stem, "/\\:*?\"<>|\n\r\t ") == NULL);
  return 0;
}
