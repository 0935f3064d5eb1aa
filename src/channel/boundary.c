/* SPDX-License-Identifier: ISC
 *
 * Lists are cut into their elements, operators and stars taken off, numbers and versions stepped up
 * and down.
 */
#include "channel/boundary.h"

#include <string.h>

#include "channel/row/canonical.h"

static const struct {
	const char *name;
	RuleColumn rule_column;
} columns[BOUNDARY_COLUMNS] = {
	[BOUNDARY_ARCH] = {"arch", RULE_ARCH},
	[BOUNDARY_DIST_VERSION] = {"dist_version", RULE_DIST_VERSION},
	[BOUNDARY_OS_VERSION] = {"os_version", RULE_OS_VERSION},
	[BOUNDARY_DISTRIBUTION] = {"distribution", RULE_DISTRIBUTION},
	[BOUNDARY_INSTRUCTION_SET] = {"instruction_set", RULE_INSTRUCTION_SET},
	[BOUNDARY_MEMORY] = {"memory", RULE_MEMORY},
	[BOUNDARY_FLAGS] = {"flags", RULE_FLAGS},
	[BOUNDARY_TAGS] = {"tags", RULE_TAGS},
	[BOUNDARY_PLATFORM] = {"platform", RULE_PLATFORM},
	[BOUNDARY_LOCALE] = {"locale", RULE_LOCALE},
	[BOUNDARY_VERSION] = {"version", RULE_VERSION},
	[BOUNDARY_BUILD_ID] = {"build_id", RULE_BUILD_ID},
	[BOUNDARY_PIN] = {"pin", RULE_COLUMNS},
	[BOUNDARY_DRAW] = {"draw", RULE_COLUMNS},
};

const char *boundary_column_name(BoundaryColumn column)
{
	return columns[column].name;
}

RuleColumn boundary_rule_column(BoundaryColumn column)
{
	return columns[column].rule_column;
}

/* Takes the value. */
static void add(json_t *values, json_t *value)
{
	gsize i;
	json_t *there;
	json_array_foreach (values, i, there) {
		if (!json_equal(there, value))
			continue;
		json_decref(value);
		return;
	}
	json_array_append_new(values, value);
}

/* Numbers -------------------------------------------------------------------------------------- */

static void add_number(json_t *values, gint64 number)
{
	if (number >= 0)
		add(values, json_integer(number));
}

/* The number before or after one of any length, as digits; NULL before 0. Caller frees. */
static char *next_to(const char *digits, gboolean after)
{
	GString *next = g_string_new(digits);
	const char turns = after ? '9' : '0', into = after ? '0' : '9';
	gsize place = next->len;
	while (place > 0 && next->str[place - 1] == turns)
		next->str[--place] = into;
	if (place > 0)
		next->str[place - 1] = (char)(next->str[place - 1] + (after ? 1 : -1));
	else if (after)
		g_string_prepend_c(next, '1');
	else
		return g_string_free(next, TRUE);
	while (next->len > 1 && next->str[0] == '0')
		g_string_erase(next, 0, 1);
	return g_string_free(next, FALSE);
}

static void add_memory(json_t *values, const json_t *wanted)
{
	const char *text = json_string_value(wanted), *digits = text;
	if (text != NULL)
		version_operator_read(text, &digits);
	gint64 number =
		text != NULL ? g_ascii_strtoll(digits, NULL, 10) : json_integer_value(wanted);
	add_number(values, number);
	if (number > 0)
		add_number(values, number - 1);
	if (number < G_MAXINT64)
		add_number(values, number + 1);
}

static void add_build(json_t *values, const char *text)
{
	guint64 number;
	version_operator_read(text, &text);
	add(values, json_string(text));
	if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &number, NULL))
		return;
	for (guint64 near = number - 1; near <= number + 1; near += 2) {
		g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, near);
		add(values, json_string(digits));
	}
}

/* Versions ------------------------------------------------------------------------------------- */

static void add_version_if_any(json_t *values, const char *text, VersionScheme scheme)
{
	Version version;
	if (version_parse(scheme, text, &version, NULL))
		add(values, json_string(text));
}

/* The version itself and close neighbours on both sides, in whichever spelling the scheme has. */
static void add_version(json_t *values, const char *text, VersionScheme scheme)
{
	static const char *const tails[] = {"", ".0", ".0.0", ".1", "a1", "-0", "z", "-0.0"};
	version_operator_read(text, &text);
	g_autofree char *plain = g_strdup(text);
	if (g_str_has_suffix(plain, ".*"))
		plain[strlen(plain) - 2] = '\0';
	gsize size = strlen(plain), from = size;
	while (from > 0 && g_ascii_isdigit(plain[from - 1]))
		from--;
	for (int side = -1; side <= 1; side++) {
		g_autofree char *number = side == 0 ? NULL : next_to(plain + from, side > 0);
		g_autofree char *near =
			from == size || number == NULL
				? g_strdup(plain)
				: g_strdup_printf("%.*s%s", (int)from, plain, number);
		for (guint i = 0; i < G_N_ELEMENTS(tails); i++) {
			g_autofree char *tailed = g_strconcat(near, tails[i], NULL);
			add_version_if_any(values, tailed, scheme);
		}
	}
}

/* Lists ---------------------------------------------------------------------------------------- */

static void add_element(
	json_t *values, BoundaryColumn column, const char *text, VersionScheme scheme)
{
	g_auto(GStrv) parts = g_strsplit(text, "&&", -1);
	for (char **part = parts; *part != NULL; part++) {
		g_strstrip(*part);
		if (column == BOUNDARY_VERSION)
			add_version(values, *part, scheme);
		else if (column == BOUNDARY_BUILD_ID)
			add_build(values, *part);
		else
			add(values, json_string(*part));
	}
	if (g_strv_length(parts) < 2)
		return;
	g_autofree char *all = g_strjoinv(column == BOUNDARY_OS_VERSION ? " " : ",", parts);
	add(values, json_string(all));
}

static void add_list(json_t *values, BoundaryColumn column, const char *text, VersionScheme scheme)
{
	static const BoundaryColumn whole[] = {
		BOUNDARY_ARCH, BOUNDARY_DIST_VERSION, BOUNDARY_PLATFORM};
	for (guint i = 0; i < G_N_ELEMENTS(whole); i++) {
		if (column == whole[i]) {
			add(values, json_string(text));
			return;
		}
	}
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	for (char **part = parts; *part != NULL; part++)
		add_element(values, column, g_strstrip(*part), scheme);
}

/* Rows ----------------------------------------------------------------------------------------- */

static void add_flags(json_t *values, const json_t *flags)
{
	static const char *const names[] = {"mig64", "jaws"};
	for (guint i = 0; i < 9; i++) { /* 0: not said, 1: false, 2: true; for both */
		const guint said[] = {i % 3, i / 3};
		json_t *value = json_object();
		for (guint j = 0; j < G_N_ELEMENTS(names); j++)
			if (said[j] > 0)
				json_object_set_new(value, names[j], json_boolean(said[j] == 2));
		if (flags != NULL)
			add(values, value);
		else
			json_decref(value);
	}
}

/* A tag's values one by one, beside the first of each other tag of the rule. */
static void add_tags(json_t *values, const json_t *rule)
{
	json_t *wanted = json_object(), *first = json_object(), *value, *one;
	const char *name;
	gsize i;
	json_object_foreach (json_object_get(rule, "tags"), name, value)
		json_object_set(wanted, name, value);
	json_object_foreach ((json_t *)rule, name, value)
		if (g_str_has_prefix(name, "tag."))
			json_object_set(wanted, name + strlen("tag."), value);
	json_object_foreach (wanted, name, value)
		json_object_set(
			first, name, json_is_array(value) ? json_array_get(value, 0) : value);
	json_object_foreach (wanted, name, value) {
		json_array_foreach (value, i, one) {
			json_t *said = json_copy(first);
			json_object_set(said, name, one);
			add(values, said);
		}
	}
	if (json_object_size(first) > 0)
		add(values, json_incref(first));
	json_decref(first);
	json_decref(wanted);
}

static void add_of_rule(
	json_t *values, BoundaryColumn column, const json_t *rule, VersionScheme scheme)
{
	const json_t *wanted = json_object_get(rule, columns[column].name);
	const char *text = json_string_value(wanted);
	if (column == BOUNDARY_DRAW)
		add_number(values, json_integer_value(json_object_get(rule, "rate")) % 100);
	else if (column == BOUNDARY_TAGS)
		add_tags(values, rule);
	else if (column == BOUNDARY_FLAGS)
		add_flags(values, wanted);
	else if (column == BOUNDARY_MEMORY && wanted != NULL)
		add_memory(values, wanted);
	else if (text != NULL)
		add_list(values, column, text, scheme);
}

static void add_of_release(
	json_t *values, BoundaryColumn column, const json_t *release, VersionScheme scheme)
{
	const char *version = json_string_value(json_object_get(release, "version"));
	const char *build = json_string_value(json_object_get(release, "build_id"));
	const char *name, *locale;
	json_t *platform, *files;
	if (column == BOUNDARY_VERSION && version != NULL)
		add_version(values, version, scheme);
	if (column == BOUNDARY_BUILD_ID && build != NULL)
		add_build(values, build);
	json_object_foreach (json_object_get(release, "platforms"), name, platform) {
		build = json_string_value(json_object_get(platform, "build_id"));
		if (column == BOUNDARY_PLATFORM)
			add(values, json_string(name));
		if (column == BOUNDARY_BUILD_ID && build != NULL)
			add_build(values, build);
		if (column != BOUNDARY_LOCALE)
			continue;
		json_object_foreach (json_object_get(platform, "locales"), locale, files)
			add(values, json_string(locale));
	}
}

void boundary_values(
	BoundaryColumn column, const json_t *canonical, VersionScheme scheme, json_t *values)
{
	const char *key;
	gsize i;
	json_t *row;
	if (column != BOUNDARY_DRAW)
		add(values, json_null());
	json_array_foreach (json_object_get(canonical, "rules"), i, row)
		add_of_rule(values, column, row, scheme);
	json_object_foreach (json_object_get(canonical, "releases"), key, row)
		add_of_release(values, column, json_object_get(row, "row"), scheme);
	if (column == BOUNDARY_PIN)
		json_object_foreach (json_object_get(canonical, "pins"), key, row)
			add(values, json_incref(json_object_get(row, "version")));
	if (column == BOUNDARY_DRAW)
		add_number(values, 0);
}

void boundary_release_sign(
	BoundaryColumn column, const ReleaseDocument *document, const Query *query, GString *sign)
{
	if (column < BOUNDARY_PLATFORM || column > BOUNDARY_BUILD_ID)
		return;
	if (column != BOUNDARY_PLATFORM || query->platform == NULL) {
		g_string_append_printf(sign, "%d ", (int)release_document_ask(document, query));
		return;
	}
	const json_t *platforms = json_object_get(document->row, "platforms");
	const json_t *platform = json_object_get(platforms, query->platform);
	const char *alias = json_string_value(json_object_get(platform, "alias"));
	g_autofree char *files =
		canonical_text(alias != NULL ? json_object_get(platforms, alias) : platform);
	g_string_append_printf(sign, "%s ", files != NULL ? files : "-");
}
