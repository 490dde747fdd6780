// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The report for people.
 */
#pragma once

#include <mailmount/account-status.h>

#include "report.h"

G_BEGIN_DECLS

/* So many folders are told one by one. */
#define MM_REPORT_FOLDERS_MAX 20

/* Some lines, harmless on a terminal. (transfer full) */
gchar *mm_report_write_summary (const MmReport *report, const MmAccountStatus *status);

/* "online": the same in both texts. */
const gchar *mm_report_get_state_name (MmRemoteState state);
/* What a connection has for a watch, "idle" or "notify"; NULL: none. */
const gchar *mm_report_get_watch_name (const MmRemoteConnectionStatus *connection);
guint64 mm_report_get_left_octets (const MmRemoteDayStatus *day);
/* The path of a message below the mount point: the bare number opens it. (transfer full) */
gchar *mm_report_build_path (const MmFailedMessage *message);
/* The server can be asked, as far as known, or is not to be, and no message failed that was not had
 * since. */
gboolean mm_report_is_healthy (const MmAccountStatus *status);

G_END_DECLS
