/* SPDX-License-Identifier: ISC
 *
 * From a row to a rule. Each column has one reader; the table at the end says which.
 */
#include "channel/rule/rule.h"

#include <string.h>

/* Readers of values --------------------------------------------------------------------------- */

static gboolean refuse(GError **error, const char *column, const char *why)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: %s", column, why);
	return FALSE;
}

static gboolean read_text(
	const json_t *value, const char *column, const char **text, GError **error)
{
	*text = json_string_value(value);
	if (*text == NULL)
		return refuse(error, column, "must be a text");
	if (**text == '\0')
		return refuse(error, column, "is empty; leave it out to match anything");
	if (strlen(*text) > RULE_MAXIMUM_TEXT_BYTES)
		return refuse(error, column, "is longer than 4096 bytes");
	return TRUE;
}

/* Cut at `separator`, trimmed; an empty element is refused. Caller frees. */
static char **cut(const char *text, const char *separator, const char *column, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, separator, RULE_MAXIMUM_CHOICES + 1);
	if (g_strv_length(parts) > RULE_MAXIMUM_CHOICES) {
		refuse(error, column, "has more than 500 elements");
		return NULL;
	}
	for (char **part = parts; *part != NULL; part++) {
		if (*g_strstrip(*part) == '\0') {
			refuse(error, column, "has an empty element in its list");
			return NULL;
		}
	}
	return g_steal_pointer(&parts);
}

static gboolean read_list(const json_t *value, const char *column, char ***list, GError **error)
{
	const char *text;
	if (!read_text(value, column, &text, error))
		return FALSE;
	*list = cut(text, ",", column, error);
	return *list != NULL;
}

static void choice_clear(gpointer choice)
{
	g_strfreev(((RuleChoice *)choice)->all);
}

/* "a, b && c": a, or b and c. */
static gboolean read_choices(
	const json_t *value, const char *column, GArray **choices, GError **error)
{
	g_auto(GStrv) list = NULL;
	*choices = g_array_new(FALSE, FALSE, sizeof(RuleChoice));
	g_array_set_clear_func(*choices, choice_clear);
	if (!read_list(value, column, &list, error))
		return FALSE;
	for (char **part = list; *part != NULL; part++) {
		RuleChoice choice = {cut(*part, "&&", column, error)};
		if (choice.all == NULL)
			return FALSE;
		g_array_append_val(*choices, choice);
	}
	return TRUE;
}

/* Readers of columns --------------------------------------------------------------------------- */

static gboolean read_product(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_text(value, column, &rule->product, error);
}

static gboolean read_platform(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_text(value, column, &rule->platform, error);
}

static gboolean read_arch(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_text(value, column, &rule->arch, error);
}

static gboolean read_dist_version(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_text(value, column, &rule->dist_version, error);
}

static gboolean read_channel(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	if (!read_text(value, column, &rule->channel, error))
		return FALSE;
	const char *star = strchr(rule->channel, '*');
	if (star == NULL)
		return TRUE;
	rule->glob_bytes = (gsize)(star - rule->channel);
	if (star[1] != '\0')
		return refuse(error, column, "a star may only be its last character");
	if (rule->glob_bytes < RULE_GLOB_LEAST_BYTES)
		return refuse(error, column, "a star needs at least 2 characters before it");
	return TRUE;
}

/* NULL when one of them is none in this scheme. */
static GArray *read_tests(char *const *list, VersionScheme scheme, GError **error)
{
	g_autoptr(GArray) tests = g_array_new(FALSE, FALSE, sizeof(VersionTest));
	for (; *list != NULL; list++) {
		VersionTest test;
		if (!version_test_parse(scheme, *list, &test, error))
			return NULL;
		g_array_append_val(tests, test);
	}
	return g_steal_pointer(&tests);
}

static gboolean read_version(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	g_auto(GStrv) list = NULL;
	gboolean is_for_one = json_is_string(json_object_get(rule->row, "product")), is_any = FALSE;
	g_autoptr(GError) problem = NULL;
	if (!read_list(value, column, &list, error))
		return FALSE;
	for (guint i = 0; i < VERSION_SCHEMES; i++) {
		gboolean is_its_own = i == (guint)scheme;
		if (is_for_one && !is_its_own)
			continue;
		rule->versions[i] =
			read_tests(list, (VersionScheme)i, is_its_own ? &problem : NULL);
		is_any |= rule->versions[i] != NULL;
	}
	return is_any || refuse(error, column, problem->message);
}

static gboolean read_build_id(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	const char *text;
	if (!read_text(value, column, &text, error))
		return FALSE;
	rule->build_operator = version_operator_read(text, &rule->build_id);
	if (*rule->build_id == '\0' || strpbrk(rule->build_id, "<>=!~* ,") != NULL)
		return refuse(error, column, "must be one build, or <, <=, > or >= and one build");
	return TRUE;
}

static gboolean read_os_version(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_choices(value, column, &rule->os_versions, error);
}

static gboolean read_locale(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_list(value, column, &rule->locales, error);
}

static gboolean read_distribution(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_list(value, column, &rule->distributions, error);
}

static gboolean read_instruction_set(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	return read_choices(value, column, &rule->instruction_sets, error);
}

static gboolean read_memory(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	const char *text, *digits;
	guint64 memory;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		rule->memory = json_integer_value(value);
		return TRUE;
	}
	if (!read_text(value, column, &text, error))
		return FALSE;
	rule->memory_operator = version_operator_read(text, &digits);
	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &memory, NULL))
		return refuse(error, column, "must be a whole number, or <, <=, > or >= and one");
	rule->memory = (gint64)memory;
	return TRUE;
}

static gboolean read_flags(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	const char *name;
	json_t *flag;
	if (!json_is_object(value))
		return refuse(error, column, "must be an object of mig64 and jaws");
	json_object_foreach ((json_t *)value, name, flag) {
		QueryFlag *known = strcmp(name, "mig64") == 0  ? &rule->mig64
				   : strcmp(name, "jaws") == 0 ? &rule->jaws
							       : NULL;
		if (known == NULL || !(json_is_boolean(flag) || json_is_null(flag)))
			return refuse(error, column, "only mig64 and jaws, each true or false");
		if (!json_is_null(flag))
			*known = json_is_true(flag) ? QUERY_FLAG_TRUE : QUERY_FLAG_FALSE;
	}
	return TRUE;
}

static void tag_clear(gpointer item)
{
	RuleTag *tag = item;
	g_free(tag->name);
	g_strfreev(tag->values);
}

/* A text, or a list of texts. */
static gboolean read_tag(
	Rule *rule, const char *name, const json_t *value, const char *column, GError **error)
{
	g_autoptr(GStrvBuilder) values = g_strv_builder_new();
	gsize count = json_is_array(value) ? json_array_size(value) : 1;
	for (gsize i = 0; i < count; i++) {
		const char *text;
		if (!read_text(json_is_array(value) ? json_array_get(value, i) : value, column,
			    &text, error))
			return FALSE;
		g_strv_builder_add(values, text);
	}
	if (count == 0 || count > RULE_MAXIMUM_CHOICES)
		return refuse(error, column, "must be a text or a list of 1 to 500 texts");
	if (rule->tags == NULL) {
		rule->tags = g_array_new(FALSE, FALSE, sizeof(RuleTag));
		g_array_set_clear_func(rule->tags, tag_clear);
	}
	RuleTag tag = {g_strdup(name), g_strv_builder_end(values)};
	g_array_append_val(rule->tags, tag);
	return TRUE;
}

static gboolean read_tags(
	Rule *rule, const json_t *value, const char *column, VersionScheme scheme, GError **error)
{
	const char *name;
	json_t *tag;
	if (!json_is_object(value))
		return refuse(error, column, "must be an object of names and texts");
	json_object_foreach ((json_t *)value, name, tag)
		if (!json_is_null(tag) && !read_tag(rule, name, tag, column, error))
			return FALSE;
	return TRUE;
}

/* The whole row ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	gboolean (*read)(Rule *rule, const json_t *value, const char *column, VersionScheme scheme,
		GError **error);
} columns[RULE_COLUMNS] = {
	[RULE_PRODUCT] = {"product", read_product},
	[RULE_CHANNEL] = {"channel", read_channel},
	[RULE_PLATFORM] = {"platform", read_platform},
	[RULE_ARCH] = {"arch", read_arch},
	[RULE_DIST_VERSION] = {"dist_version", read_dist_version},
	[RULE_VERSION] = {"version", read_version},
	[RULE_BUILD_ID] = {"build_id", read_build_id},
	[RULE_OS_VERSION] = {"os_version", read_os_version},
	[RULE_LOCALE] = {"locale", read_locale},
	[RULE_DISTRIBUTION] = {"distribution", read_distribution},
	[RULE_INSTRUCTION_SET] = {"instruction_set", read_instruction_set},
	[RULE_MEMORY] = {"memory", read_memory},
	[RULE_FLAGS] = {"flags", read_flags},
	[RULE_TAGS] = {"tags", read_tags},
};

const char *rule_column_name(RuleColumn column)
{
	return columns[column].name;
}

static gboolean read_whole_number(const json_t *row, const char *name, gint64 fallback,
	gint64 maximum, gint64 *number, GError **error)
{
	const json_t *value = json_object_get(row, name);
	*number = value == NULL || json_is_null(value) ? fallback : json_integer_value(value);
	if ((value == NULL || json_is_null(value) || json_is_integer(value)) && *number >= 0 &&
		*number <= maximum)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"%s: must be a whole number from 0 to %" G_GINT64_FORMAT, name, maximum);
	return FALSE;
}

static gboolean read_name(const json_t *row, const char *name, const char **text, GError **error)
{
	const json_t *value = json_object_get(row, name);
	*text = NULL;
	return value == NULL || json_is_null(value) || read_text(value, name, text, error);
}

/* One of digits only would be taken for another rule's number. */
static gboolean check_alias(const char *alias, GError **error)
{
	if (alias == NULL || alias[strspn(alias, "0123456789")] != '\0')
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"alias: '%s' reads as the number of a rule; put a letter in it", alias);
	return FALSE;
}

static gboolean read_result(Rule *rule, GError **error)
{
	const char *text; /* checked, and shown by whoever shows the row */
	return read_whole_number(rule->row, "rule_id", 0, G_MAXINT32, &rule->rule_id, error) &&
	       read_whole_number(
		       rule->row, "priority", 0, RULE_MAXIMUM_PRIORITY, &rule->priority, error) &&
	       read_whole_number(rule->row, "rate", 100, 100, &rule->rate, error) &&
	       read_name(rule->row, "mapping", &rule->mapping, error) &&
	       read_name(rule->row, "fallback_mapping", &rule->fallback_mapping, error) &&
	       read_name(rule->row, "alias", &text, error) && check_alias(text, error) &&
	       read_name(rule->row, "update_type", &text, error);
}

/* Every key is a column; "tag.NAME" is another spelling of an element of tags. */
static gboolean read_key(
	Rule *rule, const char *key, const json_t *value, VersionScheme scheme, GError **error)
{
	if (json_is_null(value))
		return TRUE;
	if (g_str_has_prefix(key, "tag.") && key[strlen("tag.")] != '\0') {
		rule->asked |= 1u << RULE_TAGS;
		return read_tag(rule, key + strlen("tag."), value, key, error);
	}
	for (guint i = 0; i < RULE_COLUMNS; i++) {
		if (strcmp(key, columns[i].name) != 0)
			continue;
		rule->asked |= 1u << i;
		return columns[i].read(rule, value, key, scheme, error);
	}
	static const char *const others[] = {"rule_id", "alias", "priority", "rate", "mapping",
		"fallback_mapping", "update_type", "comment", "data_version", NULL};
	return g_strv_contains(others, key) ||
	       refuse(error, key, "is no column of rules; is it spelled right?");
}

Rule *rule_new(json_t *row, VersionScheme scheme, GError **error)
{
	const char *key;
	json_t *value;
	if (!json_is_object(row)) {
		drover_error_set(error, DROVER_ERROR_INPUT, "a rule must be an object");
		return NULL;
	}
	g_autoptr(Rule) rule = g_new0(Rule, 1);
	g_atomic_ref_count_init(&rule->references);
	rule->row = json_incref(row);
	if (!read_result(rule, error))
		return NULL;
	json_object_foreach (row, key, value)
		if (!read_key(rule, key, value, scheme, error))
			return NULL;
	return g_steal_pointer(&rule);
}

Rule *rule_ref(Rule *rule)
{
	g_atomic_ref_count_inc(&rule->references);
	return rule;
}

void rule_free(Rule *rule)
{
	if (rule == NULL || !g_atomic_ref_count_dec(&rule->references))
		return;
	for (guint i = 0; i < VERSION_SCHEMES; i++)
		g_clear_pointer(&rule->versions[i], g_array_unref);
	g_clear_pointer(&rule->os_versions, g_array_unref);
	g_clear_pointer(&rule->instruction_sets, g_array_unref);
	g_clear_pointer(&rule->tags, g_array_unref);
	g_strfreev(rule->locales);
	g_strfreev(rule->distributions);
	json_decref(rule->row);
	g_free(rule);
}

int rule_compare(const Rule *a, const Rule *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return a->rule_id < b->rule_id ? -1 : a->rule_id > b->rule_id;
}
