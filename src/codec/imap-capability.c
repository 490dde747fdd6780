// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-capability.h"

/* RFC 4422 3.1 says 20; be generous. */
#define MECHANISM_MAX_OCTETS 64

static const struct
{
  const gchar *name;
  MmImapCapabilities bit;
} known[] = {
  { "IMAP4REV1", MM_IMAP_CAP_IMAP4REV1 },
  { "IMAP4REV2", MM_IMAP_CAP_IMAP4REV2 },
  { "LITERAL+", MM_IMAP_CAP_LITERAL_PLUS },
  { "LITERAL-", MM_IMAP_CAP_LITERAL_MINUS },
  { "SASL-IR", MM_IMAP_CAP_SASL_IR },
  { "LOGINDISABLED", MM_IMAP_CAP_LOGINDISABLED },
  { "ENABLE", MM_IMAP_CAP_ENABLE },
  { "ID", MM_IMAP_CAP_ID },
  { "NAMESPACE", MM_IMAP_CAP_NAMESPACE },
  { "CONDSTORE", MM_IMAP_CAP_CONDSTORE },
  { "QRESYNC", MM_IMAP_CAP_QRESYNC | MM_IMAP_CAP_CONDSTORE }, /* RFC 7162 3.2.3 */
  { "ESEARCH", MM_IMAP_CAP_ESEARCH },
  { "LIST-EXTENDED", MM_IMAP_CAP_LIST_EXTENDED },
  { "LIST-STATUS", MM_IMAP_CAP_LIST_STATUS },
  { "SPECIAL-USE", MM_IMAP_CAP_SPECIAL_USE },
  { "UIDPLUS", MM_IMAP_CAP_UIDPLUS },
  { "UTF8=ACCEPT", MM_IMAP_CAP_UTF8_ACCEPT },
  { "UTF8=ONLY", MM_IMAP_CAP_UTF8_ACCEPT }, /* RFC 6855 section 6 */
  { "COMPRESS=DEFLATE", MM_IMAP_CAP_COMPRESS_DEFLATE },
  { "IDLE", MM_IMAP_CAP_IDLE },
  { "NOTIFY", MM_IMAP_CAP_NOTIFY },
  { "UNSELECT", MM_IMAP_CAP_UNSELECT },
  { "OBJECTID", MM_IMAP_CAP_OBJECTID },
  { "X-GM-EXT-1", MM_IMAP_CAP_GMAIL },
  { "QUOTA", MM_IMAP_CAP_QUOTA },
};

void
mm_imap_capability_list_init (MmImapCapabilityList *list)
{
  list->bits = 0;
  list->n_seen = 0;
  list->mechanisms = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (list->mechanisms, NULL);
}

void
mm_imap_capability_list_clear (MmImapCapabilityList *list)
{
  list->bits = 0;
  list->n_seen = 0;
  g_ptr_array_set_size (list->mechanisms, 0);
  g_ptr_array_add (list->mechanisms, NULL);
}

void
mm_imap_capability_list_release (MmImapCapabilityList *list)
{
  g_clear_pointer (&list->mechanisms, g_ptr_array_unref);
}

void
mm_imap_capability_list_add (MmImapCapabilityList *list, const gchar *name, gsize length)
{
  list->n_seen++;
  if (length > 5 && length <= 5 + MECHANISM_MAX_OCTETS
      && g_ascii_strncasecmp (name, "AUTH=", 5) == 0)
    {
      g_ptr_array_insert (list->mechanisms, (gint)list->mechanisms->len - 1,
                          g_ascii_strup (name + 5, (gssize)length - 5));
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strlen (known[i].name) == length && g_ascii_strncasecmp (known[i].name, name, length) == 0)
      {
        list->bits |= known[i].bit;
        return;
      }
}
