// SPDX-License-Identifier: GPL-3.0-or-later
#include "remote-reach.h"

#include <mailmount/clock.h>

/* Tries of a server that is away: the first after this, then twice as late each time. */
#define FIRST_DELAY_US   (1 * G_USEC_PER_SEC)
#define LONGEST_DELAY_US (300 * G_USEC_PER_SEC)
/* So that the machines of one office do not come back at the same moment. */
#define JITTER 0.25
/* A demand does not try again what was tried so recently. */
#define DEMAND_TRY_US (5 * G_USEC_PER_SEC)
/* Not every event of a network that is just coming up is worth a try of its own. */
#define HURRY_US (2 * G_USEC_PER_SEC)
/* Connections lost while they are made may be chance; so many in a row are not. */
#define LOST_MAX 3
/* A refused login is not repeated with every read: servers lock accounts for that. */
#define REFUSED_LOGIN_US (30 * G_USEC_PER_SEC)
#define REFUSED_US       (5 * G_USEC_PER_SEC)
/* ... but once, soon, where it worked before: servers have their moments. */
#define SLIP_US G_USEC_PER_SEC
/* A provider whose quota is used up says nothing of when it will be open again. */
#define QUOTA_US (300 * G_USEC_PER_SEC)

void
mm_remote_reach_clear (MmRemoteReach *reach)
{
  g_clear_error (&reach->error);
}

static void
set_error (MmRemoteReach *reach, const GError *error)
{
  g_clear_error (&reach->error);
  reach->error = g_error_copy (error);
}

void
mm_remote_reach_turn_off (MmRemoteReach *reach)
{
  reach->state = MM_REACH_OFF;
  g_clear_error (&reach->error);
  reach->error = g_error_new_literal (MM_ERROR, MM_ERROR_OFFLINE,
                                      "-o offline: only what is in the cache is there, and this is not; mount "
                                      "without it to ask the server");
}

/* ---- what happened ---- */

gint64
mm_remote_reach_choose_delay_us (guint n)
{
  gint64 delay_us = FIRST_DELAY_US;

  for (guint i = 1; i < n && delay_us < LONGEST_DELAY_US; i++)
    delay_us *= 2;
  delay_us = MIN (delay_us, LONGEST_DELAY_US);
  return (gint64) ((gdouble) delay_us * g_random_double_range (1 - JITTER, 1 + JITTER));
}

static void
stay_away (MmRemoteReach *reach)
{
  reach->n_failures++;
  reach->state = MM_REACH_AWAY;
  reach->until_us = mm_clock_monotonic_us () + mm_remote_reach_choose_delay_us (reach->n_failures);
}

static void
refuse (MmRemoteReach *reach, MmReachState state, gint64 duration_us)
{
  gint64 until_us = mm_clock_monotonic_us () + duration_us;

  reach->n_failures++;
  /* It may have said by itself until when. */
  if (reach->state != MM_REACH_HELD || reach->until_us < until_us)
    reach->until_us = until_us;
  reach->state = state;
}

/* A server that is there and gives no session, for a reason that is not of the moment. */
static void
note_refused (MmRemoteReach *reach, gint64 duration_us)
{
  gboolean is_slip = reach->was_open && reach->state == MM_REACH_OPEN && reach->n_failures == 0;

  if (is_slip)
    refuse (reach, MM_REACH_HELD, SLIP_US);
  else
    refuse (reach, MM_REACH_REFUSED, duration_us);
}

void
mm_remote_reach_note_failed (MmRemoteReach *reach, const GError *error)
{
  if (reach->state == MM_REACH_OFF)
    return;
  if (reach->state != MM_REACH_AWAY)
    reach->tried_us = mm_clock_monotonic_us ();
  reach->is_trying = FALSE;
  set_error (reach, error);
  switch ((MmError) error->code)
    {
    case MM_ERROR_OFFLINE:
    case MM_ERROR_TIMEOUT:
      stay_away (reach);
      break;
    case MM_ERROR_CONNECTION_LOST:
      if (reach->state == MM_REACH_AWAY || ++reach->n_lost >= LOST_MAX)
        stay_away (reach);
      break;
    case MM_ERROR_AUTHENTICATION:
      note_refused (reach, REFUSED_LOGIN_US);
      break;
    case MM_ERROR_UNAVAILABLE:
      refuse (reach, MM_REACH_HELD, mm_remote_reach_choose_delay_us (reach->n_failures + 1));
      break;
    case MM_ERROR_QUOTA:
      refuse (reach, MM_REACH_HELD, QUOTA_US);
      break;
    default:
      note_refused (reach, REFUSED_US);
      break;
    }
}

void
mm_remote_reach_note_given_up (MmRemoteReach *reach)
{
  reach->is_trying = FALSE;
}

void
mm_remote_reach_note_opened (MmRemoteReach *reach)
{
  reach->is_trying = FALSE;
  reach->n_lost = 0;
  reach->was_open = TRUE;
  if (reach->state == MM_REACH_OFF || mm_remote_reach_is_held (reach))
    return;
  reach->state = MM_REACH_OPEN;
  reach->n_failures = 0;
}

void
mm_remote_reach_note_trying (MmRemoteReach *reach)
{
  reach->is_trying = reach->is_waited = TRUE;
  reach->tried_us = mm_clock_monotonic_us ();
}

void
mm_remote_reach_hold (MmRemoteReach *reach, gint64 until_us, const GError *error)
{
  if (until_us == 0)
    until_us = mm_clock_monotonic_us () + QUOTA_US;
  if (reach->state == MM_REACH_OFF
      || (mm_remote_reach_is_held (reach) && until_us < reach->until_us))
    return;
  reach->state = MM_REACH_HELD;
  reach->until_us = until_us;
  set_error (reach, error);
}

void
mm_remote_reach_hurry (MmRemoteReach *reach)
{
  gint64 now_us = mm_clock_monotonic_us ();

  /* What refuses a login refuses it on any network; a certificate may have been a portal's. */
  if (reach->state == MM_REACH_REFUSED
      && !g_error_matches (reach->error, MM_ERROR, MM_ERROR_AUTHENTICATION))
    reach->state = MM_REACH_OPEN;
  if (reach->state != MM_REACH_AWAY)
    return;
  reach->n_failures = 0;
  reach->until_us = MAX (now_us, reach->tried_us + HURRY_US);
}

/* ---- what follows ---- */

MmReachVerdict
mm_remote_reach_judge (const MmRemoteReach *reach, gboolean is_demand, gint64 deadline_us)
{
  gint64 now_us = mm_clock_monotonic_us ();

  switch (reach->state)
    {
    case MM_REACH_OPEN:
      return MM_REACH_GO;
    case MM_REACH_AWAY:
      if (!is_demand || reach->is_trying || now_us < reach->tried_us + DEMAND_TRY_US)
        return MM_REACH_FAIL;
      return MM_REACH_TRY;
    case MM_REACH_REFUSED:
      return now_us < reach->until_us ? MM_REACH_FAIL : MM_REACH_GO;
    case MM_REACH_HELD:
      if (now_us >= reach->until_us)
        return MM_REACH_GO;
      return reach->until_us <= deadline_us ? MM_REACH_WAIT : MM_REACH_FAIL;
    case MM_REACH_OFF:
      return MM_REACH_FAIL;
    }
  g_assert_not_reached ();
}

gboolean
mm_remote_reach_may_open (const MmRemoteReach *reach)
{
  gint64 now_us = mm_clock_monotonic_us ();

  return reach->state == MM_REACH_OPEN
         || ((reach->state == MM_REACH_REFUSED || reach->state == MM_REACH_HELD)
             && now_us >= reach->until_us);
}

gboolean
mm_remote_reach_is_held (const MmRemoteReach *reach)
{
  return reach->state == MM_REACH_HELD && mm_clock_monotonic_us () < reach->until_us;
}

gint64
mm_remote_reach_get_due_us (const MmRemoteReach *reach)
{
  switch (reach->state)
    {
    case MM_REACH_AWAY:
      if (!reach->is_trying)
        return reach->until_us;
      return reach->is_waited ? reach->tried_us + MM_REACH_PATIENCE_US : G_MAXINT64;
    case MM_REACH_HELD:
      return reach->until_us;
    case MM_REACH_OPEN:
    case MM_REACH_REFUSED:
    case MM_REACH_OFF:
      return G_MAXINT64;
    }
  g_assert_not_reached ();
}

gboolean
mm_remote_reach_is_try_due (const MmRemoteReach *reach)
{
  return reach->state == MM_REACH_AWAY && !reach->is_trying
         && mm_clock_monotonic_us () >= reach->until_us;
}

gboolean
mm_remote_reach_end_patience (MmRemoteReach *reach)
{
  if (reach->state != MM_REACH_AWAY || !reach->is_waited
      || (reach->is_trying && mm_clock_monotonic_us () < reach->tried_us + MM_REACH_PATIENCE_US))
    return FALSE;
  reach->is_waited = FALSE;
  return TRUE;
}

gboolean
mm_remote_reach_end_hold (MmRemoteReach *reach)
{
  if (reach->state != MM_REACH_HELD || mm_clock_monotonic_us () < reach->until_us)
    return FALSE;
  reach->state = MM_REACH_OPEN;
  return TRUE;
}

GError *
mm_remote_reach_dup_error (const MmRemoteReach *reach)
{
  GError *error = g_error_copy (reach->error);

  /* Whatever kept the last try from the server, it cannot be reached. */
  if (reach->state == MM_REACH_AWAY)
    error->code = MM_ERROR_OFFLINE;
  return error;
}
