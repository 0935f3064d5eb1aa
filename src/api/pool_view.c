/* SPDX-License-Identifier: ISC
 *
 * Pools as people look at them: what the list says, what was asked, and what every balancer sees
 * and answers. Where balancers say different things about a server, the worst word stands for it,
 * and all of them are there to be read. A balancer that has been silent for POOL_SILENT_S is shown
 * with what it said last, but has no voice.
 */
#include <string.h>

#include "api/host.h"
#include "api/pool.h"

static const char SQL_BALANCERS[] =
	"SELECT host.name, host.clock_off_ms, reported_us, pool_balancer.version, epoch, can_serve,"
	" can_depool, alerts_json, servers_json, host_id FROM pool_balancer"
	" JOIN host ON host.id = pool_balancer.host_id"
	" WHERE pool_id = ? AND host.revoked_us IS NULL ORDER BY host.name";
static const char SQL_EVENTS[] =
	"SELECT server, host.name, at_us, state FROM pool_event"
	" JOIN host ON host.id = pool_event.host_id"
	" WHERE pool_id = ? AND host.revoked_us IS NULL ORDER BY pool_event.id";

/* From the worst to the best. */
static const char *const words[] = {"down", "held", "out", "maintenance", "draining", "drained",
	"unchecked", "up", "disabled", "unknown"};

typedef struct Balancer {
	json_t *shown;	 /* the API's PoolBalancer */
	json_t *servers; /* host -> what it sees */
	char *name;
	gboolean is_silent;
} Balancer;

static void balancer_free(Balancer *balancer)
{
	json_decref(balancer->shown);
	json_decref(balancer->servers);
	g_free(balancer->name);
	g_free(balancer);
}

static Balancer *balancer_of(const ApiCall *call, const StoreRows *rows)
{
	gint64 reported_us = store_rows_integer(rows, 2);
	Balancer *balancer = g_new0(Balancer, 1);
	json_t *alerts = json_loads(store_rows_text(rows, 7), 0, NULL);
	balancer->name = g_strdup(store_rows_text(rows, 0));
	balancer->is_silent = api_now_us(call) - reported_us >= POOL_SILENT_S * US_PER_SECOND;
	balancer->servers = json_loads(store_rows_text(rows, 8), 0, NULL);
	balancer->shown = json_pack("{s:s, s:o, s:b, s:I, s:I, s:b, s:b, s:o, s:o}", "name",
		balancer->name, "reported", json_time_or_null(reported_us), "silent",
		balancer->is_silent, "version", (json_int_t)store_rows_integer(rows, 3), "epoch",
		(json_int_t)store_rows_integer(rows, 4), "can_serve",
		store_rows_integer(rows, 5) != 0, "can_depool", store_rows_integer(rows, 6) != 0,
		"alerts", alerts != NULL ? alerts : json_array(), "clock_warning",
		store_rows_is_null(rows, 1) ? json_null()
					    : host_clock_warning(store_rows_integer(rows, 1)));
	return balancer;
}

static GPtrArray *load_balancers(ApiCall *call, const PoolRecord *pool, GError **error)
{
	g_autoptr(GPtrArray) balancers =
		g_ptr_array_new_with_free_func((GDestroyNotify)balancer_free);
	g_autoptr(StoreRows) rows =
		store_query(call->store, error, SQL_BALANCERS, STORE_PARAMS(STORE_INT(pool->id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&balancers);
		g_ptr_array_add(balancers, balancer_of(call, rows));
	}
	return NULL;
}

/* Host -> list of {balancer, at, state}, oldest first. */
static json_t *load_events(ApiCall *call, const PoolRecord *pool, GError **error)
{
	g_autoptr(json_t) events = json_object();
	g_autoptr(StoreRows) rows =
		store_query(call->store, error, SQL_EVENTS, STORE_PARAMS(STORE_INT(pool->id)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return g_steal_pointer(&events);
		const char *server = store_rows_text(rows, 0);
		if (json_object_get(events, server) == NULL)
			json_object_set_new(events, server, json_array());
		json_array_append_new(json_object_get(events, server),
			json_pack("{s:s, s:o, s:s}", "balancer", store_rows_text(rows, 1), "at",
				json_time_or_null(store_rows_integer(rows, 2)), "state",
				store_rows_text(rows, 3)));
	}
	return NULL;
}

/* Servers ------------------------------------------------------------------------------------- */

static gsize rank(const char *word)
{
	gsize i = 0;
	while (i + 1 < G_N_ELEMENTS(words) && strcmp(words[i], word) != 0)
		i++;
	return i;
}

/* What one balancer sees of one server: the API's PoolSight. */
static json_t *sight_of(const Balancer *balancer, const json_t *observed)
{
	json_t *sight = json_deep_copy(observed);
	json_object_del(sight, "host");
	json_object_set_new(sight, "balancer", json_string(balancer->name));
	json_object_set_new(sight, "silent", json_boolean(balancer->is_silent));
	json_object_set_new(sight, "check",
		json_object_get(sight, "state") != NULL
			? json_incref(json_object_get(sight, "state"))
			: json_null());
	json_object_set_new(sight, "state", json_string(pool_word(observed)));
	return sight;
}

/* Connections end on each balancer in its own time: that is no disagreement. */
static gboolean is_the_same(const char *word, const char *other)
{
	gboolean drains = strcmp(word, "draining") == 0 || strcmp(word, "drained") == 0;
	gboolean other_drains = strcmp(other, "draining") == 0 || strcmp(other, "drained") == 0;
	return strcmp(word, other) == 0 || (drains && other_drains);
}

/* All sights of a server; *worst is that of a balancer that is not silent, or NULL. */
static json_t *sights_of(
	const GPtrArray *balancers, const char *host, const json_t **worst, gboolean *agree)
{
	json_t *sights = json_array();
	*worst = NULL;
	*agree = TRUE;
	for (guint i = 0; i < balancers->len; i++) {
		const Balancer *balancer = balancers->pdata[i];
		const json_t *observed = json_object_get(balancer->servers, host);
		if (observed == NULL)
			continue;
		json_t *sight = sight_of(balancer, observed);
		json_array_append_new(sights, sight);
		if (balancer->is_silent)
			continue;
		const char *word = json_text(sight, "state");
		const char *other = *worst != NULL ? json_text(*worst, "state") : word;
		*agree = *agree && is_the_same(word, other);
		if (*worst == NULL || rank(word) < rank(other))
			*worst = sight;
	}
	return sights;
}

static json_t *copy_of(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return value != NULL ? json_incref(value) : json_null();
}

/* The API's PoolServer. `events` may be NULL. */
static json_t *server_json(
	const PoolMember *member, const GPtrArray *balancers, const json_t *events)
{
	const json_t *worst;
	gboolean agree;
	json_t *server = pool_member_json(member);
	json_t *sights = sights_of(balancers, member->host, &worst, &agree);
	const char *unseen = member->is_enabled ? "unknown" : "disabled";
	json_object_set_new(
		server, "state", json_string(worst != NULL ? json_text(worst, "state") : unseen));
	json_object_set_new(server, "since", copy_of(worst, "since"));
	json_object_set_new(server, "why", copy_of(worst, "why"));
	json_object_set_new(server, "agree", json_boolean(agree));
	json_object_set_new(server, "sights", sights);
	if (events != NULL) {
		json_t *timeline = json_object_get(events, member->host);
		json_object_set_new(server, "timeline",
			timeline != NULL ? json_incref(timeline) : json_array());
	}
	return server;
}

static json_t *servers_json(
	const PoolRecord *pool, const GPtrArray *balancers, const json_t *events)
{
	json_t *servers = json_array();
	for (guint i = 0; i < pool->members->len; i++)
		json_array_append_new(
			servers, server_json(pool->members->pdata[i], balancers, events));
	return servers;
}

/* Summaries ----------------------------------------------------------------------------------- */

static void add_sentence(json_t *problems, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_sentence(json_t *problems, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *sentence = g_strdup_vprintf(format, values);
	va_end(values);
	json_array_append_new(problems, json_text_or_null(sentence));
}

static gboolean says(const json_t *object, const char *key, const char *word)
{
	return g_strcmp0(json_text(object, key), word) == 0;
}

/* An order that a balancer would not obey, or obeys no longer. */
static void add_answers(const json_t *server, json_t *problems)
{
	size_t index;
	json_t *sight;
	json_array_foreach (json_object_get(server, "sights"), index, sight) {
		if (json_is_true(json_object_get(sight, "silent")) ||
			json_integer_of(sight, "order_id") != json_integer_of(server, "order_id"))
			continue;
		const char *why = json_text(sight, "answer_why");
		if (says(sight, "answer", "refused") || says(sight, "answer", "revoked"))
			add_sentence(problems, "%s %s to %s %s: %s", json_text(sight, "balancer"),
				says(sight, "answer", "refused") ? "refuses" : "no longer agrees",
				json_text(server, "order"), json_text(server, "host"),
				why != NULL ? why : "it does not say why");
	}
}

static void add_balancer(const Balancer *balancer, json_t *problems)
{
	size_t index;
	json_t *alert;
	if (balancer->is_silent) {
		add_sentence(problems, "%s is silent", balancer->name);
		return;
	}
	if (!json_is_true(json_object_get(balancer->shown, "can_serve")))
		add_sentence(problems, "%s has no server that can serve", balancer->name);
	json_array_foreach (json_object_get(balancer->shown, "alerts"), index, alert)
		add_sentence(problems, "%s: %s", balancer->name, json_string_value(alert));
}

/* What somebody should look at, in sentences. */
static json_t *problems_json(const json_t *servers, const GPtrArray *balancers)
{
	json_t *problems = json_array();
	size_t index;
	json_t *server;
	json_array_foreach (servers, index, server) {
		if (!json_is_true(json_object_get(server, "agree")))
			add_sentence(
				problems, "balancers disagree about %s", json_text(server, "host"));
		add_answers(server, problems);
	}
	for (guint i = 0; i < balancers->len; i++)
		add_balancer(balancers->pdata[i], problems);
	return problems;
}

static json_t *counts_json(const json_t *servers)
{
	json_t *counts = json_object();
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		json_object_set_new(counts, words[i], json_integer(0));
	size_t index;
	json_t *server;
	json_array_foreach (servers, index, server) {
		const char *word = json_text(server, "state");
		json_object_set_new(counts, word, json_integer(json_integer_of(counts, word) + 1));
	}
	return counts;
}

/* The API's PoolSummary. */
static json_t *summary_json(
	const PoolRecord *pool, const json_t *servers, const GPtrArray *balancers)
{
	gint64 silent = 0;
	for (guint i = 0; i < balancers->len; i++)
		silent += ((const Balancer *)balancers->pdata[i])->is_silent;
	json_t *counts = counts_json(servers);
	json_t *problems = problems_json(servers, balancers);
	gboolean trouble = json_array_size(problems) > 0 || json_integer_of(counts, "down") > 0 ||
			   json_integer_of(counts, "held") > 0 ||
			   json_integer_of(counts, "out") > 0;
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:b}", "name", pool->name,
		"title", pool->title, "version", (json_int_t)pool->version, "servers",
		(json_int_t)pool->members->len, "balancers", (json_int_t)balancers->len, "silent",
		(json_int_t)silent, "states", counts, "problems", problems, "trouble", trouble);
}

/* Routes -------------------------------------------------------------------------------------- */

json_t *pool_list_all(ApiCall *call, GError **error)
{
	g_autoptr(GPtrArray) pools = pool_record_list(call->store, error);
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; pools != NULL && i < pools->len; i++) {
		const PoolRecord *pool = pools->pdata[i];
		g_autoptr(GPtrArray) balancers = load_balancers(call, pool, error);
		if (balancers == NULL)
			return NULL;
		g_autoptr(json_t) servers = servers_json(pool, balancers, NULL);
		json_array_append_new(list, summary_json(pool, servers, balancers));
	}
	return pools != NULL ? g_steal_pointer(&list) : NULL;
}

json_t *pool_show(ApiCall *call, GError **error)
{
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	g_autoptr(GPtrArray) balancers = pool != NULL ? load_balancers(call, pool, error) : NULL;
	g_autoptr(json_t) events = balancers != NULL ? load_events(call, pool, error) : NULL;
	if (events == NULL)
		return NULL;
	g_autoptr(json_t) servers = servers_json(pool, balancers, events);
	json_t *shown = json_array();
	for (guint i = 0; i < balancers->len; i++)
		json_array_append(shown, ((const Balancer *)balancers->pdata[i])->shown);
	return json_pack("{s:s, s:s, s:o, s:I, s:I, s:b, s:o, s:O, s:o}", "name", pool->name,
		"title", pool->title, "notes", json_text_or_null(pool->notes), "data_version",
		(json_int_t)pool->data_version, "version", (json_int_t)pool->version, "force",
		pool->force, "summary", summary_json(pool, servers, balancers), "servers", servers,
		"balancers", shown);
}
