// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a session has: LIST and UIDL, in one flight where the server can do that. Without UIDL, or where
 * it tells but the numbers of the messages, which others have after a deletion, a message is known by the
 * digest of its size and header, which costs a TOP for each.
 */
#include <string.h>

#include <mailmount/log.h>

#include "pop3-login.h"
#include "pop3-response.h"

/* Answers on their way at once, where a digest of each header is made. */
#define DIGESTS_AT_ONCE 32

static gboolean
refuse (const MmPop3Event *answer, const gchar *what, MmError code, GError **error)
{
  g_propagate_error (error, mm_pop3_response_error (answer, what, code));
  return FALSE;
}

/* ---- without unique ids ---- */

typedef struct
{
  MmPop3Wire *wire;
  MmPop3Maildrop *maildrop;
  GChecksum *checksum;
  guint n_sent;
  guint n_done;
} Digester;

static gboolean
take_digest (Digester *digester, const MmPop3Event *event, GError **error)
{
  const MmPop3Entry *entry = mm_pop3_maildrop_at (digester->maildrop, digester->n_done);
  g_autofree gchar *size = NULL;

  if (event->type == MM_POP3_EVENT_DATA)
    g_checksum_update (digester->checksum, event->data, (gssize) event->length);
  if (event->type != MM_POP3_EVENT_DONE)
    return TRUE;
  if (!event->is_ok)
    return refuse (event,
                   "the server has neither unique ids (UIDL) nor TOP, by which messages could be known",
                   MM_ERROR_UNSUPPORTED, error);
  digester->n_done++;
  size = g_strdup_printf ("%" G_GUINT64_FORMAT, entry->told_size);
  g_checksum_update (digester->checksum, (const guchar *) size, (gssize) strlen (size));
  gboolean is_well = mm_pop3_maildrop_set_unique_id (
      digester->maildrop, entry->number, g_checksum_get_string (digester->checksum), error);
  g_checksum_reset (digester->checksum);
  return is_well;
}

static gboolean
make_digests (MmPop3Wire *wire, MmPop3Maildrop *maildrop, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  Digester digester = { wire, maildrop, checksum, 0, 0 };
  guint n = mm_pop3_maildrop_get_length (maildrop);
  MmPop3Event event;

  mm_log_debug ("the server has no unique ids: its messages are known by their headers");
  while (digester.n_done < n)
    {
      for (; digester.n_sent < n && digester.n_sent < digester.n_done + DIGESTS_AT_ONCE;
           digester.n_sent++)
        {
          mm_remote_wire_expect_answer (wire->wire);
          mm_pop3_session_submit_top (
              wire->session, mm_pop3_maildrop_at (maildrop, digester.n_sent)->number, 0);
        }
      if (!mm_pop3_wire_next (wire, &event, error) || !take_digest (&digester, &event, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- with it ---- */

static gboolean
take_entry (MmPop3Maildrop *maildrop, const MmPop3Event *event, GError **error)
{
  if (event->type != MM_POP3_EVENT_ENTRY)
    return TRUE;
  return event->command == MM_POP3_LIST
             ? mm_pop3_maildrop_add (maildrop, event->number, event->size, error)
             : mm_pop3_maildrop_set_unique_id (maildrop, event->number, event->unique_id, error);
}

/* *out_has_ids: UIDL told them, and they are more than numbers. */
static gboolean
read_lists (MmPop3Wire *wire, MmPop3Maildrop *maildrop, gboolean *out_has_ids, GError **error)
{
  MmPop3Event event;

  mm_remote_wire_expect_answer (wire->wire);
  /* What is offered may be more than before the login. */
  if (mm_pop3_session_has_capabilities (wire->session))
    mm_pop3_session_submit (wire->session, MM_POP3_CAPA);
  mm_pop3_session_submit (wire->session, MM_POP3_LIST);
  mm_pop3_session_submit (wire->session, MM_POP3_UIDL);
  do
    {
      if (!mm_pop3_wire_next (wire, &event, error) || !take_entry (maildrop, &event, error))
        return FALSE;
      if (event.type == MM_POP3_EVENT_DONE && event.command == MM_POP3_LIST && !event.is_ok)
        return refuse (&event, "listing the messages", MM_ERROR_PROTOCOL, error);
    }
  while (event.type != MM_POP3_EVENT_DONE || event.command != MM_POP3_UIDL);
  *out_has_ids = event.is_ok && !mm_pop3_maildrop_drop_numbers (maildrop);
  /* Not the server's "I do not know that", but "not now". */
  if (!event.is_ok && event.code != MM_POP3_CODE_NONE && event.code != MM_POP3_CODE_OTHER)
    return refuse (&event, "listing the messages", MM_ERROR_PROTOCOL, error);
  return TRUE;
}

gboolean
mm_pop3_list_maildrop (MmPop3Remote *remote, MmPop3Wire *wire, GError **error)
{
  g_autoptr (MmPop3Maildrop) maildrop = mm_pop3_maildrop_new ();
  gboolean has_ids = FALSE;

  if (!read_lists (wire, maildrop, &has_ids, error)
      || (!has_ids && !make_digests (wire, maildrop, error))
      || !mm_pop3_maildrop_complete (maildrop, remote->maildrop, error))
    {
      if (error != NULL && g_error_matches (*error, MM_ERROR, MM_ERROR_PROTOCOL))
        g_prefix_error (error, "%s: ", remote->base.config.endpoint.host);
      return FALSE;
    }
  mm_pop3_maildrop_ask_uids (maildrop, remote->known_uid_func, remote->known_uid_data);
  g_clear_pointer (&remote->maildrop, mm_pop3_maildrop_free);
  remote->maildrop = g_steal_pointer (&maildrop);
  remote->login_delay_seconds = mm_pop3_session_get_login_delay_seconds (wire->session);
  remote->has_no_top
      |= mm_pop3_session_has_capabilities (wire->session)
         && (mm_pop3_session_get_capabilities (wire->session) & MM_POP3_CAP_TOP) == 0;
  return TRUE;
}
