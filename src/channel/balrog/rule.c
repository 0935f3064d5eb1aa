/* SPDX-License-Identifier: ISC
 *
 * Balrog's rules. Each of its columns stands in one table, with what becomes of it; a column that
 * is not there, and says something, refuses the rule. Each value is tried alone, so that a rule is
 * refused with all of its reasons at once.
 */
#include "channel/balrog/balrog.h"

#include <string.h>

#include "channel/balrog/report.h"
#include "channel/row/row_parts.h"
#include "channel/rule/rule.h"

typedef struct Reading {
	BalrogReport report;
	const State *state;
	const BalrogWish *wish;
	GHashTable *ids;     /* rule_id as text, of the state and of those taken */
	GHashTable *aliases; /* alias -> rule_id as text, likewise */
	json_t *stubs;	     /* name -> product, null for several or none; in order */
	GPtrArray *rules;    /* rows that are taken */
} Reading;

/* Columns -------------------------------------------------------------------------------------- */

static void take_same(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	json_object_set(row, ours, value);
}

/* Exports through spreadsheets have numbers as texts. */
static void take_number(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	gint64 number;
	const char *text = json_string_value(value);
	if (text != NULL &&
		g_ascii_string_to_signed(text, 10, G_MININT32, G_MAXINT32, &number, NULL))
		json_object_set_new(row, ours, json_integer(number));
	else
		json_object_set(row, ours, value);
}

/* true, or 1 as it stands in the database. */
static void take_flag(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	gboolean is_bit = json_is_integer(value) && (json_integer_value(value) & ~1) == 0;
	json_t *flags = json_object_get(row, "flags");
	if (flags == NULL) {
		flags = json_object();
		json_object_set_new(row, "flags", flags);
	}
	if (is_bit)
		json_object_set_new(flags, ours, json_boolean(json_integer_value(value) == 1));
	else
		json_object_set(flags, ours, value);
}

/* The instruction set's name until 2018, then of a column of three parts that no rule may ask for.
 */
static void take_capabilities(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	const char *text = json_string_value(value);
	if (text != NULL && strchr(text, ':') != NULL)
		balrog_refuse(&reading->report, "systemCapabilities",
			"'%s' has parts with names; say them as instructionSet, memory and jaws",
			text);
	else if (json_object_get(row, ours) != NULL)
		balrog_refuse(&reading->report, "systemCapabilities",
			"instructionSet is said too, and clients send one");
	else
		json_object_set(row, ours, value);
}

static void note_scheduled(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	balrog_note(&reading->report, "scheduled_change",
		"the rule is taken as it is live; submit what is scheduled as a change");
}

static void note_sign_offs(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	balrog_note(&reading->report, "required_signoffs",
		"not taken: say who must agree as requirements");
}

static void refuse_whitelist(Reading *reading, json_t *row, const char *ours, json_t *value)
{
	balrog_refuse(&reading->report, "whitelist",
		"lists of single clients are not served; give them a channel, or a tag");
}

/* Balrog's own book-keeping: Drover keeps its own. */
static void leave(Reading *reading, json_t *row, const char *ours, json_t *value)
{
}

/* `ours` NULL: its name here is that of no column. systemCapabilities stands behind instructionSet.
 */
static const struct {
	const char *theirs, *ours;
	void (*take)(Reading *reading, json_t *row, const char *ours, json_t *value);
} columns[] = {
	{"rule_id", "rule_id", take_number},
	{"alias", "alias", take_same},
	{"priority", "priority", take_number},
	{"backgroundRate", "rate", take_number},
	{"mapping", "mapping", take_same},
	{"fallbackMapping", "fallback_mapping", take_same},
	{"update_type", "update_type", take_same},
	{"comment", "comment", take_same},
	{"product", "product", take_same},
	{"channel", "channel", take_same},
	{"buildTarget", "platform", take_same},
	{"headerArchitecture", "arch", take_same},
	{"distVersion", "dist_version", take_same},
	{"version", "version", take_same},
	{"buildID", "build_id", take_same},
	{"osVersion", "os_version", take_same},
	{"locale", "locale", take_same},
	{"distribution", "distribution", take_same},
	{"instructionSet", "instruction_set", take_same},
	{"systemCapabilities", "instruction_set", take_capabilities},
	{"memory", "memory", take_same},
	{"mig64", "mig64", take_flag},
	{"jaws", "jaws", take_flag},
	{"whitelist", NULL, refuse_whitelist},
	{"scheduled_change", NULL, note_scheduled},
	{"required_signoffs", NULL, note_sign_offs},
	{"data_version", NULL, leave},
	{"timestamp", NULL, leave},
	{"changed_by", NULL, leave},
	{"change_id", NULL, leave},
};

static gboolean is_known(const char *theirs)
{
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
		if (strcmp(columns[i].theirs, theirs) == 0)
			return TRUE;
	return FALSE;
}

/* One column, alone but for the product, which says how versions are read. */
static void try_column(Reading *reading, const char *theirs, const char *ours, const json_t *row)
{
	gboolean is_flag = g_str_equal(ours, "mig64") || g_str_equal(ours, "jaws");
	const char *column = is_flag ? "flags" : ours, *product = row_text(row, "product");
	g_autoptr(BalrogJson) alone = json_object();
	g_autoptr(GError) error = NULL;
	if (product != NULL && *product != '\0')
		json_object_set(alone, "product", json_object_get(row, "product"));
	if (is_flag)
		json_object_set_new(alone, column,
			json_pack("{s:O}", ours,
				json_object_get(json_object_get(row, column), ours)));
	else
		json_object_set(alone, column, json_object_get(row, column));
	g_autoptr(Rule) rule = rule_new(alone, row_scheme_of(reading->state, product), &error);
	if (rule == NULL)
		balrog_refuse(
			&reading->report, theirs, "%s", balrog_without_subject(error->message));
}

static json_t *translate(Reading *reading, const json_t *given)
{
	json_t *row = json_object(), *value;
	const char *theirs;
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		value = json_object_get(given, columns[i].theirs);
		if (!balrog_says_nothing(value))
			columns[i].take(reading, row, columns[i].ours, value);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
		if (columns[i].ours != NULL && strcmp(columns[i].ours, "rule_id") != 0 &&
			!balrog_says_nothing(json_object_get(given, columns[i].theirs)))
			try_column(reading, columns[i].theirs, columns[i].ours, row);
	json_object_foreach ((json_t *)given, theirs, value)
		if (!is_known(theirs) && !balrog_says_nothing(value))
			balrog_refuse(&reading->report, theirs, "Drover knows no such column");
	return row;
}

/* What a rule meets -------------------------------------------------------------------------- */

static void check_id(Reading *reading, const json_t *row)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *key = state_key(STATE_RULES, row, &error);
	if (key == NULL)
		balrog_refuse(
			&reading->report, "rule_id", "%s", balrog_without_subject(error->message));
	else if (g_hash_table_contains(reading->ids, key))
		balrog_refuse(&reading->report, "rule_id", "%s",
			state_row(reading->state, STATE_RULES, key) != NULL
				? "a rule of this number is there already"
				: "a rule of this number was taken before it");
}

static void check_alias(Reading *reading, const json_t *row)
{
	const char *alias = row_text(row, "alias");
	const char *owner = alias == NULL ? NULL : g_hash_table_lookup(reading->aliases, alias);
	if (owner != NULL)
		balrog_refuse(&reading->report, "alias", "%s is what rule %s is called already",
			alias, owner);
}

static void check_mapping(Reading *reading, const json_t *row, const char *theirs, const char *ours)
{
	const char *name = row_text(row, ours), *product = row_text(row, "product");
	const json_t *releases = state_rows(reading->state, STATE_RELEASES);
	const json_t *release = name == NULL ? NULL : json_object_get(releases, name);
	const char *owner = row_text(release, "product");
	if (name == NULL)
		return;
	if (release == NULL && !reading->wish->with_stubs)
		balrog_refuse(&reading->report, theirs,
			"there is no release %s; import it first, or ask for stubs", name);
	else if (owner != NULL && product != NULL && strcmp(owner, product) != 0)
		balrog_refuse(&reading->report, theirs, "%s is a release of %s", name, owner);
	else if (json_is_false(json_object_get(release, "published")))
		balrog_refuse(&reading->report, theirs, "%s is not published", name);
}

/* What an edit would say of the row, its mappings apart. */
static void check_row(Reading *reading, json_t *row)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(BalrogJson) unmapped = json_copy(row);
	json_object_del(unmapped, "mapping");
	json_object_del(unmapped, "fallback_mapping");
	if (!row_check(STATE_RULES, unmapped, reading->state, ROW_GOES_LIVE, &error))
		balrog_refuse(
			&reading->report, "rule", "%s", balrog_without_subject(error->message));
}

static void add_stub(Reading *reading, const json_t *row, const char *column)
{
	const char *name = row_text(row, column);
	if (name == NULL || state_row(reading->state, STATE_RELEASES, name) != NULL)
		return;
	json_t *product = json_object_get(row, "product");
	json_t *there = json_object_get(reading->stubs, name);
	gboolean is_same = there == NULL || (product != NULL && json_equal(there, product));
	json_object_set_new(reading->stubs, name,
		is_same && product != NULL ? json_incref(product) : json_null());
}

static void take_row(Reading *reading, json_t *row)
{
	char *key = state_key(STATE_RULES, row, NULL);
	const char *alias = row_text(row, "alias");
	g_hash_table_add(reading->ids, key);
	if (alias != NULL)
		g_hash_table_insert(reading->aliases, (gpointer)alias, key);
	add_stub(reading, row, "mapping");
	add_stub(reading, row, "fallback_mapping");
	g_ptr_array_add(reading->rules, json_incref(row));
	reading->report.taken++;
}

static void read_rule(Reading *reading, const json_t *given)
{
	const json_t *id = json_object_get(given, "rule_id");
	const char *product = row_text(given, "product"), *wanted = reading->wish->product;
	balrog_report_begin(
		&reading->report, json_is_integer(id) ? json_incref((json_t *)id) : json_null());
	if (!json_is_object(given)) {
		balrog_refuse(&reading->report, "rule", "number %u of the list is no object",
			reading->report.read);
		return;
	}
	if (wanted != NULL && product != NULL && *product != '\0' && strcmp(product, wanted) != 0) {
		reading->report.left_out++;
		return;
	}
	g_autoptr(BalrogJson) row = translate(reading, given);
	if (wanted != NULL && json_object_get(row, "product") == NULL)
		balrog_refuse(&reading->report, "product",
			"it is for every product, and only %s was asked for", wanted);
	check_id(reading, row);
	check_alias(reading, row);
	check_mapping(reading, row, "mapping", "mapping");
	check_mapping(reading, row, "fallbackMapping", "fallback_mapping");
	if (!reading->report.is_bad)
		check_row(reading, row);
	if (!reading->report.is_bad)
		take_row(reading, row);
}

/* The whole file ------------------------------------------------------------------------------- */

static void reading_clear(Reading *reading)
{
	balrog_report_clear(&reading->report);
	g_clear_pointer(&reading->aliases, g_hash_table_unref);
	g_clear_pointer(&reading->ids, g_hash_table_unref);
	g_clear_pointer(&reading->stubs, json_decref);
	g_clear_pointer(&reading->rules, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void reading_init(Reading *reading, const State *state, const BalrogWish *wish)
{
	const char *key;
	json_t *row;
	*reading = (Reading){.state = state,
		.wish = wish,
		.ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.aliases = g_hash_table_new(g_str_hash, g_str_equal),
		.stubs = json_object(),
		.rules = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref)};
	balrog_report_init(&reading->report, "rule_id");
	json_object_foreach ((json_t *)state_rows(state, STATE_RULES), key, row) {
		const char *alias = row_text(row, "alias");
		char *own = g_strdup(key);
		g_hash_table_add(reading->ids, own);
		if (alias != NULL)
			g_hash_table_insert(reading->aliases, (gpointer)alias, own);
	}
}

static gint by_evaluation(gconstpointer a, gconstpointer b)
{
	const json_t *first = *(json_t *const *)a, *second = *(json_t *const *)b;
	const Rule one = {.priority = json_integer_value(json_object_get(first, "priority")),
		.rule_id = json_integer_value(json_object_get(first, "rule_id"))};
	const Rule other = {.priority = json_integer_value(json_object_get(second, "priority")),
		.rule_id = json_integer_value(json_object_get(second, "rule_id"))};
	return rule_compare(&one, &other);
}

/* A stub has no files, so whoever is mapped to it gets nothing until its release is imported. */
static void end(Reading *reading)
{
	const char *name;
	json_t *product;
	json_object_foreach (reading->stubs, name, product) {
		json_t *stub = json_pack("{s:s, s:{}}", "name", name, "platforms");
		if (json_is_string(product))
			json_object_set(stub, "product", product);
		balrog_insert(&reading->report, STATE_RELEASES, stub);
		reading->report.stubs++;
	}
	g_ptr_array_sort(reading->rules, by_evaluation);
	for (guint i = 0; i < reading->rules->len; i++)
		balrog_insert(&reading->report, STATE_RULES, json_incref(reading->rules->pdata[i]));
}

json_t *balrog_rules(const json_t *file, const State *state, const BalrogWish *wish, GError **error)
{
	const json_t *list = balrog_list(file, "rules", BALROG_MAXIMUM_RULES, error);
	if (list == NULL)
		return NULL;
	g_auto(Reading) reading;
	reading_init(&reading, state, wish);
	for (gsize i = 0; i < json_array_size(list); i++)
		read_rule(&reading, json_array_get(list, i));
	end(&reading);
	return balrog_report_end(&reading.report);
}
