/* SPDX-License-Identifier: ISC
 *
 * From the compiled snapshot, so that it holds what answers, not what was written.
 */
#include "channel/digest.h"

/* What is looked at: one product and channel, or all names of some scopes. */
typedef struct Region {
	const char *product, *channel;
	const GArray *scopes; /* NULL: the names */
} Region;

static gboolean meets(const Region *region, Scope scope)
{
	if (region->scopes == NULL)
		return scope_holds(scope, region->product, region->channel);
	for (guint i = 0; i < region->scopes->len; i++)
		if (scope_overlaps(scope, g_array_index(region->scopes, Scope, i)))
			return TRUE;
	return FALSE;
}

/* Whether a release is published decides when rules may map to it, not what is answered. */
static const char *const insignificant[] = {"alias", "comment", "data_version", "published", NULL};

static void add_release(json_t *releases, const Snapshot *snapshot, const char *name, gboolean deep)
{
	const ReleaseDocument *document = name == NULL ? NULL : snapshot_release(snapshot, name);
	if (document == NULL)
		return; /* not described: its name says all, and stands in rule or pin */
	json_t *row = canonical_row(document->row, insignificant);
	json_object_set_new(releases, name,
		json_pack("{s:o, s:s?}", "row", row, "scheme",
			document->has_version ? version_scheme_name(document->version.scheme)
					      : NULL));
	if (!deep)
		return;
	g_autoptr(GHashTable) origins = release_document_origins(document->row);
	GHashTableIter iter;
	gpointer origin;
	g_hash_table_iter_init(&iter, origins);
	while (g_hash_table_iter_next(&iter, &origin, NULL))
		add_release(releases, snapshot, origin, FALSE);
}

static json_t *canonical_rule(const Rule *rule)
{
	json_t *row = canonical_row(rule->row, insignificant);
	json_object_set_new(row, "priority", json_integer(rule->priority));
	json_object_set_new(row, "rate", json_integer(rule->rate));
	return row;
}

static json_t *canonical_rules(const Snapshot *snapshot, const Region *region, json_t *releases)
{
	const GPtrArray *all = snapshot_all_rules(snapshot);
	json_t *rules = json_array();
	for (guint i = 0; i < all->len; i++) {
		const Rule *rule = all->pdata[i];
		if (!meets(region, (Scope){rule->product, rule->channel}))
			continue;
		json_array_append_new(rules, canonical_rule(rule));
		add_release(releases, snapshot, rule->mapping, TRUE);
		add_release(releases, snapshot, rule->fallback_mapping, TRUE);
	}
	return rules;
}

static json_t *canonical_rows(
	const Snapshot *snapshot, StateTable table, const Region *region, json_t *releases)
{
	json_t *kept = json_object(), *row;
	const char *key;
	json_object_foreach ((json_t *)snapshot_rows(snapshot, table), key, row) {
		if (!meets(region, scope_of_row(table, row)))
			continue;
		json_object_set_new(kept, key, canonical_row(row, insignificant));
		add_release(releases, snapshot, json_string_value(json_object_get(row, "mapping")),
			TRUE);
	}
	return kept;
}

json_t *digest_canonical(const Snapshot *snapshot, const char *product, const char *channel)
{
	json_t *releases = json_object();
	Region region = {product, channel, NULL};
	json_t *rules = canonical_rules(snapshot, &region, releases);
	json_t *shutoffs = canonical_rows(snapshot, STATE_SHUTOFFS, &region, releases);
	json_t *pins = canonical_rows(snapshot, STATE_PINS, &region, releases);
	const json_t *hosts = snapshot_hosts(snapshot, product);
	return json_pack("{s:i, s:s?, s:s?, s:s, s:o, s:o, s:o, s:o, s:O*}", "evaluator",
		DIGEST_EVALUATOR, "product", product, "channel", channel, "scheme",
		version_scheme_name(snapshot_scheme(snapshot, product)), "rules", rules, "releases",
		releases, "shutoffs", shutoffs, "pins", pins, "hosts", hosts);
}

char *digest_of(const Snapshot *snapshot, const char *product, const char *channel)
{
	json_t *canonical = digest_canonical(snapshot, product, channel);
	char *digest = canonical_digest(canonical);
	json_decref(canonical);
	return digest;
}

char *digest_of_scopes(const Snapshot *snapshot, const GArray *scopes)
{
	static const char *const titles[] = {"data_version", "late_s", "title", NULL};
	Region region = {NULL, NULL, scopes};
	json_t *releases = json_object(), *products = json_object(), *row;
	json_t *rules = canonical_rules(snapshot, &region, releases);
	json_t *shutoffs = canonical_rows(snapshot, STATE_SHUTOFFS, &region, releases);
	json_t *pins = canonical_rows(snapshot, STATE_PINS, &region, releases);
	const char *key;
	json_object_foreach ((json_t *)snapshot_rows(snapshot, STATE_PRODUCTS), key, row)
		if (meets(&region, (Scope){key, NULL}))
			json_object_set_new(products, key, canonical_row(row, titles));
	json_t *canonical = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "evaluator",
		DIGEST_EVALUATOR, "rules", rules, "releases", releases, "shutoffs", shutoffs,
		"pins", pins, "products", products);
	char *digest = canonical_digest(canonical);
	json_decref(canonical);
	return digest;
}
