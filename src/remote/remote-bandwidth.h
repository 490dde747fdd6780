// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * So many octets a second, over all connections of an account: a token bucket that holds a second's
 * worth. What was received is taken from it, also when that makes it a debt; nothing more is received
 * until it is paid. Whoever only reads ahead leaves half of the bucket to the others. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct MmRemoteBandwidth MmRemoteBandwidth;

MmRemoteBandwidth *mm_remote_bandwidth_new (guint64 octets_per_second);
void mm_remote_bandwidth_free (MmRemoteBandwidth *bandwidth);

void mm_remote_bandwidth_spend (MmRemoteBandwidth *bandwidth, gsize octets);

/* When octets may be received, in the time of mm_clock_monotonic_us(); 0: now. */
gint64 mm_remote_bandwidth_get_ready_us (MmRemoteBandwidth *bandwidth, gboolean is_demand);

/* What it was made with. */
guint64 mm_remote_bandwidth_get_rate (const MmRemoteBandwidth *bandwidth);

/* How many may be received at once, so that a debt stays small. */
gsize mm_remote_bandwidth_get_portion (const MmRemoteBandwidth *bandwidth);

G_END_DECLS
