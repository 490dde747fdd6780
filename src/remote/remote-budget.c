// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-budget.h"

#include <mailmount/clock.h>

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)
#define HOURS   24
/* The application is told of so much at once: what a crash forgets at most. */
#define TELL_OCTETS (1024 * 1024)
#define SCARCE(LIMIT) ((LIMIT) / 10 * 9)

struct MmRemoteBudget
{
  guint64 limit;          /* octets in HOURS hours */
  MmRemoteSpendFunc func; /* nullable; set before the first job */
  gpointer user_data;

  GMutex lock; /* a leaf; guards: */
  GArray *hours; /* of MmRemoteTraffic, ascending: what the application knows */
  MmRemoteTraffic untold; /* what it does not */
};

MmRemoteBudget *
mm_remote_budget_new (guint64 daily_octets)
{
  MmRemoteBudget *budget = g_new0 (MmRemoteBudget, 1);

  g_mutex_init (&budget->lock);
  budget->limit = daily_octets;
  budget->hours = g_array_new (FALSE, FALSE, sizeof (MmRemoteTraffic));
  return budget;
}

void
mm_remote_budget_free (MmRemoteBudget *budget)
{
  if (budget == NULL)
    return;
  g_array_unref (budget->hours);
  g_mutex_clear (&budget->lock);
  g_free (budget);
}

static gint64
get_hour (void)
{
  return mm_clock_wall_us () / HOUR_US;
}

/* Hours of the future are a wrong clock's: an hour's difference may be a correction. */
static gboolean
counts (const MmRemoteTraffic *traffic, gint64 now_hour)
{
  return traffic->hour > now_hour - HOURS && traffic->hour <= now_hour + 1;
}

static gint
compare_hours (gconstpointer a, gconstpointer b)
{
  gint64 first = ((const MmRemoteTraffic *) a)->hour;
  gint64 second = ((const MmRemoteTraffic *) b)->hour;

  return first < second ? -1 : first > second;
}

void
mm_remote_budget_set_spent (MmRemoteBudget *budget, const MmRemoteTraffic *hours, gsize n)
{
  g_mutex_lock (&budget->lock);
  g_array_set_size (budget->hours, 0);
  if (n > 0)
    g_array_append_vals (budget->hours, hours, (guint) n);
  g_array_sort (budget->hours, compare_hours);
  g_mutex_unlock (&budget->lock);
}

void
mm_remote_budget_set_spend_func (MmRemoteBudget *budget, MmRemoteSpendFunc func,
                                 gpointer user_data)
{
  budget->func = func;
  budget->user_data = user_data;
}

/* ---- counting ---- */

static void
add_hour_locked (MmRemoteBudget *budget, const MmRemoteTraffic *traffic)
{
  for (guint i = 0; i < budget->hours->len; i++)
    {
      MmRemoteTraffic *known = &g_array_index (budget->hours, MmRemoteTraffic, i);
      if (known->hour == traffic->hour)
        {
          known->octets += traffic->octets;
          return;
        }
    }
  g_array_append_vals (budget->hours, traffic, 1);
  g_array_sort (budget->hours, compare_hours);
}

/* Takes out what the application is to be told. */
static MmRemoteTraffic
take_untold_locked (MmRemoteBudget *budget)
{
  MmRemoteTraffic told = budget->untold;

  budget->untold = (MmRemoteTraffic){ .hour = get_hour () };
  if (told.octets > 0)
    add_hour_locked (budget, &told);
  return told;
}

static void
tell (MmRemoteBudget *budget, const MmRemoteTraffic *traffic)
{
  if (traffic->octets > 0 && budget->func != NULL)
    budget->func (traffic, budget->user_data);
}

void
mm_remote_budget_spend (MmRemoteBudget *budget, gsize octets)
{
  MmRemoteTraffic told = { 0 };

  g_mutex_lock (&budget->lock);
  if (budget->untold.hour != get_hour () || budget->untold.octets >= TELL_OCTETS)
    told = take_untold_locked (budget);
  budget->untold.octets += octets;
  g_mutex_unlock (&budget->lock);
  tell (budget, &told);
}

void
mm_remote_budget_flush (MmRemoteBudget *budget)
{
  g_mutex_lock (&budget->lock);
  MmRemoteTraffic told = take_untold_locked (budget);
  g_mutex_unlock (&budget->lock);
  tell (budget, &told);
}

/* ---- judging ---- */

static guint64
sum_locked (const MmRemoteBudget *budget, gint64 now_hour)
{
  guint64 sum = counts (&budget->untold, now_hour) ? budget->untold.octets : 0;

  for (guint i = 0; i < budget->hours->len; i++)
    {
      const MmRemoteTraffic *traffic = &g_array_index (budget->hours, MmRemoteTraffic, i);
      if (counts (traffic, now_hour))
        sum += traffic->octets;
    }
  return sum;
}

static guint64
get_spent (MmRemoteBudget *budget)
{
  g_mutex_lock (&budget->lock);
  guint64 spent = sum_locked (budget, get_hour ());
  g_mutex_unlock (&budget->lock);
  return spent;
}

MmBudgetState
mm_remote_budget_judge (MmRemoteBudget *budget, guint64 due_octets, GError **error)
{
  guint64 spent = get_spent (budget);

  if (spent + due_octets >= budget->limit)
    {
      g_autofree gchar *told = g_format_size (spent);
      g_autofree gchar *due = g_format_size (due_octets);
      g_autofree gchar *limit = g_format_size (budget->limit);
      g_set_error (error, MM_ERROR, MM_ERROR_QUOTA,
                   "%s were downloaded within a day and %s are on their way; the limit is %s (daily_limit=)",
                   told, due, limit);
      return MM_BUDGET_TAKEN;
    }
  return spent + due_octets >= SCARCE (budget->limit) ? MM_BUDGET_SCARCE : MM_BUDGET_PLENTY;
}

/* The hour at whose beginning enough is a day ago. */
static gint64
find_refill_hour_locked (const MmRemoteBudget *budget, gint64 now_hour)
{
  gint64 hour = now_hour;

  while (sum_locked (budget, hour) >= budget->limit && hour <= now_hour + HOURS)
    hour++;
  return hour;
}

gint64
mm_remote_budget_get_refill_us (MmRemoteBudget *budget, GError **error)
{
  gint64 now_hour = get_hour ();

  g_mutex_lock (&budget->lock);
  gint64 hour = find_refill_hour_locked (budget, now_hour);
  g_autofree gchar *spent = g_format_size (sum_locked (budget, now_hour));
  g_mutex_unlock (&budget->lock);
  if (hour == now_hour)
    return 0;

  gint64 wait_us = hour * HOUR_US - mm_clock_wall_us ();
  g_autofree gchar *limit = g_format_size (budget->limit);
  g_set_error (error, MM_ERROR, MM_ERROR_QUOTA,
               "%s were downloaded within a day, and the limit is %s (daily_limit=); it goes on in "
               "%" G_GINT64_FORMAT " minutes",
               spent, limit, wait_us / (60 * G_USEC_PER_SEC) + 1);
  return mm_clock_monotonic_us () + MAX (wait_us, 1);
}

/* The hour at whose beginning the first of what counts now is a day ago; 0: nothing counts. */
static gint64
find_return_hour_locked (const MmRemoteBudget *budget, gint64 now_hour)
{
  gint64 first = budget->untold.octets > 0 && counts (&budget->untold, now_hour) ? budget->untold.hour
                                                                                 : G_MAXINT64;

  for (guint i = 0; i < budget->hours->len; i++)
    {
      const MmRemoteTraffic *traffic = &g_array_index (budget->hours, MmRemoteTraffic, i);
      if (traffic->octets > 0 && counts (traffic, now_hour))
        first = MIN (first, traffic->hour);
    }
  return first == G_MAXINT64 ? 0 : first + HOURS;
}

void
mm_remote_budget_read (MmRemoteBudget *budget, MmRemoteDayStatus *out)
{
  gint64 now_hour = get_hour ();

  g_mutex_lock (&budget->lock);
  out->limit_octets = budget->limit;
  out->used_octets = sum_locked (budget, now_hour);
  out->returns_us = find_return_hour_locked (budget, now_hour) * HOUR_US;
  g_mutex_unlock (&budget->lock);
}
