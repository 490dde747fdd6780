// SPDX-License-Identifier: GPL-3.0-or-later
/* mailmount fetch: makes a tree available offline by reading it. */
#include "subcommand.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <mailmount/clock.h>
#include <mailmount/log.h>

#include "fetch-child.h"
#include "fetch-progress.h"
#include "mount-check.h"
#include "patient-read.h"
#include "report.h"

#define STATUS_FAILED      1
#define STATUS_INTERRUPTED 130 /* as a shell tells the end by SIGINT */

#define BAR_MS  200
#define LINE_US (10 * G_USEC_PER_SEC)

typedef struct
{
  const MmSubcommand *command;
  gboolean is_quiet;
  gboolean is_terminal;
  gint64 began_us;
  gint64 told_us;    /* when the last line was printed, without a terminal */
  GPtrArray *failed; /* Array<gchar *>: lines */
  GPtrArray *mounts; /* Array<gchar *>: where the mounts are that it reads from, each once */
} Run;

/* A few are worth reading; all are in the log of the mount. */
#define FAILED_MAX 1000

static void
note_failed (const gchar *path, const gchar *why, gpointer user_data)
{
  Run *run = user_data;

  if (run->failed->len < FAILED_MAX)
    g_ptr_array_add (run->failed, g_strdup_printf ("%s: %s", path, why));
}

/* ---- telling ---- */

static void
show_progress (Run *run, const MmFetchProgress *progress)
{
  gint64 now_us = mm_clock_monotonic_us ();
  gint64 elapsed_us = now_us - run->began_us;

  if (run->is_quiet)
    return;
  if (run->is_terminal)
    {
      g_autofree gchar *line = mm_fetch_progress_draw (progress, elapsed_us);
      printf ("\r%s\033[K", line);
    }
  else if (now_us - run->told_us >= LINE_US)
    {
      g_autofree gchar *line = mm_fetch_progress_describe (progress, elapsed_us);
      puts (line);
      run->told_us = now_us;
    }
  fflush (stdout);
}

static void
show_end (Run *run, const MmFetchProgress *progress, gboolean is_interrupted)
{
  if (!run->is_quiet)
    {
      g_autofree gchar *line = mm_fetch_progress_sum (progress);
      printf ("%s%s%s\n", run->is_terminal ? "\r\033[K" : "", line,
              is_interrupted ? "; interrupted" : "");
    }
  for (guint i = 0; i < run->failed->len; i++)
    mm_subcommand_complain (run->command, "%s",
                            (const gchar *) g_ptr_array_index (run->failed, i));
  if (progress->n_failed > run->failed->len)
    mm_subcommand_complain (run->command, "and %" G_GUINT64_FORMAT " more",
                            progress->n_failed - run->failed->len);
}

/* What a cache is short of, by the report @json of its mount, in people's words; NULL: of nothing.
 * (transfer full) */
static gchar *
describe_lack (const gchar *json)
{
  g_autofree gchar *lack = mm_report_find_word (json, MM_REPORT_CACHE_LACK);
  g_autofree gchar *directory = mm_report_find_word (json, MM_REPORT_CACHE_DIRECTORY);
  guint64 size = 0, floor = 0, available = 0;

  mm_report_find_number (json, MM_REPORT_CACHE_SIZE, &size);
  mm_report_find_number (json, MM_REPORT_CACHE_FLOOR, &floor);
  mm_report_find_number (json, MM_REPORT_CACHE_FREE, &available);
  g_autofree gchar *size_text = g_format_size_full (size, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree gchar *floor_text = g_format_size_full (floor, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree gchar *available_text = g_format_size_full (available, G_FORMAT_SIZE_IEC_UNITS);

  if (g_strcmp0 (lack, MM_REPORT_LACK_SIZE) == 0)
    return g_strdup_printf ("%s may take %s, which is too small for all: mount with a larger "
                            "cache_size=",
                            directory != NULL ? "it" : "with cache=none it is memory, and", size_text);
  if (g_strcmp0 (lack, MM_REPORT_LACK_DISK) == 0)
    return g_strdup_printf ("%s of its disk are to stay free, and %s are: make room, or mount with a "
                            "smaller cache_free=", floor_text, available_text);
  if (g_strcmp0 (lack, MM_REPORT_LACK_COUNT) == 0)
    return g_strdup ("what it holds was not counted yet: fetch again");
  return NULL;
}

static void
explain_lost (const Run *run, guint64 n_lost)
{
  gboolean is_explained = FALSE;

  for (guint i = 0; i < run->mounts->len; i++)
    {
      const gchar *mount = g_ptr_array_index (run->mounts, i);
      g_autofree gchar *json = mm_patient_get_attribute (mount, "user.mailmount.status",
                                                         MM_MOUNT_ANSWER_MS, NULL);
      g_autofree gchar *why = json != NULL ? describe_lack (json) : NULL;

      if (why == NULL)
        continue;
      mm_subcommand_complain (run->command,
                              "%" G_GUINT64_FORMAT " messages did not stay in the cache of '%s': %s",
                              n_lost, mount, why);
      is_explained = TRUE;
    }
  if (!is_explained)
    mm_subcommand_complain (run->command,
                            "%" G_GUINT64_FORMAT " messages did not come into the cache; the log of the "
                            "mount may say why", n_lost);
}

/* ---- working ---- */

static void
note_mount (const Run *run, const GPtrArray *table, const gchar *path)
{
  const MmMountEntry *mount = mm_mount_table_find_holder (table, path);

  if (!g_ptr_array_find_with_equal_func (run->mounts, mount->path, g_str_equal, NULL))
    g_ptr_array_add (run->mounts, g_strdup (mount->path));
}

/* The directories to fetch; NULL when one is not in a mailmount. (transfer full) */
static GStrv
resolve (const Run *run, gchar **paths)
{
  const MmSubcommand *command = run->command;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) table = mm_mount_table_read (&error);
  g_autoptr (GStrvBuilder) resolved = g_strv_builder_new ();

  if (table == NULL)
    {
      mm_subcommand_complain (command, "%s", error->message);
      return NULL;
    }
  for (; *paths != NULL; paths++)
    {
      g_autofree gchar *path = mm_mount_table_resolve (table, *paths);
      if (!mm_mount_check (command, table, path))
        return NULL;
      note_mount (run, table, path);
      g_strv_builder_add (resolved, path);
    }
  return g_strv_builder_end (resolved);
}

/* What a signal says: FALSE for none, and for the child's. */
static gboolean
wait_for_signal (const sigset_t *signals)
{
  struct timespec time = { .tv_nsec = BAR_MS * 1000 * 1000 };
  int number = sigtimedwait (signals, NULL, &time);
  return number > 0 && number != SIGCHLD;
}

/* Signals that are to end it come to wait_for_signal(), as does the end of the child. */
static void
block_signals (sigset_t *out)
{
  sigemptyset (out);
  sigaddset (out, SIGINT);
  sigaddset (out, SIGTERM);
  sigaddset (out, SIGHUP);
  sigaddset (out, SIGCHLD);
  pthread_sigmask (SIG_BLOCK, out, NULL);
}

/* How the run ended. */
typedef struct
{
  MmFetchProgress progress;
  gboolean is_interrupted;
  gboolean is_left; /* the child did not end when it was told to */
} End;

/* Follows @child to its end, or for a while after it was told to end. */
static void
follow (Run *run, MmFetchChild *child, const sigset_t *signals, End *out, GError **error)
{
  gint64 patience_end_us = G_MAXINT64;

  while (mm_fetch_child_collect (child, &out->progress, error))
    {
      if (mm_clock_monotonic_us () >= patience_end_us)
        {
          out->is_left = TRUE;
          return;
        }
      show_progress (run, &out->progress);
      if (!wait_for_signal (signals) || out->is_interrupted)
        continue;
      out->is_interrupted = TRUE;
      patience_end_us = mm_clock_monotonic_us () + MM_MOUNT_ANSWER_MS * 1000;
      mm_fetch_child_stop (child);
    }
}

static int
fetch (Run *run, GStrv paths)
{
  End end = { .progress.is_listing = TRUE };
  g_autoptr (GError) error = NULL;
  sigset_t signals;

  block_signals (&signals);
  run->began_us = run->told_us = mm_clock_monotonic_us ();
  g_autoptr (MmFetchChild) child
      = mm_fetch_child_new ((const gchar *const *) paths, note_failed, run, &error);
  if (child != NULL)
    {
      follow (run, child, &signals, &end, &error);
      show_end (run, &end.progress, end.is_interrupted);
      if (end.progress.n_lost > 0)
        explain_lost (run, end.progress.n_lost);
    }
  if (end.is_left)
    mm_subcommand_complain (run->command,
                            "the mount does not answer: who waits for it is left behind, until it does "
                            "or is taken away (fusermount3 -uz)");
  if (error != NULL)
    mm_subcommand_complain (run->command, "%s", error->message);
  if (end.is_interrupted)
    return STATUS_INTERRUPTED;
  return error != NULL || end.progress.n_failed + end.progress.n_lost > 0 ? STATUS_FAILED
                                                                          : MM_SUBCOMMAND_OK;
}

static int
run_command (const MmSubcommand *command, gint argc, gchar **argv)
{
  g_autoptr (GPtrArray) failed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) mounts = g_ptr_array_new_with_free_func (g_free);
  Run run = { .command = command, .failed = failed, .mounts = mounts };
  const GOptionEntry entries[] = {
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &run.is_quiet, "say nothing but what failed", NULL },
    { NULL },
  };
  int status = MM_SUBCOMMAND_OK;

  if (!mm_subcommand_parse (command, entries, &argc, &argv, &status))
    return status;
  if (argc < 2)
    {
      mm_subcommand_complain (command, "a mounted directory is expected");
      return MM_SUBCOMMAND_USAGE;
    }
  g_auto (GStrv) paths = resolve (&run, argv + 1);
  if (paths == NULL)
    return MM_SUBCOMMAND_USAGE;
  run.is_terminal = isatty (STDOUT_FILENO) == 1;
  return fetch (&run, paths);
}

const MmSubcommand mm_fetch_command = {
  .name = "fetch",
  .arguments = "[--quiet] MOUNTPOINT[/FOLDER…]…",
  .summary = "make messages available offline",
  .description = "Reads all messages in mounted directories and below them, so that they are in the\n"
                 "cache. What is there already costs nothing. When the cache is too small for all,\n"
                 "this is told.\n"
                 "\n"
                 "Exit status: 0 when all are there; 1 when some are not; 130 when it was\n"
                 "interrupted; 2 for wrong arguments.",
  .run = run_command,
};
