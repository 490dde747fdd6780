// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A remote on a scripted server, and sinks that write down what they are told, one line each, so
 * that a test compares a whole conversation with a text.
 */
#pragma once

#include <mailmount/remote.h>

#include "scripted-server.h"

typedef struct
{
  ScriptedServer *server; /* nullable: a test may take it away */
  MmRemoteConfig config;
  MmRemote *remote;
  guint n_secrets; /* asked for; by connection threads, read after they ended */
  guint n_fresh;   /* of them with want_fresh */
  guint64 n_left;  /* what a sink says is left when it is told what vanished; set by the test */
  gboolean wants_ids; /* of mailboxes */

  GMutex lock; /* guards: */
  GCond changed;
  GString *log;
  guint n_done;
  guint n_lines;
} Fixture;

/* What the server says until a connection is logged in; @CAPS offered. */
#define HELLO(CAPS)                                                                                \
  "S: * OK ready\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR " CAPS               \
  "\nS: $T OK\nC: AUTHENTICATE PLAIN AHVzZXIAc2VjcmV0\n"                                           \
  "S: $T OK [CAPABILITY IMAP4rev1 " CAPS "] in\n"

/* The same where the greeting tells the capabilities; nothing is asked. */
#define HELLO_AT_ONCE(CAPS)                                                                        \
  "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR " CAPS "] ready\n"                             \
  "C: AUTHENTICATE PLAIN AHVzZXIAc2VjcmV0\nS: $T OK [CAPABILITY IMAP4rev1 " CAPS "] in\n"

Fixture *fixture_new (void);
/* Makes the remote from the configuration; done by the functions below when it was not. */
MmRemote *fixture_get_remote (Fixture *fixture);
void fixture_close_remote (Fixture *fixture);
/* Closes and checks the server. */
void fixture_free (Fixture *fixture);

MmRemoteJob *fixture_list (Fixture *fixture);
MmRemoteJob *fixture_sync (Fixture *fixture, const gchar *mailbox, const MmMailboxState *known);
MmRemoteJob *fixture_fetch (Fixture *fixture, const gchar *mailbox, guint64 uidvalidity,
                            const MmFetchItem *items, gsize n_items, MmRemotePriority priority);

/* A watch writes "watching" and the state, if any, whenever it begins. */
MmRemoteJob *fixture_watch (Fixture *fixture, const gchar *mailbox);
/* Has what the server tells unasked written down. Before the first job. */
void fixture_write_changes (Fixture *fixture);

/* Waits until @n jobs are done in all. */
void fixture_wait_done (Fixture *fixture, guint n);
/* Waits until @n lines are written in all. */
void fixture_wait_lines (Fixture *fixture, guint n);
/* Waits for the job, drops it, and compares all that was written so far, and forgets it. */
void fixture_check (Fixture *fixture, MmRemoteJob *job, const gchar *expected);
void fixture_check_log (Fixture *fixture, const gchar *expected);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)
