// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-keywords.h"

#include <string.h>

#include <mailmount/utf7.h>

const gchar *
mm_imap_keywords_tell (const MmImapFetch *fetch, GString *buffer)
{
  const gchar *keywords = fetch->has_flags && fetch->keywords != NULL ? fetch->keywords : "";

  if (!fetch->has_labels)
    return keywords;
  g_string_assign (buffer, keywords);
  g_string_append_c (buffer, '\n');
  for (const gchar *label = fetch->labels, *end; (end = strchr (label, '\n')) != NULL;
       label = end + 1)
    {
      g_autofree gchar *decoded = mm_utf7_to_utf8 (label, end - label);

      if (decoded != NULL)
        g_string_append (buffer, decoded);
      else
        g_string_append_len (buffer, label, end - label);
      g_string_append_c (buffer, '\n');
    }
  return buffer->str;
}
