/* SPDX-License-Identifier: ISC
 *
 * Update queries at the public address. What they are answered from is made by the watcher when the
 * generation moves, and put in the place of what was there by pointer: no answer waits for it, and
 * none has to free what it replaces.
 *
 * docs/answers.md
 */
#include "programs/droverd/updates.h"

#include <malloc.h>
#include <string.h>

#include "channel/answer/update_answer.h"

#define RETRY_AFTER_SECONDS "2"
#define KEY_PATH	    "/update/key"

/* What is published -----------------------------------------------------------------------------
 */

typedef struct Reading {
	ChannelBooks *channels;
	ChannelNow *now;
} Reading;

static gboolean read_now(Store *store, gpointer of, GError **error)
{
	Reading *reading = of;
	g_clear_pointer(&reading->now, channel_now_unref);
	reading->now = channel_books_take(reading->channels, store, error);
	return reading->now != NULL;
}

/* What was there before stays until its last answer is out, and who frees it is the watcher: that
 * takes longer than an answer may. */
static void swap(Updates *updates, Published *published)
{
	g_mutex_lock(&updates->lock);
	Published *before = updates->published;
	updates->published = published;
	updates->serial++;
	g_mutex_unlock(&updates->lock);
	if (before != NULL)
		g_ptr_array_add(updates->replaced, before);
}

/* What was freed goes back to the system at once: the next one is made by another thread, hence in
 * another part of the heap, which would keep as much. */
static void free_replaced(Updates *updates)
{
	guint before = updates->replaced->len;
	for (guint i = before; i-- > 0;)
		if (published_is_let_go(updates->replaced->pdata[i]))
			g_ptr_array_remove_index_fast(updates->replaced, i);
	if (updates->replaced->len < before)
		malloc_trim(0);
	g_atomic_int_set(&updates->publications,
		(gint)updates->replaced->len + (updates->published != NULL));
}

static gboolean read_published(Updates *updates, Store *store, GError **error)
{
	Reading reading = {updates->channels, NULL};
	gboolean well = store_read(store, read_now, &reading, error);
	if (well) {
		updates->generation = reading.now->book->generation;
		swap(updates, published_ref(reading.now->published));
	}
	channel_now_unref(reading.now);
	return well;
}

gboolean updates_look(Updates *updates, Store *store, GError **error)
{
	gint64 generation;
	if (!store_counter_get(store, STORE_GENERATION, &generation, error))
		return FALSE;
	gboolean well = (updates->published != NULL && generation == updates->generation) ||
			read_published(updates, store, error);
	free_replaced(updates);
	return well;
}

static Published *published_now(Updates *updates, guint64 *serial)
{
	g_autoptr(GMutexLocker) held G_GNUC_UNUSED = g_mutex_locker_new(&updates->lock);
	*serial = updates->serial;
	return updates->published != NULL ? published_ref(updates->published) : NULL;
}

/* Answers ---------------------------------------------------------------------------------------
 */

static HttpAnswer *plain(int status, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	HttpAnswer *answer = http_answer_new(status, "text/plain; charset=utf-8", line, -1);
	http_answer_header(answer, "Cache-Control", "no-store");
	return answer;
}

static void count(Updates *updates, const AnswerNote *note)
{
	static const gsize formats[] = {
		[ASKED_XML] = G_STRUCT_OFFSET(UpdateCounters, xml),
		[ASKED_JSON] = G_STRUCT_OFFSET(UpdateCounters, json),
		[ASKED_NODE] = G_STRUCT_OFFSET(UpdateCounters, node),
	};
	static const gsize outcomes[] = {
		[UPDATE_OFFERED] = G_STRUCT_OFFSET(UpdateCounters, offered),
		[UPDATE_NOTHING] = G_STRUCT_OFFSET(UpdateCounters, nothing),
		[UPDATE_UNDEFINED] = G_STRUCT_OFFSET(UpdateCounters, undefined),
		[UPDATE_REFUSED] = G_STRUCT_OFFSET(UpdateCounters, nothing),
	};
	g_atomic_int_inc(&G_STRUCT_MEMBER(gint, &updates->counters, formats[note->format]));
	g_atomic_int_inc(&G_STRUCT_MEMBER(gint, &updates->counters, outcomes[note->outcome]));
	if (note->refused > 0)
		g_atomic_int_add(&updates->counters.refused_files, (gint)note->refused);
}

static void number_header(HttpAnswer *answer, const char *name, gint64 number)
{
	char text[32];
	g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number);
	http_answer_header(answer, name, text);
}

/* Sentences quote names of rows, which may have any letters. */
static void text_header(HttpAnswer *answer, const char *name, const char *text)
{
	if (text == NULL)
		return;
	g_autofree char *safe = g_strdup(text);
	for (char *letter = safe; *letter != '\0'; letter++)
		if ((guchar)*letter < ' ' || (guchar)*letter >= 0x7f)
			*letter = '?';
	http_answer_header(answer, name, safe);
}

static void add_rule(HttpAnswer *http, const Rule *rule)
{
	if (rule == NULL)
		return;
	number_header(http, "Rule-ID", rule->rule_id);
	number_header(http, "Rule-Data-Version",
		json_integer_value(json_object_get(rule->row, "data_version")));
}

static void add_test(HttpAnswer *http, const UpdateAnswer *answer)
{
	const Place *place = &answer->place;
	if (!place->is_test)
		return;
	number_header(http, "Drover-Generation", answer->generation);
	text_header(http, "Drover-Cut", place->cut);
	text_header(http, "Drover-Digest", answer->digest);
	text_header(http, "Drover-Undefined", place->undefined);
	text_header(http, "Drover-Held", place->held);
}

/* Test channels are asked by who wants to see what was just written. */
static void add_caching(HttpAnswer *http, const UpdateAnswer *answer)
{
	http_answer_header(http, "Cache-Control",
		answer->is_private	? "private, no-store"
		: answer->place.is_test ? "no-cache"
					: "public, max-age=" G_STRINGIFY(UPDATE_MAX_AGE_S));
}

static gboolean wants_signature(const HttpRequest *request)
{
	return g_strcmp0(http_request_query(request, "sign"), "1") == 0 ||
	       http_request_header(request, "Accept-Signature") != NULL;
}

static void add_signature(HttpAnswer *http, const Updates *updates, const HttpRequest *request,
	const UpdateAnswer *answer)
{
	if (!updates->has_key)
		return;
	http_answer_header(http, "Vary", "Accept-Signature");
	if (!wants_signature(request))
		return;
	g_autofree char *signature =
		answer_key_sign(&updates->key, answer->body, answer->body_bytes);
	http_answer_header(http, "Content-Signature", signature);
}

/* The path alone says what the answer is: nothing behind it, and nothing in the header. */
static gboolean is_plain(const Updates *updates, const HttpRequest *request)
{
	return updates->cache != NULL && !http_request_has_queries(request) &&
	       http_request_header(request, "If-None-Match") == NULL &&
	       http_request_header(request, "Accept-Signature") == NULL;
}

static HttpAnswer *answer_kept(Updates *updates, const HttpRequest *request, guint64 serial)
{
	AnswerNote note;
	if (!is_plain(updates, request))
		return NULL;
	HttpAnswer *answer =
		answer_cache_find(updates->cache, http_request_path(request), serial, &note);
	if (answer != NULL)
		count(updates, &note);
	return answer;
}

/* 0 to 99. Good chance costs a system call, so each thread has it for many draws at once. */
static guint draw(void)
{
	static _Thread_local guint8 chance[256];
	static _Thread_local guint left;
	guint number;
	do {
		if (left == 0) {
			randombytes_buf(chance, sizeof chance);
			left = sizeof chance;
		}
		number = chance[--left];
	} while (number >= 200);
	return number % 100;
}

static HttpAnswer *answer_asked(Updates *updates, const HttpRequest *request,
	const Published *published, guint64 serial, Asked *asked)
{
	g_auto(UpdateAnswer) answer = {0};
	g_autoptr(GError) error = NULL;
	if (!update_answer_make(published, updates->files_url, asked, draw(), &answer, &error)) {
		g_atomic_int_inc(&updates->counters.bad);
		return plain(400, error->message);
	}
	AnswerNote note = {answer.asked->format, answer.outcome, answer.offer.refused};
	count(updates, &note);
	g_autoptr(GBytes) body = g_bytes_new(answer.body, answer.body_bytes);
	HttpAnswer *http = http_answer_new_static(request, answer.content_type, body, answer.tag);
	add_caching(http, &answer);
	add_rule(http, answer.decided.rule);
	add_test(http, &answer);
	add_signature(http, updates, request, &answer);
	if (is_plain(updates, request) && !answer.is_private && !answer.place.is_test)
		answer_cache_keep(updates->cache, http_request_path(request), serial, http, &note);
	return http;
}

static HttpAnswer *answer_key(const Updates *updates)
{
	if (!updates->has_key)
		return plain(404, "answers are not signed here");
	g_autofree char *public = answer_key_public(&updates->key);
	g_autofree char *text =
		g_strdup_printf("{\"keyid\":\"%s\",\"ed25519\":\"%s\"}\n", updates->key.id, public);
	HttpAnswer *answer = http_answer_new(200, "application/json", text, -1);
	http_answer_header(answer, "Cache-Control", "no-cache");
	return answer;
}

HttpAnswer *updates_answer(Updates *updates, const HttpRequest *request)
{
	g_auto(Asked) asked = {0};
	g_autoptr(GError) error = NULL;
	guint64 serial;
	const char *path = http_request_path(request);
	if (strcmp(http_request_method(request), "GET") != 0)
		return plain(405, "updates are only asked for here, with GET or HEAD");
	if (strcmp(path, KEY_PATH) == 0)
		return answer_key(updates);
	g_autoptr(Published) published = published_now(updates, &serial);
	HttpAnswer *answer = answer_kept(updates, request, serial);
	if (answer != NULL)
		return answer;
	GHashTable *queries =
		http_request_has_queries(request) ? http_request_queries(request) : NULL;
	if (!asked_read(path, queries, &asked, &error)) {
		g_atomic_int_inc(&updates->counters.bad);
		return plain(http_status_of_error(error), error->message);
	}
	if (published != NULL)
		return answer_asked(updates, request, published, serial, &asked);
	answer = plain(503, "not read yet");
	http_answer_header(answer, "Retry-After", RETRY_AFTER_SECONDS);
	return answer;
}

/* Life ------------------------------------------------------------------------------------------
 */

static gboolean read_key(Updates *updates, const char *path, GError **error)
{
	g_autofree char *text = settings_read_secret(path, error);
	updates->has_key = text != NULL && answer_key_read(text, &updates->key, error);
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	if (!updates->has_key)
		g_prefix_error(error, "[public] signing-key: ");
	return updates->has_key;
}

gboolean updates_set_up(Updates *updates, const Settings *settings, GError **error)
{
	const char *url = settings_text(settings, "public.url");
	const char *key = settings_text(settings, "public.signing-key");
	g_autofree char *trimmed = g_strdup(url);
	while (trimmed != NULL && g_str_has_suffix(trimmed, "/"))
		trimmed[strlen(trimmed) - 1] = '\0';
	if (trimmed != NULL)
		updates->files_url = g_strconcat(trimmed, "/releases", NULL);
	updates->cache = answer_cache_new();
	updates->replaced = g_ptr_array_new_with_free_func((GDestroyNotify)published_unref);
	return key == NULL || read_key(updates, key, error);
}

void updates_clear(Updates *updates)
{
	g_clear_pointer(&updates->published, published_unref);
	g_clear_pointer(&updates->replaced, g_ptr_array_unref);
	g_clear_pointer(&updates->files_url, g_free);
	g_clear_pointer(&updates->cache, answer_cache_free);
	sodium_memzero(&updates->key, sizeof updates->key);
}
