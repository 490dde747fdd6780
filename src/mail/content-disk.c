// SPDX-License-Identifier: GPL-3.0-or-later
/* A content and the cache on disk: looking up and verifying, storing behind the replies. */
#include "content-private.h"

#include <mailmount/clock.h>
#include <mailmount/log.h>

/* The extents of a partial file are written down after so many new octets. */
#define FLUSH_OCTETS (4 * 1024 * 1024)
/* What cannot be stored stays in memory for its readers, up to this much of one message. */
#define UNSTORED_OCTETS_MAX (8 * 1024 * 1024)
#define WARNING_US (60 * G_USEC_PER_SEC)

MmContentKey
mm_content_get_key (const MmContent *content)
{
  if (content->link != 0)
    return mm_content_key_of_link (content->link);
  return (MmContentKey){ mm_mailbox_get_folder_id (content->mailbox), content->number,
                         content->origin };
}

/* ---- looking up ---- */

void
mm_content_look_up (MmContent *content)
{
  MmContentFile *file = mm_content_cache_lookup (content->context->cache,
                                                 mm_content_get_key (content));
  if (file != NULL && !mm_content_file_verify (file))
    g_clear_pointer (&file, mm_content_file_unref);
  mm_content_tell_stored (content, file != NULL && mm_content_file_is_complete (file));

  g_mutex_lock (&content->lock);
  content->lookup = MM_CONTENT_LOOKED_UP;
  if (file != NULL && content->file == NULL)
    {
      content->size_is_known = TRUE;
      content->size = mm_content_file_get_size (file);
      content->file = g_steal_pointer (&file);
    }
  gboolean is_known = content->size_is_known;
  guint64 size = content->size;
  GPtrArray *waiters = mm_wait_list_take_locked (content->waits);
  g_mutex_unlock (&content->lock);

  g_clear_pointer (&file, mm_content_file_unref);
  /* The index may have been lost or be older than the cache. */
  if (is_known)
    mm_content_tell_size (content, size);
  mm_waiters_fire (waiters, NULL);
}

static void
run_lookup (gpointer data)
{
  MmContent *content = data;
  mm_content_look_up (content);
  mm_content_unref (content);
}

void
mm_content_start_lookup (MmContent *content)
{
  mm_disk_pool_push (content->context->disk_readers, run_lookup, mm_content_ref (content));
}

/* ---- storing ---- */

typedef struct
{
  MmContent *content; /* owned ref */
  guint64 offset;
  GBytes *octets; /* owned ref */
} StoreJob;

static gboolean
store_whole (MmContent *content, GBytes *octets, GError **error)
{
  return mm_content_cache_store (content->context->cache, mm_content_get_key (content), &octets, 1,
                                 NULL, error);
}

/* Writes a piece of a large message into its file, which is made with the first piece. */
static gboolean
store_piece (MmContent *content, guint64 offset, GBytes *octets, GError **error)
{
  g_mutex_lock (&content->lock);
  g_autoptr (MmContentFile) file
      = content->file != NULL ? mm_content_file_ref (content->file) : NULL;
  guint64 size = content->size;
  g_mutex_unlock (&content->lock);

  if (file == NULL)
    {
      file = mm_content_cache_create (content->context->cache, mm_content_get_key (content), size,
                                      error);
      if (file == NULL)
        return FALSE;
      g_mutex_lock (&content->lock);
      g_clear_pointer (&content->file, mm_content_file_unref);
      content->file = mm_content_file_ref (file);
      g_mutex_unlock (&content->lock);
    }

  gsize length = 0;
  const void *data = g_bytes_get_data (octets, &length);
  if (!mm_content_file_write (file, offset, data, length, error))
    return FALSE;

  g_mutex_lock (&content->lock);
  content->unflushed_octets += length;
  gboolean flush = content->unflushed_octets >= FLUSH_OCTETS
                   && !mm_content_file_is_complete (file);
  if (flush)
    content->unflushed_octets = 0;
  g_mutex_unlock (&content->lock);
  return !flush || mm_content_file_flush (file, error);
}

static void
remove_piece_locked (MmContent *content, const GBytes *octets)
{
  for (guint i = 0; i < content->pieces->len; i++)
    if (g_array_index (content->pieces, MmContentPiece, i).octets == octets)
      {
        g_array_remove_index (content->pieces, i);
        return;
      }
}

/* Nothing is on the disk, so readers live on memory: keep the newest pieces only. */
static void
limit_pieces_locked (MmContent *content, guint64 newest_offset)
{
  guint64 held = 0;

  for (guint i = 0; i < content->pieces->len; i++)
    held += g_bytes_get_size (g_array_index (content->pieces, MmContentPiece, i).octets);
  for (guint i = 0; held > UNSTORED_OCTETS_MAX && i < content->pieces->len;)
    {
      const MmContentPiece *piece = &g_array_index (content->pieces, MmContentPiece, i);
      if (piece->offset == newest_offset)
        {
          i++;
          continue;
        }
      held -= g_bytes_get_size (piece->octets);
      g_array_remove_index (content->pieces, i);
    }
}

/* When the disk is full it is so for every message. */
static void
warn_of_cache (MmMailContext *context, const GError *error)
{
  gint64 now_us = mm_clock_monotonic_us ();

  /* That memory is limited was asked for. */
  if (g_error_matches (error, MM_ERROR, MM_ERROR_LIMIT))
    return;
  if (context->store_warned_us != 0 && now_us - context->store_warned_us < WARNING_US)
    return;
  context->store_warned_us = now_us;
  mm_log_warning ("%s: messages that are read cannot be kept in the cache now: %s", context->name,
                  error->message);
}

static void
run_store (gpointer data)
{
  StoreJob *job = data;
  MmContent *content = job->content;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&content->lock);
  gboolean is_whole = job->offset == 0 && g_bytes_get_size (job->octets) == content->size;
  g_mutex_unlock (&content->lock);
  gboolean is_stored = is_whole ? store_whole (content, job->octets, &error)
                                : store_piece (content, job->offset, job->octets, &error);
  if (is_stored && is_whole)
    mm_content_tell_stored (content, TRUE);
  if (!is_stored)
    warn_of_cache (content->context, error);

  g_mutex_lock (&content->lock);
  /* A whole small message stays in memory for whoever has it open. */
  if (is_stored && !is_whole)
    remove_piece_locked (content, job->octets);
  else if (!is_stored)
    limit_pieces_locked (content, job->offset);
  g_mutex_unlock (&content->lock);

  content->context->unstored_octets -= (gint64) g_bytes_get_size (job->octets);
  g_bytes_unref (job->octets);
  mm_content_unref (content);
  g_free (job);
}

void
mm_content_store (MmContent *content, guint64 offset, GBytes *octets)
{
  StoreJob *job = g_new (StoreJob, 1);

  job->content = mm_content_ref (content);
  job->offset = offset;
  job->octets = g_bytes_ref (octets);
  content->context->unstored_octets += (gint64) g_bytes_get_size (octets);
  mm_disk_pool_push (content->context->disk_writers, run_store, job);
}

static void
flush_and_close (gpointer data)
{
  g_autoptr (MmContentFile) file = data;
  g_autoptr (GError) error = NULL;

  if (!mm_content_file_flush (file, &error))
    mm_log_warning ("the extents of a message cannot be kept in the cache: %s", error->message);
}

void
mm_content_flush_file (MmMailContext *context, MmContentFile *file)
{
  if (mm_content_file_is_complete (file))
    mm_content_file_unref (file);
  else
    mm_disk_pool_push (context->disk_writers, flush_and_close, file);
}
