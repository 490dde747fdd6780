// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Comparing a mounted tree with a copy of it, without reading a message through the mount: by digest
 * where the mount knows one (the extended attribute), by size and time otherwise.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

typedef enum
{
  MM_VERIFY_MISSING,   /* a message or folder that the copy lacks */
  MM_VERIFY_EXTRA,     /* … that only the copy has */
  MM_VERIFY_DIFFERENT, /* another content, size, time or kind */
  MM_VERIFY_OTHER,     /* something in the copy that is neither message nor folder */
  MM_VERIFY_TROUBLE,   /* what could not be compared */
  MM_VERIFY_N_FINDINGS,
} MmVerifyFinding;

/* @path: below both trees; a folder's ends in a slash. @why: nullable. */
typedef void (*MmVerifyFunc) (MmVerifyFinding finding, const gchar *path, const gchar *why,
                              gpointer user_data);

typedef struct
{
  guint64 n_findings[MM_VERIFY_N_FINDINGS];
  guint64 n_same;      /* messages */
  guint64 n_by_digest; /* of these, by their digests */
} MmVerifyCounts;

/* Compares, telling what is found in the order of names. Blocks. */
void mm_verify_trees (const gchar *mounted, const gchar *copied, MmVerifyFunc func,
                      gpointer user_data, MmVerifyCounts *out);

G_END_DECLS
