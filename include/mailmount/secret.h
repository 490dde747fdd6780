// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A password or token in memory: locked against swapping where the system allows it, excluded
 * from core dumps, and overwritten when the last reference goes. Immutable after construction,
 * so every thread may read it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct MmSecret MmSecret;

/* Copies @length octets of @octets; the caller wipes its own copy (mm_secret_wipe). */
MmSecret *mm_secret_new (const void *octets, gsize length);
MmSecret *mm_secret_ref (MmSecret *secret);
void mm_secret_unref (MmSecret *secret);

/* The octets, NUL-terminated behind their length. (transfer none) */
const gchar *mm_secret_get (const MmSecret *secret);
gsize mm_secret_get_length (const MmSecret *secret);

/* Overwrites @length octets in a way the compiler keeps. NULL is allowed. */
void mm_secret_wipe (void *octets, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmSecret, mm_secret_unref)

G_END_DECLS
