// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailbox-relist.h"

#include <mailmount/log.h>

#include "mailbox-reidentify.h"
#include "message-id-fetch.h"
#include "message-id.h"

/* A header longer than this is not searched for its Message-ID. */
#define HEADER_OCTETS_MAX (64 * 1024)

/* Told under the mailbox's lock; from its end on in the hands of one thread at a time. */
struct MmRelist
{
  MmMailbox *mailbox;      /* borrowed */
  MmMessageTable *listing; /* what is told now; the UID stands for the number */
  MmMailboxState state;    /* that it leads to */
  guint64 old_uidvalidity;
  GArray *before;          /* Array<MmMessage>: what was known when it ended, by number; its strings stay,
                              because strings go when a synchronisation ends */
  GArray *unread;          /* Array<guint>: places in @before whose Message-ID the cache may know */
};

/* What changes for readers. */
typedef struct
{
  GArray *gone;      /* Array<MmMessage> */
  GArray *forgotten; /* Array<MmMessage>: they stay, but octets seen so far may be another's */
  GArray *changed;   /* Array<guint64>: numbers of messages with other flags */
  guint n_proved;
  guint n_likely;
  guint n_new;
} Changes;

static void
free_relist (MmRelist *relist)
{
  mm_message_table_free (relist->listing);
  g_clear_pointer (&relist->before, g_array_unref);
  g_clear_pointer (&relist->unread, g_array_unref);
  g_free (relist);
}

void
mm_mailbox_begin_relist_locked (MmMailbox *mailbox)
{
  mm_mailbox_drop_relist_locked (mailbox);
  mailbox->relist = g_new0 (MmRelist, 1);
  mailbox->relist->mailbox = mailbox;
  mailbox->relist->listing = mm_message_table_new ();
}

void
mm_mailbox_relist_message_locked (MmMailbox *mailbox, const MmMessage *message)
{
  MmMessage copy = *message;

  copy.number = copy.uid;
  mm_message_table_add (mailbox->relist->listing, &copy);
}

void
mm_mailbox_drop_relist_locked (MmMailbox *mailbox)
{
  g_clear_pointer (&mailbox->relist, free_relist);
}

static const MmMessage *
get_told (const MmRelist *relist, gsize *out_n)
{
  *out_n = mm_message_table_get_length (relist->listing);
  return *out_n > 0 ? mm_message_table_at (relist->listing, 0) : NULL;
}

static const MmMessage *
get_before (const MmRelist *relist)
{
  return (const MmMessage *) (gpointer) relist->before->data;
}

/* ---- applying, with the mailbox's lock ---- */

/* For each of the messages before the place of its successor plus one; 0: it has none. */
static GArray *
find_successors (const MmRelist *relist, const GArray *identified)
{
  GArray *successors = g_array_new (FALSE, TRUE, sizeof (guint));

  g_array_set_size (successors, relist->before->len);
  for (guint i = 0; i < identified->len; i++)
    {
      const MmIdentified *one = &g_array_index (identified, MmIdentified, i);
      if (one->identity != MM_IDENTITY_NEW)
        g_array_index (successors, guint, one->before) = i + 1;
    }
  return successors;
}

typedef struct
{
  const MmRelist *relist;
  const GArray *successors;
} Succession;

/* The place in @before of the message numbered @number; -1 when it is not there. */
static gssize
find_place (const MmRelist *relist, guint64 number)
{
  gsize low = 0;
  gsize high = relist->before->len;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      if (get_before (relist)[middle].number < number)
        low = middle + 1;
      else
        high = middle;
    }
  return low < relist->before->len && get_before (relist)[low].number == number ? (gssize) low
                                                                                : -1;
}

static guint
find_successor (const Succession *succession, guint64 number)
{
  gssize place = find_place (succession->relist, number);
  return place >= 0 ? g_array_index (succession->successors, guint, place) : 0;
}

static gboolean
has_successor (const MmMessage *message, gconstpointer data)
{
  return find_successor (data, message->number) != 0;
}

/* What is told of a message that was recognised. */
static void
renew_locked (MmMailbox *mailbox, MmMessage *message, const MmMessage *before,
              const MmMessage *told, MmIdentity identity, Changes *changes)
{
  const gchar *keywords = mm_message_table_intern (mailbox->table, told->keywords);
  const gchar *message_id = told->message_id;

  if (message->flags != told->flags || message->keywords != keywords)
    g_array_append_val (changes->changed, message->number);
  message->flags = told->flags;
  message->keywords = keywords;
  message->listing = (guint8) mailbox->stream;
  if (identity == MM_IDENTITY_PROVED)
    {
      changes->n_proved++;
      message_id = before->message_id;
      if (!message->has_object && message->origin == 0)
        message->origin = mm_mailbox_make_origin (mailbox->state.uidvalidity, before->uid);
    }
  else
    {
      changes->n_likely++;
      if (message->size_is_proved || message->is_linked)
        g_array_append_vals (changes->forgotten, message, 1);
      mm_message_table_drop_object (mailbox->table, message, mm_mailbox_make_random_origin ());
      message->size_is_proved = FALSE;
      message->is_stored = FALSE;
      message->message_id = NULL;
    }
  if (message->message_id == NULL)
    message->message_id = mm_message_table_keep (mailbox->table, message_id);
  /* By which it will be known from now on; what is in the cache was under the one before. */
  if (told->has_object && !told->is_linked
      && !(message->has_object && message->object == told->object))
    {
      mm_message_table_take_object (mailbox->table, message, told->object);
      message->is_stored = FALSE;
    }
}

static void
renew_all_locked (MmMailbox *mailbox, const Succession *succession, const GArray *identified,
                  Changes *changes)
{
  const MmRelist *relist = succession->relist;
  gsize n = mm_message_table_get_length (mailbox->table);
  g_autofree guint32 *uids = g_new (guint32, n);

  for (gsize i = 0; i < n; i++)
    {
      MmMessage *message = mm_message_table_at (mailbox->table, i);
      guint place = find_successor (succession, message->number) - 1;
      const MmIdentified *one = &g_array_index (identified, MmIdentified, place);
      const MmMessage *told = mm_message_table_at (relist->listing, place);
      uids[i] = told->uid;
      renew_locked (mailbox, message, &get_before (relist)[one->before], told, one->identity,
                    changes);
    }
  mm_message_table_renumber (mailbox->table, uids);
}

static void
add_new_locked (MmMailbox *mailbox, const MmRelist *relist, const GArray *identified,
                Changes *changes)
{
  gboolean is_trusted = mm_mailbox_state_is_trusted (&relist->state);

  /* The kernel, and a backup, may know any number used so far. */
  mailbox->base_number = mailbox->next_number;
  for (guint i = 0; i < identified->len; i++)
    {
      if (g_array_index (identified, MmIdentified, i).identity != MM_IDENTITY_NEW)
        continue;
      MmMessage message = *mm_message_table_at (relist->listing, i);
      message.listing = (guint8) mailbox->stream;
      if (!is_trusted && !message.has_object)
        message.origin = mm_mailbox_make_random_origin ();
      changes->n_new += mm_mailbox_add_message_locked (mailbox, &message) ? 1 : 0;
    }
}

static void
apply_locked (MmMailbox *mailbox, const MmRelist *relist, const GArray *identified,
              Changes *changes)
{
  g_autoptr (GArray) successors = find_successors (relist, identified);
  Succession succession = { relist, successors };

  /* What waits to be written belongs to the old UIDs. */
  mm_mailbox_write_rows_locked (mailbox);
  if (mailbox->aside != NULL)
    mm_mailbox_take_table_locked (mailbox, g_steal_pointer (&mailbox->aside));
  mm_message_table_retain (mailbox->table, has_successor, &succession, changes->gone);
  renew_all_locked (mailbox, &succession, identified, changes);
  mailbox->numbering++;
  mailbox->is_doubted = FALSE;
  add_new_locked (mailbox, relist, identified, changes);
  if (changes->gone->len > 0 || changes->n_new > 0)
    mm_mailbox_touch_locked (mailbox);
  mm_mailbox_complete_locked (mailbox, &relist->state);
  mm_mailbox_replace_rows_locked (mailbox, changes->gone);
}

static void
tell_observer (MmMailbox *mailbox, const Changes *changes)
{
  const MmMailContext *context = mailbox->context;

  if (context->observer == NULL)
    return;
  /* The kernel looks the name up again, and forgets the octets it had read. */
  for (guint i = 0; i < changes->forgotten->len; i++)
    context->observer->message_gone (mailbox->folder_id,
                                     &g_array_index (changes->forgotten, MmMessage, i),
                                     context->observer_data);
  for (guint i = 0; i < changes->changed->len; i++)
    mm_mailbox_tell_message_changed (mailbox, g_array_index (changes->changed, guint64, i));
}

/* A server that is not to be trusted has this with each listing. */
static void
report (const MmMailbox *mailbox, gboolean is_new, gboolean is_doubted, const Changes *changes)
{
  g_autofree gchar *text = g_strdup_printf (
      "of the messages of '%s' on %s, %u were recognised, %u more by size, date and subject, "
      "%u are new and %u gone",
      mailbox->path, mailbox->context->name, changes->n_proved, changes->n_likely, changes->n_new,
      changes->gone->len);

  if (is_new)
    mm_log_warning ("a new UIDVALIDITY: %s", text);
  else if (is_doubted)
    mm_log_warning ("other messages under the same UIDs: %s", text);
  else
    mm_log_info ("%s", text);
}

/* What is not proved to be the same keeps no octets. They go before anything new can be stored under
 * its number. */
static void
remove_contents (const MmRelist *relist, const GArray *identified)
{
  const MmMailbox *mailbox = relist->mailbox;

  for (guint i = 0; i < identified->len; i++)
    {
      const MmIdentified *one = &g_array_index (identified, MmIdentified, i);
      if (one->identity != MM_IDENTITY_LIKELY)
        continue;
      const MmMessage *before = &get_before (relist)[one->before];
      if (before->size_is_proved && !before->is_linked)
        mm_content_cache_remove (mailbox->context->cache,
                                 (MmContentKey){ mailbox->folder_id, before->number, 0 });
    }
}

static void
finish (MmRelist *relist)
{
  MmMailbox *mailbox = relist->mailbox;
  gsize n_told = 0;
  const MmMessage *told = get_told (relist, &n_told);
  Changes changes = {
    .gone = g_array_new (FALSE, FALSE, sizeof (MmMessage)),
    .forgotten = g_array_new (FALSE, FALSE, sizeof (MmMessage)),
    .changed = g_array_new (FALSE, FALSE, sizeof (guint64)),
  };
  g_autoptr (GArray) identified
      = mm_mailbox_reidentify (get_before (relist), relist->before->len, told, n_told,
                               mailbox->context->want_subject);

  remove_contents (relist, identified);
  g_mutex_lock (&mailbox->lock);
  gboolean is_new = relist->old_uidvalidity != relist->state.uidvalidity;
  gboolean is_doubted = mailbox->is_doubted;
  apply_locked (mailbox, relist, identified, &changes);
  mm_mailbox_drop_relist_locked (mailbox);
  g_mutex_unlock (&mailbox->lock);

  report (mailbox, is_new, is_doubted, &changes);
  tell_observer (mailbox, &changes);
  mm_mailbox_end_sync (mailbox, changes.gone, NULL);
  g_array_unref (changes.gone);
  g_array_unref (changes.forgotten);
  g_array_unref (changes.changed);
}

/* ---- Message-IDs of what was known, from the cache ---- */

/* Not verified: a damaged header has another Message-ID or none, and who reads the message has it
 * verified. NULL when it is not there. */
static gchar *
peek_message_id (const MmRelist *relist, const MmMessage *message)
{
  const MmMailbox *mailbox = relist->mailbox;
  MmContentKey key = mm_message_get_content_key (message, mailbox->folder_id,
                                                 relist->old_uidvalidity);
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (mailbox->context->cache, key);
  g_autofree gchar *header = NULL;
  gsize length = 0;

  if (file == NULL)
    return NULL;
  header = g_malloc (HEADER_OCTETS_MAX);
  length = mm_content_file_peek (file, header, HEADER_OCTETS_MAX);
  return mm_message_id_find (header, length, length == mm_content_file_get_size (file));
}

static void
give_up (MmRelist *relist, const GError *error)
{
  MmMailbox *mailbox = relist->mailbox;

  g_mutex_lock (&mailbox->lock);
  mm_mailbox_drop_relist_locked (mailbox);
  g_mutex_unlock (&mailbox->lock);
  mm_mailbox_end_sync (mailbox, NULL, error);
}

static void
give_up_at_the_end (MmRelist *relist)
{
  g_autoptr (GError) error = g_error_new_literal (MM_ERROR, MM_ERROR_CANCELLED,
                                                  "the account is being closed");
  give_up (relist, error);
}

/* Inside the gate. */
static void
read_unread_and_finish (gpointer data)
{
  MmRelist *relist = data;
  MmGate *gate = relist->mailbox->context->relists;

  for (guint i = 0; i < relist->unread->len && !mm_gate_is_closed (gate); i++)
    {
      guint place = g_array_index (relist->unread, guint, i);
      MmMessage *message = &g_array_index (relist->before, MmMessage, place);
      g_autofree gchar *id = peek_message_id (relist, message);
      message->message_id = mm_message_table_keep (relist->listing, id);
    }
  /* Without all of them there are fewer proofs than could be had. */
  if (mm_gate_is_closed (gate))
    give_up_at_the_end (relist);
  else
    finish (relist);
  mm_gate_leave (gate);
}

static void
go_on_with_cache (MmRelist *relist)
{
  const MmMailContext *context = relist->mailbox->context;

  if (mm_gate_enter (context->relists))
    mm_disk_pool_push (context->disk_readers, read_unread_and_finish, relist);
  else
    give_up_at_the_end (relist);
}

/* ---- Message-IDs of what is told, from the server ---- */

static void
on_found (guint32 uid, const gchar *message_id, gpointer user_data)
{
  MmRelist *relist = user_data;
  MmMessage *message = mm_message_table_find_uid (relist->listing, uid);

  if (message != NULL)
    message->message_id = mm_message_table_keep (relist->listing, message_id);
}

static void
on_ids_done (const GError *error, gpointer user_data)
{
  MmRelist *relist = user_data;

  if (error == NULL)
    go_on_with_cache (relist);
  else
    give_up (relist, error);
}

/* The UIDs of what is to be asked for: Array<guint32>. (transfer full) */
static GArray *
find_unknown (MmRelist *relist)
{
  gsize n_told = 0;
  const MmMessage *told = get_told (relist, &n_told);
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint));
  GArray *uids = g_array_new (FALSE, FALSE, sizeof (guint32));

  relist->unread = g_array_new (FALSE, FALSE, sizeof (guint));
  mm_mailbox_reidentify_prepare (get_before (relist), relist->before->len, told, n_told,
                                 relist->unread, places);
  for (guint i = 0; i < places->len; i++)
    g_array_append_val (uids, told[g_array_index (places, guint, i)].uid);
  return uids;
}

void
mm_mailbox_finish_relist (MmMailbox *mailbox, const MmMailboxState *state)
{
  static const MmMessageIdSink sink = { .found = on_found, .done = on_ids_done };

  g_mutex_lock (&mailbox->lock);
  MmRelist *relist = mailbox->relist;
  MmMessageTable *known = mailbox->aside != NULL ? mailbox->aside : mailbox->table;
  gsize n_known = mm_message_table_get_length (known);
  relist->state = *state;
  relist->old_uidvalidity = mailbox->state.uidvalidity;
  relist->before = g_array_new (FALSE, FALSE, sizeof (MmMessage));
  if (n_known > 0)
    g_array_append_vals (relist->before, mm_message_table_at (known, 0), (guint) n_known);
  g_autofree gchar *name = g_strdup (mailbox->name);
  g_mutex_unlock (&mailbox->lock);

  g_autoptr (GArray) uids = find_unknown (relist);
  if (uids->len > 0)
    mm_message_ids_fetch (mailbox->context->remote, name, state->uidvalidity, uids, &sink, relist);
  else
    go_on_with_cache (relist);
}
