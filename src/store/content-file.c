// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mailmount/fd.h>
#include <mailmount/log.h>

#include "content-cache-private.h"
#include "content-directory.h"
#include "content-file.h"

#define HASH_CHUNK_OCTETS (128 * 1024)

#define BLOCK_OF_STAT_OCTETS 512

MmContentFile *
mm_content_file_new (MmContentCache *cache, const MmContentHeader *header, int fd, guint8 *memory,
                     GArray *segments)
{
  MmContentFile *file = g_new0 (MmContentFile, 1);

  file->cache = mm_content_cache_ref (cache);
  file->key = header->key;
  if (fd >= 0)
    mm_content_limit_hold (cache->limit, header->key);
  file->size = header->size;
  file->fd = fd;
  file->memory = memory;
  file->refs = 1;
  file->idle_link.data = file;
  file->is_complete = header->state == MM_CONTENT_WHOLE;
  memcpy (file->digest, header->digest, MM_DIGEST_OCTETS);
  g_mutex_init (&file->lock);
  g_mutex_init (&file->work_lock);
  file->extents = mm_extents_new ();
  if (file->is_complete)
    {
      mm_extents_add (file->extents, 0, file->size);
      return file;
    }

  file->unflushed = mm_extents_new ();
  file->segments
    = segments != NULL ? segments : g_array_new (FALSE, FALSE, sizeof (MmContentSegment));
  file->list_offset = header->list_offset;
  file->list_octets = (gsize) header->n_segments * MM_CONTENT_SEGMENT_OCTETS;
  file->prefix = mm_digest_new ();
  file->is_verified = file->segments->len == 0;
  for (guint i = 0; i < file->segments->len; i++)
    {
      const MmContentSegment *segment = &g_array_index (file->segments, MmContentSegment, i);
      mm_extents_add (file->extents, segment->start, segment->end);
    }
  return file;
}

void
mm_content_file_free (MmContentFile *file)
{
  if (file->fd >= 0)
    mm_content_limit_release (file->cache->limit, file->key);
  else
    mm_content_registry_give_back (&file->cache->registry, file->size);
  mm_fd_clear (&file->fd);
  g_free (file->memory);
  g_mutex_clear (&file->lock);
  g_mutex_clear (&file->work_lock);
  mm_extents_free (file->extents);
  mm_extents_free (file->unflushed);
  g_clear_pointer (&file->segments, g_array_unref);
  mm_digest_free (file->prefix);
  mm_content_cache_unref (file->cache);
  g_free (file);
}

/* ---- where the octets are: a descriptor or memory ---- */

gboolean
mm_content_write_all (int fd, struct iovec *buffers, gsize n, guint64 offset)
{
  while (n > 0)
    {
      gssize written = pwritev (fd, buffers, (int) MIN (n, IOV_MAX), (off_t) offset);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return FALSE;
      offset += (guint64) written;
      while (n > 0 && (gsize) written >= buffers->iov_len)
        {
          written -= (gssize) buffers->iov_len;
          buffers++;
          n--;
        }
      if (n > 0)
        {
          buffers->iov_base = (guint8 *) buffers->iov_base + written;
          buffers->iov_len -= (gsize) written;
        }
    }
  return TRUE;
}

/* errno 0 stands for a file that ended too early. */
static gboolean
fail_from_errno (GError **error)
{
  if (errno != 0)
    g_propagate_error (error, mm_error_new_from_errno (MM_ERROR_CACHE, errno, "cache file"));
  else
    g_set_error (error, MM_ERROR, MM_ERROR_CACHE, "cache file: it was cut by somebody else");
  return FALSE;
}

/* Positions are those in the file; octets of the message come behind the header. */
static gboolean
write_to_disk (MmContentFile *file, const void *data, gsize length, guint64 position,
               GError **error)
{
  struct iovec buffer = { (void *) data, length };

  return mm_content_write_all (file->fd, &buffer, 1, position) || fail_from_errno (error);
}

static gboolean
write_content (MmContentFile *file, const guint8 *data, const MmExtent *range, GError **error)
{
  if (file->memory != NULL)
    {
      memcpy (file->memory + range->start, data, range->end - range->start);
      return TRUE;
    }
  return write_to_disk (file, data, range->end - range->start,
                        MM_CONTENT_HEADER_OCTETS + range->start, error);
}

/* Reads exactly @length octets of the message, or FALSE with errno (0: the file is too short). */
static gboolean
read_content (MmContentFile *file, guint8 *buffer, gsize length, guint64 offset)
{
  if (file->memory != NULL)
    {
      memcpy (buffer, file->memory + offset, length);
      return TRUE;
    }
  while (length > 0)
    {
      gssize n
        = pread (file->fd, buffer, length, (off_t) (MM_CONTENT_HEADER_OCTETS + offset));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          errno = n == 0 ? 0 : errno;
          return FALSE;
        }
      buffer += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
hash_content (MmContentFile *file, MmDigest *digest, guint64 start, guint64 end)
{
  if (file->memory != NULL)
    {
      mm_digest_update (digest, file->memory + start, end - start);
      return TRUE;
    }

  gsize chunk_octets = MIN (end - start, HASH_CHUNK_OCTETS);
  g_autofree guint8 *chunk = g_malloc (chunk_octets);

  while (start < end)
    {
      gsize n = MIN (end - start, chunk_octets);

      if (!read_content (file, chunk, n, start))
        return FALSE;
      mm_digest_update (digest, chunk, n);
      start += n;
    }
  return TRUE;
}

/* ---- what is there ---- */

guint64
mm_content_file_get_size (const MmContentFile *file)
{
  return file->size;
}

gboolean
mm_content_file_is_complete (const MmContentFile *file)
{
  return g_atomic_int_get (&file->is_complete);
}

gboolean
mm_content_file_is_verified (const MmContentFile *file)
{
  return g_atomic_int_get (&file->is_verified) && !g_atomic_int_get (&file->is_useless);
}

gboolean
mm_content_file_has_range (const MmContentFile *file, guint64 offset, guint64 length)
{
  MmContentFile *mutable = (MmContentFile *) file;

  if (offset > file->size || length > file->size - offset)
    return FALSE;
  if (mm_content_file_is_complete (file))
    return TRUE;
  g_mutex_lock (&mutable->lock);
  gboolean has = mm_extents_has (file->extents, offset, offset + length);
  g_mutex_unlock (&mutable->lock);
  return has;
}

guint64
mm_content_file_get_first_gap (const MmContentFile *file, guint64 offset)
{
  MmContentFile *mutable = (MmContentFile *) file;

  if (offset >= file->size || mm_content_file_is_complete (file))
    return file->size;
  g_mutex_lock (&mutable->lock);
  guint64 gap = mm_extents_get_first_gap (file->extents, offset);
  g_mutex_unlock (&mutable->lock);
  return gap;
}

gboolean
mm_content_file_get_digest (const MmContentFile *file, guint8 out_digest[MM_DIGEST_OCTETS])
{
  if (!mm_content_file_is_complete (file))
    return FALSE;
  memcpy (out_digest, file->digest, MM_DIGEST_OCTETS);
  return TRUE;
}

gssize
mm_content_file_pread (MmContentFile *file, void *buffer, gsize size, guint64 offset,
                       GError **error)
{
  if (offset >= file->size)
    return 0;
  size = MIN (MIN (size, file->size - offset), (gsize) G_MAXSSIZE);

  if (!mm_content_file_is_verified (file) || !mm_content_file_has_range (file, offset, size))
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "cache file: octets %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                   " are not there or not verified",
                   offset, offset + size);
      return -1;
    }
  if (read_content (file, buffer, size, offset))
    return (gssize) size;
  fail_from_errno (error);
  return -1;
}

gsize
mm_content_file_peek (MmContentFile *file, void *buffer, gsize size)
{
  gsize length = (gsize) MIN (mm_content_file_get_first_gap (file, 0), size);
  return length > 0 && read_content (file, buffer, length, 0) ? length : 0;
}

/* ---- verifying ---- */

static gboolean
verify_whole (MmContentFile *file)
{
  g_autoptr (MmDigest) digest = mm_digest_new ();
  guint8 found[MM_DIGEST_OCTETS];

  if (hash_content (file, digest, 0, file->size))
    {
      mm_digest_finish (digest, found);
      if (memcmp (found, file->digest, MM_DIGEST_OCTETS) == 0)
        {
          mm_content_cache_note_verified (file->cache, file->key, file->digest);
          g_atomic_int_set (&file->is_verified, TRUE);
          return TRUE;
        }
    }
  g_atomic_int_set (&file->is_useless, TRUE);
  mm_content_cache_drop_damaged (file->cache, file->key, file, "its content is not what was stored");
  return FALSE;
}

static void
verify_segments_with_work_lock (MmContentFile *file)
{
  g_autoptr (MmExtents) sound = mm_extents_new ();
  g_autoptr (MmDigest) digest = mm_digest_new ();
  guint n_damaged = 0;

  for (guint i = 0; i < file->segments->len;)
    {
      const MmContentSegment *segment = &g_array_index (file->segments, MmContentSegment, i);
      gboolean was_read = hash_content (file, digest, segment->start, segment->end);
      guint8 found[MM_DIGEST_OCTETS];

      mm_digest_finish (digest, found);
      if (was_read && memcmp (found, segment->digest, MM_DIGEST_OCTETS) == 0)
        {
          mm_extents_add (sound, segment->start, segment->end);
          i++;
          continue;
        }
      n_damaged++;
      g_array_remove_index_fast (file->segments, i);
    }

  if (n_damaged > 0)
    {
      mm_log_warning ("cache file %06x/%09" G_GINT64_MODIFIER "x: %u damaged extents were dropped",
                      file->key.folder_id, file->key.number, n_damaged);
      g_mutex_lock (&file->lock);
      MmExtents *old = g_steal_pointer (&file->extents);
      file->extents = g_steal_pointer (&sound);
      g_mutex_unlock (&file->lock);
      mm_extents_free (old);
      mm_content_cache_count_damaged (file->cache);
    }
  g_atomic_int_set (&file->is_verified, TRUE);
}

gboolean
mm_content_file_verify (MmContentFile *file)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!g_atomic_int_get (&file->is_verified))
    {
      locker = g_mutex_locker_new (&file->work_lock);
      if (g_atomic_int_get (&file->is_useless))
        return FALSE;
      if (g_atomic_int_get (&file->is_verified))
        return TRUE;
      if (mm_content_file_is_complete (file))
        return verify_whole (file);
      verify_segments_with_work_lock (file);
    }
  return TRUE;
}

/* ---- writing ---- */

static gboolean
write_header (MmContentFile *file, const MmContentHeader *header, GError **error)
{
  guint8 octets[MM_CONTENT_HEADER_OCTETS];

  mm_content_header_encode (header, octets);
  return write_to_disk (file, octets, sizeof octets, 0, error);
}

/* All octets are there. Nothing is announced before the file on disk says so itself. */
static gboolean
complete_with_work_lock (MmContentFile *file, GError **error)
{
  MmContentHeader header = { .state = MM_CONTENT_WHOLE, .size = file->size, .key = file->key };

  if (!hash_content (file, file->prefix, file->prefix_octets, file->size))
    return fail_from_errno (error);
  mm_digest_finish (file->prefix, header.digest);
  file->prefix_octets = 0;

  if (file->fd >= 0 && !g_atomic_int_get (&file->is_forgotten))
    {
      if (!write_header (file, &header, error))
        return FALSE;
      /* From here on the file is right whatever happens: the list behind it is only waste, and
       * the mode is set again when it is looked up. */
      if (ftruncate (file->fd, (off_t) (MM_CONTENT_HEADER_OCTETS + file->size)) != 0
          || fchmod (file->fd, MM_CONTENT_MODE_WHOLE) != 0)
        mm_log_debug ("cache file: %s", g_strerror (errno));
      mm_content_cache_note_verified (file->cache, file->key, header.digest);
    }

  memcpy (file->digest, header.digest, MM_DIGEST_OCTETS);
  g_mutex_lock (&file->lock);
  mm_extents_add (file->extents, 0, file->size);
  g_mutex_unlock (&file->lock);
  g_array_set_size (file->segments, 0);
  mm_extents_clear (file->unflushed);
  g_atomic_int_set (&file->is_complete, TRUE);
  return TRUE;
}

/* Only this thread changes extents: work_lock is held. Reading them needs no lock then. */
static gboolean
fill_gaps_with_work_lock (MmContentFile *file, guint64 offset, const guint8 *data, guint64 end,
                          guint64 *out_filled, GError **error)
{
  MmExtent gap;

  *out_filled = 0;
  for (guint64 at = offset; mm_extents_get_gap (file->extents, at, end, &gap); at = gap.end)
    {
      if (!write_content (file, data + (gap.start - offset), &gap, error))
        return FALSE;
      *out_filled += gap.end - gap.start;
      if (gap.start == file->prefix_octets)
        {
          mm_digest_update (file->prefix, data + (gap.start - offset), gap.end - gap.start);
          file->prefix_octets = gap.end;
        }
    }
  return TRUE;
}

/* The prefix digest knows octets that the extents do not, when a write failed half way. */
static void
forget_prefix (MmContentFile *file)
{
  guint8 unused[MM_DIGEST_OCTETS];

  mm_digest_finish (file->prefix, unused);
  file->prefix_octets = 0;
}

/* What is to be flushed: the gaps of @extents in [@offset, @end), which are about to be filled. */
static void
note_unflushed (MmContentFile *file, guint64 offset, guint64 end)
{
  MmExtent gap;

  for (guint64 at = offset; mm_extents_get_gap (file->extents, at, end, &gap); at = gap.end)
    mm_extents_add (file->unflushed, gap.start, gap.end);
}

/* With holes in it, only the disk knows how much room a file takes. */
static void
note_room (MmContentFile *file)
{
  struct stat status;

  if (file->fd >= 0 && !g_atomic_int_get (&file->is_forgotten) && fstat (file->fd, &status) == 0
      && status.st_nlink > 0)
    mm_content_limit_note_stored (file->cache->limit, file->key,
                                  (guint64) status.st_blocks * BLOCK_OF_STAT_OCTETS);
}

gboolean
mm_content_file_write (MmContentFile *file, guint64 offset, const void *data, gsize length,
                       GError **error)
{
  if (mm_content_file_is_complete (file))
    return TRUE;
  if (file->fd >= 0 && !mm_content_limit_make_room (file->cache->limit, length, error))
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&file->work_lock);
  guint64 filled;

  if (mm_content_file_is_complete (file))
    return TRUE;
  if (offset > file->size || length > file->size - offset)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_CACHE,
                   "cache file: octets beyond the end of a message of %" G_GUINT64_FORMAT,
                   file->size);
      return FALSE;
    }
  /* The digest of the whole must not bless what an earlier process left damaged. */
  if (!g_atomic_int_get (&file->is_verified))
    verify_segments_with_work_lock (file);

  if (!fill_gaps_with_work_lock (file, offset, data, offset + length, &filled, error)
      || (mm_extents_get_octets (file->extents) + filled == file->size
          && !complete_with_work_lock (file, error)))
    {
      forget_prefix (file);
      return FALSE;
    }
  note_room (file);
  if (mm_content_file_is_complete (file))
    return TRUE;

  note_unflushed (file, offset, offset + length);
  g_mutex_lock (&file->lock);
  mm_extents_add (file->extents, offset, offset + length);
  g_mutex_unlock (&file->lock);
  return TRUE;
}

/* Appends a segment for each range of @ranges, with its digest. */
static gboolean
add_segments (MmContentFile *file, GArray *segments, const MmExtents *ranges)
{
  g_autoptr (MmDigest) digest = mm_digest_new ();

  for (guint i = 0; i < mm_extents_get_length (ranges); i++)
    {
      MmExtent range = mm_extents_get (ranges, i);
      MmContentSegment segment = { range.start, range.end, { 0 } };

      /* A list that is too long tells less than there is: that costs a download, no more. */
      if (segments->len == MM_CONTENT_MAX_SEGMENTS)
        return TRUE;
      if (!hash_content (file, digest, range.start, range.end))
        return FALSE;
      mm_digest_finish (digest, segment.digest);
      g_array_append_val (segments, segment);
    }
  return TRUE;
}

/* The segments as they should be on disk now; few, so that each flush hashes only what is new, and
 * anew from the merged extents when they have become many. NULL with errno. */
static GArray *
make_segments (MmContentFile *file)
{
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (MmContentSegment));
  gboolean is_short
    = file->segments->len + mm_extents_get_length (file->unflushed) <= MM_CONTENT_MAX_SEGMENTS;

  if (is_short)
    g_array_append_vals (segments, file->segments->data, file->segments->len);
  return add_segments (file, segments, is_short ? file->unflushed : file->extents)
           ? g_steal_pointer (&segments)
           : NULL;
}

/* A place for a list of @octets that does not touch the list in use. */
static guint64
choose_list_offset (const MmContentFile *file, gsize octets)
{
  guint64 first = MM_CONTENT_HEADER_OCTETS + file->size;

  return first + octets <= file->list_offset || file->list_octets == 0
           ? first
           : file->list_offset + file->list_octets;
}

gboolean
mm_content_file_flush (MmContentFile *file, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&file->work_lock);

  if (mm_content_file_is_complete (file) || file->fd < 0
      || g_atomic_int_get (&file->is_forgotten) || mm_extents_get_octets (file->unflushed) == 0)
    return TRUE;

  g_autoptr (GArray) segments = make_segments (file);
  if (segments == NULL)
    return fail_from_errno (error);

  g_autoptr (GByteArray) list = mm_content_segments_encode (segments);
  MmContentHeader header = { .state = MM_CONTENT_PARTIAL,
                             .n_segments = segments->len,
                             .size = file->size,
                             .key = file->key,
                             .list_offset = choose_list_offset (file, list->len) };
  mm_digest_compute (list->data, list->len, header.digest);

  if (!write_to_disk (file, list->data, list->len, header.list_offset, error)
      || !write_header (file, &header, error))
    return FALSE;

  g_array_unref (file->segments);
  file->segments = g_steal_pointer (&segments);
  file->list_offset = header.list_offset;
  file->list_octets = list->len;
  mm_extents_clear (file->unflushed);
  note_room (file);
  return TRUE;
}
