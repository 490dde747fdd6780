// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "../../src/codec/imap-date.h"

static void
check (const gchar *text, gint64 expected)
{
  gint64 seconds = -42;

  if (!mm_imap_date_parse (text, strlen (text), &seconds))
    g_error ("“%s” was refused", text);
  g_assert_cmpint (seconds, ==, expected);
}

static void
test_standard (void)
{
  check ("17-Jul-1996 02:44:25 -0700", 837596665);
  check (" 1-Jan-1970 00:00:00 +0000", 0);
  check ("01-Jan-1970 01:00:00 +0100", 0);
  check ("31-Dec-1969 23:59:59 +0000", -1);
  check ("29-Feb-2000 12:00:00 +0000", 951825600);
  check ("01-Mar-2000 00:00:00 +1400", 951818400);
  check ("19-Jan-2038 03:14:08 +0000", G_GINT64_CONSTANT (2147483648));
  check ("31-Dec-9999 23:59:59 +0000", G_GINT64_CONSTANT (253402300799));
  check ("01-Jan-0001 00:00:00 +0000", -G_GINT64_CONSTANT (62135596800));
}

static void
test_odd_forms (void)
{
  check ("1-Jan-1970 00:00:00 +0000", 0);
  check ("01-JAN-1970 00:00:00 +0000", 0);
  check ("01-jan-1970 00:00:00", 0);
  check ("01-Jan-1970 00:00 +0000", 0);
  check ("01-Jan-1970 0:00:00 GMT", 0);
  check ("01-Jan-1970 00:00:00 UT", 0);
  check ("01-Jan-1970 02:00:00 +02:00", 0);
  check ("01-Jan-1970  00:00:00  +0000 ", 0);
  check ("Thu, 1 Jan 1970 00:00:00 +0000", 0);
  check ("Thu 01-Jan-1970 00:00:00 +0000", 0);
  check ("01-Jan-70 00:00:00 +0000", 0);
  check ("01-Jan-00 00:00:00 +0000", 946684800);
  check ("31-Dec-1998 23:59:60 +0000", 915148800);
  check ("01-Jan-1970 24:00:00 +0000", 86400);
}

static void
test_refused (void)
{
  static const gchar *const texts[] = {
    "",
    " ",
    "x",
    "32-Jan-1970 00:00:00 +0000",
    "0-Jan-1970 00:00:00 +0000",
    "29-Feb-1900 00:00:00 +0000",
    "29-Feb-2001 00:00:00 +0000",
    "31-Apr-2000 00:00:00 +0000",
    "01-Foo-1970 00:00:00 +0000",
    "01-Jan-0000 00:00:00 +0000",
    "01-Jan-1970",
    "01-Jan-1970 25:00:00 +0000",
    "01-Jan-1970 00:60:00 +0000",
    "01-Jan-1970 00:00:61 +0000",
    "01-Jan-1970 00:00:00 +0",
    "01-Jan-1970 00:00:00 +0060",
    "01-Jan-1970 00:00:00 +0000 x",
    "01-Jan-19700 00:00:00 +0000",
    "01-Jan-1970 00:00:00.5 +0000",
    "01 Jan-1970 00:00:00 +0000",
    "-1-Jan-1970 00:00:00 +0000",
    "01-Ja",
    "01-Jan-1970 00:",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      gint64 seconds = -42;

      if (mm_imap_date_parse (texts[i], strlen (texts[i]), &seconds))
        g_error ("“%s” gave %" G_GINT64_FORMAT, texts[i], seconds);
      g_assert_cmpint (seconds, ==, -42);
    }
}

/* Every day against GLib's calendar. */
static void
test_every_day (void)
{
  static const gchar *const months[]
      = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  GDate epoch, date;

  g_date_clear (&epoch, 1);
  g_date_set_dmy (&epoch, 1, G_DATE_JANUARY, 1970);
  g_date_clear (&date, 1);
  g_date_set_dmy (&date, 1, G_DATE_JANUARY, 1890);
  while (g_date_get_year (&date) < 2110)
    {
      g_autofree gchar *text
          = g_strdup_printf ("%02d-%s-%04d 00:00:00 +0000", g_date_get_day (&date),
                             months[g_date_get_month (&date) - 1], g_date_get_year (&date));

      check (text, (gint64)g_date_days_between (&epoch, &date) * 86400);
      g_date_add_days (&date, 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/imap/date/standard", test_standard);
  g_test_add_func ("/imap/date/odd-forms", test_odd_forms);
  g_test_add_func ("/imap/date/refused", test_refused);
  g_test_add_func ("/imap/date/every-day", test_every_day);
  return g_test_run ();
}
