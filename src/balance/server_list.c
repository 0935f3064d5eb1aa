/* SPDX-License-Identifier: ISC
 *
 * Server lists, in two formats. Rule: docs/balance.md, "Server lists".
 */
#include "balance/server_list.h"

#include <string.h>

#include "balance/json_input.h"
#include "balance/literal.h"
#include "base/error.h"

typedef struct Reader {
	ServerList *list;
	const char *name;
	GHashTable *by_name; /* char *, borrowed -> PoolEntry *, owned */
} Reader;

gboolean server_list_format_parse(const char *text, ServerListFormat *format, GError **error)
{
	gboolean json = strcmp(text, "json") == 0;
	*format = json ? SERVER_LIST_JSON : SERVER_LIST_LEGACY;
	if (json || strcmp(text, "legacy") == 0)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"a server list's format is legacy (a Python dict a line) or json, not %s", text);
	return FALSE;
}

ServerListFormat server_list_format_of(const char *url)
{
	return g_str_has_suffix(url, ".json") ? SERVER_LIST_JSON : SERVER_LIST_LEGACY;
}

static void add_error(Reader *reader, char *what)
{
	g_autofree char *mine = what;
	if (reader->list->bad++ < SERVER_LIST_MAXIMUM_ERRORS)
		g_ptr_array_add(reader->list->errors, g_steal_pointer(&mine));
}

/* Printable without blanks: names go to logs, terminals and URLs as they are. */
gboolean server_list_is_host(const char *name)
{
	gsize length = strlen(name);
	if (length == 0 || length > POOL_MAXIMUM_NAME_BYTES)
		return FALSE;
	for (const char *c = name; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("-._:[]%", *c) == NULL)
			return FALSE;
	return TRUE;
}

#define HOST_ALLOWED "a host name or address of at most 255 letters, digits and -._:"

/* Of two entries of one name the last one counts. */
static char *add_entry(Reader *reader, const PoolEntry *entry)
{
	PoolEntry *known = g_hash_table_lookup(reader->by_name, entry->name);
	if (known == NULL && g_hash_table_size(reader->by_name) >= POOL_MAXIMUM_SERVERS)
		return g_strdup_printf("more than %d servers", POOL_MAXIMUM_SERVERS);
	if (known == NULL) {
		known = g_new0(PoolEntry, 1);
		char *name = g_strdup(entry->name);
		g_hash_table_insert(reader->by_name, name, known);
		*known = *entry;
		known->name = name;
		return NULL;
	}
	const char *name = known->name;
	*known = *entry;
	known->name = name;
	return NULL;
}

static char *weight_problem(const char *found)
{
	return g_strdup_printf(
		"weight must be a whole number from 0 to %d, not %s", POOL_MAXIMUM_WEIGHT, found);
}

/* Legacy: a Python dict a line */

static char *read_weight(const Literal *value, PoolEntry *entry)
{
	if (value->kind != LITERAL_INTEGER || value->integer < 0 ||
		value->integer > POOL_MAXIMUM_WEIGHT) {
		g_autofree char *found = literal_describe(value);
		return weight_problem(found);
	}
	entry->has_weight = TRUE;
	entry->weight = (guint)value->integer;
	return NULL;
}

/* 0 and 1 are as good as False and True to Python. */
static char *read_enabled(const Literal *value, PoolEntry *entry)
{
	if ((value->kind != LITERAL_BOOLEAN && value->kind != LITERAL_INTEGER) ||
		(value->integer != 0 && value->integer != 1)) {
		g_autofree char *found = literal_describe(value);
		return g_strdup_printf("enabled must be True or False, not %s", found);
	}
	entry->has_enabled = TRUE;
	entry->enabled = value->integer != 0;
	return NULL;
}

static char *read_dict(Reader *reader, const Literal *dict)
{
	if (dict->kind != LITERAL_DICT) {
		g_autofree char *found = literal_describe(dict);
		return g_strdup_printf("must be a dict { 'host': …, 'weight': …, 'enabled': … }, "
				       "not %s",
			found);
	}
	static const char *const required[] = {"host", "weight", "enabled"};
	for (gsize i = 0; i < G_N_ELEMENTS(required); i++)
		if (literal_get(dict, required[i]) == NULL)
			return g_strdup_printf("'%s' is missing", required[i]);
	const Literal *host = literal_get(dict, "host");
	if (host->kind != LITERAL_TEXT || !server_list_is_host(host->text)) {
		g_autofree char *found = literal_describe(host);
		return g_strdup_printf("host must be " HOST_ALLOWED ", not %s", found);
	}
	PoolEntry entry = {.name = host->text};
	char *problem = read_weight(literal_get(dict, "weight"), &entry);
	if (problem == NULL)
		problem = read_enabled(literal_get(dict, "enabled"), &entry);
	return problem != NULL ? problem : add_entry(reader, &entry);
}

static void read_line(Reader *reader, guint number, const char *line, gsize length)
{
	gsize blanks = 0;
	while (blanks < length && g_ascii_isspace(line[blanks]))
		blanks++;
	if (blanks == length || line[blanks] == '#')
		return;
	g_autoptr(GError) error = NULL;
	g_autoptr(Literal) dict = literal_parse(line, length, NULL, &error);
	g_autofree char *problem =
		dict != NULL ? read_dict(reader, dict) : g_strdup(error->message);
	if (problem != NULL)
		add_error(reader, g_strdup_printf("%s:%u: %s", reader->name, number, problem));
}

static void read_legacy(Reader *reader, const char *text, gsize size_bytes)
{
	const char *end = text + size_bytes;
	for (guint number = 1; text < end; number++) {
		const char *stop = text;
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		read_line(reader, number, text, (gsize)(stop - text));
		text = stop + 1;
		if (text < end && *stop == '\r' && *text == '\n')
			text++;
	}
}

/* JSON */

char *server_list_read_entry(const json_t *attributes, PoolEntry *entry)
{
	if (!json_is_object(attributes)) {
		g_autofree char *found = balance_json_describe(attributes);
		return g_strdup_printf("must be an object {enabled, weight}, not %s", found);
	}
	const json_t *enabled = json_object_get(attributes, "enabled");
	const json_t *weight = json_object_get(attributes, "weight");
	json_int_t number = json_integer_value(weight);
	if (enabled != NULL && !json_is_boolean(enabled)) {
		g_autofree char *found = balance_json_describe(enabled);
		return g_strdup_printf("enabled must be true or false, not %s", found);
	}
	if (weight != NULL &&
		(!json_is_integer(weight) || number < 0 || number > POOL_MAXIMUM_WEIGHT)) {
		g_autofree char *found = balance_json_describe(weight);
		return weight_problem(found);
	}
	entry->has_enabled = enabled != NULL;
	entry->enabled = json_is_true(enabled);
	entry->has_weight = weight != NULL;
	entry->weight = weight != NULL ? (guint)number : 0;
	return NULL;
}

static void read_json(Reader *reader, const char *text, gsize size_bytes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(BalanceJson) root = balance_json_read(reader->name, text, size_bytes, &error);
	if (root == NULL) {
		add_error(reader, g_strdup(error->message));
		return;
	}
	const char *host;
	json_t *attributes;
	json_object_foreach (root, host, attributes) {
		PoolEntry entry = {.name = host};
		g_autofree char *problem = NULL;
		if (!server_list_is_host(host))
			problem = g_strdup("the name must be " HOST_ALLOWED);
		else
			problem = server_list_read_entry(attributes, &entry);
		if (problem == NULL)
			problem = add_entry(reader, &entry);
		if (problem == NULL)
			continue;
		g_autofree char *shown = g_strndup(host, POOL_MAXIMUM_NAME_BYTES);
		g_autofree char *valid = g_utf8_make_valid(shown, -1);
		g_autofree char *escaped = g_strescape(valid, NULL);
		add_error(
			reader, g_strdup_printf("%s: \"%s\": %s", reader->name, escaped, problem));
	}
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const PoolEntry *left = a, *right = b;
	return strcmp(left->name, right->name);
}

/* The table's entries become the list's. */
static void finish(Reader *reader)
{
	GHashTableIter iter;
	gpointer entry;
	g_hash_table_iter_init(&iter, reader->by_name);
	while (g_hash_table_iter_next(&iter, NULL, &entry))
		g_array_append_vals(reader->list->entries, entry, 1);
	g_array_sort(reader->list->entries, by_name);
	if (reader->list->bad > SERVER_LIST_MAXIMUM_ERRORS)
		g_ptr_array_add(reader->list->errors,
			g_strdup_printf("%s: and %u more", reader->name,
				reader->list->bad - SERVER_LIST_MAXIMUM_ERRORS));
}

static void entry_clear(PoolEntry *entry)
{
	g_free((char *)entry->name);
}

ServerList *server_list_parse(
	const char *name, ServerListFormat format, const char *text, gsize size_bytes)
{
	ServerList *list = g_new0(ServerList, 1);
	list->entries = g_array_new(FALSE, FALSE, sizeof(PoolEntry));
	g_array_set_clear_func(list->entries, (GDestroyNotify)entry_clear);
	list->errors = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) by_name =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	Reader reader = {list, name, by_name};
	if (size_bytes > SERVER_LIST_MAXIMUM_BYTES) {
		add_error(&reader, g_strdup_printf("%s: larger than the %d bytes allowed", name,
					   SERVER_LIST_MAXIMUM_BYTES));
		return list;
	}
	if (size_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size_bytes -= 3;
	}
	if (format == SERVER_LIST_JSON)
		read_json(&reader, text, size_bytes);
	else
		read_legacy(&reader, text, size_bytes);
	finish(&reader);
	return list;
}

void server_list_free(ServerList *list)
{
	if (list == NULL)
		return;
	g_array_unref(list->entries);
	g_ptr_array_unref(list->errors);
	g_free(list);
}

json_t *server_list_json(const ServerList *list)
{
	json_t *answer = json_object(), *servers = json_object(), *errors = json_array();
	for (guint i = 0; i < list->entries->len; i++) {
		const PoolEntry *entry = &g_array_index(list->entries, PoolEntry, i);
		json_t *attributes = json_object();
		if (entry->has_enabled)
			json_object_set_new(attributes, "enabled", json_boolean(entry->enabled));
		if (entry->has_weight)
			json_object_set_new(attributes, "weight", json_integer(entry->weight));
		json_object_set_new(servers, entry->name, attributes);
	}
	for (guint i = 0; i < list->errors->len; i++)
		json_array_append_new(errors, json_string(list->errors->pdata[i]));
	json_object_set_new(answer, "servers", servers);
	json_object_set_new(answer, "errors", errors);
	return answer;
}
