// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail-fixture.h"

#include "../../src/mail/read-ahead-stream.h"

#define N_MESSAGES 200
#define SECOND     ((gint64) G_USEC_PER_SEC)

typedef struct
{
  MailFixture *mail;
  MmReadStream *stream;
} Fixture;

/* All of one day, with subjects that run against the numbers: the name order is the number order
 * backwards. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->mail = mail_fixture_new ();
  fake_server_add_mailbox (fixture->mail->server, "INBOX", 0);
  for (guint i = 1; i <= N_MESSAGES; i++)
    {
      g_autofree gchar *subject = g_strdup_printf ("subject %03u", 999 - i);
      g_autoptr (GBytes) body = g_bytes_new_static ("octets\r\n", 8);
      fake_server_deliver (fixture->mail->server, "INBOX", i, subject, body);
    }
  mail_fixture_mount (fixture->mail);
  g_free (mail_fixture_list (fixture->mail, "INBOX"));
  fixture->stream = mm_read_stream_new (mail_fixture_find (fixture->mail, "INBOX"), FALSE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  mm_read_stream_free (fixture->stream);
  mail_fixture_free (fixture->mail);
}

static void
open_message (Fixture *fixture, guint64 number)
{
  mm_read_stream_note_open (fixture->stream, number, FALSE, FALSE, SECOND);
}

static void
test_first_open_tells_nothing (Fixture *fixture, gconstpointer data)
{
  open_message (fixture, 1);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_UNKNOWN);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 0);
}

static void
test_lister_at_the_first_name_goes_by_name (Fixture *fixture, gconstpointer data)
{
  mm_read_stream_note_open (fixture->stream, N_MESSAGES, TRUE, FALSE, SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NAME);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, N_MESSAGES - 1);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, N_MESSAGES - 2);
}

static void
test_lister_at_the_first_number_goes_by_number (Fixture *fixture, gconstpointer data)
{
  mm_read_stream_note_open (fixture->stream, 1, TRUE, FALSE, SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NUMBER);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 2);
}

static void
test_two_opens_in_order_tell_it (Fixture *fixture, gconstpointer data)
{
  open_message (fixture, 70);
  open_message (fixture, 69);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NAME);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 68);

  mm_read_stream_reset (fixture->stream);
  open_message (fixture, 70);
  open_message (fixture, 71);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NUMBER);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 72);
}

static void
test_window_doubles_in_order_and_halves_at_a_miss (Fixture *fixture, gconstpointer data)
{
  guint first = mm_read_stream_get_window (fixture->stream);

  open_message (fixture, 1);
  open_message (fixture, 2);
  open_message (fixture, 3);
  open_message (fixture, 4);
  g_assert_cmpuint (mm_read_stream_get_window (fixture->stream), ==, first * 4);
  open_message (fixture, 150);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_UNKNOWN);
  g_assert_cmpuint (mm_read_stream_get_window (fixture->stream), ==, first * 2);
}

static void
test_a_reader_that_leaves_some_out_is_still_in_order (Fixture *fixture, gconstpointer data)
{
  open_message (fixture, 1);
  open_message (fixture, 2);
  open_message (fixture, 30);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NUMBER);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 31);
  g_assert_true (mm_read_stream_is_passed (fixture->stream, 1) == FALSE);
  open_message (fixture, 90);
  g_assert_true (mm_read_stream_is_passed (fixture->stream, 1));
}

static void
test_the_end_is_the_end (Fixture *fixture, gconstpointer data)
{
  open_message (fixture, N_MESSAGES - 2);
  open_message (fixture, N_MESSAGES - 1);
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, N_MESSAGES);
  g_assert_true (mm_read_stream_is_at_end (fixture->stream));
  g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, 0);
}

/* A permutation without neighbours: 77 and 200 have no common divisor. */
static guint64
shuffled (guint i)
{
  return 1 + (guint64) i * 77 % N_MESSAGES;
}

static void
test_few_opens_are_worth_a_try_when_all_is_read_like_that (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    mm_read_stream_note_open (fixture->stream, shuffled (i), FALSE, TRUE, SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_UNKNOWN);
  mm_read_stream_note_open (fixture->stream, shuffled (3), FALSE, TRUE, SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_ANY);
  g_assert_false (mm_read_stream_is_sure (fixture->stream));
}

static void
test_an_eighth_in_any_order_is_a_sweep (Fixture *fixture, gconstpointer data)
{
  guint n = 0;

  for (; mm_read_stream_get_order (fixture->stream) == MM_ORDER_UNKNOWN; n++)
    mm_read_stream_note_open (fixture->stream, shuffled (n), FALSE, FALSE, n * SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_ANY);
  g_assert_cmpuint (n, ==, N_MESSAGES / 8);
  g_assert_true (mm_read_stream_is_sure (fixture->stream));
  for (guint i = 1; i <= N_MESSAGES; i++)
    g_assert_cmpuint (mm_read_stream_next (fixture->stream), ==, i);
  g_assert_true (mm_read_stream_is_at_end (fixture->stream));
}

static void
test_many_opens_at_once_are_worth_a_try (Fixture *fixture, gconstpointer data)
{
  guint n = 0;

  for (; mm_read_stream_get_order (fixture->stream) == MM_ORDER_UNKNOWN; n++)
    mm_read_stream_note_open (fixture->stream, shuffled (n), FALSE, FALSE, SECOND);
  g_assert_cmpuint (n, <, N_MESSAGES / 8);
  g_assert_false (mm_read_stream_is_sure (fixture->stream));
  mm_read_stream_note_open (fixture->stream, shuffled (n), FALSE, FALSE, SECOND);
  g_assert_true (mm_read_stream_is_sure (fixture->stream));
}

static void
test_slow_opens_are_no_sweep (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_MESSAGES; i++)
    mm_read_stream_note_open (fixture->stream, shuffled (i), FALSE, FALSE, i * 61 * SECOND);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_UNKNOWN);
}

static void
test_new_mail_makes_it_learn_again (Fixture *fixture, gconstpointer data)
{
  open_message (fixture, 1);
  open_message (fixture, 2);
  fake_server_expunge (fixture->mail->server, "INBOX", 100);
  mm_mailbox_set_stale (mail_fixture_find (fixture->mail, "INBOX"));
  g_free (mail_fixture_list (fixture->mail, "INBOX"));
  open_message (fixture, 3);
  g_assert_cmpint (mm_read_stream_get_order (fixture->stream), ==, MM_ORDER_NUMBER);
  for (guint64 number = mm_read_stream_next (fixture->stream); number != 0;
       number = mm_read_stream_next (fixture->stream))
    g_assert_cmpuint (number, !=, 100);
}

static void
add (const gchar *path, void (*test) (Fixture *fixture, gconstpointer data))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/mail/read-ahead-stream/first-open-tells-nothing", test_first_open_tells_nothing);
  add ("/mail/read-ahead-stream/lister-at-the-first-name-goes-by-name",
       test_lister_at_the_first_name_goes_by_name);
  add ("/mail/read-ahead-stream/lister-at-the-first-number-goes-by-number",
       test_lister_at_the_first_number_goes_by_number);
  add ("/mail/read-ahead-stream/two-opens-in-order-tell-it", test_two_opens_in_order_tell_it);
  add ("/mail/read-ahead-stream/window-doubles-in-order-and-halves-at-a-miss",
       test_window_doubles_in_order_and_halves_at_a_miss);
  add ("/mail/read-ahead-stream/a-reader-that-leaves-some-out-is-still-in-order",
       test_a_reader_that_leaves_some_out_is_still_in_order);
  add ("/mail/read-ahead-stream/the-end-is-the-end", test_the_end_is_the_end);
  add ("/mail/read-ahead-stream/few-opens-are-worth-a-try-when-all-is-read-like-that",
       test_few_opens_are_worth_a_try_when_all_is_read_like_that);
  add ("/mail/read-ahead-stream/an-eighth-in-any-order-is-a-sweep",
       test_an_eighth_in_any_order_is_a_sweep);
  add ("/mail/read-ahead-stream/many-opens-at-once-are-worth-a-try",
       test_many_opens_at_once_are_worth_a_try);
  add ("/mail/read-ahead-stream/slow-opens-are-no-sweep", test_slow_opens_are_no_sweep);
  add ("/mail/read-ahead-stream/new-mail-makes-it-learn-again",
       test_new_mail_makes_it_learn_again);
  return g_test_run ();
}
