// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A tree held in memory, behind FUSE, with the settings that mailmount gives the kernel: what
 * rsync, tar or grep take of it is the least that any FUSE filesystem can make them take.
 */
#define FUSE_USE_VERSION 312
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CACHE_SECONDS (365.0 * 24 * 3600)

typedef struct
{
  gchar *name;
  struct stat stat;
  gchar *content;      /* of a file */
  GPtrArray *children; /* Array<Node>, of a directory; owned by the table */
  GHashTable *by_name; /* Map<gchar *name, Node> */
} Node;

static GPtrArray *nodes; /* Array<Node>: inode number - 1 is the index */

static Node *
node_at (fuse_ino_t inode)
{
  return inode >= 1 && inode <= nodes->len ? g_ptr_array_index (nodes, inode - 1) : NULL;
}

/* ---- loading ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(Node *const *)a)->name, (*(Node *const *)b)->name);
}

static Node *
load (const gchar *path, const gchar *name)
{
  Node *node = g_new0 (Node, 1);

  node->name = g_strdup (name);
  if (lstat (path, &node->stat) != 0)
    g_error ("%s: %s", path, g_strerror (errno));
  g_ptr_array_add (nodes, node);
  node->stat.st_ino = nodes->len;
  if (!S_ISDIR (node->stat.st_mode))
    {
      gsize length;
      if (!g_file_get_contents (path, &node->content, &length, NULL))
        g_error ("%s cannot be read", path);
      node->stat.st_size = (off_t)length;
      return node;
    }
  node->children = g_ptr_array_new ();
  node->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  GDir *directory = g_dir_open (path, 0, NULL);
  for (const gchar *child; directory != NULL && (child = g_dir_read_name (directory)) != NULL;)
    {
      gchar *child_path = g_build_filename (path, child, NULL);
      g_ptr_array_add (node->children, load (child_path, child));
      g_free (child_path);
    }
  g_clear_pointer (&directory, g_dir_close);
  g_ptr_array_sort (node->children, compare_names);
  for (guint i = 0; i < node->children->len; i++)
    {
      Node *child = g_ptr_array_index (node->children, i);
      g_hash_table_insert (node->by_name, child->name, child);
    }
  return node;
}

/* ---- operations ---- */

static void
do_init (void *user_data, struct fuse_conn_info *connection)
{
  connection->want |= connection->capable & FUSE_CAP_READDIRPLUS;
  connection->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
  connection->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
  connection->max_background = 128;
  connection->congestion_threshold = 96;
}

static void
fill_entry (const Node *node, struct fuse_entry_param *out)
{
  *out = (struct fuse_entry_param){ .ino = node->stat.st_ino,
                                    .attr = node->stat,
                                    .attr_timeout = CACHE_SECONDS,
                                    .entry_timeout = CACHE_SECONDS };
}

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  Node *directory = node_at (parent);
  Node *node = directory != NULL && directory->by_name != NULL
                   ? g_hash_table_lookup (directory->by_name, name)
                   : NULL;
  struct fuse_entry_param entry;

  if (node == NULL)
    {
      fuse_reply_err (req, ENOENT);
      return;
    }
  fill_entry (node, &entry);
  fuse_reply_entry (req, &entry);
}

static void
do_forget (fuse_req_t req, fuse_ino_t inode, uint64_t n_lookups)
{
  fuse_reply_none (req);
}

static void
do_forget_multi (fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
  fuse_reply_none (req);
}

static void
do_getattr (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  fuse_reply_attr (req, &node_at (inode)->stat, CACHE_SECONDS);
}

static void
do_opendir (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  info->cache_readdir = 1;
  info->keep_cache = 1;
  fuse_reply_open (req, info);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
                struct fuse_file_info *info)
{
  const Node *directory = node_at (inode);
  gchar *buffer = g_malloc (size);
  size_t filled = 0;

  for (off_t i = offset; i < (off_t)directory->children->len + 2; i++)
    {
      struct fuse_entry_param entry;
      const Node *node = i < 2 ? directory : g_ptr_array_index (directory->children, i - 2);
      const char *name = i == 0 ? "." : i == 1 ? ".." : node->name;
      fill_entry (node, &entry);
      size_t needed
          = fuse_add_direntry_plus (req, buffer + filled, size - filled, name, &entry, i + 1);
      if (needed > size - filled)
        break;
      filled += needed;
    }
  fuse_reply_buf (req, buffer, filled);
  g_free (buffer);
}

static void
do_open (fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *info)
{
  info->keep_cache = 1;
  info->noflush = 1;
  fuse_reply_open (req, info);
}

static void
do_read (fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *info)
{
  const Node *node = node_at (inode);

  if (offset >= node->stat.st_size)
    fuse_reply_buf (req, NULL, 0);
  else
    fuse_reply_buf (req, node->content + offset, MIN (size, (size_t)(node->stat.st_size - offset)));
}

static void
do_getxattr (fuse_req_t req, fuse_ino_t inode, const char *name, size_t size)
{
  fuse_reply_err (req, EOPNOTSUPP);
}

static void
do_statfs (fuse_req_t req, fuse_ino_t inode)
{
  const struct statvfs answer = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };
  fuse_reply_statfs (req, &answer);
}

static const struct fuse_lowlevel_ops operations = {
  .init = do_init,
  .lookup = do_lookup,
  .forget = do_forget,
  .forget_multi = do_forget_multi,
  .getattr = do_getattr,
  .opendir = do_opendir,
  .readdirplus = do_readdirplus,
  .open = do_open,
  .read = do_read,
  .getxattr = do_getxattr,
  .statfs = do_statfs,
};

int
main (int argc, char **argv)
{
  if (argc != 3)
    {
      fputs ("usage: memory-fs DIRECTORY MOUNTPOINT\n"
             "Reads the directory into memory and serves it, read-only, in the foreground.\n",
             stderr);
      return 2;
    }
  char program[] = "memory-fs", flag[] = "-o", list[] = "ro,nosuid,nodev,noatime,fsname=memory-fs";
  char *words[] = { program, flag, list, NULL };
  struct fuse_args arguments = FUSE_ARGS_INIT (3, words);

  nodes = g_ptr_array_new ();
  load (argv[1], "");
  struct fuse_session *session
      = fuse_session_new (&arguments, &operations, sizeof operations, NULL);
  if (session == NULL || fuse_set_signal_handlers (session) != 0
      || fuse_session_mount (session, argv[2]) != 0)
    return 1;
  int result = fuse_session_loop (session);
  fuse_session_unmount (session);
  fuse_remove_signal_handlers (session);
  fuse_session_destroy (session);
  return result < 0;
}
