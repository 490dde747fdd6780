// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server says to a session that has commands in progress. The input is
 *
 *     LETTERS LF OCTETS
 *
 * where each letter is a command that is sent once the greeting came (see submit()), and the octets are what the
 * server sends. The events must be the same however the octets are cut, bodies must have the length that was
 * announced, tags must be ours, and what is sent must be of the allow-list.
 */
#include <mailmount/deflate.h>
#include <mailmount/imap-backoff.h>

#include "fuzz.h"
#include "imap-fingerprint.h"

#define COMMANDS_MAX 32
/* A compressed stream may grow a thousandfold; a run is to take milliseconds. */
#define INFLATED_MAX (1 << 20)

typedef struct
{
  MmImapSession *session;
  const gchar *letters; /* LF behind them */
  guint32 n_tags;       /* that were given out, from 1 on */
  guint32 compress_tag;
  gboolean ends_idle;
  gboolean is_random; /* SCRAM sends a number that is another one each time */
  MmDeflate *deflate; /* nullable */
  gsize n_inflated;
  gboolean is_broken; /* no DEFLATE stream, or too much of it: how far one gets depends on the cut */

  guint64 print; /* of what came */
  guint64 sent_print; /* of what was sent, which has no order with what came */
  gboolean is_in_body;
  guint64 body_left;
  gboolean has_failed;
} Run;

static MmImapCommand *
new_authenticate (const gchar *mechanism)
{
  g_autoptr (MmSecret) password = mm_secret_new ("pencil", 6);
  g_autoptr (MmSecret) token = mm_secret_new ("token", 5);
  MmSaslCredentials credentials
      = { .user = "user", .password = password, .token = token, .service = "imap", .host = "host" };
  MmSasl *sasl = mm_sasl_new (mechanism, &credentials, NULL);

  return sasl != NULL ? mm_imap_command_authenticate (sasl) : NULL;
}

static MmImapCommand *
new_fetch (gboolean is_from, const MmImapFetchRequest *request)
{
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();

  mm_uid_set_add_range (uids, 1, 9);
  return is_from ? mm_imap_command_uid_fetch_from (1, request)
                 : mm_imap_command_uid_fetch (uids, request);
}

/* NULL: not a letter of a command. */
static MmImapCommand *
new_command (gchar letter)
{
  static const MmImapPartial partials[] = { { 0, 16384 }, { 99, 1 } };
  static const MmImapFetchRequest listing
      = { .items = MM_IMAP_FETCH_FLAGS | MM_IMAP_FETCH_INTERNALDATE | MM_IMAP_FETCH_RFC822_SIZE,
          .header_fields = "SUBJECT" };
  static const MmImapFetchRequest bodies = { .whole_body = TRUE };
  static const MmImapFetchRequest ranges = { .partials = partials, .n_partials = 2 };
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();
  g_autoptr (MmSecret) password = mm_secret_new ("pen\r\ncil", 8);

  mm_uid_set_add_range (uids, 1, 99);
  switch (letter)
    {
    case 'c':
      return mm_imap_command_capability ();
    case 'n':
      return mm_imap_command_noop ();
    case 'o':
      return mm_imap_command_logout ();
    case 'u':
      return mm_imap_command_unselect ();
    case 'i':
      return mm_imap_command_idle ();
    case 'N':
      return mm_imap_command_namespace ();
    case 'z':
      return mm_imap_command_compress ();
    case 'I':
      return mm_imap_command_id ("mailmount", "1");
    case 'e':
      return mm_imap_command_enable ("QRESYNC UTF8=ACCEPT");
    case 'l':
      return mm_imap_command_login ("us\"er", password);
    case 'p':
      return new_authenticate ("PLAIN");
    case 's':
      return new_authenticate ("SCRAM-SHA-256");
    case 'm':
      return new_authenticate ("CRAM-MD5");
    case 't':
      return new_authenticate ("OAUTHBEARER");
    case 'L':
      return mm_imap_command_list ("", "*", MM_IMAP_LIST_RETURN_STATUS,
                                   MM_IMAP_STATUS_HIGHESTMODSEQ);
    case 'B':
      return mm_imap_command_lsub ("", "*");
    case 'S':
      return mm_imap_command_status ("IN\\BOX", MM_IMAP_STATUS_BASIC);
    case 'x':
      return mm_imap_command_examine ("INBOX", TRUE);
    case 'q':
      return mm_imap_command_examine_since ("INBOX", 1, 2, uids);
    case 'y':
      return mm_imap_command_notify ();
    case 'h':
      return mm_imap_command_uid_search (uids, TRUE);
    case 'f':
      return new_fetch (TRUE, &listing);
    case 'b':
      return new_fetch (FALSE, &bodies);
    case 'r':
      return new_fetch (FALSE, &ranges);
    default:
      return NULL;
    }
}

static void
submit (Run *run)
{
  for (const gchar *p = run->letters; *p != '\n' && run->n_tags < COMMANDS_MAX; p++)
    {
      MmImapCommand *command = new_command (*p);

      run->ends_idle |= *p == 'd';
      run->is_random |= *p == 's';
      if (command == NULL)
        continue;
      guint32 tag = mm_imap_session_submit (run->session, command, NULL);
      /* A mailbox name may be one that this server cannot be sent; otherwise nothing is refused. */
      if (tag == 0)
        continue;
      g_assert (tag > run->n_tags);
      run->n_tags = tag;
      if (*p == 'z')
        run->compress_tag = tag;
    }
}

/* Whatever is sent, it is lines that end, and never of SELECT, STORE or another command that changes something. */
static void
check_output (Run *run)
{
  g_autoptr (GByteArray) output = mm_imap_session_take_output (run->session);
  static const gchar *const forbidden[] = { "SELECT", "STORE", "COPY", "MOVE", "EXPUNGE", "APPEND", "DELETE",
                                            "RENAME", "CREATE", "SUBSCRIBE", "CLOSE" };

  if (output == NULL)
    return;
  g_assert (output->len > 0);
  if (!run->is_random)
    run->sent_print = fingerprint_octets (run->sent_print, output->data, output->len);
  const guint8 *space = memchr (output->data, ' ', output->len);
  gsize rest = space != NULL ? output->len - (gsize) (space + 1 - output->data) : 0;
  for (gsize i = 0; i < G_N_ELEMENTS (forbidden); i++)
    {
      gsize length = strlen (forbidden[i]);
      g_assert (rest < length || memcmp (space + 1, forbidden[i], length) != 0);
    }
}

static void
take_body_data (Run *run, const MmImapEvent *event)
{
  g_assert (run->is_in_body);
  g_assert (event->length > 0 && event->length <= run->body_left);
  run->body_left -= event->length;
  run->print = fingerprint_octets (run->print, event->data, event->length);
}

/* Everything that came behind it is compressed. */
static void
begin_compression (Run *run, const guint8 **out_rest, gsize *out_length)
{
  *out_rest = mm_imap_session_steal_input (run->session, out_length);
  run->deflate = mm_deflate_new ();
}

static void
take_event (Run *run, const MmImapEvent *event)
{
  if (event->type == MM_IMAP_EVENT_BODY_DATA)
    {
      take_body_data (run, event);
      return;
    }
  run->print = fingerprint_event (run->print, event);
  g_assert (mm_imap_find_backoff_ms (event->text) <= MM_IMAP_BACKOFF_MS_MAX);
  switch (event->type)
    {
    case MM_IMAP_EVENT_GREETING:
      submit (run);
      break;
    case MM_IMAP_EVENT_TAGGED:
      g_assert (event->tag > 0 && event->tag <= run->n_tags);
      break;
    case MM_IMAP_EVENT_BODY_BEGIN:
      g_assert (!run->is_in_body);
      run->is_in_body = TRUE;
      run->body_left = event->body.is_nil ? 0 : event->body.length;
      break;
    case MM_IMAP_EVENT_BODY_END:
      g_assert (run->is_in_body && run->body_left == 0);
      run->is_in_body = FALSE;
      break;
    case MM_IMAP_EVENT_IDLING:
      if (run->ends_idle)
        mm_imap_session_end_idle (run->session);
      break;
    default:
      break;
    }
}

/* Pulls what there is; whether compression begins here, with @out_rest. */
static gboolean
pull (Run *run, const guint8 **out_rest, gsize *out_length)
{
  g_autoptr (GError) error = NULL;
  MmImapEvent event;

  while (mm_imap_session_next (run->session, &event, &error))
    {
      take_event (run, &event);
      check_output (run);
      if (event.type == MM_IMAP_EVENT_TAGGED && event.tag == run->compress_tag
          && event.status == MM_IMAP_STATUS_OK)
        {
          begin_compression (run, out_rest, out_length);
          return TRUE;
        }
    }
  check_output (run);
  if (error != NULL)
    {
      g_assert (error->domain == MM_ERROR);
      g_assert (error->code == MM_ERROR_PROTOCOL || error->code == MM_ERROR_LIMIT);
      run->print = fingerprint_number (run->print, (guint64) error->code);
      run->has_failed = TRUE;
    }
  return FALSE;
}

static void
feed_compressed (Run *run, const guint8 *data, gsize length)
{
  guint8 buffer[4096];
  gssize n = 0;

  mm_deflate_feed (run->deflate, data, length);
  while (!run->has_failed && run->n_inflated < INFLATED_MAX
         && (n = mm_deflate_inflate (run->deflate, buffer, sizeof buffer, NULL)) > 0)
    {
      const guint8 *rest;
      gsize rest_length;

      run->n_inflated += (gsize) n;
      run->compress_tag = 0; /* not twice */
      mm_imap_session_feed (run->session, buffer, (gsize) n);
      pull (run, &rest, &rest_length);
    }
  run->is_broken |= n < 0 || run->n_inflated >= INFLATED_MAX;
  run->has_failed |= run->is_broken;
}

static void
feed (Run *run, const guint8 *data, gsize length)
{
  const guint8 *rest;
  gsize rest_length;

  if (run->deflate != NULL)
    {
      feed_compressed (run, data, length);
      return;
    }
  mm_imap_session_feed (run->session, data, length);
  if (pull (run, &rest, &rest_length))
    feed_compressed (run, rest, rest_length);
}

/* How much of the input may be fed before what is sent must be taken: a server that asks to go on ("+") and answers
 * before it was sent is refused, and one that waited is not. */
static gsize
until_line_end (const guint8 *octets, gsize length)
{
  const guint8 *end = memchr (octets, '\n', length);

  return end != NULL ? (gsize) (end + 1 - octets) : length;
}

/* The fingerprint of the conversation when the first piece has @first octets and all further ones @piece. */
static guint64
converse (const gchar *letters, const guint8 *octets, gsize length, gsize first, gsize piece, gboolean is_narrow,
          gboolean *out_is_broken)
{
  gboolean asks_to_go_on = memmem (octets, length, "\n+", 2) != NULL;
  MmLimits limits = mm_limits_default;
  gsize at = 0;

  if (is_narrow)
    limits = (MmLimits){ .line_octets = 400, .literal_octets = 1000, .string_octets = 60, .nesting = 4,
                         .list_entries = 30, .capabilities = 12, .flags = 6, .keyword_octets = 40,
                         .set_ranges = 5, .untagged_without_command = 3, .untagged_per_command = 30 };
  Run run = { .session = mm_imap_session_new (&limits, MM_IMAP_SESSION_READ_ONLY), .letters = letters };
  for (gsize size = first; at < length && !run.has_failed; size = piece)
    {
      size = MIN (size, length - at);
      if (asks_to_go_on)
        size = MIN (size, until_line_end (octets + at, length - at));
      /* In memory of its own, so that a sanitizer sees what is read beyond it or after it. */
      g_autofree guint8 *own = g_memdup2 (octets + at, size);
      feed (&run, own, size);
      at += size;
    }
  g_assert (mm_imap_session_get_n_in_progress (run.session) <= COMMANDS_MAX);
  *out_is_broken |= run.is_broken;
  mm_imap_session_free (run.session);
  if (run.deflate != NULL)
    mm_deflate_free (run.deflate);
  return fingerprint_number (run.print, run.sent_print);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? memchr (data, '\n', size) : NULL;

  if (end == NULL)
    return 0;
  fuzz_be_quiet ();
  const guint8 *octets = end + 1;
  gsize length = size - (gsize) (octets - data);
  guint64 hash = fuzz_hash (data, size);
  gboolean is_narrow = memchr (data, '-', (gsize) (end - data)) != NULL;
  gboolean is_broken = FALSE;
  guint64 whole = converse ((const gchar *) data, octets, length, length, length, is_narrow, &is_broken);
  gsize first = length > 1 ? 1 + hash % (length - 1) : 1;
  gsize piece = (hash >> 32) % 4 == 0 ? 1 : 1 + (hash >> 34) % 97;

  guint64 cut = converse ((const gchar *) data, octets, length, first, piece, is_narrow, &is_broken);
  g_assert (cut == whole || is_broken);
  return 0;
}
