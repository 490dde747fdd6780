// SPDX-License-Identifier: GPL-3.0-or-later
/* What a command is made of, for the encoder and the session. */
#pragma once

#include <mailmount/imap-command.h>

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_PART_RAW,    /* written as it is: our own syntax and numbers, never a caller's text */
  MM_IMAP_PART_ATOMS,  /* atoms and blanks; anything else is refused when it is encoded */
  MM_IMAP_PART_STRING, /* any octets but NUL, quoted or as a literal */
  MM_IMAP_PART_SECRET, /* the same of a secret */
} MmImapPartKind;

typedef struct
{
  MmImapPartKind kind;
  gchar *text;
  MmSecret *secret;
} MmImapPart;

struct MmImapCommand
{
  const gchar *name; /* static */
  GArray *parts;     /* of MmImapPart, written one after the other behind the name */
  MmSasl *sasl;      /* AUTHENTICATE */
  gboolean is_empty; /* asks for an empty set, which IMAP cannot express */
};

/* @name is static: a command's name in upper case, "UID FETCH" for two words. */
MmImapCommand *mm_imap_command_new (const gchar *name);
void mm_imap_command_add_raw (MmImapCommand *command, const gchar *text);
void mm_imap_command_add_atoms (MmImapCommand *command, const gchar *text);
void mm_imap_command_add_string (MmImapCommand *command, const gchar *text);

/* TRUE when it cannot change anything on the server: its name is on the allow-list, and a FETCH
 * only peeks. */
gboolean mm_imap_command_is_harmless (const MmImapCommand *command);

/* TRUE when nothing may be sent behind it before it is answered. */
gboolean mm_imap_command_is_exclusive (const MmImapCommand *command);

/* TRUE for IDLE, which lasts until DONE. */
gboolean mm_imap_command_is_idle (const MmImapCommand *command);

G_END_DECLS
