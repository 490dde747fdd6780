// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/message-header.h>

#include "pop3-fetch-item.h"

/* What is longer is told as it comes. */
#define HELD_OCTETS_MAX (1024 * 1024)
/* Lines of a message that is mostly base64 or prose have more octets than this; where they do not, more
 * is asked for: */
#define LINE_OCTETS_GUESSED 40
#define LINES_FACTOR        8
#define SHORT_MAX           2

MmPop3Ask
mm_pop3_item_choose (const MmPop3Item *item, const MmPop3Entry *entry, gboolean has_top,
                     guint32 *out_lines)
{
  const MmFetchItem *want = &item->want;
  guint64 lines = want->length / LINE_OCTETS_GUESSED + 1;

  *out_lines = 0;
  if (!has_top)
    return MM_POP3_ASK_RETR;
  switch (want->kind)
    {
    case MM_FETCH_MESSAGE_ID:
      return MM_POP3_ASK_TOP;
    case MM_FETCH_RANGE:
      if (want->offset > 0 || want->length >= entry->told_size || item->n_short > SHORT_MAX)
        return MM_POP3_ASK_RETR;
      for (guint i = 0; i < item->n_short; i++)
        lines *= LINES_FACTOR;
      *out_lines = (guint32) MIN (lines, G_MAXINT32);
      return MM_POP3_ASK_TOP;
    case MM_FETCH_WHOLE:
    case MM_FETCH_HEADER:
    case MM_FETCH_TEXT:
    case MM_FETCH_SIZE:
      break;
    }
  return MM_POP3_ASK_RETR;
}

/* ---- octets ---- */

void
mm_pop3_answer_init (MmPop3Answer *answer)
{
  *answer = (MmPop3Answer){ .held = g_byte_array_new () };
}

void
mm_pop3_answer_clear (MmPop3Answer *answer)
{
  g_clear_pointer (&answer->held, g_byte_array_unref);
}

static guint64
get_expected (const MmPop3Entry *entry)
{
  return entry->is_measured ? entry->true_size : entry->told_size;
}

static void
tell_begin (MmPop3Answer *answer, MmPop3Item *item, guint64 length, const MmPop3ItemSink *to)
{
  item->state = MM_POP3_ITEM_BEGUN;
  answer->announced = length;
  to->sink->begin (to->index, length, to->user_data);
}

void
mm_pop3_answer_begin (MmPop3Answer *answer, MmPop3Item *item, const MmPop3Entry *entry,
                      MmPop3Ask ask, const MmPop3ItemSink *to)
{
  /* A large message leaves no large buffer behind. */
  g_byte_array_unref (answer->held);
  mm_pop3_answer_init (answer);
  answer->ask = ask;
  answer->is_streaming
      = item->want.kind == MM_FETCH_WHOLE && get_expected (entry) > HELD_OCTETS_MAX;
  if (answer->is_streaming)
    tell_begin (answer, item, get_expected (entry), to);
}

static void
hold (MmPop3Answer *answer, const guint8 *data, gsize length)
{
  gsize room = HELD_OCTETS_MAX - answer->held->len;

  answer->is_too_long |= length > room;
  g_byte_array_append (answer->held, data, (guint) MIN (length, room));
}

void
mm_pop3_answer_count (MmPop3Answer *answer, const guint8 *data, gsize length)
{
  answer->received += length;
  answer->last[0] = length > 1 ? data[length - 2] : answer->last[1];
  answer->last[1] = data[length - 1];
}

/* Of @length octets that begin at answer->received those that lie within @offset and @size. */
static gsize
clip (const MmPop3Answer *answer, guint64 offset, guint64 size, const guint8 **data, gsize length)
{
  guint64 start = MAX (answer->received, offset);
  guint64 end = MIN (answer->received + length, offset + size);

  if (start >= end)
    return 0;
  *data += start - answer->received;
  return (gsize) (end - start);
}

void
mm_pop3_answer_add (MmPop3Answer *answer, const MmPop3Item *item, const guint8 *data, gsize length,
                    const MmPop3ItemSink *to)
{
  const guint8 *part = data;
  gsize part_length = length;

  if (answer->is_streaming)
    {
      part_length = clip (answer, 0, answer->announced, &part, length);
      if (part_length > 0)
        to->sink->data (to->index, part, part_length, to->user_data);
    }
  else
    {
      if (item->want.kind == MM_FETCH_RANGE)
        part_length = clip (answer, item->want.offset, item->want.length, &part, length);
      hold (answer, part, part_length);
    }
  mm_pop3_answer_count (answer, data, length);
}

/* ---- the end ---- */

guint64
mm_pop3_measure (const MmPop3Answer *answer, const MmPop3Entry *entry)
{
  gboolean has_added_end = answer->received == entry->told_size + 2 && answer->last[0] == '\r'
                           && answer->last[1] == '\n';

  return has_added_end ? entry->told_size : answer->received;
}

void
mm_pop3_note_measured (MmPop3Remote *remote, MmPop3Entry *entry, guint64 size)
{
  entry->is_measured = TRUE;
  entry->true_size = size;
  if (size != entry->told_size)
    remote->sizes = MM_POP3_SIZES_GUESSED;
  else if (remote->sizes == MM_POP3_SIZES_UNKNOWN)
    remote->sizes = MM_POP3_SIZES_EXACT;
}

static void
tell_held (MmPop3Answer *answer, MmPop3Item *item, const guint8 *data, gsize length,
           const MmPop3ItemSink *to)
{
  tell_begin (answer, item, length, to);
  if (length > 0)
    to->sink->data (to->index, data, length, to->user_data);
}

static void
tell_message_id (MmPop3Answer *answer, MmPop3Item *item, const MmPop3ItemSink *to)
{
  gsize length = 0;
  const gchar *field = mm_message_header_find ((const gchar *) answer->held->data,
                                               answer->held->len, "Message-ID", &length);

  tell_held (answer, item, (const guint8 *) field, field != NULL ? length : 0, to);
}

/* The beginning of a message. */
static MmPop3Verdict
end_top (MmPop3Answer *answer, MmPop3Item *item, const MmPop3Entry *entry,
         const MmPop3Remote *remote, const MmPop3ItemSink *to, MmProbeResult *out_probe)
{
  gboolean is_sure = entry->is_measured || remote->sizes == MM_POP3_SIZES_EXACT;

  if (answer->held->len < item->want.length)
    {
      item->n_short++;
      return MM_POP3_ANSWER_SHORT;
    }
  tell_held (answer, item, answer->held->data, answer->held->len, to);
  if (item->want.probe_size > 0)
    *out_probe = is_sure && item->want.probe_size == get_expected (entry) ? MM_PROBE_PROVED
                                                                          : MM_PROBE_DISPROVED;
  return MM_POP3_ANSWER_COMPLETE;
}

static MmPop3Verdict
fail_wrong (const MmPop3Answer *answer, const MmPop3Entry *entry, GError **error)
{
  g_set_error (error, MM_ERROR, MM_ERROR_CONNECTION_LOST,
               "message %u has %" G_GUINT64_FORMAT " octets, and not %" G_GUINT64_FORMAT
               " as the server had said",
               entry->number, entry->true_size,
               answer->is_streaming ? answer->announced : entry->told_size);
  return MM_POP3_ANSWER_WRONG;
}

MmPop3Verdict
mm_pop3_answer_end (MmPop3Answer *answer, MmPop3Item *item, MmPop3Entry *entry,
                    MmPop3Remote *remote, const MmPop3ItemSink *to, MmProbeResult *out_probe,
                    GError **error)
{
  guint64 length = answer->held->len;

  *out_probe = MM_PROBE_NONE;
  if (answer->ask == MM_POP3_ASK_RETR)
    mm_pop3_note_measured (remote, entry, mm_pop3_measure (answer, entry));
  if (item->want.kind == MM_FETCH_MESSAGE_ID)
    {
      tell_message_id (answer, item, to);
      return MM_POP3_ANSWER_COMPLETE;
    }
  if (answer->ask == MM_POP3_ASK_TOP)
    return end_top (answer, item, entry, remote, to, out_probe);
  guint64 size = entry->true_size;
  if (answer->is_streaming)
    return answer->announced == size ? MM_POP3_ANSWER_COMPLETE : fail_wrong (answer, entry, error);
  if (answer->is_too_long)
    return fail_wrong (answer, entry, error);
  if (item->want.kind == MM_FETCH_WHOLE)
    {
      tell_held (answer, item, answer->held->data, (gsize) size, to);
      return MM_POP3_ANSWER_COMPLETE;
    }
  if (item->want.offset + length > size)
    length = size - MIN (size, item->want.offset);
  tell_held (answer, item, answer->held->data, (gsize) length, to);
  if (item->want.probe_size > 0)
    *out_probe = item->want.probe_size == size ? MM_PROBE_PROVED : MM_PROBE_DISPROVED;
  return MM_POP3_ANSWER_COMPLETE;
}
