// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * IMAP commands as values, to be given to mm_imap_session_submit(), which alone encodes them: how
 * a string is written (quoted, literal, non-synchronising literal) depends on what the server
 * offers at that moment. Mailbox names are wire names, exactly as LIST gave them.
 * Constructors never fail and copy what they are given. Any thread, one at a time.
 */
#pragma once

#include <mailmount/imap-seqset.h>
#include <mailmount/sasl.h>

G_BEGIN_DECLS

typedef struct MmImapCommand MmImapCommand;

void mm_imap_command_free (MmImapCommand *command);

MmImapCommand *mm_imap_command_capability (void); /* RFC 9051 6.1.1 */
MmImapCommand *mm_imap_command_noop (void);
MmImapCommand *mm_imap_command_logout (void);
MmImapCommand *mm_imap_command_unselect (void);    /* RFC 3691 */
MmImapCommand *mm_imap_command_idle (void);        /* RFC 2177; the session sends DONE */
MmImapCommand *mm_imap_command_namespace (void);   /* RFC 2342 */
MmImapCommand *mm_imap_command_compress (void);    /* COMPRESS DEFLATE, RFC 4978 */
MmImapCommand *mm_imap_command_id (const gchar *name, const gchar *version); /* RFC 2971 */

/* ENABLE (RFC 5161) of a space-separated list, for example "CONDSTORE UTF8=ACCEPT". */
MmImapCommand *mm_imap_command_enable (const gchar *capabilities);

MmImapCommand *mm_imap_command_login (const gchar *user, MmSecret *password);
/* AUTHENTICATE; the session answers the server's challenges from @sasl. (transfer full) */
MmImapCommand *mm_imap_command_authenticate (MmSasl *sasl);

/* What a LIST may ask for beside names (RFC 5258, 5819, 6154, 8438). */
typedef enum
{
  MM_IMAP_LIST_PLAIN = 0,
  MM_IMAP_LIST_SUBSCRIBED_ONLY = 1 << 0,    /* selection option SUBSCRIBED */
  MM_IMAP_LIST_RETURN_CHILDREN = 1 << 1,
  MM_IMAP_LIST_RETURN_SPECIAL_USE = 1 << 2,
  MM_IMAP_LIST_RETURN_STATUS = 1 << 3,      /* with the items of the status command below */
  MM_IMAP_LIST_RETURN_SUBSCRIBED = 1 << 4,
} MmImapListFlags;

/* MESSAGES, UIDNEXT, UIDVALIDITY; HIGHESTMODSEQ only where CONDSTORE is offered. MAILBOXID (RFC 8474, where
 * OBJECTID is offered) is asked for alone: together with others Cyrus 3.6 tells freed memory for it. */
typedef enum
{
  MM_IMAP_STATUS_BASIC = 0,
  MM_IMAP_STATUS_HIGHESTMODSEQ = 1 << 0,
  MM_IMAP_STATUS_MAILBOXID = 1 << 1,
} MmImapStatusItems;

MmImapCommand *mm_imap_command_list (const gchar *reference, const gchar *pattern,
                                     MmImapListFlags flags, MmImapStatusItems status_items);
MmImapCommand *mm_imap_command_lsub (const gchar *reference, const gchar *pattern);
MmImapCommand *mm_imap_command_status (const gchar *mailbox, MmImapStatusItems status_items);

/* EXAMINE, never SELECT; with (CONDSTORE) when @condstore. */
MmImapCommand *mm_imap_command_examine (const gchar *mailbox, gboolean condstore);

/* The same with (QRESYNC (…)): what changed since @modseq, and which of @known vanished, come with
 * the answer (RFC 7162 3.2.5). Only after ENABLE QRESYNC. */
MmImapCommand *mm_imap_command_examine_since (const gchar *mailbox, guint64 uidvalidity,
                                              guint64 modseq, const MmUidSet *known);

/* NOTIFY SET (RFC 5465): the server tells of changes of all personal mailboxes by STATUS, of those
 * of the selected one as ever, and of mailboxes that come and go by LIST; until further notice. */
MmImapCommand *mm_imap_command_notify (void);

/* UID SEARCH of the UIDs in @within (NULL: all). With @extended as UID SEARCH RETURN (ALL), whose
 * answer is a compact set (RFC 4731). */
MmImapCommand *mm_imap_command_uid_search (const MmUidSet *within, gboolean extended);

typedef enum
{
  MM_IMAP_FETCH_FLAGS = 1 << 0,
  MM_IMAP_FETCH_INTERNALDATE = 1 << 1,
  MM_IMAP_FETCH_RFC822_SIZE = 1 << 2,
  MM_IMAP_FETCH_MODSEQ = 1 << 3,
  MM_IMAP_FETCH_EMAILID = 1 << 4,     /* RFC 8474; only with OBJECTID */
  MM_IMAP_FETCH_GMAIL_ID = 1 << 5,    /* X-GM-MSGID; this and the next only with X-GM-EXT-1 */
  MM_IMAP_FETCH_GMAIL_LABELS = 1 << 6, /* X-GM-LABELS */
} MmImapFetchItems;

typedef struct
{
  guint64 offset; /* octets */
  guint32 length; /* octets, > 0 */
} MmImapPartial;

/* One UID FETCH. UID is always asked for. Bodies are always BODY.PEEK. */
typedef struct
{
  MmImapFetchItems items;
  const gchar *header_fields;      /* nullable: "SUBJECT" gives BODY.PEEK[HEADER.FIELDS (SUBJECT)] */
  gboolean whole_header;           /* BODY.PEEK[HEADER] */
  gboolean whole_text;             /* BODY.PEEK[TEXT] */
  gboolean whole_body;             /* BODY.PEEK[] */
  const MmImapPartial *partials;   /* BODY.PEEK[]<offset.length>, each */
  gsize n_partials;
  guint64 changed_since;           /* CHANGEDSINCE of RFC 7162 when > 0 */
} MmImapFetchRequest;

MmImapCommand *mm_imap_command_uid_fetch (const MmUidSet *uids, const MmImapFetchRequest *request);
/* The same for UID FETCH first:*  */
MmImapCommand *mm_imap_command_uid_fetch_from (guint32 first, const MmImapFetchRequest *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmImapCommand, mm_imap_command_free)

G_END_DECLS
