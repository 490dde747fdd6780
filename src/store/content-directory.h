// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where content files lie: CONTENT/FFFFFF/NN/NNNNNNNNN (folder id, bits 8 to 15 of the local
 * number, local number; hexadecimal). Neighbours share a directory, so that a small folder needs
 * few of them and a huge one no more than 256. Functions return what the system call returns, with
 * errno. Any thread.
 */
#pragma once

#include <sys/stat.h>

#include <mailmount/content-cache.h>

#include "content-key.h"

G_BEGIN_DECLS

#define MM_CONTENT_PATH_OCTETS 32

/* Of a number in a file's name. */
#define MM_CONTENT_DIGITS        (MM_CONTENT_NUMBER_BITS / 4)
#define MM_CONTENT_SHARED_DIGITS (MM_CONTENT_SHARED_NUMBER_BITS / 4)

/* A whole file cannot be written any more. That is also how one system call tells a whole file
 * from a partial one. */
#define MM_CONTENT_MODE_WHOLE   0400
#define MM_CONTENT_MODE_PARTIAL 0600

typedef struct
{
  int fd;               /* of CONTENT; owned; -1: none */
  gboolean has_openat2; /* the kernel can refuse symbolic links on the whole way */
} MmContentDirectory;

/* CONTENT is made in the cache directory @path where it is missing. What is not a directory of this
 * user alone is set aside, with a warning. */
gboolean mm_content_directory_open (MmContentDirectory *directory, const gchar *path,
                                    GError **error);
void mm_content_directory_close (MmContentDirectory *directory);

/* The path of @key below CONTENT. */
void mm_content_directory_make_path (MmContentKey key, gchar out_path[MM_CONTENT_PATH_OCTETS]);

int mm_content_directory_open_file (MmContentDirectory *directory, MmContentKey key, int flags);

/* A new, empty file, for reading and writing; one that was there is removed. */
int mm_content_directory_create_file (MmContentDirectory *directory, MmContentKey key,
                                      mode_t mode);

/* TRUE when @status is that of a regular file that only this user may touch. */
gboolean mm_content_directory_is_private_file (const struct stat *status);

gboolean mm_content_directory_has_whole_file (MmContentDirectory *directory, MmContentKey key);

void mm_content_directory_remove (const MmContentDirectory *directory, MmContentKey key);
void mm_content_directory_remove_folder (const MmContentDirectory *directory, guint32 folder_id);

G_END_DECLS
