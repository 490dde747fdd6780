// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server may do to us: every bound on what is taken from it, held for it, and tried with it,
 * with its name and its default (src/base/limits.c). They are far beyond what a good server does and
 * keep what a bad one can cost below 256 MB and within the deadlines. Going past one is
 * MM_ERROR_LIMIT, whose words name it: the end of that answer, and of its connection where the rest
 * of the answer could only be swallowed, never of the program.
 *
 * What the user decides is not here: how long an answer may take (timeout=), how many connections
 * there are (connections=), how much of the disk is used (cache_size=). Constants; any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  /* ---- one response ---- */
  gsize line_octets;     /* "line": without its literals; it is not held: a SEARCH answer takes up to 11
                          * octets per UID */
  guint64 literal_octets; /* "literal": a streamed one; bodies that cannot be proved by a probe are
                           * taken whole, and larger messages in ranges */
  gsize string_octets;   /* "string": one that is kept: a mailbox name, a subject header … */
  guint nesting;         /* "nesting": parentheses */
  guint list_entries;    /* "list entries": of all parenthesised lists of one response */
  guint capabilities;    /* "capabilities" */
  guint flags;           /* "flags" of one message */
  gsize keyword_octets;  /* "keyword octets": of all flags of one message that are no system flags */
  gsize set_ranges;      /* "set ranges": in one ESEARCH, SEARCH or VANISHED answer */

  /* ---- one conversation ---- */
  guint64 untagged_without_command; /* "untagged lines" while no command is in progress */
  guint64 untagged_per_command;     /* "untagged lines" between two answers to commands */
  gsize connection_octets;          /* "memory of a connection": bodies whose UID comes behind them */
  guint progress_octets;            /* "progress": a response of which less than this comes within
                                     * timeout= has stalled, though now and then an octet comes */

  /* ---- one account ---- */
  guint mailboxes;      /* "mailboxes" in one list; as many may be subscribed */
  gsize list_octets;    /* "memory of a list": of the paths of all its folders and of those above them */
  guint64 messages;     /* "messages" of one mailbox */
  gsize arriving_octets; /* "memory in total": of messages that are held until all of them is there */

  /* ---- how often something is tried ---- */
  guint repetitions; /* of a job whose connection was lost before it told anything */
  guint refetches;   /* of a message whose connection was lost half way */
  guint listing_repetitions; /* of a listing that somebody waits for, and that was cut in its middle */
  guint relists;     /* of a mailbox that turns out to have other UIDs, for one message */
} MmLimits;

extern const MmLimits mm_limits_default;

G_END_DECLS
