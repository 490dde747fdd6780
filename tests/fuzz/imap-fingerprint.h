// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The events of an IMAP session as one number, so that two runs can be held against each other. Octets of a body
 * count as they come, however they were cut. (The unit tests have the same as text, imap-trace.h, which is ten times
 * slower.)
 */
#pragma once

#include <mailmount/imap-session.h>

#include "fingerprint.h"

static inline guint64
fingerprint_mailbox (guint64 print, const MmImapMailbox *mailbox)
{
  print = fingerprint_text (print, mailbox->name);
  print = fingerprint_number (print, (guint8) mailbox->delimiter);
  print = fingerprint_number (print, mailbox->attributes);
  print = fingerprint_number (print, mailbox->is_lsub);
  print = fingerprint_number (print, mailbox->messages);
  print = fingerprint_number (print, mailbox->uidnext);
  print = fingerprint_number (print, mailbox->uidvalidity);
  return fingerprint_number (print, mailbox->highestmodseq);
}

static inline guint64
fingerprint_fetch (guint64 print, const MmImapFetch *fetch)
{
  print = fingerprint_number (print, fetch->sequence_number);
  print = fingerprint_number (print, fetch->uid);
  print = fingerprint_number (print, fetch->size);
  print = fingerprint_number (print, (guint64) fetch->internaldate);
  print = fingerprint_number (print, fetch->modseq);
  if (!fetch->has_flags)
    return print;
  print = fingerprint_number (print, fetch->flags);
  return fingerprint_text (print, fetch->keywords);
}

static inline guint64
fingerprint_uids (guint64 print, const MmUidSet *uids)
{
  gsize n;
  const MmUidRange *ranges = mm_uid_set_get_ranges (uids, &n);

  g_assert (n == 0 || ranges != NULL);
  for (gsize i = 0; i < n; i++)
    {
      g_assert (ranges[i].first > 0 && ranges[i].first <= ranges[i].last);
      g_assert (i == 0 || ranges[i - 1].last < ranges[i].first);
      print = fingerprint_number (print, (guint64) ranges[i].first << 32 | ranges[i].last);
    }
  return print;
}

/* Of every event but BODY_DATA, whose octets are added by themselves. */
static inline guint64
fingerprint_event (guint64 print, const MmImapEvent *event)
{
  print = fingerprint_number (print, event->type);
  print = fingerprint_number (print, event->tag);
  print = fingerprint_number (print, event->status);
  print = fingerprint_number (print, event->code);
  print = fingerprint_number (print, event->code_number);
  print = fingerprint_number (print, event->number);
  print = fingerprint_text (print, event->code_text);
  print = fingerprint_text (print, event->text);
  if (event->type == MM_IMAP_EVENT_LIST || event->type == MM_IMAP_EVENT_MAILBOX_STATUS)
    print = fingerprint_mailbox (print, &event->mailbox);
  if (event->type == MM_IMAP_EVENT_NAMESPACE)
    {
      print = fingerprint_text (print, event->namespace_prefix);
      print = fingerprint_number (print, (guint8) event->namespace_delimiter);
    }
  if (event->type == MM_IMAP_EVENT_BODY_BEGIN)
    {
      print = fingerprint_number (print, event->body.section);
      print = fingerprint_number (print, event->body.offset);
      print = fingerprint_number (print, event->body.length);
      print = fingerprint_number (print, event->body.is_nil);
    }
  if (event->fetch != NULL)
    print = fingerprint_fetch (print, event->fetch);
  if (event->uids != NULL)
    print = fingerprint_uids (print, event->uids);
  return print;
}
