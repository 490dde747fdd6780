// SPDX-License-Identifier: GPL-3.0-or-later
#include "../../src/mail/gate.h"

typedef struct
{
  MmGate *gate;
  gint has_left;
} Visitor;

static void
test_closed (void)
{
  MmGate *gate = mm_gate_new ();

  g_assert_true (mm_gate_enter (gate));
  mm_gate_leave (gate);
  g_assert_false (mm_gate_is_closed (gate));
  mm_gate_close (gate);
  g_assert_true (mm_gate_is_closed (gate));
  g_assert_false (mm_gate_enter (gate));
  mm_gate_free (gate);
}

static gpointer
leave_when_closed (gpointer data)
{
  Visitor *visitor = data;

  while (!mm_gate_is_closed (visitor->gate))
    g_thread_yield ();
  g_atomic_int_set (&visitor->has_left, 1);
  mm_gate_leave (visitor->gate);
  return NULL;
}

static void
test_waits (void)
{
  Visitor visitor = { .gate = mm_gate_new () };

  g_assert_true (mm_gate_enter (visitor.gate));
  GThread *thread = g_thread_new ("visitor", leave_when_closed, &visitor);
  mm_gate_close (visitor.gate);
  g_assert_cmpint (g_atomic_int_get (&visitor.has_left), ==, 1);
  g_thread_join (thread);
  mm_gate_free (visitor.gate);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mail/gate/lets-nobody-in-when-closed", test_closed);
  g_test_add_func ("/mail/gate/closing-waits-for-who-is-inside", test_waits);
  return g_test_run ();
}
