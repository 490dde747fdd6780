// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Notices that the network may be another one now: an address, a link or the default route came or
 * went (rtnetlink, which needs no privileges), the machine slept, or the process stood still. One
 * thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MM_NETWORK_MAY_BE_BACK = 1 << 0, /* a server out of reach may be in reach */
  MM_NETWORK_MAY_BE_LOST = 1 << 1, /* connections may be dead without anybody having said so */
} MmNetworkChange;

typedef struct MmNetworkWatch MmNetworkWatch;

/* Called on the watch's thread; must not block for long. */
typedef void (*MmNetworkFunc) (MmNetworkChange change, gpointer user_data);

MmNetworkWatch *mm_network_watch_new (MmNetworkFunc func, gpointer user_data);
/* After it @func is called no more. */
void mm_network_watch_free (MmNetworkWatch *watch);

/* ---- for tests: the two judgements ---- */

/* What a buffer of rtnetlink messages says. */
MmNetworkChange mm_network_change_of_messages (const void *messages, gsize length);

/* Two looks at the clocks, the later of which was to come after @tick_us: whether more time passed
 * than that. */
typedef struct
{
  gint64 monotonic_us; /* mm_clock_monotonic_us(): counts through sleep */
  gint64 awake_us;     /* CLOCK_MONOTONIC: stands still meanwhile */
} MmNetworkMoment;

gboolean mm_network_has_slept (const MmNetworkMoment *before, const MmNetworkMoment *now,
                               gint64 tick_us);

G_END_DECLS
