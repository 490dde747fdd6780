// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the connections of a remote received and why they broke, counted. Any thread.
 */
#pragma once

#include <mailmount/remote-status.h>

G_BEGIN_DECLS

typedef struct MmRemoteMeter MmRemoteMeter;

MmRemoteMeter *mm_remote_meter_new (void);
void mm_remote_meter_free (MmRemoteMeter *meter);

void mm_remote_meter_note_received (MmRemoteMeter *meter, gsize octets);
/* A connection broke, or did not come about. */
void mm_remote_meter_note_error (MmRemoteMeter *meter, const GError *error);

/* Fills in what is counted here. */
void mm_remote_meter_read (MmRemoteMeter *meter, MmRemoteStatus *out);

G_END_DECLS
