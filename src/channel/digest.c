/* SPDX-License-Identifier: ISC
 *
 * From the compiled snapshot, so that it holds what answers, not what was written.
 */
#include "channel/digest.h"

#include "channel/scope.h"

static const char *const insignificant[] = {"alias", "comment", "data_version", NULL};

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

static json_t *canonical_rules(
	const Snapshot *snapshot, const char *product, const char *channel, json_t *releases)
{
	const GPtrArray *all = snapshot_all_rules(snapshot);
	json_t *rules = json_array();
	for (guint i = 0; i < all->len; i++) {
		const Rule *rule = all->pdata[i];
		if (!scope_holds((Scope){rule->product, rule->channel}, product, channel))
			continue;
		json_array_append_new(rules, canonical_rule(rule));
		add_release(releases, snapshot, rule->mapping, TRUE);
		add_release(releases, snapshot, rule->fallback_mapping, TRUE);
	}
	return rules;
}

static json_t *canonical_rows(const Snapshot *snapshot, StateTable table, const char *product,
	const char *channel, json_t *releases)
{
	json_t *kept = json_object(), *row;
	const char *key;
	json_object_foreach ((json_t *)snapshot_rows(snapshot, table), key, row) {
		if (!scope_holds(scope_of_row(table, row), product, channel))
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
	json_t *rules = canonical_rules(snapshot, product, channel, releases);
	json_t *shutoffs = canonical_rows(snapshot, STATE_SHUTOFFS, product, channel, releases);
	json_t *pins = canonical_rows(snapshot, STATE_PINS, product, channel, releases);
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
