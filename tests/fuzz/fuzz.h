// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What every fuzz target shares. A target is one function; libFuzzer calls it, or fuzz-replay.c with the files of
 * its corpus, as an ordinary test. It aborts when something is wrong, and keeps nothing from one call to the next.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include <mailmount/log.h>

#include "fingerprint.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Complaints about what is wrong with an input are what a target is there for: millions of them. */
static inline void
fuzz_be_quiet (void)
{
  static gsize is_quiet;
  g_autoptr (GError) error = NULL;

  if (!g_once_init_enter (&is_quiet))
    return;
  if (!mm_log_to_file ("/dev/null", &error))
    g_error ("%s", error->message);
  g_once_init_leave (&is_quiet, 1);
}

/* A number that depends on the whole input and on nothing else: where to cut, which way to go. */
static inline guint64
fuzz_hash (const guint8 *data, gsize size)
{
  guint64 hash = fingerprint_octets (G_GUINT64_CONSTANT (0xcbf29ce484222325), data, size);

  return hash ^ hash >> 32;
}

/* The input in memory that is exactly as long, so that a sanitizer sees every octet read beyond it; never NULL. */
static inline gpointer
fuzz_copy (const guint8 *data, gsize size)
{
  gpointer own = malloc (size);

  g_assert (own != NULL);
  return memcpy (own, data, size);
}
