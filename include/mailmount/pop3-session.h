// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One POP3 conversation without I/O (RFC 1939, 2449, 5034): octets in, events out, pulled, as
 * imap-session.h does it.
 *
 *     mm_pop3_session_feed (session, data, length);
 *     while (mm_pop3_session_next (session, &event, &error))
 *       handle (&event);
 *     if (error != NULL) ... the connection is to be dropped ...
 *     send (mm_pop3_session_take_output (session));
 *
 * Messages stream: a large one is a row of DATA events that point into the fed octets, without the dots
 * of the wire (RFC 1939 3), and is never held. However the input is cut, the same trace of events comes
 * out (adjacent DATA joined). Every limit is a field of MmPop3Limits; going past one is MM_ERROR_LIMIT
 * and the end of this session.
 *
 * What can be encoded is an allow-list: of DELE, RSET and all others there is no code. Commands go out
 * together where the server can do that (PIPELINING), else one after the other; nothing goes out behind
 * a command of the login until that was answered. Not thread-safe: one connection, one thread.
 */
#pragma once

#include <mailmount/error.h>
#include <mailmount/sasl.h>
#include <mailmount/secret.h>

G_BEGIN_DECLS

typedef struct
{
  gsize line_octets;      /* one line that is not of a message: RFC 2449 says 512, but not all keep to it */
  guint32 entries;        /* lines of one answer to UIDL or LIST */
  guint capabilities;     /* lines of one answer to CAPA */
  gsize unique_id_octets; /* RFC 1939 says 70 */
  guint64 message_octets; /* one answer to RETR or TOP */
} MmPop3Limits;

extern const MmPop3Limits mm_pop3_limits_default;

typedef enum
{
  MM_POP3_CAP_TOP = 1 << 0,
  MM_POP3_CAP_UIDL = 1 << 1,
  MM_POP3_CAP_USER = 1 << 2,
  MM_POP3_CAP_PIPELINING = 1 << 3,
} MmPop3Capabilities;

typedef enum
{
  MM_POP3_CAPA,
  MM_POP3_USER,
  MM_POP3_PASS,
  MM_POP3_AUTH,
  MM_POP3_STAT, /* DONE: number, size */
  MM_POP3_LIST, /* of all messages */
  MM_POP3_UIDL, /* of all messages */
  MM_POP3_TOP,
  MM_POP3_RETR,
  MM_POP3_NOOP,
  MM_POP3_QUIT,
} MmPop3Command;

/* Response codes of RFC 2449 8 and RFC 3206. */
typedef enum
{
  MM_POP3_CODE_NONE,
  MM_POP3_CODE_OTHER,
  MM_POP3_CODE_IN_USE,
  MM_POP3_CODE_LOGIN_DELAY,
  MM_POP3_CODE_SYS_TEMP,
  MM_POP3_CODE_SYS_PERM,
  MM_POP3_CODE_AUTH,
} MmPop3Code;

typedef enum
{
  MM_POP3_EVENT_GREETING, /* is_ok, code, text */
  MM_POP3_EVENT_BEGIN,    /* the octets of TOP or RETR follow */
  MM_POP3_EVENT_DATA,     /* data, length */
  MM_POP3_EVENT_ENTRY,    /* of LIST: number, size; of UIDL: number, unique_id */
  MM_POP3_EVENT_DONE,     /* the command was answered: is_ok, code, text */
  MM_POP3_EVENT_FAREWELL, /* "-ERR" that answers nothing: the server ends the session; code, text */
} MmPop3EventType;

/* All pointers are borrowed and valid until the next call on the session. */
typedef struct
{
  MmPop3EventType type;
  MmPop3Command command;
  guint32 serial; /* of the command, as it was submitted */
  gboolean is_ok;
  MmPop3Code code;
  const gchar *text; /* what the server says, without its code */
  guint32 number;    /* of the message, or of messages */
  guint64 size;      /* octets */
  const gchar *unique_id; /* printable ASCII without blanks: other octets are told as %XX */
  const guint8 *data;
  gsize length;
} MmPop3Event;

typedef struct MmPop3Session MmPop3Session;

/* @limits is copied; NULL means mm_pop3_limits_default. */
MmPop3Session *mm_pop3_session_new (const MmPop3Limits *limits);
void mm_pop3_session_free (MmPop3Session *session);

/* Gives octets from the server. They are borrowed until mm_pop3_session_next() returned FALSE. */
void mm_pop3_session_feed (MmPop3Session *session, const void *data, gsize length);

/* The next event. FALSE without @error: more octets are needed. FALSE with @error: the server broke
 * the protocol (MM_ERROR_PROTOCOL) or a limit (MM_ERROR_LIMIT); the session stays failed. */
gboolean mm_pop3_session_next (MmPop3Session *session, MmPop3Event *out_event, GError **error);

/* Each queues a command and returns its serial, > 0. @command: CAPA, STAT, LIST, UIDL, NOOP, QUIT. */
guint32 mm_pop3_session_submit (MmPop3Session *session, MmPop3Command command);
guint32 mm_pop3_session_submit_retr (MmPop3Session *session, guint32 number);
/* The header, the empty line, and @lines lines of the body. */
guint32 mm_pop3_session_submit_top (MmPop3Session *session, guint32 number, guint32 lines);

/* For a login; the line must be private. 0 with MM_ERROR_NAME_ENCODING for what no line can hold. */
guint32 mm_pop3_session_submit_user (MmPop3Session *session, const gchar *user, GError **error);
guint32 mm_pop3_session_submit_pass (MmPop3Session *session, MmSecret *password, GError **error);
/* AUTH (RFC 5034). (transfer full) of @sasl. 0 with what the exchange could not begin with. */
guint32 mm_pop3_session_submit_auth (MmPop3Session *session, MmSasl *sasl, GError **error);

/* Octets to send now, or NULL. May hold secrets: the caller wipes what it sent. (transfer full) */
GByteArray *mm_pop3_session_take_output (MmPop3Session *session);

/* As last told: 0 and empty until CAPA was answered, or where it was refused. */
MmPop3Capabilities mm_pop3_session_get_capabilities (const MmPop3Session *session);
/* Whether CAPA was answered at all; where it was not nothing is known. */
gboolean mm_pop3_session_has_capabilities (const MmPop3Session *session);
/* SASL mechanisms offered, NULL-terminated. (transfer none), until the next call. */
const gchar *const *mm_pop3_session_get_sasl_mechanisms (const MmPop3Session *session);
/* How long the server wants to be left alone between two logins (RFC 2449 6.5); 0: not told. */
guint mm_pop3_session_get_login_delay_seconds (const MmPop3Session *session);

/* Commands submitted and not yet answered. */
guint mm_pop3_session_get_n_in_progress (const MmPop3Session *session);

/* Why the last SASL exchange failed on our side, or NULL. Its DONE then is not ok. (transfer none) */
const GError *mm_pop3_session_get_sasl_error (const MmPop3Session *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmPop3Session, mm_pop3_session_free)

G_END_DECLS
