// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <mailmount/imap-seqset.h>

G_BEGIN_DECLS

/* The ranges held, not merged yet where they came out of order: cheap, for limits. */
gsize mm_uid_set_get_n_held (const MmUidSet *set);

/* Makes it empty, keeping its memory unless that is large. */
void mm_uid_set_clear (MmUidSet *set);

G_END_DECLS
