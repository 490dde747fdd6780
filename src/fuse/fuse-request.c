// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuse-private.h"

#include <errno.h>

#include <mailmount/clock.h>

static void
request_unref (MmFuseRequest *request)
{
  if (!g_atomic_ref_count_dec (&request->refs))
    return;
  g_clear_pointer (&request->waiter, mm_waiter_unref);
  g_clear_pointer (&request->names, g_byte_array_unref);
  g_clear_error (&request->pending_error);
  g_mutex_clear (&request->lock);
  g_clear_pointer (&request->octets, g_bytes_unref);
  g_free (request->name);
  g_free (request->buffer);
  g_free (request->value);
  g_free (request);
}

/* The kernel's interrupt. libfuse holds a lock of the request here, so that answering it on the spot
 * would be a deadlock. */
static void
on_interrupt (fuse_req_t req, void *data)
{
  MmFuseRequest *request = data;

  g_mutex_lock (&request->lock);
  if (request->waiter != NULL)
    mm_deadlines_cancel (request->fuse->deadlines, request->waiter);
  g_mutex_unlock (&request->lock);
}

/* Answers the kernel. Exactly one thread gets here, with no attempt in progress, within an
 * activity: the session's descriptor is open. */
static void
answer (MmFuseRequest *request, const GError *error)
{
  fuse_req_interrupt_func (request->req, NULL, NULL);
  if (error == NULL)
    request->operation->reply (request);
  else
    {
      if (request->operation->undo != NULL)
        request->operation->undo (request);
      fuse_reply_err (request->req, mm_fuse_errno (error, request->operation->is_open));
    }
  request_unref (request);
}

static gboolean
begin_activity (MmFuse *fuse)
{
  g_mutex_lock (&fuse->lock);
  gboolean go_on = !fuse->is_ending;
  if (go_on)
    fuse->n_active++;
  g_mutex_unlock (&fuse->lock);
  return go_on;
}

static void
end_activity (MmFuse *fuse)
{
  g_mutex_lock (&fuse->lock);
  /* A signal is a system call, also when nobody waits. */
  if (--fuse->n_active == 0 && fuse->is_ending)
    g_cond_signal (&fuse->idle);
  g_mutex_unlock (&fuse->lock);
}

/* The kernel is answered no more: its descriptor may be another file's already. Whoever waited is
 * told by the unmounting. */
static void
abandon (MmFuseRequest *request)
{
  fuse_req_interrupt_func (request->req, NULL, NULL);
  if (request->operation->undo != NULL)
    request->operation->undo (request);
  fuse_reply_none (request->req);
  request_unref (request);
}

static void on_fire (const GError *error, gpointer user_data);

/* A waiter holds a reference to its request until it fires or is disarmed. */
static MmWaiter *
arm (MmFuseRequest *request)
{
  g_atomic_ref_count_inc (&request->refs);
  MmWaiter *waiter = mm_waiter_new (on_fire, request);

  g_mutex_lock (&request->lock);
  g_clear_pointer (&request->waiter, mm_waiter_unref);
  request->waiter = mm_waiter_ref (waiter);
  request->is_attempting = TRUE;
  request->is_pending = FALSE;
  g_mutex_unlock (&request->lock);
  return waiter;
}

typedef enum
{
  NEXT_AGAIN,
  NEXT_FINISH,
  NEXT_WAIT,
} Next;

/* What comes after an attempt. Its waiter may have fired on another thread meanwhile: a waiter that
 * fired during the attempt only left a note. */
static Next
settle (MmFuseRequest *request, MmWaiter *waiter, MmTry result, GError **error)
{
  Next next = NEXT_WAIT;

  g_mutex_lock (&request->lock);
  request->is_attempting = FALSE;
  if (result != MM_TRY_WAIT)
    {
      request->is_finished = TRUE;
      next = NEXT_FINISH;
      if (mm_waiter_disarm (waiter))
        g_atomic_ref_count_dec (&request->refs);
    }
  else if (request->is_pending)
    {
      *error = g_steal_pointer (&request->pending_error);
      next = *error != NULL ? NEXT_FINISH : NEXT_AGAIN;
      request->is_finished = *error != NULL;
    }
  g_mutex_unlock (&request->lock);
  return next;
}

static void
attempt (MmFuseRequest *request)
{
  MmFuse *fuse = request->fuse;
  g_autoptr (GError) error = NULL;
  Next next = NEXT_AGAIN;

  g_atomic_ref_count_inc (&request->refs);
  while (next == NEXT_AGAIN)
    {
      g_autoptr (MmWaiter) waiter = arm (request);
      MmTry result = request->operation->attempt (request, waiter, &error);
      next = settle (request, waiter, result, &error);
      if (next == NEXT_WAIT)
        mm_deadlines_add (fuse->deadlines, waiter, request->deadline_us);
    }
  if (next == NEXT_FINISH)
    answer (request, error);
  request_unref (request);
}

/* Attempts, or with @error (nullable) answers, unless the mount is ending. */
static void
resume (MmFuseRequest *request, const GError *error)
{
  MmFuse *fuse = request->fuse;

  if (!begin_activity (fuse))
    {
      abandon (request);
      return;
    }
  if (error != NULL)
    answer (request, error);
  else
    attempt (request);
  end_activity (fuse);
}

static void
on_fire (const GError *error, gpointer user_data)
{
  MmFuseRequest *request = user_data;

  g_mutex_lock (&request->lock);
  gboolean act = !request->is_attempting && !request->is_finished;
  if (request->is_attempting)
    {
      request->is_pending = TRUE;
      request->pending_error = error != NULL ? g_error_copy (error) : NULL;
    }
  else if (act && error != NULL)
    request->is_finished = TRUE;
  g_mutex_unlock (&request->lock);

  if (act)
    resume (request, error);
  request_unref (request);
}

MmFuseRequest *
mm_fuse_request_new (fuse_req_t req, const MmFuseOperation *operation, fuse_ino_t inode)
{
  MmFuseRequest *request = g_new0 (MmFuseRequest, 1);

  request->fuse = fuse_req_userdata (req);
  request->req = req;
  request->operation = operation;
  request->inode = inode;
  request->deadline_us = mm_clock_monotonic_us () + request->fuse->timeout_us;
  request->thread_id = (guint) fuse_req_ctx (req)->pid;
  g_atomic_ref_count_init (&request->refs);
  g_mutex_init (&request->lock);
  return request;
}

void
mm_fuse_request_run (MmFuseRequest *request)
{
  fuse_req_interrupt_func (request->req, on_interrupt, request);
  resume (request, NULL);
}

void
mm_fuse_end_requests (MmFuse *fuse)
{
  g_mutex_lock (&fuse->lock);
  fuse->is_ending = TRUE;
  while (fuse->n_active > 0)
    g_cond_wait (&fuse->idle, &fuse->lock);
  g_mutex_unlock (&fuse->lock);
}
