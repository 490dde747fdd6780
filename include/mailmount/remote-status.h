// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a remote is doing at the moment, and what it has done: a copy, for people and programs that
 * ask. Times are microseconds since 1970 UTC, 0: never.
 */
#pragma once

#include <mailmount/remote.h>

G_BEGIN_DECLS

/* What was received lately is told for so long. */
#define MM_REMOTE_RECENT_SECONDS 10

typedef enum
{
  MM_REMOTE_ONLINE,  /* a connection stands */
  MM_REMOTE_IDLE,    /* none stands, because nobody needs one; the last one was not lost */
  MM_REMOTE_OFFLINE, /* the server could not be reached last time */
  MM_REMOTE_REFUSED, /* it was reached, and no session could be had */
  MM_REMOTE_WAITING, /* it asked to be left alone for a while */
  MM_REMOTE_OFF,     /* the user wants no connection */
} MmRemoteState;

typedef struct
{
  gboolean is_ready; /* FALSE: it connects or logs in */
  gchar *mailbox;    /* of its last job, decoded; owned, nullable */
  guint n_jobs;
  guint64 received_octets;
  gint64 opened_us;
  gboolean has_watch; /* the server tells what changes */
  gchar *watched;     /* in this mailbox, decoded; NULL: in all; owned */
} MmRemoteConnectionStatus;

/* What may be received within twenty-four hours. */
typedef struct
{
  guint64 limit_octets; /* 0: any amount, and nothing is counted */
  guint64 used_octets;
  gint64 returns_us;    /* when the first of these are a day ago */
} MmRemoteDayStatus;

typedef struct
{
  MmRemoteState state;
  gint64 next_try_us;          /* OFFLINE, WAITING: when the server is asked again at the latest */
  GArray *connections;         /* Array<MmRemoteConnectionStatus>, owned */
  guint max_connections;
  guint n_queued_demand;       /* jobs that wait for a connection */
  guint n_queued_read_ahead;
  guint64 received_octets;     /* from the server, as they came (compressed ones as such) */
  guint64 recent_octets;       /* of these, within the last MM_REMOTE_RECENT_SECONDS */
  gint64 last_contact_us;      /* when octets last came */
  guint n_errors[MM_N_ERRORS]; /* by MmError: connections that broke or did not come about */
  gchar *last_error;           /* why the last of them did; owned, nullable */
  gint64 last_error_us;
  guint64 bandwidth_octets;    /* a second, at most; 0: no limit */
  MmRemoteDayStatus day;
} MmRemoteStatus;

/* Never blocks. *@out is to be cleared. */
void mm_remote_get_status (MmRemote *remote, MmRemoteStatus *out);
void mm_remote_status_clear (MmRemoteStatus *status);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmRemoteStatus, mm_remote_status_clear)

G_END_DECLS
