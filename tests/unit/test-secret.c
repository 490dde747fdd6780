// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <unistd.h>

#include <mailmount/secret.h>

static void
test_octets_are_copied_with_an_end (void)
{
  gchar octets[] = { 'a', '\0', '\377', 'z' };
  g_autoptr (MmSecret) secret = mm_secret_new (octets, sizeof octets);

  memset (octets, 'x', sizeof octets);
  g_assert_cmpmem (mm_secret_get (secret), mm_secret_get_length (secret), "a\0\377z", 4);
  g_assert_cmpint (mm_secret_get (secret)[4], ==, '\0');
}

static void
test_empty_and_long_secrets (void)
{
  g_autoptr (MmSecret) empty = mm_secret_new (NULL, 0);
  const gsize length = 3 * (gsize) sysconf (_SC_PAGESIZE);
  g_autofree gchar *octets = g_strnfill (length, 'p');
  g_autoptr (MmSecret) longer = mm_secret_new (octets, length);

  g_assert_cmpstr (mm_secret_get (empty), ==, "");
  g_assert_cmpuint (mm_secret_get_length (empty), ==, 0);
  g_assert_cmpmem (mm_secret_get (longer), mm_secret_get_length (longer), octets, length);
  g_assert_cmpint (mm_secret_get (longer)[length], ==, '\0');
}

static void
test_lives_until_the_last_reference (void)
{
  MmSecret *secret = mm_secret_new ("password", 8);
  MmSecret *same = mm_secret_ref (secret);

  mm_secret_unref (secret);
  g_assert_cmpstr (mm_secret_get (same), ==, "password");
  mm_secret_unref (same);
}

/* The kernel says of each mapping whether it goes into a core dump ("dd": it does not). */
static void
test_is_kept_out_of_core_dumps (void)
{
  g_autoptr (MmSecret) secret = mm_secret_new ("password", 8);
  g_autofree gchar *maps = NULL;
  guintptr address = (guintptr) mm_secret_get (secret);
  gboolean is_inside = FALSE, was_seen = FALSE;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      gchar *end = NULL;
      guint64 first = g_ascii_strtoull (lines[i], &end, 16);

      if (end > lines[i] && *end == '-')
        is_inside = first <= address && address < g_ascii_strtoull (end + 1, NULL, 16);
      else if (is_inside && g_str_has_prefix (lines[i], "VmFlags:"))
        {
          g_assert_nonnull (strstr (lines[i], " dd"));
          was_seen = TRUE;
        }
    }
  g_assert_true (was_seen);
}

static void
test_wiped_octets_are_zero (void)
{
  gchar octets[] = "password";

  mm_secret_wipe (octets, 4);
  g_assert_cmpmem (octets, sizeof octets, "\0\0\0\0word", 9);
  mm_secret_wipe (NULL, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/secret/octets-are-copied-with-an-end",
                   test_octets_are_copied_with_an_end);
  g_test_add_func ("/base/secret/empty-and-long", test_empty_and_long_secrets);
  g_test_add_func ("/base/secret/lives-until-the-last-reference",
                   test_lives_until_the_last_reference);
  g_test_add_func ("/base/secret/is-kept-out-of-core-dumps", test_is_kept_out_of_core_dumps);
  g_test_add_func ("/base/secret/wiped-octets-are-zero", test_wiped_octets_are_zero);
  return g_test_run ();
}
