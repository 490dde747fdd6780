// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-fixture.h"

static void
test_extended (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("LIST-EXTENDED LIST-STATUS SPECIAL-USE") "C: LIST \"\" \"?\" RETURN (*STATUS "
                                                      "(MESSAGES UIDNEXT UIDVALIDITY)*)\n"
                                                      "S: * LIST (\\Subscribed) \"/\" INBOX\n"
                                                      "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 9 "
                                                      "UIDVALIDITY 77)\n"
                                                      "S: * LIST (\\NoSelect) \"/\" Archive\n"
                                                      "S: * LIST (\\Sent) \"/\" \"Archive/Sent & "
                                                      "more\"\n"
                                                      "S: * STATUS \"Archive/Sent & more\" "
                                                      "(MESSAGES 0 UIDNEXT 1 UIDVALIDITY 78)\n"
                                                      "S: $T OK\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' / 2 v77 u9 m0 n3\n"
                 "mailbox 'Archive' / 1 v0 u0 m0 n?\n"
                 "mailbox 'Archive/Sent & more' / 80 v78 u1 m0 n0\n"
                 "done ok\n");
}

static void
test_plain (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("CONDSTORE") "C: LIST \"\" *\nC: LSUB \"\" *\n"
                          "S: * LIST () \".\" inbox\nS: * LIST () \".\" INBOX.a\n"
                          "S: * LIST (\\Noselect) \".\" INBOX.b\n"
                          "S: $U OK\nS: * LSUB () \".\" INBOX\nS: * LSUB () \".\" Gone\nS: $T OK\n"
                          "C: STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\n"
                          "C: STATUS \"INBOX.a\" *\n"
                          "S: * STATUS inbox (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4)\n"
                          "S: $U OK\nS: $T NO not you\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' . 2 v3 u2 m4 n1\n"
                 "mailbox 'INBOX.a' . 0 v0 u0 m0 n?\n"
                 "mailbox 'INBOX.b' . 1 v0 u0 m0 n?\n"
                 "done ok\n");
}

static void
test_mailbox_ids (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->wants_ids = TRUE;
  scripted_server_add (fixture->server,
                       HELLO ("LIST-EXTENDED LIST-STATUS OBJECTID")
                       "C: LIST *\nS: * LIST () \"/\" A\nS: * LIST () \"/\" B\n"
                       "S: * LIST (\\Noselect) \"/\" C\n"
                       "S: * STATUS A (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)\n"
                       "S: * STATUS B (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 3)\nS: $T OK\n"
                       "C: STATUS \"A\" (MAILBOXID)\nC: STATUS \"B\" (MAILBOXID)\n"
                       "S: * STATUS A (MAILBOXID (F1))\nS: $U OK\nS: $T NO\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'A' / 0 v3 u2 m0 n1 F1\nmailbox 'B' / 0 v3 u1 m0 n0\n"
                 "mailbox 'C' / 1 v0 u0 m0 n?\ndone ok\n");
}

static void
test_namespaces (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("NAMESPACE LIST-EXTENDED LIST-STATUS") "C: NAMESPACE\nS: * NAMESPACE ((\"\" \"/\")) "
                                                    "((\"Other/\" \"/\")) ((\"Public/\" \"/\"))\n"
                                                    "S: $T OK\n"
                                                    "C: LIST \"\" \"?\" *\nC: LIST \"\" "
                                                    "\"Other/?\" *\nC: LIST \"\" \"Public/?\" *\n"
                                                    "S: * LIST () \"/\" INBOX\nS: * LIST () \"/\" "
                                                    "Other/user/a\nS: $V OK\n"
                                                    "S: * LIST () \"/\" Other/user/a\nS: $U OK\n"
                                                    "S: * LIST () \"/\" Public/b\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'INBOX' / 0 v0 u0 m0 n?\n"
                 "mailbox 'Other/user/a' / 0 foreign v0 u0 m0 n?\n"
                 "mailbox 'Public/b' / 0 foreign v0 u0 m0 n?\n"
                 "done ok\n");
}

/* The name above the seam does not depend on what a connection speaks. */
static void
test_utf8 (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO (
          "ENABLE UTF8=ACCEPT LIST-EXTENDED LIST-STATUS") "C: ENABLE UTF8=ACCEPT\nS: * ENABLED "
                                                          "UTF8=ACCEPT\nS: $T OK\n"
                                                          "C: LIST *\nS: * LIST () \"/\" "
                                                          "\"Entw\xc3\xbcrfe & mehr\"\nS: $T OK\n"
                                                          "C: EXAMINE \"Entw\xc3\xbcrfe & mehr\"\n"
                                                          "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 5] "
                                                          "x\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture),
                 "mailbox 'Entw&APw-rfe &- mehr' / 0 v0 u0 m0 n?\ndone ok\n");
  fixture_check (fixture, fixture_sync (fixture, "Entw&APw-rfe &- mehr", NULL),
                 "opened v5 u0 m0 n0\nstate v5 u1 m0 n0\ndone ok\n");
}

static void
test_refused (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" "
                                                           "INBOX\nS: $T NO [NOPERM] sorry\n");
  fixture_check (fixture, fixture_list (fixture), "done PERMISSION\n");
}

static void
test_misunderstood (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST * RETURN *\nS: $T BAD what?\n"
                                                           "C: LIST \"\" \"?\"\nC: LSUB *\nS: * "
                                                           "LIST (\\Noselect) \"/\" Dir\n"
                                                           "S: $U OK\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'Dir' / 1 v0 u0 m0 n?\ndone ok\n");
}

static void
test_connection_lost (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server,
                       HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" Old\nX");
  scripted_server_add (
      fixture->server,
      HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" INBOX\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'INBOX' / 0 v0 u0 m0 n?\ndone ok\n");
}

static void
test_connection_lost_again_and_again (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  for (guint i = 0; i < 3; i++)
    scripted_server_add (
        fixture->server,
        HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" INBOX\nX");
  fixture_check (fixture, fixture_list (fixture), "done CONNECTION_LOST\n");
}

/* Its STATUS may be old, and is not told; but what changed is. */
static void
test_selected (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture_write_changes (fixture);
  scripted_server_add (
      fixture->server,
      HELLO ("LIST-EXTENDED LIST-STATUS") "C: EXAMINE *\nS: * 0 EXISTS\n"
                                          "S: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 9] x\n"
                                          "S: $T OK\n"
                                          "C: NOOP\nC: LIST *\nS: * 1 EXISTS\nS: $U OK\n"
                                          "S: * LIST () \"/\" Box\nS: * STATUS Box (MESSAGES 0 "
                                          "UIDNEXT 9 UIDVALIDITY 7)\nS: $T OK\n");
  fixture_check (fixture, fixture_sync (fixture, "Box", NULL),
                 "opened v7 u9 m0 n0\nstate v7 u9 m0 n0\ndone ok\n");
  fixture_check (fixture, fixture_list (fixture),
                 "changed Box\nmailbox 'Box' / 0 v0 u0 m0 n?\ndone ok\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/list/list-status-is-one-command", test_extended);
  g_test_add_func ("/remote/list/lsub-and-status-without-extensions", test_plain);
  g_test_add_func ("/remote/list/mailbox-ids", test_mailbox_ids);
  g_test_add_func ("/remote/list/other-namespaces-are-marked", test_namespaces);
  g_test_add_func ("/remote/list/utf8-names-keep-their-name", test_utf8);
  g_test_add_func ("/remote/list/no-is-an-error", test_refused);
  g_test_add_func ("/remote/list/extended-form-answered-bad-is-asked-plainly", test_misunderstood);
  g_test_add_func ("/remote/list/cut-list-is-repeated-whole", test_connection_lost);
  g_test_add_func ("/remote/list/cut-three-times-is-an-error",
                   test_connection_lost_again_and_again);
  g_test_add_func ("/remote/list/selected-mailbox-tells-its-news", test_selected);
  return g_test_run ();
}
