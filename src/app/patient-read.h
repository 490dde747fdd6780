// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading what may be on a filesystem whose server does not answer any more: whoever opens it
 * then waits for ever, and cannot even be killed. A child does it, and is left behind if need be.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* All of the file at @path. NULL with MM_ERROR_TIMEOUT after @deadline_ms, with MM_ERROR_NOT_FOUND, or
 * with MM_ERROR_SYSTEM and the errno's words. Forks, so the process must have no other thread.
 * (transfer full) */
gchar *mm_patient_read (const gchar *path, guint deadline_ms, GError **error);

/* The extended attribute @name of what lies at @path; no name is looked up below it. MM_ERROR_TOO_BIG
 * beyond 64 KiB, which is the kernel's limit; else as above. (transfer full) */
gchar *mm_patient_get_attribute (const gchar *path, const gchar *name, guint deadline_ms,
                                 GError **error);

G_END_DECLS
