// SPDX-License-Identifier: GPL-3.0-or-later
#include <zlib.h>

#include <mailmount/deflate.h>

/* Raw DEFLATE without header and check sum (RFC 4978 section 4). */
#define RAW_WINDOW_BITS (-15)

struct MmDeflate
{
  z_stream out;
  z_stream in;
};

MmDeflate *
mm_deflate_new (void)
{
  MmDeflate *self = g_new0 (MmDeflate, 1);

  if (deflateInit2 (&self->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW_BITS, 8,
                    Z_DEFAULT_STRATEGY)
          != Z_OK
      || inflateInit2 (&self->in, RAW_WINDOW_BITS) != Z_OK)
    g_error ("out of memory for DEFLATE");
  return self;
}

void
mm_deflate_free (MmDeflate *self)
{
  if (self == NULL)
    return;
  deflateEnd (&self->out);
  inflateEnd (&self->in);
  g_free (self);
}

void
mm_deflate_compress (MmDeflate *self, const guint8 *data, gsize length, GByteArray *out)
{
  guint8 buffer[4096];
  z_stream *stream = &self->out;

  while (length > 0)
    {
      /* zlib counts in uInt. */
      uInt part = (uInt)MIN (length, (gsize)G_MAXINT32);

      length -= part;
      stream->next_in = (Bytef *)data;
      stream->avail_in = part;
      data += part;
      do
        {
          stream->next_out = buffer;
          stream->avail_out = sizeof buffer;
          (void)deflate (stream, length > 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH);
          g_byte_array_append (out, buffer, (guint)(sizeof buffer - stream->avail_out));
        }
      while (stream->avail_out == 0);
    }
}

void
mm_deflate_feed (MmDeflate *self, const guint8 *data, gsize length)
{
  g_assert (self->in.avail_in == 0 && length <= G_MAXUINT);
  self->in.next_in = (Bytef *)data;
  self->in.avail_in = (uInt)length;
}

gssize
mm_deflate_inflate (MmDeflate *self, guint8 *buffer, gsize size, GError **error)
{
  int result;

  size = MIN (size, (gsize)G_MAXINT32);
  self->in.next_out = buffer;
  self->in.avail_out = (uInt)size;
  result = inflate (&self->in, Z_SYNC_FLUSH);
  /* Z_BUF_ERROR: nothing to read and nothing held back. An end of the stream is not foreseen:
   * it lasts as long as the connection. */
  if (result != Z_OK && result != Z_BUF_ERROR)
    {
      g_set_error (error, MM_ERROR, MM_ERROR_PROTOCOL, "the compressed stream is damaged: %s",
                   self->in.msg != NULL ? self->in.msg : "it ended");
      return -1;
    }
  return (gssize)(size - self->in.avail_out);
}
