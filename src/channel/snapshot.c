/* SPDX-License-Identifier: ISC
 *
 * Compiling a state. Rules without a product belong to every product's list; rules whose channel is
 * absent or a glob belong to every channel's.
 */
#include "channel/snapshot.h"

#include <string.h>

/* The rules of one product, and those of its channels that rules name exactly. */
typedef struct ProductRules {
	GPtrArray *all;		/* Rule * */
	GPtrArray *elsewhere;	/* those that can match a channel that nobody names */
	GHashTable *by_channel; /* name -> GPtrArray of Rule * */
} ProductRules;

struct Snapshot {
	gatomicrefcount references;
	json_t *schemes, *shutoffs, *pins;
	json_t *deliveries;   /* the rows of products */
	GPtrArray *rules;     /* owned, sorted */
	GHashTable *products; /* name -> ProductRules */
	ProductRules *other;  /* of products that no rule names */
	GHashTable *releases; /* name -> ReleaseDocument */
	GPtrArray *errors;
};

static void product_rules_free(gpointer item)
{
	ProductRules *rules = item;
	if (rules == NULL)
		return;
	g_ptr_array_unref(rules->all);
	g_ptr_array_unref(rules->elsewhere);
	g_hash_table_unref(rules->by_channel);
	g_free(rules);
}

VersionScheme snapshot_scheme(const Snapshot *snapshot, const char *product)
{
	VersionScheme scheme = VERSION_MOZILLA;
	const char *name = product == NULL
				   ? NULL
				   : json_string_value(json_object_get(snapshot->schemes, product));
	if (name != NULL)
		version_scheme_parse(name, &scheme, NULL);
	return scheme;
}

const json_t *snapshot_hosts(const Snapshot *snapshot, const char *product)
{
	const json_t *row = product == NULL ? NULL : json_object_get(snapshot->deliveries, product);
	return json_object_get(row, "hosts");
}

static gboolean check_schemes(const json_t *schemes, GError **error)
{
	const char *product;
	json_t *name;
	VersionScheme scheme;
	json_object_foreach ((json_t *)schemes, product, name) {
		const char *text = json_string_value(name);
		if (version_scheme_parse(text == NULL ? "" : text, &scheme, error))
			continue;
		g_prefix_error(error, "schemes: %s: ", product);
		return FALSE;
	}
	return TRUE;
}

/* Rows to values ------------------------------------------------------------------------------- */

static void add_error(Snapshot *snapshot, const char *kind, const char *key, const GError *problem)
{
	g_ptr_array_add(
		snapshot->errors, g_strdup_printf("%s %s: %s", kind, key, problem->message));
}

static const char *product_of(const json_t *row)
{
	return json_string_value(json_object_get(row, "product"));
}

/* What `before` made of a row is the same here when the row's product has the same scheme. */
static gboolean has_same_scheme(const Snapshot *snapshot, const Snapshot *before, const json_t *row)
{
	return snapshot_scheme(snapshot, product_of(row)) ==
	       snapshot_scheme(before, product_of(row));
}

/* Row -> Rule, of a snapshot; none of NULL. */
static GHashTable *rules_by_row(const Snapshot *before)
{
	GHashTable *rules = g_hash_table_new(NULL, NULL);
	for (guint i = 0; before != NULL && i < before->rules->len; i++)
		g_hash_table_insert(
			rules, ((Rule *)before->rules->pdata[i])->row, before->rules->pdata[i]);
	return rules;
}

static Rule *compile_rule(const Snapshot *snapshot, const Snapshot *before, GHashTable *by_row,
	json_t *row, GError **error)
{
	Rule *there = g_hash_table_lookup(by_row, row);
	return there != NULL && has_same_scheme(snapshot, before, row)
		       ? rule_ref(there)
		       : rule_new(row, snapshot_scheme(snapshot, product_of(row)), error);
}

static void compile_rules(Snapshot *snapshot, const Snapshot *before, const State *state)
{
	g_autoptr(GHashTable) aliases = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) by_row = rules_by_row(before);
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, STATE_RULES), key, row) {
		g_autoptr(GError) problem = NULL;
		g_autoptr(Rule) rule = compile_rule(snapshot, before, by_row, row, &problem);
		const char *alias = json_string_value(json_object_get(row, "alias"));
		if (rule != NULL && alias != NULL && !g_hash_table_add(aliases, (char *)alias))
			drover_error_set(&problem, DROVER_ERROR_CONFLICT,
				"alias: another rule is called '%s' already", alias);
		if (problem != NULL)
			add_error(snapshot, "rule", key, problem);
		else
			g_ptr_array_add(snapshot->rules, g_steal_pointer(&rule));
	}
}

static ReleaseDocument *compile_release(const Snapshot *snapshot, const Snapshot *before,
	const char *name, json_t *row, GError **error)
{
	ReleaseDocument *there =
		before == NULL ? NULL : g_hash_table_lookup(before->releases, name);
	return there != NULL && there->row == row && has_same_scheme(snapshot, before, row)
		       ? release_document_ref(there)
		       : release_document_new(
				 row, snapshot_scheme(snapshot, product_of(row)), error);
}

static void compile_releases(Snapshot *snapshot, const Snapshot *before, const State *state)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)state_rows(state, STATE_RELEASES), key, row) {
		g_autoptr(GError) problem = NULL;
		ReleaseDocument *document = compile_release(snapshot, before, key, row, &problem);
		if (document == NULL)
			add_error(snapshot, "release", key, problem);
		else
			g_hash_table_insert(snapshot->releases, (gpointer)document->name, document);
	}
}

/* The mapping of another product's release is a slip that a client must not pay for. */
static gboolean maps_well(const Snapshot *snapshot, const Rule *rule, GError **error)
{
	const char *const names[] = {rule->mapping, rule->fallback_mapping};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const ReleaseDocument *document =
			names[i] == NULL ? NULL : snapshot_release(snapshot, names[i]);
		if (document == NULL || document->product == NULL || rule->product == NULL ||
			strcmp(document->product, rule->product) == 0)
			continue;
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: %s is a release of %s, and the rule is for %s",
			i == 0 ? "mapping" : "fallback_mapping", names[i], document->product,
			rule->product);
		return FALSE;
	}
	return TRUE;
}

static void refuse_bad_mappings(Snapshot *snapshot)
{
	for (guint i = snapshot->rules->len; i-- > 0;) {
		const Rule *rule = snapshot->rules->pdata[i];
		g_autoptr(GError) problem = NULL;
		g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT, rule->rule_id);
		if (maps_well(snapshot, rule, &problem))
			continue;
		add_error(snapshot, "rule", key, problem);
		g_ptr_array_remove_index(snapshot->rules, i);
	}
}

/* The index ------------------------------------------------------------------------------------ */

static gint by_evaluation(gconstpointer a, gconstpointer b)
{
	return rule_compare(*(Rule *const *)a, *(Rule *const *)b);
}

static gboolean names_its_channel(const Rule *rule)
{
	return rule->channel != NULL && rule->glob_bytes == 0;
}

static gboolean can_match_channel(const Rule *rule, const char *channel)
{
	if (rule->channel == NULL)
		return TRUE;
	return rule->glob_bytes > 0 ? strncmp(rule->channel, channel, rule->glob_bytes) == 0
				    : strcmp(rule->channel, channel) == 0;
}

static void index_channel(ProductRules *rules, const char *channel)
{
	if (g_hash_table_contains(rules->by_channel, channel))
		return;
	GPtrArray *list = g_ptr_array_new();
	for (guint i = 0; i < rules->all->len; i++)
		if (can_match_channel(rules->all->pdata[i], channel))
			g_ptr_array_add(list, rules->all->pdata[i]);
	g_hash_table_insert(rules->by_channel, (gpointer)channel, list);
}

static ProductRules *product_rules_new(void)
{
	ProductRules *rules = g_new0(ProductRules, 1);
	rules->all = g_ptr_array_new();
	rules->elsewhere = g_ptr_array_new();
	rules->by_channel = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	return rules;
}

static void add_rule(ProductRules *rules, Rule *rule)
{
	g_ptr_array_add(rules->all, rule);
	if (!names_its_channel(rule))
		g_ptr_array_add(rules->elsewhere, rule);
}

static void index_channels(ProductRules *rules)
{
	for (guint i = 0; i < rules->all->len; i++) {
		const Rule *rule = rules->all->pdata[i];
		if (names_its_channel(rule))
			index_channel(rules, rule->channel);
	}
}

/* A rule for every product is in the list of each, so these must be known first. */
static void find_products(Snapshot *snapshot)
{
	for (guint i = 0; i < snapshot->rules->len; i++) {
		const char *product = ((Rule *)snapshot->rules->pdata[i])->product;
		if (product != NULL && !g_hash_table_contains(snapshot->products, product))
			g_hash_table_insert(
				snapshot->products, (gpointer)product, product_rules_new());
	}
}

static void build_index(Snapshot *snapshot)
{
	GHashTableIter iter;
	gpointer rules;
	g_ptr_array_sort(snapshot->rules, by_evaluation);
	snapshot->other = product_rules_new();
	find_products(snapshot);
	for (guint i = 0; i < snapshot->rules->len; i++) {
		Rule *rule = snapshot->rules->pdata[i];
		if (rule->product != NULL) {
			add_rule(g_hash_table_lookup(snapshot->products, rule->product), rule);
			continue;
		}
		add_rule(snapshot->other, rule);
		g_hash_table_iter_init(&iter, snapshot->products);
		while (g_hash_table_iter_next(&iter, NULL, &rules))
			add_rule(rules, rule);
	}
	index_channels(snapshot->other);
	g_hash_table_iter_init(&iter, snapshot->products);
	while (g_hash_table_iter_next(&iter, NULL, &rules))
		index_channels(rules);
}

const GPtrArray *snapshot_rules_from(
	const Snapshot *snapshot, const char *product, const char *channel, RuleColumn *from)
{
	const ProductRules *rules =
		product == NULL ? NULL : g_hash_table_lookup(snapshot->products, product);
	if (rules == NULL)
		rules = snapshot->other;
	G_STATIC_ASSERT(RULE_PRODUCT == 0 && RULE_CHANNEL == 1);
	*from = RULE_CHANNEL;
	if (channel == NULL)
		return rules->elsewhere;
	if (query_channel_base(channel) > 0)
		return rules->all; /* two names at once: rare */
	const GPtrArray *list = g_hash_table_lookup(rules->by_channel, channel);
	if (list == NULL)
		return rules->elsewhere;
	*from = RULE_CHANNEL + 1;
	return list;
}

const GPtrArray *snapshot_rules(const Snapshot *snapshot, const char *product, const char *channel)
{
	RuleColumn from;
	return snapshot_rules_from(snapshot, product, channel, &from);
}

/* The rest ------------------------------------------------------------------------------------- */

json_t *snapshot_schemes(const State *state)
{
	json_t *schemes = json_object(), *row;
	const char *product;
	json_object_foreach ((json_t *)state_rows(state, STATE_PRODUCTS), product, row) {
		json_t *scheme = json_object_get(row, "scheme");
		if (scheme != NULL)
			json_object_set(schemes, product, scheme);
	}
	return schemes;
}

Snapshot *snapshot_new(const State *state, const json_t *schemes, GError **error)
{
	return snapshot_next(NULL, state, schemes, error);
}

Snapshot *snapshot_next(
	const Snapshot *before, const State *state, const json_t *schemes, GError **error)
{
	if (!check_schemes(schemes, error))
		return NULL;
	Snapshot *snapshot = g_new0(Snapshot, 1);
	g_atomic_ref_count_init(&snapshot->references);
	snapshot->schemes = schemes == NULL ? json_object() : json_copy((json_t *)schemes);
	snapshot->shutoffs = json_incref((json_t *)state_rows(state, STATE_SHUTOFFS));
	snapshot->pins = json_incref((json_t *)state_rows(state, STATE_PINS));
	snapshot->deliveries = json_incref((json_t *)state_rows(state, STATE_PRODUCTS));
	snapshot->errors = g_ptr_array_new_with_free_func(g_free);
	snapshot->rules = g_ptr_array_new_with_free_func((GDestroyNotify)rule_free);
	snapshot->products =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, product_rules_free);
	snapshot->releases = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)release_document_free);
	compile_rules(snapshot, before, state);
	compile_releases(snapshot, before, state);
	refuse_bad_mappings(snapshot);
	build_index(snapshot);
	return snapshot;
}

Snapshot *snapshot_ref(Snapshot *snapshot)
{
	g_atomic_ref_count_inc(&snapshot->references);
	return snapshot;
}

void snapshot_unref(Snapshot *snapshot)
{
	if (snapshot == NULL || !g_atomic_ref_count_dec(&snapshot->references))
		return;
	product_rules_free(snapshot->other);
	g_hash_table_unref(snapshot->products);
	g_hash_table_unref(snapshot->releases);
	g_ptr_array_unref(snapshot->rules);
	g_ptr_array_unref(snapshot->errors);
	json_decref(snapshot->schemes);
	json_decref(snapshot->shutoffs);
	json_decref(snapshot->pins);
	json_decref(snapshot->deliveries);
	g_free(snapshot);
}

const GPtrArray *snapshot_errors(const Snapshot *snapshot)
{
	return snapshot->errors;
}

const GPtrArray *snapshot_all_rules(const Snapshot *snapshot)
{
	return snapshot->rules;
}

const json_t *snapshot_rows(const Snapshot *snapshot, StateTable table)
{
	g_assert(table == STATE_SHUTOFFS || table == STATE_PINS || table == STATE_PRODUCTS);
	return table == STATE_PINS	 ? snapshot->pins
	       : table == STATE_SHUTOFFS ? snapshot->shutoffs
					 : snapshot->deliveries;
}

const ReleaseDocument *snapshot_release(const Snapshot *snapshot, const char *name)
{
	return g_hash_table_lookup(snapshot->releases, name);
}

/* Shut-offs and pins are few: they are looked at one by one. */
static const json_t *find_row(const json_t *rows, const char *product, const char *channel,
	gsize channel_bytes, const char *version)
{
	const char *key;
	json_t *row;
	json_object_foreach ((json_t *)rows, key, row) {
		const char *its = json_string_value(json_object_get(row, "channel"));
		if (g_strcmp0(json_string_value(json_object_get(row, "product")), product) != 0 ||
			strlen(its) != channel_bytes || memcmp(its, channel, channel_bytes) != 0)
			continue;
		if (version == NULL ||
			g_strcmp0(json_string_value(json_object_get(row, "version")), version) == 0)
			return row;
	}
	return NULL;
}

/* On the whole channel, else on the part before "-cck-". */
static const json_t *find_on_channel(
	const json_t *rows, const char *product, const char *channel, const char *version)
{
	if (product == NULL || channel == NULL)
		return NULL;
	const json_t *row = find_row(rows, product, channel, strlen(channel), version);
	gsize base = query_channel_base(channel);
	return row != NULL || base == 0 ? row : find_row(rows, product, channel, base, version);
}

gboolean snapshot_is_shut_off(const Snapshot *snapshot, const char *product, const char *channel)
{
	return find_on_channel(snapshot->shutoffs, product, channel, NULL) != NULL;
}

const char *snapshot_pinned(
	const Snapshot *snapshot, const char *product, const char *channel, const char *pin)
{
	const json_t *row =
		pin == NULL ? NULL : find_on_channel(snapshot->pins, product, channel, pin);
	return json_string_value(json_object_get(row, "mapping"));
}
