// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Certificates: files of them and of keys, looked at before they are needed, since libcurl's own
 * words about them are about OpenSSL, not about options; and what there is to say of one.
 *
 * A fingerprint is "SHA256:" and the digest as pairs of hex digits with colons between them.
 */
#pragma once

#include <openssl/x509.h>

#include <mailmount/error.h>

G_BEGIN_DECLS

/* Whether @path (cafile=) holds a certificate in PEM form. MM_ERROR_USAGE. */
gboolean mm_certificate_check_authorities (const gchar *path, GError **error);

/* Whether @cert_file (cert=) is a certificate and @key_file (key=; NULL: the same file) its private
 * key, which has no passphrase. One that has expired is a warning: the server decides about it.
 * MM_ERROR_USAGE. */
gboolean mm_certificate_check_own (const gchar *cert_file, const gchar *key_file, GError **error);

/* The fingerprint of @certificate itself, as `openssl x509 -fingerprint -sha256` tells it.
 * (transfer full) */
gchar *mm_certificate_dup_fingerprint (X509 *certificate);

/* Whether @fingerprint is that of @certificate or of its public key, which may outlive it. */
gboolean mm_certificate_has_fingerprint (X509 *certificate, const gchar *fingerprint);

/* The names and addresses that @certificate is for, @names_max of them at most, for people: it is
 * not said what is in it, anybody may have made it. (transfer full) */
gchar *mm_certificate_dup_names (X509 *certificate, guint names_max);

/* 2026-05-04 (transfer full) */
gchar *mm_certificate_dup_date (const ASN1_TIME *time);

G_END_DECLS
