// SPDX-License-Identifier: GPL-3.0-or-later
/* Walks through the tree of folders (rsync, find, du, ls -R): the next folders are listed ahead. */
#include "read-ahead-private.h"

#include <mailmount/clock.h>

/* A process that listed so many folders one after another walks the tree: the next ones are listed
 * before it comes to them, folders of so many messages in all, four times as many with each further
 * one. Tools differ in the order of their walk, so that what is next is not always what is listed. */
#define FOLDERS_MIN      2
#define MESSAGES_AHEAD   2000
#define QUADRUPLINGS_MAX 2
/* So many of them at a time: twice as many with each further one, but few while messages are read on
 * the way, which come first. */
#define FOLDERS_AHEAD_MIN     2
#define FOLDERS_AHEAD_READING 4
#define FOLDERS_AHEAD_MAX     64
/* While messages are read the walk goes on this often, until it has stood still for so long. */
#define READING_US (20 * 1000)
#define OVER_US    (60 * G_USEC_PER_SEC)

gboolean
mm_ahead_walk_note_list (MmAheadWalk *walk, MmMailbox *mailbox, guint lister)
{
  gboolean is_same_walker = lister != 0 && lister == walk->walker;

  if (is_same_walker && mailbox != NULL && mailbox == walk->walked)
    return FALSE;
  *walk = (MmAheadWalk){
    .walker = lister,
    .walked = mailbox,
    .n_walked = is_same_walker ? walk->n_walked + 1 : 1,
    .is_read = is_same_walker && walk->is_read,
    .noted_us = mm_clock_monotonic_us (),
    .listed_us = walk->listed_us,
  };
  return TRUE;
}

gboolean
mm_ahead_walk_is_by (const MmAheadWalk *walk, const MmReader *reader)
{
  return walk->n_walked >= FOLDERS_MIN && mm_reader_is_served_by (reader, walk->walker);
}

gboolean
mm_ahead_walk_is_sure (const MmAheadWalk *walk, const MmReader *reader)
{
  return walk->n_walked > FOLDERS_MIN && reader->id == walk->walker;
}

/* Whether it is, or will be, on its way because of this walk: each is tried once, so that a folder that
 * cannot be opened is not asked for again and again. */
static gboolean
is_worth_listing (MmReadAhead *ahead, MmMailbox *mailbox)
{
  return !mm_mailbox_is_complete (mailbox)
         && (!mm_ahead_get_stream (ahead, mailbox)->was_listed_ahead
             || mm_mailbox_is_coming (mailbox));
}

/* The next such mailbox in the tree, from the beginning again behind the end. NULL when there is none
 * but @start. */
static MmMailbox *
find_next (MmReadAhead *ahead, MmMailbox *mailbox, const MmMailbox *start)
{
  gboolean is_second_round = FALSE;

  do
    {
      mailbox = ahead->next_mailbox (mailbox, ahead->next_mailbox_data);
      if (mailbox == NULL && is_second_round)
        return NULL;
      is_second_round |= mailbox == NULL;
    }
  while (mailbox == NULL || (mailbox != start && !is_worth_listing (ahead, mailbox)));
  return mailbox != start ? mailbox : NULL;
}

static guint
count_folders_ahead (const MmAheadWalk *walk)
{
  guint n_doublings = MIN (walk->n_walked - FOLDERS_MIN, 8);
  guint n = MIN (FOLDERS_AHEAD_MIN << n_doublings, FOLDERS_AHEAD_MAX);

  return walk->is_read ? MIN (n, FOLDERS_AHEAD_READING) : n;
}

/* The next one is listed whatever its size. */
void
mm_ahead_walk_on (MmReadAhead *ahead)
{
  MmAheadWalk *walk = &ahead->walk;
  MmMailbox *mailbox = walk->walked;
  guint64 sum = 0;

  if (walk->walked == NULL || walk->n_walked < FOLDERS_MIN)
    return;
  guint n_quadruplings = MIN (walk->n_walked - FOLDERS_MIN, QUADRUPLINGS_MAX);
  guint64 limit = (guint64) MESSAGES_AHEAD << (2 * n_quadruplings);
  guint n = count_folders_ahead (walk);
  walk->listed_us = mm_clock_monotonic_us ();
  for (guint i = 0; i < n && sum < limit; i++)
    {
      guint64 messages;
      guint64 octets;

      mailbox = find_next (ahead, mailbox, walk->walked);
      if (mailbox == NULL)
        return;
      mm_mailbox_get_totals (mailbox, &messages, &octets);
      sum += messages;
      if (i > 0 && sum > limit)
        return;
      mm_ahead_get_stream (ahead, mailbox)->was_listed_ahead = TRUE;
      mm_mailbox_list_ahead (mailbox);
    }
}

void
mm_ahead_walk_note_open (MmReadAhead *ahead, gint64 now_us)
{
  const MmAheadWalk *walk = &ahead->walk;

  ahead->walk.is_read = TRUE;
  if (now_us - walk->listed_us > READING_US && now_us - walk->noted_us < OVER_US)
    mm_ahead_walk_on (ahead);
}
