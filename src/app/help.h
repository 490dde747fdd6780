// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What --help and --version print.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Usage and every option of the table, in at most 100 columns. (transfer full) */
gchar *mm_help_text (void);

/* Name, version and what was built in. (transfer full) */
gchar *mm_version_text (void);

G_END_DECLS
