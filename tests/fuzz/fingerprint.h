// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One number for a row of things, so that two runs can be held against each other. FNV-1a.
 */
#pragma once

#include <string.h>

#include <glib.h>

static inline guint64
fingerprint_octets (guint64 print, const void *octets, gsize length)
{
  const guint8 *p = octets;

  for (gsize i = 0; i < length; i++)
    print = (print ^ p[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return print;
}

static inline guint64
fingerprint_number (guint64 print, guint64 number)
{
  return fingerprint_octets (print, &number, sizeof number);
}

/* NULL is not the empty text. */
static inline guint64
fingerprint_text (guint64 print, const gchar *text)
{
  return text == NULL ? fingerprint_number (print, G_MAXUINT64)
                      : fingerprint_octets (print, text, strlen (text) + 1);
}
