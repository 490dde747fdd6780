// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "help.h"
#include "mount-table.h"
#include "subcommand.h"

static const MmSubcommand sample
    = { "sample", "[--loud] [WORD…]", "a sample", "Does nothing.", NULL };

/* Parses @line, split as a shell would; the words left are in *@out_words, joined by blanks. */
static gboolean
parse (const gchar *line, gboolean *out_loud, gchar **out_words, int *out_status)
{
  const GOptionEntry entries[] = {
    { "loud", 'l', 0, G_OPTION_ARG_NONE, out_loud, "with a voice", NULL },
    { NULL },
  };
  g_auto (GStrv) words = NULL;
  gint argc = 0;

  g_assert_true (g_shell_parse_argv (line, &argc, &words, NULL));
  /* As main's: the strings are not the parser's to free. */
  g_autofree gchar **argv = g_memdup2 (words, sizeof (gchar *) * (gsize) (argc + 1));
  gchar **left = argv;
  *out_loud = FALSE;
  *out_status = -1;
  gboolean goes_on = mm_subcommand_parse (&sample, entries, &argc, &left, out_status);
  *out_words = g_strjoinv (" ", left + 1);
  return goes_on;
}

static void
test_options_stand_anywhere (void)
{
  g_autofree gchar *words = NULL;
  gboolean is_loud;
  int status;

  g_assert_true (parse ("sample a -l b", &is_loud, &words, &status));
  g_assert_true (is_loud);
  g_assert_cmpstr (words, ==, "a b");
}

static void
test_behind_two_dashes_are_no_options (void)
{
  g_autofree gchar *words = NULL;
  gboolean is_loud;
  int status;

  g_assert_true (parse ("sample -- --loud b", &is_loud, &words, &status));
  g_assert_false (is_loud);
  g_assert_cmpstr (words, ==, "--loud b");
}

static void
test_an_unknown_option_is_a_wrong_use (void)
{
  g_autofree gchar *words = NULL;
  gboolean is_loud;
  int status;

  g_assert_false (parse ("sample --lous", &is_loud, &words, &status));
  g_assert_cmpint (status, ==, MM_SUBCOMMAND_USAGE);
}

static void
test_help_names_arguments_and_options (void)
{
  gboolean is_loud;
  const GOptionEntry entries[] = {
    { "loud", 'l', 0, G_OPTION_ARG_NONE, &is_loud, "with a voice", NULL },
    { NULL },
  };
  g_autofree gchar *help = mm_subcommand_help_text (&sample, entries);

  g_assert_true (g_str_has_prefix (help, "usage: mailmount sample [--loud] [WORD…]\n"));
  g_assert_nonnull (strstr (help, "\n  -l, --loud  "));
  g_assert_nonnull (strstr (help, "\n  -h, --help  "));
}

static void
test_every_command_is_found_and_told (void)
{
  g_autofree gchar *help = mm_help_text ();
  guint n = 0;

  for (const MmSubcommand *const *command = mm_subcommand_table (); *command != NULL; command++)
    {
      g_autofree gchar *usage = g_strdup_printf ("\n  mailmount %s ", (*command)->name);
      g_assert_true (mm_subcommand_find ((*command)->name) == *command);
      g_assert_nonnull (strstr (help, usage));
      n++;
    }
  g_assert_cmpuint (n, >, 0);
  g_assert_null (mm_subcommand_find ("imap://user@example.org"));
  g_assert_null (mm_subcommand_find ("./status"));
}

static void
test_mountinfo_is_read (void)
{
  static const gchar mountinfo[]
      = "36 35 98:0 / /mnt/disk rw,noatime - ext4 /dev/sda1 rw\n"
        "40 35 0:40 / /home/user/my\\040mail\\134x ro,nosuid shared:5 - fuse.mailmount src "
        "ro,user_id=1000,group_id=1000\n"
        "41 35 0:41 / /mnt/other rw - fuse.sshfs src rw\n"
        "bad line\n"
        "42 35 0:42 / /mnt/mail ro - fuse.mailmount imaps://user@example.org ro\n"
        "43 42 0:43 / /mnt/mail ro - fuse.mailmount imaps://user@example.net ro,user_id=7\n";
  g_autoptr (GPtrArray) table = mm_mount_table_parse (mountinfo);

  g_assert_cmpuint (table->len, ==, 3);
  const MmMountEntry *entry = mm_mount_table_find (table, "/home/user/my mail\\x");
  g_assert_nonnull (entry);
  g_assert_cmpuint (entry->owner, ==, 1000);
  entry = mm_mount_table_find (table, "/mnt/mail");
  g_assert_nonnull (entry);
  g_assert_cmpstr (entry->source, ==, "imaps://user@example.net");
  g_assert_null (mm_mount_table_find (table, "/mnt/other"));
  g_assert_null (mm_mount_table_find (table, "/mnt/disk"));
  g_assert_null (mm_mount_table_find (table, "/mnt/mai"));
}

static void
assert_resolved (const GPtrArray *table, const gchar *directory, const gchar *path,
                 const gchar *expected)
{
  g_autofree gchar *full = g_build_filename (directory, path, NULL);
  g_autofree gchar *resolved = mm_mount_table_resolve (table, full);

  if (g_path_is_absolute (expected))
    g_assert_cmpstr (resolved, ==, expected);
  else
    {
      g_autofree gchar *full_expected = g_build_filename (directory, expected, NULL);
      g_assert_cmpstr (resolved, ==, full_expected);
    }
}

static void
test_links_lead_to_a_mount (void)
{
  static const gchar mountinfo[]
      = "42 35 0:42 / /no/such/mail ro - fuse.mailmount imaps://user@example.org ro\n";
  static const struct
  {
    const gchar *name;
    const gchar *target;
  } links[] = { { "mail", "/no/such/mail" },
                { "inbox", "mail/INBOX" },
                { "up", "sub/.." },
                { "round", "round" },
                { "elsewhere", "/no/such" } };
  g_autoptr (GPtrArray) table = mm_mount_table_parse (mountinfo);
  g_autofree gchar *directory = g_dir_make_tmp ("mailmount-test-XXXXXX", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    {
      g_autofree gchar *link = g_build_filename (directory, links[i].name, NULL);
      g_assert_cmpint (symlink (links[i].target, link), ==, 0);
    }
  assert_resolved (table, directory, "mail", "/no/such/mail");
  assert_resolved (table, directory, "mail/A/B", "/no/such/mail/A/B");
  assert_resolved (table, directory, "inbox/", "/no/such/mail/INBOX");
  assert_resolved (table, directory, "up/mail", "/no/such/mail");
  assert_resolved (table, directory, "elsewhere/mail/A", "/no/such/mail/A");
  assert_resolved (table, directory, "elsewhere", "/no/such");
  assert_resolved (table, directory, "other/A", "other/A");
  assert_resolved (table, directory, "round", "round");
  assert_resolved (table, "/", "no/such/mail/../mail", "/no/such/mail");

  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    {
      g_autofree gchar *link = g_build_filename (directory, links[i].name, NULL);
      g_unlink (link);
    }
  g_rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subcommand/options-stand-anywhere", test_options_stand_anywhere);
  g_test_add_func ("/subcommand/behind-two-dashes-are-no-options",
                   test_behind_two_dashes_are_no_options);
  g_test_add_func ("/subcommand/an-unknown-option-is-a-wrong-use",
                   test_an_unknown_option_is_a_wrong_use);
  g_test_add_func ("/subcommand/help-names-arguments-and-options",
                   test_help_names_arguments_and_options);
  g_test_add_func ("/subcommand/every-command-is-found-and-told",
                   test_every_command_is_found_and_told);
  g_test_add_func ("/mount-table/mountinfo-is-read", test_mountinfo_is_read);
  g_test_add_func ("/mount-table/links-lead-to-a-mount", test_links_lead_to_a_mount);
  return g_test_run ();
}
