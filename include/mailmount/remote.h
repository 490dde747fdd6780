// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One account at one server, whatever its protocol: the seam under which IMAP and POP3 are drivers,
 * and above which nobody can tell. It owns the pool of connections.
 *
 * Everything but mm_remote_connect() and mm_remote_close() is asynchronous: a call queues a job and
 * returns at once. A job's sink is called on a connection's thread, from one thread at a time, in
 * order, and its `done` exactly once and last, also when the job was cancelled or the remote is
 * closed. A sink must not block, take long, or call mm_remote_close(). Pointers given to a sink are
 * borrowed until it returns.
 *
 * A job that did not yet deliver anything is repeated on a new connection when its connection was
 * lost or broke the protocol (limits.h says how often), once after it was silent; afterwards it ends in that error. Of a fetch, the
 * items that did not yet deliver anything are. Errors of a job: those of
 * the connection (OFFLINE, TIMEOUT, CONNECTION_LOST, AUTHENTICATION, TLS, PROTOCOL, UNAVAILABLE),
 * MAILBOX_GONE, PERMISSION, LIMIT, CANCELLED.
 *
 * A server that asks to wait (LIMIT, UNAVAILABLE, INUSE, OVERQUOTA of RFC 5530, "Suggested Backoff
 * Time" in words) is obeyed: the job is tried again after that time, or ends in UNAVAILABLE or QUOTA
 * when that is later than answer_timeout_ms after it was queued.
 *
 * All functions may be called from any thread.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/limits.h>
#include <mailmount/mail-types.h>
#include <mailmount/secret.h>
#include <mailmount/transport.h>

G_BEGIN_DECLS

typedef struct MmRemote MmRemote;
typedef struct MmRemoteJob MmRemoteJob;

/* The password or token, asked for at each login that needs one. @want_fresh: the last one was refused.
 * Called on connection threads, never two at once; may block. NULL with MM_ERROR_AUTHENTICATION.
 * (transfer full) */
typedef MmSecret *(*MmRemoteSecretFunc) (gboolean want_fresh, gpointer user_data, GError **error);

typedef struct
{
  MmEndpoint endpoint;   /* copied */
  const gchar *user;
  MmRemoteSecretFunc get_secret;
  gpointer get_secret_data;
  const gchar *secret_hint; /* nullable: for people, what to look at when the secret is refused */
  gboolean secret_is_token; /* an OAuth2 token: XOAUTH2 or OAUTHBEARER */
  const gchar *mechanism;   /* nullable: the only way to sign in; a name of mm_sasl_get_mechanisms() */
  gboolean has_certificate; /* the endpoint shows the client's: EXTERNAL may do */
  gboolean has_ticket;      /* there probably is a Kerberos ticket: GSSAPI may do */
  guint connections;        /* at most this many at once, ≥ 1 */
  guint answer_timeout_ms;  /* silence while an answer is due */
  guint idle_close_ms;      /* an unused connection is logged out after this; 0: never */
  guint refresh_ms;         /* how often the caller asks what is new; 0: nobody can say */
  gboolean compress;        /* COMPRESS=DEFLATE when offered */
  guint64 bandwidth;        /* octets received per second over all connections; 0: no limit */
  guint64 daily_octets;     /* received within any twenty-four hours; 0: no limit */
  const MmLimits *limits;   /* nullable: mm_limits_default; copied */
  gboolean is_offline;      /* never connects: every job ends in MM_ERROR_OFFLINE at once */
} MmRemoteConfig;

/* Never fails; nothing is connected yet. */
MmRemote *mm_remote_new_imap (const MmRemoteConfig *config);
/* The same for POP3: one mailbox, INBOX; one connection, whatever @config says. */
MmRemote *mm_remote_new_pop3 (const MmRemoteConfig *config);

/* Opens and authenticates the first connection, blocking, so that a start-up can report what is
 * wrong. It stays in the pool. */
gboolean mm_remote_connect (MmRemote *remote, GError **error);

/* Ends all jobs with MM_ERROR_CANCELLED, sends LOGOUT on every connection, joins all threads, and
 * frees. Blocks for a second or two at most. */
void mm_remote_close (MmRemote *remote);

/* ---- jobs ---- */

void mm_remote_job_cancel (MmRemoteJob *job); /* soon: done with MM_ERROR_CANCELLED, or as it ended */
MmRemoteJob *mm_remote_job_ref (MmRemoteJob *job);
void mm_remote_job_unref (MmRemoteJob *job);

typedef enum
{
  MM_REMOTE_PRIORITY_DEMAND,     /* somebody waits in a system call */
  MM_REMOTE_PRIORITY_READ_AHEAD, /* somebody will, probably */
  MM_REMOTE_PRIORITY_WATCH,      /* a watch, which gives way to everything */
} MmRemotePriority;

/* Somebody waits for it now. */
void mm_remote_job_make_demand (MmRemoteJob *job);

/* ---- mailboxes ---- */

typedef struct
{
  const gchar *name;      /* what to give back to the remote; for IMAP in modified UTF-7 whatever
                             the connection speaks, so that it is the same in every session */
  gchar delimiter;        /* 0: none */
  MmMailboxFlags flags;
  gboolean is_foreign;    /* in another user's or a shared namespace (RFC 2342) */
  MmMailboxState state;   /* all 0 when the server gave none with the list */
  const gchar *mailbox_id; /* nullable: what the server calls it by for ever, also under another name:
                              MAILBOXID (RFC 8474), where it was wanted. Printable ASCII, at most 255 */
} MmRemoteMailbox;

typedef struct
{
  void (*mailbox) (const MmRemoteMailbox *mailbox, gpointer user_data);
  /* NULL: the list was complete. */
  void (*done) (const GError *error, gpointer user_data);
  /* Nullable. Before any is told, where the server has mailbox_ids: whether this one's is to be known. If
   * one is, all are asked for, since names may have been exchanged; otherwise all are NULL. Costs a short
   * command each, in one round trip. */
  gboolean (*wants_id) (const gchar *name, gchar delimiter, gpointer user_data);
} MmRemoteListSink;

/* All mailboxes with the state of each, in as few round trips as the server allows (LIST-STATUS;
 * else STATUS pipelined). (transfer full) */
MmRemoteJob *mm_remote_list_mailboxes (MmRemote *remote, const MmRemoteListSink *sink,
                                       gpointer user_data);

/* ---- messages ---- */

/* What the caller holds already. uidvalidity 0: nothing. */
typedef struct
{
  const gchar *mailbox;      /* wire name, copied */
  MmMailboxState known;      /* the state after the last complete synchronisation */
  gboolean want_subject;     /* the raw Subject field with each new message */
  MmRemotePriority priority;
} MmRemoteSyncRequest;

typedef struct
{
  guint32 uid;
  guint64 size;         /* octets, RFC822.SIZE: a hint */
  gboolean has_size;
  gint64 internaldate;  /* seconds since 1970 UTC; 0 when the server gave none */
  MmMessageFlags flags;
  const gchar *keywords; /* space separated; where the server has labels and told them, '\n' and behind
                            it the labels, each ended by '\n' */
  const gchar *subject_header; /* octets of the header field as sent, with its name and line ends */
  gsize subject_length;        /* 0: none */
  /* Nullable: what the server calls these octets by for ever, in whichever mailbox they are: EMAILID
   * (RFC 8474), X-GM-MSGID, or within its only mailbox UIDL (RFC 1939). Printable ASCII, at most 255. */
  const gchar *object_id;
  /* Other mailboxes may have the same octets under this id: EMAILID and X-GM-MSGID, but not UIDL. */
  gboolean is_object_shared;
} MmRemoteMessage;

typedef struct
{
  guint32 first, last;
} MmRemoteUidRange;

/* A synchronisation, told in this order. The driver chooses the cheapest way: nothing when the
 * state is as known; only UIDs above uidnext, and the UIDs that exist, and changed flags, when
 * UIDVALIDITY is as known; else everything. */
typedef struct
{
  /* First, once. @is_restart: UIDVALIDITY is new, or the server's numbers contradict it; the UIDs
   * known are void and a full listing follows. */
  void (*opened) (const MmMailboxState *state, gboolean is_restart, gpointer user_data);
  /* A message not known before. In UID order unless the server sends otherwise. Also one that is
   * known, where the answer has it anyway. */
  void (*message) (const MmRemoteMessage *message, gpointer user_data);
  /* New flags of a message known before. */
  void (*flags) (guint32 uid, MmMessageFlags flags, const gchar *keywords, gpointer user_data);
  /* At most once, before any message: UIDs below the known uidnext that exist no more; some may never
   * have been told. Returns how many of the messages known are left, by which the driver sees whether
   * that was all; `present` follows when it was not. */
  guint64 (*vanished) (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data);
  /* At most once: all UIDs that exist now among those below the known uidnext. Not called when the
   * numbers prove that nothing was expunged. */
  void (*present) (const MmRemoteUidRange *ranges, gsize n_ranges, gpointer user_data);
  /* @error NULL: all of it was told, and @state is what to give as known next time. */
  void (*done) (const MmMailboxState *state, const GError *error, gpointer user_data);
} MmRemoteSyncSink;

MmRemoteJob *mm_remote_sync_mailbox (MmRemote *remote, const MmRemoteSyncRequest *request,
                                     const MmRemoteSyncSink *sink, gpointer user_data);

/* Called (on a connection's thread): the UID by which the caller knows the message with @object_id in
 * @mailbox, 0 for none. Protocols without UIDs of their own (POP3) number what is new above the known
 * uidnext, and ask by this for what is not; so the numbers outlive the session. Set before the first
 * job. */
typedef guint32 (*MmRemoteKnownUidFunc) (const gchar *mailbox, const gchar *object_id,
                                         gpointer user_data);
void mm_remote_set_known_uid_func (MmRemote *remote, MmRemoteKnownUidFunc func, gpointer user_data);

/* ---- bytes ---- */

typedef enum
{
  MM_FETCH_WHOLE,      /* all octets in one literal */
  MM_FETCH_RANGE,      /* offset, length */
  MM_FETCH_HEADER,     /* the octets up to and with the first blank line; a driver that cannot ask for
                          this or the next fails the item with MM_ERROR_UNSUPPORTED */
  MM_FETCH_TEXT,       /* the octets behind it */
  MM_FETCH_MESSAGE_ID, /* the raw Message-ID header field, told as data */
  MM_FETCH_SIZE,       /* RFC822.SIZE alone, told by begin: does this UID still exist? */
} MmFetchKind;

typedef struct
{
  guint32 uid;
  MmFetchKind kind;
  guint64 offset;     /* RANGE: octets */
  guint32 length;     /* RANGE: octets */
  guint64 probe_size; /* RANGE: when > 0 the same command asks for the octets from probe_size - 1 on;
                         exactly one octet there proves that the message has probe_size octets */
} MmFetchItem;

typedef enum
{
  MM_PROBE_NONE,
  MM_PROBE_PROVED,    /* the message has exactly probe_size octets */
  MM_PROBE_DISPROVED,
} MmProbeResult;

/* @index is the item's place in the array given. Items end in any order; each item gets exactly one
 * item_done, before done. An item's data is one answer's: never joined from two. */
typedef struct
{
  /* @length: octets that this literal will bring. */
  void (*begin) (gsize index, guint64 length, gpointer user_data);
  void (*data) (gsize index, const guint8 *data, gsize length, gpointer user_data);
  /* @error NULL: all @length octets of `begin` were told, and @probe says what the probe proved.
   * MM_ERROR_MESSAGE_GONE: the server answered OK without this message, or with NIL. */
  void (*item_done) (gsize index, MmProbeResult probe, const GError *error, gpointer user_data);
  void (*done) (const GError *error, gpointer user_data);
} MmRemoteFetchSink;

/* TRUE: a range that does not begin with the message costs as much as all of it, so that it is better
 * to fetch that. A constant of the protocol. */
gboolean mm_remote_are_ranges_dear (const MmRemote *remote);

/* MmRemoteConfig.is_offline: nothing is amiss when it connects to nobody. */
gboolean mm_remote_is_offline (const MmRemote *remote);

/* Fetches the items, all of one mailbox, in one command where they are of one kind. @uidvalidity:
 * the job ends in MM_ERROR_MAILBOX_CHANGED when the mailbox has another one now (0: any). */
MmRemoteJob *mm_remote_fetch (MmRemote *remote, const gchar *mailbox, guint64 uidvalidity,
                              const MmFetchItem *items, gsize n_items, MmRemotePriority priority,
                              const MmRemoteFetchSink *sink, gpointer user_data);

/* ---- what changes ---- */

/* Called (on a connection's thread) when the server told, unasked, that a mailbox changed: EXISTS,
 * EXPUNGE, VANISHED, a flag, a STATUS. A hint to synchronise. @state, nullable: what it told of the
 * mailbox's state now, of which anything may be missing. @mailbox NULL: mailboxes came, went or have
 * another name. NULL: nobody. Set before the first job. */
typedef void (*MmRemoteChangeFunc) (const gchar *mailbox, const MmMailboxState *state,
                                    gpointer user_data);
void mm_remote_set_change_func (MmRemote *remote, MmRemoteChangeFunc func, gpointer user_data);

/* Called (on a connection's thread) when the server is there again after it could not be reached. Set
 * before the first job. */
typedef void (*MmRemoteOnlineFunc) (gpointer user_data);
void mm_remote_set_online_func (MmRemote *remote, MmRemoteOnlineFunc func, gpointer user_data);

/* ---- the daily limit ---- */

/* What was received in one hour; hours are counted from 1970-01-01 UTC. */
typedef struct
{
  gint64 hour;
  guint64 octets;
} MmRemoteTraffic;

/* What the caller has written down of the last day; in place of what it gave before. */
void mm_remote_set_spent (MmRemote *remote, const MmRemoteTraffic *hours, gsize n);

/* Called (on a connection's thread, and while the remote closes) with what was received since it was
 * last called, to be written down; where there is no limit never. Set before the first job. */
typedef void (*MmRemoteSpendFunc) (const MmRemoteTraffic *traffic, gpointer user_data);
void mm_remote_set_spend_func (MmRemote *remote, MmRemoteSpendFunc func, gpointer user_data);
typedef struct
{
  /* From now on the server tells what changes; again whenever the watch had to be interrupted. @state,
   * nullable: the mailbox as it is now, where changes may have been missed. */
  void (*begun) (const MmMailboxState *state, gpointer user_data);
  /* The watch ended: it was cancelled, its connection was lost (it is not repeated), or the server
   * cannot do this (MM_ERROR_UNSUPPORTED). */
  void (*done) (const GError *error, gpointer user_data);
} MmRemoteWatchSink;

/* Has the server tell of changes as they happen, through the function above, until cancelled: of
 * @mailbox (IDLE), or, with NULL, of all mailboxes that are one's own and their names (NOTIFY). A
 * watch of a mailbox keeps a connection open, gives way to everything else on it, and is begun only
 * while two more connections could be had; that of all needs none for itself. */
MmRemoteJob *mm_remote_watch (MmRemote *remote, const gchar *mailbox,
                              const MmRemoteWatchSink *sink, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmRemoteJob, mm_remote_job_unref)

G_END_DECLS
