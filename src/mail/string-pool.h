// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The strings of a mailbox's messages. They never move, and live as long as their pool. A pool that
 * has become mostly waste is replaced by a new one, and keeps that alive in its turn: who holds a
 * reference may read, without any lock, every string that was handed out since the reference was
 * taken (include/mailmount/mailbox.h, mm_mailbox_hold_strings()), whichever pool it is from.
 *
 * Adding and forgetting: under the lock that guards the pool's owner.
 */
#pragma once

#include <mailmount/mailbox.h>

G_BEGIN_DECLS

MmStringPool *mm_string_pool_new (void);
MmStringPool *mm_string_pool_ref (MmStringPool *pool);

/* @pool keeps @successor alive. At most once for each pool. */
void mm_string_pool_set_successor (MmStringPool *pool, MmStringPool *successor);

/* A copy of @text; NULL and "" as they are. (transfer none) */
const gchar *mm_string_pool_add (MmStringPool *pool, const gchar *text);
/* The same for equal texts, so that pointers can be compared; NULL is "". (transfer none) */
const gchar *mm_string_pool_intern (MmStringPool *pool, const gchar *text);

/* @text, that was added (not interned), is of no use any more. */
void mm_string_pool_forget (MmStringPool *pool, const gchar *text);

/* TRUE when a new pool with what is still of use would be less than half as large, by a block at
 * least. */
gboolean mm_string_pool_is_wasteful (const MmStringPool *pool);

G_END_DECLS
