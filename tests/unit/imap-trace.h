// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an IMAP parser or session makes of octets, as text, one line per event, adjacent BODY_DATA
 * joined. Each piece of input is fed in memory of its own that is freed as soon as the interface
 * allows, so that a sanitizer sees every pointer that lives too long.
 */
#pragma once

#include <string.h>

#include <mailmount/imap-session.h>

#include "../../src/codec/imap-parser.h"

typedef gboolean (*TraceNext) (gpointer source, MmImapEvent *event, GError **error);
typedef void (*TraceFeed) (gpointer source, const guint8 *data, gsize length);

static inline void
trace_octets (GString *trace, const guint8 *octets, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (octets[i] < ' ' || octets[i] > '~' || octets[i] == '%')
      g_string_append_printf (trace, "%%%02x", octets[i]);
    else
      g_string_append_c (trace, (gchar)octets[i]);
}

static inline void
trace_text (GString *trace, const gchar *name, const gchar *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (trace, " %s='", name);
  trace_octets (trace, (const guint8 *)text, strlen (text));
  g_string_append_c (trace, '\'');
}

static inline void
trace_status (GString *trace, const gchar *name, const MmImapEvent *event)
{
  static const gchar *const words[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };

  g_string_append_printf (trace, "%s %s", name, words[event->status]);
  if (event->tag != 0)
    g_string_append_printf (trace, " tag=%u", event->tag);
  if (event->code != MM_IMAP_CODE_NONE)
    g_string_append_printf (trace, " code=%d", (gint)event->code);
  if (event->code_number != 0)
    g_string_append_printf (trace, " number=%" G_GUINT64_FORMAT, event->code_number);
  trace_text (trace, "code", event->code_text);
  trace_text (trace, "text", event->text);
}

static inline void
trace_mailbox (GString *trace, const MmImapMailbox *mailbox)
{
  trace_text (trace, "name", mailbox->name);
  if (mailbox->delimiter != 0)
    g_string_append_printf (trace, " delimiter=%c", mailbox->delimiter);
  if (mailbox->attributes != 0)
    g_string_append_printf (trace, " attributes=%x", (guint)mailbox->attributes);
  if (mailbox->is_lsub)
    g_string_append (trace, " lsub");
  if (mailbox->has_messages)
    g_string_append_printf (trace, " messages=%" G_GUINT64_FORMAT, mailbox->messages);
  if (mailbox->has_uidnext)
    g_string_append_printf (trace, " uidnext=%" G_GUINT64_FORMAT, mailbox->uidnext);
  if (mailbox->has_uidvalidity)
    g_string_append_printf (trace, " uidvalidity=%" G_GUINT64_FORMAT, mailbox->uidvalidity);
  if (mailbox->has_highestmodseq)
    g_string_append_printf (trace, " highestmodseq=%" G_GUINT64_FORMAT, mailbox->highestmodseq);
  if (mailbox->mailbox_id != NULL)
    g_string_append_printf (trace, " id=%s", mailbox->mailbox_id);
}

static inline void
trace_fetch (GString *trace, const MmImapFetch *fetch)
{
  g_string_append_printf (trace, " seq=%u", fetch->sequence_number);
  if (fetch->uid != 0)
    g_string_append_printf (trace, " uid=%u", fetch->uid);
  if (fetch->has_flags)
    {
      g_string_append_printf (trace, " flags=%x", (guint)fetch->flags);
      trace_text (trace, "keywords", fetch->keywords);
    }
  if (fetch->has_internaldate)
    g_string_append_printf (trace, " date=%" G_GINT64_FORMAT, fetch->internaldate);
  if (fetch->has_size)
    g_string_append_printf (trace, " size=%" G_GUINT64_FORMAT, fetch->size);
  if (fetch->modseq != 0)
    g_string_append_printf (trace, " modseq=%" G_GUINT64_FORMAT, fetch->modseq);
  if (fetch->object_id != NULL)
    g_string_append_printf (trace, " object=%s", fetch->object_id);
  if (fetch->has_labels)
    trace_text (trace, "labels", fetch->labels);
}

static inline void
trace_body (GString *trace, const MmImapBody *body)
{
  static const gchar *const names[] = { "BODY", "HEADER", "HEADER_FIELDS", "TEXT", "OTHER" };

  g_string_append_printf (trace, " section=%s", names[body->section]);
  if (body->is_partial)
    g_string_append_printf (trace, " offset=%" G_GUINT64_FORMAT, body->offset);
  if (body->is_nil)
    g_string_append (trace, " nil");
  else
    g_string_append_printf (trace, " length=%" G_GUINT64_FORMAT, body->length);
}

static inline void
trace_uids (GString *trace, const gchar *name, const MmImapEvent *event)
{
  g_autofree gchar *uids = mm_uid_set_to_string (event->uids);

  g_string_append_printf (trace, "%s %s", name, uids);
  if (event->tag != 0)
    g_string_append_printf (trace, " tag=%u", event->tag);
  if (event->earlier)
    g_string_append (trace, " earlier");
}

static inline void
trace_event (GString *trace, const MmImapEvent *event)
{
  switch ((gint)event->type)
    {
    case MM_IMAP_EVENT_GREETING:
      trace_status (trace, "GREETING", event);
      break;
    case MM_IMAP_EVENT_TAGGED:
      trace_status (trace, "TAGGED", event);
      break;
    case MM_IMAP_EVENT_UNTAGGED:
      trace_status (trace, "UNTAGGED", event);
      break;
    case MM_IMAP_EVENT_IDLING:
      g_string_append (trace, "IDLING");
      break;
    case MM_IMAP_EVENT_CAPABILITY:
    case MM_IMAP_EVENT_CODE_CAPABILITY:
      g_string_append (trace, "CAPABILITY");
      break;
    case MM_IMAP_EVENT_ENABLED:
      g_string_append (trace, "ENABLED");
      trace_text (trace, "text", event->text);
      break;
    case MM_IMAP_EVENT_LIST:
      g_string_append (trace, "LIST");
      trace_mailbox (trace, &event->mailbox);
      break;
    case MM_IMAP_EVENT_MAILBOX_STATUS:
      g_string_append (trace, "STATUS");
      trace_mailbox (trace, &event->mailbox);
      break;
    case MM_IMAP_EVENT_NAMESPACE:
      g_string_append_printf (trace, "NAMESPACE %d", (gint)event->namespace_kind);
      trace_text (trace, "prefix", event->namespace_prefix);
      if (event->namespace_delimiter != 0)
        g_string_append_printf (trace, " delimiter=%c", event->namespace_delimiter);
      break;
    case MM_IMAP_EVENT_EXISTS:
      g_string_append_printf (trace, "EXISTS %" G_GUINT64_FORMAT, event->number);
      break;
    case MM_IMAP_EVENT_EXPUNGE:
      g_string_append_printf (trace, "EXPUNGE %" G_GUINT64_FORMAT, event->number);
      break;
    case MM_IMAP_EVENT_VANISHED:
      trace_uids (trace, "VANISHED", event);
      break;
    case MM_IMAP_EVENT_SEARCH:
      trace_uids (trace, "SEARCH", event);
      break;
    case MM_IMAP_EVENT_FETCH_BEGIN:
      g_string_append (trace, "FETCH_BEGIN");
      trace_fetch (trace, event->fetch);
      break;
    case MM_IMAP_EVENT_BODY_BEGIN:
      g_string_append (trace, "BODY_BEGIN");
      trace_body (trace, &event->body);
      trace_fetch (trace, event->fetch);
      break;
    case MM_IMAP_EVENT_BODY_END:
      g_string_append (trace, "BODY_END");
      break;
    case MM_IMAP_EVENT_FETCH_END:
      g_string_append (trace, "FETCH_END");
      trace_fetch (trace, event->fetch);
      break;
    case MM_IMAP_EVENT_CONTINUATION:
      g_string_append (trace, "CONTINUATION");
      trace_text (trace, "text", event->text);
      break;
    default:
      g_assert_not_reached ();
    }
  g_string_append_c (trace, '\n');
}

/* Pulls all events there are. FALSE when the source failed. */
static inline gboolean
trace_pull (GString *trace, gboolean *in_data, TraceNext next, gpointer source)
{
  g_autoptr (GError) error = NULL;
  MmImapEvent event;

  while (next (source, &event, &error))
    {
      if (event.type == MM_IMAP_EVENT_BODY_DATA)
        {
          g_assert_cmpuint (event.length, >, 0);
          if (!*in_data)
            g_string_append (trace, "DATA ");
          trace_octets (trace, event.data, event.length);
          *in_data = TRUE;
          continue;
        }
      if (*in_data)
        g_string_append_c (trace, '\n');
      *in_data = FALSE;
      trace_event (trace, &event);
    }
  if (error == NULL)
    return TRUE;
  g_assert_true (error->domain == MM_ERROR);
  if (*in_data)
    g_string_append_c (trace, '\n');
  g_string_append (trace, error->code == MM_ERROR_LIMIT      ? "LIMIT\n"
                          : error->code == MM_ERROR_PROTOCOL ? "PROTOCOL\n"
                                                             : "OTHER ERROR\n");
  return FALSE;
}

/* The trace of @input when the first piece has @first octets and all further ones @piece. */
static inline gchar *
trace_cut (TraceFeed feed, TraceNext next, gpointer source, const gchar *input, gsize length,
           gsize first, gsize piece)
{
  GString *trace = g_string_new (NULL);
  gboolean in_data = FALSE;
  gsize at = 0;
  gsize size = first;

  while (at < length)
    {
      g_autofree guint8 *octets = NULL;

      size = MIN (size, length - at);
      octets = g_memdup2 (input + at, size);
      feed (source, octets, size);
      if (!trace_pull (trace, &in_data, next, source))
        break;
      at += size;
      size = piece;
    }
  if (in_data)
    g_string_append_c (trace, '\n');
  return g_string_free (trace, FALSE);
}
