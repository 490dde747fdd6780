// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include <mailmount/error.h>

#include "imap-encoder.h"
#include "imap-parser.h"

/* Longer strings are literals, to keep command lines short for servers that limit them. */
#define QUOTED_MAX_OCTETS 1024
/* RFC 7888 section 5. */
#define LITERAL_MINUS_MAX_OCTETS 4096

MmImapOutput *
mm_imap_output_new (guint32 tag)
{
  MmImapOutput *output = g_new0 (MmImapOutput, 1);

  output->tag = tag;
  return output;
}

void
mm_imap_output_free (MmImapOutput *output)
{
  if (output == NULL)
    return;
  mm_secret_wipe (output->octets, output->allocated);
  g_free (output->octets);
  g_free (output);
}

void
mm_imap_output_append (MmImapOutput *output, const void *octets, gsize length)
{
  if (length > output->allocated - output->length)
    {
      /* No realloc: it would leave the old octets behind in free memory. */
      gsize allocated = MAX (2 * output->allocated, output->length + length + 64);
      guint8 *grown = g_malloc (allocated);

      if (output->length > 0)
        memcpy (grown, output->octets, output->length);
      mm_secret_wipe (output->octets, output->allocated);
      g_free (output->octets);
      output->octets = grown;
      output->allocated = allocated;
    }
  if (length > 0)
    memcpy (output->octets + output->length, octets, length);
  output->length += length;
}

typedef struct
{
  const MmImapEncoding *encoding;
  guint32 tag;
  GQueue outputs; /* of MmImapOutput; the last one is written to */
} Encoder;

static void
write_octets (Encoder *encoder, const void *octets, gsize length)
{
  mm_imap_output_append (g_queue_peek_tail (&encoder->outputs), octets, length);
}

static void
write_text (Encoder *encoder, const gchar *text)
{
  write_octets (encoder, text, strlen (text));
}

static gboolean
write_atoms (Encoder *encoder, const gchar *atoms, GError **error)
{
  gboolean is_valid = *atoms != '\0';

  for (const gchar *c = atoms; *c != '\0'; c++)
    if (*c < ' ' || *c > '~' || strchr ("(){%*\"\\]", *c) != NULL)
      is_valid = FALSE;
  if (!is_valid)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_NAME_ENCODING, "not IMAP atoms: “%s”", atoms);
      return FALSE;
    }
  write_text (encoder, atoms);
  return TRUE;
}

/* RFC 9051 QUOTED-CHAR: no CR, no LF; 8-bit only as UTF-8 and only where that is agreed upon. */
static gboolean
is_quotable (const Encoder *encoder, const gchar *string, gsize length)
{
  gboolean is_8bit = FALSE;

  if (length > QUOTED_MAX_OCTETS)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (string[i] == '\r' || string[i] == '\n')
        return FALSE;
      if ((guchar)string[i] >= 0x80)
        is_8bit = TRUE;
    }
  return !is_8bit || (encoder->encoding->utf8 && g_utf8_validate (string, (gssize)length, NULL));
}

static void
write_quoted (Encoder *encoder, const gchar *string, gsize length)
{
  write_octets (encoder, "\"", 1);
  for (gsize i = 0; i < length; i++)
    {
      if (string[i] == '"' || string[i] == '\\')
        write_octets (encoder, "\\", 1);
      write_octets (encoder, string + i, 1);
    }
  write_octets (encoder, "\"", 1);
}

static void
write_literal (Encoder *encoder, const gchar *string, gsize length)
{
  const MmImapEncoding *encoding = encoder->encoding;
  gboolean is_synchronising
      = !encoding->literal_plus && !(encoding->literal_minus && length <= LITERAL_MINUS_MAX_OCTETS);
  gchar head[32];

  g_snprintf (head, sizeof head, "{%" G_GSIZE_FORMAT "%s}\r\n", length,
              is_synchronising ? "" : "+");
  write_text (encoder, head);
  if (is_synchronising)
    {
      MmImapOutput *output = g_queue_peek_tail (&encoder->outputs);

      output->wait = MM_IMAP_WAIT_LITERAL;
      g_queue_push_tail (&encoder->outputs, mm_imap_output_new (encoder->tag));
    }
  write_octets (encoder, string, length);
}

static gboolean
write_string (Encoder *encoder, const gchar *string, gsize length, GError **error)
{
  if (length > 0 && memchr (string, '\0', length) != NULL)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_NAME_ENCODING,
                           "a NUL cannot be sent to an IMAP server");
      return FALSE;
    }
  if (is_quotable (encoder, string, length))
    write_quoted (encoder, string, length);
  else
    write_literal (encoder, string, length);
  return TRUE;
}

static gboolean
write_part (Encoder *encoder, const MmImapPart *part, GError **error)
{
  switch (part->kind)
    {
    case MM_IMAP_PART_RAW:
      write_text (encoder, part->text);
      return TRUE;
    case MM_IMAP_PART_ATOMS:
      return write_atoms (encoder, part->text, error);
    case MM_IMAP_PART_STRING:
      return write_string (encoder, part->text, strlen (part->text), error);
    case MM_IMAP_PART_SECRET:
      return write_string (encoder, mm_secret_get (part->secret),
                           mm_secret_get_length (part->secret), error);
    }
  g_assert_not_reached ();
}

static gboolean
write_command (Encoder *encoder, const MmImapCommand *command, const gchar *initial_response,
               GError **error)
{
  g_autofree gchar *start = g_strdup_printf ("%c%" G_GUINT32_FORMAT " %s", MM_IMAP_TAG_LETTER,
                                             encoder->tag, command->name);
  MmImapOutput *last;

  if (command->is_empty)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_USAGE, "%s of no message", command->name);
      return FALSE;
    }
  write_text (encoder, start);
  for (guint i = 0; i < command->parts->len; i++)
    if (!write_part (encoder, &g_array_index (command->parts, MmImapPart, i), error))
      return FALSE;
  if (initial_response != NULL)
    {
      write_text (encoder, " ");
      write_text (encoder, initial_response);
    }
  write_text (encoder, "\r\n");
  last = g_queue_peek_tail (&encoder->outputs);
  if (command->sasl != NULL)
    last->wait = MM_IMAP_WAIT_SASL;
  else if (mm_imap_command_is_exclusive (command))
    last->wait = MM_IMAP_WAIT_ANSWER;
  else if (mm_imap_command_is_idle (command))
    last->wait = MM_IMAP_WAIT_IDLE;
  return TRUE;
}

gboolean
mm_imap_encode (const MmImapCommand *command, guint32 tag, const MmImapEncoding *encoding,
                const gchar *initial_response, GQueue *outputs, GError **error)
{
  Encoder encoder = { .encoding = encoding, .tag = tag, .outputs = G_QUEUE_INIT };
  gboolean is_written;

  g_queue_push_tail (&encoder.outputs, mm_imap_output_new (tag));
  is_written = write_command (&encoder, command, initial_response, error);
  if (is_written)
    for (MmImapOutput *output; (output = g_queue_pop_head (&encoder.outputs)) != NULL;)
      g_queue_push_tail (outputs, output);
  g_queue_clear_full (&encoder.outputs, (GDestroyNotify)mm_imap_output_free);
  return is_written;
}
