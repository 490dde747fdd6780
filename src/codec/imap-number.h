// SPDX-License-Identifier: GPL-3.0-or-later
/* Words and numbers in octets that are not NUL-terminated. */
#pragma once

#include <string.h>

#include <glib.h>

/* TRUE when the @length octets are @word (upper case), in any case. */
static inline gboolean
mm_imap_is_word (const gchar *octets, gsize length, const gchar *word)
{
  return strlen (word) == length && g_ascii_strncasecmp (octets, word, length) == 0;
}

/* Digits and nothing else, up to 2^64 - 1. */
static inline gboolean
mm_imap_parse_number (const gchar *octets, gsize length, guint64 *out_number)
{
  guint64 number = 0;

  if (length == 0)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      guint digit = (guint)(guchar)octets[i] - '0';

      if (digit > 9 || number > (G_MAXUINT64 - digit) / 10)
        return FALSE;
      number = number * 10 + digit;
    }
  *out_number = number;
  return TRUE;
}

/* nz-number: 1 to 2^32 - 1. */
static inline gboolean
mm_imap_parse_nz_number (const gchar *octets, gsize length, guint32 *out_number)
{
  guint64 number;

  if (!mm_imap_parse_number (octets, length, &number) || number == 0 || number > G_MAXUINT32)
    return FALSE;
  *out_number = (guint32)number;
  return TRUE;
}
