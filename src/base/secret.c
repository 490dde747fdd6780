// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mailmount/secret.h>

/* A secret has pages of its own: mlock and MADV_DONTDUMP work on whole pages. */
struct MmSecret
{
  gatomicrefcount refs;
  gsize length;
  gsize mapped_octets;
  gchar octets[];
};

static gsize
round_up_to_pages (gsize octets)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  return (octets + page - 1) / page * page;
}

MmSecret *
mm_secret_new (const void *octets, gsize length)
{
  gsize mapped_octets = round_up_to_pages (sizeof (MmSecret) + length + 1);
  MmSecret *secret = mmap (NULL, mapped_octets, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (secret == MAP_FAILED)
    g_error ("out of memory for a secret of %" G_GSIZE_FORMAT " octets", length);
  /* Both are best effort: RLIMIT_MEMLOCK may be zero. */
  (void) mlock (secret, mapped_octets);
  (void) madvise (secret, mapped_octets, MADV_DONTDUMP);

  g_atomic_ref_count_init (&secret->refs);
  secret->length = length;
  secret->mapped_octets = mapped_octets;
  if (length > 0)
    memcpy (secret->octets, octets, length);
  return secret;
}

MmSecret *
mm_secret_ref (MmSecret *secret)
{
  g_atomic_ref_count_inc (&secret->refs);
  return secret;
}

void
mm_secret_unref (MmSecret *secret)
{
  if (!g_atomic_ref_count_dec (&secret->refs))
    return;
  gsize mapped_octets = secret->mapped_octets;
  mm_secret_wipe (secret, mapped_octets);
  munmap (secret, mapped_octets);
}

const gchar *
mm_secret_get (const MmSecret *secret)
{
  return secret->octets;
}

gsize
mm_secret_get_length (const MmSecret *secret)
{
  return secret->length;
}

void
mm_secret_wipe (void *octets, gsize length)
{
  if (octets != NULL)
    explicit_bzero (octets, length);
}
