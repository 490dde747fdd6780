// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The golden vectors in this file freeze the names of directories, as test-message-name.c does
 * for messages.
 */
#include <string.h>

#include <mailmount/folder-name.h>
#include <mailmount/message-name.h>
#include <mailmount/utf7.h>

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A240 A50 A50 A50 A50 A10 A10 A10 A10

static const struct
{
  const gchar *part;
  MmMailboxEncoding encoding;
  const gchar *component;
} golden[] = {
  { "INBOX", MM_MAILBOX_UTF7, "INBOX" },
  { "Sent Mail", MM_MAILBOX_UTF7, "Sent Mail" },
  { "Entw&APw-rfe", MM_MAILBOX_UTF7, "Entwürfe" },
  { "&2D3c5w-", MM_MAILBOX_UTF7, "📧" },
  { "&BdMF1QXQBeg-", MM_MAILBOX_UTF7, "דואר" },
  { "a&Awg-", MM_MAILBOX_UTF7, "a\xcc\x88" },
  { "A&-B", MM_MAILBOX_UTF7, "A&B" },
  /* What a path cannot hold. */
  { "a/b", MM_MAILBOX_UTF7, "a%2Fb" },
  { "a&AAE-b", MM_MAILBOX_UTF7, "a%01b" },
  { "&AAo-", MM_MAILBOX_UTF7, "%0A" },
  { "&ABs-[31m", MM_MAILBOX_UTF7, "%1B[31m" },
  { "&AH8-", MM_MAILBOX_UTF7, "%7F" },
  { "&AIU-", MM_MAILBOX_UTF7, "%C2%85" },
  { "&IC4-gpj", MM_MAILBOX_UTF7, "\xe2\x80\xaegpj" }, /* the name of someone's folder: kept */
  { ".", MM_MAILBOX_UTF7, "%2E" },
  { "..", MM_MAILBOX_UTF7, "%2E." },
  { "...", MM_MAILBOX_UTF7, "..." },
  { ".hidden", MM_MAILBOX_UTF7, ".hidden" },
  { "../up", MM_MAILBOX_UTF7, "..%2Fup" },
  { "", MM_MAILBOX_UTF7, "%2D" },
  { "", MM_MAILBOX_UTF8, "%2D" },
  { " ", MM_MAILBOX_UTF7, " " },
  { "a:b*c?\\\"<>|", MM_MAILBOX_UTF7, "a:b*c?\\\"<>|" },
  /* What looks like a message or a view. */
  { "7.eml", MM_MAILBOX_UTF7, "7%2Eeml" },
  { "2024-01-01_x_7.eml", MM_MAILBOX_UTF7, "2024-01-01_x_7%2Eeml" },
  { "saved.eml", MM_MAILBOX_UTF7, "saved%2Eeml" },
  { ".eml", MM_MAILBOX_UTF7, "%2Eeml" },
  { "x.EML", MM_MAILBOX_UTF7, "x.EML" },
  { "x.eml.d", MM_MAILBOX_UTF7, "x.eml.d" },
  { ".search", MM_MAILBOX_UTF7, "%2Esearch" },
  { ".parts", MM_MAILBOX_UTF7, "%2Eparts" },
  { ".headers", MM_MAILBOX_UTF7, "%2Eheaders" },
  { ".mailmount", MM_MAILBOX_UTF7, "%2Emailmount" },
  { ".mailmount-x", MM_MAILBOX_UTF7, "%2Emailmount-x" },
  { ".mailmount.eml", MM_MAILBOX_UTF7, "%2Emailmount%2Eeml" },
  { ".searches", MM_MAILBOX_UTF7, ".searches" },
  { "a.search", MM_MAILBOX_UTF7, "a.search" },
  /* Percent signs. */
  { "100%", MM_MAILBOX_UTF7, "100%" },
  { "%41", MM_MAILBOX_UTF7, "%2541" },
  { "%2f", MM_MAILBOX_UTF7, "%252f" },
  { "%4", MM_MAILBOX_UTF7, "%4" },
  { "%%41", MM_MAILBOX_UTF7, "%%2541" },
  { "%zz", MM_MAILBOX_UTF7, "%zz" },
  { "%2541", MM_MAILBOX_UTF7, "%252541" },
  { "%/", MM_MAILBOX_UTF7, "%%2F" },
  { "%2D", MM_MAILBOX_UTF7, "%252D" },
  /* What is not modified UTF-7. */
  { "Foo&XX", MM_MAILBOX_UTF7, "Foo%26XX" },
  { "R&D", MM_MAILBOX_UTF7, "R%26D" },
  { "&AC8-", MM_MAILBOX_UTF7, "%26AC8-" },
  { "&AC4-&AC4-", MM_MAILBOX_UTF7, "%26AC4-%26AC4-" },
  { "&AAA-", MM_MAILBOX_UTF7, "%26AAA-" },
  { "&2D0-", MM_MAILBOX_UTF7, "%262D0-" },
  { "&x.eml", MM_MAILBOX_UTF7, "%26x%2Eeml" },
  { "Entw\xc3\xbcrfe", MM_MAILBOX_UTF7, "%2DEntw\xc3\xbcrfe" },
  { "Entw\xfcrfe", MM_MAILBOX_UTF7, "%2DEntw%FCrfe" },
  { "&\xfc", MM_MAILBOX_UTF7, "%26%FC" },
  { "a\x01" "b", MM_MAILBOX_UTF7, "%2Da%01b" },
  { "\xc2\x85", MM_MAILBOX_UTF7, "%2D%C2%85" },
  /* UTF8=ACCEPT */
  { "Entwürfe", MM_MAILBOX_UTF8, "Entwürfe" },
  { "R&D", MM_MAILBOX_UTF8, "R&D" },
  { "&AC8-", MM_MAILBOX_UTF8, "&AC8-" },
  { "%26", MM_MAILBOX_UTF8, "%2526" },
  { "a\xff" "b", MM_MAILBOX_UTF8, "a%FFb" },
  { "a\xc3", MM_MAILBOX_UTF8, "a%C3" },
  { "\xed\xa0\x80", MM_MAILBOX_UTF8, "%ED%A0%80" },
  { "\x01\x7f\xc2\x9b", MM_MAILBOX_UTF8, "%01%7F%C2%9B" },
  /* As long as can be. */
  { A240 A10 "12345", MM_MAILBOX_UTF7, A240 A10 "12345" },
};

static void
test_golden (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (golden); i++)
    {
      gboolean is_cut = TRUE;
      g_autofree gchar *component
          = mm_folder_name_encode (golden[i].part, -1, golden[i].encoding, &is_cut);
      g_autofree gchar *part = mm_folder_name_decode (golden[i].component, golden[i].encoding);

      g_assert_cmpstr (component, ==, golden[i].component);
      g_assert_cmpstr (part, ==, golden[i].part);
      g_assert_false (is_cut);
    }
}

static const struct
{
  const gchar *part;
  const gchar *component;
} golden_cuts[] = {
  { A240 A10 "123456", A240 "aaaaaa~aed145ea" },
  { A240 A10 "123457", A240 "aaaaaa~1e3923ad" },
  { A240 "123%zz" A10 A10, A240 "123%zz~f2f0b338" },
  /* Between characters, escapes stay whole. */
  { A240 "123&ZeVnLIqe-" A10, A240 "123日~52468150" },
  { A240 "1234&ZeVnLIqe-" A10, A240 "1234~4926077a" },
  { A240 "12&2D3c5w-" A10, A240 "12📧~c4a1e791" },
  { A240 "123&2D3c5w-" A10, A240 "123~83c51db5" },
  { A240 "123/" A10 A10, A240 "123%2F~6d083598" },
  { A240 "1234/" A10 A10, A240 "1234~b67d9635" },
  { A240 "12345/" A10 A10, A240 "12345~2a750a5b" },
};

static void
test_golden_cuts (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (golden_cuts); i++)
    {
      gboolean is_cut = FALSE;
      g_autofree gchar *component
          = mm_folder_name_encode (golden_cuts[i].part, -1, MM_MAILBOX_UTF7, &is_cut);

      g_assert_cmpstr (component, ==, golden_cuts[i].component);
      g_assert_true (is_cut);
      g_assert_cmpuint (strlen (component), <=, MM_FOLDER_NAME_MAX);
    }
}

static void
test_nul_is_encoded (void)
{
  g_autofree gchar *component = mm_folder_name_encode ("a\0b", 3, MM_MAILBOX_UTF8, NULL);
  g_assert_cmpstr (component, ==, "a%00b");
  g_assert_null (mm_folder_name_decode ("a%00b", MM_MAILBOX_UTF8));
}

static void
test_decode_refuses_what_is_not_canonical (void)
{
  static const gchar *const bad[]
      = { "%41", "%2fx", "a%2fb", "%2e", ".", "..", "x.eml", ".search", "%2Dabc", "%2D&", "",
          "%26-", "a\x01", "%", "%2541%41", "a/b", "\xff", "%C3%BC", "%00" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree gchar *part = mm_folder_name_decode (bad[i], MM_MAILBOX_UTF7);
      if (strcmp (bad[i], "%") == 0 || strcmp (bad[i], "%26-") == 0)
        continue; /* checked below */
      g_test_message ("'%s'", bad[i]);
      g_assert_null (part);
    }
  g_autofree gchar *percent = mm_folder_name_decode ("%", MM_MAILBOX_UTF7);
  g_assert_cmpstr (percent, ==, "%");
  g_assert_null (mm_folder_name_decode ("%26-", MM_MAILBOX_UTF7)); /* "&-" is "&" */
}

static void
assert_path (const gchar *mailbox, gchar delimiter, const gchar *expected)
{
  g_auto (GStrv) path = mm_folder_path_split (mailbox, delimiter, MM_MAILBOX_UTF7, NULL);
  g_autofree gchar *joined = g_strjoinv ("/", path);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_split_at_any_delimiter (void)
{
  assert_path ("INBOX", '/', "INBOX");
  assert_path ("a/b/c", '/', "a/b/c");
  assert_path ("a.b.c", '.', "a/b/c");
  assert_path ("a.b/c", '.', "a/b%2Fc");
  assert_path ("a.b/c", '\0', "a.b%2Fc");
  assert_path ("a\\b", '\\', "a/b");
  assert_path ("a&AOQ-.&AOQ-b", '.', "aä/äb");
  assert_path ("a//b", '/', "a/%2D/b");
  assert_path ("/a", '/', "%2D/a");
  assert_path ("a/", '/', "a");
  assert_path ("a//", '/', "a/%2D");
  assert_path ("/", '/', "%2D/%2D");
  assert_path ("", '/', "%2D");
  assert_path ("../../etc", '/', "%2E./%2E./etc");
  assert_path ("./7.eml", '/', "%2E/7%2Eeml");
  /* A base64 shift does not reach over a delimiter. */
  assert_path ("&ZeV/nLIqe-", '/', "%26ZeV/nLIqe-");
}

static void
test_inbox_in_any_case (void)
{
  assert_path ("inbox", '/', "INBOX");
  assert_path ("Inbox.Work", '.', "INBOX/Work");
  assert_path ("inBox/inbox", '/', "INBOX/inbox");
  assert_path ("Work/Inbox", '/', "Work/Inbox");
  assert_path ("inboxes", '/', "inboxes");
  g_assert_true (mm_mailbox_is_inbox ("iNbOx"));
  g_assert_false (mm_mailbox_is_inbox ("INBOX/x"));
  g_assert_false (mm_mailbox_is_inbox ("INBO"));
}

static void
test_split_says_when_it_cut (void)
{
  gboolean is_cut = FALSE;
  g_auto (GStrv) cut_path
      = mm_folder_path_split ("x/" A240 A50 "/y", '/', MM_MAILBOX_UTF7, &is_cut);
  g_assert_true (is_cut);
  g_assert_cmpuint (g_strv_length (cut_path), ==, 3);
  g_auto (GStrv) path = mm_folder_path_split ("x/y", '/', MM_MAILBOX_UTF7, &is_cut);
  g_assert_false (is_cut);
  g_assert_cmpuint (g_strv_length (path), ==, 2);
}

static void
test_join_is_the_way_back (void)
{
  static const gchar *const names[]
      = { "INBOX", "a/b/c", "a//b", "/a", "..", "../..", "Entw&APw-rfe/R&D/x.eml", "%41/&AC8-" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (GStrv) path = mm_folder_path_split (names[i], '/', MM_MAILBOX_UTF7, NULL);
      g_autofree gchar *joined
          = mm_folder_path_join ((const gchar *const *) path, '/', MM_MAILBOX_UTF7);
      g_assert_cmpstr (joined, ==, names[i]);
    }

  static const gchar *const dotted[] = { "a.b", NULL };
  static const gchar *const nested[] = { "a", "b", NULL };
  g_assert_null (mm_folder_path_join (dotted, '.', MM_MAILBOX_UTF7));
  g_assert_null (mm_folder_path_join (nested, '\0', MM_MAILBOX_UTF7));
}

static void
assert_component_is_safe (const gchar *component)
{
  guint64 number;

  g_assert_true (g_utf8_validate (component, -1, NULL));
  g_assert_cmpuint (strlen (component), >, 0);
  g_assert_cmpuint (strlen (component), <=, MM_FOLDER_NAME_MAX);
  g_assert_cmpstr (component, !=, ".");
  g_assert_cmpstr (component, !=, "..");
  g_assert_null (strchr (component, '/'));
  for (const gchar *p = component; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));
  g_assert_false (g_str_has_suffix (component, ".eml"));
  g_assert_cmpint (mm_message_name_parse (component, &number), ==, MM_MESSAGE_NAME_NONE);
}

/* Any wire part, of dangerous pieces: safe, reversible, and unlike any other part's. */
static void
test_any_part_round_trips (void)
{
  static const gchar *const pieces[]
      = { "%", "%41", "%2", "F", "&", "-", "&-", "&AC8-", "&APw-", "&AAE-", "&AIU-", "&2D0-", "/",
          ".", "..", ".eml", ".search", ".mailmount", "1", "\x01", "\x7f", "\xc2\x85", "\xff",
          "\xc3", "\xbc", "%2D", "%26", "INBOX", " " };
  g_autoptr (GRand) rand = g_rand_new_with_seed (13);

  for (MmMailboxEncoding encoding = MM_MAILBOX_UTF7; encoding <= MM_MAILBOX_UTF8; encoding++)
    {
      g_autoptr (GHashTable) seen /* Map<component, part> */
          = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

      for (guint i = 0; i < 100000; i++)
        {
          g_autoptr (GString) part = g_string_new (NULL);
          for (gint32 n = g_rand_int_range (rand, 0, 7); n > 0; n--)
            g_string_append (part, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);

          g_autofree gchar *component = mm_folder_name_encode (part->str, -1, encoding, NULL);
          g_autofree gchar *back = mm_folder_name_decode (component, encoding);
          assert_component_is_safe (component);
          g_assert_cmpstr (back, ==, part->str);

          const gchar *other = g_hash_table_lookup (seen, component);
          g_assert_true (other == NULL || strcmp (other, part->str) == 0);
          g_hash_table_replace (seen, g_steal_pointer (&component), g_strdup (part->str));
        }
    }
}

static void
test_any_long_part_is_cut_safely (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (17);

  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (GString) part = g_string_new (NULL);
      while (part->len < 300)
        g_string_append_c (part, (gchar) g_rand_int_range (rand, 1, 256));
      gboolean is_cut = FALSE;
      g_autofree gchar *component
          = mm_folder_name_encode (part->str, -1, MM_MAILBOX_UTF8, &is_cut);
      g_assert_true (is_cut);
      assert_component_is_safe (component);
      g_assert_cmpint (component[strlen (component) - 9], ==, '~');
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/folder-name/golden", test_golden);
  g_test_add_func ("/folder-name/golden-cuts", test_golden_cuts);
  g_test_add_func ("/folder-name/nul-is-encoded", test_nul_is_encoded);
  g_test_add_func ("/folder-name/decode-refuses-what-is-not-canonical",
                   test_decode_refuses_what_is_not_canonical);
  g_test_add_func ("/folder-name/split-at-any-delimiter", test_split_at_any_delimiter);
  g_test_add_func ("/folder-name/inbox-in-any-case", test_inbox_in_any_case);
  g_test_add_func ("/folder-name/split-says-when-it-cut", test_split_says_when_it_cut);
  g_test_add_func ("/folder-name/join-is-the-way-back", test_join_is_the_way_back);
  g_test_add_func ("/folder-name/any-part-round-trips", test_any_part_round_trips);
  g_test_add_func ("/folder-name/any-long-part-is-cut-safely", test_any_long_part_is_cut_safely);
  return g_test_run ();
}
