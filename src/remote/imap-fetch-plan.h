// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a fetch asks for and how far each item is. Items become batches, one UID FETCH command each:
 * items that ask for the same of several messages share one. One thread.
 */
#pragma once

#include <mailmount/imap-session.h>
#include <mailmount/remote.h>

G_BEGIN_DECLS

typedef enum
{
  MM_IMAP_ITEM_WAITING,
  MM_IMAP_ITEM_BEGUN, /* the sink was told octets, or will be */
  MM_IMAP_ITEM_DONE,
} MmImapItemState;

typedef struct
{
  MmFetchItem want;
  MmImapItemState state;
  gboolean has_main; /* all octets asked for were told */
  MmProbeResult probe;
  gboolean is_odd; /* the server answered with something else */
} MmImapPlanItem;

typedef struct
{
  GArray *indexes; /* of gsize into the items, ascending by UID, no UID twice */
  gboolean is_sent;
  gboolean is_answered;
  gboolean is_fresh; /* the server looked at the mailbox anew for this job before this command */
} MmImapFetchBatch;

typedef enum
{
  MM_IMAP_ROLE_NONE,
  MM_IMAP_ROLE_MAIN,
  MM_IMAP_ROLE_PROBE,
} MmImapItemRole;

typedef struct
{
  MmImapPlanItem *items; /* owned, in the caller's order */
  gsize n_items;
  GPtrArray *batches;     /* of MmImapFetchBatch, in the order of sending */
  gboolean is_one_by_one; /* every item has a batch of its own */
} MmImapFetchPlan;

void mm_imap_fetch_plan_init (MmImapFetchPlan *plan, const MmFetchItem *items, gsize n_items);
void mm_imap_fetch_plan_clear (MmImapFetchPlan *plan);

/* Forgets all batches and makes new ones of all items that are not done. */
void mm_imap_fetch_plan_start_over (MmImapFetchPlan *plan);
/* Groups items by their places (the array is reordered) into new batches at the end. */
void mm_imap_fetch_plan_add (MmImapFetchPlan *plan, GArray *indexes);
/* The same for one item, with a batch of its own. */
void mm_imap_fetch_plan_add_alone (MmImapFetchPlan *plan, gsize index);

MmImapCommand *mm_imap_fetch_plan_make_command (MmImapFetchPlan *plan,
                                                const MmImapFetchBatch *batch);

/* The batch's item of message @uid, or NULL. */
MmImapPlanItem *mm_imap_fetch_plan_find (MmImapFetchPlan *plan, const MmImapFetchBatch *batch,
                                         guint32 uid);

/* TRUE when the answer to the one batch could be taken for the answer to the other. */
gboolean mm_imap_fetch_plan_may_be_confused (MmImapFetchPlan *plan, const MmImapFetchBatch *batch,
                                             MmImapFetchPlan *other_plan,
                                             const MmImapFetchBatch *other);

/* Which part of @item a body of this section and origin is. */
MmImapItemRole mm_imap_fetch_plan_role_of (const MmImapPlanItem *item, const MmImapBody *body);

/* The probe is a second partial only where the range itself does not reach over the end. */
gboolean mm_imap_fetch_plan_needs_probe (const MmFetchItem *want);

G_END_DECLS
