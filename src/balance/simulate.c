/* SPDX-License-Identifier: ISC
 *
 * Plays events to a pool. The list guard is off, an empty list is obeyed, and a drain is reserved
 * and begun at once. The format: docs/balance.md, "simulate".
 */
#include "balance/simulate.h"

#include <string.h>

#include "balance/json_input.h"
#include "balance/server_list.h"
#include "base/error.h"

typedef struct Play {
	Pool *pool;
	GPtrArray *monitors;	  /* char *, NULL-terminated */
	GHashTable *seen;	  /* names that were on some list */
	GHashTable *unresolvable; /* names without an address so far */
	GPtrArray *warnings;
	json_t *states;
	gsize cells;
	gboolean any_drain; /* from here on states tell of drains */
	json_t *weights;    /* of the list in force: shared by its states */
	json_t *refused;    /* by the event under way: name -> why; NULL: none */
} Play;

static gboolean refuse(GError **error, const char *what, const char *allowed, const json_t *value)
{
	g_autofree char *found = balance_json_describe(value);
	drover_error_set(error, DROVER_ERROR_INPUT, "%s must be %s, not %s", what, allowed, found);
	return FALSE;
}

static void warn_unknown(
	Play *play, const char *where, const json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)object, key, value) {
		if (g_strv_contains(known, key) || play->warnings == NULL)
			continue;
		g_autofree char *shown = g_strescape(key, NULL);
		g_ptr_array_add(play->warnings,
			g_strdup_printf("%s: unknown key \"%s\" is ignored", where, shown));
	}
}

/* Lists of names: adds each to `into`. */
static gboolean read_names(const json_t *object, const char *key,
	gboolean (*take)(Play *play, const char *name), Play *play, GError **error)
{
	const json_t *names = json_object_get(object, key);
	if (names == NULL)
		return TRUE;
	if (!json_is_array(names))
		return refuse(error, key, "a list of names", names);
	for (gsize i = 0; i < json_array_size(names); i++) {
		const json_t *name = json_array_get(names, i);
		if (!json_is_string(name) || !take(play, json_string_value(name)))
			return refuse(error, key, "a list of names, each once", name);
	}
	return TRUE;
}

static gboolean take_monitor(Play *play, const char *name)
{
	for (guint i = 0; i < play->monitors->len; i++)
		if (strcmp(play->monitors->pdata[i], name) == 0)
			return FALSE;
	if (play->monitors->len >= POOL_MAXIMUM_MONITORS)
		return FALSE;
	g_ptr_array_add(play->monitors, g_strdup(name));
	return TRUE;
}

static gboolean take_unresolvable(Play *play, const char *name)
{
	g_hash_table_add(play->unresolvable, g_strdup(name));
	return TRUE;
}

static gboolean take_resolvable(Play *play, const char *name)
{
	g_hash_table_remove(play->unresolvable, name);
	return TRUE;
}

/* Policy */

static gboolean read_threshold(const json_t *given, Threshold *threshold, GError **error)
{
	const json_t *value = json_object_get(given, "depool_threshold");
	gboolean ok = TRUE;
	if (value == NULL)
		*threshold = THRESHOLD_HALF;
	else if (json_is_string(value))
		ok = threshold_parse(json_string_value(value), threshold, error);
	else if (json_is_number(value))
		ok = threshold_from_double(json_number_value(value), threshold, error);
	else
		return refuse(error, "depool_threshold", THRESHOLD_ALLOWED, value);
	if (!ok)
		g_prefix_error(error, "depool_threshold ");
	return ok;
}

static gboolean read_in_a_row(const json_t *given, const char *key, guint *count, GError **error)
{
	const json_t *value = json_object_get(given, key);
	json_int_t number = value == NULL ? 1 : json_integer_value(value);
	if ((value != NULL && !json_is_integer(value)) || number < 1 ||
		number > POOL_MAXIMUM_IN_A_ROW)
		return refuse(error, key, "a whole number from 1 to 1000", value);
	*count = (guint)number;
	return TRUE;
}

static gboolean read_start(const json_t *given, gboolean *pessimistic, GError **error)
{
	const json_t *value = json_object_get(given, "start");
	const char *text = value == NULL ? "optimistic" : json_string_value(value);
	*pessimistic = g_strcmp0(text, "pessimistic") == 0;
	if (!*pessimistic && g_strcmp0(text, "optimistic") != 0)
		return refuse(error, "start", "\"optimistic\" or \"pessimistic\"", value);
	return TRUE;
}

/* Events */

static json_t *weights_of(const Pool *pool)
{
	json_t *weights = json_object();
	const GPtrArray *servers = pool_servers(pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		json_object_set_new(weights, server->name, json_integer(server->weight));
	}
	return weights;
}

static gboolean read_servers(Play *play, const json_t *object, GError **error)
{
	const json_t *servers = json_object_get(object, "servers");
	if (!json_is_object(servers))
		return refuse(error, "servers", "an object of names", servers);
	if (json_object_size(servers) > POOL_MAXIMUM_SERVERS)
		return refuse(error, "servers", "at most 100000 names", servers);
	static const char *const known[] = {"enabled", "weight", NULL};
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(PoolEntry));
	const char *name;
	json_t *attributes;
	json_object_foreach ((json_t *)servers, name, attributes) {
		PoolEntry entry = {
			.name = name, .ready = !g_hash_table_contains(play->unresolvable, name)};
		g_autofree char *problem = server_list_is_host(name)
						   ? server_list_read_entry(attributes, &entry)
						   : g_strdup("is no name of a host");
		if (problem != NULL) {
			g_autofree char *shown = g_strescape(name, NULL);
			drover_error_set(error, DROVER_ERROR_INPUT, "servers: \"%.*s\": %s",
				POOL_MAXIMUM_NAME_BYTES, shown, problem);
			return FALSE;
		}
		warn_unknown(play, name, attributes, known);
		g_array_append_val(entries, entry);
		g_hash_table_add(play->seen, g_strdup(name));
	}
	pool_update(play->pool, (const PoolEntry *)(gconstpointer)entries->data, entries->len, 0);
	json_decref(play->weights);
	play->weights = weights_of(play->pool);
	return TRUE;
}

static gboolean read_config(Play *play, const json_t *event, GError **error)
{
	return read_names(event, "now_resolvable", take_resolvable, play, error) &&
	       read_servers(play, event, error);
}

/* A name that was never on a list is a slip of the pen; one that is gone by now is not. */
static gboolean read_server(
	const Play *play, const json_t *event, const char **name, GError **error)
{
	const json_t *value = json_object_get(event, "server");
	*name = json_string_value(value);
	if (*name == NULL || !g_hash_table_contains(play->seen, *name))
		return refuse(error, "server", "the name of a server of the list", value);
	return TRUE;
}

static gboolean read_result(const json_t *event, PoolResult *result, GError **error)
{
	const json_t *state = json_object_get(event, "state"), *up = json_object_get(event, "up");
	static const char *const words[] = {"down", "up", "maintenance"};
	if (state == NULL && !json_is_boolean(up))
		return refuse(error, "up", "true or false", up);
	*result = json_is_true(up) ? POOL_RESULT_UP : POOL_RESULT_DOWN;
	for (guint i = 0; state != NULL; i++) {
		if (i == G_N_ELEMENTS(words))
			return refuse(error, "state", "\"up\", \"down\" or \"maintenance\"", state);
		if (g_strcmp0(json_string_value(state), words[i]) == 0) {
			*result = (PoolResult)i;
			return TRUE;
		}
	}
	return TRUE;
}

static gboolean play_result(Play *play, const json_t *event, GError **error)
{
	PoolResult result = POOL_RESULT_DOWN;
	const char *name = NULL;
	const json_t *monitor = json_object_get(event, "monitor");
	if (!read_server(play, event, &name, error) || !read_result(event, &result, error))
		return FALSE;
	for (guint i = 0; i + 1 < play->monitors->len; i++) {
		if (g_strcmp0(play->monitors->pdata[i], json_string_value(monitor)) == 0) {
			pool_result(play->pool, name, i, result, 0);
			return TRUE;
		}
	}
	return refuse(error, "monitor", "one of given.monitors", monitor);
}

static gboolean play_drain(Play *play, const json_t *event, GError **error)
{
	const char *name = NULL;
	const json_t *forced = json_object_get(event, "force");
	g_autoptr(GError) why = NULL;
	if (!read_server(play, event, &name, error))
		return FALSE;
	if (forced != NULL && !json_is_boolean(forced))
		return refuse(error, "force", "true or false", forced);
	play->any_drain = TRUE;
	if (!pool_drain(play->pool, name, json_is_true(forced), 0, &why))
		json_object_set_new(play->refused, name, json_string(why->message));
	return TRUE;
}

static gboolean play_undrain(Play *play, const json_t *event, GError **error)
{
	const char *name = NULL;
	if (!read_server(play, event, &name, error))
		return FALSE;
	pool_undrain(play->pool, name, 0);
	return TRUE;
}

typedef struct Operation {
	const char *name;
	gboolean (*play)(Play *play, const json_t *event, GError **error);
	const char *known[6]; /* NULL-terminated */
} Operation;

static const Operation operations[] = {
	{"result", play_result, {"op", "server", "monitor", "up", "state"}},
	{"config", read_config, {"op", "servers", "now_resolvable"}},
	{"drain", play_drain, {"op", "server", "force"}},
	{"undrain", play_undrain, {"op", "server"}},
};

/* States */

/* Takes names of `pool` for which `is` holds. */
static json_t *names_of(const Pool *pool, gboolean (*is)(const PoolServer *server))
{
	json_t *names = json_array();
	const GPtrArray *servers = pool_servers(pool);
	for (guint i = 0; i < servers->len; i++) {
		const PoolServer *server = servers->pdata[i];
		if (is(server))
			json_array_append_new(names, json_string(server->name));
	}
	return names;
}

static gboolean is_pooled(const PoolServer *server)
{
	return server->pooled;
}

static gboolean is_held(const PoolServer *server)
{
	return server->held;
}

static gboolean is_draining(const PoolServer *server)
{
	return server->drain == POOL_DRAIN_DRAINING;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *revoked_by(const Pool *pool)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const GArray *news = pool_news(pool);
	for (guint i = 0; i < news->len; i++) {
		const PoolNews *one = &g_array_index(news, PoolNews, i);
		if (one->kind == POOL_NEWS_REVOKED)
			g_ptr_array_add(names, one->server);
	}
	g_ptr_array_sort(names, by_text);
	json_t *revoked = json_array();
	for (guint i = 0; i < names->len; i++)
		json_array_append_new(revoked, json_string(names->pdata[i]));
	return revoked;
}

static gboolean add_state(Play *play, GError **error)
{
	const Pool *pool = play->pool;
	play->cells += 1 + pool_servers(pool)->len;
	if (play->cells > SIMULATE_MAXIMUM_CELLS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"too many events for that many servers: states x servers may be %d",
			SIMULATE_MAXIMUM_CELLS);
		return FALSE;
	}
	json_t *state = json_object();
	json_object_set_new(state, "pooled", names_of(pool, is_pooled));
	json_object_set_new(state, "held", names_of(pool, is_held));
	json_object_set_new(state, "up", names_of(pool, pool_server_is_up));
	json_object_set_new(state, "draining", names_of(pool, is_draining));
	json_object_set_new(state, "can_depool", json_boolean(pool_can_depool(pool)));
	json_object_set(state, "weights", play->weights);
	if (play->any_drain) {
		json_object_set(state, "refused", play->refused);
		json_object_set_new(state, "revoked", revoked_by(pool));
	}
	json_array_append_new(play->states, state);
	return TRUE;
}

static gboolean begin(Play *play, const json_t *given, GError **error)
{
	static const char *const known[] = {"depool_threshold", "monitors", "servers",
		"unresolvable", "rise", "fall", "start", NULL};
	PoolPolicy policy = {0};
	if (!json_is_object(given))
		return refuse(error, "it", "an object {\"servers\": …}", given);
	warn_unknown(play, "given", given, known);
	if (!read_threshold(given, &policy.threshold, error) ||
		!read_names(given, "monitors", take_monitor, play, error) ||
		!read_names(given, "unresolvable", take_unresolvable, play, error) ||
		!read_in_a_row(given, "rise", &policy.rise, error) ||
		!read_in_a_row(given, "fall", &policy.fall, error) ||
		!read_start(given, &policy.pessimistic, error))
		return FALSE;
	g_ptr_array_add(play->monitors, NULL);
	policy.monitors = (const char *const *)play->monitors->pdata;
	play->pool = pool_new(&policy);
	return read_servers(play, given, error) && add_state(play, error);
}

static gboolean play_event(Play *play, const json_t *event, const char *where, GError **error)
{
	const json_t *op = json_object_get(event, "op");
	for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
		const Operation *operation = &operations[i];
		if (g_strcmp0(json_string_value(op), operation->name) != 0)
			continue;
		warn_unknown(play, where, event, operation->known);
		json_decref(play->refused);
		play->refused = json_object();
		return operation->play(play, event, error) && add_state(play, error);
	}
	return refuse(error, "op", "\"result\", \"config\", \"drain\" or \"undrain\"", op);
}

static gboolean play_all(Play *play, const json_t *root, GError **error)
{
	const json_t *events = json_object_get(root, "events");
	if (!begin(play, json_object_get(root, "given"), error)) {
		g_prefix_error(error, "given: ");
		return FALSE;
	}
	if (events != NULL && !json_is_array(events))
		return refuse(error, "events", "a list", events);
	for (gsize i = 0; i < json_array_size(events); i++) {
		g_autofree char *where = g_strdup_printf("events[%" G_GSIZE_FORMAT "]", i);
		if (!play_event(play, json_array_get(events, i), where, error)) {
			g_prefix_error(error, "%s: ", where);
			return FALSE;
		}
	}
	return TRUE;
}

static void play_clear(Play *play)
{
	pool_free(play->pool);
	g_ptr_array_unref(play->monitors);
	g_hash_table_unref(play->seen);
	g_hash_table_unref(play->unresolvable);
	json_decref(play->refused);
	json_decref(play->weights);
}

json_t *simulate_answer(
	const char *name, const char *text, gsize size_bytes, GPtrArray *warnings, GError **error)
{
	if (size_bytes > SIMULATE_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "%s: larger than %d bytes", name,
			SIMULATE_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(BalanceJson) root = balance_json_read(name, text, size_bytes, error);
	if (root == NULL)
		return NULL;
	Play play = {
		.monitors = g_ptr_array_new_with_free_func(g_free),
		.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.unresolvable = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.warnings = warnings,
		.states = json_array(),
		.refused = json_object(),
	};
	gboolean ok = play_all(&play, root, error);
	play_clear(&play);
	if (ok)
		return play.states;
	json_decref(play.states);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}

char *simulate_text(const json_t *answer)
{
	GString *text = g_string_new("[");
	for (gsize i = 0; i < json_array_size(answer); i++) {
		char *state = json_dumps(json_array_get(answer, i), 0);
		g_string_append_printf(text, "%s\n  %s", i > 0 ? "," : "", state);
		free(state);
	}
	g_string_append(text, "\n]\n");
	return g_string_free(text, FALSE);
}
