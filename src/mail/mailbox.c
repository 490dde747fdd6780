// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailbox-private.h"

#include <mailmount/clock.h>

#include "mailbox-relist.h"

/* Single facts (a size proved, a Message-ID found) are written down so many at a time. */
#define ROWS_PER_WRITE 256

/* What a message that is counted but not listed yet is taken for in totals: a block. */
#define UNLISTED_OCTETS 4096

MmMailbox *
mm_mailbox_new (MmMailContext *context, guint32 folder_id, const gchar *name, const gchar *path,
                const MmMailboxState *state, guint64 next_number, gint64 mtime_us)
{
  MmMailbox *mailbox = g_new0 (MmMailbox, 1);

  mailbox->context = context;
  mailbox->folder_id = folder_id;
  mailbox->name = g_strdup (name);
  mailbox->paths = g_ptr_array_new_with_free_func (g_free);
  mm_mailbox_set_path (mailbox, path);
  mailbox->state = *state;
  mailbox->next_number = next_number;
  mailbox->base_number = next_number;
  mailbox->mtime_us = mtime_us;
  mailbox->table = mm_message_table_new ();
  mm_message_table_tell_places (mailbox->table, context->objects, folder_id);
  mailbox->unwritten = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  mailbox->waits = mm_wait_list_new ();
  g_mutex_init (&mailbox->lock);
  return mailbox;
}

void
mm_mailbox_free (MmMailbox *mailbox)
{
  if (mailbox == NULL)
    return;
  mm_wait_list_free (mailbox->waits);
  g_clear_pointer (&mailbox->sync_ahead, mm_remote_job_unref);
  g_array_unref (mailbox->unwritten);
  mm_mailbox_drop_relist_locked (mailbox);
  mm_message_table_free (mailbox->aside);
  mm_message_table_free (mailbox->table);
  g_mutex_clear (&mailbox->lock);
  g_free (mailbox->name);
  g_ptr_array_unref (mailbox->paths);
  g_free (mailbox);
}

guint32
mm_mailbox_get_folder_id (const MmMailbox *mailbox)
{
  return mailbox->folder_id;
}

/* The whole listing is known, and the server could not be asked for a newer one just now. */
static gboolean
is_excused_locked (const MmMailbox *mailbox)
{
  return mailbox->excused_us != 0
         && mm_clock_monotonic_us () < mailbox->excused_us + MM_EXCUSE_US;
}

typedef enum
{
  START_NOTHING,
  START_LOAD,
  START_SYNC,
} Start;

/* Decides what has to run before the mailbox can be read, and marks it as running. */
static Start
prepare_locked (MmMailbox *mailbox)
{
  switch (mailbox->load)
    {
    case MM_MAILBOX_UNLOADED:
      mailbox->load = MM_MAILBOX_LOADING;
      return START_LOAD;
    case MM_MAILBOX_LOADING:
      return START_NOTHING;
    case MM_MAILBOX_LOADED:
      break;
    }
  if (mailbox->is_syncing)
    return START_NOTHING;
  mailbox->is_syncing = TRUE;
  return START_SYNC;
}

static void
start (MmMailbox *mailbox, Start what)
{
  switch (what)
    {
    case START_NOTHING:
      break;
    case START_LOAD:
      mm_mailbox_start_load (mailbox);
      break;
    case START_SYNC:
      mm_mailbox_start_sync (mailbox);
      break;
    }
}

static gboolean
is_whatever_locked (MmMailbox *mailbox G_GNUC_UNUSED)
{
  return TRUE;
}

/* @is_enough_locked says whether a whole listing is as fresh as it has to be. */
static MmTry
try_until (MmMailbox *mailbox, gboolean (*is_enough_locked) (MmMailbox *), MmWaiter *waiter)
{
  Start what = START_NOTHING;
  MmTry result = MM_TRY_WAIT;
  g_autoptr (MmRemoteJob) awaited = NULL;

  g_mutex_lock (&mailbox->lock);
  if (mailbox->is_complete && mailbox->load == MM_MAILBOX_LOADED
      && (is_enough_locked (mailbox) || is_excused_locked (mailbox)))
    result = MM_TRY_DONE;
  else
    {
      mm_wait_list_add_locked (mailbox->waits, waiter);
      mailbox->is_awaited = TRUE;
      awaited = g_steal_pointer (&mailbox->sync_ahead);
      what = prepare_locked (mailbox);
    }
  g_mutex_unlock (&mailbox->lock);
  if (awaited != NULL)
    mm_remote_job_make_demand (awaited);
  start (mailbox, what);
  return result;
}

MmTry
mm_mailbox_try_listed (MmMailbox *mailbox, gboolean fresh, MmWaiter *waiter,
                       GError **error G_GNUC_UNUSED)
{
  return try_until (mailbox, fresh ? mm_mailbox_is_fresh_locked : is_whatever_locked, waiter);
}

MmTry
mm_mailbox_try_flags (MmMailbox *mailbox, MmWaiter *waiter, GError **error G_GNUC_UNUSED)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_first_listing = !mailbox->is_complete;
  g_mutex_unlock (&mailbox->lock);

  return is_first_listing ? MM_TRY_DONE
                          : try_until (mailbox, mm_mailbox_has_fresh_flags_locked, waiter);
}

MmTry
mm_mailbox_try_open (MmMailbox *mailbox, guint *out_stream, MmWaiter *waiter, GError **error)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_streaming = !mailbox->is_complete && mailbox->is_syncing
                          && !mailbox->stream_is_broken
                          && mailbox->told_up_to > 0;
  *out_stream = is_streaming ? mailbox->stream : MM_MAILBOX_WHOLE;
  mailbox->is_awaited |= is_streaming;
  g_mutex_unlock (&mailbox->lock);

  return is_streaming ? MM_TRY_DONE : mm_mailbox_try_listed (mailbox, TRUE, waiter, error);
}

/* What a reader was told while the listing arrived is the beginning of that listing and of those that
 * repeat it, also when another one is whole by now; and only as long as all of it came in order. */
static gboolean
is_lost_locked (const MmMailbox *mailbox, guint stream)
{
  if (stream == MM_MAILBOX_WHOLE)
    return !mailbox->is_complete;
  return stream < mailbox->stream_from || mailbox->stream_is_broken
         || (!mailbox->is_complete && !mailbox->is_syncing);
}

MmTry
mm_mailbox_try_next (MmMailbox *mailbox, guint stream, guint64 after, MmMessage *out, gsize n_max,
                     gsize *out_n, MmWaiter *waiter, GError **error)
{
  MmTry result = MM_TRY_DONE;

  *out_n = 0;
  g_mutex_lock (&mailbox->lock);
  if (is_lost_locked (mailbox, stream))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST,
                   "the listing of '%s' on %s broke off; list it again", mailbox->path,
                   mailbox->context->name);
      result = MM_TRY_FAILED;
    }
  else
    {
      gsize length = mm_message_table_get_length (mailbox->table);
      gsize position = mm_message_table_position_after (mailbox->table, after);

      for (; position < length && *out_n < n_max; position++)
        {
          const MmMessage *message = mm_message_table_at (mailbox->table, position);
          if (!mailbox->is_complete && message->number > mailbox->told_up_to)
            break;
          out[(*out_n)++] = *message;
        }
      if (*out_n == 0 && !mailbox->is_complete)
        {
          mm_wait_list_add_locked (mailbox->waits, waiter);
          result = MM_TRY_WAIT;
        }
    }
  g_mutex_unlock (&mailbox->lock);
  return result;
}

MmStringPool *
mm_mailbox_hold_strings (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  MmStringPool *pool = mm_string_pool_ref (mm_message_table_get_pool (mailbox->table));
  g_mutex_unlock (&mailbox->lock);
  return pool;
}

gboolean
mm_mailbox_get_message (MmMailbox *mailbox, guint64 number, MmMessage *out)
{
  g_mutex_lock (&mailbox->lock);
  const MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL)
    *out = *message;
  g_mutex_unlock (&mailbox->lock);
  return message != NULL;
}

static MmContentKey
get_key_locked (const MmMailbox *mailbox, const MmMessage *message)
{
  return mm_message_get_content_key (message, mailbox->folder_id, mailbox->state.uidvalidity);
}

gboolean
mm_mailbox_get_fetch_target (MmMailbox *mailbox, guint64 number, guint32 origin,
                             MmFetchTarget *out)
{
  g_mutex_lock (&mailbox->lock);
  const MmMessage *message = mm_message_table_find (mailbox->table, number);
  gboolean is_there = message != NULL && get_key_locked (mailbox, message).origin == origin;
  if (is_there)
    *out = (MmFetchTarget){
      .mailbox_name = g_strdup (mailbox->name),
      .uidvalidity = mailbox->state.uidvalidity,
      .uid = message->uid,
      .size = message->size,
      .size_is_proved = message->size_is_proved,
      .message_id = g_strdup (message->message_id),
      .stem = mailbox->context->want_subject ? g_strdup (message->stem) : NULL,
      .numbering = mailbox->numbering,
      .is_distrusted = !mm_mailbox_state_is_trusted (&mailbox->state),
      .is_doubtful = mm_mailbox_state_is_doubtful (&mailbox->state) || mailbox->announced.may_recur,
    };
  g_mutex_unlock (&mailbox->lock);
  return is_there;
}

gboolean
mm_mailbox_get_content_key (MmMailbox *mailbox, guint64 number, MmContentKey *out)
{
  g_mutex_lock (&mailbox->lock);
  const MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL)
    *out = get_key_locked (mailbox, message);
  g_mutex_unlock (&mailbox->lock);
  return message != NULL;
}

MmContentKey
mm_content_key_of_link (guint64 link)
{
  return (MmContentKey){ MM_CONTENT_SHARED_FOLDER, link, (guint32) link | 1 };
}

MmContentKey
mm_message_get_content_key (const MmMessage *message, guint32 folder_id, guint64 uidvalidity)
{
  guint32 origin = message->has_object ? 0 : (guint32) message->origin;

  if (message->is_linked)
    return mm_content_key_of_link (message->object);
  if (origin == 0)
    origin = mm_mailbox_make_origin (uidvalidity, message->uid);
  return (MmContentKey){ folder_id, message->number, origin };
}

guint32
mm_mailbox_make_origin (guint64 uidvalidity, guint32 uid)
{
  /* Knuth's multiplicative hash keeps neighbouring UIDVALIDITYs apart. */
  guint32 origin = (guint32) uidvalidity * 2654435761u ^ uid;
  return origin != 0 ? origin : 1;
}

guint32
mm_mailbox_make_random_origin (void)
{
  guint32 origin = g_random_int ();
  return origin != 0 ? origin : 1;
}

gboolean
mm_mailbox_state_is_trusted (const MmMailboxState *state)
{
  return state->uidvalidity != 0 && !state->uid_not_sticky;
}

gboolean
mm_mailbox_state_is_doubtful (const MmMailboxState *state)
{
  return state->uidvalidity <= MM_UIDVALIDITY_DOUBTFUL_MAX || state->may_recur;
}

void
mm_fetch_target_clear (MmFetchTarget *target)
{
  g_clear_pointer (&target->mailbox_name, g_free);
  g_clear_pointer (&target->message_id, g_free);
  g_clear_pointer (&target->stem, g_free);
}

gboolean
mm_mailbox_set_size (MmMailbox *mailbox, guint64 number, guint64 size)
{
  gboolean is_other = FALSE;

  g_mutex_lock (&mailbox->lock);
  MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL && (!message->size_is_proved || message->size != size))
    {
      is_other = message->size != size;
      message->size_is_proved = TRUE;
      mm_message_table_set_size (mailbox->table, message, size);
      g_array_append_vals (mailbox->unwritten, message, 1);
      if (mailbox->unwritten->len >= ROWS_PER_WRITE)
        mm_mailbox_write_rows_locked (mailbox);
    }
  g_mutex_unlock (&mailbox->lock);
  return is_other;
}

void
mm_mailbox_set_stored (MmMailbox *mailbox, guint64 number, gboolean is_stored)
{
  g_mutex_lock (&mailbox->lock);
  MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL)
    message->is_stored = is_stored != FALSE;
  g_mutex_unlock (&mailbox->lock);
}

void
mm_mailbox_flush (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  mm_mailbox_write_rows_locked (mailbox);
  g_mutex_unlock (&mailbox->lock);
}

gint64
mm_mailbox_get_mtime_us (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gint64 mtime_us = mailbox->mtime_us;
  g_mutex_unlock (&mailbox->lock);
  return mtime_us;
}

guint
mm_mailbox_get_generation (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  guint generation = mailbox->generation;
  g_mutex_unlock (&mailbox->lock);
  return generation;
}

void
mm_mailbox_get_totals (MmMailbox *mailbox, guint64 *out_messages, guint64 *out_octets)
{
  g_mutex_lock (&mailbox->lock);
  guint64 n_listed = mm_message_table_get_length (mailbox->table);
  *out_messages = n_listed;
  *out_octets = mm_message_table_get_octets (mailbox->table);
  if (!mailbox->is_complete)
    {
      guint64 n_told = MAX (mailbox->announced.messages, mailbox->state.messages);
      *out_messages = MAX (n_listed, n_told);
      *out_octets += (*out_messages - n_listed) * UNLISTED_OCTETS;
    }
  g_mutex_unlock (&mailbox->lock);
}

void
mm_mailbox_take_table_locked (MmMailbox *mailbox, MmMessageTable *table)
{
  mm_message_table_follow (table, mailbox->table);
  /* Before those of the old one go, so that nobody finds a message nowhere. */
  mm_message_table_tell_places (table, mailbox->context->objects, mailbox->folder_id);
  mm_message_table_free (mailbox->table);
  mailbox->table = table;
}

void
mm_mailbox_touch_locked (MmMailbox *mailbox)
{
  mailbox->generation++;
  mailbox->mtime_us = mm_clock_wall_us ();
}

void
mm_mailbox_forget_all_locked (MmMailbox *mailbox)
{
  mm_mailbox_take_table_locked (mailbox, mm_message_table_new ());
  g_clear_pointer (&mailbox->aside, mm_message_table_free);
  g_array_set_size (mailbox->unwritten, 0);
  mailbox->is_complete = mailbox->was_complete = FALSE;
  mailbox->state = (MmMailboxState){ 0 };
  mailbox->announced = (MmMailboxState){ 0 };
  mailbox->generation++;
}

void
mm_mailbox_set_gone (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  mailbox->is_gone = TRUE;
  if (!mailbox->is_syncing)
    mm_mailbox_forget_all_locked (mailbox);
  g_mutex_unlock (&mailbox->lock);
}

guint
mm_mailbox_count_stored_links (MmMailbox *mailbox)
{
  guint n = 0;

  g_mutex_lock (&mailbox->lock);
  gsize length = mm_message_table_has_links (mailbox->table)
                     ? mm_message_table_get_length (mailbox->table)
                     : 0;
  for (gsize i = 0; i < length; i++)
    {
      const MmMessage *message = mm_message_table_at (mailbox->table, i);
      n += message->is_linked && message->is_stored;
    }
  g_mutex_unlock (&mailbox->lock);
  return n;
}

gboolean
mm_mailbox_is_gone (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_gone = mailbox->is_gone;
  g_mutex_unlock (&mailbox->lock);
  return is_gone;
}

guint32
mm_mailbox_find_object_uid (MmMailbox *mailbox, guint64 object)
{
  guint32 uid = 0;

  g_mutex_lock (&mailbox->lock);
  guint64 number = mm_object_map_find_in (mailbox->context->objects, object, mailbox->folder_id);
  const MmMessage *message = mm_message_table_find (mailbox->table, number);
  if (message != NULL && message->has_object && message->object == object)
    uid = message->uid;
  g_mutex_unlock (&mailbox->lock);
  return uid;
}

gchar *
mm_mailbox_dup_name (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gchar *name = g_strdup (mailbox->name);
  g_mutex_unlock (&mailbox->lock);
  return name;
}

void
mm_mailbox_set_path (MmMailbox *mailbox, const gchar *path)
{
  g_ptr_array_add (mailbox->paths, g_strdup (path));
  mailbox->path = g_ptr_array_index (mailbox->paths, mailbox->paths->len - 1);
}

gboolean
mm_mailbox_is_named (MmMailbox *mailbox, const gchar *name)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_named = g_strcmp0 (mailbox->name, name) == 0;
  g_mutex_unlock (&mailbox->lock);
  return is_named;
}

GArray *
mm_mailbox_dup_messages (MmMailbox *mailbox)
{
  GArray *messages = g_array_new (FALSE, FALSE, sizeof (MmMessage));

  g_mutex_lock (&mailbox->lock);
  gsize length = mm_message_table_get_length (mailbox->table);
  if (length > 0)
    g_array_append_vals (messages, mm_message_table_at (mailbox->table, 0), (guint) length);
  g_mutex_unlock (&mailbox->lock);
  return messages;
}

gboolean
mm_mailbox_is_complete (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_complete = mailbox->is_complete;
  g_mutex_unlock (&mailbox->lock);
  return is_complete;
}

gboolean
mm_mailbox_is_coming (MmMailbox *mailbox)
{
  g_mutex_lock (&mailbox->lock);
  gboolean is_coming = mailbox->load == MM_MAILBOX_LOADING || mailbox->is_syncing;
  g_mutex_unlock (&mailbox->lock);
  return is_coming;
}

/* The index told what it has: now the server's turn comes. */
static void
go_on_listing_ahead (const GError *error, gpointer user_data)
{
  if (error == NULL)
    mm_mailbox_list_ahead (user_data);
}

void
mm_mailbox_list_ahead (MmMailbox *mailbox)
{
  Start what = START_NOTHING;

  g_mutex_lock (&mailbox->lock);
  if (!mailbox->is_complete)
    what = prepare_locked (mailbox);
  if (what == START_LOAD)
    {
      g_autoptr (MmWaiter) waiter = mm_waiter_new (go_on_listing_ahead, mailbox);
      mm_wait_list_add_locked (mailbox->waits, waiter);
    }
  g_mutex_unlock (&mailbox->lock);
  start (mailbox, what);
}
