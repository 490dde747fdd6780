// SPDX-License-Identifier: GPL-3.0-or-later
/* Who reads: the process behind a thread number of the kernel's. */
#pragma once

#include <glib.h>

typedef struct
{
  guint id;     /* of the process; 0: not known */
  guint parent; /* its parent's */
} MmReader;

/* The process of a thread; zero when it is gone already. Reads /proc. */
MmReader mm_reader_find (guint thread_id);

/* Whether what the process @lister listed, it listed for @reader: `find -exec` and shell loops list
 * in one process and open in its children. */
gboolean mm_reader_is_served_by (const MmReader *reader, guint lister);
