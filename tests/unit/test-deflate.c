// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/deflate.h>

/* Feeds @compressed in pieces of @piece octets and takes plain octets @size at a time. */
static GByteArray *
inflate_all (MmDeflate *deflate, const GByteArray *compressed, gsize piece, gsize size)
{
  GByteArray *plain = g_byte_array_new ();
  g_autofree guint8 *buffer = g_malloc (size);

  for (gsize at = 0; at < compressed->len; at += piece)
    {
      g_autoptr (GError) error = NULL;
      gssize n;

      mm_deflate_feed (deflate, compressed->data + at, MIN (piece, compressed->len - at));
      while ((n = mm_deflate_inflate (deflate, buffer, size, &error)) > 0)
        g_byte_array_append (plain, buffer, (guint)n);
      g_assert_no_error (error);
      g_assert_cmpint (n, ==, 0);
    }
  return plain;
}

static GByteArray *
make_octets (gsize length, gboolean is_random)
{
  GByteArray *octets = g_byte_array_sized_new ((guint)length);

  g_byte_array_set_size (octets, (guint)length);
  for (gsize i = 0; i < length; i++)
    octets->data[i] = is_random ? (guint8)g_test_rand_int () : (guint8)(i / 100);
  return octets;
}

static void
test_round_trip (void)
{
  static const gsize lengths[] = { 1, 100, 4096, 70000, 300000 };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (MmDeflate) here = mm_deflate_new ();
      g_autoptr (MmDeflate) peer = mm_deflate_new ();
      g_autoptr (GByteArray) octets = make_octets (lengths[i / 2], i % 2 == 1);
      g_autoptr (GByteArray) compressed = g_byte_array_new ();
      g_autoptr (GByteArray) plain = NULL;

      mm_deflate_compress (here, octets->data, octets->len, compressed);
      plain = inflate_all (peer, compressed, i % 3 == 0 ? 1 : 1000, i % 3 == 1 ? 1 : 5000);
      g_assert_cmpmem (plain->data, plain->len, octets->data, octets->len);
    }
}

static void
test_each_flush_can_be_read (void)
{
  g_autoptr (MmDeflate) here = mm_deflate_new ();
  g_autoptr (MmDeflate) peer = mm_deflate_new ();

  for (gint i = 0; i < 200; i++)
    {
      g_autofree gchar *line = g_strdup_printf ("M%d NOOP\r\n", i);
      g_autoptr (GByteArray) compressed = g_byte_array_new ();
      g_autoptr (GByteArray) plain = NULL;

      mm_deflate_compress (here, (const guint8 *)line, strlen (line), compressed);
      plain = inflate_all (peer, compressed, 7, 7);
      g_assert_cmpmem (plain->data, plain->len, line, strlen (line));
    }
}

static void
test_nothing_to_compress (void)
{
  g_autoptr (MmDeflate) deflate = mm_deflate_new ();
  g_autoptr (GByteArray) compressed = g_byte_array_new ();
  guint8 octet;

  mm_deflate_compress (deflate, NULL, 0, compressed);
  g_assert_cmpuint (compressed->len, ==, 0);
  g_assert_cmpint (mm_deflate_inflate (deflate, &octet, 1, NULL), ==, 0);
}

static void
test_damage (void)
{
  static const guint8 damaged[] = { 0x07, 0xff, 0xff };
  static const guint8 ended[] = { 0x03, 0x00 }; /* a final, empty block */
  const struct
  {
    const guint8 *octets;
    gsize length;
  } inputs[] = { { damaged, sizeof damaged }, { ended, sizeof ended } };

  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      g_autoptr (MmDeflate) deflate = mm_deflate_new ();
      g_autoptr (GError) error = NULL;
      guint8 buffer[10];

      mm_deflate_feed (deflate, inputs[i].octets, inputs[i].length);
      g_assert_cmpint (mm_deflate_inflate (deflate, buffer, sizeof buffer, &error), ==, -1);
      g_assert_error (error, MM_ERROR, MM_ERROR_PROTOCOL);
      g_clear_error (&error);
      g_assert_cmpint (mm_deflate_inflate (deflate, buffer, sizeof buffer, &error), ==, -1);
      g_assert_error (error, MM_ERROR, MM_ERROR_PROTOCOL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deflate/round-trip", test_round_trip);
  g_test_add_func ("/deflate/each-flush-can-be-read", test_each_flush_can_be_read);
  g_test_add_func ("/deflate/nothing-to-compress", test_nothing_to_compress);
  g_test_add_func ("/deflate/damage-is-an-error", test_damage);
  return g_test_run ();
}
