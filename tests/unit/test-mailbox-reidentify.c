// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/mailbox-reidentify.h"

#define DATE 1700000000

/* A list of messages from a line of text: "UID:SIZE:STEM:ID" each, separated by blanks, or with
 * ":OBJECT" behind it. "-" as ID is none, "?" not known; "!" behind it: it was fetched once. */
typedef struct
{
  GArray *messages;     /* Array<MmMessage> */
  GStringChunk *strings;
} List;

static void
list_init (List *list, const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  list->messages = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  list->strings = g_string_chunk_new (4096);
  for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++)
    {
      g_auto (GStrv) parts = g_strsplit (words[i], ":", -1);
      g_assert_cmpuint (g_strv_length (parts), >=, 4);
      MmMessage message = {
        .uid = (guint32) g_ascii_strtoull (parts[0], NULL, 10),
        .told_size = (guint32) g_ascii_strtoull (parts[1], NULL, 10),
        .internaldate = DATE,
        .stem = *parts[2] != '\0' ? g_string_chunk_insert (list->strings, parts[2]) : NULL,
        .size_is_proved = g_str_has_suffix (parts[3], "!"),
      };
      if (parts[4] != NULL)
        {
          message.has_object = TRUE;
          message.object = g_ascii_strtoull (parts[4], NULL, 10);
          message.is_linked = strchr (parts[4], 'u') == NULL;
        }
      if (*parts[3] == '-')
        message.message_id = "";
      else if (*parts[3] != '?')
        message.message_id = g_string_chunk_insert (list->strings, parts[3]);
      g_array_append_val (list->messages, message);
    }
}

static void
list_clear (List *list)
{
  g_array_unref (list->messages);
  g_string_chunk_free (list->strings);
}

static const MmMessage *
list_get (const List *list)
{
  return (const MmMessage *) (gpointer) list->messages->data;
}

/* @expected: for each message now "=UID" of the one before that it is proved to be, "~UID" likely, "+"
 * new. */
static void
check_with (const gchar *before_text, const gchar *now_text, gboolean has_stems,
            const gchar *expected)
{
  List before, now;
  GString *found = g_string_new (NULL);

  list_init (&before, before_text);
  list_init (&now, now_text);
  g_autoptr (GArray) identified
      = mm_mailbox_reidentify (list_get (&before), before.messages->len, list_get (&now),
                               now.messages->len, has_stems);
  g_assert_cmpuint (identified->len, ==, now.messages->len);
  for (guint i = 0; i < identified->len; i++)
    {
      const MmIdentified *one = &g_array_index (identified, MmIdentified, i);
      g_string_append (found, i > 0 ? " " : "");
      if (one->identity == MM_IDENTITY_NEW)
        g_string_append_c (found, '+');
      else
        g_string_append_printf (found, "%c%u", one->identity == MM_IDENTITY_PROVED ? '=' : '~',
                                list_get (&before)[one->before].uid);
    }
  g_assert_cmpstr (found->str, ==, expected);
  g_string_free (found, TRUE);
  list_clear (&before);
  list_clear (&now);
}

static void
check (const gchar *before, const gchar *now, const gchar *expected)
{
  check_with (before, now, TRUE, expected);
}

static void
test_same_object (void)
{
  check ("5:10:a:?:77 9:20:b:y:78", "1:20:c:z:78 2:10:a:?:77", "=9 =5");
  /* RFC 8474: what has another size has another object. */
  check ("5:10:a:?:77", "1:11:a:?:77", "+");
  /* Of one object in one folder twice. */
  check ("5:10:a:?:7 6:10:a:?:7 8:10:a:?:7", "1:10:a:?:7 2:10:a:?:7", "=5 =6");
  check ("5:10:a:?:7", "1:10:a:?:7 2:10:a:?:7 3:10:a:?:6", "=5 + +");
}

static void
test_other_object (void)
{
  check ("5:10:a:x:77", "1:10:a:x:78", "+");
  /* An id of one folder alone may be another for the same message, as other software made it. */
  check ("5:10:a:x:77u 6:20:b:y:79u", "1:10:a:x:78u 2:20:b:y:79u", "=5 =6");
  /* From when the server had no objects yet, or that has none any more. */
  check ("5:10:a:x", "1:10:a:x:78", "=5");
  check ("5:10:a:x:77 6:10:b:y:78", "1:10:a:x 2:10:b:y", "=5 =6");
  check ("5:10:a:x 6:10:b:y:78", "1:10:a:x:77 2:10:b:y:78", "=5 =6");
}

static void
test_nothing (void)
{
  check ("", "", "");
  check ("1:10:a:x", "", "");
  check ("", "1:10:a:x 2:20:b:y", "+ +");
}

static void
test_same_id (void)
{
  check ("5:10:a:x 9:20:b:y", "1:10:a:x 2:20:b:y", "=5 =9");
}

static void
test_permuted (void)
{
  check ("1:10:a:x 2:10:a:y 3:10:a:z 4:99:a:w", "1:99:a:w 2:10:a:z 3:10:a:x 4:10:a:y",
         "=4 =3 =1 =2");
}

static void
test_added_and_removed (void)
{
  check ("1:10:a:x 2:20:b:y 3:30:c:z", "1:20:b:y 2:40:d:v 3:10:a:x", "=2 + =1");
}

static void
test_other_id (void)
{
  check ("1:10:a:x", "1:10:a:y", "+");
  check ("1:10:a:x 2:10:a:y", "1:10:a:z 2:10:a:x", "+ =1");
  /* Of the one that had an ID it is not known whether it still has. */
  check ("1:10:a:x", "1:10:a:?", "+");
  check ("1:10:a:x", "1:10:a:-", "+");
}

static void
test_other_size_or_date (void)
{
  check ("1:10:a:x", "1:11:a:x", "+");

  MmMessage before = { .uid = 1, .internaldate = DATE, .message_id = "x" };
  MmMessage now = { .uid = 1, .internaldate = DATE + 1, .message_id = "x" };
  g_autoptr (GArray) identified = mm_mailbox_reidentify (&before, 1, &now, 1, TRUE);
  g_assert_cmpint (g_array_index (identified, MmIdentified, 0).identity, ==, MM_IDENTITY_NEW);
}

static void
test_unknown_before (void)
{
  check ("7:10:a:?", "1:10:a:x", "~7");
  check ("7:10:a:?", "1:10:a:?", "~7");
  check ("7:10:a:?", "1:10:b:x", "+");
  check ("7:10::?", "1:10::x", "~7");
  /* Not alone, on either side. */
  check ("7:10:a:? 8:10:a:?", "1:10:a:x", "+");
  check ("7:10:a:?", "1:10:a:x 2:10:a:y", "+ +");
  check ("7:10:a:? 8:10:a:?", "1:10:a:x 2:10:a:y", "+ +");
  check ("7:10:a:? 8:10:a:?", "1:10:a:? 2:10:a:?", "+ +");
  /* Which of two copies it is does not matter. */
  check ("7:10:a:? 8:10:a:?", "1:10:a:x 2:10:a:x", "~7 ~8");
  check ("7:10:a:? 8:10:a:?", "1:10:a:x 2:10:a:x 3:10:a:x", "+ + +");
  /* Alone when the others are proved to be others. */
  check ("7:10:a:? 8:10:a:y", "1:10:a:y 2:10:a:z", "=8 ~7");
  check ("7:10:a:? 8:10:b:?", "1:10:b:x 2:10:a:y", "~8 ~7");
}

static void
test_without_id (void)
{
  check ("7:10:a:-", "1:10:a:-", "~7");
  check ("7:10:a:-", "1:10:a:x", "+");
  check ("7:10:a:-", "1:10:a:?", "+");
  check ("7:10:a:- 8:10:a:-", "1:10:a:- 2:10:a:-", "~7 ~8");
  check ("7:10:a:- 8:10:a:-", "1:10:a:-", "+");
  check ("7:10:a:- 8:10:a:-", "1:10:a:- 2:10:a:- 3:10:a:-", "+ + +");
  check ("7:10:a:- 8:10:a:?", "1:10:a:- 2:10:a:-", "+ +");
}

static void
test_duplicates (void)
{
  check ("3:10:a:x 5:10:a:x", "1:10:a:x 2:10:a:x", "=3 =5");
  /* In the order of UIDs, whatever the order of the lists. */
  check ("5:10:a:x 3:10:a:x", "2:10:a:x 1:10:a:x", "=5 =3");
  check ("3:10:a:x 5:10:a:x", "1:10:a:x", "+");
  check ("3:10:a:x", "1:10:a:x 2:10:a:x", "+ +");
  /* What is left over of duplicates is no candidate for what is unknown. */
  check ("3:10:a:x 4:10:a:x 5:10:a:?", "1:10:a:x 2:10:a:z", "+ ~5");
}

static void
test_without_subjects (void)
{
  /* Known from a mount that asked for subjects, told by one that does not. */
  check_with ("7:10:a:?", "1:10::x", FALSE, "~7");
  check_with ("7:10:a:? 8:10:b:?", "1:10::x 2:10::y", FALSE, "+ +");
  check_with ("7:10:a:x 8:10:b:y", "1:10::y 2:10::x", FALSE, "=8 =7");
  /* And the other way: the Message-ID is enough. */
  check ("7:10::x", "1:10:a:x", "=7");
}

/* What has to be asked for: "BEFORE/NOW" as UIDs. */
static void
check_prepare (const gchar *before_text, const gchar *now_text, const gchar *expected)
{
  List before, now;
  g_autoptr (GArray) old = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) new = g_array_new (FALSE, FALSE, sizeof (guint));
  GString *found = g_string_new (NULL);

  list_init (&before, before_text);
  list_init (&now, now_text);
  mm_mailbox_reidentify_prepare (list_get (&before), before.messages->len, list_get (&now),
                                 now.messages->len, old, new);
  for (guint i = 0; i < old->len; i++)
    g_string_append_printf (found, "%u,", list_get (&before)[g_array_index (old, guint, i)].uid);
  g_string_append_c (found, '/');
  for (guint i = 0; i < new->len; i++)
    g_string_append_printf (found, "%u,", list_get (&now)[g_array_index (new, guint, i)].uid);
  g_assert_cmpstr (found->str, ==, expected);
  g_string_free (found, TRUE);
  list_clear (&before);
  list_clear (&now);
}

static void
test_prepare (void)
{
  check_prepare ("", "1:10:a:?", "/");
  /* Known, or to be read from the cache. */
  check_prepare ("7:10:a:x", "1:10:a:? 2:11:a:?", "/1,");
  check_prepare ("7:10:a:?! 8:20:b:?!", "1:10:a:? 2:11:a:?", "7,/1,");
  /* Never fetched: nothing to prove. */
  check_prepare ("7:10:a:?", "1:10:a:?", "/");
  /* Alike: are they copies of one? */
  check_prepare ("7:10:a:? 8:10:a:?", "1:10:a:? 2:10:a:?", "/1,2,");
  check_prepare ("7:10:a:?", "1:10:a:? 2:10:a:?", "/");
  /* Objects need no proof. */
  check_prepare ("7:10:a:x:5 8:11:a:?!:6", "1:10:a:?:5 2:11:a:?:7", "/");
  /* One of several. */
  check_prepare ("7:10:a:? 8:10:b:?!", "1:10:a:? 2:10:b:? 3:10:c:z", "8,/1,2,");
}

/* Deterministic, and different in each bit. */
static guint
scramble (guint i, guint n)
{
  return (guint) (((guint64) i * 48271u + 11) % n);
}

static void
check_many (guint n_same_marks)
{
  const guint n = 100003; /* a prime, so that scramble() is a permutation */
  g_autofree MmMessage *before = g_new0 (MmMessage, n);
  g_autofree MmMessage *now = g_new0 (MmMessage, n);
  GStringChunk *strings = g_string_chunk_new (65536);

  for (guint i = 0; i < n; i++)
    {
      g_autofree gchar *id = g_strdup_printf ("<%08x.%u@example.org>", i * 2654435761u, i);
      before[i] = (MmMessage){ .uid = i + 1, .told_size = i / n_same_marks, .internaldate = DATE,
                               .message_id = g_string_chunk_insert (strings, id) };
      guint place = scramble (i, n);
      now[place] = before[i];
      now[place].uid = place + 1;
    }
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GArray) identified = mm_mailbox_reidentify (before, n, now, n, TRUE);
  g_test_message ("%u messages, %u with equal marks: %" G_GINT64_FORMAT " ms", n, n_same_marks,
                  (g_get_monotonic_time () - start_us) / 1000);
  for (guint i = 0; i < n; i++)
    {
      const MmIdentified *one = &g_array_index (identified, MmIdentified, scramble (i, n));
      g_assert_cmpint (one->identity, ==, MM_IDENTITY_PROVED);
      g_assert_cmpuint (one->before, ==, i);
    }
  g_string_chunk_free (strings);
}

/* Comparing each with each would be ten thousand million comparisons of strings: minutes, and the
 * time limit of a test. */
static void
test_many (void)
{
  check_many (1);
  check_many (1000);
  check_many (G_MAXUINT);
}

/* The worst case: all marks are equal, and nothing is known. */
static void
test_many_alike (void)
{
  const guint n = 100000;
  g_autofree MmMessage *before = g_new0 (MmMessage, n);
  g_autofree MmMessage *now = g_new0 (MmMessage, n);

  for (guint i = 0; i < n; i++)
    {
      before[i] = (MmMessage){ .uid = i + 1, .message_id = "" };
      now[i] = (MmMessage){ .uid = i + 1, .message_id = "" };
    }
  g_autoptr (GArray) identified = mm_mailbox_reidentify (before, n, now, n, TRUE);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (g_array_index (identified, MmIdentified, i).before, ==, i);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add_func ("/mailbox/reidentify/" NAME, FUNC)
  ADD ("nothing", test_nothing);
  ADD ("same-message-id", test_same_id);
  ADD ("same-object", test_same_object);
  ADD ("other-object", test_other_object);
  ADD ("permuted", test_permuted);
  ADD ("added-and-removed", test_added_and_removed);
  ADD ("same-marks-but-other-message-id-is-new", test_other_id);
  ADD ("other-size-or-date-is-new", test_other_size_or_date);
  ADD ("message-id-unknown-before-is-likely-when-alone", test_unknown_before);
  ADD ("without-message-id-nothing-is-proved", test_without_id);
  ADD ("duplicates-in-the-order-of-uids-when-as-many", test_duplicates);
  ADD ("without-subjects", test_without_subjects);
  ADD ("asks-only-for-what-can-prove-something", test_prepare);
  ADD ("many-messages", test_many);
  ADD ("many-messages-that-are-all-alike", test_many_alike);
#undef ADD
  return g_test_run ();
}
