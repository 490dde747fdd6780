// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/clock.h>

#include "../../src/remote/remote-meter.h"

static void
read_meter (MmRemoteMeter *meter, MmRemoteStatus *out)
{
  g_free (out->last_error);
  *out = (MmRemoteStatus){ 0 };
  mm_remote_meter_read (meter, out);
}

static void
test_counts_all_and_of_late (void)
{
  MmRemoteMeter *meter = mm_remote_meter_new ();
  MmRemoteStatus status = { 0 };

  read_meter (meter, &status);
  g_assert_cmpuint (status.received_octets, ==, 0);
  g_assert_cmpuint (status.recent_octets, ==, 0);
  g_assert_cmpint (status.last_contact_us, ==, 0);

  mm_remote_meter_note_received (meter, 100);
  mm_clock_advance_for_test (3 * G_USEC_PER_SEC);
  mm_remote_meter_note_received (meter, 20);
  read_meter (meter, &status);
  g_assert_cmpuint (status.received_octets, ==, 120);
  g_assert_cmpuint (status.recent_octets, ==, 120);
  gint64 contact_us = status.last_contact_us;
  g_assert_cmpint (contact_us, >, 0);

  /* The first lies too far back, then the second, too, though nothing came in between. */
  mm_clock_advance_for_test ((MM_REMOTE_RECENT_SECONDS - 2) * G_USEC_PER_SEC);
  read_meter (meter, &status);
  g_assert_cmpuint (status.recent_octets, ==, 20);
  mm_clock_advance_for_test (60 * MM_REMOTE_RECENT_SECONDS * G_USEC_PER_SEC);
  read_meter (meter, &status);
  g_assert_cmpuint (status.received_octets, ==, 120);
  g_assert_cmpuint (status.recent_octets, ==, 0);
  g_assert_cmpint (status.last_contact_us, ==, contact_us);
  mm_remote_meter_free (meter);
}

static void
test_counts_errors_by_kind (void)
{
  g_autoptr (GError) lost = g_error_new_literal (MM_ERROR, MM_ERROR_CONNECTION_LOST, "cut");
  g_autoptr (GError) refused = g_error_new_literal (MM_ERROR, MM_ERROR_AUTHENTICATION, "no");
  MmRemoteMeter *meter = mm_remote_meter_new ();
  MmRemoteStatus status = { 0 };

  mm_remote_meter_note_error (meter, lost);
  mm_remote_meter_note_error (meter, lost);
  mm_remote_meter_note_error (meter, refused);
  read_meter (meter, &status);
  g_assert_cmpuint (status.n_errors[MM_ERROR_CONNECTION_LOST], ==, 2);
  g_assert_cmpuint (status.n_errors[MM_ERROR_AUTHENTICATION], ==, 1);
  g_assert_cmpuint (status.n_errors[MM_ERROR_TIMEOUT], ==, 0);
  g_assert_cmpstr (status.last_error, ==, "no");
  g_assert_cmpint (status.last_error_us, >, 0);
  g_free (status.last_error);
  mm_remote_meter_free (meter);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote-meter/counts-all-and-of-late", test_counts_all_and_of_late);
  g_test_add_func ("/remote-meter/counts-errors-by-kind", test_counts_errors_by_kind);
  return g_test_run ();
}
