// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What several layers call a mailbox and a message: plain values without behaviour.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MM_MAILBOX_NOSELECT = 1 << 0, /* a directory that holds no messages */
  MM_MAILBOX_SUBSCRIBED = 1 << 1,
  MM_MAILBOX_ALL = 1 << 2, /* special use, RFC 6154 */
  MM_MAILBOX_ARCHIVE = 1 << 3,
  MM_MAILBOX_DRAFTS = 1 << 4,
  MM_MAILBOX_FLAGGED = 1 << 5,
  MM_MAILBOX_JUNK = 1 << 6,
  MM_MAILBOX_SENT = 1 << 7,
  MM_MAILBOX_TRASH = 1 << 8,
} MmMailboxFlags;

/* The state of a mailbox as far as the server told; 0 means not known. */
typedef struct
{
  guint64 uidvalidity;
  guint64 uidnext;
  guint64 highestmodseq;
  guint64 messages;
  gboolean has_messages;   /* messages is valid, also when 0 */
  gboolean uid_not_sticky; /* UIDs do not survive the session (RFC 4315) */
  gboolean may_recur;      /* this server gives the same UIDVALIDITY to a mailbox that is made anew */
} MmMailboxState;

/* A UIDVALIDITY up to this may come again with other messages: servers that keep their mailboxes in
 * memory begin with it each time. The last message known is looked at with each comparison. */
#define MM_UIDVALIDITY_DOUBTFUL_MAX 1

typedef enum
{
  MM_MESSAGE_SEEN = 1 << 0,
  MM_MESSAGE_ANSWERED = 1 << 1,
  MM_MESSAGE_FLAGGED = 1 << 2,
  MM_MESSAGE_DELETED = 1 << 3,
  MM_MESSAGE_DRAFT = 1 << 4,
} MmMessageFlags;

G_END_DECLS
