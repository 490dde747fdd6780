// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a fetch asks of one message, and the octets that come for it. The server does not say how many
 * will come: LIST did, and most are right. So what is short is held until it is complete; a long one is
 * told as it comes, with the length that LIST gave, and fails when that was wrong, to be asked for
 * again with the right one, which is known then. What was begun is never short, nor longer.
 *
 * Each line of an answer ends with CRLF, so that a message that does not gets one: where exactly those
 * two octets are more than LIST told, they are not the message's.
 */
#pragma once

#include "pop3-remote.h"

G_BEGIN_DECLS

typedef enum
{
  MM_POP3_ITEM_WAITING,
  MM_POP3_ITEM_SENT,
  MM_POP3_ITEM_BEGUN, /* the sink was told octets, or will be */
  MM_POP3_ITEM_DONE,
} MmPop3ItemState;

typedef struct
{
  MmFetchItem want;
  MmPop3ItemState state;
  guint n_refused; /* by the server, in as many sessions */
  guint n_short;   /* answers to TOP that did not reach far enough */
} MmPop3Item;

/* How it is asked for. */
typedef enum
{
  MM_POP3_ASK_RETR,
  MM_POP3_ASK_TOP,
} MmPop3Ask;

/* *out_lines: of the body, for TOP. */
MmPop3Ask mm_pop3_item_choose (const MmPop3Item *item, const MmPop3Entry *entry, gboolean has_top,
                               guint32 *out_lines);

/* The octets of one answer as they come. */
typedef struct
{
  MmPop3Ask ask;
  guint64 received;
  guint64 announced;  /* octets told to begin(), with: */
  gboolean is_streaming;
  gboolean is_too_long; /* to be held */
  GByteArray *held;   /* owned: of what is asked for, unless it streams */
  guint8 last[2];     /* the last octets received */
} MmPop3Answer;

void mm_pop3_answer_init (MmPop3Answer *answer);
void mm_pop3_answer_clear (MmPop3Answer *answer);

typedef struct
{
  const MmRemoteFetchSink *sink;
  gpointer user_data;
  gsize index;
} MmPop3ItemSink;

void mm_pop3_answer_begin (MmPop3Answer *answer, MmPop3Item *item, const MmPop3Entry *entry,
                           MmPop3Ask ask, const MmPop3ItemSink *to);
void mm_pop3_answer_add (MmPop3Answer *answer, const MmPop3Item *item, const guint8 *data,
                         gsize length, const MmPop3ItemSink *to);

/* Octets that nobody asked for but to know how many there are. */
void mm_pop3_answer_count (MmPop3Answer *answer, const guint8 *data, gsize length);

typedef enum
{
  MM_POP3_ANSWER_COMPLETE, /* all was told; *out_probe */
  MM_POP3_ANSWER_SHORT,    /* TOP did not reach far enough: to be asked for again */
  MM_POP3_ANSWER_WRONG,    /* the length was another; nothing more may be told: @error */
} MmPop3Verdict;

/* It came to its end. Notes what was learned in @entry and @remote. MM_ERROR_CONNECTION_LOST: it is
 * worth trying again. */
MmPop3Verdict mm_pop3_answer_end (MmPop3Answer *answer, MmPop3Item *item, MmPop3Entry *entry,
                                  MmPop3Remote *remote, const MmPop3ItemSink *to,
                                  MmProbeResult *out_probe, GError **error);

/* How many octets the message has that RETR brought, without a line end that is the answer's. */
guint64 mm_pop3_measure (const MmPop3Answer *answer, const MmPop3Entry *entry);
void mm_pop3_note_measured (MmPop3Remote *remote, MmPop3Entry *entry, guint64 size);

G_END_DECLS
