// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Modified UTF-7: what can be decoded is canonical, so that encoding gives the same octets again; and any UTF-8 comes
 * back from being encoded and decoded.
 */
#include <string.h>

#include <mailmount/utf7.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *own = fuzz_copy (data, size);
  g_autofree gchar *decoded = mm_utf7_to_utf8 (own, (gssize) size);

  if (decoded != NULL)
    {
      g_assert (g_utf8_validate (decoded, -1, NULL));
      g_autofree gchar *encoded = mm_utf7_from_utf8 (decoded, -1);
      g_assert (encoded != NULL && strlen (encoded) == size && memcmp (encoded, data, size) == 0);
    }
  g_autofree gchar *encoded = mm_utf7_from_utf8 (own, (gssize) size);
  g_assert ((encoded != NULL) == g_utf8_validate_len (own, size, NULL));
  if (encoded != NULL)
    {
      g_autofree gchar *back = mm_utf7_to_utf8 (encoded, -1);
      g_assert (back != NULL && strlen (back) == size && memcmp (back, data, size) == 0);
    }
  return 0;
}
