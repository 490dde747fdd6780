// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the user asked for: the result of reading the command line. Immutable once parsed, so that
 * any thread may read it. It holds no secret but the one that may stand in @proxy.
 */
#pragma once

#include <sys/types.h>

#include <mailmount/transport.h>

#include "source-url.h"

G_BEGIN_DECLS

/* What Gmail lets an account download within a day by IMAP; one that downloads more is closed for a
 * day. */
#define MM_GMAIL_DAILY_OCTETS G_GUINT64_CONSTANT (2500000000)

typedef struct
{
  MmSourceUrl source;
  gchar *source_text; /* as written, which holds no password */
  gchar *mountpoint; /* absolute, not resolved */

  gboolean foreground;
  gboolean debug;
  gboolean is_helper; /* called by mount(8) as mount.mailmount */
  gboolean is_fake;   /* mount -f: everything but the mount itself */
  gboolean is_verbose;

  MmTlsMode tls;
  gboolean has_tls;      /* tls= was written */
  guint16 port;          /* from the URL, or the default of @tls */
  gboolean names_by_uid; /* names=uid */
  gboolean has_no_cache; /* cache=none */
  gchar *cache_dir;      /* absolute; NULL: cache=none */
  gboolean has_cache_size;   /* cache_size= was written */
  guint64 cache_size_octets; /* on disk, or of memory; 0: no limit */
  guint64 cache_free_octets; /* MM_CONTENT_CACHE_FREE_DEFAULT unless written */
  gchar *ca_file;        /* absolute, nullable: the system's trust store */
  gchar *fingerprint;    /* nullable: of the server's certificate, see mm_fingerprint_parse() */
  gchar *cert_file;      /* absolute, nullable: our own certificate */
  gchar *key_file;       /* absolute, nullable: in cert_file, too */
  gchar *proxy;          /* nullable: the environment's, see mm_proxy_check() */
  gchar *tunnel;         /* nullable: the command that is the way to the server */
  gchar *log_file;       /* absolute, nullable: syslog, or the terminal with -f */
  guint connections;
  guint timeout_s;
  guint refresh_s; /* 0: at every opening of a directory */
  gchar *password_command; /* nullable */
  gchar *token_command;    /* nullable */
  const gchar *auth;       /* nullable: the only way to sign in; of mm_sasl_get_mechanisms() */
  gboolean compress;
  gboolean offline;
  guint64 bandwidth; /* octets per second; 0: no limit */
  guint64 daily_octets; /* 0: no limit */
  gboolean has_daily_limit;

  GStrv folders; /* nullable: shell globs of the folders wanted, all when NULL */
  GStrv exclude; /* nullable */
  gboolean subscribed;

  gboolean allow_other;
  gboolean has_uid, has_gid, has_umask;
  uid_t uid;
  gid_t gid;
  mode_t umask;

  /* Mount flags for the kernel as the user wrote them, "nosuid,noexec"; nullable. */
  gchar *kernel_flags;
} MmConfig;

/* Where to connect; its strings are borrowed from @config. */
void mm_config_get_endpoint (const MmConfig *config, MmEndpoint *out);

void mm_config_free (MmConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmConfig, mm_config_free)

G_END_DECLS
