// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The file name of a message, and the way back to its number.
 *
 *   YYYY-MM-DD_stem_NUMBER.eml    with a subject
 *   YYYY-MM-DD_NUMBER.eml         without one
 *   NUMBER.eml                    the bare form, accepted always, listed with names=uid
 *
 * The date is INTERNALDATE in UTC, the stem is the cleaned subject, NUMBER the local number. A
 * name is at most 143 octets (the limit of eCryptfs, and room for a tool's suffix elsewhere), valid
 * UTF-8, and depends on the message alone: the stem is cut at a length that leaves room for the
 * longest number. These functions are frozen: their results are other people's backups, and the
 * golden vectors of the unit test must never change. Pure functions, any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A buffer of this many octets holds every name, the NUL included. */
#define MM_MESSAGE_NAME_SIZE 256

/* Local numbers have 36 bits; 0 is none. */
#define MM_MESSAGE_NUMBER_MAX (G_GUINT64_CONSTANT (0xfffffffff))

/* 143 octets less "YYYY-MM-DD_", "_", eleven digits and ".eml". */
#define MM_MESSAGE_STEM_MAX 116

/* The stem of a name from the decoded subject: every run of blanks, controls, bidi controls and
 * / \ : * ? " < > | becomes one '-', and so does a dot at the very beginning; what is not UTF-8
 * becomes U+FFFD; cut between characters at MM_MESSAGE_STEM_MAX octets. This is what the index
 * keeps as the subject. NULL for NULL or an empty subject. (transfer full) (nullable) */
gchar *mm_message_name_clean_subject (const gchar *decoded);

/* Writes the name into @out and returns its length. @internaldate is in seconds since 1970 UTC
 * (years outside 1 to 9999 become the nearest). @stem comes from mm_message_name_clean_subject;
 * NULL and "" mean no subject, a stem longer than MM_MESSAGE_STEM_MAX is cut. */
gsize mm_message_name_build (gchar out[MM_MESSAGE_NAME_SIZE], gint64 internaldate,
                             const gchar *stem, guint64 number);

/* Writes "NUMBER.eml" into @out and returns its length. */
gsize mm_message_name_build_bare (gchar out[MM_MESSAGE_NAME_SIZE], guint64 number);

typedef enum
{
  MM_MESSAGE_NAME_NONE, /* cannot be the name of a message */
  MM_MESSAGE_NAME_BARE, /* NUMBER.eml */
  MM_MESSAGE_NAME_FULL, /* YYYY-MM-DD_…NUMBER.eml */
} MmMessageNameForm;

/* What form @name has, and with it its number. The number is decimal without leading zeros, from
 * 1 to MM_MESSAGE_NUMBER_MAX. A full name is the message's only if building it from the message
 * gives the same octets: the caller compares. */
MmMessageNameForm mm_message_name_parse (const gchar *name, guint64 *out_number);

G_END_DECLS
