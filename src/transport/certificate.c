// SPDX-License-Identifier: GPL-3.0-or-later
#include "certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include <mailmount/log.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

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
    fail (error, "%s=%s: the private key has a passphrase, which is not supported; 'openssl pkey -in "
                 "%s -out KEY' writes one without, to be kept unreadable for others",
          option, path, path);
  else if (strcmp (option, "cert") == 0)
    fail (error, "cert=%s: there is no private key in PEM form in it; if the key is in a file of its "
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
