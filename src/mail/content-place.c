// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where the message of a content is. One has one place, in its folder; one that is linked may have
 * many, that come and go: it is there as long as any of them is, and can be fetched from each.
 */
#include "content-private.h"

typedef struct
{
  MmMailbox *mailbox; /* borrowed */
  guint64 number;
} Found;

/* Its places, that under which it was opened first. Array<Found>. (transfer full) */
static GArray *
find_places (MmContent *content)
{
  const MmMailContext *context = content->context;
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Found));
  Found own = { content->mailbox, content->number };

  g_array_append_val (found, own);
  if (content->link == 0)
    return found;
  g_autoptr (GArray) places = mm_object_map_dup_places (context->objects, content->link);
  for (guint i = 0; i < places->len; i++)
    {
      const MmPlace *place = &g_array_index (places, MmPlace, i);
      Found other = { context->find_mailbox (place->folder_id, context->find_data), place->number };
      if (other.mailbox != NULL && (other.mailbox != own.mailbox || other.number != own.number))
        g_array_append_val (found, other);
    }
  return found;
}

/* A number may be another message's by now. */
static gboolean
get_message (const MmContent *content, const Found *place, MmMessage *out)
{
  return mm_mailbox_get_message (place->mailbox, place->number, out)
         && mm_message_get_link (out) == content->link;
}

gboolean
mm_content_get_message (MmContent *content, MmMessage *out)
{
  MmMessage message;
  gboolean is_there = FALSE;

  if (content->link == 0)
    return mm_mailbox_get_message (content->mailbox, content->number, out);
  g_autoptr (GArray) places = find_places (content);
  for (guint i = 0; i < places->len; i++)
    {
      /* Where its size is known for sure that is its size everywhere. */
      if (!get_message (content, &g_array_index (places, Found, i), &message)
          || (is_there && !message.size_is_proved))
        continue;
      *out = message;
      is_there = TRUE;
      if (message.size_is_proved)
        break;
    }
  return is_there;
}

gboolean
mm_content_find_target (MmContent *content, MmMailbox *preferred, GPtrArray *avoided,
                        MmMailbox **out_mailbox, MmFetchTarget *out)
{
  g_autoptr (GArray) places = find_places (content);

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < places->len; i++)
      {
        const Found *place = &g_array_index (places, Found, i);
        if ((pass == 0 && place->mailbox != preferred)
            || (avoided != NULL && g_ptr_array_find (avoided, place->mailbox, NULL))
            || !mm_mailbox_get_fetch_target (place->mailbox, place->number, content->origin, out))
          continue;
        *out_mailbox = place->mailbox;
        return TRUE;
      }
  return FALSE;
}

void
mm_content_tell_size (MmContent *content, guint64 size)
{
  const MmMailContext *context = content->context;
  g_autoptr (GArray) places = find_places (content);
  gboolean is_other = FALSE;
  MmMessage message;

  for (guint i = 0; i < places->len; i++)
    {
      const Found *place = &g_array_index (places, Found, i);
      if (content->link == 0 || get_message (content, place, &message))
        is_other |= mm_mailbox_set_size (place->mailbox, place->number, size);
    }
  if (is_other && context->observer != NULL && mm_content_get_message (content, &message))
    context->observer->message_changed (mm_mailbox_get_folder_id (content->mailbox), &message,
                                        context->observer_data);
}

void
mm_content_tell_stored (MmContent *content, gboolean is_stored)
{
  g_autoptr (GArray) places = find_places (content);
  MmMessage message;

  for (guint i = 0; i < places->len; i++)
    {
      const Found *place = &g_array_index (places, Found, i);
      if (content->link == 0 || get_message (content, place, &message))
        mm_mailbox_set_stored (place->mailbox, place->number, is_stored);
    }
}
