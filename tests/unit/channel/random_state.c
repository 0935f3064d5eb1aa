/* SPDX-License-Identifier: ISC
 *
 * See random_state.h.
 */
#include "random_state.h"

#define PICK(rand, list) (list)[g_rand_int_range(rand, 0, G_N_ELEMENTS(list))]

const char *const random_products[4] = {"P", "Q", "R", "S"};
const char *const random_channels[8] = {"release", "beta", "release-cck-acme", "beta-cck-x-cck-y",
	"nightly", "rel", "release-cck-acme-cck-b", "esr"};
static const char *const wanted_channels[] = {"release", "beta", "release*", "rel*", "beta-cck-x*",
	"nightly", "release-cck-acme", "be*", "beta-cck-*"};
static const char *const versions[] = {"59.0", "60.0", "60.0.1", "61.0.0", "6.0.0", "60.0.2"};
static const char *const wanted_versions[] = {
	"60.*", "<60.0.1", ">=60.0.0", "60.0.1", "<=6.0.0,>60.0.1", "60.0a1"};
static const char *const releases[] = {"A", "B", "C", "D", "E"};
static const char *const locales[] = {"de", "fr"};
static const char *const platforms[] = {"T", "U"};
static const char *const aliases[] = {"one", "two", "three"};
static const char *const builds[] = {"98", "99", "100"};

static gboolean chance(GRand *rand, gint percent)
{
	return g_rand_int_range(rand, 0, 100) < percent;
}

static void set(json_t *row, const char *column, const char *text)
{
	json_object_set_new(row, column, json_string(text));
}

static void maybe(GRand *rand, json_t *row, gint percent, const char *column, const char *text)
{
	if (chance(rand, percent))
		set(row, column, text);
}

static json_t *random_rule_row(GRand *rand)
{
	json_t *row = json_object();
	json_object_set_new(row, "priority", json_integer(g_rand_int_range(rand, 0, 5)));
	maybe(rand, row, 90, "mapping", PICK(rand, releases));
	maybe(rand, row, 60, "product", random_products[g_rand_int_range(rand, 0, 3)]);
	maybe(rand, row, 60, "channel", PICK(rand, wanted_channels));
	maybe(rand, row, 20, "version", PICK(rand, wanted_versions));
	maybe(rand, row, 10, "platform", PICK(rand, platforms));
	maybe(rand, row, 10, "locale", PICK(rand, locales));
	maybe(rand, row, 10, "build_id", chance(rand, 50) ? "<99" : ">=99");
	maybe(rand, row, 10, "memory", "<=4096");
	maybe(rand, row, 10, "alias", PICK(rand, aliases));
	maybe(rand, row, 20, "comment", PICK(rand, releases));
	if (chance(rand, 30)) {
		json_object_set_new(row, "rate", json_integer(25 * g_rand_int_range(rand, 0, 5)));
		maybe(rand, row, 50, "fallback_mapping", PICK(rand, releases));
	}
	return row;
}

static json_t *random_files(GRand *rand)
{
	json_t *files = json_object();
	if (chance(rand, 40))
		json_object_set_new(
			files, "partials", json_pack("[{s:s}]", "from", PICK(rand, releases)));
	return files;
}

static json_t *random_release_row(GRand *rand, const char *name)
{
	json_t *row = json_pack("{s:s}", "name", name);
	maybe(rand, row, 20, "product", random_products[g_rand_int_range(rand, 0, 3)]);
	maybe(rand, row, 70, "version", PICK(rand, versions));
	maybe(rand, row, 40, "build_id", PICK(rand, builds));
	if (chance(rand, 40))
		json_object_set_new(row, "platforms",
			json_pack("{s:{s:{s:o}}}", PICK(rand, platforms), "locales",
				PICK(rand, locales), random_files(rand)));
	return row;
}

static json_t *random_pin_row(GRand *rand)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "product",
		random_products[g_rand_int_range(rand, 0, 3)], "channel",
		PICK(rand, random_channels), "version", "60.", "mapping", PICK(rand, releases));
}

static json_t *random_shutoff_row(GRand *rand)
{
	return json_pack("{s:s, s:s}", "product", random_products[g_rand_int_range(rand, 0, 3)],
		"channel", PICK(rand, random_channels));
}

static const char *const schemes[] = {"mozilla", "loose", "semver"};
static const char *const hosts[] = {"a.example.org", "b.example.org"};
static const char *const roles[] = {"relman", "qa"};
static const char *const persons[] = {"ada", "bob"};

static json_t *random_product_row(GRand *rand)
{
	json_t *row = json_pack("{s:s}", "product", random_products[g_rand_int_range(rand, 0, 3)]);
	maybe(rand, row, 70, "scheme", PICK(rand, schemes));
	if (chance(rand, 50))
		json_object_set_new(row, "hosts", json_pack("[s]", PICK(rand, hosts)));
	if (chance(rand, 30))
		json_object_set_new(row, "late_s", json_integer(g_rand_int_range(rand, 0, 3)));
	return row;
}

static json_t *random_channel_row(GRand *rand)
{
	json_t *row =
		json_pack("{s:s, s:s}", "product", random_products[g_rand_int_range(rand, 0, 3)],
			"channel", PICK(rand, random_channels));
	maybe(rand, row, 50, "base", PICK(rand, random_channels));
	maybe(rand, row, 30, "cut", chance(rand, 50) ? "all" : "until 3");
	return row;
}

static json_t *random_requirement_row(GRand *rand)
{
	return json_pack("{s:s, s:s, s:s, s:i}", "product",
		chance(rand, 30) ? "*" : random_products[g_rand_int_range(rand, 0, 3)], "channel",
		PICK(rand, wanted_channels), "role", PICK(rand, roles), "n",
		g_rand_int_range(rand, 1, 4));
}

static json_t *random_role_row(GRand *rand)
{
	return json_pack("{s:s, s:b}", "role", PICK(rand, roles), "tester", chance(rand, 50));
}

static json_t *random_grant_row(GRand *rand)
{
	return json_pack("{s:s, s:s, s:s}", "product", chance(rand, 50) ? "*" : "P", "person",
		PICK(rand, persons), "role", PICK(rand, roles));
}

static json_t *random_freeze_row(GRand *rand)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", PICK(rand, aliases), "product", "*",
		"from", "2026-12-20", "until", chance(rand, 50) ? "2026-12-27" : "2027-01-02");
}

/* `key` NULL: any. */
static json_t *random_row(GRand *rand, StateTable table, const char *key)
{
	if (table == STATE_RULES)
		return random_rule_row(rand);
	if (table == STATE_RELEASES)
		return random_release_row(rand, key != NULL ? key : PICK(rand, releases));
	json_t *(*const makers[STATE_TABLES])(GRand *) = {
		[STATE_SHUTOFFS] = random_shutoff_row,
		[STATE_PINS] = random_pin_row,
		[STATE_REQUIREMENTS] = random_requirement_row,
		[STATE_PRODUCTS] = random_product_row,
		[STATE_CHANNELS] = random_channel_row,
		[STATE_ROLES] = random_role_row,
		[STATE_GRANTS] = random_grant_row,
		[STATE_FREEZES] = random_freeze_row,
	};
	return makers[table](rand);
}

static void add_some(GRand *rand, State *state)
{
	for (guint i = STATE_REQUIREMENTS; i < STATE_TABLES; i++) {
		for (gint left = g_rand_int_range(rand, 0, 4); left > 0; left--) {
			g_autoptr(RandomJson) row = random_row(rand, (StateTable)i, NULL);
			state_add(state, (StateTable)i, row, NULL);
		}
	}
}

State *random_state(GRand *rand)
{
	State *state = state_new();
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	gint rules = g_rand_int_range(rand, 1, 12);
	for (gint i = 1; i <= rules; i++) {
		g_autoptr(RandomJson) row = random_rule_row(rand);
		const char *alias = json_string_value(json_object_get(row, "alias"));
		json_object_set_new(row, "rule_id", json_integer(i));
		if (alias != NULL && g_hash_table_contains(taken, alias))
			json_object_del(row, "alias");
		else if (alias != NULL)
			g_hash_table_add(taken, (gpointer)alias);
		g_assert_true(state_add(state, STATE_RULES, row, NULL));
	}
	for (guint i = 0; i < G_N_ELEMENTS(releases); i++) {
		g_autoptr(RandomJson) row = random_release_row(rand, releases[i]);
		if (chance(rand, 70))
			g_assert_true(state_add(state, STATE_RELEASES, row, NULL));
	}
	for (guint i = 0; i < 2; i++) {
		g_autoptr(RandomJson) pin = random_pin_row(rand);
		g_autoptr(RandomJson) shutoff = random_shutoff_row(rand);
		if (chance(rand, 60))
			state_add(state, STATE_PINS, pin, NULL);
		if (chance(rand, 30))
			state_add(state, STATE_SHUTOFFS, shutoff, NULL);
	}
	add_some(rand, state);
	return state;
}

static const char *random_key(GRand *rand, const json_t *rows)
{
	gsize size = json_object_size(rows);
	if (size == 0)
		return NULL;
	void *iter = json_object_iter((json_t *)rows);
	for (gint skip = g_rand_int_range(rand, 0, (gint32)size); skip > 0; skip--)
		iter = json_object_iter_next((json_t *)rows, iter);
	return json_object_iter_key(iter);
}

/* A patch of one or two columns, one of which may be taken away. */
static json_t *random_patch(GRand *rand, StateTable table, const char *key)
{
	g_autoptr(RandomJson) whole = random_row(rand, table, key);
	json_t *patch = json_object();
	for (gint i = g_rand_int_range(rand, 1, 3); i > 0; i--) {
		const char *column = random_key(rand, whole);
		json_object_set(patch, column, json_object_get(whole, column));
	}
	if (table == STATE_RULES && chance(rand, 30))
		json_object_set_new(patch, chance(rand, 50) ? "channel" : "product", json_null());
	return patch;
}

/* Columns of another row, but for the key. */
static void alter(GRand *rand, StateTable table, json_t *row)
{
	g_autoptr(RandomJson) other = random_row(rand, table, NULL);
	const char *column;
	json_t *value;
	json_object_foreach (other, column, value)
		if (!state_is_key(table, column))
			json_object_set(row, column, value);
}

static json_t *random_op(GRand *rand, const State *state)
{
	static const StateTable tables[] = {STATE_RULES, STATE_RULES, STATE_RULES, STATE_RULES,
		STATE_RELEASES, STATE_RELEASES, STATE_PINS, STATE_PINS, STATE_SHUTOFFS,
		STATE_PRODUCTS, STATE_PRODUCTS, STATE_CHANNELS, STATE_REQUIREMENTS, STATE_ROLES,
		STATE_GRANTS, STATE_FREEZES};
	StateTable table = PICK(rand, tables);
	const char *key = random_key(rand, state_rows(state, table));
	const char *verb = key == NULL || chance(rand, 25) ? "insert"
			   : chance(rand, 25)		   ? "delete"
							   : "update";
	json_t *op = json_pack("{s:s, s:s}", "op", verb, "table", state_table_name(table));
	if (*verb == 'i') {
		json_object_set_new(op, "row", random_row(rand, table, NULL));
		if (table == STATE_RULES)
			json_object_set_new(
				op, "rule_id", json_integer(g_rand_int_range(rand, 1, 30)));
		return op;
	}
	json_t *row = json_object_get(state_rows(state, table), key);
	if (table == STATE_RULES)
		json_object_set(op, "rule_id", json_object_get(row, "rule_id"));
	else if (table == STATE_RELEASES)
		set(op, "name", key);
	if (table == STATE_RULES || table == STATE_RELEASES)
		json_object_set_new(op, "row", random_patch(rand, table, key));
	else
		json_object_set_new(op, "row", json_copy(row));
	if (table == STATE_PINS && *verb == 'u')
		set(json_object_get(op, "row"), "mapping", PICK(rand, releases));
	else if (*verb == 'u' && table > STATE_PINS)
		alter(rand, table, json_object_get(op, "row"));
	return op;
}

json_t *random_change(GRand *rand, const State *state, gint64 id)
{
	json_t *ops = json_array();
	for (gint i = g_rand_int_range(rand, 1, 3); i > 0; i--)
		json_array_append_new(ops, random_op(rand, state));
	return json_pack("{s:I, s:i, s:o}", "id", (json_int_t)id, "when",
		g_rand_int_range(rand, 1, 6), "ops", ops);
}

json_t *random_query(GRand *rand, const char *product, const char *channel)
{
	static const char *const asked_versions[] = {"59.0.0", "60.0.0", "60.0.1", "6.0.0"};
	json_t *query = json_pack("{s:i}", "draw", g_rand_int_range(rand, 0, 100));
	if (product != NULL)
		set(query, "product", product);
	if (channel != NULL)
		set(query, "channel", channel);
	maybe(rand, query, 80, "version", PICK(rand, asked_versions));
	maybe(rand, query, 80, "platform", PICK(rand, platforms));
	maybe(rand, query, 80, "locale", PICK(rand, locales));
	maybe(rand, query, 80, "build_id", PICK(rand, builds));
	maybe(rand, query, 30, "pin", "60.");
	maybe(rand, query, 20, "id", PICK(rand, aliases));
	if (chance(rand, 30))
		json_object_set_new(query, "memory", json_integer(chance(rand, 50) ? 1 : 8192));
	if (chance(rand, 20))
		json_object_set_new(query, "force", json_integer(chance(rand, 50) ? 1 : -1));
	return query;
}

json_t *random_schemes(const State *state)
{
	json_t *found = json_object(), *row;
	const char *product;
	json_object_foreach ((json_t *)state_rows(state, STATE_PRODUCTS), product, row)
		if (json_object_get(row, "scheme") != NULL)
			json_object_set(found, product, json_object_get(row, "scheme"));
	return found;
}
