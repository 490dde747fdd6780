// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bringing a mailbox up to date (RFC 4549), by the cheapest way the numbers allow:
 *
 *   nothing known, or UIDVALIDITY new,
 *   or the numbers contradict it        everything: UID FETCH 1:*
 *   all numbers as known                nothing
 *   UIDNEXT grew                        UID FETCH uidnext:*
 *   with QRESYNC (RFC 7162)             what vanished and which flags changed comes with EXAMINE
 *   with CONDSTORE                      FLAGS with CHANGEDSINCE; where the counts say that some are
 *                                       gone, UID SEARCH below the known uidnext
 *   with neither                        all FLAGS below the known uidnext, which says who is there
 *
 * Where what QRESYNC told does not add up to the number of messages there are, all are listed again.
 *
 * What `done` gives as state describes what was told, not what the server has by now: a change
 * that happened meanwhile is found by the next synchronisation.
 */
#include <string.h>

#include "imap-connection.h"
#include "imap-keywords.h"
#include "imap-response.h"
#include "imap-sync-changes.h"

/* A Subject field of more than this is told cut. */
#define SUBJECT_OCTETS_MAX 65536
/* About what a message's line in a first listing takes. */
#define LISTING_OCTETS_PER_MESSAGE 250

typedef enum
{
  ASKED_ALL = 1 << 0,
  ASKED_NEW = 1 << 1,
  ASKED_PRESENT = 1 << 2,
  ASKED_FLAGS = 1 << 3,
} Asked;

typedef struct
{
  MmRemoteJob base;
  MmMailboxState known;
  gboolean want_subject;
  MmRemoteSyncSink sink;
  gpointer user_data;

  gboolean has_delivered;
  gboolean has_begun; /* EXAMINE was sent */
  gboolean is_open; /* ... and answered */
  gboolean is_full; /* everything is listed */
  MmImapSyncChanges *changes; /* nullable: EXAMINE asked for what changed */
  gboolean is_resynced;       /* ... and that was told */
  gboolean is_relisting;      /* ... and did not add up: everything is listed once more */
  Asked in_flight;
  MmMailboxState opened; /* as EXAMINE told */
  gboolean decided_present; /* nothing more needs to be asked about who is there */
  MmUidSet *seen;       /* nullable: UIDs of the answer to all FLAGS */
  gboolean has_present; /* who is there was told */
  guint64 n_present;    /* UIDs below the known uidnext */

  MmUidSet *told;      /* UIDs of messages told as new */
  guint64 n_told;      /* of them */
  guint64 max_uid;     /* of them */
  GByteArray *subject; /* of the message at hand */
  GString *keywords;   /* of the message at hand, with its labels */
  gboolean is_subject; /* the body at hand is the Subject field */
} SyncJob;

static guint64
first_new_uid (const SyncJob *job)
{
  return MAX (1, job->known.uidnext);
}

/* Where what is told begins: with what is new, or before it, with a sample of what is known. */
static guint32
first_told_uid (const SyncJob *job)
{
  gboolean has_sample
      = job->known.uidvalidity <= MM_UIDVALIDITY_DOUBTFUL_MAX || job->opened.may_recur;

  return (guint32) MIN (first_new_uid (job) - (has_sample ? 1 : 0), G_MAXUINT32);
}

static gboolean
knows_something (const SyncJob *job)
{
  return job->known.uidvalidity != 0 && job->known.uidnext > 1;
}

/* ---- asking ---- */

static MmImapJobFate
ask (SyncJob *job, MmImapConnection *connection, MmImapCommand *command, Asked what)
{
  g_autoptr (GError) error = NULL;

  if (!mm_imap_connection_submit (connection, &job->base, command, what, &error))
    return mm_imap_connection_end_job (connection, &job->base, error);
  job->in_flight |= what;
  return MM_IMAP_JOB_CONTINUES;
}

/* What changes of a message: with the flags go the labels. */
static MmImapFetchItems
changing_items (MmImapConnection *connection)
{
  gboolean has_labels = mm_imap_connection_has (connection, MM_IMAP_CAP_GMAIL);

  return MM_IMAP_FETCH_FLAGS | (has_labels ? MM_IMAP_FETCH_GMAIL_LABELS : 0);
}

/* By what a message is known in every mailbox; nothing where the server has no such thing. */
static MmImapFetchItems
object_items (MmImapConnection *connection)
{
  if (mm_imap_connection_has (connection, MM_IMAP_CAP_OBJECTID))
    return MM_IMAP_FETCH_EMAILID;
  return mm_imap_connection_has (connection, MM_IMAP_CAP_GMAIL) ? MM_IMAP_FETCH_GMAIL_ID : 0;
}

static MmImapJobFate
ask_messages (SyncJob *job, MmImapConnection *connection, guint32 first, Asked what)
{
  MmImapFetchRequest request = {
    .items = changing_items (connection) | object_items (connection)
             | MM_IMAP_FETCH_INTERNALDATE | MM_IMAP_FETCH_RFC822_SIZE,
    .header_fields = job->want_subject ? "SUBJECT" : NULL,
  };

  return ask (job, connection, mm_imap_command_uid_fetch_from (first, &request), what);
}

/* The UIDs that were known: 1 to uidnext - 1. (transfer full) */
static MmUidSet *
known_uids (const SyncJob *job)
{
  MmUidSet *uids = mm_uid_set_new ();

  mm_uid_set_add_range (uids, 1, (guint32) MIN (job->known.uidnext - 1, G_MAXUINT32));
  return uids;
}

static gboolean
has_modseq (const SyncJob *job)
{
  return job->known.highestmodseq > 0 && job->opened.highestmodseq > 0;
}

static MmImapJobFate
ask_flags (SyncJob *job, MmImapConnection *connection)
{
  g_autoptr (MmUidSet) uids = known_uids (job);
  MmImapFetchRequest request = {
    .items = changing_items (connection),
    .changed_since = has_modseq (job) ? job->known.highestmodseq : 0,
  };

  if (!has_modseq (job))
    job->seen = mm_uid_set_new ();
  return ask (job, connection, mm_imap_command_uid_fetch (uids, &request), ASKED_FLAGS);
}

static MmImapJobFate
ask_present (SyncJob *job, MmImapConnection *connection)
{
  g_autoptr (MmUidSet) uids = known_uids (job);
  gboolean is_extended = mm_imap_connection_has (connection, MM_IMAP_CAP_ESEARCH);

  return ask (job, connection, mm_imap_command_uid_search (uids, is_extended), ASKED_PRESENT);
}

/* ---- the end ---- */

static MmImapJobFate
finish_well (SyncJob *job, MmImapConnection *connection)
{
  guint64 n_told = mm_uid_set_count (job->told);

  /* The count of what the caller knows now, and a uidnext that covers it. */
  if (job->is_full)
    job->opened.messages = n_told;
  else
    job->opened.messages = (job->has_present ? job->n_present : job->known.messages) + n_told;
  job->opened.has_messages = TRUE;
  job->opened.uidnext = MAX (job->opened.uidnext, job->max_uid + 1);
  if (!job->is_full)
    job->opened.uidnext = MAX (job->opened.uidnext, job->known.uidnext);
  return mm_imap_connection_end_job (connection, &job->base, NULL);
}

static MmImapJobFate
fail_incomplete (SyncJob *job, MmImapConnection *connection, guint64 n)
{
  return mm_imap_connection_fail_job (
      connection, &job->base,
      g_error_new (MM_ERROR, MM_ERROR_PROTOCOL,
                   "the folder '%s' was listed incompletely: %" G_GUINT64_FORMAT
                   " messages of %" G_GUINT64_FORMAT,
                   job->base.mailbox, n, job->opened.messages));
}

/* While mail comes or goes the number of answers may be any between. */
static gboolean
is_count_expected (const SyncJob *job, MmImapConnection *connection, guint64 n)
{
  const MmImapSelection *selection = mm_imap_connection_get_selection (connection);
  guint64 n_gone = MIN (selection->n_expunged, job->opened.messages);

  return n >= job->opened.messages - n_gone
         && n <= MAX (job->opened.messages, selection->exists + n_gone);
}

static void
tell_present (SyncJob *job, const MmUidSet *uids)
{
  g_autoptr (GArray) below = mm_imap_uids_below (uids, job->known.uidnext);
  const MmRemoteUidRange *ranges = (const MmRemoteUidRange *) (void *) below->data;

  if (job->has_present)
    return;
  job->has_present = TRUE;
  for (guint i = 0; i < below->len; i++)
    job->n_present += (guint64) ranges[i].last - ranges[i].first + 1;
  job->sink.present (ranges, below->len, job->user_data);
}

/* Whether nothing but what was told to have vanished is gone. */
static gboolean
do_counts_prove (const SyncJob *job, MmImapConnection *connection, guint64 n_told)
{
  guint64 n = job->known.messages + n_told;

  if (job->is_resynced)
    return is_count_expected (job, connection, n);
  /* A new message that is gone already must not stand for an old one. */
  return job->known.has_messages && n == job->opened.messages
         && mm_imap_connection_get_selection (connection)->n_expunged == 0;
}

static MmImapJobFate
relist (SyncJob *job, MmImapConnection *connection)
{
  job->is_full = job->is_relisting = TRUE;
  mm_uid_set_free (job->told);
  job->told = mm_uid_set_new ();
  job->n_told = 0;
  return ask_messages (job, connection, 1, ASKED_ALL);
}

/* Everything was told but who of the messages known is there. */
static MmImapJobFate
decide_present (SyncJob *job, MmImapConnection *connection, guint64 n_told)
{
  job->decided_present = TRUE;
  if (job->seen != NULL
      && is_count_expected (job, connection, mm_uid_set_count (job->seen) + n_told))
    {
      tell_present (job, job->seen);
      return finish_well (job, connection);
    }
  if (job->seen == NULL && do_counts_prove (job, connection, n_told))
    return finish_well (job, connection);
  return job->is_resynced ? relist (job, connection) : ask_present (job, connection);
}

/* Nothing is in flight any more. */
static MmImapJobFate
decide_end (SyncJob *job, MmImapConnection *connection)
{
  guint64 n_told = mm_uid_set_count (job->told);

  if (job->is_full)
    {
      if (!is_count_expected (job, connection, n_told))
        return fail_incomplete (job, connection, n_told);
      if (job->is_relisting)
        tell_present (job, job->told);
      return finish_well (job, connection);
    }
  if (!job->decided_present)
    return decide_present (job, connection, n_told);
  if (job->has_present && !is_count_expected (job, connection, job->n_present + n_told))
    return fail_incomplete (job, connection, job->n_present + n_told);
  return finish_well (job, connection);
}

/* ---- the beginning ---- */

static void
tell_opened (SyncJob *job, gboolean is_restart)
{
  job->has_delivered = TRUE;
  job->sink.opened (&job->opened, is_restart, job->user_data);
}

static MmImapJobFate
begin_full (SyncJob *job, MmImapConnection *connection)
{
  job->is_full = TRUE;
  if (job->in_flight != 0)
    return MM_IMAP_JOB_CONTINUES; /* it went out behind EXAMINE */
  if (job->opened.messages == 0)
    return finish_well (job, connection);
  return ask_messages (job, connection, 1, ASKED_ALL);
}

static MmImapJobFate
begin_update (SyncJob *job, MmImapConnection *connection)
{
  const MmMailboxState *known = &job->known, *now = &job->opened;
  gboolean has_new = now->uidnext == 0 || now->uidnext > known->uidnext;
  /* No new message, and as many as before: the same ones. */
  gboolean is_same = !has_new && known->has_messages && known->messages == now->messages;
  gboolean has_flags = known->messages > 0 || !known->has_messages;

  if (now->highestmodseq > 0 && now->highestmodseq == known->highestmodseq)
    has_flags = FALSE;
  if (now->highestmodseq > 0 && known->highestmodseq > now->highestmodseq)
    job->known.highestmodseq = 0; /* it went backwards: compare all flags */

  /* That all are gone is not believed for one number alone. */
  if (now->messages == 0 && !is_same)
    {
      job->decided_present = TRUE;
      return ask_present (job, connection);
    }
  if (now->messages == 0)
    return finish_well (job, connection);
  if (is_same)
    job->decided_present = TRUE;
  /* So few that some are gone, whatever came: no need to wait for what is new. Where all flags are
   * asked for, these say who is there. */
  gboolean is_surely_less
      = !is_same && (!has_flags || has_modseq (job))
        && (!known->has_messages || now->messages < known->messages || !has_new);
  if ((has_new || first_told_uid (job) < first_new_uid (job))
      && ask_messages (job, connection, first_told_uid (job), ASKED_NEW) == MM_IMAP_JOB_ENDED)
    return MM_IMAP_JOB_ENDED;
  if (is_surely_less)
    {
      job->decided_present = TRUE;
      if (ask_present (job, connection) == MM_IMAP_JOB_ENDED)
        return MM_IMAP_JOB_ENDED;
    }
  if (has_flags && ask_flags (job, connection) == MM_IMAP_JOB_ENDED)
    return MM_IMAP_JOB_ENDED;
  return job->in_flight == 0 ? decide_end (job, connection) : MM_IMAP_JOB_CONTINUES;
}

/* UIDNEXT never goes back, and while it stays there cannot be more messages than before: otherwise the
 * UIDs are other messages' by now, whatever UIDVALIDITY says. Servers that keep their mailboxes in
 * memory are like that after a restart. */
static gboolean
is_numbered_anew (const SyncJob *job)
{
  const MmMailboxState *known = &job->known, *now = &job->opened;

  if (!knows_something (job) || now->uidnext == 0)
    return FALSE;
  return now->uidnext < known->uidnext
         || (now->uidnext == known->uidnext && known->has_messages
             && now->messages > known->messages);
}

/* What changed was told with EXAMINE, but for new messages. */
static MmImapJobFate
begin_resynced (SyncJob *job, MmImapConnection *connection)
{
  const MmMailboxState *now = &job->opened;
  gboolean has_new = now->uidnext == 0 || now->uidnext > job->known.uidnext;

  job->is_resynced = TRUE;
  job->known.messages = mm_imap_sync_changes_tell (job->changes, job->known.uidnext, &job->sink,
                                                   job->user_data);
  job->known.has_messages = TRUE;
  if (now->messages > 0 && (has_new || first_told_uid (job) < first_new_uid (job)))
    return ask_messages (job, connection, first_told_uid (job), ASKED_NEW);
  return decide_end (job, connection);
}

static MmImapJobFate
sync_job_selected (MmRemoteJob *base, MmImapConnection *connection, const GError *error)
{
  SyncJob *job = (SyncJob *) base;

  if (error != NULL)
    return mm_imap_connection_end_job (connection, base, error);
  job->is_open = TRUE;
  job->opened = mm_imap_connection_get_selection (connection)->box;
  job->opened.may_recur = mm_imap_remote_has_quirk (mm_imap_connection_get_remote (connection),
                                                    MM_IMAP_QUIRK_UIDVALIDITY_RECURS);
  /* Not told is not none: nothing may be taken for gone. */
  if (!job->opened.has_messages)
    return mm_imap_connection_fail_job (
        connection, base,
        g_error_new (MM_ERROR, MM_ERROR_PROTOCOL,
                     "the server did not say how many messages '%s' has", base->mailbox));

  gboolean are_others = job->opened.uid_not_sticky
                        || job->opened.uidvalidity != job->known.uidvalidity
                        || is_numbered_anew (job);
  gboolean is_as_known = knows_something (job) && !are_others;
  gboolean is_restart = job->known.uidvalidity != 0 && are_others;
  tell_opened (job, is_restart);
  if (!is_as_known)
    return begin_full (job, connection);
  gboolean has_changes = job->changes != NULL
                         && mm_imap_connection_get_selection (connection)->has_begun_early
                         && job->opened.highestmodseq >= job->known.highestmodseq;
  return has_changes ? begin_resynced (job, connection) : begin_update (job, connection);
}

static gboolean
sync_job_has_next (MmRemoteJob *base, MmImapConnection *connection)
{
  const SyncJob *job = (const SyncJob *) base;

  /* What was enabled decides how to ask, where there is a choice. */
  return !job->has_begun
         && (!knows_something (job) || !mm_imap_connection_has (connection, MM_IMAP_CAP_QRESYNC)
             || mm_imap_connection_is_set_up (connection));
}

static MmImapCommand *
sync_job_examine (MmRemoteJob *base, MmImapConnection *connection, const gchar *wire_name)
{
  SyncJob *job = (SyncJob *) base;

  if (!knows_something (job) || job->known.highestmodseq == 0
      || !mm_imap_session_is_qresync (mm_imap_connection_get_session (connection)))
    return NULL;
  g_autoptr (MmUidSet) uids = known_uids (job);
  job->changes = mm_imap_sync_changes_new ();
  return mm_imap_command_examine_since (wire_name, job->known.uidvalidity,
                                        job->known.highestmodseq, uids);
}

/* Not when nothing can be asked any more but what was. */
static gboolean
sync_job_holds (const MmRemoteJob *base)
{
  const SyncJob *job = (const SyncJob *) base;

  return (job->in_flight & ASKED_ALL) == 0 && !(job->is_open && job->decided_present);
}

static MmImapJobFate
sync_job_turn (MmRemoteJob *base, MmImapConnection *connection)
{
  SyncJob *job = (SyncJob *) base;
  guint64 messages = 0;

  job->has_begun = TRUE;
  /* A first listing of a mailbox that is not empty costs no round trip for EXAMINE. */
  if (!knows_something (job)
      && mm_imap_remote_get_hint (mm_imap_connection_get_remote (connection), base->mailbox,
                                  &messages)
      && messages > 0)
    return ask_messages (job, connection, 1, ASKED_ALL);
  return MM_IMAP_JOB_CONTINUES;
}

/* ---- answers ---- */

static void
tell_message (SyncJob *job, const MmImapFetch *fetch)
{
  MmRemoteMessage message = {
    .uid = fetch->uid,
    .size = fetch->size,
    .has_size = fetch->has_size,
    .internaldate = fetch->has_internaldate ? fetch->internaldate : 0,
    .flags = fetch->has_flags ? mm_imap_flags_to_remote (fetch->flags) : 0,
    .keywords = mm_imap_keywords_tell (fetch, job->keywords),
    .object_id = fetch->object_id,
    .is_object_shared = TRUE,
    .subject_header = (const gchar *) job->subject->data,
    .subject_length = job->subject->len,
  };

  job->sink.message (&message, job->user_data);
}

static void
take_fetch (SyncJob *job, const MmImapFetch *fetch)
{
  /* FLAGS alone are no message: servers tell them unasked. */
  gboolean is_message = fetch->has_size || fetch->has_internaldate;
  gboolean is_listing = (job->in_flight & (ASKED_ALL | ASKED_NEW)) != 0;

  if (fetch->uid == 0)
    return;
  /* "n:*" names the last message even when its UID is below n (RFC 9051 6.4.9): a sample of what is
   * known. */
  if (!job->is_full && fetch->uid < first_new_uid (job))
    {
      if (job->seen != NULL)
        mm_uid_set_add (job->seen, fetch->uid);
      if ((job->in_flight & ASKED_FLAGS) != 0 && fetch->has_flags)
        job->sink.flags (fetch->uid, mm_imap_flags_to_remote (fetch->flags),
                         mm_imap_keywords_tell (fetch, job->keywords), job->user_data);
      if ((job->in_flight & ASKED_NEW) != 0 && is_message)
        tell_message (job, fetch);
      return;
    }
  if (is_message && is_listing && !mm_uid_set_contains (job->told, fetch->uid))
    {
      mm_uid_set_add (job->told, fetch->uid);
      job->n_told++;
      job->max_uid = MAX (job->max_uid, fetch->uid);
      tell_message (job, fetch);
    }
}

/* More than there can be, by the server's own count: it may never end. (transfer full) (nullable) */
static GError *
check_told (const SyncJob *job, MmImapConnection *connection)
{
  const MmLimits *limits = mm_imap_connection_get_limits (connection);
  const MmImapSelection *selection = mm_imap_connection_get_selection (connection);

  if (job->n_told > limits->messages)
    return g_error_new (MM_ERROR, MM_ERROR_LIMIT,
                        "the folder '%s' has messages beyond the limit of %" G_GUINT64_FORMAT,
                        job->base.mailbox, limits->messages);
  if (job->n_told > MAX (job->opened.messages, selection->exists) + selection->n_expunged + 1)
    return g_error_new (MM_ERROR, MM_ERROR_PROTOCOL,
                        "the server lists more messages of '%s' than the %" G_GUINT64_FORMAT
                        " that it says there are",
                        job->base.mailbox, MAX (job->opened.messages, selection->exists));
  return NULL;
}

/* Messages are there that EXISTS denies: neither is believed. */
static gboolean
contradicts_emptiness (const SyncJob *job, MmImapConnection *connection, const MmUidSet *uids)
{
  return mm_uid_set_count (uids) > 0 && job->opened.messages == 0
         && mm_imap_connection_get_selection (connection)->exists == 0;
}

static MmImapJobFate
sync_job_event (MmRemoteJob *base, MmImapConnection *connection, const MmImapEvent *event,
                gboolean *out_is_mine)
{
  SyncJob *job = (SyncJob *) base;
  GError *error = NULL;

  *out_is_mine = TRUE;
  if (!job->is_open)
    {
      mm_imap_sync_changes_note (job->changes, event);
      return MM_IMAP_JOB_CONTINUES;
    }
  switch (event->type)
    {
    case MM_IMAP_EVENT_FETCH_BEGIN:
      g_byte_array_set_size (job->subject, 0);
      job->is_subject = FALSE;
      break;
    case MM_IMAP_EVENT_BODY_BEGIN:
      job->is_subject = event->body.section == MM_IMAP_SECTION_HEADER_FIELDS;
      break;
    case MM_IMAP_EVENT_BODY_DATA:
      if (job->is_subject && job->subject->len < SUBJECT_OCTETS_MAX)
        g_byte_array_append (job->subject, event->data,
                             (guint) MIN (event->length, SUBJECT_OCTETS_MAX - job->subject->len));
      break;
    case MM_IMAP_EVENT_FETCH_END:
      take_fetch (job, event->fetch);
      if ((error = check_told (job, connection)) != NULL)
        return mm_imap_connection_fail_job (connection, base, error);
      break;
    case MM_IMAP_EVENT_SEARCH:
      if ((job->in_flight & ASKED_PRESENT) != 0
          && !contradicts_emptiness (job, connection, event->uids))
        tell_present (job, event->uids);
      break;
    default:
      break;
    }
  return MM_IMAP_JOB_CONTINUES;
}

static MmImapJobFate
sync_job_answered (MmRemoteJob *base, MmImapConnection *connection, guint context,
                   const MmImapEvent *answer)
{
  SyncJob *job = (SyncJob *) base;

  job->in_flight &= ~(Asked) context;
  if (answer->status != MM_IMAP_STATUS_OK)
    {
      /* The mailbox turned out to be empty, and the server minds being asked for 1:*. */
      if (context == ASKED_ALL && job->opened.messages == 0)
        return finish_well (job, connection);
      g_autofree gchar *name = mm_imap_name_for_people (base->mailbox);
      g_autofree gchar *what = g_strdup_printf ("listing the folder '%s'", name);
      return mm_imap_connection_fail_job (
          connection, base, mm_imap_response_error (answer, what, MM_ERROR_UNAVAILABLE));
    }
  if (context == ASKED_PRESENT && !job->has_present)
    return mm_imap_connection_fail_job (
        connection, base,
        g_error_new (MM_ERROR, MM_ERROR_PROTOCOL,
                     "the server did not say which messages of '%s' exist", base->mailbox));
  return job->in_flight == 0 ? decide_end (job, connection) : MM_IMAP_JOB_CONTINUES;
}

/* ---- the frame ---- */

static void
forget_answers (SyncJob *job)
{
  job->has_begun = job->is_open = job->is_full = FALSE;
  job->in_flight = 0;
  job->opened = (MmMailboxState){ 0 };
  job->decided_present = job->has_present = FALSE;
  job->is_resynced = job->is_relisting = FALSE;
  g_clear_pointer (&job->changes, mm_imap_sync_changes_free);
  g_clear_pointer (&job->seen, mm_uid_set_free);
  job->n_present = job->max_uid = job->n_told = 0;
  mm_uid_set_free (job->told);
  job->told = mm_uid_set_new ();
}

static MmRemoteRepeat
sync_job_lost (MmRemoteJob *base, gboolean is_to_blame, const GError *error)
{
  SyncJob *job = (SyncJob *) base;

  if (job->has_delivered)
    return MM_REMOTE_REPEAT_NOT;
  forget_answers (job);
  return MM_REMOTE_REPEAT;
}

static void
sync_job_finish (MmRemoteJob *base, const GError *error)
{
  SyncJob *job = (SyncJob *) base;

  job->sink.done (&job->opened, error, job->user_data);
}

static void
sync_job_free (MmRemoteJob *base)
{
  SyncJob *job = (SyncJob *) base;

  mm_imap_sync_changes_free (job->changes);
  mm_uid_set_free (job->seen);
  mm_uid_set_free (job->told);
  g_byte_array_unref (job->subject);
  g_string_free (job->keywords, TRUE);
  g_free (job);
}

static const MmImapJobClass sync_job_class = {
  .base = { .finish = sync_job_finish, .free = sync_job_free },
  .has_next = sync_job_has_next,
  .examine = sync_job_examine,
  .turn = sync_job_turn,
  .selected = sync_job_selected,
  .holds = sync_job_holds,
  .event = sync_job_event,
  .answered = sync_job_answered,
  .lost = sync_job_lost,
};

MmRemoteJob *
mm_imap_sync_job_new (const MmRemoteSyncRequest *request, guint64 n_messages,
                      const MmRemoteSyncSink *sink, gpointer user_data)
{
  SyncJob *job = g_new0 (SyncJob, 1);

  mm_remote_job_init (&job->base, &sync_job_class.base, request->mailbox, request->priority,
                      FALSE);
  job->base.due_octets = n_messages * LISTING_OCTETS_PER_MESSAGE;
  job->known = request->known;
  job->want_subject = request->want_subject;
  job->sink = *sink;
  job->user_data = user_data;
  job->told = mm_uid_set_new ();
  job->subject = g_byte_array_new ();
  job->keywords = g_string_new (NULL);
  return &job->base;
}
