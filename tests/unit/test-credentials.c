// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <mailmount/clock.h>

#include "command.h"
#include "credentials.h"
#include "netrc.h"
#include "prompt.h"

/* An empty home and no session bus, so that only what a test puts there is found. */
typedef struct
{
  gchar *home;
  MmConfig *config;
} Fixture;

static void
write_file (Fixture *fixture, const gchar *name, const gchar *text, int mode)
{
  g_autofree gchar *path = g_build_filename (fixture->home, name, NULL);

  g_unlink (path);
  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpint (chmod (path, (mode_t) mode), ==, 0);
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->home = g_dir_make_tmp ("mailmount-test-XXXXXX", NULL);
  g_setenv ("HOME", fixture->home, TRUE);
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "", TRUE);
  g_unsetenv ("XDG_RUNTIME_DIR");
  g_unsetenv ("CREDENTIALS_DIRECTORY");
  fixture->config = g_new0 (MmConfig, 1);
  fixture->config->source.user = g_strdup ("user");
  fixture->config->source.host = g_strdup ("mail.example.org");
  fixture->config->port = 993;
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GDir) directory = g_dir_open (fixture->home, 0, NULL);

  for (const gchar *name; (name = g_dir_read_name (directory)) != NULL;)
    {
      g_autofree gchar *path = g_build_filename (fixture->home, name, NULL);
      g_unlink (path);
    }
  g_rmdir (fixture->home);
  g_free (fixture->home);
  mm_config_free (fixture->config);
}

/* What is found at start-up, when nobody can be asked; NULL with @error. */
static gchar *
find (Fixture *fixture, GError **error)
{
  g_autoptr (MmCredentials) credentials = mm_credentials_new (fixture->config);
  g_autoptr (MmSecret) secret = NULL;

  if (!mm_credentials_prepare (credentials, error))
    return NULL;
  secret = mm_credentials_get (FALSE, credentials, error);
  return secret != NULL ? g_strdup (mm_secret_get (secret)) : NULL;
}

static void
assert_finds (Fixture *fixture, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *found = find (fixture, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, expected);
}

static void
assert_fails (Fixture *fixture, const gchar *hint)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *found = find (fixture, &error);

  g_assert_null (found);
  g_assert_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, hint));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
test_order_of_sources (Fixture *fixture, gconstpointer unused)
{
  assert_fails (fixture, "no terminal");
  write_file (fixture, ".authinfo", "machine mail.example.org login user password authinfo", 0600);
  assert_finds (fixture, "authinfo");
  write_file (fixture, ".netrc", "machine mail.example.org login user password netrc", 0600);
  assert_finds (fixture, "netrc");
  g_setenv ("CREDENTIALS_DIRECTORY", fixture->home, TRUE);
  assert_finds (fixture, "netrc");
  write_file (fixture, "mailmount", "of any host\n", 0400);
  assert_finds (fixture, "of any host");
  write_file (fixture, "mailmount.mail.example.org", "of the host", 0400);
  assert_finds (fixture, "of the host");
  write_file (fixture, "mailmount.user@mail.example.org", "of the user\r\nsecond line", 0400);
  assert_finds (fixture, "of the user");
  fixture->config->password_command = g_strdup ("echo command");
  assert_finds (fixture, "command");
}

static const struct
{
  const gchar *command;
  const gchar *secret; /* NULL: fails with @hint */
  const gchar *hint;
} commands[] = {
  { "echo hunter2", "hunter2", NULL },
  { "printf %s 'no line end'", "no line end", NULL },
  { "printf 'first\\nsecond\\n'", "first", NULL },
  { "printf 'cr\\r\\n'", "cr", NULL },
  { "printf ' blanks stay '", " blanks stay ", NULL },
  { "sh -c 'echo one; echo two >&2; exit 0'", "one", NULL },
  { "sh -c 'echo first; head -c 300000 /dev/zero'", "first", NULL },
  { "sh -c 'echo left; sleep 30 2>/dev/null & exit 0'", "left", NULL }, /* its child keeps the pipe */
  { "echo $HOME ; echo x", "$HOME ; echo x", NULL }, /* no shell */
  { "true", NULL, "first line is empty" },
  { "echo", NULL, "first line is empty" },
  { "false", NULL, "'false' failed with exit status 1" },
  { "sh -c 'echo hunter2; exit 3'", NULL, "'sh' failed with exit status 3" },
  { "sh -c 'kill -9 $$'", NULL, "signal 9" },
  { "no-such-command-here hunter2", NULL, "'no-such-command-here' cannot be run" },
  { "/", NULL, "cannot be run" },
  { "printf 'a\\000b\\n'", NULL, "NUL" },
  { "head -c 100000 /dev/zero", NULL, "without end" },
};

static void
test_commands (Fixture *fixture, gconstpointer unused)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_test_message ("%s", commands[i].command);
      g_free (fixture->config->password_command);
      fixture->config->password_command = g_strdup (commands[i].command);
      if (commands[i].secret != NULL)
        assert_finds (fixture, commands[i].secret);
      else
        assert_fails (fixture, commands[i].hint);
    }
}

static void
test_a_command_that_hangs_is_killed (void)
{
  g_autoptr (GError) error = NULL;
  gint64 begin_us = mm_clock_monotonic_us ();

  g_assert_null (mm_command_read_secret ("password_command", "sh -c 'exec sleep 100'", 200,
                                         &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION);
  g_assert_nonnull (strstr (error->message, "in time"));
  g_assert_cmpint (mm_clock_monotonic_us () - begin_us, <, 30 * G_USEC_PER_SEC);
}

static void
test_the_password_is_found_once (Fixture *fixture, gconstpointer unused)
{
  g_autofree gchar *count = g_build_filename (fixture->home, "count", NULL);
  g_autoptr (GError) error = NULL;

  fixture->config->password_command
      = g_strdup_printf ("sh -c 'echo x >> %s; echo password'", count);
  g_autoptr (MmCredentials) credentials = mm_credentials_new (fixture->config);
  g_assert_true (mm_credentials_prepare (credentials, &error));
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (MmSecret) secret = mm_credentials_get (FALSE, credentials, &error);
      g_assert_cmpstr (mm_secret_get (secret), ==, "password");
    }
  g_autofree gchar *text = NULL;
  g_assert_true (g_file_get_contents (count, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "x\n");
}

static void
test_a_refused_password_is_not_given_again (Fixture *fixture, gconstpointer unused)
{
  g_autofree gchar *path = g_build_filename (fixture->home, "password", NULL);
  g_autoptr (GError) error = NULL;

  write_file (fixture, "password", "old", 0600);
  fixture->config->password_command = g_strdup_printf ("cat %s", path);
  g_autoptr (MmCredentials) credentials = mm_credentials_new (fixture->config);
  g_assert_true (mm_credentials_prepare (credentials, &error));

  g_assert_null (mm_credentials_get (TRUE, credentials, &error));
  g_assert_error (error, MM_ERROR, MM_ERROR_AUTHENTICATION);
  g_assert_nonnull (strstr (error->message, "refused the password of user"));
  g_clear_error (&error);

  write_file (fixture, "password", "new", 0600);
  g_autoptr (MmSecret) secret = mm_credentials_get (TRUE, credentials, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (mm_secret_get (secret), ==, "new");
  g_autoptr (MmSecret) again = mm_credentials_get (FALSE, credentials, &error);
  g_assert_cmpstr (mm_secret_get (again), ==, "new");
}

static void
test_tokens_are_asked_for_again (Fixture *fixture, gconstpointer unused)
{
  g_autofree gchar *count = g_build_filename (fixture->home, "count", NULL);
  g_autoptr (GError) error = NULL;
  static const struct
  {
    gint64 pass_us;
    gboolean want_fresh;
    const gchar *token;
  } steps[] = {
    { 0, FALSE, "token1" },
    { 0, TRUE, "token2" },
    { 10 * G_USEC_PER_SEC, FALSE, "token2" },
    { 60 * G_USEC_PER_SEC, FALSE, "token3" },
  };

  fixture->config->token_command = g_strdup_printf (
      "sh -c 'echo x >> %s; echo token$(grep -c x %s)'", count, count);
  g_autoptr (MmCredentials) credentials = mm_credentials_new (fixture->config);
  g_assert_true (mm_credentials_are_token (credentials));
  g_assert_true (mm_credentials_prepare (credentials, &error));
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      mm_clock_advance_for_test (steps[i].pass_us);
      g_autoptr (MmSecret) token = mm_credentials_get (steps[i].want_fresh, credentials, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (mm_secret_get (token), ==, steps[i].token);
    }
}

static const struct
{
  const gchar *text;
  const gchar *password; /* NULL: none fits */
} netrcs[] = {
  { "", NULL },
  { "machine mail.example.org login user password p", "p" },
  { "machine MAIL.example.ORG\n\tlogin user\n\tpassword p\n", "p" },
  { "machine other.example.org login user password x\n"
    "machine mail.example.org login user password p\n", "p" },
  { "machine mail.example.org login other password x\n"
    "machine mail.example.org login user password p\n", "p" },
  { "machine mail.example.org password p", "p" },
  { "machine mail.example.org user user password p", "p" },
  { "machine mail.example.org login other password x", NULL },
  { "machine mail.example.org login user", NULL },
  { "machine mail.example.org login user password", NULL },
  { "machine mail.example.org login user password \"\"", NULL },
  { "machine mail.example.org.evil.example login user password x", NULL },
  { "machine mail.example.org port 993 login user password p", "p" },
  { "machine mail.example.org port imaps login user password p", "p" },
  { "machine mail.example.org port 587 login user password x\n"
    "machine mail.example.org port 993 login user password p", "p" },
  { "machine mail.example.org port smtp login user password x", NULL },
  { "machine mail.example.org port imapsx login user password x", NULL },
  { "machine mail.example.org port pop3s login user password x", NULL },
  { "machine mail.example.org login user password \"with \\\"quotes\\\" and \\\\ blanks\"",
    "with \"quotes\" and \\ blanks" },
  { "machine mail.example.org login user password #hash", "#hash" },
  { "# machine mail.example.org login user password x\n"
    "machine mail.example.org login user account a password p # end", "p" },
  { "machine mail.example.org login user password p\r\n", "p" },
  { "default login anonymous password x", NULL },
  { "default password x", NULL },
  { "default login user password p", "p" },
  { "macdef init\nmachine mail.example.org login user password x\n\n"
    "machine mail.example.org login user password p", "p" },
  { "macdef init\nmachine mail.example.org login user password x\n", NULL },
  { "machine", NULL },
  { "machine mail.example.org login user password \"open", "open" },
  { "password p login user machine mail.example.org", NULL },
};

static void
test_netrc_entries (Fixture *fixture, gconstpointer unused)
{
  g_autofree gchar *path = g_build_filename (fixture->home, ".netrc", NULL);
  MmNetrcQuery query
      = { .host = "mail.example.org", .user = "user", .protocol = "imap", .port = 993 };

  for (gsize i = 0; i < G_N_ELEMENTS (netrcs); i++)
    {
      g_autoptr (MmSecret) secret = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", netrcs[i].text);
      write_file (fixture, ".netrc", netrcs[i].text, 0600);
      g_assert_true (mm_netrc_lookup (path, &query, &secret, &error));
      g_assert_cmpstr (secret != NULL ? mm_secret_get (secret) : NULL, ==, netrcs[i].password);
    }
}

/* One user may have another password for each protocol. */
static void
test_netrc_entries_of_protocols (Fixture *fixture, gconstpointer unused)
{
  write_file (fixture, ".netrc",
              "machine mail.example.org port imaps login user password of-imap\n"
              "machine mail.example.org port pop3s login user password of-pop3s\n"
              "machine mail.example.org port pop3 login user password of-pop3\n", 0600);
  assert_finds (fixture, "of-imap");
  fixture->config->source.protocol = MM_PROTOCOL_POP3;
  fixture->config->port = 995;
  assert_finds (fixture, "of-pop3s");
}

static void
test_netrc_that_others_can_read_is_refused (Fixture *fixture, gconstpointer unused)
{
  static const int modes[] = { 0640, 0604, 0660, 0644, 0610 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      write_file (fixture, ".netrc", "machine mail.example.org login user password hunter2",
                  modes[i]);
      assert_fails (fixture, "chmod 600");
    }
  /* Such a file without an entry of ours harms nobody. */
  write_file (fixture, ".netrc", "machine ftp.example.org login user password x", 0644);
  write_file (fixture, ".authinfo", "machine mail.example.org login user password p", 0400);
  assert_finds (fixture, "p");
}

static void
test_an_unreachable_bus_does_not_hang (Fixture *fixture, gconstpointer unused)
{
  gint64 begin_us = mm_clock_monotonic_us ();

  write_file (fixture, ".netrc", "machine mail.example.org login user password p", 0600);
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  assert_finds (fixture, "p");
  g_unsetenv ("DBUS_SESSION_BUS_ADDRESS");
  g_setenv ("XDG_RUNTIME_DIR", fixture->home, TRUE);
  assert_finds (fixture, "p");
  g_assert_cmpint (mm_clock_monotonic_us () - begin_us, <, 30 * G_USEC_PER_SEC);
}

/* ---- the terminal ---- */

/* In the child, whose controlling terminal is a new one: asks and says what it got. */
static void G_GNUC_NORETURN
run_prompt (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmSecret) secret = mm_prompt_secret ("Password: ", &error);
  struct termios terminal;

  tcgetattr (STDIN_FILENO, &terminal);
  dprintf (STDOUT_FILENO, "<%s|%s|%s>", secret != NULL ? mm_secret_get (secret) : "none",
           error != NULL ? error->message : "ok",
           (terminal.c_lflag & ECHO) != 0 ? "echo" : "no echo");
  _exit (0);
}

/* Reads from @fd until @text has @needle. */
static void
read_until (int fd, GString *text, const gchar *needle)
{
  gint64 deadline_us = mm_clock_monotonic_us () + 30 * G_USEC_PER_SEC;

  while (strstr (text->str, needle) == NULL)
    {
      struct pollfd wanted = { .fd = fd, .events = POLLIN };
      gchar buffer[256];

      g_assert_cmpint (mm_clock_monotonic_us (), <, deadline_us);
      if (poll (&wanted, 1, 1000) <= 0)
        continue;
      ssize_t n = read (fd, buffer, sizeof buffer);
      if (n <= 0)
        break;
      g_string_append_len (text, buffer, n);
    }
}

static gchar *
converse (const gchar *typed)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int fd;
  pid_t pid = forkpty (&fd, NULL, NULL, NULL);

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    run_prompt ();
  read_until (fd, text, "Password: ");
  g_assert_cmpint (write (fd, typed, strlen (typed)), ==, (gssize) strlen (typed));
  read_until (fd, text, ">");
  close (fd);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_prompt_reads_without_echo (void)
{
  g_autofree gchar *text = converse ("hunter2\n");
  g_assert_cmpstr (text, ==, "Password: \r\n<hunter2|ok|echo>");
}

static void
test_prompt_can_be_interrupted (void)
{
  g_autofree gchar *text = converse ("hunt\x03");
  g_assert_nonnull (strstr (text, "<none|interrupted|echo>"));
}

static void
test_prompt_takes_nothing_for_no (void)
{
  g_autofree gchar *empty = converse ("\n");
  g_autofree gchar *end = converse ("\x04");
  g_assert_nonnull (strstr (empty, "<none|no password was typed|echo>"));
  g_assert_nonnull (strstr (end, "<none|no password was typed|echo>"));
}

#define ADD(path, function) \
  g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* No controlling terminal, wherever the test runs. */
  if (setsid () < 0 && fork () != 0)
    {
      int status;
      wait (&status);
      return WIFEXITED (status) ? WEXITSTATUS (status) : 1;
    }
  setsid ();
  ADD ("/credentials/order-of-sources", test_order_of_sources);
  ADD ("/credentials/commands", test_commands);
  g_test_add_func ("/credentials/a-command-that-hangs-is-killed",
                   test_a_command_that_hangs_is_killed);
  ADD ("/credentials/the-password-is-found-once", test_the_password_is_found_once);
  ADD ("/credentials/a-refused-password-is-not-given-again",
       test_a_refused_password_is_not_given_again);
  ADD ("/credentials/tokens-are-asked-for-again", test_tokens_are_asked_for_again);
  ADD ("/credentials/netrc-entries", test_netrc_entries);
  ADD ("/credentials/netrc-entries-of-protocols", test_netrc_entries_of_protocols);
  ADD ("/credentials/netrc-that-others-can-read-is-refused",
       test_netrc_that_others_can_read_is_refused);
  ADD ("/credentials/an-unreachable-bus-does-not-hang", test_an_unreachable_bus_does_not_hang);
  g_test_add_func ("/credentials/prompt-reads-without-echo", test_prompt_reads_without_echo);
  g_test_add_func ("/credentials/prompt-can-be-interrupted", test_prompt_can_be_interrupted);
  g_test_add_func ("/credentials/prompt-takes-nothing-for-no", test_prompt_takes_nothing_for_no);
  return g_test_run ();
}
