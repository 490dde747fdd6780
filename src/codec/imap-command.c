// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "imap-command-private.h"

static void
clear_part (gpointer data)
{
  MmImapPart *part = data;

  g_free (part->text);
  g_clear_pointer (&part->secret, mm_secret_unref);
}

MmImapCommand *
mm_imap_command_new (const gchar *name)
{
  MmImapCommand *command = g_new0 (MmImapCommand, 1);

  command->name = name;
  command->parts = g_array_new (FALSE, TRUE, sizeof (MmImapPart));
  g_array_set_clear_func (command->parts, clear_part);
  return command;
}

void
mm_imap_command_free (MmImapCommand *command)
{
  if (command == NULL)
    return;
  g_array_unref (command->parts);
  mm_sasl_unref (command->sasl);
  g_free (command);
}

static void
take_part (MmImapCommand *command, MmImapPartKind kind, gchar *text)
{
  MmImapPart part = { .kind = kind, .text = text };

  g_array_append_val (command->parts, part);
}

void
mm_imap_command_add_raw (MmImapCommand *command, const gchar *text)
{
  take_part (command, MM_IMAP_PART_RAW, g_strdup (text));
}

void
mm_imap_command_add_atoms (MmImapCommand *command, const gchar *text)
{
  take_part (command, MM_IMAP_PART_ATOMS, g_strdup (text));
}

void
mm_imap_command_add_string (MmImapCommand *command, const gchar *text)
{
  take_part (command, MM_IMAP_PART_STRING, g_strdup (text));
}

/* The allow-list */

/* In FETCH, BODY[, BINARY[ and RFC822 with its kin set \Seen, the .PEEK forms do not. */
static gboolean
only_peeks (const MmImapCommand *command)
{
  for (guint i = 0; i < command->parts->len; i++)
    {
      const MmImapPart *part = &g_array_index (command->parts, MmImapPart, i);
      g_autofree gchar *text = NULL;

      if (part->text == NULL)
        return FALSE;
      text = g_ascii_strup (part->text, -1);
      if (strstr (text, "BODY[") != NULL || strstr (text, "BINARY[") != NULL)
        return FALSE;
      for (const gchar *at = text; (at = strstr (at, "RFC822")) != NULL; at++)
        if (!g_str_has_prefix (at, "RFC822.SIZE"))
          return FALSE;
    }
  return TRUE;
}

gboolean
mm_imap_command_is_harmless (const MmImapCommand *command)
{
  static const gchar *const allowed[] = {
    "CAPABILITY", "ID",     "ENABLE",   "AUTHENTICATE", "LOGIN",     "NAMESPACE",
    "LIST",       "LSUB",   "STATUS",   "EXAMINE",      "UNSELECT",  "NOOP",
    "IDLE",       "NOTIFY", "COMPRESS", "UID SEARCH",   "UID FETCH", "LOGOUT",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (allowed); i++)
    if (strcmp (command->name, allowed[i]) == 0)
      return strcmp (command->name, "UID FETCH") != 0 || only_peeks (command);
  return FALSE;
}

gboolean
mm_imap_command_is_exclusive (const MmImapCommand *command)
{
  /* COMPRESS: what follows is compressed if the server agreed (RFC 4978 section 3). */
  return command->sasl != NULL || strcmp (command->name, "COMPRESS") == 0;
}

gboolean
mm_imap_command_is_idle (const MmImapCommand *command)
{
  return strcmp (command->name, "IDLE") == 0;
}

/* Commands without arguments, or simple ones */

MmImapCommand *
mm_imap_command_capability (void)
{
  return mm_imap_command_new ("CAPABILITY");
}

MmImapCommand *
mm_imap_command_noop (void)
{
  return mm_imap_command_new ("NOOP");
}

MmImapCommand *
mm_imap_command_logout (void)
{
  return mm_imap_command_new ("LOGOUT");
}

MmImapCommand *
mm_imap_command_unselect (void)
{
  return mm_imap_command_new ("UNSELECT");
}

MmImapCommand *
mm_imap_command_idle (void)
{
  return mm_imap_command_new ("IDLE");
}

MmImapCommand *
mm_imap_command_namespace (void)
{
  return mm_imap_command_new ("NAMESPACE");
}

MmImapCommand *
mm_imap_command_compress (void)
{
  MmImapCommand *command = mm_imap_command_new ("COMPRESS");

  mm_imap_command_add_raw (command, " DEFLATE");
  return command;
}

MmImapCommand *
mm_imap_command_id (const gchar *name, const gchar *version)
{
  MmImapCommand *command = mm_imap_command_new ("ID");

  mm_imap_command_add_raw (command, " (\"name\" ");
  mm_imap_command_add_string (command, name);
  mm_imap_command_add_raw (command, " \"version\" ");
  mm_imap_command_add_string (command, version);
  mm_imap_command_add_raw (command, ")");
  return command;
}

MmImapCommand *
mm_imap_command_enable (const gchar *capabilities)
{
  MmImapCommand *command = mm_imap_command_new ("ENABLE");

  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_atoms (command, capabilities);
  return command;
}

MmImapCommand *
mm_imap_command_login (const gchar *user, MmSecret *password)
{
  MmImapCommand *command = mm_imap_command_new ("LOGIN");
  MmImapPart secret = { .kind = MM_IMAP_PART_SECRET, .secret = mm_secret_ref (password) };

  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_string (command, user);
  mm_imap_command_add_raw (command, " ");
  g_array_append_val (command->parts, secret);
  return command;
}

MmImapCommand *
mm_imap_command_authenticate (MmSasl *sasl)
{
  MmImapCommand *command = mm_imap_command_new ("AUTHENTICATE");

  command->sasl = sasl;
  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_atoms (command, mm_sasl_get_mechanism (sasl));
  return command;
}

/* Mailboxes */

static const gchar *
status_items (MmImapStatusItems items)
{
  if (items & MM_IMAP_STATUS_MAILBOXID)
    return "(MAILBOXID)";
  return items & MM_IMAP_STATUS_HIGHESTMODSEQ ? "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
                                              : "(MESSAGES UIDNEXT UIDVALIDITY)";
}

static void
add_list_return (MmImapCommand *command, MmImapListFlags flags, MmImapStatusItems items)
{
  g_autoptr (GPtrArray) options = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *joined = NULL;
  g_autofree gchar *text = NULL;

  if (flags & MM_IMAP_LIST_RETURN_SUBSCRIBED)
    g_ptr_array_add (options, g_strdup ("SUBSCRIBED"));
  if (flags & MM_IMAP_LIST_RETURN_CHILDREN)
    g_ptr_array_add (options, g_strdup ("CHILDREN"));
  if (flags & MM_IMAP_LIST_RETURN_SPECIAL_USE)
    g_ptr_array_add (options, g_strdup ("SPECIAL-USE"));
  if (flags & MM_IMAP_LIST_RETURN_STATUS)
    g_ptr_array_add (options, g_strconcat ("STATUS ", status_items (items), NULL));
  if (options->len == 0)
    return;
  g_ptr_array_add (options, NULL);
  joined = g_strjoinv (" ", (gchar **)options->pdata);
  text = g_strdup_printf (" RETURN (%s)", joined);
  mm_imap_command_add_raw (command, text);
}

static MmImapCommand *
new_list (const gchar *name, const gchar *selection, const gchar *reference, const gchar *pattern)
{
  MmImapCommand *command = mm_imap_command_new (name);

  mm_imap_command_add_raw (command, selection);
  mm_imap_command_add_string (command, reference);
  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_string (command, pattern);
  return command;
}

MmImapCommand *
mm_imap_command_list (const gchar *reference, const gchar *pattern, MmImapListFlags flags,
                      MmImapStatusItems items)
{
  const gchar *selection = flags & MM_IMAP_LIST_SUBSCRIBED_ONLY ? " (SUBSCRIBED) " : " ";
  MmImapCommand *command = new_list ("LIST", selection, reference, pattern);

  add_list_return (command, flags, items);
  return command;
}

MmImapCommand *
mm_imap_command_lsub (const gchar *reference, const gchar *pattern)
{
  return new_list ("LSUB", " ", reference, pattern);
}

MmImapCommand *
mm_imap_command_status (const gchar *mailbox, MmImapStatusItems items)
{
  MmImapCommand *command = mm_imap_command_new ("STATUS");

  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_string (command, mailbox);
  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_raw (command, status_items (items));
  return command;
}

MmImapCommand *
mm_imap_command_examine (const gchar *mailbox, gboolean condstore)
{
  MmImapCommand *command = mm_imap_command_new ("EXAMINE");

  mm_imap_command_add_raw (command, " ");
  mm_imap_command_add_string (command, mailbox);
  if (condstore)
    mm_imap_command_add_raw (command, " (CONDSTORE)");
  return command;
}

MmImapCommand *
mm_imap_command_notify (void)
{
  MmImapCommand *command = mm_imap_command_new ("NOTIFY");

  mm_imap_command_add_raw (command,
                           " SET (selected-delayed (MessageNew MessageExpunge FlagChange))"
                           " (personal (MessageNew MessageExpunge FlagChange MailboxName))");
  return command;
}

/* Messages */

static void
add_set (MmImapCommand *command, const MmUidSet *uids)
{
  take_part (command, MM_IMAP_PART_RAW, mm_uid_set_to_string (uids));
  command->is_empty = mm_uid_set_count (uids) == 0;
}

MmImapCommand *
mm_imap_command_examine_since (const gchar *mailbox, guint64 uidvalidity, guint64 modseq,
                               const MmUidSet *known)
{
  MmImapCommand *command = mm_imap_command_examine (mailbox, FALSE);

  take_part (command, MM_IMAP_PART_RAW,
             g_strdup_printf (" (QRESYNC (%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " ",
                              uidvalidity, modseq));
  add_set (command, known);
  mm_imap_command_add_raw (command, "))");
  return command;
}

MmImapCommand *
mm_imap_command_uid_search (const MmUidSet *within, gboolean extended)
{
  MmImapCommand *command = mm_imap_command_new ("UID SEARCH");

  if (extended)
    mm_imap_command_add_raw (command, " RETURN (ALL)");
  if (within == NULL)
    mm_imap_command_add_raw (command, " ALL");
  else
    {
      mm_imap_command_add_raw (command, " UID ");
      add_set (command, within);
    }
  return command;
}

static void
add_fetch_items (MmImapCommand *command, const MmImapFetchRequest *request)
{
  static const struct
  {
    MmImapFetchItems item;
    const gchar *name;
  } items[] = {
    { MM_IMAP_FETCH_FLAGS, " FLAGS" },
    { MM_IMAP_FETCH_INTERNALDATE, " INTERNALDATE" },
    { MM_IMAP_FETCH_RFC822_SIZE, " RFC822.SIZE" },
    { MM_IMAP_FETCH_MODSEQ, " MODSEQ" },
    { MM_IMAP_FETCH_EMAILID, " EMAILID" },
    { MM_IMAP_FETCH_GMAIL_ID, " X-GM-MSGID" },
    { MM_IMAP_FETCH_GMAIL_LABELS, " X-GM-LABELS" },
  };

  mm_imap_command_add_raw (command, " (UID");
  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    if (request->items & items[i].item)
      mm_imap_command_add_raw (command, items[i].name);
  if (request->header_fields != NULL)
    {
      mm_imap_command_add_raw (command, " BODY.PEEK[HEADER.FIELDS (");
      mm_imap_command_add_atoms (command, request->header_fields);
      mm_imap_command_add_raw (command, ")]");
    }
  if (request->whole_header)
    mm_imap_command_add_raw (command, " BODY.PEEK[HEADER]");
  if (request->whole_text)
    mm_imap_command_add_raw (command, " BODY.PEEK[TEXT]");
  if (request->whole_body)
    mm_imap_command_add_raw (command, " BODY.PEEK[]");
  for (gsize i = 0; i < request->n_partials; i++)
    take_part (command, MM_IMAP_PART_RAW,
               g_strdup_printf (" BODY.PEEK[]<%" G_GUINT64_FORMAT ".%" G_GUINT32_FORMAT ">",
                                request->partials[i].offset, request->partials[i].length));
  mm_imap_command_add_raw (command, ")");
  if (request->changed_since > 0)
    take_part (command, MM_IMAP_PART_RAW,
               g_strdup_printf (" (CHANGEDSINCE %" G_GUINT64_FORMAT ")", request->changed_since));
}

MmImapCommand *
mm_imap_command_uid_fetch (const MmUidSet *uids, const MmImapFetchRequest *request)
{
  MmImapCommand *command = mm_imap_command_new ("UID FETCH");

  mm_imap_command_add_raw (command, " ");
  add_set (command, uids);
  add_fetch_items (command, request);
  return command;
}

MmImapCommand *
mm_imap_command_uid_fetch_from (guint32 first, const MmImapFetchRequest *request)
{
  MmImapCommand *command = mm_imap_command_new ("UID FETCH");

  take_part (command, MM_IMAP_PART_RAW, g_strdup_printf (" %" G_GUINT32_FORMAT ":*", first));
  add_fetch_items (command, request);
  return command;
}
