// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An account on a fake server, with an observer that keeps a log, and attempts awaited.
 */
#pragma once

#include <mailmount/account.h>

#include "fake-remote.h"

G_BEGIN_DECLS

typedef struct
{
  FakeServer *server;
  gchar *directory;        /* of index and cache; removed at the end */
  MmAccountConfig config;  /* a test may change it before mail_fixture_mount() */
  MmAccount *account;      /* NULL between mounts */
  GMutex lock;
  GPtrArray *events;       /* Array<gchar *>: what the observer was told */
} MailFixture;

/* Without mailboxes; not mounted. */
MailFixture *mail_fixture_new (void);
void mail_fixture_free (MailFixture *fixture);
/* Opens the account and awaits its list of folders. */
void mail_fixture_mount (MailFixture *fixture);
void mail_fixture_unmount (MailFixture *fixture);

/* The mailbox of the folder at @path ("A/B"); it must be there. */
MmMailbox *mail_fixture_find (MailFixture *fixture, const gchar *path);
/* Lists it, as fresh as the server is now: its numbers, "1 2 5", ascending. (transfer full) */
gchar *mail_fixture_list (MailFixture *fixture, const gchar *path);
/* All octets of a message, read 64 KiB at a time. NULL with @error. */
GBytes *mail_fixture_read (MailFixture *fixture, const gchar *path, guint64 number,
                           GError **error);
/* How many events begin with @prefix: "folder ID", "folder-gone PARENT NAME", "gone ID NUMBER",
 * "changed ID NUMBER". */
guint mail_fixture_count_events (MailFixture *fixture, const gchar *prefix);

/* Awaits the attempt @call, which names `waiter`: made again each time the waiter fires. The MmTry
 * it ended with: DONE or FAILED with @error. */
#define AWAIT(error, call)                                                  \
  G_GNUC_EXTENSION ({                                                       \
    MmTry await_result;                                                     \
    do                                                                      \
      {                                                                     \
        TestWait *await_wait = test_wait_new ();                            \
        MmWaiter *waiter = test_wait_get_waiter (await_wait);               \
        await_result = (call);                                              \
        await_result = test_wait_end (await_wait, await_result, (error));   \
      }                                                                     \
    while (await_result == MM_TRY_WAIT);                                    \
    await_result;                                                           \
  })

typedef struct TestWait TestWait;

TestWait *test_wait_new (void);
MmWaiter *test_wait_get_waiter (TestWait *wait);
/* Frees @wait. After WAIT it waits until the waiter fires: WAIT again, or FAILED with its error. */
MmTry test_wait_end (TestWait *wait, MmTry result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MailFixture, mail_fixture_free)

G_END_DECLS
