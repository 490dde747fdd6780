// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-selection.h"

MmImapSelection *
mm_imap_selection_new (const gchar *mailbox, guint serial)
{
  MmImapSelection *selection = g_new0 (MmImapSelection, 1);

  selection->state = mailbox != NULL ? MM_IMAP_SELECTION_PENDING : MM_IMAP_SELECTION_NONE;
  selection->serial = serial;
  selection->mailbox = g_strdup (mailbox);
  selection->jobs = g_ptr_array_new ();
  return selection;
}

void
mm_imap_selection_free (MmImapSelection *selection)
{
  g_ptr_array_unref (selection->jobs);
  g_free (selection->mailbox);
  g_free (selection);
}

static void
note_code (MmImapSelection *selection, const MmImapEvent *event)
{
  switch (event->code)
    {
    case MM_IMAP_CODE_UIDVALIDITY:
      selection->box.uidvalidity = event->code_number;
      break;
    case MM_IMAP_CODE_UIDNEXT:
      selection->box.uidnext = event->code_number;
      break;
    case MM_IMAP_CODE_HIGHESTMODSEQ:
      selection->box.highestmodseq = event->code_number;
      break;
    case MM_IMAP_CODE_NOMODSEQ:
      selection->box.highestmodseq = 0;
      break;
    case MM_IMAP_CODE_UIDNOTSTICKY:
      selection->box.uid_not_sticky = TRUE;
      break;
    default:
      break;
    }
}

/* The old mailbox speaks until [CLOSED] (RFC 7162 3.2.11). */
static void
note_closed (MmImapSelection *selection)
{
  selection->box = (MmMailboxState){ 0 };
  selection->exists = 0;
  selection->n_exists = 0;
  selection->has_begun_early = TRUE;
}

/* What went before EXAMINE is no change of what it told. */
static guint64
count_gone (const MmImapEvent *event)
{
  if (event->type == MM_IMAP_EVENT_EXPUNGE)
    return 1;
  return event->earlier ? 0 : mm_uid_set_count (event->uids);
}

void
mm_imap_selection_open (MmImapSelection *selection, const MmImapEvent *answer)
{
  note_code (selection, answer);
  selection->state = MM_IMAP_SELECTION_OPEN;
  selection->box.messages = selection->exists;
  selection->box.has_messages = selection->n_exists > 0;
  selection->n_exists = 0;
  selection->n_expunged = 0;
}

gboolean
mm_imap_selection_note (MmImapSelection *selection, const MmImapEvent *event)
{
  gboolean is_open = selection->state == MM_IMAP_SELECTION_OPEN;

  switch (event->type)
    {
    case MM_IMAP_EVENT_UNTAGGED:
      if (event->code == MM_IMAP_CODE_CLOSED)
        note_closed (selection);
      else if (!is_open)
        note_code (selection, event);
      return FALSE;
    case MM_IMAP_EVENT_EXISTS:
      if (is_open && event->number == selection->exists)
        return FALSE;
      selection->exists = event->number;
      selection->n_exists++;
      return is_open;
    case MM_IMAP_EVENT_EXPUNGE:
    case MM_IMAP_EVENT_VANISHED:
      {
        guint64 n_gone = count_gone (event);
        selection->exists -= MIN (selection->exists, n_gone);
        selection->n_expunged += n_gone;
        return is_open && n_gone > 0;
      }
    default:
      return FALSE;
    }
}
