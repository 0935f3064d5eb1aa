/* SPDX-License-Identifier: ISC
 *
 * Queries as JSON.
 */
#include "channel/query_json.h"

#include <stddef.h>
#include <string.h>

static gboolean refuse(GError **error, const char *key, const char *wanted)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be %s", key, wanted);
	return FALSE;
}

static const struct {
	const char *name;
	gsize offset;
} texts[] = {
	{"product", offsetof(Query, product)},
	{"platform", offsetof(Query, platform)},
	{"arch", offsetof(Query, arch)},
	{"dist_version", offsetof(Query, dist_version)},
	{"channel", offsetof(Query, channel)},
	{"build_id", offsetof(Query, build_id)},
	{"os_version", offsetof(Query, os_version)},
	{"locale", offsetof(Query, locale)},
	{"distribution", offsetof(Query, distribution)},
	{"instruction_set", offsetof(Query, instruction_set)},
	{"id", offsetof(Query, id)},
	{"pin", offsetof(Query, pin)},
};

/* 0 to `maximum`, as a number or as its digits. */
static gboolean read_number(
	const json_t *value, const char *key, gint64 maximum, gint64 *number, GError **error)
{
	guint64 read = 0;
	const char *text = json_string_value(value);
	gboolean is_one = text != NULL ? g_ascii_string_to_unsigned(
						 text, 10, 0, (guint64)maximum, &read, NULL)
				       : json_is_integer(value);
	*number = text != NULL ? (gint64)read : json_integer_value(value);
	return (is_one && *number >= 0 && *number <= maximum) ||
	       refuse(error, key, "a whole number in its range");
}

static gboolean read_force(const json_t *value, Query *query, GError **error)
{
	const char *text = json_string_value(value);
	if (g_strcmp0(text, "1") == 0 || json_integer_value(value) == 1)
		query->force = QUERY_FORCE_SERVE;
	else if (g_strcmp0(text, "-1") == 0 || json_integer_value(value) == -1)
		query->force = QUERY_FORCE_FALLBACK;
	else
		return refuse(error, "force", "1 or -1");
	return TRUE;
}

static gboolean add_tag(const char *name, const json_t *value, Query *query, GError **error)
{
	if (!json_is_string(value))
		return refuse(error, name, "a text");
	if (query->tag_count == QUERY_MAXIMUM_TAGS)
		return refuse(error, name, "one of at most 64 tags");
	query->tags[query->tag_count++] = (QueryTag){name, json_string_value(value)};
	return TRUE;
}

static gboolean read_tags(const json_t *value, Query *query, GError **error)
{
	const char *name;
	json_t *tag;
	if (!json_is_object(value))
		return refuse(error, "tags", "an object of texts");
	json_object_foreach ((json_t *)value, name, tag)
		if (!add_tag(name, tag, query, error))
			return FALSE;
	return TRUE;
}

static gboolean read_flags(const json_t *value, Query *query, GError **error)
{
	const char *name;
	json_t *flag;
	if (!json_is_object(value))
		return refuse(error, "flags", "an object of mig64 and jaws");
	json_object_foreach ((json_t *)value, name, flag) {
		QueryFlag said = json_is_null(flag)   ? QUERY_FLAG_UNKNOWN
				 : json_is_true(flag) ? QUERY_FLAG_TRUE
						      : QUERY_FLAG_FALSE;
		if (!json_is_boolean(flag) && !json_is_null(flag))
			return refuse(error, "flags", "true or false each");
		if (strcmp(name, "mig64") == 0)
			query->mig64 = said;
		else if (strcmp(name, "jaws") == 0)
			query->jaws = said;
	}
	return TRUE;
}

static gboolean read_key(const char *key, const json_t *value, Query *query, GError **error)
{
	gint64 number;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(key, texts[i].name) != 0)
			continue;
		if (!json_is_string(value))
			return refuse(error, key, "a text");
		*(const char **)(gpointer)((char *)query + texts[i].offset) =
			json_string_value(value);
		return TRUE;
	}
	if (strcmp(key, "version") == 0)
		return TRUE; /* read last: its scheme hangs on the product */
	if (strcmp(key, "memory") == 0) {
		query->has_memory = read_number(value, key, G_MAXINT64, &query->memory, error);
		return query->has_memory;
	}
	if (strcmp(key, "draw") == 0) {
		if (!read_number(value, key, 99, &number, error))
			return FALSE;
		query->draw = (guint)number;
		return TRUE;
	}
	if (strcmp(key, "force") == 0)
		return read_force(value, query, error);
	if (strcmp(key, "flags") == 0)
		return read_flags(value, query, error);
	if (strcmp(key, "tags") == 0)
		return read_tags(value, query, error);
	return add_tag(
		g_str_has_prefix(key, "tag.") ? key + strlen("tag.") : key, value, query, error);
}

gboolean query_from_json(
	const Snapshot *snapshot, const json_t *object, Query *query, GError **error)
{
	const char *key;
	json_t *value;
	if (!json_is_object(object))
		return refuse(error, "a query", "an object");
	json_object_foreach ((json_t *)object, key, value)
		if (!json_is_null(value) && !read_key(key, value, query, error))
			return FALSE;
	const json_t *version = json_object_get(object, "version");
	if (version == NULL || json_is_null(version))
		return TRUE;
	if (!json_is_string(version))
		return refuse(error, "version", "a text");
	query->has_version = version_parse(snapshot_scheme(snapshot, query->product),
		json_string_value(version), &query->version, error);
	if (!query->has_version)
		g_prefix_error(error, "version: ");
	return query->has_version;
}
