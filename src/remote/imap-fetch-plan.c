// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap-fetch-plan.h"

/* Command lines beyond 8 KiB are refused by some servers (RFC 7162 4). */
#define BATCH_ITEMS_MAX  1000
#define BATCH_RANGES_MAX 300

static void
batch_free (gpointer data)
{
  MmImapFetchBatch *batch = data;

  g_array_unref (batch->indexes);
  g_free (batch);
}

gboolean
mm_imap_fetch_plan_needs_probe (const MmFetchItem *want)
{
  return want->kind == MM_FETCH_RANGE && want->probe_size > 0
         && !(want->offset < want->probe_size && want->offset + want->length > want->probe_size);
}

static int
compare_numbers (guint64 a, guint64 b)
{
  return (a > b) - (a < b);
}

static int
compare_wants (const MmFetchItem *a, const MmFetchItem *b)
{
  int order = compare_numbers (a->kind, b->kind);

  if (order != 0 || a->kind != MM_FETCH_RANGE)
    return order;
  if ((order = compare_numbers (a->offset, b->offset)) != 0
      || (order = compare_numbers (a->length, b->length)) != 0)
    return order;
  return compare_numbers (mm_imap_fetch_plan_needs_probe (a) ? a->probe_size : 0,
                          mm_imap_fetch_plan_needs_probe (b) ? b->probe_size : 0);
}

static gint
compare_indexes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MmImapFetchPlan *plan = user_data;
  gsize index_a = *(const gsize *) a, index_b = *(const gsize *) b;
  const MmFetchItem *want_a = &plan->items[index_a].want, *want_b = &plan->items[index_b].want;
  int order = compare_wants (want_a, want_b);

  if (order == 0)
    order = compare_numbers (want_a->uid, want_b->uid);
  return order != 0 ? order : compare_numbers (index_a, index_b);
}

static MmImapFetchBatch *
add_batch (MmImapFetchPlan *plan)
{
  MmImapFetchBatch *batch = g_new0 (MmImapFetchBatch, 1);

  batch->indexes = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_ptr_array_add (plan->batches, batch);
  return batch;
}

static const MmImapPlanItem *
last_item (const MmImapFetchPlan *plan, const MmImapFetchBatch *batch)
{
  return &plan->items[g_array_index (batch->indexes, gsize, batch->indexes->len - 1)];
}

static const MmImapPlanItem *
first_item (const MmImapFetchPlan *plan, const MmImapFetchBatch *batch)
{
  return &plan->items[g_array_index (batch->indexes, gsize, 0)];
}

void
mm_imap_fetch_plan_add (MmImapFetchPlan *plan, GArray *indexes)
{
  MmImapFetchBatch *batch = NULL;
  guint n_ranges = 0;

  g_array_sort_with_data (indexes, compare_indexes, plan);
  for (guint i = 0; i < indexes->len; i++)
    {
      gsize index = g_array_index (indexes, gsize, i);
      const MmFetchItem *want = &plan->items[index].want;
      const MmFetchItem *last = batch != NULL ? &last_item (plan, batch)->want : NULL;

      if (last == NULL || plan->is_one_by_one || compare_wants (last, want) != 0
          || last->uid == want->uid || batch->indexes->len == BATCH_ITEMS_MAX
          || n_ranges == BATCH_RANGES_MAX)
        {
          batch = add_batch (plan);
          n_ranges = 0;
          last = NULL;
        }
      if (last == NULL || last->uid + 1 != want->uid)
        n_ranges++;
      g_array_append_val (batch->indexes, index);
    }
}

void
mm_imap_fetch_plan_start_over (MmImapFetchPlan *plan)
{
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (gsize));

  g_ptr_array_set_size (plan->batches, 0);
  for (gsize i = 0; i < plan->n_items; i++)
    if (plan->items[i].state != MM_IMAP_ITEM_DONE)
      g_array_append_val (indexes, i);
  mm_imap_fetch_plan_add (plan, indexes);
}

MmImapPlanItem *
mm_imap_fetch_plan_find (MmImapFetchPlan *plan, const MmImapFetchBatch *batch, guint32 uid)
{
  guint low = 0, high = batch->indexes->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      MmImapPlanItem *item = &plan->items[g_array_index (batch->indexes, gsize, middle)];

      if (item->want.uid == uid)
        return item;
      if (item->want.uid < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

static gboolean
is_origin_of (const MmFetchItem *want, guint64 offset)
{
  return offset == want->offset
         || (mm_imap_fetch_plan_needs_probe (want) && offset == want->probe_size - 1);
}

static gboolean
shares_uid (MmImapFetchPlan *plan, const MmImapFetchBatch *batch, MmImapFetchPlan *other_plan,
            const MmImapFetchBatch *other)
{
  for (guint i = 0; i < batch->indexes->len; i++)
    if (mm_imap_fetch_plan_find (other_plan, other,
                                 plan->items[g_array_index (batch->indexes, gsize, i)].want.uid)
        != NULL)
      return TRUE;
  return FALSE;
}

gboolean
mm_imap_fetch_plan_may_be_confused (MmImapFetchPlan *plan, const MmImapFetchBatch *batch,
                                    MmImapFetchPlan *other_plan, const MmImapFetchBatch *other)
{
  const MmFetchItem *a = &last_item (plan, batch)->want;
  const MmFetchItem *b = &last_item (other_plan, other)->want;

  if (a->kind != b->kind)
    return FALSE;
  if (a->kind == MM_FETCH_RANGE && !is_origin_of (a, b->offset)
      && !(mm_imap_fetch_plan_needs_probe (b) && is_origin_of (a, b->probe_size - 1)))
    return FALSE;
  if (a->uid < first_item (other_plan, other)->want.uid
      || b->uid < first_item (plan, batch)->want.uid)
    return FALSE;
  return shares_uid (plan, batch, other_plan, other);
}

MmImapCommand *
mm_imap_fetch_plan_make_command (MmImapFetchPlan *plan, const MmImapFetchBatch *batch)
{
  const MmFetchItem *want = &last_item (plan, batch)->want;
  g_autoptr (MmUidSet) uids = mm_uid_set_new ();
  MmImapPartial partials[2] = { { .offset = want->offset, .length = want->length } };
  MmImapFetchRequest request = { 0 };

  for (guint i = 0; i < batch->indexes->len; i++)
    mm_uid_set_add (uids, plan->items[g_array_index (batch->indexes, gsize, i)].want.uid);
  switch (want->kind)
    {
    case MM_FETCH_WHOLE:
      request.whole_body = TRUE;
      break;
    case MM_FETCH_RANGE:
      request.partials = partials;
      request.n_partials = 1;
      if (mm_imap_fetch_plan_needs_probe (want))
        partials[request.n_partials++]
            = (MmImapPartial){ .offset = want->probe_size - 1, .length = 2 };
      break;
    case MM_FETCH_HEADER:
      request.whole_header = TRUE;
      break;
    case MM_FETCH_TEXT:
      request.whole_text = TRUE;
      break;
    case MM_FETCH_MESSAGE_ID:
      request.header_fields = "MESSAGE-ID";
      break;
    case MM_FETCH_SIZE:
      request.items = MM_IMAP_FETCH_RFC822_SIZE;
      break;
    }
  return mm_imap_command_uid_fetch (uids, &request);
}

MmImapItemRole
mm_imap_fetch_plan_role_of (const MmImapPlanItem *item, const MmImapBody *body)
{
  const MmFetchItem *want = &item->want;
  gboolean is_body = body->section == MM_IMAP_SECTION_BODY;

  switch (want->kind)
    {
    case MM_FETCH_WHOLE:
      return is_body && !body->is_partial ? MM_IMAP_ROLE_MAIN : MM_IMAP_ROLE_NONE;
    case MM_FETCH_HEADER:
      return body->section == MM_IMAP_SECTION_HEADER && !body->is_partial ? MM_IMAP_ROLE_MAIN
                                                                          : MM_IMAP_ROLE_NONE;
    case MM_FETCH_TEXT:
      return body->section == MM_IMAP_SECTION_TEXT && !body->is_partial ? MM_IMAP_ROLE_MAIN
                                                                        : MM_IMAP_ROLE_NONE;
    case MM_FETCH_MESSAGE_ID:
      return body->section == MM_IMAP_SECTION_HEADER_FIELDS ? MM_IMAP_ROLE_MAIN : MM_IMAP_ROLE_NONE;
    case MM_FETCH_RANGE:
      if (!is_body || !body->is_partial)
        return MM_IMAP_ROLE_NONE;
      if (body->offset == want->offset)
        return MM_IMAP_ROLE_MAIN;
      return mm_imap_fetch_plan_needs_probe (want) && body->offset == want->probe_size - 1
                 ? MM_IMAP_ROLE_PROBE
                 : MM_IMAP_ROLE_NONE;
    case MM_FETCH_SIZE:
      break;
    }
  return MM_IMAP_ROLE_NONE;
}

void
mm_imap_fetch_plan_add_alone (MmImapFetchPlan *plan, gsize index)
{
  g_array_append_val (add_batch (plan)->indexes, index);
}

void
mm_imap_fetch_plan_init (MmImapFetchPlan *plan, const MmFetchItem *items, gsize n_items)
{
  *plan = (MmImapFetchPlan){
    .items = g_new0 (MmImapPlanItem, n_items),
    .n_items = n_items,
    .batches = g_ptr_array_new_with_free_func (batch_free),
  };
  for (gsize i = 0; i < n_items; i++)
    plan->items[i].want = items[i];
  mm_imap_fetch_plan_start_over (plan);
}

void
mm_imap_fetch_plan_clear (MmImapFetchPlan *plan)
{
  g_ptr_array_unref (plan->batches);
  g_free (plan->items);
}
