// SPDX-License-Identifier: GPL-3.0-or-later
/* Every limit that a conversation can reach ends what was asked for with an error that names it. */
#include <string.h>

#include <mailmount/limits.h>

#include "remote-fixture.h"

#define LISTED   HELLO ("") "C: LIST *\nC: LSUB *\n"
#define EXAMINED HELLO ("") "C: EXAMINE *\nS: * 9 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: $T OK\nC: UID FETCH *\n"

typedef enum
{
  JOB_LIST,
  JOB_SYNC,
  JOB_FETCH,
} JobKind;

typedef struct
{
  const gchar *name;
  gsize field; /* its place in MmLimits */
  gsize size;
  guint64 value;
  JobKind job;
  const gchar *script;
  const gchar *words;
} Case;

#define LIMIT(FIELD) #FIELD, G_STRUCT_OFFSET (MmLimits, FIELD), sizeof ((MmLimits *) NULL)->FIELD

static const Case cases[] = {
  { LIMIT (line_octets), 300, JOB_FETCH,
    EXAMINED "S: * X 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
             "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
             "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
             "0123456789 0123456789 0123456789 0123456789 0123456789\nW",
    "a line of more than 300 octets" },
  { LIMIT (literal_octets), 8, JOB_FETCH, EXAMINED "R: * 1 FETCH (UID 3 BODY[] {9}\\r\\nW\nW",
    "a literal of more than 8 octets" },
  { LIMIT (string_octets), 60, JOB_LIST,
    LISTED "S: * LIST () \"/\" \"0123456789012345678901234567890123456789012345678901234567890\"\nW",
    "a string of more than 60 octets" },
  { LIMIT (nesting), 3, JOB_LIST, LISTED "S: * LIST () \"/\" x (((((\nW",
    "nested lists beyond the limit of 3" },
  { LIMIT (list_entries), 3, JOB_LIST, LISTED "S: * LIST (a b c d) \"/\" x\nW",
    "a list beyond the limit of 3" },
  { LIMIT (capabilities), 9, JOB_LIST, LISTED "S: * CAPABILITY a b c d e f g h i j\nW",
    "capabilities beyond the limit of 9" },
  { LIMIT (flags), 2, JOB_SYNC, EXAMINED "S: * 1 FETCH (UID 3 FLAGS (a b c))\nW",
    "flags beyond the limit of 2" },
  { LIMIT (keyword_octets), 5, JOB_SYNC, EXAMINED "S: * 1 FETCH (UID 3 FLAGS (abc def))\nW",
    "keyword octets beyond the limit of 5" },
  { LIMIT (set_ranges), 2, JOB_SYNC, EXAMINED "S: * SEARCH 1 3 5 7\nW",
    "a set of UIDs beyond the limit of 2" },
  { LIMIT (untagged_per_command), 9, JOB_SYNC,
    EXAMINED "S: * X\nS: * X\nS: * X\nS: * X\nS: * X\nS: * X\nS: * X\nS: * X\nS: * X\nS: * X\nW",
    "more than 9 untagged lines" },
  { LIMIT (connection_octets), 4, JOB_FETCH, EXAMINED "R: * 1 FETCH (BODY[] {5}\\r\\nabcde UID 3)\\r\\n\nW",
    "the memory of a connection, 4 octets" },
  { LIMIT (mailboxes), 2, JOB_LIST,
    LISTED "S: * LIST () \"/\" a\nS: * LIST () \"/\" b\nS: * LIST () \"/\" c\nW",
    "mailboxes beyond the limit of 2" },
  { LIMIT (list_octets), 2000, JOB_LIST,
    LISTED "S: * LIST () \"/\" a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a\nW",
    "the memory of a list, 2000 octets" },
  { LIMIT (messages), 2, JOB_SYNC,
    EXAMINED "S: * 1 FETCH (UID 1 RFC822.SIZE 1)\nS: * 2 FETCH (UID 2 RFC822.SIZE 1)\n"
             "S: * 3 FETCH (UID 3 RFC822.SIZE 1)\nW",
    "messages beyond the limit of 2" },
};

typedef struct
{
  GMutex lock;
  GCond changed;
  gchar *message;
  gboolean is_done;
} Outcome;

static void
on_done (const GError *error, gpointer user_data)
{
  Outcome *outcome = user_data;

  g_mutex_lock (&outcome->lock);
  if (outcome->message == NULL && error != NULL)
    outcome->message = g_strdup (error->message);
  outcome->is_done = TRUE;
  g_cond_signal (&outcome->changed);
  g_mutex_unlock (&outcome->lock);
}

static void
on_sync_done (const MmMailboxState *state G_GNUC_UNUSED, const GError *error, gpointer user_data)
{
  on_done (error, user_data);
}

static void
on_item_done (gsize index G_GNUC_UNUSED, MmProbeResult probe G_GNUC_UNUSED, const GError *error,
              gpointer user_data)
{
  Outcome *outcome = user_data;

  if (error != NULL)
    outcome->message = g_strdup (error->message);
}

static void
ignore_mailbox (const MmRemoteMailbox *mailbox G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
}

static void
ignore_opened (const MmMailboxState *state G_GNUC_UNUSED, gboolean is_restart G_GNUC_UNUSED,
               gpointer user_data G_GNUC_UNUSED)
{
}

static void
ignore_message (const MmRemoteMessage *message G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
}

static void
ignore_begin (gsize index G_GNUC_UNUSED, guint64 length G_GNUC_UNUSED,
              gpointer user_data G_GNUC_UNUSED)
{
}

static void
ignore_data (gsize index G_GNUC_UNUSED, const guint8 *data G_GNUC_UNUSED,
             gsize length G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
}

static MmRemoteJob *
start (MmRemote *remote, JobKind kind, Outcome *outcome)
{
  static const MmRemoteListSink list_sink = { .mailbox = ignore_mailbox, .done = on_done };
  static const MmRemoteSyncSink sync_sink
      = { .opened = ignore_opened, .message = ignore_message, .done = on_sync_done };
  static const MmRemoteFetchSink fetch_sink = {
    .begin = ignore_begin,
    .data = ignore_data,
    .item_done = on_item_done,
    .done = on_done,
  };
  static const MmRemoteSyncRequest request = { .mailbox = "Box" };
  static const MmFetchItem item = { .uid = 3 };

  switch (kind)
    {
    case JOB_LIST:
      return mm_remote_list_mailboxes (remote, &list_sink, outcome);
    case JOB_SYNC:
      return mm_remote_sync_mailbox (remote, &request, &sync_sink, outcome);
    case JOB_FETCH:
      return mm_remote_fetch (remote, "Box", 7, &item, 1, MM_REMOTE_PRIORITY_DEMAND, &fetch_sink,
                              outcome);
    }
  g_assert_not_reached ();
}

static void
set_limit (MmLimits *limits, const Case *test)
{
  gpointer field = (guint8 *) limits + test->field;

  if (test->size == sizeof (guint64))
    *(guint64 *) field = test->value;
  else
    *(guint32 *) field = (guint32) test->value;
}

static void
test_limit (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (Fixture) fixture = fixture_new ();
  MmLimits limits = mm_limits_default;
  Outcome outcome = { 0 };

  limits.repetitions = 0;
  set_limit (&limits, test);
  fixture->config.limits = &limits;
  scripted_server_add (fixture->server, test->script);

  g_autoptr (MmRemoteJob) job = start (fixture_get_remote (fixture), test->job, &outcome);
  g_mutex_lock (&outcome.lock);
  while (!outcome.is_done)
    g_cond_wait (&outcome.changed, &outcome.lock);
  g_mutex_unlock (&outcome.lock);
  if (outcome.message == NULL || strstr (outcome.message, test->words) == NULL)
    g_error ("%s: %s", test->name, outcome.message);
  g_free (outcome.message);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree gchar *path = g_strdup_printf ("/remote/limits/%s", cases[i].name);
      g_test_add_data_func (path, &cases[i], test_limit);
    }
  return g_test_run ();
}
