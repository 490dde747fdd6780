// SPDX-License-Identifier: GPL-3.0-or-later
/* mailmount cache: what a cache directory holds, and emptying it. */
#include "subcommand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailmount/cache-census.h>
#include <mailmount/folder-name.h>
#include <mailmount/log.h>

#include "paths.h"
#include "source-url.h"

#define STATUS_TROUBLE 1

/* What is not said of most accounts. */
#define USUAL_SCHEME "imap://"

/* What the command line names. */
typedef struct
{
  gchar *directory;
  gboolean has_source;
  MmSourceUrl source;
} Choice;

static void
clear_choice (Choice *choice)
{
  g_free (choice->directory);
  mm_source_url_clear (&choice->source);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Choice, clear_choice)

static gboolean
take_word (Choice *choice, const gchar *word, GError **error)
{
  if (strstr (word, "://") != NULL && !choice->has_source)
    {
      choice->has_source = TRUE;
      return mm_source_url_parse (word, &choice->source, error);
    }
  if (strstr (word, "://") == NULL && choice->directory == NULL)
    {
      choice->directory = mm_path_absolute (word);
      return TRUE;
    }
  g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "'%s' is one too many", word);
  return FALSE;
}

/* Whether @key ("imap://USER@HOST:PORT", or "pop3://…") is an account that was chosen. */
static gboolean
is_chosen (const Choice *choice, const gchar *key)
{
  if (!choice->has_source)
    return TRUE;
  if (key == NULL)
    return FALSE;
  g_autofree gchar *prefix
      = g_strdup_printf ("%s://%s@%s:", mm_source_url_get_scheme (&choice->source),
                         choice->source.user, choice->source.host);
  if (!g_str_has_prefix (key, prefix))
    return FALSE;
  return choice->source.port == 0
         || (guint) atoi (key + strlen (prefix)) == choice->source.port;
}

static gboolean
is_same_component (const gchar *a, const gchar *b, gboolean is_first)
{
  return strcmp (a, b) == 0 || (is_first && mm_mailbox_is_inbox (a) && mm_mailbox_is_inbox (b));
}

/* Whether the folder at @path (nullable) is the one that was chosen, or below it. */
static gboolean
is_chosen_folder (const Choice *choice, const gchar *path)
{
  if (choice->source.folder == NULL)
    return TRUE;
  if (path == NULL)
    return FALSE;
  g_auto (GStrv) wanted = g_strsplit (choice->source.folder, "/", -1);
  g_auto (GStrv) components = g_strsplit (path, "/", -1);
  gsize n = 0;

  for (gsize i = 0; wanted[i] != NULL; i++)
    if (*wanted[i] != '\0')
      {
        if (components[n] == NULL || !is_same_component (components[n], wanted[i], n == 0))
          return FALSE;
        n++;
      }
  return TRUE;
}

/* What was chosen of a directory. */
typedef struct
{
  GArray *ids; /* Array<guint32>: the folders; owned */
  guint64 n_messages;
  guint64 octets;
} Selection;

static void
clear_selection (Selection *selection)
{
  g_clear_pointer (&selection->ids, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Selection, clear_selection)

/* Adds what was chosen of @account. */
static void
select_folders (const Choice *choice, const MmCensusAccount *account, Selection *selection)
{
  for (guint i = 0; is_chosen (choice, account->key) && i < account->folders->len; i++)
    {
      const MmCensusFolder *folder = g_ptr_array_index (account->folders, i);
      if (!is_chosen_folder (choice, folder->path))
        continue;
      g_array_append_val (selection->ids, folder->id);
      selection->n_messages += folder->n_messages;
      selection->octets += folder->octets;
    }
}

/* ---- showing ---- */

static void
print_line (const gchar *what, gint64 n_messages, guint64 octets)
{
  g_autofree gchar *name = mm_log_printable (what);
  g_autofree gchar *size = g_format_size_full (octets, G_FORMAT_SIZE_IEC_UNITS);

  if (n_messages >= 0)
    printf ("%-40s %9" G_GINT64_FORMAT " messages %12s\n", name, n_messages, size);
  else
    printf ("%-40s %18s %12s\n", name, "", size);
}

static void
print_account (const Choice *choice, const MmCensusAccount *account, const gchar *name)
{
  g_auto (Selection) selection = { .ids = g_array_new (FALSE, FALSE, sizeof (guint32)) };
  const gchar *folder = choice->source.folder;
  g_autofree gchar *what = g_strdup_printf ("%s%s%s", name, folder != NULL ? "/" : "",
                                            folder != NULL ? folder : "");

  select_folders (choice, account, &selection);
  print_line (what, (gint64) selection.n_messages, selection.octets);
}

static void
show (const Choice *choice, const MmCacheCensus *census)
{
  g_autofree gchar *directory = mm_log_printable (choice->directory);

  printf ("%s\n", directory);
  for (guint i = 0; i < census->accounts->len; i++)
    {
      const MmCensusAccount *account = g_ptr_array_index (census->accounts, i);
      const gchar *name = account->key != NULL && g_str_has_prefix (account->key, USUAL_SCHEME)
                              ? account->key + strlen (USUAL_SCHEME)
                              : account->key;
      if (is_chosen (choice, account->key))
        print_account (choice, account, name != NULL ? name : "(of no account)");
    }
  if (choice->has_source)
    return;
  print_line ("all", (gint64) census->n_messages, census->octets);
  print_line ("the index", -1, census->index_octets);
  if (census->n_set_aside > 0)
    print_line ("set aside (--purge removes it)", -1, census->set_aside_octets);
}

/* ---- emptying ---- */

static gboolean
purge (const Choice *choice, const MmCacheCensus *census, GError **error)
{
  g_auto (Selection) selection = { .ids = g_array_new (FALSE, FALSE, sizeof (guint32)) };

  if (!choice->has_source)
    return mm_cache_purge (choice->directory, NULL, error);
  for (guint i = 0; i < census->accounts->len; i++)
    select_folders (choice, g_ptr_array_index (census->accounts, i), &selection);
  return mm_cache_purge (choice->directory, selection.ids, error);
}

/* ---- */

/* Complains when the source is not there. */
static gboolean
has_source (const MmSubcommand *command, const Choice *choice, const MmCacheCensus *census)
{
  g_auto (Selection) selection = { .ids = g_array_new (FALSE, FALSE, sizeof (guint32)) };
  gboolean has_account = FALSE;

  for (guint i = 0; i < census->accounts->len; i++)
    {
      const MmCensusAccount *account = g_ptr_array_index (census->accounts, i);
      has_account |= is_chosen (choice, account->key);
      select_folders (choice, account, &selection);
    }
  if (!has_account)
    mm_subcommand_complain (command, "nothing of this account is in '%s'", choice->directory);
  else if (choice->source.folder != NULL && selection.ids->len == 0)
    mm_subcommand_complain (command, "the account in '%s' has no folder '%s'", choice->directory,
                            choice->source.folder);
  else
    return TRUE;
  return FALSE;
}

static int
work (const MmSubcommand *command, const Choice *choice, gboolean is_purge)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmCacheCensus) census = mm_cache_census_take (choice->directory, &error);

  if (census == NULL)
    {
      mm_subcommand_complain (command, "%s", error->message);
      return STATUS_TROUBLE;
    }
  if (census->index_problem != NULL)
    mm_subcommand_complain (command, "whose messages these are cannot be told: %s",
                            census->index_problem);
  if (choice->has_source && !has_source (command, choice, census))
    return STATUS_TROUBLE;
  if (is_purge)
    {
      gboolean is_purged = purge (choice, census, &error);
      g_clear_pointer (&census, mm_cache_census_free);
      if (is_purged)
        census = mm_cache_census_take (choice->directory, &error);
      if (census == NULL)
        {
          mm_subcommand_complain (command, "%s", error->message);
          return STATUS_TROUBLE;
        }
    }
  show (choice, census);
  return fflush (stdout) == 0 ? MM_SUBCOMMAND_OK : STATUS_TROUBLE;
}

static int
run (const MmSubcommand *command, gint argc, gchar **argv)
{
  gboolean is_purge = FALSE;
  const GOptionEntry entries[] = {
    { "purge", 0, 0, G_OPTION_ARG_NONE, &is_purge, "remove the messages, and what was set aside",
      NULL },
    { NULL },
  };
  g_auto (Choice) choice = { 0 };
  g_autoptr (GError) error = NULL;
  int status = MM_SUBCOMMAND_OK;

  if (!mm_subcommand_parse (command, entries, &argc, &argv, &status))
    return status;
  for (gint i = 1; i < argc; i++)
    if (!take_word (&choice, argv[i], &error))
      {
        mm_subcommand_complain (command, "%s", error->message);
        return MM_SUBCOMMAND_USAGE;
      }
  if (choice.directory == NULL)
    choice.directory = mm_path_default_cache ();
  return work (command, &choice, is_purge);
}

const MmSubcommand mm_cache_command = {
  .name = "cache",
  .arguments = "[--purge] [SOURCE] [DIR]",
  .summary = "what the cache holds; --purge empties it",
  .description
  = "Tells how many messages of which account are in the cache directory DIR, without it\n"
    "in that of a mount without cache=, and how much of the disk they take; with SOURCE\n"
    "of that account alone, or of the folder that it names and what is below. Mounts may\n"
    "use it meanwhile: what they have open stays readable, and what is read later is\n"
    "downloaded again. Names and numbers stay.\n"
    "\n"
    "Exit status: 0; 1 when there is no such cache, account or folder, or it cannot be\n"
    "emptied; 2 for wrong arguments.",
  .run = run,
};
