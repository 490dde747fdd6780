// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-fetch-buffer.h"

typedef struct
{
  MmImapBody body;
  GByteArray *octets; /* owned */
} Part;

struct MmImapFetchBuffer
{
  GPtrArray *parts; /* of Part */
  gsize held_octets;
  gsize octets_max;
  gboolean is_taking; /* between BODY_BEGIN and BODY_END of the last part */
  guint replay_part;  /* where replaying stands */
  guint replay_phase; /* 0 begin, 1 data, 2 end */
};

static void
part_free (gpointer data)
{
  Part *part = data;

  g_byte_array_unref (part->octets);
  g_free (part);
}

MmImapFetchBuffer *
mm_imap_fetch_buffer_new (gsize octets_max)
{
  MmImapFetchBuffer *buffer = g_new0 (MmImapFetchBuffer, 1);

  buffer->octets_max = octets_max;
  buffer->parts = g_ptr_array_new_with_free_func (part_free);
  return buffer;
}

void
mm_imap_fetch_buffer_free (MmImapFetchBuffer *buffer)
{
  g_ptr_array_unref (buffer->parts);
  g_free (buffer);
}

static void
forget (MmImapFetchBuffer *buffer)
{
  g_ptr_array_set_size (buffer->parts, 0);
  buffer->held_octets = 0;
  buffer->is_taking = FALSE;
  buffer->replay_part = buffer->replay_phase = 0;
}

gboolean
mm_imap_fetch_buffer_wants (MmImapFetchBuffer *buffer, const MmImapEvent *event)
{
  switch (event->type)
    {
    case MM_IMAP_EVENT_FETCH_BEGIN:
      forget (buffer);
      return FALSE;
    case MM_IMAP_EVENT_BODY_BEGIN:
      return event->fetch == NULL || event->fetch->uid == 0;
    case MM_IMAP_EVENT_BODY_DATA:
    case MM_IMAP_EVENT_BODY_END:
      return buffer->is_taking;
    default:
      return FALSE;
    }
}

gboolean
mm_imap_fetch_buffer_take (MmImapFetchBuffer *buffer, const MmImapEvent *event, GError **error)
{
  if (event->type == MM_IMAP_EVENT_BODY_BEGIN)
    {
      Part *part = g_new (Part, 1);
      part->body = event->body;
      part->octets = g_byte_array_new ();
      g_ptr_array_add (buffer->parts, part);
      buffer->is_taking = TRUE;
    }
  else if (event->type == MM_IMAP_EVENT_BODY_DATA)
    {
      Part *part = g_ptr_array_index (buffer->parts, buffer->parts->len - 1);
      buffer->held_octets += event->length;
      if (buffer->held_octets > buffer->octets_max)
        {
          forget (buffer);
          g_set_error (error, MM_ERROR, MM_ERROR_LIMIT,
                       "the server tells a message's UID behind a body that is beyond the memory of a "
                       "connection, %" G_GSIZE_FORMAT " octets",
                       buffer->octets_max);
          return FALSE;
        }
      g_byte_array_append (part->octets, event->data, (guint) event->length);
    }
  else
    buffer->is_taking = FALSE;
  return TRUE;
}

gboolean
mm_imap_fetch_buffer_replay (MmImapFetchBuffer *buffer, const MmImapFetch *fetch,
                             MmImapEvent *out_event)
{
  static const MmImapEventType phases[]
      = { MM_IMAP_EVENT_BODY_BEGIN, MM_IMAP_EVENT_BODY_DATA, MM_IMAP_EVENT_BODY_END };

  if (fetch->uid == 0 || buffer->replay_part == buffer->parts->len)
    {
      forget (buffer);
      return FALSE;
    }
  const Part *part = g_ptr_array_index (buffer->parts, buffer->replay_part);
  /* An empty body has no data event. */
  if (buffer->replay_phase == 1 && part->octets->len == 0)
    buffer->replay_phase = 2;
  *out_event = (MmImapEvent){
    .type = phases[buffer->replay_phase],
    .fetch = fetch,
    .body = part->body,
    .data = part->octets->data,
    .length = part->octets->len,
  };
  if (++buffer->replay_phase == G_N_ELEMENTS (phases))
    {
      buffer->replay_phase = 0;
      buffer->replay_part++;
    }
  return TRUE;
}
