// SPDX-License-Identifier: GPL-3.0-or-later
/* LIST, LSUB, STATUS and NAMESPACE responses (RFC 9051 7.3, RFC 5258, RFC 2342). */
#include "imap-parser-private.h"

/* The string in hand is a mailbox name: strictly read, for half a name is another mailbox. */
static gboolean
keep_name (MmImapParser *parser, GError **error)
{
  if (parser->string_length > 0 && memchr (parser->string, '\0', parser->string_length) != NULL)
    {
      mm_imap_parser_refuse (error, "a NUL in a mailbox name");
      return FALSE;
    }
  g_string_truncate (parser->name, 0);
  g_string_append_len (parser->name, parser->string, (gssize)parser->string_length);
  return TRUE;
}

/* The string in hand is a delimiter: one octet, or NIL. */
static gboolean
read_delimiter (MmImapParser *parser, gchar *out_delimiter, GError **error)
{
  *out_delimiter = 0;
  if (parser->is_atom && mm_imap_is_word (parser->string, parser->string_length, "NIL"))
    return TRUE;
  if (parser->string_length > 1)
    {
      mm_imap_parser_refuse (error, "a hierarchy delimiter of several octets");
      return FALSE;
    }
  if (parser->string_length == 1)
    *out_delimiter = parser->string[0];
  return TRUE;
}

/* LIST and LSUB */

static MmImapStep
parse_list_rest (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_skip_list (parser, parse_list_rest);
  if (parser->token.kind != MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "something behind the name in LIST");
  event->mailbox = parser->mailbox;
  event->mailbox.name = parser->name->str;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_LIST, mm_imap_parser_end_line (parser));
}

static MmImapStep
take_list_name (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  if (!keep_name (parser, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parser_go (parser, parse_list_rest);
}

static MmImapStep
take_list_delimiter (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  if (!read_delimiter (parser, &parser->mailbox.delimiter, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parser_want_string (parser, take_list_name);
}

static MmImapMailboxAttributes
read_attribute (const MmImapParser *parser)
{
  static const struct
  {
    const gchar *name;
    MmImapMailboxAttributes attributes;
  } known[] = {
    { "\\NOSELECT", MM_IMAP_MAILBOX_NOSELECT },
    { "\\NONEXISTENT", MM_IMAP_MAILBOX_NONEXISTENT | MM_IMAP_MAILBOX_NOSELECT }, /* RFC 5258 3 */
    { "\\NOINFERIORS", MM_IMAP_MAILBOX_NOINFERIORS },
    { "\\SUBSCRIBED", MM_IMAP_MAILBOX_SUBSCRIBED },
    { "\\ALL", MM_IMAP_MAILBOX_ALL },
    { "\\ALLMAIL", MM_IMAP_MAILBOX_ALL }, /* Gmail before RFC 6154 */
    { "\\ARCHIVE", MM_IMAP_MAILBOX_ARCHIVE },
    { "\\DRAFTS", MM_IMAP_MAILBOX_DRAFTS },
    { "\\FLAGGED", MM_IMAP_MAILBOX_FLAGGED },
    { "\\JUNK", MM_IMAP_MAILBOX_JUNK },
    { "\\SENT", MM_IMAP_MAILBOX_SENT },
    { "\\TRASH", MM_IMAP_MAILBOX_TRASH },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (mm_imap_parser_is_word (parser, known[i].name))
      return known[i].attributes;
  return 0;
}

static MmImapStep
parse_list_attribute (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parser_count_entry (parser, error))
    return MM_IMAP_STEP_ERROR;
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_want_string (parser, take_list_delimiter);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "a malformed mailbox attribute");
  parser->mailbox.attributes |= read_attribute (parser);
  return MM_IMAP_STEP_AGAIN;
}

MmImapStep
mm_imap_parse_list (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_refuse (error, "LIST without attributes");
  memset (&parser->mailbox, 0, sizeof parser->mailbox);
  return mm_imap_parser_go (parser, parse_list_attribute);
}

MmImapStep
mm_imap_parse_lsub (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MmImapStep step = mm_imap_parse_list (parser, event, error);

  if (step == MM_IMAP_STEP_AGAIN)
    parser->mailbox.is_lsub = TRUE;
  return step;
}

/* STATUS */

static MmImapStep parse_status_item (MmImapParser *parser, MmImapEvent *event, GError **error);

static MmImapStep
parse_status_end (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind != MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_refuse (error, "something behind the items of STATUS");
  event->mailbox = parser->mailbox;
  event->mailbox.name = parser->name->str;
  if (parser->object_id->len > 0)
    event->mailbox.mailbox_id = parser->object_id->str;
  return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_MAILBOX_STATUS,
                              mm_imap_parser_end_line (parser));
}

static void
store_status_number (MmImapParser *parser, guint64 number)
{
  MmImapMailbox *mailbox = &parser->mailbox;
  const struct
  {
    const gchar *name;
    gboolean *has;
    guint64 *number;
  } items[] = {
    { "MESSAGES", &mailbox->has_messages, &mailbox->messages },
    { "UIDNEXT", &mailbox->has_uidnext, &mailbox->uidnext },
    { "UIDVALIDITY", &mailbox->has_uidvalidity, &mailbox->uidvalidity },
    { "HIGHESTMODSEQ", &mailbox->has_highestmodseq, &mailbox->highestmodseq },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    if (mm_imap_is_word (parser->text->str, parser->text->len, items[i].name))
      {
        *items[i].has = TRUE;
        *items[i].number = number;
      }
}

/* MAILBOXID (F2212ea87-6097-4256-9d51-71338625) (RFC 8474 4.2) */
static MmImapStep
parse_mailbox_id (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_ATOM:
      mm_imap_parser_take_object_id (parser);
      return MM_IMAP_STEP_AGAIN;
    case MM_IMAP_TOKEN_CLOSE:
      return mm_imap_parser_go (parser, parse_status_item);
    default:
      return mm_imap_parser_refuse (error, "a malformed MAILBOXID");
    }
}

static MmImapStep
parse_status_value (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  guint64 number;

  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_OPEN:
      if (mm_imap_is_word (parser->text->str, parser->text->len, "MAILBOXID"))
        return mm_imap_parser_go (parser, parse_mailbox_id);
      return mm_imap_parser_skip_list (parser, parse_status_item);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_skip_literal (parser, parse_status_item);
    case MM_IMAP_TOKEN_CLOSE:
      return mm_imap_parser_go (parser, parse_status_end);
    case MM_IMAP_TOKEN_ATOM:
      if (mm_imap_parse_number (parser->token.data, parser->token.length, &number))
        store_status_number (parser, number);
      return mm_imap_parser_go (parser, parse_status_item);
    case MM_IMAP_TOKEN_QUOTED:
      return mm_imap_parser_go (parser, parse_status_item);
    default:
      return mm_imap_parser_refuse (error, "items of STATUS without end");
    }
}

static MmImapStep
parse_status_item (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parser_count_entry (parser, error))
    return MM_IMAP_STEP_ERROR;
  if (parser->token.kind == MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_go (parser, parse_status_end);
  if (parser->token.kind != MM_IMAP_TOKEN_ATOM)
    return mm_imap_parser_refuse (error, "a malformed item of STATUS");
  g_string_truncate (parser->text, 0);
  g_string_append_len (parser->text, parser->token.data, (gssize)parser->token.length);
  return mm_imap_parser_go (parser, parse_status_value);
}

/* GNU Mailutils quotes a name in LIST, but not here: "* STATUS two words (…)". How many blanks there
 * were is not known any more; a name that had others is not that of a mailbox, and is ignored. */
static MmImapStep
parse_status_open (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_OPEN:
      return mm_imap_parser_go (parser, parse_status_item);
    case MM_IMAP_TOKEN_ATOM:
      g_string_append_c (parser->name, ' ');
      g_string_append_len (parser->name, parser->token.data, (gssize)parser->token.length);
      return MM_IMAP_STEP_AGAIN;
    default:
      return mm_imap_parser_refuse (error, "STATUS without items");
    }
}

static MmImapStep
take_status_name (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  if (!keep_name (parser, error))
    return MM_IMAP_STEP_ERROR;
  g_string_truncate (parser->object_id, 0);
  return mm_imap_parser_go (parser, parse_status_open);
}

MmImapStep
mm_imap_parse_status (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  memset (&parser->mailbox, 0, sizeof parser->mailbox);
  return mm_imap_parser_want_string (parser, take_status_name);
}

/* NAMESPACE: three groups, each NIL or ((prefix delimiter extensions…)…) */

static MmImapStep parse_namespace_group (MmImapParser *parser, MmImapEvent *event, GError **error);
static MmImapStep parse_namespace_entry (MmImapParser *parser, MmImapEvent *event, GError **error);

static MmImapStep
parse_namespace_rest (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  switch (parser->token.kind)
    {
    case MM_IMAP_TOKEN_CLOSE:
      event->namespace_kind = parser->namespace_kind;
      event->namespace_prefix = parser->name->str;
      event->namespace_delimiter = parser->mailbox.delimiter;
      return mm_imap_parser_emit (parser, event, MM_IMAP_EVENT_NAMESPACE, parse_namespace_entry);
    case MM_IMAP_TOKEN_OPEN:
      return mm_imap_parser_skip_list (parser, parse_namespace_rest);
    case MM_IMAP_TOKEN_LITERAL:
      return mm_imap_parser_skip_literal (parser, parse_namespace_rest);
    case MM_IMAP_TOKEN_EOL:
      return mm_imap_parser_refuse (error, "a namespace without end");
    default:
      return MM_IMAP_STEP_AGAIN;
    }
}

static MmImapStep
take_namespace_delimiter (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  if (!read_delimiter (parser, &parser->mailbox.delimiter, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parser_go (parser, parse_namespace_rest);
}

static MmImapStep
take_namespace_prefix (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  if (parser->is_atom && mm_imap_is_word (parser->string, parser->string_length, "NIL"))
    parser->string_length = 0;
  if (!keep_name (parser, error))
    return MM_IMAP_STEP_ERROR;
  return mm_imap_parser_want_string (parser, take_namespace_delimiter);
}

static MmImapStep
parse_namespace_entry (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (!mm_imap_parser_count_entry (parser, error))
    return MM_IMAP_STEP_ERROR;
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_want_string (parser, take_namespace_prefix);
  if (parser->token.kind != MM_IMAP_TOKEN_CLOSE)
    return mm_imap_parser_refuse (error, "a malformed namespace");
  parser->namespace_kind++;
  return mm_imap_parser_go (parser, parse_namespace_group);
}

static MmImapStep
parse_namespace_group (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  MM_IMAP_PULL (parser, MM_IMAP_LEX_NORMAL, error);
  if (parser->token.kind == MM_IMAP_TOKEN_EOL)
    return mm_imap_parser_go (parser, mm_imap_parser_end_line (parser));
  if (parser->namespace_kind > MM_IMAP_NAMESPACE_SHARED)
    return mm_imap_parser_refuse (error, "a fourth kind of namespaces");
  if (parser->token.kind == MM_IMAP_TOKEN_OPEN)
    return mm_imap_parser_go (parser, parse_namespace_entry);
  if (!mm_imap_parser_is_word (parser, "NIL"))
    return mm_imap_parser_refuse (error, "malformed namespaces");
  parser->namespace_kind++;
  return MM_IMAP_STEP_AGAIN;
}

MmImapStep
mm_imap_parse_namespace (MmImapParser *parser, MmImapEvent *event, GError **error)
{
  parser->namespace_kind = MM_IMAP_NAMESPACE_PERSONAL;
  return mm_imap_parser_go (parser, parse_namespace_group);
}
