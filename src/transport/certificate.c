// SPDX-License-Identifier: GPL-3.0-or-later
#include "certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <mailmount/log.h>
#include <mailmount/transport.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

/* ---- files ---- */

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree gchar *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, MM_ERROR, MM_ERROR_USAGE, words);
  return FALSE;
}

static BIO *
open_file (const gchar *option, const gchar *path, GError **error)
{
  BIO *bio;

  /* It would be opened, too, and then read as an empty file. */
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      fail (error, "%s=%s: this is a directory, a file in PEM form is expected", option, path);
      return NULL;
    }
  errno = 0;
  bio = BIO_new_file (path, "rb");
  if (bio == NULL)
    fail (error, "%s=%s: %s", option, path, g_strerror (errno != 0 ? errno : EIO));
  ERR_clear_error ();
  return bio;
}

static X509 *
read_certificate (const gchar *option, const gchar *path, GError **error)
{
  g_autoptr (BIO) bio = open_file (option, path, error);
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;

  ERR_clear_error ();
  if (bio != NULL && certificate == NULL)
    fail (error, "%s=%s: there is no certificate in PEM form (-----BEGIN CERTIFICATE-----) in it",
          option, path);
  return certificate;
}

gboolean
mm_certificate_check_authorities (const gchar *path, GError **error)
{
  g_autoptr (X509) certificate = read_certificate ("cafile", path, error);

  return certificate != NULL;
}

/* pem_password_cb: asked for a passphrase, which nobody could type later. Without one OpenSSL would
 * ask on the terminal. */
static int
note_passphrase (char *buffer, int size, int is_for_writing, void *user_data)
{
  *(gboolean *) user_data = TRUE;
  return -1;
}

static EVP_PKEY *
read_key (const gchar *option, const gchar *path, GError **error)
{
  gboolean has_passphrase = FALSE;
  g_autoptr (BIO) bio = open_file (option, path, error);
  EVP_PKEY *key
      = bio != NULL ? PEM_read_bio_PrivateKey (bio, NULL, note_passphrase, &has_passphrase) : NULL;

  ERR_clear_error ();
  if (bio == NULL || key != NULL)
    return key;
  if (has_passphrase)
    fail (error,
          "%s=%s: the private key has a passphrase, which is not supported; 'openssl pkey -in "
          "%s -out KEY' writes one without, to be kept unreadable for others",
          option, path, path);
  else if (strcmp (option, "cert") == 0)
    fail (error,
          "cert=%s: there is no private key in PEM form in it; if the key is in a file of its "
          "own, name it with key=",
          path);
  else
    fail (error, "key=%s: there is no private key in PEM form (-----BEGIN PRIVATE KEY-----) in it",
          path);
  return NULL;
}

gboolean
mm_certificate_check_own (const gchar *cert_file, const gchar *key_file, GError **error)
{
  g_autoptr (X509) certificate = read_certificate ("cert", cert_file, error);
  g_autoptr (EVP_PKEY) key = NULL;

  if (certificate == NULL)
    return FALSE;
  key = key_file != NULL ? read_key ("key", key_file, error) : read_key ("cert", cert_file, error);
  if (key == NULL)
    return FALSE;
  if (X509_check_private_key (certificate, key) != 1)
    {
      ERR_clear_error ();
      return fail (error, "key=%s: this private key does not belong to the certificate in cert=%s",
                   key_file != NULL ? key_file : cert_file, cert_file);
    }
  if (X509_cmp_current_time (X509_get0_notAfter (certificate)) < 0)
    mm_log_warning ("the certificate in cert=%s has expired; the server may refuse it", cert_file);
  return TRUE;
}

/* ---- what there is to say of one ---- */

static gchar *
format_fingerprint (const guint8 *digest, gsize length)
{
  GString *out = g_string_new (MM_FINGERPRINT_PREFIX);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (out, "%s%02X", i > 0 ? ":" : "", digest[i]);
  return g_string_free (out, FALSE);
}

gchar *
mm_certificate_dup_fingerprint (X509 *certificate)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint length = 0;

  if (X509_digest (certificate, EVP_sha256 (), digest, &length) != 1)
    g_error ("out of memory for a digest");
  return format_fingerprint (digest, length);
}

/* Of its SubjectPublicKeyInfo, as RFC 7469 has it. */
static gchar *
dup_key_fingerprint (X509 *certificate)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint length = 0;
  guint8 *der = NULL;
  int der_length = i2d_X509_PUBKEY (X509_get_X509_PUBKEY (certificate), &der);
  gboolean is_good
      = der_length > 0
        && EVP_Digest (der, (size_t) der_length, digest, &length, EVP_sha256 (), NULL) == 1;

  OPENSSL_free (der);
  return is_good ? format_fingerprint (digest, length) : NULL;
}

gboolean
mm_certificate_has_fingerprint (X509 *certificate, const gchar *fingerprint)
{
  g_autofree gchar *own = mm_certificate_dup_fingerprint (certificate);
  g_autofree gchar *of_key = dup_key_fingerprint (certificate);

  return strcmp (own, fingerprint) == 0 || g_strcmp0 (of_key, fingerprint) == 0;
}

/* (transfer full), NULL for what is neither a host's name nor an address */
static gchar *
dup_name (const GENERAL_NAME *name)
{
  int type = 0;
  const ASN1_STRING *value = GENERAL_NAME_get0_value (name, &type);
  gchar address[INET6_ADDRSTRLEN];

  if (type == GEN_DNS)
    return g_utf8_make_valid ((const gchar *) ASN1_STRING_get0_data (value),
                              ASN1_STRING_length (value));
  if (type != GEN_IPADD)
    return NULL;
  int family = ASN1_STRING_length (value) == 4    ? AF_INET
               : ASN1_STRING_length (value) == 16 ? AF_INET6
                                                  : AF_UNSPEC;
  return g_strdup (inet_ntop (family, ASN1_STRING_get0_data (value), address, sizeof address));
}

/* What certificates had before they had alternative names. */
static void
append_common_name (X509 *certificate, GString *out)
{
  gchar name[256] = "";

  (void)X509_NAME_get_text_by_NID (X509_get_subject_name (certificate), NID_commonName, name,
                                   sizeof name);
  g_autofree gchar *valid = g_utf8_make_valid (name, -1);
  g_string_append (out, valid[0] != '\0' ? valid : "(none)");
}

gchar *
mm_certificate_dup_names (X509 *certificate, guint names_max)
{
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  guint n = 0;

  for (int i = 0; i < sk_GENERAL_NAME_num (names) && n <= names_max; i++)
    {
      g_autofree gchar *name = dup_name (sk_GENERAL_NAME_value (names, i));

      if (name == NULL)
        continue;
      if (n > 0)
        g_string_append (out, ", ");
      g_string_append (out, n < names_max ? name : "…");
      n++;
    }
  GENERAL_NAMES_free (names);
  if (n == 0)
    append_common_name (certificate, out);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

gchar *
mm_certificate_dup_date (const ASN1_TIME *time)
{
  struct tm date;

  if (ASN1_TIME_to_tm (time, &date) != 1)
    return g_strdup ("an unknown date");
  return g_strdup_printf ("%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
}
