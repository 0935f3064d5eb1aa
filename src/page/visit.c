/* SPDX-License-Identifier: ISC
 *
 * Paths and their parameters, and the one way from a page to the API.
 */
#include "page/visit.h"

#include <string.h>

static gboolean is_parameter(const char *segment)
{
	return segment[0] == '{';
}

static char *name_of(const char *segment)
{
	return g_strndup(segment + 1, strlen(segment) - 2);
}

gboolean visit_matches(const char *pattern, const char *path, GHashTable *parameters)
{
	g_auto(GStrv) wanted = g_strsplit(pattern, "/", -1);
	g_auto(GStrv) given = g_strsplit(path, "/", -1);
	g_hash_table_remove_all(parameters);
	if (g_strv_length(wanted) != g_strv_length(given))
		return FALSE;
	for (guint index = 0; wanted[index]; index++) {
		if (is_parameter(wanted[index]) ? !*given[index]
						: !g_str_equal(wanted[index], given[index]))
			return FALSE;
		if (is_parameter(wanted[index]))
			g_hash_table_insert(
				parameters, name_of(wanted[index]), g_strdup(given[index]));
	}
	return TRUE;
}

/* "id" of what was just made. */
static char *answered_value(const Visit *visit, const char *name)
{
	const json_t *value = json_object_get(visit->answered, name);
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return g_strdup(json_is_string(value) ? json_string_value(value) : "");
}

static char *value_of(const Visit *visit, const char *name)
{
	const char *value = g_hash_table_lookup(visit->parameters, name);
	if (!value && visit->fields)
		value = g_hash_table_lookup(visit->fields, name);
	return value ? g_strdup(value) : answered_value(visit, name);
}

char *visit_path(const Visit *visit, const char *pattern, gboolean encoded)
{
	g_auto(GStrv) segments = g_strsplit(pattern, "/", -1);
	for (guint index = 0; segments[index]; index++) {
		if (!is_parameter(segments[index]))
			continue;
		g_autofree char *name = name_of(segments[index]);
		g_free(segments[index]);
		g_autofree char *value = value_of(visit, name);
		segments[index] =
			encoded ? g_uri_escape_string(value, NULL, FALSE) : g_steal_pointer(&value);
	}
	return g_strjoinv("/", segments);
}

json_t *visit_ask(Visit *visit, const char *method, const char *path, GHashTable *query,
	json_t *body, GError **error)
{
	g_autofree char *whole = visit_path(visit, path, FALSE);
	return visit->house->ask(visit->house->of, visit->actor, method, whole, query, body, error);
}

GHashTable *visit_query(const Visit *visit, const char *const *names)
{
	GHashTable *query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (; *names; names++) {
		const char *value = visit->request->query
					    ? g_hash_table_lookup(visit->request->query, *names)
					    : NULL;
		if (value && *value)
			g_hash_table_insert(query, g_strdup(*names), g_strdup(value));
	}
	return query;
}
