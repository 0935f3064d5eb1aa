/* SPDX-License-Identifier: ISC
 *
 * Live is enacted change by change, in the order of the queue: at each cut the state is compiled
 * and asked. A change that conflicts is left out, and the queries that it could have touched have
 * no answer at the cuts behind it.
 */
#include "channel/change/answer_file.h"

#include <string.h>

#include "channel/change/queue.h"
#include "channel/evaluate.h"
#include "channel/query_json.h"

typedef json_t AnswerJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AnswerJson, json_decref)

typedef struct Run {
	const json_t *schemes, *queries;
	State *state; /* live */
	Queue *queue;
	Overlay *overlay;
	guint enacted; /* of the queue */
	guint (*draw)(void);
	json_t *errors, *answers;
} Run;

static void run_clear(Run *run)
{
	state_unref(run->state);
	queue_free(run->queue);
	overlay_free(run->overlay);
	json_decref(run->errors);
	json_decref(run->answers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static gboolean refuse(GError **error, const char *what, const char *wanted)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be %s", what, wanted);
	return FALSE;
}

/* The same error may be found at several cuts; it is told once. */
static void add_error(Run *run, const char *text)
{
	for (gsize i = 0; i < json_array_size(run->errors); i++)
		if (strcmp(json_string_value(json_array_get(run->errors, i)), text) == 0)
			return;
	json_array_append_new(run->errors, json_string(text));
}

/* Reading -------------------------------------------------------------------------------------- */

static gboolean read_rows(Run *run, const json_t *file, StateTable table, GError **error)
{
	const char *name = state_table_name(table);
	const json_t *rows = json_object_get(file, name);
	if (rows != NULL && !json_is_array(rows))
		return refuse(error, name, "a list");
	for (gsize i = 0; i < json_array_size(rows); i++) {
		g_autoptr(GError) problem = NULL;
		if (state_add(run->state, table, json_array_get(rows, i), &problem))
			continue;
		g_autofree char *text =
			g_strdup_printf("%s[%" G_GSIZE_FORMAT "]: %s", name, i, problem->message);
		add_error(run, text);
	}
	return TRUE;
}

static gboolean is_insert_of_rule(const json_t *op)
{
	return g_strcmp0(json_string_value(json_object_get(op, "table")), "rules") == 0 &&
	       g_strcmp0(json_string_value(json_object_get(op, "op")), "insert") == 0;
}

/* 0: it has none. */
static json_int_t id_of_insert(const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "rule_id"));
	return id != 0 ? id
		       : json_integer_value(json_object_get(json_object_get(op, "row"), "rule_id"));
}

static void each_insert(Run *run, void (*visit)(json_t *op, gpointer of), gpointer of)
{
	for (guint i = 0; i < queue_size(run->queue); i++) {
		json_t *ops = json_object_get(queue_change(run->queue, i), "ops");
		for (gsize j = 0; j < json_array_size(ops); j++)
			if (is_insert_of_rule(json_array_get(ops, j)))
				visit(json_array_get(ops, j), of);
	}
}

typedef struct Ids {
	json_int_t last;   /* given; at first the highest of the live rules */
	GHashTable *taken; /* gint64 * of inserts that say theirs */
} Ids;

static void take_id(json_t *op, gpointer of)
{
	gint64 id = id_of_insert(op);
	if (id != 0)
		g_hash_table_add(((Ids *)of)->taken, g_memdup2(&id, sizeof id));
}

static void give_id(json_t *op, gpointer of)
{
	Ids *ids = of;
	gint64 id = ids->last;
	if (id_of_insert(op) != 0)
		return;
	do
		id++;
	while (g_hash_table_contains(ids->taken, &id));
	ids->last = id;
	json_object_set_new(op, "rule_id", json_integer(id));
}

/* Inserts without an id take the next free one, in the order of the queue. */
static void reserve_ids(Run *run)
{
	g_autoptr(GHashTable) taken =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	Ids ids = {.taken = taken};
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(run->state, STATE_RULES), key, row)
		ids.last = MAX(ids.last, json_integer_value(json_object_get(row, "rule_id")));
	each_insert(run, take_id, &ids);
	each_insert(run, give_id, &ids);
}

/* Answers -------------------------------------------------------------------------------------- */

static json_t *ids_of(const Snapshot *snapshot, const Query *query)
{
	g_autoptr(GPtrArray) matching = g_ptr_array_new();
	json_t *ids = json_array();
	evaluate_matching(snapshot, query, matching);
	for (guint i = 0; i < matching->len; i++)
		json_array_append_new(ids, json_integer(((Rule *)matching->pdata[i])->rule_id));
	return ids;
}

static json_t *no_answer(const char *why)
{
	return json_pack("{s:n, s:n, s:[], s:s}", "mapping", "rule_id", "matching", "error", why);
}

static json_t *ask(Run *run, const Snapshot *snapshot, const json_t *asked)
{
	Query query = {0};
	Answer answer;
	g_autoptr(GError) problem = NULL;
	if (json_object_get(asked, "draw") == NULL && json_object_get(asked, "id") == NULL)
		query.draw = run->draw();
	if (!query_from_json(snapshot, asked, &query, &problem))
		return no_answer(problem->message);
	const char *undefined = overlay_undefined(run->overlay, query.product, query.channel);
	if (undefined != NULL)
		return no_answer(undefined);
	evaluate(snapshot, &query, &answer);
	return json_pack("{s:s?, s:o, s:o, s:s}", "mapping", answer.mapping, "rule_id",
		answer.rule == NULL ? json_null() : json_integer(answer.rule->rule_id), "matching",
		ids_of(snapshot, &query), "why", answer_why_text(answer.why));
}

/* The cut's snapshot; earlier cuts first. */
static Snapshot *snapshot_at(Run *run, Cut cut, GError **error)
{
	guint count;
	if (!queue_prefix(run->queue, cut, &count, error))
		return NULL;
	while (run->enacted < count) {
		g_autoptr(GError) problem = NULL;
		if (!overlay_enact(
			    run->overlay, queue_change(run->queue, run->enacted++), &problem))
			add_error(run, problem->message);
	}
	Snapshot *snapshot = snapshot_new(overlay_state(run->overlay), run->schemes, error);
	const GPtrArray *problems = snapshot == NULL ? NULL : snapshot_errors(snapshot);
	for (guint i = 0; problems != NULL && i < problems->len; i++)
		add_error(run, problems->pdata[i]);
	return snapshot;
}

/* 0 is live, even when a change is due before. */
static Cut cut_of(json_int_t time)
{
	return (Cut){time < 0 ? CUT_ALL : CUT_UNTIL, time == 0 ? G_MININT64 : time};
}

static gboolean answer_cut(Run *run, json_int_t cut, GError **error)
{
	g_autoptr(Snapshot) snapshot = snapshot_at(run, cut_of(cut), error);
	if (snapshot == NULL)
		return FALSE;
	json_t *answers = json_array();
	for (gsize i = 0; i < json_array_size(run->queries); i++)
		json_array_append_new(answers, ask(run, snapshot, json_array_get(run->queries, i)));
	g_autofree char *name = g_strdup_printf("%" JSON_INTEGER_FORMAT, cut);
	json_object_set_new(run->answers, name, answers);
	return TRUE;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;
	return x < y ? -1 : x > y;
}

/* In the order of time, so that the queue is enacted once. */
static gboolean answer_cuts(Run *run, const json_t *cuts, GError **error)
{
	g_autoptr(GArray) times = g_array_new(FALSE, TRUE, sizeof(json_int_t));
	if (cuts == NULL)
		g_array_set_size(times, 1);
	for (gsize i = 0; i < json_array_size(cuts); i++) {
		json_int_t time = json_integer_value(json_array_get(cuts, i));
		if (!json_is_integer(json_array_get(cuts, i)) || time < 0)
			return refuse(error, "cuts", "a list of times, 0 for live");
		g_array_append_val(times, time);
	}
	if ((guint64)times->len * json_array_size(run->queries) > ANSWER_FILE_MAXIMUM_CELLS) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE, "cuts x queries may be %d",
			ANSWER_FILE_MAXIMUM_CELLS);
		return FALSE;
	}
	g_array_sort(times, by_time);
	for (guint i = 0; i < times->len; i++)
		if (!answer_cut(run, g_array_index(times, json_int_t, i), error))
			return FALSE;
	return TRUE;
}

static gboolean read_file(Run *run, const json_t *file, GError **error)
{
	if (!json_is_object(file))
		return refuse(error, "it", "an object");
	run->schemes = json_object_get(file, "schemes");
	run->queries = json_object_get(file, "queries");
	if (run->schemes != NULL && !json_is_object(run->schemes))
		return refuse(error, "schemes", "an object");
	if (run->queries != NULL && !json_is_array(run->queries))
		return refuse(error, "queries", "a list");
	for (guint i = 0; i < STATE_TABLES; i++)
		if (!read_rows(run, file, (StateTable)i, error))
			return FALSE;
	run->queue = queue_new(json_object_get(file, "pending"), error);
	run->overlay = overlay_new(run->state, FALSE);
	return run->queue != NULL;
}

static void run_begin(Run *run, guint (*draw)(void))
{
	*run = (Run){
		.state = state_new(),
		.draw = draw,
		.errors = json_array(),
		.answers = json_object(),
	};
}

json_t *answer_file(const json_t *file, guint (*draw)(void), GError **error)
{
	g_autoptr(AnswerJson) own = json_deep_copy(file);
	g_auto(Run) run;
	run_begin(&run, draw);
	if (!read_file(&run, own, error))
		return NULL;
	if (run.queries == NULL) {
		refuse(error, "queries", "a list");
		return NULL;
	}
	reserve_ids(&run);
	if (!answer_cuts(&run, json_object_get(own, "cuts"), error))
		return NULL;
	return json_pack("{s:O, s:O}", "answers", run.answers, "errors", run.errors);
}

Snapshot *answer_file_snapshot(const json_t *file, gint64 cut, json_t *errors, GError **error)
{
	g_autoptr(AnswerJson) own = json_deep_copy(file);
	g_auto(Run) run;
	run_begin(&run, NULL);
	if (!read_file(&run, own, error))
		return NULL;
	reserve_ids(&run);
	Snapshot *snapshot = snapshot_at(&run, cut_of(cut), error);
	json_array_extend(errors, run.errors);
	return snapshot;
}
