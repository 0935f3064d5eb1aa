/* SPDX-License-Identifier: ISC
 *
 * One run of the command: the way to the API, opened when first asked for.
 */
#include "programs/drover/invocation.h"

#include <stdarg.h>
#include <string.h>

#include "programs/drover/place.h"

typedef struct Opened {
	Settings *settings;
	Port *port;
} Opened;

static void close_opened(gpointer of)
{
	Opened *opened = of;
	port_close(opened->port);
	settings_free(opened->settings);
	g_free(opened);
}

static Opened *opened_by(Invocation *invocation)
{
	if (invocation_place(invocation) == NULL)
		invocation_keep_place(invocation, g_new0(Opened, 1), close_opened);
	return invocation_place(invocation);
}

Settings *invocation_settings(Invocation *invocation, GError **error)
{
	Opened *opened = opened_by(invocation);
	if (opened->settings == NULL)
		opened->settings = place_settings(invocation, error);
	return opened->settings;
}

Port *invocation_port(Invocation *invocation, GError **error)
{
	Settings *settings = invocation_settings(invocation, error);
	Opened *opened = opened_by(invocation);
	if (settings != NULL && opened->port == NULL)
		opened->port = place_open(invocation, settings, error);
	return opened->port;
}

Store *invocation_opened_store(const Invocation *invocation)
{
	const Opened *opened = invocation_place(invocation);
	return opened != NULL && opened->port != NULL ? opened->port->store : NULL;
}

const char *invocation_server(Invocation *invocation)
{
	Settings *settings = invocation_settings(invocation, NULL);
	return settings != NULL ? settings_text(settings, "server.url") : NULL;
}

gboolean invocation_may_open_store(Invocation *invocation, GError **error)
{
	if (invocation_settings(invocation, error) == NULL)
		return FALSE;
	if (invocation_server(invocation) == NULL)
		return place_allows_root(invocation, error);
	drover_error_set(error, DROVER_ERROR_INPUT,
		"drover %s needs the store itself: run it on the control host, without --server",
		invocation_command(invocation)->name);
	return FALSE;
}

Store *invocation_store(Invocation *invocation, GError **error)
{
	if (!invocation_may_open_store(invocation, error))
		return NULL;
	Port *port = invocation_port(invocation, error);
	return port != NULL ? port->store : NULL;
}

void invocation_same_place(Invocation *invocation, GPtrArray *arguments)
{
	static const char *const names[] = {"config", "store", "state", "now"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = invocation_option(invocation, names[i]);
		if (value != NULL)
			g_ptr_array_add(arguments, g_strdup_printf("--%s=%s", names[i], value));
	}
	if (invocation_has(invocation, "allow-root"))
		g_ptr_array_add(arguments, g_strdup("--allow-root"));
}

/* "/products/web/landings"; NULL with `error` for a segment that cannot be one. */
static char *path_of(va_list segments, GError **error)
{
	g_autoptr(GString) path = g_string_new(NULL);
	for (const char *segment; (segment = va_arg(segments, const char *)) != NULL;) {
		if (*segment == '\0' || strchr(segment, '/') != NULL ||
			strspn(segment, ".") == strlen(segment)) {
			drover_error_set(
				error, DROVER_ERROR_INPUT, "'%s' is no name of anything", segment);
			return NULL;
		}
		g_string_append_printf(path, "/%s", segment);
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

json_t *invocation_call(Invocation *invocation, const char *method, GHashTable *query, json_t *body,
	GError **error, ...)
{
	va_list segments;
	va_start(segments, error);
	g_autofree char *path = path_of(segments, error);
	va_end(segments);
	Port *port = path != NULL ? invocation_port(invocation, error) : NULL;
	json_t *answer = port != NULL ? port_call(port, method, path, query, body, error) : NULL;
	if (query != NULL)
		g_hash_table_unref(query);
	json_decref(body);
	return answer;
}

GHashTable *query_of(const char *name, ...)
{
	GHashTable *query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	va_list pairs;
	va_start(pairs, name);
	for (; name != NULL; name = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);
		if (value != NULL)
			g_hash_table_insert(query, g_strdup(name), g_strdup(value));
	}
	va_end(pairs);
	return query;
}

json_t *body_of(const char *name, ...)
{
	json_t *body = json_object();
	va_list pairs;
	va_start(pairs, name);
	for (; name != NULL; name = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);
		if (value != NULL)
			json_object_set_new(body, name, json_text_or_null(value));
	}
	va_end(pairs);
	return body;
}

static char *only_product(const json_t *products, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	gsize index;
	json_t *product;
	json_array_foreach (products, index, product)
		g_string_append_printf(
			names, "%s%s", index > 0 ? ", " : "", json_text(product, "name"));
	if (json_array_size(products) == 1)
		return g_string_free(g_steal_pointer(&names), FALSE);
	if (json_array_size(products) == 0)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"there is no product yet: drover product add NAME --repository DIR");
	else
		drover_error_set(error, DROVER_ERROR_INPUT,
			"which product? Name one with --product: %s", names->str);
	return NULL;
}

char *invocation_product(Invocation *invocation, const char *named, GError **error)
{
	const char *option = invocation_option(invocation, "product");
	if (named != NULL && option != NULL && strcmp(named, option) != 0) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"'%s' or --product %s? Name one product", named, option);
		return NULL;
	}
	if (named != NULL || option != NULL)
		return g_strdup(named != NULL ? named : option);
	g_autoptr(json_t) products =
		invocation_call(invocation, "GET", NULL, NULL, error, "products", NULL);
	return products != NULL ? only_product(products, error) : NULL;
}
