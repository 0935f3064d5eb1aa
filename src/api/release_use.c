/* SPDX-License-Identifier: ISC
 *
 * What names a release, and so keeps it: rules and pins that are live, changes that wait, nodes;
 * and the newest of all is always kept.
 */
#include "api/node.h"
#include "api/release.h"

#include <string.h>

/* Of one release. */
typedef struct Use {
	char *version;
	GPtrArray *because; /* char * */
	json_t *live;	    /* channel -> ids of rules */
	json_t *waiting;    /* ids of changes */
	gint64 running, should;
} Use;

struct ReleaseUses {
	char *product;
	GHashTable *by_version;	 /* char * -> Use *, which it owns */
	GHashTable *by_document; /* char * -> Use * */
};

static void use_free(gpointer of)
{
	Use *use = of;
	g_free(use->version);
	g_ptr_array_unref(use->because);
	json_decref(use->live);
	json_decref(use->waiting);
	g_free(use);
}

void release_uses_free(ReleaseUses *uses)
{
	if (uses == NULL)
		return;
	g_hash_table_unref(uses->by_document);
	g_hash_table_unref(uses->by_version);
	g_free(uses->product);
	g_free(uses);
}

static ReleaseUses *uses_new(const Product *product, const GPtrArray *records)
{
	ReleaseUses *uses = g_new0(ReleaseUses, 1);
	uses->product = g_strdup(product->name);
	uses->by_version = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, use_free);
	uses->by_document = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < records->len; i++) {
		const ReleaseRecord *record = records->pdata[i];
		Use *use = g_new0(Use, 1);
		use->version = g_strdup(record->version);
		use->because = g_ptr_array_new_with_free_func(g_free);
		use->live = json_object();
		use->waiting = json_array();
		g_hash_table_insert(uses->by_version, use->version, use);
		g_hash_table_insert(uses->by_document, g_strdup(record->document), use);
	}
	return uses;
}

static void add_because(Use *use, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_because(Use *use, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	g_autofree char *sentence = g_strdup_vprintf(format, values);
	va_end(values);
	if (use->because->len == RELEASE_MAXIMUM_BECAUSE)
		return;
	for (guint i = 0; i < use->because->len; i++)
		if (strcmp(use->because->pdata[i], sentence) == 0)
			return;
	g_ptr_array_add(use->because, g_steal_pointer(&sentence));
}

/* Rows ------------------------------------------------------------------------------------------
 */

static const char *word_of(const json_t *row, const char *column)
{
	const char *text = json_text(row, column);
	return text != NULL ? text : "*";
}

static void note_rule(const char *key, const json_t *row, gpointer of)
{
	Use *use = of;
	const char *channel = word_of(row, "channel");
	json_t *rules = json_object_get(use->live, channel);
	if (rules == NULL) {
		rules = json_array();
		json_object_set_new(use->live, channel, rules);
	}
	json_array_append_new(rules, json_integer(json_integer_of(row, "rule_id")));
	add_because(use, "rule %s of channel %s maps to it", key, channel);
}

static void note_pin(const char *key, const json_t *row, gpointer of)
{
	(void)key;
	add_because(of, "the pin %s of channel %s maps to it", word_of(row, "version"),
		word_of(row, "channel"));
}

static void add_rows(ReleaseUses *uses, const State *live)
{
	GHashTableIter all;
	gpointer document, use;
	g_hash_table_iter_init(&all, uses->by_document);
	while (g_hash_table_iter_next(&all, &document, &use)) {
		sheet_each(
			state_sheet(live, STATE_RULES), SHEET_BY_MAPPING, document, note_rule, use);
		sheet_each(
			state_sheet(live, STATE_PINS), SHEET_BY_MAPPING, document, note_pin, use);
	}
}

/* Changes ---------------------------------------------------------------------------------------
 */

static void note_change(Use *use, gint64 id)
{
	gsize count = json_array_size(use->waiting);
	if (count > 0 && json_integer_value(json_array_get(use->waiting, count - 1)) == id)
		return;
	json_array_append_new(use->waiting, json_integer(id));
	add_because(use, "change %" G_GINT64_FORMAT " waits to map to it", id);
}

static void add_change(ReleaseUses *uses, const ChannelChange *change)
{
	static const char *const columns[] = {"mapping", "fallback_mapping"};
	gsize i;
	json_t *op;
	json_array_foreach (change->ops, i, op) {
		for (gsize column = 0; column < G_N_ELEMENTS(columns); column++) {
			const char *document =
				json_text(json_object_get(op, "row"), columns[column]);
			Use *use = document != NULL
					   ? g_hash_table_lookup(uses->by_document, document)
					   : NULL;
			if (use != NULL)
				note_change(use, change->id);
		}
	}
}

/* Nodes -----------------------------------------------------------------------------------------
 */

static Use *use_of(ReleaseUses *uses, const char *version)
{
	return version != NULL ? g_hash_table_lookup(uses->by_version, version) : NULL;
}

static gboolean add_duty(ReleaseUses *uses, NodeAsker *asker, const NodeRecord *node,
	const NodeDuty *duty, GError **error)
{
	g_auto(NodeTarget) should = {0};
	if (!node_ask_channel(asker, node, duty, &should, error))
		return FALSE;
	const json_t *doing = json_object_get(duty->report, "doing");
	Use *running = use_of(uses, json_text(duty->report, "running"));
	Use *ordered = use_of(uses, duty->ordered), *by_channel = use_of(uses, should.version);
	Use *coming = use_of(uses, json_text(doing, "version"));
	Use *target = duty->ordered != NULL ? ordered : by_channel;
	if (running != NULL) {
		running->running++;
		add_because(running, "node %s runs it", node->name);
	}
	if (target != NULL)
		target->should++;
	if (ordered != NULL)
		add_because(ordered, "node %s is ordered to run it", node->name);
	if (by_channel != NULL)
		add_because(
			by_channel, "channel %s gives it to node %s", duty->channel, node->name);
	if (coming != NULL)
		add_because(coming, "node %s installs it", node->name);
	return TRUE;
}

static gboolean add_nodes(ReleaseUses *uses, ApiCall *call, const Product *product, GError **error)
{
	g_autoptr(NodeAsker) asker = node_asker_new(call->site->channels, call->store, error);
	g_autoptr(GPtrArray) nodes = asker != NULL ? node_record_list(call->store, error) : NULL;
	for (guint i = 0; nodes != NULL && i < nodes->len; i++) {
		const NodeRecord *node = nodes->pdata[i];
		const NodeDuty *duty = node_record_duty(node, product->name);
		if (duty != NULL && !add_duty(uses, asker, node, duty, error))
			return FALSE;
	}
	return nodes != NULL;
}

/* All of it -------------------------------------------------------------------------------------
 */

static void add_newest(ReleaseUses *uses, const GPtrArray *records)
{
	for (guint i = 0; i < records->len; i++) {
		const ReleaseRecord *record = records->pdata[i];
		if (record->removed_us != 0)
			continue;
		add_because(
			g_hash_table_lookup(uses->by_version, record->version), "it is the newest");
		return;
	}
}

ReleaseUses *release_uses_load(
	ApiCall *call, const Product *product, const GPtrArray *records, GError **error)
{
	g_autoptr(ChannelNow) now = channel_books_take(call->site->channels, call->store, error);
	if (now == NULL)
		return NULL;
	g_autoptr(ReleaseUses) uses = uses_new(product, records);
	add_newest(uses, records);
	add_rows(uses, now->book->live);
	for (guint i = 0; i < now->book->changes->len; i++)
		add_change(uses, now->book->changes->pdata[i]);
	return add_nodes(uses, call, product, error) ? g_steal_pointer(&uses) : NULL;
}

const GPtrArray *release_uses_because(const ReleaseUses *uses, const char *version)
{
	const Use *use = g_hash_table_lookup(uses->by_version, version);
	return use->because;
}

/* Showing ---------------------------------------------------------------------------------------
 */

static json_t *live_json(const Use *use)
{
	json_t *list = json_array(), *rules;
	const char *channel;
	json_object_foreach (use->live, channel, rules)
		json_array_append_new(
			list, json_pack("{s:s, s:O}", "channel", channel, "rules", rules));
	return list;
}

static json_t *test_json(const ReleaseRecord *record)
{
	if (record->test_run == NULL)
		return json_null();
	return json_pack(
		"{s:s, s:s}", "run", record->test_run, "log_sha256", record->test_log_sha256);
}

json_t *release_summary(const ReleaseUses *uses, const ReleaseRecord *record)
{
	const Use *use = g_hash_table_lookup(uses->by_version, record->version);
	json_t *shown =
		json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
			"product", uses->product, "version", record->version, "sequence",
			(json_int_t)record->sequence, "revision", record->revision, "landing",
			record->landing != 0 ? json_integer(record->landing) : json_null(), "tag",
			json_text_or_null(record->tag), "manifest_sha256", record->manifest_sha256,
			"signer", record->signer, "tree_sha256", record->tree_sha256, "tar_sha256",
			record->tar_sha256, "size", (json_int_t)record->size_bytes, "tree_size",
			(json_int_t)record->tree_bytes, "files", (json_int_t)record->files);
	json_t *rest = json_pack("{s:o, s:o, s:I, s:o, s:s, s:o, s:o, s:s, s:o, s:O, s:{s:I, s:I}}",
		"test", test_json(record), "contract_sha256",
		json_text_or_null(record->contract_sha256), "min_rollback_sequence",
		(json_int_t)record->min_rollback_sequence, "reason",
		json_text_or_null(record->reason), "actor", record->actor, "published",
		json_time_or_null(record->published_us), "removed",
		json_time_or_null(record->removed_us), "document", record->document, "live",
		live_json(use), "waiting", use->waiting, "nodes", "running",
		(json_int_t)use->running, "should", (json_int_t)use->should);
	json_object_update_new(shown, rest);
	return shown;
}
