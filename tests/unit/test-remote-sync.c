// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-fixture.h"

#define EXAMINED(EXISTS, VALIDITY, NEXT)                                                           \
  "C: EXAMINE \"Box\"*\nS: * " EXISTS " EXISTS\nS: * OK [UIDVALIDITY " VALIDITY "] x\n"            \
  "S: * OK [UIDNEXT " NEXT "] x\nS: $T OK [READ-ONLY] x\n"
#define EXAMINED_MODSEQ(EXISTS, VALIDITY, NEXT, MODSEQ)                                            \
  "C: EXAMINE \"Box\" (CONDSTORE)\nS: * " EXISTS " EXISTS\nS: * OK [UIDVALIDITY " VALIDITY "] x\n" \
  "S: * OK [UIDNEXT " NEXT "] x\nS: * OK [HIGHESTMODSEQ " MODSEQ "] x\nS: $T OK [READ-ONLY] x\n"
#define ALL_ITEMS " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
/* The 1st of January 2000, 00:00:00 UTC, is 946684800. */
#define MESSAGE(UID, SIZE)                                                                         \
  " FETCH (UID " UID                                                                               \
  " FLAGS (\\Seen k) INTERNALDATE \" 1-Jan-2000 00:00:00 +0000\" RFC822.SIZE " SIZE                \
  " BODY[HEADER.FIELDS (SUBJECT)] {16}\\r\\nSubject: s" UID "\\r\\n\\r\\n)\\r\\n"
#define TOLD(UID, SIZE) "message " UID " size " SIZE " date 946684800 1 'k' 'Subject: s" UID "'\n"

static const MmMailboxState known
    = { .uidvalidity = 7, .uidnext = 30, .highestmodseq = 50, .messages = 3, .has_messages = TRUE };

static void
check (const gchar *script, const MmMailboxState *state, const gchar *expected)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, script);
  fixture_check (fixture, fixture_sync (fixture, "Box", state), expected);
}

static void
test_first (void)
{
  check (HELLO ("") EXAMINED (
             "2", "7", "30") "C: UID FETCH 1:*" ALL_ITEMS "\n"
                             "R: * 1" MESSAGE ("10", "100") "\n"
                                                            "R: * 2" MESSAGE ("20",
                                                                              "200") "\nS: $T OK\n",
         NULL,
         "opened v7 u30 m0 n2\n" TOLD ("10", "100")
             TOLD ("20", "200") "state v7 u30 m0 n2\ndone ok\n");
}

static void
test_first_pipelined_behind_examine (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (
      fixture->server,
      HELLO ("LIST-EXTENDED LIST-STATUS") "C: LIST *\nS: * LIST () \"/\" Box\n"
                                          "S: * STATUS Box (MESSAGES 1 UIDNEXT 9 UIDVALIDITY "
                                          "7)\nS: $T OK\n"
                                          "C: EXAMINE *\nC: UID FETCH 1:* *\n"
                                          "S: * 1 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK "
                                          "[UIDNEXT 30] x\nS: $U OK\n"
                                          "R: * 1" MESSAGE ("10", "100") "\nS: $T OK\n");
  fixture_check (fixture, fixture_list (fixture), "mailbox 'Box' / 0 v7 u9 m0 n1\ndone ok\n");
  fixture_check (fixture, fixture_sync (fixture, "Box", NULL),
                 "opened v7 u30 m0 n1\n" TOLD ("10", "100") "state v7 u30 m0 n1\ndone ok\n");
}

static void
test_empty (void)
{
  check (HELLO ("") EXAMINED ("0", "7", "30"), NULL,
         "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\n");
}

static void
test_incomplete (void)
{
  check (HELLO ("") EXAMINED ("2", "7", "30") "C: UID FETCH 1:* *\n"
                                              "R: * 1" MESSAGE ("10", "100") "\nS: $T OK\n",
         NULL, "opened v7 u30 m0 n2\n" TOLD ("10", "100") "done PROTOCOL\n");
}

static void
test_expunged_while_listed (void)
{
  check (HELLO ("")
             EXAMINED ("2", "7", "30") "C: UID FETCH 1:* *\n"
                                       "R: * 1" MESSAGE ("10", "100") "\n"
                                                                      "S: * 2 EXPUNGE\nS: $T OK\n",
         NULL, "opened v7 u30 m0 n2\n" TOLD ("10", "100") "state v7 u30 m0 n1\ndone ok\n");
}

/* Flags told unasked are no message, and a message told twice is one. */
static void
test_noise_in_listing (void)
{
  check (HELLO ("") EXAMINED (
             "1", "7",
             "30") "C: UID FETCH 1:* *\n"
                   "S: * 1 FETCH (UID 10 FLAGS (\\Seen))\n"
                   "R: * 1" MESSAGE ("10", "100") "\n"
                                                  "R: * 1" MESSAGE (
                                                      "10",
                                                      "100") "\n"
                                                             "S: * 1 FETCH (FLAGS ())\nS: $T OK\n",
         NULL, "opened v7 u30 m0 n1\n" TOLD ("10", "100") "state v7 u30 m0 n1\ndone ok\n");
}

static void
test_cut_listing (void)
{
  check (HELLO ("") EXAMINED ("2", "7", "30") "C: UID FETCH 1:* *\n"
                                              "R: * 1" MESSAGE ("10", "100") "\nX",
         NULL, "opened v7 u30 m0 n2\n" TOLD ("10", "100") "done CONNECTION_LOST\n");
}

static void
test_cut_before_anything (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  scripted_server_add (fixture->server, HELLO ("") "C: EXAMINE *\nX");
  scripted_server_add (fixture->server, HELLO ("") EXAMINED ("0", "7", "30"));
  fixture_check (fixture, fixture_sync (fixture, "Box", NULL),
                 "opened v7 u30 m0 n0\nstate v7 u30 m0 n0\ndone ok\n");
}

static void
test_listing_refused (void)
{
  check (HELLO ("") EXAMINED ("2", "7", "30") "C: UID FETCH 1:* *\nS: $T NO cannot\n", NULL,
         "opened v7 u30 m0 n2\ndone UNAVAILABLE\n");
}

static void
test_object_ids (void)
{
  check (HELLO ("OBJECTID") EXAMINED ("1", "7", "30")
         "C: UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID"
         " BODY.PEEK[HEADER.FIELDS (SUBJECT)])\n"
         "S: * 1 FETCH (UID 10 FLAGS (k) INTERNALDATE \" 1-Jan-2000 00:00:00 +0000\""
         " EMAILID (Mabc) RFC822.SIZE 100)\nS: $T OK\n", NULL,
         "opened v7 u30 m0 n1\nmessage 10 size 100 date 946684800 0 'k' '' Mabc\n"
         "state v7 u30 m0 n1\ndone ok\n");
}

/* Gmail's labels are decoded, and follow the flags. */
static void
test_gmail (void)
{
  check (HELLO ("X-GM-EXT-1") EXAMINED ("3", "7", "31")
         "C: UID FETCH 30:* (UID FLAGS INTERNALDATE RFC822.SIZE X-GM-MSGID X-GM-LABELS"
         " BODY.PEEK[HEADER.FIELDS (SUBJECT)])\n"
         "S: * 3 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\"\\\\Inbox\" \"Best&AOk-\" &x)"
         " UID 30 FLAGS (k) INTERNALDATE \" 1-Jan-2000 00:00:00 +0000\" RFC822.SIZE 100)\n"
         "S: $T OK\n"
         "C: UID FETCH 1:29 (UID FLAGS X-GM-LABELS)\n"
         "S: * 1 FETCH (UID 10 FLAGS () X-GM-LABELS ())\n"
         "S: * 2 FETCH (UID 20 FLAGS (\\Seen))\nS: $T OK\n", &known,
         "opened v7 u31 m0 n3\n"
         "message 30 size 100 date 946684800 0 'k|\\Inbox|Best\303\251|&x|' ''"
         " 1278455344230334865\nflags 10 0 '|'\nflags 20 1 ''\npresent 10:10 20:20\n"
         "state v7 u31 m0 n3\ndone ok\n");
}

static void
test_unchanged (void)
{
  check (HELLO ("CONDSTORE") EXAMINED_MODSEQ ("3", "7", "30", "50"), &known,
         "opened v7 u30 m50 n3\nstate v7 u30 m50 n3\ndone ok\n");
}

static void
test_new_mail (void)
{
  check (HELLO ("CONDSTORE") EXAMINED_MODSEQ (
             "4", "7", "31", "60") "C: UID FETCH 30:*" ALL_ITEMS "\n"
                                   "C: UID FETCH 1:29 (UID FLAGS) (CHANGEDSINCE 50)\n"
                                   "R: * 4" MESSAGE ("30", "100") "\nS: $U OK\nS: $T OK\n",
         &known, "opened v7 u31 m60 n4\n" TOLD ("30", "100") "state v7 u31 m60 n4\ndone ok\n");
}

/* "30:*" names the last message even when it is below 30. */
static void
test_last_message_is_not_new (void)
{
  check (HELLO ("CONDSTORE") EXAMINED_MODSEQ (
             "3", "7", "31", "60") "C: UID FETCH 30:* *\nC: UID FETCH 1:29 *\n"
                                   "R: * 3" MESSAGE ("29", "100") "\nS: $U OK\nS: $T OK\n",
         &known,
         "opened v7 u31 m60 n3\nflags 29 1 'k'\n" TOLD ("29",
                                                       "100") "state v7 u31 m60 n3\ndone ok\n");
}

static void
test_expunged_with_esearch (void)
{
  check (HELLO ("CONDSTORE ESEARCH") EXAMINED_MODSEQ (
             "2", "7", "30", "60") "C: UID SEARCH RETURN (ALL) UID 1:29\nC: UID FETCH 1:29 *\n"
                                   "S: * ESEARCH (TAG \"$U\") UID ALL 3,5\nS: $U OK\nS: $T OK\n",
         &known, "opened v7 u30 m60 n2\npresent 3:3 5:5\nstate v7 u30 m60 n2\ndone ok\n");
}

static void
test_expunged_with_search (void)
{
  check (HELLO ("CONDSTORE")
             EXAMINED_MODSEQ ("2", "7", "30", "60") "C: UID SEARCH UID 1:29\nC: UID FETCH 1:29 *\n"
                                                    "S: * SEARCH 5 3\nS: $U OK\nS: $T OK\n",
         &known, "opened v7 u30 m60 n2\npresent 3:3 5:5\nstate v7 u30 m60 n2\ndone ok\n");
}

/* One came and one went: the counts are as known, but not for the messages known. */
static void
test_came_and_went (void)
{
  check (
      HELLO ("CONDSTORE ESEARCH") EXAMINED_MODSEQ (
          "3", "7", "31",
          "60") "C: UID FETCH 30:* *\nC: UID FETCH 1:29 *\n"
                "R: * 3" MESSAGE ("30", "100") "\nS: $U OK\nS: $T OK\n"
                                               "C: UID SEARCH RETURN (ALL) UID 1:29\n"
                                               "S: * ESEARCH (TAG \"$T\") UID ALL 3,5\nS: $T OK\n",
      &known,
      "opened v7 u31 m60 n3\n" TOLD ("30",
                                     "100") "present 3:3 5:5\nstate v7 u31 m60 n3\ndone ok\n");
}

static void
test_all_expunged (void)
{
  check (HELLO ("CONDSTORE") EXAMINED_MODSEQ ("0", "7", "30", "60")
             "C: UID SEARCH UID 1:29\nS: * SEARCH\nS: $T OK\n",
         &known, "opened v7 u30 m60 n0\npresent\nstate v7 u30 m60 n0\ndone ok\n");
}

/* EXISTS says so, and SEARCH finds them. */
static void
test_all_gone_by_one_number (void)
{
  check (HELLO ("CONDSTORE") EXAMINED_MODSEQ ("0", "7", "30", "60")
             "C: UID SEARCH UID 1:29\nS: * SEARCH 3 4\nS: $T OK\n",
         &known, "opened v7 u30 m60 n0\ndone PROTOCOL\n");
}

static void
test_exists_not_told (void)
{
  check (HELLO ("") "C: EXAMINE *\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 30] x\nS: $T OK\n",
         &known, "done PROTOCOL\n");
}

/* Silence is not "none": nothing may be taken for gone. */
static void
test_silent_search (void)
{
  check (HELLO ("CONDSTORE ESEARCH") EXAMINED_MODSEQ (
             "2", "7", "30", "60") "C: UID SEARCH *\nC: UID FETCH 1:29 *\nS: $U OK\nS: $T OK\n",
         &known, "opened v7 u30 m60 n2\ndone PROTOCOL\n");
}

static void
test_search_too_short (void)
{
  check (HELLO ("CONDSTORE ESEARCH") EXAMINED_MODSEQ (
             "2", "7", "30", "60") "C: UID SEARCH *\nC: UID FETCH 1:29 *\n"
                                   "S: * ESEARCH (TAG \"$U\") UID ALL 3\nS: $U OK\nS: $T OK\n",
         &known, "opened v7 u30 m60 n2\npresent 3:3\ndone PROTOCOL\n");
}

static void
test_flags_without_condstore (void)
{
  check (HELLO ("") EXAMINED ("3", "7", "30") "C: UID FETCH 1:29 (UID FLAGS)\n"
                                              "S: * 1 FETCH (UID 3 FLAGS (\\Deleted))\n"
                                              "S: * 2 FETCH (UID 5 FLAGS ($Junk))\nS: $T OK\n",
         &known,
         "opened v7 u30 m0 n3\nflags 3 8 ''\nflags 5 0 '$Junk'\nstate v7 u30 m0 n3\ndone ok\n");
}

/* Courier tells no UIDNEXT. */
static void
test_no_uidnext (void)
{
  check (HELLO ("") "C: EXAMINE *\nS: * 4 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: $T OK\n"
                    "C: UID FETCH 30:* *\nC: UID FETCH 1:29 *\n"
                    "R: * 4" MESSAGE ("41", "100") "\nS: $U OK\n"
                    "S: * 1 FETCH (UID 3 FLAGS ())\nS: * 2 FETCH (UID 4 FLAGS ())\n"
                    "S: * 3 FETCH (UID 5 FLAGS ())\nS: $T OK\n",
         &known,
         "opened v7 u0 m0 n4\n" TOLD ("41", "100")
             "flags 3 0 ''\nflags 4 0 ''\nflags 5 0 ''\npresent 3:5\n"
             "state v7 u42 m0 n4\ndone ok\n");
}

/* All flags say who is there: nothing is searched for. */
static void
test_flags_tell_who_is_there (void)
{
  check (HELLO ("ESEARCH") EXAMINED ("2", "7", "30") "C: UID FETCH 1:29 (UID FLAGS)\n"
                    "S: * 1 FETCH (UID 3 FLAGS (\\Seen))\nS: * 2 FETCH (UID 5 FLAGS ())\n"
                    "S: $T OK\n",
         &known,
         "opened v7 u30 m0 n2\nflags 3 1 ''\nflags 5 0 ''\npresent 3:3 5:5\n"
         "state v7 u30 m0 n2\ndone ok\n");
}

/* A server that leaves some out is asked in another way. */
static void
test_flags_of_too_few (void)
{
  check (HELLO ("ESEARCH") EXAMINED ("2", "7", "30") "C: UID FETCH 1:29 (UID FLAGS)\n"
                    "S: * 1 FETCH (UID 3 FLAGS (\\Seen))\nS: $T OK\n"
                    "C: UID SEARCH RETURN (ALL) UID 1:29\n"
                    "S: * ESEARCH (TAG \"$T\") UID ALL 3,5\nS: $T OK\n",
         &known,
         "opened v7 u30 m0 n2\nflags 3 1 ''\npresent 3:3 5:5\nstate v7 u30 m0 n2\ndone ok\n");
}

/* Three were known. The new message that came went again while it was asked for, and it is not it that
 * makes up for the known one that went. */
static void
test_new_message_gone_proves_nothing (void)
{
  check (HELLO ("CONDSTORE ESEARCH")
             EXAMINED_MODSEQ ("4", "7", "32", "60") "C: UID FETCH 30:* *\nC: UID FETCH 1:29 *\n"
             "R: * 3" MESSAGE ("30", "100") "\nS: * 4 EXPUNGE\nS: $U OK\nS: $T OK\n"
             "C: UID SEARCH RETURN (ALL) UID 1:29\n"
             "S: * ESEARCH (TAG \"$T\") UID ALL 3,5\nS: $T OK\n",
         &known,
         "opened v7 u32 m60 n4\n" TOLD ("30", "100")
             "present 3:3 5:5\nstate v7 u32 m60 n3\ndone ok\n");
}

/* ---- QRESYNC ---- */

#define HELLO_QRESYNC                                                                              \
  HELLO ("ENABLE CONDSTORE QRESYNC") "C: ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: $T OK\n"
#define RESYNC(EXISTS, NEXT, MODSEQ)                                                               \
  "C: EXAMINE \"Box\" (QRESYNC (7 50 1:29))\nS: * " EXISTS " EXISTS\n"                              \
  "S: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT " NEXT "] x\n"                                      \
  "S: * OK [HIGHESTMODSEQ " MODSEQ "] x\n"

static void
check_resync (guint64 n_left, const gchar *script, const gchar *expected)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->n_left = n_left;
  scripted_server_add (fixture->server, script);
  fixture_check (fixture, fixture_sync (fixture, "Box", &known), expected);
}

static void
test_resync (void)
{
  check_resync (2,
                HELLO_QRESYNC RESYNC ("2", "30", "60")
                "S: * VANISHED (EARLIER) 1:2,4,6:40\n"
                "S: * 1 FETCH (UID 3 FLAGS (\\Seen k) MODSEQ (55))\n"
                "S: * 2 FETCH (UID 31 FLAGS () MODSEQ (60))\nS: $T OK\n",
                "opened v7 u30 m60 n2\nvanished 1:2 4:4 6:29\nflags 3 1 'k'\n"
                "state v7 u30 m60 n2\ndone ok\n");
}

static void
test_resync_unchanged (void)
{
  check_resync (3, HELLO_QRESYNC RESYNC ("3", "30", "50") "S: $T OK\n",
                "opened v7 u30 m50 n3\nvanished\nstate v7 u30 m50 n3\ndone ok\n");
}

static void
test_resync_new_mail (void)
{
  check_resync (2,
                HELLO_QRESYNC RESYNC ("3", "31", "60") "S: * VANISHED (EARLIER) 4\nS: $T OK\n"
                "C: UID FETCH 30:*" ALL_ITEMS "\n"
                "R: * 3" MESSAGE ("30", "100") "\nS: $T OK\n",
                "opened v7 u31 m60 n3\nvanished 4:4\n" TOLD ("30", "100")
                "state v7 u31 m60 n3\ndone ok\n");
}

static void
test_resync_all_gone (void)
{
  check_resync (0,
                HELLO_QRESYNC RESYNC ("0", "31", "60") "S: * VANISHED (EARLIER) 1:30\nS: $T OK\n",
                "opened v7 u31 m60 n0\nvanished 1:29\nstate v7 u31 m60 n0\ndone ok\n");
}

/* It says that two are there, and told of none that vanished. */
static void
test_resync_does_not_add_up (void)
{
  check_resync (3,
                HELLO_QRESYNC RESYNC ("2", "30", "60") "S: $T OK\n"
                "C: UID FETCH 1:*" ALL_ITEMS "\n"
                "R: * 1" MESSAGE ("13", "100") "\nR: * 2" MESSAGE ("15", "200") "\nS: $T OK\n",
                "opened v7 u30 m60 n2\nvanished\n" TOLD ("13", "100") TOLD ("15", "200")
                "present 13:13 15:15\nstate v7 u30 m60 n2\ndone ok\n");
}

static void
test_resync_of_another_uidvalidity (void)
{
  check_resync (3,
                HELLO_QRESYNC "C: EXAMINE \"Box\" (QRESYNC (7 50 1:29))\nS: * 1 EXISTS\n"
                "S: * OK [UIDVALIDITY 8] x\nS: * OK [UIDNEXT 11] x\n"
                "S: * OK [HIGHESTMODSEQ 60] x\nS: $T OK\n"
                "C: UID FETCH 1:* *\nR: * 1" MESSAGE ("10", "100") "\nS: $T OK\n",
                "restart v8 u11 m60 n1\n" TOLD ("10", "100") "state v8 u11 m60 n1\ndone ok\n");
}

/* What is told while another mailbox may still be open is not of this one. */
static void
test_resync_behind_another_mailbox (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->n_left = 3;
  scripted_server_add (
      fixture->server,
      HELLO_QRESYNC "C: EXAMINE \"Other\" *\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 9] x\nS: $T OK\n"
      "C: EXAMINE \"Box\" (QRESYNC (7 50 1:29))\n"
      "S: * VANISHED 5\nS: * 1 FETCH (UID 4 FLAGS (\\Deleted))\nS: * OK [CLOSED] x\n"
      "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 30] x\n"
      "S: * OK [HIGHESTMODSEQ 60] x\nS: * 1 FETCH (UID 3 FLAGS (\\Seen))\nS: $T OK\n"
      /* Without CLOSED nobody knows whose they are. */
      "C: EXAMINE \"Box\" (QRESYNC (7 50 1:29))\n"
      "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 30] x\n"
      "S: * OK [HIGHESTMODSEQ 60] x\nS: * 1 FETCH (UID 3 FLAGS (\\Seen))\nS: $T OK\n"
      "C: UID FETCH 1:29 (UID FLAGS) (CHANGEDSINCE 50)\n"
      "S: * 1 FETCH (UID 3 FLAGS (\\Seen))\nS: $T OK\n");
  fixture_check (fixture, fixture_sync (fixture, "Other", NULL),
                 "opened v9 u0 m0 n0\nstate v9 u1 m0 n0\ndone ok\n");
  fixture_check (fixture, fixture_sync (fixture, "Box", &known),
                 "opened v7 u30 m60 n3\nvanished\nflags 3 1 ''\nstate v7 u30 m60 n3\ndone ok\n");
  fixture_check (fixture, fixture_sync (fixture, "Box", &known),
                 "opened v7 u30 m60 n3\nflags 3 1 ''\nstate v7 u30 m60 n3\ndone ok\n");
}

static void
test_qresync_not_enabled (void)
{
  check (HELLO ("ENABLE CONDSTORE QRESYNC") "C: ENABLE QRESYNC\nS: $T NO not today\n"
             EXAMINED_MODSEQ ("3", "7", "30", "50"),
         &known, "opened v7 u30 m50 n3\nstate v7 u30 m50 n3\ndone ok\n");
}

/* Unasked, while new mail is fetched: as many as it names are gone since. */
static void
test_vanished_while_listed (void)
{
  check_resync (3,
                HELLO_QRESYNC RESYNC ("5", "32", "60") "S: $T OK\n"
                "C: UID FETCH 30:* *\n"
                "R: * 3" MESSAGE ("30", "100") "\nS: * VANISHED 3,31\nS: $T OK\n",
                "opened v7 u32 m60 n5\nvanished\n" TOLD ("30", "100")
                "state v7 u32 m60 n4\ndone ok\n");
}

static void
test_uidvalidity_changed (void)
{
  check (HELLO ("CONDSTORE")
             EXAMINED_MODSEQ ("1", "8", "11", "60") "C: UID FETCH 1:* *\nR: * 1" MESSAGE (
                 "10", "100") "\nS: $T OK\n",
         &known, "restart v8 u11 m60 n1\n" TOLD ("10", "100") "state v8 u11 m60 n1\ndone ok\n");
}

/* The same UIDVALIDITY, but fewer UIDs were given than before, or more messages have them. */
static void
test_numbered_anew (void)
{
  check (HELLO ("") EXAMINED ("1", "7", "11") "C: UID FETCH 1:* *\nR: * 1" MESSAGE (
             "10", "100") "\nS: $T OK\n",
         &known, "restart v7 u11 m0 n1\n" TOLD ("10", "100") "state v7 u11 m0 n1\ndone ok\n");
  check (HELLO ("") EXAMINED ("4", "7", "30") "C: UID FETCH 1:* *\nR: * 1" MESSAGE (
             "10", "100") "\nR: * 2" MESSAGE ("11", "100") "\nR: * 3" MESSAGE (
             "12", "100") "\nR: * 4" MESSAGE ("13", "100") "\nS: $T OK\n",
         &known,
         "restart v7 u30 m0 n4\n" TOLD ("10", "100") TOLD ("11", "100") TOLD ("12", "100")
             TOLD ("13", "100") "state v7 u30 m0 n4\ndone ok\n");
}

static void
test_mailbox_gone (void)
{
  check (HELLO ("") "C: EXAMINE *\nS: $T NO [NONEXISTENT] no such mailbox\n", NULL,
         "done MAILBOX_GONE\n");
}

static void
test_no_permission (void)
{
  check (HELLO ("") "C: EXAMINE *\nS: $T NO [NOPERM] not yours\n", NULL, "done PERMISSION\n");
}

static void
test_timeout (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  fixture->config.answer_timeout_ms = 200;
  scripted_server_add (fixture->server, HELLO ("") "C: EXAMINE *\nW");
  scripted_server_add (fixture->server, HELLO ("") "C: EXAMINE *\nW");
  fixture_check (fixture, fixture_sync (fixture, "Box", NULL), "done TIMEOUT\n");
}

static void
test_garbage (void)
{
  g_autoptr (Fixture) fixture = fixture_new ();

  for (guint i = 0; i < 3; i++)
    scripted_server_add (fixture->server, HELLO ("") "C: EXAMINE *\nS: * 1 FETCH (UID ]]]\nW");
  fixture_check (fixture, fixture_sync (fixture, "Box", NULL), "done PROTOCOL\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/remote/sync/" NAME, FUNC)
  ADD ("first-listing-is-everything", test_first);
  ADD ("first-listing-goes-out-with-examine", test_first_pipelined_behind_examine);
  ADD ("empty-mailbox-sends-no-fetch", test_empty);
  ADD ("listing-shorter-than-exists-is-an-error", test_incomplete);
  ADD ("expunged-during-the-listing-is-complete", test_expunged_while_listed);
  ADD ("unasked-flags-and-repeated-messages-are-ignored", test_noise_in_listing);
  ADD ("cut-listing-is-an-error", test_cut_listing);
  ADD ("cut-before-anything-was-told-is-repeated", test_cut_before_anything);
  ADD ("listing-refused-is-an-error", test_listing_refused);
  ADD ("object-ids", test_object_ids);
  ADD ("gmail", test_gmail);
  ADD ("unchanged-costs-only-examine", test_unchanged);
  ADD ("new-mail-is-fetched-from-uidnext", test_new_mail);
  ADD ("last-message-below-uidnext-is-told-and-not-counted", test_last_message_is_not_new);
  ADD ("expunged-is-found-by-esearch", test_expunged_with_esearch);
  ADD ("expunged-is-found-by-search", test_expunged_with_search);
  ADD ("one-came-and-one-went", test_came_and_went);
  ADD ("all-expunged-is-asked-about-once-more", test_all_expunged);
  ADD ("all-gone-by-one-number-is-not-believed", test_all_gone_by_one_number);
  ADD ("exists-not-told-is-an-error", test_exists_not_told);
  ADD ("search-without-answer-is-an-error", test_silent_search);
  ADD ("search-shorter-than-exists-is-an-error", test_search_too_short);
  ADD ("flags-without-condstore-are-compared", test_flags_without_condstore);
  ADD ("all-flags-tell-who-is-there", test_flags_tell_who_is_there);
  ADD ("flags-of-too-few-are-not-believed", test_flags_of_too_few);
  ADD ("new-message-that-went-again-proves-nothing", test_new_message_gone_proves_nothing);
  ADD ("qresync-tells-changes-with-examine", test_resync);
  ADD ("qresync-unchanged-costs-only-examine", test_resync_unchanged);
  ADD ("qresync-fetches-new-mail-alone", test_resync_new_mail);
  ADD ("qresync-all-gone", test_resync_all_gone);
  ADD ("qresync-that-does-not-add-up-lists-again", test_resync_does_not_add_up);
  ADD ("qresync-of-another-uidvalidity-restarts", test_resync_of_another_uidvalidity);
  ADD ("qresync-heeds-only-what-follows-closed", test_resync_behind_another_mailbox);
  ADD ("qresync-not-enabled-is-not-used", test_qresync_not_enabled);
  ADD ("vanished-while-listed-is-complete", test_vanished_while_listed);
  ADD ("uidnext-not-told-is-found-out", test_no_uidnext);
  ADD ("new-uidvalidity-restarts", test_uidvalidity_changed);
  ADD ("numbers-that-contradict-uidvalidity-restart", test_numbered_anew);
  ADD ("nonexistent-is-mailbox-gone", test_mailbox_gone);
  ADD ("noperm-is-permission", test_no_permission);
  ADD ("silence-is-a-timeout", test_timeout);
  ADD ("garbage-is-a-protocol-error", test_garbage);
  return g_test_run ();
}
