// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-date.h"

typedef struct
{
  const gchar *at;
  const gchar *end;
} Cursor;

static void
skip_blanks (Cursor *cursor)
{
  while (cursor->at < cursor->end && *cursor->at == ' ')
    cursor->at++;
}

static gboolean
take (Cursor *cursor, gchar c)
{
  if (cursor->at == cursor->end || *cursor->at != c)
    return FALSE;
  cursor->at++;
  return TRUE;
}

/* A number of @min to @max digits. */
static gboolean
take_number (Cursor *cursor, gint min, gint max, gint *out_number)
{
  gint digits = 0;
  gint number = 0;

  while (digits < max && cursor->at < cursor->end && g_ascii_isdigit (*cursor->at))
    {
      number = number * 10 + (*cursor->at++ - '0');
      digits++;
    }
  *out_number = number;
  return digits >= min;
}

static gboolean
take_month (Cursor *cursor, gint *out_month)
{
  static const gchar names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

  if (cursor->end - cursor->at < 3)
    return FALSE;
  for (gint month = 0; month < 12; month++)
    if (g_ascii_strncasecmp (cursor->at, names + 3 * month, 3) == 0)
      {
        cursor->at += 3;
        *out_month = month + 1;
        return TRUE;
      }
  return FALSE;
}

/* RFC 822's names beside UTC itself are ambiguous or dead; an unknown zone counts as UTC. */
static gboolean
take_zone (Cursor *cursor, gint *out_seconds)
{
  gint sign = 0;
  gint hours, minutes;

  *out_seconds = 0;
  skip_blanks (cursor);
  if (take (cursor, '+'))
    sign = 1;
  else if (take (cursor, '-'))
    sign = -1;
  if (sign == 0)
    {
      while (cursor->at < cursor->end && g_ascii_isalpha (*cursor->at))
        cursor->at++;
      return TRUE;
    }
  if (!take_number (cursor, 2, 2, &hours))
    return FALSE;
  (void)take (cursor, ':');
  if (!take_number (cursor, 2, 2, &minutes) || minutes > 59)
    return FALSE;
  *out_seconds = sign * (hours * 3600 + minutes * 60);
  return TRUE;
}

/* Days since 1970-01-01 of a proleptic Gregorian date. Years begin in March here, so that the leap
 * day is the last one of its year. */
static gint64
days_since_epoch (gint year, gint month, gint day)
{
  gint64 shifted_year = month <= 2 ? year - 1 : year;
  gint64 shifted_month = month <= 2 ? month + 9 : month - 3;

  return shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400
         + (153 * shifted_month + 2) / 5 + day - 1 - 719468;
}

static gint
days_in_month (gint year, gint month)
{
  static const gint8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gboolean is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static gboolean
take_date (Cursor *cursor, gint *out_year, gint *out_month, gint *out_day)
{
  const gchar *year_start;
  gchar separator;

  if (!take_number (cursor, 1, 2, out_day) || cursor->at == cursor->end)
    return FALSE;
  separator = *cursor->at == ' ' ? ' ' : '-';
  if (!take (cursor, separator) || !take_month (cursor, out_month) || !take (cursor, separator))
    return FALSE;
  year_start = cursor->at;
  if (!take_number (cursor, 2, 4, out_year))
    return FALSE;
  /* RFC 5322 4.3: years of two and three digits. */
  if (cursor->at - year_start == 2)
    *out_year += *out_year < 50 ? 2000 : 1900;
  else if (cursor->at - year_start == 3)
    *out_year += 1900;
  return *out_year >= 1 && *out_day >= 1 && *out_day <= days_in_month (*out_year, *out_month);
}

gboolean
mm_imap_date_parse (const gchar *text, gsize length, gint64 *out_seconds)
{
  Cursor cursor = { text, text + length };
  gint year, month, day, hour, minute, second = 0, zone;

  skip_blanks (&cursor);
  if (cursor.at < cursor.end && g_ascii_isalpha (*cursor.at))
    {
      while (cursor.at < cursor.end && g_ascii_isalpha (*cursor.at))
        cursor.at++;
      (void)take (&cursor, ',');
      skip_blanks (&cursor);
    }
  if (!take_date (&cursor, &year, &month, &day) || !take (&cursor, ' '))
    return FALSE;
  skip_blanks (&cursor);
  if (!take_number (&cursor, 1, 2, &hour) || !take (&cursor, ':')
      || !take_number (&cursor, 2, 2, &minute))
    return FALSE;
  if (take (&cursor, ':') && !take_number (&cursor, 2, 2, &second))
    return FALSE;
  if (hour > 24 || minute > 59 || second > 60 || !take_zone (&cursor, &zone))
    return FALSE;
  skip_blanks (&cursor);
  if (cursor.at != cursor.end)
    return FALSE;
  *out_seconds
      = days_since_epoch (year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
  return TRUE;
}
