// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How long a server asks to be left alone, in words: Exchange writes "Suggested Backoff Time: 2500
 * milliseconds" into the text of an answer. No RFC has it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MM_IMAP_BACKOFF_MS_MAX (60 * 60 * 1000)

/* Milliseconds, MM_IMAP_BACKOFF_MS_MAX at most; 0: @text (nullable) asks for nothing. Thread-safe. */
guint mm_imap_find_backoff_ms (const gchar *text);

G_END_DECLS
