// SPDX-License-Identifier: GPL-3.0-or-later
#include "digest-lookup.h"

/* Answers nobody came back for, because they were interrupted, are kept up to so many. */
#define ANSWERS_MAX 256

typedef struct
{
  MmContentKey key;
  gboolean is_answered;
  gchar *digest; /* owned; NULL: the message is not in the cache */
} Question;

struct MmDigestLookup
{
  MmContentCache *cache; /* borrowed */
  MmDiskPool *pool;      /* borrowed */

  GMutex lock;      /* guards all below */
  GQueue questions; /* Queue<owned Question>, the oldest first */
  MmWaitList *waits;
};

typedef struct
{
  MmDigestLookup *lookup; /* borrowed */
  MmContentKey key;
} Job;

static void
free_question (gpointer data)
{
  Question *question = data;
  g_free (question->digest);
  g_free (question);
}

MmDigestLookup *
mm_digest_lookup_new (MmContentCache *cache, MmDiskPool *pool)
{
  MmDigestLookup *lookup = g_new0 (MmDigestLookup, 1);

  lookup->cache = cache;
  lookup->pool = pool;
  g_mutex_init (&lookup->lock);
  g_queue_init (&lookup->questions);
  lookup->waits = mm_wait_list_new ();
  return lookup;
}

void
mm_digest_lookup_free (MmDigestLookup *lookup)
{
  if (lookup == NULL)
    return;
  mm_wait_list_free (lookup->waits);
  g_queue_clear_full (&lookup->questions, free_question);
  g_mutex_clear (&lookup->lock);
  g_free (lookup);
}

static GList *
find_locked (MmDigestLookup *lookup, MmContentKey key)
{
  for (GList *link = lookup->questions.head; link != NULL; link = link->next)
    {
      const Question *question = link->data;
      if (question->key.folder_id == key.folder_id && question->key.number == key.number
          && question->key.origin == key.origin)
        return link;
    }
  return NULL;
}

static gchar *
to_hex (const guint8 digest[MM_DIGEST_OCTETS])
{
  GString *hex = g_string_new (NULL);

  for (guint i = 0; i < MM_DIGEST_OCTETS; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

static gchar *
read_digest (MmContentCache *cache, MmContentKey key)
{
  guint8 digest[MM_DIGEST_OCTETS];

  if (!mm_content_cache_has_complete (cache, key))
    return NULL;
  g_autoptr (MmContentFile) file = mm_content_cache_lookup (cache, key);
  return file != NULL && mm_content_file_get_digest (file, digest) ? to_hex (digest) : NULL;
}

static void
run (gpointer data)
{
  g_autofree Job *job = data;
  MmDigestLookup *lookup = job->lookup;
  g_autofree gchar *digest = read_digest (lookup->cache, job->key);

  g_mutex_lock (&lookup->lock);
  GList *link = find_locked (lookup, job->key);
  if (link != NULL)
    {
      Question *question = link->data;
      question->is_answered = TRUE;
      question->digest = g_steal_pointer (&digest);
    }
  GPtrArray *waiters = mm_wait_list_take_locked (lookup->waits);
  g_mutex_unlock (&lookup->lock);
  mm_waiters_fire (waiters, NULL);
}

/* TRUE: it has to be asked. Its answer is given once. */
static gboolean
take_or_ask_locked (MmDigestLookup *lookup, MmContentKey key, MmWaiter *waiter, MmTry *out_result,
                    gchar **out_digest)
{
  GList *link = find_locked (lookup, key);
  Question *question = link != NULL ? link->data : NULL;

  if (question != NULL && question->is_answered)
    {
      *out_digest = g_steal_pointer (&question->digest);
      *out_result = MM_TRY_DONE;
      free_question (question);
      g_queue_delete_link (&lookup->questions, link);
      return FALSE;
    }
  mm_wait_list_add_locked (lookup->waits, waiter);
  *out_result = MM_TRY_WAIT;
  if (question != NULL)
    return FALSE;
  question = g_new0 (Question, 1);
  question->key = key;
  g_queue_push_tail (&lookup->questions, question);
  if (lookup->questions.length > ANSWERS_MAX)
    free_question (g_queue_pop_head (&lookup->questions));
  return TRUE;
}

MmTry
mm_digest_lookup_try (MmDigestLookup *lookup, MmContentKey key, gchar **out_digest,
                      MmWaiter *waiter, GError **error)
{
  MmTry result = MM_TRY_DONE;

  *out_digest = NULL;
  g_mutex_lock (&lookup->lock);
  gboolean must_ask = take_or_ask_locked (lookup, key, waiter, &result, out_digest);
  g_mutex_unlock (&lookup->lock);
  if (must_ask)
    {
      Job *job = g_new (Job, 1);
      *job = (Job){ lookup, key };
      mm_disk_pool_push (lookup->pool, run, job);
    }
  if (result == MM_TRY_DONE && *out_digest == NULL)
    {
      g_set_error_literal (error, MM_ERROR, MM_ERROR_NOT_FOUND, "the message is not in the cache");
      return MM_TRY_FAILED;
    }
  return result;
}
