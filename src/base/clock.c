// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdatomic.h>
#include <time.h>

#include <mailmount/clock.h>

static _Atomic gint64 test_offset_us;

static gint64
read_clock_us (clockid_t id)
{
  struct timespec now;
  clock_gettime (id, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + atomic_load (&test_offset_us);
}

gint64
mm_clock_monotonic_us (void)
{
  return read_clock_us (CLOCK_BOOTTIME);
}

gint64
mm_clock_wall_us (void)
{
  return read_clock_us (CLOCK_REALTIME);
}

void
mm_clock_advance_for_test (gint64 us)
{
  atomic_fetch_add (&test_offset_us, us);
}
