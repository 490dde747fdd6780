// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/message-name.h>

#define SUFFIX        ".eml"
#define SUFFIX_LENGTH (sizeof SUFFIX - 1)

/* "YYYY-MM-DD_" */
#define DATE_LENGTH 11

#define SECONDS_PER_DAY G_GINT64_CONSTANT (86400)
#define FIRST_SECOND    G_GINT64_CONSTANT (-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND     G_GINT64_CONSTANT (253402300799) /* 9999-12-31T23:59:59Z */

/* The characters no name has. Spelt out, not asked of GLib: its tables follow Unicode's versions,
 * a name must not. */
static gboolean
is_replaced (gunichar c)
{
  if (c < 0x80)
    return c <= 0x20 || c == 0x7f || strchr ("/\\:*?\"<>|", (int) c) != NULL;
  return c <= 0xa0                                          /* C1 controls, no-break space */
         || c == 0x061c || c == 0x200e || c == 0x200f       /* bidi marks */
         || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)     /* blanks */
         || (c >= 0x2028 && c <= 0x202f)                    /* separators, bidi, narrow blank */
         || c == 0x205f || (c >= 0x2066 && c <= 0x2069)     /* blank, bidi isolates */
         || c == 0x3000;                                    /* ideographic blank */
}

gchar *
mm_message_name_clean_subject (const gchar *decoded)
{
  gchar stem[MM_MESSAGE_STEM_MAX + 8];
  gsize length = 0;
  gboolean in_run = FALSE;

  if (decoded == NULL || decoded[0] == '\0')
    return NULL;

  for (const gchar *p = decoded; *p != '\0';)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);
      gboolean valid = c != (gunichar) -1 && c != (gunichar) -2;
      gboolean replaced = valid && (is_replaced (c) || (c == '.' && p == decoded));
      gsize n = 0;

      if (!replaced)
        n = (gsize) g_unichar_to_utf8 (valid ? c : 0xfffd, stem + length);
      else if (!in_run)
        {
          stem[length] = '-';
          n = 1;
        }
      if (length + n > MM_MESSAGE_STEM_MAX)
        break;
      length += n;
      in_run = replaced;
      p = valid ? g_utf8_next_char (p) : p + 1;
    }
  return g_strndup (stem, length);
}

/* Writes @value in @width digits. */
static void
write_digits (gchar *out, guint value, guint width)
{
  while (width-- > 0)
    {
      out[width] = (gchar) ('0' + value % 10);
      value /= 10;
    }
}

/* "YYYY-MM-DD_": days to a date of the Gregorian calendar, in years that begin in March, so that
 * the leap day is the last one. */
static void
write_date (gchar *out, gint64 internaldate)
{
  gint64 seconds = CLAMP (internaldate, FIRST_SECOND, LAST_SECOND);
  guint64 days = (guint64) (seconds - FIRST_SECOND) / SECONDS_PER_DAY + 306; /* since 0000-03-01 */
  guint64 era = days / 146097;
  guint64 day_of_era = days % 146097;
  guint64 year_of_era
      = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  guint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  guint64 shifted_month = (5 * day_of_year + 2) / 153;
  guint64 day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  guint64 month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  guint64 year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);

  write_digits (out, (guint) year, 4);
  out[4] = '-';
  write_digits (out + 5, (guint) month, 2);
  out[7] = '-';
  write_digits (out + 8, (guint) day, 2);
  out[10] = '_';
}

/* The first octets of @stem that fit, cut between characters. */
static gsize
measure_stem (const gchar *stem)
{
  gsize length = strnlen (stem, MM_MESSAGE_STEM_MAX + 1);

  if (length <= MM_MESSAGE_STEM_MAX)
    return length;
  for (length = MM_MESSAGE_STEM_MAX; length > 0 && ((guchar) stem[length] & 0xc0) == 0x80;)
    length--;
  return length;
}

/* "NUMBER.eml" */
static gsize
write_number (gchar *out, guint64 number)
{
  gchar digits[20];
  gsize n = 0;

  do
    {
      digits[n++] = (gchar) ('0' + number % 10);
      number /= 10;
    }
  while (number > 0);
  for (gsize i = 0; i < n; i++)
    out[i] = digits[n - 1 - i];
  memcpy (out + n, SUFFIX, SUFFIX_LENGTH + 1);
  return n + SUFFIX_LENGTH;
}

gsize
mm_message_name_build_bare (gchar out[MM_MESSAGE_NAME_SIZE], guint64 number)
{
  return write_number (out, number);
}

gsize
mm_message_name_build (gchar out[MM_MESSAGE_NAME_SIZE], gint64 internaldate, const gchar *stem,
                       guint64 number)
{
  gsize length = DATE_LENGTH;
  gsize stem_length = stem != NULL ? measure_stem (stem) : 0;

  write_date (out, internaldate);
  if (stem_length > 0)
    {
      memcpy (out + length, stem, stem_length);
      length += stem_length;
      out[length++] = '_';
    }
  return length + write_number (out + length, number);
}

/* @length octets at @digits as a number in its only spelling. */
static gboolean
parse_number (const gchar *digits, gsize length, guint64 *out_number)
{
  guint64 number = 0;

  if (length == 0 || length > 11 || digits[0] == '0')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (digits[i]))
        return FALSE;
      number = number * 10 + (guint64) (digits[i] - '0');
    }
  if (number > MM_MESSAGE_NUMBER_MAX)
    return FALSE;
  *out_number = number;
  return TRUE;
}

static gboolean
begins_with_date (const gchar *name)
{
  static const gchar pattern[] = "dddd-dd-dd_";

  for (gsize i = 0; i < sizeof pattern - 1; i++)
    if (pattern[i] == 'd' ? !g_ascii_isdigit (name[i]) : name[i] != pattern[i])
      return FALSE;
  return TRUE;
}

MmMessageNameForm
mm_message_name_parse (const gchar *name, guint64 *out_number)
{
  gsize length = strlen (name);

  if (length <= SUFFIX_LENGTH || memcmp (name + length - SUFFIX_LENGTH, SUFFIX, SUFFIX_LENGTH) != 0)
    return MM_MESSAGE_NAME_NONE;
  length -= SUFFIX_LENGTH;
  if (parse_number (name, length, out_number))
    return MM_MESSAGE_NAME_BARE;

  const gchar *underscore = memrchr (name, '_', length);
  if (underscore == NULL || !begins_with_date (name))
    return MM_MESSAGE_NAME_NONE;
  const gchar *digits = underscore + 1;
  if (!parse_number (digits, (gsize) (name + length - digits), out_number))
    return MM_MESSAGE_NAME_NONE;
  return MM_MESSAGE_NAME_FULL;
}
