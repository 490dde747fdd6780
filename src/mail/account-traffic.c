// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The daily limit across mounts: what the remote received is added to the index, and what the index
 * knows is what the next mount begins with. Processes with one cache add up.
 */
#include "account-private.h"

#include <mailmount/log.h>

typedef struct
{
  MmAccount *account; /* borrowed: the index thread ends before it */
  MmIndexTraffic traffic;
} TrafficJob;

static void
tell_remote (MmAccount *account, const GArray *known)
{
  g_autoptr (GArray) hours = g_array_new (FALSE, FALSE, sizeof (MmRemoteTraffic));

  for (guint i = 0; i < known->len; i++)
    {
      const MmIndexTraffic *traffic = &g_array_index (known, MmIndexTraffic, i);
      MmRemoteTraffic hour = { traffic->hour, traffic->octets };
      g_array_append_val (hours, hour);
    }
  mm_remote_set_spent (account->context.remote, (const MmRemoteTraffic *) hours->data, hours->len);
}

static void
write_down (MmIndex *index, gpointer data)
{
  TrafficJob *job = data;
  g_autoptr (GError) error = NULL;

  if (!mm_index_add_traffic (index, job->account->account_id, &job->traffic, &error))
    mm_log_warning ("the index of %s: %s", job->account->context.name, error->message);
}

static void
on_spent (const MmRemoteTraffic *traffic, gpointer user_data)
{
  TrafficJob *job = g_new (TrafficJob, 1);

  job->account = user_data;
  job->traffic = (MmIndexTraffic){ traffic->hour, traffic->octets };
  mm_index_thread_push (job->account->context.index, write_down, job, g_free);
}

gboolean
mm_account_load_traffic (MmAccount *account, MmIndex *index, GError **error)
{
  g_autoptr (GArray) known = g_array_new (FALSE, FALSE, sizeof (MmIndexTraffic));

  if (!mm_index_load_traffic (index, account->account_id, known, error))
    return FALSE;
  tell_remote (account, known);
  mm_remote_set_spend_func (account->context.remote, on_spent, account);
  return TRUE;
}
