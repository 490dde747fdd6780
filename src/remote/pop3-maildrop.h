// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The messages of a POP3 session. A message has a number, good for the session, and a unique id (UIDL),
 * good for ever; what the layers above know it by, a UID, is given here. So that UIDs outlive the
 * session they are taken from the session before, then asked of the caller by unique id, and what is
 * left is new and numbered upward in the order of the messages.
 *
 * Unique ids are unique here: where the server gives one to several messages, which RFC 1939 allows for
 * equal ones, the second is told with " 2" behind it, and so on. One thread at a time.
 */
#pragma once

#include <mailmount/remote.h>

G_BEGIN_DECLS

/* The only mailbox there is (RFC 1939 3). */
#define MM_POP3_MAILBOX "INBOX"

typedef struct
{
  guint32 number;
  guint32 uid;         /* 0: it has none yet */
  guint64 told_size;   /* octets, of LIST */
  guint64 true_size;   /* octets, once RETR brought them; valid with: */
  gboolean is_measured;
  gboolean is_new;     /* nobody is asked for its UID */
  const gchar *unique_id; /* the maildrop's; NULL until it was told */
} MmPop3Entry;

typedef struct MmPop3Maildrop MmPop3Maildrop;

MmPop3Maildrop *mm_pop3_maildrop_new (void);
void mm_pop3_maildrop_free (MmPop3Maildrop *maildrop);

/* ---- while it is listed ---- */

/* MM_ERROR_PROTOCOL: the message was told already. */
gboolean mm_pop3_maildrop_add (MmPop3Maildrop *maildrop, guint32 number, guint64 size,
                               GError **error);
/* MM_ERROR_PROTOCOL: there is no such message, or it has a unique id. */
gboolean mm_pop3_maildrop_set_unique_id (MmPop3Maildrop *maildrop, guint32 number,
                                         const gchar *unique_id, GError **error);

/* Where every unique id is just the message's number, which is good for the session alone: drops them all.
 * FALSE: they are ids, or there is none. */
gboolean mm_pop3_maildrop_drop_numbers (MmPop3Maildrop *maildrop);

/* Each message has a unique id now, or MM_ERROR_PROTOCOL. @before (nullable): of the session before,
 * whose UIDs and measured sizes are taken over; but not by a message whose size is another one than that
 * which was told and found right then: it is new, whatever its unique id says. */
gboolean mm_pop3_maildrop_complete (MmPop3Maildrop *maildrop, const MmPop3Maildrop *before,
                                    GError **error);

/* ---- afterwards ---- */

guint mm_pop3_maildrop_get_length (const MmPop3Maildrop *maildrop);
/* In the order of numbers. (transfer none) */
MmPop3Entry *mm_pop3_maildrop_at (const MmPop3Maildrop *maildrop, guint index);
/* (transfer none) (nullable) */
MmPop3Entry *mm_pop3_maildrop_find (const MmPop3Maildrop *maildrop, guint32 uid);

/* Asks @func (nullable) for the UIDs of those that have none. */
void mm_pop3_maildrop_ask_uids (MmPop3Maildrop *maildrop, MmRemoteKnownUidFunc func,
                                gpointer user_data);
/* Gives UIDs from *@next_uid on, or from above all given, to those that have none, and moves it.
 * MM_ERROR_LIMIT: there are no more. */
gboolean mm_pop3_maildrop_give_uids (MmPop3Maildrop *maildrop, guint64 *next_uid, GError **error);
gboolean mm_pop3_maildrop_has_all_uids (const MmPop3Maildrop *maildrop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmPop3Maildrop, mm_pop3_maildrop_free)

G_END_DECLS
