// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a mailbox is as the server has it, as far as anybody told: a synchronisation that ended, a
 * list of folders that says the same, or a hint that something changed.
 *
 * A hint outweighs everything but a synchronisation that began after it. One that comes while a
 * synchronisation runs leads to another; but whoever waited for the running one need not wait again,
 * or a busy mailbox would never be listed.
 */
#include "mailbox-private.h"

#include <mailmount/clock.h>

/* A synchronisation into which a hint came is good for so long. */
#define GRACE_US G_USEC_PER_SEC
/* Nobody waits for what is found out by following: so many changes as come within this are one
 * synchronisation. */
#define FOLLOW_US (G_USEC_PER_SEC / 2)
/* After one that failed. */
#define FOLLOW_AGAIN_US (10 * G_USEC_PER_SEC)

gboolean
mm_mailbox_announce (MmMailbox *mailbox, const gchar *name, const MmMailboxState *state)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_renamed = g_strcmp0 (mailbox->name, name) != 0;
  if (is_renamed)
    {
      g_free (mailbox->name);
      mailbox->name = g_strdup (name);
    }
  mailbox->announced = *state;
  mailbox->announced_us = state->has_messages ? mm_clock_monotonic_us () : 0;
  g_mutex_unlock (&mailbox->lock);
  return is_renamed;
}

static void
wake_watcher (const MmMailbox *mailbox)
{
  if (mailbox->context->watcher != NULL)
    mm_watcher_wake (mailbox->context->watcher);
}

void
mm_mailbox_set_stale (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  mailbox->hinted_us = mm_clock_monotonic_us ();
  g_mutex_unlock (&mailbox->lock);
  wake_watcher (mailbox);
}

gboolean
mm_mailbox_is_distrusted (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_distrusted = !mm_mailbox_state_is_trusted (&mailbox->state);
  g_mutex_unlock (&mailbox->lock);
  return is_distrusted;
}

void
mm_mailbox_set_doubted (MmMailbox *mailbox, guint numbering)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_doubted = mailbox->numbering == numbering;
  mailbox->is_doubted |= is_doubted;
  g_mutex_unlock (&mailbox->lock);
  if (is_doubted)
    wake_watcher (mailbox);
}

/* Where both are known. */
static gboolean
is_other (guint64 mine, guint64 theirs)
{
  return mine != 0 && theirs != 0 && mine != theirs;
}

gboolean
mm_mailbox_is_as (MmMailbox *mailbox, const MmMailboxState *state)
{
  g_mutex_lock (&mailbox->lock);
  const MmMailboxState *mine = &mailbox->state;
  gboolean is_same = !is_other (mine->uidvalidity, state->uidvalidity)
                     && !is_other (mine->uidnext, state->uidnext)
                     && !is_other (mine->highestmodseq, state->highestmodseq)
                     && (!state->has_messages || state->messages == mine->messages);
  g_mutex_unlock (&mailbox->lock);
  return is_same;
}

/* TRUE when what the server announced is the state of the table. UIDNEXT or the modification
 * sequence may be missing on either side; the number of messages may not. Where the numbers may be the
 * same for other messages, they prove nothing. */
static gboolean
is_as_announced_locked (const MmMailbox *mailbox)
{
  const MmMailboxState *mine = &mailbox->state;
  const MmMailboxState *theirs = &mailbox->announced;

  return !mm_mailbox_state_is_doubtful (theirs)
         && theirs->uidvalidity == mine->uidvalidity
         && theirs->uidnext != 0 && theirs->uidnext == mine->uidnext
         && theirs->messages == mine->messages && !mine->uid_not_sticky
         && !is_other (mine->highestmodseq, theirs->highestmodseq);
}

static gboolean
is_hinted_locked (const MmMailbox *mailbox)
{
  return mailbox->hinted_us != 0 && mailbox->hinted_us > mailbox->synced_from_us;
}

gboolean
mm_mailbox_is_fresh_locked (MmMailbox *mailbox)
{
  gint64 now_us = mm_clock_monotonic_us ();

  if (mailbox->is_doubted)
    return FALSE;
  if (is_hinted_locked (mailbox)
      && (mailbox->hinted_us >= mailbox->synced_us || now_us > mailbox->synced_us + GRACE_US))
    return FALSE;
  if (mailbox->announced_us > mailbox->checked_us && is_as_announced_locked (mailbox))
    mailbox->checked_us = mailbox->announced_us;
  /* The server announced something else since: compare, however recent the last comparison. */
  if (mailbox->announced_us > mailbox->checked_us)
    return FALSE;
  return mailbox->checked_us != 0
         && mailbox->checked_us >= now_us - mailbox->context->refresh_us;
}

gboolean
mm_mailbox_has_fresh_flags_locked (MmMailbox *mailbox)
{
  gboolean numbers_tell = mailbox->state.highestmodseq != 0;

  return numbers_tell
         || (mailbox->synced_us != 0
             && mailbox->synced_us >= mm_clock_monotonic_us () - mailbox->context->refresh_us);
}

gint64
mm_mailbox_follow (MmMailbox *mailbox)
{
  gint64 again_us = G_MAXINT64;
  gboolean starts = FALSE;

  g_mutex_lock (&mailbox->lock);
  gboolean is_listed = mailbox->load == MM_MAILBOX_LOADED && mailbox->is_complete;
  gboolean is_announced_other
      = mailbox->announced_us > mailbox->checked_us && !is_as_announced_locked (mailbox);
  gboolean is_behind = mailbox->is_doubted || is_hinted_locked (mailbox) || is_announced_other;
  if (is_listed && is_behind && !mailbox->is_syncing && !mailbox->is_gone)
    {
      gint64 pause_us = mailbox->ended_us > mailbox->synced_us ? FOLLOW_AGAIN_US : FOLLOW_US;
      starts = mailbox->ended_us == 0 || mm_clock_monotonic_us () >= mailbox->ended_us + pause_us;
      mailbox->is_syncing = starts;
      if (!starts)
        again_us = mailbox->ended_us + pause_us;
    }
  g_mutex_unlock (&mailbox->lock);
  if (starts)
    mm_mailbox_start_sync (mailbox);
  return again_us;
}
