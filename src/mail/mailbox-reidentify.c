// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailbox-reidentify.h"

#include <string.h>

/* One side's messages in the order of what makes them comparable. A run is a stretch of it whose
 * messages are equal in something. */
typedef struct
{
  const MmMessage *messages; /* borrowed */
  guint *places;             /* owned; of @messages, sorted */
  gsize n;
} Side;

typedef struct
{
  gsize start, end;
} Run;

/* ---- order ---- */

static gint
compare_marks (const MmMessage *a, const MmMessage *b)
{
  if (a->told_size != b->told_size)
    return a->told_size < b->told_size ? -1 : 1;
  if (a->internaldate != b->internaldate)
    return a->internaldate < b->internaldate ? -1 : 1;
  return 0;
}

static gint
compare_uids (const MmMessage *a, const MmMessage *b)
{
  return a->uid < b->uid ? -1 : a->uid > b->uid;
}

/* Unknown Message-IDs come first, then "", then the others. */
static gint
by_marks_and_id (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MmMessage *messages = user_data;
  const MmMessage *first = &messages[*(const guint *) a];
  const MmMessage *second = &messages[*(const guint *) b];
  gint order = compare_marks (first, second);

  if (order == 0)
    order = g_strcmp0 (first->message_id, second->message_id);
  return order != 0 ? order : compare_uids (first, second);
}

static gint
by_stem (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MmMessage *messages = user_data;
  const MmMessage *first = &messages[*(const guint *) a];
  const MmMessage *second = &messages[*(const guint *) b];
  gint order = g_strcmp0 (first->stem, second->stem);

  return order != 0 ? order : compare_uids (first, second);
}

static gint
by_uid (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MmMessage *messages = user_data;
  return compare_uids (&messages[*(const guint *) a], &messages[*(const guint *) b]);
}

/* All of @messages that @left_out, if given, does not mark. */
static void
side_init (Side *side, const MmMessage *messages, gsize n, const gboolean *left_out,
           GCompareDataFunc order)
{
  g_autoptr (GArray) places = g_array_sized_new (FALSE, FALSE, sizeof (guint), (guint) n);

  for (guint i = 0; i < n; i++)
    if (left_out == NULL || !left_out[i])
      g_array_append_val (places, i);
  g_array_sort_with_data (places, order, (gpointer) messages);
  side->messages = messages;
  side->places = (guint *) g_array_steal (places, &side->n);
}

static void
side_clear (Side *side)
{
  g_free (side->places);
}

static const MmMessage *
side_at (const Side *side, gsize i)
{
  return &side->messages[side->places[i]];
}

/* ---- objects: the server itself says what is the same ---- */

/* Those without one come first. */
static gint
compare_objects (const MmMessage *a, const MmMessage *b)
{
  guint64 first = a->has_object ? a->object : 0;
  guint64 second = b->has_object ? b->object : 0;

  if (first != second)
    return first < second ? -1 : 1;
  return first != 0 ? compare_marks (a, b) : 0;
}

static gint
by_object (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MmMessage *messages = user_data;
  const MmMessage *first = &messages[*(const guint *) a];
  const MmMessage *second = &messages[*(const guint *) b];
  gint order = compare_objects (first, second);

  return order != 0 ? order : compare_uids (first, second);
}

/* What objects decide is done with: for each message whether it is. */
typedef struct
{
  gboolean *before; /* owned */
  gboolean *now;    /* owned */
} Decided;

static void
decided_clear (Decided *decided)
{
  g_free (decided->before);
  g_free (decided->now);
}

static gsize
count_objects (const MmMessage *messages, gsize n)
{
  gsize n_objects = 0;

  for (gsize i = 0; i < n; i++)
    n_objects += messages[i].has_object;
  return n_objects;
}

/* Where all on one side have objects, one of the other side that has another is another message. Not so
 * ids of one folder alone: another software of the server makes others of the same messages. */
static void
decide_rest (gboolean *decided, const MmMessage *messages, gsize n, gboolean has_other_side)
{
  for (gsize i = 0; has_other_side && i < n; i++)
    decided[i] |= messages[i].has_object && messages[i].is_linked;
}

/* Pairs those of one object. @identified: nullable. */
static void
decide_by_object (const MmMessage *before, gsize n_before, const MmMessage *now, gsize n_now,
                  GArray *identified, Decided *decided)
{
  gsize n_old = count_objects (before, n_before);
  gsize n_new = count_objects (now, n_now);
  Side old, new;

  decided->before = g_new0 (gboolean, MAX (n_before, 1));
  decided->now = g_new0 (gboolean, MAX (n_now, 1));
  if (n_old == 0 || n_new == 0)
    return;
  side_init (&old, before, n_before, NULL, by_object);
  side_init (&new, now, n_now, NULL, by_object);
  for (gsize i = n_before - n_old, j = n_now - n_new; i < n_before && j < n_now;)
    {
      gint order = compare_objects (side_at (&old, i), side_at (&new, j));
      if (order == 0)
        {
          decided->before[old.places[i]] = decided->now[new.places[j]] = TRUE;
          if (identified != NULL)
            g_array_index (identified, MmIdentified, new.places[j])
                = (MmIdentified){ .identity = MM_IDENTITY_PROVED, .before = old.places[i] };
        }
      i += order <= 0;
      j += order >= 0;
    }
  side_clear (&old);
  side_clear (&new);
  decide_rest (decided->before, before, n_before, n_new == n_now);
  decide_rest (decided->now, now, n_now, n_old == n_before);
}

/* ---- candidates: runs of equal size and date that both sides have ---- */

/* Moves both runs to the next marks that occur on both sides; FALSE at the end. */
static gboolean
next_candidates (const Side *before, const Side *now, Run *old, Run *new)
{
  old->start = old->end;
  new->start = new->end;
  while (old->start < before->n && new->start < now->n)
    {
      gint order = compare_marks (side_at (before, old->start), side_at (now, new->start));
      if (order < 0)
        old->start++;
      else if (order > 0)
        new->start++;
      else
        {
          const MmMessage *marks = side_at (now, new->start);
          for (old->end = old->start; old->end < before->n; old->end++)
            if (compare_marks (side_at (before, old->end), marks) != 0)
              break;
          for (new->end = new->start; new->end < now->n; new->end++)
            if (compare_marks (side_at (now, new->end), marks) != 0)
              break;
          return TRUE;
        }
    }
  return FALSE;
}

void
mm_mailbox_reidentify_prepare (const MmMessage *before, gsize n_before, const MmMessage *now,
                               gsize n_now, GArray *out_before, GArray *out_now)
{
  Side old_side, new_side;
  Run old = { 0 }, new = { 0 };
  Decided decided;

  decide_by_object (before, n_before, now, n_now, NULL, &decided);
  side_init (&old_side, before, n_before, decided.before, by_marks_and_id);
  side_init (&new_side, now, n_now, decided.now, by_marks_and_id);
  while (next_candidates (&old_side, &new_side, &old, &new))
    {
      /* Of several that look alike it has to be known whether they are copies of one. */
      gboolean is_provable = old.end - old.start > 1 && new.end - new.start > 1;
      for (gsize i = old.start; i < old.end; i++)
        {
          const MmMessage *message = side_at (&old_side, i);
          /* What is in the cache was fetched once, which proved its size. */
          if (message->message_id == NULL && message->size_is_proved)
            g_array_append_val (out_before, old_side.places[i]);
          is_provable |= message->message_id != NULL || message->size_is_proved;
        }
      for (gsize i = new.start; is_provable && i < new.end; i++)
        if (side_at (&new_side, i)->message_id == NULL)
          g_array_append_val (out_now, new_side.places[i]);
    }
  decided_clear (&decided);
  side_clear (&old_side);
  side_clear (&new_side);
}

/* ---- matching ---- */

typedef struct
{
  const Side *before;
  const Side *now;
  GArray *identified; /* Array<MmIdentified>, by place among the messages now */
  gboolean has_stems;
  GArray *old_rest; /* Array<guint>: places left over of the candidates at hand */
  GArray *new_rest;
} Matching;

static void
pair (Matching *matching, guint old_place, guint new_place, MmIdentity identity)
{
  g_array_index (matching->identified, MmIdentified, new_place)
      = (MmIdentified){ .identity = identity, .before = old_place };
}

static gboolean
has_id (const MmMessage *message)
{
  return message->message_id != NULL && *message->message_id != '\0';
}

static gsize
find_end_of_id (const Side *side, gsize start, gsize end)
{
  gsize i = start + 1;

  while (i < end
         && strcmp (side_at (side, i)->message_id, side_at (side, start)->message_id) == 0)
    i++;
  return i;
}

/* Pairs those of one Message-ID. What has one that occurs on the other side is done with, paired or
 * not; the rest is collected. */
static void
match_by_id (Matching *matching, const Run *old, const Run *new)
{
  gsize i = old->start;
  gsize j = new->start;

  for (; i < old->end && !has_id (side_at (matching->before, i)); i++)
    g_array_append_val (matching->old_rest, matching->before->places[i]);
  for (; j < new->end && !has_id (side_at (matching->now, j)); j++)
    g_array_append_val (matching->new_rest, matching->now->places[j]);
  while (j < new->end)
    {
      const gchar *id = side_at (matching->now, j)->message_id;
      while (i < old->end && strcmp (side_at (matching->before, i)->message_id, id) < 0)
        i++;
      gsize new_end = find_end_of_id (matching->now, j, new->end);
      if (i == old->end || strcmp (side_at (matching->before, i)->message_id, id) != 0)
        {
          g_array_append_vals (matching->new_rest, &matching->now->places[j],
                               (guint) (new_end - j));
          j = new_end;
          continue;
        }
      gsize old_end = find_end_of_id (matching->before, i, old->end);
      for (gsize k = 0; old_end - i == new_end - j && k < new_end - j; k++)
        pair (matching, matching->before->places[i + k], matching->now->places[j + k],
              MM_IDENTITY_PROVED);
      i = old_end;
      j = new_end;
    }
}

static gsize
find_end_of_stem (const Matching *matching, const GArray *rest, const MmMessage *messages,
                  gsize start)
{
  const gchar *stem = messages[g_array_index (rest, guint, start)].stem;
  gsize i = start + 1;

  if (!matching->has_stems)
    return rest->len;
  while (i < rest->len && g_strcmp0 (messages[g_array_index (rest, guint, i)].stem, stem) == 0)
    i++;
  return i;
}

/* TRUE when these two, equal in all other marks, may be taken for one message. @is_any: it does not
 * matter which of those left over on the other side is taken. */
static gboolean
is_likely (const MmMessage *before, const MmMessage *now, gboolean is_any)
{
  if (before->message_id == NULL)
    return is_any;
  return now->message_id != NULL && *now->message_id == '\0';
}

/* TRUE when there is one, or all are copies of one message. */
static gboolean
are_copies (const Matching *matching, const Run *new)
{
  const MmMessage *now = matching->now->messages;
  const MmMessage *first = &now[g_array_index (matching->new_rest, guint, new->start)];

  if (new->end - new->start > 1 && !has_id (first))
    return FALSE;
  for (gsize i = new->start + 1; i < new->end; i++)
    if (g_strcmp0 (now[g_array_index (matching->new_rest, guint, i)].message_id,
                   first->message_id) != 0)
      return FALSE;
  return TRUE;
}

/* Pairs what is left of equal size, date and subject. */
static void
match_rest_of_stem (Matching *matching, const Run *old, const Run *new)
{
  gsize n = new->end - new->start;
  gboolean are_likely = old->end - old->start == n;
  gboolean is_any = are_likely && are_copies (matching, new);

  for (gsize k = 0; are_likely && k < n; k++)
    {
      guint old_place = g_array_index (matching->old_rest, guint, old->start + k);
      guint new_place = g_array_index (matching->new_rest, guint, new->start + k);
      are_likely = is_likely (&matching->before->messages[old_place],
                              &matching->now->messages[new_place], is_any);
    }
  for (gsize k = 0; are_likely && k < n; k++)
    pair (matching, g_array_index (matching->old_rest, guint, old->start + k),
          g_array_index (matching->new_rest, guint, new->start + k), MM_IDENTITY_LIKELY);
}

static void
match_rest (Matching *matching)
{
  const MmMessage *before = matching->before->messages;
  const MmMessage *now = matching->now->messages;
  GCompareDataFunc order = matching->has_stems ? by_stem : by_uid;
  Run old = { 0 }, new = { 0 };

  if (matching->old_rest->len == 0 || matching->new_rest->len == 0)
    return;
  g_array_sort_with_data (matching->old_rest, order, (gpointer) before);
  g_array_sort_with_data (matching->new_rest, order, (gpointer) now);
  while (old.start < matching->old_rest->len && new.start < matching->new_rest->len)
    {
      old.end = find_end_of_stem (matching, matching->old_rest, before, old.start);
      new.end = find_end_of_stem (matching, matching->new_rest, now, new.start);
      const gchar *old_stem = before[g_array_index (matching->old_rest, guint, old.start)].stem;
      const gchar *new_stem = now[g_array_index (matching->new_rest, guint, new.start)].stem;
      gint difference = matching->has_stems ? g_strcmp0 (old_stem, new_stem) : 0;
      if (difference == 0)
        match_rest_of_stem (matching, &old, &new);
      if (difference <= 0)
        old.start = old.end;
      if (difference >= 0)
        new.start = new.end;
    }
}

GArray *
mm_mailbox_reidentify (const MmMessage *before, gsize n_before, const MmMessage *now, gsize n_now,
                       gboolean has_stems)
{
  Side old_side, new_side;
  Run old = { 0 }, new = { 0 };
  g_autoptr (GArray) old_rest = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) new_rest = g_array_new (FALSE, FALSE, sizeof (guint));
  GArray *identified = g_array_new (FALSE, TRUE, sizeof (MmIdentified));
  Decided decided;
  Matching matching = { &old_side, &new_side, identified, has_stems, old_rest, new_rest };

  g_array_set_size (identified, (guint) n_now);
  decide_by_object (before, n_before, now, n_now, identified, &decided);
  side_init (&old_side, before, n_before, decided.before, by_marks_and_id);
  side_init (&new_side, now, n_now, decided.now, by_marks_and_id);
  while (next_candidates (&old_side, &new_side, &old, &new))
    {
      g_array_set_size (old_rest, 0);
      g_array_set_size (new_rest, 0);
      match_by_id (&matching, &old, &new);
      match_rest (&matching);
    }
  decided_clear (&decided);
  side_clear (&old_side);
  side_clear (&new_side);
  return identified;
}
