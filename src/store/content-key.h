// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keys of contents as one word. A message of one folder has 24 bits of folder id and 36 of number; one
 * that several folders have is of none of them (folder id 0), and its number has 60 bits.
 */
#pragma once

#include <mailmount/content-cache.h>

#define MM_CONTENT_NUMBER_BITS        36
#define MM_CONTENT_SHARED_NUMBER_BITS 60

static inline guint64
mm_content_key_pack (MmContentKey key)
{
  if (key.folder_id == MM_CONTENT_SHARED_FOLDER)
    return (guint64) 1 << MM_CONTENT_SHARED_NUMBER_BITS | key.number;
  return (guint64) key.folder_id << MM_CONTENT_NUMBER_BITS | key.number;
}

/* Without the origin. */
static inline MmContentKey
mm_content_key_unpack (guint64 packed)
{
  if ((packed >> MM_CONTENT_SHARED_NUMBER_BITS) != 0)
    return (MmContentKey) { MM_CONTENT_SHARED_FOLDER,
                            packed & (((guint64) 1 << MM_CONTENT_SHARED_NUMBER_BITS) - 1), 0 };
  return (MmContentKey) { (guint32) (packed >> MM_CONTENT_NUMBER_BITS),
                          packed & (((guint64) 1 << MM_CONTENT_NUMBER_BITS) - 1), 0 };
}
