// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/utf7.h>

static const struct
{
  const gchar *utf8;
  const gchar *utf7;
} vectors[] = {
  { "", "" },
  { "INBOX", "INBOX" },
  { "A&B", "A&-B" },
  { "&", "&-" },
  { "&&", "&-&-" },
  /* RFC 3501 5.1.3 */
  { "~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
  { "☺!", "&Jjo-!" },
  { "Entwürfe", "Entw&APw-rfe" },
  { "Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-" },
  { "דואר", "&BdMF1QXQBeg-" },
  { "📧", "&2D3c5w-" },
  { "a\xcc\x88", "a&Awg-" },
  { "\x01", "&AAE-" },
  { "\x7f\xc2\x80", "&AH8AgA-" },
  { "x\xf4\x8f\xbf\xbfy", "x&2,,f,w-y" },
  { "%41", "%41" },
};

static void
test_vectors (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree gchar *utf7 = mm_utf7_from_utf8 (vectors[i].utf8, -1);
      g_autofree gchar *utf8 = mm_utf7_to_utf8 (vectors[i].utf7, -1);
      g_assert_cmpstr (utf7, ==, vectors[i].utf7);
      g_assert_cmpstr (utf8, ==, vectors[i].utf8);
    }
}

static void
test_refuses_what_is_not_canonical (void)
{
  static const gchar *const bad[] = {
    "&",            /* no end */
    "&Jjo",         /* no '-' */
    "Foo&XX",       /* the same */
    "&Jj-",         /* half a unit */
    "&Jjp-",        /* padding bits set */
    "&JjoA-",       /* a sextet too many */
    "&U,BTFw-&ZeVnLIqe-", /* adjacent shifts */
    "&Jjo!",        /* the RFC's own bad example */
    "&AGE-",        /* printable ASCII in base64 */
    "&AC8-",        /* a slash in base64: a name that climbs */
    "&ACY-",        /* '&' in base64 */
    "&2D0-",        /* lone high surrogate */
    "&3Oc-",        /* lone low surrogate */
    "&2D0AYQ-",     /* high surrogate and a letter */
    "&AAA-",        /* U+0000 */
    "&Jj/o-",       /* '/' is not in this alphabet */
    "&Jj o-",
    "&Jj=-",
    "a\x01z",
    "a\tb",
    "\x7f",
    "Entw\xc3\xbcrfe", /* raw UTF-8 */
    "Entw\xfcrfe",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree gchar *utf8 = mm_utf7_to_utf8 (bad[i], -1);
      g_test_message ("%s", bad[i]);
      g_assert_null (utf8);
    }
  g_assert_null (mm_utf7_to_utf8 ("a\0b", 3));
  g_assert_null (mm_utf7_from_utf8 ("\xff", -1));
  g_assert_null (mm_utf7_from_utf8 ("\xed\xa0\x80", -1));
}

static void
test_length_is_obeyed (void)
{
  g_autofree gchar *utf8 = mm_utf7_to_utf8 ("&Jjo-!rest", 5);
  g_autofree gchar *utf7 = mm_utf7_from_utf8 ("☺!rest", 3);
  g_assert_cmpstr (utf8, ==, "☺");
  g_assert_cmpstr (utf7, ==, "&Jjo-");
}

static gunichar
random_character (GRand *rand)
{
  for (;;)
    {
      static const gint32 ceilings[] = { 0x80, 0x100, 0x3000, 0x10000, 0x110000 };
      gunichar c = (gunichar) g_rand_int_range (rand, 1, ceilings[g_rand_int_range (rand, 0, 5)]);
      if (g_unichar_validate (c))
        return c;
    }
}

static void
test_any_name_round_trips (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) name = g_string_new (NULL);
      for (gint32 n = g_rand_int_range (rand, 0, 20); n > 0; n--)
        g_string_append_unichar (name, random_character (rand));

      g_autofree gchar *utf7 = mm_utf7_from_utf8 (name->str, (gssize) name->len);
      for (const gchar *p = utf7; *p != '\0'; p++)
        g_assert_true (*p >= 0x20 && *p < 0x7f);
      g_autofree gchar *utf8 = mm_utf7_to_utf8 (utf7, -1);
      g_assert_cmpstr (utf8, ==, name->str);
    }
}

/* Whatever octets decode, encode to the same octets again. */
static void
test_any_octets_round_trip_or_are_refused (void)
{
  static const gchar letters[] = "&&&--ABJjo2D3c5w,+/ a\x01\xc3";
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  guint n_decoded = 0;

  for (guint i = 0; i < 200000; i++)
    {
      gchar octets[12];
      gint32 n = g_rand_int_range (rand, 0, sizeof octets);
      for (gint32 j = 0; j < n; j++)
        octets[j] = letters[g_rand_int_range (rand, 0, sizeof letters - 1)];

      g_autofree gchar *utf8 = mm_utf7_to_utf8 (octets, n);
      if (utf8 == NULL)
        continue;
      n_decoded++;
      g_assert_true (g_utf8_validate (utf8, -1, NULL));
      g_autofree gchar *utf7 = mm_utf7_from_utf8 (utf8, -1);
      g_assert_cmpmem (utf7, strlen (utf7), octets, n);
    }
  g_assert_cmpuint (n_decoded, >, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/utf7/vectors", test_vectors);
  g_test_add_func ("/utf7/refuses-what-is-not-canonical", test_refuses_what_is_not_canonical);
  g_test_add_func ("/utf7/length-is-obeyed", test_length_is_obeyed);
  g_test_add_func ("/utf7/any-name-round-trips", test_any_name_round_trips);
  g_test_add_func ("/utf7/any-octets-round-trip-or-are-refused",
                   test_any_octets_round_trip_or_are_refused);
  return g_test_run ();
}
