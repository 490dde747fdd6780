// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A server in this process, and the MmRemote API (remote.h) over it: what a program links instead
 * of the drivers. The server is a model (mailboxes and messages that a test changes) with faults
 * that a test asks for, and a log of what was asked of it. It outlives the remotes made for it, so
 * that a remount can be tried.
 *
 * Jobs run on threads of their own, several at a time. All functions may be called from any thread.
 */
#pragma once

#include <mailmount/remote-status.h>

G_BEGIN_DECLS

typedef struct FakeServer FakeServer;

FakeServer *fake_server_new (void);
/* No remote may be left. */
void fake_server_free (FakeServer *server);

MmRemote *fake_remote_new (FakeServer *server);
/* The server is away no more, and the account is told. */
void fake_remote_come_online (MmRemote *remote);
/* By which UID the account says it knows the message. */
guint32 fake_remote_ask_known_uid (MmRemote *remote, const gchar *mailbox, const gchar *object_id);
/* What the account said was received, in all hours that it knows. */
guint64 fake_remote_get_spent (MmRemote *remote);
/* Tells the account that so much was received. */
void fake_remote_spend (MmRemote *remote, gint64 hour, guint64 octets);

/* ---- the model ---- */

/* A mailbox with UIDVALIDITY 1000, in modified UTF-7, with the delimiter '/'. */
void fake_server_add_mailbox (FakeServer *server, const gchar *name, MmMailboxFlags flags);
/* RENAME of it alone: what is below it keeps its name. */
void fake_server_rename_mailbox (FakeServer *server, const gchar *from, const gchar *to);
/* Has the server call a mailbox by an id. */
void fake_server_set_mailbox_id (FakeServer *server, const gchar *name, const gchar *mailbox_id);
void fake_server_remove_mailbox (FakeServer *server, const gchar *name);

/* Adds a message; @uid 0 takes UIDNEXT. Its size is told as it is. Returns the UID. */
guint32 fake_server_deliver (FakeServer *server, const gchar *mailbox, guint32 uid,
                             const gchar *subject, GBytes *body);
/* The same with a body of @size octets: a header, if there is room for it, and octets that depend on
 * the UID and their place. */
guint32 fake_server_deliver_size (FakeServer *server, const gchar *mailbox, guint32 uid,
                                  gsize size);
/* A message with a header, @message_id in it unless it is NULL, of @size octets; sent in the second
 * @internaldate. Two with the same arguments are copies of one message. Returns the UID. */
guint32 fake_server_deliver_mail (FakeServer *server, const gchar *mailbox, const gchar *message_id,
                                  const gchar *subject, gint64 internaldate, gsize size);
/* Has the server call a message by an id, which it has in other mailboxes too if it is shared. */
void fake_server_set_object (FakeServer *server, const gchar *mailbox, guint32 uid,
                             const gchar *object_id, gboolean is_shared);
/* COPY: the same message, with all that is said of it but flags, in another mailbox. Its UID there. */
guint32 fake_server_copy (FakeServer *server, const gchar *from, guint32 uid, const gchar *to);
void fake_server_expunge (FakeServer *server, const gchar *mailbox, guint32 uid);
/* As if it had been made anew: no messages, and UIDs from 1 on, under the same UIDVALIDITY. */
void fake_server_empty (FakeServer *server, const gchar *mailbox);
void fake_server_set_body (FakeServer *server, const gchar *mailbox, guint32 uid, GBytes *body);
void fake_server_set_flags (FakeServer *server, const gchar *mailbox, guint32 uid,
                            MmMessageFlags flags, const gchar *keywords);
/* What RFC822.SIZE says. */
void fake_server_set_told_size (FakeServer *server, const gchar *mailbox, guint32 uid,
                                guint64 size);
/* Header and text alone cannot be had. */
void fake_server_refuse_parts (FakeServer *server, const gchar *mailbox, guint32 uid);
/* A new UIDVALIDITY: the messages are numbered 1, 2, … anew. */
void fake_server_renumber (FakeServer *server, const gchar *mailbox, guint64 uidvalidity);
/* The mailbox says UIDNOTSTICKY. */
void fake_server_set_not_sticky (FakeServer *server, const gchar *mailbox);
GBytes *fake_server_dup_body (FakeServer *server, const gchar *mailbox, guint32 uid);

/* ---- faults ---- */

/* The next answers to a request for the whole of this message, one call each; NULL: NIL. */
void fake_server_script_whole (FakeServer *server, const gchar *mailbox, guint32 uid,
                               GBytes *octets);
/* The message is expunged when its whole is asked for, and @octets are the answer. */
void fake_server_script_expunge (FakeServer *server, const gchar *mailbox, guint32 uid,
                                 GBytes *octets);
/* While @is_away connecting fails, and every job, with OFFLINE. */
void fake_server_set_away (FakeServer *server, gboolean is_away);
/* The next @n_times lists end in CONNECTION_LOST after @after mailboxes. */
void fake_server_cut_lists (FakeServer *server, guint after, guint n_times);
/* The next @n_times synchronisations end in CONNECTION_LOST after @after messages. */
void fake_server_cut_syncs (FakeServer *server, guint after, guint n_times);
/* The next @n_times fetches fail with @code. */
void fake_server_fail_fetches (FakeServer *server, MmError code, guint n_times);
/* The order in which the next full listings of @mailbox tell their UIDs; 0 ends it. NULL: ascending. */
void fake_server_set_order (FakeServer *server, const gchar *mailbox, const guint32 *uids);
/* Lists do not tell the states of mailboxes. */
void fake_server_hide_states (FakeServer *server);
/* One without CONDSTORE: its numbers do not tell that flags changed. */
void fake_server_hide_modseqs (FakeServer *server);
/* mm_remote_are_ranges_dear() */
void fake_server_make_ranges_dear (FakeServer *server);

/* Synchronisations tell what vanished. */
void fake_server_tell_vanished (FakeServer *server);

typedef enum
{
  FAKE_WATCHES_ALL = 1 << 0, /* of all mailboxes at once */
  FAKE_WATCHES_ONE = 1 << 1, /* of one mailbox */
} FakeWatches;

/* Which watches the server can; at first none. */
void fake_server_set_watches (FakeServer *server, FakeWatches watches);
/* Ends all watches as a lost connection does. */
void fake_server_cut_watches (FakeServer *server);
/* Tells that @mailbox changed, or, with NULL, that mailboxes did. */
void fake_server_tell_change (FakeServer *server, const gchar *mailbox);

/* Synchronisations stop after @after messages, until fake_server_release(). */
void fake_server_pause_syncs (FakeServer *server, guint after);
/* Fetches stop before they answer, until fake_server_release(). */
void fake_server_hold_fetches (FakeServer *server);
void fake_server_release (FakeServer *server);
/* Waits until @n jobs stand still. */
void fake_server_wait_paused (FakeServer *server, guint n);

/* ---- the log ---- */

/* How many lines begin with @prefix: "list", "sync MAILBOX", "whole UID", "range UID OFFSET+LENGTH",
 * and " probe SIZE" behind it, "size UID", "id UID", "watch MAILBOX", "watch *", and
 * "unwatch" with the same when one ends. */
guint fake_server_count (FakeServer *server, const gchar *prefix);
/* The lines that begin with @prefix, joined by ", ". (transfer full) */
gchar *fake_server_dup_log (FakeServer *server, const gchar *prefix);
void fake_server_clear_log (FakeServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeServer, fake_server_free)

G_END_DECLS
