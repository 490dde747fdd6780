// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files of certificates and keys, looked at before they are needed: libcurl's own words about them
 * are about OpenSSL, not about options.
 */
#pragma once

#include <mailmount/error.h>

G_BEGIN_DECLS

/* Whether @path (cafile=) holds a certificate in PEM form. MM_ERROR_USAGE. */
gboolean mm_certificate_check_authorities (const gchar *path, GError **error);

/* Whether @cert_file (cert=) is a certificate and @key_file (key=; NULL: the same file) its private
 * key, which has no passphrase. One that has expired is a warning: the server decides about it.
 * MM_ERROR_USAGE. */
gboolean mm_certificate_check_own (const gchar *cert_file, const gchar *key_file, GError **error);

G_END_DECLS
