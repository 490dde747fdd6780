// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inode numbers and directory offsets. Pure functions.
 *
 *   63     60 59          36 35                    0
 *   | kind  | folder id    | local number          |
 *
 * A message that is linked, because several folders have it, is of no folder: it has a number of 60 bits
 * of its own.
 *
 * The root of the mount is 1 whatever folder it shows. The top bit stays clear, because some tools
 * take inode numbers for signed.
 */
#pragma once

#include <glib.h>

typedef enum
{
  MM_NODE_ROOT = 0,
  MM_NODE_FOLDER = 1,
  MM_NODE_MESSAGE = 2,
  MM_NODE_REPORT = 3, /* what the mount says of itself: .mailmount */
  MM_NODE_LINKED = 4, /* a message that several folders may have */
} MmNodeKind;

#define MM_INODE_NUMBER_BITS 36
#define MM_INODE_FOLDER_BITS 24

static inline guint64
mm_inode_make (MmNodeKind kind, guint32 folder_id, guint64 number)
{
  return (guint64) kind << (MM_INODE_NUMBER_BITS + MM_INODE_FOLDER_BITS)
         | (guint64) folder_id << MM_INODE_NUMBER_BITS | number;
}

static inline MmNodeKind
mm_inode_get_kind (guint64 inode)
{
  return (MmNodeKind) (inode >> (MM_INODE_NUMBER_BITS + MM_INODE_FOLDER_BITS));
}

static inline guint64
mm_inode_make_linked (guint64 link)
{
  return (guint64) MM_NODE_LINKED << (MM_INODE_NUMBER_BITS + MM_INODE_FOLDER_BITS) | link;
}

static inline guint64
mm_inode_get_link (guint64 inode)
{
  return inode & (((guint64) 1 << (MM_INODE_NUMBER_BITS + MM_INODE_FOLDER_BITS)) - 1);
}

static inline guint32
mm_inode_get_folder (guint64 inode)
{
  return (guint32) (inode >> MM_INODE_NUMBER_BITS) & ((1u << MM_INODE_FOLDER_BITS) - 1);
}

static inline guint64
mm_inode_get_number (guint64 inode)
{
  return inode & (((guint64) 1 << MM_INODE_NUMBER_BITS) - 1);
}

/* Offsets in a directory, in the order in which it is told: itself, its parent, messages by local
 * number, then folders by id. An offset names the entry behind which to go on. */
#define MM_OFFSET_SELF     ((gint64) 1)
#define MM_OFFSET_PARENT   ((gint64) 2)
#define MM_OFFSET_MESSAGES ((gint64) 2) /* plus the local number */
#define MM_OFFSET_FOLDERS  ((gint64) 1 << 37) /* plus the folder id: above every message */
