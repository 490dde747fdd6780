// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * COMPRESS=DEFLATE: a stream that is none is an error, and what was compressed comes back.
 */
#include <string.h>

#include <mailmount/deflate.h>

#include "fuzz.h"

/* A few octets can stand for megabytes. */
#define PLAIN_MAX (1 << 18)

/* What @octets inflate to, fed in pieces of @piece octets. NULL: no such stream. (transfer full) */
static GByteArray *
inflate_all (const guint8 *octets, gsize length, gsize piece)
{
  g_autoptr (MmDeflate) deflate = mm_deflate_new ();
  g_autoptr (GByteArray) plain = g_byte_array_new ();

  for (gsize at = 0; at < length; at += piece)
    {
      gsize size = MIN (piece, length - at);
      g_autofree guint8 *own = fuzz_copy (octets + at, size);
      g_autoptr (GError) error = NULL;
      guint8 buffer[1000];
      gssize n;

      mm_deflate_feed (deflate, own, size);
      while ((n = mm_deflate_inflate (deflate, buffer, sizeof buffer, &error)) > 0 && plain->len < PLAIN_MAX)
        g_byte_array_append (plain, buffer, (guint) n);
      if (n > 0)
        break;
      g_assert ((n < 0) == (error != NULL));
      if (n < 0)
        return NULL;
    }
  return g_steal_pointer (&plain);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  gsize piece = 1 + fuzz_hash (data, size) % 100;
  g_autoptr (GByteArray) any = inflate_all (data, size, piece);

  if (any != NULL && any->len < PLAIN_MAX)
    {
      g_autoptr (GByteArray) whole = inflate_all (data, size, size);
      g_assert (whole != NULL && whole->len == any->len
                && (any->len == 0 || memcmp (whole->data, any->data, any->len) == 0));
    }

  g_autoptr (MmDeflate) deflate = mm_deflate_new ();
  g_autoptr (GByteArray) compressed = g_byte_array_new ();
  mm_deflate_compress (deflate, data, size / 2, compressed);
  mm_deflate_compress (deflate, data + size / 2, size - size / 2, compressed);
  g_autoptr (GByteArray) back = inflate_all (compressed->data, compressed->len, piece);
  g_assert (back != NULL && back->len == MIN (size, PLAIN_MAX) && memcmp (back->data, data, back->len) == 0);
  return 0;
}
