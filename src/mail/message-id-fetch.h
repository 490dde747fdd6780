// SPDX-License-Identifier: GPL-3.0-or-later
/* The Message-IDs of many messages of one mailbox, from the server in one go. */
#pragma once

#include <mailmount/remote.h>

/* Called on a connection's thread, without locks held, as a remote's sink is. */
typedef struct
{
  /* @message_id: "" when the message has none. Not called for a message that is gone. */
  void (*found) (guint32 uid, const gchar *message_id, gpointer user_data);
  /* Once, at the end. */
  void (*done) (const GError *error, gpointer user_data);
} MmMessageIdSink;

/* @uids: Array<guint32>, not empty. @sink must live as long as the program. */
void mm_message_ids_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                           const GArray *uids, const MmMessageIdSink *sink, gpointer user_data);
