// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What goes on by itself and uses things that are to be taken down: it enters and leaves, and who takes
 * them down closes the gate first. Any thread.
 */
#pragma once

#include <glib.h>

typedef struct MmGate MmGate;

MmGate *mm_gate_new (void);
/* Nobody may be inside. */
void mm_gate_free (MmGate *gate);

/* FALSE when the gate is closed; otherwise mm_gate_leave() must follow. */
gboolean mm_gate_enter (MmGate *gate);
void mm_gate_leave (MmGate *gate);
/* For who is inside and could end early. */
gboolean mm_gate_is_closed (MmGate *gate);

/* Lets nobody in any more, and waits until the last has left. */
void mm_gate_close (MmGate *gate);
