// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The octets of one message: from the cache on disk, from memory while they arrive, from the server
 * when nobody has them yet. One MmContent per message, shared by all who have it open, so that
 * nothing is fetched twice at the same time.
 *
 * What is delivered is right: the UID and UIDVALIDITY are the message's, and the size agrees with
 * what was known, or with a second fetch. What cannot be had right is an error of this message
 * alone.
 *
 * All functions may be called from any thread; none blocks on network or disk beside the pread of
 * verified content.
 */
#pragma once

#include <mailmount/waiter.h>

G_BEGIN_DECLS

typedef struct MmContent MmContent;

MmContent *mm_content_ref (MmContent *content);
void mm_content_unref (MmContent *content);

/* DONE when the exact size is known; starts what proves it. *@out_size in octets.
 * FAILED: MESSAGE_GONE, MESSAGE_BAD, or the connection's error. */
MmTry mm_content_try_size (MmContent *content, guint64 *out_size, MmWaiter *waiter,
                           GError **error);

/* Whether @size is what is held to be exact now. It may become another when the server is found to send
 * something else than it says. */
gboolean mm_content_has_size (MmContent *content, guint64 size);

/* Up to @size octets from @offset; fewer only at the end of the message. DONE with *@out_octets
 * (transfer full), a view where they are in memory. Starts fetching what is missing. */
MmTry mm_content_try_read (MmContent *content, gsize size, guint64 offset, GBytes **out_octets,
                           MmWaiter *waiter, GError **error);

/* Counts who has it open. */
void mm_content_add_reader (MmContent *content);
void mm_content_remove_reader (MmContent *content);

/* All of a message that is here in memory and that its only reader will want whole, so that it can be
 * handed over at once instead of being asked for; else NULL. (transfer full) */
GBytes *mm_content_take_whole (MmContent *content);

/* The Message-ID from the header, when enough of the content is here (transfer full); else NULL. */
gchar *mm_content_peek_message_id (MmContent *content);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmContent, mm_content_unref)

G_END_DECLS
