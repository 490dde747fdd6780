// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One message, or a part of it, on its way from the server: what content-fetch.c, which asks and
 * receives, and content-judge.c, which decides whether that was it, share. A fetch is on one thread
 * at a time: that of its connection, or that which began it.
 */
#pragma once

#include "content-private.h"

G_BEGIN_DECLS

typedef enum
{
  MM_FETCH_STEP_FIRST,  /* the bytes */
  MM_FETCH_STEP_EXISTS, /* their size is a surprise: does the message still exist? */
  MM_FETCH_STEP_HEADER, /* the bytes once more, in another form */
  MM_FETCH_STEP_TEXT,
  MM_FETCH_STEP_AGAIN, /* the bytes once more */
} MmContentFetchStep;

typedef struct
{
  MmContent *content; /* owned ref */
  MmContentAsk ask;
  MmMailbox *mailbox; /* borrowed: that it is fetched from */
  GPtrArray *avoided; /* nullable; Array<MmMailbox>: in which it turned out not to be */
  MmFetchTarget target;
  MmContentFetchStep step;
  guint64 told_size;      /* MM_FETCH_STEP_EXISTS: what the server says now */
  guint64 announced;      /* octets that the running literal will bring */
  gint64 held_octets;     /* all that this fetch holds, as counted in the context */
  gint64 arriving_octets; /* of them for the running literal */
  gboolean is_too_much;   /* the running literal is not held: there was no room */
  GByteArray *arriving;   /* the running literal */
  GBytes *first;          /* nullable: the bytes of MM_FETCH_STEP_FIRST, to compare with */
  gsize header_octets;    /* of them, as MM_FETCH_STEP_HEADER found */
  gboolean is_denied;     /* in the other form the bytes were others */
  gboolean is_gone;       /* the first answer had no body at all */
  MmProbeResult probe;
  guint n_repeats;      /* after connections were lost */
  guint n_relists;      /* after the mailbox turned out to have other UIDs */
  gboolean was_doubted; /* the mailbox was listed again because of what came */
  GError *error;        /* of the item */
  MmAheadTally *tally;  /* owned ref; NULL: it was not begun ahead of a reader */
} MmContentFetch;

/* ---- content-fetch.c ---- */

/* The next step of one message. Somebody waits for it, whoever asked first. */
void mm_content_fetch_send_again (MmContentFetch *fetch);
/* So many octets that it held are held no more. */
void mm_content_fetch_let_go (MmContentFetch *fetch, gint64 octets);
void mm_content_fetch_free (MmContentFetch *fetch);

/* ---- content-judge.c ---- */

/* The answer to a step is there, or its error: goes on, or ends the fetch. */
void mm_content_fetch_judge (MmContentFetch *fetch);
/* Ends the fetch with this error. */
void mm_content_fetch_fail (MmContentFetch *fetch, MmError code, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
