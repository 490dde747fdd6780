// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bringing a mailbox up to date with its server: the sink of a synchronisation. What arrives is
 * readable at once; only a synchronisation that ended well makes the listing complete.
 */
#include "mailbox-private.h"

#include <string.h>

#include <mailmount/clock.h>
#include <mailmount/limits.h>
#include <mailmount/log.h>
#include <mailmount/subject.h>

#include "mailbox-relist.h"

/* Readers are woken, and rows queued for the index, once for so many messages. */
#define MESSAGES_PER_WAKE  128
#define MESSAGES_PER_WRITE 2048
/* Of so many UIDs that vanished each is looked up. */
#define LOOKED_UP_MAX 256

static void
tell_folder_changed (const MmMailbox *mailbox)
{
  const MmMailContext *context = mailbox->context;
  if (context->observer != NULL)
    context->observer->folder_changed (mailbox->folder_id, context->observer_data);
}

static void
tell_message_gone (const MmMailbox *mailbox, const MmMessage *message)
{
  const MmMailContext *context = mailbox->context;
  if (context->observer != NULL)
    context->observer->message_gone (mailbox->folder_id, message, context->observer_data);
}

void
mm_mailbox_tell_message_changed (MmMailbox *mailbox, guint64 number)
{
  const MmMailContext *context = mailbox->context;
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (mailbox);
  MmMessage message;

  if (context->observer != NULL && mm_mailbox_get_message (mailbox, number, &message))
    context->observer->message_changed (mailbox->folder_id, &message, context->observer_data);
}

/* ---- the start ---- */

/* Whoever was told the beginning of the listing that was cut goes on in this one, where it tells the
 * same messages. */
static void
begin_stream_locked (MmMailbox *mailbox, gboolean are_same)
{
  gboolean goes_on = mailbox->n_repeats > 0 && are_same && !mailbox->stream_is_broken;

  mailbox->stream++;
  if (!goes_on)
    {
      mailbox->stream_from = mailbox->stream;
      mailbox->streamed_up_to = 0;
    }
  mailbox->stream_is_broken = FALSE;
  mailbox->told_up_to = 0;
}

/* TRUE when a UID told now is that of the same message as the UID known from before. */
static gboolean
are_uids_the_same_locked (const MmMailbox *mailbox, const MmMailboxState *state,
                          gboolean is_restart)
{
  return !is_restart && !mailbox->is_doubted && mm_mailbox_state_is_trusted (&mailbox->state)
         && mm_mailbox_state_is_trusted (state)
         && mailbox->state.uidvalidity == state->uidvalidity;
}

static void
on_opened (const MmMailboxState *state, gboolean is_restart, gpointer user_data)
{
  MmMailbox *mailbox = user_data;

  g_mutex_lock (&mailbox->lock);
  gboolean is_known = mailbox->aside != NULL || mm_message_table_get_length (mailbox->table) > 0;
  gboolean are_same = are_uids_the_same_locked (mailbox, state, is_restart);

  /* A comparison goes on from what is known; all else is a full listing. */
  if (mailbox->is_comparing && !is_restart)
    {
      g_mutex_unlock (&mailbox->lock);
      return;
    }
  begin_stream_locked (mailbox, are_same);
  if (is_known && !are_same)
    {
      mm_mailbox_begin_relist_locked (mailbox);
      /* The driver found that out from other numbers than UIDVALIDITY. */
      mailbox->is_doubted |= is_restart && mm_mailbox_state_is_trusted (state)
                             && mailbox->state.uidvalidity == state->uidvalidity;
    }
  else
    {
      /* A listing that broke off is gone through again over what it had told. */
      mailbox->was_complete |= mailbox->is_complete;
      mailbox->is_complete = FALSE;
      mailbox->is_doubted = FALSE;
      mailbox->base_number = are_same ? mailbox->base_number : mailbox->next_number;
      mailbox->state = (MmMailboxState){ .uidvalidity = state->uidvalidity,
                                         .uid_not_sticky = state->uid_not_sticky,
                                         .may_recur = state->may_recur };
    }
  g_mutex_unlock (&mailbox->lock);
}

/* ---- messages ---- */

/* The local number of a new message: its UID, or, where that number was used before, the next one
 * above all used. */
static guint64
choose_number_locked (const MmMailbox *mailbox, guint32 uid)
{
  gboolean is_taken = uid < mailbox->base_number
                      || mm_message_table_find (mailbox->table, uid) != NULL;
  return is_taken ? mailbox->next_number : uid;
}

/* TRUE when a listing that the running one repeats told the message. */
static gboolean
was_told_before_locked (const MmMailbox *mailbox, const MmMessage *message)
{
  guint8 n_listings_ago = (guint8) (mailbox->stream - message->listing);

  return n_listings_ago > 0 && n_listings_ago <= mailbox->stream - mailbox->stream_from;
}

static void
note_told_locked (MmMailbox *mailbox, guint64 number, gboolean was_told_before)
{
  if (mailbox->is_complete)
    return;
  /* Readers of the listing that was cut may be beyond it already. */
  if (number <= mailbox->streamed_up_to && !was_told_before)
    mailbox->stream_from = mailbox->stream;
  if (number > mailbox->told_up_to)
    mailbox->told_up_to = number;
  else
    mailbox->stream_is_broken = TRUE;
}

static void
queue_row_locked (MmMailbox *mailbox, const MmMessage *message)
{
  g_array_append_vals (mailbox->unwritten, message, 1);
  if (mailbox->unwritten->len >= MESSAGES_PER_WRITE)
    mm_mailbox_write_rows_locked (mailbox);
}

/* Labels that were not told this time are as they were. */
static const gchar *
intern_keywords_locked (MmMailbox *mailbox, const MmMessage *message, const gchar *keywords)
{
  const gchar *labels = strchr (message->keywords, '\n');

  if (labels == NULL || strchr (keywords, '\n') != NULL)
    return mm_message_table_intern (mailbox->table, keywords);
  g_autofree gchar *joined = g_strconcat (keywords, labels, NULL);
  return mm_message_table_intern (mailbox->table, joined);
}

/* TRUE when something that a reader sees is another now. */
static gboolean
set_flags_locked (MmMailbox *mailbox, MmMessage *message, MmMessageFlags flags,
                  const gchar *keywords)
{
  const gchar *interned = intern_keywords_locked (mailbox, message, keywords);

  if (message->flags == (guint8) flags && message->keywords == interned)
    return FALSE;
  message->flags = (guint8) flags;
  message->keywords = interned;
  queue_row_locked (mailbox, message);
  return TRUE;
}

gboolean
mm_mailbox_add_message_locked (MmMailbox *mailbox, MmMessage *message)
{
  message->number = choose_number_locked (mailbox, message->uid);
  if (message->number > MM_INDEX_MAX_NUMBER || !mm_message_table_add (mailbox->table, message))
    return FALSE;
  mailbox->next_number = MAX (mailbox->next_number, message->number + 1);
  queue_row_locked (mailbox, mm_message_table_find (mailbox->table, message->number));
  return TRUE;
}

static guint64
make_object (const MmMailbox *mailbox, const MmRemoteMessage *told, guint32 told_size,
             gint64 internaldate)
{
  guint64 number = mm_object_number (mailbox->context->key, told->object_id);
  return told->is_object_shared ? mm_object_link (number, told_size, internaldate) : number;
}

static void
add_told_locked (MmMailbox *mailbox, const MmRemoteMessage *told)
{
  g_autofree gchar *stem
      = told->subject_length > 0
            ? mm_subject_stem_from_header (told->subject_header, told->subject_length)
            : NULL;
  MmMessage message = {
    .uid = told->uid,
    .size = told->size,
    .told_size = (guint32) told->size,
    .internaldate = told->internaldate,
    .flags = (guint8) told->flags,
    .keywords = told->keywords,
    .stem = stem,
    .listing = (guint8) mailbox->stream,
  };

  if (told->object_id != NULL)
    {
      message.has_object = TRUE;
      message.is_linked = told->is_object_shared != FALSE;
      message.object = make_object (mailbox, told, message.told_size, message.internaldate);
    }
  if (mailbox->relist != NULL)
    mm_mailbox_relist_message_locked (mailbox, &message);
  else
    {
      if (!mm_mailbox_state_is_trusted (&mailbox->state) && !message.has_object)
        message.origin = mm_mailbox_make_random_origin ();
      if (mm_mailbox_add_message_locked (mailbox, &message))
        note_told_locked (mailbox, message.number, FALSE);
    }
}

/* Of a UID that is known, under a UIDVALIDITY that says that it is the same message: TRUE when it is
 * not. Sizes alone prove nothing, because some servers guess them until the message was read: of one that was not, the subject
 * decides. */
static gboolean
is_another_locked (const MmMailbox *mailbox, const MmMessage *known, const MmRemoteMessage *told)
{
  gboolean has_other_size = told->has_size && (guint32) told->size != known->told_size
                            && told->size != known->size;

  if (known->has_object && told->object_id != NULL
      && known->object != make_object (mailbox, told, known->told_size, known->internaldate))
    return TRUE;
  if ((told->internaldate != 0 && told->internaldate != known->internaldate)
      || (has_other_size && known->size_is_proved))
    return TRUE;
  if (!mailbox->context->want_subject || known->stem == NULL)
    return FALSE;
  g_autofree gchar *stem
      = told->subject_length > 0
            ? mm_subject_stem_from_header (told->subject_header, told->subject_length)
            : NULL;
  return g_strcmp0 (stem, known->stem) != 0;
}

static void
on_message (const MmRemoteMessage *told, gpointer user_data)
{
  MmMailbox *mailbox = user_data;
  GPtrArray *waiters = NULL;

  g_mutex_lock (&mailbox->lock);
  MmMessage *known = mailbox->relist == NULL
                         ? mm_message_table_find_uid (mailbox->table, told->uid)
                         : NULL;
  if (known == NULL)
    add_told_locked (mailbox, told);
  else if (is_another_locked (mailbox, known, told))
    mailbox->is_doubted = TRUE;
  else
    {
      set_flags_locked (mailbox, known, told->flags, told->keywords);
      if (known->listing != (guint8) mailbox->stream)
        note_told_locked (mailbox, known->number, was_told_before_locked (mailbox, known));
      known->listing = (guint8) mailbox->stream;
    }
  if (++mailbox->unannounced >= MESSAGES_PER_WAKE && !mailbox->is_complete)
    {
      mailbox->unannounced = 0;
      waiters = mm_wait_list_take_locked (mailbox->waits);
    }
  g_mutex_unlock (&mailbox->lock);
  mm_waiters_fire (waiters, NULL);
}

static void
on_flags (guint32 uid, MmMessageFlags flags, const gchar *keywords, gpointer user_data)
{
  MmMailbox *mailbox = user_data;
  guint64 changed_number = 0;

  g_mutex_lock (&mailbox->lock);
  MmMessage *message = mm_message_table_find_uid (mailbox->table, uid);
  if (message != NULL && set_flags_locked (mailbox, message, flags, keywords))
    changed_number = message->number;
  g_mutex_unlock (&mailbox->lock);

  if (changed_number != 0)
    mm_mailbox_tell_message_changed (mailbox, changed_number);
}

/* ---- what is gone ---- */

static void
note_gone_locked (MmMailbox *mailbox, const GArray *gone)
{
  if (gone->len == 0)
    return;
  mm_mailbox_erase_rows_locked (mailbox, gone);
  mm_mailbox_touch_locked (mailbox);
}

/* Takes out of the table, and appends to @gone, what @keep says is no more. */
static void
remove_unless_locked (MmMailbox *mailbox, GArray *gone, MmMessageKeepFunc keep, gconstpointer data)
{
  mm_message_table_retain (mailbox->table, keep, data, gone);
  note_gone_locked (mailbox, gone);
}

static gboolean
was_told (const MmMessage *message, gconstpointer data)
{
  const guint8 *listing = data;
  return message->listing == *listing;
}

typedef struct
{
  const MmRemoteUidRange *ranges; /* ascending, disjoint */
  gsize n_ranges;
  guint64 below; /* UIDs from here on are new and not spoken of */
} Presence;

static gboolean
is_named (const Presence *presence, guint32 uid)
{
  gsize low = 0;
  gsize high = presence->n_ranges;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      if (presence->ranges[middle].last < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return low < presence->n_ranges && presence->ranges[low].first <= uid;
}

static gboolean
is_present (const MmMessage *message, gconstpointer data)
{
  const Presence *presence = data;

  return message->uid >= presence->below || is_named (presence, message->uid);
}

static gboolean
is_left (const MmMessage *message, gconstpointer data)
{
  const Presence *vanished = data;

  return message->uid >= vanished->below || !is_named (vanished, message->uid);
}

static void
tell_gone (const MmMailbox *mailbox, const GArray *gone)
{
  for (guint i = 0; i < gone->len; i++)
    tell_message_gone (mailbox, &g_array_index (gone, MmMessage, i));
}

static void
on_present (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data)
{
  MmMailbox *mailbox = user_data;
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (mailbox); /* of @gone */
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmMessage));

  g_mutex_lock (&mailbox->lock);
  Presence presence = { ranges, n_ranges, mailbox->state.uidnext };
  remove_unless_locked (mailbox, gone, is_present, &presence);
  g_mutex_unlock (&mailbox->lock);
  tell_gone (mailbox, gone);
}

static void
remove_uid_locked (MmMailbox *mailbox, guint32 uid, GArray *gone)
{
  const MmMessage *message = mm_message_table_find_uid (mailbox->table, uid);

  if (message == NULL)
    return;
  g_array_append_vals (gone, message, 1);
  mm_message_table_remove (mailbox->table, message->number);
}

/* Servers name ranges that hold many more UIDs than were ever here: few are looked up, and of many it
 * is cheaper to go through all messages once. */
static guint64
on_vanished (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data)
{
  MmMailbox *mailbox = user_data;
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (mailbox); /* of @gone */
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  guint64 n_uids = 0;

  for (gsize i = 0; i < n_ranges; i++)
    n_uids += (guint64) ranges[i].last - ranges[i].first + 1;
  g_mutex_lock (&mailbox->lock);
  Presence vanished = { ranges, n_ranges, mailbox->state.uidnext };
  if (n_uids > LOOKED_UP_MAX)
    mm_message_table_retain (mailbox->table, is_left, &vanished, gone);
  else
    for (gsize i = 0; i < n_ranges; i++)
      for (guint64 uid = ranges[i].first; uid <= ranges[i].last && uid < vanished.below; uid++)
        remove_uid_locked (mailbox, (guint32) uid, gone);
  note_gone_locked (mailbox, gone);
  /* What a synchronisation that broke off told beyond the known state has numbers from here on. */
  guint64 n_left = mm_message_table_position_after (mailbox->table, mailbox->base_number - 1);
  g_mutex_unlock (&mailbox->lock);
  tell_gone (mailbox, gone);
  return n_left;
}

/* ---- the end ---- */

void
mm_mailbox_complete_locked (MmMailbox *mailbox, const MmMailboxState *state)
{
  mailbox->is_complete = TRUE;
  mailbox->was_complete = FALSE;
  mailbox->state = *state;
  /* What the table holds is what the next comparison must start from. */
  mailbox->state.messages = mm_message_table_get_length (mailbox->table);
  mailbox->state.has_messages = TRUE;
  mailbox->base_number = mailbox->next_number;
  mailbox->checked_us = mailbox->synced_us = mm_clock_monotonic_us ();
  mailbox->synced_from_us = mailbox->started_us;
}

static void
finish_listing_locked (MmMailbox *mailbox, const MmMailboxState *state, GArray *gone)
{
  guint8 listing = (guint8) mailbox->stream;

  /* A directory's first listing does not change its time. */
  gboolean is_known = mailbox->is_complete || mailbox->was_complete;

  if (is_known && mailbox->next_number != mailbox->base_number)
    mm_mailbox_touch_locked (mailbox);
  if (!mailbox->is_complete)
    remove_unless_locked (mailbox, gone, was_told, &listing);
  mm_mailbox_complete_locked (mailbox, state);
  mm_mailbox_write_rows_locked (mailbox);
  mm_mailbox_write_state_locked (mailbox);
  /* Now that nothing is unwritten, all strings of this mailbox are in its table or held. */
  if (mm_message_table_is_wasteful (mailbox->table))
    mm_message_table_compact (mailbox->table);
}

void
mm_mailbox_end_sync (MmMailbox *mailbox, const GArray *gone, const GError *error)
{
  /* Of @gone: as soon as another synchronisation may run, they may go. */
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (mailbox);

  g_mutex_lock (&mailbox->lock);
  gboolean is_excused = error != NULL && mailbox->is_complete && mm_error_is_away (error);
  mailbox->excused_us = is_excused ? mm_clock_monotonic_us () : 0;
  gboolean is_changed = mailbox->generation != mailbox->told_generation;
  mailbox->told_generation = mailbox->generation;
  mailbox->is_syncing = FALSE;
  if (mailbox->is_gone)
    mm_mailbox_forget_all_locked (mailbox);
  mailbox->is_awaited = FALSE;
  mailbox->n_repeats = 0;
  g_autoptr (MmRemoteJob) ahead G_GNUC_UNUSED = g_steal_pointer (&mailbox->sync_ahead);
  mailbox->ended_us = error == NULL ? mailbox->synced_us : mm_clock_monotonic_us ();
  mailbox->unannounced = 0;
  GPtrArray *waiters = mm_wait_list_take_locked (mailbox->waits);
  g_mutex_unlock (&mailbox->lock);

  for (guint i = 0; gone != NULL && i < gone->len; i++)
    tell_message_gone (mailbox, &g_array_index (gone, MmMessage, i));
  if (is_changed)
    tell_folder_changed (mailbox);
  if (is_excused || g_error_matches (error, MM_ERROR, MM_ERROR_OFFLINE))
    mm_log_debug ("'%s' on %s could not be compared with the server: %s", mailbox->path,
                  mailbox->context->name, error->message);
  else if (error != NULL && error->code != MM_ERROR_CANCELLED)
    {
      mm_statistics_note_listing_error (mailbox->context->statistics, error);
      mm_log_warning ("'%s' on %s could not be listed: %s", mailbox->path, mailbox->context->name,
                      error->message);
    }
  mm_waiters_fire (waiters, is_excused ? NULL : error);
  /* Something may have changed meanwhile. */
  if (mailbox->context->watcher != NULL)
    mm_watcher_wake (mailbox->context->watcher);
}

/* The driver repeats only what was cut before it told anything. Of a listing that was cut in its middle
 * what came is of use; who waits for it, or reads its beginning, would have an error for a connection
 * that can be had again at once. */
static gboolean
is_worth_repeating_locked (const MmMailbox *mailbox, const GError *error)
{
  gboolean is_wanted = mailbox->is_awaited || mm_wait_list_is_wanted_locked (mailbox->waits);

  return g_error_matches (error, MM_ERROR, MM_ERROR_CONNECTION_LOST) && is_wanted
         && !mailbox->is_gone && mailbox->n_repeats < mm_limits_default.listing_repetitions;
}

static void
repeat_sync (MmMailbox *mailbox, const GError *error)
{
  mm_log_debug ("'%s' on %s is listed again, because that broke off: %s", mailbox->path,
                mailbox->context->name, error->message);
  mm_mailbox_start_sync (mailbox);
}

static void
on_done (const MmMailboxState *state, const GError *error, gpointer user_data)
{
  MmMailbox *mailbox = user_data;
  g_autoptr (MmStringPool) strings G_GNUC_UNUSED = mm_mailbox_hold_strings (mailbox); /* of @gone */
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (MmMessage));

  g_mutex_lock (&mailbox->lock);
  gboolean is_relist = error == NULL && mailbox->relist != NULL;
  gboolean is_repeated = is_worth_repeating_locked (mailbox, error);
  g_autoptr (MmRemoteJob) ahead G_GNUC_UNUSED = NULL;
  if (error != NULL)
    {
      mm_mailbox_drop_relist_locked (mailbox);
      mailbox->streamed_up_to = MAX (mailbox->streamed_up_to, mailbox->told_up_to);
      mailbox->told_up_to = 0; /* of a full listing: nobody begins to read it any more */
      if (is_repeated)
        {
          mailbox->n_repeats++;
          mailbox->is_awaited = TRUE;
          ahead = g_steal_pointer (&mailbox->sync_ahead);
        }
    }
  else if (!is_relist)
    finish_listing_locked (mailbox, state, gone);
  g_mutex_unlock (&mailbox->lock);

  if (is_repeated)
    repeat_sync (mailbox, error);
  else if (is_relist)
    mm_mailbox_finish_relist (mailbox, state);
  else
    mm_mailbox_end_sync (mailbox, gone, error);
}

void
mm_mailbox_start_sync (MmMailbox *mailbox)
{
  static const MmRemoteSyncSink sink = {
    .opened = on_opened,
    .message = on_message,
    .flags = on_flags,
    .present = on_present,
    .vanished = on_vanished,
    .done = on_done,
  };

  g_mutex_lock (&mailbox->lock);
  mailbox->started_us = mm_clock_monotonic_us ();
  mailbox->is_comparing = mailbox->is_complete && !mailbox->is_doubted
                          && mm_mailbox_state_is_trusted (&mailbox->state);
  g_autofree gchar *name = g_strdup (mailbox->name);
  MmRemoteSyncRequest request = {
    .mailbox = name,
    .known = mailbox->is_comparing ? mailbox->state : (MmMailboxState){ 0 },
    .want_subject = mailbox->context->want_subject,
    .priority = mailbox->is_awaited ? MM_REMOTE_PRIORITY_DEMAND : MM_REMOTE_PRIORITY_READ_AHEAD,
  };
  g_mutex_unlock (&mailbox->lock);

  g_autoptr (MmRemoteJob) job
      = mm_remote_sync_mailbox (mailbox->context->remote, &request, &sink, mailbox);
  if (request.priority == MM_REMOTE_PRIORITY_DEMAND)
    return;
  g_mutex_lock (&mailbox->lock);
  gboolean is_awaited = mailbox->is_awaited;
  if (mailbox->is_syncing && !is_awaited && mailbox->sync_ahead == NULL)
    mailbox->sync_ahead = mm_remote_job_ref (job);
  g_mutex_unlock (&mailbox->lock);
  if (is_awaited)
    mm_remote_job_make_demand (job);
}
