// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether a command can work in a mounted directory. */
#pragma once

#include "mount-table.h"
#include "subcommand.h"

G_BEGIN_DECLS

/* A mount answers from memory: one that took so long stands still. */
#define MM_MOUNT_ANSWER_MS 3000

/* TRUE when a mount of @table holds @path and its process answers within seconds; else complains. Forks,
 * so the process must have no other thread. */
gboolean mm_mount_check (const MmSubcommand *command, const GPtrArray *table, const gchar *path);

G_END_DECLS
