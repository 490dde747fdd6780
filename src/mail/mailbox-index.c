// SPDX-License-Identifier: GPL-3.0-or-later
/* The mailbox and the index: loading at first use, writing down behind everyone's back. */
#include "mailbox-private.h"

#include <mailmount/log.h>

#include "orphans.h"

static void
log_index_error (const MmMailbox *mailbox, GError *error)
{
  if (error == NULL)
    return;
  mm_log_warning ("the index of '%s' on %s: %s", mailbox->path, mailbox->context->name,
                  error->message);
  g_error_free (error);
}

/* A state in the index says that the rows are there: it must not run ahead of rows that could not
 * be written. @error is taken. */
static void
note_written (MmMailbox *mailbox, GError *error)
{
  if (error != NULL)
    mailbox->rows_are_lost = TRUE;
  log_index_error (mailbox, error);
}

static void
note_transaction_end (MmMailbox *mailbox)
{
  if (mm_index_thread_is_rolling_back (mailbox->context->index))
    mailbox->rows_are_lost = TRUE;
}

/* ---- loading ---- */

static void
add_loaded_row (const MmIndexMessage *row, gpointer user_data)
{
  MmMessageTable *table = user_data;
  MmMessage message = {
    .number = row->number,
    .uid = row->uid,
    .size = row->size,
    .size_is_proved = row->size_is_proved != FALSE,
    .internaldate = row->internaldate,
    .flags = (guint8) row->flags,
    .has_object = row->object != 0,
    .is_linked = row->is_linked != FALSE,
    .keywords = row->keywords,
    .stem = row->stem,
    .message_id = row->message_id,
    .told_size = row->told_size,
  };

  if (message.has_object)
    message.object = row->object;
  else
    message.origin = row->origin;
  mm_message_table_add (table, &message);
}

/* Rows of a listing that never became whole, or that cannot be read, are void, and so is content kept
 * by their numbers: nothing says whose it is. */
static void
wipe (MmMailbox *mailbox, MmIndex *index)
{
  GError *error = NULL;

  mm_index_remove_all_messages (index, mailbox->folder_id, &error);
  mm_content_cache_remove_folder (mailbox->context->cache, mailbox->folder_id);
  note_written (mailbox, error);
}

static void
take_loaded_locked (MmMailbox *mailbox, MmMessageTable *table)
{
  guint64 last = mm_message_table_get_last_number (table);

  mailbox->next_number = MAX (mailbox->next_number, last + 1);
  mailbox->base_number = MAX (mailbox->base_number, last + 1);
  if (!mm_mailbox_state_is_trusted (&mailbox->state))
    {
      mailbox->aside = table;
      return;
    }
  /* Rows that do not add up to the state they belong to are not a listing, but the next one finds
   * the messages in them again. */
  mailbox->is_complete = mm_message_table_get_length (table) == mailbox->state.messages;
  mm_mailbox_take_table_locked (mailbox, table);
}

static void
load_rows (MmIndex *index, gpointer data)
{
  MmMailbox *mailbox = data;
  MmMessageTable *table = mm_message_table_new ();
  GError *error = NULL;

  g_mutex_lock (&mailbox->lock);
  /* The state is written when a listing became whole. */
  gboolean loaded = mailbox->state.uidvalidity != 0 || mailbox->state.has_messages;
  g_mutex_unlock (&mailbox->lock);
  if (loaded)
    loaded = mm_index_load_messages (index, mailbox->folder_id, add_loaded_row, table, &error);
  log_index_error (mailbox, error);
  if (!loaded)
    wipe (mailbox, index);

  g_mutex_lock (&mailbox->lock);
  if (loaded)
    take_loaded_locked (mailbox, g_steal_pointer (&table));
  g_clear_pointer (&table, mm_message_table_free);
  if (!mailbox->is_complete)
    mailbox->state = (MmMailboxState){ .uidvalidity = mailbox->state.uidvalidity,
                                       .uid_not_sticky = mailbox->state.uid_not_sticky };
  mailbox->load = MM_MAILBOX_LOADED;
  GPtrArray *waiters = mm_wait_list_take_locked (mailbox->waits);
  g_mutex_unlock (&mailbox->lock);
  mm_waiters_fire (waiters, NULL);
}

void
mm_mailbox_start_load (MmMailbox *mailbox)
{
  mm_index_thread_push (mailbox->context->index, load_rows, mailbox, NULL);
}

/* ---- writing ---- */

typedef struct
{
  MmMailbox *mailbox;  /* borrowed: the index thread ends before the mailboxes do */
  GArray *messages;    /* Array<MmMessage> */
  MmStringPool *pool;  /* owned ref: keeps the strings of @messages alive */
} PutJob;

static void
put_rows (MmIndex *index, gpointer data)
{
  PutJob *job = data;
  GError *error = NULL;

  for (guint i = 0; i < job->messages->len && error == NULL; i++)
    {
      const MmMessage *message = &g_array_index (job->messages, MmMessage, i);
      MmIndexMessage row = {
        .number = message->number,
        .uid = message->uid,
        .size = message->size,
        .size_is_proved = message->size_is_proved,
        .internaldate = message->internaldate,
        .flags = message->flags,
        .keywords = message->keywords,
        .stem = message->stem,
        .message_id = message->message_id,
        .told_size = message->told_size,
        .origin = message->has_object ? 0 : (guint32) message->origin,
        .object = message->has_object ? message->object : 0,
        .is_linked = message->is_linked,
      };
      mm_index_put_message (index, job->mailbox->folder_id, &row, &error);
    }
  note_written (job->mailbox, error);
}

static void
free_put_job (gpointer data)
{
  PutJob *job = data;
  note_transaction_end (job->mailbox);
  g_array_unref (job->messages);
  mm_string_pool_unref (job->pool);
  g_free (job);
}

/* Takes what is unwritten. */
static PutJob *
new_put_job_locked (MmMailbox *mailbox)
{
  PutJob *job = g_new (PutJob, 1);

  job->mailbox = mailbox;
  job->messages = g_steal_pointer (&mailbox->unwritten);
  job->pool = mm_string_pool_ref (mm_message_table_get_pool (mailbox->table));
  mailbox->unwritten = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  return job;
}

void
mm_mailbox_write_rows_locked (MmMailbox *mailbox)
{
  if (mailbox->unwritten->len > 0)
    mm_index_thread_push (mailbox->context->index, put_rows, new_put_job_locked (mailbox),
                          free_put_job);
}

typedef struct
{
  MmMailbox *mailbox; /* borrowed */
  MmMailboxState state;
  guint64 next_number;
  gint64 mtime_us;
} StateJob;

static void
put_state (MmIndex *index, gpointer data)
{
  StateJob *job = data;
  GError *error = NULL;

  if (job->mailbox->rows_are_lost)
    return;
  mm_index_set_folder_state (index, job->mailbox->folder_id, &job->state, job->next_number,
                             job->mtime_us, &error);
  log_index_error (job->mailbox, error);
  mm_orphans_sweep (job->mailbox->context->orphans, index, job->mailbox->context, FALSE);
}

static StateJob *
new_state_job_locked (MmMailbox *mailbox)
{
  StateJob *job = g_new (StateJob, 1);

  job->mailbox = mailbox;
  job->state = mailbox->state;
  job->next_number = mailbox->next_number;
  job->mtime_us = mailbox->mtime_us;
  return job;
}

void
mm_mailbox_write_state_locked (MmMailbox *mailbox)
{
  mm_index_thread_push (mailbox->context->index, put_state, new_state_job_locked (mailbox), g_free);
}

typedef struct
{
  guint64 number;
  guint64 link; /* 0: none */
} Erased;

typedef struct
{
  MmMailbox *mailbox; /* borrowed */
  GArray *erased;     /* Array<Erased> */
} EraseJob;

static void
erase_rows (MmIndex *index, gpointer data)
{
  EraseJob *job = data;
  const MmMailContext *context = job->mailbox->context;
  guint32 folder_id = job->mailbox->folder_id;
  GError *error = NULL;

  for (guint i = 0; i < job->erased->len; i++)
    {
      const Erased *erased = &g_array_index (job->erased, Erased, i);
      if (error == NULL)
        mm_index_remove_message (index, folder_id, erased->number, &error);
      if (erased->link != 0)
        mm_orphans_add (context->orphans, erased->link);
      else
        mm_content_cache_remove (context->cache, (MmContentKey){ folder_id, erased->number, 0 });
    }
  mm_orphans_sweep (context->orphans, index, context, FALSE);
  note_written (job->mailbox, error);
}

static void
free_erase_job (gpointer data)
{
  EraseJob *job = data;
  note_transaction_end (job->mailbox);
  g_array_unref (job->erased);
  g_free (job);
}

static EraseJob *
new_erase_job (MmMailbox *mailbox, const GArray *gone)
{
  EraseJob *job = g_new (EraseJob, 1);

  job->mailbox = mailbox;
  job->erased = g_array_sized_new (FALSE, FALSE, sizeof (Erased), gone->len);
  for (guint i = 0; i < gone->len; i++)
    {
      const MmMessage *message = &g_array_index (gone, MmMessage, i);
      Erased erased = { message->number, mm_message_get_link (message) };
      g_array_append_val (job->erased, erased);
    }
  return job;
}

void
mm_mailbox_erase_rows_locked (MmMailbox *mailbox, const GArray *gone)
{
  /* What still waits to be written must not come back behind the removal. */
  mm_mailbox_write_rows_locked (mailbox);
  mm_index_thread_push (mailbox->context->index, erase_rows, new_erase_job (mailbox, gone),
                        free_erase_job);
}

/* Rows with new UIDs beside a state with the old UIDVALIDITY would be other messages' rows: all of it
 * is one job, so that it is in one transaction. */
typedef struct
{
  EraseJob *erase;
  PutJob *put;
  StateJob *state;
} ReplaceJob;

static void
replace_rows (MmIndex *index, gpointer data)
{
  ReplaceJob *job = data;

  erase_rows (index, job->erase);
  put_rows (index, job->put);
  put_state (index, job->state);
}

static void
free_replace_job (gpointer data)
{
  ReplaceJob *job = data;
  free_erase_job (job->erase);
  free_put_job (job->put);
  g_free (job->state);
  g_free (job);
}

void
mm_mailbox_replace_rows_locked (MmMailbox *mailbox, const GArray *gone)
{
  ReplaceJob *job = g_new (ReplaceJob, 1);
  gsize length = mm_message_table_get_length (mailbox->table);

  job->erase = new_erase_job (mailbox, gone);
  g_array_set_size (mailbox->unwritten, 0);
  if (length > 0)
    g_array_append_vals (mailbox->unwritten, mm_message_table_at (mailbox->table, 0),
                         (guint) length);
  job->put = new_put_job_locked (mailbox);
  job->state = new_state_job_locked (mailbox);
  mm_index_thread_push (mailbox->context->index, replace_rows, job, free_replace_job);
}
