/* SPDX-License-Identifier: ISC
 *
 * Kept answers: see answer_cache.h.
 */
#include "programs/droverd/answer_cache.h"

#include <string.h>

#define LOCKS 64

typedef struct Kept {
	char *path; /* NULL: nothing */
	guint64 serial;
	HttpAnswer *answer;
	AnswerNote note;
} Kept;

struct AnswerCache {
	GMutex locks[LOCKS]; /* place i is under lock i % LOCKS */
	Kept places[ANSWER_CACHE_PLACES_KEPT];
};

AnswerCache *answer_cache_new(void)
{
	AnswerCache *cache = g_new0(AnswerCache, 1);
	for (guint i = 0; i < LOCKS; i++)
		g_mutex_init(&cache->locks[i]);
	return cache;
}

static void clear(Kept *kept)
{
	g_free(kept->path);
	http_answer_free(kept->answer);
	*kept = (Kept){0};
}

void answer_cache_free(AnswerCache *cache)
{
	if (cache == NULL)
		return;
	for (guint i = 0; i < ANSWER_CACHE_PLACES_KEPT; i++)
		clear(&cache->places[i]);
	for (guint i = 0; i < LOCKS; i++)
		g_mutex_clear(&cache->locks[i]);
	g_free(cache);
}

HttpAnswer *answer_cache_find(
	AnswerCache *cache, const char *path, guint64 serial, AnswerNote *note)
{
	guint place = g_str_hash(path) % ANSWER_CACHE_PLACES_KEPT;
	const Kept *kept = &cache->places[place];
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED =
		g_mutex_locker_new(&cache->locks[place % LOCKS]);
	if (kept->path == NULL || kept->serial != serial || strcmp(kept->path, path) != 0)
		return NULL;
	*note = kept->note;
	return http_answer_copy(kept->answer);
}

void answer_cache_keep(AnswerCache *cache, const char *path, guint64 serial,
	const HttpAnswer *answer, const AnswerNote *note)
{
	if (strlen(path) > ANSWER_CACHE_MAXIMUM_PATH_BYTES ||
		http_answer_body_bytes(answer) > ANSWER_CACHE_MAXIMUM_BODY_BYTES)
		return;
	guint place = g_str_hash(path) % ANSWER_CACHE_PLACES_KEPT;
	Kept fresh = {g_strdup(path), serial, http_answer_copy(answer), *note};
	Kept *kept = &cache->places[place];
	g_mutex_lock(&cache->locks[place % LOCKS]);
	Kept before = *kept;
	*kept = fresh;
	g_mutex_unlock(&cache->locks[place % LOCKS]);
	clear(&before);
}
