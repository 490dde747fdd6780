// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The command line, a line for each word, and the source's URL: what is refused is refused in one line that can be
 * shown on a terminal.
 */
#include <string.h>

#include "../../src/app/options.h"
#include "fuzz.h"

#define WORDS_MAX 40

static void
check_error (const GError *error)
{
  g_assert (error != NULL && error->domain == MM_ERROR);
  g_assert (error->message[0] != '\0' && g_utf8_validate (error->message, -1, NULL));
  for (const gchar *p = error->message; *p != '\0'; p++)
    g_assert (!g_ascii_iscntrl (*p));
}

static void
check_url (const gchar *text)
{
  g_auto (MmSourceUrl) url = { 0 };
  g_autoptr (GError) error = NULL;

  if (!mm_source_url_parse (text, &url, &error))
    {
      g_autofree gchar *shown = mm_log_printable (error->message);
      g_assert (error->domain == MM_ERROR && shown[0] != '\0');
      return;
    }
  g_assert (url.host != NULL && url.host[0] != '\0' && g_str_is_ascii (url.host));
  g_assert (url.user == NULL || g_utf8_validate (url.user, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", WORDS_MAX);
  gchar *argv[WORDS_MAX + 2] = { (gchar *) "mailmount" };
  gint argc = 1;
  g_autoptr (MmConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  fuzz_be_quiet ();
  for (guint i = 0; lines[i] != NULL; i++)
    {
      check_url (lines[i]);
      argv[argc++] = lines[i];
    }
  switch (mm_options_parse (argc, argv, &config, &error))
    {
    case MM_COMMAND_MOUNT:
      g_assert (config != NULL && config->mountpoint != NULL && config->source.host != NULL);
      break;
    case MM_COMMAND_INVALID:
      check_error (error);
      break;
    case MM_COMMAND_HELP:
    case MM_COMMAND_VERSION:
      g_assert_no_error (error);
      break;
    }
  return 0;
}
