// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <mailmount/fd.h>

#include "tree-list.h"

#define DIGEST_ATTRIBUTE "user.mailmount.digest"
#define DIGEST_PREFIX    "sha256:"
#define DIGEST_DIGITS    64
#define READ_OCTETS      (256 * 1024)

typedef struct
{
  const gchar *mounted;
  const gchar *copied;
  MmVerifyFunc func;
  gpointer user_data;
  MmVerifyCounts *counts;
  guint8 *buffer; /* READ_OCTETS */
} Verification;

static void
tell (Verification *verification, MmVerifyFinding finding, const gchar *path, const gchar *why)
{
  verification->counts->n_findings[finding]++;
  verification->func (finding, path, why, verification->user_data);
}

static void
tell_folder (Verification *verification, MmVerifyFinding finding, const gchar *path)
{
  g_autofree gchar *shown = g_strconcat (path, "/", NULL);
  tell (verification, finding, shown, NULL);
}

/* ---- two files ---- */

/* What the mount knows without asking the server; NULL: nothing. (transfer full) */
static gchar *
read_known_digest (const gchar *path)
{
  gchar value[sizeof DIGEST_PREFIX + DIGEST_DIGITS] = "";
  ssize_t length = lgetxattr (path, DIGEST_ATTRIBUTE, value, sizeof value - 1);

  return length == (ssize_t) (sizeof DIGEST_PREFIX - 1 + DIGEST_DIGITS)
                 && g_str_has_prefix (value, DIGEST_PREFIX)
             ? g_strdup (value + strlen (DIGEST_PREFIX))
             : NULL;
}

/* NULL with errno. (transfer full) */
static gchar *
compute_digest (Verification *verification, const gchar *path)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  mm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t n = -1;

  while (fd >= 0 && (n = read (fd, verification->buffer, READ_OCTETS)) > 0)
    g_checksum_update (checksum, verification->buffer, n);
  return n == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static void
compare_digests (Verification *verification, const gchar *path, const gchar *known)
{
  g_autofree gchar *copied = g_build_filename (verification->copied, path, NULL);
  g_autofree gchar *computed = compute_digest (verification, copied);

  if (computed == NULL)
    tell (verification, MM_VERIFY_TROUBLE, path, g_strerror (errno));
  else if (strcmp (computed, known) != 0)
    tell (verification, MM_VERIFY_DIFFERENT, path, "content");
  else
    {
      verification->counts->n_same++;
      verification->counts->n_by_digest++;
    }
}

static void
compare_messages (Verification *verification, const gchar *path, const MmTreeEntry *mounted,
                  const MmTreeEntry *copied)
{
  g_autofree gchar *mounted_path = g_build_filename (verification->mounted, path, NULL);
  g_autofree gchar *known = read_known_digest (mounted_path);

  if (known != NULL)
    compare_digests (verification, path, known);
  else if (mounted->size != copied->size)
    {
      g_autofree gchar *why
          = g_strdup_printf ("size: %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT " octets",
                             copied->size, mounted->size);
      tell (verification, MM_VERIFY_DIFFERENT, path, why);
    }
  else if (mounted->mtime_s != copied->mtime_s)
    tell (verification, MM_VERIFY_DIFFERENT, path, "time");
  else
    verification->counts->n_same++;
}

/* ---- two directories ---- */

static void compare_directories (Verification *verification, const gchar *path,
                                 gboolean is_mounted, gboolean is_copied);

static GPtrArray *
list_one (Verification *verification, const gchar *root, const gchar *path, gboolean is_there)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *full = g_build_filename (root, path, NULL);

  if (!is_there)
    return g_ptr_array_new ();
  GPtrArray *entries = mm_tree_list (full, &error);
  if (entries == NULL)
    {
      g_autofree gchar *why = g_strdup_printf ("%s: %s", full, error->message);
      tell (verification, MM_VERIFY_TROUBLE, *path == '\0' ? "." : path, why);
    }
  return entries;
}

static void
take_missing (Verification *verification, const gchar *path, const MmTreeEntry *mounted)
{
  if (mounted->kind != MM_TREE_DIRECTORY)
    {
      tell (verification, MM_VERIFY_MISSING, path, NULL);
      return;
    }
  tell_folder (verification, MM_VERIFY_MISSING, path);
  compare_directories (verification, path, TRUE, FALSE);
}

static void
take_extra (Verification *verification, const gchar *path, const MmTreeEntry *copied)
{
  if (copied->kind == MM_TREE_DIRECTORY)
    {
      tell_folder (verification, MM_VERIFY_EXTRA, path);
      compare_directories (verification, path, FALSE, TRUE);
    }
  else
    tell (verification, mm_tree_entry_is_message (copied) ? MM_VERIFY_EXTRA : MM_VERIFY_OTHER, path,
          NULL);
}

static void
take_both (Verification *verification, const gchar *path, const MmTreeEntry *mounted,
           const MmTreeEntry *copied)
{
  if (mounted->kind != copied->kind)
    tell (verification, MM_VERIFY_DIFFERENT, path, "kind");
  else if (mounted->kind == MM_TREE_DIRECTORY)
    compare_directories (verification, path, TRUE, TRUE);
  else
    compare_messages (verification, path, mounted, copied);
}

/* Goes through both listings side by side; both are in the order of names. A listing that cannot be
 * had says nothing of what is missing or extra. */
static void
compare_directories (Verification *verification, const gchar *path, gboolean is_mounted,
                     gboolean is_copied)
{
  g_autoptr (GPtrArray) mounted
      = list_one (verification, verification->mounted, path, is_mounted);
  g_autoptr (GPtrArray) copied = list_one (verification, verification->copied, path, is_copied);

  for (guint i = 0, j = 0; mounted != NULL && copied != NULL
                           && (i < mounted->len || j < copied->len);)
    {
      const MmTreeEntry *first = i < mounted->len ? g_ptr_array_index (mounted, i) : NULL;
      const MmTreeEntry *second = j < copied->len ? g_ptr_array_index (copied, j) : NULL;
      gint order = first == NULL    ? 1
                   : second == NULL ? -1
                                    : strcmp (first->name, second->name);
      g_autofree gchar *below = mm_tree_join (path, order <= 0 ? first->name : second->name);

      if (order < 0)
        take_missing (verification, below, first);
      else if (order > 0)
        take_extra (verification, below, second);
      else
        take_both (verification, below, first, second);
      i += order <= 0;
      j += order >= 0;
    }
}

void
mm_verify_trees (const gchar *mounted, const gchar *copied, MmVerifyFunc func, gpointer user_data,
                 MmVerifyCounts *out)
{
  g_autofree guint8 *buffer = g_malloc (READ_OCTETS);
  Verification verification = { mounted, copied, func, user_data, out, buffer };

  *out = (MmVerifyCounts){ 0 };
  compare_directories (&verification, "", TRUE, TRUE);
}
