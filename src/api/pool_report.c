/* SPDX-License-Identifier: ISC
 *
 * What balancers see. A report is whole: it takes the place of the one before, and what became of
 * each server since is added to its timeline. What is wrong in its structure is refused by name;
 * texts that only people read are cut, since half a reason is better than no report.
 */
#include <string.h>

#include "api/host.h"
#include "api/pool.h"
#include "api/reported.h"
#include "base/format.h"

static const char SQL_KNOWN[] = "SELECT started_us, sequence, reported_us, alerts_json,"
				" servers_json, can_serve, can_depool, version FROM pool_balancer"
				" WHERE pool_id = ? AND host_id = ?";
static const char SQL_CHANGE[] =
	"UPDATE pool_balancer SET started_us = ?, sequence = ?, reported_us = ?, version = ?,"
	" epoch = ?, can_serve = ?, can_depool = ?, alerts_json = ?, servers_json = ?"
	" WHERE pool_id = ? AND host_id = ?";
static const char SQL_ADD[] =
	"INSERT INTO pool_balancer (started_us, sequence, reported_us, version, epoch, can_serve,"
	" can_depool, alerts_json, servers_json, pool_id, host_id)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char SQL_EVENT[] =
	"INSERT INTO pool_event (pool_id, host_id, server, at_us, state) VALUES (?, ?, ?, ?, ?)";
/* The newest event before the window stays: it says what the window begins with. */
static const char SQL_EVENTS_OLD[] =
	"DELETE FROM pool_event WHERE pool_id = ? AND host_id = ? AND server = ? AND id <"
	" (SELECT MAX(id) FROM pool_event WHERE pool_id = ? AND host_id = ? AND server = ?"
	" AND at_us <= ?)";
static const char SQL_EVENTS_MANY[] =
	"DELETE FROM pool_event WHERE pool_id = ? AND host_id = ? AND server = ? AND id <="
	" (SELECT id FROM pool_event WHERE pool_id = ? AND host_id = ? AND server = ?"
	" ORDER BY id DESC LIMIT 1 OFFSET ?)";
static const char SQL_EVENTS_GONE[] =
	"DELETE FROM pool_event WHERE pool_id = ? AND host_id = ? AND server = ?";
static const char SQL_HOST[] = "SELECT id FROM host WHERE name = ?";
static const char *const SQL_FORGET[] = {
	"DELETE FROM pool_event WHERE pool_id = ? AND host_id = ?",
	"DELETE FROM pool_balancer WHERE pool_id = ? AND host_id = ?",
};

static const char *const states[] = {"up", "down", "maintenance", "unchecked", "unresolved", NULL};
static const char *const answers[] = {
	"serving", "reserved", "working", "drained", "refused", "revoked", NULL};

typedef struct Report {
	gint64 started_us, sequence, version, epoch;
	gboolean can_serve, can_depool;
	const char *now;
	json_t *alerts, *servers;
} Report;

static void report_clear(Report *report)
{
	g_clear_pointer(&report->alerts, json_decref);
	g_clear_pointer(&report->servers, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_clear)

/* Reading -------------------------------------------------------------------------------------- */

/* A server as it is kept: every key is there. Keys that are unknown are dropped. */
static json_t *read_server(const json_t *given, GError **error)
{
	const char *host, *address;
	g_autoptr(json_t) kept = json_object();
	if (!json_is_object(given)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "each must be an object");
		return NULL;
	}
	if (!json_field_text(given, "host", TRUE, POOL_HOST_MAXIMUM_BYTES, &host, error) ||
		!pool_host_check(host, error) ||
		!json_field_text(given, "address", FALSE, 64, &address, error) ||
		!reported_word(given, "state", TRUE, states, kept, error) ||
		!reported_switch(given, "pooled", FALSE, kept, error) ||
		!reported_switch(given, "held", FALSE, kept, error) ||
		!reported_switch(given, "enabled", TRUE, kept, error) ||
		!reported_number(given, "weight", POOL_LIST_MAXIMUM_WEIGHT, kept, error) ||
		!reported_number(given, "current_weight", POOL_LIST_MAXIMUM_WEIGHT, kept, error) ||
		!reported_number(given, "active", G_MAXINT64, kept, error) ||
		!reported_number(given, "inactive", G_MAXINT64, kept, error) ||
		!reported_time(given, "since", kept, error) ||
		!reported_time(given, "checked", kept, error) ||
		!reported_text(given, "why", kept, error) ||
		!reported_number(given, "order_id", G_MAXINT64, kept, error) ||
		!reported_word(given, "answer", FALSE, answers, kept, error) ||
		!reported_text(given, "answer_why", kept, error))
		return NULL;
	json_object_set_new(kept, "address", json_text_or_null(address));
	json_object_set_new(kept, "host", json_string(host));
	return g_steal_pointer(&kept);
}

/* Host -> what is seen of it. */
static json_t *read_servers(const json_t *body, GError **error)
{
	const json_t *given = json_object_get(body, "servers");
	g_autoptr(json_t) servers = json_object();
	if (!json_is_array(given) || json_array_size(given) > POOL_LIST_MAXIMUM_SERVERS) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"servers: must be a list of at most %d objects", POOL_LIST_MAXIMUM_SERVERS);
		return NULL;
	}
	size_t index;
	json_t *one;
	json_array_foreach (given, index, one) {
		json_t *server = read_server(one, error);
		if (server == NULL) {
			g_prefix_error(error, "servers: number %zu: ", index + 1);
			return NULL;
		}
		const char *host = json_text(server, "host");
		if (json_object_get(servers, host) != NULL) {
			drover_error_set(
				error, DROVER_ERROR_INPUT, "servers: %s is there twice", host);
			json_decref(server);
			return NULL;
		}
		json_object_set_new(servers, host, server);
	}
	return g_steal_pointer(&servers);
}

static json_t *read_alerts(const json_t *body, GError **error)
{
	const json_t *given = json_object_get(body, "alerts");
	g_autoptr(json_t) alerts = json_array();
	if (given == NULL)
		return g_steal_pointer(&alerts);
	size_t index;
	json_t *one;
	gboolean well = json_is_array(given);
	json_array_foreach (given, index, one) {
		well = well && json_is_string(one);
		if (well && index < POOL_REPORT_MAXIMUM_ALERTS)
			json_array_append_new(alerts, reported_cut(json_string_value(one)));
	}
	if (well && json_array_size(given) > POOL_REPORT_MAXIMUM_ALERTS)
		json_array_append_new(
			alerts, json_sprintf("and %zu more",
					json_array_size(given) - POOL_REPORT_MAXIMUM_ALERTS));
	if (well)
		return g_steal_pointer(&alerts);
	drover_error_set(error, DROVER_ERROR_INPUT, "alerts: must be a list of texts");
	return NULL;
}

static gboolean require_number(const json_t *body, const char *key, gint64 *number, GError **error)
{
	if (!json_field_integer(body, key, -1, 0, G_MAXINT64, number, error))
		return FALSE;
	if (*number != -1)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be given", key);
	return FALSE;
}

static gboolean read_report(ApiCall *call, Report *report, GError **error)
{
	const json_t *body = call->body;
	const char *started;
	if (!api_require_body(call, error) ||
		!json_field_text(body, "now", TRUE, 64, &report->now, error) ||
		!json_field_text(body, "started", TRUE, 64, &started, error) ||
		!require_number(body, "sequence", &report->sequence, error) ||
		!require_number(body, "version", &report->version, error) ||
		!json_field_integer(body, "epoch", 0, 0, G_MAXINT64, &report->epoch, error) ||
		!json_field_boolean(body, "can_serve", FALSE, &report->can_serve, error) ||
		!json_field_boolean(body, "can_depool", FALSE, &report->can_depool, error))
		return FALSE;
	if (!parse_time(started, &report->started_us, error)) {
		g_prefix_error(error, "started: ");
		return FALSE;
	}
	report->alerts = read_alerts(body, error);
	report->servers = report->alerts != NULL ? read_servers(body, error) : NULL;
	return report->servers != NULL;
}

/* Comparing ------------------------------------------------------------------------------------ */

static gboolean is_answer(const json_t *observed, const char *answer)
{
	return g_strcmp0(json_text(observed, "answer"), answer) == 0;
}

const char *pool_word(const json_t *observed)
{
	const char *state = json_text(observed, "state");
	gboolean pooled = json_is_true(json_object_get(observed, "pooled"));
	if (!json_is_true(json_object_get(observed, "enabled")))
		return "disabled";
	if (json_is_true(json_object_get(observed, "held")))
		return "held";
	if (strcmp(state, "maintenance") == 0)
		return "maintenance";
	if (strcmp(state, "down") == 0 || strcmp(state, "unresolved") == 0)
		return "down";
	if (!pooled && is_answer(observed, "working"))
		return "draining";
	if (!pooled && is_answer(observed, "drained"))
		return "drained";
	if (!pooled)
		return "out";
	return strcmp(state, "unchecked") == 0 ? "unchecked" : "up";
}

/* What open pages need not be told of at once: it moves all the time. Connections of a server that
 * drains are what everybody waits for. */
static gboolean looks_the_same(const json_t *before, const json_t *after)
{
	static const char *const telling[] = {"state", "pooled", "held", "enabled", "weight",
		"order_id", "answer", "answer_why", "address"};
	if (before == NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(telling); i++)
		if (!json_equal(json_object_get(before, telling[i]),
			    json_object_get(after, telling[i])))
			return FALSE;
	return !is_answer(after, "working") ||
	       json_equal(json_object_get(before, "active"), json_object_get(after, "active"));
}

/* The newest report that is kept. */
typedef struct Known {
	gboolean is_there;
	gint64 started_us, sequence, reported_us, version;
	gboolean can_serve, can_depool;
	json_t *alerts, *servers;
} Known;

static void known_clear(Known *known)
{
	g_clear_pointer(&known->alerts, json_decref);
	g_clear_pointer(&known->servers, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Known, known_clear)

static gboolean load_known(ApiCall *call, const PoolRecord *pool, Known *known, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(call->store, error, SQL_KNOWN,
		STORE_PARAMS(STORE_INT(pool->id), STORE_INT(call->actor->id)));
	if (!store_rows_next(rows, &known->is_there, error))
		return FALSE;
	if (!known->is_there)
		return TRUE;
	known->started_us = store_rows_integer(rows, 0);
	known->sequence = store_rows_integer(rows, 1);
	known->reported_us = store_rows_integer(rows, 2);
	known->alerts = json_loads(store_rows_text(rows, 3), 0, NULL);
	known->servers = json_loads(store_rows_text(rows, 4), 0, NULL);
	known->can_serve = store_rows_integer(rows, 5) != 0;
	known->can_depool = store_rows_integer(rows, 6) != 0;
	known->version = store_rows_integer(rows, 7);
	return TRUE;
}

/* Two reports may overtake each other on their way. A balancer whose clock went back looks as if it
 * had started earlier: it is believed once the other start has been silent. */
static gboolean is_late(const ApiCall *call, const Known *known, const Report *report)
{
	if (!known->is_there)
		return FALSE;
	if (report->started_us == known->started_us)
		return report->sequence <= known->sequence;
	return report->started_us < known->started_us &&
	       api_now_us(call) - known->reported_us < POOL_SILENT_S * US_PER_SECOND;
}

/* Storing -------------------------------------------------------------------------------------- */

static gboolean add_event(
	ApiCall *call, const PoolRecord *pool, const char *server, const char *word, GError **error)
{
	Store *store = call->store;
	StoreValue in = STORE_INT(pool->id), by = STORE_INT(call->actor->id),
		   of = STORE_TEXT(server);
	gint64 now_us = api_now_us(call);
	return store_execute(store, error, SQL_EVENT,
		       STORE_PARAMS(in, by, of, STORE_INT(now_us), STORE_TEXT(word))) &&
	       store_execute(store, error, SQL_EVENTS_OLD,
		       STORE_PARAMS(in, by, of, in, by, of,
			       STORE_INT(now_us - POOL_EVENT_DAYS * US_PER_DAY))) &&
	       store_execute(store, error, SQL_EVENTS_MANY,
		       STORE_PARAMS(in, by, of, in, by, of, STORE_INT(POOL_EVENTS_KEPT)));
}

/* Adds to timelines; *is_news when open pages should look again. */
static gboolean compare(ApiCall *call, const PoolRecord *pool, const Known *known,
	const Report *report, gboolean *is_news, GError **error)
{
	const char *host;
	json_t *server;
	*is_news = !known->is_there || known->version != report->version ||
		   known->can_serve != report->can_serve ||
		   known->can_depool != report->can_depool ||
		   !json_equal(known->alerts, report->alerts) ||
		   json_object_size(known->servers) != json_object_size(report->servers) ||
		   api_now_us(call) - known->reported_us >= POOL_SILENT_S * US_PER_SECOND;
	json_object_foreach (report->servers, host, server) {
		const json_t *before = json_object_get(known->servers, host);
		*is_news |= !looks_the_same(before, server);
		const char *word = pool_word(server);
		if ((before == NULL || strcmp(pool_word(before), word) != 0) &&
			!add_event(call, pool, host, word, error))
			return FALSE;
	}
	json_object_foreach (known->servers, host, server)
		if (json_object_get(report->servers, host) == NULL &&
			!store_execute(call->store, error, SQL_EVENTS_GONE,
				STORE_PARAMS(STORE_INT(pool->id), STORE_INT(call->actor->id),
					STORE_TEXT(host))))
			return FALSE;
	return TRUE;
}

static gboolean keep(ApiCall *call, const PoolRecord *pool, gboolean is_known, const Report *report,
	GError **error)
{
	g_autofree char *alerts = json_write(report->alerts);
	g_autofree char *servers = json_write(report->servers);
	return store_execute(call->store, error, is_known ? SQL_CHANGE : SQL_ADD,
		STORE_PARAMS(STORE_INT(report->started_us), STORE_INT(report->sequence),
			STORE_INT(api_now_us(call)), STORE_INT(report->version),
			STORE_INT(report->epoch), STORE_INT(report->can_serve),
			STORE_INT(report->can_depool), STORE_TEXT(alerts), STORE_TEXT(servers),
			STORE_INT(pool->id), STORE_INT(call->actor->id)));
}

static gboolean take_over(ApiCall *call, const PoolRecord *pool, const Known *known,
	const Report *report, GError **error)
{
	gboolean is_news;
	return compare(call, pool, known, report, &is_news, error) &&
	       keep(call, pool, known->is_there, report, error) &&
	       (!is_news || store_counter_advance(call->store, STORE_CHANGES, error));
}

json_t *pool_take_report(ApiCall *call, GError **error)
{
	g_auto(Report) report = {0};
	g_auto(Known) known = {0};
	g_autoptr(json_t) warning = NULL;
	gint64 off_ms;
	if (!pool_require_balancer(call, error) || !read_report(call, &report, error))
		return NULL;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	if (pool == NULL || !host_note_report(call, report.now, &off_ms, &warning, error) ||
		!load_known(call, pool, &known, error))
		return NULL;
	gboolean late = is_late(call, &known, &report);
	if (!late && !take_over(call, pool, &known, &report, error))
		return NULL;
	return json_pack("{s:o, s:I, s:O, s:I, s:b}", "now", json_time_or_null(api_now_us(call)),
		"clock_off_ms", (json_int_t)off_ms, "clock_warning", warning, "version",
		(json_int_t)pool->version, "dropped", late);
}

/* A balancer that no longer serves the pool stays silent for ever: somebody says so. */
json_t *pool_forget_balancer(ApiCall *call, GError **error)
{
	const char *name = api_parameter(call, "name"), *reason;
	gint64 host_id, gone = 0;
	g_autoptr(PoolRecord) pool =
		pool_record_load(call->store, api_parameter(call, "pool"), error);
	if (pool == NULL || (call->body != NULL && !api_require_body(call, error)) ||
		!api_reason(call, &reason, error) ||
		!store_query_integer(
			call->store, error, 0, &host_id, SQL_HOST, STORE_PARAMS(STORE_TEXT(name))))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(SQL_FORGET); i++) {
		if (!store_execute(call->store, error, SQL_FORGET[i],
			    STORE_PARAMS(STORE_INT(pool->id), STORE_INT(host_id))))
			return NULL;
		gone = store_changed(call->store);
	}
	if (gone == 0) {
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"no balancer '%s' has reported about pool %s; see: drover pool show %s",
			name, pool->name, pool->name);
		return NULL;
	}
	g_autofree char *subject = g_strdup_printf("pool/%s", pool->name);
	g_autoptr(json_t) before = json_pack("{s:s}", "balancer", name);
	if (!api_record(call, "pool.forget", subject, reason, before, NULL, error))
		return NULL;
	return g_steal_pointer(&before);
}
