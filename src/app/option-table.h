// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every `-o` option in one table: it drives parsing and --help, and a test holds the man page, the
 * README and the completions against it.
 */
#pragma once

#include "config.h"

G_BEGIN_DECLS

typedef enum
{
  MM_OPTION_OURS,    /* documented one by one */
  MM_OPTION_GENERIC, /* mount(8) and fstab(5) know it; accepted */
} MmOptionClass;

/* Takes @value into @config. @value is NULL for an option written without one. */
typedef gboolean (*MmOptionFunc) (MmConfig *config, const gchar *name, const gchar *value,
                                  GError **error);

typedef struct
{
  const gchar *name;
  const gchar *argument; /* for --help; NULL: the option takes no value */
  const gchar *help;     /* NULL for generic options */
  MmOptionClass option_class;
  MmOptionFunc apply;
} MmOption;

/* The table, ended by an entry without a name. (transfer none) */
const MmOption *mm_option_table (void);

/* Applies one `name` or `name=value`. MM_ERROR_USAGE names the option and, when it is unknown, the
 * nearest known one; it never repeats the value of an unknown option, which may be a secret. */
gboolean mm_option_apply (MmConfig *config, const gchar *word, GError **error);

/* Whether @word names an option of the table. */
gboolean mm_option_is_known (const gchar *word);

G_END_DECLS
