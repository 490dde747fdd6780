// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One IMAP conversation without I/O (RFC 3501, RFC 9051): octets in, events out, pulled.
 *
 *     mm_imap_session_feed (session, data, length);
 *     while (mm_imap_session_next (session, &event, &error))
 *       handle (&event);
 *     if (error != NULL) ... the connection is to be dropped ...
 *     send (mm_imap_session_take_output (session));
 *
 * Literals stream: a 50 MB body is a row of BODY_DATA events that point into the fed octets and is
 * never held. However the input is cut, the same trace of events comes out (adjacent BODY_DATA
 * joined). Every limit is a field of MmLimits; going past one is MM_ERROR_LIMIT and the end of
 * this session, never of the program.
 *
 * IDLE (RFC 2177) gives way by itself: a command submitted while it lasts sends DONE first.
 *
 * A session made with MM_IMAP_SESSION_READ_ONLY has an allow-list: it refuses to encode any other
 * command. Not thread-safe: one connection, one thread.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/imap-command.h>
#include <mailmount/limits.h>

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_SESSION_DEFAULT = 0,
  MM_IMAP_SESSION_READ_ONLY = 1 << 0,
} MmImapSessionFlags;

/* Capabilities that change what we do. */
typedef enum
{
  MM_IMAP_CAP_IMAP4REV1 = 1 << 0,
  MM_IMAP_CAP_IMAP4REV2 = 1 << 1,
  MM_IMAP_CAP_LITERAL_PLUS = 1 << 2,
  MM_IMAP_CAP_LITERAL_MINUS = 1 << 3,
  MM_IMAP_CAP_SASL_IR = 1 << 4,
  MM_IMAP_CAP_LOGINDISABLED = 1 << 5,
  MM_IMAP_CAP_ENABLE = 1 << 6,
  MM_IMAP_CAP_ID = 1 << 7,
  MM_IMAP_CAP_NAMESPACE = 1 << 8,
  MM_IMAP_CAP_CONDSTORE = 1 << 9,
  MM_IMAP_CAP_QRESYNC = 1 << 10,
  MM_IMAP_CAP_ESEARCH = 1 << 11,
  MM_IMAP_CAP_LIST_EXTENDED = 1 << 12,
  MM_IMAP_CAP_LIST_STATUS = 1 << 13,
  MM_IMAP_CAP_SPECIAL_USE = 1 << 14,
  MM_IMAP_CAP_UIDPLUS = 1 << 15,
  MM_IMAP_CAP_UTF8_ACCEPT = 1 << 16,
  MM_IMAP_CAP_COMPRESS_DEFLATE = 1 << 17,
  MM_IMAP_CAP_IDLE = 1 << 18,
  MM_IMAP_CAP_NOTIFY = 1 << 19,
  MM_IMAP_CAP_UNSELECT = 1 << 20,
  MM_IMAP_CAP_OBJECTID = 1 << 21,
  MM_IMAP_CAP_GMAIL = 1 << 22, /* X-GM-EXT-1 */
  MM_IMAP_CAP_QUOTA = 1 << 23,
} MmImapCapabilities;

typedef enum
{
  MM_IMAP_STATUS_OK,
  MM_IMAP_STATUS_NO,
  MM_IMAP_STATUS_BAD,
  MM_IMAP_STATUS_BYE,
  MM_IMAP_STATUS_PREAUTH,
} MmImapStatus;

/* Response codes (RFC 5530 and the extensions used). */
typedef enum
{
  MM_IMAP_CODE_NONE,
  MM_IMAP_CODE_OTHER, /* its name is in the event's code_text */
  MM_IMAP_CODE_ALERT,
  MM_IMAP_CODE_ALREADYEXISTS,
  MM_IMAP_CODE_APPENDUID,
  MM_IMAP_CODE_AUTHENTICATIONFAILED,
  MM_IMAP_CODE_AUTHORIZATIONFAILED,
  MM_IMAP_CODE_CLOSED,
  MM_IMAP_CODE_COPYUID,
  MM_IMAP_CODE_EXPIRED,
  MM_IMAP_CODE_HIGHESTMODSEQ, /* number */
  MM_IMAP_CODE_INUSE,
  MM_IMAP_CODE_LIMIT,
  MM_IMAP_CODE_NOMODSEQ,
  MM_IMAP_CODE_NONEXISTENT,
  MM_IMAP_CODE_NOPERM,
  MM_IMAP_CODE_OVERQUOTA,
  MM_IMAP_CODE_PRIVACYREQUIRED,
  MM_IMAP_CODE_READ_ONLY,
  MM_IMAP_CODE_READ_WRITE,
  MM_IMAP_CODE_SERVERBUG,
  MM_IMAP_CODE_TRYCREATE,
  MM_IMAP_CODE_UIDNEXT,      /* number */
  MM_IMAP_CODE_UIDNOTSTICKY,
  MM_IMAP_CODE_UIDVALIDITY,  /* number */
  MM_IMAP_CODE_UNAVAILABLE,
  MM_IMAP_CODE_UNSEEN,       /* number */
} MmImapCode;

/* Flags of RFC 9051 2.3.2 as bits; all others are keywords. */
typedef enum
{
  MM_IMAP_FLAG_SEEN = 1 << 0,
  MM_IMAP_FLAG_ANSWERED = 1 << 1,
  MM_IMAP_FLAG_FLAGGED = 1 << 2,
  MM_IMAP_FLAG_DELETED = 1 << 3,
  MM_IMAP_FLAG_DRAFT = 1 << 4,
} MmImapFlags; /* \Recent is dropped: it is a property of the session */

typedef enum
{
  MM_IMAP_MAILBOX_NOSELECT = 1 << 0,
  MM_IMAP_MAILBOX_NONEXISTENT = 1 << 1,
  MM_IMAP_MAILBOX_NOINFERIORS = 1 << 2,
  MM_IMAP_MAILBOX_SUBSCRIBED = 1 << 3,
  MM_IMAP_MAILBOX_ALL = 1 << 4, /* RFC 6154 */
  MM_IMAP_MAILBOX_ARCHIVE = 1 << 5,
  MM_IMAP_MAILBOX_DRAFTS = 1 << 6,
  MM_IMAP_MAILBOX_FLAGGED = 1 << 7,
  MM_IMAP_MAILBOX_JUNK = 1 << 8,
  MM_IMAP_MAILBOX_SENT = 1 << 9,
  MM_IMAP_MAILBOX_TRASH = 1 << 10,
} MmImapMailboxAttributes;

typedef enum
{
  MM_IMAP_EVENT_GREETING,       /* status: OK, PREAUTH or BYE; code, text */
  MM_IMAP_EVENT_TAGGED,         /* tag, status, code, text */
  MM_IMAP_EVENT_UNTAGGED,       /* status (BYE included), code, text */
  MM_IMAP_EVENT_CAPABILITY,     /* the session's capabilities were replaced; when by a code, this
                                 * comes before its TAGGED or UNTAGGED (the GREETING's: without) */
  MM_IMAP_EVENT_ENABLED,        /* text: the enabled names, space separated */
  MM_IMAP_EVENT_LIST,           /* mailbox: name, delimiter, attributes; LSUB too (is_lsub) */
  MM_IMAP_EVENT_MAILBOX_STATUS, /* mailbox: name and the numbers that came */
  MM_IMAP_EVENT_NAMESPACE,      /* namespace: one event per namespace, in order */
  MM_IMAP_EVENT_IDLING,         /* the server took IDLE: it tells what happens until DONE */
  MM_IMAP_EVENT_EXISTS,         /* number */
  MM_IMAP_EVENT_EXPUNGE,        /* number: a message sequence number; GNU's EXPUNGED too */
  MM_IMAP_EVENT_VANISHED,       /* uids, earlier */
  MM_IMAP_EVENT_SEARCH,         /* uids; tag of the ESEARCH correlator or 0 */
  MM_IMAP_EVENT_FETCH_BEGIN,    /* fetch: sequence number only */
  MM_IMAP_EVENT_BODY_BEGIN,     /* body: which section, how long; fetch: what came so far */
  MM_IMAP_EVENT_BODY_DATA,      /* data, length: octets of the body begun */
  MM_IMAP_EVENT_BODY_END,
  MM_IMAP_EVENT_FETCH_END,      /* fetch: everything of this FETCH response but bodies */
} MmImapEventType;

typedef enum
{
  MM_IMAP_SECTION_BODY,          /* BODY[] */
  MM_IMAP_SECTION_HEADER,        /* BODY[HEADER] */
  MM_IMAP_SECTION_HEADER_FIELDS, /* BODY[HEADER.FIELDS (…)] */
  MM_IMAP_SECTION_TEXT,          /* BODY[TEXT] */
  MM_IMAP_SECTION_OTHER,
} MmImapSection;

typedef struct
{
  MmImapSection section;
  gboolean is_partial; /* an origin octet <offset> was given */
  guint64 offset;      /* octets */
  gboolean is_nil;     /* the server sent NIL or nothing; BODY_END follows at once */
  guint64 length;      /* octets announced, or the quoted string's own length */
} MmImapBody;

typedef struct
{
  guint32 sequence_number;
  guint32 uid;          /* 0: not given (yet) */
  gboolean has_flags;
  MmImapFlags flags;
  const gchar *keywords; /* space separated, "" for none; valid when has_flags */
  gboolean has_internaldate;
  gint64 internaldate;  /* seconds since 1970 UTC */
  gboolean has_size;
  guint64 size;         /* octets; a hint, see DESIGN */
  guint64 modseq;       /* 0: not given */
  const gchar *object_id; /* EMAILID (RFC 8474) or X-GM-MSGID; nullable: none that can be one */
  gboolean has_labels;
  const gchar *labels;  /* X-GM-LABELS as sent (modified UTF-7), each ended by '\n'; valid when
                           has_labels */
} MmImapFetch;

typedef struct
{
  const gchar *name;   /* wire name; may hold any octet but NUL; NUL in a name is a protocol error */
  gchar delimiter;     /* 0: flat (NIL) */
  gboolean is_lsub;
  MmImapMailboxAttributes attributes;
  gboolean has_messages, has_uidnext, has_uidvalidity, has_highestmodseq;
  guint64 messages, uidnext, uidvalidity, highestmodseq;
  const gchar *mailbox_id; /* MAILBOXID (RFC 8474); nullable: none that can be one */
} MmImapMailbox;

typedef enum
{
  MM_IMAP_NAMESPACE_PERSONAL,
  MM_IMAP_NAMESPACE_OTHER_USERS,
  MM_IMAP_NAMESPACE_SHARED,
} MmImapNamespaceKind;

/* All pointers are borrowed and valid until the next call on the session. Only the fields named at
 * the event's type are set; the others are zero. */
typedef struct
{
  MmImapEventType type;
  guint32 tag; /* as mm_imap_session_submit returned it */
  MmImapStatus status;
  MmImapCode code;
  guint64 code_number;
  const gchar *code_text; /* nullable: the code with its arguments, without brackets */
  const gchar *text;      /* the human text */
  guint64 number;
  MmImapMailbox mailbox;
  MmImapNamespaceKind namespace_kind;
  const gchar *namespace_prefix;
  gchar namespace_delimiter;
  const MmUidSet *uids;
  gboolean earlier;
  const MmImapFetch *fetch;
  MmImapBody body;
  const guint8 *data;
  gsize length;
} MmImapEvent;

typedef struct MmImapSession MmImapSession;

/* @limits is copied; NULL means mm_limits_default. */
MmImapSession *mm_imap_session_new (const MmLimits *limits, MmImapSessionFlags flags);
void mm_imap_session_free (MmImapSession *session);

/* Gives octets from the server. They are borrowed until mm_imap_session_next() returned FALSE. */
void mm_imap_session_feed (MmImapSession *session, const void *data, gsize length);

/* The octets fed and not looked at yet, still the caller's; the session forgets them. After the
 * TAGGED OK of COMPRESS they are compressed already. (transfer none) */
const guint8 *mm_imap_session_steal_input (MmImapSession *session, gsize *out_length);

/* The next event. FALSE without @error: more octets are needed. FALSE with @error: the server broke
 * the protocol (MM_ERROR_PROTOCOL) or a limit (MM_ERROR_LIMIT); the session stays failed. */
gboolean mm_imap_session_next (MmImapSession *session, MmImapEvent *out_event, GError **error);

/* Queues @command (transfer full) and returns its tag, > 0, for the TAGGED event. 0 with @error:
 * MM_ERROR_READ_ONLY for a command outside the allow-list, MM_ERROR_UNSUPPORTED or
 * MM_ERROR_NAME_ENCODING for a string that this server cannot be sent. */
guint32 mm_imap_session_submit (MmImapSession *session, MmImapCommand *command, GError **error);

/* Octets to send now, or NULL. What waits behind a synchronising literal or a SASL exchange comes
 * out when the server asked for it. May hold secrets: the caller wipes what it sent.
 * (transfer full) */
GByteArray *mm_imap_session_take_output (MmImapSession *session);

MmImapCapabilities mm_imap_session_get_capabilities (const MmImapSession *session);
/* SASL mechanisms offered, NULL-terminated. (transfer none), until the next call. */
const gchar *const *mm_imap_session_get_sasl_mechanisms (const MmImapSession *session);

/* TRUE after ENABLED named UTF8=ACCEPT: names are UTF-8, not modified UTF-7 (RFC 6855). */
gboolean mm_imap_session_is_utf8 (const MmImapSession *session);

/* TRUE after ENABLED named QRESYNC (RFC 7162): VANISHED comes instead of EXPUNGE. */
gboolean mm_imap_session_is_qresync (const MmImapSession *session);

/* Sends DONE when the server is idling, or as soon as it is; nothing otherwise. */
void mm_imap_session_end_idle (MmImapSession *session);

/* Commands submitted and not yet answered. */
guint mm_imap_session_get_n_in_progress (const MmImapSession *session);

/* Whether the server has something to answer now: it has not while it idles. */
gboolean mm_imap_session_is_answer_due (const MmImapSession *session);

/* Whether what was fed ends within a response. */
gboolean mm_imap_session_is_in_response (const MmImapSession *session);

/* Why the last SASL exchange failed on our side, or NULL (a server that could not prove itself).
 * Its TAGGED event then says NO, whatever the server said. (transfer none) */
const GError *mm_imap_session_get_sasl_error (const MmImapSession *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapSession, mm_imap_session_free)

G_END_DECLS
