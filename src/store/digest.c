// SPDX-License-Identifier: GPL-3.0-or-later
#include <openssl/evp.h>

#include "digest.h"

/* An MmDigest is an EVP_MD_CTX under another name: nothing else is needed. */
static EVP_MD_CTX *
as_context (MmDigest *digest)
{
  return (EVP_MD_CTX *) digest;
}

/* Looking an algorithm up by name costs more than hashing a small message: once is enough. */
static const EVP_MD *
get_sha256 (void)
{
  static gsize sha256;

  if (g_once_init_enter (&sha256))
    {
      EVP_MD *fetched = EVP_MD_fetch (NULL, "SHA256", NULL);
      if (fetched == NULL)
        g_error ("OpenSSL offers no SHA-256");
      g_once_init_leave (&sha256, (gsize) fetched);
    }
  return (const EVP_MD *) sha256; /* NOLINT: a pointer kept by g_once_init_leave() */
}

static void
begin (EVP_MD_CTX *context)
{
  if (EVP_DigestInit_ex2 (context, get_sha256 (), NULL) != 1)
    g_error ("OpenSSL cannot begin a digest");
}

MmDigest *
mm_digest_new (void)
{
  EVP_MD_CTX *context = EVP_MD_CTX_new ();

  if (context == NULL)
    g_error ("out of memory for a digest");
  begin (context);
  return (MmDigest *) context;
}

void
mm_digest_free (MmDigest *digest)
{
  EVP_MD_CTX_free (as_context (digest));
}

void
mm_digest_update (MmDigest *digest, const void *data, gsize length)
{
  if (length > 0 && EVP_DigestUpdate (as_context (digest), data, length) != 1)
    g_error ("OpenSSL cannot go on with a digest");
}

void
mm_digest_finish (MmDigest *digest, guint8 out_digest[MM_DIGEST_OCTETS])
{
  if (EVP_DigestFinal_ex (as_context (digest), out_digest, NULL) != 1)
    g_error ("OpenSSL cannot finish a digest");
  begin (as_context (digest));
}

void
mm_digest_compute (const void *data, gsize length, guint8 out_digest[MM_DIGEST_OCTETS])
{
  g_autoptr (MmDigest) digest = mm_digest_new ();

  mm_digest_update (digest, data, length);
  mm_digest_finish (digest, out_digest);
}
