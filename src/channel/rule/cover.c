/* SPDX-License-Identifier: ISC
 *
 * Matcher by matcher: each that the wide rule asks, the narrow one asks as narrowly.
 */
#include "channel/rule/cover.h"

#include <string.h>

#include "channel/rule/build.h"

static gboolean covers_channel(const Rule *wide, const Rule *narrow)
{
	if (wide->glob_bytes > 0)
		return strncmp(wide->channel, narrow->channel, wide->glob_bytes) == 0 &&
		       (narrow->glob_bytes == 0 || narrow->glob_bytes >= wide->glob_bytes);
	return strcmp(wide->channel, narrow->channel) == 0;
}

/* Is everything OP b meant by wanting OP' a? `order`: how b compares with a. */
static gboolean covers_range(VersionOperator wide, VersionOperator narrow, int order)
{
	gboolean is_below = wide == VERSION_LESS || wide == VERSION_LESS_OR_EQUAL;
	gboolean is_above = wide == VERSION_GREATER || wide == VERSION_GREATER_OR_EQUAL;
	if (narrow == VERSION_EQUAL)
		return version_operator_holds(wide, order);
	if (wide == narrow && order == 0)
		return TRUE;
	if (is_below && (narrow == VERSION_LESS || narrow == VERSION_LESS_OR_EQUAL))
		return order < 0 || (order == 0 && wide == VERSION_LESS_OR_EQUAL);
	if (is_above && (narrow == VERSION_GREATER || narrow == VERSION_GREATER_OR_EQUAL))
		return order > 0 || (order == 0 && wide == VERSION_GREATER_OR_EQUAL);
	return FALSE;
}

static gboolean covers_test(const VersionTest *wide, const VersionTest *narrow)
{
	if (!wide->is_glob && !narrow->is_glob)
		return covers_range(wide->operator, narrow->operator,
			version_compare(&narrow->version, &wide->version));
	if (!narrow->is_glob)
		return narrow->operator== VERSION_EQUAL &&
			version_test_holds(wide, &narrow->version);
	return wide->is_glob && wide->version.count == narrow->version.count &&
	       version_compare(&wide->version, &narrow->version) == 0;
}

static gboolean covers_versions(const GArray *wide, const GArray *narrow)
{
	for (guint i = 0; narrow != NULL && i < narrow->len; i++) {
		gboolean is_covered = FALSE;
		for (guint j = 0; wide != NULL && j < wide->len && !is_covered; j++)
			is_covered = covers_test(&g_array_index(wide, VersionTest, j),
				&g_array_index(narrow, VersionTest, i));
		if (!is_covered)
			return FALSE;
	}
	return TRUE;
}

static gboolean covers_version(const Rule *wide, const Rule *narrow)
{
	for (guint i = 0; i < VERSION_SCHEMES; i++)
		if (!covers_versions(wide->versions[i], narrow->versions[i]))
			return FALSE;
	return TRUE;
}

static gboolean is_number(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

/* Two bounds have one order only as texts and as numbers at once, or as texts alone. */
static gboolean covers_build(const Rule *wide, const Rule *narrow)
{
	const char *a = wide->build_id, *b = narrow->build_id;
	gboolean have_one_order = (is_number(a) && is_number(b) && strlen(a) == strlen(b)) ||
				  (!is_number(a) && !is_number(b));
	if (is_number(b) && !is_number(a))
		return FALSE; /* 99 is also 099 */
	if (narrow->build_operator != VERSION_EQUAL && strcmp(a, b) != 0 && !have_one_order)
		return FALSE;
	return covers_range(wide->build_operator, narrow->build_operator, build_compare(b, a));
}

static gboolean covers_memory(const Rule *wide, const Rule *narrow)
{
	return covers_range(wide->memory_operator, narrow->memory_operator,
		narrow->memory < wide->memory ? -1 : narrow->memory > wide->memory);
}

static gboolean is_subset(char *const *narrow, char *const *wide)
{
	for (; *narrow != NULL; narrow++)
		if (!g_strv_contains((const char *const *)wide, *narrow))
			return FALSE;
	return TRUE;
}

/* All that the wide choice wants is among what the narrow one does. */
static gboolean covers_choice(const RuleChoice *wide, const RuleChoice *narrow)
{
	return is_subset(wide->all, narrow->all);
}

static gboolean covers_choices(const GArray *wide, const GArray *narrow)
{
	for (guint i = 0; i < narrow->len; i++) {
		gboolean is_covered = FALSE;
		for (guint j = 0; j < wide->len && !is_covered; j++)
			is_covered = covers_choice(&g_array_index(wide, RuleChoice, j),
				&g_array_index(narrow, RuleChoice, i));
		if (!is_covered)
			return FALSE;
	}
	return TRUE;
}

static gboolean covers_flags(const Rule *wide, const Rule *narrow)
{
	return (wide->mig64 == QUERY_FLAG_UNKNOWN || wide->mig64 == narrow->mig64) &&
	       (wide->jaws == QUERY_FLAG_UNKNOWN || wide->jaws == narrow->jaws);
}

static gboolean covers_tags(const Rule *wide, const Rule *narrow)
{
	for (guint i = 0; wide->tags != NULL && i < wide->tags->len; i++) {
		const RuleTag *wanted = &g_array_index(wide->tags, RuleTag, i);
		gboolean is_covered = FALSE;
		for (guint j = 0; narrow->tags != NULL && j < narrow->tags->len; j++) {
			const RuleTag *tag = &g_array_index(narrow->tags, RuleTag, j);
			is_covered |= strcmp(tag->name, wanted->name) == 0 &&
				      is_subset(tag->values, wanted->values);
		}
		if (!is_covered)
			return FALSE;
	}
	return TRUE;
}

static gboolean covers_column(const Rule *wide, const Rule *narrow, RuleColumn column)
{
	switch (column) {
	case RULE_PRODUCT:
		return strcmp(wide->product, narrow->product) == 0;
	case RULE_CHANNEL:
		return covers_channel(wide, narrow);
	case RULE_PLATFORM:
		return strcmp(wide->platform, narrow->platform) == 0;
	case RULE_ARCH:
		return strcmp(wide->arch, narrow->arch) == 0;
	case RULE_DIST_VERSION:
		return strcmp(wide->dist_version, narrow->dist_version) == 0;
	case RULE_VERSION:
		return covers_version(wide, narrow);
	case RULE_BUILD_ID:
		return covers_build(wide, narrow);
	case RULE_OS_VERSION:
		return covers_choices(wide->os_versions, narrow->os_versions);
	case RULE_LOCALE:
		return is_subset(narrow->locales, wide->locales);
	case RULE_DISTRIBUTION:
		return is_subset(narrow->distributions, wide->distributions);
	case RULE_INSTRUCTION_SET:
		return covers_choices(wide->instruction_sets, narrow->instruction_sets);
	case RULE_MEMORY:
		return covers_memory(wide, narrow);
	case RULE_FLAGS:
		return covers_flags(wide, narrow);
	case RULE_TAGS:
		return covers_tags(wide, narrow);
	case RULE_COLUMNS:
	default:
		return FALSE;
	}
}

gboolean rule_covers(const Rule *wide, const Rule *narrow)
{
	if ((wide->asked & ~narrow->asked) != 0)
		return FALSE;
	for (guint i = 0; i < RULE_COLUMNS; i++)
		if ((wide->asked & 1u << i) != 0 && !covers_column(wide, narrow, (RuleColumn)i))
			return FALSE;
	return TRUE;
}
