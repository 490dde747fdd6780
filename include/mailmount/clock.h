// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Time as the program sees it, in one place so that a test can turn it. Monotonic time counts
 * through suspend (CLOCK_BOOTTIME), so that a deadline set before a laptop slept has passed when
 * it wakes. Thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Microseconds, monotonic. For deadlines and durations. */
gint64 mm_clock_monotonic_us (void);

/* Microseconds since 1970-01-01 UTC. For what a person reads. */
gint64 mm_clock_wall_us (void);

/* Moves both clocks forward by @us more than the system's. For tests. */
void mm_clock_advance_for_test (gint64 us);

G_END_DECLS
