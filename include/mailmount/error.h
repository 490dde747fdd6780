// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The one error domain of mailmount. Codes say how far the damage reaches, not which library
 * noticed it: a message, a mailbox, a connection, the account, this machine. Other libraries'
 * errors are converted in the one file that uses the library. src/fuse/fuse-errno.c turns a code
 * into errno; nothing else does.
 *
 * Messages are for people: they name what failed, on which account or folder, and what can be
 * done. They never hold a password and are made printable when they are logged.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MM_ERROR (mm_error_quark ())

typedef enum
{
  /* The request itself. */
  MM_ERROR_CANCELLED,   /* the caller was interrupted or the mount is ending */
  MM_ERROR_USAGE,       /* a wrong option, URL or argument */
  MM_ERROR_UNSUPPORTED, /* the server lacks the extension this needs */

  /* One message. */
  MM_ERROR_MESSAGE_GONE, /* expunged */
  MM_ERROR_MESSAGE_BAD,  /* its bytes cannot be had or cannot be verified */
  MM_ERROR_TOO_BIG,      /* beyond a limit on size */

  /* One mailbox or name. */
  MM_ERROR_NOT_FOUND,       /* no such name */
  MM_ERROR_MAILBOX_GONE,    /* the mailbox was deleted */
  MM_ERROR_MAILBOX_CHANGED, /* UIDVALIDITY is another one */
  MM_ERROR_READ_ONLY,       /* read-only mount or mailbox */
  MM_ERROR_PERMISSION,      /* the server refuses this user this thing */
  MM_ERROR_EXISTS,
  MM_ERROR_NOT_EMPTY,
  MM_ERROR_IN_USE,
  MM_ERROR_NAME_TOO_LONG,
  MM_ERROR_NAME_ENCODING, /* the name cannot be expressed */

  /* One connection; another one may succeed. */
  MM_ERROR_CONNECTION_LOST,
  MM_ERROR_TIMEOUT,
  MM_ERROR_PROTOCOL,    /* the server broke the protocol */
  MM_ERROR_UNAVAILABLE, /* the server asks to wait: UNAVAILABLE, LIMIT */

  /* The account. */
  MM_ERROR_OFFLINE,        /* the server cannot be reached */
  MM_ERROR_TLS,            /* no secure connection: certificate, STARTTLS refused */
  MM_ERROR_AUTHENTICATION, /* the login was refused */
  MM_ERROR_QUOTA,          /* OVERQUOTA, or our own budget is used up */

  /* This machine. */
  MM_ERROR_LIMIT,    /* one of our own limits was reached */
  MM_ERROR_CACHE,    /* the index or the cache cannot be read or written */
  MM_ERROR_NO_SPACE, /* the local disk is full */
  MM_ERROR_SYSTEM,   /* any other failure of a system call */
} MmError;

/* For arrays that count by kind. */
#define MM_N_ERRORS (MM_ERROR_SYSTEM + 1)

/* "connection-lost": for programs, stable. */
const gchar *mm_error_get_name (MmError code);

GQuark mm_error_quark (void);

/* A new MM_ERROR from the errno value @errno_value, "@what: strerror". ENOSPC and EDQUOT become
 * MM_ERROR_NO_SPACE, all others @code. */
GError *mm_error_new_from_errno (MmError code, int errno_value, const gchar *what);

G_END_DECLS
