// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-set-up.h"

/* IMAP4rev2 has these without naming them (RFC 9051, appendix E). */
static MmImapCapabilities
with_implied (MmImapCapabilities capabilities)
{
  if ((capabilities & MM_IMAP_CAP_IMAP4REV2) != 0 && (capabilities & MM_IMAP_CAP_IMAP4REV1) == 0)
    capabilities |= MM_IMAP_CAP_NAMESPACE | MM_IMAP_CAP_UNSELECT | MM_IMAP_CAP_UIDPLUS
                    | MM_IMAP_CAP_ESEARCH | MM_IMAP_CAP_ENABLE | MM_IMAP_CAP_IDLE
                    | MM_IMAP_CAP_LIST_EXTENDED | MM_IMAP_CAP_LIST_STATUS | MM_IMAP_CAP_SPECIAL_USE;
  return capabilities;
}

static void
namespace_free (gpointer data)
{
  MmImapNamespace *space = data;

  g_free (space->prefix);
  g_free (space);
}

void
mm_imap_account_facts_init (MmImapAccountFacts *facts)
{
  facts->namespaces = g_ptr_array_new_with_free_func (namespace_free);
}

void
mm_imap_account_facts_clear (MmImapAccountFacts *facts)
{
  g_clear_pointer (&facts->namespaces, g_ptr_array_unref);
}

void
mm_imap_account_facts_set (MmImapAccountFacts *facts, MmImapCapabilities capabilities)
{
  facts->capabilities = with_implied (capabilities);
}

/* ---- asking ---- */

typedef struct
{
  MmImapSetUp *set_up;
  MmImapWire *wire;
  MmImapFlights *flights;
} Submitter;

/* (transfer full) of @command */
static gboolean
submit (const Submitter *submitter, MmImapFlightKind kind, MmImapCommand *command, GError **error)
{
  MmImapFlight flight = {
    .tag = mm_imap_wire_submit (submitter->wire, command, error),
    .kind = kind,
  };

  if (flight.tag == 0)
    return FALSE;
  mm_imap_flights_add (submitter->flights, &flight);
  submitter->set_up->n_due++;
  return TRUE;
}

static gboolean
submit_enable (const Submitter *submitter, MmImapCapabilities capabilities, GError **error)
{
  g_autoptr (GString) wanted = g_string_new (NULL);

  /* QRESYNC enables CONDSTORE too (RFC 7162 3.2.3). */
  if ((capabilities & MM_IMAP_CAP_QRESYNC) != 0)
    g_string_append (wanted, "QRESYNC");
  else if ((capabilities & MM_IMAP_CAP_CONDSTORE) != 0)
    g_string_append (wanted, "CONDSTORE");
  if ((capabilities & MM_IMAP_CAP_UTF8_ACCEPT) != 0)
    g_string_append (wanted, wanted->len > 0 ? " UTF8=ACCEPT" : "UTF8=ACCEPT");
  if (wanted->len == 0)
    return TRUE;
  submitter->set_up->is_utf8_asked = (capabilities & MM_IMAP_CAP_UTF8_ACCEPT) != 0;
  return submit (submitter, MM_IMAP_FLIGHT_SET_UP, mm_imap_command_enable (wanted->str), error);
}

gboolean
mm_imap_set_up_begin (MmImapSetUp *set_up, MmImapWire *wire, MmImapFlights *flights,
                      const MmImapAccountFacts *facts, gboolean compress, GError **error)
{
  MmImapCapabilities capabilities = facts->capabilities;
  Submitter submitter = { set_up, wire, flights };

  *set_up = (MmImapSetUp){ 0 };
  if (facts->is_from_memory
      && !submit (&submitter, MM_IMAP_FLIGHT_SET_UP, mm_imap_command_capability (), error))
    return FALSE;
  if ((capabilities & MM_IMAP_CAP_ID) != 0
      && !submit (&submitter, MM_IMAP_FLIGHT_SET_UP, mm_imap_command_id ("mailmount", MM_VERSION),
                  error))
    return FALSE;
  if ((capabilities & MM_IMAP_CAP_ENABLE) != 0 && !submit_enable (&submitter, capabilities, error))
    return FALSE;
  if ((capabilities & MM_IMAP_CAP_NAMESPACE) != 0
      && !submit (&submitter, MM_IMAP_FLIGHT_SET_UP, mm_imap_command_namespace (), error))
    return FALSE;
  /* Last of the row: what follows its OK is compressed. */
  return !compress || (capabilities & MM_IMAP_CAP_COMPRESS_DEFLATE) == 0
         || submit (&submitter, MM_IMAP_FLIGHT_COMPRESS, mm_imap_command_compress (), error);
}

/* ---- answers ---- */

void
mm_imap_set_up_note (const MmImapSetUp *set_up, MmImapAccountFacts *facts,
                     const MmImapSession *session, const MmImapEvent *event)
{
  if (set_up->n_due == 0)
    return;
  if (event->type == MM_IMAP_EVENT_CAPABILITY)
    mm_imap_account_facts_set (facts, mm_imap_session_get_capabilities (session));
  else if (event->type == MM_IMAP_EVENT_NAMESPACE && event->namespace_prefix != NULL)
    {
      MmImapNamespace *space = g_new (MmImapNamespace, 1);
      space->kind = event->namespace_kind;
      space->prefix = g_strdup (event->namespace_prefix);
      g_ptr_array_add (facts->namespaces, space);
    }
}

gboolean
mm_imap_set_up_answered (MmImapSetUp *set_up, MmImapWire *wire, const MmImapFlight *flight,
                         const MmImapEvent *answer)
{
  if (flight->kind == MM_IMAP_FLIGHT_COMPRESS && answer->status == MM_IMAP_STATUS_OK)
    mm_imap_wire_start_compression (wire);
  set_up->n_due--;
  return set_up->n_due == 0;
}

gboolean
mm_imap_set_up_can_name (const MmImapSetUp *set_up, const gchar *mailbox)
{
  return set_up->n_due == 0 || !set_up->is_utf8_asked || mailbox == NULL
         || (g_str_is_ascii (mailbox) && strchr (mailbox, '&') == NULL);
}
