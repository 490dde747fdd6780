// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All mailboxes and their states. With LIST-EXTENDED and LIST-STATUS it is one round trip, which
 * the connection's set-up shares, unless there are further namespaces; without, LIST and LSUB go
 * out together, and STATUS for each mailbox pipelined. Nothing is told before the last answer came,
 * so that a list is complete or none. States are hints: when a connection breaks over them the list is
 * told without.
 */
#include <string.h>

#include <mailmount/log.h>

#include "imap-connection.h"
#include "imap-response.h"

#define STATUS_IN_FLIGHT_MAX 32

typedef enum
{
  ASKED_LIST = 1, /* the plain or the extended form, of everything or of one namespace */
  ASKED_LSUB,
  ASKED_NEWS, /* of the selected mailbox */
  ASKED_STATUS, /* contexts from here on: the mailbox's place is added */
} Asked;

typedef struct
{
  gchar *wire_name;
  gchar *name; /* as in remote.h; NULL before the list is complete */
  gchar delimiter;
  gboolean is_foreign;
  MmMailboxFlags flags;
  MmMailboxState state;
  gboolean has_state;
  gboolean wants_id;
  gchar *mailbox_id; /* nullable */
} Entry;

typedef struct
{
  MmRemoteJob base;
  MmRemoteListSink sink;
  gpointer user_data;

  GPtrArray *entries;        /* of Entry, in the server's order */
  GHashTable *by_name;       /* Map<gchar *wire_name, Entry *>, borrowed from entries */
  gsize n_octets;            /* that all of it takes, about */
  GHashTable *subscribed;    /* Set<gchar *wire_name>, as LSUB told */
  gboolean is_extended;      /* LIST with RETURN */
  gboolean is_misunderstood; /* ... and answered with BAD */
  gboolean avoids_status;    /* not with the list: the last connection broke there */
  gboolean asked_status;     /* the states came, or did not, with the list */
  guint next_status;         /* entries before this one were asked for */
  guint next_id;             /* ... and before this one for their ids */
  guint n_in_flight;
  gboolean awaits_set_up; /* "*" was asked for, the namespaces are not known yet */
  gboolean is_listed;     /* all LIST and LSUB were answered */
} ListJob;

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->wire_name);
  g_free (entry->name);
  g_free (entry->mailbox_id);
  g_free (entry);
}

/* INBOX in any case is one mailbox (RFC 9051 5.1). (transfer full) */
static gchar *
canonical_name (const gchar *wire_name)
{
  return g_ascii_strcasecmp (wire_name, "INBOX") == 0 ? g_strdup ("INBOX") : g_strdup (wire_name);
}

static void
forget_answers (ListJob *job)
{
  g_hash_table_remove_all (job->by_name);
  g_hash_table_remove_all (job->subscribed);
  g_ptr_array_set_size (job->entries, 0);
  job->next_status = job->next_id = job->n_in_flight = 0;
  job->n_octets = 0;
  job->is_listed = job->asked_status = job->is_misunderstood = FALSE;
}

/* ---- asking ---- */

static MmImapStatusItems
status_items (MmImapConnection *connection)
{
  return mm_imap_connection_has (connection, MM_IMAP_CAP_CONDSTORE) ? MM_IMAP_STATUS_HIGHESTMODSEQ
                                                                    : MM_IMAP_STATUS_BASIC;
}

static gboolean
ask (ListJob *job, MmImapConnection *connection, MmImapCommand *command, guint context,
     GError **error)
{
  if (!mm_imap_connection_submit (connection, &job->base, command, context, error))
    return FALSE;
  job->n_in_flight++;
  return TRUE;
}

static MmImapListFlags
list_flags (ListJob *job, MmImapConnection *connection)
{
  MmImapListFlags flags = MM_IMAP_LIST_PLAIN;

  if (!job->is_extended)
    return flags;
  flags |= MM_IMAP_LIST_RETURN_SUBSCRIBED;
  if (mm_imap_connection_has (connection, MM_IMAP_CAP_SPECIAL_USE))
    flags |= MM_IMAP_LIST_RETURN_SPECIAL_USE;
  if (mm_imap_connection_has (connection, MM_IMAP_CAP_LIST_STATUS) && !job->avoids_status)
    flags |= MM_IMAP_LIST_RETURN_STATUS;
  return flags;
}

static gboolean
ask_list (ListJob *job, MmImapConnection *connection, const gchar *pattern, GError **error)
{
  MmImapListFlags flags = list_flags (job, connection);

  job->asked_status = (flags & MM_IMAP_LIST_RETURN_STATUS) != 0;
  return ask (job, connection, mm_imap_command_list ("", pattern, flags, status_items (connection)),
              ASKED_LIST, error)
         && (job->is_extended
             || ask (job, connection, mm_imap_command_lsub ("", pattern), ASKED_LSUB, error));
}

/* "*" need not reach into other namespaces (RFC 2342 5): ask for each of those by its prefix. */
static gboolean
ask_namespaces (ListJob *job, MmImapConnection *connection, GError **error)
{
  GPtrArray *namespaces = mm_imap_connection_get_facts (connection)->namespaces;

  for (guint i = 0; i < namespaces->len; i++)
    {
      const MmImapNamespace *space = g_ptr_array_index (namespaces, i);
      g_autofree gchar *pattern = g_strconcat (space->prefix, "*", NULL);

      if (space->prefix[0] != '\0' && g_ascii_strncasecmp (space->prefix, "INBOX", 5) != 0
          && !ask_list (job, connection, pattern, error))
        return FALSE;
    }
  return TRUE;
}

/* STATUS of the selected mailbox may tell this session's view of it (RFC 9051 6.3.11), which Dovecot
 * does: new mail is not in it. What is new there comes unasked, and is a hint to synchronise. */
static gboolean
ask_news (ListJob *job, MmImapConnection *connection, GError **error)
{
  const MmImapSelection *selection = mm_imap_connection_get_last_selection (connection);

  return selection->state == MM_IMAP_SELECTION_NONE
         || ask (job, connection, mm_imap_command_noop (), ASKED_NEWS, error);
}

/* The first does not wait for the connection's set-up. */
static gboolean
ask_lists (ListJob *job, MmImapConnection *connection, GError **error)
{
  job->awaits_set_up = !mm_imap_connection_is_set_up (connection);
  return ask_news (job, connection, error) && ask_list (job, connection, "*", error)
         && (job->awaits_set_up || ask_namespaces (job, connection, error));
}

static MmImapJobFate
start_over (ListJob *job, MmImapConnection *connection, gboolean is_extended)
{
  g_autoptr (GError) error = NULL;

  forget_answers (job);
  job->is_extended = is_extended;
  if (!ask_lists (job, connection, &error))
    return mm_imap_connection_end_job (connection, &job->base, error);
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
list_job_start (MmRemoteJob *base, MmImapConnection *connection)
{
  return start_over ((ListJob *) base, connection,
                     mm_imap_connection_has (connection, MM_IMAP_CAP_LIST_EXTENDED));
}

/* ---- answers ---- */

static MmMailboxFlags
flags_from (MmImapMailboxAttributes attributes)
{
  static const struct
  {
    MmImapMailboxAttributes attribute;
    MmMailboxFlags flag;
  } pairs[] = {
    { MM_IMAP_MAILBOX_NOSELECT, MM_MAILBOX_NOSELECT },
    { MM_IMAP_MAILBOX_NONEXISTENT, MM_MAILBOX_NOSELECT },
    { MM_IMAP_MAILBOX_SUBSCRIBED, MM_MAILBOX_SUBSCRIBED },
    { MM_IMAP_MAILBOX_ALL, MM_MAILBOX_ALL },
    { MM_IMAP_MAILBOX_ARCHIVE, MM_MAILBOX_ARCHIVE },
    { MM_IMAP_MAILBOX_DRAFTS, MM_MAILBOX_DRAFTS },
    { MM_IMAP_MAILBOX_FLAGGED, MM_MAILBOX_FLAGGED },
    { MM_IMAP_MAILBOX_JUNK, MM_MAILBOX_JUNK },
    { MM_IMAP_MAILBOX_SENT, MM_MAILBOX_SENT },
    { MM_IMAP_MAILBOX_TRASH, MM_MAILBOX_TRASH },
  };
  MmMailboxFlags flags = 0;

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if ((attributes & pairs[i].attribute) != 0)
      flags |= pairs[i].flag;
  return flags;
}

static Entry *
ensure_entry (ListJob *job, const gchar *wire_name)
{
  g_autofree gchar *name = canonical_name (wire_name);
  Entry *entry = g_hash_table_lookup (job->by_name, name);

  if (entry == NULL)
    {
      entry = g_new0 (Entry, 1);
      entry->wire_name = g_steal_pointer (&name);
      g_ptr_array_add (job->entries, entry);
      g_hash_table_insert (job->by_name, entry->wire_name, entry);
    }
  return entry;
}

/* Each folder and each one above it has a path of its own: what a name costs grows with its levels.
 * The directory of 2,000 levels takes 8 MB. */
static void
count_octets (ListJob *job, const MmImapMailbox *mailbox)
{
  gsize length = strlen (mailbox->name), n_levels = 1;

  for (const gchar *p = mailbox->name; mailbox->delimiter != 0 && *p != '\0'; p++)
    n_levels += *p == mailbox->delimiter ? 1 : 0;
  job->n_octets += n_levels * (length + sizeof (Entry));
}

static void
take_list (ListJob *job, const MmImapMailbox *mailbox)
{
  if (mailbox->name == NULL || mailbox->name[0] == '\0')
    return;
  count_octets (job, mailbox);
  if (mailbox->is_lsub)
    {
      if ((mailbox->attributes & MM_IMAP_MAILBOX_NOSELECT) == 0)
        g_hash_table_add (job->subscribed, canonical_name (mailbox->name));
      return;
    }
  Entry *entry = ensure_entry (job, mailbox->name);
  entry->delimiter = mailbox->delimiter;
  entry->flags |= flags_from (mailbox->attributes);
}

static void
take_status (ListJob *job, const MmImapMailbox *mailbox)
{
  g_autofree gchar *name = mailbox->name != NULL ? canonical_name (mailbox->name) : g_strdup ("");
  Entry *entry = g_hash_table_lookup (job->by_name, name);

  if (entry == NULL)
    return;
  if (mailbox->mailbox_id != NULL)
    {
      g_free (entry->mailbox_id);
      entry->mailbox_id = g_strdup (mailbox->mailbox_id);
      job->n_octets += strlen (mailbox->mailbox_id);
      return;
    }
  entry->has_state = TRUE;
  entry->state.messages = mailbox->messages;
  entry->state.has_messages = mailbox->has_messages;
  entry->state.uidnext = mailbox->has_uidnext ? mailbox->uidnext : 0;
  entry->state.uidvalidity = mailbox->has_uidvalidity ? mailbox->uidvalidity : 0;
  entry->state.highestmodseq = mailbox->has_highestmodseq ? mailbox->highestmodseq : 0;
}

/* (transfer full) (nullable) */
static GError *
check_limits (const ListJob *job, const MmLimits *limits)
{
  guint n = MAX (job->entries->len, g_hash_table_size (job->subscribed));

  if (n > limits->mailboxes)
    return g_error_new (MM_ERROR, MM_ERROR_LIMIT,
                        "the server lists mailboxes beyond the limit of %u", limits->mailboxes);
  if (job->n_octets > limits->list_octets)
    return g_error_new (MM_ERROR, MM_ERROR_LIMIT,
                        "the server lists mailboxes beyond the memory of a list, %" G_GSIZE_FORMAT
                        " octets",
                        limits->list_octets);
  return NULL;
}

static MmImapJobFate
list_job_event (MmRemoteJob *base, MmImapConnection *connection, const MmImapEvent *event,
                gboolean *out_is_mine)
{
  ListJob *job = (ListJob *) base;

  if (event->type == MM_IMAP_EVENT_LIST)
    take_list (job, &event->mailbox);
  else if (event->type == MM_IMAP_EVENT_MAILBOX_STATUS)
    take_status (job, &event->mailbox);
  else
    return MM_IMAP_JOB_CONTINUES;
  *out_is_mine = TRUE;
  GError *error = check_limits (job, mm_imap_connection_get_limits (connection));
  return error != NULL ? mm_imap_connection_fail_job (connection, base, error)
                       : MM_IMAP_JOB_CONTINUES;
}

/* In which namespace a name is: the one with the longest prefix it begins with. */
static gboolean
is_foreign (MmImapConnection *connection, const gchar *wire_name)
{
  GPtrArray *namespaces = mm_imap_connection_get_facts (connection)->namespaces;
  const MmImapNamespace *best = NULL;

  if (g_str_equal (wire_name, "INBOX"))
    return FALSE;
  for (guint i = 0; i < namespaces->len; i++)
    {
      const MmImapNamespace *space = g_ptr_array_index (namespaces, i);

      if (g_str_has_prefix (wire_name, space->prefix)
          && (best == NULL || strlen (space->prefix) > strlen (best->prefix)))
        best = space;
    }
  return best != NULL && best->kind != MM_IMAP_NAMESPACE_PERSONAL;
}

/* What of an entry only this connection knows, now that the list is complete. */
static void
complete_entries (ListJob *job, MmImapConnection *connection)
{
  for (guint i = 0; i < job->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (job->entries, i);

      entry->name
          = mm_imap_name_from_wire (mm_imap_connection_get_session (connection), entry->wire_name);
      entry->is_foreign = is_foreign (connection, entry->wire_name);
      entry->state.may_recur
          = mm_imap_remote_has_quirk (mm_imap_connection_get_remote (connection),
                                      MM_IMAP_QUIRK_UIDVALIDITY_RECURS);
      if (g_hash_table_contains (job->subscribed, entry->wire_name))
        entry->flags |= MM_MAILBOX_SUBSCRIBED;
    }
}

static void
tell_mailboxes (const ListJob *job)
{
  for (guint i = 0; i < job->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (job->entries, i);
      MmRemoteMailbox mailbox = {
        .name = entry->name,
        .delimiter = entry->delimiter,
        .flags = entry->flags,
        .is_foreign = entry->is_foreign,
        .state = entry->state,
        .mailbox_id = entry->mailbox_id,
      };

      job->sink.mailbox (&mailbox, job->user_data);
    }
}

static MmImapJobFate
tell_all (ListJob *job, MmImapConnection *connection)
{
  const MmImapSelection *selection = mm_imap_connection_get_selection (connection);

  for (guint i = 0; i < job->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (job->entries, i);

      if (selection->state != MM_IMAP_SELECTION_NONE
          && g_str_equal (selection->mailbox, entry->name))
        entry->state = (MmMailboxState){ 0 };
      else if (entry->state.has_messages)
        mm_imap_remote_set_hint (mm_imap_connection_get_remote (connection), entry->name,
                                 entry->state.messages);
    }
  tell_mailboxes (job);
  return mm_imap_connection_end_job (connection, &job->base, NULL);
}

static gboolean
is_all_answered (const ListJob *job)
{
  if (job->n_in_flight > 0)
    return FALSE;
  for (guint i = job->next_status; !job->asked_status && i < job->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (job->entries, i);
      if (!entry->has_state && (entry->flags & MM_MAILBOX_NOSELECT) == 0)
        return FALSE;
    }
  for (guint i = job->next_id; i < job->entries->len; i++)
    if (((const Entry *) g_ptr_array_index (job->entries, i))->wants_id)
      return FALSE;
  return TRUE;
}

/* When all are listed: whether their ids are to be asked for. */
static void
decide_ids (ListJob *job, MmImapConnection *connection)
{
  gboolean are_wanted = FALSE;

  if (job->sink.wants_id == NULL || !mm_imap_connection_has (connection, MM_IMAP_CAP_OBJECTID))
    return;
  for (guint i = 0; i < job->entries->len && !are_wanted; i++)
    {
      const Entry *entry = g_ptr_array_index (job->entries, i);
      are_wanted = (entry->flags & MM_MAILBOX_NOSELECT) == 0
                   && job->sink.wants_id (entry->name, entry->delimiter, job->user_data);
    }
  for (guint i = 0; i < job->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (job->entries, i);
      entry->wants_id = are_wanted && (entry->flags & MM_MAILBOX_NOSELECT) == 0;
    }
}

static void
send_ids (ListJob *job, MmImapConnection *connection, gboolean *out_sent)
{
  while (job->is_listed && job->next_status == job->entries->len
         && job->next_id < job->entries->len && job->n_in_flight < STATUS_IN_FLIGHT_MAX)
    {
      guint place = job->next_id++;
      const Entry *entry = g_ptr_array_index (job->entries, place);
      g_autoptr (GError) error = NULL;

      if (!entry->wants_id)
        continue;
      if (ask (job, connection, mm_imap_command_status (entry->wire_name, MM_IMAP_STATUS_MAILBOXID),
               ASKED_STATUS + place, &error))
        *out_sent = TRUE;
      else
        mm_log_debug ("no STATUS of '%s': %s", entry->wire_name, error->message);
    }
}

static MmImapJobFate
list_job_send_next (MmRemoteJob *base, MmImapConnection *connection, gboolean *out_sent)
{
  ListJob *job = (ListJob *) base;
  g_autoptr (GError) error = NULL;

  while (job->is_listed && job->next_status < job->entries->len
         && job->n_in_flight < STATUS_IN_FLIGHT_MAX)
    {
      guint place = job->next_status++;
      const Entry *entry = g_ptr_array_index (job->entries, place);

      if (entry->has_state || (entry->flags & MM_MAILBOX_NOSELECT) != 0)
        continue;
      if (!ask (job, connection,
                mm_imap_command_status (entry->wire_name, status_items (connection)),
                ASKED_STATUS + place, &error))
        {
          /* A name that cannot be sent back: listed, without a state. */
          mm_log_debug ("no STATUS of '%s': %s", entry->wire_name, error->message);
          g_clear_error (&error);
          continue;
        }
      *out_sent = TRUE;
    }
  send_ids (job, connection, out_sent);
  /* When no name could be sent, no answer will come to end the job. */
  if (job->is_listed && !*out_sent && is_all_answered (job))
    return tell_all (job, connection);
  return MM_IMAP_JOB_CONTINUES;
}

/* When the last LIST or LSUB was answered. */
static MmImapJobFate
go_on (ListJob *job, MmImapConnection *connection)
{
  if (!job->is_listed && job->n_in_flight == 0 && !job->awaits_set_up)
    {
      job->is_listed = TRUE;
      complete_entries (job, connection);
      decide_ids (job, connection);
      if (job->asked_status)
        job->next_status = job->entries->len;
    }
  return job->is_listed && is_all_answered (job) ? tell_all (job, connection)
                                                 : MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
list_job_set_up (MmRemoteJob *base, MmImapConnection *connection)
{
  ListJob *job = (ListJob *) base;
  g_autoptr (GError) error = NULL;

  if (!job->awaits_set_up)
    return MM_IMAP_JOB_CONTINUES;
  job->awaits_set_up = FALSE;
  /* Everything will be asked for again. */
  if (job->is_misunderstood)
    return MM_IMAP_JOB_CONTINUES;
  if (!ask_namespaces (job, connection, &error))
    return mm_imap_connection_end_job (connection, base, error);
  return go_on (job, connection);
}

static MmImapJobFate
list_job_answered (MmRemoteJob *base, MmImapConnection *connection, guint context,
                   const MmImapEvent *answer)
{
  ListJob *job = (ListJob *) base;

  job->n_in_flight--;
  /* Some offer the extended form and do not understand it. */
  if (context == ASKED_LIST && answer->status == MM_IMAP_STATUS_BAD && job->is_extended)
    job->is_misunderstood = TRUE;
  if (job->is_misunderstood)
    return job->n_in_flight == 0 ? start_over (job, connection, FALSE) : MM_IMAP_JOB_CONTINUES;
  /* LSUB and STATUS may be refused: then nothing is known to be subscribed, or no state. */
  if (context == ASKED_LIST && answer->status != MM_IMAP_STATUS_OK)
    {
      g_autoptr (GError) error
          = mm_imap_response_error (answer, "listing the folders", MM_ERROR_UNAVAILABLE);
      return mm_imap_connection_end_job (connection, base, error);
    }
  return go_on (job, connection);
}

static MmRemoteRepeat
list_job_lost (MmRemoteJob *base, gboolean is_to_blame, const GError *error)
{
  ListJob *job = (ListJob *) base;

  if (job->is_listed && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED))
    return MM_REMOTE_REPEAT_NOT;
  forget_answers (job);
  /* It may have broken over the states in the list. */
  job->avoids_status |= is_to_blame && job->asked_status;
  return MM_REMOTE_REPEAT;
}

/* A list that is complete is told, whatever happened to it behind that. */
static void
list_job_finish (MmRemoteJob *base, const GError *error)
{
  ListJob *job = (ListJob *) base;
  gboolean lacks_states = error != NULL && job->is_listed
                          && !g_error_matches (error, MM_ERROR, MM_ERROR_CANCELLED);

  if (lacks_states)
    {
      mm_log_info ("the folders are listed without their states: %s", error->message);
      tell_mailboxes (job);
    }
  job->sink.done (lacks_states ? NULL : error, job->user_data);
}

static void
list_job_free (MmRemoteJob *base)
{
  ListJob *job = (ListJob *) base;

  g_hash_table_unref (job->by_name);
  g_hash_table_unref (job->subscribed);
  g_ptr_array_unref (job->entries);
  g_free (job);
}

static const MmImapJobClass list_job_class = {
  .base = { .finish = list_job_finish, .free = list_job_free },
  .start = list_job_start,
  .set_up = list_job_set_up,
  .send_next = list_job_send_next,
  .event = list_job_event,
  .answered = list_job_answered,
  .lost = list_job_lost,
};

MmRemoteJob *
mm_imap_list_job_new (const MmRemoteListSink *sink, gpointer user_data)
{
  ListJob *job = g_new0 (ListJob, 1);

  mm_remote_job_init (&job->base, &list_job_class.base, NULL, MM_REMOTE_PRIORITY_DEMAND, TRUE);
  job->sink = *sink;
  job->user_data = user_data;
  job->entries = g_ptr_array_new_with_free_func (entry_free);
  job->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  job->subscribed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return &job->base;
}
